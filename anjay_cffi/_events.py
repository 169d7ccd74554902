# SPDX-License-Identifier: Apache-2.0
"""What the library tells about connections, handed to Python callbacks. Does not refer to the client."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ._buildinfo import require
from ._ffi import CData, lib
from .config import Configuration, Path
from .enums import ServerStatus

logger = logging.getLogger("anjay_cffi")

_ON_ITS_WAY = {ServerStatus.REGISTERING, ServerStatus.REREGISTERING, ServerStatus.UPDATING}


class Events:
    """The receiver of the callbacks of one client."""

    def __init__(self, config: Configuration) -> None:
        self._status: list[Callable[[int, ServerStatus], object]] = (
            [config.on_status] if config.on_status else []
        )
        self._communication_error = config.on_communication_error
        self._notification_status = config.on_notification_status
        self._lock = threading.RLock()  # a signal handler may call in the middle
        self._last: dict[int, int] = {}
        self._waiting: dict[int, dict[str, Callable[[int], object]]] = {}

    def connect(self, native: CData, handle: CData) -> None:
        """Put only those callbacks that someone can use into an anjay_configuration_t."""
        if hasattr(lib, "anjay_cffi_on_status"):
            native.server_connection_status_cb = lib.anjay_cffi_on_status
            native.server_connection_status_cb_arg = handle
        if self._communication_error is not None:
            native.server_communication_error_cb = lib.anjay_cffi_on_communication_error
            native.server_communication_error_cb_arg = handle
        if self._notification_status is not None:
            native.confirmable_notification_status_cb = lib.anjay_cffi_on_notification_status

    def add_status(self, callback: Callable[[int, ServerStatus], object]) -> None:
        """Add one more receiver of status changes."""
        require("ANJAY_WITH_CONN_STATUS_API")
        self._status.append(callback)

    def after_exchange(
        self, ssid: int | None, key: str, function: Callable[[int], object]
    ) -> tuple[set[int], set[int]]:
        """Call ``function(ssid)``, once, when the Register or Update that is on its way to a server ends.

        Without an ssid for every such server; of those with the same ``key`` the last one only. Returns these
        servers, and the others that are known.
        """
        with self._lock:
            meant = self._last if ssid is None else {ssid}
            busy = {one for one in meant if self._last.get(one) in _ON_ITS_WAY}
            for one in busy:
                self._waiting.setdefault(one, {})[key] = function
            return busy, self._last.keys() - busy

    def status(self, ssid: int, status: int) -> None:
        """A connection's state changed."""
        with self._lock:
            self._last[ssid] = status
            due = {} if status in _ON_ITS_WAY else self._waiting.pop(ssid, {})
        for function in due.values():
            function(ssid)
        if self._status:
            known = ServerStatus(status)
            for callback in tuple(self._status):
                try:
                    callback(ssid, known)
                except Exception as exc:  # the others are told all the same
                    logger.error("on_status: %s", type(exc).__name__, exc_info=exc)

    def communication_error(self, ssid: int, code: int) -> None:
        """A server refused Register or Update."""
        if self._communication_error is not None:
            self._communication_error(ssid, code)

    def notification_status(self, ssid: int, paths: list[Path], delivered: bool) -> None:
        """A confirmable notification was acknowledged, or given up."""
        if self._notification_status is not None:
            self._notification_status(ssid, paths, delivered)
