# SPDX-License-Identifier: Apache-2.0
"""A client with an object of every kind of value: ``kinds.py URI``."""

from __future__ import annotations

import sys

import anjay_cffi as lwm2m


class Kinds(lwm2m.Object, oid=33333, version="1.1", creatable=True):
    """Readable and writable, so that a Write can be looked at."""

    text: str = lwm2m.resource(0, "RW", default="text")
    integer: int = lwm2m.resource(1, "RW", default=-42)
    real: float = lwm2m.resource(2, "RW", default=1.5)
    flag: bool = lwm2m.resource(3, "RW", default=True)
    data: bytes = lwm2m.resource(4, "RW", default=bytes(range(8)))
    link: lwm2m.ObjectLink = lwm2m.resource(5, "RW", default=lwm2m.ObjectLink(3, 0))
    unsigned: int = lwm2m.resource(6, "RW", default=2**63, type=lwm2m.Unsigned)
    many: dict[int, int] = lwm2m.resource(7, "RW", default={0: 10, 3: -300})
    words: dict[int, str] = lwm2m.resource(8, "RW", default={1: "one"})
    large: str = lwm2m.resource(9, "RW", default="".join(f"{i:04}" for i in range(300)))
    arguments: str = lwm2m.resource(11, "R", default="")
    write_only: int = lwm2m.resource(12, "W", default=0)
    absent: str | None = lwm2m.resource(13, "RW", default=None)

    @lwm2m.execute(10)
    def run(self, args: lwm2m.ExecuteArgs) -> None:
        """Keep the arguments, to be read."""
        self.arguments = ";".join(f"{k}={v}" for k, v in args.items())


def main() -> None:
    """Run until killed."""
    with lwm2m.Client(
        "urn:dev:os:kinds", in_buffer_size=4000, out_buffer_size=4000, msg_cache_size=4000
    ) as client:
        client.security.add(lwm2m.SecurityInstance(ssid=1, server_uri=sys.argv[1]))
        client.server.add(lwm2m.ServerInstance(ssid=1, lifetime=300, binding="U"))
        client.register(Kinds, instances=[Kinds(), Kinds(text="second")])
        client.run()


if __name__ == "__main__":
    main()
