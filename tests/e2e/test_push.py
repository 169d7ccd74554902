# SPDX-License-Identifier: Apache-2.0
"""Firmware pushed to the tutorial, from registration to Update Result."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path

import pytest

from anjay_cffi.devserver import Progress, firmware
from anjay_cffi.devserver.firmware import Result, State
from anjay_cffi.tutorial import image

from .tutorial import ENDPOINT, PATIENCE, Tutorial, is_root, play, refusal, server

IMAGE = "firmware_image.bin"
NOT_WRITTEN = (Result.UPDATE_FAILED, Result.NOT_ENOUGH_SPACE)
"""The real library knows only the second for a write that fails."""


@pytest.mark.parametrize("size", [1024, 5 << 20, 64 << 20], ids=["one-block", "5MiB", "64MiB"])
def test_update(state: Path, secure: bool, size: int) -> None:
    new = image.build(size)
    assert len(new) == size

    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=secure) as client:
            device = await dev.registered(ENDPOINT)
            seen: list[Progress] = []
            await firmware.push(device, new, progress=seen.append)
            assert seen[-1].sent == size and seen[-1].blocks == (size + 1023) // 1024 == len(seen)
            assert await firmware.state(device) is State.DOWNLOADED
            file = state / IMAGE
            assert file.read_bytes() == new and file.stat().st_mode & 0o777 == 0o600
            pid = client.pid
            await device.execute(firmware.UPDATE)
            back = await dev.registered(ENDPOINT, after=device, timeout=2 * PATIENCE)
            assert await firmware.result(back) is Result.SUCCESS
            assert await firmware.state(back) is State.IDLE
            assert client.pid == pid and str(file) in client.arguments and client.arguments[2] == ENDPOINT
            assert file.stat().st_mode & 0o777 == 0o700
            # The image has inherited what it was given, and has its own socket and wake-up pipes.
            sockets = [name for name in client.descriptors if name.startswith("socket:")]
            assert len(sockets) == 1
            assert not any(str(state) in name and "log" not in name for name in client.descriptors)
            assert back.objects.keys() == device.objects.keys() and back.lifetime == device.lifetime
            assert await client.stop() == 0
            await dev.wait(lambda: back.ended)

    play(story, timeout=300)
    (state / IMAGE).unlink()


def test_update_twice(state: Path, secure: bool) -> None:
    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=secure) as client:
            device = await dev.registered(ENDPOINT)
            for _ in range(2):
                device, result = await firmware.update(device, image.build())
                assert result is Result.SUCCESS
            assert await client.stop() == 0

    play(story)


@pytest.mark.parametrize("new", [b"", b"x"], ids=["empty", "one-byte"])
def test_image_that_cannot_run(state: Path, secure: bool, new: bytes) -> None:
    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=secure) as client:
            device = await dev.registered(ENDPOINT)
            await firmware.push(device, new)
            assert await firmware.state(device) is State.DOWNLOADED
            assert (state / IMAGE).read_bytes() == new
            await device.execute(firmware.UPDATE)
            result = await device.observe(firmware.RESULT, 0)
            while int(str(result.value)) == 0:
                await result.next(PATIENCE)
            assert int(str(result.value)) == Result.UPDATE_FAILED
            await result.cancel()
            assert not (state / "fw-updated-marker").exists()
            assert IMAGE not in " ".join(client.arguments[:2])
            # It goes on as before, and takes a better one.
            _, outcome = await firmware.update(device, image.build())
            assert outcome is Result.SUCCESS
            assert await client.stop() == 0

    play(story)


@pytest.mark.parametrize("block", [16, 64, 512])
def test_smaller_blocks(state: Path, block: int) -> None:
    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=False) as client:
            device = await dev.registered(ENDPOINT)
            new = image.build(10 * block + 1)
            await firmware.push(device, new, block=block)
            assert (state / IMAGE).read_bytes() == new
            assert await client.stop() == 0

    play(story)


def test_cancelled(state: Path, secure: bool) -> None:
    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=secure) as client:
            device = await dev.registered(ENDPOINT)
            await firmware.push(device, image.build())
            await firmware.cancel(device)
            assert await firmware.state(device) is State.IDLE
            assert not (state / IMAGE).exists()
            assert await client.stop() == 0

    play(story)


def test_file_size_limit(state: Path) -> None:
    """The disk is full, as far as this process may know."""

    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=False) as client:
            device = await dev.registered(ENDPOINT)
            resource.prlimit(client.pid, resource.RLIMIT_FSIZE, (100_000, 100_000))
            assert await refusal(device, image.build(300_000))
            assert await firmware.result(device) is Result.NOT_ENOUGH_SPACE
            assert await firmware.state(device) is State.IDLE
            assert not (state / IMAGE).exists()
            await firmware.push(device, image.build(50_000))
            assert await firmware.state(device) is State.DOWNLOADED
            assert await client.stop() == 0

    play(story)


def test_link_in_the_way(state: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (state / IMAGE).symlink_to(victim)

    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=False) as client:
            device = await dev.registered(ENDPOINT)
            new = image.build()
            await firmware.push(device, new)
            assert (state / IMAGE).read_bytes() == new and not (state / IMAGE).is_symlink()
            assert await client.stop() == 0

    play(story)
    assert victim.read_text() == "precious"


def test_file_exchanged_before_the_start(state: Path) -> None:
    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=False) as client:
            device = await dev.registered(ENDPOINT)
            await firmware.push(device, image.build())
            other = state / "other"
            other.write_bytes(image.build())
            other.rename(state / IMAGE)
            result = await device.observe(firmware.RESULT, 0)
            await device.execute(firmware.UPDATE)
            assert int(str(await result.next(PATIENCE))) == Result.UPDATE_FAILED
            assert await client.stop() == 0

    play(story)


def test_directory_in_the_way(state: Path) -> None:
    (state / IMAGE).mkdir()

    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=False) as client:
            device = await dev.registered(ENDPOINT)
            assert await refusal(device, image.build())
            assert await firmware.result(device) in NOT_WRITTEN
            assert await client.stop() == 0

    play(story)
    (state / IMAGE).rmdir()


@pytest.mark.skipif(not is_root(), reason="only root can make a file of another user")
def test_foreign_file_in_the_way(state: Path) -> None:
    import os

    file = state / IMAGE
    file.write_text("theirs")
    os.chown(file, 65534, 65534)

    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=False) as client:
            device = await dev.registered(ENDPOINT)
            assert await refusal(device, image.build())
            assert await firmware.result(device) in NOT_WRITTEN
            assert await client.stop() == 0

    play(story)
    assert file.read_text() == "theirs"


@pytest.mark.skipif(is_root(), reason="root may write everywhere")
def test_read_only_directory(state: Path) -> None:
    state.chmod(0o500)

    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=False) as client:
            device = await dev.registered(ENDPOINT)
            assert await refusal(device, image.build())
            assert await firmware.result(device) in NOT_WRITTEN
            assert await client.stop() == 0

    play(story)
    state.chmod(0o700)


def test_killed_in_the_middle(state: Path) -> None:
    """A half image of a killed client is in nobody's way."""

    async def story() -> None:
        async with server() as dev:
            async with Tutorial.of(dev, state, secure=False) as client:
                device = await dev.registered(ENDPOINT)

                def kill(progress: Progress) -> None:
                    if progress.blocks == 100 and client.alive:
                        client.process.kill()

                push = asyncio.ensure_future(firmware.push(device, image.build(300_000), progress=kill))
                assert await client.status() == -9
                push.cancel()
                await asyncio.gather(push, return_exceptions=True)
                assert 0 < (state / IMAGE).stat().st_size < 300_000
            async with Tutorial.of(dev, state, secure=False) as client:
                device = await dev.registered(ENDPOINT, after=device)
                assert await firmware.result(device) is Result.INITIAL
                _, result = await firmware.update(device, image.build())
                assert result is Result.SUCCESS
                assert await client.stop() == 0

    play(story)


def test_killed_between_marker_and_exec(state: Path) -> None:
    """An image that never ran is never reported as a success."""
    prelude = "import os, signal\nos.execv = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"

    async def story() -> None:
        async with server() as dev:
            async with Tutorial.of(dev, state, secure=False, prelude=prelude) as client:
                device = await dev.registered(ENDPOINT)
                await firmware.push(device, image.build())
                await device.execute(firmware.UPDATE)
                assert await client.status() == -9
                assert (state / "fw-updated-marker").exists()
            async with Tutorial.of(dev, state, secure=False) as client:
                device = await dev.registered(ENDPOINT, after=device)
                assert await firmware.result(device) is Result.UPDATE_FAILED
                assert await client.stop() == 0

    play(story)
