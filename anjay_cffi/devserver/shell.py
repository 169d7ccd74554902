# SPDX-License-Identifier: Apache-2.0
"""The interactive shell: one line, one request; with history and completion on a terminal."""

from __future__ import annotations

import asyncio
import inspect
import shlex
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.patch_stdout import patch_stdout
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from . import firmware, values
from .device import Device, Observation, Progress, normal, show
from .errors import DevServerError
from .server import DevServer, Event

Command = Callable[..., Awaitable[None]]
ATTRIBUTES = ("pmin=", "pmax=", "gt=", "lt=", "st=", "epmin=", "epmax=", "con=")


class UsageError(Exception):
    """The line cannot be understood."""


class Shell:
    """Commands on a server. Each is a method ``do_NAME``, whose docstring is its help."""

    def __init__(self, server: DevServer, console: Console | None = None) -> None:
        self.server = server
        self.console = console or Console(highlight=False, soft_wrap=True)
        self._chosen: str | None = None
        self._observed: dict[tuple[str, str], Observation] = {}
        self._failed = False
        self._said = False
        self.commands: dict[str, Command] = {
            name[3:]: getattr(self, name) for name in dir(type(self)) if name.startswith("do_")
        }

    # --- the loop -------------------------------------------------------------------------------------------

    async def run(self) -> int:
        """Read and run commands until the end of the input; the exit status.

        From a pipe the status is 1 if any command failed.
        """
        interactive = sys.stdin.isatty() and sys.stdout.isatty()
        stop = self.server.listen(self._on_event)
        with patch_stdout(raw=True) if interactive else nullcontext():
            self._say(f"listening at {self.server.uri} and {self.server.secure_uri}")
            try:
                await (self._prompt() if interactive else self._pipe())
            except EOFError:
                pass
            finally:
                stop()
        return int(self._failed and not interactive)

    async def _prompt(self) -> None:
        self._say("type [bold]help[/] for the commands; Ctrl-D ends")
        session: PromptSession[str] = PromptSession(
            completer=ShellCompleter(self), complete_while_typing=False
        )
        while True:
            try:
                line = await session.prompt_async(lambda: f"{self._chosen or 'lwm2m'}> ")
            except KeyboardInterrupt:
                continue
            await self._interruptible(line)

    async def _interruptible(self, text: str) -> None:
        """Run one line; Ctrl-C ends what it waits for, and not the server."""
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(self.line(text))
        before = signal.getsignal(signal.SIGINT)
        loop.add_signal_handler(signal.SIGINT, task.cancel)
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
            loop.remove_signal_handler(signal.SIGINT)
            signal.signal(signal.SIGINT, before)
        if task.cancelled():
            self._say("[red]interrupted[/]")
        else:
            task.result()

    async def _pipe(self) -> None:
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            await self.line(line)

    async def line(self, text: str) -> None:
        """Run one line. What goes wrong is said."""
        try:
            words = shlex.split(text, comments=True)
            if words:
                await self._command(words[0], words[1:])
        except EOFError:
            raise
        except (DevServerError, UsageError, OSError, ValueError, asyncio.TimeoutError) as exc:
            self._failed = True
            self._say(f"[red]{escape(str(exc) or type(exc).__name__)}[/]")

    async def _command(self, name: str, words: list[str]) -> None:
        command = self.commands.get(name)
        if command is None:
            raise UsageError(f"no command {name!r}; try help")
        try:
            inspect.signature(command).bind(*words)
        except TypeError:
            raise UsageError(f"usage: {usage(name, command)}") from None
        self._said = False
        await command(*words)
        if not self._said:
            self._say("[dim]done[/]")

    def _say(self, text: Any) -> None:
        self._said = True
        self.console.print(text)

    def _on_event(self, event: Event) -> None:
        who = event.device.endpoint if event.device else ""
        self.console.print(f"[dim]{event.kind:<12} {escape(who)} {escape(event.text)}[/]")

    @property
    def device(self) -> Device:
        """The chosen client, or the only one."""
        devices = self.server.devices
        if self._chosen in devices:
            return devices[self._chosen]
        if len(devices) == 1:
            return next(iter(devices.values()))
        raise UsageError("choose a client first: use ENDPOINT" if devices else "no client is registered")

    # --- commands -------------------------------------------------------------------------------------------

    async def do_help(self, command: str = "") -> None:
        """Say what the commands do, or one of them."""
        if command and command not in self.commands:
            raise UsageError(f"no command {command!r}")
        table = Table(box=None, show_header=False, pad_edge=False)
        for name, method in self.commands.items():
            if command in ("", name):
                table.add_row(escape(usage(name, method)), escape((method.__doc__ or "").split("\n")[0]))
        self._say(table)

    async def do_clients(self) -> None:
        """List the registered clients."""
        table = Table("endpoint", "address", "version", "lifetime", "objects", box=None, pad_edge=False)
        for device in self.server.devices.values():
            objects = " ".join(device.objects)
            table.add_row(
                escape(device.endpoint), str(device.remote), device.version, str(device.lifetime), objects
            )
        self._say(table)

    async def do_use(self, endpoint: str) -> None:
        """Send the requests to come to this client."""
        if endpoint not in self.server.devices:
            raise UsageError(f"{endpoint} is not registered")
        self._chosen = endpoint

    async def do_wait(self, endpoint: str = "", seconds: str = "30") -> None:
        """Wait for a client, or any client, to register."""
        await self.server.registered(endpoint or None, timeout=_number(seconds))

    async def do_read(self, path: str, format: str = "") -> None:
        """Read a path; the format is text, cbor, senml-json, senml-cbor, tlv or opaque."""
        value = await self.device.read(path, _format(format))
        if isinstance(value, dict):
            for at, single in value.items():
                self._say(f"{at} = {escape(show(single))}")
        else:
            self._say(escape(show(value)))

    async def do_write(self, path: str, *value: str) -> None:
        """Write text, or as int:5, float:.5, bool:1, hex:00ff, link:3:0; an instance as RID=VALUE ..."""
        if not value:
            raise UsageError(f"usage: {usage('write', self.do_write)}")
        if normal(path).count("/") == 2:
            await self.device.write(path, _resources(value), replace=True)
        else:
            await self.device.write(path, parse_value(" ".join(value)))

    async def do_update(self, path: str, *resources: str) -> None:
        """Write some resources of an instance and leave the others: RID=VALUE ..."""
        if not resources:
            raise UsageError(f"usage: {usage('update', self.do_update)}")
        await self.device.write(path, _resources(resources), replace=False)

    async def do_sent(self, count: str = "10") -> None:
        """Show what the client has sent unasked (Send), the latest last."""
        for sent in list(self.device.sent)[-int(count) :]:
            self._say(escape(str(sent)))

    async def do_execute(self, path: str, arguments: str = "") -> None:
        """Execute a resource; arguments like 0='text',1"""
        await self.device.execute(path, arguments)

    async def do_discover(self, path: str) -> None:
        """Show what is under a path, with its attributes."""
        for target, attributes in (await self.device.discover(path)).items():
            shown = " ".join(f"{name}={value}" if value else name for name, value in attributes.items())
            self._say(escape(f"{target} {shown}".rstrip()))

    async def do_observe(self, path: str) -> None:
        """Have a path's changes notified."""
        device, path = self.device, normal(path)
        old = self._observed.pop((device.endpoint, path), None)
        if old is not None:
            old.forget()
        observation = await device.observe(path)
        self._observed[device.endpoint, path] = observation
        self._say(escape(show(observation.value)))

    async def do_cancel(self, path: str) -> None:
        """End an observation."""
        observation = self._observed.pop((self.device.endpoint, normal(path)), None)
        if observation is None or observation.ended:
            raise UsageError(f"{path} is not observed")
        await observation.cancel()

    async def do_attributes(self, path: str, *attributes: str) -> None:
        """Set attributes: pmin=1 pmax=60 gt= lt= st= con=; a name without value removes it."""
        if not attributes:
            raise UsageError(f"usage: {usage('attributes', self.do_attributes)}")
        given = dict((pair.partition("=")[::2]) for pair in attributes)
        await self.device.write_attributes(
            path, **{name: _number(value) if value else None for name, value in given.items()}
        )

    async def do_create(self, path: str, *resources: str) -> None:
        """Create an instance: /OID lets the client choose its id, /OID/IID does not; RID=VALUE ..."""
        oid, *iid = (int(part) for part in normal(path).strip("/").split("/"))
        if len(iid) > 1:
            raise UsageError("the path is /OID or /OID/IID")
        self._say(await self.device.create(oid, iid[0] if iid else None, _resources(resources)))

    async def do_delete(self, path: str) -> None:
        """Delete an instance."""
        await self.device.delete(path)

    async def do_push(self, file: str, block: str = "1024") -> None:
        """Write a firmware image to /5/0/0 in blocks; then: execute /5/0/2"""
        image = await asyncio.to_thread(Path(file).expanduser().read_bytes)
        last = [Progress(0, len(image), 0, 0.0)]
        shown = [0]

        def show_progress(progress: Progress) -> None:
            last[0] = progress
            tenth = progress.sent * 10 // max(1, progress.total)
            if tenth > shown[0]:
                shown[0] = tenth
                self._say(f"{tenth * 10:3} % {progress.blocks} blocks {progress.rate / 1024:.0f} KiB/s")

        await firmware.push(self.device, image, block=int(_number(block)), progress=show_progress)
        await self.do_state()

    async def do_state(self) -> None:
        """Show State and Update Result of the Firmware Update object."""
        state, result = await firmware.state(self.device), await firmware.result(self.device)
        self._say(f"state {state.value} ({state.name.lower()}), result {result.value} ({result.words})")

    async def do_quit(self) -> None:
        """End the server."""
        raise EOFError


def usage(name: str, command: Command) -> str:
    """A command and its arguments, as help shows them."""
    shown = [name]
    for parameter in inspect.signature(command).parameters.values():
        word = parameter.name.upper()
        if parameter.kind is parameter.VAR_POSITIONAL:
            word = f"[{word} ...]"
        elif parameter.default is not parameter.empty:
            word = f"[{word}]"
        shown.append(word)
    return " ".join(shown)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{text!r} is no number") from None


def _format(name: str) -> int | None:
    if not name:
        return None
    try:
        return values.FORMATS[name]
    except KeyError:
        raise UsageError(f"formats: {' '.join(values.FORMATS)}") from None


def parse_value(text: str) -> values.Value:
    """``int:5`` and the like; without a known prefix it is text."""
    try:
        return _typed(text)
    except ValueError:
        kind, _, rest = text.partition(":")
        raise UsageError(f"{rest!r} is not of type {kind}") from None


def _typed(text: str) -> values.Value:
    kind, colon, rest = text.partition(":")
    if colon and kind in ("int", "float"):
        return int(rest, 0) if kind == "int" else float(rest)
    if colon and kind == "bool":
        if rest not in ("0", "1", "true", "false"):
            raise UsageError("a bool is 0, 1, true or false")
        return rest in ("1", "true")
    if colon and kind == "hex":
        return bytes.fromhex(rest)
    if colon and kind == "link":
        oid, iid = rest.split(":")
        return values.ObjectLink(int(oid), int(iid))
    return rest if colon and kind == "text" else text


def _resources(words: Iterable[str]) -> dict[int, values.Value]:
    pairs = [word.partition("=") for word in words]
    if not all(rid.isdigit() and equals for rid, equals, _ in pairs):
        raise UsageError("resources are given as RID=VALUE")
    return {int(rid): parse_value(value) for rid, _, value in pairs}


class ShellCompleter(Completer):
    """Commands, endpoint names, paths that the client registered, formats, attributes."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Called by prompt_toolkit."""
        words = document.text_before_cursor.split(" ")
        for candidate in sorted(set(self._candidates(words))):
            if candidate.startswith(words[-1]):
                yield Completion(candidate, start_position=-len(words[-1]))

    def _candidates(self, words: list[str]) -> Iterable[str]:
        commands = self._shell.commands
        if len(words) == 1:
            return list(commands)
        if words[0] == "help":
            return list(commands)
        if words[0] in ("use", "wait"):
            return list(self._shell.server.devices)
        if words[0] == "push":
            return self._files(words[-1])
        if len(words) == 2 and words[0] in commands:
            return self._paths()
        return {"read": list(values.FORMATS), "attributes": list(ATTRIBUTES)}.get(words[0], [])

    def _paths(self) -> list[str]:
        try:
            device = self._shell.device
        except UsageError:
            return []
        known = [target for target in device.objects if target.startswith("/")]
        return [*known, *device.seen_paths]

    @staticmethod
    def _files(begun: str) -> list[str]:
        folder, slash, _ = begun.rpartition("/")
        try:
            entries = list(Path(folder or ("/" if slash else ".")).expanduser().iterdir())
        except OSError:
            return []
        return [f"{folder}{slash}{entry.name}{'/' if entry.is_dir() else ''}" for entry in entries]
