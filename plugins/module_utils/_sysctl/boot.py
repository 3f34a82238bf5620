# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the next boot gives each key, and the line that decides. Private: not for use outside of ``tunefleet.linux``.

Files become lines (``_reader``), lines an ordered list of writes (here), writes a value (``_kernel``). The order matters:
the last valid write of a key decides, and a write may change other keys or be refused because of them.
"""

import functools
import re
import typing as t

from . import glob as sysctl_glob
from . import names as sysctl_names
from . import paths as sysctl_paths
from . import readers as boot_readers
from . import write_model

KERNEL_DEFAULT = "kernel default"

Files = t.Iterable[t.Tuple[str, bytes]]


class Boot(t.NamedTuple):
    """What the next boot gives a key: the text (None: nothing is written) and the line that decides."""

    value: t.Optional[str]
    winner: str
    file: t.Optional[str]


_NOT_WRITTEN = Boot(None, KERNEL_DEFAULT, None)

# A write to a key: its place in the run, the path of the key, and the line with the value.
_Write = t.Tuple[int, str, boot_readers.Assignment]


class _Run:
    """One run of a reader over some files: its writes, ready to be asked for single keys."""

    def __init__(self, files: Files, reader: boot_readers.BootReader, directories: sysctl_paths.Directories) -> None:
        self.reader = reader
        self._directories = directories
        self._expands = reader.expands
        self._lines = [line for path, data in files for line in _lines(path, data, reader)]
        self._mentions: t.Dict[str, t.List[t.Tuple[int, boot_readers.Assignment]]] = {}  # filled on demand
        self._named: t.Dict[str, t.List[_Write]] = {}
        self._patterns: t.List[t.Tuple[int, boot_readers.Assignment]] = []
        self._excluding: t.List[str] = []
        self._spelled: t.Set[str] = set()
        for place, line in enumerate(_one_per_key(self._lines) if reader.first_position_wins else self._lines):
            self._add(place, line)

    def _add(self, place: int, line: boot_readers.Assignment) -> None:
        self._spelled.add(line.path)
        pattern = self._expands and sysctl_names.is_pattern(line.path)
        if pattern and line.value is not None:
            line = line._replace(path=_sought(line.path))
        if line.path.endswith(("/", "/.", "/..")):  # to procps a directory; systemd has taken the slash away
            return
        if line.value is None:
            if pattern and self.reader.excludes_patterns:
                self._excluding.append(line.path)
        elif sysctl_paths.PARENT in line.path and _leaves(line) and not self.reader.allows_dotdot:
            pass
        elif pattern:
            self._patterns.append((place, line))
        else:
            path = self._resolved(line.path)
            self._named.setdefault(path, []).append((place, path, line))

    def writes(self, paths: t.Iterable[str], missing: t.Optional[str]) -> t.List[_Write]:
        """The writes to some keys that there are, in their order.

        :param missing: the one for which no pattern stands.
        """
        found: t.List[_Write] = []
        for path in paths:
            found.extend(self._named.get(path, ()))
            if self._patterns and path != missing:
                found.extend([(place, path, line) for place, line in self._patterns if self.expands(line.path, path)])
        # Where one pattern gives several keys, they come in the order of their names.
        found.sort(key=lambda one: one[:2])
        return found

    def expands(self, pattern: str, path: str) -> bool:
        """Whether a pattern sets a key: it matches, and no line names the key in the spelling that the pattern gives it."""
        return next(self._set_as(pattern, path), None) is not None

    def _set_as(self, pattern: str, path: str) -> t.Iterator[str]:
        """The spellings of a key that a pattern sets."""
        for spelled in self._spellings(pattern, path):
            kept_off = any(sysctl_glob.matches(other, spelled, within_segment=False) for other in self._excluding)
            if spelled not in self._spelled and not kept_off:
                yield spelled

    def begins(self, write: _Write, directories: t.Tuple[str, ...]) -> bool:
        """Whether the path of a write, as it is spelled, lies in one of some directories, which end in a slash."""
        _place, target, line = write
        if not (self._expands and sysctl_names.is_pattern(line.path)):
            return line.path.startswith(directories)
        return any(spelled.startswith(directories) for spelled in self._set_as(line.path, target))

    def matches(self, pattern: str, path: str) -> bool:
        """Whether a pattern matches a key."""
        return next(self._spellings(pattern, path), None) is not None

    def _spellings(self, pattern: str, path: str) -> t.Iterator[str]:
        """The spellings of a key that a pattern matches; systemd knows braces in it (glob_extend: GLOB_BRACE)."""
        for brace in sysctl_glob.braces(pattern) if self.reader.name == boot_readers.SYSTEMD else [pattern]:
            yield from sysctl_paths.spellings(brace, path, self._directories)

    def _resolved(self, path: str) -> str:
        """The one spelling of a path, or the path itself where it leads nowhere."""
        return sysctl_paths.resolved(path, self._directories) or path

    def mentions(self, path: str) -> t.List[boot_readers.Assignment]:
        """Every line that names a key or matches it."""
        if not self._mentions:
            for place, line in enumerate(self._lines):
                self._mentions.setdefault(self._resolved(line.path), []).append((place, line))
        found = list(self._mentions.get(path, ()))
        for pattern, lines in self._mentions.items():
            if sysctl_names.is_pattern(pattern) and self.matches(pattern, path):
                found.extend(lines)
        return [line for _place, line in sorted(found, key=lambda one: one[0])]

    def names(self) -> t.Iterable[str]:
        """The keys that are named by a line with a value."""
        return self._named.keys()

    def patterns(self) -> t.List[str]:
        """The patterns that a line gives a value to."""
        return [line.path for _place, line in self._patterns]


@functools.lru_cache(maxsize=512)
def _lines(path: str, data: bytes, reader: boot_readers.BootReader) -> t.Tuple[boot_readers.Assignment, ...]:
    """The assignments of a file. Cached, because a plan reads the same files before and after its change."""
    return tuple(boot_readers.assignments(path, data, reader))


def _one_per_key(lines: t.Iterable[boot_readers.Assignment]) -> t.Iterator[boot_readers.Assignment]:
    """systemd's ordered hashmap: another value takes the later place among the writes; the same value again keeps the earlier.

    It is still the last line that decides: a change of the earlier one would do nothing.
    """
    options: t.Dict[str, boot_readers.Assignment] = {}
    order: t.Dict[str, int] = {}
    for place, line in enumerate(lines):
        earlier = options.get(line.path)
        if earlier is None or earlier.value != line.value:
            order[line.path] = place
        options[line.path] = line
    return iter(sorted(options.values(), key=lambda line: order[line.path]))


def _sought(pattern: str) -> str:
    """What glob(3) of the GNU C library looks for where slashes end a pattern: a directory, unless its last segment is plain text."""
    bare = pattern.rstrip("/")
    return pattern if _MAGIC.search(bare.rpartition("/")[2]) else bare


_MAGIC = re.compile(r"[*?\[\\]")


def _leaves(line: boot_readers.Assignment) -> bool:
    """Whether the path of a line goes back to a directory above."""
    return sysctl_paths.PARENT in line.path.split("/")


def _boot(text: t.Optional[str], line: boot_readers.Assignment) -> Boot:
    return Boot(None if text is None else text.replace("\t", " "), line.where, line.file)


class BootTable:
    """What a boot gives each key.

    :param files: path and bytes of each file that counts, in reading order.
    :param existing: the existing keys, as paths: patterns match these only. None: any requested key.
    :param facts: what is known of the kernel before the first write.
    :param later: files that procps applies on their own afterwards, and its version; ufw does that with its own.
    """

    def __init__(
        self,
        files: Files,
        reader: boot_readers.BootReader = boot_readers.SYSTEMD_257,
        existing: t.Optional[t.Iterable[str]] = None,
        facts: write_model.KernelModel = write_model.NOTHING_KNOWN,
        later: t.Optional[t.Tuple[Files, boot_readers.BootReader]] = None,
    ) -> None:
        self.reader = reader
        self._facts = facts
        self._existing = None if existing is None else frozenset(existing)
        self._runs = [_Run(files, reader, facts.directories)]
        if later is not None:
            self._runs.append(_Run(later[0], later[1], facts.directories))

    def of(self, key: str) -> Boot:
        """What the next boot gives the key."""
        path = sysctl_names.to_path(key)
        paths = write_model.sources(path)
        writes = self._writes(paths, path)
        if not writes:
            return _NOT_WRITTEN
        if len(writes) == 1 and writes[0][0] == path and not write_model.is_bounded(path):
            _path, line, reader = writes[0]
            only = write_model.written_once(line, path, reader, self._facts)
            return _boot(only.text, line) if only else _NOT_WRITTEN
        state = write_model.State(paths, self._facts)
        for target, line, reader in writes:
            state.write(line, target, reader)
        origin = state.origin(path)
        if origin is None:
            return _NOT_WRITTEN
        return _boot(state.text(path), origin)

    def _writes(
        self, paths: t.Sequence[str], asked: str
    ) -> t.List[t.Tuple[str, boot_readers.Assignment, boot_readers.BootReader]]:
        missing = None if self._existing is None or asked in self._existing else asked
        first = self._runs[0].writes(paths, missing)
        found = [(target, line, self.reader) for _place, target, line in first]
        # A write that is the only one changes nothing when it is done again.
        if len(first) > 1 and self.reader.name == boot_readers.SYSTEMD and self._facts.replays:
            found.extend([(target, line, self.reader) for _place, target, line in self._replayed(first, asked)])
        for run in self._runs[1:]:
            found.extend([(target, line, run.reader) for _place, target, line in run.writes(paths, missing)])
        return found

    def _replayed(self, first: t.Sequence[_Write], asked: str) -> t.Iterator[_Write]:
        """The writes that udev lets systemd do again, for each interface those whose path begins with one of its directories.

        --prefix= compares the text of paths, so one with a detour may be done for another interface than the one that it sets.
        """
        if not any(_leaves(line) for _place, _target, line in first):
            if write_model.is_of_interface(asked):
                yield from (entry for entry in first if entry[1] == asked)
            return
        for interface in write_model.interfaces([asked], self._facts.directories):
            for entry in first:
                if self._runs[0].begins(entry, write_model.directories_of(interface)):
                    yield entry

    def mentions(self, key: str) -> t.List[boot_readers.Assignment]:
        """Every line, of any file that counts, that names the key or matches it, in reading order."""
        path = sysctl_names.to_path(key)
        return [line for run in self._runs for line in run.mentions(path)]

    def has_patterns(self) -> bool:
        """Whether a line gives a value to a pattern."""
        return any(run.patterns() for run in self._runs)

    def keys(self) -> t.List[str]:
        """The keys that a line gives a value to, by name or, of those that exist, by pattern; sorted."""
        found: t.Set[str] = set()
        for run in self._runs:
            found.update(run.names())
            patterns = run.patterns()
            found.update(
                path for path in self._existing or () if any(run.expands(pattern, path) for pattern in patterns)
            )
        return sorted(sysctl_names.from_path(path) for path in found)
