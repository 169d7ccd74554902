# SPDX-License-Identifier: Apache-2.0
"""Python functions on Anjay's scheduler."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ._ffi import CData, ffi, lib

if TYPE_CHECKING:
    from .client import Client


_job_new, _job_cancel, _job_delete = (
    lib.anjay_cffi_job_new,
    lib.anjay_cffi_job_cancel,
    lib.anjay_cffi_job_delete,
)
_gc = ffi.gc


class Job:
    """What ``call_later()`` and ``every()`` return. An exception in the function is logged and ends nothing.

    The client's table keeps a job, its handle and its C cell until the scheduler cannot come to it any more;
    only the thread that runs the scheduler, or close(), may find that out.
    """

    __slots__ = ("_active", "_again", "_args", "_cell", "_client", "_function")

    def __init__(
        self, client: Client, function: Callable[..., object], args: tuple[object, ...], repeats: bool
    ) -> None:
        self._client = client
        self._function = function
        self._args = args
        self._active = True
        self._again = repeats  # the trampoline calls the function by itself, else _last()
        self._cell: CData = None

    def _start(self, handle: CData, anjay: CData, delay: float, period: float) -> None:
        cell = _job_new(handle, self._client._loop, anjay, delay, period)
        del anjay
        if not cell:
            raise MemoryError
        cell = _gc(cell, _job_delete)
        if self._active:  # else the loop's thread was faster
            self._cell = cell

    def _drop(self) -> None:
        """Forget the job; frees the cell unless another thread's cancel() still has it in hand."""
        self._active = self._again = False
        cell, self._cell = self._cell, None
        if cell is not None:
            _job_cancel(cell)  # another thread's cancel() may be about to have it come once more
        self._client._jobs.pop(self, None)

    def _last(self) -> None:
        """Called by the scheduler, in the thread of the loop, when it does not come again."""
        function, args, active = self._function, self._args, self._active
        self._drop()
        if active:
            function(*args)

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
        cell, handle, anjay = self._cell, self._client._jobs.get(self), self._client._native
        if cell is not None and handle is not None and anjay is not None:
            lib.anjay_cffi_job_schedule(cell, anjay, 0.0, 0.0)
            self._client._wake()
