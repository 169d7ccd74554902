# SPDX-License-Identifier: Apache-2.0
"""A client and the Leshan server that it is registered with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .lines import Client, Leshan, until

KEY = "0123456789abcdef"


def links_of(answer: Any) -> dict[str, dict[str, str]]:
    """The attributes of each path that a Discover found."""
    assert answer["code"] == "CONTENT", answer
    return {link["path"]: link["attributes"] for link in answer["links"]}


class Pair:
    """What the server is asked to do with the client, and what the client is told."""

    def __init__(self, server: Leshan, folder: Path, endpoint: str, secure: bool, *options: str) -> None:
        self.server, self.endpoint, self.secure, self.folder = server, endpoint, secure, folder
        scheme = "coaps" if secure else "coap"
        if secure:
            server.ask("key", endpoint=endpoint, identity=f"id-{endpoint}", key=KEY)
            options = (*options, "--identity", f"id-{endpoint}", "--key", KEY)
        folder.mkdir()
        self.client = Client(endpoint, f"{scheme}://127.0.0.1:{server.ports[scheme]}", folder, *options)
        self.registration: dict[str, Any] = {}

    def ask(self, op: str, path: str | None = None, **fields: Any) -> Any:
        return self.server.ask(op, endpoint=self.endpoint, path=path, **fields)

    def event(self, name: str, **fields: Any) -> Any:
        return self.server.event(name, self.endpoint, **fields)

    def notification(self, path: str) -> Any:
        return self.event("notification", path=path)

    def unasked(self, *names: str) -> list[Any]:
        """Events of this client that nobody waited for."""
        return [
            line
            for line in self.server.drain()
            if line.get("event") in names and line["endpoint"] == self.endpoint
        ]

    def read(self, path: str, name: str | None = None) -> Any:
        answer = self.ask("read", path, format=name)
        assert answer["code"] == "CONTENT", answer
        if name is not None:
            assert answer["format"] == name
        return answer["content"]

    def write(self, path: str, name: str | None, what: Any, mode: str = "REPLACE") -> None:
        answer = self.ask("write", path, format=name, node=what, mode=mode)
        assert answer["code"] == "CHANGED", answer

    def fresh(self) -> None:
        """Instances 0 and 1 as they were."""
        for iid in self.client("instances"):
            self.client("remove", iid)
        for iid in (0, 1):
            self.client("add", iid)

    def leave(self) -> None:
        """De-registers at the end, and exits with 0."""
        self.client("quit")
        assert self.event("unregistered", replaced=False)["expired"] is False
        self.client.event("closed")
        assert self.client.end() == 0


@contextmanager
def registered(server: Leshan, folder: Path, endpoint: str, secure: bool, *options: str) -> Iterator[Pair]:
    """A client that is registered, and leaves in good order unless something went wrong."""
    pair = Pair(server, folder, endpoint, secure, *options)
    try:
        pair.registration = pair.event("registered")
        # Leshan tells us before its answer is with the client
        until(lambda: pair.client("registered"), "a client that knows that it is registered")
        yield pair
        pair.leave()
    finally:
        pair.client.end()
