# SPDX-License-Identifier: Apache-2.0
"""Calls from where they must not come, and exceptions from where nobody expects them."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import anjay_cffi as lwm2m
from anjay_cffi import _trampolines

from .peer import GET, Peer, run_until

Make = Callable[..., lwm2m.Client]


class Inner(lwm2m.Object, oid=4030):
    x: int = lwm2m.resource(0, "RW", default=1)


class Outer(lwm2m.Object, oid=4031):
    """Its handlers call the client."""

    client: lwm2m.Client

    @lwm2m.resource(0)
    def notifies(self) -> int:
        self.notify()
        self.client.notify_changed(1, 0, 1)
        return 1

    @lwm2m.resource(1)
    def registers(self) -> int:
        self.client.register(Inner())
        return 1

    @lwm2m.resource(2)
    def unregisters(self) -> int:
        self.client.unregister(Inner)
        return 1

    @lwm2m.resource(3)
    def steps(self) -> int:
        self.client.step()
        return 1

    @lwm2m.resource(4)
    def closes(self) -> int:
        self.client.close()
        return 1

    @lwm2m.resource(5)
    def later(self) -> int:
        self.client.call_later(0, self.client.unregister, Inner)
        return 1

    @lwm2m.resource(6)
    def wrong_type(self) -> int:
        return "text"  # type: ignore[return-value]

    @lwm2m.resource(7)
    def unspeakable(self) -> int:
        raise Unspeakable

    @lwm2m.resource(8)
    def stops_iteration(self) -> int:
        raise StopIteration

    @lwm2m.execute(9)
    def reconnect(self) -> None:
        self.client.call_later(0, self.client.reconnect)  # at once, it would take the answer with it


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


def test_calls_from_within_handlers(peer: Peer, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    client = make()
    outer = Outer()
    outer.client = client
    client.register(outer)
    client.start_thread()
    peer.registered()

    def read(rid: int) -> int:
        return peer.ask(GET, f"/4031/0/{rid}").code

    assert read(0) == 0x45
    assert read(1) == 0x45
    assert peer.ask(GET, "/4030/0/0").payload == b"1"
    for rid, words in (
        (2, "unregister() from within a handler"),
        (3, "another loop drives this client"),
        (4, "use stop()"),
        (6, "TypeError"),
        (7, "Unspeakable"),
        (8, "StopIteration"),
    ):
        caplog.clear()
        assert read(rid) == 0xA0
        (record,) = [r for r in caplog.records if r.name == "anjay_cffi" and r.levelno >= logging.ERROR]
        assert record.exc_info
        assert words in caplog.text
    assert read(5) == 0x45
    peer.wait(lambda: 4030 not in client._objects)
    assert peer.ask(GET, "/4030/0/0").code == 0x84
    assert peer.ask(2, "/4031/0/9").code == 0x44
    peer.wait(lambda: len([m for m in peer.seen if m.code == 2]) > 1)


def test_a_job_that_raises_goes_on(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    client = make()
    job = client.every(0.02, lambda: 1 // 0)

    def raised() -> int:
        return len([r for r in caplog.records if r.exc_info and r.exc_info[0] is ZeroDivisionError])

    run_until(client, lambda: raised() >= 3)
    assert job.active


def test_every_receiver_is_told_though_one_raises(
    peer: Peer, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[lwm2m.ServerStatus] = []
    client = make(on_status=lambda ssid, status: 1 // 0)
    client.on_status(lambda ssid, status: seen.append(status))
    client.start_thread()
    peer.wait(lambda: lwm2m.ServerStatus.REGISTERED in seen)
    assert "ZeroDivisionError" in caplog.text


def test_ctrl_c_while_an_exception_is_logged(make: Make) -> None:
    class Interrupted(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise KeyboardInterrupt("while logging")

    client = make()
    client.call_later(0.0, lambda: 1 // 0)
    handler = Interrupted()
    _trampolines.logger.addHandler(handler)
    try:
        with pytest.raises(KeyboardInterrupt, match="while logging"):
            client.run(max_wait=60)
    finally:
        _trampolines.logger.removeHandler(handler)


def test_what_is_pending_is_raised_before_the_loop_waits(make: Make) -> None:
    client = make()
    for loop in (client.run, client.step):
        _trampolines.store(KeyboardInterrupt("from before"))
        with pytest.raises(KeyboardInterrupt, match="from before"):
            loop()
    client.run(timeout=0.01)


def test_close_in_a_signal_handler_is_refused(make: Make) -> None:
    client = make()
    client.register(Inner())
    found: list[str] = []

    def handler(*_: object) -> None:
        try:
            client.close()
        except lwm2m.AnjayError as exc:
            found.append(str(exc))
        client.stop()

    before = signal.signal(signal.SIGUSR1, handler)
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        client.run(max_wait=60)
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)
    assert "use stop()" in found[0]
    assert not client.closed


def test_close_raises_what_ended_the_thread(make: Make) -> None:
    def leave() -> None:
        raise SystemExit(3)

    client = make()
    client.call_later(0.0, leave)
    client.start_thread()
    thread = client._thread
    assert thread is not None
    thread.join()
    with pytest.raises(SystemExit):
        client.close()
    assert client.closed


def test_asyncio_close_from_a_thread_waits_for_the_step(make: Make) -> None:
    client = make()
    inside, closed_inside = threading.Event(), []

    def slow() -> None:
        inside.set()
        time.sleep(0.2)
        closed_inside.append(client.closed)

    def close() -> None:
        inside.wait()
        client.close(timeout=0.2)

    async def main() -> None:
        client.call_later(0.0, slow)
        closing = asyncio.get_running_loop().run_in_executor(None, close)
        await client.serve()
        await closing

    asyncio.run(main())
    assert closed_inside == [False]
    assert client.closed


def test_asyncio_loop_that_is_gone(make: Make) -> None:
    client = make()
    loop = asyncio.new_event_loop()
    task = loop.create_task(client.serve())
    loop.run_until_complete(asyncio.sleep(0.01))
    assert not task.done()
    client.close(timeout=0.2)  # between two turns of the event loop
    loop.run_until_complete(task)
    loop.close()
    assert client.closed


FORK = """
import os, sys, time, anjay_cffi as l
class Inner(l.Object, oid=4030):
    x: int = l.resource(0, "RW", default=1)
c = l.Client("urn:dev:os:1")
c.security.add(l.SecurityInstance(ssid=1, server_uri={uri!r}))
c.server.add(l.ServerInstance(ssid=1))
inner = c.register(Inner())
job = c.every(0.01, int)
c.start_thread()
while not c.registered:
    time.sleep(0.005)
pid = os.fork()
if pid == 0:
    try:
        for call in (c.step, c.fileno, lambda: c.status(1), lambda: c.call_later(1, int)):
            try:
                call()
            except l.ClosedError as exc:
                assert "forked" in str(exc)
            else:
                os._exit(2)
        c.stop()
        job.cancel()
        inner.x = 5
        with l.Client("urn:dev:os:2") as own:
            own.run(timeout=0.01)
        c.close()
        sys.exit(0)
    except SystemExit:
        raise
    except BaseException:
        import traceback
        traceback.print_exc()
        os._exit(3)
_, status = os.waitpid(pid, 0)
assert status == 0, status
assert c.registered and inner.x == 1
c.close()
"""


def test_a_forked_child_leaves_the_client_alone(peer: Peer, tmp_path: Path) -> None:
    # CPython 3.12 and newer warn of every fork with threads
    of_interest = ("-W", "error::ResourceWarning", "-W", "ignore:This process:DeprecationWarning")
    done = subprocess.run(
        [sys.executable, *of_interest, "-c", FORK.format(uri=peer.uri)],
        timeout=30,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len([m for m in peer.seen if m.code == 4]) == 1  # De-register, of the parent


@pytest.mark.parametrize("flags", [["-W", "error"], ["-X", "dev", "-W", "error"], ["-O"], ["-OO"], ["-bb"]])
def test_import_is_clean(flags: list[str], tmp_path: Path) -> None:
    program = "from anjay_cffi import *; c = Client('x'); c.run(timeout=0); c.close(); resource; ffi; lib"
    done = subprocess.run(
        [sys.executable, *flags, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_source_without_its_compiled_module_says_so(tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "anjay_cffi"
    shutil.copytree(
        Path(lwm2m.__file__).parent, folder, ignore=shutil.ignore_patterns("*.so", "__pycache__", "devserver")
    )
    run = [sys.executable, "-m", "anjay_cffi", "doctor"]
    done = subprocess.run(run, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "run Python from another folder" in done.stderr.splitlines()[-1]
    (folder / "_native.abi3.so").write_bytes(b"no ELF")
    done = subprocess.run(run, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert "cannot be loaded" in done.stderr.splitlines()[-1]
