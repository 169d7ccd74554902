# SPDX-License-Identifier: Apache-2.0
"""Requests that come twice are answered from the cache and done once (RFC 7252, section 4.5)."""

from __future__ import annotations

import pytest

from ..python.peer import BLOCK1, FORMAT, GET, NON, POST, PUT, Message, number
from .conftest import Start
from .server import CHANGED, CONTENT, Seen, Server, first, is_answer_to

TEXT, OPAQUE = 0, 42


def repeat(server: Server, request: Message, times: int = 3) -> list[Seen]:
    """Send a request so often; an answer to each copy is awaited."""
    since = len(server.seen)
    for count in range(1, times + 1):
        server.send(request)
        server.wait_answer(request, count, since)
    return server.answers_to(request, since)


def test_execute(any_server: Server, start: Start) -> None:
    device = start(any_server)
    answers = repeat(any_server, any_server.request(POST, "/33000/0/10"))
    assert {a.data for a in answers} == {answers[0].data}
    assert answers[0].message.code == CHANGED
    assert device.thing.executed == 1


def test_answer_to_execute_is_lost(any_server: Server, start: Start) -> None:
    """What a server does whose answer got lost: the same datagram again."""
    device = start(any_server)
    request = any_server.request(POST, "/33000/0/10")
    any_server.lose_in = first(1, is_answer_to(request))
    answers = repeat(any_server, request, 2)
    assert answers[0].data == answers[1].data
    assert device.thing.executed == 1


def test_read_gives_the_answer_of_then(any_server: Server, start: Start) -> None:
    device = start(any_server)
    request = any_server.request(GET, "/33000/0/0")
    before = any_server.exchange(request)
    device.thing.text = "another"
    after = repeat(any_server, request, 1)
    assert after[0].message.payload == before.payload == b"abc"
    assert any_server.ask(GET, "/33000/0/0").payload == b"another"


def test_write_between_its_copies(any_server: Server, start: Start) -> None:
    """An old Write that comes late does not undo a newer one."""
    device = start(any_server)
    old = any_server.request(PUT, "/33000/0/0", b"old", [(FORMAT, number(TEXT))])
    new = any_server.request(PUT, "/33000/0/0", b"new", [(FORMAT, number(TEXT))])
    for request in (old, new, old, new, old):
        assert any_server.exchange(request).code == CHANGED
    assert device.thing.text == "new"


def test_errors_are_kept_too(any_server: Server, start: Start) -> None:
    start(any_server)
    answers = repeat(any_server, any_server.request(GET, "/33000/0/99"))
    assert len({a.data for a in answers}) == 1
    assert answers[0].message.code == 0x84


def test_many_at_once(any_server: Server, start: Start) -> None:
    """Twenty requests, each three times, interleaved."""
    device = start(any_server)
    requests = [any_server.request(POST, "/33000/0/10") for _ in range(20)]
    for request in [*requests, *reversed(requests), *requests]:
        any_server.send(request)
    for request in requests:
        any_server.wait_answer(request, 3)
    assert device.thing.executed == 20


def test_non_confirmable(any_server: Server, start: Start) -> None:
    """A repeated NON is ignored."""
    device = start(any_server)
    request = any_server.request(POST, "/33000/0/10", type=NON)
    for _ in range(3):
        any_server.send(request)
    assert any_server.ask(GET, "/33000/0/0").code == CONTENT  # all of them were taken by now
    assert device.thing.executed == 1


def test_copy_that_comes_late(any_server: Server, start: Start) -> None:
    """After a thousand other requests, whose answers pushed the first one out: not executed again."""
    device = start(any_server, msg_cache_size=500)
    request = any_server.request(POST, "/33000/0/10")
    assert any_server.exchange(request).code == CHANGED
    for _ in range(1000):
        assert any_server.ask(GET, "/33000/0/0").code == CONTENT
    any_server.send(request)
    assert any_server.ask(GET, "/33000/0/0").code == CONTENT
    assert device.thing.executed == 1


@pytest.mark.parametrize("size", [0, 100])
def test_small_cache(any_server: Server, start: Start, size: int) -> None:
    """Without room for the answer the copy may stay unanswered, but is not executed."""
    device = start(any_server, msg_cache_size=size)
    request = any_server.request(POST, "/33000/0/10")
    assert any_server.exchange(request).code == CHANGED
    for _ in range(10):
        assert any_server.ask(GET, "/33000/0").code == CONTENT
    any_server.send(request)
    assert any_server.ask(GET, "/33000/0/0").code == CONTENT
    assert device.thing.executed == 1


def test_blocks_of_a_push(any_server: Server, start: Start) -> None:
    device = start(any_server)
    image = bytes(range(256)) * 5
    for num in range(5):
        option = (BLOCK1, number(num << 4 | (num < 4) << 3 | 4))
        body = image[num * 256 : num * 256 + 256]
        request = any_server.request(PUT, "/5/0/0", body, [(FORMAT, number(OPAQUE)), option])
        assert len({a.data for a in repeat(any_server, request)}) == 1
    assert device.firmware.data == image
    assert (device.firmware.opened, device.firmware.finished) == (1, 1)
