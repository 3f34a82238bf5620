# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Patterns as glob(3) and fnmatch(3) of the C library read them. Private: not for use outside of ``tunefleet.linux``.

Python's fnmatch is not enough: it knows neither ``[^a]``, nor ``[[:digit:]]``, nor a backslash, nor braces.
"""

import re
import typing as t

_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": " \\t",
    "digit": "0-9",
    "lower": "a-z",
    "punct": "!-/:-@\\[-`{-~",
    "space": " \\t\\n\\r\\f\\v",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
_CLASS = re.compile(r"\[:([a-z]+):\]")
_REGEXES: "t.Dict[str, t.Optional[t.Pattern[str]]]" = {}


def matches(pattern: str, text: str, within_segment: bool = True) -> bool:
    """fnmatch(3): whether a pattern matches the whole text.

    :param within_segment: a name of a directory is matched, as glob(3) does it: a dot in front must be spelled out. Otherwise
        the text is a path, and ``*`` runs across slashes, as fnmatch(3) without flags has it.
    """
    if pattern not in _REGEXES:
        _REGEXES[pattern] = _compile(pattern)
    regex = _REGEXES[pattern]
    if regex is None or (within_segment and text[:1] == "." and pattern[:1] not in (".", "\\")):
        return False
    return regex.match(text) is not None


def matches_path(pattern: str, path: str) -> bool:
    """glob(3): whether a pattern matches a path. ``*`` and ``?`` stay within one segment."""
    wanted, found = pattern.split("/"), path.split("/")
    return len(wanted) == len(found) and all(matches(a, b) for a, b in zip(wanted, found))


def _compile(pattern: str) -> "t.Optional[t.Pattern[str]]":
    parts: t.List[str] = []
    index = 0
    while index < len(pattern):
        part, index = _part(pattern, index)
        parts.append(part)
    try:
        return re.compile("(?s:" + "".join(parts) + r")\Z")
    except re.error:  # an unknown class or a range that runs backwards matches nothing
        return None


def _part(pattern: str, index: int) -> t.Tuple[str, int]:
    """The regular expression for what begins at an index, and the index behind that."""
    sign = pattern[index]
    if sign == "*":
        return ".*", index + 1
    if sign == "?":
        return ".", index + 1
    if sign == "\\" and index + 1 < len(pattern):
        return re.escape(pattern[index + 1]), index + 2
    if sign == "[":
        end = _end_of_bracket(pattern, index)
        if end:
            return _bracket(pattern[index + 1 : end]), end + 1
    return re.escape(sign), index + 1


def _end_of_bracket(pattern: str, start: int) -> int:
    """The index of the bracket that closes one, or 0: then it means itself."""
    index = start + 1
    if pattern[index : index + 1] in ("!", "^"):
        index += 1
    if pattern[index : index + 1] == "]":
        index += 1
    while index < len(pattern):
        inner = _CLASS.match(pattern, index)
        if inner:
            index = inner.end()
        elif pattern[index] == "]":
            return index
        else:
            index += 2 if pattern[index] == "\\" else 1
    return 0


def _bracket(inside: str) -> str:
    negated = inside[:1] in ("!", "^")
    text = inside[1:] if negated else inside
    pieces: t.List[str] = []
    index = 0
    while index < len(text):
        named = _CLASS.match(text, index)
        if named:
            pieces.append(_CLASSES.get(named.group(1), ""))
            index = named.end()
            continue
        if text[index] == "\\" and index + 1 < len(text):
            index += 1
        # A minus is a range unless it comes first or last.
        ranged = text[index] == "-" and 0 < index < len(text) - 1
        pieces.append("-" if ranged else re.escape(text[index]))
        index += 1
    return ("[^" if negated else "[") + "".join(pieces) + "]"


def braces(pattern: str) -> t.List[str]:
    """GLOB_BRACE: the patterns of ``a{b,c}d``. ``{}`` and an unclosed brace mean themselves."""
    start = pattern.find("{")
    while start >= 0 and pattern[start : start + 2] == "{}":
        start = pattern.find("{", start + 2)
    if start < 0:
        return [pattern]
    cuts, end = _cuts(pattern, start)
    if not end:
        return [pattern]
    edges = [start] + cuts + [end]
    middles = [pattern[a + 1 : b] for a, b in zip(edges, edges[1:])]
    return [brace for middle in middles for brace in braces(pattern[:start] + middle + pattern[end + 1 :])]


def _cuts(pattern: str, start: int) -> t.Tuple[t.List[int], int]:
    """Where the commas of a brace are, and its end (0: it has none)."""
    depth = 0
    found: t.List[int] = []
    for index in range(start, len(pattern)):
        sign = pattern[index]
        if sign == "{":
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == 0:
                return found, index
        elif sign == "," and depth == 1:
            found.append(index)
    return [], 0
