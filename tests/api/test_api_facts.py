# SPDX-License-Identifier: Apache-2.0
"""vendor/ declares the public C API: every function, struct, enum and constant as facts.json has it.

``ANJAY_INCLUDE`` (folders, separated as in PATH) asks the same about the headers of an installed Anjay.
``python -m tests.api.test_api_facts`` writes missing.txt anew.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from .headers import FACTS, GROUPS, Headers, Json, names_of
from .names import undocumented

SOURCE = Path(os.environ.get("ANJAY_CFFI_SOURCE", Path(__file__).parents[2]))
MISSING = Path(__file__).parent / "missing.txt"
ALWAYS = frozenset({"ANJAY_WITH_LWM2M12"})
"""Conditions that no record of vendor/ depends on: it has the layout of the default configuration."""
VENDOR = [SOURCE / "vendor" / part / "include" for part in ("anjay", "avs_coap", "avs_commons")]
OTHER = [Path(folder) for folder in os.environ.get("ANJAY_INCLUDE", "").split(os.pathsep) if folder]
EXTRA = {
    "avs_list_next_slot__": "what the list macros of vendor/ are made of",
    "AVS_VENDOR_PASTE__": "what other macros of vendor/ are made of",
    "AVS_VENDOR_PASTE_EXPANDED__": "what other macros of vendor/ are made of",
}

pytestmark = [
    pytest.mark.skipif(not VENDOR[0].is_dir(), reason="ANJAY_CFFI_SOURCE is not the checkout"),
    pytest.mark.skipif(
        shutil.which(os.environ.get("CC", "cc").split()[0]) is None, reason="no C compiler here"
    ),
]


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Headers:
    return Headers(VENDOR, tmp_path_factory.mktemp("vendor"), ALWAYS)


@pytest.fixture(scope="module", params=["vendor", *(["ANJAY_INCLUDE"] if OTHER else [])])
def headers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Headers:
    if request.param == "vendor":
        return Headers(VENDOR, tmp_path_factory.mktemp("vendor"), ALWAYS)
    return Headers(OTHER, tmp_path_factory.mktemp(request.param))


def known_names() -> set[str]:
    names = {
        name
        for groups in FACTS.values()
        for group in GROUPS
        for item in groups.get(group, ())
        for name in names_of(group, item)
    }
    return names | {option for groups in FACTS.values() for option in groups.get("options", ())}


def build(headers: Headers, code: str, *libraries: str) -> Path:
    """Compile a program of one file."""
    source, program = headers.work / "program.c", headers.work / "program"
    source.write_text(code)
    command = [*headers.compiler, *headers.flags, "-O0", str(source), "-o", str(program), *libraries]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return program


def test_types_and_values(headers: Headers) -> None:
    """Function types, struct fields with sizes and offsets, values of enums and macros."""
    assert len(headers.known) > 500
    assert headers.check() == []


def test_bit_fields(headers: Headers) -> None:
    done = subprocess.run([str(build(headers, headers.bit_fields()))], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert int(done.stdout) >= 2


def test_nothing_is_declared_that_is_off(headers: Headers) -> None:
    assert headers.present_though_off() == []


def test_nothing_else_is_declared(headers: Headers) -> None:
    declared, known = headers.declared(), known_names()
    names = [*declared.functions, *declared.types, *declared.constants, *declared.variables]
    names += [
        name
        for name in declared.macros
        if not name.endswith(("_H", "_INCLUDE_GUARD")) and "_CONTAIN_" not in name
    ]
    assert [name for name in names if name not in known and name not in EXTRA] == []
    assert len(declared.functions) > 200


def test_what_is_missing_is_listed(vendor: Headers) -> None:
    """Exactly: what vendor/ gains leaves the list, and nothing gets lost unnoticed."""
    listed = [line for line in MISSING.read_text().splitlines() if not line.startswith("#")]
    assert vendor.missing() == listed


def test_nothing_is_missing_where_all_is_there(tmp_path: Path) -> None:
    if not OTHER:
        pytest.skip("ANJAY_INCLUDE is not set: about the real library's headers")
    assert Headers(OTHER, tmp_path).absent_though_on() == []


@pytest.mark.parametrize(
    ("header", "before", "after", "found"),
    [
        (
            "anjay/anjay/core.h",
            "int anjay_serve(anjay_t *anjay,",
            "long anjay_serve(anjay_t *anjay,",
            "type of anjay_serve",
        ),
        (
            "anjay/anjay/dm.h",
            "iid, anjay_rid_t rid);\n\n/**\n * Says that I",
            "iid, int32_t rid);\n\n/**\n * Says that I",
            "type of anjay_notify_changed",
        ),
        (
            "anjay/anjay/io.h",
            "anjay_get_string(anjay_input_ctx_t *ctx, char *",
            "anjay_get_string(anjay_input_ctx_t *ctx, const char *",
            "type of anjay_get_string",
        ),
        (
            "anjay/anjay/core.h",
            "    uint16_t udp_listen_port;",
            "    uint16_t udp_listen_port; bool more;",
            "anjay_configuration_t has",
        ),
        (
            "anjay/anjay/core.h",
            "    anjay_ssid_t ssid;\n",
            "    int16_t ssid;\n",
            "type of anjay_socket_entry_t.ssid",
        ),
        (
            "anjay/anjay/core.h",
            "    bool udp : 1;\n    bool tcp : 1;",
            "    bool tcp : 1;\n    bool udp : 1;",
            "bit",
        ),
        (
            "anjay/anjay/dm.h",
            "    double greater_than;",
            "    double lower_than;",
            "anjay_dm_r_attributes_t.greater_than",
        ),
        (
            "anjay/anjay/dm.h",
            "    int32_t hqmax;",
            "",
            "anjay_dm_oi_attributes_t",
        ),
        (
            "anjay/anjay/dm.h",
            "ANJAY_SECURITY_NOSEC = 3",
            "ANJAY_SECURITY_NOSEC = 2",
            "ANJAY_SECURITY_NOSEC = 3",
        ),
        (
            "anjay/anjay/core.h",
            "#define ANJAY_ERR_NOT_FOUND (-132)",
            "#define ANJAY_ERR_NOT_FOUND (-133)",
            "ANJAY_ERR_NOT_FOUND = -132",
        ),
        (
            "avs_commons/avsystem/commons/avs_time.h",
            "extern const avs_time_duration_t AVS_TIME_DURATION_ZERO",
            "extern avs_time_duration_t AVS_TIME_DURATION_ZERO",
            "AVS_TIME_DURATION_ZERO is const",
        ),
    ],
)
def test_a_deviation_is_found(tmp_path: Path, header: str, before: str, after: str, found: str) -> None:
    part, name = header.split("/", 1)
    for folder in VENDOR:
        shutil.copytree(folder, tmp_path / folder.parent.name)
    changed = tmp_path / part / name
    text = changed.read_text()
    assert before in text
    changed.write_text(text.replace(before, after, 1))
    headers = Headers([tmp_path / folder.parent.name for folder in VENDOR], tmp_path, ALWAYS)
    if found == "bit":
        done = subprocess.run([str(build(headers, headers.bit_fields()))], capture_output=True, text=True)
        assert done.returncode == 2
    else:
        assert any(found in problem for problem in headers.check())


def values(
    name: str, value: object, fields: dict[str, list[Json]], type_: str, headers: Headers
) -> list[str]:
    """Conditions of C that hold if a constant has the value."""
    if isinstance(value, dict):
        members = {f["name"]: f for f in fields[type_.removeprefix("const ")] if headers.holds(f)}
        nested = [
            (f"{name}.{key}", v, members[key].get("type", "")) for key, v in value.items() if key in members
        ]
        assert nested, name
        return [condition for path, v, kind in nested for condition in values(path, v, fields, kind, headers)]
    if value == "nan":
        return [f"isnan({name})"]
    if not isinstance(value, str):
        return [f"{name} == {value}"]
    if type_.startswith("const char["):
        return [f'!strcmp({name}, "{value}")']
    if type_ == "char":
        return [f"{name} == '{value}'"]
    return [f"{name} == {value}" if type_.endswith("*") else f"!memcmp(&{name}, &{value}, sizeof {name})"]


@pytest.mark.skipif(
    shutil.which("cmake") is None, reason="no cmake here: pip brings one for the time of a build only"
)
def test_programs_link(vendor: Headers, tmp_path: Path) -> None:
    """A program that uses every function that vendor/ declares links, and constants have their values."""
    cmake = [
        "cmake",
        "-G",
        "Ninja",
        "-S",
        str(SOURCE / "vendor"),
        "-B",
        str(tmp_path),
        "-DCMAKE_BUILD_TYPE=Debug",
    ]
    for command in (cmake, ["cmake", "--build", str(tmp_path), "-j", "2"]):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    functions = [name for name in vendor.declared().functions if name in vendor.known]
    records = {
        name: item["fields"] for _, item in vendor.facts("records") for name in names_of("records", item)
    }
    conditions: list[str] = []
    for _, item in vendor.facts("variables"):
        if "value" in item and item["name"] in vendor.known:
            conditions += values(item["name"], item["value"], records, item["type"], vendor)
    assert len(functions) > 200 and len(conditions) > 30
    checks = "\n".join(
        f"    if (!({condition})) {{ puts({quoted(condition)}); ++wrong; }}" for condition in conditions
    )
    table = "\n".join(f"    (void (*)(void)) {name}," for name in functions)
    code = (
        f"{vendor.includes}#include <math.h>\nvoid (*volatile all[])(void) = {{\n{table}\n}};\n"
        f"int main(void) {{\n    int wrong = all[0] ? 0 : 1;\n{checks}\n    return wrong;\n}}\n"
    )
    program = build(
        vendor,
        code,
        str(tmp_path / "libanjay_vendored.a"),
        "-lssl",
        "-lcrypto",
        "-lpthread",
        "-lm",
        "-Wno-deprecated-declarations",
    )
    done = subprocess.run([str(program)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@pytest.mark.parametrize(
    "name", [str(path.relative_to(folder)) for folder in VENDOR for path in sorted(folder.rglob("*.h"))]
)
def test_a_header_stands_alone(vendor: Headers, name: str) -> None:
    """Each header can be the only one, without a warning."""
    done = vendor.run(
        "-fsyntax-only",
        "-Wall",
        "-Wextra",
        "-Wstrict-prototypes",
        "-Werror",
        code=f"#include <{name}>\nint main(void) {{ return 0; }}\n",
    )
    assert done.returncode == 0, done.stderr


def test_comments(vendor: Headers) -> None:
    """Every function, type and variable that is declared has a comment above it."""
    declared = vendor.declared()
    without: list[str] = []
    for group in (declared.functions, declared.types, declared.variables):
        for header in dict.fromkeys(group.values()):
            names = {name for name, where in group.items() if where == header}
            text = next((folder / header).read_text() for folder in VENDOR if (folder / header).exists())
            without += [f"{header}: {name}" for name in undocumented(text, names)]
    assert without == []


def test_a_missing_comment_is_found() -> None:
    commented = "/** Adds. */\nint add(int a, int b);\nint sum(int a);\n\n"
    text = commented + "int sub(int a, int b);\n\n#if X\n/** C */\nstruct s { int a; };\n#endif\n"
    assert undocumented(text, {"add", "sum", "sub"}) == ["sub"]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as work:
        lines = Headers(VENDOR, Path(work), ALWAYS).missing()
    head = (
        "# What the C API has and vendor/ does not declare.\n"
        "# In brackets: the condition, which is off, under which it would be declared."
    )
    MISSING.write_text("\n".join([head, *lines, ""]))
    print(f"{len(lines)} lines", file=sys.stderr)
