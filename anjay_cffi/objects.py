# SPDX-License-Identifier: Apache-2.0
"""LwM2M objects as Python classes: one class an object, one instance of it an Object Instance."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any, ClassVar

from ._ffi import lib
from .errors import AnjayError, ConfigurationError
from .io import ExecuteArgs, ObjectLink, Unsigned
from .resources import ROLES, Resource, execute, resource, stores, validates

if TYPE_CHECKING:
    from typing_extensions import Self

    from .instances import Instances

__all__ = [
    "ExecuteArgs",
    "Object",
    "ObjectLink",
    "Unsigned",
    "execute",
    "resource",
    "stores",
    "validates",
]

_notify = lib.anjay_cffi_notify


class Object:
    """Base of all objects: ``class Clock(Object, oid=3333, version="1.0", creatable=True)``.

    An instance is made with its resources as keywords; ``iid`` chooses the Object Instance ID (else the
    lowest free one). ``creatable`` lets servers create and delete instances: ``create()`` makes them.
    Override ``validate()`` to look at an instance before a server's writes are committed, ``committed()`` to
    act on them, ``deleted()`` to clean up. What a server wrote is taken back by itself if its request fails.
    A copy of an instance, or one that was pickled, is not registered.
    """

    oid: ClassVar[int] = -1
    version: ClassVar[str | None] = None
    creatable: ClassVar[bool] = False
    deletable: ClassVar[bool] = False
    _table: ClassVar[list[Resource]] = []
    _givers: ClassVar[list[Any]] = []
    _names: ClassVar[dict[str, Resource]] = {}
    _notifiable: ClassVar[dict[str, int]] = {}

    def __init_subclass__(
        cls,
        oid: int | None = None,
        version: str | None = None,
        creatable: bool | None = None,
        deletable: bool | None = None,
        **options: Any,
    ) -> None:
        super().__init_subclass__(**options)
        if oid is not None:
            if not 0 <= oid < 65535:
                raise ConfigurationError(f"{oid} is no Object ID (0 to 65534)")
            cls.oid = oid
        if version is not None:
            if not re.fullmatch(r"[0-9]+\.[0-9]+", version):
                raise ConfigurationError(f"version {version!r} is not like '1.0'")
            cls.version = version
        if creatable is not None:
            cls.creatable = cls.deletable = creatable
        if deletable is not None:
            cls.deletable = deletable
        cls._collect()

    @classmethod
    def _collect(cls) -> None:
        """Gather the resources, ascending by id, and find their types."""
        found: dict[int, Resource] = {}
        names: dict[str, Resource] = {}
        for base in reversed(cls.__mro__):
            for name, value in vars(base).items():
                if name in names and value is not names[name]:
                    found.pop(names.pop(name).rid, None)
                if isinstance(value, property) and isinstance(value.fget, Resource):
                    raise ConfigurationError(f"{cls.__name__}.{name}: resource() goes without property()")
                if isinstance(value, Resource):
                    if hasattr(Object, name):
                        raise ConfigurationError(
                            f"{cls.__name__}.{name}: Object itself has something of that name; "
                            "give the resource another one"
                        )
                    if value.rid in found:
                        raise ConfigurationError(f"{cls.__name__}: resource {value.rid} is declared twice")
                    found[value.rid] = names[name] = value
        cls._assign_roles(found, names)
        cls._table = [found[rid] for rid in sorted(found)]
        cls._names = names
        cls._notifiable = {name: declared.rid for name, declared in names.items() if declared.readable}
        for index, declared in enumerate(cls._table):
            if declared.index not in (-1, index):
                raise ConfigurationError(
                    f"{cls.__name__}: a subclass must not put resources between its base's"
                )
            declared.index = index
            declared.resolve(cls)
        cls._givers = [declared.giver() for declared in cls._table]

    @classmethod
    def _assign_roles(cls, found: dict[int, Resource], names: dict[str, Resource]) -> None:
        """Give resources the methods that ``validates()`` and ``stores()`` marked."""
        given: set[tuple[str, str]] = set()
        for method in list(vars(cls).values()):
            for role, name in getattr(method, ROLES, ()):
                if (role, name) in given:
                    raise ConfigurationError(f"{cls.__name__}: two methods for {name!r} in the same role")
                given.add((role, name))
                declared = names.get(name)
                if declared is None or not declared.writable:
                    raise ConfigurationError(
                        f"{cls.__name__} has no resource {name!r} that servers may write"
                    )
                if name not in vars(cls):  # a base's, whose own instances go on without the method
                    declared = found[declared.rid] = names[name] = copy.copy(declared)
                    setattr(cls, name, declared)
                setattr(declared, role, method)

    def __init__(self, *, iid: int | None = None, **values: Any) -> None:
        if type(self).oid < 0:
            raise ConfigurationError(f"class {type(self).__name__} has no oid")
        if iid is not None and not 0 <= iid < 65535:
            raise ConfigurationError(f"{iid} is no Object Instance ID (0 to 65534)")
        self._iid = iid
        self._group: Instances[Any] | None = None
        self._values: list[Any] = [declared.initial() for declared in self._table]
        for name, value in values.items():
            declared = self._names.get(name)
            if declared is None or declared.run is not None or declared.read is not None:
                raise ConfigurationError(f"{type(self).__name__} has no resource {name!r} with a value")
            self._values[declared.index] = declared.checked(value)

    @property
    def iid(self) -> int | None:
        """The Object Instance ID; None as long as none has been chosen."""
        return self._iid

    def path(self, name: str) -> str:
        """The path of a resource, such as ``/3333/0/5506``, for Send; AnjayError before registration."""
        declared = self._names.get(name)
        if declared is None:
            raise ConfigurationError(f"{type(self).__name__} has no resource {name!r}")
        if self._iid is None:
            raise AnjayError(f"{type(self).__name__} is not registered")
        return f"/{type(self).oid}/{self._iid}/{declared.rid}"

    def notify(self, *names: str) -> None:
        """Say that resources given by methods have other values; all of them without a name.

        Does nothing for an instance that is not registered (any more): nobody observes it.
        """
        group = self._group
        client = None if group is None else group._client
        native = None if client is None else client._native
        try:
            for name in names or self._notifiable:
                rid = self._id_to_notify(name)
                if client is not None and native is not None:
                    result = _notify(client._loop, native, self.oid, self._iid, rid)
                    if result:
                        client._check(result, f"{self!r}: {name} was not notified")
        finally:
            del native

    @classmethod
    def _id_to_notify(cls, name: str) -> int:
        rid = cls._notifiable.get(name)
        if rid is None:
            raise ConfigurationError(f"{cls.__name__} has no resource {name!r} to be read")
        return rid

    def reset(self) -> None:
        """Called when a server replaces the instance: gives every writable resource its default."""
        for declared in self._table:
            if declared.writable:
                self._values[declared.index] = declared.initial()

    @classmethod
    def create(cls, iid: int) -> Self:
        """Called when a server creates an instance (``creatable``)."""
        return cls(iid=iid)

    def deleted(self) -> None:
        """Called when a server has deleted the instance, after the commit."""

    def validate(self) -> None:
        """Called before a server's changes are committed; an exception refuses them all."""

    def committed(self) -> None:
        """Called when a server's changes to this instance have been committed; what it raises is logged."""

    def _assign(self, declared: Resource, value: Any) -> None:
        """An assignment by the program."""
        if self._group is not None:
            self._group._before_change(self)
        self._values[declared.index] = value
        if self._group is not None:
            self._group._assigned(self, declared)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_group": None, "_values": list(self._values)}

    def __repr__(self) -> str:
        iid = "?" if self._iid is None else self._iid
        return f"<{type(self).__name__} /{type(self).oid}/{iid}>"
