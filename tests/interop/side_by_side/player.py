# SPDX-License-Identifier: Apache-2.0
"""Plays a session of requests against a client, and notes all that the client says.

    python -m tests.interop.side_by_side.player record OUT.jsonl     # with whatever provider is installed
    python -m tests.interop.side_by_side.player compare IN.jsonl     # prints what differs

A row of a record is one step: its group and name, the answer, and what the client sent by itself meanwhile.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.python.peer import (
    ACK,
    BLOCK1,
    BLOCK2,
    CON,
    DELETE,
    GET,
    LOCATION,
    NON,
    PATH,
    POST,
    RST,
    Message,
    number,
)

Row = dict[str, Any]
PATIENCE = 3.0
"""Seconds to wait for an answer before the step counts as unanswered."""


@dataclass
class Step:
    """One request (or ``raw`` datagram) and how long to listen after its answer."""

    name: str
    code: int = 0
    path: str = ""
    payload: bytes = b""
    options: list[tuple[int, bytes]] = field(default_factory=list)
    type: int = CON
    token: str = ""
    """Steps of the same token name use the same token."""
    raw: bytes = b""
    """A whole datagram; MMMM in ASCII stands for the Message ID."""
    settle: float = 0.0
    answer: bool = True
    """False: no answer is waited for."""
    repeat: bool = False
    """Send the previous datagram again."""


@dataclass
class Group:
    """Steps to a freshly started client. ``client`` makes its command line, without the endpoint."""

    name: str
    client: str
    steps: list[Step]
    mask: str = ""
    """Regular expression of what changes from run to run in payloads."""


class Player:
    """The server of one group."""

    def __init__(self, group: Group, command: Callable[[str, str], list[str]]) -> None:
        self.group = group
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        uri = f"coap://127.0.0.1:{self.socket.getsockname()[1]}"
        self.process = subprocess.Popen(
            command(group.client, uri),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.address: Any = None
        self.mids = itertools.count(0x1000)
        self.tokens: dict[str, bytes] = {}
        self.own: list[Row] = []
        self.last = b""
        self.buffer: list[Message] = []

    def __enter__(self) -> Player:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.socket.close()

    def show(self, message: Message) -> Row:
        """A message as it is recorded."""
        names = {4: "etag", 6: "observe", 8: "location", 11: "path", 12: "format", 15: "query"}
        names |= {17: "accept", 23: "block2", 27: "block1", 60: "size1", 28: "size2"}
        options = []
        for option, value in message.options:
            text = value.decode() if option in (8, 11, 15) else str(int.from_bytes(value, "big"))
            options.append(f"{names.get(option, option)}={'*' if option == 6 else text}")
        payload = message.payload
        if self.group.mask:
            payload = re.sub(self.group.mask.encode("latin-1"), b"<*>", payload, flags=re.S)
        try:
            body = payload.decode()
            body = body if body.isprintable() else "hex:" + payload.hex()
        except UnicodeDecodeError:
            body = "hex:" + payload.hex()
        code = f"{message.code >> 5}.{message.code & 31:02}"
        return {
            "type": ("CON", "NON", "ACK", "RST")[message.type],
            "code": code,
            "options": options,
            "payload": body,
        }

    def receive(self, seconds: float) -> Message | None:
        """The next message that is not the client's own doing."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if not select.select([self.socket], [], [], max(0.0, left))[0]:
                return None
            data, self.address = self.socket.recvfrom(65536)
            message = Message.decode(data)
            if not self.serve(message):
                return message

    def serve(self, message: Message) -> bool:
        """Answer a request or notification of the client's; whether it was one."""
        if 1 <= message.code < 32:
            self.own.append(self.show(message))
            code, options = 0x44, []
            if message.code == POST and message.path == "/rd":
                code, options = 0x41, [(LOCATION, b"rd"), (LOCATION, b"1")]
            elif message.code == DELETE:
                code = 0x42
            self.send(Message(ACK, code, message.mid, message.token, options).encode())
            return True
        known = message.token in self.tokens.values()
        if message.type == CON or (message.type == NON and known and self.expecting != message.token):
            self.own.append(self.show(message))
            if message.type == CON:
                self.send(Message(ACK, 0, message.mid).encode())
            return True
        return False

    expecting: bytes | None = None

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, self.address)

    def play(self, expected: dict[str, Row] | None = None) -> Iterator[Row]:
        """All rows of the group; what the client sends by itself in ``expected`` rows is waited for."""
        wanted = {name: len(row["own"]) for name, row in (expected or {}).items()}
        end = time.monotonic() + 15
        while not self.own and time.monotonic() < end:
            self.receive(0.2)
        if not self.own:
            raise SystemExit(f"{self.group.name}: the client did not register")
        yield self.row("(registration)", None)
        for step in self.group.steps:
            answer = self.whole(step)
            self.listen(step.settle, wanted.get(step.name, 0))
            yield self.row(step.name, answer)

    def listen(self, seconds: float, count: int) -> None:
        """Let the client speak: until it has said ``count`` things where so many are known to come."""
        end = time.monotonic() + (5.0 if count else seconds)
        while (left := end - time.monotonic()) > 0 and not (count and len(self.own) >= count):
            self.receive(min(left, 0.02))

    def row(self, name: str, answer: Row | None) -> Row:
        own, self.own = self.own, []
        return {"group": self.group.name, "name": name, "answer": answer, "own": own}

    def whole(self, step: Step) -> Row | None:
        """The answer to a step; the rest of one in blocks is fetched, unless the step asks for blocks."""
        answer = self.ask(step)
        if (
            answer is None
            or any(option in (BLOCK1, BLOCK2) for option, _ in step.options)
            or step.code != GET
        ):
            return self.show(answer) if answer else None
        body, block, count = answer.payload, answer.get(BLOCK2), 1
        while block and block[0] and block[0][-1] & 8:
            following = (count << 4) | block[0][-1] & 7
            more = Step(
                step.name,
                GET,
                step.path,
                options=[*step.options, (BLOCK2, number(following))],
                token=step.token,
            )
            got = self.ask(more)
            if got is None or got.code != answer.code:
                return self.show(got) if got else None
            body, block, count = body + got.payload, got.get(BLOCK2), count + 1
        shown = self.show(answer)
        if count > 1:
            answer.payload = body
            shown = self.show(answer) | {"blocks": count}
        return shown

    def ask(self, step: Step) -> Message | None:
        mid = next(self.mids)
        token = self.tokens.setdefault(step.token or step.name, mid.to_bytes(4, "big"))
        if step.raw:
            data = step.raw.replace(b"MMMM", mid.to_bytes(2, "big"))
        elif step.repeat:
            data, mid = self.last, int.from_bytes(self.last[2:4], "big")
        else:
            parts = [(PATH, part.encode()) for part in step.path.split("/")[1:]]
            data = Message(step.type, step.code, mid, token, [*parts, *step.options], step.payload).encode()
        self.last = data
        self.expecting = token
        self.send(data)
        end = time.monotonic() + (PATIENCE if step.answer else 0.3)
        try:
            while (left := end - time.monotonic()) > 0:
                got = self.receive(left)
                if got is not None and (got.mid == mid or (got.token == token and got.type != RST)):
                    return got
        finally:
            self.expecting = None
        return None


def command(client: str, uri: str) -> list[str]:
    """Command line of a client."""
    if client == "kinds":
        return [sys.executable, str(Path(__file__).with_name("kinds.py")), uri]
    state = f"/tmp/side-by-side-{uri.rpartition(':')[2]}"
    Path(state).mkdir(exist_ok=True, mode=0o700)
    return [
        sys.executable,
        "-m",
        "anjay_cffi.tutorial",
        "urn:dev:os:side",
        "--server",
        uri,
        "--nosec",
        "--state-dir",
        state,
    ]


def rows(group: Group, expected: dict[str, Row] | None = None) -> Iterator[Row]:
    """Play a group."""
    with Player(group, command) as player:
        yield from player.play(expected)


def load(path: Path) -> dict[str, dict[str, Row]]:
    """A record: group to step to row."""
    found: dict[str, dict[str, Row]] = {}
    for row in map(json.loads, path.read_text().splitlines()):
        found.setdefault(row["group"], {})[row["name"]] = row
    return found


def differences(expected: Row, found: Row) -> list[str]:
    """What differs between two rows, in words."""

    def text(part: object) -> str:
        return json.dumps(part, ensure_ascii=False)

    return [
        f"{part}: {text(expected[part])}, here {text(found[part])}"
        for part in ("answer", "own")
        if expected[part] != found[part]
    ]


def main() -> int:
    """Run the command line."""
    from .session import GROUPS

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("record", "compare"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--only", metavar="GROUP")
    args = parser.parse_args()
    groups = [group for group in GROUPS if args.only in (None, group.name)]
    if args.what == "record":
        with args.file.open("w") as out:
            for group in groups:
                for row in rows(group):
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")
        return 0
    record = load(args.file)
    wrong = 0
    for group in groups:
        for row in rows(group, record[group.name]):
            for line in differences(record[group.name][row["name"]], row):
                wrong += 1
                print(f"{row['group']} | {row['name']} | {line}")
    print(f"{wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
