# SPDX-License-Identifier: Apache-2.0
"""The client's timers are those of the real library, but for differences that are named with reasons.

``record.json`` was made with the provider ``system`` on Anjay 3.14.0 by ``scenarios``.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

pytest.importorskip("aiocoap", reason="the extra [devserver] is not installed")

import anjay_cffi as lwm2m

from ...python.conftest import nothing_left  # noqa: F401 (a fixture for every test here)
from . import scenarios

HERE = Path(__file__).parent
RECORD: dict[str, list[float]] = json.loads((HERE / "record.json").read_text())
ACCEPTED: dict[str, str] = json.loads((HERE.parent / "differences" / "timers.json").read_text())
OTHERWISE_BEFORE = ("handshake, timeouts 1 to 2 s",)
"""What older versions of the real library do in another way than 3.14."""
TOLERANCE = 0.45
"""Seconds: less than half the shortest interval here, more than a busy machine is late by."""


def same(one: list[float], other: list[float]) -> bool:
    close = [math.isclose(a, b, abs_tol=TOLERANCE) for a, b in zip(one, other, strict=False)]
    return len(one) == len(other) and all(close)


def test_record_is_up_to_date() -> None:
    assert list(RECORD) == list(scenarios.SCENARIOS), "record again with the provider system"
    assert all(RECORD.values())


def test_intervals() -> None:
    version = [int(part) for part in lwm2m.build_info().version.split("+")[0].split(".")]
    names = [name for name in RECORD if version >= [3, 14] or name not in OTHERWISE_BEFORE]
    found = scenarios.play(names)
    accepted = set(ACCEPTED) if lwm2m.build_info().provider == "vendored" else set()
    different = {name: (RECORD[name], found[name]) for name in names if not same(RECORD[name], found[name])}
    if different:  # a machine that was busy for a moment is not so twice
        again = scenarios.play(list(different))
        different = {
            name: (RECORD[name], again[name]) for name in again if not same(RECORD[name], again[name])
        }
    assert not {name: pair for name, pair in different.items() if name not in accepted}
    assert accepted <= set(different), "these do not differ any more"


@pytest.mark.parametrize("wrong", [[1.0, 2.0, 5.0], [1.0, 2.0, 5.0, 1.5], [1.0, 1.0, 5.0, 1.0]])
def test_a_difference_is_found(wrong: list[float]) -> None:
    assert not same(RECORD["register unanswered"], wrong)
