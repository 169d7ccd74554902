# SPDX-License-Identifier: Apache-2.0
"""Every test ends with the native objects and descriptors that it began with."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import anjay_cffi as lwm2m
from anjay_cffi._ffi import live_objects

from .peer import Peer


def descriptors() -> dict[str, str]:
    """Open descriptors of this process and what they are."""
    found = {}
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found[entry.name] = str(entry.readlink())
        except OSError:
            continue
    return found


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """No native object, descriptor or thread is left by a test."""
    gc.collect()
    objects, files, threads = live_objects(), set(descriptors()), threading.active_count()
    yield
    gc.collect()
    assert live_objects() == objects
    left = {number: name for number, name in descriptors().items() if number not in files}
    assert not left
    end = time.monotonic() + 20
    while threading.active_count() > threads and time.monotonic() < end:
        time.sleep(0.01)
    assert threading.active_count() <= threads
    assert os.getpid()


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as server:
        yield server


@pytest.fixture
def make(peer: Peer) -> Iterator[Callable[..., lwm2m.Client]]:
    """Make a client of the peer; closed at the end."""
    made: list[lwm2m.Client] = []

    def client(uri: str | None = None, **fields: object) -> lwm2m.Client:
        new = lwm2m.Client("urn:dev:os:test", **fields)
        made.append(new)
        new.security.add(lwm2m.SecurityInstance(ssid=1, server_uri=uri or peer.uri))
        new.server.add(lwm2m.ServerInstance(ssid=1, lifetime=60))
        return new

    yield client
    for new in made:
        new.close(timeout=0.2)
