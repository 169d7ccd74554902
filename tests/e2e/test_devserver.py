# SPDX-License-Identifier: Apache-2.0
"""The server for itself: registrations, sessions, formats, hostile input, the shell."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from anjay_cffi.devserver import DevServer, Event, ObjectLink, PayloadError, tlv, values
from anjay_cffi.devserver.codec import CON, Code, Message, decode, encode, message
from anjay_cffi.devserver.transport import MTU

from .tutorial import ENDPOINT, KEYS, Tutorial, play, server


class Wire:
    """A raw UDP client."""

    def __init__(self, uri: str) -> None:
        host, _, port = uri.rpartition("/")[2].rpartition(":")
        self.address = (host, int(port))
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(("127.0.0.1", 0))
        self.mid = random.randrange(1 << 16)

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, self.address)

    async def receive(self, timeout: float = 5.0) -> bytes:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_reader(self.socket, ready.set)
        try:
            await asyncio.wait_for(ready.wait(), timeout)
        finally:
            loop.remove_reader(self.socket)
        return self.socket.recv(65536)

    async def ask(self, request: Message) -> Message:
        self.mid = (self.mid + 1) & 0xFFFF
        self.send(encode(request, CON, self.mid, b"tok"))
        answer = decode(await self.receive())
        assert answer is not None and answer.mid == self.mid
        return answer


@asynccontextmanager
async def wire(dev: DevServer) -> AsyncIterator[Wire]:
    opened = Wire(dev.uri)
    try:
        yield opened
    finally:
        opened.socket.close()


def register(
    endpoint: str = "a", lifetime: str = "60", payload: bytes = b"</1/0>,</3/0>", **more: Any
) -> Message:
    query = (f"ep={endpoint}", f"lt={lifetime}", "lwm2m=1.1", "b=U")
    return message(Code.POST, payload, "/rd", uri_query=query, content_format=40, **more)


def test_register_update_deregister() -> None:
    async def story() -> None:
        async with server() as dev, wire(dev) as client:
            answer = await client.ask(register())
            assert answer.code == Code.CREATED
            device = dev.devices["a"]
            assert answer.opt.location_path == tuple(device.location.split("/")[1:])
            assert (
                device.lifetime == 60 and device.version == "1.1" and set(device.objects) == {"/1/0", "/3/0"}
            )
            update = message(Code.POST, path=device.location, uri_query=("lt=90",))
            assert (await client.ask(update)).code == Code.CHANGED
            assert device.lifetime == 90 and set(device.objects) == {"/1/0", "/3/0"}
            assert (await client.ask(message(Code.GET, path=device.location))).code == Code.METHOD_NOT_ALLOWED
            assert (await client.ask(message(Code.DELETE, path=device.location))).code == Code.DELETED
            assert (await client.ask(update)).code == Code.NOT_FOUND
            assert device.ended == "de-registered" and not dev.devices

    play(story)


def test_another_port_takes_the_registration_along() -> None:
    async def story() -> None:
        async with server() as dev, wire(dev) as client, wire(dev) as moved:
            await client.ask(register())
            device = dev.devices["a"]
            before = device.remote
            assert (await moved.ask(message(Code.POST, path=device.location))).code == Code.CHANGED
            assert device.remote != before and device.ended is None

    play(story)


def test_lifetime() -> None:
    async def story() -> None:
        async with server() as dev, wire(dev) as client:
            await client.ask(register(lifetime="1"))
            await client.ask(register("endless", lifetime="0"))
            device = dev.devices["a"]
            await dev.wait(lambda: device.ended, timeout=5)
            assert list(dev.devices) == ["endless"]

    play(story)


@pytest.mark.parametrize(
    "query", [("lt=60",), ("ep=",), ("ep=a", "lt=-1"), ("ep=a", "lt=x"), ("ep=a", "lt=4294967296")]
)
def test_bad_registrations(query: tuple[str, ...]) -> None:
    async def story() -> None:
        async with server() as dev, wire(dev) as client:
            answer = await client.ask(message(Code.POST, path="/rd", uri_query=query))
            assert answer.code == Code.BAD_REQUEST and not dev.devices

    play(story)


def test_a_repeated_request_is_served_once() -> None:
    async def story() -> None:
        async with server() as dev, wire(dev) as client:
            data = encode(register(), CON, 77, b"t")
            client.send(data)
            first = await client.receive()
            device = dev.devices["a"]
            client.send(data)
            assert await client.receive() == first
            assert dev.devices["a"] is device

    play(story)


def test_registration_in_blocks() -> None:
    links = ",".join(f"</{oid}/0>" for oid in range(100, 400)).encode()

    async def story() -> None:
        async with server() as dev, wire(dev) as client:
            for at in range(0, len(links), 256):
                more = at + 256 < len(links)
                part = register(payload=links[at : at + 256], block1=(at // 256, more, 4))
                answer = await client.ask(part)
                assert answer.code == (Code.CONTINUE if more else Code.CREATED)
                assert answer.opt.block1.block_number == at // 256
            assert len(dev.devices["a"].objects) == 300
            out_of_order = register(payload=b"x" * 256, block1=(3, True, 4))
            assert (await client.ask(out_of_order)).code == Code.REQUEST_ENTITY_INCOMPLETE

    play(story)


def test_garbage() -> None:
    async def story() -> None:
        noise = random.Random(1)
        async with server() as dev, wire(dev) as client:
            whole = encode(register(), CON, 5, b"t")
            for _ in range(2000):
                data = bytearray(whole)
                for _ in range(noise.randrange(1, 4)):
                    data[noise.randrange(len(data))] = noise.randrange(256)
                client.send(bytes(data[: noise.randrange(len(data) + 1)]))
                client.send(noise.randbytes(noise.randrange(64)))
                await asyncio.sleep(0)  # the server takes them before its buffer is full
                await asyncio.sleep(0)
            client.socket.close()
            async with wire(dev) as other:
                assert (await other.ask(register("sane"))).code == Code.CREATED

    play(story)


def test_garbage_on_dtls(state: Path) -> None:
    async def story() -> None:
        noise = random.Random(2)
        async with server() as dev, Tutorial.of(dev, state, secure=True) as client:
            device = await dev.registered(ENDPOINT)
            stranger = Wire(dev.secure_uri)
            hello = bytes.fromhex("16fefd0000000000000000") + (60).to_bytes(2, "big") + b"\1" + bytes(59)
            for _ in range(500):
                data = bytearray(hello)
                data[noise.randrange(len(data))] = noise.randrange(256)
                stranger.send(bytes(data))
                stranger.send(noise.randbytes(noise.randrange(80)))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            stranger.socket.close()
            assert await device.read("/1/0/0", 0) == "1"
            assert await client.stop() == 0

    play(story)


def test_two_clients_and_one_again_from_a_new_port(state: Path, tmp_path: Path, secure: bool) -> None:
    second_state = tmp_path / "second"
    second_state.mkdir(0o700)

    async def story() -> None:
        async with (
            server() as dev,
            Tutorial.of(dev, state, secure=secure) as first,
            Tutorial.of(dev, second_state, secure=secure, endpoint="second") as second,
        ):
            one, two = await dev.registered(ENDPOINT), await dev.registered("second")
            assert one.remote != two.remote
            both = await asyncio.gather(*(device.read("/1/0/1", 0) for device in (one, two) * 5))
            assert both == ["60"] * 10
            first.process.kill()
            await first.status()
            async with Tutorial.of(dev, state, secure=secure) as again:
                back = await dev.registered(ENDPOINT, after=one)
                assert one.ended == "registered anew" and two.ended is None
                assert await back.read("/1/0/1", 0) == "60"
                assert await again.stop() == 0
            assert await second.stop() == 0

    play(story)


VALUES = [
    5,
    -5,
    0,
    2**40,
    -(2**63),
    1.5,
    True,
    False,
    "text",
    "",
    "ü" * 200,
    b"\x00\xff",
    b"x" * 70000,
    ObjectLink(3, 65535),
]


@pytest.mark.parametrize("content_format", [values.SENML_JSON, values.SENML_CBOR, values.CBOR])
@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_formats(value: Any, content_format: int) -> None:
    payload = values.encode(value, content_format, "/1/2/3")
    assert values.decode(payload, content_format, "/1/2/3") == value


def test_trees() -> None:
    tree = {1: "a", 2: {0: 5, 7: 6}, 300: b"long" * 100}
    flat = {"/9/0/1": "a", "/9/0/2/0": 5, "/9/0/2/7": 6, "/9/0/300": b"long" * 100}
    for content_format in (values.SENML_JSON, values.SENML_CBOR):
        assert values.decode(values.encode(tree, content_format, "/9/0"), content_format, "/9/0") == flat
    raw = values.decode(values.encode(tree, values.TLV, "/9/0"), values.TLV, "/9/0")
    assert raw == {**flat, "/9/0/1": b"a", "/9/0/2/0": b"\5", "/9/0/2/7": b"\6"}
    whole = values.decode(values.encode({4: tree}, values.TLV, "/9"), values.TLV, "/9")
    assert isinstance(whole, dict) and set(whole) == {path.replace("/9/0/", "/9/4/") for path in flat}
    moment = datetime(2020, 1, 1, tzinfo=timezone.utc)
    assert values.encode(moment, values.TEXT, "/1/2/3") == b"1577836800"


def test_broken_payloads() -> None:
    noise = random.Random(3)
    good = [
        values.encode({1: "a", 2: {0: 5}}, content_format, "/9/0")
        for content_format in (values.TLV, values.SENML_CBOR, values.SENML_JSON)
    ]
    for content_format in (values.TLV, values.SENML_CBOR, values.SENML_JSON, values.CBOR, values.TEXT, 999):
        for whole in good:
            for _ in range(200):
                data = bytearray(whole)
                data[noise.randrange(len(data))] = noise.randrange(256)
                with contextlib.suppress(PayloadError):
                    values.decode(bytes(data[: noise.randrange(len(data) + 1)]), content_format, "/9/0")
    with pytest.raises(PayloadError):
        tlv.entry(3, 70000, b"")


def test_links() -> None:
    text = '</>;rt="oma.lwm2m";ct=110,</1/0>,</3/0>;pmin=10;gt=5.5,</5>;ver=1.1'
    assert values.links(text) == {
        "/": {"rt": "oma.lwm2m", "ct": "110"},
        "/1/0": {},
        "/3/0": {"pmin": "10", "gt": "5.5"},
        "/5": {"ver": "1.1"},
    }


def test_shell_from_a_pipe(state: Path) -> None:
    """Commands come line by line; what fails is said and makes the status 1."""
    from rich.console import Console

    from anjay_cffi.devserver.shell import Shell

    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=True) as client:
            output = io.StringIO()
            shell = Shell(dev, Console(file=output, width=200))
            await dev.registered(ENDPOINT)

            async def type_in(line: str) -> str:
                output.seek(0)
                output.truncate()
                await shell.line(line)
                return output.getvalue()

            listing = await type_in("help")
            assert all(name in listing for name in shell.commands)
            assert ENDPOINT in await type_in("clients")
            assert await type_in(f"use {ENDPOINT}") == "done\n"
            assert "'60'" in await type_in("read /1/0/1 text")
            assert "/1/0/1 = 60" in await type_in("read 1/0")
            await type_in("write /1/0/1 int:70")
            assert "/1/0/1" in await type_in("discover /1/0")
            assert await type_in("attributes /1/0/1 pmin=1 pmax=5") == "done\n"
            assert "pmin=1 pmax=5" in await type_in("discover /1/0/1")
            assert "70" in await type_in("observe /1/0/1")
            assert await type_in("cancel /1/0/1") == "done\n"
            assert "not observed" in await type_in("cancel /1/0/1")
            (state.parent / "image").write_bytes(b"x" * 5000)
            pushed = await type_in(f"push '{state.parent}/image' 512")
            assert "100 %" in pushed and "state 2 (downloaded)" in pushed
            assert "4.04" in await type_in("read /99")
            assert "4.05" in await type_in("execute /1/0/1")
            for wrong in (
                "read",
                "read x",
                "nonsense",
                "write /1/0 5",
                "use nobody",
                "read '",
                "push /nonexistent",
                "update /1/0",
            ):
                assert "done" not in await type_in(wrong), wrong
            for wrong, words in (
                ("write /1/0/1 int:x", "'x' is not of type int"),
                ("write /1/0/1 hex:0", "'0' is not of type hex"),
                ("write /1/0/1 link:3", "'3' is not of type link"),
                ("attributes /1/0/1 pmin=x", "'x' is no number"),
                ("wait a b", "'b' is no number"),
            ):
                assert words in await type_in(wrong)
            with pytest.raises(EOFError):
                await shell.line("quit")
            completions = list(shell.commands)
            assert "observe" in completions
            assert await client.stop() == 0

    play(story)


def test_ctrl_c_ends_a_command_and_not_the_server() -> None:
    from rich.console import Console

    from anjay_cffi.devserver.shell import Shell

    async def story() -> None:
        async with server() as dev:
            output = io.StringIO()
            shell = Shell(dev, Console(file=output, width=200))
            before = signal.getsignal(signal.SIGINT)
            asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGINT)
            await shell._interruptible("wait nobody 60")
            assert output.getvalue() == "interrupted\n"
            assert signal.getsignal(signal.SIGINT) is before
            await shell._interruptible("clients")
            assert "endpoint" in output.getvalue()
            with pytest.raises(EOFError):
                await shell._interruptible("quit")

    play(story)


def test_completion() -> None:
    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

    from anjay_cffi.devserver.shell import Shell, ShellCompleter

    async def story() -> None:
        async with server() as dev, wire(dev) as client:
            await client.ask(register())
            completer = ShellCompleter(Shell(dev))

            def after(text: str) -> list[str]:
                return [found.text for found in completer.get_completions(Document(text), CompleteEvent())]

            assert after("re") == ["read"]
            assert after("use ") == ["a"]
            assert after("read /") == ["/1/0", "/3/0"]
            assert after("read /1/0 senml") == ["senml-cbor", "senml-json"]
            assert after("attributes /1/0 pm") == ["pmax=", "pmin="]
            assert "/usr/" in after("push /us")

    play(story)


def test_shell_as_a_program() -> None:
    command = [sys.executable, "-m", "anjay_cffi.devserver", "--port=0", "--secure-port=0"]
    done = subprocess.run(
        command, input="help\nclients\n", capture_output=True, text=True, timeout=60, check=False
    )
    assert (
        done.returncode == 0 and "listening at coap://127.0.0.1:" in done.stdout and "discover" in done.stdout
    )
    done = subprocess.run(command, input="read /1\n", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "no client" in done.stdout
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        busy = [*command[:3], f"--port={taken.getsockname()[1]}"]
        done = subprocess.run(busy, input="", capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1 and "in use" in done.stderr and "Traceback" not in done.stderr
    done = subprocess.run([*command, "--psk=nokey"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2


def test_events_and_waiting() -> None:
    async def story() -> None:
        async with DevServer(keys=KEYS, secure_port=None) as dev, wire(dev) as client:
            seen: list[Event] = []
            stop = dev.listen(seen.append)
            waiting = asyncio.ensure_future(dev.registered("a", timeout=5))
            await client.ask(register())
            device = await waiting
            assert [event.kind for event in seen] == ["registered"]
            stop()
            with pytest.raises(TimeoutError):
                await dev.registered("a", after=device, timeout=0.05)
            with pytest.raises(TimeoutError):
                await dev.registered("b", timeout=0.05)
            assert len(seen) == 1 and MTU < 1500

    play(story)
