# SPDX-License-Identifier: Apache-2.0
"""``python -m anjay_cffi.demo``: the whole story in one terminal.

A server on loopback, the tutorial as a child process, its registration and objects, three notifications of
the Time object, a firmware push, and the client coming back from the new image.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

try:
    from rich.console import Console
    from rich.progress import BarColumn, ProgressColumn, TextColumn
    from rich.progress import Progress as ProgressBar
    from rich.table import Column

    from .devserver import Device, DevServer, DevServerError, Progress, firmware
    from .devserver.device import show
except ModuleNotFoundError as exc:
    raise SystemExit(f"the demo needs {exc.name}: pip install 'anjay-cffi[demo]'") from None
from .tutorial.firmware_update import IMAGE
from .tutorial.image import size_in_bytes

T = TypeVar("T")

ENDPOINT = "urn:dev:os:anjay-cffi-demo"
IDENTITY, KEY = "identity", "P4s$w0rd"
PATIENCE = 30.0
"""Seconds that any single step may take."""
BAR_WORDS = 42
"""Columns for what stands beside the progress bar."""
OBJECTS = {"0": "Security", "1": "Server", "3": "Device", "5": "Firmware Update", "3333": "Time"}


class DemoError(Exception):
    """Why the demo failed."""


class Demo:
    """One run; ``size`` is that of the image in bytes."""

    def __init__(self, console: Console, *, size: int, secure: bool) -> None:
        self._console = console
        self._size = size
        self._secure = secure
        self._pid = 0

    async def run(self) -> None:
        """Tell the story. DemoError says what went wrong."""
        folder = Path(tempfile.mkdtemp(prefix="anjay-cffi-demo-"))
        try:
            async with DevServer(keys={IDENTITY: KEY}) as server:
                await self._with_client(server, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self._say("[green]Done.[/]")

    async def _with_client(self, server: DevServer, folder: Path) -> None:
        self._step(f"Server on {server.secure_uri if self._secure else server.uri}")
        log = folder / "client.log"
        async with self._tutorial(server, folder, log) as child:
            self._pid = child.pid
            self._step(f"Client: python -m anjay_cffi.tutorial {ENDPOINT} (process {child.pid})")
            story = asyncio.ensure_future(self._story(server, folder))
            end = asyncio.ensure_future(child.wait())
            try:
                await asyncio.wait((story, end), return_when=asyncio.FIRST_COMPLETED)
                if not story.done():
                    raise DemoError(f"the client ended with status {end.result()}")
                story.result()
            except DemoError as exc:
                raise DemoError(f"{exc}{_last_lines(log)}") from None
            finally:
                for task in (story, end):
                    task.cancel()
                await asyncio.gather(story, end, return_exceptions=True)

    @asynccontextmanager
    async def _tutorial(
        self, server: DevServer, folder: Path, log: Path
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """The tutorial as a child process, which is gone at the end."""
        security = [f"--psk-identity={IDENTITY}", f"--psk-key={KEY}"] if self._secure else ["--nosec"]
        uri = server.secure_uri if self._secure else server.uri
        command = [sys.executable, "-m", "anjay_cffi.tutorial", ENDPOINT, f"--server={uri}"]
        command += [f"--state-dir={folder}", *security]
        with log.open("wb") as output:
            child = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output
            )
        try:
            yield child
        finally:
            await _end(child)

    # --- the story ------------------------------------------------------------------------------------------

    async def _story(self, server: DevServer, folder: Path) -> None:
        try:
            device = await self._registration(server)
            await self._notifications(device)
            await self._upgrade(server, device, folder)
        except (DevServerError, OSError) as exc:
            raise DemoError(str(exc)) from exc

    async def _registration(self, server: DevServer) -> Device:
        device = await _in_time("registration", server.registered(ENDPOINT, timeout=PATIENCE))
        self._step(f"Registered: LwM2M {device.version}, lifetime {device.lifetime} s, from {device.remote}")
        for target in device.objects:
            name = OBJECTS.get(target.strip("/").split("/")[0], "")
            self._say(f"    {target:<10} {name}")
        self._say(f"    application type: {show(await device.read('/3333/0/5750'))}")
        return device

    async def _notifications(self, device: Device) -> None:
        self._step("Observing the time, /3333/0/5506")
        observation = await device.observe("/3333/0/5506")
        for _ in range(3):
            value = await _in_time("notification", observation.next(PATIENCE))
            self._say(f"    notified: {show(value)}")
        await observation.cancel()

    async def _upgrade(self, server: DevServer, device: Device, folder: Path) -> None:
        image = await self._build(folder / "image.bin")
        self._step(f"Pushing a new image of {len(image)} bytes to /5/0/0")
        with self._bar(len(image)) as progress:
            await firmware.push(device, image, progress=progress)
        state = await firmware.state(device)
        if state is not firmware.State.DOWNLOADED:
            result = await firmware.result(device)
            raise DemoError(f"the image was not accepted: state {state.name}, {result.words}")
        self._step("Starting it with Execute on /5/0/2")
        await device.execute("/5/0/2")
        back = await _in_time("return", server.registered(ENDPOINT, after=device, timeout=PATIENCE))
        self._step(f"Back from {back.remote}, running {self._running(folder)}")
        result = await firmware.result(back)
        self._step(f"Update Result {result.value}: {result.words}")
        if result is not firmware.Result.SUCCESS:
            raise DemoError(f"Update Result is {result.value}, not 1")

    async def _build(self, out: Path) -> bytes:
        command = (sys.executable, "-m", "anjay_cffi.tutorial.image", str(out), f"--size={self._size}")
        builder = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        try:
            status = await builder.wait()
        finally:
            await _end(builder)
        if status != 0:
            raise DemoError(f"building the image failed with status {status}")
        return out.read_bytes()

    def _running(self, folder: Path) -> Path:
        """The image; DemoError if it is not what the client's process runs now."""
        image = folder / IMAGE
        words = Path(f"/proc/{self._pid}/cmdline").read_bytes().split(b"\0")
        if os.fsencode(image) not in words:
            raise DemoError("the client came back, but not from the image")
        return image

    # --- output ---------------------------------------------------------------------------------------------

    def _step(self, text: str) -> None:
        self._console.print(f"[bold cyan]*[/] {text}")

    def _say(self, text: str) -> None:
        self._console.print(text)

    @contextmanager
    def _bar(self, total: int) -> Iterator[Callable[[Progress], None]]:
        """A progress bar on a terminal, else a line for each quarter."""
        last = [Progress(0, total, 0, 0.0)]
        if self._console.is_terminal:
            words = "{task.percentage:3.0f} %, {task.fields[blocks]} blocks, {task.fields[rate]:.0f} KiB/s"
            columns: list[ProgressColumn] = [
                TextColumn("   "),
                TextColumn(words, table_column=Column(no_wrap=True)),
            ]
            room = self._console.width - BAR_WORDS
            if room > 0:
                columns.insert(1, BarColumn(min(room, 40)))
            with ProgressBar(*columns, console=self._console) as bar:
                task = bar.add_task("", total=total, blocks=0, rate=0.0)

                def move(progress: Progress) -> None:
                    last[0] = progress
                    rate = progress.rate / 1024
                    bar.update(task, completed=progress.sent, blocks=progress.blocks, rate=rate)

                yield move
        else:

            def tell(progress: Progress) -> None:
                before, last[0] = last[0].sent * 4 // total, progress
                if progress.sent * 4 // total > before:
                    self._say(f"    {progress.sent * 100 // total:3} %, {progress.blocks} blocks")

            yield tell
        done = last[0]
        self._say(f"    {done.blocks} blocks in {done.seconds:.2f} s, {done.rate / 1024:.0f} KiB/s")


async def _end(child: asyncio.subprocess.Process) -> None:
    """Ask a process to end, and make it."""
    if child.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        child.terminate()
    try:
        await asyncio.wait_for(child.wait(), 5)
    except asyncio.TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def _in_time(what: str, work: Awaitable[T]) -> T:
    try:
        return await work
    except (TimeoutError, asyncio.TimeoutError):
        raise DemoError(f"no {what} within {PATIENCE:g} seconds") from None


def _last_lines(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-10:]
    return "".join(f"\n    {line}" for line in ["; the client's last words:", *lines] if lines)


async def _until_signal(work: Coroutine[Any, Any, None], interrupted: list[int]) -> None:
    """The first signal cancels the work; more of them do not disturb its clean-up."""
    task = asyncio.ensure_future(work)

    def on_signal(number: int) -> None:
        if not interrupted:
            interrupted.append(number)
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, on_signal, number)
    await task


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m anjay_cffi.demo", description="Server, client and firmware update in one terminal."
    )
    parser.add_argument("--nosec", action="store_true", help="UDP without DTLS")
    parser.add_argument(
        "--size",
        metavar="BYTES",
        type=size_in_bytes,
        default=512 * 1024,
        help="of the image; default: %(default)s",
    )
    args = parser.parse_args(argv)
    console = Console(highlight=False, soft_wrap=True)
    demo = Demo(console, size=args.size, secure=not args.nosec)
    interrupted: list[int] = []
    try:
        asyncio.run(_until_signal(demo.run(), interrupted))
    except (DemoError, OSError) as exc:
        print(f"demo failed: {exc}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("demo interrupted", file=sys.stderr)
        return 128 + (interrupted[0] if interrupted else signal.SIGINT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
