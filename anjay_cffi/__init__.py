# SPDX-License-Identifier: Apache-2.0
"""The Anjay LwM2M client for Python.

A program makes a ``Client``, adds a ``SecurityInstance`` and a ``ServerInstance`` for each server, registers
its objects and runs a loop. ``lib`` and ``ffi`` are the C API itself, for those who want it.
"""

from __future__ import annotations

from ._buildinfo import BuildInfo, build_info
from ._ffi import ffi, lib
from .client import Client
from .config import Configuration, DtlsHandshakeTimeouts, SocketOptions, UdpTxParams
from .enums import (
    AddressFamily,
    FirmwareInitial,
    FirmwareResult,
    FirmwareSeverity,
    LwM2MVersion,
    QueueMode,
    SecurityMode,
    ServerStatus,
    SocketTransport,
    SslVersion,
)
from .errors import *  # noqa: F403 (errors.__all__)
from .errors import __all__ as _errors
from .fw_update import FirmwareHandler, FirmwareState, FirmwareUpdate
from .instances import Instances
from .jobs import Job
from .log import attach as _attach
from .objects import (
    ExecuteArgs,
    Object,
    ObjectLink,
    Unsigned,
    execute,
    resource,
    stores,
    validates,
)
from .security import SecurityInstance
from .send import Sample, Sending
from .server import ServerInstance

__version__ = "0.1.0"

__all__ = [
    "AddressFamily",
    "BuildInfo",
    "Client",
    "Configuration",
    "DtlsHandshakeTimeouts",
    "ExecuteArgs",
    "FirmwareHandler",
    "FirmwareInitial",
    "FirmwareResult",
    "FirmwareSeverity",
    "FirmwareState",
    "FirmwareUpdate",
    "Instances",
    "Job",
    "LwM2MVersion",
    "Object",
    "ObjectLink",
    "QueueMode",
    "Sample",
    "SecurityInstance",
    "SecurityMode",
    "Sending",
    "ServerInstance",
    "ServerStatus",
    "SocketOptions",
    "SocketTransport",
    "SslVersion",
    "UdpTxParams",
    "Unsigned",
    "build_info",
    "execute",
    "ffi",
    "lib",
    "resource",
    "stores",
    "validates",
]
__all__ += _errors

_attach()
