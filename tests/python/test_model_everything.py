# SPDX-License-Identifier: Apache-2.0
"""Every operation in every format against the model of test_model.py, with faults in the middle."""

from __future__ import annotations

import json
from typing import Any

import cbor2
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import rule

import anjay_cffi as lwm2m

from .peer import ACCEPT, BLOCK1, DELETE, FETCH, FORMAT, GET, OBSERVE, POST, PUT, QUERY, number
from .test_model import (
    CBOR,
    IIDS,
    LINK,
    OID,
    OPAQUE,
    SENML_CBOR,
    SENML_JSON,
    TEXT,
    TEXTS,
    TLV,
    VALUES,
    Server,
    integer,
    tlv,
)

IPATCH = 7
Item = tuple[str, Any]
"""What is written: a kind of record and its value."""


def records(items: list[Item], format: int, base: str, tail: bytes = b"") -> bytes:
    """A payload that writes items of an instance."""
    if format == TLV:
        return b"".join(_tlv_record(kind, value) for kind, value in items) + tail
    senml: list[dict[Any, Any]] = []
    json_, labels = format == SENML_JSON, {"n": 0, "v": 2, "vs": 3, "vb": 4, "bn": -2}
    for kind, value in items:
        name = {"integer": "0", "text": "1", "fixed": "3", "mistyped": "0", "unknown": "9", "outside": "77/0"}
        path = f"2/{value[0]}" if kind == "many" else name[kind]
        value = value[1] if kind == "many" else value
        senml.append({"n": path, "vs" if isinstance(value, str) else "v": value})
    if senml:
        senml[0]["bn"] = f"{base}/"
    if json_:
        return json.dumps(senml).encode() + tail
    return cbor2.dumps([{labels[key]: value for key, value in record.items()} for record in senml]) + tail


def _tlv_record(kind: str, value: Any) -> bytes:
    if kind == "many":
        return tlv(2, 2, tlv(1, value[0], integer(value[1])))
    rid = {"integer": 0, "text": 1, "fixed": 3, "mistyped": 0, "unknown": 9, "outside": 77}[kind]
    return tlv(3, rid, value.encode() if isinstance(value, str) else integer(value))


def fine(items: list[Item]) -> bool:
    """Whether the object takes all of them."""
    for kind, value in items:
        if kind in ("fixed", "mistyped", "outside") or (kind == "integer" and value % 2):
            return False
        if kind == "text" and value in ("never", "boom"):
            return False
    return True


ITEMS = st.lists(
    st.tuples(st.just("integer"), VALUES)
    | st.tuples(st.just("text"), TEXTS)
    | st.tuples(st.just("many"), st.tuples(st.integers(0, 9), st.integers(-9, 9)))
    | st.tuples(st.just("fixed"), st.just(1))
    | st.tuples(st.just("mistyped"), st.just("five")),
    min_size=1,
    max_size=4,
    unique_by=lambda item: {"mistyped": "integer"}.get(item[0], item[0]),
)
TAILS = st.sampled_from([b"", b"", b"", b"\xff", b"\xc2", b"]", b"\0"])
ATTRIBUTES = st.sampled_from(
    """pmin=1|pmax=9 pmin=2|pmin|gt=3 lt=1|gt=1 lt=3|st=-1|pmin=1 pmin=2|pmin=-1|nope=1|pmin=1 nope=1|con=1
    con=2|gt=x|pmax=99999999999|st=2 gt""".replace("\n", "|").split("|")
).map(str.split)
ENCODED: list[tuple[int, bytes, int | None]] = [
    (CBOR, b"\x18\x2a", 42),
    (CBOR, b"\x07", None),
    (CBOR, b"\x61a", None),
    (CBOR, b"\x18", None),
    (OPAQUE, b"4", None),
    (TEXT, b"4x", None),
    (TEXT, b"", None),
    (TLV, b"\xc1\x00\x08", 8),
    (TLV, b"\xc1\x00\x08\xc1\x01a", None),
    (TLV, b"\xc1\x01a", None),
    (SENML_JSON, b'[{"v":6}]', None),
    (LINK, b"</1>", None),
    (9999, b"4", None),
]
"""What is written to an integer, and what it then is; None: refused."""
REFUSED: list[tuple[int, str, bytes, int | None]] = [
    (PUT, "/1/0/1", b"-1", TEXT),
    (PUT, "/1/0/1", b"x", TEXT),
    (PUT, "/1/0/0", b"7", TEXT),
    (PUT, "/1/0/7", b"X", TEXT),
    (PUT, "/1/0", b"\xc1\x01\x64\xc1\x00\x09", TLV),
    (POST, "/1/0", b"\xc1\x01\x64\xc1\x07X", TLV),
    (POST, "/1/0", b'[{"n":"/1/0/1","v":100},{"n":"/1/0/6","vs":"x"}]', SENML_JSON),
    (POST, "/1", b"\xc1\x01\x64", TLV),
    (PUT, "/0/0/0", b"coap://a", TEXT),
    (DELETE, "/0/0", b"", None),
    (POST, "/1/0/1", b"", None),
    (GET, "/1/0/8", b"", None),
    (FETCH, "", b"[", SENML_JSON),
    (POST, "/5/0/2", b"", None),
    (PUT, "/5/0/3", b"1", TEXT),
    (PUT, "/5/0/0", b"x", 9999),
    (DELETE, "/5/0", b"", None),
]


class Everything(Server):
    """What a server may also do."""

    @rule(
        iid=IIDS,
        items=ITEMS,
        tail=TAILS,
        replace=st.booleans(),
        format=st.sampled_from([TLV, SENML_JSON, SENML_CBOR]),
    )
    def write_records(self, iid: int, items: list[Item], tail: bytes, replace: bool, format: int) -> None:
        payload = records(items, format, f"/{OID}/{iid}", tail)
        answer = self.ask(PUT if replace else POST, f"/{OID}/{iid}", payload, format)
        self.expect(
            answer, iid in self.model and fine(items) and not tail, lambda: self.take(iid, items, replace)
        )

    def take(self, iid: int, items: list[Item], replace: bool) -> None:
        """What a Write of items makes of the model."""
        values: dict[str, Any] = {"integer": 0, "text": "", "many": {}} if replace else {}
        for kind, value in items:
            if kind == "many":
                old = {} if replace else self.model[iid][2]
                values["many"] = old | {value[0]: value[1]}
            else:
                values[kind] = value
        self.put(iid, **values)

    @rule(iid=st.integers(0, 6), items=ITEMS, tail=TAILS, format=st.sampled_from([SENML_JSON, SENML_CBOR]))
    def create_from_records(self, iid: int, items: list[Item], tail: bytes, format: int) -> None:
        payload = records(items, format, f"/{OID}/{iid}", tail)
        answer = self.ask(POST, f"/{OID}", payload, format)
        good = iid not in self.model and iid != 5 and fine(items) and not tail

        def made() -> None:
            self.model[iid] = (0, "", {})
            self.take(iid, items, True)

        self.expect(answer, good, made)

    @rule(iid=IIDS, encoded=st.sampled_from(ENCODED))
    def write_encoded(self, iid: int, encoded: tuple[int, bytes, int | None]) -> None:
        format, payload, value = encoded
        answer = self.ask(PUT, f"/{OID}/{iid}/0", payload, format)
        self.expect(answer, iid in self.model and value is not None, lambda: self.put(iid, integer=value))

    @rule(
        writes=st.lists(st.tuples(IIDS, VALUES), min_size=1, max_size=3, unique_by=lambda write: write[0]),
        lifetime=st.sampled_from([None, 500, 700, 0, -5]),
        first=st.booleans(),
        extra=st.sampled_from([None, None, None, f"/{OID}/0/3", "/9999/0/0", "/0/0/0", "/1/0/0", f"/{OID}"]),
        json_=st.booleans(),
    )
    def write_composite(
        self, writes: list[tuple[int, int]], lifetime: int | None, first: bool, extra: str | None, json_: bool
    ) -> None:
        entries: list[tuple[str, Any]] = [(f"/{OID}/{iid}/0", value) for iid, value in writes]
        if lifetime is not None:
            entries.insert(0 if first else len(entries), ("/1/0/1", lifetime))
        if extra is not None:
            entries.append((extra, 1))
        keys: tuple[Any, Any] = ("n", "v") if json_ else (0, 2)
        senml = [dict(zip(keys, entry, strict=True)) for entry in entries]
        payload = json.dumps(senml).encode() if json_ else cbor2.dumps(senml)
        answer = self.ask(IPATCH, "", payload, SENML_JSON if json_ else SENML_CBOR)
        good = all(iid in self.model and value % 2 == 0 for iid, value in writes)

        def change() -> None:
            for iid, value in writes:
                self.put(iid, integer=value)
            self.lifetime = self.lifetime if lifetime is None else lifetime

        self.expect(answer, good and extra is None and (lifetime is None or lifetime >= 0), change)

    @rule(
        iid=IIDS,
        faulty=st.sampled_from([None, "gap", "short", "end", "twice"]),
        text=st.sampled_from(["y" * 40, "never", "z" * 33]),
    )
    def write_in_blocks(self, iid: int, faulty: str | None, text: str) -> None:
        pieces = [text.encode()[at : at + 16] for at in range(0, len(text), 16)]
        code = 0
        for i, piece in enumerate(pieces):
            more = i + 1 < len(pieces)
            if faulty == "end" and not more:
                return  # never completed: nothing may come of it
            if faulty == "gap" and i == 1:
                continue
            if faulty == "short" and more and i == 1:
                piece = piece[:-1]
            block = number(i << 4 | more << 3)
            for _ in range(2 if faulty == "twice" and i == 0 else 1):
                answer = self.peer.ask(PUT, f"/{OID}/{iid}/1", piece, [(FORMAT, b""), (BLOCK1, block)])
            code = answer.code
            if code >= 0x80:
                break
        good = iid in self.model and text != "never" and (faulty in (None, "twice") or len(pieces) == 1)
        self.expect(answer, good, lambda: self.put(iid, text=text))

    @rule(
        path=st.sampled_from([f"/{OID}", f"/{OID}/0", f"/{OID}/0/0", f"/{OID}/0/9", f"/{OID}/8", "/1/0"]),
        attributes=ATTRIBUTES,
    )
    def write_attributes(self, path: str, attributes: list[str]) -> None:
        before = self.discover()
        answer = self.peer.ask(PUT, path, b"", [(QUERY, attribute.encode()) for attribute in attributes])
        if answer.code >= 0x80:
            assert self.discover() == before

    def discover(self) -> list[bytes]:
        return [
            self.peer.ask(GET, path, b"", [(ACCEPT, number(LINK))]).payload
            for path in (f"/{OID}", f"/{OID}/0/0", "/1/0")
        ]

    @rule(
        iid=IIDS,
        rid=st.sampled_from([0, 4, 9]),
        accept=st.sampled_from([TEXT, SENML_JSON, 9999]),
        value=st.integers(0, 50),
    )
    def observe(self, iid: int, rid: int, accept: int, value: int) -> None:
        options = [(OBSERVE, b""), (ACCEPT, number(accept))]
        answer = self.peer.ask(GET, f"/{OID}/{iid}/{rid}", b"", options)
        good = iid in self.model and rid == 0 and accept != 9999
        assert (answer.code == 0x45) == good
        if not good and 0 in self.model:
            assert not answer.get(OBSERVE)
            seen = len(self.peer.replies)
            self.things[0].integer = 2 * value + 100
            self.put(0, integer=2 * value + 100)
            self.ask(GET, "/1/0/1")
            assert all(reply.token != answer.token for reply in self.peer.replies[seen:])
        self.peer.ask(GET, f"/{OID}/{iid}/{rid}", b"", [(OBSERVE, b"\x01"), (ACCEPT, b"")])

    @rule(request=st.sampled_from(REFUSED))
    def ask_the_librarys_objects(self, request: tuple[int, str, bytes, int | None]) -> None:
        """Refused, each of them; lwm2m_state() sees to it that nothing has changed."""
        before = self.lwm2m_state()
        code, path, payload, format = request
        assert self.ask(code, path, payload, format).code >= 0x80
        assert self.lwm2m_state() == before

    def lwm2m_state(self) -> list[bytes]:
        return [
            self.peer.ask(GET, path, b"", [(ACCEPT, number(TLV))]).payload for path in ("/1", "/5", "/1/0")
        ]

    @rule(value=st.sampled_from([300, 900, -1, 0]))
    def write_lifetime(self, value: int) -> None:
        answer = self.ask(PUT, "/1/0/1", str(value).encode(), TEXT)
        self.expect(answer, value >= 0, lambda: setattr(self, "lifetime", value))

    @rule()
    def read_lifetime(self) -> None:
        assert self.peer.ask(GET, "/1/0/1", b"", [(ACCEPT, b"")]).payload == str(self.lifetime).encode()


@pytest.mark.skipif(
    lwm2m.build_info().provider == "system",
    reason="the real library accepts some of these, and answers others with 5.03: docs/differences.md",
)
class TestEverything(Everything.TestCase):  # type: ignore[misc,name-defined]
    settings = settings(
        max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
    )
