# SPDX-License-Identifier: Apache-2.0
"""Every test ends without child processes, descriptors and files that were not there before."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("aiocoap", reason="the extra [devserver] is not installed")


def children() -> set[str]:
    """Processes that this one has started and not yet reaped."""
    found: set[str] = set()
    for task in Path("/proc/self/task").iterdir():
        try:
            found.update((task / "children").read_text().split())
        except OSError:  # a thread that has ended, or a kernel without this file
            continue
    return found


def descriptors() -> dict[str, str]:
    found = {}
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found[entry.name] = str(entry.readlink())
        except OSError:
            continue
    return found


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state directory. At the end it holds the image at most: no marker, nothing half done."""
    folder = tmp_path / "state"
    folder.mkdir(0o700)
    yield folder
    assert {entry.name for entry in folder.iterdir()} <= {"firmware_image.bin"}


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    gc.collect()
    before, started = set(descriptors()), children()
    yield
    gc.collect()
    assert children() == started
    left = {number: name for number, name in descriptors().items() if number not in before}
    assert not left


@pytest.fixture(params=[False, True], ids=["nosec", "psk"])
def secure(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)
