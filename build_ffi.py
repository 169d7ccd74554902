# SPDX-License-Identifier: Apache-2.0
"""Join anjay_cffi/_cdef/*.h, keep what the provider has, and emit the C source of anjay_cffi._native.

Usage: build_ffi.py MACROS OUT.c KEY=VALUE...

MACROS holds the output of the compiler's ``-dM -E`` over the provider's configuration headers. A declaration
between the lines ``#if CONDITION`` and ``#endif`` stays when its condition (macro names, ``&&``, ``||``,
``!``, parentheses) holds; a macro is on when it is defined and not 0. KEY=VALUE pairs and all macros are
recorded in the extension.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from cffi import FFI

CDEF = Path(__file__).parent / "anjay_cffi" / "_cdef"
ORDER = (
    "avs_commons",
    "avs_coap",
    "core",
    "io",
    "dm",
    "security",
    "server",
    "fw_update",
    "lwm2m_send",
    "glue",
)
FEATURE = re.compile(r"^#define ((?:ANJAY_|AVS_COMMONS_|AVS_COAP_|WITH_AVS_COAP_)\w+)(?: (.*))?$")


def read_macros(text: str) -> dict[str, str | bool]:
    """Features from ``-dM`` output: True for a bare definition, else the text of its value."""
    found = (FEATURE.match(line.strip()) for line in text.splitlines())
    macros = {m[1]: (m[2] or "").strip() or True for m in found if m and not m[1].endswith("_CONFIG_H")}
    return dict(sorted(macros.items()))


def holds(condition: str, macros: dict[str, str | bool], unknown: set[str]) -> bool:
    """Evaluate one ``#if``; if it does not hold, ``unknown`` gains the names that it asks for and are off."""
    words: list[str] = []
    off = set()
    for token in re.findall(r"\w+|&&|\|\||!|\(|\)|\S", condition):
        if re.fullmatch(r"[A-Za-z_]\w*", token):
            on = macros.get(token, "0") != "0"
            if not on and words[-1:] != ["not"] and "_WITHOUT_" not in token:
                off.add(token)
            words.append(str(on))
        elif token in ("&&", "||", "!", "(", ")"):
            words.append({"&&": "and", "||": "or", "!": "not"}.get(token, token))
        else:
            raise SystemExit(f"build_ffi.py: cannot read '#if {condition}'")
    holding = bool(eval(" ".join(words), {"__builtins__": {}}))
    unknown.update(() if holding else off)
    return holding


def select(text: str, macros: dict[str, str | bool], unknown: set[str]) -> str:
    """The declarations whose conditions hold."""
    kept, stack = [], [True]
    for line in text.splitlines():
        if line.startswith("#if "):
            on = holds(line[4:], macros, unknown)
            stack.append(stack[-1] and on)
        elif line.startswith("#endif"):
            stack.pop()
        elif stack[-1]:
            kept.append(line)
    if len(stack) != 1:
        raise SystemExit("build_ffi.py: #if and #endif do not match")
    return "\n".join(kept)


def main(macro_file: str, out: str, *facts: str) -> None:
    """Write the C source."""
    macros = read_macros(Path(macro_file).read_text())
    unknown: set[str] = set()
    names = [*ORDER, *sorted(path.stem for path in CDEF.glob("*.h") if path.stem not in ORDER)]
    ffi = FFI()
    for name in names:
        ffi.cdef(select((CDEF / f"{name}.h").read_text(), macros, unknown))
    record = dict(fact.split("=", 1) for fact in facts)
    info = json.dumps({**record, "features": macros, "missing": sorted(unknown)})
    extra = "".join(f'#include "{path.name}"\n' for path in sorted(CDEF.parent.glob("_glue*.h")))
    literal = "\n    ".join(json.dumps(info[i : i + 90]) for i in range(0, len(info), 90))
    source = f"{extra}static const char *anjay_cffi_build_json(void) {{\n    return {literal};\n}}\n"
    ffi.set_source("anjay_cffi._native", source, py_limited_api=True)
    ffi.emit_c_code(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
