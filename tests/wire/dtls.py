# SPDX-License-Identifier: Apache-2.0
"""The scripted server over DTLS-PSK. Each record goes out as a datagram of its own: any may be lost."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from OpenSSL import SSL

from anjay_cffi.devserver.psk import serve_psk

from .server import Address, Server

HANDSHAKE, ALERT, CHANGE_CIPHER, DATA = 22, 21, 20, 23
HEADER = 13


def records(data: bytes) -> list[bytes]:
    """The DTLS records of some bytes."""
    found = []
    while data:
        size = HEADER + int.from_bytes(data[11:13], "big")
        found.append(data[:size])
        data = data[size:]
    return found


def epoch(record: bytes) -> int:
    return int.from_bytes(record[3:5], "big")


def is_client_hello(data: bytes) -> bool:
    return len(data) > HEADER and data[0] == HANDSHAKE and epoch(data) == 0 and data[HEADER] == 1


def unchanged(flight: list[bytes]) -> list[bytes]:
    """Loses nothing."""
    return flight


class Session:
    def __init__(self, context: SSL.Context, random: bytes) -> None:
        self.random = random
        self.established = False
        self.dead = False
        self.connection = SSL.Connection(context, None)
        self.connection.set_accept_state()
        self.connection.set_ciphertext_mtu(1400)


class DtlsServer(Server):
    """``flight`` may drop, repeat and reorder records that go out together, ``flight_in`` those that came."""

    secure = True

    def __init__(self, host: str | None = None) -> None:
        self.keys = {b"identity": b"P4s$w0rd"}
        self.sessions: dict[Address, Session] = {}
        self.arrived: list[bytes] = []
        self.sent: list[bytes] = []
        self.handshakes = 0
        self.refused: list[str] = []
        self.flight: Callable[[list[bytes]], list[bytes]] = unchanged
        self.flight_in: Callable[[list[bytes]], list[bytes]] = unchanged
        self.context = self._make_context()
        super().__init__(host)

    def _make_context(self) -> SSL.Context:
        context = SSL.Context(SSL.DTLS_SERVER_METHOD)
        context.set_min_proto_version(0xFEFD)
        context.set_options(SSL.OP_NO_QUERY_MTU)
        context.set_session_id(b"wire")
        serve_psk(context, lambda identity: self.keys.get(identity))
        return context

    def ask_for_cookies(self) -> None:
        """Answer the first ClientHello of each handshake with a HelloVerifyRequest."""
        self.context.set_options(SSL.OP_COOKIE_EXCHANGE)
        self.context.set_cookie_generate_callback(lambda _connection: b"cookie of 16 oct")
        self.context.set_cookie_verify_callback(lambda _connection, cookie: cookie == b"cookie of 16 oct")

    def use_suite(self, name: str) -> None:
        """Take this ciphersuite alone."""
        self.context.set_cipher_list(f"{name}:@SECLEVEL=0".encode())

    def lose_state(self) -> None:
        """Forget all sessions, as after a crash: nobody is told."""
        with self._more:
            self.sessions.clear()
            self.context = self._make_context()

    def datagram(self, data: bytes, source: Address) -> None:
        self.arrived.append(data)
        for record in self.flight_in(records(data)):
            self._record(record, source)

    def _record(self, data: bytes, source: Address) -> None:
        session = self.sessions.get(source)
        if is_client_hello(data):
            random = data[HEADER + 14 : HEADER + 46]
            if session is None or session.random != random:
                session = self.sessions[source] = Session(self.context, random)
        if session is None or session.dead:
            return
        session.connection.bio_write(data)
        self._read(session, source)

    def _read(self, session: Session, source: Address) -> None:
        try:
            if not session.established:
                session.connection.do_handshake()
                session.established = True
                self.handshakes += 1
            while True:
                self.message(session.connection.recv(65536), source)
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            session.dead = True
        except SSL.Error as exc:
            session.dead = True
            self.refused.append(str(exc))
        self._flush(session, source)

    def _flush(self, session: Session, to: Address) -> None:
        try:
            out = records(session.connection.bio_read(1 << 16))
        except SSL.WantReadError:
            return
        for record in self.flight(out):
            self.sent.append(record)
            super().send_bytes(record, to)

    def tick(self) -> None:
        super().tick()
        for source, session in list(self.sessions.items()):
            if not session.established and not session.dead and session.connection.DTLSv1_get_timeout() == 0:
                with contextlib.suppress(SSL.Error):
                    session.connection.DTLSv1_handle_timeout()
                self._flush(session, source)

    def send_bytes(self, data: bytes, to: Address | None = None) -> None:
        """Encrypt and send; ``send_record`` sends bytes as they are."""
        with self._more:
            source = to or self.address
            session = self.sessions.get(source)
            if session is None or session.dead or not session.established:
                return
            if not data:  # OpenSSL makes no empty records
                super().send_bytes(data, source)
                return
            session.connection.send(data)
            self._flush(session, source)

    def sealed(self, data: bytes) -> bytes:
        """The record that would carry ``data``, not sent."""
        with self._more:
            session: Any = self.sessions[self.address]
            session.connection.send(data)
            return bytes(session.connection.bio_read(1 << 16))

    def send_record(self, data: bytes, to: Address | None = None) -> None:
        with self._more:
            Server.send_bytes(self, data, to or self.address)

    def end_session(self) -> None:
        """Send close_notify."""
        with self._more:
            source = self.address
            session = self.sessions[source]
            with contextlib.suppress(SSL.Error):
                session.connection.shutdown()
            self._flush(session, source)
            del self.sessions[source]
