# SPDX-License-Identifier: Apache-2.0
"""A DTLS client whose every datagram the test sends itself."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from cryptography.hazmat.bindings.openssl.binding import Binding
from OpenSSL import SSL

from anjay_cffi.devserver.codec import CON, Message, decode, encode
from anjay_cffi.devserver.psk import CIPHERS

_lib: Any = Binding.lib
_ffi: Any = Binding.ffi


class DtlsWire:
    """One UDP port; ``handshake()`` begins a new session on it, with resumption if there was one."""

    def __init__(self, uri: str, identity: str = "identity", key: str = "P4s$w0rd") -> None:
        host, _, port = uri.rpartition("/")[2].rpartition(":")
        self.address = (host, int(port))
        self.socket = self._open()
        self.context = SSL.Context(SSL.DTLS_CLIENT_METHOD)

        def psk(_ssl: Any, _hint: Any, who: Any, who_size: int, out: Any, size: int) -> int:
            name, secret = identity.encode() + b"\0", key.encode()
            assert len(name) <= who_size and len(secret) <= size
            _ffi.memmove(who, name, len(name))
            _ffi.memmove(out, secret, len(secret))
            return len(secret)

        kind = "unsigned int(SSL *, const char *, char *, unsigned int, unsigned char *, unsigned int)"
        self._callback = _ffi.callback(kind, psk)
        _lib.SSL_CTX_set_psk_client_callback(self.context._context, self._callback)
        self.context.set_cipher_list(CIPHERS)
        self.connection: Any = None
        self.session: Any = None
        self.mid = 0

    @staticmethod
    def _open() -> socket.socket:
        new = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        new.setblocking(False)
        new.bind(("127.0.0.1", 0))
        return new

    def move(self) -> None:
        """To another port."""
        old, self.socket = self.socket, self._open()
        old.close()

    def begin(self, *, resume: bool = False) -> None:
        if self.connection is not None:  # without this OpenSSL holds that the session broke off
            self.connection.set_shutdown(SSL.SENT_SHUTDOWN | SSL.RECEIVED_SHUTDOWN)
        self.connection = SSL.Connection(self.context, None)
        self.connection.set_connect_state()
        self.connection.set_ciphertext_mtu(1400)
        if resume:
            self.connection.set_session(self.session)

    def flush(self) -> list[bytes]:
        """What the connection wants to have sent."""
        try:
            return [self.connection.bio_read(65536)]
        except SSL.WantReadError:
            return []

    def send_all(self) -> None:
        for datagram in self.flush():
            self.socket.sendto(datagram, self.address)

    async def receive(self, timeout: float = 5.0) -> bytes:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_reader(self.socket, ready.set)
        try:
            await asyncio.wait_for(ready.wait(), timeout)
        finally:
            loop.remove_reader(self.socket)
        return self.socket.recv(65536)

    async def handshake(self, *, resume: bool = False) -> None:
        self.begin(resume=resume)
        while True:
            try:
                self.connection.do_handshake()
                break
            except SSL.WantReadError:
                self.send_all()
                self.connection.bio_write(await self.receive())
        self.send_all()
        self.session = self.connection.get_session()

    async def ask(self, request: Message) -> Message:
        self.mid += 1
        self.connection.send(encode(request, CON, self.mid, b"tok"))
        self.send_all()
        while True:
            self.connection.bio_write(await self.receive())
            try:
                answer = decode(self.connection.recv(65536))
            except SSL.WantReadError:
                continue
            assert answer is not None and answer.mid == self.mid
            return answer

    def close(self) -> None:
        self.socket.close()
