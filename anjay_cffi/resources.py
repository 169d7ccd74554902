# SPDX-License-Identifier: Apache-2.0
"""Declaring the resources of an object: ``resource()`` and ``execute()`` in a class body."""

from __future__ import annotations

import inspect
import sys
import types
import typing
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, overload

from ._checks import check_function, takes
from ._ffi import CData, lib
from .errors import ConfigurationError, NotFound
from .io import CODECS, Codec, Elements

if typing.TYPE_CHECKING:
    from .objects import Object

MISSING: Any = object()
NOT_FOUND = int(lib.ANJAY_ERR_NOT_FOUND)

_KINDS = {
    "R": (lib.ANJAY_DM_RES_R, lib.ANJAY_DM_RES_RM),
    "W": (lib.ANJAY_DM_RES_W, lib.ANJAY_DM_RES_WM),
    "RW": (lib.ANJAY_DM_RES_RW, lib.ANJAY_DM_RES_RWM),
    "BS_RW": (lib.ANJAY_DM_RES_BS_RW, None),
    "E": (lib.ANJAY_DM_RES_E, None),
}

ROLES = "_anjay_roles"
"""Attribute of a method that names the resources it serves."""

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Resource:
    """A resource of an object class; reading it on an instance gives its value, assigning notifies.

    With a method below it (``@resource(5506, "R")``) the method gives the value whenever a server reads it.
    """

    def __init__(self, rid: int, operations: str, default: Any, kind: Any) -> None:
        if not 0 <= rid < 65535:
            raise ConfigurationError(f"{rid} is no Resource ID (0 to 65534)")
        if operations not in _KINDS:
            raise ConfigurationError(f"operations are {operations!r}, must be one of {', '.join(_KINDS)}")
        self.rid = rid
        self.operations = operations
        self.readable = operations in ("R", "RW")
        self.writable = operations in ("W", "RW")
        self.default = default
        self.declared = kind
        self.name = ""
        self.index = -1
        self.multiple = False
        self.codec: Codec = CODECS[str]
        self.read: Callable[[Any], Any] | None = None
        self.run: Callable[..., Any] | None = None
        self.takes_args = False
        self.check: Callable[[Any, Any], Any] | None = None
        self.store: Callable[[Any, Any], Any] | None = None

    # --- in the class body ----------------------------------------------------------------------------------

    def __call__(self, function: F) -> Resource:
        """Take the method that gives the value."""
        if self.read is not None or self.default is not MISSING:
            raise ConfigurationError(f"resource {self.rid} has a value already; it takes no method")
        _check_method(function, 0, f"the method of resource {self.rid}")
        self.read = function
        self.__doc__ = function.__doc__
        return self

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    # --- when the class is made -----------------------------------------------------------------------------

    def resolve(self, owner: type) -> None:
        """Find the type of the values, and look at the default."""
        if self.operations == "E":
            return
        where = f"{owner.__name__}.{self.name}"
        declared = self.declared if self.declared is not None else annotation_of(owner, self.name, where)
        if declared is MISSING and self.read is not None:
            declared = annotation_of(self.read, "return", where)
        if declared is MISSING and self.default not in (MISSING, None):
            declared = type(self.default)
        value_type, self.multiple = _value_type(declared, where)
        if value_type not in CODECS:
            names = ", ".join(t.__name__ for t in CODECS)
            raise ConfigurationError(f"{where}: {value_type!r} is none of {names}")
        self.codec = CODECS[value_type]
        if self.multiple and _KINDS[self.operations][1] is None:
            raise ConfigurationError(f"{where}: {self.operations} has one value only")
        if self.writable and self.read is not None and self.store is None:
            raise ConfigurationError(f"{where}: a method gives it, so a method must store it: @stores")
        try:
            self.initial()
        except (TypeError, ValueError) as exc:
            raise ConfigurationError(f"{where}: the default does not fit: {exc}") from None

    @property
    def kind(self) -> int:
        """The library's anjay_dm_resource_kind_t."""
        return int(_KINDS[self.operations][self.multiple])

    # --- values ---------------------------------------------------------------------------------------------

    def initial(self) -> Any:
        """The value of a fresh instance; None: the resource is absent."""
        return None if self.default is MISSING else self.checked(self.default)

    def checked(self, value: Any) -> Any:
        """A value that the program assigns, in the form in which it is kept."""
        if value is None:
            return None
        if self.multiple:
            elements = Elements(_elements(value))
            for riid, element in elements.items():
                if not isinstance(riid, int) or not 0 <= riid < 65535:
                    raise ConfigurationError(f"{self.name}: {riid!r} is no Resource Instance ID (0 to 65534)")
                self._check_value(element)
            return elements
        self._check_value(value)
        return value

    def _check_value(self, value: Any) -> None:
        accepts = self.codec.accepts
        if not isinstance(value, accepts) or (isinstance(value, bool) and bool not in accepts):
            names = " or ".join(t.__name__ for t in accepts)
            raise TypeError(f"{self.name} is {names}, not {type(value).__name__}")
        problem = self.codec.problem(value)
        if problem:
            raise ConfigurationError(f"{self.name} is {value!r}: {problem}")

    def current(self, instance: Object) -> Any:
        """The value that a server gets; NotFound if there is none."""
        value = self.read(instance) if self.read is not None else instance._values[self.index]
        if value is None:
            raise NotFound()
        return dict(_elements(value)) if self.multiple else value

    def giver(self) -> Callable[[Object, int, CData], int]:
        """What gives a value to C: ``(instance, riid, ctx)``, with what is known by now already looked up."""
        put, index, read = self.codec.put, self.index, self.read

        def give_kept(instance: Object, _riid: int, ctx: CData) -> int:
            value = instance._values[index]
            return NOT_FOUND if value is None else put(ctx, value)

        def give_computed(instance: Object, _riid: int, ctx: CData) -> int:
            value = read(instance) if read is not None else None
            return NOT_FOUND if value is None else put(ctx, value)

        def give_element(instance: Object, riid: int, ctx: CData) -> int:
            elements = self.current(instance)
            return put(ctx, elements[riid]) if riid in elements else NOT_FOUND

        return give_element if self.multiple else give_kept if read is None else give_computed

    def accept(self, instance: Object, value: Any, riid: int) -> None:
        """Take a value that a server wrote; ``riid`` is -1 for a single one."""
        if self.check is not None:
            replaced = self.check(instance, value)
            if replaced is not None:
                self._check_value(replaced)
                value = replaced
        if self.multiple:
            value = Elements({**(instance._values[self.index] or {}), riid: value})
        self._keep(instance, value)

    def remove(self, instance: Object, riid: int) -> None:
        """Drop one value of several, which a server deleted."""
        elements = self.current(instance)
        if riid not in elements:
            raise NotFound()
        self._keep(instance, Elements({key: value for key, value in elements.items() if key != riid}))

    def _keep(self, instance: Object, value: Any) -> None:
        if self.store is not None:
            self.store(instance, value)
        else:
            instance._values[self.index] = value

    # --- as an attribute ------------------------------------------------------------------------------------

    @overload
    def __get__(self, instance: None, owner: type) -> Resource: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Any: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        if self.run is not None:
            return types.MethodType(self.run, instance)
        if self.read is not None:
            return self.read(instance)
        return instance._values[self.index]

    def __set__(self, instance: Any, value: Any) -> None:
        if self.read is not None or self.run is not None:
            raise AttributeError(f"{self.name} is given by a method")
        instance._assign(self, self.checked(value))


def _elements(value: Any) -> Any:
    if isinstance(value, (str, bytes)):
        raise TypeError(f"a list or dict is wanted, not {type(value).__name__}")
    return value.items() if isinstance(value, dict) else enumerate(value)


def _check_method(function: Any, arguments: int, what: str) -> None:
    check_function(function, what)
    if not takes(function, 1 + arguments):
        wanted = ", ".join(("self", "value")[: 1 + arguments])
        raise ConfigurationError(f"{what} must take ({wanted})")


def annotation_of(holder: Any, name: str, where: str) -> Any:
    """One annotation of a class (or its bases) or of a function, MISSING if there is none.

    The others may name what only type checkers see.
    """
    for scope in getattr(holder, "__mro__", (holder,)):
        try:
            found = inspect.get_annotations(scope).get(name, MISSING)
            if isinstance(found, str):
                names = {**vars(sys.modules.get(scope.__module__, typing)), **vars(scope)}
                return eval(found, names)
        except NameError as exc:
            raise ConfigurationError(f"{where}: its annotation cannot be read ({exc}); give type=") from None
        if found is not MISSING:
            return found
    return MISSING


def _value_type(declared: Any, where: str) -> tuple[type, bool]:
    """The type of the values, and whether there are several: ``dict[int, T]``, ``list[T]``, ``T | None``."""
    if declared is MISSING:
        raise ConfigurationError(f"{where} has no type: annotate it, or give type=")
    origin = typing.get_origin(declared)
    if origin in (typing.Union, types.UnionType):
        rest = [a for a in typing.get_args(declared) if a is not type(None)]
        if len(rest) == 1:
            return _value_type(rest[0], where)
    if origin is dict:
        return typing.get_args(declared)[1], True
    if origin in (list, tuple):
        return typing.get_args(declared)[0], True
    return declared, False


class Computed(Protocol[T_co]):
    """A decorated method for type checkers: the value on an instance, the declaration on the class."""

    @overload
    def __get__(self, instance: None, owner: type) -> Resource: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T_co: ...


class Decorator(Protocol):
    """``resource()`` without a default, above a method."""

    def __call__(self, function: Callable[[Any], T]) -> Computed[T]:
        """Take the method."""
        ...


@overload
def resource(rid: int, operations: str = "R", *, default: T, type: Any = None) -> T: ...
@overload
def resource(rid: int, operations: str = "R", *, type: Any = None) -> Decorator: ...
def resource(rid: int, operations: str = "R", *, default: Any = MISSING, type: Any = None) -> Any:
    """Declare a resource of an ``Object``: an attribute with a default, or above a method that gives it.

    ``operations`` are what servers may do: "R", "W" or "RW" ("BS_RW": only bootstrap servers). The type is
    that of the annotation, of ``type`` or of the default: str, int, Unsigned, float, bool, bytes, datetime or
    ObjectLink; ``dict[int, T]`` (or ``list[T]``) makes a multiple-instance resource, whose value is changed
    by assigning another one. While its value is None the resource is absent.
    """
    if operations == "E":
        raise ConfigurationError(f"resource {rid}: what servers may execute is declared with @execute({rid})")
    return Resource(rid, operations, default, type)


def execute(rid: int) -> Callable[[F], F]:
    """Make the method below a resource that servers may execute; it may take an ``ExecuteArgs``."""

    def decorate(function: F) -> F:
        declared = Resource(rid, "E", MISSING, None)
        check_function(function, f"the method of resource {rid}")
        declared.run = function
        declared.takes_args = takes(function, 2)
        if not declared.takes_args and not takes(function, 1):
            raise ConfigurationError(f"the method of resource {rid} must take (self) or (self, args)")
        declared.__doc__ = function.__doc__
        return typing.cast(F, declared)

    return decorate


def validates(*names: str) -> Callable[[F], F]:
    """Make a method ``(self, value)`` look at what servers write to the resources of these names.

    Raising ValueError or a CoapError refuses the request; a result other than None is stored instead.
    """
    return _mark("check", names)


def stores(name: str) -> Callable[[F], F]:
    """Make a method ``(self, value)`` store what servers write to a resource, instead of the attribute."""
    return _mark("store", (name,))


def _mark(role: str, names: tuple[str, ...]) -> Callable[[F], F]:
    if not names or not all(isinstance(name, str) for name in names):
        raise ConfigurationError("give the names of resources, as in @validates('application_type')")

    def decorate(function: F) -> F:
        _check_method(function, 1, f"the method for {', '.join(names)}")
        roles: list[tuple[str, str]] = vars(function).setdefault(ROLES, [])
        roles += [(role, name) for name in names]
        return function

    return decorate
