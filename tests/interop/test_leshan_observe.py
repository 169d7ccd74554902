# SPDX-License-Identifier: Apache-2.0
"""Leshan writes attributes and observes."""

from __future__ import annotations

import time

import pytest

from .pairs import Pair, links_of
from .values import FIRST, HIERARCHICAL, node


def test_attributes(own: Pair) -> None:
    assert own.ask("attributes", "/33333/0", query="pmin=2&pmax=60")["code"] == "CHANGED"
    assert own.ask("attributes", "/33333/0/1", query="gt=100&lt=-100.5&st=2")["code"] == "CHANGED"
    links = links_of(own.ask("discover", "/33333/0"))
    assert links["/33333/0"] == {"pmin": "2", "pmax": "60"}
    assert {k: float(v) for k, v in links["/33333/0/1"].items()} == {"gt": 100, "lt": -100.5, "st": 2}
    assert own.ask("attributes", "/33333/0/1", query="gt&st")["code"] == "CHANGED"
    links = links_of(own.ask("discover", "/33333/0/1"))
    assert {k: float(v) for k, v in links["/33333/0/1"].items()} == {"pmin": 2, "pmax": 60, "lt": -100.5}
    assert own.ask("attributes", "/33333/9", query="pmin=2")["code"] == "NOT_FOUND"


@pytest.mark.parametrize("name", ["TEXT", "CBOR", *HIERARCHICAL])
def test_observe_resource(pair: Pair, name: str) -> None:
    pair.fresh()
    answer = pair.ask("observe", "/33333/0/1", format=name)
    assert answer["code"] == "CONTENT" and answer["format"] == name and "observe" in answer
    assert answer["content"] == node(1, -42)
    order = answer["observe"]
    for value in (1, 2, 3):
        pair.client("set", 0, "integer", value)
        told = pair.notification("/33333/0/1")
        assert told["content"] == node(1, value) and told["format"] == name
        assert told["observe"] > order
        order = told["observe"]
    assert pair.ask("cancel", "/33333/0/1")["code"] == "CONTENT"
    pair.client("set", 0, "integer", 4)
    assert pair.read("/33333/0/1", "TEXT")["value"] == 4
    assert not pair.unasked("notification", "observation-error")


@pytest.mark.parametrize("name", HIERARCHICAL)
def test_observe_instance(pair: Pair, name: str) -> None:
    """With 5,000 characters of text in it, so that notifications go block by block."""
    pair.fresh()
    answer = pair.ask("observe", "/33333/0", format=name)
    values = dict(FIRST)
    assert answer["content"] == {"id": 0, "resources": [node(rid, value) for rid, value in values.items()]}
    pair.client("set", 0, "text", "changed")
    values[0] = "changed"
    told = pair.notification("/33333/0")
    assert told["content"] == {"id": 0, "resources": [node(rid, value) for rid, value in values.items()]}
    assert pair.ask("cancel", "/33333/0")["code"] == "CONTENT"


def test_observation_forgotten(pair: Pair) -> None:
    """A server that forgot answers a notification with Reset, and gets no more."""
    pair.fresh()
    pair.ask("observe", "/33333/0/1", format="TEXT")
    assert pair.ask("forget", "/33333/0/1")["count"] == 1
    for value in range(5):
        pair.client("set", 0, "integer", value)
        assert pair.read("/33333/0/1", "TEXT")["value"] == value
    assert not pair.unasked("notification", "observation-error")


def test_observe_with_periods(own: Pair) -> None:
    assert own.ask("attributes", "/33333/0/1", query="pmin=1&pmax=3")["code"] == "CHANGED"
    own.ask("observe", "/33333/0/1", format="TEXT")
    begin = time.monotonic()
    for value in range(20):
        own.client("set", 0, "integer", value)
    assert own.notification("/33333/0/1")["content"]["value"] == 19
    first = time.monotonic()
    assert first - begin > 0.7
    assert own.notification("/33333/0/1")["content"]["value"] == 19
    assert time.monotonic() - first > 2


def test_observe_with_thresholds(own: Pair) -> None:
    assert own.ask("attributes", "/33333/0/2", query="pmin=0&gt=10&lt=0")["code"] == "CHANGED"
    own.ask("observe", "/33333/0/2", format="SENML_CBOR")
    for value in (5.0, 9.5, 11.0, 12.0, 3.0, -1.0):
        own.client("set", 0, "real", value)
        own.read("/33333/0/2", "TEXT")
    seen = [own.notification("/33333/0/2")["content"]["value"] for _ in range(3)]
    assert seen == [11.0, 3.0, -1.0]
    assert not own.unasked("notification", "observation-error")


def test_observe_goes_on_after_update(own: Pair) -> None:
    own.ask("observe", "/33333/0/0", format="TEXT")
    own.client("update")
    own.event("updated")
    own.client("set", 0, "text", "still")
    assert own.notification("/33333/0/0")["content"]["value"] == "still"
