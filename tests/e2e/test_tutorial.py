# SPDX-License-Identifier: Apache-2.0
"""The tutorial's registration, its Time object, and how it ends."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from anjay_cffi import build_info
from anjay_cffi.devserver import DevServer, Event
from anjay_cffi.tutorial.__main__ import CLEAN_UP

from .tutorial import ENDPOINT, PATIENCE, Tutorial, code_of, play, server


def test_registration(state: Path, secure: bool) -> None:
    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=secure) as client:
            device = await dev.registered(ENDPOINT)
            assert device.lifetime == 60 and device.version in ("1.1", "1.2")
            assert set(device.objects) >= {"/1/0", "/5/0", "/3333/0"}
            assert device.remote.secure is secure
            assert device.remote.identity == (b"identity" if secure else None)
            assert await device.read("/1/0/1", 0) == "60"
            assert await device.read("/1/0/7", 0) == "U"
            assert await client.stop() == 0
            await dev.wait(lambda: device.ended)
            assert device.ended == "de-registered"

    play(story)


def test_options(state: Path) -> None:
    async def story() -> None:
        async with server(keys={"me": "secret"}) as dev:
            options = (
                f"--server={dev.secure_uri}",
                "--psk-identity=me",
                "--psk-key=secret",
                "--lifetime=300",
                "-v",
            )
            async with Tutorial(state, *options, endpoint="other") as client:
                device = await dev.registered("other")
                assert device.lifetime == 300 and device.remote.identity == b"me"
                assert "DEBUG" in client.log
                assert await client.stop() == 0

    play(story)


def test_time_object(state: Path, secure: bool) -> None:
    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=secure) as client:
            device = await dev.registered(ENDPOINT)
            assert abs(int(str(await device.read("/3333/0/5506", 0))) - time.time()) < 5
            assert await device.read("/3333/0/5750") == "Clock 0"
            assert await code_of(device.read("/3333/0/5507")) == "4.04"
            await device.write("/3333/0/5750", "Küche")
            assert await device.read("/3333/0/5750") == "Küche"
            assert await code_of(device.write("/3333/0/5750", "x" * 64)) == "4.00"
            assert await code_of(device.write("/3333/0/5506", 5)) == "4.05"
            assert await code_of(device.write("/3333/0/5507", 0.5)) == "4.05"
            assert await code_of(device.execute("/3333/0/5506")) == "4.05"
            # One resource is refused, and the other is as it was.
            mixed = {5750: "lost", 5506: 5}
            assert await code_of(device.write("/3333/0", mixed, replace=False)) == "4.05"
            assert await device.read("/3333/0/5750") == "Küche"
            await device.write("/3333/0", {5750: "whole"})
            assert await device.read("/3333/0/5750") == "whole"
            assert await client.stop() == 0

    play(story)


def test_clocks_come_and_go(state: Path) -> None:
    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=False) as client:
            device = await dev.registered(ENDPOINT)
            assert await device.create(3333, 7, {5750: "seventh"}) == "/3333/7"
            assert await device.read("/3333/7/5750") == "seventh"
            assert await device.create(3333) == "/3333/1"
            assert await device.read("/3333/1/5750") == ""
            # the next Update tells, after half of the lifetime of 60 s at the latest
            await dev.wait(lambda: "/3333/7" in device.objects, 45)
            observation = await device.observe("/3333/7/5506")
            await observation.next(PATIENCE)
            await observation.cancel()
            await device.delete("/3333/7")
            assert await code_of(device.read("/3333/7")) == "4.04"
            await dev.wait(lambda: "/3333/7" not in device.objects, 45)
            assert await client.stop() == 0

    play(story)


def test_notifications(state: Path, secure: bool) -> None:
    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=secure) as client:
            device = await dev.registered(ENDPOINT)
            observation = await device.observe("/3333/0/5506")
            values = [await observation.next(PATIENCE) for _ in range(3)]
            numbers = [value for value in values if isinstance(value, int)]
            assert len(numbers) == 3 and numbers == sorted(set(numbers)) and numbers[2] - numbers[0] <= 10
            await observation.cancel()
            assert await client.stop() == 0

    play(story)


def test_update_of_the_registration(state: Path) -> None:
    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=False) as client:
            device = await dev.registered(ENDPOINT)
            await device.write("/1/0/1", 120)
            await dev.wait(lambda: device.lifetime == 120)
            await device.execute("/1/0/8")
            await dev.wait(lambda: device.updates >= 2)
            assert await client.stop() == 0

    play(story)


def test_ctrl_c(state: Path, secure: bool) -> None:
    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=secure) as client:
            device = await dev.registered(ENDPOINT)
            begun = time.monotonic()
            assert await client.stop(signal.SIGINT) == 130
            assert time.monotonic() - begun < CLEAN_UP
            await dev.wait(lambda: device.ended)
            assert "Traceback" not in client.log

    play(story)


def test_wrong_key(state: Path) -> None:
    async def story() -> None:
        async with DevServer(keys={"identity": "another"}) as dev:
            events: list[Event] = []
            dev.listen(events.append)
            async with Tutorial.of(dev, state, secure=True) as client:
                await dev.wait(lambda: [event for event in events if event.kind == "asked"])
                with pytest.raises(TimeoutError):
                    await dev.registered(ENDPOINT, timeout=2)
                assert not any(event.kind == "secured" for event in events)
                assert client.alive
                await _stop_in_handshake(client)
            # The right key later: a client that begins anew gets in.
            dev.keys[b"identity"] = b"P4s$w0rd"
            async with Tutorial.of(dev, state, secure=True) as client:
                await dev.registered(ENDPOINT)
                assert await client.stop() == 0

    play(story)


def test_unknown_identity(state: Path) -> None:
    async def story() -> None:
        async with DevServer(keys={"somebody": "key"}) as dev:
            events: list[Event] = []
            dev.listen(events.append)
            async with Tutorial.of(dev, state, secure=True) as client:
                await dev.wait(lambda: [event for event in events if event.kind == "unsecured"])
                assert not dev.devices and client.alive
                await _stop_in_handshake(client)

    play(story)


@pytest.mark.parametrize("scheme", ["coap", "coaps"])
def test_server_that_never_answers(state: Path, scheme: str) -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.setblocking(False)
            uri = f"--server={scheme}://127.0.0.1:{deaf.getsockname()[1]}"
            options = [uri] if scheme == "coaps" else [uri, "--nosec"]
            async with Tutorial(state, *options) as client:
                first = await asyncio.wait_for(_receive(loop, deaf), PATIENCE)
                again = await asyncio.wait_for(_receive(loop, deaf), PATIENCE)
                assert first and again  # sent once more, and still there
                assert client.alive
                if scheme == "coaps":
                    await _stop_in_handshake(client)
                else:
                    begun = time.monotonic()
                    assert await client.stop() == 0
                    assert time.monotonic() - begun < CLEAN_UP

    play(story)


async def _stop_in_handshake(client: Tutorial) -> None:
    """At once, except that the real library's handshakes let nothing else happen while they wait."""
    if build_info().provider == "system":
        assert await client.stop(signal.SIGKILL) == -signal.SIGKILL
        return
    begun = time.monotonic()
    assert await client.stop() == 0
    assert time.monotonic() - begun < CLEAN_UP


async def _receive(loop: asyncio.AbstractEventLoop, sock: socket.socket) -> bytes:
    ready = asyncio.Event()
    loop.add_reader(sock, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sock)
    return sock.recv(65536)


def test_server_that_falls_silent(state: Path, secure: bool) -> None:
    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=secure) as client:
            await dev.registered(ENDPOINT)
            dev.answering = False
            begun = time.monotonic()
            assert await client.stop(signal.SIGINT) == 130
            assert time.monotonic() - begun < 5

    play(story)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "anjay_cffi.tutorial", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


@pytest.mark.parametrize(
    "arguments", [(), ("one", "two"), ("one", "--lifetime"), ("one", "--unknown"), ("one", "--lifetime=x")]
)
def test_wrong_arguments(arguments: tuple[str, ...]) -> None:
    done = _run(*arguments)
    assert done.returncode == 2 and "usage:" in done.stderr and not done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("one", "--server=http://example.com"), "Security object"),
        (("one", "--nosec", "--server=coaps://example.com"), "Security object"),
        (("one", "--server=coap://example.com"), "Security object"),
        (("one", "--lifetime=-5"), "Server object"),
        (("one", "--state-dir=/nonexistent"), "Firmware Update object"),
        (("",), "client"),
    ],
)
def test_a_step_fails(arguments: tuple[str, ...], words: str) -> None:
    done = _run(*arguments)
    assert done.returncode == 1 and words in done.stderr and "Traceback" not in done.stderr
