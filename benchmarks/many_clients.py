# SPDX-License-Identifier: Apache-2.0
"""Many clients in one process and one thread: ``many_clients.py COUNT ENDPOINT URI [IDENTITY KEY]``.

Each has the objects of the tutorial: Security, Server and Time. They connect in groups: a thousand handshakes
at once would be a load that no server likes, and leave the heap in pieces.
"""

from __future__ import annotations

import asyncio
import sys

import anjay_cffi as lwm2m
from anjay_cffi.tutorial.time_object import Clock

GROUP = 20
"""Clients that connect at the same time."""


def make(endpoint: str, uri: str, psk: tuple[str, str] | None) -> lwm2m.Client:
    """One client with its objects."""
    client = lwm2m.Client(endpoint, in_buffer_size=4000, out_buffer_size=4000, msg_cache_size=4000)
    client.security.add(lwm2m.SecurityInstance(ssid=1, server_uri=uri, psk=psk))
    client.server.add(lwm2m.ServerInstance(ssid=1, lifetime=60, binding="U"))
    client.register(Clock, instances=[Clock(application_type="Clock 0")])
    return client


async def main() -> None:
    """Run until killed."""
    count, endpoint, uri = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    psk = (sys.argv[4], sys.argv[5]) if len(sys.argv) > 5 else None
    clients = [make(f"{endpoint}-{i}", uri, psk) for i in range(count)]
    running: list[asyncio.Future[None]] = []
    for start in range(0, count, GROUP):
        group = clients[start : start + GROUP]
        running += [asyncio.ensure_future(client.serve()) for client in group]
        while not all(
            client.registered or task.done() for client, task in zip(group, running[start:], strict=True)
        ):
            await asyncio.sleep(0.01)
    await asyncio.gather(*running)


if __name__ == "__main__":
    asyncio.run(main())
