# SPDX-License-Identifier: Apache-2.0
"""libcoap's coap-client in the place of the server, over NoSec: requests, blocks and observations."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cbor2
import pytest

from ..provider import VENDORED
from . import libcoap
from .lines import CLIENT, Client, until
from .values import FIRST, LONG, OTHER

TEXT, LINK, OPAQUE, CBOR, SENML_JSON, SENML_CBOR, TLV = 0, 40, 42, 60, 110, 112, 11542


class World:
    """A client, the coap-server where it is registered, and coap-client."""

    def __init__(self, server: libcoap.Server, client: Client, requests: libcoap.Requests) -> None:
        self.server, self.client, self.requests = server, client, requests
        self.ask = requests.ask

    def get(self, path: str, accept: int, *options: str) -> bytes:
        answer = self.ask("get", path, None, *options, accept=accept)
        assert answer.code == "2.05", answer.log
        return answer.payload

    def put(self, path: str, payload: bytes, format: int, *options: str) -> None:
        answer = self.ask("put", path, payload, *options, format=format)
        assert answer.code == "2.04", answer.log


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    tool, command = libcoap.program("coap-client"), libcoap.program("coap-server")
    state = tmp_path / "state"
    state.mkdir()
    with libcoap.running(command, tmp_path, "-d", "10") as server:
        client = Client("urn:dev:os:libcoap", server.uri(False), state)
        try:
            port = server.client_port()
            until(lambda: client("registered"), "a client that knows that it is registered")
            yield World(server, client, libcoap.Requests(tool, tmp_path, server.port, port))
            client("quit")
            client.event("closed")
            assert client.end() == 0
        finally:
            client.end()
        server.wait(r"c:DELETE i:\w+ \{\w+\} \[ Uri-Path:rd \]")


# --- formats ------------------------------------------------------------------------------------------------

AS_TEXT = {
    0: b"text",
    1: b"-42",
    2: b"1.5",
    3: b"1",
    4: b"AAECAwQFBgc=",
    5: b"3:0",
    6: b"9223372036854775808",
}


def senml(value: Any) -> dict[str, Any]:
    key = "vb" if isinstance(value, bool) else "vs" if isinstance(value, str) else "v"
    return {key: value}


def test_read_values(world: World) -> None:
    for rid, text in AS_TEXT.items():
        assert world.get(f"/33333/0/{rid}", TEXT) == text
    for rid in (0, 1, 2, 3, 4, 5, 6, 7):
        assert cbor2.loads(world.get(f"/33333/0/{rid}", CBOR)) == FIRST[rid]
    for rid in (0, 1, 2, 3, 6, 7):
        found = json.loads(world.get(f"/33333/0/{rid}", SENML_JSON))
        assert found == [{"bn": f"/33333/0/{rid}", **senml(FIRST[rid])}]
    assert world.get("/33333/0/4", OPAQUE) == FIRST[4]
    assert world.get("/33333/0/1", TLV) == b"\xc1\x01\xd6"


def test_read_instance(world: World) -> None:
    found = {}
    for record in json.loads(world.get("/33333/0", SENML_JSON)):
        base = record.get("bn", "/33333/0")
        found[base + record["n"]] = record.get("v", record.get("vs"))
    assert found["/33333/0/1"] == -42 and found["/33333/0/11"] == LONG and found["/33333/0/8/3"] == -300
    labels = {
        name: value
        for record in cbor2.loads(world.get("/33333/0", SENML_CBOR))
        for name, value in record.items()
    }
    assert labels
    assert LONG.encode() in world.get("/33333/0", TLV)


def test_write_values(world: World) -> None:
    for rid, text in {
        0: "Grüße".encode(),
        1: b"7",
        2: b"-2.5e-300",
        3: b"0",
        4: b"AQI=",
        5: b"5:6",
        7: b"9",
    }.items():
        world.put(f"/33333/0/{rid}", text, TEXT)
    names = ("text", "integer", "real", "flag", "data", "link", "time")
    values = ["Grüße", 7, -2.5e-300, False, b"\1\2", (5, 6), 9]
    assert [world.client("get", 0, name) for name in names] == values
    for rid, name in ((0, "text"), (1, "integer"), (2, "real"), (3, "flag"), (4, "data"), (6, "unsigned")):
        world.put(f"/33333/1/{rid}", cbor2.dumps(OTHER[rid]), CBOR)
        assert world.client("get", 1, name) == OTHER[rid]
    world.put("/33333/0/4", bytes(range(256)), OPAQUE)
    assert world.client("get", 0, "data") == bytes(range(256))


def test_times_as_cbor(world: World) -> None:
    """A number, a number with tag 1, and text with tag 0 as LwM2M Core 1.1, table C-2, has it."""
    for payload, seconds in (
        (cbor2.dumps(1363896241), 1363896241),
        (cbor2.dumps(cbor2.CBORTag(1, 1363896242)), 1363896242),
        *([(cbor2.dumps(cbor2.CBORTag(0, "2013-03-21T20:04:03Z")), 1363896243)] if VENDORED else []),
    ):
        world.put("/33333/0/7", payload, CBOR)
        assert world.client("get", 0, "time") == seconds
    refused = cbor2.dumps(cbor2.CBORTag(0, "2013-03-21T20:04:00.5Z"))
    assert world.ask("put", "/33333/0/7", refused, format=CBOR).code == "4.00"
    assert world.client("get", 0, "time") == seconds


def test_write_instance(world: World) -> None:
    records: list[dict[Any, Any]] = [
        {"bn": "/33333/0/", "n": "0", "vs": "new"},
        {"n": "1", "v": 5},
        {"n": "8/7", "v": 70},
    ]
    answer = world.ask("post", "/33333/0", json.dumps(records).encode(), format=SENML_JSON)
    assert answer.code == "2.04"
    assert world.client("get", 0, "numbers") == {0: 10, 3: -300, 7: 70}
    labels = {"bn": -2, "n": 0, "v": 2, "vs": 3}
    packed = cbor2.dumps([{labels[name]: value for name, value in each.items()} for each in records])
    world.put("/33333/0", packed, SENML_CBOR)
    assert world.client("get", 0, "numbers") == {7: 70} and world.client("get", 0, "text") == "new"
    world.put("/33333/0", b"\xc4\x00last", TLV)
    assert world.client("get", 0, "text") == "last" and world.client("get", 0, "integer") == FIRST[1]


def test_composite(world: World) -> None:
    paths = json.dumps([{"n": "/33333/0/0"}, {"n": "/33333/1/1"}]).encode()
    answer = world.ask("fetch", "/", paths, accept=SENML_JSON, format=SENML_JSON)
    assert answer.code == "2.05", answer.log
    assert b'"text"' in answer.payload and b"-42" in answer.payload
    values = json.dumps([{"n": "/33333/0/0", "vs": "a"}, {"n": "/33333/1/1", "v": 8}]).encode()
    assert world.ask("ipatch", "/", values, format=SENML_JSON).code == "2.04"
    assert world.client("get", 0, "text") == "a" and world.client("get", 1, "integer") == 8


# --- operations ---------------------------------------------------------------------------------------------


def test_execute_create_delete(world: World) -> None:
    assert world.ask("post", "/33333/0/15").code == "2.04"
    assert world.ask("post", "/33333/0/15", b"0='a',1", format=TEXT).code == "2.04"
    assert world.client("get", 0, "arguments") == repr({0: "a", 1: None})
    answer = world.ask("post", "/33333", b"\x08\x05\x05\xc3\x00new", format=TLV)
    assert answer.code == "2.01" and "Location-Path:33333, Location-Path:5" in answer.options
    assert world.client("instances") == [0, 1, 5] and world.client("get", 5, "text") == "new"
    assert world.ask("delete", "/33333/5").code == "2.02"
    assert world.client("instances") == [0, 1]


def test_discover_and_attributes(world: World) -> None:
    answer = world.ask("put", "/33333/0/1", query="pmin=2&gt=7.5")
    assert answer.code == "2.04"
    links = world.get("/33333/0", LINK).decode().split(",")
    assert links[0] == "</33333/0>" and "</33333/0/1>;pmin=2;gt=7.5" in links
    assert "</33333/0/8>;dim=2" in links


def test_refused(world: World) -> None:
    for method, path, code in (
        ("get", "/33333/9", "4.04"),
        ("get", "/33333/0/12", "4.05"),
        ("get", "/0/0/0", "4.01"),
        ("put", "/33333/0/14", "4.05"),
        ("delete", "/33333", "4.05"),
        ("patch", "/33333", "4.02|4.05"),
        ("post", "/33333/0/0", "4.05"),
    ):
        payload = b"x" if method == "put" else None
        answer = world.ask(method, path, payload, format=TEXT if payload else None)
        assert answer.code in code.split("|"), answer.log
    assert world.ask("get", "/33333/0", accept=TEXT).code == "4.06"
    assert world.ask("put", "/33333/0/0", b"x", format=9999).code == "4.15"
    # an option that is critical and unknown
    assert world.ask("get", "/33333/0/0", None, "-O", "65001,x").code == "4.02"


def test_non_confirmable(world: World) -> None:
    assert world.ask("get", "/33333/0/0", None, "-N", accept=TEXT).payload == b"text"


# --- blocks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [16, 32, 64, 128, 256, 512, 1024])
def test_blocks(world: World, size: int) -> None:
    answer = world.ask("get", "/33333/0/11", None, "-b", str(size), accept=TEXT)
    assert answer.payload == LONG.encode()
    assert len(answer.codes) == -(-len(LONG) // size)
    text = LONG[::-1][: 40 * size - 7]
    answer = world.ask("put", "/33333/0/11", text.encode(), "-b", str(size), format=TEXT)
    assert answer.codes == ["2.31"] * (-(-len(text) // size) - 1) + ["2.04"]
    assert world.client("get", 0, "large") == text


def test_blocks_both_ways_in_one_exchange(world: World) -> None:
    paths = [{"n": f"/33333/{iid}/{rid}"} for iid in (0, 1) for rid in (0, 1, 2, 3, 8, 9, 11)]
    answer = world.ask(
        "fetch", "/", json.dumps(paths).encode(), "-b", "64", accept=SENML_JSON, format=SENML_JSON
    )
    assert answer.code == "2.05", answer.log
    assert answer.payload.count(LONG.encode()) == 2 and json.loads(answer.payload)


@pytest.mark.parametrize("lost", ["1", "5,9"])
def test_blocks_with_losses(world: World, lost: str) -> None:
    """coap-client does not send what it should have: it repeats that after ACK_TIMEOUT."""
    text = LONG[:700]
    answer = world.ask("put", "/33333/0/11", text.encode(), "-b", "64", "-l", lost, format=TEXT)
    assert answer.codes[-1] == "2.04" and world.client("get", 0, "large") == text
    answer = world.ask("get", "/33333/0/11", None, "-b", "64", "-l", lost, accept=TEXT)
    assert answer.payload == text.encode()


# --- observation --------------------------------------------------------------------------------------------


class Observer:
    """coap-client that observes until it is told to end."""

    def __init__(self, world: World, path: str, folder: Path, *options: str) -> None:
        self._log = folder / "observer.log"
        command = world.requests.arguments("get", path, "-s", "60", *options)
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )

    def seen(self) -> list[tuple[str, str]]:
        return libcoap.responses(self._log.read_text(errors="replace"))

    def wait(self, times: int) -> None:
        until(
            lambda: len(self.seen()) >= times, f"{times} answers in {self._log.read_text(errors='replace')}"
        )

    def text(self) -> str:
        return self._log.read_text(errors="replace")

    def end(self) -> None:
        """Without a word: it cancels its observation only when its time is over."""
        self._process.kill()
        self._process.wait(10)


def test_observe(world: World, tmp_path: Path) -> None:
    observer = Observer(world, "/33333/0/1", tmp_path, "-A", "0")
    try:
        observer.wait(1)
        assert "Observe:" in observer.seen()[0][1]
        for number, value in enumerate((100, 200, 300)):
            world.client("set", 0, "integer", value)
            observer.wait(number + 2)
            assert f"'{value}'" in observer.text()
        assert all("Observe:" in options for _, options in observer.seen())
    finally:
        observer.end()


@pytest.mark.parametrize("size", [64, 1024])
def test_observe_in_blocks(world: World, tmp_path: Path, size: int) -> None:
    """The rest of a notification is fetched by requests of its own (RFC 7959, 2.6)."""
    body = tmp_path / "body"
    observer = Observer(world, "/33333/0/11", tmp_path, "-A", "0", "-b", str(size), "-o", str(body))
    blocks = -(-len(LONG) // size)
    try:
        observer.wait(blocks)
        world.client("set", 0, "large", LONG[::-1])
        observer.wait(2 * blocks)
        until(lambda: body.read_bytes().endswith(LONG[::-1].encode()), "the new text")
    finally:
        observer.end()


def test_observe_and_cancel(world: World) -> None:
    """coap-client cancels after a second."""
    answer = world.ask("get", "/33333/0/1", None, "-s", "1", accept=TEXT)
    assert answer.code == "2.05" and "Observe:1," in answer.log
    world.get("/33333/0/1", TEXT)  # what was sent before has been served when this is answered
    for value in range(5):
        world.client("set", 0, "integer", value)
        assert world.get("/33333/0/1", TEXT) == str(value).encode()
    assert world.server.count(libcoap.RECEIVED + r"\nv:1 t:(?:NON|CON) c:2\.05") == 0


# --- firmware -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [128, 1024])
def test_firmware(world: World, tmp_path: Path, size: int) -> None:
    start = (
        f"#!{sys.executable}\nimport os, sys\n"
        f"os.execv(sys.executable, [sys.executable, {str(CLIENT)!r}, *sys.argv[1:], '--updated'])\n#"
    ).encode()
    image = start + bytes(range(32, 127)) * 400 + b"\n"
    answer = world.ask("put", "/5/0/0", image, "-b", str(size), format=OPAQUE)
    assert answer.codes == ["2.31"] * (-(-len(image) // size) - 1) + ["2.04"]
    assert world.client.event("downloaded")[2] == len(image)
    assert (world.get("/5/0/3", TEXT), world.get("/5/0/5", TEXT)) == (b"2", b"0")
    assert (tmp_path / "state" / "image").read_bytes() == image
    before = world.server.count(libcoap.REGISTERED)
    # started anew, it does not know the client, whose new Register would get a 2.04 otherwise
    world.server.stop()
    assert world.server.start()
    assert world.ask("post", "/5/0/2").code == "2.04"
    world.server.wait(libcoap.REGISTERED, before + 1)
    started = world.client.event("started")
    assert started[3] or world.client.event("started")[3]
    until(lambda: world.client("registered"), "a new client that knows that it is registered")
    world.requests.client_port = world.server.client_port()
    assert (world.get("/5/0/3", TEXT), world.get("/5/0/5", TEXT)) == (b"0", b"1")
