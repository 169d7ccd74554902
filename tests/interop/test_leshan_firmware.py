# SPDX-License-Identifier: Apache-2.0
"""Leshan pushes firmware."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from .lines import CLIENT
from .pairs import Pair


def _image(path: Path, size: int) -> bytes:
    """A program that starts the client anew, as new firmware."""
    text = (
        f"#!{sys.executable}\nimport os, sys\n"
        f"os.execv(sys.executable, [sys.executable, {str(CLIENT)!r}, *sys.argv[1:], '--updated'])\n#"
    ).encode()
    data = text + b"x" * (size - len(text) - 1) + b"\n"
    path.write_bytes(data)
    return data


def _values(pair: Pair) -> tuple[int, int]:
    return pair.read("/5/0/3", "TEXT")["value"], pair.read("/5/0/5", "TEXT")["value"]


def _firmware(pair: Pair, size: int, name: str) -> None:
    image = pair.folder / "to-push"
    data = _image(image, size)
    pair.ask("observe", "/5/0/3", format="TLV")
    answer = pair.ask("push", "/5/0/0", format=name, file=str(image))
    assert answer["code"] == "CHANGED", answer
    assert pair.client.event("downloaded")[2] == size
    while pair.notification("/5/0/3")["content"]["value"] != 2:
        pass
    assert _values(pair) == (2, 0)
    received = pair.folder / "image"
    assert received.read_bytes() == data and stat.S_ISREG(received.stat().st_mode)
    assert pair.ask("execute", "/5/0/2")["code"] == "CHANGED"
    pair.event("registered")
    started = pair.client.event("started")
    while not started[3]:
        started = pair.client.event("started")
    assert _values(pair) == (0, 1)


@pytest.mark.parametrize("size", [1000, 1024, 1025, 200_000])
def test_firmware(own: Pair, size: int) -> None:
    _firmware(own, size, "OPAQUE")


def test_firmware_as_tlv(own: Pair) -> None:
    _firmware(own, 50_000, "TLV")


def test_firmware_in_small_blocks(small: Pair) -> None:
    _firmware(small, 20_000, "OPAQUE")


def test_firmware_refused(own: Pair, tmp_path: Path) -> None:
    image = tmp_path / "bad"
    image.write_bytes(b"no script" * 500)
    # all of it arrived, so that the Write succeeds; what is wrong with it is for Update Result to say
    assert own.ask("push", "/5/0/0", format="OPAQUE", file=str(image))["code"] == "CHANGED"
    assert _values(own) == (0, 6)
    # an empty Package URI resets the state machine
    own.write("/5/0/1", "TEXT", {"id": 1, "type": "STRING", "value": ""})
    assert _values(own) == (0, 0)
