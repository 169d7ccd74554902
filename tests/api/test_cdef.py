# SPDX-License-Identifier: Apache-2.0
"""anjay_cffi/_cdef declares what anjay's headers do, with the same types."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import anjay_cffi as lwm2m
from anjay_cffi import _buildinfo

from .headers import FACTS, GROUPS, Json, condition, names_of
from .names import Declared, classify, split

SOURCE = Path(os.environ.get("ANJAY_CFFI_SOURCE", Path(__file__).parents[2]))
CDEF = SOURCE / "anjay_cffi" / "_cdef"
HEADERS = [
    f"anjay/{name}.h" for name in ("core", "dm", "io", "security", "server", "fw_update", "lwm2m_send")
]
EXCEPTIONS = Path(__file__).parent / "not_in_cdef.txt"
SINCE: dict[str, str] = {
    name: version
    for version, names in json.loads((Path(__file__).parent / "since.json").read_text()).items()
    for name in names
}
"""What older versions than 3.14 do not have, with the first that does. A field is written record.field."""
MODULES = {"anjay/fw_update.h": "ANJAY_WITH_MODULE_FW_UPDATE"}
"""Headers that are installed only with their module."""


DEFINED_WITH = {"anjay_security_config_pkix": "ANJAY_WITH_LWM2M11"}
"""Declared always, but defined in the library with a feature only."""


def facts(group: str) -> Iterator[Json]:
    for header in HEADERS:
        module = [MODULES[header]] if header in MODULES else []
        for item in FACTS[header].get(group, ()):
            yield {**item, "if": [*item.get("if", ()), *module]} if module else item


def declared() -> set[str]:
    """Every name in the files, whatever its condition."""
    found, names = Declared(), set()
    for path in CDEF.glob("*.h"):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        names.update(re.findall(r"^#define (\w+)", text, re.M))
        names.update(" ".join(tag) for tag in re.findall(r"\b(struct|union|enum) (\w+) \{", text))
        for declaration in split(re.sub(r"^#.*$", "", text, flags=re.M).replace("...", "")):
            classify(declaration, path.name, found)
    return names.union(found.functions, found.types, found.constants, found.variables)


def exceptions() -> set[str]:
    lines = [line for line in EXCEPTIONS.read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"\w+: .+", line) for line in lines)
    return {line.split(":")[0] for line in lines}


@pytest.mark.skipif(not CDEF.is_dir(), reason="ANJAY_CFFI_SOURCE is not the checkout")
def test_every_name_is_declared() -> None:
    wanted = {name for group in GROUPS for item in facts(group) for name in names_of(group, item)}
    assert len(wanted) > 300
    assert wanted - declared() == exceptions()


def is_old_enough(name: str) -> bool:
    """Whether the API of the installed version has the name."""
    have = [int(part) for part in lwm2m.build_info().version.partition("+")[0].split(".")]
    return have >= [int(part) for part in SINCE.get(name, "0").split(".")]


def holds(item: Json, record: str = "") -> bool:
    """Whether the installed provider has it; ``record`` is that of a field."""
    if not all(map(is_old_enough, [f"{record}.{item['name']}"] if record else every_name(item))):
        return False
    features = lwm2m.build_info().features
    for guard in item.get("if", ()):
        text = re.sub(r"defined\((\w+)\)", lambda name: str(name[1] in features), condition(guard))
        text = re.sub(r"\b[A-Z]+_\w+\b", lambda name: str(features.get(name[0], 0)), text)
        text = text.replace("&&", "and").replace("||", "or").replace("!", "not ")
        if not eval(text, {"__builtins__": {}}):
            return False
    return True


def every_name(item: Json) -> list[str]:
    return [*item.get("typedefs", ()), *([item["name"]] if "name" in item else [])]


def has(field: Json, record: str) -> bool:
    """Whether a record of the provider has the field; its layout may be that of 1.2 without the feature."""
    guards = field.get("if", ())
    if "ANJAY_HAS_LWM2M12_LAYOUT" in lwm2m.build_info().features:
        guards = [guard for guard in guards if guard != "ANJAY_WITH_LWM2M12"]
    return holds({**field, "if": guards}, record)


def ctype(text: str) -> Any:
    return lwm2m.ffi.typeof(text.replace("bool", "_Bool"))


def test_functions_have_their_types() -> None:
    seen = 0
    persistent = "AVS_COMMONS_WITH_AVS_PERSISTENCE" in lwm2m.build_info().features
    for item in facts("functions"):
        if not hasattr(lwm2m.lib, item["name"]):
            # the real library has persistence as functions that fail where it is off; here they are not there
            absent = not persistent and item["name"].endswith(("_persist", "_restore"))
            absent |= item["name"] in DEFINED_WITH and not _buildinfo.has(DEFINED_WITH[item["name"]])
            assert not holds(item) or absent, item["name"]
            continue
        signature = f"{item['ret']}(*)({', '.join(item.get('params', ())) or 'void'})"
        assert lwm2m.ffi.typeof(getattr(lwm2m.lib, item["name"])) is ctype(signature), item["name"]
        seen += 1
    assert seen > 70


def test_fields_have_their_types() -> None:
    seen = 0
    for item in facts("records"):
        if not holds(item):
            continue
        for name in names_of("records", item):
            fields = dict(ctype(name).fields)
            wanted = [field for field in item["fields"] if has(field, every_name(item)[0])]
            assert sorted(fields) == sorted(field["name"] for field in wanted), name
            assert sorted(fields, key=lambda key: (fields[key].offset, fields[key].bitshift)) == [
                field["name"] for field in wanted
            ], name
            for field in wanted:
                plain, is_array = re.subn(r"\[.*\]", "", field["type"])
                have = fields[field["name"]].type
                assert (have.item if is_array else have) is ctype(plain), f"{name}.{field['name']}"
                seen += 1
    assert seen > 50


def test_values() -> None:
    seen = 0
    for group in ("constants", "macros"):
        for item in facts(group):
            if holds(item) and isinstance(item.get("value"), int) and item["name"] not in exceptions():
                assert getattr(lwm2m.lib, item["name"]) == item["value"], item["name"]
                seen += 1
    assert seen > 50
