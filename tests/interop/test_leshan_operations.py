# SPDX-License-Identifier: Apache-2.0
"""Leshan executes, creates, deletes and discovers."""

from __future__ import annotations

import pytest

from .pairs import Pair, links_of
from .values import HIERARCHICAL, OTHER, RESOURCES, node


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        (None, {}),
        ("2", {2: None}),
        ("0='10.3'", {0: "10.3"}),
        ("7,0='https://www.oma.org'", {7: None, 0: "https://www.oma.org"}),
        ("0,1,2,3='three',9=''", {0: None, 1: None, 2: None, 3: "three", 9: ""}),
    ],
)
def test_execute(pair: Pair, text: str | None, arguments: dict[int, str | None]) -> None:
    pair.fresh()
    extra = {} if text is None else {"args": text}
    assert pair.ask("execute", "/33333/0/15", **extra)["code"] == "CHANGED"
    assert pair.client("get", 0, "arguments") == repr(arguments)


def test_execute_refused(pair: Pair) -> None:
    pair.fresh()
    assert pair.ask("execute", "/33333/0/0")["code"] == "METHOD_NOT_ALLOWED"
    assert pair.ask("execute", "/33333/9/15")["code"] == "NOT_FOUND"
    assert pair.ask("execute", "/5/0/2")["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("name", HIERARCHICAL)
def test_create_and_delete(pair: Pair, name: str) -> None:
    pair.fresh()
    some = [node(rid, OTHER[rid]) for rid in (0, 1, 9)]
    answer = pair.ask("create", "/33333", format=name, instance={"id": 5, "resources": some})
    assert answer["code"] == "CREATED", answer
    assert pair.client("instances") == [0, 1, 5]
    assert pair.client("get", 5, "integer") == OTHER[1] and pair.client("get", 5, "real") == 1.5
    pair.client("update")
    assert "</33333/5>" in pair.event("updated", with_links=True)["links"]
    assert (
        pair.ask("create", "/33333", format=name, instance={"id": 5, "resources": some})["code"]
        == "BAD_REQUEST"
    )
    assert pair.ask("delete", "/33333/5")["code"] == "DELETED"
    assert pair.client("instances") == [0, 1]
    pair.client("update")
    assert "</33333/5>" not in pair.event("updated", with_links=True)["links"]
    assert pair.ask("delete", "/33333/5")["code"] == "NOT_FOUND"
    assert pair.ask("delete", "/5/0")["code"] == "METHOD_NOT_ALLOWED"


@pytest.mark.parametrize("name", ["TLV"])
def test_create_without_id(pair: Pair, name: str) -> None:
    """The client chooses the id and says where; only TLV can leave it open."""
    pair.fresh()
    answer = pair.ask("create", "/33333", format=name, instance={"resources": [node(0, "mine")]})
    assert answer["code"] == "CREATED" and answer["location"] == "33333/2"
    assert pair.client("get", 2, "text") == "mine"


def test_discover(pair: Pair) -> None:
    pair.fresh()
    there = [rid for rid in RESOURCES if rid != 13]
    links = links_of(pair.ask("discover", "/33333"))
    assert list(links) == ["/33333"] + [
        path for iid in (0, 1) for path in (f"/33333/{iid}", *(f"/33333/{iid}/{rid}" for rid in there))
    ]
    assert links["/33333"] == {"ver": "1.1"}
    links = links_of(pair.ask("discover", "/33333/1"))
    assert list(links) == ["/33333/1", *(f"/33333/1/{rid}" for rid in there)]
    assert links["/33333/1/8"] == {"dim": "2"}
    links = links_of(pair.ask("discover", "/33333/0/9"))
    assert list(links) == ["/33333/0/9", "/33333/0/9/1", "/33333/0/9/20000"]
    assert pair.ask("discover", "/33333/9")["code"] == "NOT_FOUND"
