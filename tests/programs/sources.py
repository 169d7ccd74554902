# SPDX-License-Identifier: Apache-2.0
"""C programs written for Anjay: where they are, and what they need."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

MISSING = Path(__file__).parents[1] / "api" / "missing.txt"
BOOTSTRAP = re.compile(r"\bbootstrap_server\s*=\s*true")
COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|/\*.*?\*/|//[^\n]*', re.S)
"""A string, which is kept, or a comment."""


@dataclass(frozen=True)
class Program:
    """The sources of one program: all .c files of one folder."""

    folder: Path
    name: str

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.c"))

    @property
    def text(self) -> str:
        found = [path.read_text() for path in sorted(self.folder.glob("*.[ch]"))]
        return COMMENT.sub(lambda part: part[1] or " ", "\n".join(found))

    @property
    def secure(self) -> bool:
        return '"coaps://' in self.text

    @property
    def has_server(self) -> bool:
        return bool(re.search(r'"coaps?(\+tcp)?://', self.text))

    def needs(self, headers: list[Path]) -> list[str]:
        """What of the API it uses that vendor/ does not declare: headers, and names of missing.txt."""
        wanted = re.findall(r"#\s*include\s*<((?:anjay|avsystem)/[\w/.]+)>", self.text)
        absent = [name for name in wanted if not any((folder / name).is_file() for folder in headers)]
        words = set(re.findall(r"\w+", self.text))
        return [*dict.fromkeys(absent), *sorted(words & missing_names())]

    def cannot_run(self) -> str:
        """Why it cannot register here although it links; empty if it can."""
        if BOOTSTRAP.search(self.text):
            return "it wants to be bootstrapped"
        if "ANJAY_SECURITY_CERTIFICATE" in self.text:
            return "it identifies itself by a certificate"
        return ""


def missing_names() -> set[str]:
    """Names that vendor/ does not declare."""
    names: set[str] = set()
    for line in MISSING.read_text().splitlines():
        if not line.startswith("#") and "no such header" not in line and ": off:" not in line:
            names.update(re.sub(r"^\S+: (\[.*?\] )?", "", line).split())
    return names - {"struct", "enum", "union"}


def programs() -> list[Program]:
    """Those below the folders of ANJAY_PROGRAMS."""
    found = []
    for root in filter(None, os.environ.get("ANJAY_PROGRAMS", "").split(os.pathsep)):
        for folder in sorted({path.parent for path in Path(root).rglob("*.c")}):
            if re.search(r"\bmain\s*\(", "".join(path.read_text() for path in folder.glob("*.c"))):
                name = str(folder.relative_to(root)).removesuffix("/src")
                found.append(Program(folder, Path(root).name if name == "." else name))
    return found
