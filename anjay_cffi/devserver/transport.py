# SPDX-License-Identifier: Apache-2.0
"""Datagrams in and out: UDP, and DTLS 1.2 with pre-shared keys over it.

A DTLS session is a pyOpenSSL connection over memory BIOs. New peers first prove their address with a cookie,
so that strangers take up no state. A known address may begin again at any time: its ClientHello goes to the
listener, and the old session ends when the new one has proved its address.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from OpenSSL import SSL

from .psk import serve_psk

_log = logging.getLogger(__name__)

Address = tuple[Any, ...]
MTU = 1400
"""Largest datagram of a handshake, in bytes."""
HANDSHAKE_LIMIT = 60.0
"""Seconds after which an unfinished handshake is given up."""
SESSIONS = 1000
"""DTLS sessions kept; the one unheard for longest goes first."""
_OPTIONS = (SSL.OP_NO_QUERY_MTU, SSL.OP_COOKIE_EXCHANGE, SSL.OP_NO_RENEGOTIATION)
_HANDSHAKE, _CLIENT_HELLO, _RECORD_HEADER, _MESSAGE_HEADER = 22, 1, 13, 12


class Remote:
    """Whom a message came from, and the way back. Equal if it is the same address on the same socket."""

    def __init__(self, transport: Transport, address: Address) -> None:
        self._transport = transport
        self.address = address

    @property
    def identity(self) -> bytes | None:
        """PSK identity; None without DTLS."""
        return None

    @property
    def secure(self) -> bool:
        """True over DTLS."""
        return False

    @property
    def closed(self) -> bool:
        """True when nothing can be sent any more."""
        return self._transport.closed

    def send(self, data: bytes) -> None:
        """Send one datagram; nothing happens if it is closed."""
        self._transport.send_datagram(data, self.address)

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is type(self)
            and isinstance(other, Remote)
            and (self._transport, self.address) == (other._transport, other.address)
        )

    def __hash__(self) -> int:
        return hash((type(self), id(self._transport), self.address))

    def __str__(self) -> str:
        host, port = self.address[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


Receiver = Callable[[Remote, bytes], None]


class Transport(asyncio.DatagramProtocol):
    """A UDP socket whose datagrams go to ``receiver`` as they are."""

    scheme = "coap"

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._socket: asyncio.DatagramTransport | None = None
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def bind(cls, transport: Transport, host: str, port: int) -> Transport:
        """Open the socket; port 0 chooses a free one."""
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: transport, (host, port))
        return transport

    @property
    def closed(self) -> bool:
        """True before bind() and after close()."""
        return self._socket is None

    @property
    def port(self) -> int:
        """The port that the socket is bound to."""
        assert self._socket is not None
        return int(self._socket.get_extra_info("sockname")[1])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._socket = cast(asyncio.DatagramTransport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self._socket = None
        if not self.gone.done():
            self.gone.set_result(None)

    def error_received(self, exc: Exception) -> None:
        """Called by asyncio when, for instance, nobody listens at the other end."""
        _log.debug("socket error: %s", exc)

    def datagram_received(self, data: bytes, address: Address) -> None:
        """Called by asyncio."""
        self._receiver(Remote(self, address), data)

    def send_datagram(self, data: bytes, address: Address) -> None:
        """Send to an address."""
        if self._socket is not None and not self._socket.is_closing():
            self._socket.sendto(data, address)

    async def close(self) -> None:
        """Close the socket and wait until it is closed."""
        if self._socket is not None:
            self._socket.close()
            await self.gone


class DtlsRemote(Remote):
    """One DTLS session. Only the same session is equal to it."""

    def __init__(self, transport: DtlsTransport, address: Address, connection: SSL.Connection) -> None:
        super().__init__(transport, address)
        self._dtls = transport
        self._connection = connection
        self._identity: bytes | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._begun = asyncio.get_running_loop().time()
        self._over = False
        self.established = False
        self.random = b""

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def identity(self) -> bytes | None:
        """PSK identity, once the handshake is done."""
        return self._identity

    @property
    def secure(self) -> bool:
        """True."""
        return True

    @property
    def closed(self) -> bool:
        """True after close_notify, an alert, or when a new session took the address."""
        return self._over or super().closed

    def send(self, data: bytes) -> None:
        """Encrypt and send one datagram."""
        if self.established and not self._over:
            try:
                self._connection.send(data)
            except SSL.Error as exc:
                self.end(f"cannot send: {exc}")
            self._flush()

    def feed(self, data: bytes) -> None:
        """Take one datagram from the network."""
        if data:
            self._connection.bio_write(data)
        try:
            if not self.established:
                self._shake_hands()
            while self.established and not self._over:
                self._dtls.deliver(self, self._connection.recv(1 << 16))
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.end("closed by the peer")
        except SSL.Error as exc:
            self._flush()
            self.end(f"failed: {_reason(exc)}")
        self._flush()
        self._set_timer()

    def _shake_hands(self) -> None:
        try:
            self._connection.do_handshake()
        finally:
            asked = self._dtls.take_identity()
            if asked is not None:
                self._identity = asked
                self._dtls.report(self, "asked", "begins a handshake")
        secret = self._connection.master_key() or b""
        self._identity = self._dtls.remember(secret, self._identity)
        self.established = True
        self._dtls.report(self, "secured", "")

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.established or self._over:
            return
        loop = asyncio.get_running_loop()
        if loop.time() - self._begun > HANDSHAKE_LIMIT:
            self.end("handshake not finished in time")
            return
        delay = self._connection.DTLSv1_get_timeout()
        self._timer = loop.call_later(1.0 if delay is None else delay + 0.01, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        try:
            self._connection.DTLSv1_handle_timeout()
        except SSL.Error as exc:
            self.end(f"handshake given up: {_reason(exc)}")
        self._flush()
        self._set_timer()

    def _flush(self) -> None:
        for datagram in _datagrams(self._connection):
            self._transport.send_datagram(datagram, self.address)

    def end(self, why: str) -> None:
        """Close the session; the peer is told if there still is one."""
        if self._over:
            return
        if self.established:
            with contextlib.suppress(SSL.Error):
                self._connection.shutdown()
            self._flush()
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._dtls.forget(self, why)


class DtlsTransport(Transport):
    """A UDP socket with DTLS sessions. ``keys`` maps PSK identities to keys and may change at any time."""

    scheme = "coaps"

    def __init__(
        self,
        receiver: Receiver,
        keys: Mapping[bytes, bytes],
        report: Callable[[DtlsRemote, str, str], None],
    ) -> None:
        super().__init__(receiver)
        self.keys = keys
        self.report = report
        self._asked: bytes | None = None
        self._secret = secrets.token_bytes(32)
        self._listening: Address = ()
        self._known: OrderedDict[bytes, bytes] = OrderedDict()
        self._sessions: OrderedDict[Address, DtlsRemote] = OrderedDict()
        self._context = self._make_context()
        self._listener = self._listen()

    def _make_context(self) -> SSL.Context:
        context = SSL.Context(SSL.DTLS_SERVER_METHOD)
        context.set_min_proto_version(0xFEFD)
        for option in _OPTIONS:
            context.set_options(option or 0)
        context.set_session_id(b"anjay_cffi.devserver")
        context.set_cookie_generate_callback(lambda _connection: self._cookie())
        context.set_cookie_verify_callback(
            lambda _connection, cookie: hmac.compare_digest(cookie, self._cookie())
        )
        serve_psk(context, self._key_of)
        return context

    def _cookie(self) -> bytes:
        return hmac.digest(self._secret, repr(self._listening[:2]).encode(), "sha256")

    def _key_of(self, identity: bytes) -> bytes | None:
        self._asked = identity
        return self.keys.get(identity)

    def take_identity(self) -> bytes | None:
        """The identity that the handshake step just made has asked for."""
        asked, self._asked = self._asked, None
        return asked

    def remember(self, secret: bytes, identity: bytes | None) -> bytes | None:
        """Identity of a session; a resumed one does not name it, but has the secret of the first."""
        name = hashlib.sha256(secret).digest()
        if identity is not None:
            self._known[name] = identity
            if len(self._known) > SESSIONS:
                self._known.popitem(last=False)
        return self._known.get(name)

    def _listen(self) -> SSL.Connection:
        connection = SSL.Connection(self._context, None)
        connection.set_accept_state()
        connection.set_ciphertext_mtu(MTU)
        return connection

    def datagram_received(self, data: bytes, address: Address) -> None:
        """Called by asyncio."""
        session = self._sessions.get(address)
        random = _client_random(data)
        if session is not None and (random is None or random == session.random):
            self._sessions.move_to_end(address)
            session.feed(data)
        elif random is not None:
            self._meet(data, address, random)
        # Records of a session that ended, or garbage: a stranger gets no answer, and begins anew by itself.

    def _meet(self, data: bytes, address: Address, random: bytes) -> None:
        self._listening = address
        connection = self._listener
        connection.bio_write(data)
        try:
            connection.DTLSv1_listen()
        except SSL.WantReadError:
            for datagram in _datagrams(connection):
                self.send_datagram(datagram, address)
            return
        except SSL.Error as exc:
            _log.debug("ClientHello from %s: %s", address, exc)
            self._listener = self._listen()
            return
        self._listener = self._listen()
        old = self._sessions.get(address)
        if old is not None:
            old.end("begun anew by the peer")
        while len(self._sessions) >= SESSIONS:
            next(iter(self._sessions.values())).end("too many sessions")
        session = DtlsRemote(self, address, connection)
        session.random = random
        self._sessions[address] = session
        session.feed(b"")

    def deliver(self, session: DtlsRemote, data: bytes) -> None:
        """A session has decrypted a datagram."""
        self._receiver(session, data)

    def forget(self, session: DtlsRemote, why: str) -> None:
        """A session has ended."""
        if self._sessions.get(session.address) is session:
            del self._sessions[session.address]
        self.report(session, "unsecured", why)

    async def close(self) -> None:
        """End all sessions and close the socket."""
        for session in list(self._sessions.values()):
            session.end("server closed")
        await super().close()


def _reason(exc: SSL.Error) -> str:
    """What OpenSSL says, shortly."""
    texts = [str(part[-1]) for part in exc.args[0]] if exc.args and isinstance(exc.args[0], list) else []
    return ", ".join(texts) or type(exc).__name__


def _client_random(data: bytes) -> bytes | None:
    """The random of a ClientHello that begins a handshake; None for all else."""
    at = _RECORD_HEADER + _MESSAGE_HEADER
    if len(data) < at + 34 or data[0] != _HANDSHAKE or data[3:5] != b"\0\0":
        return None
    return data[at + 2 : at + 34] if data[_RECORD_HEADER] == _CLIENT_HELLO else None


def _datagrams(connection: SSL.Connection) -> Iterator[bytes]:
    """What a connection wants to send. The BIO joins datagrams; they are parted at record borders again."""
    try:
        data = connection.bio_read(1 << 20)
    except SSL.WantReadError:
        return
    start = at = 0
    while at + _RECORD_HEADER <= len(data):
        end = at + _RECORD_HEADER + int.from_bytes(data[at + 11 : at + 13], "big")
        if end - start > MTU and at > start:
            yield data[start:at]
            start = at
        at = end
    if start < len(data):
        yield data[start:]
