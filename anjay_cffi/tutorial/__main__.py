# SPDX-License-Identifier: Apache-2.0
"""main(): a client with Security, Server, Firmware Update and Time objects, and a job for each second."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anjay_cffi as lwm2m

from . import firmware_update, time_object

SERVER_URI = "coaps://eu.iot.avsystem.cloud:5684"
NOSEC_SERVER_URI = "coap://eu.iot.avsystem.cloud:5683"
CLEAN_UP = 5.0
"""Seconds to wait for the answer to De-register."""


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line; an error prints the usage on stderr and exits with status 2."""
    parser = argparse.ArgumentParser(
        prog="python -m anjay_cffi.tutorial", description="LwM2M client with firmware update."
    )
    parser.add_argument("endpoint", metavar="ENDPOINT", help="endpoint name to register with")
    parser.add_argument("--server", metavar="URI", help=f"default: {SERVER_URI}")
    parser.add_argument("--psk-identity", metavar="TEXT", default="identity", help="default: %(default)s")
    parser.add_argument("--psk-key", metavar="TEXT", default="P4s$w0rd", help="default: %(default)s")
    parser.add_argument("--nosec", action="store_true", help="no DTLS")
    parser.add_argument(
        "--state-dir", metavar="DIR", type=Path, default=Path("/tmp"), help="default: %(default)s"
    )
    parser.add_argument("--lifetime", metavar="SECONDS", type=int, default=60, help="default: %(default)s")
    parser.add_argument("-v", "--verbose", action="store_true", help="log all that the library says")
    return parser.parse_args(argv)


def arguments(args: argparse.Namespace) -> list[str]:
    """The command line again, for the image that takes over."""
    again = [f"--psk-identity={args.psk_identity}", f"--psk-key={args.psk_key}"]
    again += [f"--state-dir={args.state_dir}", f"--lifetime={args.lifetime}"]
    again += [f"--server={args.server}"] if args.server else []
    again += ["--nosec"] if args.nosec else []
    again += ["-v"] if args.verbose else []
    return [*again, "--", args.endpoint] if args.endpoint.startswith("-") else [args.endpoint, *again]


def setup_security_object(client: lwm2m.Client, args: argparse.Namespace) -> None:
    """How to connect to the server."""
    default_uri = NOSEC_SERVER_URI if args.nosec else SERVER_URI
    instance = lwm2m.SecurityInstance(
        ssid=1,
        server_uri=args.server or default_uri,
        psk=None if args.nosec else (args.psk_identity, args.psk_key),
    )
    client.security.add(instance)


def setup_server_object(client: lwm2m.Client, args: argparse.Namespace) -> None:
    """How to behave towards the server."""
    instance = lwm2m.ServerInstance(
        ssid=1,
        lifetime=args.lifetime,
        default_min_period=-1,
        default_max_period=-1,
        disable_timeout=-1,
        binding="U",
    )
    client.server.add(instance)


def stop_on_signals(client: lwm2m.Client) -> None:
    """End the event loop on kill and hang-up, so that the server is told. nohup's wish is left alone."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: client.stop())


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say which step failed."""
    try:
        yield
    except (lwm2m.AnjayError, OSError, ValueError) as exc:
        raise SystemExit(f"tutorial: {what}: {exc}") from exc


def main(argv: list[str] | None = None) -> int:
    """Run the tutorial until a signal ends it; returns the exit status."""
    args = parse(argv)
    try:
        return tutorial(args)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def tutorial(args: argparse.Namespace) -> int:
    """What main() of the C tutorial does, in its order."""
    logging.basicConfig(
        level=logging.DEBUG if args.verbose else logging.INFO, format="%(levelname)s [%(name)s] %(message)s"
    )
    config = lwm2m.Configuration(in_buffer_size=4000, out_buffer_size=4000, msg_cache_size=4000)
    with step("the client could not be created"):
        client = lwm2m.Client(args.endpoint, config=config)
    with client:
        with step("Security object"):
            setup_security_object(client, args)
        with step("Server object"):
            setup_server_object(client, args)
        with step("Firmware Update object"):
            firmware_update.install(client, args.state_dir, arguments(args))
        with step("Time object"):
            clocks = time_object.install(client)
        stop_on_signals(client)
        with step("event loop"):
            client.every(1.0, clocks.notify, "current_time")
            client.run(max_wait=1.0)
        client.close(timeout=CLEAN_UP)
    return 0


if __name__ == "__main__":
    sys.exit(main())
