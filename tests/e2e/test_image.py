# SPDX-License-Identifier: Apache-2.0
"""The image builder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from anjay_cffi.tutorial import image


def _build(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "anjay_cffi.tutorial.image", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_runs_by_itself(tmp_path: Path) -> None:
    folder = tmp_path / "with blanks"
    folder.mkdir()
    out = folder / "image"
    done = _build(str(out))
    assert done.returncode == 0 and str(out) in done.stdout
    assert out.stat().st_mode & 0o111
    # A module beside the image must not come before the real one.
    (folder / "anjay_cffi.py").write_text("raise SystemExit('not this one')")
    (folder / "argparse.py").write_text("raise SystemExit('not this one')")
    run = subprocess.run([str(out)], capture_output=True, text=True, timeout=60, check=False, cwd=folder)
    assert run.returncode == 2 and "usage:" in run.stderr


@pytest.mark.parametrize("size", [1024, 1500, 5 << 20])
def test_size(tmp_path: Path, size: int) -> None:
    out = tmp_path / "image"
    assert _build(str(out), f"--size={size}").returncode == 0
    assert out.stat().st_size == size


def test_no_two_are_the_same() -> None:
    assert image.build() != image.build()


def test_errors(tmp_path: Path) -> None:
    assert _build().returncode == 2
    done = _build(str(tmp_path / "missing" / "image"))
    assert done.returncode == 1 and "missing" in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
