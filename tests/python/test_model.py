# SPDX-License-Identifier: Apache-2.0
"""Operations of a server in any order against a model: a refused request changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import anjay_cffi as lwm2m

from .peer import ACCEPT, DELETE, FORMAT, GET, POST, PUT, Message, Peer, number

TEXT, LINK, OPAQUE, CBOR, SENML_JSON, SENML_CBOR, TLV = 0, 40, 42, 60, 110, 112, 11542
OID = 33444


class Thing(lwm2m.Object, oid=OID, creatable=True):
    integer: int = lwm2m.resource(0, "RW", default=0)
    text: str = lwm2m.resource(1, "RW", default="")
    many: dict[int, int] = lwm2m.resource(2, "RW", default={})
    fixed: int = lwm2m.resource(3, "R", default=7)

    @lwm2m.validates("integer")
    def _even(self, value: int) -> None:
        if value % 2:
            raise ValueError("odd")

    @lwm2m.validates("text")
    def _whole(self, value: str) -> None:
        if value == "boom":
            self.integer = 12  # half of the work, which must not stay
            raise RuntimeError(value)

    @classmethod
    def create(cls, iid: int) -> Thing:
        if iid == 5:
            raise RuntimeError("no five")
        return cls(iid=iid)

    def committed(self) -> None:
        if self.text == "late":
            raise RuntimeError("too late to refuse anything")

    @lwm2m.execute(4)
    def double(self, args: lwm2m.ExecuteArgs) -> None:
        if 0 in args:
            raise lwm2m.ServiceUnavailable("not now")
        self.integer = self.integer * 2 % 1000

    def validate(self) -> None:
        if self.text == "never":
            raise ValueError("never")


class Firmware:
    """Never gets as far as a package."""

    def stream_open(self, uri: str | None, etag: bytes | None) -> None: ...
    def stream_write(self, data: memoryview) -> None: ...
    def stream_finish(self) -> None: ...
    def reset(self) -> None: ...
    def perform_upgrade(self) -> None: ...


def tlv(kind: int, identifier: int, value: bytes) -> bytes:
    """One TLV record with an identifier of one byte or two."""
    long = identifier > 255
    size = len(value)
    head = kind << 6 | long << 5
    if size < 8:
        return bytes([head | size]) + identifier.to_bytes(1 + long, "big") + value
    return bytes([head | 8]) + identifier.to_bytes(1 + long, "big") + bytes([size]) + value


def integer(value: int) -> bytes:
    for size in (1, 2, 4, 8):
        if -(1 << (8 * size - 1)) <= value < 1 << (8 * size - 1):
            return value.to_bytes(size, "big", signed=True)
    raise ValueError(value)


IIDS = st.integers(0, 4)
VALUES = st.integers(-(2**40), 2**40) | st.integers(-4, 4)
TEXTS = st.sampled_from(["", "a", "é€", "never", "boom", "late", "x" * 60])
GARBAGE = st.binary(max_size=40)
FORMATS = st.sampled_from([TEXT, OPAQUE, CBOR, SENML_JSON, SENML_CBOR, TLV, 9999])
State = dict[int, tuple[int, str, dict[int, int]]]


class Server(RuleBasedStateMachine):
    """Each rule knows what must come of it; ``state()`` looks at the program's objects."""

    peer: Peer
    client: lwm2m.Client
    things: lwm2m.Instances[Thing]
    model: State
    lifetime: int

    @initialize()
    def begin(self) -> None:
        self.peer = Peer()
        self.client = lwm2m.Client("urn:dev:os:model")
        self.client.security.add(lwm2m.SecurityInstance(ssid=1, server_uri=self.peer.uri))
        self.client.server.add(lwm2m.ServerInstance(ssid=1, lifetime=600))
        self.client.firmware_update.install(Firmware())
        self.things = self.client.register(Thing, instances=[Thing(iid=0), Thing(iid=1, text="one")])
        self.model = {0: (0, "", {}), 1: (0, "one", {})}
        self.lifetime = 600
        self.client.start_thread()
        self.peer.registered()

    def teardown(self) -> None:
        if hasattr(self, "client"):
            self.client.close(timeout=0.2)
            self.peer.__exit__()

    def state(self) -> State:
        return {thing.iid or 0: (thing.integer, thing.text, thing.many) for thing in self.things}

    def ask(self, code: int, path: str, payload: bytes = b"", format: int | None = None) -> Message:
        options = [] if format is None else [(FORMAT, number(format))]
        return self.peer.ask(code, path, payload, options)

    def expect(self, answer: Message, good: bool, change: Callable[[], Any]) -> None:
        assert (answer.code >> 5 == 2) == good, f"{answer.code >> 5}.{answer.code & 31:02}"
        if good:
            change()

    def put(self, iid: int, **values: Any) -> None:
        old = dict(zip(("integer", "text", "many"), self.model[iid], strict=True))
        new = old | values
        self.model[iid] = (new["integer"], new["text"], new["many"])

    # --- what a server does ---------------------------------------------------------------------------------

    @rule(iid=IIDS, value=VALUES)
    def write_integer(self, iid: int, value: int) -> None:
        answer = self.ask(PUT, f"/{OID}/{iid}/0", str(value).encode(), TEXT)
        self.expect(answer, iid in self.model and value % 2 == 0, lambda: self.put(iid, integer=value))

    @rule(iid=IIDS, value=TEXTS)
    def write_text(self, iid: int, value: str) -> None:
        answer = self.ask(PUT, f"/{OID}/{iid}/1", value.encode(), TEXT)
        good = iid in self.model and value not in ("never", "boom")
        self.expect(answer, good, lambda: self.put(iid, text=value))

    @rule(
        iid=IIDS,
        value=VALUES,
        text=TEXTS,
        replace=st.booleans(),
        extra=st.sampled_from([b"", b"\xc1\x03\x05", b"\xff", b"\xc2"]),
    )
    def write_both(self, iid: int, value: int, text: str, replace: bool, extra: bytes) -> None:
        payload = tlv(3, 0, integer(value)) + tlv(3, 1, text.encode()) + extra
        answer = self.ask(PUT if replace else POST, f"/{OID}/{iid}", payload, TLV)
        good = iid in self.model and value % 2 == 0 and text not in ("never", "boom") and not extra
        cleared: dict[str, Any] = {"many": {}} if replace else {}
        self.expect(answer, good, lambda: self.put(iid, integer=value, text=text, **cleared))

    @rule(iid=IIDS, elements=st.dictionaries(st.integers(0, 9), st.integers(-9, 9), max_size=3))
    def write_many(self, iid: int, elements: dict[int, int]) -> None:
        body = b"".join(tlv(1, riid, integer(value)) for riid, value in elements.items())
        answer = self.ask(PUT, f"/{OID}/{iid}/2", tlv(2, 2, body), TLV)
        self.expect(answer, iid in self.model, lambda: self.put(iid, many=elements))

    @rule(iid=st.integers(0, 6), value=VALUES)
    def create(self, iid: int, value: int) -> None:
        answer = self.ask(POST, f"/{OID}", tlv(0, iid, tlv(3, 0, integer(value))), TLV)
        good = iid not in self.model and value % 2 == 0 and iid != 5
        self.expect(answer, good, lambda: self.model.update({iid: (value, "", {})}))

    @rule(iid=st.integers(0, 6))
    def delete(self, iid: int) -> None:
        self.expect(self.ask(DELETE, f"/{OID}/{iid}"), iid in self.model, lambda: self.model.pop(iid))

    @rule(iid=IIDS, args=st.sampled_from([b"", b"1='x'", b"0", b"bad"]))
    def execute(self, iid: int, args: bytes) -> None:
        answer = self.ask(POST, f"/{OID}/{iid}/4", args)
        good = iid in self.model and args in (b"", b"1='x'")
        self.expect(answer, good, lambda: self.put(iid, integer=self.model[iid][0] * 2 % 1000))

    @rule(
        code=st.sampled_from([PUT, POST]),
        path=st.sampled_from(
            [f"/{OID}/0/3", f"/{OID}/0/9", f"/{OID}/0/0/1", f"/{OID}/9", "/9999/0", f"/{OID}/0/2/1/1"]
        ),
        payload=GARBAGE,
        format=FORMATS,
    )
    def write_where_it_may_not(self, code: int, path: str, payload: bytes, format: int) -> None:
        assert self.ask(code, path, payload, format).code >= 0x80

    @rule(
        code=st.sampled_from([PUT, POST]),
        payload=GARBAGE,
        format=FORMATS,
        rest=st.sampled_from(["", "/0", "/0/0", "/0/1", "/0/2"]),
    )
    def write_garbage(self, code: int, payload: bytes, format: int, rest: str) -> None:
        before = self.state()
        answer = self.ask(code, f"/{OID}{rest}", payload, format)
        if answer.code >= 0x80:
            assert self.state() == before
        self.model = self.state()  # it may have made sense

    @rule(data=st.binary(max_size=30))
    def send_no_message(self, data: bytes) -> None:
        assert self.peer.client is not None
        self.peer.socket.sendto(b"\x40" + data, self.peer.client)
        self.ask(GET, "/1/0/1")  # whatever that was has been dealt with
        self.model = self.state() if self.state() != self.model else self.model

    @rule(iid=IIDS)
    def read(self, iid: int) -> None:
        answer = self.peer.ask(GET, f"/{OID}/{iid}/0", b"", [(ACCEPT, b"")])
        if iid in self.model:
            assert answer.payload == str(self.model[iid][0]).encode()
        else:
            assert answer.code == 0x84

    @invariant()
    def as_the_model_says(self) -> None:
        if hasattr(self, "model"):
            assert self.state() == self.model


class TestServer(Server.TestCase):  # type: ignore[misc,name-defined]
    settings = settings(
        max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
    )
