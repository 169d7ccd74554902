# SPDX-License-Identifier: Apache-2.0
"""libcoap's example programs as they come with a distribution.

``coap-server -d`` makes a resource of whatever is written to it, and so takes Register, Update and
De-register of one client; ``coap-rd`` is a resource directory. ``coap-client`` sends requests from the port
of the server, so that the client takes them for its own server's. It cannot send within a DTLS session that
somebody else began: over DTLS there are the servers alone.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .lines import until

REGISTERED = re.compile(
    r"v:1 t:CON c:POST i:\w+ \{\w+\} \[ Uri-Path:rd, Content-Format:application/link-format, Uri-Query:lwm2m"
)
# libcoap 4.3.5 has other words for it than 4.3.1
SENT, RECEIVED = r"sent +\d+ bytes", r"(?:received|recv) +\d+ bytes"
RESPONSE = re.compile(r"v:1 t:(\w+) c:(\d\.\d\d) i:\w+ \{\w*\} \[ ?(.*?) ?\]")


def program(name: str) -> str:
    """Its path; the test is skipped where it is not installed."""
    for variant in (name, *(f"{name}-{library}" for library in ("openssl", "gnutls", "notls"))):
        if found := shutil.which(variant):
            return found
    pytest.skip(f"{name} is not here: nothing was tried against libcoap (Debian's package is libcoap3-bin)")


def free_port() -> int:
    """One that is free, and the next one, too: unless another test takes one of them now."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as next_one,
        ):
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            try:
                next_one.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


class Server:
    """``coap-server`` or ``coap-rd``; what it saw is in its log."""

    def __init__(self, command: str, log: Path, *options: str) -> None:
        self._command = [command, "-A", "127.0.0.1", "-v", "7", *options]
        self._log = log
        self._endpoints = ["created UDP  endpoint", *(["created DTLS endpoint"] if "-k" in options else [])]
        self._process: subprocess.Popen[bytes] | None = None
        for _ in range(10):
            self.port = free_port()
            if self.start():
                return
        raise AssertionError(self.text())

    def start(self) -> bool:
        """Whether it has its ports."""
        began = len(self.text())
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                [*self._command, "-p", str(self.port)], stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        process = self._process

        def created() -> bool:
            return all(each in self.text()[began:] for each in self._endpoints)

        def over() -> bool:
            return created() or "cannot create" in self.text()[began:] or process.poll() is not None

        try:
            until(over, "what became of the ports of libcoap's server")
        finally:
            if not created():
                self.stop()
        return created()

    def stop(self) -> None:
        """Without a word to its clients."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def uri(self, secure: bool) -> str:
        return f"coaps://127.0.0.1:{self.port + 1}" if secure else f"coap://127.0.0.1:{self.port}"

    def text(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def count(self, pattern: str | re.Pattern[str]) -> int:
        return len(re.findall(pattern, self.text()))

    def wait(self, pattern: str | re.Pattern[str], times: int = 1, timeout: float = 15.0) -> None:
        until(
            lambda: self.count(pattern) >= times, f"{times} times {pattern} in {self.text()[-3000:]}", timeout
        )

    def client_port(self) -> int:
        """Of the client that registered last."""
        self.wait(REGISTERED)
        return int(re.findall(r"<-> 127\.0\.0\.1:(\d+)[^\n]*\n" + REGISTERED.pattern, self.text())[-1])


@contextmanager
def running(command: str, folder: Path, *options: str) -> Iterator[Server]:
    server = Server(command, folder / "coap-server.log", *options)
    try:
        yield server
    finally:
        server.stop()


def responses(log: str) -> list[tuple[str, str]]:
    """Codes and options of the responses that a program has received."""
    received = (part.partition("\n")[2] for part in re.split(RECEIVED, log)[1:])
    return [(found[2], found[3]) for part in received if (found := RESPONSE.match(part)) and found[2] >= "2"]


def answered_before(log: str) -> bool:
    """Whether a request of a ``coap-client`` was taken for a duplicate of one that another one had sent.

    Each begins with a message id that it draws. The client then repeats its answer, which has another token,
    and nothing was done for the request.
    """
    sent = dict(re.findall(SENT + r"\nv:1 t:(?:CON|NON) c:[A-Z]+ i:(\w+) \{(\w*)\}", log))
    answers = re.findall(RECEIVED + r"\nv:1 t:ACK c:[2-5]\.\d\d i:(\w+) \{(\w*)\}", log)
    return any(mid in sent and sent[mid] != token for mid, token in answers)


@dataclass
class Answer:
    """The last message that came for a request, and all codes that came."""

    code: str
    options: str
    payload: bytes
    codes: list[str] = field(default_factory=list)
    log: str = ""


@dataclass
class Requests:
    """``coap-client`` from the server's port to the client's.

    While it runs, it gets what the client sends by itself, too, and answers it with 4.04.
    """

    command: str
    folder: Path
    server_port: int
    client_port: int

    def arguments(self, method: str, path: str, *options: str, query: str = "") -> list[str]:
        return [
            *(self.command, "-m", method, "-a", "127.0.0.1", "-p", str(self.server_port)),
            # without Uri-Host and Uri-Port: the client knows no other host than itself
            *("-U", "-v", "7", "-B", "20", *options),
            f"coap://127.0.0.1:{self.client_port}{path}{'?' + query if query else ''}",
        ]

    def ask(
        self,
        method: str,
        path: str,
        payload: bytes | None = None,
        *options: str,
        accept: int | None = None,
        format: int | None = None,
        query: str = "",
    ) -> Answer:
        into = self.folder / "answer"
        extra = ["-o", str(into), *options]
        if accept is not None:
            extra += ["-A", str(accept)]
        if format is not None:
            extra += ["-t", str(format)]
        if payload is not None:
            body = self.folder / "payload"
            body.write_bytes(payload)
            extra += ["-f", str(body)]
        log = ""
        for _ in range(3):
            into.unlink(missing_ok=True)
            done = subprocess.run(
                self.arguments(method, path, *extra, query=query), capture_output=True, timeout=60, check=True
            )
            log = (done.stdout + done.stderr).decode(errors="replace")
            if not answered_before(log):
                break
        seen = responses(log)
        assert seen, log
        return Answer(*seen[-1], into.read_bytes() if into.exists() else b"", [code for code, _ in seen], log)
