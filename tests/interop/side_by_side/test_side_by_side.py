# SPDX-License-Identifier: Apache-2.0
"""Every answer is that of the real library, but for the differences that are named with their reasons.

``record.jsonl`` was made with the provider ``system`` on Anjay 3.14.0 by ``player record``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import anjay_cffi as lwm2m

from . import player
from .session import GROUPS

HERE = Path(__file__).parent
RECORD = player.load(HERE / "record.jsonl")
ACCEPTED: dict[str, str] = json.loads((HERE.parent / "differences" / "side_by_side.json").read_text())


VERSION = [int(part) for part in lwm2m.build_info().version.partition("+")[0].split(".")]


@pytest.mark.skipif(VERSION < [3, 14], reason="record.jsonl has the answers of Anjay 3.14, not of older ones")
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_group(group: player.Group) -> None:
    expected = RECORD[group.name]
    assert list(expected) == ["(registration)", *(step.name for step in group.steps)], (
        "record.jsonl is out of date"
    )
    vendored = lwm2m.build_info().provider == "vendored"
    accepted = {key for key in ACCEPTED if key.split(" | ")[0] == group.name} if vendored else set()
    different = {}
    for row in player.rows(group, expected):
        if lines := player.differences(expected[row["name"]], row):
            different[f"{group.name} | {row['name']}"] = lines
    assert not {key: lines for key, lines in different.items() if key not in accepted}
    assert accepted <= set(different), "these do not differ any more"


def test_every_difference_is_explained() -> None:
    text = (HERE.parents[2] / "docs" / "differences.md").read_text()
    for name in ("tutorial", "kinds", "side_by_side", "timers"):
        for key, reason in json.loads((HERE.parent / "differences" / f"{name}.json").read_text()).items():
            assert reason in text, f"{key}: its reason is not in docs/differences.md"


def test_tests_of_one_provider_exist_and_are_explained() -> None:
    text = (HERE.parents[2] / "docs" / "differences.md").read_text()
    pytest.importorskip("aiocoap", reason="the extra [devserver] is not installed")
    collect = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests/wire"]
    listed = subprocess.run(collect, cwd=HERE.parents[2], capture_output=True, text=True, check=True).stdout
    cases = {line.removeprefix("tests/wire/") for line in listed.splitlines()}
    existing = cases | {case.partition("[")[0] for case in cases}
    for reason, names in json.loads((HERE.parent / "differences" / "wire.json").read_text()).items():
        assert reason in text, f"not in docs/differences.md: {reason}"
        assert [name for name in names if name not in existing] == []
