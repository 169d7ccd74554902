# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gc
import locale
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import anjay_cffi as lwm2m

from ..provider import needs
from .peer import GET, OBSERVE, Peer

Make = Callable[..., lwm2m.Client]
AT_ONCE = 10.0
"""Seconds; a silent server would take a minute or more."""


def test_registers_answers_and_deregisters(peer: Peer, make: Make) -> None:
    with make() as client:
        client.start_thread()
        query = {part.split(b"=")[0]: part for part in peer.registered().get(15)}
        assert query[b"ep"] == b"ep=urn:dev:os:test"
        assert query[b"lt"] == b"lt=60"
        assert peer.ask(GET, "/1/0/1").payload == b"60"
        assert peer.ask(GET, "/1/0/99").code == 0x84
    assert peer.deregistered()
    assert client.closed


def test_closed_client_refuses_everything(make: Make) -> None:
    client = make()
    client.close()
    client.close()
    client.stop()
    assert repr(client) == "<Client 'urn:dev:os:test' closed>"
    for call in (
        client.run,
        client.step,
        client.fileno,
        client.sockets,
        client.next_deadline,
        client.start_thread,
        client.update_registration,
        lambda: client.status(1),
        lambda: client.call_later(1, print),
        lambda: client.notify_changed(1, 0, 1),
        lambda: client.security.add(lwm2m.SecurityInstance(ssid=2, server_uri="coap://127.0.0.1")),
        lambda: client.server.set_lifetime(0, 30),
        lambda: client.firmware_update.install(object()),
        client.__enter__,
    ):
        with pytest.raises(lwm2m.ClosedError):
            call()


@pytest.mark.parametrize("endpoint", ["", "a\0b"])
def test_endpoint_is_checked(endpoint: str) -> None:
    with pytest.raises(lwm2m.ConfigurationError):
        lwm2m.Client(endpoint)


def test_unknown_setting_is_refused() -> None:
    with pytest.raises(lwm2m.ConfigurationError, match="colour"):
        lwm2m.Client("urn:dev:os:1", colour="red")


def test_keywords_win_over_the_configuration() -> None:
    config = lwm2m.Configuration(in_buffer_size=2000, out_buffer_size=1000)
    with lwm2m.Client("urn:dev:os:1", config=config, in_buffer_size=3000) as client:
        assert (client.config.in_buffer_size, client.config.out_buffer_size) == (3000, 1000)


def test_every_setting_reaches_the_library() -> None:
    config = lwm2m.Configuration(
        socket=lwm2m.SocketOptions(dscp=8, reuse_addr=True, preferred_family=lwm2m.AddressFamily.INET4),
        udp_tx_params=lwm2m.UdpTxParams(ack_timeout=3, max_retransmit=2),
        dtls_handshake_timeouts=lwm2m.DtlsHandshakeTimeouts(min=2, max=20),
        default_tls_ciphersuites=(0xC0A8, 0x00AE),
        lwm2m_version=(lwm2m.LwM2MVersion.V1_0, lwm2m.LwM2MVersion.V1_1),
        stored_notification_limit=7,
        confirmable_notifications=True,
    )
    native, keep = config.native("urn:dev:os:1")
    assert lwm2m.ffi.string(native.endpoint_name) == b"urn:dev:os:1"
    assert native.socket_config.dscp == 8
    assert native.socket_config.preferred_family == lwm2m.lib.AVS_NET_AF_INET4
    assert native.udp_tx_params.ack_timeout.seconds == 3
    assert native.udp_tx_params.max_retransmit == 2
    assert native.udp_dtls_hs_tx_params.max.seconds == 20
    assert list(native.default_tls_ciphersuites.ids[0:2]) == [0xC0A8, 0x00AE]
    assert native.lwm2m_version_config.maximum_version == 1
    assert native.stored_notification_limit == 7
    assert native.confirmable_notifications
    assert keep


def test_certificates_need_their_feature() -> None:
    config = lwm2m.Configuration(
        trust_store="/etc/ssl/certs/ca-certificates.crt", certificate_revocations=b"crl"
    )
    if "AVS_COMMONS_WITH_AVS_CRYPTO_PKI" not in lwm2m.build_info().features:
        with pytest.raises(lwm2m.FeatureNotAvailable):
            config.native("urn:dev:os:1")
        return
    native, keep = config.native("urn:dev:os:1")
    assert native.trust_store_certs.desc.source == lwm2m.lib.AVS_CRYPTO_DATA_SOURCE_FILE
    assert keep


@pytest.mark.parametrize(
    "fields", [{"in_buffer_size": 0}, {"out_buffer_size": -1}, {"udp_listen_port": 70000}]
)
def test_wrong_settings(fields: dict[str, int]) -> None:
    with pytest.raises(lwm2m.ConfigurationError):
        lwm2m.Configuration(**fields)


def test_wrong_retransmission_parameters() -> None:
    with pytest.raises(lwm2m.ConfigurationError):
        lwm2m.Client("urn:dev:os:1", udp_tx_params=lwm2m.UdpTxParams(ack_timeout=0))


def test_a_feature_that_is_off_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from anjay_cffi import _buildinfo

    monkeypatch.delitem(_buildinfo.FEATURES, "ANJAY_WITH_CONN_STATUS_API")
    with pytest.raises(lwm2m.FeatureNotAvailable) as caught:
        lwm2m.Client("urn:dev:os:1", on_status=print)
    assert caught.value.macro == "ANJAY_WITH_CONN_STATUS_API"
    with lwm2m.Client("urn:dev:os:1") as client, pytest.raises(lwm2m.FeatureNotAvailable):
        client.status(1)


def test_forgotten_client_warns() -> None:
    client = lwm2m.Client("urn:dev:os:1")
    native, loop = client._native, client._loop
    client._native = None
    client.__del__()
    client._native = native
    with pytest.warns(ResourceWarning, match="urn:dev:os:1"):
        client.__del__()
    client.close()
    assert loop is client._loop


def test_closed_client_is_collected_without_the_cycle_collector() -> None:
    import weakref

    gc.disable()
    try:
        client = lwm2m.Client("urn:dev:os:1")
        client.call_later(5, print)
        client.close()
        seen = weakref.ref(client)
        client.security = client.server = None  # type: ignore[assignment]
        del client
        assert seen() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("wrong", [None, -1, 2**70, 1.5, "x", b"x", [], Ellipsis, True], ids=repr)
def test_wrong_arguments_are_refused_by_name(make: Make, wrong: Any) -> None:
    client = make()
    calls: dict[str, Callable[[], object]] = {
        "ssid": lambda: client.status(wrong),
        "server_uri": lambda: lwm2m.SecurityInstance(ssid=1, server_uri=wrong),
        "binding": lambda: lwm2m.ServerInstance(ssid=1, binding=wrong),
        "lifetime": lambda: lwm2m.ServerInstance(ssid=1, lifetime=wrong),
        "iid": lambda: client.server.set_lifetime(wrong, 60),
        "oid": lambda: client.notify_changed(wrong, 0, 0),
        "instance": lambda: client.security.add(wrong),
        "params": lambda: client.set_udp_tx_params(wrong),
        "limits": lambda: client.set_dtls_handshake_timeouts(wrong),
    }
    for name, call in calls.items():
        with pytest.raises((lwm2m.ConfigurationError, TypeError), match=name):
            call()
    with pytest.raises((lwm2m.AnjayError, TypeError)):
        client.disable_server(wrong)
    for call in (lambda: client.send([wrong]), lambda: client.every(wrong, print)):
        if wrong not in (1.5, True):
            with pytest.raises((lwm2m.ConfigurationError, TypeError)):
                call()


def test_a_forgotten_client_with_jobs_is_warned_of() -> None:
    program = (
        "import gc, anjay_cffi as lwm2m; client = lwm2m.Client('urn:dev:os:1');"
        "client.every(1, print); client.call_later(1, client.stop); del client; gc.collect();"
        "from anjay_cffi.jobs import _planned; print(len(_planned))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", program], capture_output=True, text=True, timeout=60
    )
    assert "ResourceWarning: unclosed <Client 'urn:dev:os:1'>" in done.stderr
    assert done.stdout == "0\n"


def test_status_events_and_state(peer: Peer, make: Make) -> None:
    seen: list[tuple[int, lwm2m.ServerStatus]] = []
    with make(on_status=lambda ssid, status: seen.append((ssid, status))) as client:
        more: list[object] = []
        client.on_status(lambda *event: more.append(event))
        assert not client.registered
        assert client.registration_expires(1) is None
        client.start_thread()
        peer.registered()
        peer.wait(lambda: client.registered)
        assert client.status(1) is lwm2m.ServerStatus.REGISTERED
        assert not client.registering
        assert not client.all_connections_failed
        expires = client.registration_expires(1)
        assert expires is not None
        assert 0 < expires.timestamp() - time.time() <= 60
        assert client.next_lifecycle_operation() is not None
        assert not client.has_unsent_notifications()
        assert client.next_notification() is None
    assert (1, lwm2m.ServerStatus.REGISTERED) in seen
    assert seen == more


def test_times_of_communication(peer: Peer, make: Make) -> None:
    with make() as client:
        client.start_thread()
        peer.registered()
        peer.wait(lambda: client.registered)
        if "ANJAY_WITH_COMMUNICATION_TIMESTAMP_API" not in lwm2m.build_info().features:
            with pytest.raises(lwm2m.FeatureNotAvailable):
                client.last_registration(1)
            return
        assert peer.wait(lambda: client.last_registration(1)) is not None
        assert client.last_communication(1) is not None
        assert client.next_update(1) is not None
        assert client.last_registration(9) is None


@needs("ANJAY_SINCE_3_14")
def test_communication_errors_are_told(peer: Peer, make: Make) -> None:
    peer.refuse = 0x83
    seen: list[tuple[int, int]] = []
    with make(on_communication_error=lambda ssid, code: seen.append((ssid, code))) as client:
        client.start_thread()
        peer.wait(lambda: seen)
    assert seen[0] == (1, 0x83)


@needs("ANJAY_SINCE_3_10")
def test_delivery_of_confirmable_notifications_is_told(peer: Peer, make: Make) -> None:
    seen: list[tuple[int, list[tuple[int, ...]], bool]] = []

    def told(ssid: int, paths: list[tuple[int, ...]], delivered: bool) -> None:
        seen.append((ssid, paths, delivered))

    with make(on_notification_status=told, confirmable_notifications=True) as client:
        client.start_thread()
        peer.registered()
        peer.ask(GET, "/1/0/1", options=[(OBSERVE, b"")])
        client.server.set_lifetime(0, 90)
        peer.wait(lambda: seen)
    assert seen[0] == (1, [(1, 0, 1)], True)


def test_update_and_register_again(peer: Peer, make: Make) -> None:
    with make() as client:
        client.start_thread()
        peer.registered()
        peer.wait(lambda: client.registered)
        client.update_registration()
        peer.wait(lambda: [m for m in peer.seen if m.path == "/rd/1"])
        peer.wait(lambda: client.status(1) == lwm2m.ServerStatus.REGISTERED)
        client.server.set_lifetime(0, 120)
        peer.wait(lambda: [m for m in peer.seen if b"lt=120" in m.get(15)])
        client.register_again(1)
        peer.wait(lambda: len([m for m in peer.seen if m.path == "/rd"]) == 2)


@pytest.mark.parametrize("what", ["update_registration", "register_again"])
@pytest.mark.parametrize("where", ["callback", "thread"])
def test_update_asked_for_while_a_status_is_told(peer: Peer, make: Make, where: str, what: str) -> None:
    """The library is in the middle of its exchange then, and plans the next Update after it."""
    failed: list[Exception] = []

    def ask() -> None:
        getattr(client, what)(1)
        try:
            getattr(client, what)(7)
        except lwm2m.NativeError as exc:
            failed.append(exc)

    def told(_ssid: int, status: lwm2m.ServerStatus) -> None:
        if status == lwm2m.ServerStatus.REGISTERED and not failed:
            if where == "callback":
                ask()
            else:
                other = threading.Thread(target=ask)
                other.start()
                other.join()

    with make(on_status=told) as client:
        client.start_thread()
        path, count = ("/rd", 2) if what == "register_again" else ("/rd/1", 1)
        peer.wait(lambda: len([m for m in peer.seen if m.path == path]) == count)
    assert len(failed) == 1


def test_offline_and_online(peer: Peer, make: Make) -> None:
    with make() as client:
        client.start_thread()
        peer.registered()
        peer.wait(lambda: client.registered)
        client.enter_offline()
        assert client.is_offline()
        assert client.is_offline("udp")
        client.exit_offline("all")
        assert not client.is_offline("udp")
        peer.wait(lambda: client.registered)
        client.reconnect()
        client.reconnect(1)
        with pytest.raises(ValueError, match="sms"):
            client.is_offline("sms")


def test_disable_and_enable_a_server(peer: Peer, make: Make) -> None:
    with make() as client:
        client.start_thread()
        peer.registered()
        peer.wait(lambda: client.registered)
        client.call_later(0.05, client.disable_server, 1, 30)
        peer.wait(peer.deregistered)
        client.call_later(0.05, client.enable_server, 1)
        peer.wait(lambda: len([m for m in peer.seen if m.path == "/rd"]) == 2)
        with pytest.raises(lwm2m.NativeError):
            client.disable_server(99)
        client.prefer_queue_mode(lwm2m.QueueMode.FORCE_ONLINE)
        client.set_udp_tx_params(lwm2m.UdpTxParams(ack_timeout=1.5))
        client.set_dtls_handshake_timeouts(lwm2m.DtlsHandshakeTimeouts(min=1, max=5))


def test_set_udp_tx_params_reports_failure(make: Make) -> None:
    with make() as client, pytest.raises(lwm2m.NativeError):
        client.set_udp_tx_params(lwm2m.UdpTxParams(ack_timeout=0.001))


def test_notify_reaches_the_observer(peer: Peer, make: Make) -> None:
    with make() as client:
        client.start_thread()
        peer.registered()
        first = peer.ask(GET, "/1/0/1", options=[(OBSERVE, b"")])
        assert first.get(OBSERVE)
        client.server.set_lifetime(0, 45)
        client.notify_changed(1, 0, 1)
        client.notify_instances_changed(1)
        peer.wait(lambda: [m for m in peer.replies if m.token == first.token and m.payload == b"45"])
        with pytest.raises(lwm2m.ConfigurationError, match="oid"):
            client.notify_changed(70000, 0, 0)


def test_dead_server_does_not_hold_close_up(peer: Peer, make: Make) -> None:
    client = make()
    client.start_thread()
    peer.registered()
    peer.wait(lambda: client.registered)
    peer.answer = False
    began = time.monotonic()
    client.close(timeout=0.3)
    assert 0.2 < time.monotonic() - began < AT_ONCE
    assert peer.deregistered()


def test_ctrl_c_ends_a_close_that_waits(peer: Peer, make: Make) -> None:
    client = make()
    client.start_thread()
    peer.registered()
    peer.wait(lambda: client.registered)
    peer.answer = False
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        client.close()
    timer.join()
    assert time.monotonic() - began < AT_ONCE
    assert client.closed


def test_another_signal_does_not_end_a_close_that_waits(peer: Peer, make: Make) -> None:
    handled: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: handled.append(number))
    try:
        client = make()
        client.start_thread()
        peer.registered()
        peer.wait(lambda: client.registered)
        peer.answer = False
        timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1))
        timer.start()
        began = time.monotonic()
        client.close(timeout=1)
        assert time.monotonic() - began >= 1
        timer.join()
        assert handled == [signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_close_after_ctrl_c_waits_only_shortly(peer: Peer, make: Make) -> None:
    began = 0.0
    with pytest.raises(KeyboardInterrupt), make() as client:
        client.start_thread()
        peer.registered()
        peer.wait(lambda: client.registered)
        peer.answer = False
        began = time.monotonic()
        raise KeyboardInterrupt
    assert time.monotonic() - began < AT_ONCE


def test_sockets_are_close_on_exec(peer: Peer, make: Make) -> None:
    import fcntl

    with make() as client:
        client.start_thread()
        peer.registered()
        fds = [*client.sockets(), client.fileno()]
        assert len(fds) == 2
        assert all(fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC for fd in fds)
        before = fds[0]
        client.reconnect()
        peer.wait(lambda: len([m for m in peer.seen if m.code == 2]) > 1)
        client.stop()
        client.join()
        assert all(fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC for fd in client.sockets())
        assert before


def test_many_servers() -> None:
    with lwm2m.Client("urn:dev:os:1") as client:
        for ssid in range(1, 12):
            client.security.add(
                lwm2m.SecurityInstance(ssid=ssid, server_uri=f"coap://127.0.0.1:{40000 + ssid}")
            )
            assert client.server.add(lwm2m.ServerInstance(ssid=ssid)) == ssid - 1
        assert client.server.ssids == list(range(1, 12))
        client.server.purge()
        client.security.purge()
        assert client.server.ssids == []
        assert client.server.modified
        assert client.security.modified


def test_ipv6(make: Make) -> None:
    try:
        other = Peer(host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6 on loopback")
    with other, make(other.uri) as client:
        client.start_thread()
        other.registered()
        other.wait(lambda: client.registered)


def test_name_is_resolved(peer: Peer, make: Make) -> None:
    try:
        socket.getaddrinfo("localhost", peer.port, socket.AF_INET)
    except socket.gaierror:
        pytest.skip("this machine does not know what localhost is")
    with make(
        f"coap://localhost:{peer.port}",
        socket=lwm2m.SocketOptions(preferred_family=lwm2m.AddressFamily.INET4),
    ) as client:
        client.start_thread()
        peer.registered()


def test_name_that_nobody_has(make: Make) -> None:
    with make("coap://no-such-host.invalid:5683") as client:
        client.start_thread()
        time.sleep(0.3)
        assert not client.registered


def test_locale_with_a_comma(peer: Peer, make: Make) -> None:
    class Real(lwm2m.Object, oid=33556):
        value: float = lwm2m.resource(0, "RW", default=1.5)

    before = locale.setlocale(locale.LC_NUMERIC)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C"):
        try:
            locale.setlocale(locale.LC_NUMERIC, name)
            break
        except locale.Error:
            continue
    try:
        with make() as client:
            real = client.register(Real())
            client.start_thread()
            peer.registered()
            assert peer.ask(1, "/33556/0/0", b"", [(17, b"")]).payload == b"1.5"
            assert peer.ask(3, "/33556/0/0", b"2.25", [(12, b"")]).code == 0x44
            assert real.value == 2.25
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)
