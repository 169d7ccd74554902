# SPDX-License-Identifier: Apache-2.0
"""A firmware push where every third datagram is lost, both ways."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from anjay_cffi.devserver import coap, firmware
from anjay_cffi.devserver.firmware import Result
from anjay_cffi.tutorial import image

from .tutorial import ENDPOINT, PATIENCE, Tutorial, play, server

LOSS = 0.3


class Side(asyncio.DatagramProtocol):
    """One of the two sockets of a link."""

    def __init__(self) -> None:
        self.other: Side | None = None
        self.peer: Any = None
        self.loss = 0.0
        self.choice = random.Random(11)
        self.lost = self.passed = 0
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.peer = self.peer or addr
        if addr != self.peer:  # the client has a new socket
            self.peer = addr
        if self.choice.random() < self.loss:
            self.lost += 1
            return
        self.passed += 1
        assert self.other is not None and self.other.transport is not None
        self.other.transport.sendto(data, self.other.peer)


@asynccontextmanager
async def link(port: int) -> AsyncIterator[tuple[int, Side, Side]]:
    """A port that leads to ``port``, and its two sides."""
    loop = asyncio.get_running_loop()
    towards_client, towards_server = Side(), Side()
    towards_client.other, towards_server.other = towards_server, towards_client
    towards_server.peer = ("127.0.0.1", port)
    near, _ = await loop.create_datagram_endpoint(lambda: towards_client, local_addr=("127.0.0.1", 0))
    far, _ = await loop.create_datagram_endpoint(lambda: towards_server, local_addr=("127.0.0.1", 0))
    try:
        yield near.get_extra_info("sockname")[1], towards_client, towards_server
    finally:
        near.close()
        far.close()
        await asyncio.sleep(0)


def test_push(state: Path, secure: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coap, "ACK_TIMEOUT", 0.05)
    monkeypatch.setattr(coap, "MAX_RETRANSMIT", 8)
    new = image.build(40 * 1024)

    async def story() -> None:
        async with server() as dev:
            uri = dev.secure_uri if secure else dev.uri
            async with link(int(uri.rpartition(":")[2])) as (port, *sides):
                scheme = uri.partition(":")[0]
                options = [f"--server={scheme}://127.0.0.1:{port}", *([] if secure else ["--nosec"])]
                async with Tutorial(state, *options) as client:
                    device = await dev.registered(ENDPOINT)
                    for side in sides:
                        side.loss = LOSS
                    for _ in range(20):  # each attempt resumes nothing: a push that gave up begins again
                        try:
                            await firmware.push(device, new)
                            break
                        except coap.SilenceError:
                            continue
                    assert (state / "firmware_image.bin").read_bytes() == new
                    for side in sides:
                        side.loss = 0.0
                        assert side.lost > 5
                    await device.execute(firmware.UPDATE)
                    back = await dev.registered(ENDPOINT, after=device, timeout=PATIENCE)
                    assert await firmware.result(back) is Result.SUCCESS
                    assert await client.stop() == 0

    play(story)
