# SPDX-License-Identifier: Apache-2.0
"""What the tutorial makes of a marker that it finds when it starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from anjay_cffi import FirmwareInitial
from anjay_cffi.tutorial import _files
from anjay_cffi.tutorial.firmware_update import MARKER, initial_state, process_identity

from .tutorial import is_root


def test_none(state: Path) -> None:
    assert initial_state(state).result is FirmwareInitial.NEUTRAL


@pytest.mark.parametrize(
    ("content", "result"),
    [
        ("", FirmwareInitial.SUCCESS),  # as the C tutorial writes it
        (None, FirmwareInitial.SUCCESS),  # of this process
        ("1 2 another boot\n", FirmwareInitial.FAILED),
        ("garbage \x00 \xff" * 10_000, FirmwareInitial.FAILED),
    ],
    ids=["empty", "own", "other", "garbage"],
)
def test_content(state: Path, content: str | None, result: FirmwareInitial) -> None:
    (state / MARKER).write_text(process_identity() if content is None else content)
    assert initial_state(state).result is result
    assert initial_state(state).result is FirmwareInitial.NEUTRAL


def test_identity_survives_exec_only(state: Path) -> None:
    program = (
        "import os, sys\n"
        "from anjay_cffi.tutorial.firmware_update import process_identity\n"
        "print(process_identity(), end='', flush=True)\n"
        "if len(sys.argv) < 2: os.execv(sys.executable, [sys.executable, sys.argv[0], 'again'])\n"
    )
    script = state.parent / "identity.py"
    script.write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    outputs = [
        subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, check=True).stdout
        for _ in range(2)
    ]
    first, second = (output.decode().splitlines() for output in outputs)
    assert first[0] == first[1] and second[0] == second[1] and first[0] != second[0]


def test_marker_of_another_living_process(state: Path) -> None:
    """Two tutorials in one directory: the one that starts leaves the other's marker to its image."""
    with subprocess.Popen(["sleep", "60"]) as other:
        text = process_identity(str(other.pid))
        (state / MARKER).write_text(text)
        assert initial_state(state).result is FirmwareInitial.NEUTRAL
        assert (state / MARKER).read_text() == text
        other.kill()
    assert initial_state(state).result is FirmwareInitial.FAILED
    assert not list(state.iterdir())


def test_half_written_marker_is_none(state: Path) -> None:
    (state / (MARKER + ".new")).write_text("half")
    assert initial_state(state).result is FirmwareInitial.NEUTRAL
    assert not list(state.iterdir())


def test_link_is_not_followed(state: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("")
    marker = state / MARKER
    marker.symlink_to(victim)
    assert initial_state(state).result is FirmwareInitial.NEUTRAL
    assert victim.exists()
    _files.replace(marker, "text")
    assert victim.read_text() == "" and marker.read_text() == "text" and not marker.is_symlink()
    marker.unlink()


def test_second_name_is_refused(state: Path, tmp_path: Path) -> None:
    marker = state / MARKER
    marker.write_text("")
    os.link(marker, tmp_path / "second")
    assert initial_state(state).result is FirmwareInitial.NEUTRAL
    marker.unlink()


def test_fifo_does_not_block(state: Path) -> None:
    os.mkfifo(state / MARKER)
    assert initial_state(state).result is FirmwareInitial.NEUTRAL
    (state / MARKER).unlink()


@pytest.mark.skipif(not is_root(), reason="only root can make a file of another user")
def test_foreign_marker_is_ignored(state: Path) -> None:
    marker = state / MARKER
    marker.write_text("")
    os.chown(marker, 65534, 65534)
    assert initial_state(state).result is FirmwareInitial.NEUTRAL
    assert marker.exists()
    with pytest.raises(_files.NotOursError):
        _files.replace(marker, "text")
    assert [entry.name for entry in state.iterdir()] == [MARKER]
    marker.unlink()


def test_directory_that_others_may_change(state: Path) -> None:
    _files.check_directory(state)
    state.chmod(0o777)
    with pytest.raises(_files.NotOursError):
        _files.check_directory(state)
    state.chmod(0o1777)
    _files.check_directory(state)
    with pytest.raises(NotADirectoryError):
        _files.check_directory(Path(__file__))
