# SPDX-License-Identifier: Apache-2.0
"""DTLS sessions of the server: cookies, new sessions on an old port, resumption, replay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from OpenSSL import SSL

from anjay_cffi.devserver import DevServer, Event
from anjay_cffi.devserver.codec import Code, message

from .dtls import DtlsWire
from .test_devserver import register
from .tutorial import play, server


@asynccontextmanager
async def client(dev: DevServer, *who: str) -> AsyncIterator[DtlsWire]:
    wire = DtlsWire(dev.secure_uri, *who)
    try:
        yield wire
    finally:
        wire.close()


def test_begun_anew_on_the_same_port() -> None:
    """As after exec: no close_notify, another ClientHello from the old port."""

    async def story() -> None:
        async with server() as dev, client(dev) as wire:
            events: list[Event] = []
            dev.listen(events.append)
            await wire.handshake()
            assert (await wire.ask(register())).code == Code.CREATED
            first = dev.devices["a"]
            await wire.handshake()
            assert (await wire.ask(register())).code == Code.CREATED
            second = dev.devices["a"]
            assert second is not first and first.remote.closed and not second.remote.closed
            assert [event.kind for event in events].count("secured") == 2

    play(story)


def test_resumed_from_a_new_port() -> None:
    """The identity of the first handshake holds, so that the registration may move along."""

    async def story() -> None:
        async with server() as dev, client(dev) as wire:
            await wire.handshake()
            await wire.ask(register())
            device = dev.devices["a"]
            wire.move()
            events: list[Event] = []
            dev.listen(events.append)
            await wire.handshake(resume=True)
            update = message(Code.POST, path=device.location)
            assert (await wire.ask(update)).code == Code.CHANGED
            assert [event.kind for event in events] == ["secured", "updated"]  # no key was asked for
            assert device.remote.identity == b"identity"
            dev.keys[b"other"] = b"key"
            async with client(dev, "other", "key") as thief:
                await thief.handshake()
                assert (await thief.ask(update)).code == Code.NOT_FOUND

    play(story)


def test_no_state_before_the_cookie() -> None:
    async def story() -> None:
        async with server() as dev, client(dev) as wire:
            events: list[Event] = []
            dev.listen(events.append)
            for _ in range(50):
                wire.begin()
                with pytest.raises(SSL.WantReadError):
                    wire.connection.do_handshake()
                wire.send_all()
                answer = await wire.receive()
                assert answer[0] == 22 and answer[13] == 3  # HelloVerifyRequest
            assert not events and not dev._secure._sessions  # type: ignore[union-attr]

    play(story)


def test_lost_flight_is_sent_again() -> None:
    """The server's answer to the second ClientHello is lost; its timer sends it again."""

    async def story() -> None:
        async with server() as dev, client(dev) as wire:
            wire.begin()
            lost = 0
            while True:
                try:
                    wire.connection.do_handshake()
                    break
                except SSL.WantReadError:
                    wire.send_all()
                    data = await wire.receive()
                    if data[13] == 2 and not lost:  # ServerHello
                        lost = 1
                        data = await wire.receive()
                    wire.connection.bio_write(data)
            wire.send_all()
            assert lost and (await wire.ask(register())).code == Code.CREATED
            assert dev.devices

    play(story)


def test_replayed_and_forged_records() -> None:
    async def story() -> None:
        async with server() as dev, client(dev) as wire:
            await wire.handshake()
            await wire.ask(register())
            device = dev.devices["a"]
            update = message(Code.POST, path=device.location)
            wire.connection.send(b"\x40\x00\x00\x09")  # a ping, kept back
            (ping,) = wire.flush()
            for data in (
                ping,
                ping,
                ping[:-1] + bytes([ping[-1] ^ 1]),
                ping[:20],
                b"\x17\xfe\xfd" + bytes(10),
            ):
                wire.socket.sendto(data, wire.address)
            wire.connection.bio_write(await wire.receive())
            assert wire.connection.recv(100)[0] == 0x70  # one reset, for one ping
            assert (await wire.ask(update)).code == Code.CHANGED
            with pytest.raises((TimeoutError, asyncio.TimeoutError)):
                await wire.receive(0.1)

    play(story)


def test_closed_by_the_client() -> None:
    async def story() -> None:
        async with server() as dev, client(dev) as wire:
            events: list[Event] = []
            dev.listen(events.append)
            await wire.handshake()
            await wire.ask(register())
            device = dev.devices["a"]
            wire.connection.shutdown()
            wire.send_all()
            await dev.wait(lambda: [event for event in events if event.kind == "unsecured"])
            assert device.remote.closed and dev.devices  # the registration lasts until it expires
            await wire.handshake(resume=True)
            assert (await wire.ask(message(Code.POST, path=device.location))).code == Code.CHANGED
            assert not device.remote.closed

    play(story)
