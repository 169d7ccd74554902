# SPDX-License-Identifier: Apache-2.0
"""``python -m anjay_cffi.devserver``: a server with a shell."""

from __future__ import annotations

import argparse
import asyncio
import sys

from ._needs import need
from .errors import DevServerError
from .server import DevServer


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m anjay_cffi.devserver",
        description="A LwM2M server for the loopback interface, with a shell. Commands may come from a pipe.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; default: %(default)s")
    parser.add_argument("--port", type=int, default=5683, help="of CoAP; 0: a free one; default: %(default)s")
    parser.add_argument(
        "--secure-port", type=int, default=5684, help="of DTLS; 0: a free one; default: %(default)s"
    )
    parser.add_argument(
        "--psk",
        metavar="IDENTITY=KEY",
        action="append",
        help="a client's key, repeatable; default: the tutorial's",
    )
    args = parser.parse_args(argv)
    keys = dict(pair.split("=", 1) for pair in args.psk or ["identity=P4s$w0rd"] if "=" in pair)
    if len(keys) < len(args.psk or []):
        parser.error("--psk takes IDENTITY=KEY, each identity once")
    try:
        return asyncio.run(serve(DevServer(args.host, args.port, args.secure_port, keys=keys)))
    except KeyboardInterrupt:
        return 130
    except (OSError, OverflowError, DevServerError) as exc:
        print(f"{parser.prog}: {exc}", file=sys.stderr)
        return 1


async def serve(server: DevServer) -> int:
    """Run the shell on a server until it ends."""
    need("rich", "prompt_toolkit")
    from .shell import Shell

    async with server:
        return await Shell(server).run()


if __name__ == "__main__":
    sys.exit(main())
