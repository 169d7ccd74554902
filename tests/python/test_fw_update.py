# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

import anjay_cffi as lwm2m

from ..provider import only_on
from .peer import GET, POST, PUT, Peer

Make = Callable[..., lwm2m.Client]


class Firmware:
    def __init__(self) -> None:
        self.events: list[Any] = []
        self.data = b""
        self.pieces: list[int] = []
        self.fail: dict[str, BaseException] = {}

    def _did(self, name: str, *args: Any) -> None:
        self.events.append((name, *args) if args else name)
        if name in self.fail:
            raise self.fail.pop(name)

    def stream_open(self, uri: str | None, etag: bytes | None) -> None:
        self.data, self.pieces = b"", []
        self._did("open", uri, etag)

    def stream_write(self, data: memoryview) -> None:
        assert data.readonly
        self.view = data
        self.data += data
        self.pieces.append(len(data))
        if "write" in self.fail:
            self._did("write")

    def stream_finish(self) -> None:
        self._did("finish")

    def reset(self) -> None:
        self._did("reset")

    def perform_upgrade(self) -> None:
        self._did("upgrade")


class Named(Firmware):
    def get_name(self) -> str | None:
        self._did("name")
        return "größer"

    def get_version(self) -> str | None:
        self._did("version")
        return None


def start(
    client: lwm2m.Client,
    peer: Peer,
    handler: Any,
    initial: lwm2m.FirmwareState | None = None,
    write_size: int = 0,
) -> None:
    client.firmware_update.install(handler, initial, write_size=write_size)
    client.start_thread()
    peer.registered()


def state(peer: Peer) -> tuple[bytes, bytes]:
    return peer.ask(GET, "/5/0/3").payload, peer.ask(GET, "/5/0/5").payload


@pytest.mark.parametrize("size", [1, 1024, 5000])
def test_push_and_upgrade(peer: Peer, make: Make, size: int) -> None:
    image, handler = bytes(i % 251 + 1 for i in range(size)), Firmware()  # a single NUL byte is a reset
    with make() as client:
        start(client, peer, handler)
        assert state(peer) == (b"0", b"0")
        assert peer.push("/5/0/0", image)[-1] == 0x44
        assert handler.data == image
        with pytest.raises(ValueError, match="released"):
            handler.view.tobytes()
        assert state(peer) == (b"2", b"0")
        assert peer.ask(POST, "/5/0/2").code == 0x44
        peer.wait(lambda: "upgrade" in handler.events)
        assert peer.ask(GET, "/5/0/3").payload == b"3"
        client.firmware_update.set_result(lwm2m.FirmwareResult.SUCCESS)
        assert state(peer) == (b"0", b"1")
    assert handler.events[:3] == [("open", None, None), "finish", "upgrade"]


@pytest.mark.parametrize("size", [1, 1024, 2999, 3000, 3001, 8192])
def test_pieces_of_one_size(peer: Peer, make: Make, size: int) -> None:
    image, handler = bytes(i % 251 + 1 for i in range(size)), Named()
    with make() as client:
        start(client, peer, handler, write_size=1500)
        for _ in range(2):
            assert peer.push("/5/0/0", image)[-1] == 0x44
            assert state(peer) == (b"2", b"0")
            assert handler.data == image
            assert handler.pieces == [1500] * (size // 1500) + [size % 1500] * (size % 1500 > 0)
            with pytest.raises(ValueError, match="released"):
                handler.view.tobytes()
            assert peer.ask(GET, "/5/0/6").payload.decode() == "größer"
            peer.ask(PUT, "/5/0/0", b"\0", [(12, b"\x2a")])
            assert state(peer) == (b"0", b"0")
        peer.push("/5/0/0", image)
        assert peer.ask(POST, "/5/0/2").code == 0x44
        peer.wait(lambda: "upgrade" in handler.events)


@pytest.mark.parametrize("piece", [1, 2, 3])
def test_error_with_a_piece(peer: Peer, make: Make, piece: int) -> None:
    """The block that completes a piece tells of it; the last piece has none, like stream_finish."""

    class Full(Firmware):
        def stream_write(self, data: memoryview) -> None:
            super().stream_write(data)
            if len(self.pieces) == piece:
                raise OSError(errno.ENOSPC, "full")

    handler = Full()
    with make() as client:
        start(client, peer, handler, write_size=2000)
        codes = peer.push("/5/0/0", b"x" * 5000)
        assert codes == {1: [0x5F, 0xA0], 2: [0x5F] * 3 + [0xA0], 3: [0x5F] * 4 + [0x44]}[piece]
        assert state(peer) == (b"0", b"2")
        assert "finish" not in handler.events
        piece = 0
        assert peer.push("/5/0/0", b"y" * 2500)[-1] == 0x44
        assert handler.data == b"y" * 2500 and state(peer) == (b"2", b"0")


def test_error_of_the_start_with_pieces(peer: Peer, make: Make) -> None:
    handler = Firmware()
    with make() as client:
        start(client, peer, handler, write_size=65536)
        handler.fail["open"] = lwm2m.UnsupportedPackageType()
        assert peer.push("/5/0/0", b"x" * 3000) == [0xA0]
        assert state(peer) == (b"0", b"6") and not handler.pieces
        assert peer.push("/5/0/0", b"x" * 3000)[-1] == 0x44


@only_on("vendored", "the real library answers 5.03 for as long as a transfer is open")
def test_abandoned_pieces_are_forgotten(peer: Peer, make: Make) -> None:
    handler = Firmware()
    with make() as client:
        start(client, peer, handler, write_size=65536)
        first = [(12, b"\x2a"), (27, b"\x0e")]
        assert peer.ask(PUT, "/5/0/0", b"x" * 1024, first).code == 0x5F
        peer.ask(PUT, "/5/0/0", b"\0", [(12, b"\x2a")])
        assert peer.push("/5/0/0", b"y" * 3000)[-1] == 0x44
        assert handler.data == b"y" * 3000


@pytest.mark.parametrize("size", [-1, (64 << 20) + 1, 2**64])
def test_wrong_write_size(make: Make, size: int) -> None:
    with make() as client:
        with pytest.raises(lwm2m.ConfigurationError, match="write_size is"):
            client.firmware_update.install(Firmware(), write_size=size)
        with pytest.raises(TypeError, match="must be int"):
            client.firmware_update.install(Firmware(), write_size=1.5)  # type: ignore[arg-type]
        client.firmware_update.install(Firmware(), write_size=64 << 20)


@pytest.mark.parametrize("where", ["open", "write", "finish"])
@pytest.mark.parametrize(
    ("error", "result"),
    [
        (lwm2m.NotEnoughSpace(), 2),
        (lwm2m.OutOfMemory(), 3),
        (lwm2m.IntegrityFailure(), 5),
        (lwm2m.UnsupportedPackageType(), 6),
    ],
)
def test_errors_become_update_results(
    peer: Peer, make: Make, where: str, error: lwm2m.FirmwareError, result: int
) -> None:
    handler = Firmware()
    handler.fail[where] = error
    with make() as client:
        start(client, peer, handler)
        refused = peer.push("/5/0/0", bytes(3000))[-1] >= 0x80
        # The end of a package is acknowledged before it is checked; a transfer that never began has no
        # result.
        assert refused == (where != "finish")
        assert state(peer) == (b"0", b"0" if where == "open" else str(result).encode())


@pytest.mark.parametrize("where", ["open", "write", "finish"])
def test_unexpected_errors_are_logged_and_never_success(
    peer: Peer, make: Make, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    handler = Firmware()
    handler.fail[where] = RuntimeError("oh no")
    with make() as client:
        start(client, peer, handler)
        peer.push("/5/0/0", b"x" * 10)
        assert peer.ask(GET, "/5/0/3").payload == b"0"
        assert "oh no" in caplog.text
        assert peer.push("/5/0/0", b"x" * 10) == [0x44]


def test_perform_upgrade_fails(peer: Peer, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    handler = Firmware()
    handler.fail["upgrade"] = RuntimeError("no exec")
    with make() as client:
        start(client, peer, handler)
        peer.push("/5/0/0", b"x")
        peer.ask(POST, "/5/0/2")
        peer.wait(lambda: peer.ask(GET, "/5/0/3").payload == b"2")
        assert peer.ask(GET, "/5/0/5").payload == b"8"
    assert "no exec" in caplog.text


@pytest.mark.parametrize("where", ["open", "write", "finish", "upgrade", "reset"])
@pytest.mark.parametrize("write_size", [0, 4096])
def test_exit_exceptions_leave_the_loop(peer: Peer, make: Make, where: str, write_size: int) -> None:
    handler = Firmware()
    with make() as client:
        start(client, peer, handler, write_size=write_size)
        if where in ("upgrade", "reset"):
            peer.push("/5/0/0", b"x")
        handler.fail[where] = SystemExit("leave")
        if where == "reset":
            peer.ask(PUT, "/5/0/0", b"\0", [(12, b"\x2a")])
        elif where == "upgrade":
            peer.ask(POST, "/5/0/2")
        else:
            peer.push("/5/0/0", b"x")
        with pytest.raises(SystemExit, match="leave"):
            client.join(10)


def test_failing_reset_is_logged(peer: Peer, make: Make, caplog: pytest.LogCaptureFixture) -> None:
    handler = Firmware()
    handler.fail["reset"] = RuntimeError("cannot")
    with make() as client:
        start(client, peer, handler)
        peer.push("/5/0/0", b"x")
        peer.ask(PUT, "/5/0/0", b"\0", [(12, b"\x2a")])
        peer.wait(lambda: "cannot" in caplog.text)


def test_only_present_methods_are_installed(peer: Peer, make: Make) -> None:
    handler = Named()
    with make() as client:
        start(client, peer, handler)
        peer.push("/5/0/0", b"x")
        assert peer.ask(GET, "/5/0/6").payload.decode() == "größer"
        assert peer.ask(GET, "/5/0/7").code == 0x84
        assert "version" in handler.events


def test_absent_methods_are_null() -> None:
    from anjay_cffi._fw_trampolines import OPTIONAL, REQUIRED, Adapter

    plain, named = Adapter(Firmware()).table(), Adapter(Named()).table()
    assert all(getattr(plain, name) for name in REQUIRED)
    assert not any(getattr(plain, name) for name in OPTIONAL)
    assert named.get_name
    assert not named.get_coap_tx_params


def test_handler_without_a_required_method(make: Make) -> None:
    with make() as client:
        with pytest.raises(lwm2m.ConfigurationError, match="object has no stream_open"):
            client.firmware_update.install(object())
        with pytest.raises(lwm2m.AnjayError, match="comes first"):
            client.firmware_update.set_result(lwm2m.FirmwareResult.SUCCESS)


def test_installed_only_once(make: Make) -> None:
    with make() as client:
        client.firmware_update.install(Firmware())
        with pytest.raises(lwm2m.NativeError):
            client.firmware_update.install(Firmware())


def test_result_that_does_not_fit(make: Make) -> None:
    with make() as client:
        client.firmware_update.install(Firmware())
        with pytest.raises(lwm2m.NativeError):
            client.firmware_update.set_result(lwm2m.FirmwareResult.SUCCESS)


def test_initial_success_is_reported(peer: Peer, make: Make) -> None:
    with make() as client:
        start(client, peer, Firmware(), lwm2m.FirmwareState(result=lwm2m.FirmwareInitial.SUCCESS))
        assert state(peer) == (b"0", b"1")


def test_initial_downloaded(peer: Peer, make: Make) -> None:
    initial = lwm2m.FirmwareState(result=lwm2m.FirmwareInitial.DOWNLOADED, persisted_uri="coap://x/y")
    with make() as client:
        start(client, peer, Firmware(), initial)
        assert state(peer) == (b"2", b"0")
        assert peer.ask(GET, "/5/0/1").payload == b"coap://x/y"


def test_initial_state_in_c() -> None:
    native, keep = lwm2m.FirmwareState(resume_offset=5, resume_etag=b"abc").native()
    assert native.resume_offset == 5
    assert native.resume_etag.size == 3
    assert bytes(lwm2m.ffi.buffer(lwm2m.ffi.addressof(native.resume_etag, "value"), 3)) == b"abc"
    assert keep


@pytest.mark.parametrize("fields", [{"resume_offset": -1}, {"resume_etag": b""}, {"resume_etag": bytes(256)}])
def test_wrong_initial_state(fields: dict[str, Any]) -> None:
    with pytest.raises(lwm2m.ConfigurationError):
        lwm2m.FirmwareState(**fields)


def test_deadline_needs_its_feature() -> None:
    moment = datetime(2030, 1, 1, tzinfo=timezone.utc)
    if "ANJAY_WITH_MODULE_FW_UPDATE_V11_RESOURCES" in lwm2m.build_info().features:
        native, _ = lwm2m.FirmwareState(deadline=moment).native()
        assert native.persisted_update_deadline.since_real_epoch.seconds == moment.timestamp()
    else:
        with pytest.raises(lwm2m.FeatureNotAvailable):
            lwm2m.FirmwareState(deadline=moment).native()


class Pulling(Firmware):
    def get_security_config(self, uri: str) -> lwm2m.SecurityInstance:
        self._did("security", uri)
        return lwm2m.SecurityInstance(ssid=0, server_uri=uri, psk=("me", b"secret"), ciphersuites=(0xC0A8,))

    def get_coap_tx_params(self, uri: str) -> lwm2m.UdpTxParams:
        self._did("params", uri)
        return lwm2m.UdpTxParams(ack_timeout=7)

    def get_tcp_request_timeout(self, uri: str) -> float:
        self._did("tcp", uri)
        return 2.5


def test_download_callbacks() -> None:
    from anjay_cffi._fw_trampolines import Adapter

    ffi, handler = lwm2m.ffi, Pulling()
    adapter = Adapter(handler)
    table, user, uri = adapter.table(), ffi.new_handle(adapter), ffi.new("char[]", b"coaps://x/y")
    config = ffi.new("anjay_security_config_t *")
    assert table.get_security_config(user, config, uri) == 0
    assert config.security_info.mode == lwm2m.lib.AVS_NET_SECURITY_PSK
    assert config.tls_ciphersuites.num_ids == 1
    assert table.get_coap_tx_params(user, uri).ack_timeout.seconds == 7
    assert table.get_tcp_request_timeout(user, uri).nanoseconds == 500_000_000
    handler.fail = {name: RuntimeError() for name in ("security", "params", "tcp")}
    assert table.get_security_config(user, config, uri) == -8
    assert table.get_coap_tx_params(user, uri).ack_timeout.seconds == 2
    assert table.get_tcp_request_timeout(user, uri).seconds == 30


def test_etag_and_uri_of_a_download() -> None:
    from anjay_cffi._fw_trampolines import Adapter

    ffi, handler = lwm2m.ffi, Firmware()
    adapter = Adapter(handler)
    table, user = adapter.table(), ffi.new_handle(adapter)
    etag = ffi.new("char[]", b"\x03abc")
    assert table.stream_open(user, ffi.new("char[]", b"coap://x"), ffi.cast("struct anjay_etag *", etag)) == 0
    assert handler.events == [("open", "coap://x", b"abc")]
