# SPDX-License-Identifier: Apache-2.0
"""Register, Update and De-register at Eclipse Leshan; DTLS is its Scandium."""

from __future__ import annotations

import time
from pathlib import Path

from .lines import Client, Leshan, until
from .pairs import Pair, registered


def test_register(pair: Pair) -> None:
    seen = pair.registration
    assert seen["lifetime"] == 300 and seen["version"] == "1.1" and not seen["again"]
    assert "PSK" in seen["identity"].upper() if pair.secure else "PSK" not in seen["identity"].upper()
    links = seen["links"]
    assert "</1/0>" in links and "</5/0>" in links
    assert "</33333>;ver=1.1" in links and "</33333/0>" in links and "</33333/1>" in links
    assert not [link for link in links if link.startswith("</0")]


def test_update(own: Pair) -> None:
    own.client("update")
    assert own.event("updated")["with_links"] is False
    own.client("lifetime", 400)
    assert own.event("updated")["lifetime"] == 400
    own.client("add", 7)
    own.client("update")
    updated = own.event("updated", with_links=True)
    assert "</33333/7>" in updated["links"] and updated["lifetime"] == 400


def test_update_on_trigger(own: Pair) -> None:
    assert own.ask("execute", "/1/0/8")["code"] == "CHANGED"
    own.event("updated")
    own.write("/1/0/1", "TLV", {"id": 1, "type": "INTEGER", "value": 500})
    assert own.event("updated")["lifetime"] == 500


def test_update_before_the_lifetime_ends(server: Leshan, tmp_path: Path) -> None:
    with registered(server, tmp_path / "state", "urn:dev:os:short", False, "--lifetime", "6") as both:
        both.event("updated")
        both.event("updated")


def test_reconnect(own: Pair) -> None:
    """A session that is resumed, or another port: the registration goes on."""
    own.client("reconnect")
    own.client("update")
    own.event("updated")
    assert own.read("/33333/0/0", "TEXT")["value"] == "text"
    assert not own.unasked("unregistered")


def test_wrong_key(server: Leshan, tmp_path: Path) -> None:
    server.ask("key", endpoint="urn:dev:os:wrong", identity="wrong", key="00")
    uri = f"coaps://127.0.0.1:{server.ports['coaps']}"
    client = Client("urn:dev:os:wrong", uri, tmp_path, "--identity", "wrong", "--key", "01")
    client.event("started")
    time.sleep(2)  # Scandium drops what it cannot decrypt and says nothing: there is nothing to wait for
    assert client("registered") is False
    client("quit")
    client.event("closed")
    assert client.end() == 0
    assert not [line for line in server.drain() if line.get("endpoint") == "urn:dev:os:wrong"]


def test_identity_of_another_endpoint(server: Leshan, tmp_path: Path) -> None:
    """Leshan refuses a Register whose endpoint is not that of the key."""
    server.ask("key", endpoint="urn:dev:os:someone", identity="someone", key="05")
    uri = f"coaps://127.0.0.1:{server.ports['coaps']}"
    client = Client("urn:dev:os:else", uri, tmp_path, "--identity", "someone", "--key", "05")
    client.event("started")
    until(lambda: "answered 4.03" in client.errors.read_text(), "a Register that is refused")
    assert client("registered") is False
    client("quit")
    client.event("closed")
    assert client.end() == 0
