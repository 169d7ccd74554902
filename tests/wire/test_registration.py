# SPDX-License-Identifier: Apache-2.0
"""The registration is kept up, and comes back after silence, restarts, other addresses and closed ports."""

from __future__ import annotations

import itertools
import socket
import time

import pytest

import anjay_cffi as lwm2m

from ..provider import VENDORED
from ..python.peer import ACK, FORMAT, GET, POST, PUT, RST, Message, number
from .conftest import GIVEN_UP, RETRY, SLACK, Start
from .dtls import DtlsServer
from .server import (
    CHANGED,
    CONTENT,
    NOT_FOUND,
    Relay,
    Server,
    everything,
    first,
    has_ipv6,
    is_register,
    is_update,
    nothing,
)


def test_updates_keep_the_lifetime(any_server: Server, start: Start) -> None:
    start(any_server, lifetime=4)
    for _ in range(3):
        assert any_server.wait_renewed(4.0) < 4.0
    assert len(any_server.matching(is_register)) == 1
    assert not any_server.lapses


def test_updates_come_in_time_under_load(any_server: Server, start: Start) -> None:
    """Requests without a pause do not put Updates off."""
    device = start(any_server, lifetime=2)
    end = time.monotonic() + 5
    count = 0
    while time.monotonic() < end:
        assert any_server.ask(POST, "/33000/0/10").code == CHANGED
        count += 1
    assert device.thing.executed == count
    assert count > 100
    assert any_server.renewals >= 5
    assert len(any_server.matching(is_register)) == 1


def test_updates_come_in_time_with_notifications(any_server: Server, start: Start) -> None:
    device = start(any_server, lifetime=2)
    assert any_server.observe("/33000/0/2", b"obs").code == CONTENT
    any_server.exchange(any_server.request(PUT, "/33000/0/2", b"", [(15, b"pmin=0"), (15, b"con=1")]))
    end = time.monotonic() + 5
    while time.monotonic() < end:
        device.thing.number += 1
        time.sleep(0.005)
    assert len(any_server.notifications(b"obs")) > 100
    assert any_server.renewals >= 5


def test_lifetime_begins_with_the_request(any_server: Server, start: Start) -> None:
    """An answer that gets through late does not put the next Update off: the server has counted for long."""
    device = start(any_server, lifetime=8, params=lwm2m.UdpTxParams(1.0, 1.0, 2))
    any_server.lose_out = first(2, lambda m: m.code == CHANGED)
    device.update()
    any_server.wait_for(is_update, 4)  # the first, two copies of it, and the one in time
    seen = any_server.matching(is_update)
    assert len({s.data for s in seen[:3]}) == 1
    assert 4.0 - 0.1 <= seen[3].at - seen[0].at <= 4.0 + SLACK + any_server.stalled


@pytest.mark.parametrize("ssid", [None, 1], ids=["all", "one"])
def test_update_is_asked_for_during_an_update(any_server: Server, start: Start, ssid: int | None) -> None:
    """It is sent after the answer to the first, by itself, and once, however often it was asked for."""
    device = start(any_server)
    any_server.lose_in = first(1, is_update)
    device.update()
    any_server.wait_for(is_update)
    for _ in range(3):
        device.client.update_registration(ssid)
    seen = any_server.wait_for(is_update, 3)
    any_server.quiet(lambda: len(any_server.matching(is_update)) > 3, 0.3)
    assert seen[0].data == seen[1].data
    assert seen[2].message.mid != seen[1].message.mid


def test_update_does_not_wait_for_another_server(server: Server, start: Start) -> None:
    """One that does not answer its Register; the Update to the other goes out."""
    with Server() as silent:
        device = start(server)
        silent.lose_in = everything
        device.client.security.add(lwm2m.SecurityInstance(ssid=2, server_uri=silent.uri))
        device.client.server.add(lwm2m.ServerInstance(ssid=2, lifetime=60))
        silent.wait_for(is_register)
        device.update()
        server.wait_for(is_update, timeout=SLACK)


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 on its loopback interface")
@pytest.mark.parametrize("secure", [False, True], ids=["nosec", "psk"])
def test_ipv6(start: Start, secure: bool) -> None:
    with (DtlsServer if secure else Server)(host="::1") as server:
        device = start(server, lifetime=4)
        assert "[::1]" in server.uri
        assert server.wait_renewed(4.0) < 4.0
        device.healthy(SLACK)
        device.client.close(timeout=1.0)
        start.devices.remove(device)  # type: ignore[attr-defined]


def test_lifetime_expires(any_server: Server, start: Start) -> None:
    """It heard nothing for a lifetime and forgot the client: when it hears again, it gets a Register."""
    any_server.lapses_expected = True
    start(any_server, lifetime=2)
    any_server.lose_in = everything
    any_server.wait(lambda: any_server.registration is None, 4.0)
    any_server.wait_for(is_register, 2, timeout=GIVEN_UP + SLACK)
    any_server.lose_in = nothing
    any_server.wait_renewed(GIVEN_UP + 2 * RETRY + SLACK, since=1)
    assert len(any_server.matching(is_register)) >= 2


@pytest.mark.parametrize("code", [NOT_FOUND, 0x80, 0x81, 0x83, 0xA0, 0xA3])
def test_update_is_refused(server: Server, start: Start, code: int) -> None:
    """4.04 from a server that was restarted, or any other error: Register follows at once."""
    device = start(server)

    def refuse(message: Message) -> Message | None:
        return (
            Message(ACK, code, message.mid, message.token) if is_update(message) else server.answer(message)
        )

    server.restart()
    server.script = refuse
    device.update()
    (update,) = server.wait_for(is_update)
    register = server.wait_for(is_register, 2, timeout=SLACK)[1]
    assert register.at - update.at < SLACK + server.stalled
    server.wait_registered(SLACK)
    server.script = server.answer


def test_server_is_restarted(any_server: Server, start: Start) -> None:
    """It knows nobody: 4.04 to the next Update, which comes by itself, then Register."""
    start(any_server, lifetime=4)
    any_server.restart()
    any_server.wait_registered(4.0)
    assert [len(any_server.matching(which)) for which in (is_update, is_register)] == [1, 2]


def test_restarted_server_counts_from_the_beginning(any_server: Server, start: Start) -> None:
    """Its message ids are those of minutes ago, but its requests are no copies of the former ones."""
    device = start(any_server)
    for count in (1, 2):
        any_server.restart()
        any_server._mids = itertools.count(1)
        device.update()
        any_server.wait_registered()
        for _ in range(5):
            assert any_server.ask(POST, "/33000/0/10").code == CHANGED
        assert device.thing.executed == 5 * count


def test_update_is_reset(server: Server, start: Start) -> None:
    device = start(server)
    server.restart()
    server.script = lambda m: Message(RST, 0, m.mid) if is_update(m) else server.answer(m)
    device.update()
    server.wait_registered(SLACK)


@pytest.mark.parametrize("code", [0x80, 0x83, 0x8C, 0xA0])
def test_register_is_refused(server: Server, start: Start, code: int) -> None:
    """Another attempt after the Communication Retry Timer; the delays are doubled."""
    refused: list[float] = []

    def refuse(message: Message) -> Message | None:
        if is_register(message) and len(refused) < 2:
            refused.append(time.monotonic())
            return Message(ACK, code, message.mid, message.token)
        return server.answer(message)

    server.script = refuse
    start(server)
    seen = server.matching(is_register)
    gaps = [b.at - a.at for a, b in itertools.pairwise(seen)]
    assert len(gaps) == 2
    for gap, want in zip(gaps, (RETRY, 2 * RETRY), strict=True):
        assert want - 0.1 <= gap <= want + SLACK + server.stalled


def test_silent_server(any_server: Server, start: Start) -> None:
    """Silent for many attempts; the delays grow (Core 1.1, 6.2.1.2), and the first that is heard succeeds."""
    any_server.lose_in = everything
    device = start(any_server, register=False, params=lwm2m.UdpTxParams(1.0, 1.0, 0))
    seen = any_server.wait_for(is_register, 3, timeout=20) if not any_server.secure else []
    gaps = [b.at - a.at for a, b in itertools.pairwise(seen)]
    for gap, want in zip(gaps, (1 + RETRY, 1 + 2 * RETRY), strict=False):
        assert want - 0.1 <= gap <= want + SLACK + any_server.stalled
    if any_server.secure:
        device.wait_status(lwm2m.ServerStatus.REG_FAILURE, 2, timeout=20)
    any_server.lose_in = nothing
    any_server.wait_renewed(4 * RETRY + 1 + SLACK, since=0)


def test_registered_server_falls_silent(any_server: Server, start: Start) -> None:
    """For many times MAX_TRANSMIT_WAIT."""
    any_server.lapses_expected = True
    device = start(
        any_server,
        lifetime=2,
        retries={"communication_retry_count": 1, "communication_sequence_delay_timer": 1},
    )
    any_server.lose_in = any_server.lose_out = everything
    device.wait_status(lwm2m.ServerStatus.REG_FAILURE, 4, timeout=40)
    any_server.lose_in = any_server.lose_out = nothing
    any_server.wait_renewed(GIVEN_UP + 1 + 2 * SLACK)


def test_port_is_closed_at_the_start(server: Server, start: Start) -> None:
    """ICMP port unreachable is a loss like others: the first retransmission after the port opens arrives."""
    server.shut()
    start(server, register=False, params=lwm2m.UdpTxParams(1.0, 1.0, 2))
    time.sleep(0.3)
    server.open()
    assert server.wait_renewed(1.0 + SLACK, since=0) < 1.0 + SLACK


def test_port_is_closed_for_long_at_the_start(server: Server, start: Start) -> None:
    server.shut()
    device = start(server, register=False)
    status = lwm2m.ServerStatus.REG_FAILURE if VENDORED else lwm2m.ServerStatus.DEREGISTERED
    device.wait_status(status)
    server.open()
    server.wait_renewed(RETRY + SLACK, since=0)


def test_port_is_closed_for_a_while(server: Server, start: Start) -> None:
    device = start(server, lifetime=6, params=lwm2m.UdpTxParams(1.0, 1.0, 2))
    assert server.observe("/33000/0/2", b"obs").code == CONTENT
    server.shut()
    device.thing.number = 1
    device.update()
    time.sleep(1.5)
    server.open()
    assert server.wait_renewed(2.0 + SLACK) < 2.0 + SLACK
    assert len(server.matching(is_register)) == 1
    device.thing.number = 2
    server.wait(lambda: server.notifications(b"obs"))


def test_port_is_closed_for_long(server: Server, start: Start) -> None:
    server.lapses_expected = True
    device = start(server, lifetime=2)
    server.shut()
    device.wait_status(lwm2m.ServerStatus.REG_FAILURE, timeout=15)
    server.open()
    server.wait_renewed(2 * RETRY + SLACK)


def test_client_gets_another_address(server: Server, start: Start) -> None:
    """A NAT that rebinds: the next Update comes from elsewhere, and the server finds the client there."""
    with Relay(server) as relay:
        device = start(server, uri=relay.uri, lifetime=4)
        before = server.address
        relay.rebind()
        server.wait_renewed(4.0)
        assert server.address != before
        assert server.ask(PUT, "/33000/0/0", b"there", [(FORMAT, number(0))]).code == CHANGED
        assert device.thing.text == "there"
        assert len(server.matching(is_register)) == 1
        device.healthy(SLACK)
        device.client.close(timeout=1.0)
        start.devices.remove(device)  # type: ignore[attr-defined]


def test_server_gets_another_address(start: Start) -> None:
    """The old one is silent for good; the program names the new one: the client registers there at once."""
    with Server() as old, Server() as new:
        device = start(old)
        old.lose_in = everything
        old.registration = None
        device.server = new
        device.client.security.purge()
        device.client.server.purge()
        device.client.security.add(lwm2m.SecurityInstance(ssid=2, server_uri=new.uri))
        device.client.server.add(lwm2m.ServerInstance(ssid=2, lifetime=60))
        # the real library may wait for the old one's answer to De-register
        new.wait_registered(SLACK if VENDORED else GIVEN_UP + SLACK)
        device.healthy(SLACK)
        device.client.close(timeout=1.0)
        start.devices.remove(device)  # type: ignore[attr-defined]


def test_datagrams_from_strangers(any_server: Server, start: Start) -> None:
    """Another port, another address: whatever they send is not taken, and not answered."""
    device = start(any_server)
    client = any_server.address
    for host in ("127.0.0.1", "127.0.0.2"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind((host, 0))
            stranger.settimeout(0.2)
            requests = [
                any_server.request(POST, "/33000/0/10").encode(),
                any_server.request(PUT, "/33000/0/0", b"evil", [(FORMAT, number(0))]).encode(),
                Message(0, 0, 77).encode(),
                b"\x16\xfe\xfd" + bytes(30),
                b"",
            ]
            for data in requests * 3:
                stranger.sendto(data, client)
            with pytest.raises(TimeoutError):
                stranger.recvfrom(2000)
    assert any_server.ask(GET, "/33000/0/0").payload == b"abc"
    assert device.thing.executed == 0


def test_forged_answer_of_a_stranger(server: Server, start: Start) -> None:
    """The right message id and token from the wrong port do not end an exchange."""
    forged: list[bytes] = []

    def outrun(message: Message) -> Message | None:
        if is_update(message) and not forged:
            forged.append(Message(ACK, NOT_FOUND, message.mid, message.token).encode())
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.bind(("127.0.0.1", 0))
                stranger.sendto(forged[0], server._source)
            time.sleep(0.2)
        return server.answer(message)

    device = start(server)
    server.script = outrun
    device.update()
    server.wait_renewed(since=1)
    server.quiet(lambda: len(server.matching(is_register)) > 1, 0.5)
    assert forged
