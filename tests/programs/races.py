# SPDX-License-Identifier: Apache-2.0
"""races.py ROUNDS: threads use a client while its loop runs and it is closed. Alone: a race is a crash."""

from __future__ import annotations

import asyncio
import collections
import faulthandler
import gc
import random
import sys
import threading
import time
from collections.abc import Callable

import anjay_cffi as lwm2m
from anjay_cffi._ffi import live_objects
from tests.python.peer import CON, GET, OBSERVE, PATH, Message, Peer

LIMIT = 30.0
"""Seconds that a server's request may take."""


class Sensor(lwm2m.Object, oid=3303, creatable=True):
    value: float = lwm2m.resource(5700, "RW", default=0.0)

    @lwm2m.resource(5701, "R")
    def units(self) -> str:
        return "C"


class Extra(lwm2m.Object, oid=3304):
    text: str = lwm2m.resource(5700, "RW", default="")


def operations(client: lwm2m.Client, sensors: lwm2m.Instances[Sensor]) -> list[Callable[[], object]]:
    def job() -> None:
        repeated = client.every(0.001, int)
        time.sleep(0.001)
        repeated.cancel()

    def notifier() -> None:
        """Of an object whose instances come and go, and of one that comes and goes itself."""
        extras = client.register(Extra, instances=[Extra(text="x"), Extra(text="y")])
        jobs = [client.every(0.0005, told.notify) for told in (sensors, extras, extras[0], extras[1])]
        extras.add(Extra())
        extras.remove(0)
        time.sleep(0.002)
        client.unregister(Extra)
        time.sleep(0.001)
        for repeated in jobs:
            repeated.cancel()

    def instance() -> None:
        sensors.remove(sensors.add(Sensor()))

    def extra() -> None:
        one = client.register(Extra(text="x"))
        one.text = "y"
        client.unregister(one)

    def assign() -> None:
        sensors[0].value = random.random()

    def update() -> None:
        try:
            client.update_registration(1)
        except lwm2m.NativeError:  # while it is not connected
            assert lwm2m.build_info().provider == "system"

    def lifetime() -> None:
        try:
            client.server.set_lifetime(0, random.randint(50, 90))
        except lwm2m.NativeError:  # the real library refuses one of two threads at once
            assert lwm2m.build_info().provider == "system"

    return [
        job,
        notifier,
        instance,
        extra,
        assign,
        lambda: sensors.notify("units"),
        lambda: sensors[1].notify(),
        lambda: client.notify_changed(3303, 0, 5701),
        lambda: client.call_later(0.001, int),
        lambda: client.send("/3303/0/5700"),
        update,
        lifetime,
        lambda: (client.next_deadline(), client.sockets(), client.registered),
        client.reconnect,
    ]


def serve(client: lwm2m.Client) -> None:
    asyncio.run(client.serve())


def one_round(number: int, unexpected: collections.Counter[str]) -> int:
    """Returns how many operations succeeded."""
    with Peer() as peer:
        client = lwm2m.Client("urn:dev:os:races")
        client.security.add(lwm2m.SecurityInstance(ssid=1, server_uri=peer.uri))
        client.server.add(lwm2m.ServerInstance(ssid=1, lifetime=60))
        sensors = client.register(Sensor, instances=[Sensor(), Sensor()])
        loop = threading.Thread(target=serve, args=(client,), daemon=True)
        if number % 2:
            client.start_thread()
        else:
            loop.start()
        peer.registered(LIMIT)
        peer.ask(GET, "/3303/0/5700", options=[(OBSERVE, b"")])
        over = threading.Event()
        succeeded = [0] * 4

        def use(which: int) -> None:
            choose = random.Random(number * 4 + which)
            todo = operations(client, sensors)
            while not over.is_set():
                operation = choose.choice(todo)
                try:
                    operation()
                    succeeded[which] += 1
                except (lwm2m.ClosedError, lwm2m.SendOffline):
                    pass
                except lwm2m.ConfigurationError as exc:  # two threads register Extra
                    if str(exc) != "/3304 is registered already":
                        unexpected[repr(exc)] += 1
                except Exception as exc:
                    unexpected[repr(exc)] += 1

        threads = [threading.Thread(target=use, args=(which,)) for which in range(4)]
        for thread in threads:
            thread.start()
        try:
            for mid in range(number % 20):  # an answer is not waited for: the object comes and goes
                assert peer.client
                peer.socket.sendto(Message(CON, GET, mid, b"x", [(PATH, b"3304")]).encode(), peer.client)
                time.sleep(0.002)
            client.close(timeout=0.2)
        finally:
            over.set()
        for thread in threads:
            thread.join()
        if loop.ident:
            loop.join()
        return sum(succeeded)


def main() -> None:
    faulthandler.enable()
    sys.setswitchinterval(1e-5)
    unexpected: collections.Counter[str] = collections.Counter()
    succeeded = sum(one_round(number, unexpected) for number in range(int(sys.argv[1])))
    assert succeeded
    assert not unexpected, unexpected
    gc.collect()
    assert live_objects() == 0, live_objects()
    print("whole")


if __name__ == "__main__":
    main()
