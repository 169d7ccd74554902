# SPDX-License-Identifier: Apache-2.0
"""Block-wise transfers (RFC 7959) at every block size: lost, repeated, reordered, abandoned, interleaved."""

from __future__ import annotations

import random

import pytest

from ..provider import VENDORED
from ..python.peer import ACCEPT, ACK, BLOCK1, BLOCK2, FORMAT, GET, PUT, Message, number
from .conftest import Device, Start
from .server import CHANGED, CONTENT, INCOMPLETE, Server, first, is_answer_to

TEXT, OPAQUE, TLV = 0, 42, 11542
CONTINUE, BAD_REQUEST, BAD_OPTION, UNAVAILABLE = 0x5F, 0x80, 0x82, 0xA3
OUT_OF_ORDER = INCOMPLETE if VENDORED else UNAVAILABLE
"""Of a block that is not the next one. The real library goes on with the transfer, vendor/ ends it."""
SIZES = pytest.mark.parametrize("szx", range(7), ids=[str(16 << szx) for szx in range(7)])
FIRMWARE, BLOB = "/5/0/0", "/33000/0/1"


def body(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def block(option: int, num: int, more: bool, szx: int) -> tuple[int, bytes]:
    return option, number(num << 4 | more << 3 | szx)


def parse(message: Message, option: int) -> tuple[int, bool, int]:
    """Number, More and SZX."""
    value = int.from_bytes(message.get(option)[0], "big")
    return value >> 4, bool(value & 8), value & 7


class Write:
    """A body on its way to a path, block by block."""

    def __init__(self, server: Server, path: str, data: bytes, szx: int, token: bytes | None = None) -> None:
        self.server, self.path, self.data, self.szx, self.token = server, path, data, szx, token
        self.count = -(-len(data) // (16 << szx))

    def request(self, num: int, szx: int | None = None) -> Message:
        szx = self.szx if szx is None else szx
        size = 16 << szx
        piece = self.data[num * size : num * size + size]
        more = (num + 1) * size < len(self.data)
        options = [(FORMAT, number(OPAQUE)), block(BLOCK1, num, more, szx)]
        return self.server.request(PUT, self.path, piece, options, token=self.token)

    def send(self, num: int, szx: int | None = None) -> int:
        request = self.request(num, szx)
        answer = self.server.exchange(request)
        if answer.code in (CONTINUE, CHANGED):
            assert parse(answer, BLOCK1)[0] == num
            assert parse(answer, BLOCK1)[2] <= request_szx(request)
        return answer.code

    def all(self, begin: int = 0) -> None:
        for num in range(begin, self.count):
            assert self.send(num) == (CONTINUE if num < self.count - 1 else CHANGED)


def request_szx(request: Message) -> int:
    return parse(request, BLOCK1)[2]


def written(device: Device, path: str) -> bytes:
    return device.firmware.data if path == FIRMWARE else device.thing.blob


def cancel_firmware(server: Server) -> None:
    """Back to the state Idle, if it is another one."""
    assert server.ask(PUT, FIRMWARE, b"\0", [(FORMAT, number(OPAQUE))]).code == CHANGED


PATHS = pytest.mark.parametrize("path", [FIRMWARE, BLOB], ids=["firmware", "blob"])


@SIZES
@PATHS
def test_write(any_server: Server, start: Start, path: str, szx: int) -> None:
    device = start(any_server)
    data = body((16 << szx) * 5 + 3)
    Write(any_server, path, data, szx).all()
    assert written(device, path) == data


@SIZES
@PATHS
def test_blocks_and_answers_are_lost_and_repeated(server: Server, start: Start, path: str, szx: int) -> None:
    """Each block comes up to three times; of its answers only the last arrives."""
    device = start(server)
    data = body((16 << szx) * 6)
    transfer = Write(server, path, data, szx)
    dice = random.Random(szx)
    for num in range(transfer.count):
        request = transfer.request(num)
        times = dice.randint(1, 3)
        server.lose_in = first(times - 1, is_answer_to(request))
        for _ in range(times):
            code = server.exchange(request).code
        assert code == (CONTINUE if num < transfer.count - 1 else CHANGED)
    assert written(device, path) == data
    if path == FIRMWARE:
        assert (device.firmware.opened, device.firmware.finished) == (1, 1)


@SIZES
@PATHS
def test_wrong_order(server: Server, start: Start, path: str, szx: int) -> None:
    """It is refused, and nothing is written; where that has ended the transfer, a block 0 begins anew."""
    device = start(server)
    before = written(device, path)
    data = body((16 << szx) * 5)
    transfer = Write(server, path, data, szx)
    assert transfer.send(1) == INCOMPLETE  # never begun
    assert transfer.send(4) == INCOMPLETE
    assert transfer.send(0) == CONTINUE
    assert transfer.send(2) == OUT_OF_ORDER
    if VENDORED:
        assert transfer.send(1) == INCOMPLETE
    if path == BLOB:
        assert device.thing.blob == before
    else:
        assert device.firmware.finished == 0
    transfer.all(0 if VENDORED else 1)
    assert written(device, path) == data


@PATHS
def test_reordered_blocks_sent_at_once(server: Server, start: Start, path: str) -> None:
    """Blocks that overtake each other in the network."""
    device = start(server)
    data = body(64 * 6)
    transfer = Write(server, path, data, 2)
    requests = [transfer.request(num) for num in (0, 2, 1, 3, 5, 4)]
    for request in requests:
        server.send(request)
    codes = [server.wait_answer(request).code for request in requests]
    assert codes[0] == CONTINUE
    if VENDORED:
        assert set(codes[1:]) == {INCOMPLETE}
        transfer.all()
    else:
        assert codes[1:] == [UNAVAILABLE, CONTINUE, UNAVAILABLE, UNAVAILABLE, UNAVAILABLE]
        transfer.all(2)
    assert written(device, path) == data


@SIZES
@PATHS
def test_abandoned(server: Server, start: Start, path: str, szx: int) -> None:
    """One that ends in the middle is in nobody's way: other requests, then a new one from block 0."""
    device = start(server)
    old, new = body((16 << szx) * 4, 1), body((16 << szx) * 4 + 1, 2)
    abandoned = Write(server, path, old, szx)
    for num in range(3):
        assert abandoned.send(num) == CONTINUE
    assert server.ask(GET, "/33000/0/0").payload == b"abc"
    Write(server, path, new, szx).all()
    assert written(device, path) == new
    if path == FIRMWARE:
        assert device.firmware.finished == 1


def test_abandoned_firmware_is_reset_in_time(server: Server, start: Start) -> None:
    """After EXCHANGE_LIFETIME, here set to 2 s, what was begun is thrown away."""
    from anjay_cffi._ffi import lib

    device = start(server)
    two = lib.avs_time_duration_from_fscalar(2.0, lib.AVS_TIME_S)
    error = lib.anjay_update_coap_exchange_timeout(device.client._anjay, {"udp": True}, two)
    assert error.code == 0
    transfer = Write(server, FIRMWARE, body(64 * 5), 2)
    for num in range(3):
        assert transfer.send(num) == CONTINUE
    if VENDORED:  # the real library answers nothing else meanwhile
        assert server.ask(GET, "/5/0/3", b"", [(ACCEPT, b"")]).payload == b"1"
    server.wait(lambda: device.firmware.resets, 5.0)
    assert server.ask(GET, "/5/0/3", b"", [(ACCEPT, b"")]).payload == b"0"
    assert transfer.send(3) == INCOMPLETE
    transfer.all()
    assert device.firmware.data == transfer.data


@SIZES
def test_two_transfers_interleaved(any_server: Server, start: Start, szx: int) -> None:
    """A push, a write elsewhere, and reads, turn by turn."""
    device = start(any_server)
    push = Write(any_server, FIRMWARE, body((16 << szx) * 6, 1), szx)
    other = Write(any_server, BLOB, body((16 << szx) * 6, 2), szx)
    for num in range(6):
        last = CHANGED if num == 5 else CONTINUE
        assert push.send(num) == last
        assert any_server.ask(GET, "/33000/0/0").payload == b"abc"
        assert other.send(num) == last
        assert any_server.ask(PUT, "/33000/0/2", b"%d" % num, [(FORMAT, number(TEXT))]).code == CHANGED
    assert device.firmware.data == push.data
    assert device.thing.blob == other.data
    assert device.thing.number == 5


def test_interleaved_of_different_sizes(server: Server, start: Start) -> None:
    device = start(server)
    push = Write(server, FIRMWARE, body(1024 * 4, 1), 6)
    other = Write(server, BLOB, body(16 * 40, 2), 0)
    for num in range(4):
        assert push.send(num) == (CHANGED if num == 3 else CONTINUE)
        for small in range(num * 10, num * 10 + 10):
            assert other.send(small) == (CHANGED if small == 39 else CONTINUE)
    assert device.firmware.data == push.data
    assert device.thing.blob == other.data


def test_two_writers_of_one_resource(server: Server, start: Start) -> None:
    """Two bodies to one resource, told apart by their tokens: each arrives whole."""
    device = start(server)
    one = Write(server, BLOB, body(64 * 4, 1), 2, token=b"one")
    two = Write(server, BLOB, body(64 * 4, 2), 2, token=b"two")
    for num in range(4):
        assert one.send(num) == (CHANGED if num == 3 else CONTINUE)
        if num == 3:
            assert device.thing.blob == one.data
        assert two.send(num) == (CHANGED if num == 3 else CONTINUE)
    assert device.thing.blob == two.data


@pytest.mark.parametrize(("begin", "then"), [(6, 0), (6, 3), (5, 4), (4, 1), (0, 2), (1, 6)])
@PATHS
def test_size_changed_midway(server: Server, start: Start, path: str, begin: int, then: int) -> None:
    """The server may take another size at any block that begins where the last one ended."""
    device = start(server)
    unit = 16 << max(begin, then)
    data = body(unit * 3)
    transfer = Write(server, path, data, begin)
    for num in range(unit // (16 << begin)):
        assert transfer.send(num) == CONTINUE
    count = len(data) // (16 << then)
    for num in range(unit // (16 << then), count):
        assert transfer.send(num, then) == (CHANGED if num == count - 1 else CONTINUE)
    assert written(device, path) == data


def test_size_changed_to_a_wrong_offset(server: Server, start: Start) -> None:
    device = start(server)
    transfer = Write(server, BLOB, body(1024), 2)
    assert transfer.send(0) == CONTINUE
    assert transfer.send(1, 4) == OUT_OF_ORDER  # byte 256, where 64 is awaited
    assert device.thing.blob == b""
    transfer.all(0 if VENDORED else 1)
    assert device.thing.blob == transfer.data


def test_blocks_that_cannot_be(server: Server, start: Start) -> None:
    device = start(server)
    full = [(FORMAT, number(OPAQUE))]
    assert server.ask(PUT, BLOB, b"short", [*full, block(BLOCK1, 0, True, 0)]).code in (
        BAD_REQUEST,
        BAD_OPTION,
    )
    assert server.ask(PUT, BLOB, bytes(17), [*full, block(BLOCK1, 0, True, 0)]).code in (
        BAD_REQUEST,
        BAD_OPTION,
    )
    assert server.ask(PUT, BLOB, bytes(16), [*full, (BLOCK1, number(7))]).code in (BAD_REQUEST, BAD_OPTION)
    assert server.ask(PUT, BLOB, bytes(16), [*full, (BLOCK1, bytes(4))]).code in (BAD_REQUEST, BAD_OPTION)
    assert server.ask(GET, BLOB, b"", [(BLOCK2, number(7))]).code in (BAD_REQUEST, BAD_OPTION)
    assert server.ask(PUT, BLOB, bytes(16), [*full, block(BLOCK1, 0xFFFFF, False, 6)]).code == INCOMPLETE
    assert device.thing.blob == b""


def read(server: Server, path: str, szx: int | None, accept: int = OPAQUE) -> bytes:
    """Read a body block by block; the first request says the size unless it is None."""
    data, num = b"", 0
    while True:
        options = [(ACCEPT, number(accept))]
        if szx is not None:
            options.append(block(BLOCK2, num, False, szx))
        answer = server.ask(GET, path, b"", options)
        assert answer.code == CONTENT
        got, more, size = parse(answer, BLOCK2)
        assert got == num
        assert szx is None or size == szx
        szx = size
        data += answer.payload
        if not more:
            return data
        assert len(answer.payload) == 16 << size
        num += 1


@SIZES
def test_read(any_server: Server, start: Start, szx: int) -> None:
    device = start(any_server)
    device.thing.blob = body(2500)
    assert read(any_server, BLOB, szx) == device.thing.blob


def test_read_without_being_asked_for_blocks(any_server: Server, start: Start) -> None:
    device = start(any_server)
    device.thing.blob = body(4000)
    assert read(any_server, BLOB, None) == device.thing.blob


@SIZES
def test_read_with_blocks_lost_and_repeated(server: Server, start: Start, szx: int) -> None:
    """Each request comes twice, and the blocks in any order, once the first is there."""
    device = start(server)
    device.thing.blob = body((16 << szx) * 8)

    def get(num: int) -> bytes:
        options = [(ACCEPT, number(OPAQUE)), block(BLOCK2, num, False, szx)]
        request = server.request(GET, BLOB, b"", options)
        server.lose_in = first(1, is_answer_to(request))
        once, twice = server.exchange(request), server.exchange(request)
        assert once == twice
        assert twice.code == CONTENT
        return twice.payload

    order = [0, *random.Random(szx).sample(range(1, 8), 7)] if VENDORED else range(8)
    pieces = {num: get(num) for num in order}
    assert b"".join(pieces[num] for num in range(8)) == device.thing.blob


def test_read_changes_its_size_midway(server: Server, start: Start) -> None:
    device = start(server)
    device.thing.blob = body(4000)
    data = b""
    small = [(0, num) for num in range(136, 144)]
    for szx, num in [(6, 0), (6, 1), (2, 32), (2, 33), *small, *((4, num) for num in range(9, 16))]:
        answer = server.ask(GET, BLOB, b"", [(ACCEPT, number(OPAQUE)), block(BLOCK2, num, False, szx)])
        assert answer.code == CONTENT
        at = num * (16 << szx)
        assert answer.payload == device.thing.blob[at : at + (16 << szx)]
        data += answer.payload
    assert data == device.thing.blob


def test_value_that_changes_during_a_read(server: Server, start: Start) -> None:
    """The blocks are of one value: that of the first."""
    device = start(server)
    before = device.thing.blob = body(1000, 1)
    data = b""
    for num in range(8):
        answer = server.ask(GET, BLOB, b"", [(ACCEPT, number(OPAQUE)), block(BLOCK2, num, False, 3)])
        data += answer.payload
        device.thing.blob = body(1000, num + 2)
    assert data == before


def test_two_reads_interleaved(server: Server, start: Start) -> None:
    device = start(server)
    device.thing.blob = body(1000, 1)
    device.thing.text = "x" * 900
    pieces: dict[str, bytes] = {BLOB: b"", "/33000/0/0": b""}
    for num in range(8):
        for path, format in ((BLOB, OPAQUE), ("/33000/0/0", TEXT)):
            options = [(ACCEPT, number(format)), block(BLOCK2, num, False, 3)]
            pieces[path] += server.ask(GET, path, b"", options).payload
    assert pieces == {BLOB: device.thing.blob, "/33000/0/0": device.thing.text.encode()}


def test_block_beyond_the_end(server: Server, start: Start) -> None:
    device = start(server)
    device.thing.blob = body(100)
    answer = server.ask(GET, BLOB, b"", [(ACCEPT, number(OPAQUE)), block(BLOCK2, 9, False, 2)])
    assert answer.code == BAD_REQUEST


def test_reads_and_updates_during_a_push(any_server: Server, start: Start) -> None:
    """A push of several lifetimes: reads are answered at once, and Updates come in time."""
    device = start(any_server, lifetime=4)
    data = body(64 * 120)
    transfer = Write(any_server, FIRMWARE, data, 2)
    before = any_server.renewals
    for num in range(transfer.count):
        assert transfer.send(num) == (CONTINUE if num < transfer.count - 1 else CHANGED)
        assert any_server.ask(GET, "/33000/0/0").payload == b"abc"
        any_server.quiet(lambda: any_server.lapses, 0.08)
    assert device.firmware.data == data
    assert any_server.renewals - before >= 3


def test_large_register(any_server: Server, start: Start) -> None:
    """Links longer than a block go out in blocks, each of them once in spite of lost answers."""
    import anjay_cffi as lwm2m

    class Many(lwm2m.Object, oid=33001, creatable=True):
        value: int = lwm2m.resource(0, "R", default=0)

    bodies: dict[int, bytes] = {}

    def gather(message: Message) -> Message | None:
        if not message.get(BLOCK1):
            return any_server.answer(message)
        num, more, szx = parse(message, BLOCK1)
        bodies[num] = message.payload
        if more:
            return Message(ACK, CONTINUE, message.mid, message.token, [block(BLOCK1, num, True, min(szx, 4))])
        answer = any_server.answer(message)
        assert answer is not None
        answer.options.append(block(BLOCK1, num, False, szx))
        return answer

    device = start(any_server)
    any_server.script = gather
    any_server.lose_out = first(2, lambda m: m.code == CONTINUE)
    before = any_server.renewals
    device.client.register(Many, instances=[Many(iid=iid) for iid in range(300)])
    device.update()
    any_server.wait_renewed(since=before)
    last = max(bodies)
    links = bodies[0] + b"".join(bodies[num] for num in range(4, last + 1))  # 1024 at first, then 256
    assert links.startswith(b"</1/0>")
    assert [f"</33001/{iid}>".encode() in links for iid in range(300)] == [True] * 300
