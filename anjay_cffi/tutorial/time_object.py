# SPDX-License-Identifier: Apache-2.0
"""The Time object /3333: what time it is, and what the clock is called."""

from __future__ import annotations

from datetime import datetime, timezone

import anjay_cffi as lwm2m


class Clock(lwm2m.Object, oid=3333, creatable=True):
    """One instance of the Time object. Servers may create and delete others."""

    fractional_time: float | None = lwm2m.resource(5507, "R", default=None)  # absent
    application_type: str = lwm2m.resource(5750, "RW", default="")

    @lwm2m.validates("application_type")
    def _fits(self, value: str) -> None:
        if len(value.encode()) >= 64:
            raise ValueError("an application type has at most 63 bytes")

    @lwm2m.resource(5506, "R")
    def current_time(self) -> datetime:
        """Whole seconds since 1970, as the library sends them."""
        return datetime.now(timezone.utc)


def install(client: lwm2m.Client) -> lwm2m.Instances[Clock]:
    """Give the client the object with its first instance."""
    return client.register(Clock, instances=[Clock(application_type="Clock 0")])
