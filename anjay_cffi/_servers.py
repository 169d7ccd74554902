# SPDX-License-Identifier: Apache-2.0
"""The part of Client that deals with servers: registration, connections, planned communication."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, cast

from ._buildinfo import require
from ._checks import check_id, check_type
from ._ffi import CData, ffi, lib
from .config import DtlsHandshakeTimeouts, UdpTxParams, duration
from .enums import QueueMode, ServerStatus
from .errors import ClosedError, NativeError
from .loop import call_in_loop

if TYPE_CHECKING:
    from ._events import Events
    from .client import Client
    from .jobs import Job
    from .server import ServerObject

_TRANSPORTS = {
    "all": "ANJAY_TRANSPORT_SET_ALL",
    "udp": "ANJAY_TRANSPORT_SET_UDP",
    "tcp": "ANJAY_TRANSPORT_SET_TCP",
}


def _moment(value: CData) -> datetime | None:
    """An avs_time_real_t as aware datetime in UTC; None if there is no such moment."""
    if not lib.avs_time_real_valid(value):
        return None
    since = value.since_real_epoch
    try:
        return datetime.fromtimestamp(since.seconds + since.nanoseconds * 1e-9, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return None


def _transport(name: str) -> CData:
    try:
        return getattr(lib, _TRANSPORTS[name])
    except (KeyError, TypeError):
        raise ValueError(f"transport is {name!r}, must be one of {', '.join(_TRANSPORTS)}") from None


class ServerControl:
    """Mixed into Client. ``ssid`` is a Short Server ID; where it may be left out, all servers are meant."""

    if TYPE_CHECKING:
        server: ServerObject
        _events: Events
        _loop: CData

        @property
        def _anjay(self) -> CData: ...

        def _check(self, result: int, what: str) -> None: ...

        def call_later(self, delay: float, function: Callable[..., object], *args: object) -> Job: ...

    def status(self, ssid: int) -> ServerStatus:
        """State of the connection to a server."""
        require("ANJAY_WITH_CONN_STATUS_API")
        return ServerStatus(lib.anjay_get_server_connection_status(self._anjay, _one(ssid)))

    @property
    def registered(self) -> bool:
        """True if there are servers and the client is registered with all of them."""
        states = [self.status(ssid) for ssid in self.server.ssids]
        good = (
            ServerStatus.REGISTERED,
            ServerStatus.UPDATING,
            ServerStatus.SUSPENDED,
            ServerStatus.SUSPENDING,
        )
        return bool(states) and all(state in good for state in states)

    @property
    def registering(self) -> bool:
        """True while a registration or bootstrap is going on."""
        return bool(lib.anjay_ongoing_registration_exists(self._anjay))

    @property
    def all_connections_failed(self) -> bool:
        """True if every connection failed and none is going to be tried again by itself."""
        return bool(lib.anjay_all_connections_failed(self._anjay))

    def register_again(self, ssid: int | None = None) -> None:
        """Send a new Register as soon as possible: after the answer to one, or to an Update, on its way."""
        self._between_exchanges(lib.anjay_schedule_register, ssid, "Register was not scheduled")

    def update_registration(self, ssid: int | None = None) -> None:
        """Send an Update as soon as possible: after the answer to a Register or Update that is on its way."""
        self._between_exchanges(lib.anjay_schedule_registration_update, ssid, "Update was not scheduled")

    def _between_exchanges(self, schedule: Callable[[CData, int], int], ssid: int | None, what: str) -> None:
        """Schedule it for when no Register or Update is on its way to the server, and no call is under way.

        The real library plans its next step at the end of an exchange, after it has told the new status, and
        that takes the place of what was scheduled before.
        """

        def call(one: int | None) -> None:
            self._check(schedule(self._anjay, _any(one)), what)

        def call_soon(one: int | None) -> None:
            if not lib.anjay_cffi_loop_is_working(self._loop):
                call(one)
            elif one is not None and one not in self.server.ssids:
                raise NativeError(-1, what)
            else:
                self.call_later(0.0, call, one)

        def call_late(one: int) -> None:
            with suppress(NativeError):  # the exchange failed: what follows is a Register, which says it all
                call(one)

        def exchange_ended(one: int) -> None:
            with suppress(ClosedError):
                self.call_later(0.0, call_late, one)

        self._anjay  # noqa: B018 (raises ClosedError)
        _any(ssid)
        busy, others = self._events.after_exchange(ssid, what, exchange_ended)
        if not busy:
            call_soon(ssid)
        elif ssid is None:
            for one in others:
                with suppress(NativeError):  # one that is not connected
                    call_soon(one)

    def request_bootstrap(self) -> None:
        """Ask the bootstrap server for a bootstrap as soon as possible."""
        require("ANJAY_WITH_LWM2M11")
        self._check(lib.anjay_schedule_bootstrap_request(self._anjay), "Bootstrap-Request was not scheduled")

    def disable_server(self, ssid: int, seconds: float | None = None) -> None:
        """De-register from a server, for its Disable Timeout or for ``seconds``."""
        if seconds is None:
            result = lib.anjay_disable_server(self._anjay, _one(ssid))
        else:
            result = lib.anjay_disable_server_with_timeout(self._anjay, _one(ssid), duration(seconds))
        self._check(result, f"server {ssid} was not disabled")

    def enable_server(self, ssid: int) -> None:
        """Register with a disabled server again."""
        self._check(lib.anjay_enable_server(self._anjay, _one(ssid)), f"server {ssid} was not enabled")

    def reconnect(self, ssid: int | None = None, *, transport: str = "all") -> None:
        """Close and open the connection to one server, or all connections of a transport (all, udp, tcp)."""
        if ssid is not None:
            result = self._in_loop(lib.anjay_server_schedule_reconnect, _one(ssid))
        else:
            result = self._in_loop(lib.anjay_transport_schedule_reconnect, _transport(transport))
        self._check(result, "the reconnection was not scheduled")

    def _in_loop(self, function: Callable[..., int], argument: object) -> int:
        """For what cuts connections: the loop's thread may be using them."""
        return call_in_loop(cast("Client", self), lambda: function(self._anjay, argument))

    def enter_offline(self, transport: str = "all") -> None:
        """Close the connections of a transport until exit_offline()."""
        result = self._in_loop(lib.anjay_transport_enter_offline, _transport(transport))
        self._check(result, "the client did not go offline")

    def exit_offline(self, transport: str = "all") -> None:
        """Connect again after enter_offline()."""
        result = self._in_loop(lib.anjay_transport_exit_offline, _transport(transport))
        self._check(result, "the client did not go online")

    def is_offline(self, transport: str = "all") -> bool:
        """True after enter_offline()."""
        return bool(lib.anjay_transport_is_offline(self._anjay, _transport(transport)))

    def prefer_queue_mode(self, preference: QueueMode) -> None:
        """Choose between queue mode and staying online, where the server leaves it open."""
        require("ANJAY_WITH_LWM2M11")
        result = lib.anjay_set_queue_mode_preference(self._anjay, QueueMode(preference))
        self._check(result, "the queue mode preference was not set")

    def registration_expires(self, ssid: int) -> datetime | None:
        """When the registration ends unless it is updated; None if there is none or it is endless."""
        state = ffi.new("anjay_registration_expiration_status_t *")
        return _moment(lib.anjay_registration_expiration_time_with_status(self._anjay, _one(ssid), state))

    def next_lifecycle_operation(self, ssid: int | None = None) -> datetime | None:
        """When the next Register, Update or the like is planned."""
        return _moment(lib.anjay_next_planned_lifecycle_operation(self._anjay, _any(ssid)))

    def next_notification(self, ssid: int | None = None) -> datetime | None:
        """When notifications are looked at next."""
        return _moment(lib.anjay_next_planned_notify_trigger(self._anjay, _any(ssid)))

    def has_unsent_notifications(self, ssid: int | None = None) -> bool:
        """True while notifications wait to be sent."""
        return bool(lib.anjay_has_unsent_notifications(self._anjay, _any(ssid)))

    def last_registration(self, ssid: int) -> datetime | None:
        """When the client registered last."""
        return self._time(lib_name="anjay_get_server_last_registration_time", ssid=ssid)

    def next_update(self, ssid: int) -> datetime | None:
        """When the next Update is planned."""
        return self._time(lib_name="anjay_get_server_next_update_time", ssid=ssid)

    def last_communication(self, ssid: int) -> datetime | None:
        """When the server was heard last."""
        return self._time(lib_name="anjay_get_server_last_communication_time", ssid=ssid)

    def _time(self, lib_name: str, ssid: int) -> datetime | None:
        self._anjay  # noqa: B018 (raises ClosedError)
        require("ANJAY_WITH_COMMUNICATION_TIMESTAMP_API")
        out = ffi.new("avs_time_real_t *")
        failed = lib.avs_is_err(getattr(lib, lib_name)(self._anjay, _one(ssid), out))
        return None if failed else _moment(out[0])

    def set_udp_tx_params(self, params: UdpTxParams) -> None:
        """Change the retransmission parameters of all connections over UDP."""
        check_type(params, UdpTxParams, "params")
        native = ffi.new("avs_coap_udp_tx_params_t *", params.native())
        self._check_error(
            lib.anjay_update_transport_tx_params(self._anjay, lib.ANJAY_TRANSPORT_SET_UDP, native),
            "the retransmission parameters were not changed",
        )

    def set_dtls_handshake_timeouts(self, limits: DtlsHandshakeTimeouts) -> None:
        """Change the handshake timeouts of connections to come."""
        check_type(limits, DtlsHandshakeTimeouts, "limits")
        native = {"min": duration(limits.min), "max": duration(limits.max)}
        self._check_error(
            lib.anjay_update_dtls_handshake_timeouts(self._anjay, native), "the timeouts were not changed"
        )

    def _check_error(self, error: Any, what: str) -> None:
        if lib.avs_is_err(error):
            raise NativeError(int(error.code), what)
        self._check(0, what)


def _any(ssid: int | None) -> int:
    return int(lib.ANJAY_SSID_ANY) if ssid is None else _one(ssid)


def _one(ssid: int) -> int:
    return check_id(ssid, "ssid")
