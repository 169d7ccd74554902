# SPDX-License-Identifier: Apache-2.0
"""A state directory that is a small tmpfs, seen by the tutorial alone: full, read-only, not for programs."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

import pytest

from anjay_cffi.devserver import DevServer

from .tutorial import Tutorial

_MOUNT = 'options=$1 folder=$2; shift 2; mount -t tmpfs -o "$options" tmpfs "$folder" && exec "$@"'


@functools.cache
def _refusal() -> str:
    """Why there can be no mount here; empty if there can."""
    if shutil.which("unshare") is None:
        return "there is no unshare"
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"no mount in a namespace of our own: {done.stderr.strip()}"


class MountedTutorial(Tutorial):
    """The tutorial with a tmpfs, mounted with ``options``, in the place of its state directory."""

    def __init__(self, dev: DevServer, state: Path, options: str) -> None:
        if _refusal():
            pytest.skip(_refusal())
        super().__init__(state, "--nosec", f"--server={dev.uri}")
        self._state = state
        mount = ["unshare", "-rm", "sh", "-c", _MOUNT, "sh", f"mode=700,{options}", str(state)]
        self.command = [*mount, *self.command]

    @property
    def files(self) -> dict[str, int]:
        """Names in the state directory as the tutorial sees it, with their sizes."""
        folder = Path(f"/proc/{self.pid}/root{self._state}")
        return {entry.name: entry.stat().st_size for entry in folder.iterdir()}
