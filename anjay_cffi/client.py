# SPDX-License-Identifier: Apache-2.0
"""The client: lifecycle, data model, scheduling, and the loops that drive it."""

from __future__ import annotations

import math
import os
import threading
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar, overload

from . import _trampolines, log, loop
from ._checks import check_function, check_id
from ._events import Events
from ._ffi import CData, ffi, lib
from ._servers import ServerControl
from ._trampolines import raise_pending
from .config import Configuration
from .enums import ServerStatus
from .errors import AnjayError, ClosedError, ConfigurationError, NativeError
from .jobs import Job
from .security import SecurityObject
from .server import ServerObject

if TYPE_CHECKING:
    from typing_extensions import Self

    from .fw_update import FirmwareUpdate
    from .instances import Instances
    from .objects import Object
    from .send import Sample, Sending

    ObjectT = TypeVar("ObjectT", bound=Object)

T = TypeVar("T")
StatusT = TypeVar("StatusT", bound=Callable[[int, ServerStatus], object])

LAST_CALLS = 2.0
"""Seconds that close() waits for calls of other threads to return."""
LATEST = 1e11
"""Seconds in the future that a job may be planned for: three thousand years."""
INTERRUPTED_CLOSE = 0.5
"""Seconds that a close after Ctrl-C may wait for the answer to De-register."""


class _Driver(Protocol):
    def finish(self) -> bool: ...


class Client(ServerControl):
    """A LwM2M client named ``endpoint``; a context manager that closes it.

    Settings come as a Configuration, as its fields by keyword, or both (the keywords win). Methods may be
    called from any thread if the build has ANJAY_WITH_THREAD_SAFETY; ``stop()`` may always. One loop at a
    time drives the client: ``run()``, ``serve()``, ``start_thread()``, or ``step()`` from a loop of your own.
    A client stays with the process that made it: in a child made by fork it raises ClosedError.
    """

    def __init__(self, endpoint: str, *, config: Configuration | None = None, **fields: Any) -> None:
        self._native: CData = None
        self._loop: CData = None
        if not isinstance(endpoint, str) or not endpoint or "\0" in endpoint:
            raise ConfigurationError(f"not an endpoint name: {endpoint!r}")
        try:
            settings = replace(config, **fields) if config is not None else Configuration(**fields)
        except TypeError as exc:
            raise ConfigurationError(str(exc)) from None
        log.sync_levels()
        self._endpoint = endpoint
        self._config = settings
        self._events = Events(settings)
        self._kept: list[Any] = []
        self._jobs: dict[int, Job] = {}
        self._driven = threading.Lock()
        self._driving_thread: int | None = None
        self._inside: int | None = None
        self._driver: _Driver | None = None
        self._thread: loop.Background | None = None
        self._firmware: FirmwareUpdate | None = None
        self._objects: dict[Any, Any] = {}
        self._sendings: dict[Sending, CData] = {}
        self._why_closed = "the client is closed"
        self._open()
        _clients.add(self)
        self.security = SecurityObject(self)
        self.server = ServerObject(self)

    def _open(self) -> None:
        native, keep = self._config.native(self._endpoint)
        handle = ffi.new_handle(self._events)
        self._keep(handle)
        self._events.connect(native, handle)
        created = lib.anjay_cffi_loop_new()
        if created == ffi.NULL:
            raise OSError(ffi.errno, "no wake-up pipe can be made")
        self._loop = ffi.gc(created, lib.anjay_cffi_loop_delete)
        anjay = lib.anjay_new(native)
        del keep
        if anjay == ffi.NULL:
            lib.anjay_cffi_loop_close(self._loop)
            raise_pending()
            raise NativeError(-1, "the client was not created")
        self._hold(anjay)
        _trampolines.by_client[int(ffi.cast("uintptr_t", anjay))] = self._events

    # --- what others build on -------------------------------------------------------------------------------

    @property
    def _anjay(self) -> CData:
        """The ``anjay_t *``; ClosedError after close(), which waits until nobody has it in hand.

        So it is passed on at once; whoever needs it for longer takes care that no exception keeps it.
        """
        native = self._native
        if native is None:
            raise ClosedError(self._why_closed)
        return native

    def _hold(self, anjay: CData) -> None:
        """Give the client to callers. What they get is counted by Python; the last one's is told of."""
        self._unused = unused = threading.Lock()
        unused.acquire()
        self._native = ffi.gc(anjay, lambda _: unused.release())

    def _withdraw(self) -> CData:
        """Take the client away from all callers and wait for their calls to end; None if it is closed."""
        native, self._native = self._native, None
        if native is None:
            return None
        anjay = ffi.cast("anjay_t *", native)
        del native
        try:
            if not self._unused.acquire(timeout=LAST_CALLS):
                _trampolines.logger.error("%r is closed while another thread is in a call of it", self)
        except BaseException:  # Ctrl-C: it can be closed again
            self._hold(anjay)
            raise
        return anjay

    def _keep(self, obj: T) -> T:
        """Keep an object until anjay_delete has returned."""
        self._kept.append(obj)
        return obj

    def _wake(self) -> None:
        """Let a waiting loop see what a call has scheduled."""
        lib.anjay_cffi_loop_wake(self._loop)

    def _check(self, result: int, what: str) -> None:
        """After a call of the library: raise what callbacks stored, or NativeError; else wake the loop."""
        raise_pending()
        if result:
            raise NativeError(result, what)
        self._wake()

    @contextmanager
    def _driving(self) -> Iterator[None]:
        """Hold the right to drive the client."""
        self._begin_driving()
        try:
            yield
        finally:
            self._end_driving()

    def _begin_driving(self) -> None:
        self._anjay  # noqa: B018 (raises ClosedError)
        raise_pending()
        log.sync_levels()
        if not self._driven.acquire(blocking=False):
            raise AnjayError("another loop drives this client already")
        self._driving_thread = threading.get_ident()

    def _end_driving(self) -> None:
        self._driving_thread = None
        self._driven.release()

    # --- state ----------------------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """The endpoint name."""
        return self._endpoint

    @property
    def config(self) -> Configuration:
        """The settings it was made from."""
        return self._config

    @property
    def closed(self) -> bool:
        """True after close()."""
        return self._native is None

    def __repr__(self) -> str:
        return f"<Client {self._endpoint!r}{' closed' if self.closed else ''}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self!r} cannot be copied or pickled")

    def on_status(self, callback: StatusT) -> StatusT:
        """Call ``callback(ssid, ServerStatus)`` when a connection changes its state. Can be a decorator."""
        check_function(callback, "the callback")
        self._events.add_status(callback)
        return callback

    # --- data model -----------------------------------------------------------------------------------------

    @property
    def firmware_update(self) -> FirmwareUpdate:
        """The Firmware Update object /5."""
        if self._firmware is None:
            from .fw_update import FirmwareUpdate

            self._firmware = FirmwareUpdate(self)
        return self._firmware

    @overload
    def register(self, obj: type[ObjectT], instances: Iterable[ObjectT] = ()) -> Instances[ObjectT]: ...
    @overload
    def register(self, obj: ObjectT) -> ObjectT: ...
    def register(self, obj: Any, instances: Iterable[Any] = ()) -> Any:
        """Add an ``Object`` to the data model: one instance, or a class with the instances it begins with.

        Returns the instance, or the ``Instances`` of the class.
        """
        from . import instances as _instances

        return _instances.register(self, obj, instances)

    def unregister(self, obj: Object | type[Object] | Instances[Any]) -> None:
        """Take an object and its instances out of the data model. Not from within an object's handler."""
        from . import instances as _instances

        _instances.unregister(self, obj)

    def notify_changed(self, oid: int, iid: int, rid: int) -> None:
        """Say that a resource has another value, so that observing servers are told."""
        ids = check_id(oid, "oid"), check_id(iid, "iid"), check_id(rid, "rid")
        self._check(lib.anjay_notify_changed(self._anjay, *ids), f"/{oid}/{iid}/{rid} was not notified")

    def notify_instances_changed(self, oid: int) -> None:
        """Say that instances of an object came or went."""
        check_id(oid, "oid")
        self._check(lib.anjay_notify_instances_changed(self._anjay, oid), f"/{oid} was not notified")

    def send(
        self,
        values: str | Sample | Iterable[str | Sample],
        *,
        ssid: int | None = None,
        deferrable: bool = False,
        ignore_missing: bool = False,
    ) -> Sending:
        """Send values to a server unasked (LwM2M 1.1), in their order, as one message.

        A path such as ``/3303/0/5700`` (``obj.path("name")``) stands for the current value of a resource, a
        Sample for any value at any time. ``ssid`` may be left out where there is one server. Raises
        SendMuted, or SendOffline, unless ``deferrable``: then a server that is away is waited for. Paths that
        are not there are a NativeError, or left out with ``ignore_missing``. The result says how it went.
        """
        from . import send

        return send.send(self, values, ssid, deferrable, ignore_missing)

    # --- scheduling -----------------------------------------------------------------------------------------

    def call_later(self, delay: float, function: Callable[..., object], *args: object) -> Job:
        """Run ``function(*args)`` in the loop, once, after ``delay`` seconds."""
        return self._schedule(delay, 0.0, function, args)

    def every(self, period: float, function: Callable[..., object], *args: object) -> Job:
        """Run ``function(*args)`` in the loop every ``period`` seconds, first after one period.

        An exception in it is logged, and it is called again after the next period. Periods that were missed
        are left out.
        """
        if not period > 0 or not math.isfinite(period):
            raise ConfigurationError(f"period is {period}, must be a positive number of seconds")
        return self._schedule(period, period, function, args)

    def _schedule(
        self, delay: float, period: float, function: Callable[..., object], args: tuple[object, ...]
    ) -> Job:
        if not math.isfinite(delay) or delay > LATEST:
            raise ConfigurationError(f"delay is {delay}, must be a number of seconds, at most {LATEST:g}")
        check_function(function, "what is to be called")
        anjay = self._anjay
        job = Job(self, function, args, period > 0)
        try:
            job._start(anjay, max(0.0, delay), period)
        except BaseException:
            job._drop()
            raise
        finally:
            del anjay
        return job

    # --- loops ----------------------------------------------------------------------------------------------

    def run(self, max_wait: float = 1.0, *, timeout: float | None = None) -> None:
        """Drive the client in this thread until stop(), or until ``timeout`` seconds have passed.

        No single wait is longer than ``max_wait`` seconds. Ctrl-C ends it at once, with KeyboardInterrupt.
        """
        with self._driving():
            loop.run(self, max_wait, timeout)

    async def serve(self) -> None:
        """Drive the client from the running asyncio loop until stop() or cancellation."""
        from . import aio  # asyncio is a third of what the package would load at start

        self._begin_driving()
        try:
            await aio.serve(self)
        finally:
            self._end_driving()

    def start_thread(self, max_wait: float = 1.0) -> None:
        """Drive the client in a thread of its own; stop() and join() end it."""
        if self._thread is not None and self._thread.is_alive():
            raise AnjayError("another loop drives this client already")
        thread = loop.Background(self, max_wait)
        try:
            thread.begin()
        finally:
            if thread.entered or thread.is_alive():
                self._thread = thread

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the thread; False if it still runs after ``timeout`` seconds. Raises what ended it."""
        thread = self._thread
        if thread is None:
            return True
        return thread.finish(timeout)

    def stop(self) -> None:
        """End the loop that runs, or else the next one. From any thread, callback or signal handler."""
        if self._loop is not None:
            lib.anjay_cffi_loop_stop(self._loop)

    def fileno(self) -> int:
        """A descriptor that is readable when step() has something to do; it stays the same until close()."""
        return loop.call_in_loop(self, self._fileno)

    def _fileno(self) -> int:
        fd = lib.anjay_cffi_loop_fileno(self._loop, self._anjay)
        if fd < 0:
            raise OSError(ffi.errno, "no epoll descriptor can be made")
        return int(fd)

    def sockets(self) -> list[int]:
        """Descriptors of the sockets that the client waits for now; they may change with every step."""
        return loop.call_in_loop(self, self._sockets)

    def _sockets(self) -> list[int]:
        capacity = 8
        while True:
            out = ffi.new("int[]", capacity)
            count = lib.anjay_cffi_loop_sockets(self._loop, self._anjay, out, capacity)
            if count <= capacity:
                return list(out[0:count])
            capacity = count

    def next_deadline(self) -> float | None:
        """Seconds until step() is due even if no descriptor is readable; None if there is no such moment."""
        delay = float(lib.anjay_cffi_time_to_next(self._anjay))
        return None if delay < 0 else delay

    def step(self) -> bool:
        """Do what can be done now, without waiting; False after stop()."""
        with self._driving():
            return self._step()

    def _step(self) -> bool:
        with self._running():
            result = lib.anjay_cffi_loop_step(self._loop, self._anjay)
        raise_pending()
        if result == lib.ANJAY_CFFI_LOOP_ERROR:
            raise OSError(ffi.errno, "the client's sockets cannot be polled")
        return bool(result != lib.ANJAY_CFFI_LOOP_STOPPED)

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Mark that this thread is inside the library, so that close() there can be refused."""
        self._inside = threading.get_ident()
        try:
            yield
        finally:
            self._inside = None

    # --- the end --------------------------------------------------------------------------------------------

    def close(self, *, timeout: float | None = None) -> None:
        """De-register, close all connections and free everything; a second call does nothing.

        Waits for the servers' answers as long as the retransmission parameters say, but at most ``timeout``
        seconds; Ctrl-C ends that wait. A loop in another thread is stopped first; what ended the thread of
        start_thread() is raised, unless join() has done so. Not from within a callback: use stop() there.
        """
        if self._native is None:
            return
        me = threading.get_ident()
        if self._inside == me or lib.anjay_cffi_in_handler():
            raise AnjayError("close() from within a callback: use stop()")
        driver = self._driver
        if driver is None and self._driving_thread == me:
            raise AnjayError("close() while this thread runs the loop, as in a signal handler: use stop()")
        at_rest = driver is not None and driver.finish()
        self.stop()
        with _nothing() if at_rest else self._driven:
            anjay = self._withdraw()
            if anjay is not None:
                self._shut_down(anjay, timeout)
        if self._thread is not None:
            self._thread.finish(None)
        raise_pending()

    def _shut_down(self, anjay: CData, timeout: float | None) -> None:
        for job in list(self._jobs.values()):
            job._drop()
        limit = -1.0 if timeout is None else max(0.0, timeout)
        try:
            with loop.signals_wake(lib.anjay_cffi_loop_signal_fd(self._loop)):
                lib.anjay_cffi_close(self._loop, anjay, limit)
        finally:
            _trampolines.by_client.pop(int(ffi.cast("uintptr_t", anjay)), None)
            for sending in list(self._sendings):  # none, if the library has called all handlers
                sending._end(lib.ANJAY_SEND_ABORT)
            for group in list(self._objects.values()):  # a thread may try to register one
                group._release()
            self._kept.clear()
            self._objects.clear()

    def __enter__(self) -> Self:
        self._anjay  # noqa: B018 (raises ClosedError)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        interrupted = kind is not None and not issubclass(kind, Exception)
        self.close(timeout=INTERRUPTED_CLOSE if interrupted else None)

    def __del__(self) -> None:
        if getattr(self, "_native", None) is not None:
            warnings.warn(
                f"unclosed {self!r}: its native client stays allocated",
                ResourceWarning,
                source=self,
                stacklevel=2,
            )

    def _forked(self) -> None:
        """This is a child made by fork: leave everything to the parent, whose sockets these are."""
        if self._native is not None:
            self._why_closed = "the client belongs to another process: this one was forked from it"
            _left_alone.append((self._loop, list(self._kept), self._objects, self._jobs))
            for group in self._objects.values():
                group._forked()
            self._native = self._loop = None


@contextmanager
def _nothing() -> Iterator[None]:
    yield


_clients: weakref.WeakSet[Client] = weakref.WeakSet()
_left_alone: list[Any] = []
"""What must not be released in a forked child: locks in it may be held by threads that are not there."""


def _after_fork_in_child() -> None:
    for client in list(_clients):
        client._forked()


os.register_at_fork(after_in_child=_after_fork_in_child)
