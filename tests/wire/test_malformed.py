# SPDX-License-Identifier: Apache-2.0
"""Malformed datagrams of every kind: nothing is done for them, and nothing suffers (RFC 7252, section 3)."""

from __future__ import annotations

import random
import struct

import pytest

from ..provider import VENDORED
from ..python.peer import ACK, BLOCK1, BLOCK2, CON, FORMAT, GET, NON, POST, PUT, RST, Message, number
from .conftest import SLACK, Start
from .server import CHANGED, CONTENT, Server, is_register

TOO_LARGE = 0x8D
# M stands for a fresh message id. Most of them would execute /33000/0/10 if they were let pass.
RUN = "b53333303030013002" + "3130"
BROKEN = {
    "nothing": "",
    "one byte": "40",
    "two bytes": "4002",
    "three bytes": "400200",
    "version 0": "0002M" + RUN,
    "version 2": "8002M" + RUN,
    "version 3": "c002M" + RUN,
    "token length 9": "4902M010203040506070809" + RUN,
    "token length 15": "4f02M0102030405060708090a0b0c0d0e0f" + RUN,
    "token cut": "4802M0102",
    "empty with token": "4200M0102",
    "empty with options": "4000M" + RUN,
    "empty with payload": "4000Mff00",
    "marker without payload": "4002M" + RUN + "ff",
    "option delta 15": "4002M" + RUN + "f1ff",
    "option length 15": "4002M" + RUN + "1f00",
    "option cut": "4002M" + RUN + "0a3132",
    "option delta cut": "4002M" + RUN + "d0",
    "option delta of two bytes cut": "4002M" + RUN + "e001",
    "option length cut": "4002M" + RUN + "0d",
    "option length of two bytes cut": "4002M" + RUN + "0e01",
    "option of 65804 bytes": "4002M" + RUN + "0effff",
    "option numbers beyond 65535": "4002M" + RUN + "e0fffee0fffe",
    "critical unknown option": "4002M" + RUN + "d1f100",
    "class 1": "4021M" + RUN,
    "class 3": "4061M" + RUN,
    "class 6": "40c1M" + RUN,
    "class 7": "40e1M" + RUN,
    "method 0.31": "401fM" + RUN,
    "answer that nobody asked for": "4844M0102030405060708",
    "answer as NON": "5844M0102030405060708",
    "answer as ACK": "6844M0102030405060708",
    "request as ACK": "6002M" + RUN,
    "request as RST": "7002M" + RUN,
    "reset with payload": "7000Mff31",
    "text": b"GET / HTTP/1.1\r\n\r\n".hex(),
    "JSON": b'{"jsonrpc": "2.0"}'.hex(),
    "ClientHello": "16fefd000000000000000000360100002a000000000000002afefd",
    "zeros": "00" * 64,
    "ones": "ff" * 64,
    "marker alone": "4002Mff",
    "markers": "4002M" + RUN + "ff" * 40,
}


def fill(text: str, mid: int) -> bytes:
    return bytes.fromhex(text.replace("M", f"{mid:04x}"))


@pytest.mark.parametrize("name", BROKEN)
def test_broken(any_server: Server, start: Start, name: str) -> None:
    """It is dropped, reset or refused; never executed, never answered with success."""
    device = start(any_server)
    # "markers" is a Request with a payload of 0xff bytes and thus arguments that cannot be
    since = len(any_server.seen)
    mids = [any_server.new_mid() for _ in range(3)]
    for mid in mids:
        any_server.send_bytes(fill(BROKEN[name], mid))
    assert any_server.ask(GET, "/33000/0/0").payload == b"abc"
    assert device.thing.executed == 0
    for seen in any_server.matching(lambda m: m.mid in mids, since):
        assert seen.message.type == RST or 4 <= seen.message.code >> 5 <= 5
    assert len(any_server.matching(is_register)) == 1


@pytest.mark.parametrize("kind", [CON, NON, ACK, RST])
def test_all_codes_and_types(any_server: Server, start: Start, kind: int) -> None:
    device = start(any_server)
    for code in range(256):
        if (kind, code) not in ((CON, POST), (NON, POST)):
            options = [(11, b"33000"), (11, b"0"), (11, b"10")]
            any_server.send(Message(kind, code, any_server.new_mid(), b"t", options))
        if code % 32 == 31:  # more at once than fits into the socket would be lost
            assert any_server.ask(GET, "/33000/0/3").code == CONTENT
    assert any_server.ask(GET, "/33000/0/0").payload == b"abc"
    assert device.thing.executed == 0
    assert len(any_server.matching(is_register)) == 1


def test_larger_than_the_buffer(any_server: Server, start: Start) -> None:
    """4.13, and what follows is read as if nothing had been."""
    device = start(any_server, in_buffer_size=2000)
    for size in (1900, 1960, 2000, 2001, 3000, 8000):
        request = any_server.request(PUT, "/33000/0/1", bytes(size), [(FORMAT, number(42))])
        any_server.send(request)
        assert any_server.ask(GET, "/33000/0/0").payload == b"abc"
        code = any_server.wait_answer(request).code
        assert code == (CHANGED if len(request.encode()) <= 2000 else TOO_LARGE)
    assert len(device.thing.blob) == 1960


@pytest.mark.parametrize("seed", range(4))
def test_mutated(any_server: Server, start: Start, seed: int) -> None:
    """Requests with bytes changed, cut or added, for longer than the lifetime: Updates come in time."""
    device = start(any_server, lifetime=2)
    dice = random.Random(seed)
    before = any_server.renewals
    end = any_server.now + 2.5
    count = 0
    while any_server.now < end or (any_server.renewals - before < 2 and any_server.now < end + SLACK):
        for _ in range(20):
            data = mutate(dice, any_server)
            if VENDORED or not begins_a_transfer(data):
                any_server.send_bytes(data)
            count += 1
        assert any_server.ask(GET, "/33000/0/3").code == CONTENT
    assert count > 1000
    assert any_server.renewals - before >= 2
    assert len(any_server.matching(is_register)) == 1
    assert device.client.registered
    assert any_server.ask(PUT, "/33000/0/0", b"abc", [(FORMAT, number(0))]).code == 0x44


def begins_a_transfer(data: bytes) -> bool:
    """While one is open the real library answers nothing else."""
    try:
        message = Message.decode(data)
    except (IndexError, struct.error):
        return False
    return bool(message.get(BLOCK1) or message.get(BLOCK2))


def mutate(dice: random.Random, server: Server) -> bytes:
    code, path = dice.choice(
        [(GET, "/33000"), (GET, "/33000/0/0"), (PUT, "/33000/0/0"), (POST, "/33000/0/10"), (GET, "/5")]
    )
    payload = dice.randbytes(dice.randint(0, 40)) if code == PUT else b""
    options = dice.sample(
        [(6, b""), (12, b""), (17, b"\x2d\x16"), (23, b"\x02"), (27, b"\x08"), (60, b"\xff\xff")], 2
    )
    data = bytearray(server.request(code, path, payload, options).encode())
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(4, len(data)) if len(data) > 4 else 0
        kind = dice.randrange(4)
        if kind == 0 and data:
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            data.insert(at, dice.randrange(256))
        elif kind == 2:
            del data[at:]
        else:
            data[at:at] = dice.randbytes(dice.randrange(20))
    return bytes(data)
