# SPDX-License-Identifier: Apache-2.0
"""The tutorial as a child process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from anjay_cffi.devserver import Device, DevServer, ResponseError

ENDPOINT = "urn:dev:os:e2e"
KEYS = {"identity": "P4s$w0rd"}
PATIENCE = 30.0


def play(story: Callable[[], Coroutine[Any, Any, None]], timeout: float = 120.0) -> None:
    """Run a coroutine function to its end."""

    async def main() -> None:
        await asyncio.wait_for(story(), timeout)

    asyncio.run(main())


def server(**settings: Any) -> DevServer:
    return DevServer(keys=settings.pop("keys", KEYS), **settings)


def heed_signals() -> None:
    """Whatever nohup or a shell's background made of them."""
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


class Tutorial:
    """``async with Tutorial(...)``: started at the beginning, ended and reaped at the end."""

    def __init__(
        self, state: Path, *options: str, endpoint: str = ENDPOINT, prelude: str | None = None
    ) -> None:
        self.log_file = state.parent / f"{state.name}.log"
        main = ["-m", "anjay_cffi.tutorial"]
        if prelude is not None:
            main = [
                "-c",
                f"{prelude}\nimport sys\nfrom anjay_cffi.tutorial.__main__ import main\nsys.exit(main())",
            ]
        self.command = [sys.executable, *main, endpoint, f"--state-dir={state}", *options]
        self._process: asyncio.subprocess.Process | None = None

    @classmethod
    def of(cls, dev: DevServer, state: Path, *, secure: bool, **more: Any) -> Tutorial:
        options = [f"--server={dev.secure_uri}"] if secure else ["--nosec", f"--server={dev.uri}"]
        return cls(state, *options, **more)

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    @property
    def arguments(self) -> list[str]:
        """Its command line, as the kernel knows it."""
        return Path(f"/proc/{self.pid}/cmdline").read_bytes().decode().split("\0")[:-1]

    @property
    def descriptors(self) -> list[str]:
        folder = Path(f"/proc/{self.pid}/fd")
        return sorted(str(entry.readlink()) for entry in folder.iterdir())

    async def __aenter__(self) -> Tutorial:
        with self.log_file.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=heed_signals,
            )
        return self

    async def __aexit__(self, kind: object, exc: object, trace: object) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        if exc is not None:
            print(self.log)

    async def status(self, timeout: float = PATIENCE) -> int:
        """The exit status."""
        return await asyncio.wait_for(self.process.wait(), timeout)

    async def stop(self, number: int = signal.SIGTERM, timeout: float = PATIENCE) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return await self.status(timeout)

    @property
    def alive(self) -> bool:
        return self.process.returncode is None


async def code_of(work: Coroutine[Any, Any, Any]) -> str:
    """The error code that a request is answered with, like 4.04; empty if it succeeds."""
    try:
        await work
    except ResponseError as exc:
        return f"{int(exc.code) >> 5}.{int(exc.code) & 31:02}"
    return ""


async def refusal(device: Device, image: bytes, **options: Any) -> str:
    """The code with which a push is refused."""
    from anjay_cffi.devserver import firmware

    return await code_of(firmware.push(device, image, **options))


def is_root() -> bool:
    return os.geteuid() == 0
