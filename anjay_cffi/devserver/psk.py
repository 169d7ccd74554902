# SPDX-License-Identifier: Apache-2.0
"""Pre-shared keys for a pyOpenSSL context.

pyOpenSSL has no PSK callbacks, the binding below it does. This is the one file that reaches for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.bindings.openssl.binding import Binding
from OpenSSL import SSL

_lib: Any = Binding.lib
_ffi: Any = Binding.ffi
_log = logging.getLogger(__name__)

CIPHERS = b"kPSK:kECDHEPSK:!eNULL:@SECLEVEL=0"
"""All PSK suites with encryption; level 0 admits CCM_8, the suite that LwM2M makes mandatory."""


def serve_psk(context: SSL.Context, key_of: Callable[[bytes], bytes | None]) -> None:
    """Let a server context accept PSK handshakes.

    ``key_of(identity)`` returns the key, or None for an identity that is to be refused. It is called inside
    the handshake; an exception refuses too and is logged.
    """
    if not getattr(_lib, "Cryptography_HAS_PSK", 0):
        raise RuntimeError("the cryptography package was built without PSK; install its wheel")

    def callback(_ssl: Any, identity: Any, out: Any, capacity: int) -> int:
        try:
            key = key_of(_ffi.string(identity)) if identity != _ffi.NULL else None
            if not key or len(key) > capacity:
                return 0
            _ffi.memmove(out, key, len(key))
            return len(key)
        except Exception:
            _log.exception("PSK look-up failed")
            return 0

    native = _ffi.callback("unsigned int(SSL *, char *, unsigned char *, unsigned int)", callback, error=0)
    # The context owns the callback: OpenSSL keeps only its address.
    context._anjay_cffi_psk = native  # type: ignore[attr-defined]
    _lib.SSL_CTX_set_psk_server_callback(context._context, native)
    context.set_cipher_list(CIPHERS)
