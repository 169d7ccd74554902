# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds that the corpora were grown from: ``python tests/fuzz/make_seeds.py FOLDER``."""

from __future__ import annotations

import hashlib
import struct
import sys
from pathlib import Path

TEXT, LINK, OPAQUE, CBOR, SENML_JSON, SENML_CBOR, TLV = 0, 40, 42, 60, 110, 112, 11542
GET, POST, PUT, DELETE, FETCH, PATCH, IPATCH = 0, 1, 2, 3, 7, 8, 9  # indices of fuzz_client.c's CODES
RAW, REQUEST, ANSWER, TIME, CHANGE, REPEAT, PROGRAM, FAULT, SHORT, NET = range(10)
SECOND = 10
"""Added to an operation of fuzz_client.c: it concerns the second server."""
OBJECT = (
    "/0",
    "/0/0",
    "/0/1",
    "/0/2",
    "/0/3",
    "/0/4",
    "/0/5",
    "/0/6",
    "/0/7",
    "/0/7/1",
    "/0/8",
    "/0/9",
    "/1",
    "/1/0",
)
OTHERS = ("/5/0", "/5/0/0", "/5/0/1", "/5/0/2", "/5/0/10", "/1/0", "/1/0/1", "/1/0/4", "/1/0/8", "/0/0", "/")
PATHS = ["/3333", *(f"/3333{path}" for path in OBJECT), *OTHERS]
"""In the order of fuzz_client.c's PATHS."""


def options(previous: int, *pairs: tuple[int, bytes]) -> bytes:
    """CoAP options that follow one of the number ``previous``."""
    out = b""
    for number, value in pairs:
        delta, previous = number - previous, number
        nibbles = [x if x < 13 else 13 for x in (delta, len(value))]
        out += bytes([nibbles[0] << 4 | nibbles[1]])
        out += bytes(x - 13 for x in (delta, len(value)) if x >= 13) + value
    return out


def uint(value: int) -> bytes:
    """A CoAP unsigned integer."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def record(op: int, body: bytes = b"") -> bytes:
    """One record of fuzz_client.c."""
    return bytes([op, len(body)]) + body


REGISTERED = record(ANSWER)


def ask(method: int, path: str, *pairs: tuple[int, bytes], payload: bytes = b"", flags: int = 0) -> bytes:
    """A request of fuzz_client.c."""
    number = PATHS.index(path)
    previous = 11 if path != "/" else 0
    rest = options(previous, *pairs) + (b"\xff" + payload if payload else b"")
    return record(REQUEST, bytes([flags | method, number]) + rest)


def client() -> list[bytes]:
    """Conversations."""
    format_, accept, query, block1, block2 = 12, 17, 15, 27, 23
    seeds = [
        REGISTERED
        + record(TIME, b"\x37")
        + record(ANSWER, b"\x44")
        + record(TIME, b"\x37")
        + record(ANSWER, b"\x84")
    ]
    for path in PATHS:
        seeds.append(
            REGISTERED
            + b"".join(
                ask(GET, path, (accept, uint(f))) for f in (TEXT, CBOR, SENML_JSON, SENML_CBOR, TLV, LINK)
            )
        )
        seeds.append(REGISTERED + ask(GET, path) + ask(POST, path) + ask(DELETE, path))
    values = {
        "/3333/0/0": b"-5",
        "/3333/0/1": b"new",
        "/3333/0/2": b"AAEC",
        "/3333/0/3": b"1.5",
        "/3333/0/4": b"1",
        "/3333/0/5": b"1:2",
        "/3333/0/6": b"7",
        "/3333/0/7/1": b"9",
        "/1/0/1": b"30",
        "/5/0/1": b"",
    }
    for path, value in values.items():
        seeds.append(
            REGISTERED + ask(PUT, path, (format_, b""), payload=value) + ask(GET, path, (accept, b""))
        )
    tlv = b"\xc1\x00\x05\xc3\x01new\xc4\x03\x3f\xc0\0\0\x86\x07\x41\x00\x05\x41\x01\x06"
    senml = b'[{"bn":"/3333/0/","n":"0","v":5},{"n":"1","vs":"new"},{"n":"7/1","v":2}]'
    cbor = bytes.fromhex("82a321682f333333332f302f006130020aa2006131036161")
    for method in (PUT, POST):
        seeds.append(REGISTERED + ask(method, "/3333/0", (format_, uint(TLV)), payload=tlv))
        seeds.append(REGISTERED + ask(method, "/3333/0", (format_, uint(SENML_JSON)), payload=senml))
        seeds.append(REGISTERED + ask(method, "/3333/0", (format_, uint(SENML_CBOR)), payload=cbor))
    seeds.append(
        REGISTERED
        + ask(POST, "/3333", (format_, uint(TLV)), payload=b"\x08\x01\x03\xc1\x00\x05")
        + ask(DELETE, "/3333/1")
    )
    seeds.append(
        REGISTERED
        + ask(POST, "/3333/0/8", payload=b"0='x',3")
        + ask(POST, "/1/0/8")
        + ask(POST, "/1/0/4")
        + record(ANSWER, b"\x42")
    )
    for attributes in (
        (b"pmin=1", b"pmax=5"),
        (b"gt=3", b"lt=1", b"st=2"),
        (b"con=1",),
        (b"pmin",),
        (b"epmin=1", b"epmax=9"),
    ):
        seeds.append(
            REGISTERED
            + ask(PUT, "/3333/0/0", *((query, a) for a in attributes))
            + record(REQUEST, bytes([GET, 2]))
            + record(RAW, b"\x41\x01\x70\x01\x33\x60\x54" + b"3333\x010\x010")
            + b"".join(record(CHANGE, bytes([i])) + record(TIME, b"\x0c") for i in (1, 9, 2, 30))
            + record(RAW, b"\x70\x00\x00\x01")
        )
    push = [
        ask(
            PUT,
            "/5/0/0",
            (format_, uint(OPAQUE)),
            (block1, uint(i << 4 | (i < 3) << 3 | 2)),
            payload=bytes(64 if i < 3 else 9),
        )
        for i in range(4)
    ]
    seeds.append(REGISTERED + b"".join(push) + ask(POST, "/5/0/2") + record(TIME, b"\x05"))
    seeds.append(
        REGISTERED
        + push[0]
        + push[1]
        + ask(GET, "/3333/0/1")
        + record(REPEAT)
        + push[0]
        + push[2]
        + record(TIME, b"\xff")
    )
    seeds.append(REGISTERED + b"".join(ask(GET, "/3333/0/9", (block2, uint(i << 4 | 4))) for i in range(7)))
    paths = bytes.fromhex("81a100692f333333332f302f30")
    seeds.append(
        REGISTERED + ask(FETCH, "/", (format_, uint(SENML_CBOR)), (accept, uint(SENML_CBOR)), payload=paths)
    )
    seeds.append(
        REGISTERED + ask(IPATCH, "/", (format_, uint(SENML_JSON)), payload=b'[{"n":"/3333/0/0","v":4}]')
    )
    seeds.append(record(TIME, b"\xff") * 8)
    seeds.append(
        REGISTERED
        + record(RAW, b"\x40\x00\x12\x34")
        + record(RAW, b"\x60\x45\0\0")
        + record(RAW, b"\x49\x01\0\0")
        + record(RAW, b"\x40")
    )
    return [bytes([0]) + seed for seed in seeds] + troubles(push)


def troubles(push: list[bytes]) -> list[bytes]:
    """Conversations in which something fails, or the program does something; first: the configuration."""
    format_, accept, query = 12, 17, 15
    observe = record(RAW, b"\x41\x01\x70\x01\x33\x60\x54" + b"3333\x010\x010")
    write = ask(POST, "/3333/0", (format_, uint(TLV)), payload=b"\xc1\x00\x05\xc3\x01new\xc1\x06\x07")
    day = record(TIME, b"\xff\x84")
    seeds = []
    for call in range(18):
        for config in (0, 1):
            seeds.append(
                bytes([config])
                + REGISTERED
                + observe
                + record(PROGRAM, bytes([call, 1, 3]))
                + record(TIME, b"\x20")
                + REGISTERED
            )
    for after in range(1, 8):
        for request in (
            write,
            push[0],
            ask(GET, "/3333", (accept, uint(TLV))),
            observe,
            ask(DELETE, "/3333/0"),
        ):
            for error in (0, 3):
                seeds.append(b"\0" + REGISTERED + record(FAULT, bytes([after, error])) + request)
        seeds.append(
            b"\1" + REGISTERED + record(FAULT, bytes([after, 1, 10, 0, 0])) + write + record(TIME, b"\x20")
        )
    for config in (0, 1, 2, 4, 8, 16, 32, 64, 128, 0x12):
        seeds.append(
            bytes([config])
            + REGISTERED
            + ask(PUT, "/3333/0/0", (query, b"pmin=1"), (query, b"pmax=50"))
            + observe
            + b"".join(record(CHANGE, bytes([i])) + record(TIME, b"\x10") for i in range(4))
            + record(ANSWER, b"\0")
            + day
            + record(ANSWER, b"\x44")
            + day
        )
    for n in range(0, 12, 2):
        seeds.append(
            b"\0" + REGISTERED + record(SHORT, bytes([n, 2])) + write + observe + record(TIME, b"\x40")
        )
        seeds.append(b"\0" + record(SHORT, bytes([n, 200])) + REGISTERED + record(TIME, b"\x90"))
    for what in range(4):
        for error in range(8):
            seeds.append(
                b"\0"
                + REGISTERED
                + record(NET, bytes([what, 3, error]))
                + write
                + day
                + REGISTERED
                + record(TIME, b"\xff")
            )
    seeds.append(
        b"\1" + REGISTERED + record(ANSWER + SECOND) + push[0] + record(REQUEST + SECOND, push[0][2:]) + day
    )
    return seeds


def endpoint() -> list[bytes]:
    """An association: see fuzz_endpoint.c."""
    raw, block, reply, pass_, send, notify, cancel, reset, truncated, answering, short = range(11)
    put = 2  # index of PUT among the methods that follow 0.01
    push = b"".join(record(block, bytes([0x10 | (i < 3) << 7 | put, 7, i, 2, 0, 0, 42])) for i in range(4))
    whole = push.replace(b"\x2a", b"\x00")
    fetch = b"".join(record(block, bytes([0x20, 9, 0, 0, i, 4, 0])) for i in range(8))
    large = record(answering, b"\x80\x45")
    ack, con = 0x20, 0x00
    continued = record(reply, bytes([ack, 0x5F]) + options(0, (27, uint(0x0E))))
    second = record(reply, bytes([ack, 0x45]) + options(0, (23, uint(0x08))) + b"\xff" + bytes(16))
    stories = [
        push,
        push[:40] + record(pass_, b"\xff") + push[40:],
        whole,
        large + fetch,
        record(send, b"\xff\x01") + continued * 6 + record(reply, bytes([ack, 0x41])),
        record(send, b"\xff\x01")
        + record(reply, bytes([ack, 0x8D]) + options(0, (27, uint(0x02))))
        + continued,
        record(send, b"\x01\x00") + second * 3,
        record(send, b"\x01\x00") * 3 + record(pass_, b"\xff") * 2,
        record(send, b"\x01\x00") + record(reply, bytes([ack, 0])) + record(reply, bytes([con, 0x45])),
        record(notify, b"\x05\x01") * 2 + record(send, b"\x01\x01") + record(pass_, b"\x30") * 3,
        record(notify, b"\x05\x00") + record(reply, b"\x30\x00"),
        record(notify, b"\x05\x01") + record(reply, b"\x30\x00"),
        record(notify, b"\x81\x00") + fetch,
        record(notify, b"\x05\x03") + record(cancel, b"\0") + record(reset),
        record(answering, b"\x05\x45\x01") + push,
        record(answering, b"\x03\x80") + push,
        record(short, b"\x00\x04") + whole + record(send, b"\x90\x01") + record(notify, b"\x90\x01"),
        record(truncated, push[2:]),
        record(raw, b"\x40\x00\x12\x34") + record(raw, b"\x41\x01\0\1t\xd1\xf0\x01"),
    ]
    return [bytes([config]) + story for story in stories for config in (0x02, 0x86)]


def output() -> list[bytes]:
    """Values: see fuzz_output.c."""
    values = (
        b"\x00\x01\x05"
        + b"\x11\x02\xff"
        + bytes(7)
        + b"\x22\x3f\xf8"
        + bytes(6)
        + b"\x03\x01"
        + b"\x14\x04text"
    )
    values += b"\x25\x03\0\1\2" + b"\x06\x00\x01\x00\x02"
    return [bytes([f, 0]) + values for f in range(7)] + [
        bytes([f, i]) + values[:12] for f in range(7) for i in range(1, 4)
    ]


def dtls() -> list[bytes]:
    """What becomes of the datagrams of a handshake and after it: see fuzz_dtls.c."""
    pass_on, drop, change, hold, raw, again, time_, send, close = range(9)
    all_of_it = bytes([pass_on, 0] * 12)
    stories = [
        all_of_it,
        bytes([drop, 0]) + bytes([time_, 1, 40]) + all_of_it,
        bytes([pass_on, 0, drop, 0, time_, 1, 90]) + all_of_it,
        bytes([hold, 0]) + all_of_it,
        bytes([again, 0]) * 3 + all_of_it,
        all_of_it + bytes([send, 1, 9]) * 3 + all_of_it + bytes([close, 0]) + all_of_it,
        all_of_it + bytes([send, 1, 250]) * 20 + all_of_it,
        bytes([raw, 13, 23, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) + all_of_it,
        bytes([raw, 15, 21, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 20]) + all_of_it,
        all_of_it + bytes([raw, 15, 21, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 9, 0, 2, 1, 0]) + all_of_it,
        bytes([raw, 0, raw, 1, 22]) + all_of_it,
    ]
    stories += [
        bytes([pass_on, 0] * i + [change, 2, at, 0x55]) + all_of_it
        for i in range(3)
        for at in (0, 1, 3, 11, 13, 20, 60)
    ]
    return [bytes([config]) + story for story in stories for config in (0, 1, 4, 8, 12)]


def coap_msg() -> list[bytes]:
    """Messages."""
    return [
        b"\x40\x00\x12\x34",
        b"\x70\x00\x00\x01",
        b"\x41\x01\0\1t" + options(0, (11, b"3333"), (11, b"0"), (17, uint(TLV))),
        b"\x48\x02\0\2" + bytes(8) + options(0, (6, b""), (8, b"rd"), (27, uint(9))) + b"\xffpayload",
        b"\x40\x45\0\0\xd1\xf0\x01\xe0\xff\xff",
        b"\x40\x01\0\0\xdd" + bytes(30),
        b"\x40\x01\0\0\xff",
    ]


def input_() -> list[bytes]:
    """Payloads: a byte for the format, one for the path, then the payload."""
    texts = [
        b"",
        b"0",
        b"-1",
        b"1.5",
        b"1e400",
        b"true",
        b"1:2",
        b"65536:0",
        b"AAEC",
        b"AA==",
        "é€😀".encode(),
        b"\xff",
    ]
    raw = [
        b"\xc1\x01\x05",
        b"\x08\x00\x03\xc1\x01\x05",
        b"\x86\x07\x41\x00\x05\x41\x01\x06",
        b"\xc8\x02\x08" + struct.pack("!d", 2.5),
        b"\xc1\x01",
        b"\xff",
    ]
    cbor = [
        b"\x05",
        b"\x20",
        b"\x1b" + b"\xff" * 8,
        b"\xf5",
        b"\xf9\x3e\0",
        b"\xfb" + struct.pack("!d", 1.5),
        b"\x63abc",
        b"\x43\0\1\2",
        b"\x7f\x61a\x61b\xff",
        b"\xc4\x82\x20\x05",
        b"\xc1\x05",
        b"\x1c",
    ]
    json = [
        b'[{"bn":"/3333/0/","n":"5750","vs":"a\\u00e9\\ud83d\\ude00"},{"n":"1","v":-1.5e3}]',
        b'[{"n":"/3333/0/5750/1","vd":"AAEC"},{"vlo":"1:2"},{"vb":true}]',
        b"[]",
        b"[{",
        b'[{"bt":1e9,"t":-1,"v":1}]',
    ]
    senml = [
        bytes.fromhex("81a3216a2f333333332f302f3500020aa0"),
        bytes.fromhex("82a221682f333333332f302f0003616100"),
        bytes.fromhex("9fa10200ff"),
        b"\x80",
    ]
    formats = {0: texts, 1: [b"", b"\0\1\2"], 2: cbor, 3: json, 4: senml, 5: raw}
    return [
        bytes([f, p]) + value
        for f, values in formats.items()
        for p in (0, 1, 2, 3, 4, 0x83)
        for value in values
    ]


def opaque_stream() -> list[bytes]:
    """A push in every format that can carry one."""
    return [
        bytes([f]) + body
        for f in range(4)
        for body in (b"", b"image", b"aW1hZ2U=", b"\x45image", b"\x5f\x42im\x43age\xff", b"\xc5\x00image")
    ]


def text() -> list[bytes]:
    """Texts by kind, see fuzz_text.c."""
    uris = [
        "coap://a",
        "coaps://127.0.0.1:5684",
        "coap://[::1]:5683/",
        "coap://h:0",
        "coap://h:65536",
        "http://x",
        "coap://[::1",
        "",
    ]
    paths = ["/", "/0", "/3333/0/5750/1", "/65535", "/00", "/1/", "1", "/1/2/3/4/5"]
    digits = ["AA==", "AAE=", "AAEC", "AA", "A===", "===="]
    arguments = ["", "0", "0='x'", "1='a',2,9='b c'", "0='", "10", ","]
    kinds = (uris, paths, digits, arguments)
    return [bytes([number]) + value.encode() for number, values in enumerate(kinds) for value in values]


def main() -> int:
    """Write all of them."""
    folder = Path(sys.argv[1])
    for name, seeds in {
        "client": client(),
        "coap_msg": coap_msg(),
        "endpoint": endpoint(),
        "output": output(),
        "dtls": dtls(),
        "input": input_(),
        "opaque_stream": opaque_stream(),
        "text": text(),
    }.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for seed in seeds:
            (folder / name / hashlib.sha1(seed).hexdigest()[:16]).write_bytes(seed)
        print(f"{name}: {len(seeds)} seeds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
