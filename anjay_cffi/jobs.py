# SPDX-License-Identifier: Apache-2.0
"""Python functions on Anjay's scheduler."""

from __future__ import annotations

import functools
import itertools
import threading
import weakref
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING

from ._ffi import NULL, CData, ffi, lib
from ._trampolines import never, trampoline

if TYPE_CHECKING:
    from .client import Client


_job_new, _job_cancel, _job_delete = (
    lib.anjay_cffi_job_new,
    lib.anjay_cffi_job_cancel,
    lib.anjay_cffi_job_delete,
)
_gc = ffi.gc
_numbers = itertools.count()
_planned: dict[int, weakref.ref[Job]] = {}
"""Jobs of all clients, who own them, by the numbers that C knows; a number is never used again."""


@trampoline(error=None, code_of=never)
def on_job(number: int) -> None:
    """A scheduled function is due. Once a second all of this is met with cold caches: the less the better."""
    try:
        job = _planned[number]()
    except KeyError:
        return
    if job is not None:
        if job._again:
            call = job._call
            call()
        else:
            job._last()


def _prepared(
    function: Callable[..., object], args: tuple[object, ...]
) -> tuple[Callable[[], object], CData] | None:
    """What a method of ours puts in its place when it is called again and again, and what C does instead."""
    prepare = getattr(function.__func__, "_prepare", None) if isinstance(function, MethodType) else None
    result: tuple[Callable[[], object], CData] | None = None if prepare is None else prepare(function, args)
    return result


def _over() -> None:
    """In the place of a function that is never called again, so that nothing it refers to is kept."""


class Job:
    """What ``call_later()`` and ``every()`` return. An exception in the function is logged and ends nothing.

    Tables keep a job and its C cell until the scheduler cannot come to it any more; only the thread that runs
    the scheduler, or close(), may find that out.
    """

    __slots__ = ("__weakref__", "_active", "_again", "_call", "_cell", "_client", "_notice", "_number")

    def __init__(
        self, client: Client, function: Callable[..., object], args: tuple[object, ...], repeats: bool
    ) -> None:
        self._client = client
        prepared = _prepared(function, args) if repeats else None
        self._call: Callable[[], object]
        self._call, self._notice = prepared or (functools.partial(function, *args), NULL)
        self._active = True
        self._again = repeats  # the trampoline calls the function by itself, else _last()
        self._cell: CData = None
        self._number = next(_numbers)

    def _start(self, anjay: CData, delay: float, period: float) -> None:
        number = self._number
        self._client._jobs[number] = self
        _planned[number] = weakref.ref(self, lambda _: _planned.pop(number, None))
        cell = _job_new(number, self._client._loop, anjay, delay, period, self._notice)
        del anjay
        if not cell:
            raise MemoryError
        cell = _gc(cell, _job_delete)
        if self._active:  # else the loop's thread was faster
            self._cell = cell

    def _drop(self) -> None:
        """Forget the job; frees the cell unless another thread's cancel() still has it in hand."""
        self._active = self._again = False
        self._call = _over
        cell, self._cell = self._cell, None
        if cell is not None:
            _job_cancel(cell)  # another thread's cancel() may be about to have it come once more
        self._client._jobs.pop(self._number, None)
        _planned.pop(self._number, None)

    def _last(self) -> None:
        """Called by the scheduler, in the thread of the loop, when it does not come again."""
        call, active = self._call, self._active
        self._drop()
        if active:
            call()

    @property
    def active(self) -> bool:
        """True while the function is going to be called."""
        return self._active

    def cancel(self) -> None:
        """Never call the function again. From any thread, and from within the function."""
        if not self._active:
            return
        self._active = self._again = False
        if self._client._inside == threading.get_ident():
            self._drop()
            return
        # The scheduler may be about to start this job: let it come here once more and drop it there.
        cell, anjay = self._cell, self._client._native
        if cell is not None and anjay is not None:
            lib.anjay_cffi_job_schedule(cell, anjay, 0.0, 0.0)
            self._client._wake()
