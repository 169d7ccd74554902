# SPDX-License-Identifier: Apache-2.0
"""What the Firmware Update object calls. ``user`` is the handle of an Adapter."""

from __future__ import annotations

from typing import Any

from ._ffi import NULL, CData, ffi, lib, text
from ._trampolines import firmware_result, never, trampoline
from .config import UdpTxParams, duration

REQUIRED = ("stream_open", "stream_write", "stream_finish", "reset", "perform_upgrade")
OPTIONAL = ("get_name", "get_version", "get_security_config", "get_coap_tx_params", "get_tcp_request_timeout")
FAILED = -8
"""Update Result 8 for an exception that says nothing about the firmware."""


_from_handle, _buffer, _memoryview = ffi.from_handle, ffi.buffer, memoryview


class Adapter:
    """Binds the methods of a handler once, and keeps what C reads after a call has returned."""

    def __init__(self, handler: Any) -> None:
        self.present = [name for name in (*REQUIRED, *OPTIONAL) if callable(getattr(handler, name, None))]
        self.call: dict[str, Any] = {name: getattr(handler, name) for name in self.present}
        self.stream_write = handler.stream_write
        self.kept: dict[str, Any] = {}

    def table(self) -> CData:
        """The handler table: NULL where the Python object has no method."""
        native = {name: getattr(lib, f"anjay_cffi_fw_{name}") for name in self.present}
        return ffi.new("anjay_fw_update_handlers_t *", native)

    def string(self, name: str) -> CData:
        """The result of get_name or get_version, which C reads until the loop goes on."""
        value = self.call[name]()
        if value is None:
            return NULL
        if "\0" in value:
            raise ValueError(f"{name}() has a NUL character")
        self.kept[name] = ffi.new("char[]", value.encode())
        return self.kept[name]


if hasattr(lib, "anjay_fw_update_install"):

    @trampoline(FAILED, firmware_result, "fw_stream_open")
    def stream_open(user: CData, uri: CData, etag: CData) -> int:
        """A transfer begins."""
        tag = None if etag == NULL else bytes(ffi.buffer(ffi.addressof(etag, "value"), etag.size))
        ffi.from_handle(user).call["stream_open"](text(uri), tag)
        return 0

    @trampoline(FAILED, firmware_result, "fw_stream_write")
    def stream_write(user: CData, data: CData, length: int) -> int:
        """A part of the package. The view dies with this call, because C reuses the memory."""
        view = _memoryview(_buffer(data, length)).toreadonly()
        try:
            _from_handle(user).stream_write(view)
        finally:
            view.release()
        return 0

    @trampoline(FAILED, firmware_result, "fw_stream_finish")
    def stream_finish(user: CData) -> int:
        """The package is complete."""
        ffi.from_handle(user).call["stream_finish"]()
        return 0

    @trampoline(None, never, "fw_reset")
    def reset(user: CData) -> None:
        """Back to the beginning; C ignores a failure."""
        ffi.from_handle(user).call["reset"]()

    @trampoline(NULL, never, "fw_get_name")
    def get_name(user: CData) -> CData:
        """Name of the downloaded package."""
        return ffi.from_handle(user).string("get_name")

    @trampoline(NULL, never, "fw_get_version")
    def get_version(user: CData) -> CData:
        """Version of the downloaded package."""
        return ffi.from_handle(user).string("get_version")

    @trampoline(FAILED, firmware_result, "fw_perform_upgrade")
    def perform_upgrade(user: CData) -> int:
        """Start the new firmware."""
        ffi.from_handle(user).call["perform_upgrade"]()
        return 0

    @trampoline(FAILED, firmware_result, "fw_get_security_config")
    def get_security_config(user: CData, out: CData, uri: CData) -> int:
        """Keys for a download; C reads them until reset or the next turn of the loop."""
        adapter = ffi.from_handle(user)
        instance = adapter.call["get_security_config"](text(uri))
        adapter.kept["security"] = instance.fill_security_config(out)
        return 0

    @trampoline(UdpTxParams().native(), never, "fw_get_coap_tx_params")
    def get_coap_tx_params(user: CData, uri: CData) -> Any:
        """Retransmission parameters for a download."""
        return ffi.new(
            "avs_coap_udp_tx_params_t *", ffi.from_handle(user).call["get_coap_tx_params"](text(uri)).native()
        )[0]

    @trampoline(duration(30.0), never, "fw_get_tcp_request_timeout")
    def get_tcp_request_timeout(user: CData, uri: CData) -> Any:
        """Longest silence of a download over TCP, in seconds."""
        return duration(ffi.from_handle(user).call["get_tcp_request_timeout"](text(uri)))
