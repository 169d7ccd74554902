# SPDX-License-Identifier: Apache-2.0
"""Reset to a notification, and what else ends an observation (RFC 7641, section 3.6)."""

from __future__ import annotations

import threading

import pytest

from ..provider import needs
from ..python.peer import BLOCK1, BLOCK2, CON, FORMAT, GET, NON, OBSERVE, PUT, QUERY, RST, Message, number
from .conftest import Device, Start
from .server import CHANGED, CONTENT, Server

PATH = "/33000/0/2"
CONTINUE = 0x5F


def attributes(server: Server, path: str, *queries: str) -> None:
    options = [(QUERY, query.encode()) for query in queries]
    assert server.ask(PUT, path, b"", options).code == CHANGED


def change(device: Device, token: bytes, count: int) -> Message:
    """Change the value and wait until so many notifications have come."""
    device.thing.number += 1
    seen = device.server.wait(
        lambda: (
            device.server.notifications(token) if len(device.server.notifications(token)) >= count else None
        )
    )
    return seen[-1].message


@needs("ANJAY_WITH_CON_ATTR")
@pytest.mark.parametrize("confirmable", [True, False], ids=["con", "non"])
def test_reset_cancels(any_server: Server, start: Start, confirmable: bool) -> None:
    device = start(any_server)
    attributes(any_server, PATH, f"con={int(confirmable)}", "pmin=0")
    assert any_server.observe(PATH, b"obs").code == CONTENT
    assert any_server.observe("/33000/0/3", b"other").code == CONTENT
    assert change(device, b"obs", 1).type == (CON if confirmable else NON)
    any_server.on_notification = RST
    change(device, b"obs", 2)
    any_server.on_notification = 2
    assert any_server.ask(GET, PATH).code == CONTENT  # the Reset came before it
    for _ in range(3):
        device.thing.number += 1
        any_server.quiet(lambda: len(any_server.notifications(b"obs")) > 2, 0.3)
    device.thing.other = 5  # the other one goes on
    any_server.wait(lambda: any_server.notifications(b"other"))
    assert any_server.observe(PATH, b"obs").code == CONTENT  # and this can begin anew
    change(device, b"obs", 3)


@needs("ANJAY_WITH_CON_ATTR")
def test_late_reset_cancels(server: Server, start: Start) -> None:
    """Of a notification before the last: it is still known whose it was."""
    device = start(server)
    attributes(server, PATH, "con=0", "pmin=0")
    assert server.observe(PATH, b"obs").code == CONTENT
    early = change(device, b"obs", 1)
    change(device, b"obs", 2)
    server.send(Message(RST, 0, early.mid))
    assert server.ask(GET, PATH).code == CONTENT
    device.thing.number += 1
    server.quiet(lambda: len(server.notifications(b"obs")) > 2, 0.5)


@needs("ANJAY_WITH_CON_ATTR")
def test_resets_of_other_messages_cancel_nothing(server: Server, start: Start) -> None:
    device = start(server)
    attributes(server, PATH, "con=0", "pmin=0")
    assert server.observe(PATH, b"obs").code == CONTENT
    seen = change(device, b"obs", 1)
    for mid in range(seen.mid + 1, seen.mid + 50):
        server.send(Message(RST, 0, mid & 0xFFFF))
    assert server.ask(GET, PATH).code == CONTENT
    change(device, b"obs", 2)


def test_cancelled_by_a_request(any_server: Server, start: Start) -> None:
    device = start(any_server)
    attributes(any_server, PATH, "pmin=0")
    assert any_server.observe(PATH, b"obs").code == CONTENT
    change(device, b"obs", 1)
    request = any_server.request(GET, PATH, b"", [(OBSERVE, b"\1")], token=b"obs")
    answer = any_server.exchange(request)
    assert answer.code == CONTENT
    assert not answer.get(OBSERVE)
    device.thing.number += 1
    any_server.quiet(lambda: len(any_server.notifications(b"obs")) > 1, 0.5)


def test_notifications_during_a_push(any_server: Server, start: Start) -> None:
    """Neither waits for the other."""
    device = start(any_server)
    attributes(any_server, PATH, "con=1", "pmin=0")
    assert any_server.observe(PATH, b"obs").code == CONTENT
    image = bytes(range(256)) * 8
    for num in range(8):
        more = num < 7
        option = (BLOCK1, number(num << 4 | more << 3 | 4))
        piece = image[num * 256 : num * 256 + 256]
        code = any_server.ask(PUT, "/5/0/0", piece, [(FORMAT, number(42)), option]).code
        assert code == (CONTINUE if more else CHANGED)
        assert change(device, b"obs", num + 1).payload == str(num + 1).encode()
    assert device.firmware.data == image


def test_assignments_do_not_wait_for_a_push(any_server: Server, start: Start) -> None:
    """Whoever measures in another thread goes on; the server is told at the latest when the push is over."""
    device = start(any_server)
    attributes(any_server, PATH, "pmin=0")
    assert any_server.observe(PATH, b"obs").code == CONTENT

    def push(num: int) -> int:
        option = (BLOCK1, number(num << 4 | (num < 3) << 3 | 4))
        return any_server.ask(PUT, "/5/0/0", bytes(256), [(FORMAT, number(42)), option]).code

    assert push(0) == CONTINUE
    done = threading.Event()

    def assign() -> None:
        for value in range(1, 100):
            device.thing.number = value
        done.set()

    threading.Thread(target=assign, daemon=True).start()
    assert done.wait(10)
    assert [push(num) for num in (1, 2, 3)] == [CONTINUE, CONTINUE, CHANGED]
    any_server.wait(lambda: [n for n in any_server.notifications(b"obs") if n.message.payload == b"99"])


def test_notification_larger_than_a_block(any_server: Server, start: Start) -> None:
    """The first block comes by itself, the others are fetched (RFC 7959, section 2.6)."""
    device = start(any_server)
    path = "/33000/0/0"
    attributes(any_server, path, "pmin=0")
    assert any_server.observe(path, b"obs").code == CONTENT
    device.thing.text = "".join(chr(65 + i % 26) for i in range(2500))
    want = device.thing.text
    notification = any_server.wait(lambda: any_server.notifications(b"obs"))[0].message
    assert notification.get(BLOCK2) == [number(0 << 4 | 1 << 3 | 6)]
    text = notification.payload
    for num in (1, 2):
        text += any_server.ask(GET, path, b"", [(BLOCK2, number(num << 4 | 6))]).payload
    assert text.decode() == want


def test_sequence_grows(server: Server, start: Start) -> None:
    """Each notification has a higher Observe value than the one before (RFC 7641, section 3.4)."""
    device = start(server)
    attributes(server, PATH, "pmin=0")
    assert server.observe(PATH, b"obs").code == CONTENT
    for count in range(1, 10):
        change(device, b"obs", count)
    values = [int.from_bytes(s.message.get(OBSERVE)[0], "big") for s in server.notifications(b"obs")]
    assert values == sorted(set(values))


def test_observations_end_with_the_registration(any_server: Server, start: Start) -> None:
    """A new registration begins without any (LwM2M Core 1.1, section 6.4.1)."""
    device = start(any_server)
    attributes(any_server, PATH, "pmin=0")
    assert any_server.observe(PATH, b"obs").code == CONTENT
    change(device, b"obs", 1)
    any_server.restart()
    device.update()
    any_server.wait_registered()
    assert any_server.ask(GET, PATH).code == CONTENT
    device.thing.number += 1
    any_server.quiet(lambda: len(any_server.notifications(b"obs")) > 1, 0.5)
