# SPDX-License-Identifier: Apache-2.0
"""Links and files of others in the place of the image: nothing is followed, overwritten or run."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from anjay_cffi.devserver import firmware
from anjay_cffi.devserver.firmware import Result, State
from anjay_cffi.tutorial import _files, image
from anjay_cffi.tutorial.firmware_update import FirmwareUpdate

from .tutorial import ENDPOINT, Tutorial, is_root, play, refusal, server

IMAGE, MARKER = "firmware_image.bin", "fw-updated-marker"
NOBODY = 65534
only_root = pytest.mark.skipif(not is_root(), reason="only root can make a file of another user")


def _socket(path: Path, _victim: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


def _old(mode: int) -> Callable[[Path, Path], None]:
    def make(path: Path, _victim: Path) -> None:
        path.write_text("old")
        path.chmod(mode)

    return make


THINGS: dict[str, Callable[[Path, Path], None]] = {
    "symlink": lambda path, victim: path.symlink_to(victim),
    "dangling": lambda path, victim: path.symlink_to(victim.with_name("nothing")),
    "hard link": lambda path, victim: os.link(victim, path),
    "fifo": lambda path, _victim: os.mkfifo(path),
    "socket": _socket,
    "for all": _old(0o777),
    "read-only": _old(0o400),
}


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    file = tmp_path / "victim"
    file.write_text("precious")
    file.chmod(0o640)
    return file


@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("umask", ["000", "777"])
def test_of_ours_is_replaced(state: Path, victim: Path, thing: str, umask: str) -> None:
    THINGS[thing](state / IMAGE, victim)

    async def story() -> None:
        prelude = f"import os; os.umask(0o{umask})"
        async with server() as dev, Tutorial.of(dev, state, secure=False, prelude=prelude) as client:
            device = await dev.registered(ENDPOINT)
            new = image.build()
            await firmware.push(device, new)
            assert await firmware.state(device) is State.DOWNLOADED
            status = (state / IMAGE).lstat()
            assert stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o600
            assert status.st_nlink == 1 and (state / IMAGE).read_bytes() == new
            _, result = await firmware.update(device, image.build())
            assert result is Result.SUCCESS
            assert await client.stop() == 0

    play(story)
    assert victim.read_text() == "precious" and stat.S_IMODE(victim.stat().st_mode) == 0o640
    assert not victim.with_name("nothing").exists()


@only_root
@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("name", [IMAGE, MARKER, MARKER + ".new"])
def test_of_another_is_left_alone(state: Path, victim: Path, thing: str, name: str) -> None:
    path = state / name
    THINGS[thing](path, victim)
    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    before = path.lstat()

    async def story() -> None:
        async with server() as dev, Tutorial.of(dev, state, secure=False) as client:
            device = await dev.registered(ENDPOINT)
            assert await firmware.result(device) is Result.INITIAL
            if name == IMAGE:
                assert await refusal(device, image.build())
                assert await firmware.result(device) is Result.NOT_ENOUGH_SPACE
                assert await firmware.state(device) is State.IDLE
            else:
                await firmware.push(device, image.build())
                result = await device.observe(firmware.RESULT, 0)
                await device.execute(firmware.UPDATE)
                while int(str(result.value)) == Result.INITIAL:
                    await result.next(10)
                assert int(str(result.value)) == Result.UPDATE_FAILED
                await result.cancel()
                assert await firmware.state(device) is State.DOWNLOADED
            assert await client.stop() == 0

    play(story)
    after = path.lstat()
    assert (after.st_ino, after.st_mode, after.st_uid, after.st_size, after.st_mtime_ns) == (
        before.st_ino,
        before.st_mode,
        before.st_uid,
        before.st_size,
        before.st_mtime_ns,
    )
    assert victim.read_text() == "precious"
    path.unlink()
    assert {entry.name for entry in state.iterdir()} <= {IMAGE}


def _receive(handler: FirmwareUpdate, data: bytes) -> None:
    handler.stream_open(None, None)
    handler.stream_write(memoryview(data))
    handler.stream_finish()


def _never(*_: object) -> None:
    raise AssertionError("it was started")


def test_two_in_one_directory(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second image takes the name of the first: the first handler does not start it."""
    monkeypatch.setattr(os, "execv", _never)
    first, second = FirmwareUpdate(state, []), FirmwareUpdate(state, [])
    _receive(first, b"the first")
    _receive(second, b"the second")
    with pytest.raises(_files.NotOursError, match=r"not a regular file|another file"):
        first.perform_upgrade()
    assert (state / IMAGE).read_bytes() == b"the second" and [*state.iterdir()] == [state / IMAGE]
    first.reset()
    second.reset()
    assert not [*state.iterdir()]


def test_second_name(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has a link to the image: it is not started."""
    monkeypatch.setattr(os, "execv", _never)
    handler = FirmwareUpdate(state, [])
    _receive(handler, b"x")
    os.link(state / IMAGE, tmp_path / "other")
    with pytest.raises(_files.NotOursError):
        handler.perform_upgrade()
    handler.reset()
    assert not [*state.iterdir()]


def test_nothing_received(state: Path) -> None:
    handler = FirmwareUpdate(state, [])
    handler.reset()
    with pytest.raises(OSError, match="descriptor"):
        handler.perform_upgrade()
    with pytest.raises(OSError, match="no transfer"):
        handler.stream_write(memoryview(b"x"))
    with pytest.raises(OSError, match="no transfer"):
        handler.stream_finish()
    assert not [*state.iterdir()]


def test_directories(state: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(state)
    for path in (state, link):
        _files.check_directory(path)
    for mode in (0o777, 0o770, 0o702):
        state.chmod(mode)
        with pytest.raises(_files.NotOursError, match="sticky"):
            _files.check_directory(link)
    state.chmod(0o1777)
    _files.check_directory(state)
    inner = state / "inner"
    inner.mkdir(0o700)
    _files.check_directory(inner)
    state.chmod(0o777)
    with pytest.raises(_files.NotOursError, match="sticky"):
        _files.check_directory(inner)
    state.chmod(0o700)
    inner.rmdir()
    with pytest.raises(FileNotFoundError):
        _files.check_directory(inner)


@only_root
def test_directory_of_another(state: Path) -> None:
    inner = state / "inner"
    inner.mkdir()
    os.chown(state, NOBODY, NOBODY)
    for path in (state, inner):
        with pytest.raises(_files.NotOursError, match="another user"):
            _files.check_directory(path)
    os.chown(state, 0, 0)
    inner.rmdir()
