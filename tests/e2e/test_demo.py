# SPDX-License-Identifier: Apache-2.0
"""The demo, as a user without a terminal sees it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("options", [(), ("--nosec",)], ids=["psk", "nosec"])
def test_demo(options: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    command = [sys.executable, "-m", "anjay_cffi.demo", "--size=65536", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("notified:") == 3
    for words in ("Registered", "/3333/0", "64 blocks", "KiB/s", "Update Result 1: success", "Done."):
        assert words in done.stdout
    assert "\x1b" not in done.stdout and not done.stderr
    assert not list(tmp_path.iterdir())


def test_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    command = [sys.executable, "-u", "-m", "anjay_cffi.demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None and demo.stderr is not None
        for line in demo.stdout:
            if "notified" in line:
                break
        children = Path(f"/proc/{demo.pid}/task/{demo.pid}/children").read_text().split()
        demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 130
        assert "interrupted" in demo.stderr.read()
    assert children and not any(Path(f"/proc/{child}").exists() for child in children)
    assert not list(tmp_path.iterdir())


def test_reason_of_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client cannot start: the demo says so, with the client's words."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    broken = (
        "import sys, anjay_cffi.demo as demo\n"
        "demo.ENDPOINT = '--lifetime=x'\n"
        "sys.exit(demo.main(['--size=1024']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", broken], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "the client ended with status 2" in done.stderr and "usage:" in done.stderr
    assert not list(tmp_path.iterdir())
