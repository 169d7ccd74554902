# SPDX-License-Identifier: Apache-2.0
"""Enumerations of the C API under Python names; the numbers are the C API's."""

from __future__ import annotations

from enum import IntEnum


class SecurityMode(IntEnum):
    """Security Mode, resource /0/x/2."""

    PSK = 0
    RPK = 1
    CERTIFICATE = 2
    NOSEC = 3
    EST = 4


class ServerStatus(IntEnum):
    """State of the connection to one server."""

    INVALID = 0
    ERROR = 1
    INITIAL = 2
    CONNECTING = 3
    BOOTSTRAPPING = 4
    BOOTSTRAPPED = 5
    REGISTERING = 6
    REGISTERED = 7
    REG_FAILURE = 8
    DEREGISTERING = 9
    DEREGISTERED = 10
    SUSPENDING = 11
    SUSPENDED = 12
    REREGISTERING = 13
    UPDATING = 14


class FirmwareResult(IntEnum):
    """Update Result, resource /5/0/5."""

    INITIAL = 0
    SUCCESS = 1
    NOT_ENOUGH_SPACE = 2
    OUT_OF_MEMORY = 3
    CONNECTION_LOST = 4
    INTEGRITY_FAILURE = 5
    UNSUPPORTED_PACKAGE_TYPE = 6
    INVALID_URI = 7
    FAILED = 8
    UNSUPPORTED_PROTOCOL = 9
    UPDATE_CANCELLED = 10
    DEFERRED = 11


class FirmwareInitial(IntEnum):
    """What the firmware update object starts from."""

    UPDATING = -3
    DOWNLOADED = -2
    DOWNLOADING = -1
    NEUTRAL = 0
    SUCCESS = 1
    INTEGRITY_FAILURE = 5
    FAILED = 8


class FirmwareSeverity(IntEnum):
    """Severity, resource /5/0/11."""

    CRITICAL = 0
    MANDATORY = 1
    OPTIONAL = 2


class LwM2MVersion(IntEnum):
    """Versions of the enabler."""

    V1_0 = 0
    V1_1 = 1
    V1_2 = 2


class SslVersion(IntEnum):
    """Lowest (D)TLS version to speak."""

    DEFAULT = 0
    TLS_1_0 = 4
    TLS_1_1 = 5
    TLS_1_2 = 6
    TLS_1_3 = 7


class AddressFamily(IntEnum):
    """Address families of sockets."""

    UNSPEC = 0
    INET4 = 1
    INET6 = 2


class QueueMode(IntEnum):
    """Preference for queue mode."""

    FORCE_QUEUE = 0
    PREFER_QUEUE = 1
    PREFER_ONLINE = 2
    FORCE_ONLINE = 3


class SocketTransport(IntEnum):
    """What a socket carries."""

    INVALID = -1
    UDP = 0
    TCP = 1
    SMS = 2
    NIDD = 3
