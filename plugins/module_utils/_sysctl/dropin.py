# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lossless reading and editing of one file in the format of sysctl.d(5). Private: not for use outside of ``tunefleet.linux``.

Bytes in, bytes out: whatever is not a line of a key that is being set stays as it is, comments, blanks, line ends and
broken lines included.
"""

import typing as t

from .. import _textfile
from . import names as sysctl_names
from . import readers as boot_readers

HEADER = b"# Written by the Ansible collection tunefleet.linux. Lines of keys that it does not set are left alone.\n"


class Entry(t.NamedTuple):
    """The content of one line.

    ``path`` is the key as a path below /proc/sys, or a pattern of such; ``value`` is None for a lone ``-key``, which
    excludes the key from patterns (sysctl.d(5)).
    """

    path: str
    value: t.Optional[str]


def parse_line(line: bytes) -> t.Optional[Entry]:
    """The entry on a line, or None for a comment, a blank line or a line that is no assignment."""
    setting = boot_readers.parse_line(line)
    return None if setting is None else Entry(*setting)


class ConfFile:
    """The lines of a sysctl.d file, with the entries found on them."""

    def __init__(self, data: bytes) -> None:
        self._lines = _textfile.split(data)
        self._entries = [parse_line(line) for line in self._lines]
        self._places: t.Dict[str, t.List[int]] = {}
        for index, entry in enumerate(self._entries):
            if entry is not None:
                self._places.setdefault(entry.path, []).append(index)

    def get(self, key: str) -> t.Optional[str]:
        """The value that this file gives the key, the last line deciding; None when it gives none."""
        places = self._places.get(sysctl_names.to_path(key))
        if not places:
            return None
        entry = self._entries[places[-1]]
        return entry.value if entry else None

    def assigned(self, key: str) -> t.Optional[str]:
        """The last value that any line gives the key, whether or not a lone ``-key`` takes it back; None when there is none."""
        values = [
            entry.value
            for entry in map(self._entries.__getitem__, self._places.get(sysctl_names.to_path(key), []))
            if entry
        ]
        return ([None] + [value for value in values if value is not None])[-1]

    def with_changes(self, changes: t.Mapping[str, t.Optional[str]], last: t.Sequence[str] = ()) -> bytes:
        """The bytes of the file after each key of ``changes`` got its text, or lost its entries where that is None.

        A key that already has lines keeps the place of the last one, and its dash, and loses the others, so that it is said
        once. New keys follow at the end, in the order given. A lone ``-key`` is no entry to be lost: it says something else.

        :param last: keys whose entries come after all others, in this order, for the order in which they are written matters.
        """
        replaced: t.Dict[int, t.Optional[bytes]] = {}
        added: t.List[bytes] = []
        for key, text in [(key, text) for key, text in changes.items() if key not in last]:
            places = self._places.get(sysctl_names.to_path(key), [])
            if text is None:
                replaced.update({place: None for place in places if self._is_assignment(place)})
            elif places:
                replaced.update(dict.fromkeys(places))
                replaced[places[-1]] = self._render(
                    key, text, _textfile.end_of(self._lines[places[-1]]), self._dash(places[-1])
                )
            else:
                added.append(self._render(key, text, b"\n"))
        for key in last:
            places = self._places.get(sysctl_names.to_path(key), [])
            replaced.update(dict.fromkeys(places))
            added.append(self._moved(key, changes.get(key), places))
        lines = [replaced.get(index, line) for index, line in enumerate(self._lines)]
        kept = [line for line in lines if line is not None]
        # The header is for a new file, not for one whose lines have all moved.
        return _textfile.join(kept, added, HEADER) if kept or not self._lines else b"".join(added)

    def _moved(self, key: str, text: t.Optional[str], places: t.Sequence[int]) -> bytes:
        """The line of a key for another place; without a text it is the one that decided."""
        if not places:
            return self._render(key, text or "", b"\n")
        line = self._lines[places[-1]]
        if text is None:
            return line if line.endswith(b"\n") else line + b"\n"
        return self._render(key, text, _textfile.end_of(line), self._dash(places[-1]))

    def _is_assignment(self, place: int) -> bool:
        entry = self._entries[place]
        return entry is not None and entry.value is not None

    def _dash(self, place: int) -> str:
        """The dash of an assignment whose failure is to be tolerated, which stays when the value changes."""
        return "-" if self._is_assignment(place) and self._lines[place].lstrip().startswith(b"-") else ""

    @staticmethod
    def _render(key: str, text: str, end: bytes, dash: str = "") -> bytes:
        return "{0}{1}={2}".format(dash, key, text).encode("utf-8", "surrogateescape") + end
