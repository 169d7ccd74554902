# SPDX-License-Identifier: Apache-2.0
"""What can go wrong between the server and a client."""

from __future__ import annotations

from .codec import Code


class DevServerError(Exception):
    """Base of the exceptions of this package."""


class SilenceError(DevServerError):
    """No answer, after all retransmissions."""


class ResetError(DevServerError):
    """The client reset the request."""


class PayloadError(DevServerError, ValueError):
    """A payload that its content format does not allow."""


class ResponseError(DevServerError):
    """The client answered with an error; ``code`` is its CoAP code."""

    def __init__(self, code: Code, what: str) -> None:
        self.code = code
        super().__init__(f"{what}: {dotted(code)} {getattr(code, 'name_printable', '')}")


def dotted(code: int) -> str:
    """A code as people write it: 4.04."""
    return f"{int(code) >> 5}.{int(code) & 31:02}"
