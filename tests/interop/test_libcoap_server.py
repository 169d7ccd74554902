# SPDX-License-Identifier: Apache-2.0
"""libcoap's coap-server takes the registration: with OpenSSL, with GnuTLS, and without either."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..provider import VENDORED, only_on
from . import libcoap
from .lines import Client, until

KEY = "a secret of sixteen and more"
UPDATE = r"v:1 t:CON c:POST i:\w+ \{\w+\} \[ Uri-Path:rd(, Uri-Query:lt=\d+)? \]"
DEREGISTER = r"v:1 t:CON c:DELETE i:\w+ \{\w+\} \[ Uri-Path:rd \]"
HANDSHAKE = "session connected"
CASES = [("openssl", False), ("openssl", True), ("gnutls", True), ("notls", False)]


def options(secure: bool, key: str = KEY) -> list[str]:
    return ["--identity", "the client", "--key", key.encode().hex()] if secure else []


@contextmanager
def client_of(server: libcoap.Server, folder: Path, secure: bool, *more: str) -> Iterator[Client]:
    """Leaves in good order unless something went wrong."""
    state = folder / "state"
    state.mkdir()
    client = Client("urn:dev:os:libcoap", server.uri(secure), state, *options(secure), *more)
    try:
        yield client
        client("quit")
        client.event("closed")
        assert client.end() == 0
    finally:
        client.end()


def arguments(secure: bool) -> list[str]:
    return ["-k", KEY, "-h", "a hint"] if secure else []


def dynamic(secure: bool) -> list[str]:
    """Takes what is written to it."""
    return ["-d", "10", *arguments(secure)]


@pytest.mark.parametrize(("library", "secure"), CASES)
def test_registration(library: str, secure: bool, tmp_path: Path) -> None:
    command = libcoap.program(f"coap-server-{library}")
    with libcoap.running(command, tmp_path, *dynamic(secure)) as server:
        with client_of(server, tmp_path, secure) as client:
            server.wait(libcoap.REGISTERED)
            version = "1.1" if VENDORED else r"1\.[12]"
            queries = rf"Uri-Query:lwm2m={version}, Uri-Query:ep=urn:dev:os:libcoap, Uri-Query:lt=300"
            assert re.search(queries, server.text())
            assert "'</1/0>,</5/0>,</33333>;ver=1.1,</33333/0>,</33333/1>'" in server.text()
            until(lambda: client("registered"), "a client that knows that it is registered")
            client("update")
            server.wait(UPDATE)
            client("lifetime", 400)
            server.wait(UPDATE, 2)
            assert "Uri-Query:lt=400" in server.text()
            client("add", 7)
            client("update")
            server.wait(r"</33333/7>")
        server.wait(DEREGISTER)
        assert server.count(libcoap.REGISTERED) == 1
        if secure and VENDORED:  # the real library says nothing when it closes a session
            server.wait("close notify|session disconnected|session .* closed")


@pytest.mark.parametrize(("library", "secure"), CASES)
def test_resource_directory(library: str, secure: bool, tmp_path: Path) -> None:
    """It knows no Update by POST (4.05), so that the client registers anew; the same after a restart.

    There is no De-register here: coap-rd 4.3.1 frees something twice when a client leaves.
    """
    command = libcoap.program(f"coap-rd-{library}")
    state = tmp_path / "state"
    state.mkdir()
    with libcoap.running(command, tmp_path, *arguments(secure)) as server:
        client = Client("urn:dev:os:libcoap", server.uri(secure), state, *options(secure))
        try:
            server.wait(libcoap.REGISTERED)
            until(lambda: client("registered"), "a client that knows that it is registered")
            client("update")
            server.wait(libcoap.REGISTERED, 2)
            until(lambda: client("registered"), "a client that is registered anew")
            server.stop()
            assert server.start()
            if secure:
                client("reconnect")  # the session is lost, too
            client("update")
            server.wait(libcoap.REGISTERED, 3)
            until(lambda: client("registered"), "a client that is registered anew")
        finally:
            client.process.kill()
            client.end()


BLOCKED = only_on("vendored", "the real library blocks in a handshake that does not go on")


@BLOCKED
@pytest.mark.parametrize("library", ["openssl", "gnutls"])
def test_reconnect(library: str, tmp_path: Path) -> None:
    """Resumed or not, the registration goes on in a new session."""
    command = libcoap.program(f"coap-server-{library}")
    with libcoap.running(command, tmp_path, *dynamic(True)) as server:
        with client_of(server, tmp_path, True) as client:
            server.wait(libcoap.REGISTERED)
            until(lambda: client("registered"), "a client that knows that it is registered")
            client("reconnect")
            client("update")
            server.wait(UPDATE)
            assert server.count(HANDSHAKE) == 2
        server.wait(DEREGISTER)
        assert server.count(libcoap.REGISTERED) == 1


@pytest.mark.parametrize("library", [pytest.param("openssl", marks=BLOCKED), "gnutls"])
def test_wrong_key(library: str, tmp_path: Path) -> None:
    """No registration; with the key that is right it comes, from the same server."""
    command = libcoap.program(f"coap-server-{library}")
    with libcoap.running(command, tmp_path, *dynamic(True)) as server:
        wrong = tmp_path / "wrong"
        wrong.mkdir()
        client = Client("urn:dev:os:wrong", server.uri(True), wrong, *options(True, "another secret"))
        try:
            server.wait(r"psk_identity|identity: the client|the client")
            with client_of(server, tmp_path, True):
                server.wait(libcoap.REGISTERED)
            assert client("registered") is False
            client("quit")
            client.event("closed")
        finally:
            client.end()
        assert server.count("urn:dev:os:wrong") == 0
