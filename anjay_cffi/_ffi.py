# SPDX-License-Identifier: Apache-2.0
"""The compiled module; nothing else imports it.

Call path: Python API -> ``lib`` (the GIL is released) -> Anjay -> a C function pointer made by cffi (the GIL
is taken back) -> ``_trampolines`` and its siblings -> user code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

try:
    from . import _native
except ImportError as exc:
    _folder = Path(__file__).parent
    if not any(_folder.glob("_native*.so")):
        raise ImportError(
            f"{_folder} is the source of anjay_cffi, without its compiled module: "
            "run Python from another folder, where it finds the installed package (pip install)"
        ) from None
    raise ImportError(f"the compiled module of anjay_cffi cannot be loaded: {exc}") from exc

ffi: Any = _native.ffi
lib: Any = _native.lib

NULL: Any = ffi.NULL
CData = Any


def text(pointer: CData) -> str | None:
    """A C string as str, None for NULL. Bytes that are not UTF-8 are kept as backslash escapes."""
    return None if pointer == NULL else ffi.string(pointer).decode("utf-8", "backslashreplace")


def live_objects() -> int:
    """How many loops and jobs of the glue exist in this process: tests assert that none is left."""
    return int(lib.anjay_cffi_live_objects())
