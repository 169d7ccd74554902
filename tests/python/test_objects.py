# SPDX-License-Identifier: Apache-2.0
"""Declarative objects, as a server and as the program see them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

import anjay_cffi as lwm2m
from anjay_cffi import instances

from ..provider import only_on
from .peer import ACCEPT, ACK, DELETE, FORMAT, GET, OBSERVE, POST, PUT, QUERY, Message, Peer, number

Make = Callable[..., lwm2m.Client]
TEXT, LINK, OPAQUE, CBOR, TLV = 0, 40, 42, 60, 11542
CHANGED, CREATED, DELETED, CONTENT = 0x44, 0x41, 0x42, 0x45
BAD_REQUEST, UNAUTHORIZED, NOT_FOUND, NOT_ALLOWED, NOT_ACCEPTABLE = 0x80, 0x81, 0x84, 0x85, 0x86
INTERNAL, UNAVAILABLE = 0xA0, 0xA3


class Kinds(lwm2m.Object, oid=33333, version="1.1", creatable=True):
    text: str | None = lwm2m.resource(0, "RW", default="abc")
    integer: int = lwm2m.resource(1, "RW", default=-7)
    real: float = lwm2m.resource(2, "RW", default=1.5)
    flag: bool = lwm2m.resource(3, "RW", default=True)
    data: bytes = lwm2m.resource(4, "RW", default=b"\0\xff")
    moment: datetime = lwm2m.resource(5, "RW", default=datetime(2020, 1, 1, tzinfo=timezone.utc))
    link: lwm2m.ObjectLink = lwm2m.resource(6, "RW", default=lwm2m.ObjectLink(3, 0))
    unsigned: int = lwm2m.resource(7, "RW", default=2**64 - 1, type=lwm2m.Unsigned)
    many: dict[int, str] = lwm2m.resource(8, "RW", default={1: "a", 9: "b"})
    listed: list[int] = lwm2m.resource(9, "R", default=[5, 6])
    write_only: int = lwm2m.resource(10, "W", default=0)
    absent: str | None = lwm2m.resource(11, "RW", default=None)
    held: int = lwm2m.resource(12, "RW", default=0)

    executed: Any = None
    events: list[str]

    @lwm2m.resource(20, "R")
    def computed(self) -> str:
        """Given by a method."""
        return f"computed {self.iid}"

    @lwm2m.resource(21, "R")
    def failing(self) -> int:
        raise KeyError("a bug")

    @lwm2m.resource(22, "R")
    def unavailable(self) -> int:
        raise lwm2m.ServiceUnavailable("later")

    @lwm2m.resource(23, "R")
    def sometimes(self) -> int | None:
        return None

    @lwm2m.resource(24, "RW")
    def stored(self) -> int:
        return getattr(self, "kept", 0)

    @lwm2m.stores("stored")
    def _store(self, value: int) -> None:
        self.kept = value

    @lwm2m.validates("held", "integer")
    def _small(self, value: int) -> int | None:
        if value > 100:
            raise ValueError("too large")
        return 50 if value == 51 else None

    @lwm2m.execute(30)
    def run(self) -> None:
        self.executed = True

    @lwm2m.execute(31)
    def run_with(self, args: lwm2m.ExecuteArgs) -> None:
        self.executed = args

    @lwm2m.execute(32)
    def run_badly(self) -> None:
        raise lwm2m.Unauthorized("no")

    @lwm2m.execute(33)
    def crash(self) -> None:
        raise ZeroDivisionError

    def validate(self) -> None:
        if self.text == "forbidden":
            raise ValueError("forbidden")

    def committed(self) -> None:
        EVENTS.append(f"committed {self.iid}")

    def deleted(self) -> None:
        EVENTS.append(f"deleted {self.iid}")

    @classmethod
    def create(cls, iid: int) -> Kinds:
        if iid == 13:
            raise lwm2m.MethodNotAllowed("unlucky")
        return cls(iid=iid, text=f"made {iid}")


EVENTS: list[str] = []


class World:
    """A registered client with the object, and its server."""

    def __init__(self, client: lwm2m.Client, peer: Peer, kinds: lwm2m.Instances[Kinds]) -> None:
        self.client, self.peer, self.kinds = client, peer, kinds
        self.first = kinds[0]

    def read(self, path: str, accept: int | None = None) -> Message:
        return self.peer.ask(GET, path, b"", [] if accept is None else [(ACCEPT, number(accept))])

    def write(self, path: str, payload: bytes, format: int = TEXT, code: int = PUT) -> int:
        return self.peer.ask(code, path, payload, [(FORMAT, number(format))]).code


@pytest.fixture
def world(peer: Peer, make: Make) -> Iterator[World]:
    EVENTS.clear()
    client = make()
    kinds = client.register(Kinds, instances=[Kinds(iid=0), Kinds(iid=3, text="three")])
    client.start_thread()
    peer.registered()
    yield World(client, peer, kinds)
    client.close(timeout=0.2)


def test_register_lists_instances_and_version(world: World) -> None:
    assert b"</33333>;ver=1.1,</33333/0>,</33333/3>" in world.peer.registered().payload


@pytest.mark.parametrize(
    ("rid", "payload"),
    [
        (0, b"abc"),
        (1, b"-7"),
        (2, b"1.5"),
        (3, b"1"),
        (4, b"AP8="),
        (5, b"1577836800"),
        (6, b"3:0"),
        (7, b"18446744073709551615"),
        (20, b"computed 0"),
        (24, b"0"),
    ],
)
def test_read(world: World, rid: int, payload: bytes) -> None:
    answer = world.read(f"/33333/0/{rid}", TEXT)
    assert (answer.code, answer.payload) == (CONTENT, payload)


@pytest.mark.parametrize(
    ("rid", "code"),
    [
        (10, NOT_ALLOWED),
        (11, NOT_FOUND),
        (21, INTERNAL),
        (22, UNAVAILABLE),
        (23, NOT_FOUND),
        (30, NOT_ALLOWED),
    ],
)
def test_read_refused(world: World, rid: int, code: int) -> None:
    assert world.read(f"/33333/0/{rid}").code == code


def test_unexpected_exception_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "anjay_cffi"):
        assert world.read("/33333/0/21").code == INTERNAL
    assert any("a bug" in record.message and record.exc_info for record in caplog.records)


@pytest.mark.parametrize(
    ("rid", "payload", "name", "value"),
    [
        (0, "é€😀".encode(), "text", "é€😀"),
        (0, b"", "text", ""),
        (1, b"99", "integer", 99),
        (1, b"51", "integer", 50),
        (2, b"-2.25e3", "real", -2250.0),
        (3, b"0", "flag", False),
        (4, b"AAEC", "data", b"\0\1\2"),
        (5, b"86400", "moment", datetime(1970, 1, 2, tzinfo=timezone.utc)),
        (6, b"65535:65535", "link", lwm2m.ObjectLink(65535, 65535)),
        (7, b"18446744073709551614", "unsigned", 2**64 - 2),
        (10, b"12", "write_only", 12),
        (24, b"8", "kept", 8),
        (12, b"100", "held", 100),
    ],
)
def test_write(world: World, rid: int, payload: bytes, name: str, value: Any) -> None:
    assert world.write(f"/33333/0/{rid}", payload) == CHANGED
    assert getattr(world.first, name) == value
    assert EVENTS == ["committed 0"]


@pytest.mark.parametrize("size", [1, 1022, 1023, 1024, 1025, 3000])
def test_long_texts_and_data(world: World, size: int) -> None:
    text = "€" * size
    assert world.write("/33333/0/0", text.encode()) == CHANGED if size < 1300 else True
    if size < 1300:
        assert world.first.text == text
    data = bytes(range(256)) * (size // 256 + 1)
    assert world.write("/33333/0/4", data, OPAQUE) == CHANGED
    assert world.first.data == data


@pytest.mark.parametrize(
    ("rid", "payload", "code"),
    [
        (1, b"101", BAD_REQUEST),
        (1, b"x", BAD_REQUEST),
        (0, b"\xff\xfe", BAD_REQUEST),
        (0, b"forbidden", BAD_REQUEST),
        (3, b"2", BAD_REQUEST),
        (6, b"1:2:3", BAD_REQUEST),
        (20, b"x", NOT_ALLOWED),
        (9, b"x", NOT_ALLOWED),
        (30, b"x", NOT_ALLOWED),
        (99, b"x", NOT_FOUND),
    ],
)
def test_write_refused_leaves_everything(world: World, rid: int, payload: bytes, code: int) -> None:
    before = list(world.first._values)
    assert world.write(f"/33333/0/{rid}", payload) == code
    assert world.first._values == before
    assert EVENTS == []


def test_write_of_several_is_undone_as_a_whole(world: World) -> None:
    tlv = b"\xc3\x00new" + b"\xc1\x01\x65"  # /0 "new", /1 101
    assert world.write("/33333/0", tlv, TLV, POST) == BAD_REQUEST
    assert (world.first.text, world.first.integer) == ("abc", -7)
    assert world.write("/33333/0", b"\xc3\x00new" + b"\xc1\x01\x05", TLV, POST) == CHANGED
    assert (world.first.text, world.first.integer) == ("new", 5)
    assert world.first.real == 1.5


def test_replace_gives_defaults(world: World) -> None:
    world.first.integer, world.first.real = 1, 2.0
    assert world.write("/33333/0", b"\xc1\x01\x05", TLV) == CHANGED
    assert (world.first.integer, world.first.real, world.first.text) == (5, 1.5, "abc")


def test_multiple_instances(world: World) -> None:
    assert world.read("/33333/0/8/9").payload == b"b"
    assert world.read("/33333/0/8/2").code == NOT_FOUND
    assert world.read("/33333/0/9", TLV).payload == b"\x86\x09\x41\x00\x05\x41\x01\x06"
    assert world.write("/33333/0/8/9", b"new") == CHANGED
    assert world.first.many == {1: "a", 9: "new"}
    assert world.write("/33333/0/8", b"\x84\x08\x42\x05xy", TLV) == CHANGED
    assert world.first.many == {5: "xy"}
    with pytest.raises(TypeError):
        world.first.many = {0: 5}  # type: ignore[dict-item]
    world.first.many = {}
    assert world.read("/33333/0/8", TLV).code == CONTENT


@pytest.mark.parametrize(
    ("payload", "format"),
    [
        pytest.param(
            b'[{"n":"/33333/0/8/2","vs":"x"},{"n":"/33333/0/1","v":5},{"n":"/33333/0/8/4","vs":"y"}]',
            110,
            marks=only_on("vendored", "of records apart the real library keeps the last"),
        ),
        (b"\x86\x08\x41\x02x\x41\x04y\xc1\x01\x05", TLV),
    ],
)
def test_replace_leaves_no_default_elements(world: World, payload: bytes, format: int) -> None:
    assert world.write("/33333/0", payload, format) == CHANGED
    assert (world.first.many, world.first.integer) == ({2: "x", 4: "y"}, 5)
    # a partial update merges
    assert world.write("/33333/0", payload.replace(b"x", b"z"), format, POST) == CHANGED
    world.first.many = {1: "a", 2: "b"}
    assert world.write("/33333/0", payload, format, POST) == CHANGED
    assert world.first.many == {1: "a", 2: "x", 4: "y"}


@only_on("vendored", "the real library has no partial update of a multiple-instance Resource")
@pytest.mark.parametrize(
    ("payload", "format"),
    [(b'[{"n":"/33333/0/8/2","vs":"x"},{"n":"/33333/0/8/9","vs":"y"}]', 110), (b"\x41\x02x\x41\x09y", TLV)],
)
def test_partial_update_of_many(world: World, payload: bytes, format: int) -> None:
    assert world.write("/33333/0/8", payload, format, POST) == CHANGED
    assert world.first.many == {1: "a", 2: "x", 9: "y"}
    assert world.write("/33333/0/8", payload[:-1], format, POST) == BAD_REQUEST
    assert world.write("/33333/0/8", b"text", TEXT, POST) == NOT_ALLOWED
    assert world.write("/33333/0/9", payload.replace(b"/8", b"/9"), format, POST) == NOT_ALLOWED
    assert world.write("/33333/0/0", payload.replace(b"/8", b"/0"), format, POST) == NOT_ALLOWED
    assert world.first.many == {1: "a", 2: "x", 9: "y"}


def test_many_values_are_not_changed_in_place(world: World) -> None:
    with pytest.raises(TypeError, match="assign a new dict"):
        world.first.many[1] = "lost"
    assert world.first.many[1] == "a"


def test_execute(world: World) -> None:
    assert world.peer.ask(POST, "/33333/0/30").code == CHANGED
    assert world.first.executed is True
    assert world.peer.ask(POST, "/33333/0/31", b"0='x',3,9='long" + b"y" * 1100 + b"'").code == CHANGED
    assert world.first.executed == {0: "x", 3: None, 9: "long" + "y" * 1100}
    assert world.peer.ask(POST, "/33333/0/31").code == CHANGED
    assert world.first.executed == {}
    assert world.peer.ask(POST, "/33333/0/32").code == UNAUTHORIZED
    assert world.peer.ask(POST, "/33333/0/33").code == INTERNAL
    assert world.peer.ask(POST, "/33333/0/0").code == NOT_ALLOWED


@pytest.mark.parametrize("args", [b"x", b"0=", b"0='", b"10", b"0,", b"1='a',1='b'", b"0='a'b"])
def test_execute_with_bad_arguments(world: World, args: bytes) -> None:
    assert world.peer.ask(POST, "/33333/0/31", args).code == BAD_REQUEST
    assert world.first.executed is None


def test_create_and_delete(world: World) -> None:
    assert world.write("/33333", b"\x08\x05\x03\xc1\x01\x05", TLV, POST) == CREATED
    assert world.kinds[5].text == "made 5"
    assert world.kinds[5].integer == 5
    assert world.write("/33333", b"", TLV, POST) == CREATED
    assert sorted(i.iid for i in world.kinds) == [0, 1, 3, 5]
    assert world.peer.ask(DELETE, "/33333/3").code == DELETED
    assert 3 not in world.kinds
    assert world.peer.ask(DELETE, "/33333/3").code == NOT_FOUND
    assert EVENTS == ["committed 5", "committed 1", "deleted 3"]


def test_create_refused_leaves_nothing(world: World) -> None:
    assert world.write("/33333", b"\x08\x05\x03\xc1\x01\x65", TLV, POST) == BAD_REQUEST
    assert world.write("/33333", b"\x08\x0d\x03\xc1\x01\x05", TLV, POST) == NOT_ALLOWED
    assert world.write("/33333", b"\x08\x03\x03\xc1\x01\x05", TLV, POST) == BAD_REQUEST
    assert [i.iid for i in world.kinds] == [0, 3]
    assert EVENTS == []


def test_discover(world: World) -> None:
    links = world.read("/33333/0", LINK).payload.decode()
    assert "</33333/0/8>;dim=2" in links
    assert "</33333/0/30>" in links
    assert "/11>" not in links
    world.first.absent = "here"
    assert "</33333/0/11>" in world.read("/33333/0", LINK).payload.decode()
    world.first.absent = None
    assert "/11>" not in world.read("/33333/0", LINK).payload.decode()


def observed(world: World, path: str, token: bytes) -> Callable[[], list[bytes]]:
    """Observe; returns what gives the payloads of the notifications so far."""
    first = world.peer.ask(GET, path, b"", [(OBSERVE, b"")])
    assert first.get(OBSERVE)
    return lambda: [m.payload for m in world.peer.replies if m.token == first.token and m is not first]


def test_assignment_notifies(world: World) -> None:
    seen = observed(world, "/33333/0/0", b"o")
    world.first.text = "one"
    world.peer.wait(lambda: seen() == [b"one"])
    world.first.text = "two"
    world.peer.wait(lambda: seen() == [b"one", b"two"])


def test_notify_of_a_method(world: World) -> None:
    seen = observed(world, "/33333/0/24", b"o")
    world.first.kept = 5
    world.first.notify("stored")
    world.peer.wait(lambda: seen() == [b"5"])
    with pytest.raises(lwm2m.ConfigurationError):
        world.first.notify("nothing")


def test_notify_of_all_instances(peer: Peer, make: Make) -> None:
    class Probe(lwm2m.Object, oid=4200):
        number = 1

        @lwm2m.resource(0, "R")
        def measured(self) -> int:
            return self.number

        hidden: int = lwm2m.resource(1, "W", default=0)

    client = make()
    probes = client.register(Probe, instances=[Probe(), Probe(iid=7)])
    client.start_thread()
    peer.registered()
    for iid in (0, 7):
        assert peer.ask(GET, f"/4200/{iid}/0", options=[(OBSERVE, b"")]).payload == b"1"

    def told() -> list[bytes]:
        return sorted(m.payload for m in peer.replies if m.type != ACK and m.code == 0x45)

    for round_, names in enumerate((("measured",), ())):
        probes[0].number, probes[7].number = 10 + round_, 20 + round_
        probes.notify(*names)
        expected = [b"%d" % n for r in range(round_ + 1) for n in (10 + r, 20 + r)]
        peer.wait(lambda expected=expected: told() == sorted(expected))
    for name in ("hidden", "nothing"):
        with pytest.raises(lwm2m.ConfigurationError, match=name):
            probes.notify(name)
    client.unregister(Probe)
    probes.notify("measured")  # nobody observes it
    with pytest.raises(lwm2m.ConfigurationError, match="hidden"):
        probes.notify("hidden")
    client.close(timeout=0.2)
    probes.notify()


def test_repeated_notify_of_all_needs_no_python(
    peer: Peer, make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Probe(lwm2m.Object, oid=4200):
        number = 0

        @lwm2m.resource(0, "R")
        def measured(self) -> int:
            self.number += 1
            return self.number

    client = make()
    probes = client.register(Probe, instances=[Probe(), Probe(iid=7)])
    tokens: list[bytes] = []

    def count() -> int:
        return sum(m.token in tokens and m.type != ACK for m in peer.replies)

    def observe(*iids: int) -> None:
        for iid in iids:
            answer = peer.ask(GET, f"/4200/{iid}/0", options=[(OBSERVE, b"")])
            assert answer.code == 0x45
            tokens.append(answer.token)

    def told() -> None:
        before = count()
        peer.wait(lambda: count() >= before + 2)

    def quiet() -> None:
        ran = threading.Semaphore(0)
        marker = client.every(0.01, ran.release)  # as often as the job
        peer.ask(GET, "/1/0/1")  # whatever came before its answer has been counted
        before = count()
        for _ in range(20):
            assert ran.acquire(timeout=10)
        marker.cancel()
        assert count() < before + 5  # some may have been on their way

    job = client.every(0.01, probes.notify, "measured")
    client.start_thread()
    peer.registered()
    with monkeypatch.context() as patch:
        patch.setattr(instances, "_notify_all", None)  # a call of it would be an error in the log
        observe(0, 7)
        told()
        probes.remove(0)
        probes.add(Probe(iid=3))
        observe(3)
        told()
    job.cancel()

    last = probes[3]
    single = client.every(0.01, last.notify, "measured")
    with monkeypatch.context() as patch:
        patch.setattr(instances, "_notify_all", None)
        observe(3)
        told()
    probes.remove(last)
    probes.add(Probe(iid=3))
    observe(3)
    quiet()  # it is another one
    probes.remove(3)
    probes.add(last)
    observe(3)
    told()
    single.cancel()

    job = client.every(0.01, probes.notify, "measured")
    client.unregister(Probe)
    renewed = client.register(Probe, instances=[Probe(iid=3)])
    observe(3)
    watch = client.every(0.01, renewed.notify, "measured")
    told()
    watch.cancel()
    quiet()  # the job is of the former object
    assert job.active
    job.cancel()
    peer.wait(lambda: not client._jobs)
    assert not [r for r in caplog.records if r.name == "anjay_cffi"]  # of our own
    client.close(timeout=0.2)


def test_repeated_notify_follows_the_instance(
    peer: Peer, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    class Probe(lwm2m.Object, oid=4200):
        number = 0

        @lwm2m.resource(0, "R")
        def measured(self) -> int:
            self.number += 1
            return self.number

        name: str = lwm2m.resource(1, "R", default="n")

    client = make()
    probe, early = Probe(iid=3), Probe(iid=4)
    waiting = client.every(0.01, early.notify, "measured")  # not registered yet
    probes = client.register(Probe, instances=[probe])
    jobs = [
        client.every(0.01, probe.notify, "measured"),
        client.every(0.01, probes.notify, "measured", "name"),
    ]
    for call in (probe.notify, probes.notify):
        with pytest.raises(lwm2m.ConfigurationError, match="nothing"):
            client.every(1.0, call, "nothing")
    client.start_thread()
    peer.registered()

    def told(iid: int) -> None:
        answer = peer.ask(GET, f"/4200/{iid}/0", options=[(OBSERVE, b"")])
        assert answer.code == 0x45
        token, before = answer.token, len(peer.replies)
        peer.wait(lambda: sum(m.token == token for m in peer.replies[before:]) >= 2)
        peer.ask(GET, f"/4200/{iid}/0", options=[(OBSERVE, b"\1")])

    told(3)
    jobs.pop().cancel()
    told(3)  # the other job does it alone
    probes.remove(probe)
    probes.add(early)
    told(4)
    again = Probe(iid=9)
    client.unregister(Probe)
    renewed = client.register(Probe, instances=[again])
    assert renewed.add(probe) is probe
    told(3)  # the instance has another group now
    waiting.cancel()
    jobs.pop().cancel()
    assert not [r for r in caplog.records if r.levelname == "ERROR" and r.name == "anjay_cffi"]


def test_add_and_remove_by_the_program(world: World) -> None:
    new = world.kinds.add(Kinds(text="new"))
    assert new.iid == 1
    assert new in world.kinds
    assert world.read("/33333/1/0").payload == b"new"
    with pytest.raises(lwm2m.AnjayError):
        world.kinds.add(new)
    with pytest.raises(lwm2m.ConfigurationError):
        world.kinds.add(Kinds(iid=1))
    with pytest.raises(TypeError):
        world.kinds.add("x")  # type: ignore[arg-type]
    assert world.kinds.remove(new) is new
    assert world.read("/33333/1/0").code == NOT_FOUND
    with pytest.raises(KeyError):
        world.kinds.remove(1)
    assert len(world.kinds) == 2


def test_changes_from_many_threads(world: World) -> None:
    def change(start: int) -> None:
        for i in range(50):
            instance = world.kinds.add(Kinds(iid=start + i))
            instance.text = str(i)
            world.kinds.remove(instance)

    threads = [threading.Thread(target=change, args=(base,)) for base in (100, 200, 300)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert world.read("/33333", TLV).code in (CONTENT, NOT_FOUND, INTERNAL)
        assert world.write("/33333/0/0", b"x") == CHANGED
    for thread in threads:
        thread.join()
    assert [i.iid for i in world.kinds] == [0, 3]


def test_attributes(world: World) -> None:
    assert world.peer.ask(PUT, "/33333/0/1", b"", [(QUERY, b"pmin=1"), (QUERY, b"gt=5")]).code == CHANGED
    assert "</33333/0/1>;pmin=1;gt=5" in world.read("/33333/0/1", LINK).payload.decode()


def test_single_instance(peer: Peer, make: Make) -> None:
    class Named(lwm2m.Object, oid=4000):
        name: str = lwm2m.resource(0, "R", default="n")

    client = make()
    named = client.register(Named(name="x"))
    client.start_thread()
    peer.registered()
    assert peer.ask(GET, "/4000/0/0").payload == b"x"
    assert peer.ask(POST, "/4000", b"", [(FORMAT, number(TLV))]).code == NOT_ALLOWED
    assert peer.ask(DELETE, "/4000/0").code == NOT_ALLOWED
    assert peer.ask(PUT, "/4000/0/0", b"y", [(FORMAT, b"")]).code == NOT_ALLOWED
    with pytest.raises(lwm2m.ConfigurationError):
        client.register(Named())
    client.unregister(named)
    assert peer.ask(GET, "/4000/0/0").code == NOT_FOUND
    with pytest.raises(lwm2m.ConfigurationError):
        client.unregister(named)
    assert client.register(named) is named
    assert peer.ask(GET, "/4000/0/0").payload == b"x"


def test_keyboard_interrupt_in_a_handler_ends_the_loop(peer: Peer, make: Make) -> None:
    class Interrupting(lwm2m.Object, oid=4001):
        @lwm2m.resource(0, "R")
        def value(self) -> int:
            raise KeyboardInterrupt

    client = make()
    client.register(Interrupting())
    codes: list[int] = []

    def ask() -> None:
        peer.registered()
        codes.append(peer.ask(GET, "/4001/0/0").code)

    asker = threading.Thread(target=ask)
    asker.start()
    with pytest.raises(KeyboardInterrupt):
        client.run(timeout=20)
    asker.join()
    assert codes == [INTERNAL]


def test_after_close(make: Make) -> None:
    client = make()
    kinds = client.register(Kinds, instances=[Kinds()])
    client.close(timeout=0.1)
    kinds[0].text = "still works"
    assert kinds[0].text == "still works"
    with pytest.raises(lwm2m.ClosedError):
        client.register(Kinds)


def test_wrong_declarations() -> None:
    for message, body in {
        "twice": {"a": lwm2m.resource(0, default=1), "b": lwm2m.resource(0, default=2)},
        "no type": {"a": lwm2m.resource(0)},
        "none of": {"a": lwm2m.resource(0, default={1, 2})},
        "servers may write": {"f": lwm2m.validates("x")(lambda self, value: None)},
    }.items():
        with pytest.raises(lwm2m.ConfigurationError, match=message):
            type("Wrong", (lwm2m.Object,), body, oid=4002)
    with pytest.raises(lwm2m.ConfigurationError):
        lwm2m.resource(65535)
    with pytest.raises(lwm2m.ConfigurationError):
        lwm2m.resource(0, "RX")
    with pytest.raises(lwm2m.ConfigurationError):
        type("Wrong", (lwm2m.Object,), {}, oid=65535)


def test_wrong_values() -> None:
    kinds = Kinds()
    with pytest.raises(TypeError):
        kinds.integer = "x"  # type: ignore[assignment]
    with pytest.raises(TypeError):
        kinds.integer = True
    with pytest.raises(TypeError):
        Kinds(text=5)
    with pytest.raises(lwm2m.ConfigurationError):
        Kinds(nothing=5)
    with pytest.raises(lwm2m.ConfigurationError):
        Kinds(iid=65535)
    with pytest.raises(AttributeError):
        kinds.computed = "x"  # type: ignore[misc]
    kinds.notify("text")  # not registered: nobody observes it
    for name in ("nothing", "write_only", "run"):
        with pytest.raises(lwm2m.ConfigurationError, match=name):
            kinds.notify(name)
    assert kinds.computed == "computed None"
    assert Kinds.text is not None


def test_subclass_replaces_a_resource(peer: Peer, make: Make) -> None:
    class Base(lwm2m.Object, oid=4003):
        name: str = lwm2m.resource(0, "R", default="base")

    class Derived(Base):
        name: str = lwm2m.resource(0, "R", default="derived")
        more: int = lwm2m.resource(1, "R", default=1)

    client = make()
    client.register(Derived())
    client.start_thread()
    peer.registered()
    assert peer.ask(GET, "/4003/0/0").payload == b"derived"
    assert Base().name == "base"


class Several(lwm2m.Object, oid=33334):
    """Resources with instances that servers may remove."""

    plain: dict[int, int] = lwm2m.resource(0, "RW", default={0: 10, 2: 12})
    read_only: dict[int, int] = lwm2m.resource(1, "R", default={0: 1})
    single: int = lwm2m.resource(2, "RW", default=1)

    @lwm2m.resource(3, "RW")
    def kept(self) -> dict[int, str]:
        return self.elsewhere

    @lwm2m.stores("kept")
    def _store(self, value: dict[int, str]) -> None:
        self.elsewhere = value

    def __init__(self) -> None:
        super().__init__()
        self.elsewhere = {0: "a", 1: "b"}
        self.refuse = False

    def validate(self) -> None:
        if self.refuse:
            raise lwm2m.BadRequest("not now")

    def committed(self) -> None:
        EVENTS.append(f"committed {sorted(self.plain)}")


@pytest.mark.skipif(
    "ANJAY_HAS_LWM2M12_LAYOUT" not in lwm2m.build_info().features,
    reason="the provider's objects have no handler for it (LwM2M 1.2)",
)
def test_delete_a_resource_instance(make: Callable[..., lwm2m.Client], peer: Peer) -> None:
    client = make()
    several = client.register(Several())
    client.start_thread()
    peer.wait(lambda: client.registered)
    EVENTS.clear()
    assert peer.ask(DELETE, "/33334/0/0/0").code == DELETED
    assert several.plain == {2: 12}
    assert EVENTS == ["committed [2]"]
    assert peer.ask(DELETE, "/33334/0/0/0").code == NOT_FOUND
    assert peer.ask(DELETE, "/33334/0/3/1").code == DELETED
    assert several.elsewhere == {0: "a"}
    assert peer.ask(DELETE, "/33334/0/1/0").code == NOT_ALLOWED
    assert peer.ask(DELETE, "/33334/0/2/0").code == NOT_FOUND
    several.refuse = True
    assert peer.ask(DELETE, "/33334/0/0/2").code == BAD_REQUEST
    assert several.plain == {2: 12}
    several.refuse = False
    assert peer.ask(DELETE, "/33334/0/0/2").code == DELETED
    assert several.plain == {}
