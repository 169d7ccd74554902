# SPDX-License-Identifier: Apache-2.0
"""CoAP exchanges over datagrams: RFC 7252 reliability, RFC 7959 blocks, RFC 7641 notifications.

A LwM2M server speaks as a CoAP client over the very socket on which clients register with it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from .codec import ACK, CON, NON, RST, Code, Message, decode, encode, message, path_of
from .errors import ResetError, SilenceError
from .transport import Remote

_log = logging.getLogger(__name__)

ACK_TIMEOUT = 2.0
ACK_RANDOM_FACTOR = 1.5
MAX_RETRANSMIT = 4
EXCHANGE_LIFETIME = 247.0
REMEMBERED = 1024
"""Messages that are recognised when they come a second time."""
SEPARATE_TIMEOUT = 60.0
"""Seconds to wait for an answer that an empty ACK has promised."""
LARGEST_BODY = 64 << 20
"""Bytes after which a block-wise body is refused."""


@dataclass
class _Sent:
    """A confirmable message on its way."""

    acknowledged: asyncio.Future[Message | None]
    token: bytes


class Exchanges:
    """Requests in both directions with any number of peers.

    ``serve(remote, request)`` answers requests; its answer may be a Message or None for none at all.
    ``notified(remote, message)`` gets notifications and says whether anybody wants them.
    """

    def __init__(
        self,
        serve: Callable[[Remote, Message], Message | None],
        notified: Callable[[Remote, Message], bool],
    ) -> None:
        self._serve = serve
        self._notified = notified
        self._mid = random.randrange(1 << 16)
        self._sent: dict[tuple[Remote, int], _Sent] = {}
        self._answers: dict[tuple[Remote, bytes], asyncio.Future[Message]] = {}
        self._seen: OrderedDict[tuple[Remote, int], tuple[float, bytes]] = OrderedDict()
        self._bodies: OrderedDict[tuple[Remote, str], bytearray] = OrderedDict()
        self._turns: dict[Remote, tuple[asyncio.Lock, int]] = {}

    # --- outgoing -------------------------------------------------------------------------------------------

    def new_token(self) -> bytes:
        """A token that nothing else uses."""
        return secrets.token_bytes(8)

    def _next_mid(self) -> int:
        self._mid = (self._mid + 1) & 0xFFFF
        return self._mid

    async def request(self, remote: Remote, msg: Message, token: bytes | None = None) -> Message:
        """Send one confirmable request and return its answer, whatever its code.

        Raises SilenceError after all retransmissions, ResetError if the peer resets it.
        """
        token = self.new_token() if token is None else token
        lock, users = self._turns.get(remote, (asyncio.Lock(), 0))
        self._turns[remote] = (lock, users + 1)
        try:
            async with lock:  # NSTART is 1
                return await self._exchange(remote, msg, token)
        finally:
            lock, users = self._turns.pop(remote)
            if users > 1:
                self._turns[remote] = (lock, users - 1)

    async def _exchange(self, remote: Remote, msg: Message, token: bytes) -> Message:
        loop = asyncio.get_running_loop()
        mid = self._next_mid()
        sent = _Sent(loop.create_future(), token)
        answer: asyncio.Future[Message] = loop.create_future()
        self._sent[remote, mid] = sent
        self._answers[remote, token] = answer
        try:
            await self._transmit(remote, encode(msg, CON, mid, token), sent.acknowledged, answer)
            if not answer.done():  # not wait_for(): before Python 3.12 it may lose a cancellation
                await asyncio.wait((answer,), timeout=SEPARATE_TIMEOUT)
            if not answer.done():
                raise SilenceError(f"{remote} promised an answer and sent none")
            return answer.result()
        finally:
            answer.cancel()
            del self._sent[remote, mid]
            del self._answers[remote, token]

    async def _transmit(
        self,
        remote: Remote,
        data: bytes,
        acknowledged: asyncio.Future[Message | None],
        answer: asyncio.Future[Message],
    ) -> None:
        delay = ACK_TIMEOUT * random.uniform(1.0, ACK_RANDOM_FACTOR)
        for _ in range(MAX_RETRANSMIT + 1):
            if remote.closed:
                raise SilenceError(f"the connection of {remote} is closed")
            remote.send(data)
            done, _pending = await asyncio.wait(
                (acknowledged, answer), timeout=delay, return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                if acknowledged.done() and acknowledged.result() is not None:
                    raise ResetError(f"{remote} reset the request")
                return
            delay *= 2
        raise SilenceError(f"{remote} did not answer")

    # --- incoming -------------------------------------------------------------------------------------------

    def receive(self, remote: Remote, data: bytes) -> None:
        """Take one datagram."""
        msg = decode(data)
        if msg is None:
            return
        if msg.mtype in (ACK, RST):
            self._on_reply(remote, msg)
        elif msg.code.is_request():
            self._on_request(remote, msg)
        elif msg.code.is_response():
            self._on_response(remote, msg)
        elif msg.mtype is CON:  # ping
            remote.send(encode(message(Code.EMPTY), RST, msg.mid, b""))

    def _on_reply(self, remote: Remote, msg: Message) -> None:
        sent = self._sent.get((remote, msg.mid))
        if sent is None:
            return
        if msg.code.is_response() and msg.token == sent.token:
            self._resolve(remote, msg)
        if not sent.acknowledged.done():
            sent.acknowledged.set_result(msg if msg.mtype is RST else None)

    def _resolve(self, remote: Remote, msg: Message) -> bool:
        answer = self._answers.get((remote, msg.token))
        if answer is None or answer.done():
            return False
        answer.set_result(msg)
        return True

    def _on_response(self, remote: Remote, msg: Message) -> None:
        """A separate answer or a notification."""
        if self._is_repeated(remote, msg):
            return
        wanted = self._resolve(remote, msg) or self._notified(remote, msg)
        reply = b""
        if msg.mtype is CON or not wanted:
            reply = encode(message(Code.EMPTY), ACK if wanted else RST, msg.mid, b"")
            remote.send(reply)
        self._remember(remote, msg, reply)

    def _on_request(self, remote: Remote, msg: Message) -> None:
        if self._is_repeated(remote, msg):
            return
        answer = self._answer(remote, msg)
        reply = b""
        if answer is not None:
            kind, mid = (ACK, msg.mid) if msg.mtype is CON else (NON, self._next_mid())
            reply = encode(answer, kind, mid, msg.token)
            remote.send(reply)
        elif msg.mtype is CON:
            return  # as if it had not come: it may come again
        self._remember(remote, msg, reply)

    def _is_repeated(self, remote: Remote, msg: Message) -> bool:
        moment, reply = self._seen.get((remote, msg.mid), (0.0, b""))
        if not moment or time.monotonic() - moment > EXCHANGE_LIFETIME:
            return False
        if reply:
            remote.send(reply)
        return True

    def _remember(self, remote: Remote, msg: Message, reply: bytes) -> None:
        self._seen.pop((remote, msg.mid), None)
        self._seen[remote, msg.mid] = (time.monotonic(), reply)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    def _answer(self, remote: Remote, msg: Message) -> Message | None:
        block = msg.opt.block1
        if block is None:
            return self._serve(remote, msg)
        key = (remote, path_of(msg) + "?" + "&".join(msg.opt.uri_query))
        if block.block_number == 0:
            self._bodies[key] = bytearray()
            while len(self._bodies) > REMEMBERED:
                self._bodies.popitem(last=False)
        body = self._bodies.get(key)
        if body is None or len(body) != block.start:
            return message(Code.REQUEST_ENTITY_INCOMPLETE)
        body += msg.payload
        if len(body) > LARGEST_BODY:
            del self._bodies[key]
            return message(Code.REQUEST_ENTITY_TOO_LARGE)
        if block.more:
            return message(Code.CONTINUE, block1=block)
        msg.payload = bytes(self._bodies.pop(key))
        answer = self._serve(remote, msg)
        if answer is not None:
            answer.opt.block1 = block
        return answer
