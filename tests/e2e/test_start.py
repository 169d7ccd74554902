# SPDX-License-Identifier: Apache-2.0
"""What an image finds when it is started, and how the tutorial ends on signals, also as an image."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
import time
from pathlib import Path

import pytest

from anjay_cffi.devserver import Progress, firmware
from anjay_cffi.devserver.firmware import Result
from anjay_cffi.tutorial import image
from anjay_cffi.tutorial.__main__ import CLEAN_UP
from anjay_cffi.tutorial.firmware_update import MARKER

from .tutorial import ENDPOINT, PATIENCE, Tutorial, play, server

# A shell, because Python ignores signals of its own accord.
LOOK = """#!/bin/sh
{{
    while read -r line; do echo "$line"; done </proc/$$/status  # a shell blocks signals while it forks
    ls -l /proc/$$/fd
    for argument; do echo "argument $argument"; done
    echo "marker $(cut -d' ' -f1 {marker})"
    echo "pid $$"
    echo "environment $ANJAY_CFFI_TEST"
    echo "name $0"
}} >{evidence} 2>&1
exec {python} -m anjay_cffi.tutorial "$@"
"""


def test_what_the_image_finds(state: Path, secure: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANJAY_CFFI_TEST", "kept")
    evidence = state.parent / "evidence"
    new = LOOK.format(
        marker=shlex.quote(str(state / MARKER)), evidence=shlex.quote(str(evidence)), python=sys.executable
    )

    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=secure) as client:
            device = await dev.registered(ENDPOINT)
            _, result = await firmware.update(device, new.encode())
            assert result is Result.SUCCESS
            log, pid = str(client.log_file), client.pid
            uri = dev.secure_uri if secure else dev.uri
            assert await client.stop() == 0
        lines = evidence.read_text().splitlines()
        files = {line.partition(" -> ")[2] for line in lines if " -> " in line}
        assert files <= {"/dev/null", log, str(evidence), str(state / "firmware_image.bin")}
        masks = {line.split()[0]: int(line.split()[1], 16) for line in lines if line[:4] in ("SigB", "SigI")}
        ours = sum(1 << number - 1 for number in signal.valid_signals())  # libc's own may be inherited
        assert masks["SigBlk:"] & ours == masks["SigIgn:"] & ours == 0
        assert [line for line in lines if line.startswith("pid ")] == [f"pid {pid}"]
        assert f"marker {pid}" in lines and "environment kept" in lines
        assert f"name {state / 'firmware_image.bin'}" in lines
        arguments = [line.partition(" ")[2] for line in lines if line.startswith("argument ")]
        assert arguments[0] == ENDPOINT and f"--server={uri}" in arguments
        assert ("--nosec" in arguments) is not secure and f"--state-dir={state}" in arguments

    play(story)


def test_all_options_are_handed_on(state: Path) -> None:
    async def story() -> None:
        key = "a b'c\"d$e"
        async with server(keys={"-m ä": key}) as dev:
            options = (
                "--psk-identity=-m ä",
                f"--psk-key={key}",
                "--lifetime=77",
                "-v",
                f"--server={dev.secure_uri}",
            )
            async with Tutorial(state, *options, endpoint="dev ü") as client:
                device = await dev.registered("dev ü")
                back, result = await firmware.update(device, image.build())
                assert result is Result.SUCCESS and back.lifetime == 77
                assert back.remote.identity == "-m ä".encode()
                assert "DEBUG" in client.log.rpartition("starting ")[2]
                assert await client.stop() == 0

    play(story)


def test_relative_directory(state: Path) -> None:
    async def story() -> None:
        async with server() as dev:
            prelude = f"import os; os.chdir({str(state)!r})"
            options = ("--nosec", f"--server={dev.uri}", "--state-dir=.")
            async with Tutorial(state, *options, prelude=prelude) as client:
                device = await dev.registered(ENDPOINT)
                for _ in range(2):
                    device, result = await firmware.update(device, image.build())
                    assert result is Result.SUCCESS
                assert await client.stop() == 0

    play(story)


def test_nothing_on_standard_output(state: Path) -> None:
    """Neither a closed stdout nor a closed stderr keeps an image from being started."""

    async def story() -> None:
        async with server() as dev:
            client = Tutorial.of(dev, state, secure=False)
            client.command = ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *client.command]
            async with client:
                device = await dev.registered(ENDPOINT)
                _, result = await firmware.update(device, image.build())
                assert result is Result.SUCCESS
                assert await client.stop() == 0

    play(story)


SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 0, signal.SIGHUP: 0}


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("updated", [False, True], ids=["started", "image"])
def test_signals(state: Path, number: signal.Signals, updated: bool) -> None:
    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=True) as client:
            device = await dev.registered(ENDPOINT)
            if updated:
                device, result = await firmware.update(device, image.build())
                assert result is Result.SUCCESS
            begun = time.monotonic()
            assert await client.stop(number) == SIGNALS[number]
            assert time.monotonic() - begun < CLEAN_UP
            await dev.wait(lambda: device.ended)
            assert device.ended == "de-registered" and "Traceback" not in client.log

    play(story)


def test_signal_during_a_push(state: Path, secure: bool) -> None:
    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=secure) as client:
            device = await dev.registered(ENDPOINT)

            def stop(progress: Progress) -> None:
                if progress.blocks == 50:
                    client.process.send_signal(signal.SIGTERM)

            push = asyncio.ensure_future(firmware.push(device, image.build(3_000_000), progress=stop))
            assert await client.status() == 0
            push.cancel()
            await asyncio.gather(push, return_exceptions=True)
            assert "Traceback" not in client.log

    play(story)


def test_nohup(state: Path) -> None:
    async def story() -> None:
        prelude = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"
        async with server() as dev, Tutorial.of(dev, state, secure=False, prelude=prelude) as client:
            device = await dev.registered(ENDPOINT)
            client.process.send_signal(signal.SIGHUP)
            device, result = await firmware.update(device, image.build())
            assert result is Result.SUCCESS
            client.process.send_signal(signal.SIGHUP)
            assert int(str(await device.read("/1/0/1", 0))) == 60 and client.alive
            assert await client.stop() == 0

    play(story)


def test_signal_again_while_it_ends(state: Path) -> None:
    """Nobody answers De-register: more signals of the same kind change nothing, Ctrl-C ends the wait."""

    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=False) as client:
            await dev.registered(ENDPOINT)
            dev.answering = False
            begun = time.monotonic()
            for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGHUP):
                client.process.send_signal(number)
            assert await client.status(PATIENCE) == 0
            assert time.monotonic() - begun >= CLEAN_UP and "Traceback" not in client.log

    play(story)
