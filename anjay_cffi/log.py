# SPDX-License-Identifier: Apache-2.0
"""The library's log as loggers ``anjay_cffi.native.MODULE``.

Levels are the library's own business: ``sync_levels()`` hands it the levels that these loggers have, so that
a line nobody wants costs no call into Python. That happens when a client is made and when a loop starts;
after changing a level in between, call it yourself. Handlers of these loggers run while the library holds its
lock: they must not call the client.
"""

from __future__ import annotations

import logging
import re

from ._ffi import CData, ffi, lib

PREFIX = "anjay_cffi.native"
TRACE = 5
"""Below DEBUG: the library's own TRACE level."""

_TO_PYTHON = {
    0: TRACE,
    1: logging.DEBUG,
    2: logging.INFO,
    3: logging.WARNING,
    4: logging.ERROR,
    5: logging.CRITICAL,
}
_HEAD = re.compile(r"^[A-Z]+ \[[^\]]*\] \[([^\]]*):(\d+)\]: ")
_synced: dict[str, int] = {}
_native = logging.getLogger(PREFIX)

logging.addLevelName(TRACE, "TRACE")


def _native_level(level: int) -> int:
    """The library's level that shows what a Python level shows."""
    for native, python in _TO_PYTHON.items():
        if level <= python:
            return native
    return 5


def emit(level: int, module: CData, message: CData) -> None:
    """Hand one line to its logger, with file and line number where the library's text begins with them."""
    name = ffi.string(module).decode("ascii", "replace")
    target = logging.getLogger(f"{PREFIX}.{name}")
    python_level = _TO_PYTHON.get(level, logging.ERROR)
    if not target.isEnabledFor(python_level):
        return
    line = ffi.string(message).decode("utf-8", "backslashreplace")
    head = _HEAD.match(line)
    path, number = (head[1], int(head[2])) if head else ("", 0)
    body = line[head.end() :] if head else line
    target.handle(target.makeRecord(target.name, python_level, path, number, body, (), None))


def sync_levels() -> None:
    """Give the library the effective levels of the loggers under ``anjay_cffi.native``."""
    wanted = {"": _native_level(_native.getEffectiveLevel())}
    for name, known in list(logging.root.manager.loggerDict.items()):
        if name.startswith(PREFIX + ".") and isinstance(known, logging.Logger):
            wanted[name[len(PREFIX) + 1 :]] = _native_level(known.getEffectiveLevel())
    for name, level in wanted.items():
        if _synced.get(name) != level:
            module = name.encode("ascii", "ignore") if name else ffi.NULL
            if lib.anjay_cffi_log_set_level(module, level) == 0:
                _synced[name] = level


def attach() -> None:
    """Send the library's log here; done when the package is imported."""
    lib.anjay_cffi_log_attach(1)
    sync_levels()
