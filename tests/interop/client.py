# SPDX-License-Identifier: Apache-2.0
"""The client under test: ``python client.py ENDPOINT URI STATE-DIR [options]``.

It is told by lines of Python literals on standard input what to do, and answers each with one on standard
output. Lines that begin with "event" come by themselves.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import os
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import anjay_cffi as lwm2m

LONG = "".join(f"{i:05}" for i in range(1000))


class Kinds(lwm2m.Object, oid=33333, version="1.1", creatable=True):
    """A resource of every kind of value."""

    text: str = lwm2m.resource(0, "RW", default="text")
    integer: int = lwm2m.resource(1, "RW", default=-42)
    real: float = lwm2m.resource(2, "RW", default=1.5)
    flag: bool = lwm2m.resource(3, "RW", default=True)
    data: bytes = lwm2m.resource(4, "RW", default=bytes(range(8)))
    link: lwm2m.ObjectLink = lwm2m.resource(5, "RW", default=lwm2m.ObjectLink(3, 0))
    unsigned: int = lwm2m.resource(6, "RW", default=2**63, type=lwm2m.Unsigned)
    time: datetime = lwm2m.resource(7, "RW", default=datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc))
    numbers: dict[int, int] = lwm2m.resource(8, "RW", default={0: 10, 3: -300})
    words: dict[int, str] = lwm2m.resource(9, "RW", default={1: "one", 20000: ""})
    blobs: dict[int, bytes] = lwm2m.resource(10, "RW", default={0: b"\0\xff", 1: b"x" * 300})
    large: str = lwm2m.resource(11, "RW", default=LONG)
    write_only: int = lwm2m.resource(12, "W", default=0)
    absent: str | None = lwm2m.resource(13, "RW", default=None)
    arguments: str = lwm2m.resource(14, "R", default="")

    @lwm2m.execute(15)
    def run(self, args: lwm2m.ExecuteArgs) -> None:
        """Keep the arguments, to be read."""
        self.arguments = repr(dict(args))


class Firmware:
    """Keeps what is pushed in a file and starts it in its own place."""

    def __init__(self, folder: Path, arguments: list[str]) -> None:
        self._path = folder / "image"
        self._arguments = arguments
        self._parts: list[bytes] = []

    def stream_open(self, uri: str | None, etag: bytes | None) -> None:
        self._parts = []

    def stream_write(self, data: memoryview) -> None:
        self._parts.append(bytes(data))

    def stream_finish(self) -> None:
        data = b"".join(self._parts)
        if not data.startswith(b"#!"):
            raise lwm2m.UnsupportedPackageType("no script")
        self._path.write_bytes(data)
        say("event", "downloaded", len(data), len(self._parts))

    def reset(self) -> None:
        self._parts = []
        self._path.unlink(missing_ok=True)

    def perform_upgrade(self) -> None:
        self._path.chmod(0o700)
        os.execv(self._path, [str(self._path), *self._arguments])


def say(*parts: Any) -> None:
    print(repr(parts), flush=True)


def plain(value: Any) -> Any:
    """A value as literal."""
    if isinstance(value, datetime):
        return int(value.timestamp())
    return tuple(value) if isinstance(value, lwm2m.ObjectLink) else value


class Program:
    """The client and what it is told."""

    def __init__(self, options: argparse.Namespace, client: lwm2m.Client) -> None:
        self._client = client
        secret = (options.identity, bytes.fromhex(options.key)) if options.identity else None
        client.security.add(lwm2m.SecurityInstance(ssid=1, server_uri=options.uri, psk=secret))
        client.server.add(lwm2m.ServerInstance(ssid=1, lifetime=options.lifetime, binding="U"))
        self._kinds = client.register(Kinds, instances=[Kinds(), Kinds(text="second")])
        updated = lwm2m.FirmwareState(result=lwm2m.FirmwareInitial.SUCCESS) if options.updated else None
        client.firmware_update.install(Firmware(options.state, sys.argv[1:]), updated)

    def do_get(self, iid: int, name: str) -> Any:
        return plain(getattr(self._kinds[iid], name))

    def do_set(self, iid: int, name: str, value: Any) -> None:
        setattr(self._kinds[iid], name, value)

    def do_instances(self) -> list[int]:
        return [instance.iid for instance in self._kinds if instance.iid is not None]

    def do_add(self, iid: int) -> None:
        self._kinds.add(Kinds(iid=iid))

    def do_remove(self, iid: int) -> None:
        self._kinds.remove(iid)

    def do_update(self) -> None:
        self._client.update_registration()

    def do_reconnect(self) -> None:
        self._client.reconnect()

    def do_lifetime(self, seconds: int) -> None:
        self._client.server.set_lifetime(0, seconds)

    def do_registered(self) -> bool:
        return self._client.registered

    def do_quit(self) -> None:
        self._client.stop()

    async def obey(self) -> None:
        """Do what the lines say until there are no more."""
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        try:
            while line := await reader.readline():
                name, *arguments = ast.literal_eval(line.decode())
                try:
                    say("answer", getattr(self, f"do_{name}")(*arguments))
                except Exception as exc:
                    say("error", repr(exc))
        finally:
            transport.close()
            self._client.stop()

    async def main(self) -> None:
        obeying = asyncio.create_task(self.obey())
        await self._client.serve()
        obeying.cancel()
        await asyncio.wait([obeying])


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("uri")
    parser.add_argument("state", type=Path)
    parser.add_argument("--identity")
    parser.add_argument("--key", help="in hexadecimal digits")
    parser.add_argument("--lifetime", type=int, default=300)
    parser.add_argument("--port", type=int, default=0, help="UDP port of the client's own")
    parser.add_argument("--updated", action="store_true", help="this is the new firmware")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse()
    with lwm2m.Client(options.endpoint, udp_listen_port=options.port) as client:
        program = Program(options, client)
        say("event", "started", os.getpid(), options.updated)
        asyncio.run(program.main())
    say("event", "closed")


if __name__ == "__main__":
    main()
