# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of sysctl.d(5), limits.conf(5) and tuned to the text of a profile. Pure. Private: not for use outside of ``tunefleet.linux``.

As for the programs that read these files, the last line about a key counts. What cannot be said by a profile is told, line by line.
"""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ...module_utils import _errors
from ...module_utils._core import limit as limit_types
from ...module_utils._core import shape as shapes
from ...module_utils._limits import items
from ...module_utils._sysctl import catalog
from ...module_utils._sysctl import names as sysctl_names
from ...module_utils._sysctl import values as sysctl_values
from . import model as profile_model
from . import validation

SYSCTL, LIMITS, TUNED = "sysctl.d", "limits.conf", "tuned"

_SECTION = re.compile(r"\[\s*([^\]]+?)\s*\]")
_LIMIT_TYPES = {"soft": ("soft",), "hard": ("hard",), "-": ("soft", "hard")}
# tuned(8): a value that begins with one of these is set only where the host has less, or more.
_TUNED_SIGNS = {">": profile_model.AT_LEAST, "<": profile_model.AT_MOST}


class File(t.NamedTuple):
    """A file to be read."""

    path: str
    text: str


@dataclass(frozen=True)
class Entry:
    """A setting (``key``) or a limit (``domain item``): fields as YAML, the lines that say so, and their comments."""

    name: tuple[str, ...]
    fields: dict[str, str]
    source: tuple[str, ...]
    why: tuple[str, ...]


@dataclass
class Imported:
    """The text of a profile, what it holds, and one sentence with ``file:line`` for all that it could not take."""

    text: str = ""
    settings: int = 0
    limits: int = 0
    left_out: list[str] = field(default_factory=list)


def kind_of(text: str) -> str:
    """Which of the three formats a file is written in."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and line.strip()[0] not in "#;"]
    if any(_SECTION.fullmatch(line) for line in lines):
        return TUNED
    words = lines[0].partition("#")[0].split() if lines else []
    return LIMITS if "=" not in "".join(words) and len(words) in (2, 4) and words[1] in _LIMIT_TYPES else SYSCTL


def import_files(files: Sequence[File], origin: str) -> Imported:
    """A profile that says what the files say.

    :param files: in the order in which they are read. :param origin: what the profile is said to come from.
    """
    reader = _Reader()
    for file in files:
        reader.read(file)
    settings = [entry for entry in reader.entries.values() if len(entry.name) == 1]
    limits = [entry for entry in reader.entries.values() if len(entry.name) == 2]
    lines = [
        "---",
        f"# Made by tunefleet.linux from {_one_line(origin)}.",
        f"title: {_quoted(f'Imported from {origin}')}",
        f"summary: {_quoted(f'What {origin} said when it was imported, value for value.')}",
        "sources:",
        *(f"  {name}: {{title: {_quoted(path)}, address: {_quoted(path)}}}" for name, path in reader.sources.items()),
    ]
    lines += ["sysctl:", *(line for entry in settings for line in _setting(entry))] if settings else []
    lines += ["limits:", *(line for entry in limits for line in _limit(entry))] if limits else []
    return Imported("\n".join(lines) + "\n", len(settings), len(limits), reader.left_out)


def _setting(entry: Entry) -> list[str]:
    fields = [f"    {name}: {text}" for name, text in entry.fields.items()]
    return [f"  {_quoted(entry.name[0])}:", *fields, *_reason(entry)]


def _limit(entry: Entry) -> list[str]:
    domain, item = entry.name
    fields = [f"    {name}: {text}" for name, text in entry.fields.items()]
    return [f"  - domain: {_quoted(domain)}", f"    item: {item}", *fields, *_reason(entry)]


def _reason(entry: Entry) -> list[str]:
    why = " ".join(dict.fromkeys(text for text in entry.why if text)) or "As it stands there."
    return [f"    why: {_quoted(why)}", f"    source: [{', '.join(map(_quoted, dict.fromkeys(entry.source)))}]"]


def _quoted(text: str) -> str:
    """A text as YAML takes it, whatever is in it."""
    return json.dumps(text, ensure_ascii=False)


def _one_line(text: str) -> str:
    return " ".join(text.split())


class _Reader:
    """Collects entries, the last one about a thing counting, and what had to be left out."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, ...], Entry] = {}
        self.sources: dict[str, str] = {}
        self.left_out: list[str] = []
        self._path = ""
        self._source = ""

    def read(self, file: File) -> None:
        self._path = file.path
        self._source = self._declare(file.path)
        read_line = {SYSCTL: self._sysctl_line, LIMITS: self._limits_line, TUNED: self._tuned_line}[kind_of(file.text)]
        self._section = ""
        comment: list[str] = []
        for number, line in enumerate(file.text.split("\n"), 1):
            text = line.strip()
            if text[:1] in ("#", ";"):
                comment.append(text.lstrip("#; ").strip())
                continue
            if text:
                try:
                    read_line(number, text, _one_line(" ".join(comment)))
                except (_errors.NameProblem, _errors.ValueProblem) as problem:
                    self._leave(number, str(problem))
            comment = []

    def _declare(self, path: str) -> str:
        """The id of a file among the sources."""
        base = "file_" + re.sub(r"[^a-z0-9]+", "_", path.rpartition("/")[2].lower()).strip("_")
        name, count = base, 1
        while name in self.sources:
            count += 1
            name = f"{base}_{count}"
        self.sources[name] = path
        return name

    def _leave(self, line: int, sentence: str) -> None:
        end = "" if sentence.endswith(("?", ".")) else "."
        self.left_out.append(f"{self._path}:{line}: {sentence}{end}")

    def _keep(self, line: int, name: tuple[str, ...], fields: dict[str, str], why: str) -> None:
        self.entries.pop(name, None)
        self.entries[name] = Entry(name, fields, (f"{self._source}:{line}",), (why,))

    # sysctl.d and tuned

    def _sysctl_line(self, line: int, text: str, why: str) -> None:
        name, equals, value = text.partition("=")
        if not equals:
            what = "takes a key out of what patterns set" if text.startswith("-") else "is no assignment"
            raise _errors.ValueProblem(f"{text!r} {what}, which a profile cannot say")
        # A dash has the reader of the file go on after a failure; here on_unavailable says what to do.
        self._assign(line, name.strip().removeprefix("-").strip(), profile_model.VALUE, value.strip(), why)

    def _assign(self, line: int, name: str, relation: str, value: str, why: str) -> None:
        if sysctl_names.is_pattern(name):
            raise _errors.ValueProblem(f"{name!r} is a pattern, and a profile names each key")
        key = sysctl_names.canonical(name)
        facts = catalog.find(key)
        if facts is not None and facts.action:
            raise _errors.ValueProblem(f"a write to {key} triggers an action and leaves nothing to keep")
        if not value:
            raise _errors.ValueProblem(f"{key} is given no value")
        self._keep(line, (key,), {relation: _amount(key, value)}, why)

    def _tuned_line(self, line: int, text: str, why: str) -> None:
        section = _SECTION.fullmatch(text)
        if section:
            self._section = section[1]
            if self._section not in ("sysctl", "main"):
                self._leave(line, f"the section [{self._section}] is left out; [sysctl] alone is read")
            return
        name, _equals, value = (part.strip() for part in text.partition("="))
        if self._section == "main" and name == "include":
            self._leave(line, f"include={value} is not followed; import that profile too, and name it under 'extends'")
        if self._section != "sysctl" or name in ("type", "enabled", "replace", "devices"):
            return
        value = value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
        if "${" in value:
            raise _errors.ValueProblem(f"{name} is worked out by tuned, from {value}")
        relation = _TUNED_SIGNS.get(value[:1], profile_model.VALUE)
        self._assign(line, name, relation, value if relation == profile_model.VALUE else value[1:].strip(), why)

    # limits.conf

    def _limits_line(self, line: int, text: str, why: str) -> None:
        words = text.partition("#")[0].split()
        if len(words) == 2 and words[1] == "-":
            raise _errors.ValueProblem(f"it exempts {words[0]} from all limits, which a profile cannot say")
        if len(words) != 4 or words[1] not in _LIMIT_TYPES:
            raise _errors.ValueProblem(f"{text!r} is no rule of four words: domain, soft, hard or -, item, value")
        domain, item = items.domain(words[0]), words[2]
        if item not in items.ITEMS:
            raise _errors.ValueProblem(
                f"{item!r} is not an item of limits.conf(5){validation.suggest(item, items.ITEMS)}"
            )
        value = str(items.number(words[3], item))
        earlier = self.entries.pop((domain, item), None) or Entry((domain, item), {}, (), ())
        fields = {**earlier.fields, **dict.fromkeys(_LIMIT_TYPES[words[1]], value)}
        fields = {side: fields[side] for side in ("soft", "hard") if side in fields}
        if len(fields) == 2 and _rank(fields["soft"]) > _rank(fields["hard"]):
            self._leave(
                line, f"soft {fields['soft']} is above hard {fields['hard']}; taken as {fields['hard']}, as by PAM"
            )
            fields["soft"] = fields["hard"]
        source = (*earlier.source, f"{self._source}:{line}")
        self.entries[domain, item] = replace(earlier, fields=fields, source=source, why=(*earlier.why, why))


def _rank(text: str) -> int:
    return items.rank(text if text == limit_types.UNLIMITED else int(text))


def _amount(key: str, value: str) -> str:
    """A value as YAML: numbers as the kernel reads them, so that 010 comes out as 8.

    :raises ValueProblem: for what the kernel would refuse or read in part.
    """
    facts = catalog.find(key)
    numbers = [sysctl_values.c_integer(word) for word in value.split()]
    if None not in numbers and (facts is None or facts.shape.kind == shapes.INTEGERS):
        value = " ".join(map(str, numbers))
    if facts is not None:
        try:
            value = sysctl_values.parse(value, facts.shape)
        except _errors.ValueProblem as problem:
            raise _errors.ValueProblem(f"{key}: {problem}") from problem
    words = value.split()
    if all(re.fullmatch(r"-?(0|[1-9][0-9]*)", word) for word in words):
        return words[0] if len(words) == 1 else f"[{', '.join(words)}]"
    return _quoted(value)
