# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What systemd-sysctl will write at the next boot. Private: not for use outside of ``tunefleet.linux``.

Rules of sysctl.d(5) and systemd's src/sysctl/sysctl.c: of files with one name only the copy in the first directory counts;
the others are read in byte order of their names, whatever their directory; the last assignment of a key wins; a key that is
named beats every pattern; a lone ``-key`` takes back what was said and keeps patterns off.
"""

import fnmatch
import re
import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils import _lines
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import _conf, _names

# By falling precedence; /lib counts only where it is not a link to /usr/lib, and then holds the same names.
DIRECTORIES = (
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
    "/lib/sysctl.d",
)
KERNEL_DEFAULT = "kernel default"


class Assignment(t.NamedTuple):
    """One line that sets (or, with no value, excludes) a key or a pattern."""

    value: t.Optional[str]
    file: str
    line: int

    @property
    def where(self) -> str:
        """``path:line``, as reports name it."""
        return "{0}:{1}".format(self.file, self.line)


class Boot(t.NamedTuple):
    """What the next boot gives a key: the text (None: nothing is written) and the line that decides."""

    value: t.Optional[str]
    winner: str
    file: t.Optional[str]


def reading_order(listing: t.Mapping[str, t.Iterable[str]]) -> t.List[str]:
    """Paths of the files that count, in the order in which they are read.

    :param listing: names found in each directory of ``DIRECTORIES``. Hidden names and those not ending in ``.conf`` are
        passed over, as conf_files_list() of systemd does.
    """
    chosen: t.Dict[bytes, str] = {}
    for directory in DIRECTORIES:
        for name in listing.get(directory, ()):
            if name.endswith(".conf") and not name.startswith("."):
                chosen.setdefault(name.encode("utf-8", "surrogateescape"), "{0}/{1}".format(directory, name))
    return [chosen[name] for name in sorted(chosen)]


class BootTable:
    """All assignments of a set of files, ready to be asked for single keys."""

    def __init__(self, files: t.Iterable[t.Tuple[str, bytes]]) -> None:
        """:param files: path and bytes of each file that counts, in reading order."""
        self._named: t.Dict[str, Assignment] = {}
        self._patterns: t.Dict[str, Assignment] = {}
        self._mentions: t.Dict[str, t.List[Assignment]] = {}
        self._order: t.Dict[str, int] = {}
        for path, data in files:
            self._order[path] = len(self._order)
            for number, line in enumerate(_lines.split(data), 1):
                entry = _conf.parse_line(line)
                if entry is not None:
                    self._add(entry, Assignment(entry.value, path, number))

    def _add(self, entry: _conf.Entry, assignment: Assignment) -> None:
        self._mentions.setdefault(entry.path, []).append(assignment)
        table = self._patterns if _names.is_pattern(entry.path) else self._named
        earlier = table.get(entry.path)
        if earlier is not None and earlier.value != assignment.value:
            del table[entry.path]  # another value takes the later place in the order of writing, the same one does not
        table[entry.path] = assignment

    def of(self, key: str) -> Boot:
        """What the next boot gives the key."""
        path = _names.to_path(key)
        assignment = self._named.get(path) or self._last_pattern(path)
        if assignment is None or assignment.value is None:
            return Boot(None, KERNEL_DEFAULT, None)
        return Boot(assignment.value, assignment.where, assignment.file)

    def _last_pattern(self, path: str) -> t.Optional[Assignment]:
        found = None
        for pattern, assignment in self._patterns.items():
            if assignment.value is not None and glob_matches(pattern, path):
                found = assignment
        return found

    def mentions(self, key: str) -> t.List[Assignment]:
        """Every line, of any file that counts, that names the key or matches it, in reading order."""
        path = _names.to_path(key)
        found = list(self._mentions.get(path, []))
        for pattern in self._patterns:
            if glob_matches(pattern, path):
                found.extend(self._mentions[pattern])
        return sorted(found, key=lambda one: (self._order[one.file], one.line))

    def keys(self) -> t.List[str]:
        """The keys that are named by a line with a value, sorted."""
        return sorted(_names.from_path(path) for path, entry in self._named.items() if entry.value is not None)


def glob_matches(pattern: str, path: str) -> bool:
    """glob(7) against a path: ``*`` and ``?`` stay within one segment, unlike in fnmatch."""
    wanted, found = pattern.split("/"), path.split("/")
    return len(wanted) == len(found) and all(_segment_regex(a).match(b) for a, b in zip(wanted, found))


_REGEXES: t.Dict[str, t.Pattern[str]] = {}


def _segment_regex(pattern: str) -> "t.Pattern[str]":
    if pattern not in _REGEXES:
        _REGEXES[pattern] = re.compile(fnmatch.translate(pattern))
    return _REGEXES[pattern]
