# SPDX-License-Identifier: Apache-2.0
"""Many clients in one process and one thread: ``many_clients.py COUNT ENDPOINT URI [IDENTITY KEY]``.

Each has the objects of the tutorial, Security, Server and Time, and its notify job of every second. One epoll
drives them all; asyncio would do it too, and adds what it loads to the process. They connect in groups: a
thousand handshakes at once would be a load that no server likes, and leave the heap in pieces.
"""

from __future__ import annotations

import heapq
import select
import sys
import time

import anjay_cffi as lwm2m
from anjay_cffi.tutorial.time_object import Clock

GROUP = 20
"""Clients that connect at the same time."""


def make(endpoint: str, uri: str, psk: tuple[str, str] | None) -> lwm2m.Client:
    """One client with its objects."""
    client = lwm2m.Client(endpoint, in_buffer_size=4000, out_buffer_size=4000, msg_cache_size=4000)
    client.security.add(lwm2m.SecurityInstance(ssid=1, server_uri=uri, psk=psk))
    client.server.add(lwm2m.ServerInstance(ssid=1, lifetime=60, binding="U"))
    clocks = client.register(Clock, instances=[Clock(application_type="Clock 0")])
    client.every(1.0, clocks.notify, "current_time")
    return client


class Loop:
    """Drives clients from one epoll."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._clients: dict[int, lwm2m.Client] = {}
        self._due: list[tuple[float, int]] = []  # of some clients former moments, too
        self._next: dict[int, float] = {}  # the moment that counts

    def add(self, client: lwm2m.Client) -> None:
        """Drive one more."""
        fd = client.fileno()
        self._clients[fd] = client
        self._epoll.register(fd, select.EPOLLIN)
        self._step(fd)

    def _step(self, fd: int) -> None:
        client = self._clients[fd]
        client.step()
        deadline = client.next_deadline()
        if deadline is not None:
            due = time.monotonic() + deadline
            if due < self._next.get(fd, float("inf")):
                self._next[fd] = due
                heapq.heappush(self._due, (due, fd))

    def turn(self) -> None:
        """Wait for something to do, and do it."""
        wait = max(0.0, self._due[0][0] - time.monotonic()) if self._due else 1.0
        for fd, _ in self._epoll.poll(wait):
            self._step(fd)
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            due, fd = heapq.heappop(self._due)
            if self._next[fd] == due:
                self._next[fd] = float("inf")
                self._step(fd)


def main() -> None:
    """Run until killed."""
    count, endpoint, uri = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    psk = (sys.argv[4], sys.argv[5]) if len(sys.argv) > 5 else None
    loop = Loop()
    for start in range(0, count, GROUP):
        group = [make(f"{endpoint}-{i}", uri, psk) for i in range(start, min(start + GROUP, count))]
        for client in group:
            loop.add(client)
        while not all(client.registered for client in group):
            loop.turn()
    while True:
        loop.turn()


if __name__ == "__main__":
    main()
