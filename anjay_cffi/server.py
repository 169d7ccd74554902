# SPDX-License-Identifier: Apache-2.0
"""The Server object /1: how to behave towards each server."""

from __future__ import annotations

from dataclasses import dataclass

from ._buildinfo import has, require
from ._builtin import BuiltIn
from ._checks import check_id, check_type
from ._ffi import CData, ffi, lib
from .errors import ConfigurationError

_OPTIONAL = {
    "initial_registration_delay": ("initial_registration_delay_timer", "uint32_t *"),
    "bootstrap_on_registration_failure": ("bootstrap_on_registration_failure", "bool *"),
    "communication_retry_count": ("communication_retry_count", "uint32_t *"),
    "communication_retry_timer": ("communication_retry_timer", "uint32_t *"),
    "communication_sequence_retry_count": ("communication_sequence_retry_count", "uint32_t *"),
    "communication_sequence_delay_timer": ("communication_sequence_delay_timer", "uint32_t *"),
}

_NUMBERS = ("ssid", "lifetime", "default_min_period", "default_max_period", "disable_timeout")
_OPTIONAL_NUMBERS = [name for name in _OPTIONAL if name != "bootstrap_on_registration_failure"]


@dataclass(frozen=True, kw_only=True)
class ServerInstance:
    """One server's settings. Times are whole seconds; -1 and None mean: not set."""

    ssid: int
    lifetime: int = 86400
    default_min_period: int = -1
    default_max_period: int = -1
    disable_timeout: int = -1
    binding: str = "U"
    notification_storing: bool = False
    initial_registration_delay: int | None = None
    bootstrap_on_registration_failure: bool | None = None
    preferred_transport: str | None = None
    """One letter of ``binding``."""
    mute_send: bool = False
    communication_retry_count: int | None = None
    communication_retry_timer: int | None = None
    communication_sequence_retry_count: int | None = None
    communication_sequence_delay_timer: int | None = None

    def __post_init__(self) -> None:
        check_type(self.binding, str, "binding")
        for name in _NUMBERS:
            check_type(getattr(self, name), int, name)
            if not -(2**31) <= getattr(self, name) < 2**31:
                raise ConfigurationError(f"{name} is {getattr(self, name)}, more than 32 bits")
        for name in _OPTIONAL_NUMBERS:
            value = getattr(self, name)
            if value is not None:
                check_type(value, int, name)
                if not 0 <= value < 2**32:
                    raise ConfigurationError(f"{name} is {value}, must be 0 to {2**32 - 1}")
        if self.preferred_transport is not None:
            check_type(self.preferred_transport, str, "preferred_transport")
        if not 1 <= self.ssid <= 65534:
            raise ConfigurationError(f"ssid is {self.ssid}, must be 1 to 65534")
        if not 0 <= self.lifetime < 2**31:
            raise ConfigurationError(f"lifetime is {self.lifetime}, must be 0 (endless) or more seconds")
        if not self.binding.isascii() or not lib.anjay_binding_mode_valid(self.binding.encode()):
            raise ConfigurationError(f"binding {self.binding!r} is not one of LwM2M's, such as 'U' or 'UQ'")
        if self.preferred_transport is not None and len(self.preferred_transport) != 1:
            raise ConfigurationError("preferred_transport is one letter")

    def native(self) -> tuple[CData, list[CData]]:
        """An anjay_server_instance_t, and what must live until it has been added."""
        keep: list[CData] = [ffi.new("char[]", self.binding.encode())]
        out = ffi.new("anjay_server_instance_t *", {"binding": keep[0]})
        for name in (
            "ssid",
            "lifetime",
            "default_min_period",
            "default_max_period",
            "disable_timeout",
        ):
            setattr(out, name, getattr(self, name))
        out.notification_storing = bool(self.notification_storing)
        newer = self.mute_send or self.preferred_transport is not None
        if not has("ANJAY_WITH_LWM2M11"):
            if newer or any(getattr(self, name) is not None for name in _OPTIONAL):
                require("ANJAY_WITH_LWM2M11")
            return out, keep
        if self.initial_registration_delay is not None:
            require("ANJAY_SINCE_3_14")
        out.mute_send = bool(self.mute_send)
        out.preferred_transport = (self.preferred_transport or "\0").encode()
        for name, (field, kind) in _OPTIONAL.items():
            value = getattr(self, name)
            if value is not None:
                keep.append(ffi.new(kind, value))
                setattr(out, field, keep[-1])
        return out, keep


class ServerObject(BuiltIn[ServerInstance]):
    """``client.server``: installed at the first use."""

    _name = "server"
    _kind = ServerInstance

    def set_lifetime(self, iid: int, seconds: int) -> None:
        """Change the registration lifetime; an Update tells the server at once."""
        check_id(iid, "iid")
        check_type(seconds, int, "lifetime")
        if not 0 <= seconds < 2**31:
            raise ConfigurationError(f"lifetime is {seconds}, must be 0 (endless) or more seconds")
        self.install()
        result = self._call("set_lifetime", iid, seconds)
        self._client._check(result, f"the lifetime of /1/{iid} was not changed")

    @property
    def ssids(self) -> list[int]:
        """Short Server IDs of all instances."""
        if not self._installed:
            return []
        capacity = 8
        while True:
            out = ffi.new("anjay_ssid_t[]", capacity)
            count = lib.anjay_cffi_server_ssids(self._client._loop, self._client._anjay, out, capacity)
            if count <= capacity:
                return list(out[0:count])
            capacity = count
