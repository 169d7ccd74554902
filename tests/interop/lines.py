# SPDX-License-Identifier: Apache-2.0
"""Programs that are told by lines what to do: the client under test, and the server on Leshan."""

from __future__ import annotations

import ast
import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TIMEOUT = 30.0
CLIENT = Path(__file__).with_name("client.py")


def until(condition: Callable[[], bool], what: str, timeout: float = 10.0) -> None:
    """Wait until it is true; an AssertionError says what was not."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"not seen: {what}"
        time.sleep(0.02)


class Program:
    """A child process; lines that it writes come into ``log`` by a thread of their own."""

    def __init__(self, command: list[str], errors: Path) -> None:
        self.errors = errors
        self._errors = errors.open("ab")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True, bufsize=1
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        self.log: list[Any] = []

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def parse(self, line: str) -> Any:
        raise NotImplementedError

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def next(self, fits: Callable[[Any], bool], what: str, timeout: float = TIMEOUT) -> Any:
        """The first line that fits, taken out of what has been read and not been asked for."""
        end = time.monotonic() + timeout
        while True:
            for index, line in enumerate(self.log):
                if fits(line):
                    return self.log.pop(index)
            try:
                text = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {what}; there were {self.log}; {self._tail()}") from None
            if text is None:
                self._lines.put(None)
                raise AssertionError(f"no {what}: the program has ended; {self._tail()}")
            self.log.append(self.parse(text))

    def _tail(self) -> str:
        return f"it said on stderr: {self.errors.read_text()[-3000:]}"

    def drain(self) -> list[Any]:
        """All lines that have come and not been asked for."""
        while True:
            try:
                text = self._lines.get_nowait()
            except queue.Empty:
                break
            if text is None:
                self._lines.put(None)
                break
            self.log.append(self.parse(text))
        found, self.log = self.log, []
        return found

    def end(self, timeout: float = TIMEOUT) -> int:
        """Close its standard input, wait for it, and leave nothing open whatever happens; its exit status."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
            return self.process.wait(timeout)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self._thread.join()
            self.process.stdout.close()
            self._errors.close()


class Client(Program):
    """tests/interop/client.py."""

    def __init__(self, endpoint: str, uri: str, folder: Path, *options: str) -> None:
        self.endpoint = endpoint
        command = [sys.executable, str(CLIENT), endpoint, uri, str(folder), *options]
        super().__init__(command, folder / "client.log")

    def parse(self, line: str) -> Any:
        return ast.literal_eval(line)

    def __call__(self, name: str, *arguments: Any) -> Any:
        self.tell(repr((name, *arguments)))
        answer = self.next(lambda line: line[0] in ("answer", "error"), f"answer to {name}")
        assert answer[0] == "answer", answer
        return answer[1]

    def event(self, name: str, timeout: float = TIMEOUT) -> Any:
        return self.next(lambda line: line[:2] == ("event", name), f"event {name}", timeout)


class Leshan(Program):
    """The server of tests/interop/leshan."""

    def __init__(self, built: Path, errors: Path, models: list[dict[str, Any]], block: int) -> None:
        classes = f"{built / 'classes'}:{built / 'lib' / '*'}"
        # there may be one for each process that runs tests: small, and quick to start
        small = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        command = [
            "java",
            *small,
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp",
            classes,
            "interop.Main",
        ]
        super().__init__(command, errors)
        self._id = 0
        ports = self.ask("start", models=models, block=block)
        self.ports = {scheme: ports[scheme] for scheme in ("coap", "coaps")}

    def parse(self, line: str) -> Any:
        return json.loads(line)

    def ask(self, op: str, **fields: Any) -> Any:
        """What came of a request; an AssertionError if Leshan had a problem with the answer."""
        answer = self.try_(op, **fields)
        assert "error" not in answer, (op, fields, answer)
        return answer

    def try_(self, op: str, **fields: Any) -> Any:
        """The same, with problems in "error"."""
        self._id += 1
        number = self._id
        self.tell(json.dumps({"id": number, "op": op, **fields}))
        return self.next(lambda line: line.get("id") == number, f"answer to {op} {fields}", 2 * TIMEOUT)

    def event(self, name: str, endpoint: str, timeout: float = TIMEOUT, **fields: Any) -> Any:
        def fits(line: Any) -> bool:
            return (
                line.get("event") == name
                and line["endpoint"] == endpoint
                and all(line.get(key) == value for key, value in fields.items())
            )

        return self.next(fits, f"event {name} {fields}", timeout)
