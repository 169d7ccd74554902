# SPDX-License-Identifier: Apache-2.0
"""Exceptions, and the CoAP codes and Firmware Update results that handlers answer with by raising them."""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AnjayError",
    "BadOption",
    "BadRequest",
    "ClosedError",
    "CoapError",
    "ConfigurationError",
    "Conflict",
    "ConnectionLost",
    "Deferred",
    "FeatureNotAvailable",
    "FirmwareError",
    "Forbidden",
    "IntegrityFailure",
    "InternalServerError",
    "InvalidUri",
    "MethodNotAllowed",
    "NativeError",
    "NotAcceptable",
    "NotEnoughSpace",
    "NotFound",
    "NotImplementedByDevice",
    "OutOfMemory",
    "PreconditionFailed",
    "RequestEntityIncomplete",
    "RequestEntityTooLarge",
    "SendAborted",
    "SendDropped",
    "SendError",
    "SendMuted",
    "SendOffline",
    "SendTimeout",
    "ServiceUnavailable",
    "Unauthorized",
    "UnsupportedContentFormat",
    "UnsupportedPackageType",
    "UnsupportedProtocol",
    "UpdateCancelled",
    "UpdateFailed",
]


class AnjayError(Exception):
    """Base of everything that this package raises."""


class ClosedError(AnjayError):
    """The client is closed."""

    def __init__(self, message: str = "the client is closed") -> None:
        super().__init__(message)


class FeatureNotAvailable(AnjayError):
    """The library was built without what a call needs; ``macro`` names the option.

    Where it is too old instead, ``version`` says which Anjay has it.
    """

    def __init__(self, macro: str, version: str | None = None) -> None:
        super().__init__(
            f"this build has no {macro}" if version is None else f"needs Anjay {version} or newer"
        )
        self.macro = macro
        self.version = version


class ConfigurationError(AnjayError, ValueError):
    """A value that cannot work was given; nothing has been changed."""


class NativeError(AnjayError):
    """A call of the C library failed; ``code`` is what it returned."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{message} (result {code}; the log says why)")
        self.code = code


class SendError(AnjayError):
    """Values did not reach a server; ``code`` is that of its answer as a byte, None if there was none."""

    def __init__(self, message: str, *, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class SendTimeout(SendError):
    """The server did not answer, or reset the request. The values may have come there all the same."""


class SendAborted(SendError):
    """The connection or the client was closed before the server answered."""


class SendDropped(SendError):
    """A Send that waited was not sent: its server is gone, or wants none any more."""


class SendMuted(SendError):
    """The server wants no Send: it has set its Mute Send resource."""


class SendOffline(SendError):
    """There is no registration with the server; ``deferrable=True`` would wait for one."""


class CoapError(AnjayError):
    """Raised by a handler, answers the server with a CoAP code; ``CoapError(0x84)`` is 4.04."""

    code: int = 0xA0
    """The code as a byte: class in the upper three bits, detail in the lower five."""

    def __init__(self, *args: object, code: int | None = None) -> None:
        if code is None and type(self) is CoapError and args and isinstance(args[0], int):
            code, args = args[0], args[1:]
        if code is not None:
            if not 0x80 <= code <= 0xBF:
                raise ValueError(f"not a CoAP error code: {code:#x}")
            self.code = code
        super().__init__(*args)

    @property
    def anjay_error(self) -> int:
        """What the C API calls ANJAY_ERR_...: minus the code."""
        return -self.code

    def __str__(self) -> str:
        dotted = f"{self.code >> 5}.{self.code & 31:02}"
        detail = super().__str__()
        return f"{dotted} {detail}" if detail else f"{dotted} {type(self).__name__}"


class BadRequest(CoapError):
    """4.00."""

    code = 0x80


class Unauthorized(CoapError):
    """4.01."""

    code = 0x81


class BadOption(CoapError):
    """4.02."""

    code = 0x82


class Forbidden(CoapError):
    """4.03."""

    code = 0x83


class NotFound(CoapError):
    """4.04."""

    code = 0x84


class MethodNotAllowed(CoapError):
    """4.05."""

    code = 0x85


class NotAcceptable(CoapError):
    """4.06."""

    code = 0x86


class RequestEntityIncomplete(CoapError):
    """4.08."""

    code = 0x88


class Conflict(CoapError):
    """4.09."""

    code = 0x89


class PreconditionFailed(CoapError):
    """4.12."""

    code = 0x8C


class RequestEntityTooLarge(CoapError):
    """4.13."""

    code = 0x8D


class UnsupportedContentFormat(CoapError):
    """4.15."""

    code = 0x8F


class InternalServerError(CoapError):
    """5.00."""

    code = 0xA0


class NotImplementedByDevice(CoapError):
    """5.01."""

    code = 0xA1


class ServiceUnavailable(CoapError):
    """5.03."""

    code = 0xA3


class FirmwareError(AnjayError):
    """Raised by a firmware handler, becomes the Update Result ``result``."""

    result: ClassVar[int] = 8


class NotEnoughSpace(FirmwareError):
    """Update Result 2: not enough storage for the package."""

    result = 2


class OutOfMemory(FirmwareError):
    """Update Result 3: out of memory during the download."""

    result = 3


class ConnectionLost(FirmwareError):
    """Update Result 4: connection lost during the download."""

    result = 4


class IntegrityFailure(FirmwareError):
    """Update Result 5: integrity check failed."""

    result = 5


class UnsupportedPackageType(FirmwareError):
    """Update Result 6: unsupported package type."""

    result = 6


class InvalidUri(FirmwareError):
    """Update Result 7: invalid URI."""

    result = 7


class UpdateFailed(FirmwareError):
    """Update Result 8: the update failed."""

    result = 8


class UnsupportedProtocol(FirmwareError):
    """Update Result 9: unsupported protocol."""

    result = 9


class UpdateCancelled(FirmwareError):
    """Update Result 10: the update was cancelled."""

    result = 10


class Deferred(FirmwareError):
    """Update Result 11: the update was deferred."""

    result = 11
