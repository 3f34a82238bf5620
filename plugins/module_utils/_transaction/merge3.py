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
    left: t.Optional[bytes], now: t.Optional[bytes], goal: t.Optional[bytes]
) -> t.Tuple[t.Optional[bytes], t.List[bytes]]:
    """What a file becomes when the way from ``left`` to ``goal`` is gone in what it is ``now``.

    Lines that others added stay. A line that is to go and is not there any more was changed by others: what they made of it stays.

    :param left: what we left behind. :param now: what others made of it. :param goal: what it would be without them.
    :returns: the bytes, None for no file, and the lines of ours that others changed.
    """
    if now in (left, goal):
        return goal, []
    if now is None or left is None:
        # Removed, or restored, externally.
        return now, []
    result, lost = _apply_diff(_lines(left), _lines(now), _lines(goal))
    return (None if goal is None and not result else b"".join(result)), lost


def _apply_diff(left: t.List[bytes], now: t.List[bytes], goal: t.List[bytes]) -> t.Tuple[t.List[bytes], t.List[bytes]]:
    places = _places(left, now)
    changes = [change[1:] for change in _matcher(left, goal).get_opcodes() if change[0] != "equal"]
    going = [(index, left[index]) for start, end, _begin, _stop in changes for index in range(start, end)]
    coming = [(range(start, end), line) for start, end, begin, stop in changes for line in goal[begin:stop]]
    # A line that goes here and comes there, which may be one of others, stays where it is.
    moved = collections.Counter(line for _index, line in going) & collections.Counter(line for _block, line in coming)
    going, coming = _without(moved, going), _without(moved, coming)
    gone = {places[index] for index, _line in going if index in places}
    gone = {index for index in gone if not _section_still_used(now, index, gone)}
    # An external line about the same subject, in place of ours or beside it, is not repeated.
    ours = set(places.values())
    theirs = {_subject(line) for index, line in enumerate(left) if index not in places}
    theirs.update(_subject(line) for index, line in enumerate(now) if index not in ours)
    added: t.Dict[int, t.List[bytes]] = {}
    for block, line in coming:
        twin = next((index for index in block if _head(left[index]) == _head(line)), None)
        if twin is None and _subject(line) not in theirs:
            added.setdefault(_anchor(places, block.start), []).append(line)
        elif twin in places:
            added.setdefault(places[twin], []).append(line)
    result = list(added.get(-1, []))
    for index, line in enumerate(now):
        result.extend([] if index in gone else [line])
        result.extend(added.get(index, []))
    # A last line may have had no end, and is not the last one any more.
    whole = [line if line.endswith(b"\n") else line + b"\n" for line in result[:-1]] + result[-1:]
    return whole, [line for index, line in going if index not in places]


def _without(moved: t.Mapping[bytes, int], lines: t.Iterable[t.Tuple[P, bytes]]) -> t.List[t.Tuple[P, bytes]]:
    """The lines that do not only move; each that does is left out as often as it moves."""
    rest = collections.Counter(moved)
    found = []
    for place, line in lines:
        if rest[line]:
            rest[line] -= 1
        else:
            found.append((place, line))
    return found


def _section_still_used(lines: t.List[bytes], index: int, gone: t.Container[int]) -> bool:
    """Whether a line begins a section, as in files of systemd, in which lines of others stay: without it nobody would read them."""
    if not lines[index].startswith(b"["):
        return False
    for follower in range(index + 1, len(lines)):
        line = lines[follower].strip()
        if line.startswith(b"["):
            return False
        if follower not in gone and line and not _is_comment(line):
            return True
    return False


def _is_comment(line: bytes) -> bool:
    return line.lstrip()[0:1] in (b"#", b";")


def _head(line: bytes) -> bytes:
    """What a line is about: the name in front of ``=``, or all words but the last one, which is the value; a comment is about itself."""
    if _is_comment(line):
        return line
    name, equals, _value = line.partition(b"=")
    return b" ".join(name.split() if equals else line.split()[:-1])


def _subject(line: bytes) -> bytes:
    """As ``_head``, however it is spelled: a key with dots or slashes, set or ``-`` left out; limits of any type."""
    if _is_comment(line):
        return line
    name, equals, _value = line.partition(b"=")
    words = name.split()
    if not equals and len(words) == 4:
        return b" ".join([words[0], words[2]])
    return b" ".join(words).lstrip(b"-").replace(b"/", b".")


def _matcher(entry: t.List[bytes], other: t.List[bytes]) -> "difflib.SequenceMatcher[bytes]":
    return difflib.SequenceMatcher(None, entry, other, False)


def _places(left: t.List[bytes], now: t.List[bytes]) -> t.Dict[int, int]:
    """Where each line that was left is now; the same line in another place will do, for others may have sorted the file."""
    places: t.Dict[int, int] = {}
    for start, now_start, length in _matcher(left, now).get_matching_blocks():
        places.update((start + offset, now_start + offset) for offset in range(length))
    taken = set(places.values())
    free = {line: index for index, line in enumerate(now) if index not in taken}
    for index, line in enumerate(left):
        if index not in places and line in free:
            places[index] = free.pop(line)
    return places


def _anchor(places: t.Mapping[int, int], start: int) -> int:
    """The line behind which something comes that was before line ``start``: that of the nearest one above that is still there."""
    return next((places[index] for index in range(start - 1, -1, -1) if index in places), -1)
