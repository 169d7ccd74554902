# SPDX-License-Identifier: Apache-2.0
"""What is missing stops the configuration with one line that says what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import anjay_cffi as lwm2m

SOURCE = Path(os.environ.get("ANJAY_CFFI_SOURCE", Path(__file__).parents[2]))
CMAKE = shutil.which("cmake")

pytestmark = [
    pytest.mark.skipif(
        not (SOURCE / "CMakeLists.txt").exists(), reason="ANJAY_CFFI_SOURCE is not the checkout"
    ),
    pytest.mark.skipif(CMAKE is None, reason="no cmake here: pip brings one for the time of a build only"),
]


def configure(build: Path, *options: str, path: str | None = None, **variables: str) -> tuple[int, str]:
    """Configure the project into a fresh folder: (status, the line with the name of the project)."""
    environment = {k: v for k, v in os.environ.items() if k not in ("CC", "CFLAGS", "CMAKE_PREFIX_PATH")}
    environment.update(variables)
    if path is not None:
        environment["PATH"] = path
    result = subprocess.run(
        [
            str(CMAKE),
            "-G",
            "Ninja",
            "-S",
            str(SOURCE),
            "-B",
            str(build),
            f"-DPython_EXECUTABLE={sys.executable}",
            *options,
        ],
        capture_output=True,
        text=True,
        env=environment,
    )
    lines = [line for line in (result.stdout + result.stderr).splitlines() if "anjay_cffi: " in line]
    return result.returncode, lines[-1] if lines else result.stdout + result.stderr


FUNCTIONS = {
    "core": ("anjay_new", "anjay_delete", "anjay_serve"),
    "security": ("anjay_security_object_install",),
    "server": ("anjay_server_object_install",),
}


def prefix(
    folder: Path,
    version: str = "3.14.0",
    modules: tuple[str, ...] = ("SECURITY", "SERVER"),
    body: str = "{ return 0; }",
    target: str = "",
) -> Path:
    """Something that looks like an installed Anjay: its functions are in its headers."""
    for header, names in FUNCTIONS.items():
        (folder / "include/anjay").mkdir(parents=True, exist_ok=True)
        code = "".join(f"static inline int {name}(void) {body}\n" for name in names)
        (folder / f"include/anjay/{header}.h").write_text(code)
    macros = "".join(f"#define ANJAY_WITH_MODULE_{name}\n" for name in modules)
    (folder / "include/anjay/anjay_config.h").write_text(macros)
    for name in ("coap/avs_coap_config.h", "commons/avs_commons_config.h"):
        (folder / "include/avsystem" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "include/avsystem" / name).write_text("")
    package = folder / "lib/anjay"
    package.mkdir(parents=True)
    package.joinpath("anjay-config.cmake").write_text(
        f'set(ANJAY_VERSION "{version}")\nset(ANJAY_INCLUDE_DIRS "{folder}/include")\n'
        "add_library(anjay INTERFACE IMPORTED)\n"
        f'target_include_directories(anjay INTERFACE "{folder}/include")\n{target}'
    )
    return folder


def test_unknown_provider(tmp_path: Path) -> None:
    status, line = configure(tmp_path, "-DANJAY_PROVIDER=mine")
    assert status != 0
    assert "'mine'" in line
    assert "auto, system or vendored" in line


def test_no_compiler(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("ninja", "make", "uname"):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    status, line = configure(tmp_path / "build", "-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF", path=str(tools))
    assert status != 0
    assert "no C compiler" in line
    assert "gcc" in line


def test_no_openssl(tmp_path: Path) -> None:
    status, line = configure(tmp_path, "-DANJAY_PROVIDER=vendored", "-DCMAKE_DISABLE_FIND_PACKAGE_OpenSSL=ON")
    assert status != 0
    assert "no OpenSSL headers" in line
    assert "libssl-dev" in line


def test_old_openssl(tmp_path: Path) -> None:
    header = tmp_path / "include/openssl/opensslv.h"
    header.parent.mkdir(parents=True)
    header.write_text("# define OPENSSL_VERSION_NUMBER  0x1010117fL\n")
    libraries = [tmp_path / name for name in ("libssl.a", "libcrypto.a")]
    for library in libraries:
        library.write_bytes(b"!<arch>\n")
    status, line = configure(
        tmp_path / "build",
        "-DANJAY_PROVIDER=vendored",
        f"-DOPENSSL_INCLUDE_DIR={tmp_path}/include",
        f"-DOPENSSL_SSL_LIBRARY={libraries[0]}",
        f"-DOPENSSL_CRYPTO_LIBRARY={libraries[1]}",
    )
    assert status != 0
    assert "OpenSSL 1.1.1" in line
    assert "too old" in line


def test_system_that_is_not_there(tmp_path: Path) -> None:
    status, line = configure(
        tmp_path / "build",
        "-DANJAY_PROVIDER=system",
        "-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF",
        f"-DCMAKE_PREFIX_PATH={tmp_path}",
    )
    assert status != 0
    assert "no installed Anjay found" in line
    assert "CMAKE_PREFIX_PATH" in line


def test_system_that_is_too_old(tmp_path: Path) -> None:
    where = prefix(tmp_path / "with spaces", version="3.8.1")
    status, line = configure(tmp_path / "build", "-DANJAY_PROVIDER=system", f"-DCMAKE_PREFIX_PATH={where}")
    assert status != 0
    assert "3.8.1" in line
    assert "too old" in line


def test_system_without_a_module(tmp_path: Path) -> None:
    where = prefix(tmp_path / "p", modules=("SECURITY",))
    status, line = configure(tmp_path / "build", "-DANJAY_PROVIDER=system", f"-DCMAKE_PREFIX_PATH={where}")
    assert status != 0
    assert "WITH_MODULE_server=ON" in line


def test_system_that_is_broken(tmp_path: Path) -> None:
    where = prefix(tmp_path / "p")
    (where / "include/anjay/anjay_config.h").unlink()
    status, line = configure(tmp_path / "build", "-DANJAY_PROVIDER=system", f"-DCMAKE_PREFIX_PATH={where}")
    assert status != 0
    assert "lacks anjay/anjay_config.h" in line


def test_system_whose_configuration_fails(tmp_path: Path) -> None:
    """CMake's own complaint about a missing file of the package is one line too, and `auto` goes on."""
    lost = tmp_path / "p q/lib/libanjay.a"
    where = prefix(
        tmp_path / "p q",
        target=f'message(FATAL_ERROR "The target references the file\n   \\"{lost}\\"\nbut ...")\n',
    )
    for provider in ("system", "auto"):
        build = tmp_path / provider
        status, line = configure(build, f"-DANJAY_PROVIDER={provider}", f"-DCMAKE_PREFIX_PATH={where}")
        assert (status == 0) == (provider == "auto"), line
        assert "broken: install it again" in line
        assert str(lost) in line


def test_system_that_lacks_a_library(tmp_path: Path) -> None:
    where = prefix(tmp_path / "p", body="{ extern int lost(void); return lost(); }")
    status, line = configure(tmp_path / "build", "-DANJAY_PROVIDER=system", f"-DCMAKE_PREFIX_PATH={where}")
    assert status != 0
    assert "install it again" in line
    assert "lost" in line


def test_system_whose_headers_do_not_compile(tmp_path: Path) -> None:
    where = prefix(tmp_path / "p")
    (where / "include/anjay/anjay_config.h").write_text("#error no configuration\n")
    status, line = configure(tmp_path / "build", "-DANJAY_PROVIDER=system", f"-DCMAKE_PREFIX_PATH={where}")
    assert status != 0
    assert "do not compile" in line
    assert "no configuration" in line


def test_another_prefix_in_the_same_build_folder(tmp_path: Path) -> None:
    """What was found before is not taken for what is asked for now."""
    for number, version in enumerate(("3.14.0", "3.9.0", "3.8.1")):
        where = prefix(tmp_path / str(number), version=version)
        _, line = configure(tmp_path / "build", "-DANJAY_PROVIDER=auto", f"-DCMAKE_PREFIX_PATH={where}")
        assert version in line
    _, line = configure(tmp_path / "build", "-DANJAY_PROVIDER=system", f"-DCMAKE_PREFIX_PATH={tmp_path}/0")
    assert "3.14.0" in line


def test_auto_falls_back_and_says_why(tmp_path: Path) -> None:
    where = prefix(tmp_path / "p", version="3.8.1")
    status, line = configure(tmp_path / "build", "-DANJAY_PROVIDER=auto", f"-DCMAKE_PREFIX_PATH={where}")
    assert status == 0, line
    assert "provider vendored" in line
    assert "too old" in line


def test_auto_takes_what_is_installed(tmp_path: Path) -> None:
    where = prefix(tmp_path / "p q")
    status, line = configure(tmp_path / "build", "-DANJAY_PROVIDER=auto", f"-DCMAKE_PREFIX_PATH={where}")
    assert status == 0, line
    assert "provider system" in line
    assert lwm2m.build_info().version
