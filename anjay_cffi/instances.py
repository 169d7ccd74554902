# SPDX-License-Identifier: Apache-2.0
"""The Object Instances of a registered object, and how an object comes into the data model and out of it."""

from __future__ import annotations

import contextlib
import threading
import typing
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import _dm_trampolines as _dm
from . import loop
from ._checks import check_type
from ._ffi import CData, ffi, lib
from ._transaction import Transaction
from .errors import AnjayError, ClosedError, ConfigurationError, NativeError, NotFound
from .objects import Object
from .resources import Resource

if TYPE_CHECKING:
    from .client import Client

_notify_all = lib.anjay_cffi_notify_all

ObjectT = TypeVar("ObjectT", bound=Object)


class _ByIid(dict[int, Any]):
    """Instances by id; what a server asks for and is gone is 4.04."""

    def __missing__(self, iid: int) -> Any:
        raise NotFound(f"instance {iid}")


class Instances(Generic[ObjectT]):
    """The Object Instances of a registered object: iterate, index by id, ``add()`` and ``remove()``.

    All of it may be used from any thread.
    """

    __slots__ = (
        "__weakref__",
        "_by_iid",
        "_client",
        "_cls",
        "_givers",
        "_handle",
        "_lock",
        "_native",
        "_notices",
        "_ordered",
        "_transaction",
        "_version",
        "_writing",
    )

    def __init__(self, client: Client, cls: type[ObjectT]) -> None:
        self._client: Client | None = client
        self._cls = cls
        self._lock = threading.RLock()
        self._by_iid: dict[int, ObjectT] = _ByIid()
        self._ordered: tuple[ObjectT, ...] = ()
        self._writing: tuple[ObjectT, Resource] | None = None
        self._transaction: Transaction | None = None
        self._givers = cls._givers
        self._handle = ffi.new_handle(self)
        self._native = self._make_native()
        self._notices: tuple[tuple[weakref.ref[CData], ObjectT | None], ...] = ()
        """Of jobs that notify without Python: all instances, or one."""

    def _make_native(self) -> CData:
        cls = self._cls
        table = cls._table
        flags = lib.ANJAY_CFFI_READS * any(r.readable for r in table)
        flags |= lib.ANJAY_CFFI_WRITES * any(r.writable for r in table)
        flags |= lib.ANJAY_CFFI_EXECUTES * any(r.operations == "E" for r in table)
        flags |= lib.ANJAY_CFFI_MULTIPLE * any(r.multiple for r in table)
        flags |= lib.ANJAY_CFFI_REMOVES * any(r.multiple and r.writable for r in table)
        flags |= lib.ANJAY_CFFI_CREATES * cls.creatable | lib.ANJAY_CFFI_DELETES * cls.deletable
        self._version = ffi.NULL if cls.version is None else ffi.new("char[]", cls.version.encode())
        rids, kinds = ffi.new("uint16_t[]", [r.rid for r in table]), bytes(r.kind for r in table)
        native = lib.anjay_cffi_object_new(
            self._handle, cls.oid, self._version, flags, rids, ffi.from_buffer("uint8_t[]", kinds), len(table)
        )
        if native == ffi.NULL:
            raise MemoryError
        return ffi.gc(native, lib.anjay_cffi_object_delete)

    # --- what the program does ------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._by_iid)

    def __iter__(self) -> Iterator[ObjectT]:
        return iter(self._ordered)

    def __getitem__(self, iid: int) -> ObjectT:
        found = self._by_iid.get(iid)
        if found is None:
            raise KeyError(iid)
        return found

    def __reduce__(self) -> Any:
        raise TypeError(f"{self!r} cannot be copied or pickled; its instances can")

    def __repr__(self) -> str:
        return f"<Instances of {self._cls.__name__} /{self._cls.oid}: {', '.join(map(str, self._by_iid))}>"

    def __contains__(self, item: object) -> bool:
        return item in self._by_iid or any(item is instance for instance in self._by_iid.values())

    def add(self, instance: ObjectT) -> ObjectT:
        """Add an instance; it gets the lowest free id unless it has one. Servers are told."""
        self._put(instance)
        self._instances_changed()
        return instance

    def notify(self, *names: str) -> None:
        """``notify()`` of every instance: ``client.every(1.0, clocks.notify, "current_time")``."""
        for name in names:
            self._cls._id_to_notify(name)
        for instance in self._ordered:
            Object.notify(instance, *names)

    def remove(self, instance: ObjectT | int) -> ObjectT:
        """Take an instance (or the one with an id) away. Servers are told. KeyError if it is not there."""
        check_type(instance, (int, Object), "the instance")
        with self._lock:
            iid = instance if isinstance(instance, int) else instance.iid
            found = self._by_iid.get(-1 if iid is None else iid)
            if found is None or (not isinstance(instance, int) and found is not instance):
                raise KeyError(instance)
            self._take(typing.cast(int, iid))
            found._group = None
        self._instances_changed()
        return found

    # --- what the wrapper does ------------------------------------------------------------------------------

    def _insert(self, instance: ObjectT) -> int | None:
        """Returns the id that the instance had before."""
        if type(instance) is not self._cls:
            raise TypeError(f"{instance!r} is no {self._cls.__name__}")
        if instance._group is not None:
            raise AnjayError(f"{instance!r} is registered already")
        iid = before = instance._iid
        if iid is None:
            iid = next(i for i in range(65535) if i not in self._by_iid)
        elif iid in self._by_iid:
            raise ConfigurationError(f"/{self._cls.oid}/{iid} exists")
        instance._iid = iid
        instance._group = self
        self._by_iid[iid] = instance
        return before

    def _put(self, instance: ObjectT) -> None:
        """Insert and publish; neither, if that fails."""
        with self._lock:
            iid = self._insert(instance)
            try:
                self._publish()
            except BaseException:
                del self._by_iid[typing.cast(int, instance._iid)]
                instance._iid, instance._group = iid, None
                raise

    def _take(self, iid: int) -> ObjectT | None:
        """Delete and publish; neither, if that fails. None if there is no such instance."""
        with self._lock:
            instance = self._by_iid.pop(iid, None)
            if instance is not None:
                try:
                    self._publish()
                except BaseException:
                    self._by_iid[iid] = instance
                    raise
            return instance

    def _forked(self) -> None:
        """This is a child made by fork; the instances go on as plain objects."""
        self._lock = threading.RLock()
        self._native = self._client = None

    def _release(self) -> None:
        """The library knows the object no more. Freed when no thread has it in hand."""
        with self._lock:
            self._native = self._client = None
            self._review_notices()

    def _entrust(self, notice: CData, instance: ObjectT | None) -> None:
        """C is going to notify with this until the object, or its instance, is gone."""
        with self._lock:
            self._notices = (*self._notices, (weakref.ref(notice), instance))
            self._review_notices()

    def _review_notices(self) -> None:
        kept = []
        for ref, instance in self._notices:
            notice = ref()
            gone = instance is not None and self._by_iid.get(instance._iid or 0) is not instance
            if notice is not None and (gone or self._native is None):
                notice.object = ffi.NULL
            elif notice is not None:
                kept.append((ref, instance))
        self._notices = tuple(kept)

    def _publish(self) -> None:
        """Hand the set of instances to the C side, which answers the lists from it."""
        iids = sorted(self._by_iid)
        ordered = tuple(self._by_iid[iid] for iid in iids)
        if self._native is not None:
            table = self._cls._table
            present = bytes(_dm.is_present(instance, declared) for instance in ordered for declared in table)
            if lib.anjay_cffi_object_set(
                self._native, ffi.new("uint16_t[]", iids), ffi.from_buffer("uint8_t[]", present), len(iids)
            ):
                raise MemoryError
        self._ordered = ordered
        if self._notices:
            self._review_notices()

    def _present(self, instance: ObjectT, declared: Resource) -> None:
        """A value came or went."""
        with self._lock:
            if self._native is not None:
                there = _dm.is_present(instance, declared)
                lib.anjay_cffi_object_set_present(self._native, instance._iid, declared.index, there)

    def _before_change(self, instance: ObjectT) -> None:
        """An instance is going to be changed: by a handler within a transaction, if in the loop's thread."""
        transaction = self._transaction
        if transaction is not None and transaction.thread == threading.get_ident():
            transaction.save(instance)

    def _assigned(self, instance: ObjectT, declared: Resource) -> None:
        self._present(instance, declared)
        writing = self._writing  # what a server writes, the library notifies itself
        if writing is not None and writing[0] is instance and writing[1] is declared:
            return
        if declared.readable:
            Object.notify(instance, declared.name)

    def _instances_changed(self) -> None:
        client = self._client
        if client is not None:
            with contextlib.suppress(ClosedError):
                client.notify_instances_changed(self._cls.oid)


def _prepare_notify(function: Any, names: tuple[str, ...]) -> tuple[Callable[[], None], CData] | None:
    """What a repeated job does instead of calling ``notify()``: all that can be found out before, is.

    C does it without this function, which it only calls when that fails.
    """
    target: Instances[Any] | Object = function.__self__
    instance = target if isinstance(target, Object) else None
    group: Instances[Any] | None = target._group if isinstance(target, Object) else target
    client = None if group is None else group._client
    if group is None or client is None:
        return None
    iid = lib.ANJAY_ID_INVALID if instance is None else instance._iid
    rids = [group._cls._id_to_notify(name) for name in names or group._cls._notifiable]
    native = group._native  # stays for as long as the job, whose notice C may have in hand
    parts = {"loop": client._loop, "anjay": client._anjay, "object": native or ffi.NULL}
    notice = ffi.new("anjay_cffi_notice_t *", {**parts, "iid": iid, "count": len(rids), "rids": rids})
    del parts
    group._entrust(notice, instance)

    def notify() -> None:
        anjay = client._native  # in hand, so that it stays
        if notice.object == ffi.NULL:
            function(*names)
        elif anjay is not None and native is not None:
            result = _notify_all(notice)
            if result:
                anjay = None
                client._check(result, f"{target!r} was not notified")

    return notify, notice


Object.notify._prepare = Instances.notify._prepare = _prepare_notify  # type: ignore[attr-defined]


def register(client: Client, obj: Any, instances: Iterable[Any] = ()) -> Any:
    """What ``client.register()`` does: an instance, or a class with the instances that it begins with.

    Returns the instance, or the ``Instances`` of a class.
    """
    cls = obj if isinstance(obj, type) else type(obj)
    if not issubclass(cls, Object) or cls.oid < 0:
        raise ConfigurationError(f"{obj!r} is no Object, or its class has no oid")
    client._anjay  # noqa: B018 (raises ClosedError)
    if cls.oid in client._objects:
        raise ConfigurationError(f"/{cls.oid} is registered already")
    group: Instances[Any] = Instances(client, cls)
    if not isinstance(obj, type) and instances:
        raise ConfigurationError("instances= goes with a class, not with an instance")
    first = list(instances) if isinstance(obj, type) else [obj]
    if client._objects.setdefault(cls.oid, group) is not group:  # another thread was faster
        raise ConfigurationError(f"/{cls.oid} is registered already")
    anjay = None
    try:
        anjay = client._anjay
        for instance in first:
            group._insert(instance)
        group._publish()
        if lib.anjay_register_object(anjay, lib.anjay_cffi_object_def(group._native)):
            raise NativeError(-1, f"/{cls.oid} was not registered")
    except BaseException:
        for instance in first:
            if getattr(instance, "_group", None) is group:
                instance._group = None
        group._release()
        client._objects.pop(cls.oid, None)
        raise
    finally:
        del anjay
    client._check(0, "")
    return group if isinstance(obj, type) else obj


def unregister(client: Client, obj: Any) -> None:
    """What ``client.unregister()`` does: takes an instance's class, a class or its ``Instances`` away."""
    cls = obj._cls if isinstance(obj, Instances) else obj if isinstance(obj, type) else type(obj)
    client._anjay  # noqa: B018 (raises ClosedError)
    if lib.anjay_cffi_in_handler():
        raise AnjayError("unregister() from within a handler: client.call_later(0, client.unregister, ...)")
    group = client._objects.get(getattr(cls, "oid", -1))
    if group is None or group._cls is not cls:
        client._anjay  # noqa: B018 (raises ClosedError where another thread has closed it by now)
        raise ConfigurationError(f"{obj!r} is not registered")
    # not here, if the loop is another thread's: it may be within a handler of the object
    loop.call_in_loop(client, lambda: _unregister(client, group))


def _unregister(client: Client, group: Instances[Any]) -> None:
    anjay = client._anjay
    try:
        if client._objects.get(group._cls.oid) is not group:
            raise ConfigurationError(f"{group!r} is not registered")
        result = lib.anjay_unregister_object(anjay, lib.anjay_cffi_object_def(group._native))
        client._check(result, f"/{group._cls.oid} was not unregistered")
        del client._objects[group._cls.oid]
        for instance in group:
            instance._group = None
        group._release()
    finally:
        del anjay
