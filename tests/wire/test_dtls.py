# SPDX-License-Identifier: Apache-2.0
"""DTLS with a pre-shared key: wrong credentials, losses, and what an attacker may send (RFC 6347)."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable

import pytest

import anjay_cffi as lwm2m

from ..provider import VENDORED
from ..python.peer import GET, POST, Message
from .conftest import GIVEN_UP, RETRY, SLACK, Device, Start
from .dtls import (
    ALERT,
    CHANGE_CIPHER,
    DATA,
    HANDSHAKE,
    HEADER,
    DtlsServer,
    epoch,
    is_client_hello,
    records,
    unchanged,
)
from .server import CHANGED, CONTENT, Address, Relay, is_register, is_update

NOT_CONNECTED = lwm2m.ServerStatus.REG_FAILURE
"""As connection_error_is_registration_failure has it, which conftest.py sets."""
FIRST_TIMEOUT = 1.0
GIVEN_UP_HANDSHAKE = 3.0
"""1 s and 2 s, the limits that conftest.py sets: the attempt ends with the longest timeout."""
FOUND_OUT = (GIVEN_UP if VENDORED else 2 * GIVEN_UP) + SLACK
"""A session is dead when an Update was not answered; the real library tries a Register on it first."""


def record(kind: int, body: bytes, *, epoch: int = 0, number: int = 0, version: int = 0xFEFD) -> bytes:
    head = bytes([kind]) + version.to_bytes(2, "big") + epoch.to_bytes(2, "big") + number.to_bytes(6, "big")
    return head + len(body).to_bytes(2, "big") + body


def key_exchanges(server: DtlsServer) -> int:
    """How often the flight with ClientKeyExchange came."""
    return sum(
        data[0] == HANDSHAKE and epoch(data) == 0 and data[HEADER] == 16 for data in list(server.arrived)
    )


@pytest.mark.parametrize(
    "limits", [None, lwm2m.DtlsHandshakeTimeouts(min=1.0, max=2.0)], ids=["default", "short"]
)
def test_wrong_key(dtls_server: DtlsServer, start: Start, limits: lwm2m.DtlsHandshakeTimeouts | None) -> None:
    """The Finished of either side is noise to the other and dropped (RFC 6347, 4.1.2.7): no alert is sent.

    The client repeats its flight after 1 s, 2 s, ... and tries again after the Communication Retry Timer.
    """
    dtls_server.keys = {b"identity": b"another"}
    device = start(dtls_server, register=False, dtls_handshake_timeouts=limits)
    begun = time.monotonic()
    dtls_server.wait(lambda: key_exchanges(dtls_server) >= 2, FIRST_TIMEOUT + SLACK)
    assert time.monotonic() - begun >= FIRST_TIMEOUT - 0.1
    if limits is None:  # 2 minutes until it is given up
        dtls_server.wait(lambda: key_exchanges(dtls_server) >= 3, 2 * FIRST_TIMEOUT + SLACK)
        assert time.monotonic() - begun >= 3 * FIRST_TIMEOUT - 0.1
        assert not dtls_server.handshakes
        device.client.close(timeout=0.0)
        start.devices.remove(device)  # type: ignore[attr-defined]
        return
    device.wait_status(NOT_CONNECTED, timeout=GIVEN_UP_HANDSHAKE)
    assert time.monotonic() - begun >= GIVEN_UP_HANDSHAKE - 0.1
    assert key_exchanges(dtls_server) == 2
    assert not dtls_server.handshakes
    dtls_server.keys = {b"identity": b"P4s$w0rd"}
    dtls_server.wait_renewed(RETRY + SLACK)


def test_wrong_identity(dtls_server: DtlsServer, start: Start) -> None:
    """The server sends an alert, which ends the attempt at once; the next comes after the retry timer."""
    dtls_server.keys = {b"somebody": b"P4s$w0rd"}
    device = start(dtls_server, register=False)
    device.wait_status(NOT_CONNECTED, timeout=SLACK)
    assert dtls_server.refused
    assert any(r[0] == ALERT for r in dtls_server.sent)
    dtls_server.keys = {b"identity": b"P4s$w0rd"}
    dtls_server.wait_renewed(2 * RETRY + SLACK)


def test_a_failed_connection_is_an_error_by_default(dtls_server: DtlsServer, start: Start) -> None:
    dtls_server.keys = {}
    device = start(dtls_server, register=False, connection_error_is_registration_failure=False)
    device.wait_status(lwm2m.ServerStatus.ERROR, timeout=SLACK)
    device.client.close(timeout=0.0)
    start.devices.remove(device)  # type: ignore[attr-defined]


def test_key_that_becomes_wrong(dtls_server: DtlsServer, start: Start) -> None:
    """The server gets another key and loses its sessions; with the old key back, the client is back."""
    dtls_server.lapses_expected = True
    device = start(dtls_server, lifetime=4)
    dtls_server.keys = {b"identity": b"another"}
    dtls_server.lose_state()
    device.wait_status(NOT_CONNECTED, timeout=2 + FOUND_OUT + GIVEN_UP_HANDSHAKE)
    dtls_server.keys = {b"identity": b"P4s$w0rd"}
    dtls_server.wait_renewed((RETRY if VENDORED else GIVEN_UP_HANDSHAKE + 2 * RETRY) + SLACK)


Filter = Callable[[list[bytes]], list[bytes]]


def resume(device: Device, server: DtlsServer, flight: Filter = unchanged) -> None:
    """Another handshake and an Update: at close_notify, but the real library has to be asked for both."""
    with server._more:  # nothing is answered before the filter is there
        server.end_session()
        server.flight = flight
    if not VENDORED:

        def ask() -> None:
            device.client.reconnect(1)
            device.update()

        device.client.call_later(0.0, ask)


def wait_updated(device: Device, server: DtlsServer) -> None:
    """The Update that follows was answered."""
    registered = lwm2m.ServerStatus.REGISTERED
    limit = 2 * FIRST_TIMEOUT + SLACK
    server.wait(lambda: server.renewals >= 2 and device.statuses[-1] == registered, limit)


def lose_nth(nth: int) -> tuple[list[int], Filter]:
    """A counter, and a filter of records that loses the nth one."""
    count = [0]

    def filter(out: list[bytes]) -> list[bytes]:
        numbered = list(enumerate(out, count[0]))
        count[0] += len(out)
        return [one for number, one in numbered if number != nth]

    return count, filter


@pytest.mark.parametrize("nth", range(5))
def test_record_of_the_client_is_lost(dtls_server: DtlsServer, start: Start, nth: int) -> None:
    """ClientHello, ClientKeyExchange, ChangeCipherSpec, Finished, Register: each once."""
    count, dtls_server.flight_in = lose_nth(nth)
    start(dtls_server, register=False)
    dtls_server.wait_renewed(FIRST_TIMEOUT + SLACK, since=0)
    assert count[0] > nth
    dtls_server.flight_in = unchanged
    assert dtls_server.handshakes == 1
    assert not dtls_server.refused


@pytest.mark.parametrize("nth", [-1, 0, 1, 2])
@pytest.mark.parametrize("side", ["client", "server"])
def test_cookie_is_asked_for(dtls_server: DtlsServer, start: Start, side: str, nth: int) -> None:
    """HelloVerifyRequest, also if it, or a ClientHello before or after it, is lost (RFC 6347, 4.2.1)."""
    dtls_server.ask_for_cookies()
    count, filter = lose_nth(nth)
    if side == "client":
        dtls_server.flight_in = filter
    else:
        dtls_server.flight = filter
    start(dtls_server, register=False)
    dtls_server.wait_renewed(2 * FIRST_TIMEOUT + SLACK, since=0)
    assert count[0] > nth
    assert any(r[0] == HANDSHAKE and r[HEADER] == 3 for r in dtls_server.sent)
    dtls_server.flight = dtls_server.flight_in = unchanged
    assert dtls_server.handshakes == 1


@pytest.mark.parametrize("nth", range(6))
def test_record_of_the_server_is_lost(dtls_server: DtlsServer, start: Start, nth: int) -> None:
    """ServerHello, ServerHelloDone, NewSessionTicket, ChangeCipherSpec, Finished, the answer: each once."""
    count, dtls_server.flight = lose_nth(nth)
    device = start(dtls_server, register=False)
    device.wait_status(lwm2m.ServerStatus.REGISTERED, timeout=2 * FIRST_TIMEOUT + SLACK)
    assert count[0] > nth
    dtls_server.flight = unchanged
    assert dtls_server.handshakes == 1
    assert len({s.message.mid for s in dtls_server.matching(is_register)}) == 1


@pytest.mark.parametrize("nth", range(4))
def test_record_of_the_client_is_lost_in_a_resumed_handshake(
    dtls_server: DtlsServer, start: Start, nth: int
) -> None:
    """ClientHello, ChangeCipherSpec, Finished, Update: each once. Nothing answers the Finished."""
    device = start(dtls_server)
    count, dtls_server.flight_in = lose_nth(nth)
    resume(device, dtls_server)
    wait_updated(device, dtls_server)
    assert count[0] > nth
    dtls_server.flight_in = unchanged
    assert dtls_server.handshakes == 2
    assert key_exchanges(dtls_server) == 1  # none in the second handshake


@pytest.mark.parametrize("nth", range(4))
def test_record_of_the_server_is_lost_in_a_resumed_handshake(
    dtls_server: DtlsServer, start: Start, nth: int
) -> None:
    """ServerHello, ChangeCipherSpec, Finished, the answer: each once."""
    device = start(dtls_server)
    count, filter = lose_nth(nth)
    resume(device, dtls_server, filter)
    wait_updated(device, dtls_server)
    assert count[0] > nth
    dtls_server.flight = unchanged
    assert dtls_server.handshakes == 2
    assert key_exchanges(dtls_server) == 1  # none in the second handshake


@pytest.mark.parametrize("kind", ["reversed", "twice", "one datagram", "one datagram twice"])
def test_flights_reordered_in_a_resumed_handshake(dtls_server: DtlsServer, start: Start, kind: str) -> None:
    """The server's Finished may come with, or before, the ServerHello that names the ciphersuite."""
    device = start(dtls_server)
    seen: set[bytes] = set()

    def flight(out: list[bytes]) -> list[bytes]:
        again = any(one[HEADER:] in seen for one in out)
        seen.update(one[HEADER:] for one in out)
        if "datagram" in kind:
            return [b"".join(out)] * (1 + kind.endswith("twice"))
        return out if again else out[::-1] if kind == "reversed" else out * 2

    resume(device, dtls_server, flight)
    wait_updated(device, dtls_server)
    assert dtls_server.handshakes == 2
    assert key_exchanges(dtls_server) == 1  # none in the second handshake


ORDERS = {
    "reversed": lambda out: out[::-1],
    "twice": lambda out: out * 2,
    "forth and back": lambda out: out + out[::-1],
    "first last": lambda out: out[1:] + out[:1],
    "last first": lambda out: out[-1:] + out[:-1],
}


@pytest.mark.parametrize("name", ORDERS)
def test_flights_reordered(dtls_server: DtlsServer, start: Start, name: str) -> None:
    """Parts before others, or several times; after an early ChangeCipherSpec the flight is repeated."""
    seen: set[bytes] = set()

    def flight(out: list[bytes]) -> list[bytes]:
        again = any(one[HEADER:] in seen for one in out)
        seen.update(one[HEADER:] for one in out)
        return out if again else ORDERS[name](out)

    dtls_server.flight = flight
    device = start(dtls_server, register=False)
    device.wait_status(lwm2m.ServerStatus.REGISTERED, timeout=2 * FIRST_TIMEOUT + SLACK)
    assert dtls_server.handshakes == 1
    assert not dtls_server.refused


@pytest.mark.parametrize("kind", ["swapped", "twice"])
def test_datagrams_of_the_client_reordered(dtls_server: DtlsServer, start: Start, kind: str) -> None:
    handle = dtls_server.datagram
    held: list[bytes] = []

    def swap(data: bytes, source: Address) -> None:
        if is_client_hello(data) or dtls_server.handshakes:
            handle(data, source)
        elif kind == "twice":
            handle(data, source)
            handle(data, source)
        elif held:
            handle(data, source)
            handle(held.pop(), source)
        else:
            held.append(data)

    dtls_server.datagram = swap  # type: ignore[method-assign]
    device = start(dtls_server, register=False)
    device.wait_status(lwm2m.ServerStatus.REGISTERED, timeout=2 * FIRST_TIMEOUT + SLACK)
    assert dtls_server.handshakes == 1


def test_much_of_everything_is_lost(dtls_server: DtlsServer, start: Start) -> None:
    """Handshake and registration get through 30 % loss in each direction."""
    dice = random.Random(5)
    dtls_server.flight = dtls_server.flight_in = lambda out: [one for one in out if dice.random() >= 0.3]
    start(
        dtls_server,
        register=False,
        params=lwm2m.UdpTxParams(1.0, 1.0, 4),
        dtls_handshake_timeouts=lwm2m.DtlsHandshakeTimeouts(1.0, 8.0),
    )
    dtls_server.wait_renewed(25.0, since=0)
    dtls_server.flight = dtls_server.flight_in = unchanged


def unharmed(device: Device, server: DtlsServer) -> None:
    """The session goes on as if nothing had been."""
    assert server.ask(GET, "/33000/0/0").code == CONTENT
    assert server.handshakes == 1
    assert len(server.matching(is_register)) == 1
    assert device.thing.executed == 0


def test_replayed_records(dtls_server: DtlsServer, start: Start) -> None:
    """Each record is taken once, at once or much later (RFC 6347, 4.1.2.6)."""
    device = start(dtls_server)
    requests = [dtls_server.request(POST, "/33000/0/10") for _ in range(5)]
    sealed = [dtls_server.sealed(request.encode()) for request in requests]
    for _ in range(3):
        for one in sealed:
            dtls_server.send_record(one)
    for request in requests:
        dtls_server.wait_answer(request)
    for _ in range(100):
        assert dtls_server.ask(GET, "/33000/0/0").code == CONTENT
    for one in sealed:
        dtls_server.send_record(one)
    assert dtls_server.ask(GET, "/33000/0/0").code == CONTENT
    assert device.thing.executed == 5
    assert [len(dtls_server.answers_to(request)) for request in requests] == [1] * 5
    assert dtls_server.handshakes == 1


def test_reordered_records(dtls_server: DtlsServer, start: Start) -> None:
    """The window takes them in any order."""
    device = start(dtls_server)
    requests = [dtls_server.request(POST, "/33000/0/10") for _ in range(20)]
    for one in reversed([dtls_server.sealed(request.encode()) for request in requests]):
        dtls_server.send_record(one)
    for request in requests:
        assert dtls_server.wait_answer(request).code == CHANGED
    assert device.thing.executed == 20


def test_forged_record(dtls_server: DtlsServer, start: Start) -> None:
    """A bit changed anywhere in it: dropped; the real one, which comes afterwards, is taken."""
    device = start(dtls_server)
    request = dtls_server.request(POST, "/33000/0/10")
    sealed = dtls_server.sealed(request.encode())
    for at in range(len(sealed)):
        for bit in (0, 7):
            forged = bytearray(sealed)
            forged[at] ^= 1 << bit
            dtls_server.send_record(bytes(forged))
        if at % 16 == 0:
            unharmed(device, dtls_server)
    unharmed(device, dtls_server)
    dtls_server.send_record(sealed)
    assert dtls_server.wait_answer(request).code == CHANGED
    assert device.thing.executed == 1


def test_record_cut_and_joined(dtls_server: DtlsServer, start: Start) -> None:
    """Every beginning of a record; then two whole ones in one datagram, with something behind them."""
    device = start(dtls_server)
    requests = [dtls_server.request(POST, "/33000/0/10") for _ in range(2)]
    sealed = [dtls_server.sealed(request.encode()) for request in requests]
    for size in range(len(sealed[0])):
        dtls_server.send_record(sealed[0][:size])
    unharmed(device, dtls_server)
    dtls_server.send_record(b"".join(sealed) + sealed[0] + b"\x17\xfe")
    for request in requests:
        dtls_server.wait_answer(request)
    assert device.thing.executed == 2


REQUEST = bytes.fromhex("40027777b533333030300130023130")
HELLO = bytes.fromhex("010000100000000000000010") + bytes(16)
FORGED = {
    "nothing": b"",
    "one byte": b"\x17",
    "header cut": b"\x17\xfe\xfd\x00\x01",
    "header alone": record(DATA, b"", epoch=1, number=99)[:HEADER],
    "empty record": record(DATA, b"", epoch=1, number=99),
    "short ciphertext": record(DATA, bytes(4), epoch=1, number=99),
    "ciphertext of nonce and tag": record(DATA, bytes(16), epoch=1, number=99),
    "noise as ciphertext": record(DATA, bytes(range(64)), epoch=1, number=99),
    "length beyond the datagram": record(DATA, bytes(64), epoch=1, number=99)[:-10],
    "length 65535": record(DATA, bytes(64), epoch=1, number=99)[:11] + b"\xff\xff" + bytes(64),
    "large": record(DATA, bytes(17000), epoch=1, number=99),
    "plaintext": record(DATA, REQUEST, number=99),
    "alert of one byte": record(ALERT, b"\x02", number=99),
    "alert of an unknown level": record(ALERT, b"\x03\x28", number=99),
    "ChangeCipherSpec of two bytes": record(CHANGE_CIPHER, b"\x01\x01", number=99),
    "handshake of no bytes": record(HANDSHAKE, b"", number=99),
    "handshake cut": record(HANDSHAKE, HELLO[:8], number=99),
    "fragment beyond its message": record(HANDSHAKE, b"\2" + HELLO[1:6] + b"\0\0\x10" + HELLO[9:], number=99),
    "ClientHello": record(HANDSHAKE, HELLO, number=99),
    "plain Finished": record(HANDSHAKE, b"\x14" + HELLO[1:], number=99),
    "heartbeat": record(24, b"\1\0\1a" + bytes(16), number=99),
    "unknown type of epoch 0": record(99, bytes(16), number=99),
    "plaintext of epoch 2": record(DATA, REQUEST, epoch=2, number=0),
    "plaintext of epoch 65535": record(DATA, REQUEST, epoch=65535, number=0),
    "highest number": record(DATA, bytes(64), epoch=1, number=2**48 - 1),
    "DTLS 1.0": record(DATA, bytes(64), epoch=1, number=99, version=0xFEFF),
    "TLS 1.2": record(DATA, bytes(64), epoch=1, number=99, version=0x0303),
    "unknown type": record(99, bytes(64), epoch=1, number=99),
    "fatal alert": record(ALERT, b"\x02\x28", number=99),
    "fatal alert of epoch 1": record(ALERT, b"\x02\x28", epoch=1, number=99),
    "close_notify": record(ALERT, b"\x01\x00", number=99),
    "close_notify of epoch 1": record(ALERT, b"\x01\x00", epoch=1, number=99),
    "ChangeCipherSpec": record(CHANGE_CIPHER, b"\x01", number=99),
    "HelloRequest": record(HANDSHAKE, bytes(12), number=99),
    "HelloVerifyRequest": record(
        HANDSHAKE, b"\3" + bytes(2) + b"\7" + bytes(5) + bytes(2) + b"\7\xfe\xfd\4abcd", number=99
    ),
    "ServerHello": record(HANDSHAKE, b"\2" + HELLO[1:], number=99),
    "ServerHelloDone": record(HANDSHAKE, b"\x0e" + bytes(11), number=99),
    "Finished": record(
        HANDSHAKE,
        b"\x14" + bytes(2) + b"\x0c" + bytes(5) + bytes(2) + b"\x0c" + bytes(12),
        epoch=1,
        number=99,
    ),
    "CoAP without DTLS": REQUEST,
    "CoAP ping": bytes.fromhex("40000001"),
    "text": b"GET / HTTP/1.1\r\n\r\n",
    "zeros": bytes(100),
    "ones": b"\xff" * 100,
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_in_the_session(dtls_server: DtlsServer, start: Start, name: str) -> None:
    """From the server's own address and port. It is dropped (RFC 6347, 4.1.2.7), and Updates go on."""
    device = start(dtls_server)
    for _ in range(3):
        dtls_server.send_record(FORGED[name])
    unharmed(device, dtls_server)
    device.update()
    dtls_server.wait_renewed(SLACK, since=1)
    unharmed(device, dtls_server)


SUITES = [
    "PSK-AES128-GCM-SHA256",
    "PSK-AES256-GCM-SHA384",
    "PSK-CHACHA20-POLY1305",
    "PSK-AES128-CCM",
    "PSK-AES256-CCM",
    "PSK-AES128-CCM8",
    "PSK-AES256-CCM8",
    "ECDHE-PSK-CHACHA20-POLY1305",
    "ECDHE-PSK-AES128-CBC-SHA256",
    "ECDHE-PSK-AES256-CBC-SHA384",
    "PSK-AES128-CBC-SHA256",
    "PSK-AES256-CBC-SHA384",
]


@pytest.mark.parametrize("suite", SUITES)
def test_forged_of_every_length(dtls_server: DtlsServer, start: Start, suite: str) -> None:
    """Too short for nonce and tag, or for IV, MAC and padding, or long enough; a genuine alert counts."""
    dtls_server.use_suite(suite)
    device = start(dtls_server)
    for size in range(100):
        for kind in (ALERT, DATA):
            dtls_server.send_record(record(kind, bytes(size), epoch=1, number=1000 + size))
        if size % 20 == 19:
            assert dtls_server.ask(GET, "/33000/0/0").code == CONTENT
    unharmed(device, dtls_server)
    assert len(dtls_server.ask(POST, "/33000/0/10").payload) == 0
    dtls_server.end_session()
    dtls_server.wait_renewed(SLACK, since=1)
    assert dtls_server.handshakes == 2


# What could be a message of a server is believed in a handshake: nothing authenticates it there.
PLAUSIBLE = {
    "fatal alert",
    "close_notify",
    "HelloVerifyRequest",
    "ServerHello",
    "ServerHelloDone",
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_in_the_handshake(dtls_server: DtlsServer, start: Start, name: str) -> None:
    """Before each flight of the server: dropped; what is believed costs one attempt at most."""
    forge = [True]

    def before(out: list[bytes]) -> list[bytes]:
        if not forge[0] or not dtls_server.sessions or dtls_server.handshakes:
            return out
        forge[0] = name not in PLAUSIBLE  # those once, the others before each flight
        number = out[0][5:11]
        return [FORGED[name], FORGED[name][:5] + number + FORGED[name][11:], *out]

    dtls_server.flight = before
    device = start(dtls_server, register=False)
    limit = SLACK if name not in PLAUSIBLE else GIVEN_UP_HANDSHAKE + RETRY + SLACK
    device.wait_status(lwm2m.ServerStatus.REGISTERED, timeout=limit)
    unharmed(device, dtls_server)


@pytest.mark.parametrize("seed", range(3))
def test_garbage_for_a_while(dtls_server: DtlsServer, start: Start, seed: int) -> None:
    """Longer than the lifetime, and in between real traffic: nothing lapses."""
    device = start(dtls_server, lifetime=2)
    dice = random.Random(seed)
    end = time.monotonic() + 3.0
    count = 0
    while time.monotonic() < end:
        for _ in range(20):
            noise = bytearray(dice.randbytes(dice.randrange(80)))
            if dice.random() < 0.7:
                noise[:HEADER] = record(
                    dice.choice([20, 21, 22, 23]),
                    bytes(max(0, len(noise) - HEADER)),
                    epoch=dice.choice([0, 1, 2]),
                    number=dice.randrange(2**20),
                )[:HEADER]
            dtls_server.send_record(bytes(noise))
            count += 1
        assert dtls_server.ask(GET, "/33000/0/0").code == CONTENT
    assert count > 1000
    assert dtls_server.renewals >= 3
    unharmed(device, dtls_server)


def test_server_lost_its_state(dtls_server: DtlsServer, start: Start) -> None:
    """It drops records of an unknown session: when that is found out, there is a new handshake."""
    device = start(dtls_server)
    dtls_server.lose_state()
    dtls_server.restart()
    device.update()
    dtls_server.wait_registered(FOUND_OUT)
    assert dtls_server.handshakes == 2
    assert len(dtls_server.matching(is_register)) == 2


def test_server_lost_its_state_and_nobody_asks(dtls_server: DtlsServer, start: Start) -> None:
    """The Update that comes by itself finds out."""
    dtls_server.lapses_expected = True
    start(dtls_server, lifetime=4)
    dtls_server.lose_state()
    dtls_server.restart()
    dtls_server.wait_registered(2 + FOUND_OUT)
    assert dtls_server.handshakes == 2


def test_server_closes_the_session(dtls_server: DtlsServer, start: Start) -> None:
    """close_notify: a new handshake at once; the registration is still good, so that an Update is enough."""
    start(dtls_server)
    dtls_server.end_session()
    dtls_server.wait_renewed(SLACK, since=1)
    assert dtls_server.handshakes == 2
    assert [len(dtls_server.matching(which)) for which in (is_register, is_update)] == [1, 1]


def test_server_closes_every_session(dtls_server: DtlsServer, start: Start) -> None:
    """After each Update: the client comes back each time, but does not run in circles."""
    device = start(dtls_server)
    script = dtls_server.answer
    closing: list[float] = []

    def close(message: Message) -> Message | None:
        answer = script(message)
        if is_update(message) and answer is not None and len(closing) < 4:
            closing.append(time.monotonic())
            dtls_server.send(answer, dtls_server._source)
            dtls_server.end_session()
            return None
        return answer

    dtls_server.script = close
    device.update()
    dtls_server.wait_renewed(8.0, since=5)
    gaps = [b - a for a, b in itertools.pairwise(closing)]
    assert len(gaps) == 3
    assert gaps[1] >= 1.0 - 0.1
    assert gaps[2] >= 2.0 - 0.1
    assert len(dtls_server.matching(is_register)) == 1


def test_session_is_resumed(dtls_server: DtlsServer, start: Start) -> None:
    device = start(dtls_server)
    before = len(dtls_server.arrived)
    resume(device, dtls_server)
    dtls_server.wait_renewed(SLACK, since=1)
    kinds = [
        data[HEADER] for data in dtls_server.arrived[before:] if data[0] == HANDSHAKE and epoch(data) == 0
    ]
    assert kinds == [1]  # ClientHello; no ClientKeyExchange


def test_client_gets_another_address(dtls_server: DtlsServer, start: Start) -> None:
    """Behind a NAT that rebinds, nobody knows the session's new address: a new handshake gets through."""
    with Relay(dtls_server) as relay:
        device = start(dtls_server, uri=relay.uri)
        before = dtls_server.address
        relay.rebind()
        device.update()
        dtls_server.wait_renewed(FOUND_OUT, since=1)
        assert dtls_server.address != before
        device.healthy(SLACK)
        device.client.close(timeout=1.0)
        start.devices.remove(device)  # type: ignore[attr-defined]


def test_port_is_closed_at_the_start(dtls_server: DtlsServer, start: Start) -> None:
    dtls_server.shut()
    start(dtls_server, register=False)
    time.sleep(0.3)
    dtls_server.open()
    dtls_server.wait_renewed(FIRST_TIMEOUT + SLACK, since=0)


def test_port_is_closed_for_a_while(dtls_server: DtlsServer, start: Start) -> None:
    """The session survives it."""
    device = start(dtls_server, params=lwm2m.UdpTxParams(1.0, 1.0, 2))
    dtls_server.shut()
    device.update()
    time.sleep(1.5)
    dtls_server.open()
    dtls_server.wait_renewed(2.0 + SLACK, since=1)
    assert dtls_server.handshakes == 1


def test_records_of_the_sealing_server(dtls_server: DtlsServer, start: Start) -> None:
    """What the tests above rely on: a record is what they take for one."""
    start(dtls_server)
    sealed = dtls_server.sealed(b"abc")
    assert records(sealed) == [sealed]
    assert sealed[0] == DATA
    assert epoch(sealed) == 1
