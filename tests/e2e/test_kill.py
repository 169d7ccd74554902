# SPDX-License-Identifier: Apache-2.0
"""kill -9 at any moment of a push and of the start of an image.

The image that runs is whole, nothing is left in the way of the next update, and an image that never ran is
never reported as a success.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import shlex
import signal
import sys
from pathlib import Path

import anjay_cffi
from anjay_cffi.devserver import Device, DevServer, DevServerError, firmware
from anjay_cffi.devserver.firmware import Result, State

from .tutorial import ENDPOINT, PATIENCE, Tutorial, play, server

ROUNDS = int(os.environ.get("ANJAY_CFFI_KILLS", "20"))
"""A hundred for a proof: ``ANJAY_CFFI_KILLS=100``."""
SIZE = 100_000

SCRIPT = """#!/bin/sh
'''exec' {python} "$0" "$@"
' '''
# round {number}
import hashlib, os, sys
with open({evidence!r}, "w") as out:
    out.write(hashlib.sha256(open(sys.argv[0], "rb").read()).hexdigest())
sys.path.insert(0, {package!r})
from anjay_cffi.tutorial.__main__ import main
sys.exit(main())
"""


def build(folder: Path, number: int) -> tuple[bytes, Path]:
    """An image that says at once that it runs and what it is; and the file where it says so."""
    evidence = folder / f"ran-{number}"
    package = str(Path(anjay_cffi.__file__).resolve().parent.parent)
    text = SCRIPT.format(
        python=shlex.quote(sys.executable), number=number, evidence=str(evidence), package=package
    ).encode()
    return text + b"#" * (SIZE - len(text)), evidence


async def update(device: Device, image: bytes) -> None:
    """Push and start an image; the client may die meanwhile."""
    try:
        await firmware.push(device, image)
        await device.execute(firmware.UPDATE)
    except (DevServerError, OSError):
        pass


def test_kill(state: Path, secure: bool) -> None:
    choice = random.Random(7)
    outcomes: dict[str, int] = {}

    async def one(dev: DevServer, number: int) -> None:
        image, evidence = build(state.parent, number)
        async with Tutorial.of(dev, state, secure=secure) as client:
            device = await dev.registered(ENDPOINT)
            work = asyncio.ensure_future(update(device, image))
            await asyncio.sleep(choice.random() * (0.04 if number % 2 else 0.3))
            client.process.send_signal(signal.SIGKILL)
            await client.process.wait()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        last = await dev.registered(ENDPOINT)  # perhaps that of the image
        # whoever starts the device again starts what was there before
        async with Tutorial.of(dev, state, secure=secure) as client:
            back = await dev.registered(ENDPOINT, after=last, timeout=PATIENCE)
            result = await firmware.result(back)
            assert await firmware.state(back) is State.IDLE
            ran = evidence.exists()
            assert result is not Result.SUCCESS, "no image has reported itself yet"
            assert result in (Result.INITIAL, Result.UPDATE_FAILED)
            if ran and evidence.stat().st_size:
                assert evidence.read_text() == hashlib.sha256(image).hexdigest()
            name = f"{'ran' if ran else 'did not run'}, {result.name}"
            outcomes[name] = outcomes.get(name, 0) + 1
            if number % 10 == 0:  # nothing is in the way of the next one
                image, evidence = build(state.parent, number + 1_000_000)
                after, result = await firmware.update(back, image)
                assert result is Result.SUCCESS
                assert evidence.read_text() == hashlib.sha256(image).hexdigest()
                device = after
            assert await client.stop() == 0
        for file in state.parent.glob("ran-*"):
            file.unlink()

    async def story() -> None:
        async with server() as dev:
            dev.listen(lambda event: print(event.kind, event.text))  # shown if it fails
            for number in range(ROUNDS):
                print(f"--- round {number}")
                await one(dev, number)

    play(story, timeout=600)
    print(outcomes)
    assert len(outcomes) >= 2, "the moments were all alike"
