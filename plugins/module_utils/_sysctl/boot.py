# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The effective value of each key after boot, and the line that sets it. Private: not for use outside of ``tunefleet.linux``.

``readers`` turns files into lines, this module turns lines into an ordered list of writes, and ``write_model`` turns writes into
a value. The order matters: the last valid write of a key decides. A write may change other keys, and the kernel may reject it
because of other keys.
"""

import functools
import typing as t

from . import glob as sysctl_glob
from . import names as sysctl_names
from . import readers as boot_readers
from . import write_model

KERNEL_DEFAULT = "kernel default"

Files = t.Iterable[t.Tuple[str, bytes]]


class Boot(t.NamedTuple):
    """The value of a key after boot (None: no file sets it), and the line that sets it."""

    value: t.Optional[str]
    winner: str
    file: t.Optional[str]


_NOT_WRITTEN = Boot(None, KERNEL_DEFAULT, None)

# A write to a key: the index of the line in the run, the path of the key, and the line with the value.
_Write = t.Tuple[int, str, boot_readers.Assignment]


class _Run:
    """One run of a reader over some files. Gives the writes to single keys."""

    def __init__(self, files: Files, reader: boot_readers.BootReader) -> None:
        self.reader = reader
        self._lines: t.List[boot_readers.Assignment] = []
        self.unmodelled: t.List[boot_readers.Assignment] = []
        for path, data in files:
            for line in _lines(path, data, reader):
                (self.unmodelled if self._is_unmodelled(line.path) else self._lines).append(line)
        self._lines_by_path: t.Dict[str, t.List[t.Tuple[int, boot_readers.Assignment]]] = {}  # filled on demand
        self._named: t.Dict[str, t.List[_Write]] = {}
        self._patterns: t.List[t.Tuple[int, boot_readers.Assignment]] = []
        self._excluding_patterns: t.List[str] = []
        self._explicit: t.Set[str] = set()
        for index, line in enumerate(_one_per_key(self._lines) if reader.first_position_wins else self._lines):
            self._add(index, line)

    def _is_unmodelled(self, path: str) -> bool:
        return sysctl_names.has_detour(path) or (
            "{" in path and any(map(sysctl_names.has_detour, self._alternatives(path)))
        )

    def _alternatives(self, pattern: str) -> t.List[str]:
        """The patterns that a pattern with braces stands for; systemd alone expands braces (glob_extend: GLOB_BRACE)."""
        return sysctl_glob.braces(pattern) if self.reader.name == boot_readers.SYSTEMD else [pattern]

    def _add(self, index: int, line: boot_readers.Assignment) -> None:
        self._explicit.add(line.path)
        pattern = self.reader.expands and sysctl_names.is_pattern(line.path)
        if line.value is None:
            if pattern and self.reader.excludes_patterns:
                self._excluding_patterns.append(line.path)
        elif pattern:
            self._patterns.append((index, line))
        else:
            self._named.setdefault(line.path, []).append((index, line.path, line))

    def writes(self, paths: t.Iterable[str], missing: t.Optional[str]) -> t.List[_Write]:
        """The writes to some existing keys, in their order.

        :param missing: a key that no pattern matches, because it does not exist.
        """
        writes: t.List[_Write] = []
        for path in paths:
            writes.extend(self._named.get(path, ()))
            if self._patterns and path != missing:
                writes.extend([(index, path, line) for index, line in self._patterns if self.expands(line.path, path)])
        # A pattern writes its keys in the order of their names.
        writes.sort(key=lambda write: write[:2])
        return writes

    def expands(self, pattern: str, path: str) -> bool:
        """Whether a pattern sets a key: it matches, and no line names or excludes the key."""
        return (
            path not in self._explicit
            and self.matches(pattern, path)
            and not any(sysctl_glob.matches(other, path, within_segment=False) for other in self._excluding_patterns)
        )

    def matches(self, pattern: str, path: str) -> bool:
        """Whether a pattern matches a key."""
        return any(sysctl_glob.matches_path(alternative, path) for alternative in self._alternatives(pattern))

    def lines_for(self, path: str) -> t.List[boot_readers.Assignment]:
        """Every line that names a key or matches it."""
        if not self._lines_by_path:
            for index, line in enumerate(self._lines):
                self._lines_by_path.setdefault(line.path, []).append((index, line))
        lines = list(self._lines_by_path.get(path, ()))
        for pattern, matching in self._lines_by_path.items():
            if sysctl_names.is_pattern(pattern) and self.matches(pattern, path):
                lines.extend(matching)
        return [line for _index, line in sorted(lines, key=lambda numbered: numbered[0])]

    def names(self) -> t.Iterable[str]:
        """The keys that a line with a value names."""
        return self._named.keys()

    def patterns(self) -> t.List[str]:
        """The patterns that a line with a value names."""
        return [line.path for _index, line in self._patterns]


@functools.lru_cache(maxsize=512)
def _lines(path: str, data: bytes, reader: boot_readers.BootReader) -> t.Tuple[boot_readers.Assignment, ...]:
    """The lines of a file. Cached, because a plan reads the same files before and after its change."""
    return tuple(boot_readers.assignments(path, data, reader))


def _one_per_key(lines: t.Iterable[boot_readers.Assignment]) -> t.Iterator[boot_readers.Assignment]:
    """The lines as systemd's ordered hashmap keeps them: one per key.

    A line with another value moves the key to its own position. A line with the same value keeps the earlier position. The
    last line is reported, because a change of the earlier one would have no effect.
    """
    options: t.Dict[str, boot_readers.Assignment] = {}
    order: t.Dict[str, int] = {}
    for index, line in enumerate(lines):
        earlier = options.get(line.path)
        if earlier is None or earlier.value != line.value:
            order[line.path] = index
        options[line.path] = line
    return iter(sorted(options.values(), key=lambda line: order[line.path]))


def _boot(text: t.Optional[str], line: boot_readers.Assignment) -> Boot:
    return Boot(None if text is None else text.replace("\t", " "), line.where, line.file)


class BootTable:
    """The effective values after boot, by one reader.

    :param files: path and bytes of each file that the reader reads, in reading order.
    :param existing: paths of the existing keys, for patterns. None: each key that is requested exists.
    :param facts: what is known of the kernel before the first write.
    :param later: files that procps applies afterwards, and its version; ufw does so with its own file.
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
        self._runs = [_Run(files, reader)]
        if later is not None:
            self._runs.append(_Run(later[0], later[1]))

    def effective(self, key: str) -> Boot:
        """The value of a key after boot, and the line that sets it."""
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
        self, paths: t.Sequence[str], requested: str
    ) -> t.List[t.Tuple[str, boot_readers.Assignment, boot_readers.BootReader]]:
        missing = None if self._existing is None or requested in self._existing else requested
        first = self._runs[0].writes(paths, missing)
        writes = [(target, line, self.reader) for _index, target, line in first]
        # A single write has no further effect when udev repeats it.
        repeats = len(first) > 1 and self.reader.name == boot_readers.SYSTEMD and self._facts.replays
        if repeats and write_model.is_of_interface(requested):
            # udev lets systemd repeat the writes to the directories of an interface (--prefix=).
            writes.extend([(target, line, self.reader) for _index, target, line in first if target == requested])
        for run in self._runs[1:]:
            writes.extend([(target, line, run.reader) for _index, target, line in run.writes(paths, missing)])
        return writes

    def lines_for(self, key: str) -> t.List[boot_readers.Assignment]:
        """Every line of all files that names the key or matches it, in reading order."""
        path = sysctl_names.to_path(key)
        return [line for run in self._runs for line in run.lines_for(path)]

    def unmodelled(self) -> t.List[boot_readers.Assignment]:
        """The lines that spell a key with ``..``, ``.`` or an empty segment. The model ignores them."""
        # A line without a name, such as "=5", has no effect.
        return [line for run in self._runs for line in run.unmodelled if line.path]

    def has_patterns(self) -> bool:
        """Whether a line sets a pattern."""
        return any(run.patterns() for run in self._runs)

    def keys(self) -> t.List[str]:
        """The keys that a line sets, by name or, if they exist, by pattern; sorted."""
        paths: t.Set[str] = set()
        for run in self._runs:
            paths.update(run.names())
            patterns = run.patterns()
            paths.update(
                path for path in self._existing or () if any(run.expands(pattern, path) for pattern in patterns)
            )
        return sorted(sysctl_names.from_path(path) for path in paths)
