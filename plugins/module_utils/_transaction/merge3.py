# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Remove our lines from a file that was changed externally. Pure; private to ``tunefleet.linux``."""

import collections
import difflib
import typing as t

P = t.TypeVar("P")


def _lines(data: t.Optional[bytes]) -> t.List[bytes]:
    return [] if data is None else data.splitlines(True)


def merge(
    applied: t.Optional[bytes], current: t.Optional[bytes], desired: t.Optional[bytes]
) -> t.Tuple[t.Optional[bytes], t.List[bytes]]:
    """Apply the difference from ``applied`` to ``desired`` to the ``current`` content of a file.

    Lines that were added externally are kept. A line to remove that is missing was changed externally; its replacement is kept.

    :param applied: the content that we wrote. :param desired: the content to restore if nothing was changed externally.

    :returns: the new content, None for no file, and our lines that were changed externally.
    """
    if current in (applied, desired):
        return desired, []
    if current is None or applied is None:
        # Removed, or restored, externally.
        return current, []
    result, lost = _apply_diff(_lines(applied), _lines(current), _lines(desired))
    return (None if desired is None and not result else b"".join(result)), lost


def _apply_diff(
    applied: t.List[bytes], current: t.List[bytes], desired: t.List[bytes]
) -> t.Tuple[t.List[bytes], t.List[bytes]]:
    positions = _positions(applied, current)
    changes = [change[1:] for change in _matcher(applied, desired).get_opcodes() if change[0] != "equal"]
    removed = [(index, applied[index]) for start, end, _begin, _stop in changes for index in range(start, end)]
    inserted = [(range(start, end), line) for start, end, begin, stop in changes for line in desired[begin:stop]]
    # A line that is removed at one position and inserted at another may be an external one: it stays where it is.
    moved = collections.Counter(line for _index, line in removed)
    moved &= collections.Counter(line for _block, line in inserted)
    removed, inserted = _without(moved, removed), _without(moved, inserted)
    dropped = {positions[index] for index, _line in removed if index in positions}
    dropped = {index for index in dropped if not _section_still_used(current, index, dropped)}
    # An external line about the same subject, instead of ours or beside it, is not repeated.
    ours = set(positions.values())
    external = {_subject(line) for index, line in enumerate(applied) if index not in positions}
    external.update(_subject(line) for index, line in enumerate(current) if index not in ours)
    added: t.Dict[int, t.List[bytes]] = {}
    for block, line in inserted:
        twin = next((index for index in block if _head(applied[index]) == _head(line)), None)
        if twin is None and _subject(line) not in external:
            added.setdefault(_anchor(positions, block.start), []).append(line)
        elif twin in positions:
            added.setdefault(positions[twin], []).append(line)
    result = list(added.get(-1, []))
    for index, line in enumerate(current):
        result.extend([] if index in dropped else [line])
        result.extend(added.get(index, []))
    # The last line may have had no line end, and may not be the last any more.
    whole = [line if line.endswith(b"\n") else line + b"\n" for line in result[:-1]] + result[-1:]
    return whole, [line for index, line in removed if index not in positions]


def _without(moved: t.Mapping[bytes, int], lines: t.Iterable[t.Tuple[P, bytes]]) -> t.List[t.Tuple[P, bytes]]:
    """The lines that do not only move. A line that moves is left out as often as it does."""
    rest = collections.Counter(moved)
    remaining = []
    for position, line in lines:
        if rest[line]:
            rest[line] -= 1
        else:
            remaining.append((position, line))
    return remaining


def _section_still_used(lines: t.List[bytes], index: int, dropped: t.Container[int]) -> bool:
    """Whether a line is the header of a section, as in files of systemd, that keeps external lines: they need it."""
    if not lines[index].startswith(b"["):
        return False
    for follower in range(index + 1, len(lines)):
        line = lines[follower].strip()
        if line.startswith(b"["):
            return False
        if follower not in dropped and line and not _is_comment(line):
            return True
    return False


def _is_comment(line: bytes) -> bool:
    return line.lstrip()[0:1] in (b"#", b";")


def _head(line: bytes) -> bytes:
    """The part of a line before its value: the name before ``=``, or all words but the last. A comment has no value."""
    if _is_comment(line):
        return line
    name, equals, _value = line.partition(b"=")
    return b" ".join(name.split() if equals else line.split()[:-1])


def _subject(line: bytes) -> bytes:
    """As ``_head``, in one spelling: a key with dots or slashes, with or without ``-``; a limit of any type."""
    if _is_comment(line):
        return line
    name, equals, _value = line.partition(b"=")
    words = name.split()
    if not equals and len(words) == 4:
        return b" ".join([words[0], words[2]])
    return b" ".join(words).lstrip(b"-").replace(b"/", b".")


def _matcher(old: t.List[bytes], new: t.List[bytes]) -> "difflib.SequenceMatcher[bytes]":
    return difflib.SequenceMatcher(None, old, new, False)


def _positions(applied: t.List[bytes], current: t.List[bytes]) -> t.Dict[int, int]:
    """The current index of each applied line. The same line elsewhere counts too, because the file may have been sorted."""
    positions: t.Dict[int, int] = {}
    for start, current_start, length in _matcher(applied, current).get_matching_blocks():
        positions.update((start + offset, current_start + offset) for offset in range(length))
    taken = set(positions.values())
    free = {line: index for index, line in enumerate(current) if index not in taken}
    for index, line in enumerate(applied):
        if index not in positions and line in free:
            positions[index] = free.pop(line)
    return positions


def _anchor(positions: t.Mapping[int, int], start: int) -> int:
    """The index of the line after which a line is inserted that was before line ``start``: the nearest line above that still exists."""
    return next((positions[index] for index in range(start - 1, -1, -1) if index in positions), -1)
