# SPDX-License-Identifier: Apache-2.0
"""When script/demo and script/test build again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

LIB = Path(os.environ.get("ANJAY_CFFI_SOURCE", Path(__file__).parents[2])) / "script/lib.sh"
BUILT = '. "$LIB"; is_built "$(wanted_build "$@")"'
BUILD = '. "$LIB"; mkdir -p .venv; wanted_build "$@" >.venv/built'

pytestmark = pytest.mark.skipif(not LIB.exists(), reason="ANJAY_CFFI_SOURCE is not the checkout")


@pytest.fixture
def sh(tmp_path: Path) -> Callable[..., bool]:
    """A project of one file each, built with --a."""
    for folder in ("anjay_cffi", "vendor", "cmake"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "source").touch()
    for name in ("CMakeLists.txt", "build_ffi.py", "pyproject.toml", "LICENSE", "README.md"):
        (tmp_path / name).touch()

    def run(script: str, *words: str) -> bool:
        command = ["sh", "-euc", script, "sh", *words]
        done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "LIB": str(LIB)}, check=False)
        return done.returncode == 0

    assert not run(BUILT, "--a")
    assert run(BUILD, "--a")
    os.utime(tmp_path / ".venv/built", (4e9, 4e9))  # later than all that is not made later on purpose
    return run


def newer(path: Path) -> None:
    os.utime(path, (5e9, 5e9))


def test_once_is_enough(sh: Callable[..., bool], tmp_path: Path) -> None:
    assert sh(BUILT, "--a")
    assert not sh(BUILT, "--b")
    cache = tmp_path / "cmake/__pycache__"  # as Python leaves it while it builds
    cache.mkdir()
    (cache / "build_backend.cpython-314.pyc").touch()
    for path in (cache, cache / "build_backend.cpython-314.pyc", cache.parent):
        newer(path)
    assert sh(BUILT, "--a")


@pytest.mark.parametrize("change", ["edited", "gone", "renamed", "moved in"])
def test_again_after_a_change(sh: Callable[..., bool], tmp_path: Path, change: str) -> None:
    source = tmp_path / "vendor/source"
    if change == "edited":
        newer(source)
    elif change == "gone":
        source.unlink()
    elif change == "renamed":
        source.rename(tmp_path / "vendor/other")
    else:
        (tmp_path / "vendor/more").touch()
    assert not sh(BUILT, "--a")
