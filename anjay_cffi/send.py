# SPDX-License-Identifier: Apache-2.0
"""Send (LwM2M 1.1): values that a server gets without having asked for them."""

from __future__ import annotations

import concurrent.futures
import math
import re
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ._buildinfo import require
from ._checks import check_id, check_type
from ._ffi import CData, ffi, lib
from ._trampolines import never, raise_pending, trampoline
from .errors import (
    ConfigurationError,
    NativeError,
    SendAborted,
    SendDropped,
    SendError,
    SendMuted,
    SendOffline,
    SendTimeout,
)
from .io import ObjectLink, Unsigned

if TYPE_CHECKING:
    from .client import Client

Value = str | int | float | bool | bytes | bytearray | memoryview | datetime | ObjectLink
"""What a Sample may hold."""

_PATH = re.compile(r"/(\d{1,5})/(\d{1,5})/(\d{1,5})(?:/(\d{1,5}))?", re.ASCII)
_NO_RIID = 65535


@dataclass(frozen=True)
class Sample:
    """A value with its place and time; the data model is not asked whether it is there."""

    path: str
    """A resource or an instance of one: ``/3303/0/5700``, ``/3303/0/5700/1``."""
    value: Value
    """An int beyond 64 bits with sign, or an Unsigned, goes out as unsigned; a datetime in whole seconds."""
    at: datetime | float | None = None
    """When it was, as datetime or seconds since 1970; None: when it is given to ``client.send()``."""


class Sending(concurrent.futures.Future[None]):
    """A Send on its way. ``result()`` waits in a thread, ``await`` in asyncio; both raise what went wrong.

    From the thread that drives the client never ``result()`` before it is ``done()``. It cannot be cancelled.
    """

    def __init__(self, ssid: int) -> None:
        super().__init__()
        self.ssid = ssid
        """The server that it goes to."""
        self._client: Client | None = None
        self.set_running_or_notify_cancel()

    def __await__(self) -> Generator[Any, None, None]:
        import asyncio  # here, so that programs without it need not load it

        return asyncio.wrap_future(self).__await__()

    def _end(self, result: int) -> None:
        """The library says how it ended. Callbacks of the program run here."""
        client, self._client = self._client, None
        if client is not None:
            client._sendings.pop(self, None)
        if self.done():
            return
        error = error_of(result, self.ssid)
        if error is None:
            self.set_result(None)
        else:
            self.set_exception(error)


def error_of(result: int, ssid: int) -> SendError | None:
    """The exception for what a finished handler gets."""
    if result == lib.ANJAY_SEND_SUCCESS:
        return None
    if result == lib.ANJAY_SEND_TIMEOUT:
        return SendTimeout(f"server {ssid} did not answer")
    if result == lib.ANJAY_SEND_ABORT:
        return SendAborted(f"the connection to server {ssid} was closed before it answered")
    if result == lib.ANJAY_SEND_DEFERRED_ERROR:
        return SendDropped(f"server {ssid} is gone or wants no Send any more")
    code = -result
    return SendError(f"server {ssid} answered {code >> 5}.{code & 31:02}", code=code)


def refusal_of(result: int, ssid: int) -> Exception:
    """The exception for what anjay_send() returned."""
    if result == lib.ANJAY_SEND_ERR_MUTED:
        return SendMuted(f"server {ssid} wants no Send: its Mute Send is set")
    if result == lib.ANJAY_SEND_ERR_OFFLINE:
        return SendOffline(f"there is no registration with server {ssid} now")
    if result == lib.ANJAY_SEND_ERR_BOOTSTRAP:
        return SendOffline("a bootstrap is under way")
    if result == lib.ANJAY_SEND_ERR_SSID:
        return ConfigurationError(f"there is no server {ssid}")
    if result == lib.ANJAY_SEND_ERR_PROTOCOL:
        return SendError(f"server {ssid} knows LwM2M 1.0 only, which has no Send")
    return NativeError(result, "the values were not sent")


if hasattr(lib, "anjay_send"):

    @trampoline(error=None, code_of=never)
    def on_send_finished(_anjay: CData, _ssid: int, _batch: CData, result: int, data: CData) -> None:
        """A request is over."""
        ffi.from_handle(data)._end(result)


def parse(path: str, what: str = "resource") -> tuple[int, int, int, int]:
    """The ids of a path; the last is 65535 if it has three."""
    found = _PATH.fullmatch(path)
    ids = tuple(_NO_RIID if part is None else int(part) for part in found.groups()) if found else ()
    if not ids or any(i >= _NO_RIID for i in ids[:3]) or (found and found[4] and ids[3] >= _NO_RIID):
        raise ConfigurationError(f"{path!r} is no path of a {what}")
    return ids[0], ids[1], ids[2], ids[3]


def moment(at: datetime | float | None) -> CData:
    """A time as avs_time_real_t."""
    seconds = time.time() if at is None else at.timestamp() if isinstance(at, datetime) else at
    if not math.isfinite(seconds) or abs(seconds) > 1e11:
        raise ConfigurationError(f"{at!r} is no time")
    whole = math.floor(seconds)
    nanoseconds = min(int((seconds - whole) * 1e9), 999_999_999)
    since_epoch = {"seconds": whole, "nanoseconds": nanoseconds}
    return ffi.new("avs_time_real_t *", {"since_real_epoch": since_epoch})[0]


def _adder(value: Value) -> tuple[str, tuple[Any, ...]]:
    """The function that adds a value, and what it gets after path and time."""
    if isinstance(value, bool):
        return "bool", (value,)
    if isinstance(value, ObjectLink):
        return "objlnk", (value.oid, value.iid)
    if isinstance(value, datetime):
        return "int", (int(value.timestamp()),)
    if isinstance(value, int):
        unsigned = isinstance(value, Unsigned) or value >= 1 << 63
        if not (0 <= value < 1 << 64 if unsigned else value >= -(1 << 63)):
            raise ConfigurationError(f"{value} has more than 64 bits")
        return "uint" if unsigned else "int", (int(value),)
    if isinstance(value, float):
        return "double", (value,)
    if isinstance(value, str):
        if "\0" in value:
            raise ConfigurationError("a string with a NUL character cannot be sent")
        return "string", (value.encode(),)
    if isinstance(value, (bytes, bytearray, memoryview)):
        data = bytes(value)
        return "bytes", (data, len(data))
    raise TypeError(f"{type(value).__name__} cannot be sent")


def _batch(client: Client, values: Iterable[str | Sample], ignore_missing: bool) -> CData:
    """The values as a batch, to be released. Those of the data model are read now."""
    builder = ffi.new("anjay_send_batch_builder_t **", lib.anjay_send_batch_builder_new())
    if builder[0] == ffi.NULL:
        raise MemoryError
    try:
        paths: list[tuple[int, int, int]] = []
        for value in values:
            check_type(value, (str, Sample), "what is to be sent")
            if isinstance(value, str):
                *path, riid = parse(value)
                if riid != _NO_RIID:
                    raise ConfigurationError(f"{value!r}: of current values only whole resources can be sent")
                paths.append((path[0], path[1], path[2]))
                continue
            _add_current(client, builder[0], paths, ignore_missing)
            paths = []
            kind, arguments = _adder(value.value)
            add = getattr(lib, f"anjay_send_batch_add_{kind}")
            if add(builder[0], *parse(value.path), moment(value.at), *arguments):
                raise NativeError(-1, f"{value.path} was not added")
        _add_current(client, builder[0], paths, ignore_missing)
        batch = lib.anjay_send_batch_builder_compile(builder)
        if batch == ffi.NULL:
            raise MemoryError
        return batch
    finally:
        lib.anjay_send_batch_builder_cleanup(builder)


def _add_current(
    client: Client, builder: CData, paths: list[tuple[int, int, int]], ignore_missing: bool
) -> None:
    if not paths:
        return
    add: Callable[..., int] = (
        lib.anjay_send_batch_data_add_current_multiple_ignore_not_found
        if ignore_missing
        else lib.anjay_send_batch_data_add_current_multiple
    )
    result = add(builder, client._anjay, ffi.new("anjay_send_resource_path_t[]", paths), len(paths))
    raise_pending()
    if result:
        shown = ", ".join("/" + "/".join(map(str, path)) for path in paths)
        raise NativeError(result, f"a value of {shown} cannot be read")


def _only_server(client: Client) -> int:
    ssids = client.server.ssids
    if len(ssids) != 1:
        raise ConfigurationError(f"there are {len(ssids)} servers: say which by ssid")
    return int(ssids[0])


def send(
    client: Client,
    values: str | Sample | Iterable[str | Sample],
    ssid: int | None,
    deferrable: bool,
    ignore_missing: bool,
) -> Sending:
    """What ``client.send()`` does."""
    client._anjay  # noqa: B018 (raises ClosedError)
    require("ANJAY_WITH_SEND")
    sending = Sending(_only_server(client) if ssid is None else check_id(ssid, "ssid"))
    batch = _batch(client, (values,) if isinstance(values, (str, Sample)) else values, ignore_missing)
    function = lib.anjay_send_deferrable if deferrable else lib.anjay_send
    try:
        anjay = client._anjay
        handle = client._sendings[sending] = ffi.new_handle(sending)
        sending._client = client
        result = function(anjay, sending.ssid, batch, lib.anjay_cffi_on_send_finished, handle)
    finally:
        anjay = None
        lib.anjay_send_batch_release(ffi.new("anjay_send_batch_t **", batch))
    if result != lib.ANJAY_SEND_OK:
        client._sendings.pop(sending, None)
        raise refusal_of(result, sending.ssid)
    client._check(0, "")
    return sending
