# SPDX-License-Identifier: Apache-2.0
"""A user's program as type checkers see it; never run.

What they must refuse carries an ignore, and an ignore that is not needed is an error.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from typing_extensions import assert_type

import anjay_cffi as lwm2m


class Clock(lwm2m.Object, oid=3333, creatable=True):
    application_type: str = lwm2m.resource(5750, "RW", default="")
    fractional: float | None = lwm2m.resource(5507, "R", default=None)
    names: dict[int, str] = lwm2m.resource(7, "RW", default={})
    count: int = lwm2m.resource(8, "RW", default=0, type=lwm2m.Unsigned)

    @lwm2m.resource(5506, "R")
    def current_time(self) -> datetime:
        return datetime.now(timezone.utc)

    @lwm2m.execute(5523)
    def run(self, args: lwm2m.ExecuteArgs) -> None:
        assert_type(args.get(0), "str | None")

    @lwm2m.validates("application_type")
    def _short(self, value: str) -> None:
        if len(value) > 63:
            raise ValueError("too long")


class Firmware:
    def stream_open(self, uri: str | None, etag: bytes | None) -> None: ...
    def stream_write(self, data: memoryview) -> None: ...
    def stream_finish(self) -> None: ...
    def reset(self) -> None: ...
    def perform_upgrade(self) -> None: ...


class NotFirmware:
    def stream_open(self, uri: str) -> None: ...


def told(ssid: int, status: lwm2m.ServerStatus) -> None: ...


async def main() -> None:
    with lwm2m.Client("urn:dev:os:1", in_buffer_size=2000) as client:
        assert_type(client, lwm2m.Client)
        clock = client.register(Clock(application_type="Clock 0"))
        assert_type(clock, Clock)
        assert_type(clock.current_time, datetime)
        assert_type(clock.application_type, str)
        assert_type(clock.fractional, "float | None")
        assert_type(clock.names, dict[int, str])
        assert_type(clock.count, int)
        clock.application_type = 5  # type: ignore[assignment]
        clocks = client.register(Clock, instances=[Clock()])
        assert_type(clocks, lwm2m.Instances[Clock])
        assert_type([found for found in clocks], list[Clock])  # noqa: C416
        client.register("clock")  # type: ignore[call-overload]
        client.firmware_update.install(Firmware(), write_size=4096)
        client.firmware_update.install(Firmware(), write_size="4096")  # type: ignore[arg-type]
        client.firmware_update.install(NotFirmware())  # type: ignore[arg-type]
        assert_type(client.on_status(told)(1, lwm2m.ServerStatus.ERROR), None)
        client.on_status(print)
        client.on_status(lambda ssid: None)  # type: ignore[type-var]
        assert_type(client.every(1.0, clock.notify, "current_time"), lwm2m.Job)
        assert_type(client.next_deadline(), "float | None")
        assert_type(client.status(1), lwm2m.ServerStatus)
        await client.serve()
    assert_type(lwm2m.lib, Any)
