# SPDX-License-Identifier: Apache-2.0
"""Nothing grows: many clients one after the other, many at once, many operations on one.

ANJAY_CFFI_SOAK multiplies the numbers; 20 makes them 10,000 clients, 1,000 at once and 1,000,000 operations.

The work is done in windows of equal size, and what counts is the window that grew least: a leak is in every
one of them, whereas what allocators keep for themselves, and what other threads hold just then, is not.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import itertools
import os
import resource
import select
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import anjay_cffi as lwm2m
from anjay_cffi._ffi import live_objects

from .peer import ACCEPT, GET, PATH, PUT, Message, Peer

FACTOR = float(os.environ.get("ANJAY_CFFI_SOAK", "1"))
WINDOWS = 4
LIBC = ctypes.CDLL(None)
SANITIZED = hasattr(LIBC, "__asan_init")
"""ASan keeps what was freed: neither malloc()'s counters nor the resident size say anything then."""


class MallInfo(ctypes.Structure):
    """``struct mallinfo2`` of glibc."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]


class Memory(NamedTuple):
    """What is in use: bytes from malloc(), blocks of Python's allocator, resident bytes."""

    c: int
    python: int
    resident: int


def memory() -> Memory:
    """Measure after a collection; what cannot be measured here is 0."""
    gc.collect()
    allocated = 0
    if not SANITIZED and hasattr(LIBC, "mallinfo2"):
        LIBC.malloc_trim(0)
        LIBC.mallinfo2.restype = MallInfo
        info = LIBC.mallinfo2()
        allocated = info.uordblks + info.hblkhd
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Memory(allocated, sys.getallocatedblocks(), 0 if SANITIZED else pages * resource.getpagesize())


def assert_steady(what: str, work: Callable[[int], None], count: int) -> None:
    """Do ``count`` pieces of work in windows; none may leave a byte behind for each piece.

    The least that malloc() can lose is 32 bytes: half of that for each piece is the bound while there are few
    pieces, because a list or a dict of the interpreter's own may grow in every window, too.
    """
    each = max(1, count // WINDOWS)
    work(max(50, each // 4))  # whatever is made once
    files = descriptors()
    before, growth = memory(), []
    for _ in range(WINDOWS):
        work(each)
        after = memory()
        growth.append(Memory(*(new - old for new, old in zip(after, before, strict=True))))
        before = after
    least = Memory(*(min(window[i] for window in growth) for i in range(3)))
    print(f"{what}: {each} in each of {WINDOWS} windows, growth {growth}")
    assert least.c <= max(each, min(16 * each, 4096)), growth
    assert least.python <= 16 + each // 50, growth  # what is measured here is some blocks, too
    assert least.resident <= max(each, 64 * 1024), growth
    assert descriptors() == files


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class Thing(lwm2m.Object, oid=33555):
    number: int = lwm2m.resource(0, "RW", default=0)
    text: str = lwm2m.resource(1, "RW", default="text")


def make(uri: str, name: str) -> lwm2m.Client:
    client = lwm2m.Client(name, in_buffer_size=1500, out_buffer_size=1500)
    client.security.add(lwm2m.SecurityInstance(ssid=1, server_uri=uri))
    client.server.add(lwm2m.ServerInstance(ssid=1, lifetime=600))
    client.register(Thing())
    return client


@pytest.mark.skipif(SANITIZED, reason="malloc()'s counters say nothing under ASan")
def test_a_leak_is_noticed() -> None:
    LIBC.malloc.restype = ctypes.c_void_p

    def leak(count: int) -> None:
        for _ in range(count):
            LIBC.malloc(24)

    with pytest.raises(AssertionError):
        assert_steady("leaks", leak, 2000)


def test_one_after_the_other(peer: Peer) -> None:
    def some(count: int) -> None:
        for i in range(count):
            client = make(peer.uri, f"urn:dev:os:{i}")
            client.step()
            client.close(timeout=0)
            if i % 50 == 0:  # what the server remembers is not ours
                peer.seen.clear()
        peer.seen.clear()

    assert_steady("clients", some, int(300 * FACTOR) if FACTOR == 1 else int(500 * FACTOR))
    assert live_objects() == 0


def test_many_at_once(peer: Peer) -> None:
    count = int(50 * FACTOR)
    files = descriptors()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 10 * count + 200)), hard))

    async def story() -> None:
        clients = [make(peer.uri, f"urn:dev:os:{i}") for i in range(count)]
        tasks = [asyncio.ensure_future(client.serve()) for client in clients]
        try:
            for _ in range(3000):
                if all(client.registered for client in clients):
                    break
                await asyncio.sleep(0.02)
            assert all(client.registered for client in clients)
            assert len({bytes(m.get(15)[1]) for m in peer.seen if m.path == "/rd"}) == count
        finally:
            for client in clients:
                client.stop()
            await asyncio.gather(*tasks)
            for client in clients:
                client.close(timeout=0)

    asyncio.run(story())
    assert live_objects() == 0
    assert descriptors() == files


def test_many_operations(peer: Peer) -> None:
    client = make(peer.uri, "urn:dev:os:soak")
    client.start_thread()
    peer.registered()
    peer.wait(lambda: client.registered)
    assert peer.client is not None
    address = peer.client
    wire = peer.socket
    peer._ending = True  # from here on this thread is the server
    peer._thread.join()
    wire.setblocking(False)

    mids = itertools.count()

    def some(count: int) -> None:
        for i in range(count):
            code, path, options = (GET, b"0", [(ACCEPT, b"")]) if i % 4 else (PUT, b"1", [(12, b"")])
            payload = b"" if code == GET else str(i).encode()
            parts = [(PATH, b"33555"), (PATH, b"0"), (PATH, path)]
            mid = next(mids) & 0xFFFF  # each of them once before it begins anew (RFC 7252, section 4.4)
            wire.sendto(
                Message(0, code, mid, struct.pack("!H", mid), [*parts, *options], payload).encode(), address
            )
            while True:
                assert select.select([wire], [], [], 10)[0], "no answer"
                try:
                    answer = wire.recv(2000)
                except BlockingIOError:
                    continue
                if answer[0] >> 4 & 3 == 2 and answer[2:4] == struct.pack("!H", mid):
                    assert answer[1] >> 5 == 2
                    break

    assert_steady("operations", some, int(20_000 * FACTOR) if FACTOR == 1 else int(50_000 * FACTOR))
    client.close(timeout=0)
    assert isinstance(wire, socket.socket)
