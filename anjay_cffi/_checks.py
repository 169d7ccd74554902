# SPDX-License-Identifier: Apache-2.0
"""What can be said of arguments before the library gets them."""

from __future__ import annotations

import inspect
from typing import Any

from .errors import ConfigurationError


def check_type(value: Any, kind: type | tuple[type, ...], what: str) -> None:
    """TypeError unless it is one of these; True and False are no numbers."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        names = " or ".join(one.__name__ for one in kinds)
        raise TypeError(f"{what} is {value!r:.50}, must be {names}")


def check_id(value: Any, what: str) -> int:
    """An id of 16 bits."""
    check_type(value, int, what)
    if not 0 <= value <= 65535:
        raise ConfigurationError(f"{what} is {value}, must be 0 to 65535")
    return int(value)


def check_function(function: Any, what: str) -> None:
    """Refuse what is no function, or one whose call would run nothing of it."""
    if not callable(function):
        raise ConfigurationError(f"{what} is {type(function).__name__}, must be a function")
    called = function if inspect.isroutine(function) else getattr(type(function), "__call__", function)  # noqa: B004
    for kind, found in (("an async function", _is_async), ("a generator", inspect.isgeneratorfunction)):
        if found(function) or found(called):
            raise ConfigurationError(
                f"{what} is {kind}: the library wants the answer at once. Start the work "
                "(asyncio.create_task), keep its result, and notify when it is there"
            )


def _is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def takes(function: Any, count: int) -> bool:
    """Whether a function can be called with ``count`` positional arguments."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # a builtin without a signature
        return True
    return True
