# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lossless reading and editing of configuration files of systemd. Private: not for use outside of ``tunefleet.linux``.

How systemd reads them: src/shared/conf-parser.c, src/basic/fileio.c (read_line). Bytes in, bytes out: only the lines that set what
is being set are touched.
"""

import re
import typing as t

from ... import _textfile

HEADER = b"# Written by the Ansible collection tunefleet.linux. Lines that it does not set are left alone.\n"
# Marks a file that cannot be opened, such as a symlink loop: systemd stops there as at bytes that are not text.
UNREADABLE = b"\xff"
_BLANKS = b" \t\n\r"
_BOM = b"\xef\xbb\xbf"
# Each of the three ends a line, and so do two or three different ones in a row.
_LINE = re.compile(rb"([^\n\r\0]*)(\n\r?\0?|\n\0?\r?|\r\n?\0?|\r\0?\n?|\0\n?\r?|\0\r?\n?|\Z)")


class Assignment(t.NamedTuple):
    """``key=value`` in a section; ``first`` and ``last`` are the numbers of its lines, more than one with continuations."""

    section: str
    key: str
    value: str
    first: int
    last: int


def _logical_lines(data: bytes) -> t.Iterator[t.Tuple[int, int, bytes]]:
    """First and last number and text of each line, continuations joined, comments left out."""
    text, first = b"", 0
    number, position, may_have_bom = 0, 0, True
    while position < len(data):
        match = t.cast("t.Match[bytes]", _LINE.match(data, position))
        position, number = match.end(), number + 1
        line = match.group(1).lstrip(_BLANKS)
        if line[:1] in (b"#", b";"):
            continue
        # One byte order mark counts for nothing, at the beginning of whichever line it is.
        if may_have_bom and line.startswith(_BOM):
            line, may_have_bom = line[len(_BOM) :], False
        text, first = (text + line, first) if first else (line, number)
        backslashes = len(text) - len(text.rstrip(b"\\"))
        if backslashes % 2:
            text = text[:-1] + b" "
            continue
        yield first, number, text.strip(_BLANKS)
        text, first = b"", 0
    if first:
        yield first, number, text.strip(_BLANKS)


def assignments(data: bytes) -> t.List[Assignment]:
    """What a file sets, in its order. systemd reads no further than a line that is not UTF-8 or a broken section header."""
    return _read(data)[0]


def is_read_to_its_end(data: bytes) -> bool:
    """Whether a file has no line at which systemd stops reading."""
    return _read(data)[1]


def _read(data: bytes) -> t.Tuple[t.List[Assignment], bool]:
    found: t.List[Assignment] = []
    section = ""
    for first, last, raw in _logical_lines(data):
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            return found, False
        if text.startswith("["):
            if not text.endswith("]"):
                return found, False
            section = text[1:-1]
            continue
        key, equals, value = text.partition("=")
        if equals and key and section:
            found.append(Assignment(section, key.strip(" \t\n\r"), value.strip(" \t\n\r"), first, last))
    return found, True


class ConfFile:
    """The file that keeps our lines."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._lines = _textfile.split(data)

    def values(self, section: str, key: str) -> t.List[str]:
        """All values that the file gives a key."""
        return [line.value for line in assignments(self._data) if (line.section, line.key) == (section, key)]

    def with_changes(self, section: str, changes: t.Mapping[str, t.Optional[str]]) -> bytes:
        """The bytes of the file after the changes; None removes a key. Empty when nothing of ours or others is left.

        The last line of a key is replaced, others of it go; a new one is put at the end of the section, which is made if need be.
        """
        data = self._data
        for key, value in changes.items():
            data = _with_change(data, section, key, value)
        return b"" if data.replace(HEADER, b"").strip() in (b"", b"[" + section.encode() + b"]") else data


def _with_change(data: bytes, section: str, key: str, value: t.Optional[str]) -> bytes:
    lines = _textfile.split(data)
    about = [line for line in assignments(data) if (line.section, line.key) == (section, key)]
    text = None if value is None else "{0}={1}".format(key, value).encode("utf-8")
    for entry in about:
        end = _textfile.end_of(lines[entry.last - 1])
        keep = text + end if text is not None and entry is about[-1] else b""
        lines[entry.first - 1 : entry.last] = [keep] + [b""] * (entry.last - entry.first)
    if text is not None and not about:
        lines = _inserted(data, lines, section, text)
    return b"".join(lines)


def _inserted(data: bytes, lines: t.List[bytes], section: str, text: bytes) -> t.List[bytes]:
    """The lines with one more at the end of the section, which is made at the end of the file where there is none."""
    header = b"[" + section.encode("utf-8") + b"]"
    places = [number for number, _last, line in _logical_lines(data) if line == header]
    if lines and not lines[-1].endswith(b"\n"):
        lines = lines[:-1] + [lines[-1] + b"\n"]
    if not places:
        return (lines or [HEADER]) + [header + b"\n", text + b"\n"]
    others = [number for number, _last, line in _logical_lines(data) if line[:1] == b"[" and number > places[-1]]
    place = (others[0] - 1) if others else len(lines)
    # In front of the blank lines that part it from the next section.
    while place > places[-1] and not lines[place - 1].strip():
        place -= 1
    return lines[:place] + [text + _textfile.end_of(lines[places[-1] - 1])] + lines[place:]
