# SPDX-License-Identifier: Apache-2.0
"""What C calls for values of objects. ``handle``: an ``Instances``; ``index``: a resource of the class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._ffi import CData, ffi, lib
from ._trampolines import coap_result, trampoline
from ._transaction import Transaction
from .errors import BadRequest
from .io import Elements, get_execute_args

if TYPE_CHECKING:
    from .objects import Object
    from .resources import Resource

INTERNAL = lib.ANJAY_ERR_INTERNAL
NOT_FOUND = lib.ANJAY_ERR_NOT_FOUND
BEGIN, VALIDATE, COMMIT, ROLLBACK = range(4)

_from_handle = ffi.from_handle


def is_present(instance: Object, declared: Resource) -> bool:
    """Whether servers see the resource; one given by a method always is."""
    return (
        declared.run is not None or declared.read is not None or instance._values[declared.index] is not None
    )


def write_result(exc: Exception) -> int | None:
    """A value that conversion or the program refused (ValueError) is a bad request."""
    code = coap_result(exc)
    return BadRequest().anjay_error if code is None and isinstance(exc, ValueError) else code


def _touch(group: Any, instance: Object) -> None:
    """Before a server changes an instance. The library begins a transaction for every request that does."""
    if group._transaction is not None:
        group._transaction.touch(instance)


@trampoline(INTERNAL, coap_result, "dm_read")
def dm_read(handle: CData, iid: int, index: int, riid: int, ctx: CData) -> int:
    """Give a value."""
    group = _from_handle(handle)
    result: int = group._givers[index](group._by_iid[iid], riid, ctx)
    return result


@trampoline(INTERNAL, write_result, "dm_write")
def dm_write(handle: CData, iid: int, index: int, riid: int, ctx: CData) -> int:
    """Take a value."""
    group = _from_handle(handle)
    declared, instance = group._cls._table[index], group._by_iid[iid]
    value = declared.codec.get(ctx)
    _touch(group, instance)
    group._writing = (instance, declared)
    try:
        declared.accept(instance, value, riid)
    finally:
        group._writing = None
    group._present(instance, declared)
    return 0


@trampoline(INTERNAL, coap_result, "dm_execute")
def dm_execute(handle: CData, iid: int, index: int, ctx: CData) -> int:
    """Run a method."""
    group = _from_handle(handle)
    declared = group._cls._table[index]
    args = get_execute_args(ctx)
    if declared.takes_args:
        declared.run(group._by_iid[iid], args)
    else:
        declared.run(group._by_iid[iid])
    return 0


@trampoline(INTERNAL, coap_result, "dm_riids")
def dm_riids(handle: CData, iid: int, index: int, ctx: CData) -> int:
    """List the instances of a resource."""
    group = _from_handle(handle)
    declared, instance = group._cls._table[index], group._by_iid[iid]
    value: Any = declared.current(instance) if is_present(instance, declared) else {}
    for riid in sorted(value):
        lib.anjay_dm_emit(ctx, riid)
    return 0


@trampoline(INTERNAL, write_result, "dm_reset")
def dm_reset(handle: CData, iid: int, index: int) -> int:
    """A server replaces an instance, or (``index`` not -1) all values of a resource."""
    group = _from_handle(handle)
    instance = group._by_iid[iid]
    _touch(group, instance)
    if index < 0:
        instance.reset()
    else:
        instance._values[index] = Elements()
    for declared in group._cls._table:
        group._present(instance, declared)
    return 0


@trampoline(INTERNAL, write_result, "dm_remove_element")
def dm_remove_element(handle: CData, iid: int, index: int, riid: int) -> int:
    """A server deletes one value of a multiple-instance resource."""
    group = _from_handle(handle)
    declared, instance = group._cls._table[index], group._by_iid[iid]
    _touch(group, instance)
    group._writing = (instance, declared)
    try:
        declared.remove(instance, riid)
    finally:
        group._writing = None
    group._present(instance, declared)
    return 0


@trampoline(INTERNAL, write_result, "dm_create")
def dm_create(handle: CData, iid: int) -> int:
    """A server creates an instance."""
    group = _from_handle(handle)
    instance = group._cls.create(iid)
    if instance.iid != iid:
        raise RuntimeError(f"create({iid}) returned an instance with another iid")
    group._put(instance)
    if group._transaction is not None:
        group._transaction.created(instance)
    return 0


@trampoline(INTERNAL, coap_result, "dm_delete")
def dm_delete(handle: CData, iid: int) -> int:
    """A server deletes an instance."""
    group = _from_handle(handle)
    instance = group._take(iid)
    if instance is None:
        return int(NOT_FOUND)
    if group._transaction is not None:
        group._transaction.deleted(instance)
    return 0


@trampoline(INTERNAL, write_result, "dm_transaction")
def dm_transaction(handle: CData, what: int) -> int:
    """Begin, validate, commit or roll back what a request changes."""
    group = _from_handle(handle)
    if what == BEGIN:
        group._transaction = Transaction()
        return 0
    transaction = group._transaction
    if transaction is None:
        return 0
    if what == VALIDATE:
        for iid in sorted(transaction.touched):
            if iid in group._by_iid:
                group._by_iid[iid].validate()
        return 0
    group._transaction = None
    if what == ROLLBACK:
        transaction.roll_back(group)
    else:
        transaction.commit(group)
    return 0
