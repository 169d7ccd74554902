# SPDX-License-Identifier: Apache-2.0
"""Leshan writes: every kind of value in every format, and block by block."""

from __future__ import annotations

import pytest

from .pairs import Pair
from .values import FIRST, HIERARCHICAL, IN_PYTHON, OTHER, RESOURCES, WRITES, node


@pytest.mark.parametrize(("rid", "name"), [each for each in WRITES if each != (6, "TLV")])
def test_write_resource(pair: Pair, rid: int, name: str) -> None:
    pair.fresh()
    pair.write(f"/33333/0/{rid}", name, node(rid, OTHER[rid]))
    assert pair.client("get", 0, RESOURCES[rid][0]) == IN_PYTHON.get(rid, OTHER[rid])
    assert pair.read(f"/33333/0/{rid}", "TLV") == node(rid, OTHER[rid])


def test_write_unsigned_as_tlv(pair: Pair) -> None:
    pair.fresh()
    for value in (0, 127, 128, 255, 65536, 2**63 - 1):
        pair.write("/33333/0/6", "TLV", node(6, value))
        assert pair.client("get", 0, "unsigned") == value
    # Leshan takes 2^64 - 1 for -1 and sends one byte, ff, which is 255 (LwM2M Core 1.1, table C-2: unsigned)
    pair.write("/33333/0/6", "TLV", node(6, 2**64 - 1))
    assert pair.client("get", 0, "unsigned") == 255


@pytest.mark.parametrize("name", HIERARCHICAL)
def test_write_instance_updates(pair: Pair, name: str) -> None:
    pair.fresh()
    some = [node(rid, OTHER[rid]) for rid in (0, 1, 4, 5, 8)]
    pair.write("/33333/1", name, {"id": 1, "resources": some}, "UPDATE")
    for rid in (0, 1, 4, 5):
        assert pair.client("get", 1, RESOURCES[rid][0]) == IN_PYTHON.get(rid, OTHER[rid])
    # elements that the request does not name stay
    assert pair.client("get", 1, "numbers") == FIRST[8] | OTHER[8]
    assert pair.client("get", 1, "unsigned") == FIRST[6] and pair.client("get", 0, "text") == "text"


@pytest.mark.parametrize("name", HIERARCHICAL)
def test_write_instance_replaces(pair: Pair, name: str) -> None:
    pair.fresh()
    pair.client("set", 1, "unsigned", 7)
    everything = [node(rid, OTHER[rid]) for rid in OTHER if rid != 6]
    pair.write("/33333/1", name, {"id": 1, "resources": everything})
    for rid in OTHER:
        wanted = FIRST[6] if rid == 6 else IN_PYTHON.get(rid, OTHER[rid])
        assert pair.client("get", 1, RESOURCES[rid][0]) == wanted


@pytest.mark.parametrize("name", HIERARCHICAL)
def test_write_many_merges_or_replaces(pair: Pair, name: str) -> None:
    pair.fresh()
    pair.write("/33333/0/8", name, node(8, {3: 4, 5: 6}), "UPDATE")
    assert pair.client("get", 0, "numbers") == {0: 10, 3: 4, 5: 6}
    pair.write("/33333/0/8", name, node(8, {1: 2}))
    assert pair.client("get", 0, "numbers") == {1: 2}


@pytest.mark.parametrize("name", ["SENML_JSON", "SENML_CBOR", "TEXT", "CBOR"])
def test_write_resource_instance(pair: Pair, name: str) -> None:
    pair.fresh()
    pair.write("/33333/0/8/3", name, {"id": 3, "type": "INTEGER", "value": 77})
    assert pair.client("get", 0, "numbers") == {0: 10, 3: 77}


def test_write_refused(pair: Pair) -> None:
    pair.fresh()
    text = {"id": 14, "type": "STRING", "value": "x"}
    assert pair.ask("write", "/33333/0/14", format="TEXT", node=text)["code"] == "METHOD_NOT_ALLOWED"
    assert pair.ask("write", "/33333/9/0", format="TEXT", node=text | {"id": 0})["code"] == "NOT_FOUND"
    # all or nothing
    mixed = [node(0, "new"), text]
    answer = pair.ask(
        "write", "/33333/0", format="SENML_JSON", mode="UPDATE", node={"id": 0, "resources": mixed}
    )
    assert answer["code"] == "METHOD_NOT_ALLOWED" and pair.client("get", 0, "text") == "text"


@pytest.mark.parametrize("name", HIERARCHICAL)
def test_write_passes_over_unknown_resources(pair: Pair, name: str) -> None:
    pair.fresh()
    mixed = [node(0, "new"), {"id": 99, "type": "STRING", "value": "x"}]
    pair.write("/33333/0", name, {"id": 0, "resources": mixed}, "UPDATE")
    assert pair.client("get", 0, "text") == "new"


@pytest.mark.parametrize("name", ["SENML_JSON", "SENML_CBOR"])
def test_write_composite(pair: Pair, name: str) -> None:
    pair.fresh()
    nodes = {"/33333/0/1": node(1, 5), "/33333/1/0": node(0, "both"), "/33333/0/8/3": node(1, 9) | {"id": 3}}
    assert pair.ask("write-composite", format=name, nodes=nodes)["code"] == "CHANGED"
    assert pair.client("get", 0, "integer") == 5 and pair.client("get", 1, "text") == "both"
    assert pair.client("get", 0, "numbers") == {0: 10, 3: 9}


@pytest.mark.parametrize("name", HIERARCHICAL)
def test_small_blocks(small: Pair, name: str) -> None:
    """The client's answers are larger than what this server takes; what it writes is in blocks of 64."""
    expected = {"id": 0, "resources": [node(rid, FIRST[rid]) for rid in FIRST]}
    assert small.read("/33333/0", name) == expected
    small.write("/33333/0/11", name, node(11, OTHER[11]))
    assert small.client("get", 0, "large") == OTHER[11]
    everything = [node(rid, OTHER[rid]) for rid in OTHER]
    small.write("/33333/1", name, {"id": 1, "resources": everything}, "UPDATE")
    assert small.read("/33333/1/11", name) == node(11, OTHER[11])
