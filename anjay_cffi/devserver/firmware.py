# SPDX-License-Identifier: Apache-2.0
"""The Firmware Update object /5 from the server's side."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from enum import IntEnum

from . import values
from .codec import Code
from .device import BLOCK, Device, Progress
from .errors import DevServerError

PACKAGE, UPDATE, STATE, RESULT = "/5/0/0", "/5/0/2", "/5/0/3", "/5/0/5"


class State(IntEnum):
    """Resource /5/0/3."""

    IDLE = 0
    DOWNLOADING = 1
    DOWNLOADED = 2
    UPDATING = 3


class Result(IntEnum):
    """Resource /5/0/5."""

    INITIAL = 0
    SUCCESS = 1
    NOT_ENOUGH_SPACE = 2
    OUT_OF_MEMORY = 3
    CONNECTION_LOST = 4
    INTEGRITY_FAILURE = 5
    UNSUPPORTED_PACKAGE_TYPE = 6
    INVALID_URI = 7
    UPDATE_FAILED = 8
    UNSUPPORTED_PROTOCOL = 9
    UPDATE_CANCELLED = 10
    UPDATE_DEFERRED = 11

    @property
    def words(self) -> str:
        """For people."""
        return self.name.lower().replace("_", " ")


async def _number(device: Device, path: str) -> int:
    value = await device.read(path, values.TEXT)
    try:
        return int(str(value))
    except ValueError:
        raise DevServerError(f"{path} is {value!r}, not a number") from None


async def state(device: Device) -> State:
    """Read the State."""
    return State(await _number(device, STATE))


async def result(device: Device) -> Result:
    """Read the Update Result."""
    return Result(await _number(device, RESULT))


async def push(
    device: Device,
    image: bytes,
    *,
    block: int = BLOCK,
    progress: Callable[[Progress], object] | None = None,
) -> None:
    """Write the Package in blocks. ResponseError if the client refuses one."""
    await device.send(
        Code.PUT, PACKAGE, image, values.OPAQUE, block=block, always_blocks=True, progress=progress
    )


async def cancel(device: Device) -> None:
    """Throw away what was transferred: a Package of one NUL byte takes the state machine back to Idle."""
    await device.send(Code.PUT, PACKAGE, b"\0", values.OPAQUE)


async def update(
    device: Device,
    image: bytes,
    *,
    block: int = BLOCK,
    progress: Callable[[Progress], object] | None = None,
    timeout: float = 60.0,
) -> tuple[Device, Result]:
    """Push an image, start it, and wait until the client is back; the new registration and Update Result.

    What was there before is thrown away. The old registration is returned if the client says that the start
    failed. TimeoutError if it neither does that nor comes back within ``timeout`` seconds.
    """
    if await state(device) is not State.IDLE:
        await cancel(device)
    await push(device, image, block=block, progress=progress)
    if await state(device) is not State.DOWNLOADED:
        return device, await result(device)
    await device.execute(UPDATE)
    coming = asyncio.ensure_future(device.server.registered(device.endpoint, after=device, timeout=timeout))
    failure = asyncio.ensure_future(_failure(device))
    try:
        await asyncio.wait((coming, failure), return_when=asyncio.FIRST_COMPLETED)
        if failure.done() and not coming.done():
            return device, failure.result()
        back = await coming
    finally:
        coming.cancel()
        failure.cancel()
    return back, await result(back)


async def _failure(device: Device) -> Result:
    """Ask the old registration now and then; a client that is busy with starting does not answer."""
    while True:
        await asyncio.sleep(1.0)
        with contextlib.suppress(DevServerError):
            found = await result(device)
            if found is not Result.INITIAL:
                return found
