# SPDX-License-Identifier: Apache-2.0
"""What other threads do to a client while its loop runs and it is closed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

import anjay_cffi as lwm2m
from anjay_cffi import client as client_module

from .peer import GET, Peer

Make = Callable[..., lwm2m.Client]


class Slow(lwm2m.Object, oid=4100):
    """An object whose handler takes until it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.go_on = threading.Event(), threading.Event()

    @lwm2m.resource(0, "R")
    def value(self) -> str:
        self.entered.set()
        assert self.go_on.wait(60)
        return "x"


def test_threads_use_a_client_that_is_closed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.programs.races", "60"], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "whole\n"


def hold(client: lwm2m.Client, taken: threading.Event, give_back: threading.Event) -> None:
    anjay = client._anjay
    taken.set()
    assert give_back.wait(60)
    del anjay


def test_close_waits_for_a_call(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "LAST_CALLS", 60.0)
    client = make()
    taken, give_back = threading.Event(), threading.Event()
    user = threading.Thread(target=hold, args=(client, taken, give_back))
    user.start()
    assert taken.wait(60)
    closer = threading.Thread(target=client.close, kwargs={"timeout": 0.2})
    closer.start()
    closer.join(0.2)
    assert closer.is_alive()
    assert client.closed
    with pytest.raises(lwm2m.ClosedError):
        client.notify_changed(1, 0, 0)
    give_back.set()
    closer.join(60)
    user.join(60)
    assert not closer.is_alive()


def test_close_does_not_wait_for_ever(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(client_module, "LAST_CALLS", 0.05)
    client = make()
    taken, give_back = threading.Event(), threading.Event()
    user = threading.Thread(target=hold, args=(client, taken, give_back))
    user.start()
    assert taken.wait(60)
    client.close(timeout=0.2)
    assert "closed while another thread is in a call of it" in caplog.text
    give_back.set()
    user.join(60)


def test_close_after_an_exception_waits_for_nobody(
    make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(client_module, "LAST_CALLS", 0.05)
    client = make()
    kept = []
    slow = Slow()
    for refused in (
        lambda: client.register(Slow, instances=[slow, slow]),
        lambda: client.unregister(Slow),
        lambda: client.send("/4999/0/0"),
        lambda: client.server.set_lifetime(9, 60),
        lambda: client.every(1.0, None),  # type: ignore[arg-type]
    ):
        with pytest.raises((lwm2m.AnjayError, TypeError)) as caught:
            refused()
        kept.append(caught.value)  # and its frames
    assert kept
    client.close(timeout=0.2)
    assert "in a call of it" not in caplog.text


def test_close_that_is_interrupted_can_be_repeated(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make()

    class Interrupted:
        def acquire(self, timeout: float = -1) -> bool:
            raise KeyboardInterrupt

    client._unused = Interrupted()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        client.close()
    assert not client.closed
    client.close(timeout=0.2)
    assert client.closed


def test_unregister_waits_for_a_handler(peer: Peer, make: Make) -> None:
    client = make()
    slow = client.register(Slow())
    client.start_thread()
    peer.registered()
    reader = threading.Thread(target=peer.ask, args=(GET, "/4100/0/0"))
    reader.start()
    assert slow.entered.wait(60)
    remover = threading.Thread(target=client.unregister, args=(slow,))
    remover.start()
    remover.join(0.1)
    assert remover.is_alive()
    slow.go_on.set()
    remover.join(60)
    reader.join(60)
    assert not remover.is_alive()
    assert peer.ask(GET, "/4100/0/0").code == 0x84
    with pytest.raises(lwm2m.ConfigurationError):
        client.unregister(slow)
    client.register(slow)


def test_unregister_while_the_loop_ends(peer: Peer, make: Make) -> None:
    client = make()
    slow = client.register(Slow())
    leave = threading.Event()
    client.call_later(0, lambda: leave.wait(60))
    client.start_thread()
    remover = threading.Thread(target=client.unregister, args=(slow,))
    remover.start()
    remover.join(0.1)
    client.stop()
    leave.set()
    remover.join(60)
    assert not remover.is_alive()
    client.register(slow)
    assert client.join(60)


def test_one_of_two_registers(make: Make) -> None:
    client = make()
    barrier = threading.Barrier(2)
    outcomes: list[object] = []

    def register() -> None:
        one = Slow()
        barrier.wait(60)
        try:
            outcomes.append(client.register(one))
        except lwm2m.ConfigurationError as exc:
            outcomes.append(exc)

    for _ in range(20):
        outcomes.clear()
        threads = [threading.Thread(target=register) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["ConfigurationError", "Slow"]
        client.unregister(Slow)


def test_cancel_races_with_the_loop(make: Make) -> None:
    client = make()
    client.start_thread()
    ran = 0

    def count() -> None:
        nonlocal ran
        ran += 1

    end = time.monotonic() + 60
    for i in range(2000):
        job = client.every(1e-5, count) if i % 2 else client.call_later(0, count)
        if i % 3:
            time.sleep(0)
        job.cancel()
        assert not job.active
    while client._jobs and time.monotonic() < end:
        time.sleep(0.01)
    assert not client._jobs
    assert ran < 10**6
