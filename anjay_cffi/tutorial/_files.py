# SPDX-License-Identifier: Apache-2.0
"""Files under known names in a directory that others may write to, such as /tmp.

Nothing here follows a link, opens a file of another user, or removes one.
"""

from __future__ import annotations

import contextlib
import os
import stat
from io import FileIO
from pathlib import Path

_OPEN = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
SMALL = 4096


class NotOursError(OSError):
    """Something is in the way that must not be touched."""


def check_directory(path: Path) -> None:
    """Refuse a directory in which others could exchange our files, or which they could exchange itself."""
    real = path.resolve(strict=True)
    if not real.is_dir():
        raise NotADirectoryError(f"{path} is not a directory")
    trusted = (os.geteuid(), Path("/").stat().st_uid)
    for folder in (real, *real.parents):
        status = folder.stat()
        if status.st_uid not in trusted:
            raise NotOursError(f"{folder} belongs to another user")
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX:
            raise NotOursError(f"{folder} is writable by others without being sticky")


def check_ours(fd: int, path: Path) -> os.stat_result:
    """Refuse an open file that is not a regular one, ours alone, under one name."""
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_nlink != 1:
        raise NotOursError(f"{path} is not a regular file of this user")
    return status


def remove(path: Path) -> None:
    """Remove our file, or our link, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        if path.lstat().st_uid != os.geteuid():
            raise NotOursError(f"{path} belongs to another user")
        path.unlink()


def create(path: Path) -> FileIO:
    """A new file that nobody else can read, in the place of ours if there is one; nothing is buffered."""
    remove(path)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, 0o600)
    os.fchmod(fd, 0o600)  # whatever the umask is
    return FileIO(fd, "wb")


def write_all(file: FileIO, data: bytes | memoryview) -> None:
    """What is written to a disk that is nearly full may be a part, and only the next write says why."""
    written = file.write(data)
    while written < len(data):
        data = data[written:]
        written = file.write(data)


def open_ours(path: Path) -> int:
    """A descriptor for reading our file."""
    fd = os.open(path, os.O_RDONLY | _OPEN)
    try:
        check_ours(fd, path)
    except BaseException:
        os.close(fd)
        raise
    return fd


def check_same(fd: int, path: Path) -> None:
    """Refuse a name that has come to mean another file than the open one."""
    if not os.path.samestat(check_ours(fd, path), path.lstat()):
        raise NotOursError(f"{path} is another file now")


def replace(path: Path, text: str) -> None:
    """Write a small file so that it appears under its name with its whole content, or not at all."""
    new = path.with_name(path.name + ".new")
    try:
        with create(new) as file:
            write_all(file, text.encode())
            os.fsync(file.fileno())  # after a power cut, too
        if path.is_symlink() or path.exists():
            remove(path)
        new.rename(path)
    except BaseException:
        remove(new)
        raise


def read(path: Path) -> str | None:
    """Content of our small file; None if there is none. NotOursError for what is not ours."""
    try:
        fd = open_ours(path)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise NotOursError(f"{path}: {exc.strerror or exc}") from exc
    try:
        return os.read(fd, SMALL).decode("utf-8", "replace")
    finally:
        os.close(fd)
