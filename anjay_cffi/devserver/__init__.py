# SPDX-License-Identifier: Apache-2.0
"""A small LwM2M server for demos and tests, over UDP and DTLS-PSK; needs the extra ``[devserver]``.

    async with DevServer(keys={"identity": "key"}) as server:
        device = await server.registered("my-endpoint")
        print(await device.read("/3333/0/5506"))
        await firmware.push(device, image)

``python -m anjay_cffi.devserver`` is a shell on it. Not a server for the internet: everybody may register.
"""

from __future__ import annotations

from . import _needs as _needs  # first: it checks for what the others import
from . import firmware
from .device import Device, Observation, Progress, Sent
from .errors import DevServerError, PayloadError, ResetError, ResponseError, SilenceError
from .server import DevServer, Event
from .values import ObjectLink, Tree, Value

__all__ = [
    "DevServer",
    "DevServerError",
    "Device",
    "Event",
    "ObjectLink",
    "Observation",
    "PayloadError",
    "Progress",
    "ResetError",
    "ResponseError",
    "Sent",
    "SilenceError",
    "Tree",
    "Value",
    "firmware",
]
