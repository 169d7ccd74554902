# SPDX-License-Identifier: Apache-2.0
"""Write facts.json from descriptions of the headers, one JSON file for each library.

Usage: condense.py DESCRIPTION.json... >facts.json

Kept: names, types, values, conditions, sizes and offsets; headers that are not installed are left out.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]
INCLUDED_BY = {"avsystem/commons/avs_log_impl.h": "avsystem/commons/avs_log.h"}  # never included directly
INTERNAL = re.compile(r"_CONTAIN_|_INCLUDE_GUARD$")
CONFIGS = ("anjay/anjay_config.h", "avsystem/coap/avs_coap_config.h", "avsystem/commons/avs_commons_config.h")


def entry(name: str | None, item: Json, **facts: Any) -> Json:
    """One declaration: only what says something."""
    kept = {"name": name, **facts, "if": item.get("guards")}
    return {
        key: value for key, value in kept.items() if value is not None and value is not False and value != []
    }


def signature(item: Json) -> Json:
    return {
        "ret": item["ret"],
        "params": [param["type"] for param in item["params"]],
        "variadic": item.get("variadic"),
    }


def field(item: Json) -> Json:
    inner = item.get("inline_record")
    return entry(
        item["name"],
        item,
        type=None if inner else item.get("written") or item["type"],
        kind=inner and inner["kind"],
        fields=inner and [field(member) for member in inner["fields"]],
        bits=item.get("bits"),
        at=item.get("offset_bits"),
    )


def enumerator(name: str, value: int, more: Json | None = None) -> Json:
    return entry(name, more or {}, value=value)


def typedef(item: Json) -> Json:
    if item["kind"] in ("function", "function_pointer"):
        return entry(item["name"], item, kind=item["kind"], **signature(item))
    written = item.get("written")
    return entry(
        item["name"], item, kind=item["kind"], type=written or item.get("type"), opaque=item.get("opaque")
    )


def header(facts: Json) -> Json:
    """The declarations of one header."""
    kept = {
        "functions": [
            entry(f["name"], f, **signature(f), inline=f.get("static_inline")) for f in facts["functions"]
        ],
        "records": [
            entry(
                r["tag"] and f"{r['kind']} {r['tag']}",
                r,
                typedefs=r["typedefs"],
                kind=r["kind"],
                size=r.get("size"),
                fields=[field(f) for f in r["fields"]],
            )
            for r in facts.get("records", [])
        ],
        "enums": [
            entry(
                e["tag"] and f"enum {e['tag']}",
                e,
                typedefs=e["typedefs"],
                int_type=e["int_type"],
                values=[enumerator(*value) for value in e["values"]],
            )
            for e in facts.get("enums", [])
        ],
        "typedefs": [typedef(t) for t in facts.get("typedefs", [])],
        "variables": [
            entry(v["name"], v, type=v["type"], storage=v["storage"], value=v.get("value"))
            for v in facts.get("variables", [])
        ],
        "macros": [
            entry(m["name"], m, kind=m["kind"], value=m.get("value"))
            for m in facts.get("macros", [])
            if not INTERNAL.search(m["name"])
        ],
        "function_macros": [
            entry(m["name"], m, params=m["params"]) for m in facts.get("function_macros", [])
        ],
    }
    return {key: value for key, value in kept.items() if value}


def main(paths: list[str]) -> None:
    versions: dict[str, str] = {}
    headers: dict[str, Json] = {}
    for path in paths:
        described = json.loads(Path(path).read_text())
        versions[path] = described["title"]
        for name, facts in described["headers"].items():
            if facts["installed"] and name.endswith(".h"):
                if name in CONFIGS:
                    options = [m["name"] for m in facts["macros"]] + facts["disabled_options"]
                    headers[name] = {"options": sorted(options)}
                else:
                    known = headers.setdefault(INCLUDED_BY.get(name, name), {})
                    for kind, items in header(facts).items():
                        known.setdefault(kind, []).extend(items)
    out = [f'{{\n"of": {json.dumps(list(versions.values()))},\n"headers": {{']
    for number, (name, groups) in enumerate(headers.items()):
        out.append(f"{',' if number else ''}{json.dumps(name)}: {{")
        for place, (kind, items) in enumerate(groups.items()):
            lines = ",\n".join(json.dumps(item, ensure_ascii=False) for item in items)
            out.append(f"{',' if place else ''}{json.dumps(kind)}: [\n{lines}\n]")
        out.append("}")
    print("\n".join(out) + "\n}}")


if __name__ == "__main__":
    main(sys.argv[1:])
