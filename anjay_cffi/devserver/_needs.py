# SPDX-License-Identifier: Apache-2.0
"""Says what to install, before anything fails for the lack of it."""

from __future__ import annotations

from importlib.util import find_spec


def need(*modules: str) -> None:
    """ModuleNotFoundError with advice if one of the modules is not there."""
    for module in modules:
        if find_spec(module) is None:
            raise ModuleNotFoundError(
                f"anjay_cffi.devserver needs {module}: pip install 'anjay-cffi[devserver]'", name=module
            )


need("aiocoap", "OpenSSL", "cbor2")
