# SPDX-License-Identifier: Apache-2.0
"""Ask a C compiler what a set of headers declares, and whether it is what facts.json says.

Every question is one line of a C file: the lines with errors are the answers. Nothing parses C but the
compiler; only the names that headers declare (`declared()`) come from splitting the preprocessor's output.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .names import Declared, classify, split

Json = dict[str, Any]
FACTS: Json = json.loads((Path(__file__).parent / "facts.json").read_text())["headers"]
CONFIGS = [name for name, groups in FACTS.items() if "options" in groups]
SYSTEM = (
    "errno.h",
    "stdarg.h",
    "stdbool.h",
    "stddef.h",
    "stdint.h",
    "stdio.h",
    "string.h",
    "sys/types.h",
    "net/if.h",
)
GROUPS = ("functions", "records", "enums", "constants", "typedefs", "variables", "macros", "function_macros")
for _groups in FACTS.values():
    _groups["constants"] = [
        {**value, "if": [*enum.get("if", ()), *value.get("if", ())]}
        for enum in _groups.get("enums", ())
        for value in enum["values"]
    ]
TOKEN = re.compile(r"[A-Za-z_]\w*|\d\w*|&&|\|\||[<>=!]=|[<>!()]|\S")


def condition(guard: str) -> str:
    """A guard for the preprocessor: a bare name asks whether it is defined, a compared one for its value."""
    tokens = TOKEN.findall(guard)
    compared = ("<", ">", "<=", ">=", "==", "!=")
    words = []
    for place, token in enumerate(tokens):
        value = any(0 <= i < len(tokens) and tokens[i] in compared for i in (place - 1, place + 1))
        words.append(token if value or not re.match(r"[A-Za-z_]", token) else f"defined({token})")
    return " ".join(words)


def names_of(group: str, item: Json) -> list[str]:
    """The names that a declaration makes known."""
    if group in ("records", "enums"):
        return [*item.get("typedefs", ()), *([item["name"]] if "name" in item else [])]
    return [item["name"]]


@dataclass
class Question:
    """One line of C that compiles if the answer is yes."""

    code: str
    about: str


class Headers:
    """A set of public headers, found by the compiler ``$CC`` in some folders."""

    def __init__(self, folders: list[Path], work: Path, always: frozenset[str] = frozenset()) -> None:
        """``always``: conditions that fields of records do not depend on here."""
        self.folders = folders
        self.work = work
        self.always = always
        self.compiler = shlex.split(os.environ.get("CC") or "cc")
        self.flags = ["-std=gnu11", *(f"-I{folder}" for folder in folders)]
        self.present = [name for name in FACTS if any((folder / name).is_file() for folder in folders)]
        self.includes = "".join(f"#include <{name}>\n" for name in (*SYSTEM, *self.present))
        self.guards = self._guards()
        self.known: set[str] = set()
        self.known = self._known()

    # ---- the compiler

    def run(self, *arguments: str, code: str) -> subprocess.CompletedProcess[str]:
        source = self.work / "question.c"
        source.write_text(code)
        return subprocess.run(
            [*self.compiler, *self.flags, *arguments, str(source)],
            capture_output=True,
            text=True,
            cwd=self.work,
        )

    def preprocess(self, code: str, *arguments: str) -> str:
        done = self.run("-E", *arguments, code=code)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, questions: list[Question]) -> dict[int, str]:
        """The numbers of the questions whose lines do not compile, and why."""
        first = self.includes.count("\n") + 1
        version = subprocess.run(
            [*self.compiler, "--version"], capture_output=True, text=True, check=True
        ).stdout
        limit = "-ferror-limit=0" if "clang" in version else "-fmax-errors=0"
        code = self.includes + "".join(f"{question.code}\n" for question in questions)
        done = self.run(
            "-fsyntax-only",
            limit,
            "-Wno-deprecated-declarations",
            "-Werror=missing-field-initializers",
            code=code,
        )
        errors: dict[int, str] = {}
        for file, line, text in re.findall(
            r"^(.+?):(\d+):(?:\d+:)? (?:fatal )?error: (.*)$", done.stderr, re.M
        ):
            number = int(line) - first
            assert file.endswith("question.c") and 0 <= number < len(questions), f"{file}:{line}: {text}"
            errors.setdefault(number, text)
        assert (done.returncode == 0) == (not errors), done.stderr
        return errors

    def unfulfilled(self, questions: list[Question]) -> list[str]:
        """The questions that are answered by no, as text."""
        return [f"{questions[number].about}: {why}" for number, why in self.refused(questions).items()]

    # ---- what is on

    def _guards(self) -> dict[str, bool]:
        found = {
            guard
            for groups in FACTS.values()
            for kind in GROUPS
            for item in groups.get(kind, ())
            for guard in all_guards(item)
        }
        ordered = sorted(found)
        ask = "".join(
            f"#if {condition(guard)}\nguard_is_on {number}\n#endif\n" for number, guard in enumerate(ordered)
        )
        configs = "".join(f"#include <{name}>\n" for name in CONFIGS if name in self.present)

        def on(includes: str) -> set[str]:
            text = self.preprocess(includes + ask)
            return {ordered[int(number)] for number in re.findall(r"^guard_is_on (\d+)$", text, re.M)}

        early, late = on(configs), on(self.includes)
        # "!NAME" around a definition of NAME asks what was there before the header
        return {guard: guard in (early if re.fullmatch(r"!\w+", guard) else late) for guard in ordered}

    def holds(self, item: Json) -> bool:
        return all(self.guards[guard] for guard in item.get("if", ()))

    def has(self, field: Json) -> bool:
        """Whether a record has the field."""
        return all(self.guards[guard] or guard in self.always for guard in field.get("if", ()))

    def facts(self, group: str) -> Iterator[tuple[str, Json]]:
        """Facts about headers that are present, with their header."""
        for name in self.present:
            for item in FACTS[name].get(group, ()):
                yield name, item

    def _known(self) -> set[str]:
        """Names of facts.json that the headers declare, whether or not they should."""
        self.macro_names = self.declared_macros()
        questions: list[Question] = []
        for group in ("functions", "variables", "constants"):
            for _, item in self.facts(group):
                questions += [
                    Question(f"void q{len(questions)}_{n}(__typeof__({n}) *);", n)
                    for n in names_of(group, item)
                ]
        for group in ("records", "enums", "typedefs"):
            for _, item in self.facts(group):
                for n in names_of(group, item):
                    what = f"sizeof({n})" if " " in n else "1"
                    code = f"void q{len(questions)}({n} *); enum {{ e{len(questions)} = {what} }};"
                    questions.append(Question(code, n))
        unique = list({question.about: question for question in questions}.values())
        refused = self.refused(unique)
        known = {question.about for number, question in enumerate(unique) if number not in refused}
        return known | set(self.macro_names)

    # ---- questions about what is declared

    def check(self) -> list[str]:
        """Everything that the headers declare otherwise than the facts."""
        questions: list[Question] = []
        for group in GROUPS:
            ask = getattr(self, f"_ask_{group}")
            asked: set[str] = set()
            for header, item in self.facts(group):
                names = names_of(group, item)
                if self.holds(item) and names[0] in self.known and names[0] not in asked:
                    if group in ("macros", "function_macros"):  # of alternatives the first
                        asked.update(names)
                    questions += [Question(q.code, f"{header}: {q.about}") for q in ask(item)]
        return self.unfulfilled(questions)

    def _ask_functions(self, item: Json) -> Iterator[Question]:
        yield same(f"__typeof__({item['name']})", prototype(item), item["name"])

    def _ask_variables(self, item: Json) -> Iterator[Question]:
        yield same(f"__typeof__({item['name']}) *", f"__typeof__({item['type']}) *", item["name"])
        if "const" in item["type"]:
            # a qualifier of the pointed-to type does count
            yield same(
                f"__typeof__(&{item['name']})", f"__typeof__({item['type']}) *", f"{item['name']} is const"
            )

    def _ask_enums(self, item: Json) -> Iterator[Question]:
        for name in names_of("enums", item):
            # an enum may change its sign with the constants that features add, but not its size
            yield Question(
                f'_Static_assert(sizeof({name}) == sizeof({item["int_type"]}), "");', f"size of {name}"
            )

    def _ask_constants(self, item: Json) -> Iterator[Question]:
        yield Question(
            f'_Static_assert({item["name"]} == {item["value"]}, "");', f"{item['name']} = {item['value']}"
        )

    def _ask_typedefs(self, item: Json) -> Iterator[Question]:
        name, kind = item["name"], item["kind"]
        if kind == "function":
            yield same(f"{name} *", f"__typeof__({prototype(item)}) *", name)
        elif kind == "function_pointer":
            yield same(name, f"__typeof__({prototype(item)}) *", name)
        elif kind == "alias" or item.get("opaque"):
            yield same(f"{name} *", f"__typeof__({item['type']}) *", name)

    def _ask_macros(self, item: Json) -> Iterator[Question]:
        name, value = item["name"], item.get("value")
        if item["kind"] == "int":
            yield Question(f'_Static_assert(({name}) == ({value}), "");', f"{name} = {value}")
        elif item["kind"] == "float" and isinstance(value, (int, float)):
            yield Question(f'_Static_assert(({name}) == {value!r}, "");', f"{name} = {value}")
        elif item["kind"] == "string":
            text = f'"{value}"'
            yield Question(f'_Static_assert(__builtin_strcmp({name}, {text}) == 0, "");', f"{name} = {text}")

    def _ask_function_macros(self, item: Json) -> Iterator[Question]:
        count = self.macro_names[item["name"]]
        counts = {
            len(other.get("params", ()))
            for _, other in self.facts("function_macros")
            if other["name"] == item["name"]
        }
        yield Question(f'_Static_assert({int(count in counts)}, "");', f"parameters of {item['name']}()")

    def _ask_records(self, item: Json) -> Iterator[Question]:
        """Field by field: name, type, place, and that there is no other field."""
        names = names_of("records", item)
        name = names[0]
        expected = "expected_" + re.sub(r"\W", "_", name)
        members = self._members(item["fields"])
        yield Question(f"{item['kind']} {expected} {{ {members} }};", f"{name} and the types of its fields")
        full = f"{item['kind']} {expected}"
        for other in names:
            yield Question(f'_Static_assert(sizeof({other}) == sizeof({full}), "");', f"size of {other}")
            yield Question(
                f'_Static_assert(_Alignof({other}) == _Alignof({full}), "");', f"alignment of {other}"
            )
        yield from self._ask_fields(name, full, item["fields"], "")
        fields = [f for f in item["fields"] if self.has(f)]
        if item["kind"] == "struct":
            values = ", ".join(
                "0" if "bits" in f or f["type"].endswith("*") else "{ 0 }" for f in map(typed, fields)
            )
            yield Question(f"{name} all_{expected} = {{ {values} }};", f"{name} has {len(fields)} fields")
        if item.get("size") is not None and self._as_measured(item["fields"]):
            yield Question(
                f'_Static_assert(sizeof(void *) != 8 || sizeof({name}) == {item["size"]}, "");',
                f"size of {name} = {item['size']}",
            )

    def _as_measured(self, fields: list[Json]) -> bool:
        """Whether the same features were on when sizes were measured, for records within records too."""
        inner = [
            r["fields"]
            for f in fields
            for _, r in self.facts("records")
            if f.get("type") in names_of("records", r)
        ]
        inner += [f["fields"] for f in fields if "fields" in f]
        return all(("at" in f) == self.has(f) for f in fields) and all(map(self._as_measured, inner))

    def _members(self, fields: list[Json]) -> str:
        out = []
        for f in fields:
            if not self.has(f):
                continue
            if "fields" in f:
                out.append(f"{f['kind']} {{ {self._members(f['fields'])} }} {f['name']};")
            else:
                width = f" : {f['bits']}" if "bits" in f else ""
                out.append(f"__typeof__({f['type']}) {f['name']}{width};")
        return " ".join(out)

    def _ask_fields(self, name: str, expected: str, fields: list[Json], prefix: str) -> Iterator[Question]:
        for f in fields:
            if not self.has(f):
                continue
            path = prefix + f["name"]
            if "bits" in f:
                # no address; its place is looked at by the program that bit_fields() writes
                code = f'_Static_assert(sizeof((({name} *) 0)->{path} + 0), "");'
                yield Question(code, f"{name}.{path}")
                continue
            yield Question(
                f'_Static_assert(offsetof({name}, {path}) == offsetof({expected}, {path}), "");',
                f"offset of {name}.{path}",
            )
            if "fields" in f:
                yield from self._ask_fields(name, expected, f["fields"], f"{path}.")
            else:
                yield same(
                    f"__typeof__((({name} *) 0)->{path}) *",
                    f"__typeof__({f['type']}) *",
                    f"type of {name}.{path}",
                )

    def bit_fields(self) -> str:
        """A program that fails unless every bit-field is where the facts have it."""
        out = [self.includes]
        body = []
        for _, item in self.facts("records"):
            name = names_of("records", item)[0]
            bits = [f["name"] for f in item["fields"] if "bits" in f and self.has(f)]
            if bits and self.holds(item) and name in self.known:
                out.append(f"{item['kind']} expected_{name} {{ {self._members(item['fields'])} }};")
                full = f"{item['kind']} expected_{name}"
                for bit in bits:
                    body.append(
                        f"{{ {name} is; {full} want;"
                        f" memset(&is, 0, sizeof is); memset(&want, 0, sizeof want);"
                        f" --is.{bit}; --want.{bit}; ++seen;"
                        f" if (sizeof is != sizeof want || memcmp(&is, &want, sizeof is))"
                        f" {{ puts({json.dumps(f'{name}.{bit}')}); ++failed; }} }}"
                    )
        return "\n".join(
            [
                *out,
                "int main(void) {",
                "int failed = 0, seen = 0;",
                *body,
                'printf("%d\\n", seen);',
                "return failed; }",
                "",
            ]
        )

    # ---- what is missing, and what is there too much

    def missing(self) -> list[str]:
        """What facts.json has and the headers do not declare: a line for each header and condition."""
        lines = []
        for header, groups in FACTS.items():
            if header not in self.present:
                lines.append(f"{header}: no such header")
                continue
            if "options" in groups:
                options = [name for name in groups["options"] if name not in self.macro_names]
                lines += [f"{header}: off: {' '.join(options)}"] if options else []
                continue
            absent: dict[str, str] = {}
            for group in GROUPS:
                for item in groups.get(group, ()):
                    off = " && ".join(guard for guard in item.get("if", ()) if not self.guards[guard])
                    for name in names_of(group, item):
                        if (
                            name not in self.known
                            and not re.search(r"^_|__$", name)
                            and absent.get(name) != ""
                        ):
                            absent[name] = off
            for off in dict.fromkeys(absent.values()):
                names = sorted(name for name, guard in absent.items() if guard == off)
                lines.append(f"{header}: {f'[{off}] ' if off else ''}{' '.join(names)}")
        return lines

    def absent_though_on(self) -> list[str]:
        """What is not declared although its conditions hold."""
        return [
            f"{header}: {name}"
            for group in GROUPS
            for header, item in self.facts(group)
            if self.holds(item)
            for name in names_of(group, item)
            if name not in self.known
        ]

    def present_though_off(self) -> list[str]:
        """What is declared although its conditions do not hold."""
        needed = self._needed_by_fields()
        return [
            f"{header}: {name}"
            for group in ("functions", "records", "enums", "constants", "typedefs", "variables")
            for header, item in self.facts(group)
            if not self.holds(item) and not any(self.holds(other) for other in self._same_name(group, item))
            for name in names_of(group, item)
            if name in self.known and name not in self.macro_names and name not in needed
        ]

    def _needed_by_fields(self) -> set[str]:
        """Types, and their constants, of fields that are there whatever the features."""
        types = {
            f["type"].removesuffix(" *")
            for _, item in self.facts("records")
            for f in item["fields"]
            if self.always.intersection(f.get("if", ()))
        }
        enums = [item for _, item in self.facts("enums") if types.intersection(names_of("enums", item))]
        return types.union(value["name"] for item in enums for value in item["values"])

    def _same_name(self, group: str, item: Json) -> list[Json]:
        return [other for _, other in self.facts(group) if names_of(group, other) == names_of(group, item)]

    def declared_macros(self) -> dict[str, int | None]:
        """Macros that the headers define, with their number of parameters (None: like a variable)."""
        return {name: count for name, (_, count) in self.declared().macros.items()}

    def declared(self) -> Declared:
        """Names by header."""
        text = self.preprocess(self.includes, "-dD")
        found = Declared()
        chunks: dict[str, list[str]] = {}
        header: str | None = None
        for line in text.splitlines():
            if marker := re.match(r'# \d+ "(.*)"', line):
                header = self._public(marker[1])
            elif header and (macro := re.match(r"#define (\w+)(\(([^)]*)\))?", line)):
                params = None if macro[2] is None else len([p for p in macro[3].split(",") if p.strip()])
                found.macros[macro[1]] = (header, params)
            elif header and not line.startswith("#"):
                chunks.setdefault(header, []).append(line)
        for name, lines in chunks.items():
            for declaration in split("\n".join(lines)):
                classify(declaration, name, found)
        return found

    def _public(self, file: str) -> str | None:
        for folder in self.folders:
            prefix = f"{folder}/"
            if file.startswith(prefix):
                return file[len(prefix) :]
        return None


def all_guards(item: Json) -> Iterator[str]:
    yield from item.get("if", ())
    for inner in item.get("fields", ()):
        yield from all_guards(inner)


def typed(f: Json) -> Json:
    return {"type": "", **f}


def prototype(item: Json) -> str:
    params = [*item.get("params", ()), *(["..."] if item.get("variadic") else [])]
    return f"__typeof__({item['ret']}) ({', '.join(params) or 'void'})"


def same(one: str, other: str, about: str) -> Question:
    return Question(
        f'_Static_assert(__builtin_types_compatible_p({one}, {other}), "");',
        f"type of {about}" if " " not in about else about,
    )
