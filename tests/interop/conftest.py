# SPDX-License-Identifier: Apache-2.0
"""Leshan, built once and started once, and clients of it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .lines import Leshan
from .pairs import Pair, registered
from .values import MODELS

SOURCE = Path(__file__).with_name("leshan")
ROOT = Path(os.environ.get("ANJAY_CFFI_SOURCE", Path(__file__).parents[2]))


def _state(source: Path) -> str:
    """Of everything that the build is made from."""
    digest = hashlib.sha256()
    for path in sorted(source.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(source)} {path.stat().st_size}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _maven(folder: Path) -> None:
    done = None
    for offline in (["-o"], []):  # first with what was fetched before
        command = ["mvn", "-q", "-B", *offline, f"-Dbuild={folder}", "-f", str(SOURCE), "process-classes"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        if done.returncode == 0:
            return
        if "COMPILATION ERROR" in done.stdout:
            break
    assert done is not None
    if "COMPILATION ERROR" not in done.stdout and (
        "Could not transfer" in done.stdout or "could not be resolved" in done.stdout
    ):
        pytest.skip(f"Maven cannot get Leshan: {done.stdout.strip().splitlines()[0]}")
    raise AssertionError(done.stdout + done.stderr)


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder with Leshan and what drives it."""
    for tool in ("java", "javac", "mvn"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not here: nothing was tried against Leshan")
    folder = ROOT / "build" / "leshan"
    folder.mkdir(parents=True, exist_ok=True)
    stamp, state = folder / "stamp", _state(SOURCE)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes may run tests: one builds, the others wait
        if not stamp.is_file() or stamp.read_text() != state:
            stamp.unlink(missing_ok=True)
            _maven(folder)
            stamp.write_text(state)
    return folder


@contextmanager
def _server(built: Path, folder: Path, block: int) -> Iterator[Leshan]:
    found = Leshan(built, folder / "leshan.log", MODELS, block)
    try:
        yield found
    finally:
        status = found.end()
    assert status == 0


@pytest.fixture(scope="session")
def server(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leshan]:
    with _server(built, tmp_path_factory.mktemp("server"), 1024) as found:
        yield found


@pytest.fixture(scope="session")
def small_server(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leshan]:
    """One that sends blocks of 64 bytes."""
    with _server(built, tmp_path_factory.mktemp("small"), 64) as found:
        yield found


@pytest.fixture(scope="module", params=[False, True], ids=["nosec", "psk"])
def pair(
    request: pytest.FixtureRequest, server: Leshan, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    """A client that the tests of a module share."""
    folder = tmp_path_factory.mktemp("pair")
    with registered(server, folder / "state", f"urn:dev:os:{folder.name}", request.param) as found:
        yield found


@pytest.fixture(params=[False, True], ids=["nosec", "psk"])
def own(request: pytest.FixtureRequest, server: Leshan, tmp_path: Path) -> Iterator[Pair]:
    """A client of the test's own; its endpoint is another for each, so that none sees what comes late."""
    with registered(server, tmp_path / "state", f"urn:dev:os:{tmp_path.name}", request.param) as found:
        yield found


@pytest.fixture(params=[False, True], ids=["nosec", "psk"])
def small(request: pytest.FixtureRequest, small_server: Leshan, tmp_path: Path) -> Iterator[Pair]:
    """The same, and blocks of 64 bytes."""
    with registered(small_server, tmp_path / "state", f"urn:dev:os:{tmp_path.name}", request.param) as found:
        yield found
