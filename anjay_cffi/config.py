# SPDX-License-Identifier: Apache-2.0
"""How a client is set up: all of ``anjay_configuration_t`` as dataclasses. Times are seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from os import PathLike, fspath
from typing import Any

from ._buildinfo import has, require
from ._checks import check_function
from ._ffi import CData, ffi, lib
from .enums import AddressFamily, LwM2MVersion, ServerStatus, SslVersion
from .errors import ConfigurationError


def duration(seconds: float) -> CData:
    """Seconds as avs_time_duration_t."""
    return lib.avs_time_duration_from_fscalar(float(seconds), lib.AVS_TIME_S)


@dataclass(frozen=True)
class UdpTxParams:
    """CoAP retransmission, RFC 7252 section 4.8."""

    ack_timeout: float = 2.0
    ack_random_factor: float = 1.5
    max_retransmit: int = 4
    nstart: int = 1

    def native(self) -> dict[str, Any]:
        """As an initialiser of avs_coap_udp_tx_params_t; ConfigurationError if not valid."""
        if self.ack_timeout <= 0 or self.ack_random_factor < 1 or self.max_retransmit < 0 or self.nstart < 1:
            raise ConfigurationError(f"not valid: {self}")
        return {
            "ack_timeout": duration(self.ack_timeout),
            "ack_random_factor": self.ack_random_factor,
            "max_retransmit": self.max_retransmit,
            "nstart": self.nstart,
        }


@dataclass(frozen=True)
class DtlsHandshakeTimeouts:
    """First and longest wait before a handshake message is sent again."""

    min: float = 1.0
    max: float = 60.0


@dataclass(frozen=True)
class SocketOptions:
    """Options of the sockets that the library opens."""

    dscp: int = 0
    priority: int = 0
    reuse_addr: bool = False
    interface_name: str = ""
    address_family: AddressFamily = AddressFamily.UNSPEC
    preferred_family: AddressFamily = AddressFamily.UNSPEC
    forced_mtu: int = 0


Path = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What a client is made from. Fields of features that the build lacks must keep their defaults."""

    udp_listen_port: int = 0
    dtls_version: SslVersion = SslVersion.DEFAULT
    in_buffer_size: int = 4000
    """Longest message that can be received, in bytes."""
    out_buffer_size: int = 4000
    """Longest message that can be sent, in bytes."""
    msg_cache_size: int = 4000
    """Bytes for answers that are kept to be sent again when a request comes twice; 0 for none."""
    socket: SocketOptions = SocketOptions()
    udp_tx_params: UdpTxParams | None = None
    dtls_handshake_timeouts: DtlsHandshakeTimeouts | None = None
    confirmable_notifications: bool = False
    disable_legacy_server_initiated_bootstrap: bool = False
    stored_notification_limit: int = 0
    prefer_hierarchical_formats: bool = False
    use_connection_id: bool = False
    update_immediately_on_dm_change: bool = False
    enable_self_notify: bool = False
    connection_error_is_registration_failure: bool = False
    default_tls_ciphersuites: tuple[int, ...] = ()
    coap_tcp_max_options_size: int = 0
    coap_tcp_request_timeout: float = 0.0
    lwm2m_version: tuple[LwM2MVersion, LwM2MVersion] | None = None
    """Lowest and highest version to register with; None for all that the library has."""
    use_system_trust_store: bool = False
    trust_store: str | PathLike[str] | bytes | None = None
    """Trusted certificates: a file or directory, or one certificate in DER."""
    certificate_revocations: str | PathLike[str] | bytes | None = None
    rebuild_client_cert_chain: bool = False
    coap_downloader_retry_count: int = 0
    coap_downloader_retry_delay: float = 0.0
    on_status: Callable[[int, ServerStatus], object] | None = None
    """Called with (ssid, ServerStatus) when the connection to a server changes its state."""
    on_communication_error: Callable[[int, int], object] | None = None
    """Called with (ssid, CoAP code as a byte) when a server refuses Register or Update."""
    on_notification_status: Callable[[int, list[Path], bool], object] | None = None
    """Called with (ssid, paths, delivered) for each confirmable notification."""

    def __post_init__(self) -> None:
        for name in ("in_buffer_size", "out_buffer_size"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"{name} is {getattr(self, name)}, must be positive")
        if not 0 <= self.udp_listen_port <= 65535:
            raise ConfigurationError(f"udp_listen_port is {self.udp_listen_port}")
        for name in ("on_status", "on_communication_error", "on_notification_status"):
            if getattr(self, name) is not None:
                check_function(getattr(self, name), name)
        for field in fields(self):
            macro = _NEEDS.get(field.name)
            if macro and getattr(self, field.name) != field.default:
                require(macro)
        if (self.coap_tcp_max_options_size or self.coap_tcp_request_timeout) and not has(
            "ANJAY_WITH_LWM2M11"
        ):
            require("ANJAY_WITH_COAP_DOWNLOAD")
        if self.lwm2m_version is not None and LwM2MVersion.V1_2 in self.lwm2m_version:
            require("ANJAY_WITH_LWM2M12")

    def native(self, endpoint: str) -> tuple[CData, list[CData]]:
        """An anjay_configuration_t without callbacks, and what must live until anjay_new has returned."""
        keep: list[CData] = [ffi.new("char[]", endpoint.encode())]
        out = ffi.new("anjay_configuration_t *", {"endpoint_name": keep[0]})
        for name in _PLAIN:
            setattr(out, name, getattr(self, name))
        self._sockets(out, keep)
        if has("WITH_AVS_COAP_TCP") and hasattr(out, "coap_tcp_max_options_size"):
            out.coap_tcp_max_options_size = self.coap_tcp_max_options_size
            out.coap_tcp_request_timeout = duration(self.coap_tcp_request_timeout)
        if has("ANJAY_WITH_LWM2M11"):
            self._lwm2m11(out, keep)
        if has("ANJAY_WITH_COAP_DOWNLOAD"):
            out.coap_downloader_retry_count = self.coap_downloader_retry_count
            out.coap_downloader_retry_delay = duration(self.coap_downloader_retry_delay)
        return out, keep

    def _sockets(self, out: CData, keep: list[CData]) -> None:
        options, target = self.socket, out.socket_config
        for name in ("dscp", "priority", "reuse_addr", "address_family", "preferred_family", "forced_mtu"):
            setattr(target, name, int(getattr(options, name)))
        target.interface_name = options.interface_name.encode()
        if self.udp_tx_params is not None:
            keep.append(ffi.new("avs_coap_udp_tx_params_t *", self.udp_tx_params.native()))
            out.udp_tx_params = keep[-1]
        if self.dtls_handshake_timeouts is not None:
            limits = self.dtls_handshake_timeouts
            initial = {"min": duration(limits.min), "max": duration(limits.max)}
            keep.append(ffi.new("avs_net_dtls_handshake_timeouts_t *", initial))
            out.udp_dtls_hs_tx_params = keep[-1]
        if self.default_tls_ciphersuites:
            keep.append(ffi.new("uint32_t[]", self.default_tls_ciphersuites))
            out.default_tls_ciphersuites = {"ids": keep[-1], "num_ids": len(self.default_tls_ciphersuites)}

    def _lwm2m11(self, out: CData, keep: list[CData]) -> None:
        out.use_system_trust_store = self.use_system_trust_store
        out.rebuild_client_cert_chain = self.rebuild_client_cert_chain
        if self.lwm2m_version is not None:
            low, high = self.lwm2m_version
            initial = {"minimum_version": int(low), "maximum_version": int(high)}
            keep.append(ffi.new("anjay_lwm2m_version_config_t *", initial))
            out.lwm2m_version_config = keep[-1]
        if self.trust_store is not None:
            out.trust_store_certs = certificates(self.trust_store, keep)
        if self.certificate_revocations is not None:
            out.trust_store_crls = revocations(self.certificate_revocations, keep)


_PLAIN = (
    "udp_listen_port",
    "dtls_version",
    "in_buffer_size",
    "out_buffer_size",
    "msg_cache_size",
    "confirmable_notifications",
    "disable_legacy_server_initiated_bootstrap",
    "stored_notification_limit",
    "prefer_hierarchical_formats",
    "use_connection_id",
    "update_immediately_on_dm_change",
    "enable_self_notify",
    "connection_error_is_registration_failure",
)

_NEEDS = {
    "coap_tcp_max_options_size": "WITH_AVS_COAP_TCP",
    "coap_tcp_request_timeout": "WITH_AVS_COAP_TCP",
    "lwm2m_version": "ANJAY_WITH_LWM2M11",
    "use_system_trust_store": "ANJAY_WITH_LWM2M11",
    "trust_store": "ANJAY_WITH_LWM2M11",
    "certificate_revocations": "ANJAY_WITH_LWM2M11",
    "rebuild_client_cert_chain": "ANJAY_WITH_LWM2M11",
    "coap_downloader_retry_count": "ANJAY_WITH_COAP_DOWNLOAD",
    "coap_downloader_retry_delay": "ANJAY_WITH_COAP_DOWNLOAD",
    "on_status": "ANJAY_WITH_CONN_STATUS_API",
    "on_communication_error": "ANJAY_SINCE_3_14",
    "on_notification_status": "ANJAY_SINCE_3_10",
}


def _bytes(value: bytes, keep: list[CData]) -> CData:
    keep.append(ffi.new("uint8_t[]", bytes(value)))
    return keep[-1]


def _name(value: str | PathLike[str], keep: list[CData]) -> CData:
    keep.append(ffi.new("char[]", fspath(value).encode()))
    return keep[-1]


def certificates(source: str | PathLike[str] | bytes, keep: list[CData]) -> CData:
    """Certificates as the library's view on a file, a directory or DER bytes; its data goes to ``keep``."""
    require("AVS_COMMONS_WITH_AVS_CRYPTO_PKI")
    if isinstance(source, bytes):
        return lib.avs_crypto_certificate_chain_info_from_buffer(_bytes(source, keep), len(source))
    return lib.avs_crypto_certificate_chain_info_from_file(_name(source, keep))


def revocations(source: str | PathLike[str] | bytes, keep: list[CData]) -> CData:
    """A certificate revocation list, likewise."""
    require("AVS_COMMONS_WITH_AVS_CRYPTO_PKI")
    if isinstance(source, bytes):
        return lib.avs_crypto_cert_revocation_list_info_from_buffer(_bytes(source, keep), len(source))
    return lib.avs_crypto_cert_revocation_list_info_from_file(_name(source, keep))


def private_key(source: str | PathLike[str] | bytes, keep: list[CData]) -> CData:
    """A private key, likewise."""
    require("AVS_COMMONS_WITH_AVS_CRYPTO_PKI")
    if isinstance(source, bytes):
        return lib.avs_crypto_private_key_info_from_buffer(_bytes(source, keep), len(source), ffi.NULL)
    return lib.avs_crypto_private_key_info_from_file(_name(source, keep), ffi.NULL)
