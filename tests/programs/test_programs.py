# SPDX-License-Identifier: Apache-2.0
"""C programs written for Anjay compile and link against vendor/ as they are, register, and answer.

ANJAY_PROGRAMS names folders with their sources (separated as in PATH); each folder of .c files with a main()
is a program that takes an endpoint name. With ANJAY_PREFIX, the prefix of an installed Anjay 3.14, each is
built with that too, and both have to answer alike.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiocoap", reason="the extra [devserver] is not installed")

from anjay_cffi.devserver import Device, DevServer, ResponseError

from .sources import Program, programs

SOURCE = Path(os.environ.get("ANJAY_CFFI_SOURCE", Path(__file__).parents[2]))
VENDOR = [SOURCE / "vendor" / part / "include" for part in ("anjay", "avs_coap", "avs_commons")]
PREFIX = os.environ.get("ANJAY_PREFIX", "")
COMPILER = shlex.split(os.environ.get("CC") or "cc")
LIBRARIES = ["-lssl", "-lcrypto", "-lpthread", "-lm"]
KEYS = {"identity": "P4s$w0rd"}
ENDPOINT = "urn:dev:os:program"
PROGRAMS = programs()
TEXT, TLV = 0, 11542
FOUR_BYTES = re.compile(rb"(\xc4.|\xe4..)(....)", re.S)
"""A Resource of four bytes in TLV."""

pytestmark = [
    pytest.mark.skipif(not VENDOR[0].is_dir(), reason="ANJAY_CFFI_SOURCE is not the checkout"),
    pytest.mark.skipif(shutil.which(COMPILER[0]) is None, reason="no C compiler here"),
]


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What compiles and links a program with vendor/."""
    if shutil.which("cmake") is None:
        pytest.skip("no cmake here: pip brings one for the time of a build only")
    build = tmp_path_factory.mktemp("vendor")
    run("cmake", "-G", "Ninja", "-S", str(SOURCE / "vendor"), "-B", str(build), "-DCMAKE_BUILD_TYPE=Debug")
    run("cmake", "--build", str(build), "-j", "2")
    return [*(f"-I{folder}" for folder in VENDOR), str(build / "libanjay_vendored.a"), *LIBRARIES]


def installed() -> list[str]:
    """What compiles and links one with the static libraries of ANJAY_PREFIX, which has OpenSSL."""
    without_tls = ("_nosec.a", "_generic.a")
    archives = [
        str(path) for path in sorted(Path(PREFIX).glob("lib/*.a")) if not path.name.endswith(without_tls)
    ]
    return [f"-I{PREFIX}/include", "-Wl,--start-group", *archives, "-Wl,--end-group", "-lz", *LIBRARIES]


def build(program: Program, out: Path, flags: list[str]) -> Path:
    """Compile and link it; no warning that is not there with the real headers is tolerated."""
    options = [
        "-std=gnu99",
        "-Wall",
        "-Wextra",
        "-Werror=incompatible-pointer-types",
        "-Werror=implicit-function-declaration",
    ]
    run(*COMPILER, *options, *map(str, program.files), "-o", str(out), *flags)
    return out


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("shim") / "loopback.so"
    run(*COMPILER, "-shared", "-fPIC", "-o", str(out), str(Path(__file__).with_name("loopback.c")), "-ldl")
    return out


@contextmanager
def started(executable: Path, shim: Path, server: DevServer) -> Iterator[subprocess.Popen[bytes]]:
    ports = {
        "LOOPBACK_PLAIN": server.uri.rpartition(":")[2],
        "LOOPBACK_SECURE": server.secure_uri.rpartition(":")[2],
    }
    process = subprocess.Popen(
        [str(executable), ENDPOINT],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **ports, "LD_PRELOAD": str(shim)},
        cwd=executable.parent,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def without_time(resource: re.Match[bytes]) -> bytes:
    """The Resource, or what stands for it if its value is the time."""
    is_time = abs(int.from_bytes(resource[2], "big") - time.time()) < 3600
    return resource[1] + b"<time>" if is_time else resource[0]


async def answers(device: Device) -> dict[str, Any]:
    """What it says to every Read and Discover, level by level, and to Writes of what it can be written."""
    said: dict[str, Any] = {"objects": sorted(device.objects)}

    async def ask(what: str, work: Any) -> Any:
        """The answer, or None for an error."""
        try:
            answer = await work
        except ResponseError as error:
            said[what] = f"error {error.code.dotted}"
            return None
        if isinstance(answer, tuple):
            answer = (FOUR_BYTES.sub(without_time, answer[0]), int(answer[1] or 0))
        said[what] = re.sub(r"\d{10,}", "<time>", repr(answer))
        return answer

    for target in sorted(device.objects):
        if target.strip("/").split("/")[0] in ("", "0"):
            continue
        found = await ask(f"discover {target}", device.discover(target))
        await ask(f"read {target} as TLV", device.get(target, TLV))
        if target.count("/") < 2 or not isinstance(found, dict):
            continue
        for path in sorted(path for path in found if path.count("/") == 3):
            value = await ask(f"read {path}", device.read(path))
            if value is None or target.startswith(("/1/", "/5/")):
                continue
            await ask(f"write {path}", device.write(path, value))
            await ask(f"write text to {path}", device.write(path, "text", content_format=TEXT))
            await ask(f"execute {path}", device.execute(path))
            await ask(f"read {path} again", device.read(path))
    return said


async def transcript(executable: Path, shim: Path) -> dict[str, Any]:
    """Start a program, wait for its registration, and ask it everything."""
    async with DevServer(keys=KEYS) as server:
        with started(executable, shim, server) as process:
            device = await server.registered(ENDPOINT)
            said = await answers(device)
            assert process.poll() is None, "it has ended"
            return said


async def stays_up(executable: Path, shim: Path) -> None:
    """A program without a server runs on, or ends well."""
    async with DevServer(keys=KEYS) as server:
        with started(executable, shim, server) as process:
            await asyncio.sleep(1)
            assert process.poll() in (None, 0)
            assert not server.devices


@pytest.mark.skipif(not PROGRAMS, reason="ANJAY_PROGRAMS is not set: folders with sources of C programs")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_program(program: Program, library: list[str], shim: Path, tmp_path: Path) -> None:
    if needed := program.needs(VENDOR):
        pytest.skip(f"vendor/ does not have {' '.join(needed[:4])}")
    ours = build(program, tmp_path / "ours", library)
    if why := program.cannot_run():
        pytest.skip(f"compiled and linked, not run: {why}")
    if not program.has_server:
        asyncio.run(stays_up(ours, shim))
        return
    said = asyncio.run(asyncio.wait_for(transcript(ours, shim), 60))
    assert len(said) > 1
    assert not {what: answer for what, answer in said.items() if str(answer).startswith("error 5.")}
    if PREFIX:
        theirs = build(program, tmp_path / "theirs", installed())
        wanted = asyncio.run(asyncio.wait_for(transcript(theirs, shim), 60))
        config = (VENDOR[0] / "anjay/anjay_config.h").read_text()
        # docs/differences.md, Firmware update: what vendor/ without downloads has otherwise
        if not re.search(r"^#define ANJAY_WITH_DOWNLOADER\b", config, re.M):
            said, wanted = (
                {what: a for what, a in all_.items() if " /5" not in what} for all_ in (said, wanted)
            )
        assert said == wanted


SAMPLE = """
#include <anjay/anjay.h>
#include <anjay/security.h>
#include <anjay/server.h>
#include <avsystem/commons/avs_log.h>
{more}
int main(int argc, char *argv[]) {{
    const anjay_configuration_t config = {{ .endpoint_name = argc > 1 ? argv[1] : 0, .in_buffer_size = 4000,
                                           .out_buffer_size = 4000 }};
    anjay_t *anjay = anjay_new(&config);
    const anjay_security_instance_t security = {{ .ssid = 1, .server_uri = "{scheme}://lwm2m.example:{port}",
            .security_mode = {mode}, .public_cert_or_psk_identity = (const uint8_t *) "identity",
            .public_cert_or_psk_identity_size = 8 * {keys},
            .private_cert_or_psk_key = (const uint8_t *) "P4s$w0rd",
            .private_cert_or_psk_key_size = 8 * {keys} }};
    const anjay_server_instance_t server = {{ .ssid = 1, .lifetime = 60, .default_min_period = -1,
            .default_max_period = -1, .disable_timeout = -1, .binding = "U" }};
    anjay_iid_t security_iid = ANJAY_ID_INVALID, server_iid = ANJAY_ID_INVALID;
    if (!anjay || anjay_security_object_install(anjay) || anjay_server_object_install(anjay)
            || anjay_security_object_add_instance(anjay, &security, &security_iid)
            || anjay_server_object_add_instance(anjay, &server, &server_iid)) {{
        return 1;
    }}
    int result = anjay_event_loop_run(anjay, avs_time_duration_from_scalar(1, AVS_TIME_S));
    anjay_delete(anjay);
    return result;
}}
"""


@pytest.mark.parametrize("secure", [False, True], ids=["nosec", "psk"])
def test_a_program_of_our_own(secure: bool, library: list[str], shim: Path, tmp_path: Path) -> None:
    """The same with sources that are always here."""
    folder = tmp_path / "sample"
    folder.mkdir()
    mode = "ANJAY_SECURITY_PSK" if secure else "ANJAY_SECURITY_NOSEC"
    scheme, port = ("coaps", 5684) if secure else ("coap", 5683)
    code = SAMPLE.format(scheme=scheme, port=port, mode=mode, keys=int(secure), more="")
    (folder / "main.c").write_text(code)
    program = Program(folder, "sample")
    assert program.needs(VENDOR) == []
    assert (program.has_server, program.secure, program.cannot_run()) == (True, secure, "")
    said = asyncio.run(asyncio.wait_for(transcript(build(program, tmp_path / "ours", library), shim), 60))
    assert said["objects"] == ["/1", "/1/0"] or "/1/0" in said["objects"]
    assert said["read /1/0/1"] == "60"


def test_what_a_program_needs(tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text(
        "#include <anjay/sw_mgmt.h>\n/* anjay_download */ int main(void) { anjay_etag_new(1); }\n"
    )
    assert Program(tmp_path, "p").needs(VENDOR) == ["anjay/sw_mgmt.h", "anjay_etag_new"]
