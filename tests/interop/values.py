# SPDX-License-Identifier: Apache-2.0
"""The values of the client under test, and as Leshan has them."""

from __future__ import annotations

import base64
from typing import Any

# id: name, type, many, operations
RESOURCES = {
    0: ("text", "STRING", False, "RW"),
    1: ("integer", "INTEGER", False, "RW"),
    2: ("real", "FLOAT", False, "RW"),
    3: ("flag", "BOOLEAN", False, "RW"),
    4: ("data", "OPAQUE", False, "RW"),
    5: ("link", "OBJLNK", False, "RW"),
    6: ("unsigned", "UNSIGNED_INTEGER", False, "RW"),
    7: ("time", "TIME", False, "RW"),
    8: ("numbers", "INTEGER", True, "RW"),
    9: ("words", "STRING", True, "RW"),
    10: ("blobs", "OPAQUE", True, "RW"),
    11: ("large", "STRING", False, "RW"),
    12: ("write_only", "INTEGER", False, "W"),
    13: ("absent", "STRING", False, "RW"),
    14: ("arguments", "STRING", False, "R"),
    15: ("run", "NONE", False, "E"),
}
MODELS = [
    {
        "id": 33333,
        "name": "Kinds",
        "version": "1.1",
        "resources": [
            {"id": rid, "name": name, "type": kind, "multiple": many, "operations": operations}
            for rid, (name, kind, many, operations) in RESOURCES.items()
        ],
    }
]
# what the client begins with, as Leshan's nodes have it
LONG = "".join(f"{i:05}" for i in range(1000))
FIRST: dict[int, Any] = {
    0: "text",
    1: -42,
    2: 1.5,
    3: True,
    4: bytes(range(8)),
    5: "3:0",
    6: 2**63,
    7: 1767323045,
    8: {0: 10, 3: -300},
    9: {1: "one", 20000: ""},
    10: {0: b"\0\xff", 1: b"x" * 300},
    11: LONG,
    14: "",
}
# other values: as Leshan has them, and as Python has them where that differs
OTHER: dict[int, Any] = {
    0: 'Grüße, "\\\n',
    1: -(2**63),
    2: -2.5e-300,
    3: False,
    4: bytes(range(256)) * 3,
    5: "65535:65535",
    6: 2**64 - 1,
    7: 1000000000,
    8: {1: 0, 65534: 2**40},
    9: {0: "a", 7: "ö"},
    10: {5: b"\1\2"},
    11: LONG[::-1],
}
IN_PYTHON = {5: (65535, 65535)}
MANY = (8, 9, 10)
HIERARCHICAL = ("TLV", "SENML_JSON", "SENML_CBOR")


def _flatten(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {str(key): _flatten(each) for key, each in value.items()}
    return value


def node(rid: int, value: Any) -> dict[str, Any]:
    """A resource as the server's lines have it."""
    many = isinstance(value, dict)
    return {"id": rid, "type": RESOURCES[rid][1], "values" if many else "value": _flatten(value)}


def formats(rid: int) -> tuple[str, ...]:
    """Formats that a resource can be read and written in."""
    if rid in MANY:
        return HIERARCHICAL
    return (*HIERARCHICAL, "TEXT", "CBOR", *(("OPAQUE",) if rid == 4 else ()))


SINGLE = [(rid, name) for rid in FIRST for name in formats(rid)]
WRITES = [(rid, name) for rid in OTHER for name in formats(rid)]
