# SPDX-License-Identifier: Apache-2.0
"""Send: what goes out, every way in which it ends, from threads and in asyncio."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import cbor2
import pytest

import anjay_cffi as lwm2m
from anjay_cffi import _buildinfo

from .peer import ACK, BLOCK1, FORMAT, POST, PUT, RST, Message, Peer, number

pytestmark = pytest.mark.skipif(
    "ANJAY_WITH_SEND" not in lwm2m.build_info().features, reason="the provider was built without Send"
)
AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc)  # 1700000000


class Sensor(lwm2m.Object, oid=3303):
    value: float = lwm2m.resource(5700, "R", default=21.5)
    unit: str | None = lwm2m.resource(5701, "R", default=None)
    steps: dict[int, int] = lwm2m.resource(5702, "RW", default={0: 1, 4: -2})
    secret: int = lwm2m.resource(5703, "W", default=0)

    @lwm2m.resource(5704, "R")
    def failing(self) -> int:
        raise lwm2m.ServiceUnavailable("later")

    @lwm2m.resource(5705, "R")
    def interrupting(self) -> int:
        raise KeyboardInterrupt


class SendPeer(Peer):
    """Keeps what is sent, and answers it with ``dp`` (0: a Reset)."""

    def __init__(self) -> None:
        self.dp = 0x44
        self.sends: list[Message] = []
        super().__init__()

    def _answer(self, message: Message) -> Message:
        if message.path != "/dp":
            return super()._answer(message)
        if all(
            (message.mid, message.token) != (sent.mid, sent.token) for sent in self.sends
        ):  # no retransmission
            self.sends.append(message)
        if not self.dp:
            return Message(RST, 0, message.mid)
        block = message.get(BLOCK1)
        more = bool(block) and bool(block[0] and block[0][-1] & 8)
        options = [(BLOCK1, block[0])] if block else []
        return Message(ACK, 0x5F if more else self.dp, message.mid, message.token, options)

    def records(self, index: int = -1) -> Any:
        """The records of a Send, labels as they are."""
        assert self.sends[index].get(FORMAT) == [number(112)]
        return cbor2.loads(self.sends[index].payload)


@pytest.fixture
def peer() -> Iterator[SendPeer]:
    with SendPeer() as server:
        yield server


@pytest.fixture
def client(make: Callable[..., lwm2m.Client], peer: SendPeer) -> lwm2m.Client:
    """Registered, and driven by a thread."""
    new = make(udp_tx_params=lwm2m.UdpTxParams(ack_timeout=1.0, ack_random_factor=1.001, max_retransmit=1))
    new.register(Sensor())
    new.start_thread()
    peer.wait(lambda: new.registered)
    return new


def test_samples_of_every_type(client: lwm2m.Client, peer: SendPeer) -> None:
    values: list[Any] = [-5, 2**63, lwm2m.Unsigned(7), 0.5, True, "text", b"\0\xff", bytearray(b"x"), AT]
    samples = [lwm2m.Sample("/3303/0/1", value, at=AT) for value in values]
    samples.append(lwm2m.Sample("/3303/0/2/3", lwm2m.ObjectLink(3, 0), at=AT.timestamp() + 0.5))
    sending = client.send(samples, ssid=1)
    assert sending.ssid == 1
    assert sending.result(10) is None
    assert sending.done() and not sending.cancel()
    first, *rest = peer.records()
    assert first == {-2: "/3303/0", 0: "/1", -3: 1700000000, 2: -5}
    shown = [next(value for label, value in record.items() if label not in (0, -3)) for record in rest]
    assert shown == [2**63, 7, 0.5, True, "text", b"\0\xff", b"x", 1700000000, "3:0"]
    assert rest[-1] == {0: "/2/3", -3: 1700000000.5, "vlo": "3:0"}


def test_current_values(client: lwm2m.Client, peer: SendPeer) -> None:
    sensor = Sensor(iid=7, value=3.5)
    group = client._objects[3303]
    group.add(sensor)
    before = time.time()
    client.send([sensor.path("value"), sensor.path("steps")]).result(10)
    first, *rest = peer.records()
    assert before - 0.01 <= first.pop(-3) <= time.time()
    assert [first, *rest] == [
        {-2: "/3303/7", 0: "/5700", 2: 3.5},
        {0: "/5702/0", 2: 1},
        {0: "/5702/4", 2: -2},
    ]
    client.send("/3303/7/5700").result(10)
    assert peer.records()[0][-2] == "/3303/7/5700"
    client.send([]).result(10)
    assert peer.records() == []


def test_order_of_current_values_and_samples(client: lwm2m.Client, peer: SendPeer) -> None:
    client.send(["/3303/0/5700", lwm2m.Sample("/3303/0/1", 1), "/3303/0/5702"]).result(10)
    assert [record.get(0) for record in peer.records()] == ["/5700", "/1", "/5702/0", "/5702/4"]


def test_time_without_one_is_now(client: lwm2m.Client, peer: SendPeer) -> None:
    before = time.time()
    client.send(lwm2m.Sample("/3303/0/1", 1)).result(10)
    assert before - 0.01 <= peer.records()[0][-3] <= time.time()


def test_missing_values(client: lwm2m.Client, peer: SendPeer) -> None:
    for path in ("/3303/0/5701", "/3303/0/99", "/3303/9/5700", "/44/0/0"):
        with pytest.raises(lwm2m.NativeError, match=path):
            client.send(["/3303/0/5700", path])
    paths = ["/3303/0/5701", "/3303/0/5700", "/44/0/0"]
    client.send(paths, ignore_missing=True).result(10)
    assert [record[-2] for record in peer.records()] == ["/3303/0/5700"]
    for path in ("/3303/0/5703", "/3303/0/5704", "/0/0/0"):
        with pytest.raises(lwm2m.NativeError):
            client.send(path, ignore_missing=True)
    with pytest.raises(KeyboardInterrupt):
        client.send("/3303/0/5705")
    assert len(peer.sends) == 1


@pytest.mark.parametrize(
    "values",
    [
        "3303/0/5700",
        "/3303/0",
        "/3303/0/5700/0",
        "/3303/0/65535",
        "/3303/0/x",
        "",
        lwm2m.Sample("/3303/0", 1),
        lwm2m.Sample("/3303/0/1/65535", 1),
        lwm2m.Sample("/3303/0/1/2/3", 1),
        lwm2m.Sample("/3303/0/1", 2**64),
        lwm2m.Sample("/3303/0/1", -(2**63) - 1),
        lwm2m.Sample("/3303/0/1", lwm2m.Unsigned(-1)),
        lwm2m.Sample("/3303/0/1", "a\0b"),
        lwm2m.Sample("/3303/0/1", 1, at=float("nan")),
        lwm2m.Sample("/3303/0/1", 1, at=1e20),
    ],
)
def test_bad_values(client: lwm2m.Client, peer: SendPeer, values: Any) -> None:
    with pytest.raises(lwm2m.ConfigurationError):
        client.send(["/3303/0/5700", values])
    assert not peer.sends and not client._sendings


def test_wrong_types(client: lwm2m.Client) -> None:
    with pytest.raises(TypeError):
        client.send(lwm2m.Sample("/3303/0/1", object()))  # type: ignore[arg-type]
    with pytest.raises(lwm2m.ConfigurationError):
        Sensor().path("nothing")
    with pytest.raises(lwm2m.AnjayError, match="not registered"):
        Sensor().path("value")


@pytest.mark.parametrize("code", [0x80, 0x84, 0xA3, 0x45])
def test_error_answers(client: lwm2m.Client, peer: SendPeer, code: int) -> None:
    peer.dp = code
    sending = client.send("/3303/0/5700")
    with pytest.raises(lwm2m.SendError, match=f"{code >> 5}.{code & 31:02}") as caught:
        sending.result(10)
    assert caught.value.code == code
    peer.dp = 0x44
    client.send("/3303/0/5700").result(10)


def test_reset_and_silence(client: lwm2m.Client, peer: SendPeer) -> None:
    peer.dp = 0
    with pytest.raises(lwm2m.SendTimeout) as caught:
        client.send("/3303/0/5700").result(10)
    assert caught.value.code is None
    peer.answer = False
    with pytest.raises(lwm2m.SendTimeout):
        client.send("/3303/0/5700").result(10)
    assert client.registered


def test_larger_than_a_block(client: lwm2m.Client, peer: SendPeer) -> None:
    client.send(lwm2m.Sample("/3303/0/1", "q" * 2500, at=AT)).result(10)
    assert [len(message.payload) for message in peer.sends[:2]] == [1024, 1024]
    whole = cbor2.loads(b"".join(message.payload for message in peer.sends))
    assert whole[0][3] == "q" * 2500


def test_muted(client: lwm2m.Client, peer: SendPeer) -> None:
    assert peer.ask(PUT, "/1/0/23", b"1", [(FORMAT, b"")]).code == 0x44
    for deferrable in (False, True):
        with pytest.raises(lwm2m.SendMuted):
            client.send("/3303/0/5700", deferrable=deferrable)
    assert peer.ask(PUT, "/1/0/23", b"0", [(FORMAT, b"")]).code == 0x44
    client.send("/3303/0/5700").result(10)
    assert len(peer.sends) == 1


def test_offline_and_deferred(client: lwm2m.Client, peer: SendPeer) -> None:
    client.enter_offline()
    peer.wait(lambda: not client.sockets())
    with pytest.raises(lwm2m.SendOffline):
        client.send("/3303/0/5700")
    sending = client.send("/3303/0/5700", deferrable=True)
    with pytest.raises(TimeoutError):
        try:
            sending.result(0.1)
        except Exception as exc:  # concurrent.futures has a TimeoutError of its own before 3.11
            raise TimeoutError from exc
    client.exit_offline()
    sending.result(10)
    assert len(peer.sends) == 1


def test_dropped(client: lwm2m.Client, peer: SendPeer) -> None:
    """The server is taken out of the data model while its Send waits."""
    client.enter_offline()
    peer.wait(lambda: not client.sockets())
    sending = client.send("/3303/0/5700", deferrable=True)
    client.server.purge()
    with pytest.raises(lwm2m.SendDropped):
        sending.result(10)
    client.exit_offline()


def test_which_server(client: lwm2m.Client) -> None:
    for ssid in (2, 0, 65535):
        with pytest.raises(lwm2m.ConfigurationError):
            client.send("/3303/0/5700", ssid=ssid)
    client.server.add(lwm2m.ServerInstance(ssid=2, lifetime=60))
    with pytest.raises(lwm2m.ConfigurationError, match="2 servers"):
        client.send("/3303/0/5700")
    client.send("/3303/0/5700", ssid=1).result(10)


def test_close_ends_it(client: lwm2m.Client, peer: SendPeer) -> None:
    peer.answer = False
    sendings = [client.send("/3303/0/5700") for _ in range(3)]
    client.close(timeout=0.2)
    for sending in sendings:
        with pytest.raises(lwm2m.SendError) as caught:
            sending.result(0)
        assert caught.value.code is None
    with pytest.raises(lwm2m.ClosedError):
        client.send("/3303/0/5700")


def test_offline_aborts(client: lwm2m.Client, peer: SendPeer) -> None:
    peer.answer = False
    sending = client.send("/3303/0/5700")
    client.enter_offline()
    with pytest.raises(lwm2m.SendAborted):
        sending.result(10)


def test_many_from_threads(client: lwm2m.Client, peer: SendPeer) -> None:
    done: list[lwm2m.Sending] = []
    failures: list[BaseException] = []

    def work(n: int) -> None:
        try:
            mine = [client.send(lwm2m.Sample(f"/3303/{n}/1", i)) for i in range(20)]
            for sending in mine:
                sending.result(30)
            done.extend(mine)
        except BaseException as exc:
            failures.append(exc)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(done) == len(peer.sends) == 80
    for n in range(4):  # each thread's in its order
        found = [peer.records(i)[0] for i in range(80)]
        assert [record[2] for record in found if record[-2] == f"/3303/{n}/1"] == list(range(20))
    assert not client._sendings


def test_callback_may_send_again(client: lwm2m.Client, peer: SendPeer) -> None:
    second: list[lwm2m.Sending] = []
    client.send("/3303/0/5700").add_done_callback(lambda _: second.append(client.send("/3303/0/5702")))
    peer.wait(lambda: len(peer.sends) == 2)
    second[0].result(10)


def test_from_a_handler(make: Callable[..., lwm2m.Client], peer: SendPeer) -> None:
    class Button(lwm2m.Object, oid=3347):
        pressed: int = lwm2m.resource(5501, "R", default=0)

        @lwm2m.execute(1)
        def press(self) -> None:
            """Count, and tell at once."""
            self.pressed += 1
            self.sending = client.send(self.path("pressed"))

    client = make()
    button = client.register(Button())
    client.start_thread()
    peer.wait(lambda: client.registered)
    assert peer.ask(POST, "/3347/0/1").code == 0x44
    button.sending.result(10)
    assert peer.records()[0][2] == 1


def test_asyncio(make: Callable[..., lwm2m.Client], peer: SendPeer) -> None:
    async def main() -> None:
        client = make()
        client.register(Sensor())
        serving = asyncio.ensure_future(client.serve())
        while not client.registered:
            await asyncio.sleep(0.01)
        await client.send("/3303/0/5700")
        await asyncio.gather(*(client.send(lwm2m.Sample("/3303/0/1", n)) for n in range(10)))
        assert len(peer.sends) == 11
        peer.dp = 0x84
        with pytest.raises(lwm2m.SendError):
            await client.send("/3303/0/5700")
        peer.answer = False
        lost = client.send("/3303/0/5700")
        waiting = asyncio.ensure_future(asyncio.wait_for(lost, 0.05))  # type: ignore[arg-type]
        with pytest.raises(asyncio.TimeoutError):
            await waiting
        assert not lost.done()  # who waits may give up; the Send goes on
        client.stop()
        await serving
        client.close(timeout=0.2)
        with pytest.raises(lwm2m.SendError):
            await lost

    asyncio.run(main())


def test_not_available(client: lwm2m.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(_buildinfo.FEATURES, "ANJAY_WITH_SEND")
    with pytest.raises(lwm2m.FeatureNotAvailable, match="ANJAY_WITH_SEND"):
        client.send("/3303/0/5700")


def test_old_values_keep_their_times(client: lwm2m.Client, peer: SendPeer) -> None:
    """What was measured while nobody could be reached."""
    samples = [lwm2m.Sample("/3303/0/5700", 20.0 + n, at=AT + timedelta(minutes=n)) for n in range(3)]
    client.send(samples).result(10)
    times = [record[-3] for record in peer.records()]
    assert times == [1700000000, 1700000060, 1700000120]
