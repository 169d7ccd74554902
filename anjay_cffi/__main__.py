# SPDX-License-Identifier: Apache-2.0
"""``python -m anjay_cffi doctor [--json]``: what is inside this installation."""

from __future__ import annotations

import argparse
import json
import os
import sys

from . import __version__
from ._buildinfo import BuildInfo, build_info


def _for_people(info: BuildInfo) -> str:
    rows = [
        ("anjay_cffi", __version__),
        ("provider", info.provider),
        ("Anjay API", info.version),
        ("TLS backend", info.tls),
        ("linked", info.linked),
        ("build type", info.build_type),
        ("Python", info.python),
    ]
    lines = [f"{name:<12} {value}" for name, value in rows]
    lines.append("features")
    lines += [
        f"  {name}" if value is True else f"  {name} = {value}" for name, value in info.features.items()
    ]
    lines.append("not in this build")
    lines += [f"  {name}" for name in info.missing] or ["  (nothing that this package asks for)"]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m anjay_cffi", description="Tools of the package anjay_cffi."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    doctor = commands.add_parser("doctor", help="print provider, version, TLS backend and features")
    doctor.add_argument("--json", action="store_true", help="as JSON, for programs")
    args = parser.parse_args(argv)
    info = build_info()
    if args.json:
        print(json.dumps({"anjay_cffi": __version__, **info.as_dict()}, indent=2))
    else:
        print(_for_people(info))
    return 0


if __name__ == "__main__":
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:  # as with `| head`: what is read was printed
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 1
    sys.exit(status)
