# SPDX-License-Identifier: Apache-2.0
"""Loss in either direction, and the timers of RFC 7252, sections 4.2 and 4.8."""

from __future__ import annotations

import itertools

import pytest

import anjay_cffi as lwm2m

from ..provider import VENDORED, needs
from ..python.peer import ACK, CON, FORMAT, GET, LOCATION, PUT, RST, Message, number
from .conftest import FAST, GIVEN_UP, RETRY, SLACK, Device, Start
from .server import (
    CHANGED,
    CONTENT,
    CREATED,
    Seen,
    Server,
    everything,
    first,
    is_register,
    is_update,
    nothing,
)

THREE = lwm2m.UdpTxParams(ack_timeout=1.0, ack_random_factor=1.0, max_retransmit=2)
EARLY, LATE = 0.05, 0.9
"""Seconds. The client shares its cores with other tests; the next retransmission would be a second later."""


def gaps(seen: list[Seen]) -> list[float]:
    return [b.at - a.at for a, b in itertools.pairwise(seen)]


def assert_gaps(server: Server, seen: list[Seen], wanted: list[float]) -> None:
    assert len(seen) == len(wanted) + 1
    late = 0.0  # what a busy machine delays may be made up for by the next gap
    for gap, want in zip(gaps(seen), wanted, strict=True):
        assert want - EARLY - late <= gap <= want + LATE + server.stalled, gaps(seen)
        late = max(0.0, late + gap - want)


def first_observed(device: Device, token: bytes = b"obs") -> None:
    server = device.server
    attributes = server.request(PUT, "/33000/0/2", b"", [(15, b"con=1"), (15, b"pmin=0")])
    server.exchange(attributes)
    assert server.observe("/33000/0/2", token).code == CONTENT


@pytest.mark.parametrize("lost", [1, 2])
def test_register_is_lost(any_server: Server, start: Start, lost: int) -> None:
    any_server.lose_in = first(lost, is_register)
    start(any_server, params=THREE)
    seen = any_server.matching(is_register)
    assert_gaps(any_server, seen, [1.0, 2.0][:lost])
    assert len({s.data for s in seen}) == 1  # the same bytes: message id, token, all


def test_answer_to_register_is_lost(any_server: Server, start: Start) -> None:
    any_server.lose_out = first(2, lambda m: m.code == CREATED)
    device = start(any_server, params=THREE)
    device.wait_status(lwm2m.ServerStatus.REGISTERED)
    seen = any_server.matching(is_register)
    assert_gaps(any_server, seen, [1.0, 2.0])
    assert any_server.wait_registered().location == "/rd/1"  # one registration only


def test_first_timeout_is_random_and_doubled(server: Server, start: Start) -> None:
    """Between ACK_TIMEOUT and ACK_TIMEOUT * ACK_RANDOM_FACTOR, then twice that."""
    server.lose_in = first(2, is_register)
    start(server, params=lwm2m.UdpTxParams(ack_timeout=1.0, ack_random_factor=1.5, max_retransmit=2))
    one, two = gaps(server.matching(is_register))
    assert 1.0 - EARLY <= one <= 1.5 + LATE + server.stalled
    assert 2.0 - EARLY <= two <= 2 * one + LATE + server.stalled  # the first may have been late, too


def test_defaults(server: Server, start: Start) -> None:
    server.lose_in = first(1, is_register)
    start(server, params=None)
    (gap,) = gaps(server.matching(is_register))
    assert 2.0 - EARLY <= gap <= 3.0 + LATE + server.stalled


def test_register_is_given_up_and_begun_again(any_server: Server, start: Start) -> None:
    """MAX_RETRANSMIT 1: two datagrams, then after the Communication Retry Timer another message."""
    any_server.lose_in = first(2, is_register)
    device = start(any_server)
    seen = any_server.matching(is_register)
    assert_gaps(any_server, seen, [1.0, GIVEN_UP - 1.0 + RETRY])
    assert seen[0].data == seen[1].data
    assert seen[2].message.mid != seen[0].message.mid
    assert seen[2].message.token != seen[0].message.token
    assert lwm2m.ServerStatus.REG_FAILURE in device.statuses


def test_update_is_lost(any_server: Server, start: Start) -> None:
    device = start(any_server)
    any_server.lose_in = first(1, is_update)
    device.update()
    seen = any_server.wait_for(is_update, 2)
    assert_gaps(any_server, seen, [1.0])
    assert seen[0].data == seen[1].data
    any_server.quiet(lambda: len(any_server.matching(is_update)) > 2, 1.0)
    assert len(any_server.matching(is_register)) == 1


def test_answer_to_update_is_lost(any_server: Server, start: Start) -> None:
    device = start(any_server)
    any_server.lose_out = first(1, lambda m: m.code == CHANGED)
    device.update()
    assert_gaps(any_server, any_server.wait_for(is_update, 2), [1.0])
    any_server.quiet(lambda: len(any_server.matching(is_update)) > 2, 1.0)


def test_update_is_given_up(any_server: Server, start: Start) -> None:
    """No answer to an Update: the client registers, after MAX_TRANSMIT_WAIT and at once."""
    device = start(any_server)
    any_server.lose_in = is_update
    begun = any_server.seen[-1].at
    device.update()
    seen = any_server.wait_for(is_update, 2)
    again = any_server.wait_for(is_register, 2, timeout=GIVEN_UP + SLACK)[1]
    assert_gaps(any_server, seen, [1.0])
    assert GIVEN_UP - EARLY <= again.at - seen[0].at <= GIVEN_UP + SLACK + any_server.stalled
    assert again.at > begun
    assert any_server.wait(lambda: any_server.registration and any_server.registration.location == "/rd/2")


@needs("ANJAY_WITH_CON_ATTR")
def test_notification_is_lost(any_server: Server, start: Start) -> None:
    device = start(any_server)
    first_observed(device)
    any_server.lose_in = first(1, lambda m: m.token == b"obs")
    device.thing.number = 7
    seen = any_server.wait(lambda: any_server.notifications(b"obs")[1:] and any_server.notifications(b"obs"))
    assert seen[0].message.type == CON
    assert_gaps(any_server, seen, [1.0])
    assert seen[0].data == seen[1].data
    any_server.quiet(lambda: len(any_server.notifications(b"obs")) > 2, 1.5)


@needs("ANJAY_WITH_CON_ATTR")
def test_acknowledgement_of_a_notification_is_lost(any_server: Server, start: Start) -> None:
    device = start(any_server)
    first_observed(device)
    any_server.lose_out = first(1, lambda m: m.type == ACK and not m.code)
    device.thing.number = 7
    seen = any_server.wait(lambda: any_server.notifications(b"obs")[1:] and any_server.notifications(b"obs"))
    assert_gaps(any_server, seen, [1.0])
    any_server.quiet(lambda: len(any_server.notifications(b"obs")) > 2, 1.5)


def test_notification_is_given_up(any_server: Server, start: Start) -> None:
    """The server does not acknowledge, but it is there: an Update finds out, and the registration stays."""
    device = start(any_server)
    first_observed(device)
    any_server.on_notification = -1
    device.thing.number = 7
    any_server.wait(lambda: len(any_server.notifications(b"obs")) >= 2)
    any_server.wait_for(is_update, timeout=GIVEN_UP + SLACK)
    any_server.on_notification = ACK
    any_server.quiet(lambda: len(any_server.matching(is_register)) > 1, 1.0)


def test_unacknowledged_notifications_do_not_hold_updates_up(any_server: Server, start: Start) -> None:
    """NSTART is 1, and what waits for its turn must not let the lifetime pass."""
    device = start(any_server, lifetime=6, params=THREE)
    for i, path in enumerate(("/33000/0/2", "/33000/0/3", "/33000/0/0")):
        any_server.exchange(any_server.request(PUT, path, b"", [(15, b"con=1"), (15, b"pmin=0")]))
        assert any_server.observe(path, b"obs%d" % i).code == CONTENT
    any_server.on_notification = -1
    since = len(any_server.seen)
    for turn in range(1, 8):
        device.thing.number, device.thing.other, device.thing.text = turn, turn, str(turn)
        any_server.quiet(lambda: any_server.lapses, 1.5)
    assert len(any_server.matching(is_update, since)) >= 2


def test_separate_answer(any_server: Server, start: Start) -> None:
    """An empty ACK ends retransmission; the answer comes later and is acknowledged, and so is its copy."""
    begun: list[Message] = []

    def separate(message: Message) -> Message | None:
        answer = any_server.answer(message)
        assert answer is not None
        if is_register(message) and not begun:
            begun.append(Message(CON, answer.code, 9999, answer.token, answer.options))
            return Message(ACK, 0, message.mid)
        return answer

    any_server.script = separate
    device = start(any_server, register=False)
    any_server.wait(lambda: begun)
    any_server.quiet(lambda: len(any_server.matching(is_register)) > 1, 1.5)
    for count in (1, 2) if VENDORED else (1,):
        any_server.send(begun[0])
        any_server.wait_for(lambda m: m.type == ACK and m.mid == 9999 and not m.code, count)
    device.wait_status(lwm2m.ServerStatus.REGISTERED)
    assert len(any_server.matching(is_register)) == 1


def test_separate_answer_is_repeated_without_a_cache(server: Server, start: Start) -> None:
    """The acknowledgement of a CON answer that comes again needs no room to be kept in."""
    later: list[Message] = []

    def separate(message: Message) -> Message | None:
        answer = server.answer(message)
        assert answer is not None
        if is_register(message) and not later:
            later.append(Message(CON, answer.code, 9996, answer.token, answer.options))
            return Message(ACK, 0, message.mid)
        return answer

    server.script = separate
    start(server, msg_cache_size=0, register=False)
    server.wait(lambda: later)
    for count in (1, 2, 3):
        server.send(later[0])
        server.wait_for(lambda m: m.mid == 9996, count)
    assert {s.message.type for s in server.matching(lambda m: m.mid == 9996)} == {ACK}


def test_slow_answer_does_not_hold_notifications_up(any_server: Server, start: Start) -> None:
    """What is acknowledged is not outstanding, though its answer is to come (RFC 7252, section 4.7)."""
    device = start(any_server)
    first_observed(device)
    held: list[Message] = []

    def hold(message: Message) -> Message | None:
        answer = any_server.answer(message)
        assert answer is not None
        if not is_update(message):
            return answer
        held.append(Message(CON, answer.code, 9995, answer.token))
        return Message(ACK, 0, message.mid)

    any_server.script = hold
    device.update()
    any_server.wait(lambda: held)
    device.thing.number = 7
    any_server.wait(lambda: any_server.notifications(b"obs"), SLACK)
    any_server.send(held[0])
    any_server.wait_for(lambda m: m.type == ACK and m.mid == 9995)


def test_acknowledgement_of_a_separate_answer_is_lost(any_server: Server, start: Start) -> None:
    """An answer without the empty ACK before it ends the exchange as well (RFC 7252, section 5.2.2)."""
    later: list[Message] = []

    def separate(message: Message) -> Message | None:
        answer = any_server.answer(message)
        assert answer is not None
        if is_register(message) and not later:
            later.append(Message(CON, answer.code, 9998, answer.token, answer.options))
            return None
        return answer

    any_server.script = separate
    device = start(any_server, params=THREE, register=False)
    any_server.wait(lambda: later)
    any_server.send(later[0])
    device.wait_status(lwm2m.ServerStatus.REGISTERED)
    any_server.quiet(lambda: len(any_server.matching(is_register)) > 1, 1.5)


def test_answers_that_are_for_nobody(any_server: Server, start: Start) -> None:
    """A wrong token, message id or code, an unknown separate answer: none ends the exchange."""
    wrong: list[Message] = []

    def confuse(message: Message) -> Message | None:
        if not is_register(message):
            return any_server.answer(message)
        if not wrong:
            options = [(LOCATION, b"rd"), (LOCATION, b"66")]
            wrong.append(Message(ACK, CREATED, message.mid, b"wrong", options))
            wrong.append(Message(ACK, CREATED, message.mid ^ 1, message.token, options))
            wrong.append(Message(RST, 0, message.mid ^ 1))
            wrong.append(Message(RST, CREATED, message.mid, message.token, options))
            wrong.append(Message(ACK, GET, message.mid, message.token, options))
            wrong.append(Message(ACK, 0xE1, message.mid, message.token, options))
            wrong.append(Message(CON, CREATED, 9997, b"wrong", options))
            for one in wrong:
                any_server.send(one, any_server._source)
            return None
        return any_server.answer(message)

    any_server.script = confuse
    any_server._answers = _Forgetful()
    start(any_server)
    assert_gaps(any_server, any_server.matching(is_register), [1.0])
    any_server.wait_for(lambda m: m.type == RST and m.mid == 9997)
    assert any_server.wait_registered().location == "/rd/1"


class _Forgetful(dict):  # type: ignore[type-arg]
    """A server that scripts repeated messages anew."""

    def __contains__(self, _key: object) -> bool:
        return False


def test_everything_is_lost_for_a_while(any_server: Server, start: Start) -> None:
    """In both directions, in the middle of a conversation."""
    device = start(any_server, lifetime=8)
    any_server.lapses_expected = True
    any_server.lose_in = any_server.lose_out = everything
    device.thing.text = "changed"
    device.update()
    any_server.wait_for(is_update, 2)
    any_server.wait_for(is_register, 2)
    any_server.lose_in = any_server.lose_out = nothing
    any_server.wait_renewed(GIVEN_UP + 2 * RETRY + 2 * SLACK)
    assert any_server.ask(PUT, "/33000/0/0", b"x", [(FORMAT, number(0))]).code == CHANGED
    assert any_server.ask(GET, "/33000/0/0").payload == b"x"


def test_params_are_checked() -> None:
    """ACK_TIMEOUT is one second at least (RFC 7252, section 4.8.1): the tests use the shortest there is."""
    assert FAST.ack_timeout == 1.0
    with pytest.raises(lwm2m.AnjayError):
        lwm2m.Client("urn:dev:os:wire", udp_tx_params=lwm2m.UdpTxParams(ack_timeout=0.5))
