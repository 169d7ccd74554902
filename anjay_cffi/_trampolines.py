# SPDX-License-Identifier: Apache-2.0
"""The decorator of every function that C calls, and the trampolines of the client itself.

An exception that leaves a handler never becomes C's 0 (success). cffi hands it to ``escaped``, which chooses
the code to return. KeyboardInterrupt, SystemExit and everything else that is no Exception are kept and raised
again by the call that was running: the loop leaves as soon as one is there, and other calls ask
``raise_pending()``.
"""

from __future__ import annotations

import errno
import logging
import threading
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from . import log as _log
from ._ffi import CData, ffi, lib
from .errors import CoapError, FirmwareError, NotEnoughSpace, OutOfMemory

F = TypeVar("F", bound=Callable[..., Any])

logger = logging.getLogger("anjay_cffi")
_pending = threading.local()


def store(exc: BaseException) -> None:
    """Keep an exception for raise_pending() on this thread; the first one wins."""
    if getattr(_pending, "exc", None) is None:
        _pending.exc = exc
    lib.anjay_cffi_set_pending(1)


def raise_pending() -> None:
    """Raise what a callback on this thread has stored, if anything."""
    exc: BaseException | None = getattr(_pending, "exc", None)
    if exc is not None:
        _pending.exc = None
        lib.anjay_cffi_set_pending(0)
        raise exc


def coap_result(exc: Exception) -> int | None:
    """What a data-model handler returns for an exception; None for an unexpected one."""
    return exc.anjay_error if isinstance(exc, CoapError) else None


def firmware_result(exc: Exception) -> int | None:
    """What a firmware handler returns for an exception; None for an unexpected one."""
    if isinstance(exc, FirmwareError):
        return -exc.result
    if isinstance(exc, MemoryError) or (isinstance(exc, OSError) and exc.errno == errno.ENOMEM):
        return -OutOfMemory.result
    full = isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return -NotEnoughSpace.result if full else None


def escaped(exc: BaseException, name: str, error: Any, code_of: Callable[[Exception], Any]) -> Any:
    """Log or store an exception that left a handler, and choose what C gets."""
    if not isinstance(exc, Exception):
        store(exc)
        return error
    code = code_of(exc)
    if code is None:
        # not "%s" of exc: its __str__ may raise, too
        logger.error("%s: %s", name, traceback.format_exception_only(exc)[-1].strip(), exc_info=exc)
        return error
    if isinstance(exc, FirmwareError):  # an update that fails is news, and the server gets but a number
        logger.warning("%s: Update Result %d: %s", name, exc.result, exc or type(exc).__name__)
    else:
        logger.debug("%s: %s", name, exc, exc_info=exc)
    return code


def trampoline(
    error: Any, code_of: Callable[[Exception], Any] = coap_result, name: str | None = None
) -> Callable[[F], F]:
    """Make a function the body of the ``extern "Python"`` function anjay_cffi_NAME.

    ``error`` is returned (None for void) when an unexpected exception escapes; ``code_of`` maps the expected
    ones. A call that raises nothing passes through no Python code but the function itself.
    """

    def decorate(function: F) -> F:
        label = name or function.__name__

        def on_error(
            kind: type[BaseException], exc: BaseException | None, trace: TracebackType | None
        ) -> Any:
            try:
                return escaped(exc if exc is not None else kind(), label, error, code_of)
            except Exception:  # of a logging handler: cffi prints it and returns the error
                raise
            except BaseException as again:  # Ctrl-C while the first one was being logged
                store(again)
                return error

        extra = {} if error is None else {"error": error}
        ffi.def_extern(name=f"anjay_cffi_{label}", onerror=on_error, **extra)(function)
        return function

    return decorate


def never(exc: Exception) -> None:
    """For handlers whose exceptions have no code: every one is unexpected."""
    return


@trampoline(error=1, code_of=never)
def on_interrupt(loop: CData) -> int:
    """A signal came while the library waits: Python has run its handlers when this line is reached.

    Returns 1 if nobody waits for the loop any more. The client's lock is held: nothing here may call the API.
    """
    over = interruptions.get(int(ffi.cast("uintptr_t", loop)))
    return int(over is not None and over())


interruptions: dict[int, Callable[[], bool]] = {}
"""Address of a loop to whether what drives it has been cancelled."""


@trampoline(error=None, code_of=never)
def on_log(level: int, module: CData, message: CData) -> None:
    """A line of the library's log. The library's lock is held: nothing here may call the API."""
    _log.emit(level, module, message)


if hasattr(lib, "anjay_cffi_on_communication_error"):

    @trampoline(error=None, code_of=never)
    def on_communication_error(arg: CData, _anjay: CData, ssid: int, code: int) -> None:
        """A server answered Register or Update with an error."""
        ffi.from_handle(arg).communication_error(ssid, code)


if hasattr(lib, "anjay_cffi_on_status"):

    @trampoline(error=None, code_of=never)
    def on_status(arg: CData, _anjay: CData, ssid: int, status: int) -> None:
        """The connection to a server has another state."""
        ffi.from_handle(arg).status(ssid, status)


if hasattr(lib, "anjay_cffi_on_notification_status"):

    @trampoline(error=None, code_of=never)
    def on_notification_status(anjay: CData, ssid: int, paths: CData, count: int, error: CData) -> None:
        """A confirmable notification was acknowledged, or was not. This callback has no user pointer."""
        events = by_client.get(int(ffi.cast("uintptr_t", anjay)))
        if events is not None:
            where = [tuple(i for i in paths[n].ids if i != lib.ANJAY_ID_INVALID) for n in range(count)]
            events.notification_status(ssid, where, bool(lib.avs_is_ok(error)))


by_client: dict[int, Any] = {}
"""Address of an anjay_t to its Events, for callbacks that get nothing else."""
