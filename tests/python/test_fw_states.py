# SPDX-License-Identifier: Apache-2.0
"""States and Update Results of Firmware Update (LwM2M Core 1.1, appendix E.6), as a server sees them."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

import anjay_cffi as lwm2m
from anjay_cffi._buildinfo import has

from ..provider import needs, only_on
from .peer import BLOCK1, FORMAT, GET, OBSERVE, POST, PUT, Message, Peer, number
from .test_fw_update import Firmware, start, state

Make = Callable[..., lwm2m.Client]
IDLE, DOWNLOADING, DOWNLOADED, UPDATING = b"0", b"1", b"2", b"3"
CHANGED, CONTINUE, BAD, NOT_ALLOWED, INCOMPLETE, FAILED = 0x44, 0x5F, 0x80, 0x85, 0x88, 0xA0
TEXT, OPAQUE = (FORMAT, b""), (FORMAT, number(42))
PROVIDER = lwm2m.build_info().provider
busy = pytest.mark.skipif(
    PROVIDER == "system", reason="the real library answers 5.03 to everything else during a push"
)
push_only = pytest.mark.skipif(
    "ANJAY_WITH_DOWNLOADER" in lwm2m.build_info().features, reason="this build downloads packages, too"
)


def needs_results_of_1_1() -> None:
    """Cancel, and the Update Results 10 and 11."""
    if not has("ANJAY_SINCE_3_13"):
        pytest.skip("needs Anjay 3.13 or newer")


def block(peer: Peer, num: int, more: bool, data: bytes) -> int:
    option = (BLOCK1, number(num << 4 | more << 3 | 6))
    return peer.ask(PUT, "/5/0/0", data, [OPAQUE, option]).code


def nul(peer: Peer) -> int:
    return peer.ask(PUT, "/5/0/0", b"\0", [OPAQUE]).code


def no_uri(peer: Peer) -> int:
    return peer.ask(PUT, "/5/0/1", b"", [TEXT]).code


def update(peer: Peer) -> int:
    return peer.ask(POST, "/5/0/2").code


def cancel(peer: Peer) -> int:
    return peer.ask(POST, "/5/0/10").code


def push(peer: Peer) -> int:
    return peer.push("/5/0/0", b"x")[-1]


def to_idle(_peer: Peer) -> None:
    """It begins there."""


def to_downloading(peer: Peer) -> None:
    assert block(peer, 0, True, bytes(1024)) == CONTINUE


def to_downloaded(peer: Peer) -> None:
    assert push(peer) == CHANGED


def to_updating(peer: Peer) -> None:
    to_downloaded(peer)
    assert update(peer) == CHANGED


GO = {IDLE: to_idle, DOWNLOADING: to_downloading, DOWNLOADED: to_downloaded, UPDATING: to_updating}


@pytest.mark.parametrize(
    ("before", "does", "code", "after", "result", "calls"),
    [
        (IDLE, nul, CHANGED, IDLE, b"0", ["reset"]),
        (IDLE, no_uri, CHANGED, IDLE, b"0", ["reset"]),
        (IDLE, update, NOT_ALLOWED, IDLE, b"0", []),
        (IDLE, cancel, NOT_ALLOWED, IDLE, b"0", []),
        (IDLE, push, CHANGED, DOWNLOADED, b"0", ["finish"]),
        pytest.param(DOWNLOADING, nul, CHANGED, IDLE, b"0", ["reset", "reset"], marks=busy),
        pytest.param(DOWNLOADING, no_uri, CHANGED, IDLE, b"0", ["reset"], marks=busy),
        pytest.param(DOWNLOADING, update, NOT_ALLOWED, DOWNLOADING, b"0", [], marks=busy),
        pytest.param(DOWNLOADING, cancel, CHANGED, IDLE, b"10", ["reset"], marks=busy),
        pytest.param(DOWNLOADING, push, CHANGED, DOWNLOADED, b"0", ["reset", "finish"], marks=busy),
        (DOWNLOADED, nul, CHANGED, IDLE, b"0", ["reset"]),
        (DOWNLOADED, no_uri, CHANGED, IDLE, b"0", ["reset"]),
        (DOWNLOADED, update, CHANGED, UPDATING, b"0", ["upgrade"]),
        (DOWNLOADED, cancel, CHANGED, IDLE, b"10", ["reset"]),
        (DOWNLOADED, push, BAD, DOWNLOADED, b"0", []),
        (UPDATING, nul, NOT_ALLOWED, UPDATING, b"0", []),
        (UPDATING, no_uri, NOT_ALLOWED, UPDATING, b"0", []),
        (UPDATING, update, NOT_ALLOWED, UPDATING, b"0", []),
        (UPDATING, cancel, NOT_ALLOWED, UPDATING, b"0", []),
        (UPDATING, push, NOT_ALLOWED, UPDATING, b"0", []),
    ],
)
def test_what_a_server_does(
    peer: Peer,
    make: Make,
    before: bytes,
    does: Callable[[Peer], int],
    code: int,
    after: bytes,
    result: bytes,
    calls: list[str],
) -> None:
    if does is cancel:
        needs_results_of_1_1()
    handler = Firmware()
    with make() as client:
        start(client, peer, handler)
        GO[before](peer)
        if before == UPDATING:
            peer.wait(lambda: "upgrade" in handler.events)
        handler.events.clear()
        assert does(peer) == code
        assert state(peer) == (after, result)
        peer.wait(lambda: [event for event in handler.events if isinstance(event, str)] == calls)
        if before == DOWNLOADING and after != DOWNLOADING:
            assert block(peer, 1, False, b"x") == INCOMPLETE
            assert state(peer) == (after, result)
        if after == DOWNLOADING:
            assert block(peer, 1, False, b"x") == CHANGED


@pytest.mark.parametrize("before", GO)
@pytest.mark.parametrize("result", [*range(0, 12)])
def test_what_the_program_sets(peer: Peer, make: Make, before: bytes, result: int) -> None:
    if before == DOWNLOADING and PROVIDER == "system":
        pytest.skip("the real library holds its lock during a push: the call waits for its end")
    if result > 9:
        needs_results_of_1_1()
    handler = Firmware()
    with make() as client:
        start(client, peer, handler)
        GO[before](peer)
        allowed = before != IDLE and result not in (0, 10)
        if result == 1:
            allowed = before == UPDATING
        if result == 11:
            allowed = before in (DOWNLOADED, UPDATING)
        if before == UPDATING:
            peer.wait(lambda: "upgrade" in handler.events)
        handler.events.clear()
        if not allowed:
            with pytest.raises(lwm2m.NativeError):
                client.firmware_update.set_result(lwm2m.FirmwareResult(result))
            assert state(peer) == (before, b"0") and not handler.events
            return
        client.firmware_update.set_result(lwm2m.FirmwareResult(result))
        deferred = result == 11  # the package is kept
        assert state(peer) == (DOWNLOADED if deferred else IDLE, str(result).encode())
        assert handler.events == ([] if deferred else ["reset"])


@pytest.mark.parametrize("where", ["write", "finish", "upgrade"])
@pytest.mark.parametrize(
    ("error", "result"),
    [
        (OSError(errno.ENOSPC, "full"), b"2"),
        (OSError(errno.EDQUOT, "full for you"), b"2"),
        (OSError(errno.EFBIG, "large"), b"2"),
        (OSError(errno.ENOMEM, "memory"), b"3"),
        (MemoryError(), b"3"),
        (lwm2m.Deferred(), b"11"),
        (PermissionError(errno.EACCES, "no"), None),
        (lwm2m.UpdateCancelled(), None),
        (ValueError("no"), None),
    ],
)
def test_exceptions(peer: Peer, make: Make, where: str, error: Exception, result: bytes | None) -> None:
    if result == b"11":
        needs_results_of_1_1()
    handler = Firmware()
    handler.fail[where] = error
    with make() as client:
        start(client, peer, handler)
        code = peer.push("/5/0/0", bytes(3000))[-1]
        assert code == (FAILED if where == "write" else CHANGED)
        if where == "upgrade":
            assert update(peer) == CHANGED
            peer.wait(lambda: peer.ask(GET, "/5/0/3").payload == DOWNLOADED)
        otherwise = b"8" if where == "upgrade" else b"2"
        assert state(peer) == (DOWNLOADED if where == "upgrade" else IDLE, result or otherwise)


@needs("ANJAY_SINCE_3_13")  # Cancel
@pytest.mark.parametrize(
    "paths",
    [
        ("/5/0/3", "/5/0/5"),
        pytest.param(
            ("/5/0/5", "/5/0/3"), marks=only_on("vendored", "the real library tells what was observed first")
        ),
    ],
)
def test_order_of_notifications(peer: Peer, make: Make, paths: tuple[str, str]) -> None:
    """State before Update Result, whatever was observed first; Updating is told even if it fails at once."""
    handler = Firmware()
    with make() as client:
        start(client, peer, handler)
        tokens = {peer.ask(GET, path, options=[(OBSERVE, b"")]).token: path[-1] for path in paths}

        def told() -> list[str]:
            def shown(message: Message) -> str:
                return f"{tokens[message.token]}={message.payload.decode()}"

            notes = [m for m in peer.replies if m.token in tokens][2:]
            return [shown(note) for note in notes if shown(note) != "3=1"]

        want: list[str] = []

        def expect(*more: str) -> None:
            want.extend(more)
            peer.wait(lambda: len(told()) >= len(want))
            assert told() == want

        push(peer)
        expect("3=2")
        for _ in range(2):
            handler.fail["upgrade"] = RuntimeError("no")
            update(peer)
            expect("3=3", *(["5=0"] if len(want) > 1 else []), "3=2", "5=8")
        update(peer)
        expect("3=3", "5=0")
        peer.wait(lambda: handler.events.count("upgrade") == 3)  # Updating is told before
        client.firmware_update.set_result(lwm2m.FirmwareResult.SUCCESS)
        expect("3=0", "5=1")
        push(peer)
        expect("3=2", "5=0")
        cancel(peer)
        expect("3=0", "5=10")


@pytest.mark.parametrize("payload", [b"!!!", b"AAA", b"A"])
def test_malformed_package(peer: Peer, make: Make, payload: bytes) -> None:
    handler = Firmware()
    with make() as client:
        start(client, peer, handler, lwm2m.FirmwareState(result=lwm2m.FirmwareInitial.SUCCESS))
        assert peer.ask(PUT, "/5/0/0", payload, [TEXT]).code == BAD
        assert state(peer) == (IDLE, b"4")
        if PROVIDER == "vendored":  # nothing of it was valid, and nothing was opened
            assert not handler.events


def test_empty_package(peer: Peer, make: Make) -> None:
    handler = Firmware()
    with make() as client:
        start(client, peer, handler)
        assert peer.ask(PUT, "/5/0/0", b"", [OPAQUE]).code == CHANGED
        assert state(peer) == (DOWNLOADED, b"0")
        assert handler.events == [("open", None, None), "finish"]


@push_only
@pytest.mark.parametrize(
    "uri", [b"coap://127.0.0.1/x", b"http://x", b"nonsense", b"coap://" + b"x" * 300], ids=lambda uri: uri[:9]
)
def test_uri_without_downloads(peer: Peer, make: Make, uri: bytes) -> None:
    handler = Firmware()
    with make() as client:
        start(client, peer, handler)
        assert peer.ask(PUT, "/5/0/1", uri, [TEXT]).code == BAD
        assert state(peer) == (IDLE, b"9") and not handler.events
        assert peer.ask(GET, "/5/0/1").payload == b""
        assert push(peer) == CHANGED
        assert peer.ask(PUT, "/5/0/1", uri, [TEXT]).code == BAD
        assert state(peer) == (DOWNLOADED, b"0")


@pytest.mark.parametrize("initial", lwm2m.FirmwareInitial)
def test_initial(peer: Peer, make: Make, initial: lwm2m.FirmwareInitial) -> None:
    handler = Firmware()
    with make() as client:
        start(client, peer, handler, lwm2m.FirmwareState(result=initial, persisted_uri=None))
        states = {-3: (UPDATING, b"0"), -2: (DOWNLOADED, b"0"), -1: (IDLE, b"0")}
        assert state(peer) == states.get(int(initial), (IDLE, str(int(initial)).encode()))
        # a push cannot be resumed
        assert handler.events == (["reset"] if initial is lwm2m.FirmwareInitial.DOWNLOADING else [])
        if initial is lwm2m.FirmwareInitial.UPDATING:
            client.firmware_update.set_result(lwm2m.FirmwareResult.SUCCESS)
            assert state(peer) == (IDLE, b"1")
        if initial is lwm2m.FirmwareInitial.DOWNLOADED:
            assert update(peer) == CHANGED
            peer.wait(lambda: "upgrade" in handler.events)


@pytest.mark.parametrize("value", [2, 3, 11, 12, -4])
def test_initial_that_is_none(make: Make, value: int) -> None:
    with make() as client:
        wrong = lwm2m.FirmwareState(result=value)  # type: ignore[arg-type]
        with pytest.raises(lwm2m.NativeError):
            client.firmware_update.install(Firmware(), wrong)
        client.firmware_update.install(Firmware())
