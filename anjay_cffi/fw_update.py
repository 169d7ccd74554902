# SPDX-License-Identifier: Apache-2.0
"""The Firmware Update object /5."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from . import _fw_trampolines as trampolines
from ._buildinfo import has, require
from ._checks import check_function, check_type
from ._ffi import NULL, CData, ffi, lib
from ._trampolines import raise_pending
from .config import duration
from .enums import FirmwareInitial, FirmwareResult, FirmwareSeverity
from .errors import AnjayError, ConfigurationError

if TYPE_CHECKING:
    from .client import Client

LARGEST_WRITE = 64 << 20
"""Bytes that stream_write may ask for at a time."""


class FirmwareHandler(Protocol):
    """What a program does with firmware.

    Any object with these methods will do. It may also have ``get_name()`` and ``get_version()`` (str or
    None), ``get_security_config(uri)`` (a SecurityInstance, for downloads), ``get_coap_tx_params(uri)``
    (UdpTxParams) and ``get_tcp_request_timeout(uri)`` (seconds). Raising a FirmwareError sets the Update
    Result that it stands for; an OSError that says that the disk is full is NotEnoughSpace, and a MemoryError
    OutOfMemory. Anything else becomes Update Result 2 from stream_write and stream_finish, as the library has
    it, and 8 from perform_upgrade. An error of stream_open refuses the package and changes no result
    (with a ``write_size`` it does).
    """

    def stream_open(self, uri: str | None, etag: bytes | None) -> None:
        """A transfer begins; ``uri`` is None when the server pushes."""

    def stream_write(self, data: memoryview) -> None:
        """The next bytes; the view is released when this returns."""

    def stream_finish(self) -> None:
        """All bytes are there: check them."""

    def reset(self) -> None:
        """Throw away what there is; also called when nothing was opened."""

    def perform_upgrade(self) -> None:
        """Start the new firmware. The client reports failure if this raises."""


@dataclass(frozen=True, kw_only=True)
class FirmwareState:
    """What the object starts from, after a restart in particular."""

    result: FirmwareInitial = FirmwareInitial.NEUTRAL
    persisted_uri: str | None = None
    resume_offset: int = 0
    """Bytes of an interrupted download that are there already."""
    resume_etag: bytes | None = None
    prefer_same_socket_downloads: bool = False
    use_lwm2m_send: bool = False
    """Report State and Update Result with Send; needs ANJAY_WITH_SEND."""
    severity: FirmwareSeverity = FirmwareSeverity.MANDATORY
    last_state_change: datetime | None = None
    deadline: datetime | None = None

    def __post_init__(self) -> None:
        if self.resume_offset < 0:
            raise ConfigurationError(f"resume_offset is {self.resume_offset}")
        if self.resume_etag is not None and not 1 <= len(self.resume_etag) <= 255:
            raise ConfigurationError("resume_etag must have 1 to 255 bytes")

    def native(self) -> tuple[CData, list[CData]]:
        """An anjay_fw_update_initial_state_t, and what must live until it has been used."""
        keep: list[CData] = []
        out = ffi.new("anjay_fw_update_initial_state_t *")
        out.result = int(self.result)
        out.resume_offset = self.resume_offset
        out.prefer_same_socket_downloads = self.prefer_same_socket_downloads
        if self.persisted_uri is not None:
            keep.append(ffi.new("char[]", self.persisted_uri.encode()))
            out.persisted_uri = keep[-1]
        if self.resume_etag is not None:
            keep.append(ffi.new("char[]", bytes([len(self.resume_etag)]) + self.resume_etag))
            out.resume_etag = ffi.cast("struct anjay_etag *", keep[-1])
        if has("ANJAY_WITH_SEND"):
            out.use_lwm2m_send = self.use_lwm2m_send
        elif self.use_lwm2m_send:
            require("ANJAY_WITH_SEND")
        if has("ANJAY_WITH_MODULE_FW_UPDATE_V11_RESOURCES"):
            out.persisted_severity = int(self.severity)
            out.persisted_last_state_change_time = _time(self.last_state_change)
            out.persisted_update_deadline = _time(self.deadline)
        elif (self.severity, self.last_state_change, self.deadline) != (
            FirmwareSeverity.MANDATORY,
            None,
            None,
        ):
            require("ANJAY_WITH_MODULE_FW_UPDATE_V11_RESOURCES")
        return out, keep


def _time(moment: datetime | None) -> CData:
    if moment is None:
        return lib.AVS_TIME_REAL_INVALID
    return {"since_real_epoch": duration(moment.timestamp())}


def _in_pieces(table: CData, handle: CData, size: int) -> CData:
    created = lib.anjay_cffi_pieces_new(table, handle, size)
    if created == NULL:
        raise MemoryError("no memory for the firmware handler")
    return ffi.gc(created, lib.anjay_cffi_pieces_delete)


class FirmwareUpdate:
    """``client.firmware_update``."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._installed = False

    def install(
        self, handler: FirmwareHandler, initial: FirmwareState | None = None, *, write_size: int = 0
    ) -> None:
        """Install the object with a handler; only the methods that it has are handed to the library.

        With a ``write_size`` (bytes, at most 64 MiB) stream_write gets exactly so many at a time, a page of a
        flash memory for example, and the rest at the end; with 0 it gets the bytes as they arrive, usually
        the 1024 of a block. A large one takes less time, and that much memory while a package arrives.
        An error of stream_open then becomes an Update Result, too; one of stream_write answers the block that
        completes the piece, and one with the rest, like one of stream_finish, is an Update Result alone.
        """
        require("ANJAY_WITH_MODULE_FW_UPDATE")
        check_type(write_size, int, "write_size")
        if not 0 <= write_size <= LARGEST_WRITE:
            raise ConfigurationError(f"write_size is {write_size}, must be 0 to {LARGEST_WRITE}")
        self._client._anjay  # noqa: B018 (raises ClosedError)
        missing = [name for name in trampolines.REQUIRED if not callable(getattr(handler, name, None))]
        if missing:
            raise ConfigurationError(f"{type(handler).__name__} has no {', '.join(missing)}")
        adapter = trampolines.Adapter(handler)
        for name, method in adapter.call.items():
            check_function(method, f"{type(handler).__name__}.{name}()")
        handle = self._client._keep(ffi.new_handle(adapter))
        table, user = self._client._keep(adapter.table()), handle
        if write_size:
            user = self._client._keep(_in_pieces(table, handle, write_size))
            table = lib.anjay_cffi_pieces_handlers(user)
        state, keep = (initial or FirmwareState()).native()
        result = lib.anjay_fw_update_install(self._client._anjay, table, user, state)
        del keep
        self._client._check(result, "the Firmware Update object was not installed")
        self._installed = True

    def set_result(self, result: FirmwareResult) -> None:
        """Report the result of an upgrade that perform_upgrade() began without a restart."""
        self._need()
        if result > FirmwareResult.UNSUPPORTED_PROTOCOL:
            require("ANJAY_SINCE_3_13")
        native = lib.anjay_fw_update_set_result(self._client._anjay, int(result))
        self._client._check(native, f"the Update Result {result!r} does not fit the state")

    def pull_suspend(self) -> None:
        """Interrupt a download from a server of files."""
        self._need()
        require("ANJAY_WITH_DOWNLOADER")
        lib.anjay_fw_update_pull_suspend(self._client._anjay)
        raise_pending()

    def pull_reconnect(self) -> None:
        """Continue an interrupted download."""
        self._need()
        require("ANJAY_WITH_DOWNLOADER")
        result = lib.anjay_fw_update_pull_reconnect(self._client._anjay)
        self._client._check(result, "the download was not continued")

    def _need(self) -> None:
        self._client._anjay  # noqa: B018 (raises ClosedError)
        if not self._installed:
            raise AnjayError("firmware_update.install() comes first")
