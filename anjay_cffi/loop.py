# SPDX-License-Identifier: Apache-2.0
"""Driving a client from a thread: blocking in the caller's, or in the background."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from ._ffi import ffi, lib
from ._trampolines import raise_pending
from .errors import ConfigurationError

if TYPE_CHECKING:
    from .client import Client


T = TypeVar("T")

LOOK_AGAIN = 0.05
"""Seconds between two looks whether the loop has ended meanwhile."""


@contextmanager
def signals_wake(fd: int) -> Iterator[None]:
    """Let signals end the wait at once, also one that came just before it.

    Only the main thread gets signals; somebody else's wake-up descriptor is left alone, and then a signal
    that comes in that short moment is seen when the wait ends.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.set_wakeup_fd(fd, warn_on_full_buffer=False)
    if before != -1:
        signal.set_wakeup_fd(before)
    try:
        yield
    finally:
        if before == -1:
            signal.set_wakeup_fd(-1)


def run(client: Client, max_wait: float, timeout: float | None) -> None:
    """Drive the client until stop() or timeout; the caller holds the right to drive it."""
    if not max_wait > 0:
        raise ConfigurationError(f"max_wait is {max_wait}, must be a positive number of seconds")
    wait_ms = int(min(max(1.0, max_wait * 1000), 2**31 - 2))
    deadline = None if timeout is None else time.monotonic() + timeout
    native = client._loop
    with signals_wake(lib.anjay_cffi_loop_signal_fd(native)):
        while True:
            left = -1.0 if deadline is None else max(0.0, deadline - time.monotonic())
            with client._running():
                result = lib.anjay_cffi_loop_run(native, client._anjay, wait_ms, left)
            raise_pending()
            if result in (lib.ANJAY_CFFI_LOOP_DONE, lib.ANJAY_CFFI_LOOP_STOPPED):
                return
            if result == lib.ANJAY_CFFI_LOOP_ERROR:
                raise OSError(ffi.errno, f"the client's sockets cannot be polled: {os.strerror(ffi.errno)}")
            # A signal: its Python handler runs before the next line does.


def call_in_loop(client: Client, function: Callable[[], T]) -> T:
    """Call a function in the thread of the loop, or here if no other drives the client; wait for its end."""
    turn, over = threading.Lock(), threading.Event()
    failure: list[BaseException] = []
    result: list[T] = []

    def once() -> None:
        if turn.acquire(blocking=False):
            try:
                result.append(function())
            except BaseException as exc:
                failure.append(exc)
                if not isinstance(exc, Exception):  # Ctrl-C is the loop's
                    raise
            finally:
                over.set()

    if client._driving_thread in (None, threading.get_ident()):
        return function()
    job = client.call_later(0.0, once)
    while not over.wait(LOOK_AGAIN):
        if client._driving_thread is None:  # it has ended
            job.cancel()
            once()
    if failure:
        raise failure[0]
    return result[0]


class Background(threading.Thread):
    """A thread that drives one client."""

    def __init__(self, client: Client, max_wait: float) -> None:
        super().__init__(name=f"anjay_cffi {client.endpoint}", daemon=True)
        self._client = client
        self._max_wait = max_wait
        self._right = client._driving()
        self._failure: BaseException | None = None
        self._turnstile = threading.Lock()
        self._abandoned = False
        self.entered = False
        """The thread has come to drive the client; it gives the right back itself."""

    def begin(self) -> None:
        """Take the right to drive the client, here, so that the caller sees a refusal; then start."""
        self._right.__enter__()
        self._client._driving_thread = None  # until the thread is there
        try:
            self.start()
        except BaseException:  # Ctrl-C may come when the thread is there already, or just before
            with self._turnstile:
                self._abandoned = True
            if not self.entered:
                self._right.__exit__(None, None, None)
            raise

    def run(self) -> None:
        """Drive until stop()."""
        with self._turnstile:
            if self._abandoned:
                return
            self.entered = True
        self._client._driving_thread = self.ident
        try:
            run(self._client, self._max_wait, None)
        except BaseException as exc:  # join() raises it
            self._failure = exc
        finally:
            self._right.__exit__(None, None, None)

    def finish(self, timeout: float | None) -> bool:
        """Wait for the end; False on timeout. Raises what ended the loop, once."""
        self.join(timeout)
        if self.is_alive():
            return False
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        return True
