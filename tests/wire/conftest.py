# SPDX-License-Identifier: Apache-2.0
"""A client in this process and a scripted server; at the end the client is registered, and leaves nothing."""

from __future__ import annotations

import gc
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiocoap", reason="the extra [devserver] is not installed")

import anjay_cffi as lwm2m

from ..provider import only_on
from ..python.conftest import nothing_left  # noqa: F401 (a fixture for every test here)
from ..python.peer import GET
from .dtls import DtlsServer
from .server import CONTENT, TICK, Server

ONLY_VENDORED: dict[str, list[str]] = json.loads(
    (Path(__file__).parents[1] / "interop/differences/wire.json").read_text()
)
"""Tests, or some of their parameters, that the real library cannot pass, by the reason, which is in
docs/differences.md. With RUN_ALL in the environment they run all the same, to see which still fail."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent != Path(__file__).parent or "RUN_ALL" in os.environ:
            continue
        function = f"{item.path.name}::{getattr(item, 'originalname', '')}"
        for reason, names in ONLY_VENDORED.items():
            if function in names or f"{item.path.name}::{item.name}" in names:
                item.add_marker(only_on("vendored", reason))


ENDPOINT = "urn:dev:os:wire"
FAST = lwm2m.UdpTxParams(ack_timeout=1.0, ack_random_factor=1.0, max_retransmit=1)
"""The shortest that the library takes: a retransmission after 1 s, given up after 3 s."""
GIVEN_UP = 3.0
RETRY = 1
"""Seconds of the Communication Retry Timer here."""
SLACK = 1.0
"""Seconds by which a busy machine may be late."""


class Thing(lwm2m.Object, oid=33000):
    text: str = lwm2m.resource(0, "RW", default="abc")
    blob: bytes = lwm2m.resource(1, "RW", default=b"")
    number: int = lwm2m.resource(2, "RW", default=0)
    other: int = lwm2m.resource(3, "RW", default=0)
    executed = 0

    @lwm2m.execute(10)
    def run(self) -> None:
        self.executed += 1


class Firmware:
    def __init__(self) -> None:
        self.data = b""
        self.opened = self.finished = self.resets = 0

    def stream_open(self, uri: str | None, etag: bytes | None) -> None:
        self.opened += 1
        self.data = b""

    def stream_write(self, data: memoryview) -> None:
        self.data += data

    def stream_finish(self) -> None:
        self.finished += 1

    def reset(self) -> None:
        self.resets += 1

    def perform_upgrade(self) -> None:
        raise NotImplementedError


class Device:
    """The client and what it runs."""

    def __init__(self, client: lwm2m.Client, server: Server, thing: Thing, firmware: Firmware) -> None:
        self.client, self.server, self.thing, self.firmware = client, server, thing, firmware
        self.statuses: list[Any] = []
        self._changed = threading.Condition()
        client.on_status(self._on_status)

    def _on_status(self, _ssid: int, status: Any) -> None:
        with self._changed:
            self.statuses.append(status)
            self._changed.notify_all()

    def wait_status(self, status: Any, count: int = 1, timeout: float = 10.0) -> None:
        end = self.server.now + timeout
        with self._changed:
            while self.statuses.count(status) < count:
                assert self.server.now < end, self.statuses
                self._changed.wait(TICK)

    def update(self) -> None:
        """Send Update."""
        self.client.update_registration()

    def healthy(self, within: float) -> None:
        """Registered within so many seconds, and it answers."""
        self.server.wait_registered(within)
        assert self.server.ask(GET, "/33000/0/0").code == CONTENT


Start = Callable[..., Device]


@pytest.fixture(scope="session", autouse=True)
def few_objects_to_look_at() -> None:
    """Each test ends with a collection: what is loaded by now need not be looked through every time."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as new:
        yield new


@pytest.fixture
def dtls_server() -> Iterator[DtlsServer]:
    new = DtlsServer()
    with new:
        yield new


@pytest.fixture(params=["nosec", "psk"])
def any_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with DtlsServer() if request.param == "psk" else Server() as new:
        yield new


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a client in a thread of its own; at the end each is well, and no lifetime passed unrenewed."""
    devices: list[Device] = []

    def begin(
        server: Server,
        *,
        uri: str | None = None,
        psk: tuple[str, str] = ("identity", "P4s$w0rd"),
        lifetime: int = 60,
        params: lwm2m.UdpTxParams | None = FAST,
        register: bool = True,
        retries: dict[str, Any] | None = None,
        **fields: Any,
    ) -> Device:
        if server.secure:
            # else the real library leaves a server alone that it could not connect to
            fields.setdefault("connection_error_is_registration_failure", True)
            fields.setdefault("dtls_handshake_timeouts", lwm2m.DtlsHandshakeTimeouts(min=1.0, max=2.0))
        client = lwm2m.Client(ENDPOINT, udp_tx_params=params, **fields)
        firmware = Firmware()
        things = client.register(Thing())
        device = Device(client, server, things, firmware)
        devices.append(device)
        client.firmware_update.install(firmware)
        security = lwm2m.SecurityInstance(
            ssid=1, server_uri=uri or server.uri, psk=psk if server.secure else None
        )
        client.security.add(security)
        client.server.add(
            lwm2m.ServerInstance(
                ssid=1,
                lifetime=lifetime,
                **{"communication_retry_timer": RETRY, "communication_retry_count": 100, **(retries or {})},
            )
        )
        client.start_thread()
        if register:
            server.wait_registered()
            device.wait_status(lwm2m.ServerStatus.REGISTERED)
        return device

    begin.devices = devices  # type: ignore[attr-defined]
    yield begin
    try:
        for device in devices:
            device.healthy(SLACK)
            assert device.server.lapses_expected or not device.server.lapses
    finally:
        for device in devices:
            device.client.close(timeout=1.0)
