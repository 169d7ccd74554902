# SPDX-License-Identifier: Apache-2.0
"""scikit-build-core, which says at the very end why a configuration stopped: Stop.cmake writes it down."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scikit_build_core import build as core
from scikit_build_core.build import (
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]


@contextmanager
def _reason_last() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        reason = Path(folder) / "reason"
        os.environ["ANJAY_CFFI_REASON"] = str(reason)
        try:
            yield
        except BaseException:
            if reason.exists():
                sys.stdout.flush()
                print(f"\n{reason.read_text()}", file=sys.stderr, flush=True)
                raise SystemExit(1) from None
            raise
        finally:
            del os.environ["ANJAY_CFFI_REASON"]


def build_wheel(*args: Any, **settings: Any) -> str:
    """PEP 517."""
    with _reason_last():
        return str(core.build_wheel(*args, **settings))


def build_editable(*args: Any, **settings: Any) -> str:
    """PEP 660."""
    with _reason_last():
        return str(core.build_editable(*args, **settings))
