# SPDX-License-Identifier: Apache-2.0
"""The server: sockets, registrations with their lifetime, events."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import values
from .coap import Exchanges
from .codec import Code, Message, message, path_of
from .device import Device, Observation, Sent
from .errors import DevServerError
from .transport import DtlsRemote, DtlsTransport, Remote, Transport

if TYPE_CHECKING:
    from typing_extensions import Self

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """Something happened.

    ``kind`` is registered, updated, deregistered, expired, replaced, closed, notify, send; or for DTLS asked
    (a handshake has named its identity), secured, unsecured.
    """

    kind: str
    device: Device | None
    text: str


class DevServer:
    """A LwM2M server for loopback. An async context manager.

    Listens for CoAP on ``port`` and for DTLS-PSK on ``secure_port``; 0 chooses a free port, None closes that
    door. ``keys`` maps PSK identities to keys and can be changed while it runs.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int | None = 0,
        secure_port: int | None = 0,
        *,
        keys: Mapping[Any, str | bytes] | None = None,
    ) -> None:
        self.host = host
        self.keys = {_bytes(identity): _bytes(key) for identity, key in (keys or {}).items()}
        self.devices: dict[str, Device] = {}
        """Registered clients by endpoint name."""
        self.observations: dict[bytes, Observation] = {}
        self.answering = True
        """False: requests from clients are left unanswered, as if the server were gone."""
        self.exchanges = Exchanges(self._serve, self._notified)
        self._ports = (port, secure_port)
        self._plain: Transport | None = None
        self._secure: Transport | None = None
        self._listeners: list[Callable[[Event], object]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Bind the sockets."""
        port, secure_port = self._ports
        receive = self.exchanges.receive
        try:
            if port is not None:
                self._plain = await Transport.bind(Transport(receive), self.host, port)
            if secure_port is not None:
                secure = DtlsTransport(receive, self.keys, self._on_session)
                self._secure = await Transport.bind(secure, self.host, secure_port)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End everything; clients are not told."""
        for device in list(self.devices.values()):
            self._end(device, "server closed", "closed")
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for transport in (self._plain, self._secure):
            if transport is not None:
                await transport.close()
        self._plain = self._secure = None

    def _uri(self, transport: Transport | None) -> str:
        if transport is None:
            raise DevServerError("the server does not listen there")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{transport.scheme}://{host}:{transport.port}"

    @property
    def uri(self) -> str:
        """Where clients without security find it."""
        return self._uri(self._plain)

    @property
    def secure_uri(self) -> str:
        """Where clients with a PSK find it."""
        return self._uri(self._secure)

    # --- waiting --------------------------------------------------------------------------------------------

    def listen(self, listener: Callable[[Event], object]) -> Callable[[], None]:
        """Call ``listener`` with each event; the result takes it away again."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, kind: str, device: Device | None, text: str) -> None:
        """Something happened."""
        _log.debug("%s %s: %s", kind, device.endpoint if device else "-", text)
        for listener in list(self._listeners):
            listener(Event(kind, device, text))
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait(self, condition: Callable[[], Any], timeout: float = 30.0) -> Any:
        """Wait until ``condition()``, looked at after each event, is true; returns what it returned.

        TimeoutError after ``timeout`` seconds.
        """

        async def watch() -> Any:
            while not (found := condition()):
                await self._changed.wait()
            return found

        try:
            return await asyncio.wait_for(watch(), timeout)
        except asyncio.TimeoutError:
            raise TimeoutError(f"not within {timeout:g} seconds") from None

    async def registered(
        self, endpoint: str | None = None, *, after: Device | None = None, timeout: float = 30.0
    ) -> Device:
        """A client's registration; with ``after``, one that is not that one. TimeoutError."""

        def look() -> Device | None:
            for device in self.devices.values():
                if device is not after and endpoint in (None, device.endpoint):
                    return device
            return None

        device: Device = await self.wait(look, timeout)
        return device

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the background; close() ends it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- what clients ask -----------------------------------------------------------------------------------

    def _serve(self, remote: Remote, request: Message) -> Message | None:
        if not self.answering:
            return None
        try:
            return self._route(remote, request)
        except Exception:
            _log.exception("request from %s", remote)
            return message(Code.INTERNAL_SERVER_ERROR)

    def _route(self, remote: Remote, request: Message) -> Message:
        path = path_of(request)
        if path == "/rd" and request.code is Code.POST:
            return self._register(remote, request)
        if path == "/dp" and request.code is Code.POST:
            return self._take_send(remote, request)
        device = next((d for d in self.devices.values() if d.location == path), None)
        if device is None or device.remote.identity != remote.identity:
            return message(Code.NOT_FOUND)
        if request.code is Code.POST:
            return self._update(device, remote, request)
        if request.code is Code.DELETE:
            self._end(device, "de-registered", "deregistered")
            return message(Code.DELETED)
        return message(Code.METHOD_NOT_ALLOWED)

    def _register(self, remote: Remote, request: Message) -> Message:
        query = _query(request)
        identity = remote.identity or b""
        endpoint = query.get("ep") or identity.decode("utf-8", "replace")
        if not endpoint or not _settings_valid(query):
            return message(Code.BAD_REQUEST)
        old = self.devices.get(endpoint)
        if old is not None:
            self._end(old, "registered anew", "replaced")
        device = Device(self, endpoint, f"/rd/{secrets.token_hex(4)}", remote)
        device.version = query.get("lwm2m", "1.0")
        self._apply(device, query, request.payload)
        self.devices[endpoint] = device
        security = "DTLS-PSK" if remote.secure else "no security"
        self.tell("registered", device, f"from {remote}, {security}, LwM2M {device.version}")
        return message(Code.CREATED, location_path=tuple(device.location.strip("/").split("/")))

    def _update(self, device: Device, remote: Remote, request: Message) -> Message:
        query = _query(request)
        if not _settings_valid(query):
            return message(Code.BAD_REQUEST)
        device.remote = remote
        device.updates += 1
        self._apply(device, query, request.payload)
        self.tell("updated", device, f"from {remote}")
        return message(Code.CHANGED)

    def _apply(self, device: Device, query: dict[str, str], payload: bytes) -> None:
        if "lt" in query:
            device.lifetime = int(query["lt"])
        device.binding = query.get("b", device.binding)
        if payload:
            device.objects = values.links(payload.decode("utf-8", "replace"))
        device.prolong()

    def _take_send(self, remote: Remote, request: Message) -> Message:
        device = next((d for d in self.devices.values() if d.remote == remote), None)
        if device is None:
            return message(Code.NOT_FOUND)
        try:
            records = values.decode_send(request.payload, request.opt.content_format)
        except DevServerError as exc:
            _log.debug("Send of %s: %s", device.endpoint, exc)
            return message(Code.BAD_REQUEST)
        sent = Sent(records)
        device.take_send(sent)
        self.tell("send", device, str(sent))
        return message(Code.CHANGED)

    def expire(self, device: Device) -> None:
        """The lifetime is over."""
        self._end(device, f"lifetime of {device.lifetime} s is over", "expired")

    def _end(self, device: Device, why: str, kind: str) -> None:
        device.stop_clock()
        device.ended = why
        if self.devices.get(device.endpoint) is device:
            del self.devices[device.endpoint]
        for observation in [o for o in self.observations.values() if o.device is device]:
            observation.end(DevServerError(f"{device.endpoint}: {why}"))
        self.tell(kind, device, why)

    def _notified(self, remote: Remote, msg: Message) -> bool:
        observation = self.observations.get(msg.token)
        if observation is None or observation.device.remote.identity != remote.identity:
            return False
        observation.take(msg)
        return True

    def _on_session(self, session: DtlsRemote, kind: str, why: str) -> None:
        who = (session.identity or b"?").decode("utf-8", "replace")
        self.tell(kind, None, f"{session} as {who} {why}".rstrip())


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _query(request: Message) -> dict[str, str]:
    pairs = (part.partition("=") for part in request.opt.uri_query)
    return {name: value for name, _, value in pairs}


def _settings_valid(query: dict[str, str]) -> bool:
    lifetime = query.get("lt", "1")
    return lifetime.isascii() and lifetime.isdigit() and len(lifetime) <= 10 and int(lifetime) < 1 << 32
