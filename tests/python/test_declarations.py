# SPDX-License-Identifier: Apache-2.0
"""What is wrong in a class is said when the class is made; what is wrong in a value, when it is assigned."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

import anjay_cffi as lwm2m

from .peer import FORMAT, GET, PUT, Peer, number

if TYPE_CHECKING:
    from somewhere import Unknown  # type: ignore[import-not-found]

Make = Callable[..., lwm2m.Client]
TEXT = [(FORMAT, number(0))]


def declare(**body: Any) -> type[lwm2m.Object]:
    return type("Wrong", (lwm2m.Object,), body, oid=4010)


async def coroutine(self: Any, *_: Any) -> int:
    return 1


async def async_generator(self: Any, *_: Any) -> Any:
    yield 1


def generator(self: Any, *_: Any) -> Iterator[int]:
    yield 1


class AsyncCall:
    async def __call__(self, *_: Any) -> int:
        return 1


@pytest.mark.parametrize("function", [coroutine, async_generator, generator, AsyncCall()])
@pytest.mark.parametrize(
    "use",
    [
        lwm2m.resource(1),
        lwm2m.execute(1),
        lwm2m.validates("x"),
        lwm2m.stores("x"),
    ],
)
def test_handlers_answer_at_once(use: Callable[[Any], Any], function: Any) -> None:
    with pytest.raises(lwm2m.ConfigurationError, match=r"async|generator"):
        use(function)


@pytest.mark.parametrize("function", [coroutine, generator, AsyncCall(), 5])
def test_callbacks_answer_at_once(function: Any) -> None:
    with lwm2m.Client("urn:dev:os:1") as client:
        for call in (
            lambda: client.every(1, function),
            lambda: client.call_later(1, function),
            lambda: client.on_status(function),
            lambda: lwm2m.Configuration(on_status=function),
            lambda: lwm2m.Configuration(on_communication_error=function),
            lambda: lwm2m.Configuration(on_notification_status=function),
        ):
            with pytest.raises(lwm2m.ConfigurationError):
                call()
        assert not client._jobs
        if callable(function):
            names = ("stream_open", "stream_write", "stream_finish", "reset", "perform_upgrade")
            with pytest.raises(lwm2m.ConfigurationError, match=r"stream_open\(\) is"):
                client.firmware_update.install(type("F", (), dict.fromkeys(names, function))())


@pytest.mark.parametrize(
    ("use", "function"),
    [
        (lwm2m.resource(1), lambda: 1),
        (lwm2m.resource(1), lambda self, more: 1),
        (lwm2m.resource(1), property(lambda self: 1)),
        (lwm2m.execute(1), lambda: 1),
        (lwm2m.execute(1), lambda self, a, b: 1),
        (lwm2m.validates("x"), lambda self: 1),
        (lwm2m.stores("x"), lambda self: 1),
    ],
)
def test_methods_take_what_they_are_given(use: Callable[[Any], Any], function: Any) -> None:
    with pytest.raises(lwm2m.ConfigurationError, match="must"):
        use(function)


@pytest.mark.parametrize(
    ("message", "body"),
    [
        ("of that name", {"reset": lwm2m.execute(5)(lambda self: None)}),
        ("of that name", {"iid": lwm2m.resource(5, default=1)}),
        ("of that name", {"version": lwm2m.resource(5, default="1")}),
        ("without property", {"x": property(lwm2m.resource(5)(lambda self: 1))}),  # type: ignore[arg-type]
        ("default does not fit", {"x": lwm2m.resource(5, default="1", type=int)}),
        ("default does not fit", {"x": lwm2m.resource(5, default=2**63)}),
        ("default does not fit", {"x": lwm2m.resource(5, default="abc", type=list[str])}),
        ("a method must store it", {"x": lwm2m.resource(5, "RW", type=int)(lambda self: 1)}),
        (
            "same role",
            {
                "x": lwm2m.resource(5, "RW", default=1),
                "a": lwm2m.validates("x")(lambda self, value: None),
                "b": lwm2m.validates("x")(lambda self, value: None),
            },
        ),
        ("cannot be read", {"x": lwm2m.resource(5, default=1), "__annotations__": {"x": "Missing"}}),
    ],
)
def test_declarations(message: str, body: dict[str, Any]) -> None:
    with pytest.raises(lwm2m.ConfigurationError, match=message):
        declare(**body)


def test_words_of_declarations() -> None:
    with pytest.raises(lwm2m.ConfigurationError, match="names of resources"):
        lwm2m.validates(lambda self, value: None)  # type: ignore[arg-type]
    with pytest.raises(lwm2m.ConfigurationError, match="@execute"):
        lwm2m.resource(5, "E")
    with pytest.raises(lwm2m.ConfigurationError, match=r"like '1\.0'"):
        type("Wrong", (lwm2m.Object,), {}, oid=4010, version="one")
    with pytest.raises(lwm2m.ConfigurationError, match="value already"):
        lwm2m.resource(5, default=1)(lambda self: 1)  # type: ignore[operator]


class Kinds(lwm2m.Object, oid=4011):
    number: int = lwm2m.resource(0, "RW", default=0)
    count: int = lwm2m.resource(1, "RW", default=0, type=lwm2m.Unsigned)
    text: str = lwm2m.resource(2, "RW", default="")
    link: lwm2m.ObjectLink = lwm2m.resource(3, "RW", default=lwm2m.ObjectLink(0, 0))
    moment: datetime | None = lwm2m.resource(4, "RW", default=None)
    names: dict[int, str] = lwm2m.resource(5, "RW", default={})
    odd: Unknown | None = None

    @lwm2m.resource(10)
    def computed(self: Kinds | Unknown) -> int:
        return 1


def test_annotations_of_others_do_not_matter() -> None:
    assert Kinds().computed == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", 2**63),
        ("count", -1),
        ("count", 2**64),
        ("text", "a\0b"),
        ("text", "\ud800"),
        ("link", (1, 2, 3)),
        ("link", lwm2m.ObjectLink(70000, 1)),
        ("link", ("a", 1)),
        ("names", {1: "a\0b"}),
        ("names", {-1: "a"}),
        ("moment", datetime.min.replace(tzinfo=None)),
    ],
)
def test_values_that_cannot_be_sent(name: str, value: Any) -> None:
    kinds = Kinds(moment=datetime(2020, 1, 1, tzinfo=timezone.utc))
    before = getattr(kinds, name)
    with pytest.raises(ValueError, match=name):
        setattr(kinds, name, value)
    assert getattr(kinds, name) == before
    with pytest.raises(ValueError, match=name):
        Kinds(**{name: value})


def test_many_values_cannot_be_changed_in_place() -> None:
    kinds = Kinds(names={1: "a"})
    for change in (
        lambda: kinds.names.update({2: "b"}),
        lambda: kinds.names.pop(1),
        lambda: kinds.names.clear(),
        lambda: kinds.names.setdefault(2, "b"),
        lambda: kinds.names.__delitem__(1),
    ):
        with pytest.raises(TypeError, match="assign a new dict"):
            change()
    kinds.names = {**kinds.names, 2: "b"}
    assert kinds.names == {1: "a", 2: "b"}
    assert type(pickle.loads(pickle.dumps(kinds.names))) is dict


def test_copies_are_not_registered(make: Make) -> None:
    client = make()
    kinds = client.register(Kinds(text="first"))
    for again in (copy.copy(kinds), copy.deepcopy(kinds), pickle.loads(pickle.dumps(kinds))):
        again.text = "second"
        assert again._group is None
        assert kinds.text == "first"
    group = client.register(Other, [Other()])
    for what in (client, group):
        for way in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="cannot be copied or pickled"):
                way(what)
    assert repr(group) == "<Instances of Other /4012: 0>"


class Other(lwm2m.Object, oid=4012):
    x: int = lwm2m.resource(0, "RW", default=0)


class Strict(Other):
    @lwm2m.validates("x")
    def _small(self, value: int) -> Any:
        if value > 5:
            raise ValueError("too large")
        return "a bug" if value == 5 else None


def test_a_subclass_does_not_change_its_base(peer: Peer, make: Make) -> None:
    assert Other._names["x"].check is None
    client = make()
    strict = client.register(Strict())
    client.start_thread()
    peer.registered()
    assert peer.ask(PUT, "/4012/0/0", b"4", TEXT).code == 0x44
    assert peer.ask(PUT, "/4012/0/0", b"6", TEXT).code == 0x80
    assert peer.ask(PUT, "/4012/0/0", b"5", TEXT).code == 0xA0
    assert strict.x == 4
    assert peer.ask(GET, "/4012/0/0").payload == b"4"


def test_register_takes_instances_with_a_class_only(make: Make) -> None:
    with pytest.raises(lwm2m.ConfigurationError, match="goes with a class"):
        make().register(Other(), [Other()])  # type: ignore[call-overload]
