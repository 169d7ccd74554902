# SPDX-License-Identifier: Apache-2.0
"""How long a Read takes while a firmware push runs: ``read_during_push.py [MIB]``.

Starts the tutorial as a child process over NoSec, pushes an image of so many MiB, and sends a Read after
every block, so that each waits behind one. Prints the latencies in microseconds.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.python.peer import ACCEPT, BLOCK1, FORMAT, GET, PATH, PUT, Message, Peer, number


def request(code: int, path: str, mid: int, options: list[tuple[int, bytes]], payload: bytes = b"") -> bytes:
    """A confirmable request."""
    parts = [(PATH, part.encode()) for part in path.split("/")]
    return Message(0, code, mid, struct.pack("!H", mid), [*parts, *options], payload).encode()


def measure(wire: socket.socket, client: tuple[str, int], blocks: int) -> list[float]:
    """Microseconds of each Read."""
    times = []
    for i in range(blocks):
        block = number(i << 4 | (i < blocks - 1) << 3 | 6)
        write = request(PUT, "5/0/0", 2 * i & 0xFFFF, [(FORMAT, number(42)), (BLOCK1, block)], bytes(1024))
        read_mid = (2 * i + 1) & 0xFFFF
        read = request(GET, "3333/0/5506", read_mid, [(ACCEPT, b"")])
        began = time.perf_counter()
        wire.sendto(write, client)
        wire.sendto(read, client)
        waiting = 2
        while waiting:
            answer = wire.recv(2000)
            if answer[0] >> 4 & 3 != 2:
                continue
            waiting -= 1
            if answer[2:4] == struct.pack("!H", read_mid):
                times.append((time.perf_counter() - began) * 1e6)
    return times


def main() -> None:
    """Run it."""
    mib = float(sys.argv[1]) if len(sys.argv) > 1 else 16
    with Peer() as peer, tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "anjay_cffi.tutorial", "urn:dev:os:bench", "--server", peer.uri]
        child = subprocess.Popen([*command, "--nosec", "--state-dir", folder], stderr=subprocess.DEVNULL)
        try:
            peer.registered()
            peer.wait(lambda: peer.client)
            peer._ending = True  # from here on this thread is the server
            peer._thread.join()
            peer.socket.settimeout(5)
            assert peer.client is not None
            times = sorted(measure(peer.socket, peer.client, int(mib * 1024)))
        finally:
            child.kill()
            child.wait()
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    print(f"{len(times)} Reads: median {p50:.0f} us, p99 {p99:.0f} us, longest {times[-1]:.0f} us")


if __name__ == "__main__":
    main()
