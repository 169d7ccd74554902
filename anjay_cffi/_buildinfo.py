# SPDX-License-Identifier: Apache-2.0
"""What was found when the extension was built, and what follows from it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import Any

from ._ffi import ffi, lib
from .errors import FeatureNotAvailable

_RECORD: dict[str, Any] = json.loads(ffi.string(lib.anjay_cffi_build_json()))
FEATURES: dict[str, str | bool] = _RECORD["features"]
SINCE = "ANJAY_SINCE_"


@dataclass(frozen=True)
class BuildInfo:
    """What is inside this installation of anjay_cffi."""

    provider: str
    """``system`` (an installed Anjay) or ``vendored`` (the implementation that comes with the package)."""
    version: str
    """Version of the Anjay API, as the library itself says."""
    tls: str
    """TLS backend, with its version where the build knew it; ``none`` without one."""
    linked: str
    """How the library is linked into the extension: ``static``, or ``shared`` (an installed Anjay only)."""
    build_type: str
    python: str
    """The Python that runs now."""
    features: dict[str, str | bool]
    """Every configuration macro that is on; True, or the text of its value."""
    missing: tuple[str, ...]
    """Macros that are off and that some call of this package asks for; ANJAY_SINCE_3_x: Anjay 3.x."""

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON-compatible data."""
        return asdict(self)


def build_info() -> BuildInfo:
    """Provider, version, features and TLS backend of the extension."""
    return BuildInfo(
        provider=_RECORD["provider"],
        version=ffi.string(lib.anjay_get_version()).decode(),
        tls=_RECORD["tls"],
        linked=_RECORD["linked"],
        build_type=_RECORD["build_type"],
        python=sys.version.split()[0],
        features={name: value for name, value in FEATURES.items() if not name.startswith(SINCE)},
        missing=tuple(_RECORD["missing"]),
    )


def has(macro: str) -> bool:
    """True if the provider was built with this macro on; ANJAY_SINCE_3_x: what came with Anjay 3.x."""
    return FEATURES.get(macro, "0") != "0"


def require(macro: str) -> None:
    """Raise FeatureNotAvailable unless the macro is on."""
    if not has(macro):
        version = macro.removeprefix(SINCE).replace("_", ".") if macro.startswith(SINCE) else None
        raise FeatureNotAvailable(macro, version)
