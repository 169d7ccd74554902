# SPDX-License-Identifier: Apache-2.0
"""What a server's request changes in an object, so that it can be taken back."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ._trampolines import logger

if TYPE_CHECKING:
    from .instances import Instances
    from .objects import Object


class Transaction:
    """Begun by the library before a request changes anything. Used in the loop's thread alone.

    Only what the request and the handlers that it called have changed is restored: other threads may work on
    the same object meanwhile.
    """

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.touched: set[int] = set()
        self._values: dict[int, tuple[Object, list[Any]]] = {}
        self._created: list[Object] = []
        self._deleted: list[Object] = []

    def save(self, instance: Object) -> None:
        """Keep the values of an instance that is about to be changed."""
        if id(instance) not in self._values:
            self._values[id(instance)] = (instance, list(instance._values))

    def touch(self, instance: Object) -> None:
        """A server is about to change an instance, which is validated and committed later."""
        self.save(instance)
        self.touched.add(instance._iid or 0)

    def created(self, instance: Object) -> None:
        """A server made an instance."""
        self._created.append(instance)
        self.touched.add(instance._iid or 0)

    def deleted(self, instance: Object) -> None:
        """A server deleted an instance."""
        self._deleted.append(instance)

    def roll_back(self, group: Instances[Any]) -> None:
        """Put everything back. An id that the program has given away meanwhile stays given away."""
        with group._lock:
            for instance in self._created:
                if group._by_iid.get(instance._iid or 0) is instance:
                    del group._by_iid[instance._iid or 0]
                instance._group = None
            for instance in self._deleted:
                if (instance._iid or 0) not in group._by_iid:
                    group._by_iid[instance._iid or 0] = instance
                    instance._group = group
            for instance, values in self._values.values():
                instance._values = values
            group._publish()

    def commit(self, group: Instances[Any]) -> None:
        """Tell the program. It can refuse nothing any more: what it raises is logged."""
        for instance in self._deleted:
            instance._group = None
        told = [instance.deleted for instance in self._deleted]
        told += [group._by_iid[iid].committed for iid in sorted(self.touched) if iid in group._by_iid]
        for call in told:
            try:
                call()
            except Exception as exc:
                logger.error("%s: %s: %s", call.__qualname__, type(exc).__name__, exc, exc_info=exc)
