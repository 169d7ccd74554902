# SPDX-License-Identifier: Apache-2.0
"""Names that C headers declare, found by splitting their text at the end of each declaration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Declared:
    """What headers declare themselves, without what they include from elsewhere."""

    functions: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    macros: dict[str, tuple[str, int | None]] = field(default_factory=dict)


def split(text: str) -> Iterator[str]:
    """The declarations of a file without comments and preprocessor lines."""
    text = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', '""', text)
    depth, start, body = 0, 0, False
    for place, char in enumerate(text):
        if char in "({[":
            if depth == 0 and char == "{":
                # after a parameter list it is a function's body; a type's braces are followed by more
                body = text[start:place].rstrip().endswith(")")
            depth += 1
        elif char in ")}]":
            depth -= 1
        if depth == 0 and (char == ";" or (char == "}" and body)):
            declaration = " ".join(text[start : place + 1].split())
            start, body = place + 1, False
            if declaration != ";":
                yield declaration


def without_attributes(text: str) -> str:
    while (found := re.search(r"__attribute__\s*\(\(", text)) is not None:
        depth, place = 0, text.index("(", found.start())
        for end in range(place, len(text)):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if depth == 0:
                break
        text = text[: found.start()] + text[end + 1 :]
    return " ".join(text.split())


def classify(declaration: str, header: str, found: Declared) -> None:
    """Note the names that one declaration makes known."""
    text = without_attributes(declaration)
    for values in re.findall(r"\benum\b[^{;]*\{([^}]*)\}", text):
        found.constants.update(dict.fromkeys(re.findall(r"(?:^|,)\s*(\w+)", values), header))
    flat = text
    while flat != (flat := re.sub(r"\{[^{}]*\}", " ", flat)):
        pass
    flat = " ".join(flat.split())
    if flat.startswith("_Static_assert"):
        return
    if flat.startswith("typedef"):
        function = re.match(r"[^(]*(?:\(\s*\*\s*(\w+)\s*\)\s*\(|(\b\w+)\s*\()", flat)
        name = (
            (function[1] or function[2])
            if function
            else re.findall(r"\w+", re.sub(r"\[[^]]*\]", "", flat))[-1]
        )
        found.types[name] = header
    elif (function := re.search(r"(\w+)\s*\(", flat)) and "=" not in flat.split("(")[0]:
        found.functions[function[1]] = header
    elif not re.fullmatch(r"(?:struct|union|enum)(?: \w+)? ?;", flat):
        found.variables[re.findall(r"\w+", re.sub(r"=.*|\[[^]]*\]", "", flat))[-1]] = header


def undocumented(header: str, names: set[str]) -> list[str]:
    """Those of `names` without a comment above them; one comment serves declarations up to an empty line."""
    text = re.sub(r'#ifdef __cplusplus\n(?:extern "C" \{|\})\n#endif', "", header)
    text = re.sub(
        r"/\*.*?\*/", lambda comment: " comment_; " if "SPDX" not in comment[0] else " ", text, flags=re.S
    )
    text = re.sub(r"^[ \t]*#(?:.*\\\n)*.*$", " preprocessor_; ", text, flags=re.M)
    text = re.sub(r"\n\s*\n", "\n empty_; ", text)
    without, seen = [], False
    for declaration in split(text):
        if declaration == "comment_;":
            seen = True
        elif declaration == "empty_;":
            seen = False
        elif declaration != "preprocessor_;":
            found = Declared()
            classify(re.sub(r"\b(?:comment|empty|preprocessor)_;", "", declaration), "", found)
            here = [*found.functions, *found.types, *found.variables]
            without += [name for name in here if name in names and not seen]
    return without
