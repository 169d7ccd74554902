# SPDX-License-Identifier: Apache-2.0
"""LwM2M values to and from payloads: Plain Text, Opaque, CBOR, SenML, TLV, Link Format."""

from __future__ import annotations

import base64
import json
import math
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, cast

import cbor2

from . import tlv
from .errors import PayloadError

TEXT, LINK, OPAQUE, CBOR, SENML_JSON, SENML_CBOR, TLV, JSON_1_0 = 0, 40, 42, 60, 110, 112, 11542, 11543
FORMATS = {
    "text": TEXT,
    "link": LINK,
    "opaque": OPAQUE,
    "cbor": CBOR,
    "senml-json": SENML_JSON,
    "senml-cbor": SENML_CBOR,
    "tlv": TLV,
}
_BASE_NAME, _NAME, _VALUE, _STRING, _BOOL, _DATA = -2, 0, 2, 3, 4, 8
_CBOR_KEYS = (_BASE_NAME, _NAME, _VALUE, _STRING, _BOOL, _DATA)
_BASE_TIME, _TIME = -3, 6
_ABSOLUTE_FROM = 1 << 28
"""SenML times below are relative to now (RFC 8428, section 4.5.3)."""


@dataclass(frozen=True)
class ObjectLink:
    """A reference to an Object Instance."""

    oid: int
    iid: int

    def __str__(self) -> str:
        return f"{self.oid}:{self.iid}"


Value = str | int | float | bool | bytes | datetime | ObjectLink
Tree = dict[str, Value]
"""Values by full path, such as ``{"/3/0/0": "maker"}``."""


def plain(value: Value) -> str | int | float | bool | bytes | ObjectLink:
    """Time as whole seconds since 1970; everything else as it is."""
    return int(value.timestamp()) if isinstance(value, datetime) else value


def decode(payload: bytes, content_format: int | None, path: str) -> Value | Tree:
    """What an answer to a read of ``path`` holds: one value for a resource, else values by path.

    TLV has no types: its values are bytes. Raises PayloadError.
    """
    try:
        tree = _decode(payload, TEXT if content_format is None else content_format, path)
    except PayloadError:
        raise
    except Exception as exc:
        raise PayloadError(f"format {content_format}: {exc}") from exc
    if isinstance(tree, dict) and path.count("/") >= 3 and list(tree) == [path]:
        return tree[path]
    return tree


def _decode(payload: bytes, content_format: int, path: str) -> Value | Tree:
    if content_format in (TEXT, LINK):
        return payload.decode()
    if content_format == OPAQUE:
        return payload
    if content_format == CBOR:
        return _typed(_load_cbor(payload))
    if content_format == SENML_JSON:
        return _senml(json.loads(payload), ("bn", "n", "v", "vs", "vb", "vd"))
    if content_format == SENML_CBOR:
        return _senml(_load_cbor(payload), _CBOR_KEYS)
    if content_format == TLV:
        return dict(tlv.decode(payload, path))
    raise PayloadError(f"format {content_format} is not known")


def _load_cbor(payload: bytes) -> Any:
    stream = BytesIO(payload)
    value = cbor2.load(stream)
    if stream.read(1):
        raise PayloadError("bytes after the CBOR value")
    return value


def _typed(value: Any) -> Value:
    if isinstance(value, str) and re.fullmatch(r"\d{1,5}:\d{1,5}", value):
        oid, iid = map(int, value.split(":"))
        return ObjectLink(oid, iid)
    return cast(Value, value)


def _senml(records: Any, keys: tuple[Any, ...]) -> Tree:
    return {path: value for path, value, _ in _records(records, keys, ("bt", "t"))}


def _records(
    records: Any, keys: tuple[Any, ...], time_keys: tuple[Any, Any]
) -> Iterator[tuple[str, Value, float]]:
    """Path, value and SenML time of each record."""
    base_name, name, number, string, boolean, data = keys
    base, base_time = "", 0.0
    for record in records:
        base = record.get(base_name, base)
        base_time = record.get(time_keys[0], base_time)
        for key in (number, string, boolean, data, "vlo"):
            if key in record:
                value = record[key]
                if key == "vd":
                    value = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
                elif key == "vlo":
                    value = _typed(value)
                yield base + record.get(name, ""), value, base_time + record.get(time_keys[1], 0.0)


def decode_send(payload: bytes, content_format: int | None) -> tuple[tuple[str, Value, float | None], ...]:
    """What a client sent unasked: path, value and time (None: now), in their order. Raises PayloadError."""
    if content_format not in (SENML_JSON, SENML_CBOR):
        raise PayloadError(f"format {content_format} is none of Send")
    now = time.time()
    try:
        found = (
            _records(json.loads(payload), ("bn", "n", "v", "vs", "vb", "vd"), ("bt", "t"))
            if content_format == SENML_JSON
            else _records(_load_cbor(payload), _CBOR_KEYS, (_BASE_TIME, _TIME))
        )
        return tuple(
            (normal_send_path(path), value, at if at >= _ABSOLUTE_FROM else now + at if at else None)
            for path, value, at in found
        )
    except PayloadError:
        raise
    except Exception as exc:
        raise PayloadError(f"format {content_format}: {exc}") from exc


def normal_send_path(path: str) -> str:
    """The path of a value: a resource or an instance of one."""
    if not re.fullmatch(r"(?:/\d{1,5}){3,4}", path, re.ASCII):
        raise PayloadError(f"{path!r} is no path of a value")
    return path


def encode(values: Value | Mapping[Any, Any], content_format: int, path: str) -> bytes:
    """Payload of a write to ``path``: a value, or a nested mapping of ids to values."""
    if content_format == TLV:
        return tlv.encode(values, path.count("/"), path)
    if content_format in (SENML_JSON, SENML_CBOR):
        return _encode_senml(list(flatten(values, "")), path, content_format)
    if isinstance(values, Mapping):
        raise PayloadError("this format holds a single value")
    value = plain(values)
    if content_format == TEXT:
        if isinstance(value, bytes):
            return base64.b64encode(value)
        return as_text(value).encode()
    if content_format == OPAQUE:
        return value if isinstance(value, bytes) else as_text(value).encode()
    if content_format == CBOR:
        return bytes(cbor2.dumps(str(value) if isinstance(value, ObjectLink) else value))
    raise PayloadError(f"format {content_format} cannot be written")


def as_text(value: Value) -> str:
    """Plain Text of a value: booleans are 0 and 1."""
    value = plain(value)
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and not math.isfinite(value):
        raise PayloadError("not a finite number")
    return value.hex() if isinstance(value, bytes) else str(value)


def flatten(values: Any, name: str) -> Iterator[tuple[str, Value]]:
    """Relative paths and values of a nested mapping."""
    if not isinstance(values, Mapping):
        yield name, plain(values)
        return
    for key, value in values.items():
        yield from flatten(value, f"{name}/{key}")


def _encode_senml(items: list[tuple[str, Any]], path: str, content_format: int) -> bytes:
    as_json = content_format == SENML_JSON
    keys: tuple[Any, ...] = (
        ("bn", "n", "v", "vs", "vb", "vd") if as_json else (_BASE_NAME, _NAME, _VALUE, _STRING, _BOOL, _DATA)
    )
    base_name, name, number, string, boolean, data = keys
    records: list[dict[Any, Any]] = []
    for relative, value in items:
        record: dict[Any, Any] = {} if records else {base_name: path}
        if relative:
            record[name] = relative
        if isinstance(value, bool):
            record[boolean] = value
        elif isinstance(value, (int, float)):
            record[number] = value
        elif isinstance(value, bytes):
            record[data] = base64.urlsafe_b64encode(value).rstrip(b"=").decode() if as_json else value
        elif isinstance(value, ObjectLink):
            record["vlo"] = str(value)
        else:
            record[string] = value
        records.append(record)
    return json.dumps(records).encode() if as_json else bytes(cbor2.dumps(records))


def best_format(values: Value | Mapping[Any, Any], version: str) -> int:
    """The format that a write uses unless told otherwise."""
    if isinstance(values, Mapping):
        return TLV if version.startswith("1.0") else SENML_CBOR
    return OPAQUE if isinstance(values, bytes) else TEXT


_LINK = re.compile(r'<([^>]*)>((?:;[^;,="]+(?:=(?:"[^"]*"|[^;,"]*))?)*)')
_ATTRIBUTE = re.compile(r';([^;,="]+)(?:=(?:"([^"]*)"|([^;,"]*)))?')


def links(payload: str) -> dict[str, dict[str, str]]:
    """Link Format as attributes by target."""
    found: dict[str, dict[str, str]] = {}
    for match in _LINK.finditer(payload):
        attributes = {name: quoted or bare for name, quoted, bare in _ATTRIBUTE.findall(match[2])}
        found[match[1]] = attributes
    return found
