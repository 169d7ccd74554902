# SPDX-License-Identifier: Apache-2.0
"""One registered client, and what a server can ask of it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import values
from .codec import Code, Message, message
from .errors import DevServerError, ResponseError
from .transport import Remote
from .values import Tree, Value

if TYPE_CHECKING:
    from .server import DevServer

SENT_KEPT = 100
"""Sends of a client that are kept."""
BLOCK = 1024
"""Bytes of the largest block, and so of the largest payload that goes in one piece."""


@dataclass(frozen=True)
class Progress:
    """How far a transfer is."""

    sent: int
    total: int
    blocks: int
    seconds: float

    @property
    def rate(self) -> float:
        """Bytes per second."""
        return self.sent / self.seconds if self.seconds > 0 else 0.0


def normal(path: str) -> str:
    """``3/0`` and ``/3/0/`` as ``/3/0``. ValueError if it is not a LwM2M path."""
    parts = [part for part in path.split("/") if part]
    if len(parts) > 4 or not all(part.isascii() and part.isdigit() and int(part) <= 65535 for part in parts):
        raise ValueError(f"not a path like /3/0/1: {path!r}")
    return "/" + "/".join(str(int(part)) for part in parts)


@dataclass(frozen=True)
class Sent:
    """What a client sent unasked (Send, LwM2M 1.1)."""

    records: tuple[tuple[str, Value, float | None], ...]
    """Path, value and time (seconds since 1970; None: when it came) of each, in their order."""

    @property
    def values(self) -> Tree:
        """The last value of each path."""
        return {path: value for path, value, _ in self.records}

    def __str__(self) -> str:
        return ", ".join(
            f"{path}={show(value)}" + ("" if at is None else f" @{at:.3f}".rstrip("0").rstrip("."))
            for path, value, at in self.records
        )


class Observation:
    """Values of a path as they come: ``async for value in observation``, or ``await next()``."""

    def __init__(self, device: Device, path: str, token: bytes, accept: int | None) -> None:
        self.device = device
        self.path = path
        self.token = token
        self.count = 0
        """Notifications so far; the answer to the request does not count."""
        self.value: Value | Tree | None = None
        """The latest."""
        self._accept = accept
        self._queue: asyncio.Queue[Value | Tree | Exception] = asyncio.Queue()
        self._order: tuple[int, float] | None = None
        self.ended = False

    def take(self, msg: Message) -> None:
        """A notification has come."""
        number, now = msg.opt.observe, time.monotonic()
        if not msg.code.is_successful():
            self.end(ResponseError(msg.code, f"observation of {self.path}"))
            return
        if number is not None and self._order is not None and not _is_newer(number, now, *self._order):
            return
        if number is not None:
            self._order = (number, now)
        self.count += 1
        if msg.opt.block2 is not None and msg.opt.block2.more:
            self.device.server.start(self._fetch_rest(msg))
        else:
            self._put(msg.payload, msg.opt.content_format)

    async def _fetch_rest(self, first: Message) -> None:
        try:
            whole = await self.device.rest_of(first, self.path, self._accept)
        except DevServerError as exc:
            self.end(exc)
        else:
            self._put(whole, first.opt.content_format)

    def begin(self, msg: Message, payload: bytes) -> None:
        """The answer to the observe request."""
        self._order = (msg.opt.observe, time.monotonic())
        self.value = values.decode(payload, msg.opt.content_format, self.path)

    def _put(self, payload: bytes, content_format: int | None) -> None:
        try:
            self.value = values.decode(payload, content_format, self.path)
        except DevServerError as exc:
            self.end(exc)
            return
        self._queue.put_nowait(self.value)
        self.device.server.tell("notify", self.device, f"{self.path} = {show(self.value)}")

    def end(self, why: Exception) -> None:
        """No more will come."""
        if not self.ended:
            self.ended = True
            self.device.server.observations.pop(self.token, None)
            self._queue.put_nowait(why)

    async def next(self, timeout: float = 30.0) -> Value | Tree:
        """The next notified value. TimeoutError after ``timeout`` seconds; raises what ended it."""
        item = await asyncio.wait_for(self._queue.get(), timeout)
        if isinstance(item, Exception):
            self._queue.put_nowait(item)
            raise item
        return item

    def __aiter__(self) -> Observation:
        return self

    async def __anext__(self) -> Value | Tree:
        item = await self._queue.get()
        if isinstance(item, Exception):
            self._queue.put_nowait(item)
            raise StopAsyncIteration
        return item

    async def cancel(self) -> None:
        """End it with a GET that says so."""
        if not self.ended:
            request = message(Code.GET, path=self.path, observe=1, accept=self._accept)
            try:
                await self.device.ask(request, self.token)
            finally:
                self.end(DevServerError(f"observation of {self.path} was cancelled"))

    def forget(self) -> None:
        """End it by silence: the client's next notification is reset."""
        self.end(DevServerError(f"observation of {self.path} was forgotten"))


def _is_newer(number: int, now: float, last: int, then: float) -> bool:
    """RFC 7641 section 3.4."""
    return (last < number < last + (1 << 23)) or number + (1 << 23) < last or now > then + 128


class Device:
    """A registration. A client that registers again gets a new one, and this one ends."""

    def __init__(self, server: DevServer, endpoint: str, location: str, remote: Remote) -> None:
        self.server = server
        self.endpoint = endpoint
        self.location = location
        self.remote = remote
        self.lifetime = 86400
        """Seconds."""
        self.version = "1.0"
        self.binding = "U"
        self.objects: dict[str, dict[str, str]] = {}
        """Attributes by link target, as registered."""
        self.seen_paths: set[str] = set()
        """Paths that reads and discovers have shown, for completion."""
        self.updates = 0
        self.sends = 0
        self.sent: deque[Sent] = deque(maxlen=SENT_KEPT)
        """What it sent unasked, the latest last."""
        self.ended: str | None = None
        """Why the registration ended; None while it lasts."""
        self._expiry: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<Device {self.endpoint!r} at {self.remote}{f' ({self.ended})' if self.ended else ''}>"

    def prolong(self) -> None:
        """Count the lifetime from now on; 0 is endless."""
        self.stop_clock()
        if self.lifetime > 0:
            loop = asyncio.get_running_loop()
            self._expiry = loop.call_later(self.lifetime, self.server.expire, self)

    def stop_clock(self) -> None:
        """The lifetime does not matter any more."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    async def next_send(self, timeout: float = 30.0) -> Sent:
        """What the client sends next. TimeoutError after ``timeout`` seconds; DevServerError if it leaves."""
        before = self.sends
        await self.server.wait(lambda: self.ended is not None or self.sends > before, timeout)
        if self.sends == before:
            raise DevServerError(f"{self.endpoint} is not registered any more: {self.ended}")
        return self.sent[-min(self.sends - before, len(self.sent))]

    def take_send(self, sent: Sent) -> None:
        """The client has sent something unasked."""
        self.sends += 1
        self.sent.append(sent)

    # --- requests -------------------------------------------------------------------------------------------

    async def ask(self, request: Message, token: bytes | None = None) -> Message:
        """Send one request; raises ResponseError for an error answer."""
        if self.ended is not None:
            raise DevServerError(f"{self.endpoint} is not registered any more: {self.ended}")
        method = getattr(request.code, "name", str(request.code))
        what = f"{method} /{'/'.join(request.opt.uri_path)}"
        answer = await self.server.exchanges.request(self.remote, request, token)
        if not answer.code.is_successful():
            raise ResponseError(answer.code, what)
        return answer

    async def rest_of(self, first: Message, path: str, accept: int | None) -> bytes:
        """The whole body of an answer whose first block is given."""
        body, block = bytearray(first.payload), first.opt.block2
        while block is not None and block.more:
            number = len(body) // block.size
            request = message(Code.GET, path=path, accept=accept, block2=(number, False, block.size_exponent))
            answer = await self.ask(request)
            block = answer.opt.block2
            if block is None or block.start != len(body):
                raise DevServerError(f"{path}: blocks out of order")
            body += answer.payload
        return bytes(body)

    async def get(self, path: str, accept: int | None = None) -> tuple[bytes, int | None]:
        """Body and content format of a path."""
        first = await self.ask(message(Code.GET, path=path, accept=accept))
        return await self.rest_of(first, path, accept), first.opt.content_format

    def _accept(self, accept: int | None) -> int | None:
        if accept is not None or self.version.startswith("1.0"):
            return accept
        return values.SENML_CBOR

    async def read(self, path: str, accept: int | None = None) -> Value | Tree:
        """A resource's value, or values by path. SenML CBOR is asked for unless ``accept`` is given."""
        path = normal(path)
        body, content_format = await self.get(path, self._accept(accept))
        value = values.decode(body, content_format, path)
        self.seen_paths.update(value if isinstance(value, dict) else (path,))
        return value

    async def discover(self, path: str) -> dict[str, dict[str, str]]:
        """Attributes by link target."""
        body, _ = await self.get(normal(path), values.LINK)
        found = values.links(body.decode("utf-8", "replace"))
        self.seen_paths.update(found)
        return found

    async def observe(self, path: str, accept: int | None = None) -> Observation:
        """Have values sent when they change. DevServerError if the client answers but does not observe."""
        path, accept = normal(path), self._accept(accept)
        observation = Observation(self, path, self.server.exchanges.new_token(), accept)
        self.server.observations[observation.token] = observation
        try:
            first = await self.ask(message(Code.GET, path=path, observe=0, accept=accept), observation.token)
            if first.opt.observe is None:
                raise DevServerError(f"{path} was read, but is not observed")
            observation.begin(first, await self.rest_of(first, path, accept))
        except BaseException:
            self.server.observations.pop(observation.token, None)
            raise
        return observation

    async def write(
        self,
        path: str,
        value: Value | Mapping[Any, Any],
        *,
        content_format: int | None = None,
        replace: bool = True,
    ) -> None:
        """Write a resource, or an instance as ``{rid: value}``; ``replace=False`` is a partial update."""
        path = normal(path)
        content_format = values.best_format(value, self.version) if content_format is None else content_format
        payload = values.encode(value, content_format, path)
        await self.send(Code.PUT if replace else Code.POST, path, payload, content_format)

    async def write_attributes(self, path: str, **attributes: float | None) -> None:
        """Set pmin, pmax, gt, lt, st, epmin, epmax, con ...; None removes one."""
        query = tuple(
            name if value is None else f"{name}={float(value):.15g}" for name, value in attributes.items()
        )
        await self.ask(message(Code.PUT, path=normal(path), uri_query=query))

    async def execute(self, path: str, arguments: str = "") -> None:
        """Execute a resource; arguments as LwM2M writes them: ``0='a',1``."""
        content_format = values.TEXT if arguments else None
        request = message(Code.POST, arguments.encode(), normal(path), content_format=content_format)
        await self.ask(request)

    async def create(
        self, oid: int, iid: int | None = None, resources: Mapping[int, Any] | None = None
    ) -> str:
        """Create an instance and return its path; the client chooses the id if ``iid`` is None."""
        given = dict(resources or {})
        if iid is None:
            payload = values.encode(given, values.TLV, f"/{oid}/0")
        else:
            payload = values.encode({iid: given}, values.TLV, f"/{oid}")
        answer = await self.send(Code.POST, f"/{oid}", payload, values.TLV)
        location = answer.opt.location_path
        return "/" + "/".join(location) if location else f"/{oid}/{iid}"

    async def delete(self, path: str) -> None:
        """Delete an instance, or an instance of a resource."""
        await self.ask(message(Code.DELETE, path=normal(path)))

    async def send(
        self,
        code: Code,
        path: str,
        payload: bytes,
        content_format: int | None,
        *,
        block: int = BLOCK,
        always_blocks: bool = False,
        progress: Callable[[Progress], object] | None = None,
    ) -> Message:
        """Send a body in one piece if it fits ``block`` bytes (16, 32 ... 1024), else in blocks."""
        if block not in (16, 32, 64, 128, 256, 512, 1024):
            raise ValueError(f"not a block size: {block}")
        if len(payload) <= block and not always_blocks:
            return await self.ask(message(code, payload, path, content_format=content_format))
        at, blocks, begun = 0, 0, time.monotonic()
        while True:
            part = payload[at : at + block]
            more = at + block < len(payload)
            option = (at // block, more, block.bit_length() - 5)
            answer = await self.ask(message(code, part, path, content_format=content_format, block1=option))
            at, blocks = at + len(part), blocks + 1
            if progress is not None:
                progress(Progress(at, len(payload), blocks, time.monotonic() - begun))
            if not more:
                return answer
            if answer.opt.block1 is not None:
                block = min(block, answer.opt.block1.size)  # the client may want smaller ones from here on


def show(value: Value | Tree | None) -> str:
    """A value for people."""
    if isinstance(value, dict):
        return ", ".join(f"{path}={show(single)}" for path, single in value.items())
    if isinstance(value, bytes):
        return f"{len(value)} bytes {value[:16].hex()}" + ("..." if len(value) > 16 else "")
    return repr(value) if isinstance(value, str) else str(value)
