# SPDX-License-Identifier: Apache-2.0
"""The firmware handler: takes an image, starts it in its own place, and tells how that ended."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from io import FileIO
from pathlib import Path

import anjay_cffi as lwm2m

from . import _files

IMAGE = "firmware_image.bin"
MARKER = "fw-updated-marker"
WRITE_SIZE = 64 * 1024
"""Bytes of the image that are written to its file at a time."""

log = logging.getLogger(__name__)


class FirmwareUpdate:
    """Methods of ``lwm2m.FirmwareHandler``. ``arguments`` are what the image is started with."""

    def __init__(self, state_dir: Path, arguments: list[str]) -> None:
        self._image = state_dir / IMAGE
        self._marker = state_dir / MARKER
        self._arguments = arguments
        self._file: FileIO | None = None
        self._received = -1
        """Descriptor of the whole image: while it is open, no other file can pass for that one."""

    def stream_open(self, uri: str | None, etag: bytes | None) -> None:
        """A transfer begins. The library makes an Update Result of what the operating system says."""
        self._discard()
        self._file = _files.create(self._image)

    def stream_write(self, data: memoryview) -> None:
        """The next part."""
        try:
            _files.write_all(self._open_file(), data)
        except OSError:
            self._give_up()
            raise

    def stream_finish(self) -> None:
        """The image is complete."""
        try:
            file = self._open_file()
            self._received = _files.open_ours(self._image)
            _files.check_same(file.fileno(), self._image)
            file.close()
        except OSError:
            self._give_up()
            raise
        self._file = None

    def reset(self) -> None:
        """Throw away what there is, if anything."""
        try:
            self._discard()
        except OSError as exc:
            log.warning("not removed: %s", exc)

    def perform_upgrade(self) -> None:
        """Become the image. Returns only by an exception."""
        _files.check_same(self._received, self._image)
        os.fchmod(self._received, 0o700)
        # Any process may find the marker, but it is meant for what exec makes of this one.
        _files.replace(self._marker, process_identity())
        try:
            self._execute()
        except BaseException:
            _files.remove(self._marker)
            raise

    def _execute(self) -> None:
        log.info("starting %s", self._image)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError, OSError, ValueError):  # None, or closed at the other end
                stream.flush()
        # Python ignores these two, and the image would inherit that.
        before = {
            number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGPIPE, signal.SIGXFSZ)
        }
        try:
            os.execv(self._image, [str(self._image), *self._arguments])
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _open_file(self) -> FileIO:
        if self._file is None:
            raise OSError("no transfer is going on")
        return self._file

    def _give_up(self) -> None:
        """Leave nothing behind; that there is something which cannot be removed is no news here."""
        with contextlib.suppress(OSError):
            self._discard()

    def _discard(self) -> None:
        if self._received >= 0:
            received, self._received = self._received, -1
            os.close(received)
        if self._file is not None:
            file, self._file = self._file, None
            file.close()
        _files.remove(self._image)


def process_identity(pid: str = "self") -> str:
    """The same before and after exec, and never again for another process."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    number, _, fields = Path(f"/proc/{pid}/stat").read_text().partition(" ")
    started = fields.rpartition(")")[2].split()[19]
    return f"{number} {started} {boot}\n"


def is_of_another(marker: str) -> bool:
    """Whether a living process other than this one has written it, and will find it when it is the image."""
    pid = marker.partition(" ")[0]
    try:
        return pid.isdecimal() and marker == process_identity(pid) != process_identity()
    except OSError:
        return False


def initial_state(state_dir: Path) -> lwm2m.FirmwareState:
    """How the last upgrade ended, told by the marker, which is removed.

    A marker without content, as the C tutorial leaves it, is a success. One of ours is a success in the
    process that was made by exec; found by any other, the image never ran or did not live to say so.
    """
    result = lwm2m.FirmwareInitial.NEUTRAL
    try:
        marker = _files.read(state_dir / MARKER)
        if marker is not None and not is_of_another(marker):
            _files.remove(state_dir / MARKER)
            ours = marker in ("", process_identity())
            result = lwm2m.FirmwareInitial.SUCCESS if ours else lwm2m.FirmwareInitial.FAILED
        _files.remove(state_dir / (MARKER + ".new"))
    except OSError as exc:
        log.warning("the marker is ignored: %s", exc)
    if result is lwm2m.FirmwareInitial.FAILED:
        log.warning("the last upgrade did not start its image")
    return lwm2m.FirmwareState(result=result)


def install(client: lwm2m.Client, state_dir: Path, arguments: list[str]) -> None:
    """Give the client its Firmware Update object."""
    _files.check_directory(state_dir)
    handler = FirmwareUpdate(state_dir, arguments)
    client.firmware_update.install(handler, initial_state(state_dir), write_size=WRITE_SIZE)
