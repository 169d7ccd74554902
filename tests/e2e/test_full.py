# SPDX-License-Identifier: Apache-2.0
"""A disk that is full, read-only, or not for programs."""

from __future__ import annotations

from pathlib import Path

from anjay_cffi.devserver import Device, firmware
from anjay_cffi.devserver.firmware import Result, State
from anjay_cffi.tutorial import image

from .mounts import MountedTutorial
from .tutorial import ENDPOINT, PATIENCE, play, refusal, server

IMAGE = "firmware_image.bin"


async def failed(device: Device) -> Result:
    """Start what was pushed; the Update Result of the failure."""
    result = await device.observe(firmware.RESULT, 0)
    await device.execute(firmware.UPDATE)
    while (value := int(str(result.value))) == Result.INITIAL:
        await result.next(PATIENCE)
    await result.cancel()
    return Result(value)


def test_image_does_not_fit(state: Path) -> None:
    async def story() -> None:
        async with server() as dev, MountedTutorial(dev, state, "size=64k") as client:
            device = await dev.registered(ENDPOINT)
            for _ in range(2):
                assert await refusal(device, image.build(300_000))
                assert await firmware.state(device) is State.IDLE
                assert await firmware.result(device) is Result.NOT_ENOUGH_SPACE
                assert not client.files
            # The last bytes are written when the file is closed: the whole push is accepted, and then fails.
            await firmware.push(device, image.build(65537))
            assert await firmware.state(device) is State.IDLE
            assert await firmware.result(device) is Result.NOT_ENOUGH_SPACE
            assert not client.files
            back, result = await firmware.update(device, image.build(30_000))
            assert result is Result.SUCCESS and client.files == {IMAGE: 30_000}
            assert back.ended is None
            assert await client.stop() == 0

    play(story)


def test_marker_does_not_fit(state: Path) -> None:
    async def story() -> None:
        async with server() as dev, MountedTutorial(dev, state, "size=64k") as client:
            device = await dev.registered(ENDPOINT)
            await firmware.push(device, image.build(65536))
            assert await failed(device) is Result.NOT_ENOUGH_SPACE
            assert client.files == {IMAGE: 65536}
            await firmware.cancel(device)
            assert not client.files
            _, result = await firmware.update(device, image.build())
            assert result is Result.SUCCESS
            assert await client.stop() == 0

    play(story)


def test_read_only(state: Path) -> None:
    async def story() -> None:
        async with server() as dev, MountedTutorial(dev, state, "ro") as client:
            device = await dev.registered(ENDPOINT)
            assert await refusal(device, image.build())
            assert await firmware.result(device) is Result.NOT_ENOUGH_SPACE
            assert await firmware.state(device) is State.IDLE and not client.files
            assert await client.stop() == 0

    play(story)


def test_not_for_programs(state: Path) -> None:
    async def story() -> None:
        async with server() as dev, MountedTutorial(dev, state, "noexec") as client:
            device = await dev.registered(ENDPOINT)
            new = image.build()
            await firmware.push(device, new)
            assert await failed(device) is Result.UPDATE_FAILED
            assert await firmware.state(device) is State.DOWNLOADED
            assert client.files == {IMAGE: len(new)}  # no marker
            assert await client.stop() == 0

    play(story)
