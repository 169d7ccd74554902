# SPDX-License-Identifier: Apache-2.0
"""A request that fails leaves nothing, and takes nothing away that others did meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

import anjay_cffi as lwm2m

from .peer import DELETE, FORMAT, POST, PUT, Peer, number

Make = Callable[..., lwm2m.Client]
TEXT = [(FORMAT, number(0))]
TLV = [(FORMAT, number(11542))]


class Tank(lwm2m.Object, oid=4020, creatable=True):
    level: int = lwm2m.resource(0, "RW", default=0)
    limit: int = lwm2m.resource(1, "RW", default=100)
    warnings: int = lwm2m.resource(2, "R", default=0)

    during: Callable[[], object] = staticmethod(lambda: None)
    events: list[str] = []

    @lwm2m.validates("level")
    def _noticed(self, value: int) -> None:
        self.warnings += 1  # undone with the write

    def validate(self) -> None:
        thread = threading.Thread(target=type(self).during)
        thread.start()
        thread.join()
        if self.level > self.limit:
            raise ValueError("full")

    def committed(self) -> None:
        self.events.append(f"committed {self.iid}")
        if self.level == 77:
            raise RuntimeError("after the fact")

    def deleted(self) -> None:
        self.events.append(f"deleted {self.iid}")
        raise RuntimeError("clean-up")


@pytest.fixture
def tanks(peer: Peer, make: Make) -> Iterator[lwm2m.Instances[Tank]]:
    client = make()
    Tank.events = []
    tanks = client.register(Tank, [Tank(iid=0), Tank(iid=1, level=5)])
    client.start_thread()
    peer.registered()
    yield tanks
    Tank.during = staticmethod(lambda: None)
    client.close(timeout=0.2)


def test_what_handlers_did_is_undone(peer: Peer, tanks: lwm2m.Instances[Tank]) -> None:
    assert peer.ask(PUT, "/4020/0/0", b"101", TEXT).code == 0x80
    assert (tanks[0].level, tanks[0].warnings) == (0, 0)
    assert peer.ask(PUT, "/4020/0/0", b"50", TEXT).code == 0x44
    assert (tanks[0].level, tanks[0].warnings) == (50, 1)


def test_what_other_threads_did_stays(peer: Peer, tanks: lwm2m.Instances[Tank]) -> None:
    def meanwhile() -> None:
        tanks[1].level = 7
        if 5 not in tanks:
            tanks.add(Tank(iid=5, level=3))

    Tank.during = staticmethod(meanwhile)
    assert peer.ask(PUT, "/4020/0/0", b"101", TEXT).code == 0x80
    assert tanks[0].level == 0
    assert tanks[1].level == 7
    assert tanks[5].level == 3
    tanks.remove(5)
    assert list(tanks) == [tanks[0], tanks[1]]


def test_a_refused_create_leaves_nothing(peer: Peer, tanks: lwm2m.Instances[Tank]) -> None:
    code = peer.ask(POST, "/4020", bytes.fromhex("08 03 03 c1 00 7f".replace(" ", "")), TLV).code
    assert code == 0x80
    assert 3 not in tanks
    with pytest.raises(KeyError):
        tanks[3]


def test_all_are_told_of_a_commit(
    peer: Peer, tanks: lwm2m.Instances[Tank], caplog: pytest.LogCaptureFixture
) -> None:
    assert peer.ask(PUT, "/4020/0/0", b"77", TEXT).code == 0x44
    assert "after the fact" in caplog.text
    assert peer.ask(DELETE, "/4020/1").code == 0x42
    assert "clean-up" in caplog.text
    assert Tank.events == ["committed 0", "deleted 1"]
    assert 1 not in tanks


def test_an_instance_that_is_gone_is_not_found(peer: Peer, tanks: lwm2m.Instances[Tank]) -> None:
    from anjay_cffi import _dm_trampolines as dm

    tanks.remove(1)
    for call in (
        lambda: dm.dm_read(tanks._handle, 1, 0, -1, lwm2m.ffi.NULL),
        lambda: dm.dm_write(tanks._handle, 1, 0, -1, lwm2m.ffi.NULL),
        lambda: dm.dm_reset(tanks._handle, 1, -1),
    ):
        with pytest.raises(lwm2m.NotFound):
            call()
    assert dm.dm_delete(tanks._handle, 1) == lwm2m.lib.ANJAY_ERR_NOT_FOUND
    assert dm.dm_transaction(tanks._handle, dm.COMMIT) == 0
