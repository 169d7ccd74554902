# SPDX-License-Identifier: Apache-2.0
"""OMA TLV. The format carries no types: values are read as bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from .errors import PayloadError

INSTANCE, RESOURCE_INSTANCE, MULTIPLE, RESOURCE = range(4)


def _entries(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at < len(data):
        head = data[at]
        id_size, length_size = 1 + (head >> 5 & 1), head >> 3 & 3
        value_at = at + 1 + id_size + length_size
        if value_at > len(data):
            raise PayloadError("TLV ends within a header")
        ident = int.from_bytes(data[at + 1 : at + 1 + id_size], "big")
        length = int.from_bytes(data[value_at - length_size : value_at], "big") if length_size else head & 7
        if value_at + length > len(data):
            raise PayloadError("TLV ends within a value")
        yield head >> 6, ident, data[value_at : value_at + length]
        at = value_at + length


def decode(data: bytes, path: str) -> Iterator[tuple[str, bytes]]:
    """Full paths and values of an answer to a read of ``path``."""
    depth = path.strip("/").count("/") + 1
    parent = path
    if depth >= 3:  # entries start at resource level; a resource instance is wrapped in its resource
        parent = "/" + "/".join(path.strip("/").split("/")[:2])
    for kind, ident, value in _entries(data):
        if kind == INSTANCE:
            at = f"{'/' + path.strip('/').split('/')[0]}/{ident}"
            yield from decode(value, at)
        elif kind == MULTIPLE:
            for _, inner, single in _entries(value):
                yield f"{parent}/{ident}/{inner}", single
        elif kind == RESOURCE:
            yield f"{parent}/{ident}", value
        else:
            yield f"{path}/{ident}", value


def _raw(value: Any) -> bytes:
    if isinstance(value, datetime):
        value = int(value.timestamp())
    if isinstance(value, bool):
        return bytes([value])
    if isinstance(value, int):
        for size in (1, 2, 4, 8):
            if -(1 << 8 * size - 1) <= value < 1 << 8 * size - 1:
                return value.to_bytes(size, "big", signed=True)
        return value.to_bytes(8, "big")
    if isinstance(value, float):
        return struct.pack("!d", value)
    if isinstance(value, bytes):
        return value
    if hasattr(value, "oid"):
        return struct.pack("!HH", value.oid, value.iid)
    return str(value).encode()


def entry(kind: int, ident: int, value: bytes) -> bytes:
    """One TLV."""
    size = len(value)
    length_size = 0 if size < 8 else (size.bit_length() + 7) // 8
    if length_size > 3 or not 0 <= ident <= 65535:
        raise PayloadError("too long for TLV")
    wide = ident > 255
    head = kind << 6 | wide << 5 | length_size << 3 | (size if length_size == 0 else 0)
    length = size.to_bytes(length_size, "big") if length_size else b""
    return bytes([head]) + ident.to_bytes(1 + wide, "big") + length + value


def _resource(rid: int, value: Any) -> bytes:
    if isinstance(value, Mapping):
        inner = b"".join(entry(RESOURCE_INSTANCE, int(riid), _raw(one)) for riid, one in value.items())
        return entry(MULTIPLE, rid, inner)
    return entry(RESOURCE, rid, _raw(value))


def encode(values: Any, depth: int, path: str) -> bytes:
    """Payload of a write to ``path``, which has ``depth`` ids; see ``values.encode``."""
    if depth == 4:
        *_, rid, riid = path.split("/")
        return entry(MULTIPLE, int(rid), entry(RESOURCE_INSTANCE, int(riid), _raw(values)))
    if depth == 3:
        return _resource(int(path.rsplit("/", 1)[1]), values)
    if not isinstance(values, Mapping):
        raise PayloadError("an instance is written as a mapping of resource ids to values")
    if depth == 2:
        return b"".join(_resource(int(rid), value) for rid, value in values.items())
    parts = (
        entry(INSTANCE, int(iid), b"".join(_resource(int(rid), value) for rid, value in resources.items()))
        for iid, resources in values.items()
    )
    return b"".join(parts)
