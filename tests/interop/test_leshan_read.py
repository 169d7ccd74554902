# SPDX-License-Identifier: Apache-2.0
"""Leshan reads: every kind of value in every format."""

from __future__ import annotations

import pytest

from .pairs import Pair
from .values import FIRST, HIERARCHICAL, SINGLE, node


@pytest.mark.parametrize(("rid", "name"), [each for each in SINGLE if each != (7, "CBOR")])
def test_read_resource(pair: Pair, rid: int, name: str) -> None:
    pair.fresh()
    assert pair.read(f"/33333/0/{rid}", name) == node(rid, FIRST[rid])


def test_read_a_time_as_cbor(pair: Pair) -> None:
    """The answer is a number: LwM2M Core 1.2, table C-2, allows that, and the C API has no type for times.

    Leshan takes dates with tag 0 or 1 alone. LwM2M Core 1.1 has them as strings.
    """
    pair.fresh()
    answer = pair.server.try_("read", endpoint=pair.endpoint, path="/33333/0/7", format="CBOR")
    assert "Not tag 0 or 1" in answer["error"]


@pytest.mark.parametrize("rid", FIRST)
def test_read_resource_in_the_clients_format(pair: Pair, rid: int) -> None:
    pair.fresh()
    assert pair.read(f"/33333/0/{rid}") == node(rid, FIRST[rid])


@pytest.mark.parametrize("name", ["SENML_JSON", "SENML_CBOR", "TEXT", "CBOR"])
def test_read_resource_instance(pair: Pair, name: str) -> None:
    pair.fresh()
    assert pair.read("/33333/0/8/3", name) == {"id": 3, "type": "INTEGER", "value": -300}
    assert pair.read("/33333/0/9/1", name) == {"id": 1, "type": "STRING", "value": "one"}


@pytest.mark.parametrize("name", [*HIERARCHICAL, None])
def test_read_object_instance(pair: Pair, name: str | None) -> None:
    pair.fresh()
    expected = {"id": 0, "resources": [node(rid, FIRST[rid]) for rid in FIRST]}
    assert pair.read("/33333/0", name) == expected


@pytest.mark.parametrize("name", [*HIERARCHICAL, None])
def test_read_object(pair: Pair, name: str | None) -> None:
    pair.fresh()
    resources = [node(rid, FIRST[rid]) for rid in FIRST]
    expected = {"id": 33333, "instances": [{"id": iid, "resources": resources} for iid in (0, 1)]}
    assert pair.read("/33333", name) == expected


@pytest.mark.parametrize("name", HIERARCHICAL)
def test_read_standard_objects(pair: Pair, name: str) -> None:
    values = {each["id"]: each["value"] for each in pair.read("/1/0", name)["resources"] if "value" in each}
    assert values[0] == 1 and values[1] == 300 and values[7] == "U"
    values = {each["id"]: each["value"] for each in pair.read("/5/0", name)["resources"] if "value" in each}
    assert values[3] == 0 and values[5] == 0


def test_read_refused(pair: Pair) -> None:
    pair.fresh()
    for path, code in {
        "/33333/9": "NOT_FOUND",
        "/33333/0/13": "NOT_FOUND",
        "/33333/0/99": "NOT_FOUND",
        "/33333/0/8/1": "NOT_FOUND",
        "/4444": "NOT_FOUND",
        "/33333/0/12": "METHOD_NOT_ALLOWED",
        "/33333/0/15": "METHOD_NOT_ALLOWED",
        "/0/0/0": "UNAUTHORIZED",
    }.items():
        assert pair.ask("read", path)["code"] == code, path
    assert pair.ask("read", "/33333/0/1", format="OPAQUE")["code"] == "NOT_ACCEPTABLE"
    assert pair.ask("read", "/33333/0", format="TEXT")["code"] == "NOT_ACCEPTABLE"


@pytest.mark.parametrize("name", ["SENML_JSON", "SENML_CBOR"])
def test_read_composite(pair: Pair, name: str) -> None:
    pair.fresh()
    answer = pair.ask(
        "read-composite", format=name, paths=["/33333/0/1", "/33333/1/9", "/33333/0/8/3", "/1/0/1"]
    )
    assert answer["code"] == "CONTENT" and answer["format"] == name
    assert answer["content"] == {
        "/33333/0/1": node(1, FIRST[1]),
        "/33333/1/9": node(9, FIRST[9]),
        "/33333/0/8/3": {"id": 3, "type": "INTEGER", "value": -300},
        "/1/0/1": {"id": 1, "type": "INTEGER", "value": 300},
    }
