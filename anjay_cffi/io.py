# SPDX-License-Identifier: Apache-2.0
"""Values of resources: from Python to the library and back, a codec for each type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, NamedTuple

from ._ffi import CData, ffi, lib
from .errors import BadRequest, CoapError

CHUNK = 1024
"""Bytes of text or data that one call of the library fetches."""


class ObjectLink(NamedTuple):
    """A link to an Object Instance; 65535 in either place stands for none."""

    oid: int
    iid: int


class Unsigned(int):
    """An unsigned integer of up to 64 bits, as a resource type."""


class ExecuteArgs(dict[int, "str | None"]):
    """Arguments of an Execute: number (0 to 9) to text, None for one without a value."""


class Elements(dict[int, Any]):
    """The values of a multiple-instance resource by Resource Instance ID: a dict that cannot be changed.

    A change in place would reach no observer; assign another dict.
    """

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> Any:
        raise TypeError("the values cannot be changed in place: assign a new dict to the resource")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


_anjay_ret_string, _anjay_ret_i64 = lib.anjay_ret_string, lib.anjay_ret_i64


def _ret_str(ctx: CData, value: str) -> int:
    if "\0" in value:
        raise ValueError("a string with a NUL character cannot be sent")
    result: int = _anjay_ret_string(ctx, value.encode())
    return result


def _ret_bytes(ctx: CData, value: bytes) -> int:
    return int(lib.anjay_ret_bytes(ctx, ffi.from_buffer(value), len(value)))


def _ret_time(ctx: CData, value: datetime) -> int:
    result: int = _anjay_ret_i64(ctx, int(value.timestamp()))
    return result


def _ret_link(ctx: CData, value: ObjectLink) -> int:
    return int(lib.anjay_ret_objlnk(ctx, value[0], value[1]))


def _checked(result: int) -> None:
    """Raise what a failed anjay_get_*() says; the library has chosen the code."""
    if result:
        raise CoapError(-result) if result <= -128 else BadRequest("the value cannot be read")


def _get_str(ctx: CData) -> str:
    buffer = ffi.new("char[]", CHUNK)
    parts = []
    while True:
        result = lib.anjay_get_string(ctx, buffer, CHUNK)
        if result != lib.ANJAY_BUFFER_TOO_SHORT:
            _checked(result)
        parts.append(ffi.string(buffer))
        if not result:
            return b"".join(parts).decode()


def _get_bytes(ctx: CData) -> bytes:
    buffer, size, finished = ffi.new("char[]", CHUNK), ffi.new("size_t *"), ffi.new("bool *")
    out = bytearray()
    while not finished[0]:
        _checked(lib.anjay_get_bytes(ctx, size, finished, buffer, CHUNK))
        out += ffi.buffer(buffer, size[0])
    return bytes(out)


def _getter(kind: str, function: str) -> Callable[[CData], Any]:
    pointer, get = ffi.typeof(f"{kind} *"), getattr(lib, function)

    def fetch(ctx: CData) -> Any:
        out = ffi.new(pointer)
        _checked(get(ctx, out))
        return out[0]

    return fetch


_get_int = _getter("int64_t", "anjay_get_i64")


def _get_time(ctx: CData) -> datetime:
    try:
        return datetime.fromtimestamp(_get_int(ctx), timezone.utc)
    except (OverflowError, OSError) as exc:
        raise BadRequest(str(exc)) from None


def _get_link(ctx: CData) -> ObjectLink:
    oid, iid = ffi.new("anjay_oid_t *"), ffi.new("anjay_iid_t *")
    _checked(lib.anjay_get_objlnk(ctx, oid, iid))
    return ObjectLink(oid[0], iid[0])


def get_execute_args(ctx: CData) -> ExecuteArgs:
    """All arguments of an Execute; BadRequest if they do not follow the syntax, or one comes twice."""
    args = ExecuteArgs()
    number, has_value = ffi.new("int *"), ffi.new("bool *")
    while True:
        result = lib.anjay_execute_get_next_arg(ctx, number, has_value)
        if result == lib.ANJAY_EXECUTE_GET_ARG_END:
            return args
        _checked(result)
        if number[0] in args:
            raise BadRequest(f"argument {number[0]} comes twice")
        args[number[0]] = _get_arg_value(ctx) if has_value[0] else None


def _get_arg_value(ctx: CData) -> str:
    buffer, parts = ffi.new("char[]", CHUNK), []
    while True:
        result = lib.anjay_execute_get_arg_value(ctx, ffi.NULL, buffer, CHUNK)
        if result != lib.ANJAY_BUFFER_TOO_SHORT:
            _checked(result)
        parts.append(ffi.string(buffer))
        if not result:
            return b"".join(parts).decode()


def _nothing(_value: Any) -> str | None:
    return None


def _text_problem(value: str) -> str | None:
    if "\0" in value:
        return "a string with a NUL character cannot be sent"
    try:
        value.encode()
    except UnicodeEncodeError as exc:
        return exc.reason
    return None


def _within(low: int, high: int) -> Callable[[int], str | None]:
    return lambda value: None if low <= value <= high else f"must be {low} to {high}"


def _time_problem(value: datetime) -> str | None:
    try:
        value.timestamp()
    except (OverflowError, OSError, ValueError) as exc:
        return str(exc)
    return None


def _link_problem(value: Any) -> str | None:
    fits = len(value) == 2 and all(isinstance(part, int) and 0 <= part <= 65535 for part in value)
    return None if fits else "must be two numbers from 0 to 65535"


@dataclass(frozen=True)
class Codec:
    """How values of a type travel. ``accepts``: classes that the program may assign."""

    put: Callable[[CData, Any], int]
    get: Callable[[CData], Any]
    accepts: tuple[type, ...]
    problem: Callable[[Any], str | None] = _nothing
    """What is wrong with a value of these classes, None if nothing is."""


CODECS: dict[type, Codec] = {
    str: Codec(_ret_str, _get_str, (str,), _text_problem),
    bytes: Codec(_ret_bytes, _get_bytes, (bytes, bytearray, memoryview)),
    bool: Codec(lib.anjay_ret_bool, _getter("bool", "anjay_get_bool"), (bool,)),
    int: Codec(lib.anjay_ret_i64, _get_int, (int,), _within(-(2**63), 2**63 - 1)),
    float: Codec(lib.anjay_ret_double, _getter("double", "anjay_get_double"), (float, int)),
    datetime: Codec(_ret_time, _get_time, (datetime,), _time_problem),
    ObjectLink: Codec(_ret_link, _get_link, (tuple,), _link_problem),
}
if hasattr(lib, "anjay_ret_u64"):
    CODECS[Unsigned] = Codec(
        lib.anjay_ret_u64, _getter("uint64_t", "anjay_get_u64"), (int,), _within(0, 2**64 - 1)
    )
