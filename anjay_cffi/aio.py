# SPDX-License-Identifier: Apache-2.0
"""Driving clients from asyncio: a reader on the client's epoll descriptor, and a timer for its scheduler.

Every wake-up, whatever its cause, makes one step and sets the timer anew, so that nothing depends on which of
the two came first. Any number of clients share one event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

from ._ffi import ffi
from ._trampolines import interruptions

if TYPE_CHECKING:
    from .client import Client


class _Driver:
    __slots__ = ("_client", "_loop", "_thread", "_timer", "done")

    def __init__(self, client: Client) -> None:
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._timer: asyncio.TimerHandle | None = None
        self.done: asyncio.Future[None] = self._loop.create_future()

    def step(self) -> None:
        """What a wake-up does."""
        if self.done.done():
            return
        try:
            going_on = self._client._step()
        except BaseException as exc:
            if self.done.done():  # cancelled in the meantime
                raise
            self.done.set_exception(exc)
            return
        if self.done.done():
            return
        if going_on:
            self._set_timer()
        else:
            self.done.set_result(None)

    def _set_timer(self) -> None:
        """One that rings too early does no harm, so that most steps leave it as it is."""
        delay, timer = self._client.next_deadline(), self._timer
        due = None if delay is None else self._loop.time() + delay
        if timer is not None and due is not None and timer.when() <= due:
            return
        if timer is not None:
            timer.cancel()
        self._timer = None if due is None else self._loop.call_at(due, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self.step()

    def finish(self) -> bool:
        """The client closes: let serve() return. True if no step can be under way from here on.

        That is so in the event loop's own thread, or if the event loop is not running. In another thread the
        caller waits until serve() has given up the right to drive the client.
        """
        if threading.get_ident() != self._thread and self._loop.is_running():
            with contextlib.suppress(RuntimeError):  # it was closed meanwhile
                self._loop.call_soon_threadsafe(self._end)
            return False
        self._detach()
        if not self._loop.is_closed():
            self._end()
        return True

    def _end(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def _detach(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._loop.is_closed():
            self._loop.remove_reader(self._client.fileno())


async def serve(client: Client) -> None:
    """Drive the client until stop(), close() or cancellation; the caller holds the right to drive it."""
    driver = _Driver(client)
    fd = client.fileno()
    driver._loop.add_reader(fd, driver.step)
    client._driver = driver
    address = int(ffi.cast("uintptr_t", client._loop))
    interruptions[address] = driver.done.done
    try:
        driver._loop.call_soon(driver.step)  # not here: until this waits, a cancellation would not be seen
        await driver.done
    finally:
        client._driver = None
        interruptions.pop(address, None)
        if not client.closed:
            driver._detach()
