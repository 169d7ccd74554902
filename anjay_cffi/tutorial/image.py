# SPDX-License-Identifier: Apache-2.0
"""``python -m anjay_cffi.tutorial.image OUT``: a firmware image that is the tutorial as installed here.

The image is a script for this interpreter, executable by itself. It takes the arguments of the tutorial,
which can therefore start it in its own place.
"""

from __future__ import annotations

import argparse
import os
import sys
import uuid
from pathlib import Path

import anjay_cffi

# The first lines are a shell script that starts Python: a #! line can hold neither a long path nor blanks.
# The image lies where others may put files: its directory must not be searched for modules.
_SCRIPT = """\
#!/bin/sh
'''exec' {python} "$0" "$@"
' '''
# Firmware image of anjay_cffi.tutorial, version {version}, build {build}
import sys
here = __file__.rpartition("/")[0]
sys.path[:] = [entry for entry in sys.path if entry not in (here, "")]
if {package!r} not in sys.path:
    sys.path.insert(0, {package!r})
from anjay_cffi.tutorial.__main__ import main
sys.exit(main())
"""


LARGEST = 1024 << 20
"""Bytes that fit into 2**20 blocks of 1024, which is all that block numbers can count (RFC 7959, 2.2)."""


def size_in_bytes(text: str) -> int:
    """Type of the option --size; ValueError for what cannot be pushed."""
    size = int(text)
    if not 0 <= size <= LARGEST:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to {LARGEST}")
    return size


def build(size: int = 0) -> bytes:
    """An image of at least ``size`` bytes, exactly so many if that is enough. No two are the same."""
    package = Path(anjay_cffi.__file__).resolve().parent.parent
    python = "'" + sys.executable.replace("'", "'\"'\"'") + "'"
    version = anjay_cffi.__version__
    script = _SCRIPT.format(python=python, version=version, build=uuid.uuid4().hex, package=str(package))
    image = script.encode(sys.getfilesystemencoding(), "surrogateescape")
    line = b"#" * 99 + b"\n"
    missing = max(0, size - len(image))
    return image + line * (missing // 100) + b"#" * (missing % 100)


def write(path: Path, size: int = 0) -> int:
    """Write an executable image in the place of what was there; returns its size in bytes."""
    image = build(size)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755)
        with os.fdopen(fd, "wb") as file:
            file.write(image)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    return len(image)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m anjay_cffi.tutorial.image", description="Write a firmware image of the tutorial."
    )
    parser.add_argument("out", metavar="OUT", type=Path, help="file to write")
    parser.add_argument(
        "--size", metavar="BYTES", type=size_in_bytes, default=0, help="pad the image up to this"
    )
    args = parser.parse_args(argv)
    try:
        size = write(args.out, args.size)
    except (OSError, MemoryError) as exc:
        print(f"{parser.prog}: {exc or 'out of memory'}", file=sys.stderr)
        return 1
    print(f"{args.out}: {size} bytes, anjay_cffi {anjay_cffi.__version__}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
