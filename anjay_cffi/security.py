# SPDX-License-Identifier: Apache-2.0
"""The Security object /0: how to reach each server, and with which keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike

from . import config
from ._buildinfo import has, require
from ._builtin import BuiltIn
from ._checks import check_id, check_type
from ._ffi import CData, ffi, lib
from .enums import SecurityMode
from .errors import ConfigurationError

Material = bytes | str | PathLike[str]
TLS_BACKENDS = (
    "AVS_COMMONS_NET_WITH_DTLS",
    "AVS_COMMONS_WITH_MBEDTLS",
    "AVS_COMMONS_WITH_TINYDTLS",
    "AVS_COMMONS_WITH_CUSTOM_TLS",
)
"""Any of them means DTLS: the first comes with OpenSSL alone."""


@dataclass(frozen=True, kw_only=True)
class SecurityInstance:
    """One server to connect to. The security mode follows from the keys that are given.

    Certificates and keys are DER in bytes, or the path of a file (PEM or DER), which needs
    ANJAY_WITH_SECURITY_STRUCTURED.
    """

    ssid: int
    server_uri: str
    bootstrap_server: bool = False
    psk: tuple[str | bytes, bytes | str] | None = field(default=None, repr=False)
    """Identity and key."""
    certificate: Material | None = field(default=None, repr=False)
    private_key: Material | None = field(default=None, repr=False)
    server_public_key: bytes | None = None
    """The server's certificate, or what matching_type says of it."""
    security_mode: SecurityMode | None = None
    """None: PSK with ``psk``, CERTIFICATE with ``certificate``, else NOSEC."""
    client_holdoff: int = -1
    """Seconds to wait before a bootstrap; -1: not set."""
    bootstrap_timeout: int = -1
    """Seconds after which the bootstrap account is purged; -1: not set."""
    matching_type: int | None = None
    server_name_indication: str | None = None
    certificate_usage: int | None = None
    ciphersuites: tuple[int, ...] = ()

    @property
    def mode(self) -> SecurityMode:
        """The security mode, given or inferred."""
        if self.security_mode is not None:
            return self.security_mode
        if self.psk is not None:
            return SecurityMode.PSK
        return SecurityMode.NOSEC if self.certificate is None else SecurityMode.CERTIFICATE

    def __post_init__(self) -> None:
        check_id(self.ssid, "ssid")
        check_type(self.server_uri, str, "server_uri")
        for name, kind in (
            ("server_name_indication", str),
            ("matching_type", int),
            ("certificate_usage", int),
        ):
            if getattr(self, name) is not None:
                check_type(getattr(self, name), kind, name)
        for name in ("server_uri", "server_name_indication"):
            if "\0" in (getattr(self, name) or ""):
                raise ConfigurationError(f"{name} has a NUL character")
        scheme = self.server_uri.partition("://")[0]
        if scheme not in ("coap", "coaps", "coap+tcp", "coaps+tcp"):
            raise ConfigurationError(
                f"server_uri {self.server_uri!r} is not coap://, coaps://, coap+tcp:// or coaps+tcp://"
            )
        if scheme.startswith("coaps") == (self.mode is SecurityMode.NOSEC):
            raise ConfigurationError(f"{scheme}:// does not go with security mode {self.mode.name}")
        if self.psk is not None and self.certificate is not None:
            raise ConfigurationError("give psk or certificate, not both")
        if self.mode is SecurityMode.PSK and not _is_psk(self.psk):
            raise ConfigurationError("security mode PSK needs psk=(identity, key), neither of them empty")
        for name in ("matching_type", "certificate_usage"):
            if getattr(self, name) is not None and not 0 <= getattr(self, name) <= 255:
                raise ConfigurationError(f"{name} is {getattr(self, name)}, must be 0 to 255")
        if (self.certificate is None) != (self.private_key is None):
            raise ConfigurationError("certificate and private_key go together")

    def native(self) -> tuple[CData, list[CData]]:
        """An anjay_security_instance_t, and what must live until it has been added."""
        keep: list[CData] = [ffi.new("char[]", self.server_uri.encode())]
        out = ffi.new("anjay_security_instance_t *")
        out.ssid, out.server_uri, out.bootstrap_server = self.ssid, keep[0], bool(self.bootstrap_server)
        out.security_mode = int(self.mode)
        out.client_holdoff_s, out.bootstrap_timeout_s = self.client_holdoff, self.bootstrap_timeout
        if self.psk is not None:
            identity, key = map(_octets, self.psk)
            _blob(out, "public_cert_or_psk_identity", identity, keep)
            _blob(out, "private_cert_or_psk_key", key, keep)
        self._certificates(out, keep)
        if self.server_public_key is not None:
            _blob(out, "server_public_key", self.server_public_key, keep)
        self._lwm2m11(out, keep)
        return out, keep

    def require_features(self) -> None:
        """Raise FeatureNotAvailable if the build cannot reach this server."""
        scheme = self.server_uri.partition("://")[0]
        if scheme.endswith("+tcp"):
            require("WITH_AVS_COAP_TCP")
        if scheme.startswith("coaps") and not any(map(has, TLS_BACKENDS)):
            require("AVS_COMMONS_NET_WITH_DTLS")
        if self.mode in (SecurityMode.RPK, SecurityMode.CERTIFICATE, SecurityMode.EST):
            require("AVS_COMMONS_WITH_AVS_CRYPTO_PKI")
        if self.bootstrap_server:
            require("ANJAY_WITH_BOOTSTRAP")

    def fill_security_config(self, out: CData) -> list[CData]:
        """Write an anjay_security_config_t for a download; returns what must live while C uses it."""
        keep: list[CData] = []
        if self.psk is not None:
            identity, key = map(_octets, self.psk)
            keep += [ffi.new("uint8_t[]", identity), ffi.new("uint8_t[]", key)]
            info = {
                "identity": lib.avs_crypto_psk_identity_info_from_buffer(keep[0], len(identity)),
                "key": lib.avs_crypto_psk_key_info_from_buffer(keep[1], len(key)),
            }
            out.security_info = lib.avs_net_security_info_from_psk(info)
        elif self.certificate is not None and self.private_key is not None:
            trusted = self.server_public_key
            info = {
                "server_cert_validation": trusted is not None,
                "ignore_system_trust_store": True,
                "client_cert": config.certificates(self.certificate, keep),
                "client_key": config.private_key(self.private_key, keep),
            }
            if trusted is not None:
                info["trusted_certs"] = config.certificates(trusted, keep)
            out.security_info = lib.avs_net_security_info_from_certificates(info)
        if self.ciphersuites:
            keep.append(ffi.new("uint32_t[]", self.ciphersuites))
            out.tls_ciphersuites = {"ids": keep[-1], "num_ids": len(self.ciphersuites)}
        if self.server_name_indication is not None:
            keep.append(ffi.new("char[]", self.server_name_indication.encode()))
            out.server_name_indication = keep[-1]
        return keep

    def _certificates(self, out: CData, keep: list[CData]) -> None:
        if self.certificate is None or self.private_key is None:
            return
        if isinstance(self.certificate, bytes):
            _blob(out, "public_cert_or_psk_identity", self.certificate, keep)
        else:
            require("ANJAY_WITH_SECURITY_STRUCTURED")
            out.public_cert = config.certificates(self.certificate, keep)
        if isinstance(self.private_key, bytes):
            _blob(out, "private_cert_or_psk_key", self.private_key, keep)
        else:
            require("ANJAY_WITH_SECURITY_STRUCTURED")
            out.private_key = config.private_key(self.private_key, keep)

    def _lwm2m11(self, out: CData, keep: list[CData]) -> None:
        wanted = (
            self.matching_type,
            self.server_name_indication,
            self.certificate_usage,
            self.ciphersuites or None,
        )
        if not has("ANJAY_WITH_LWM2M11"):
            if any(value is not None for value in wanted):
                require("ANJAY_WITH_LWM2M11")
            return
        for name in ("matching_type", "certificate_usage"):
            value = getattr(self, name)
            if value is not None:
                keep.append(ffi.new("uint8_t *", value))
                setattr(out, name, keep[-1])
        if self.server_name_indication is not None:
            keep.append(ffi.new("char[]", self.server_name_indication.encode()))
            out.server_name_indication = keep[-1]
        if self.ciphersuites:
            keep.append(ffi.new("uint32_t[]", self.ciphersuites))
            out.ciphersuites = {"ids": keep[-1], "num_ids": len(self.ciphersuites)}


def _octets(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _is_psk(pair: object) -> bool:
    return (
        isinstance(pair, (tuple, list))
        and len(pair) == 2
        and all(isinstance(part, (str, bytes)) and part for part in pair)
    )


def _blob(out: CData, name: str, value: bytes, keep: list[CData]) -> None:
    keep.append(ffi.new("uint8_t[]", value))
    setattr(out, name, keep[-1])
    setattr(out, name + "_size", len(value))


class SecurityObject(BuiltIn[SecurityInstance]):
    """``client.security``: installed at the first use."""

    _name = "security"
    _kind = SecurityInstance

    def add(self, instance: SecurityInstance, iid: int | None = None) -> int:
        """Add an instance and return its Instance ID; a free one is chosen unless given.

        FeatureNotAvailable if the build cannot reach such a server.
        """
        check_type(instance, SecurityInstance, "the instance")
        instance.require_features()
        return super().add(instance, iid)
