# SPDX-License-Identifier: Apache-2.0
"""The server takes what clients send unasked: SenML CBOR and JSON, with times; anything else is refused."""

from __future__ import annotations

import asyncio
import io
import json
import time
from typing import Any

import cbor2
import pytest

import anjay_cffi as lwm2m
from anjay_cffi.devserver import DevServerError, ObjectLink, PayloadError, values
from anjay_cffi.devserver.codec import Code, Message, message

from .test_devserver import Wire, register, wire
from .tutorial import play, server

NOW = 1e9
"""Stands for times that count from now."""


@pytest.mark.parametrize(
    ("records", "found"),
    [
        ([], []),
        ([{"bn": "/3/0/1", "v": 5}], [("/3/0/1", 5, None)]),
        (
            [
                {"bn": "/3/0", "bt": 1.7e9, "n": "/1", "v": 5},
                {"n": "/2", "vs": "x"},
                {"bt": 1.7e9 + 1, "n": "/1", "vb": True},
            ],
            [("/3/0/1", 5, 1.7e9), ("/3/0/2", "x", 1.7e9), ("/3/0/1", True, 1.7e9 + 1)],
        ),
        ([{"n": "/3/0/1/7", "bt": 1.7e9, "t": 2, "v": 0.5}], [("/3/0/1/7", 0.5, 1.7e9 + 2)]),
        ([{"n": "/3/0/1", "t": -10, "vlo": "5:6"}], [("/3/0/1", ObjectLink(5, 6), NOW - 10)]),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_records(
    monkeypatch: pytest.MonkeyPatch, records: list[dict[str, Any]], found: list[Any], as_json: bool
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW)
    labels = {"bn": -2, "bt": -3, "n": 0, "v": 2, "vs": 3, "vb": 4, "t": 6, "vd": 8}
    if as_json:
        payload = json.dumps(records).encode()
    else:
        payload = cbor2.dumps([{labels.get(key, key): value for key, value in r.items()} for r in records])
    decoded = values.decode_send(payload, values.SENML_JSON if as_json else values.SENML_CBOR)
    assert list(decoded) == found


@pytest.mark.parametrize(
    ("payload", "content_format"),
    [
        (b"x", values.SENML_CBOR),
        (b"", values.SENML_CBOR),
        (b"\x80\x00", values.SENML_CBOR),
        (b"\x05", values.SENML_CBOR),
        (b"[{", values.SENML_JSON),
        (b'[{"n":"/3/0","v":1}]', values.SENML_JSON),
        (b'[{"n":"/3/0/1/2/3","v":1}]', values.SENML_JSON),
        (b'[{"v":1}]', values.SENML_JSON),
        (b'[{"n":"/3/0/1","v":1,"t":"x"}]', values.SENML_JSON),
        (b'[{"n":5,"v":1}]', values.SENML_JSON),
        (b"1", values.TEXT),
        (b"\x80", None),
    ],
)
def test_bad_payloads(payload: bytes, content_format: int | None) -> None:
    with pytest.raises(PayloadError):
        values.decode_send(payload, content_format)


def test_a_raw_client() -> None:
    async def story() -> None:
        async with server() as dev, wire(dev) as client:
            send = message(Code.POST, cbor2.dumps([{-2: "/3/0/1", 2: 5}]), "/dp", content_format=112)
            assert (await client.ask(send)).code == Code.NOT_FOUND  # whoever is not registered
            await client.ask(register())
            device = dev.devices["a"]
            assert (await client.ask(send)).code == Code.CHANGED
            assert (
                await client.ask(message(Code.POST, b"x", "/dp", content_format=112))
            ).code == Code.BAD_REQUEST
            assert (
                await client.ask(message(Code.POST, b"1", "/dp", content_format=0))
            ).code == Code.BAD_REQUEST
            assert [sent.values for sent in device.sent] == [{"/3/0/1": 5}]
            assert (await client.ask(message(Code.GET, path="/dp"))).code == Code.NOT_FOUND
            gone = message(Code.DELETE, path=device.location)
            dev.start(leave(client, gone))
            with pytest.raises(DevServerError, match="not registered"):
                await device.next_send(timeout=10)

    async def leave(client: Wire, gone: Message) -> None:
        await client.ask(gone)

    play(story)


class Meter(lwm2m.Object, oid=3331):
    total: float = lwm2m.resource(5805, "R", default=12.5)


@pytest.mark.skipif("ANJAY_WITH_SEND" not in lwm2m.build_info().features, reason="no Send in this build")
def test_a_client_of_this_package() -> None:
    from rich.console import Console

    from anjay_cffi.devserver.shell import Shell

    async def story() -> None:
        async with server() as dev:
            output = io.StringIO()
            shell = Shell(dev, Console(file=output, width=200))
            dev.listen(shell._on_event)
            with lwm2m.Client("meter") as client:
                client.security.add(lwm2m.SecurityInstance(ssid=1, server_uri=dev.uri))
                client.server.add(lwm2m.ServerInstance(ssid=1, lifetime=60))
                meter = client.register(Meter())
                client.start_thread()
                device = await dev.registered("meter")
                while not client.registered:  # which it is after the server's last event
                    await asyncio.sleep(0.01)
                sending = client.send([meter.path("total"), lwm2m.Sample("/3331/0/1", "old", at=1.7e9)])
                sent = await device.next_send()
                await sending
                assert sent.values == {"/3331/0/5805": 12.5, "/3331/0/1": "old"}
                times = [at for _, _, at in sent.records]
                assert times[0] == pytest.approx(time.time(), abs=10) and times[1] == 1.7e9
                assert device.sends == 1 and list(device.sent) == [sent]
                await client.send(lwm2m.Sample("/3331/0/1", "q" * 3000))  # in blocks
                assert device.sent[-1].values == {"/3331/0/1": "q" * 3000}
                await shell.line("sent 2")
                assert "send         meter /3331/0/5805=12.5 @" in output.getvalue()
                assert output.getvalue().count("/3331/0/1='old' @1700000000") == 2
                await asyncio.to_thread(client.close)  # the server answers De-register meanwhile

    play(story)
