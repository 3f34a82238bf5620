# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""YAML text to plain data that remembers its lines. Private: not for use outside of ``tunefleet.linux``.

``yaml.safe_load`` forgets where a value stood, keeps the last of two equal keys without a word, and reads ``010`` as eight.
A profile is a list of numbers that end up in the kernel, so all three are problems here.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from . import model as profile_model

# The parser written in C is ten times faster where PyYAML was built with it.
_Loader: type[t.Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_INT_TAG = "tag:yaml.org,2002:int"

Path = tuple[t.Union[str, int], ...]
"""Where a value is: ``("sysctl", "net.core.somaxconn", "source", 0)``."""


@dataclass(frozen=True)
class Document:
    """The data of one file, and the line on which each part of it begins (for the value of a mapping: its key's line)."""

    name: str
    data: t.Any
    lines: Mapping[Path, int]

    def place(self, path: Path) -> str:
        """``file:line`` of a part, or of the nearest part around it that is there."""
        while path not in self.lines:
            path = path[:-1]
        return f"{self.name}:{self.lines[path]}"


def read_document(name: str, text: str) -> Document:
    """Parse the text of one file.

    :param name: how problems call the file.
    :raises ProfileProblem: when it is not one YAML document, or says one thing twice.
    """
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}" if mark else name
        raise profile_model.ProfileProblem(f"{place}: this is not YAML: {error.problem or error.context}.") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise profile_model.ProfileProblem(
            f"{name}:{line}: this is not YAML: it holds the control character {chr(error.character)!r}."
        ) from error
    if root is None:
        raise profile_model.ProfileProblem(f"{name}:1: the file is empty.")
    reader = _Reader(name)
    return Document(name, reader.read(root, ()), reader.lines)


class _Reader:
    """Turns a tree of YAML nodes into data, noting lines on the way."""

    def __init__(self, name: str) -> None:
        self.lines: dict[Path, int] = {}
        self._name = name
        self._open: list[int] = []
        self._scalars = yaml.constructor.SafeConstructor()

    def read(self, node: yaml.Node, path: Path) -> t.Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self._open:
            raise self._problem(node, "this alias stands for a value that contains itself")
        self._open.append(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode):
                return [self.read(child, (*path, index)) for index, child in enumerate(node.value)]
            return self._scalar(node)
        finally:
            self._open.pop()

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, t.Any]:
        data: dict[str, t.Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str):
                raise self._problem(key_node, "a list or mapping cannot be the name of a field")
            here = (*path, key)
            if key in data:
                raise self._problem(
                    key_node, f"{key!r} is already given on line {self.lines[here]}; keep one of the two"
                )
            self.lines[here] = key_node.start_mark.line + 1
            data[key] = self.read(value_node, here)
        return data

    def _scalar(self, node: yaml.Node) -> t.Any:
        if node.tag == _INT_TAG and not _DECIMAL.fullmatch(node.value):
            raise self._problem(
                node, f"{node.value} can be read as more than one number; write it with decimal digits alone"
            )
        try:
            return self._scalars.construct_object(node)
        except (yaml.MarkedYAMLError, ValueError) as error:
            raise self._problem(node, f"{node.value!r} cannot be read as {node.tag}") from error

    def _problem(self, node: yaml.Node, text: str) -> profile_model.ProfileProblem:
        return profile_model.ProfileProblem(f"{self._name}:{node.start_mark.line + 1}: {text}.")
