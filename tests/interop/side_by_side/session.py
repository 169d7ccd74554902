# SPDX-License-Identifier: Apache-2.0
"""The requests that are compared. To be extended with each feature of the data model."""

from __future__ import annotations

import struct
from typing import Any

from tests.python.peer import (
    ACCEPT,
    BLOCK1,
    BLOCK2,
    DELETE,
    FORMAT,
    GET,
    NON,
    OBSERVE,
    POST,
    PUT,
    QUERY,
    RST,
    number,
)

from .player import Group, Step

TEXT, LINK, OPAQUE, CBOR, SENML_JSON, SENML_CBOR, TLV = 0, 40, 42, 60, 110, 112, 11542
FORMATS = {
    "text": TEXT,
    "opaque": OPAQUE,
    "cbor": CBOR,
    "senml json": SENML_JSON,
    "senml cbor": SENML_CBOR,
    "tlv": TLV,
}
CLOCK, NAME = "/3333/0/5506", "/3333/0/5750"


def get(path: str, accept: int | None = None, name: str = "", **more: Any) -> Step:
    options = [(ACCEPT, number(accept))] if accept is not None else []
    return Step(
        name or f"read {path} as {accept}", GET, path, options=[*more.pop("options", []), *options], **more
    )


def put(
    name: str, path: str, payload: bytes | str, format: int | None = TEXT, code: int = PUT, **more: Any
) -> Step:
    data = payload.encode() if isinstance(payload, str) else payload
    options = [(FORMAT, number(format))] if format is not None else []
    return Step(name, code, path, data, [*options, *more.pop("options", [])], **more)


def post(name: str, path: str, payload: bytes | str = b"", format: int | None = None, **more: Any) -> Step:
    return put(name, path, payload, format, POST, **more)


def attributes(path: str, *queries: str) -> Step:
    return Step(
        f"attributes {path} {' '.join(queries)}", PUT, path, options=[(QUERY, q.encode()) for q in queries]
    )


def observe(path: str, token: str, accept: int | None = None, cancel: bool = False) -> Step:
    options = [(OBSERVE, b"\1" if cancel else b"")]
    return get(
        path, accept, f"{'cancel' if cancel else 'observe'} {path} {token}", options=options, token=token
    )


def block(number_: int, more: bool, szx: int, option: int = BLOCK1) -> list[tuple[int, bytes]]:
    return [(option, number(number_ << 4 | more << 3 | szx))]


def blocks(name: str, path: str, data: bytes, szx: int, format: int = OPAQUE, **more: Any) -> list[Step]:
    size = 16 << szx
    return [
        put(
            f"{name} block {i}",
            path,
            data[at : at + size],
            format,
            token=name,
            options=block(i, at + size < len(data), szx),
            **more,
        )
        for i, at in enumerate(range(0, len(data), size))
    ]


def numbered(steps: list[Step]) -> list[Step]:
    """Names that tell steps apart."""
    seen: dict[str, int] = {}
    for step in steps:
        seen[step.name] = seen.get(step.name, 0) + 1
        if seen[step.name] > 1:
            step.name += f" ({seen[step.name]})"
    return steps


def reads() -> list[Step]:
    paths = [
        "/33333",
        "/33333/0",
        "/33333/1",
        "/33333/2",
        *(f"/33333/0/{rid}" for rid in range(15)),
        "/33333/0/7/3",
        "/33333/0/7/1",
        "/33333/0/0/0",
        "/1",
        "/1/0",
        "/1/0/1",
        "/0/0",
        "/0/0/0",
        "/4444",
        "/",
        "/65535",
        "/33333/0/7/3/1",
        "/33333/x",
        "/33333/-1",
    ]
    accepts = [None, *FORMATS.values(), LINK, 9999]
    return [get(path, accept) for path in paths for accept in accepts]


def write_values() -> list[Step]:
    """Every type in every format, good and bad, each followed by a look at what is there."""
    text = {
        0: ["", "x", "é€😀", "a" * 200],
        1: [
            "0",
            "-1",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "1.5",
            "x",
            "",
            " 1",
            "+1",
            "0x1",
        ],
        2: ["0", "-1.5", "1e300", "1e400", "x", "nan", ""],
        3: ["0", "1", "2", "true", ""],
        4: ["AAEC", "AAE=", "AA", "!", ""],
        5: ["1:2", "65535:65535", "65536:0", "1", "a:b", "1:2:3", ""],
        6: ["0", "18446744073709551615", "18446744073709551616"],
        12: ["5"],
        13: ["there"],
    }
    steps = []
    for rid, values in text.items():
        for value in values:
            steps += [
                put(f"text {value[:20]!r} to {rid}", f"/33333/0/{rid}", value),
                get(f"/33333/0/{rid}", TEXT),
            ]
    raw: dict[int, list[bytes]] = {
        TLV: [
            b"\xc1\x01\x05",
            b"\xc2\x01\x01\x00",
            b"\xc4\x01\xff\xff\xff\xff",
            b"\xc8\x01\x08" + b"\x80" + bytes(7),
            b"\xc4\x02\x3f\xc0\0\0",
            b"\xc8\x02\x08" + struct.pack("!d", 2.25),
            b"\xc3\x00abc",
            b"\xc1\x03\x01",
            b"\xc1\x03\x02",
            b"\xc2\x04\x00\xff",
            b"\xc4\x05\x00\x03\x00\x01",
            b"\x86\x07\x41\x00\x05\x41\x01\x06",
            b"\xc1\x01",
            b"\xff",
            b"\xc0\x00",
        ],
        CBOR: [
            b"\x05",
            b"\x20",
            b"\x1b" + b"\xff" * 8,
            b"\xf5",
            b"\xf4",
            b"\xf9\x3e\x00",
            b"\xfb" + struct.pack("!d", 2.25),
            b"\x63abc",
            b"\x43\0\1\2",
            b"\x631:2",
            b"\x7f\x61a\x61b\xff",
        ],
        OPAQUE: [b"", b"\0\1\2", b"abc"],
    }
    for format, payloads in raw.items():
        for payload in payloads:
            for rid in range(7):
                steps += [
                    put(f"{format} {payload.hex()} to {rid}", f"/33333/0/{rid}", payload, format),
                    get(f"/33333/0/{rid}", TEXT),
                ]
    senml = [
        '[{"bn":"/33333/0/1","v":5}]',
        '[{"bn":"/33333/0/","n":"1","v":6}]',
        '[{"n":"/33333/0/1","vs":"x"}]',
        '[{"n":"/33333/1/1","v":7}]',
        '[{"bn":"/33333/0/","n":"0","vs":"a"},{"n":"1","v":8}]',
        "[]",
        "[{}]",
        "{",
        '[{"n":"/33333/0/3","vb":false}]',
        '[{"n":"/33333/0/4","vd":"AAEC"}]',
        '[{"n":"/33333/0/5","vlo":"4:5"}]',
        '[{"n":"/33333/0/1","v":1e2}]',
        '[{"n":"/33333/0/99","v":1}]',
        '[{"n":"/33333/0/2","v":-0.5}]',
    ]
    for document in senml:
        for path in ("/33333/0/1", "/33333/0"):
            steps += [
                put(
                    f"senml {document} to {path}",
                    path,
                    document,
                    SENML_JSON,
                    POST if path == "/33333/0" else PUT,
                ),
                get("/33333/0", TLV),
            ]
    return numbered(steps)


def write_instances() -> list[Step]:
    def look() -> Step:
        return get("/33333/0", TLV, "look")

    return numbered(
        [
            post("update two", "/33333/0", b"\xc3\x00new\xc1\x01\x05", TLV),
            look(),
            put("replace", "/33333/0", b"\xc1\x01\x09", TLV),
            look(),
            post("update wrapped in its instance", "/33333/0", b"\x08\x00\x03\xc1\x01\x07", TLV),
            look(),
            post("update of another instance", "/33333/0", b"\x08\x01\x03\xc1\x01\x07", TLV),
            look(),
            post("second resource bad", "/33333/0", b"\xc1\x01\x0a\xc1\x03\x07", TLV),
            look(),
            post("resource without write", "/33333/0", b"\xc1\x01\x0b\xc1\x0b\x07", TLV),
            look(),
            post("unknown resource", "/33333/0", b"\xc1\x01\x0c\xc1\x63\x07", TLV),
            look(),
            put("replace elements", "/33333/0/7", b"\x86\x07\x41\x01\x05\x41\x02\x06", TLV),
            look(),
            post("add elements", "/33333/0/7", b"\x83\x07\x41\x09\x05", TLV),
            look(),
            put("write an element", "/33333/0/7/1", "77"),
            look(),
            put("write a missing element", "/33333/0/7/30", "77"),
            look(),
            put("write an element of a single resource", "/33333/0/1/0", "77"),
            look(),
            put("write many as text", "/33333/0/7", "77"),
            look(),
            Step("delete an element", DELETE, "/33333/0/7/1"),
            look(),
            Step("delete a resource", DELETE, "/33333/0/7"),
            put("write to the object", "/33333", b"\xc1\x01\x05", TLV),
            put("without a format", "/33333/0/0", "plain", None),
            look(),
            put("of an unknown format", "/33333/0/0", "x", 9999),
            put("write to root", "/", "x"),
        ]
    )


def executes() -> list[Step]:
    arguments = [
        "",
        "0",
        "0,1,2",
        "0='a'",
        "0='a',1='b'",
        "9='z',0",
        "0='",
        "0=a",
        "x",
        "0,,1",
        ",",
        "0,",
        "0=''",
        "0='a'b",
        "10",
        "0 ,1",
        "5='x',2='y'",
    ]
    steps = []
    for text in arguments:
        steps += [post(f"execute {text!r}", "/33333/0/10", text), get("/33333/0/11", TEXT)]
    return numbered(
        [
            *steps,
            post("execute as text", "/33333/0/10", "0", TEXT),
            post("execute an element", "/33333/0/10/0"),
            post("execute what is no executable", "/33333/0/1"),
            put("write an executable", "/33333/0/10", "1"),
            post("execute in a missing instance", "/33333/7/10"),
        ]
    )


def instances() -> list[Step]:
    def look() -> Step:
        return get("/33333", LINK, "look")

    return numbered(
        [
            post("create 5", "/33333", b"\x08\x05\x03\xc1\x01\x05", TLV),
            look(),
            post("create 5 again", "/33333", b"\x08\x05\x03\xc1\x01\x05", TLV),
            post("create without id", "/33333", b"\xc1\x01\x05", TLV),
            look(),
            post("create empty", "/33333", b"", TLV),
            look(),
            post("create with a bad value", "/33333", b"\x08\x09\x03\xc1\x03\x05", TLV),
            look(),
            post("create in senml json", "/33333", '[{"bn":"/33333/20/","n":"1","v":5}]', SENML_JSON),
            look(),
            post(
                "create two in senml json",
                "/33333",
                '[{"n":"/33333/21/1","v":5},{"n":"/33333/22/1","v":5}]',
                SENML_JSON,
            ),
            look(),
            post("create as text", "/33333", "x", TEXT),
            post("create 65535", "/33333", b"\x28\xff\xff\x03\xc1\x01\x05", TLV),
            Step("delete 5", DELETE, "/33333/5"),
            look(),
            Step("delete 5 again", DELETE, "/33333/5"),
            Step("delete the object", DELETE, "/33333"),
            post("create in a missing object", "/4444", b"", TLV),
            post("create a server", "/1", b"\x08\x05\x00", TLV),
            Step("delete security", DELETE, "/0/0", settle=0.6),
        ]
    )


def discovers() -> list[Step]:
    return numbered(
        [
            get(path, LINK)
            for path in (
                "/",
                "/33333",
                "/33333/0",
                "/33333/0/7",
                "/33333/0/7/3",
                "/33333/0/13",
                "/33333/9",
                "/1",
                "/0",
                "/4444",
            )
        ]
        + [
            attributes("/33333", "pmin=1"),
            attributes("/33333/0", "pmin=2", "pmax=9"),
            attributes("/33333/0/1", "gt=5", "lt=2", "st=1"),
            attributes("/33333/0/2", "gt=1.5", "lt=-2.25", "st=0.5"),
            get("/33333", LINK),
            get("/33333/0", LINK),
            get("/33333/0/1", LINK),
            attributes("/33333/0/1", "gt", "st"),
            get("/33333/0/1", LINK),
            attributes("/33333/0/1", "pmin"),
            get("/33333/0/1", LINK),
            attributes("/33333/0/1", "nonsense=1"),
            attributes("/33333/0/1", "pmin=x"),
            attributes("/33333/0/1", "pmin=-1"),
            attributes("/33333/0/1", "gt=x"),
            attributes("/33333/0", "gt=1"),
            attributes("/33333/0/1", "st=-1"),
            attributes("/33333/0/1", "lt=5", "gt=2"),
            attributes("/4444", "pmin=1"),
            attributes("/33333/0/0", "pmin=1", "pmin=2"),
            attributes("/33333/0/1", "con=1"),
            attributes("/33333/0/1", "epmin=1", "epmax=5"),
            get("/33333/0/1", LINK),
        ]
    )


def observes() -> list[Step]:
    wait = 0.35
    return numbered(
        [
            observe("/33333/0/1", "a"),
            put("write it", "/33333/0/1", "1", settle=wait),
            put("write it", "/33333/0/1", "1", settle=wait),
            put("write it", "/33333/0/1", "2", settle=wait),
            observe("/33333/0", "b", TLV),
            put("write it", "/33333/0/1", "3", settle=wait),
            put("write another", "/33333/0/0", "news", settle=wait),
            observe("/33333/0/1", "a", cancel=True),
            put("write it", "/33333/0/1", "4", settle=wait),
            observe("/33333/0", "b", TLV, cancel=True),
            put("write it", "/33333/0/1", "5", settle=wait),
            attributes("/33333/0/1", "gt=10"),
            observe("/33333/0/1", "c"),
            put("below", "/33333/0/1", "9", settle=wait),
            put("above", "/33333/0/1", "11", settle=wait),
            put("still above", "/33333/0/1", "12", settle=wait),
            put("below again", "/33333/0/1", "8", settle=wait),
            observe("/33333/0/1", "c", cancel=True),
            attributes("/33333/0/1", "gt", "st=5"),
            observe("/33333/0/1", "d"),
            put("small step", "/33333/0/1", "10", settle=wait),
            put("large step", "/33333/0/1", "20", settle=wait),
            observe("/33333/0/1", "d", cancel=True),
            attributes("/33333/0/1", "st", "lt=0"),
            observe("/33333/0/1", "e"),
            put("far above", "/33333/0/1", "5", settle=wait),
            put("crossed", "/33333/0/1", "-1", settle=wait),
            observe("/33333/0/1", "e", cancel=True),
            attributes("/33333/0/1", "lt"),
            observe("/33333/0/13", "f"),
            observe("/33333/0/10", "g"),
            observe("/4444", "h"),
            observe("/33333/9", "i"),
            observe("/33333/0/12", "j"),
            observe("/33333", "k", TLV),
            put("write it", "/33333/1/1", "5", settle=wait),
            Step("delete observed", DELETE, "/33333/1", settle=wait),
            observe("/33333", "k", TLV, cancel=True),
            attributes("/33333/0/0", "pmin=1"),
            observe("/33333/0/0", "l"),
            put("one", "/33333/0/0", "one"),
            put("two within pmin", "/33333/0/0", "two", settle=1.4),
            attributes("/33333/0/0", "pmin", "pmax=1"),
            Step("wait for pmax", GET, "/33333/0/3", settle=1.3),
            observe("/33333/0/0", "l", cancel=True),
            attributes("/33333/0/0", "pmax", "con=1"),
            observe("/33333/0/0", "m"),
            put("confirmable", "/33333/0/0", "c", settle=wait),
            observe("/33333/0/0", "m", cancel=True),
            observe("/33333/0/7", "n", TLV),
            put("write an element", "/33333/0/7/3", "5", settle=wait),
            observe("/33333/0/7", "n", TLV, cancel=True),
        ]
    )


def block_transfers() -> list[Step]:
    data = bytes(i % 251 for i in range(200))
    steps = []
    for szx in range(7):
        steps += [
            *blocks(f"data at szx {szx}", "/33333/0/4", data * (1 if szx < 4 else 5), szx),
            get("/33333/0/4", OPAQUE, name=f"read back {szx}", options=block(0, False, 6, BLOCK2)),
        ]
        steps.append(
            get(
                "/33333/0/9",
                TEXT,
                name=f"large, block 0 at {szx}",
                options=block(0, False, szx, BLOCK2),
                token=f"large {szx}",
            )
        )
        steps.append(
            get(
                "/33333/0/9",
                TEXT,
                name=f"large, block 1 at {szx}",
                options=block(1, False, szx, BLOCK2),
                token=f"large {szx}",
            )
        )
        last = (1200 - 1) // (16 << szx)
        for i in range(2, last + 1):
            steps.append(
                get(
                    "/33333/0/9",
                    TEXT,
                    name=f"large, block {i} at {szx}",
                    options=block(i, False, szx, BLOCK2),
                    token=f"large {szx}",
                )
            )
    steps += [
        put("block 1 first", "/33333/0/4", data[:16], OPAQUE, options=block(1, True, 0), token="x"),
        put("szx 7", "/33333/0/4", data[:16], OPAQUE, options=block(0, True, 7), token="y"),
        put("too short for its szx", "/33333/0/4", data[:10], OPAQUE, options=block(0, True, 0), token="z"),
    ]
    return numbered(steps)


def messages() -> list[Step]:
    name = b"\xb533333\x010\x010"
    return numbered(
        [
            Step("ping", raw=b"\x40\x00MMMM"),
            get("/33333/0/0", TEXT, type=NON, name="non-confirmable"),
            get("/33333/0/0", TEXT),
            Step("the same again", repeat=True),
            post("execute", "/33333/0/10", "1"),
            Step("executed again", repeat=True),
            get("/33333/0/11", TEXT),
            Step("unknown critical option", GET, "/33333/0/0", options=[(9, b"x")]),
            Step("unknown elective option", GET, "/33333/0/0", options=[(10, b"x")]),
            Step("method 0.06", 6, "/33333/0/0"),
            Step("method 0.31", 31, "/33333/0/0"),
            Step("if-match", PUT, "/33333/0/0", b"x", [(1, b"e"), (FORMAT, b"")]),
            Step("empty with payload", raw=b"\x40\x00MMMM\xffx", answer=False),
            Step("version 2", raw=b"\x80\x01MMMM" + name, answer=False),
            Step("token length 9", raw=b"\x49\x01MMMM123456789" + name, answer=False),
            Step("option too long", raw=b"\x40\x01MMMM\xbd\xffx", answer=False),
            Step("marker without payload", raw=b"\x40\x01MMMM" + name + b"\xff", answer=False),
            Step("three bytes", raw=b"\x40\x01\x01", answer=False),
            Step("reset of nothing", type=RST, raw=b"\x70\x00MMMM", answer=False),
            Step("answer to nothing", raw=b"\x60\x45MMMM", answer=False),
            get("/33333/0/0", TEXT, name="alive"),
        ]
    )


def tutorial() -> list[Step]:
    return numbered(
        [
            get("/3333", TLV),
            get("/3333/0", TLV),
            get("/3333/0", LINK),
            get(CLOCK, TEXT),
            get(CLOCK, CBOR),
            get("/3333/0/5507", TEXT),
            get(NAME, TEXT),
            put("name", NAME, "Kitchen"),
            get(NAME, TEXT),
            put("name of 63 bytes", NAME, "x" * 63),
            get(NAME, TEXT),
            put("write the time", CLOCK, "5"),
            post("both", "/3333/0", b"\xe4\x15\x82\0\0\0\1\xe4\x16\x76name", TLV),
            get(NAME, TEXT),
            put("replace", "/3333/0", b"\xe4\x16\x76five", TLV),
            get(NAME, TEXT),
            post("create", "/3333", b"\x08\x01\x07\xe4\x16\x76made", TLV),
            get("/3333", LINK),
            Step("delete", DELETE, "/3333/1"),
            get("/3333", LINK),
            observe(CLOCK, "t"),
            get("/3333", LINK, settle=2.2),
            observe(CLOCK, "t", cancel=True),
            *(get(f"/1/0/{rid}", TEXT) for rid in range(0, 24)),
            put("lifetime", "/1/0/1", "77", settle=0.3),
            put("lifetime 0", "/1/0/1", "0", settle=0.3),
            put("pmin", "/1/0/2", "1"),
            put("pmax", "/1/0/3", "0"),
            put("storing", "/1/0/6", "0"),
            put("binding", "/1/0/7", "U", settle=0.3),
            put("binding X", "/1/0/7", "X"),
            put("ssid", "/1/0/0", "2"),
            post("trigger", "/1/0/8", settle=0.3),
            get("/1/0", TLV),
        ]
    )


def firmware() -> list[Step]:
    image = bytes(range(256)) * 3

    def state() -> Step:
        return get("/5/0", TLV, "look")

    return numbered(
        [
            get("/5/0", LINK),
            state(),
            post("update too early", "/5/0/2"),
            post("cancel too early", "/5/0/10"),
            put("uri", "/5/0/1", "", settle=0.2),
            state(),
            put("whole", "/5/0/0", b"image", OPAQUE, settle=0.2),
            state(),
            put("again when downloaded", "/5/0/0", b"image", OPAQUE),
            state(),
            put("reset by NUL", "/5/0/0", b"\0", OPAQUE),
            state(),
            put("as text", "/5/0/0", "aW1hZ2U=", TEXT),
            state(),
            put("reset by an empty URI", "/5/0/1", ""),
            state(),
            put("in TLV", "/5/0/0", b"\xc5\x00image", TLV),
            state(),
            post("cancel", "/5/0/10"),
            state(),
            *blocks("push", "/5/0/0", image, 4),
            state(),
            post("cancel downloaded", "/5/0/10"),
            state(),
            *blocks("push half", "/5/0/0", image, 4)[:2],
            state(),
            post("cancel half", "/5/0/10"),
            state(),
            put("reads", "/5/0/3", "1"),
            get("/5/0/0", TEXT),
            get("/5/0/2", TEXT),
            put("replace the instance", "/5/0", b"\xc5\x00image", TLV),
            state(),
        ]
    )


DIGITS = "1[0-9]{9}"
GROUPS = [
    Group("reads", "kinds", numbered(reads())),
    Group("values", "kinds", write_values()),
    Group("writes", "kinds", write_instances()),
    Group("executes", "kinds", executes()),
    Group("instances", "kinds", instances()),
    Group("discovers", "kinds", discovers()),
    Group("observes", "kinds", observes()),
    Group("blocks", "kinds", block_transfers()),
    Group("messages", "kinds", messages()),
    Group(
        "tutorial",
        "tutorial",
        tutorial(),
        mask=DIGITS + "|\xe4\x15\x82....|\xc4\x15\x82....|\x1a[\x60-\x7f]...",
    ),
    Group("firmware", "tutorial", firmware()),
]
