# SPDX-License-Identifier: Apache-2.0
"""What the Security and the Server object have in common: the library implements both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from ._buildinfo import require
from ._checks import check_type
from ._ffi import CData, ffi, lib
from .errors import ConfigurationError

if TYPE_CHECKING:
    from .client import Client


class _Instance(Protocol):
    @property
    def ssid(self) -> int: ...
    def native(self) -> tuple[CData, list[CData]]: ...


InstanceT = TypeVar("InstanceT", bound=_Instance)


class BuiltIn(Generic[InstanceT]):
    """An object of the library's own; installed at the first use."""

    _name: ClassVar[str]
    """In the names of the C functions."""
    _kind: ClassVar[type]

    def __init__(self, client: Client) -> None:
        self._client = client
        self._installed = False

    def _call(self, operation: str, *args: Any) -> Any:
        return getattr(lib, f"anjay_{self._name}_object_{operation}")(self._client._anjay, *args)

    def install(self) -> None:
        """Install the object; done by add() too."""
        if not self._installed:
            require(f"ANJAY_WITH_MODULE_{self._name.upper()}")
            self._client._check(self._call("install"), f"the {self._name.title()} object cannot be installed")
            self._installed = True

    def add(self, instance: InstanceT, iid: int | None = None) -> int:
        """Add an instance and return its Instance ID; a free one is chosen unless given."""
        check_type(instance, self._kind, "the instance")
        if iid is not None and not 0 <= iid < 65535:
            raise ConfigurationError(f"{iid} is no Object Instance ID (0 to 65534)")
        self.install()
        native, keep = instance.native()
        inout = ffi.new("anjay_iid_t *", lib.ANJAY_ID_INVALID if iid is None else iid)
        result = self._call("add_instance", native, inout)
        del keep
        self._client._check(
            result, f"the {self._name.title()} instance of server {instance.ssid} was not added"
        )
        return int(inout[0])

    def purge(self) -> None:
        """Remove all instances."""
        self.install()
        self._call("purge")
        self._client._check(0, "")

    @property
    def modified(self) -> bool:
        """True if the instances changed since they were last persisted or restored."""
        return self._installed and bool(self._call("is_modified"))
