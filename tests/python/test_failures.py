# SPDX-License-Identifier: Apache-2.0
"""What the system or the library refuses becomes an exception, and nothing is left half made."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import anjay_cffi as lwm2m
from anjay_cffi import _builtin, _servers, client, instances, io, jobs, log, loop, objects, send
from anjay_cffi.__main__ import main

from .peer import DELETE, FORMAT, GET, POST, Peer, number

Make = Callable[..., lwm2m.Client]


class Thing(lwm2m.Object, oid=4040, creatable=True, deletable=True):
    flag: bool = lwm2m.resource(0, "RW", default=False)
    many: list[int] | None = lwm2m.resource(1, "R", default=None)
    ran = 0

    @lwm2m.execute(2)
    def go(self) -> None:
        self.ran += 1

    @lwm2m.resource(3)
    def several(self) -> dict[int, int] | None:
        return None if self.flag else {4: 5}


class Lib:
    """The library with some of its functions replaced."""

    def __init__(self, **functions: Callable[..., Any]) -> None:
        self.__dict__.update(functions)

    def __getattr__(self, name: str) -> Any:
        return getattr(lwm2m.lib, name)


def fails(result: Any) -> Callable[..., Any]:
    return lambda *_: result


@contextmanager
def no_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    probe = os.dup(0)
    os.close(probe)
    resource.setrlimit(resource.RLIMIT_NOFILE, (probe, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_no_descriptors() -> None:
    with no_descriptors(), pytest.raises(OSError, match="wake-up pipe") as caught:
        lwm2m.Client("urn:dev:os:1")
    assert caught.value.errno == errno.EMFILE
    with lwm2m.Client("urn:dev:os:1") as one:
        with no_descriptors(), pytest.raises(OSError, match="epoll"):
            one.fileno()
        assert one.fileno() >= 0


def test_close_that_nobody_could_cut_short(peer: Peer, make: Make) -> None:
    """Without a descriptor for that, a limit is kept by not waiting at all: the server is not told."""
    one = make()
    one.start_thread()
    peer.wait(lambda: one.registered)
    one.stop()
    assert one.join(10)
    with no_descriptors():
        one.close(timeout=60)
    assert one.closed
    assert not peer.deregistered()


def test_client_that_the_library_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "lib", Lib(anjay_new=fails(lwm2m.ffi.NULL)))
    with pytest.raises(lwm2m.NativeError, match="not created"):
        lwm2m.Client("urn:dev:os:1")


def test_object_that_the_library_refuses(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    one, thing = make(), Thing()
    for functions, kind in (
        ({"anjay_register_object": fails(-1)}, lwm2m.NativeError),
        ({"anjay_cffi_object_new": fails(lwm2m.ffi.NULL)}, MemoryError),
        ({"anjay_cffi_object_set": fails(-1)}, MemoryError),
    ):
        monkeypatch.setattr(instances, "lib", Lib(**functions))
        with pytest.raises(kind):
            one.register(thing)
        assert thing._group is None
        assert not one._objects
    monkeypatch.undo()
    assert one.register(thing) is thing
    monkeypatch.setattr(objects, "_notify", fails(-5))
    with pytest.raises(lwm2m.NativeError, match="flag was not notified"):
        thing.flag = True


def test_instances_without_memory(peer: Peer, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be published has not come or gone, whoever wanted it."""
    one = make()
    things = one.register(Thing, [Thing()])
    (first,) = things
    second = Thing()
    one.start_thread()
    peer.registered()
    monkeypatch.setattr(instances, "lib", Lib(anjay_cffi_object_set=fails(-1)))
    with pytest.raises(MemoryError):
        things.add(second)
    with pytest.raises(MemoryError):
        things.remove(0)
    assert peer.ask(DELETE, "/4040/0").code == 0xA0
    tlv = (FORMAT, number(11542))
    assert peer.ask(POST, "/4040", b"\x00\x01", [tlv]).code == 0xA0
    assert list(things) == [first]
    assert first._group is things
    assert second._group is None
    assert second.iid is None
    monkeypatch.undo()
    assert peer.ask(GET, "/4040/0/0").code == 0x45
    assert things.add(second).iid == 1
    assert peer.ask(POST, "/4040", b"\x00\x02", [tlv]).code == 0x41
    assert peer.ask(DELETE, "/4040/0").code == 0x42
    assert list(things) == [second, things[2]]


@pytest.mark.skipif("ANJAY_WITH_SEND" not in lwm2m.build_info().features, reason="this build has no Send")
@pytest.mark.parametrize("function", ["builder_new", "builder_compile"])
def test_batch_without_memory(make: Make, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    monkeypatch.setattr(send, "lib", Lib(**{f"anjay_send_batch_{function}": fails(lwm2m.ffi.NULL)}))
    one = make()
    with pytest.raises(MemoryError):
        one.send(lwm2m.Sample("/4040/0/0", True), ssid=1)
    assert not one._sendings


def test_what_is_no_object(make: Make) -> None:
    one = make()

    class Nameless(lwm2m.Object):
        pass

    with pytest.raises(lwm2m.ConfigurationError, match="no oid"):
        Nameless()
    for wrong in (Nameless, object(), int):
        with pytest.raises(lwm2m.ConfigurationError, match="no Object"):
            one.register(wrong)  # type: ignore[call-overload]
    with pytest.raises(lwm2m.ConfigurationError, match="one value only"):
        type("Wrong", (lwm2m.Object,), {"x": lwm2m.resource(0, "BS_RW", default={1: 2}, type=dict[int, int])})


def test_security_and_server_objects_that_fail(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with lwm2m.Client("urn:dev:os:1") as one:
        assert one.server.ssids == []
        failing = Lib(anjay_security_object_install=fails(-1), anjay_server_object_install=fails(-1))
        monkeypatch.setattr(_builtin, "lib", failing)
        for target in (one.security, one.server):
            with pytest.raises(lwm2m.NativeError, match="cannot be installed"):
                target.install()
        monkeypatch.undo()
        assert not one.security.modified
        one.security.add(lwm2m.SecurityInstance(ssid=4, server_uri="coap://127.0.0.1"), iid=0)
        with pytest.raises(lwm2m.NativeError, match="server 5 was not added"):
            one.security.add(lwm2m.SecurityInstance(ssid=5, server_uri="coap://127.0.0.1"), iid=0)
        for iid in (-1, 65535):
            with pytest.raises(lwm2m.ConfigurationError, match="Instance ID"):
                one.server.add(lwm2m.ServerInstance(ssid=2), iid=iid)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"server_uri": "coap://a\0b"}, "NUL"),
        ({"server_uri": "coaps://a", "psk": "ab"}, "psk"),
        ({"server_uri": "coaps://a", "psk": ("ab",)}, "psk"),
        ({"server_uri": "coaps://a", "psk": ("ab", b"")}, "psk"),
        ({"server_uri": "coaps://a", "psk": ("", b"k")}, "psk"),
        ({"server_uri": "coap://a", "matching_type": 256}, "matching_type"),
        ({"server_uri": "coap://a", "certificate_usage": -1}, "certificate_usage"),
        ({"server_uri": "coap://a", "server_name_indication": "a\0b"}, "server_name_indication"),
    ],
)
def test_wrong_security(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(lwm2m.ConfigurationError, match=words):
        lwm2m.SecurityInstance(ssid=1, **fields)


def test_polling_that_fails(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    one = make()
    failed = fails(lwm2m.lib.ANJAY_CFFI_LOOP_ERROR)
    monkeypatch.setattr(loop, "lib", Lib(anjay_cffi_loop_run=failed))
    monkeypatch.setattr(client, "lib", Lib(anjay_cffi_loop_step=failed))

    def in_a_thread() -> None:
        one.start_thread()
        one.join(10)

    for call in (one.run, one.step, in_a_thread, lambda: asyncio.run(one.serve())):
        with pytest.raises(OSError, match="cannot be polled"):
            call()
    monkeypatch.undo()
    one.run(timeout=0.01)


def test_many_sockets_are_listed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def sockets(_loop: Any, _anjay: Any, out: Any, capacity: int) -> int:
        for n in range(min(capacity, 20)):
            out[n] = n
        return 20

    one = make()
    monkeypatch.setattr(client, "lib", Lib(anjay_cffi_loop_sockets=sockets))
    assert one.sockets() == list(range(20))


def test_thread_that_does_not_start(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    one = make()

    def no_thread(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    with pytest.raises(RuntimeError):
        one.start_thread()
    monkeypatch.undo()
    assert one.join()
    with one._driving(), pytest.raises(lwm2m.AnjayError, match="another loop"):
        one.start_thread()
    assert one.join()
    one.run(timeout=0.01)


@pytest.mark.parametrize("late", [False, True])
def test_ctrl_c_while_a_thread_starts(make: Make, monkeypatch: pytest.MonkeyPatch, late: bool) -> None:
    """The thread may be there already: then it drives the client until it is told to stop."""
    one = make()
    start = threading.Thread.start
    running = threading.Event()
    one.call_later(0, running.set)

    def interrupted(self: threading.Thread) -> None:
        start(self)
        if late:
            assert running.wait(10)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        one.start_thread()
    monkeypatch.undo()
    if late:
        with pytest.raises(lwm2m.AnjayError, match="another loop"):
            one.step()
    one.stop()
    assert one.join(10)
    one.close()


def test_join_without_a_thread(make: Make) -> None:
    assert make().join()


def test_job_without_memory(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    one = make()
    monkeypatch.setattr(jobs, "_job_new", fails(lwm2m.ffi.NULL))
    with pytest.raises(MemoryError):
        one.call_later(1, print)
    assert not one._jobs


def test_moments_that_datetime_does_not_have() -> None:
    far = lwm2m.ffi.new("avs_time_real_t *", {"since_real_epoch": {"seconds": 2**60, "nanoseconds": 0}})
    assert _servers._moment(far[0]) is None
    assert _servers._moment(lwm2m.lib.AVS_TIME_REAL_INVALID) is None


def test_bootstrap_request_without_a_server(make: Make) -> None:
    with pytest.raises(lwm2m.AnjayError):
        make().request_bootstrap()


def test_lines_that_nobody_wants(caplog: pytest.LogCaptureFixture) -> None:
    name = lwm2m.ffi.new("char[]", b"some\xffwhere")
    text = lwm2m.ffi.new("char[]", b"caf\xc3\xa9 \xff")
    target = logging.getLogger(f"{log.PREFIX}.some\N{REPLACEMENT CHARACTER}where")
    target.setLevel(logging.ERROR)
    log.emit(2, name, text)
    assert not caplog.records
    log.emit(77, name, text)  # a level that no version has yet
    assert caplog.records[0].getMessage() == "caf\N{LATIN SMALL LETTER E WITH ACUTE} \\xff"
    assert log._native_level(60) == 5


def test_reads_of_several_values(peer: Peer, make: Make) -> None:
    one = make()
    thing = one.register(Thing())
    one.start_thread()
    peer.registered()
    assert peer.ask(GET, "/4040/0/3").code == 0x45
    assert peer.ask(GET, "/4040/0/1").code == 0x84
    thing.flag = True
    assert peer.ask(GET, "/4040/0/3").code == 0x84
    assert peer.ask(2, "/4040/0/2").code == 0x44
    thing.go()
    assert thing.ran == 2


def test_one_value_of_several_is_removed(make: Make) -> None:
    """Servers can do this from LwM2M 1.2 on."""
    from anjay_cffi import _dm_trampolines as dm

    class Many(lwm2m.Object, oid=4041):
        values: dict[int, int] = lwm2m.resource(0, "RW", default={1: 2, 3: 4})

    many = make().register(Many())
    group = many._group
    assert group is not None
    assert dm.dm_transaction(group._handle, dm.BEGIN) == 0
    with pytest.raises(lwm2m.NotFound):
        dm.dm_remove_element(group._handle, 0, 0, 9)
    assert dm.dm_remove_element(group._handle, 0, 0, 1) == 0
    assert many.values == {3: 4}
    assert dm.dm_transaction(group._handle, dm.ROLLBACK) == 0
    assert many.values == {1: 2, 3: 4}
    assert type(many.values) is io.Elements


def test_functions_without_a_signature(make: Make) -> None:
    from anjay_cffi._checks import takes

    assert takes(print, 3)
    assert takes(dict.fromkeys, 2)
    make().call_later(60, int).cancel()


def test_doctor_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    assert '"provider"' in capsys.readouterr().out
