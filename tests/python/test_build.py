# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

import anjay_cffi as lwm2m
from anjay_cffi import _buildinfo, log
from anjay_cffi.__main__ import main

from ..provider import needs

sys.path.insert(0, str(Path(__file__).parents[2]))
import build_ffi


def test_build_info() -> None:
    info = lwm2m.build_info()
    assert info.provider in ("system", "vendored")
    assert info.features["ANJAY_WITH_MODULE_SECURITY"] is True
    assert not set(info.missing) & set(info.features) - {k for k, v in info.features.items() if v == "0"}
    assert info.as_dict()["tls"] == info.tls


def test_version_stands_for_no_feature() -> None:
    info = lwm2m.build_info()
    assert not [name for name in info.features if name.startswith("ANJAY_SINCE_")]
    minor = int(info.version.split(".")[1])
    for newer in (10, 13, 14):
        assert (f"ANJAY_SINCE_3_{newer}" in info.missing) == (minor < newer)


OPTIONS: dict[str, tuple[str, object]] = {
    "coap_tcp_max_options_size": ("WITH_AVS_COAP_TCP", 128),
    "lwm2m_version": ("ANJAY_WITH_LWM2M12", (lwm2m.LwM2MVersion.V1_0, lwm2m.LwM2MVersion.V1_2)),
    "use_system_trust_store": ("ANJAY_WITH_LWM2M11", True),
    "coap_downloader_retry_count": ("ANJAY_WITH_COAP_DOWNLOAD", 3),
    "on_status": ("ANJAY_WITH_CONN_STATUS_API", print),
    "on_notification_status": ("ANJAY_SINCE_3_10", print),
    "on_communication_error": ("ANJAY_SINCE_3_14", print),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_whose_feature_is_off(name: str) -> None:
    macro, value = OPTIONS[name]
    if _buildinfo.has(macro) and (name != "lwm2m_version" or _buildinfo.has("ANJAY_WITH_LWM2M11")):
        with lwm2m.Client("urn:dev:os:1", **{name: value}):
            return
    with pytest.raises(lwm2m.FeatureNotAvailable) as caught:
        lwm2m.Configuration(**{name: value})  # type: ignore[arg-type]
    assert caught.value.macro in (macro, "ANJAY_WITH_LWM2M11")
    if macro.startswith("ANJAY_SINCE"):
        assert re.search(r"needs Anjay 3\.\d+ or newer", str(caught.value))


SECURITY: dict[str, tuple[str, dict[str, object]]] = {
    "coaps": ("AVS_COMMONS_NET_WITH_DTLS", {"server_uri": "coaps://x", "psk": ("a", b"b")}),
    "tcp": ("WITH_AVS_COAP_TCP", {"server_uri": "coap+tcp://x"}),
    "certificate": (
        "AVS_COMMONS_WITH_AVS_CRYPTO_PKI",
        {"server_uri": "coaps://x", "certificate": b"c", "private_key": b"k", "server_public_key": b"s"},
    ),
    "bootstrap": ("ANJAY_WITH_BOOTSTRAP", {"server_uri": "coap://x", "bootstrap_server": True}),
}


@pytest.mark.parametrize("name", SECURITY)
def test_a_server_that_cannot_be_reached(name: str) -> None:
    macro, fields = SECURITY[name]
    instance = lwm2m.SecurityInstance(ssid=1, **fields)  # type: ignore[arg-type]
    on = lwm2m.build_info().tls != "none" if name == "coaps" else _buildinfo.has(macro)
    with lwm2m.Client("urn:dev:os:1") as client:
        if on:
            client.security.add(instance)
        else:
            with pytest.raises(lwm2m.FeatureNotAvailable) as caught:
                client.security.add(instance)
            assert caught.value.macro in (macro, "AVS_COMMONS_NET_WITH_DTLS")
            client.security.add(lwm2m.SecurityInstance(ssid=1, server_uri="coap://x"))


def test_doctor_json() -> None:
    out = subprocess.run(
        [sys.executable, "-m", "anjay_cffi", "doctor", "--json"], capture_output=True, check=True, text=True
    )
    found = json.loads(out.stdout)
    assert found["provider"] == lwm2m.build_info().provider
    assert found["anjay_cffi"] == lwm2m.__version__


def test_doctor_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert "TLS backend" in capsys.readouterr().out


def test_no_command_is_an_error() -> None:
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2


def test_conditions_of_declarations() -> None:
    macros = build_ffi.read_macros("#define ANJAY_A\n#define ANJAY_B 0\n#define ANJAY_C 3\n#define OTHER 1\n")
    assert macros == {"ANJAY_A": True, "ANJAY_B": "0", "ANJAY_C": "3"}
    unknown: set[str] = set()
    text = "a\n#if ANJAY_A && !ANJAY_B\nb\n#if (ANJAY_B || ANJAY_X)\nc\n#endif\nd\n#endif\ne"
    assert build_ffi.select(text, macros, unknown) == "a\nb\nd\ne"
    assert unknown == {"ANJAY_B", "ANJAY_X"}
    for wrong in ("#if ANJAY_A + 1\n#endif", "#if ANJAY_A\n"):
        with pytest.raises(SystemExit):
            build_ffi.select(wrong, macros, unknown)


def test_enums_have_the_numbers_of_the_c_api() -> None:
    lib = lwm2m.lib
    prefixes: list[tuple[type, str]] = [
        (lwm2m.FirmwareResult, "ANJAY_FW_UPDATE_RESULT_"),
        (lwm2m.FirmwareInitial, "ANJAY_FW_UPDATE_INITIAL_"),
        (lwm2m.FirmwareSeverity, "ANJAY_FW_UPDATE_SEVERITY_"),
        (lwm2m.SecurityMode, "ANJAY_SECURITY_"),
        (lwm2m.SocketTransport, "ANJAY_SOCKET_TRANSPORT_"),
        (lwm2m.ServerStatus, "ANJAY_SERV_CONN_STATUS_"),
        (lwm2m.AddressFamily, "AVS_NET_AF_"),
    ]
    for kind, prefix in prefixes:
        for member in kind:  # type: ignore[var-annotated]
            if hasattr(lib, prefix + member.name):
                assert getattr(lib, prefix + member.name) == member, member
    assert lwm2m.NotFound().anjay_error == lib.ANJAY_ERR_NOT_FOUND


def test_coap_errors() -> None:
    assert str(lwm2m.NotFound()) == "4.04 NotFound"
    assert str(lwm2m.CoapError(0x80, "why")) == "4.00 why"
    assert lwm2m.CoapError(code=0x8F).anjay_error == -0x8F
    with pytest.raises(ValueError, match="0x45"):
        lwm2m.CoapError(0x45)


@needs("AVS_COMMONS_WITH_AVS_LOG")
def test_log_levels_and_lines(caplog: pytest.LogCaptureFixture) -> None:
    target = logging.getLogger("anjay_cffi.native.anjay")
    target.setLevel(log.TRACE)
    try:
        with lwm2m.Client("urn:dev:os:1"):
            pass
        lines = [r for r in caplog.records if r.name == target.name]
        assert lines
        assert not lines[0].getMessage().startswith("[")
    finally:
        target.setLevel(logging.NOTSET)
        log.sync_levels()
    caplog.clear()
    with caplog.at_level(logging.CRITICAL, "anjay_cffi.native"), lwm2m.Client("urn:dev:os:1"):
        pass
    assert not [r for r in caplog.records if r.name.startswith("anjay_cffi.native")]
    log.sync_levels()


@pytest.mark.parametrize(
    "fields",
    [
        {"ssid": -1, "server_uri": "coap://x"},
        {"ssid": 1, "server_uri": "http://x"},
        {"ssid": 1, "server_uri": "coaps://x"},
        {"ssid": 1, "server_uri": "coap://x", "psk": ("a", b"b")},
        {"ssid": 1, "server_uri": "coaps://x", "certificate": b"c"},
        {"ssid": 1, "server_uri": "coaps://x", "security_mode": lwm2m.SecurityMode.PSK},
        {"ssid": 1, "server_uri": "coaps://x", "psk": ("a", b"b"), "certificate": b"c", "private_key": b"k"},
    ],
)
def test_wrong_security_instances(fields: dict[str, object]) -> None:
    with pytest.raises(lwm2m.ConfigurationError):
        lwm2m.SecurityInstance(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fields",
    [
        {"ssid": 0},
        {"ssid": 1, "lifetime": -1},
        {"ssid": 1, "binding": "?"},
        {"ssid": 1, "preferred_transport": "UT"},
    ],
)
def test_wrong_server_instances(fields: dict[str, object]) -> None:
    with pytest.raises(lwm2m.ConfigurationError):
        lwm2m.ServerInstance(**fields)  # type: ignore[arg-type]


@needs("ANJAY_WITH_LWM2M11")
def test_instances_in_c() -> None:
    native, _keep = lwm2m.SecurityInstance(
        ssid=1, server_uri="coaps://x", psk=("me", b"key"), server_name_indication="x", ciphersuites=(0xC0A8,)
    ).native()
    assert native.security_mode == lwm2m.SecurityMode.PSK
    assert (
        bytes(lwm2m.ffi.buffer(native.private_cert_or_psk_key, native.private_cert_or_psk_key_size)) == b"key"
    )
    native, _keep = lwm2m.SecurityInstance(
        ssid=1, server_uri="coaps://x", certificate=b"cert", private_key=b"k", server_public_key=b"s"
    ).native()
    assert (native.security_mode, native.server_public_key_size) == (lwm2m.SecurityMode.CERTIFICATE, 1)
    native, _keep = lwm2m.ServerInstance(
        ssid=3, communication_retry_count=4, preferred_transport="U"
    ).native()
    assert (native.ssid, native.communication_retry_count[0], native.preferred_transport) == (3, 4, b"U")
    assert "b'key'" not in repr(lwm2m.SecurityInstance(ssid=1, server_uri="coaps://x", psk=("me", b"key")))


def test_an_instance_twice_is_refused() -> None:
    with lwm2m.Client("urn:dev:os:1") as client:
        client.server.add(lwm2m.ServerInstance(ssid=1), iid=5)
        with pytest.raises(lwm2m.NativeError):
            client.server.add(lwm2m.ServerInstance(ssid=2), iid=5)
        with pytest.raises(lwm2m.NativeError):
            client.server.set_lifetime(9, 30)
        with pytest.raises(lwm2m.ConfigurationError):
            client.server.set_lifetime(5, -1)


def test_doctor_into_a_pipe_that_closes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "anjay_cffi", "doctor"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    with process.stderr as errors:
        assert errors.read() == b""
    assert process.wait() == 1
