# SPDX-License-Identifier: Apache-2.0
"""How long a Read takes while a firmware push runs: ``read_during_push.py [--psk] [MIB]``.

Starts the tutorial as a child process, pushes an image of so many MiB, and sends a Read after every block, so
that each waits behind one. Prints the latencies in microseconds; with PSK they include the server's own DTLS.
"""

from __future__ import annotations

import argparse
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # after the installed anjay_cffi
from tests.python.peer import ACCEPT, BLOCK1, FORMAT, GET, PATH, PUT, Message, number
from tests.wire.dtls import DtlsServer
from tests.wire.server import Server

Send = Callable[[bytes], None]
Receive = Callable[[], bytes]


def request(code: int, path: str, mid: int, options: list[tuple[int, bytes]], payload: bytes = b"") -> bytes:
    """A confirmable request."""
    parts = [(PATH, part.encode()) for part in path.split("/")]
    return Message(0, code, mid, struct.pack("!H", mid), [*parts, *options], payload).encode()


def measure(send: Send, receive: Receive, blocks: int) -> list[float]:
    """Microseconds of each Read."""
    times = []
    for i in range(blocks):
        block = number(i << 4 | (i < blocks - 1) << 3 | 6)
        write = request(PUT, "5/0/0", 2 * i & 0xFFFF, [(FORMAT, number(42)), (BLOCK1, block)], bytes(1024))
        read_mid = (2 * i + 1) & 0xFFFF
        read = request(GET, "3333/0/5506", read_mid, [(ACCEPT, b"")])
        began = time.perf_counter()
        send(write)
        send(read)
        waiting = 2
        while waiting:
            answer = receive()
            if answer[0] >> 4 & 3 != 2:
                continue
            waiting -= 1
            if answer[2:4] == struct.pack("!H", read_mid):
                assert answer[1] == 0x45, answer
                times.append((time.perf_counter() - began) * 1e6)
    return times


def take_over(server: Server) -> tuple[Send, Receive]:
    """From here on the caller's thread is the server."""
    address = server.wait_registered().address
    server._ending = True
    server._thread.join()
    port = server._socket
    assert port is not None
    port.settimeout(5)
    connection = server.sessions[address].connection if isinstance(server, DtlsServer) else None

    def send(data: bytes) -> None:
        if connection is not None:
            connection.send(data)
            data = connection.bio_read(1 << 16)
        port.sendto(data, address)

    def receive() -> bytes:
        data = port.recv(4096)
        if connection is not None:
            connection.bio_write(data)
            data = connection.recv(4096)
        return data

    return send, receive


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--psk", action="store_true", help="DTLS; NoSec without it")
    parser.add_argument("mib", nargs="?", type=float, default=16)
    args = parser.parse_args()
    with (DtlsServer if args.psk else Server)() as server, tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "anjay_cffi.tutorial", "urn:dev:os:bench", "--server", server.uri]
        security = [] if args.psk else ["--nosec"]
        child = subprocess.Popen([*command, *security, "--state-dir", folder], stderr=subprocess.DEVNULL)
        try:
            times = sorted(measure(*take_over(server), int(args.mib * 1024)))
        finally:
            child.kill()
            child.wait()
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    print(f"{len(times)} Reads: median {p50:.0f} us, p99 {p99:.0f} us, longest {times[-1]:.0f} us")


if __name__ == "__main__":
    main()
