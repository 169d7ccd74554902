# SPDX-License-Identifier: Apache-2.0
"""CoAP messages to and from bytes: the only importer of aiocoap, of which nothing but the codec is used."""

from __future__ import annotations

import logging
from typing import Any

# aiocoap has no type information.
from aiocoap import Message  # type: ignore[import-untyped, unused-ignore]
from aiocoap.numbers import ACK, CON, NON, RST  # type: ignore[import-untyped, unused-ignore]
from aiocoap.numbers.codes import Code  # type: ignore[import-untyped, unused-ignore]

__all__ = ["ACK", "CON", "NON", "RST", "Code", "Message", "decode", "encode", "message", "path_of"]

_log = logging.getLogger(__name__)


def message(code: Code, payload: bytes = b"", path: str = "", **options: Any) -> Message:
    """A message with options by the names that aiocoap gives them; those that are None are left out."""
    new = Message(code=code, payload=payload)
    if path.strip("/"):
        new.opt.uri_path = tuple(path.strip("/").split("/"))
    for name, value in options.items():
        if value is not None:
            setattr(new.opt, name, value)
    return new


def path_of(request: Message) -> str:
    """Uri-Path as text."""
    return "/" + "/".join(request.opt.uri_path)


def encode(msg: Message, kind: Any, mid: int, token: bytes) -> bytes:
    """Bytes of a message."""
    msg.mtype, msg.mid, msg.token = kind, mid, token
    return bytes(msg.encode())


def decode(data: bytes) -> Message | None:
    """A message; None if it is not one."""
    if len(data) < 4 or data[0] & 15 > 8 or len(data) < 4 + (data[0] & 15):
        return None
    try:
        return Message.decode(data)
    except Exception as exc:  # whatever a broken datagram makes the codec raise
        _log.debug("not a CoAP message: %s: %s", exc, data[:64].hex())
        return None
