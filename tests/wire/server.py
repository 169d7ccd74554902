# SPDX-License-Identifier: Apache-2.0
"""A scripted LwM2M server that sees every datagram: what is lost, repeated or forged is for tests to say."""

from __future__ import annotations

import itertools
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from ..python.peer import ACK, CON, DELETE, GET, LOCATION, OBSERVE, PATH, POST, QUERY, RST, Message

T = TypeVar("T")
Address = tuple[str, int]
Predicate = Callable[[Message], bool]

CREATED, DELETED, CHANGED, CONTENT = 0x41, 0x42, 0x44, 0x45
NOT_FOUND, INCOMPLETE = 0x84, 0x88
TICK = 0.02
SO_TIMESTAMPNS = 35


def own_address() -> str:
    """A loopback address that nobody else uses: a port closed for a while is not taken meanwhile."""
    return "127." + ".".join(str(1 + byte % 254) for byte in os.urandom(3))


def has_ipv6() -> bool:
    """Whether the loopback interface has an IPv6 address."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def nothing(_message: Message) -> bool:
    """Loses nothing."""
    return False


def everything(_message: Message) -> bool:
    """Loses all there is."""
    return True


def first(count: int, which: Predicate) -> Predicate:
    """Loses the first ``count`` messages that ``which`` is true of."""
    left = [count]

    def lose(message: Message) -> bool:
        if left[0] and which(message):
            left[0] -= 1
            return True
        return False

    return lose


def is_register(message: Message) -> bool:
    return message.code == POST and message.path == "/rd"


def is_update(message: Message) -> bool:
    return message.code == POST and message.path.startswith("/rd/")


def is_notification(message: Message) -> bool:
    return message.type < ACK and message.code >> 5 >= 2


def is_answer_to(request: Message) -> Predicate:
    """Whether a message is the answer to this request."""
    return lambda message: message.type == ACK and message.mid == request.mid


@dataclass
class Seen:
    """A message of the client, when it came and whence."""

    at: float
    message: Message
    source: Address
    data: bytes


@dataclass
class Registration:
    location: str
    lifetime: float
    renewed: float
    """When the last Register or Update came, in seconds of the server's own time."""
    address: Address


class Server:
    """One UDP port, in a thread. Lost messages are seen, too: they were on the wire; nobody handles them."""

    secure = False

    def __init__(self, host: str | None = None) -> None:
        self._more = threading.Condition()
        self.seen: list[Seen] = []
        self.lose_in: Predicate = nothing
        self.lose_out: Predicate = nothing
        self.script: Callable[[Message], Message | None] = self.answer
        self.on_notification = ACK
        """ACK, RST, or -1 for no answer at all."""
        self.registration: Registration | None = None
        self.renewals = 0
        """Registers and Updates that were answered well."""
        self.lapses = 0
        """How often a lifetime passed without an Update."""
        self.lapses_expected = False
        self.stalled = 0.0
        """Seconds by which the machine was late so far: limits are prolonged by what is added meanwhile."""
        self.host = host or own_address()
        self.port = 0
        self._socket: socket.socket | None = None
        self._locations = itertools.count(1)
        self._mids = itertools.count(1)
        self._answers: dict[tuple[Address, int], Message | None] = {}
        self._arrived = 0.0
        self.open()
        self._ending = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._ending = True
        self._thread.join()
        self.shut()

    @property
    def uri(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'coaps' if self.secure else 'coap'}://{host}:{self.port}"

    # --- the port -------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Open the port, the same one as before if there was one."""
        new = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET, socket.SOCK_DGRAM)
        new.bind((self.host, self.port))
        new.settimeout(TICK)
        new.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.port = new.getsockname()[1]
        self._socket = new

    def shut(self) -> None:
        """Close the port: the client gets ICMP errors."""
        with self._more:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _serve(self) -> None:
        before = time.monotonic()
        while not self._ending:
            port = self._socket
            if port is None:
                time.sleep(TICK / 2)
                data, source = b"", ("", 0)
            else:
                data, source = self._receive(port)
            now = time.monotonic()
            with self._more:
                self.stalled += max(0.0, now - before - 2 * TICK)
                if source[1]:
                    self.datagram(data, source)
                self.tick()
                self._more.notify_all()
            before = now

    def _receive(self, port: socket.socket) -> tuple[bytes, Address]:
        try:
            data, ancillary, _flags, source = port.recvmsg(65536, 64)
        except (TimeoutError, OSError):
            return b"", ("", 0)
        # the kernel's time: when this thread got to see it depends on what else the machine does
        seconds, nanoseconds = struct.unpack("@qq", ancillary[0][2])
        self._arrived = time.monotonic() - (time.time() - seconds - nanoseconds / 1e9)
        return data, source

    @property
    def now(self) -> float:
        """Seconds on a clock that stands still while the machine does."""
        return time.monotonic() - self.stalled

    def tick(self) -> None:
        """Called often."""
        registration = self.registration
        if registration is not None and self.now > registration.renewed + registration.lifetime:
            self.registration = None
            self.lapses += 1

    def datagram(self, data: bytes, source: Address) -> None:
        """Take a datagram from the network."""
        self.message(data, source)

    def send_bytes(self, data: bytes, to: Address | None = None) -> None:
        """Send bytes as they are, whatever may lose messages."""
        with self._more:
            if self._socket is not None:
                self._socket.sendto(data, to or self.address)

    @property
    def address(self) -> Address:
        """Where the client last registered from."""
        assert self.registration is not None, "nobody is registered"
        return self.registration.address

    # --- messages -------------------------------------------------------------------------------------------

    def message(self, data: bytes, source: Address) -> None:
        message = Message.decode(data)
        self.seen.append(Seen(self._arrived, message, source, data))
        if self.lose_in(message):
            return
        if 1 <= message.code < 32:
            key = (source, message.mid)
            if key not in self._answers:
                self._answers[key] = self._scripted(message, source)
            answer = self._answers[key]
            if answer is not None:
                self.send(answer, source)
        elif is_notification(message) and message.get(OBSERVE):
            if self.on_notification == RST or (message.type == CON and self.on_notification == ACK):
                self.send(Message(self.on_notification, 0, message.mid), source)
        elif message.type == CON:
            self.send(Message(ACK, 0, message.mid), source)

    def _scripted(self, message: Message, source: Address) -> Message | None:
        self._source = source
        return self.script(message)

    def answer(self, message: Message) -> Message | None:
        """What a server answers that does everything right."""
        code = NOT_FOUND
        options: list[tuple[int, bytes]] = []
        known = self.registration is not None and message.path == self.registration.location
        if is_register(message):
            number_ = next(self._locations)
            queries = dict(q.decode().partition("=")[::2] for q in message.get(QUERY))
            lifetime = float(queries["lt"])
            self.registration = Registration(f"/rd/{number_}", lifetime, self.now, self._source)
            options = [(LOCATION, b"rd"), (LOCATION, str(number_).encode())]
            code = CREATED
            self.renewals += 1
        elif known and message.code == POST:
            assert self.registration is not None
            self.registration.renewed = self.now
            self.registration.address = self._source
            code = CHANGED
            self.renewals += 1
        elif known and message.code == DELETE:
            self.registration = None
            code = DELETED
        return Message(ACK, code, message.mid, message.token, options)

    def send(self, message: Message, to: Address | None = None) -> None:
        """Send a message, unless it is to be lost."""
        with self._more:
            if not self.lose_out(message):
                self.send_bytes(message.encode(), to)

    def restart(self) -> None:
        """Forget everything, as after a crash."""
        with self._more:
            self.registration = None
            self._answers.clear()

    # --- for the test ---------------------------------------------------------------------------------------

    def wait(self, what: Callable[[], T | None], timeout: float = 10.0) -> T:
        """Wait until ``what()`` is true and return it."""
        end = self.now + timeout
        with self._more:
            while not (result := what()):
                left = end - self.now
                assert left > 0, f"not seen in {timeout} s; last: {[s.message for s in self.seen[-8:]]}"
                self._more.wait(min(left, TICK))
            return result

    def quiet(self, what: Callable[[], object], seconds: float) -> None:
        """``what()`` does not become true for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with self._more:
                assert not what(), f"seen: {[s.message for s in self.seen[-8:]]}"
            time.sleep(TICK)

    def matching(self, which: Predicate, since: int = 0) -> list[Seen]:
        """Messages of the client that ``which`` is true of."""
        with self._more:
            return [seen for seen in self.seen[since:] if which(seen.message)]

    def wait_for(self, which: Predicate, count: int = 1, since: int = 0, timeout: float = 10.0) -> list[Seen]:
        """At least ``count`` of them."""

        def enough() -> list[Seen] | None:
            found = self.matching(which, since)
            return found if len(found) >= count else None

        return self.wait(enough, timeout)

    def wait_registered(self, timeout: float = 10.0) -> Registration:
        """Wait until somebody is registered."""
        return self.wait(lambda: self.registration, timeout)

    def wait_renewed(self, timeout: float = 10.0, since: int | None = None) -> float:
        """Wait for a Register or Update from now on, or since there were so many; how long it took."""
        begun = self.now
        before = self.renewals if since is None else since
        self.wait(lambda: self.renewals > before, timeout)
        return self.now - begun

    def new_mid(self) -> int:
        return next(self._mids) & 0xFFFF

    def request(
        self,
        code: int,
        path: str,
        payload: bytes = b"",
        options: Iterable[tuple[int, bytes]] = (),
        *,
        type: int = CON,
        token: bytes | None = None,
    ) -> Message:
        """A request, not yet sent."""
        mid = self.new_mid()
        parts = [(PATH, part.encode()) for part in path.strip("/").split("/")]
        token = struct.pack("!HH", 0xBEEF, mid) if token is None else token
        return Message(type, code, mid, token, [*parts, *options], payload)

    def answers_to(self, request: Message, since: int = 0) -> list[Seen]:
        """Answers, repeated ones too."""
        return self.matching(lambda m: m.mid == request.mid and m.type >= ACK, since)

    def wait_answer(self, request: Message, count: int = 1, since: int = 0) -> Message:
        """The answer to a request that was sent before, or the last of so many copies."""

        def enough() -> list[Seen] | None:
            found = self.answers_to(request, since)
            return found if len(found) >= count else None

        return self.wait(enough)[count - 1].message

    def exchange(self, request: Message, timeout: float = 5.0) -> Message:
        """Send a request and return the answer to it."""
        since = len(self.seen)
        self.send(request)
        return self.wait(lambda: next(iter(self.answers_to(request, since)), None), timeout).message

    def ask(
        self, code: int, path: str, payload: bytes = b"", options: Iterable[tuple[int, bytes]] = ()
    ) -> Message:
        return self.exchange(self.request(code, path, payload, options))

    def observe(self, path: str, token: bytes) -> Message:
        return self.exchange(self.request(GET, path, b"", [(OBSERVE, b"")], token=token))

    def notifications(self, token: bytes, since: int = 0) -> list[Seen]:
        return self.matching(lambda m: is_notification(m) and m.token == token, since)


class Relay:
    """A NAT between client and server: ``rebind()`` gives the client another address in the server's eyes."""

    def __init__(self, server: Server) -> None:
        self._target = (server.host, server.port)
        self._inside = self._bound()
        self._outside = self._bound()
        self._client: Address | None = None
        self._ending = False
        self.port: int = self._inside.getsockname()[1]
        self.uri = f"{server.uri.partition('://')[0]}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @staticmethod
    def _bound() -> socket.socket:
        new = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        new.bind(("127.0.0.1", 0))
        new.settimeout(0.005)
        return new

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self._ending = True
        self._thread.join()
        self._inside.close()
        self._outside.close()

    def rebind(self) -> None:
        old, self._outside = self._outside, self._bound()
        old.close()

    def _run(self) -> None:
        while not self._ending:
            for port in (self._inside, self._outside):
                try:
                    data, source = port.recvfrom(65536)
                    if port is self._inside:
                        self._client = source
                        self._outside.sendto(data, self._target)
                    elif self._client is not None:
                        self._inside.sendto(data, self._client)
                except OSError:
                    continue
