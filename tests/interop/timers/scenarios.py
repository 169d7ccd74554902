# SPDX-License-Identifier: Apache-2.0
"""How long the client waits: each scenario lets a timer run and notes the seconds between datagrams.

    python -m tests.interop.timers.scenarios OUT.json    # with whatever provider is installed

All random factors are 1, so that the intervals are the same every time.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anjay_cffi as lwm2m

from ...python.peer import ACK, POST, PUT, QUERY, RST, Message
from ...wire.dtls import DtlsServer, is_client_hello
from ...wire.server import (
    Address,
    Seen,
    Server,
    everything,
    is_register,
    is_update,
)

Intervals = list[float]
PARAMS = lwm2m.UdpTxParams(ack_timeout=1.0, ack_random_factor=1.0, max_retransmit=2)
"""MAX_TRANSMIT_SPAN 3 s, MAX_TRANSMIT_WAIT 7 s."""
PATIENCE = 30.0


class Thing(lwm2m.Object, oid=33000):
    value: int = lwm2m.resource(0, "RW", default=0)


class Handshakes(DtlsServer):
    """Notes when datagrams arrive, and loses those that ``lose_datagram`` is true of."""

    def __init__(self) -> None:
        self.times: list[tuple[float, bytes]] = []
        self.lose_datagram: Callable[[bytes], bool] = lambda _data: False
        super().__init__()

    def datagram(self, data: bytes, source: Address) -> None:
        self.times.append((time.monotonic(), data))
        if not self.lose_datagram(data):
            super().datagram(data, source)


def gaps(times: list[float]) -> Intervals:
    return [round(b - a, 2) for a, b in itertools.pairwise(times)]


def between(seen: list[Seen]) -> Intervals:
    return gaps([one.at for one in seen])


@contextmanager
def client(server: Server, **server_fields: Any) -> Iterator[lwm2m.Client]:
    """A client of the server that runs in a thread; registered unless the server does not let it."""
    fields: dict[str, Any] = {
        "lifetime": 86400,
        "communication_retry_timer": 1,
        "communication_retry_count": 50,
    }
    configuration = server_fields.pop("configuration", {})
    if server.secure:  # else the real library leaves a server alone that it could not connect to
        configuration["connection_error_is_registration_failure"] = True
    new = lwm2m.Client("urn:dev:os:timers", udp_tx_params=PARAMS, **configuration)
    try:
        psk = ("identity", b"P4s$w0rd") if server.secure else None
        new.security.add(lwm2m.SecurityInstance(ssid=1, server_uri=server.uri, psk=psk))
        new.server.add(lwm2m.ServerInstance(ssid=1, **{**fields, **server_fields}))
        new.start_thread()
        yield new
    finally:
        server.lose_in = server.lose_out = lambda _message: False
        new.close(timeout=0.5)


def register_unanswered() -> Intervals:
    """Retransmissions of Register, and after the last the next try."""
    with Server() as server:
        server.lose_in = everything
        with client(server):
            return between(server.wait_for(is_register, 5, timeout=PATIENCE)[:5])


def register_refused() -> Intervals:
    """Tries of a Register that is answered by 5.00."""
    with Server() as server:
        server.script = lambda m: Message(ACK, 0xA0, m.mid, m.token)
        with client(server):
            return between(server.wait_for(is_register, 4, timeout=PATIENCE)[:4])


def update_unanswered() -> Intervals:
    """Retransmissions of an Update."""
    with Server() as server, client(server) as new:
        server.wait_registered()
        wait_until(lambda: new.registered)
        server.lose_in = everything
        new.call_later(0.1, new.update_registration)
        return between(server.wait_for(is_update, 3, timeout=PATIENCE)[:3])


def updates(lifetime: int, count: int) -> Intervals:
    """Register, and the Updates that renew it by themselves."""
    with Server() as server, client(server, lifetime=lifetime):
        server.wait_registered()
        return between(
            server.wait_for(lambda m: is_register(m) or is_update(m), count, timeout=PATIENCE)[:count]
        )


def disabled() -> Intervals:
    """Executed Disable with a timeout of 2 s: until the next Register."""
    with Server() as server, client(server, disable_timeout=2) as new:
        server.wait_registered()
        wait_until(lambda: new.registered)
        server.ask(POST, "/1/0/4")
        gone = server.wait_for(lambda m: m.code == 4, timeout=PATIENCE)[0]
        back = server.wait_for(is_register, 2, timeout=PATIENCE)[1]
        return between([gone, back])


def observed(
    attributes: list[str],
    count: int,
    act: Callable[[Thing], None],
    *,
    answered: bool = True,
    **configuration: Any,
) -> Intervals:
    """Notifications about a Resource with these attributes, with ``act`` done every 0.1 s."""
    with Server() as server, client(server, configuration=configuration) as new:
        thing = Thing()
        new.register(thing)
        server.wait_registered()
        wait_until(lambda: new.registered)
        for attribute in attributes:
            server.ask(PUT, "/33000/0/0", b"", [(QUERY, attribute.encode())])
        server.on_notification = ACK if answered else -1
        server.observe("/33000/0/0", b"obs")
        since = len(server.seen)
        end = time.monotonic() + PATIENCE
        while len(found := server.notifications(b"obs", since)) < count and time.monotonic() < end:
            act(thing)
            time.sleep(0.1)
        server.on_notification = RST
        return between(found[:count])


def change(thing: Thing) -> None:
    thing.value += 1


def keep(_thing: Thing) -> None:
    """Changes nothing."""


def change_once(thing: Thing) -> None:
    thing.value = 1


def handshake(
    lose: Callable[[bytes], bool], which: Callable[[bytes], bool], count: int, **limits: float
) -> Intervals:
    """Flights of a DTLS handshake that are lost: ``count`` datagrams that ``which`` is true of."""
    with Handshakes() as server:
        server.lose_datagram = lose
        configuration = {"dtls_handshake_timeouts": lwm2m.DtlsHandshakeTimeouts(**limits)} if limits else {}
        with client(server, configuration=configuration):
            wait_until(lambda: sum(which(data) for _, data in server.times) >= count)
            server.lose_datagram = lambda _data: False  # the real library waits for the end of a handshake
        return gaps([at for at, data in server.times if which(data)][:count])


def is_key_exchange(data: bytes) -> bool:
    """The first datagram of the client's second flight that is no ClientHello: a ClientKeyExchange."""
    return data[0] == 22 and len(data) > 13 and data[13] == 16


def wait_until(what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > end:
            raise TimeoutError("the scenario does not go on")
        time.sleep(0.005)


SCENARIOS: dict[str, Callable[[], Intervals]] = {
    "register unanswered": register_unanswered,
    "register refused": register_refused,
    "update unanswered": update_unanswered,
    "updates with a lifetime of 4 s": lambda: updates(4, 3),
    "updates with a lifetime of 12 s": lambda: updates(12, 2),
    "updates with a lifetime of 20 s": lambda: updates(20, 2),
    "disable for 2 s": disabled,
    "pmin 1 s, a change every 0.1 s": lambda: observed(["pmin=1"], 4, change),
    "pmin 1 s and pmax 2 s, no change": lambda: observed(["pmin=1", "pmax=2"], 4, keep),
    "pmin 0 s and pmax 3 s, one change": lambda: observed(["pmin=0", "pmax=3"], 3, change_once),
    "confirmable notification unanswered": lambda: observed(
        ["pmin=0"], 3, change_once, answered=False, confirmable_notifications=True
    ),
    "handshake, nobody there": lambda: handshake(lambda _data: True, is_client_hello, 4),
    "handshake, timeouts 1 to 2 s": lambda: handshake(
        lambda _data: True, is_client_hello, 4, min=1.0, max=2.0
    ),
    "handshake, second flight lost": lambda: handshake(
        lambda data: not is_client_hello(data), is_key_exchange, 3, min=1.0, max=4.0
    ),
}


def play(names: list[str] | None = None) -> dict[str, Intervals]:
    """All scenarios, side by side in time."""
    chosen = {name: run for name, run in SCENARIOS.items() if names is None or name in names}
    with ThreadPoolExecutor(len(chosen)) as pool:
        running = {name: pool.submit(run) for name, run in chosen.items()}
        return {name: future.result() for name, future in running.items()}


def main() -> None:
    """Write a record."""
    lines = [f" {json.dumps(name)}: {json.dumps(intervals)}" for name, intervals in play().items()]
    Path(sys.argv[1]).write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
