# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

import anjay_cffi as lwm2m

from .peer import GET, Peer, run_until

Make = Callable[..., lwm2m.Client]
AT_ONCE = 10.0
"""Seconds; far below what a wait would take that is not ended, far above what a busy machine adds."""


def test_timeout(make: Make) -> None:
    client = make()
    began = time.monotonic()
    client.run(timeout=0.2)
    assert 0.19 < time.monotonic() - began < AT_ONCE
    client.run(timeout=0)


def test_stop_before_run_counts(make: Make) -> None:
    client = make()
    client.stop()
    client.run()


@pytest.mark.parametrize("max_wait", [0, -1, float("nan")])
def test_max_wait_is_checked(make: Make, max_wait: float) -> None:
    with pytest.raises(lwm2m.ConfigurationError):
        make().run(max_wait)


def test_stop_from_another_thread(make: Make) -> None:
    client = make()
    timer = threading.Timer(0.1, client.stop)
    timer.start()
    began = time.monotonic()
    client.run(max_wait=60)
    timer.join()
    assert time.monotonic() - began < AT_ONCE


def test_stop_from_a_callback(make: Make) -> None:
    client = make()
    client.call_later(0.05, client.stop)
    client.run(max_wait=60)


def test_stop_from_a_signal_handler(make: Make) -> None:
    client = make()
    before = signal.signal(signal.SIGUSR1, lambda *_: client.stop())
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        began = time.monotonic()
        client.run(max_wait=60)
        assert time.monotonic() - began < AT_ONCE
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)


def test_ctrl_c_works_at_once(make: Make) -> None:
    client = make()
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        client.run(max_wait=60)
    timer.join()
    assert time.monotonic() - began < AT_ONCE
    assert signal.set_wakeup_fd(-1) == -1
    client.run(timeout=0.05)


def test_ctrl_c_just_before_the_wait_is_not_lost(make: Make) -> None:
    client = make()
    before = signal.signal(signal.SIGUSR1, lambda *_: client.stop())
    try:
        # The handler runs only once the interpreter is back from the loop, which must not wait for that.
        client.call_later(0.0, lambda: None)
        from anjay_cffi._ffi import lib

        os.write(lib.anjay_cffi_loop_signal_fd(client._loop), bytes([signal.SIGUSR1]))
        began = time.monotonic()
        client.call_later(0.3, client.stop)
        client.run(max_wait=60)
        assert time.monotonic() - began < AT_ONCE
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_someone_elses_wakeup_descriptor_is_kept(make: Make) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    try:
        make().run(timeout=0.05)
        assert signal.set_wakeup_fd(write, warn_on_full_buffer=False) == write
    finally:
        signal.set_wakeup_fd(-1)
        os.close(read)
        os.close(write)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_exit_exceptions_of_a_callback_leave_the_loop(make: Make, kind: type[BaseException]) -> None:
    def leave() -> None:
        raise kind("now")

    client = make()
    client.call_later(0.0, leave)
    with pytest.raises(kind, match="now"):
        client.run(max_wait=60)
    client.run(timeout=0.05)


def test_other_exceptions_of_a_callback_are_logged(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    client = make()
    client.call_later(0.0, lambda: 1 // 0)
    client.run(timeout=0.1)
    (record,) = [r for r in caplog.records if r.name == "anjay_cffi"]
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def test_one_loop_at_a_time(make: Make) -> None:
    client = make()
    client.start_thread()
    with pytest.raises(lwm2m.AnjayError, match="another loop"):
        client.run()
    with pytest.raises(lwm2m.AnjayError, match="another loop"):
        client.start_thread()
    with pytest.raises(lwm2m.AnjayError, match="another loop"):
        client.step()
    client.stop()
    assert client.join()
    assert client.join()


def test_close_within_a_callback_is_refused(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    client = make()
    client.call_later(0.0, client.close)
    client.run(timeout=0.1)
    assert "use stop()" in caplog.text
    assert not client.closed


def test_close_ends_the_thread(make: Make) -> None:
    client = make()
    client.start_thread()
    assert not client.join(0.01)
    client.close()
    assert client.join()


def test_join_raises_what_ended_the_thread(make: Make) -> None:
    def leave() -> None:
        raise SystemExit(3)

    client = make()
    client.call_later(0.0, leave)
    client.start_thread()
    with pytest.raises(SystemExit):
        client.join()
    assert client.join()


def test_jobs(make: Make) -> None:
    client = make()
    seen: list[str] = []
    begun = time.monotonic()
    repeated = client.every(0.05, seen.append, "again")
    once = client.call_later(0.01, seen.append, "once")
    never = client.call_later(0.02, seen.append, "never")
    never.cancel()
    never.cancel()
    run_until(client, lambda: seen.count("again") >= 4)
    assert seen.count("once") == 1
    assert seen.count("again") <= (time.monotonic() - begun) / 0.05
    assert "never" not in seen
    assert repeated.active
    assert not once.active
    repeated.cancel()
    count = len(seen)
    client.run(timeout=0.1)
    assert len(seen) == count
    assert not client._jobs


def test_jobs_call_whatever_is_callable(make: Make) -> None:
    client = make()
    mock = Mock()
    client.every(0.01, mock, 1, 2)
    client.call_later(0, mock.once)
    run_until(client, lambda: mock.call_count > 1 and mock.once.called)
    assert set(map(str, mock.call_args_list)) == {"call(1, 2)"}


def test_a_job_cancels_itself(make: Make) -> None:
    client = make()
    seen: list[int] = []

    def job() -> None:
        seen.append(1)
        handle.cancel()

    handle = client.every(0.02, job)
    run_until(client, lambda: bool(seen))
    client.run(timeout=0.1)
    assert seen == [1]
    assert not client._jobs


def test_missed_periods_are_left_out(make: Make) -> None:
    client = make()
    seen: list[float] = []

    def slow() -> None:
        seen.append(time.monotonic())
        if len(seen) == 1:
            time.sleep(0.25)

    begun = time.monotonic()
    client.every(0.05, slow)
    run_until(client, lambda: len(seen) >= 6)
    assert len(seen) <= (time.monotonic() - begun) / 0.05 - 4  # what was missed is not made up for


def test_jobs_of_another_thread_wake_the_loop(make: Make) -> None:
    client = make()
    client.start_thread(max_wait=60)
    time.sleep(0.1)
    for _ in range(50):
        done = threading.Event()
        began = time.monotonic()
        client.call_later(0.0, done.set)
        assert done.wait(20)
        assert time.monotonic() - began < AT_ONCE
        client.every(0.001, int).cancel()
    client.stop()
    assert client.join()


@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan")])
def test_periods_are_checked(make: Make, value: float) -> None:
    with pytest.raises(lwm2m.ConfigurationError):
        make().every(value, print)


def test_delays_are_checked(make: Make) -> None:
    with pytest.raises(lwm2m.ConfigurationError):
        make().call_later(float("nan"), print)


def test_a_loop_of_ones_own(peer: Peer, make: Make) -> None:
    client = make()
    end = time.monotonic() + 30
    poller = select.poll()
    poller.register(client.fileno(), select.POLLIN)
    answers: list[int] = []

    def ask() -> None:
        peer.registered()
        answers.append(peer.ask(GET, "/1/0/1").code)
        client.stop()

    asker = threading.Thread(target=ask)
    asker.start()
    while client.step():
        assert time.monotonic() < end
        due = client.next_deadline()
        poller.poll(None if due is None else due * 1000 + 1)
    asker.join()
    assert answers == [0x45]
    assert client.fileno() == client.fileno()


def test_asyncio_many_clients(peer: Peer) -> None:
    async def main() -> None:
        clients = []
        for n in range(5):
            client = lwm2m.Client(f"urn:dev:os:{n}")
            client.security.add(lwm2m.SecurityInstance(ssid=1, server_uri=peer.uri))
            client.server.add(lwm2m.ServerInstance(ssid=1, lifetime=60))
            clients.append(client)
        tasks = [asyncio.create_task(client.serve()) for client in clients]
        end = time.monotonic() + 30
        while not all(client.registered for client in clients):
            assert time.monotonic() < end
            await asyncio.sleep(0.01)
        ticks: list[int] = []
        clients[0].every(0.02, ticks.append, 1)
        while len(ticks) < 5:
            assert time.monotonic() < end
            await asyncio.sleep(0.01)
        clients[0].stop()
        await tasks[0]
        tasks[1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await tasks[1]
        clients[2].close()
        await tasks[2]
        threading.Timer(0.05, clients[3].stop).start()
        await tasks[3]
        clients[4].call_later(0.0, clients[4].stop)
        await tasks[4]
        for client in clients:
            client.close()

    asyncio.run(main())
    assert len({m.get(15)[0] for m in peer.seen if m.path == "/rd"} | {0}) >= 2


def test_asyncio_exit_exception(make: Make) -> None:
    def leave() -> None:
        raise SystemExit(4)

    client = make()
    client.call_later(0.01, leave)
    with pytest.raises(SystemExit):
        asyncio.run(client.serve())
    client.run(timeout=0.05)


def test_asyncio_refuses_a_second_loop(make: Make) -> None:
    client = make()

    async def main() -> None:
        task = asyncio.create_task(client.serve())
        await asyncio.sleep(0.02)
        with pytest.raises(lwm2m.AnjayError):
            await client.serve()
        client.stop()
        await task

    asyncio.run(main())


def test_asyncio_close_from_a_thread(make: Make) -> None:
    client = make()

    async def main() -> None:
        task = asyncio.create_task(client.serve())
        await asyncio.sleep(0.05)
        await asyncio.to_thread(client.close)
        await task

    asyncio.run(main())


def test_interpreter_exit_with_a_running_thread(peer: Peer) -> None:
    program = (
        "import anjay_cffi as l, time\n"
        "c = l.Client('urn:dev:os:1')\n"
        f"c.security.add(l.SecurityInstance(ssid=1, server_uri='{peer.uri}'))\n"
        "c.server.add(l.ServerInstance(ssid=1))\n"
        "c.every(0.001, int)\n"
        "c.start_thread()\n"
        "time.sleep(0.2)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=20, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


CLIENT = """
import asyncio, sys, time
import anjay_cffi as lwm2m
mode, uri = sys.argv[1:]
with lwm2m.Client("urn:dev:os:test") as client:
    psk = ("identity", b"key") if uri.startswith("coaps") else None
    client.security.add(lwm2m.SecurityInstance(ssid=1, server_uri=uri, psk=psk))
    client.server.add(lwm2m.ServerInstance(ssid=1, lifetime=60))
    if mode == "run":
        client.run()
    elif mode == "serve":
        asyncio.run(client.serve())
    else:
        client.start_thread()
        client.join() if mode == "join" else time.sleep(60)
"""


def interrupted(mode: str, uri: str, ready: Callable[[], object], folder: Path) -> float:
    """Start a client, wait until it is ready, press Ctrl-C: how long it takes to end."""
    process = subprocess.Popen([sys.executable, "-c", CLIENT, mode, uri], stderr=subprocess.PIPE, cwd=folder)
    try:
        ready()
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=60)[1].decode()
    finally:
        process.kill()
        process.communicate()
    assert error.rstrip().endswith("KeyboardInterrupt"), error
    assert process.returncode == -signal.SIGINT
    return time.monotonic() - begun


MODES = ["run", "serve", "join", "sleep"]


@pytest.mark.parametrize("mode", MODES)
def test_ctrl_c_does_not_wait_for_deregister(mode: str, tmp_path: Path) -> None:
    with Peer() as peer:

        def ready() -> None:
            peer.registered()
            peer.ask(GET, "/1/0/1")  # the client took the answer to Register before this one
            peer.answer = False

        assert interrupted(mode, peer.uri, ready, tmp_path) < AT_ONCE
        peer.wait(peer.deregistered)


@pytest.mark.parametrize("scheme", ["coap", "coaps"])
@pytest.mark.parametrize("mode", MODES)
def test_ctrl_c_does_not_wait_for_a_silent_server(mode: str, scheme: str, tmp_path: Path) -> None:
    info = lwm2m.build_info()
    if scheme == "coaps" and info.tls == "none":
        pytest.skip("this build has no TLS backend")
    if scheme == "coaps" and info.provider == "system" and info.linked == "shared":
        pytest.skip("the handshake in a shared library is out of reach (docs/architecture.md)")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(20)
        uri = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}"
        assert interrupted(mode, uri, lambda: silent.recv(2000), tmp_path) < AT_ONCE


def test_stop_ends_a_handshake() -> None:
    info = lwm2m.build_info()
    if info.tls == "none" or (info.provider == "system" and info.linked == "shared"):
        pytest.skip("no TLS backend, or out of reach in a shared library (docs/architecture.md)")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(20)
        uri = f"coaps://127.0.0.1:{silent.getsockname()[1]}"
        client = lwm2m.Client("urn:dev:os:test")
        client.security.add(lwm2m.SecurityInstance(ssid=1, server_uri=uri, psk=("identity", b"key")))
        client.server.add(lwm2m.ServerInstance(ssid=1, lifetime=60))
        client.start_thread()
        silent.recv(2000)
        begun = time.monotonic()
        client.stop()
        assert client.join(30)
        client.close()
        assert time.monotonic() - begun < AT_ONCE
