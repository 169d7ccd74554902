# SPDX-License-Identifier: Apache-2.0
"""A LwM2M server on loopback, small enough to be seen through: one UDP socket and CoAP messages."""

from __future__ import annotations

import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import anjay_cffi as lwm2m

CON, NON, ACK, RST = range(4)
GET, POST, PUT, DELETE, FETCH = 1, 2, 3, 4, 5
OBSERVE, LOCATION, PATH, FORMAT, QUERY, ACCEPT, BLOCK2, BLOCK1 = 6, 8, 11, 12, 15, 17, 23, 27


def number(value: int) -> bytes:
    """A CoAP unsigned integer."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


@dataclass
class Message:
    type: int
    code: int
    mid: int
    token: bytes = b""
    options: list[tuple[int, bytes]] = field(default_factory=list)
    payload: bytes = b""

    def encode(self) -> bytes:
        out = struct.pack("!BBH", 0x40 | self.type << 4 | len(self.token), self.code, self.mid) + self.token
        last = 0
        for option, value in sorted(self.options, key=lambda pair: pair[0]):
            nibbles, extra = [], b""
            for size in (option - last, len(value)):
                nibbles.append(size if size < 13 else 13 if size < 269 else 14)
                extra += (
                    b""
                    if size < 13
                    else bytes([size - 13])
                    if size < 269
                    else (size - 269).to_bytes(2, "big")
                )
            out += bytes([nibbles[0] << 4 | nibbles[1]]) + extra + value
            last = option
        return out + (b"\xff" + self.payload if self.payload else b"")

    @classmethod
    def decode(cls, data: bytes) -> Message:
        head, code, mid = struct.unpack("!BBH", data[:4])
        at = 4 + (head & 15)
        message = cls(head >> 4 & 3, code, mid, data[4:at])
        option = 0
        while at < len(data) and data[at] != 0xFF:
            sizes, at = [data[at] >> 4, data[at] & 15], at + 1
            for i, size in enumerate(sizes):
                if size == 13:
                    sizes[i], at = data[at] + 13, at + 1
                elif size == 14:
                    sizes[i], at = int.from_bytes(data[at : at + 2], "big") + 269, at + 2
            option += sizes[0]
            message.options.append((option, data[at : at + sizes[1]]))
            at += sizes[1]
        message.payload = data[at + 1 :]
        return message

    def get(self, option: int) -> list[bytes]:
        return [value for number_, value in self.options if number_ == option]

    @property
    def path(self) -> str:
        return "/" + "/".join(part.decode() for part in self.get(PATH))


def run_until(client: lwm2m.Client, condition: Callable[[], bool]) -> None:
    """Drive the client in this thread until the condition holds."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        client.run(timeout=0.02)


class Peer:
    """Answers Register, Update and De-register in a thread; everything else is for the test to ask for."""

    def __init__(self, *, answer: bool = True, host: str = "127.0.0.1") -> None:
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.settimeout(0.05)
        self.port: int = self.socket.getsockname()[1]
        self.uri = f"coap://[{host}]:{self.port}" if ":" in host else f"coap://{host}:{self.port}"
        self.answer = answer
        self.refuse: int | None = None
        self.seen: list[Message] = []
        self.replies: list[Message] = []
        self.client: tuple[str, int] | None = None
        self._mids = itertools.count(1)
        self._more = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self._ending = True
        self._thread.join()
        self.socket.close()

    def _serve(self) -> None:
        while not self._ending:
            try:
                data, sender = self.socket.recvfrom(65536)
            except TimeoutError:
                continue
            message = Message.decode(data)
            with self._more:
                if 1 <= message.code < 32:
                    self.seen.append(message)
                    if self.answer:
                        self.client = sender
                        self.socket.sendto(self._answer(message).encode(), sender)
                else:
                    self.replies.append(message)
                    if message.type == CON:
                        self.socket.sendto(Message(ACK, 0, message.mid).encode(), sender)
                self._more.notify_all()

    def _answer(self, message: Message) -> Message:
        codes = {POST: 0x41 if message.path == "/rd" else 0x44, DELETE: 0x42}
        code = self.refuse or codes.get(message.code, 0x84)
        options = [(LOCATION, b"rd"), (LOCATION, b"1")] if code == 0x41 else []
        return Message(ACK, code, message.mid, message.token, options)

    def wait(self, what: Callable[[], object], timeout: float = 10.0) -> object:
        """Wait until ``what()`` is true and return it."""
        end = time.monotonic() + timeout
        with self._more:
            while not (result := what()):
                left = end - time.monotonic()
                assert left > 0, f"not seen in {timeout} s: {self.seen} {self.replies}"
                self._more.wait(min(left, 0.02))
            return result

    def registered(self, timeout: float = 10.0) -> Message:
        """The first Register."""
        return self.wait(lambda: next((m for m in self.seen if m.path == "/rd"), None), timeout)  # type: ignore[return-value]

    def deregistered(self) -> bool:
        return any(m.code == DELETE for m in self.seen)

    def ask(
        self, code: int, path: str, payload: bytes = b"", options: list[tuple[int, bytes]] | None = None
    ) -> Message:
        """Send a confirmable request and return its answer."""
        assert self.client is not None
        mid = next(self._mids)
        token = struct.pack("!H", mid)
        parts = [(PATH, part.encode()) for part in path.strip("/").split("/") if part]
        message = Message(CON, code, mid, token, [*parts, *(options or [])], payload)
        self.socket.sendto(message.encode(), self.client)
        return self.wait(lambda: next((m for m in self.replies if m.token == token and m.code), None))  # type: ignore[return-value]

    def push(self, path: str, data: bytes, szx: int = 6) -> list[int]:
        """Write a package block by block; the codes of the answers, up to the first error."""
        size = 16 << szx
        codes = []
        for at in range(0, max(1, len(data)), size):
            more = at + size < len(data)
            block = (BLOCK1, number(at // size << 4 | more << 3 | szx))
            answer = self.ask(PUT, path, data[at : at + size], [(FORMAT, number(42)), block])
            codes.append(answer.code)
            if answer.code >= 0x80:
                break
        return codes
