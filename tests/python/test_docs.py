# SPDX-License-Identifier: Apache-2.0
"""Every block of code in README.md and docs/ runs, and does what the text around it says."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import anjay_cffi as lwm2m
from anjay_cffi.devserver import DevServer

SOURCE = Path(os.environ.get("ANJAY_CFFI_SOURCE", Path(__file__).parents[2]))
PAGES = [SOURCE / "README.md", *sorted((SOURCE / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [text for found, text in BLOCK.findall(page.read_text()) if found == language]


class Server:
    """The example server of the pages, in a thread."""

    def __init__(self) -> None:
        self.dev = DevServer(keys={"identity": "key"})
        self.seen: set[str] = set()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(10)

    def _run(self) -> None:
        async def main() -> None:
            async with self.dev:
                self.dev.listen(
                    lambda event: self.seen.add(event.device.endpoint) if event.kind == "registered" else None
                )
                self._end = asyncio.Event()
                self._ready.set()
                await self._end.wait()

        self._loop.run_until_complete(main())
        self._loop.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def localised(self, text: str, folder: Path) -> str:
        """A text of the pages with the addresses and files that exist here."""
        return (
            text.replace("coaps://lwm2m.example:5684", str(self.dev.secure_uri))
            .replace("coap://lwm2m.example:5683", str(self.dev.uri))
            .replace("/run/image.bin", str(folder / "image.bin"))
        )


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture
def clients(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[lwm2m.Client]]:
    """The clients that a page makes; each is stopped when it has registered with its server."""
    made: list[lwm2m.Client] = []
    ending = threading.Event()
    original = lwm2m.Client.__init__

    def init(self: lwm2m.Client, *args: object, **fields: object) -> None:
        original(self, *args, **fields)  # type: ignore[arg-type]
        made.append(self)

    def watch() -> None:
        stopped: set[str] = set()
        while not ending.wait(0.02):
            for client in list(made):
                if client.endpoint in server.seen - stopped:
                    stopped.add(client.endpoint)
                    client.stop()

    monkeypatch.setattr(lwm2m.Client, "__init__", init)
    thread = threading.Thread(target=watch)
    thread.start()
    yield made
    ending.set()
    thread.join()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks(
    page: Path,
    server: Server,
    clients: list[lwm2m.Client],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    names: dict[str, object] = {"__name__": "page"}
    module = type(sys)("page")
    module.__dict__.update(names)
    sys.modules["page"] = module
    levels = {name: logging.getLogger(name).level for name in NATIVE}
    asked = 0
    try:
        for number, text in enumerate(blocks(page, "python")):
            text = server.localised(text, tmp_path)
            asked += len(re.findall(r"coaps?://127", text))
            exec(compile(text, f"{page.name}, block {number}", "exec"), module.__dict__)
    finally:
        del sys.modules["page"]
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        lwm2m_log_levels()
        for client in clients:
            client.close(timeout=1)
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert bool(server.seen) == bool(asked), "the page's clients did not register"


NATIVE = ("", "anjay_cffi.native", "anjay_cffi.native.server")


def lwm2m_log_levels() -> None:
    from anjay_cffi import log

    log.sync_levels()


def test_the_server_reads_and_executes_the_objects_of_the_page(server: Server, tmp_path: Path) -> None:
    """docs/objects.md says what servers get."""
    page = SOURCE / "docs" / "objects.md"
    module = type(sys)("page")
    sys.modules["page"] = module
    try:
        exec(blocks(page, "python")[0], module.__dict__)
    finally:
        del sys.modules["page"]
    with lwm2m.Client("urn:dev:os:objects") as client:
        client.security.add(lwm2m.SecurityInstance(ssid=1, server_uri=str(server.dev.uri)))
        client.server.add(lwm2m.ServerInstance(ssid=1, lifetime=60))
        tank = client.register(module.Tank(level=50.0))
        client.start_thread()

        async def talk() -> list[str]:
            device = await server.dev.registered("urn:dev:os:objects", timeout=10)
            assert await device.read("/33400/0/0") == 50.0
            assert await device.read("/33400/0/3") == {"/33400/0/3/0": True, "/33400/0/3/1": False}
            said = []
            for work in (
                device.read("/33400/0/2"),
                device.write("/33400/0/1", 300),
                device.write("/33400/0/1", 40),
                device.execute("/33400/0/20"),
            ):
                try:
                    await work
                except Exception as exc:
                    said.append(str(exc))
            await device.write("/33400/0/1", 60)
            await device.execute("/33400/0/20", "0='now'")
            return said

        said = asyncio.run_coroutine_threadsafe(talk(), server._loop).result(20)
        assert [re.findall(r"\d\.\d\d", words)[0] for words in said] == ["4.04", "4.00", "4.05", "4.00"]
        assert (tank.level, tank.limit) == (0.0, 60)


def commands(page: Path) -> list[str]:
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    return [re.sub(r"\s+#.*", "", line) for line in lines if line.strip()]


@pytest.mark.parametrize(
    ("page", "command"),
    [(page, command) for page in PAGES for command in commands(page)],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_commands(page: Path, command: str, server: Server, tmp_path: Path) -> None:
    words = server.localised(command, tmp_path).split()
    if words[:2] == ["python", "-m"]:
        words[0] = sys.executable
        if "tutorial" not in words[2]:
            subprocess.run(words, check=True, capture_output=True, cwd=tmp_path)
            return
        with subprocess.Popen([*words, f"--state-dir={tmp_path}"], cwd=tmp_path) as process:
            end = time.monotonic() + 20
            while words[3] not in server.seen and process.poll() is None and time.monotonic() < end:
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
        assert words[3] in server.seen
        assert process.returncode == 0
    elif words[0].startswith("script/"):
        script = SOURCE / words[0]
        assert os.access(script, os.X_OK)
        assert all(word in script.read_text() for word in words[1:] if word.startswith("--"))
    else:
        assert words[0] in ("pip", "cd"), "what does this command do?"
        for setting in re.findall(r"cmake\.define\.ANJAY_PROVIDER=(\w+)", command):
            assert (
                f'"{setting}"' in (SOURCE / "cmake" / "Provider.cmake").read_text()
                or setting in (SOURCE / "CMakeLists.txt").read_text()
            )


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), (page.name, target)


@pytest.mark.parametrize("name", ["CoapError", "FirmwareError"])
def test_every_error_is_in_the_tables(name: str) -> None:
    pages = (SOURCE / "docs" / "errors.md").read_text() + (SOURCE / "docs" / "firmware-update.md").read_text()
    base = getattr(lwm2m, name)
    for kind in vars(lwm2m).values():
        if isinstance(kind, type) and issubclass(kind, base) and kind is not base:
            assert f"`{kind.__name__}`" in pages or kind in UNUSUAL, kind


UNUSUAL = (lwm2m.InternalServerError, lwm2m.UpdateCancelled, lwm2m.Deferred)
