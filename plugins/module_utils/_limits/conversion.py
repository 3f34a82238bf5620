# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Limits as systemd and setrlimit(2) count them. Private: not for use outside of ``tunefleet.linux``.

Inside and in options a limit is in the unit of limits.conf(5); systemd and the kernel count sizes in bytes and time in seconds.
How systemd reads a value: src/basic/rlimit-util.c and src/basic/parse-util.c.
"""

import re
import typing as t

from .. import _errors
from .._core import limit as limit_types
from . import messages

INFINITY = 2**64 - 1


class Item(t.NamedTuple):
    """How systemd names an item, its number for setrlimit(2), its row in /proc/PID/limits (fs/proc/base.c, lnames), and how many of
    the kernel's units one of limits.conf(5) is."""

    name: str
    number: int
    row: str
    unit: int = 1


# Numbers: include/uapi/asm-generic/resource.h; those of nofile, nproc and as differ on mips and sparc, which no server is.
ITEMS = {
    "as": Item("AS", 9, "Max address space", 1024),
    "core": Item("CORE", 4, "Max core file size", 1024),
    "cpu": Item("CPU", 0, "Max cpu time", 60),
    "data": Item("DATA", 2, "Max data size", 1024),
    "fsize": Item("FSIZE", 1, "Max file size", 1024),
    "memlock": Item("MEMLOCK", 8, "Max locked memory", 1024),
    "msgqueue": Item("MSGQUEUE", 12, "Max msgqueue size"),
    "nofile": Item("NOFILE", 7, "Max open files"),
    "nproc": Item("NPROC", 6, "Max processes"),
    "rss": Item("RSS", 5, "Max resident set", 1024),
    "rtprio": Item("RTPRIO", 14, "Max realtime priority"),
    "rttime": Item("RTTIME", 15, "Max realtime timeout"),
    "sigpending": Item("SIGPENDING", 11, "Max pending signals"),
    "stack": Item("STACK", 3, "Max stack size", 1024),
}

Pair = t.Tuple[int, int]
"""Soft and hard limit in the kernel's units."""

_SIZES = ["E", "P", "T", "G", "M", "K", "B"]
_SIZE = re.compile(r"\s*\+?([0-9]+)(\.[0-9]*)?\s*([EPTGMKB]?)")
_SECOND = 10**6
# Words of a time span in microseconds: src/basic/time-util.c, extract_multiplier.
_SPANS = {
    word: seconds * _SECOND
    for words, seconds in (
        ("s sec second seconds", 1), ("m min minute minutes", 60), ("h hr hour hours", 3600), ("d day days", 86400),
        ("w week weeks", 604800), ("M month months", 2629800), ("y year years", 31557600),
    )
    for word in words.split()
}  # fmt: skip
_SPANS.update({"ms": 1000, "msec": 1000, "us": 1, "usec": 1, "\u03bcs": 1, "\u00b5s": 1})
_SPAN = re.compile(r"[ \t\n\r]*(?:(\+?[0-9]+)(\.[0-9]+)?|(\.[0-9]+))([ \t\n\r]*)([a-zA-Z\u03bc\u00b5]*)")


def _whole(text: str) -> t.Optional[int]:
    """A number as strtoull(3) with base 0 takes it, and 0b and 0o besides; None where it does not."""
    match = re.match(r"^[ \t\n\r]*([+-]?)(0[xX][0-9a-fA-F]+|0b[01]+|0o[0-7]+|0[0-7]*|[1-9][0-9]*)\Z", text)
    if match is None:
        return None
    digits = match.group(2)
    base = {"0x": 16, "0X": 16, "0b": 2, "0o": 8}.get(digits[:2], 8 if digits[0] == "0" else 10)
    value = int(digits, base)
    return None if (value and match.group(1) == "-") or value >= INFINITY else value


def _size(text: str) -> t.Optional[int]:
    """A number of bytes with suffixes to the base of 1024, the larger ones first, as in ``1G 5M``."""
    position, largest, total = 0, -1, 0
    while position < len(text):
        match = _SIZE.match(text, position)
        if match is None:
            return None
        rank = _SIZES.index(match.group(3) or "B")
        if rank <= largest:
            return None
        factor = 1024 ** (len(_SIZES) - 1 - rank)
        fraction = match.group(2)
        total += int(match.group(1)) * factor + (int(float("0" + fraction) * factor) if fraction else 0)
        position, largest = match.end(), rank
    return total if text and total < INFINITY else None


def _span(text: str, unit: int) -> t.Optional[int]:
    """A time span in microseconds; ``unit`` is what a number counts that names none (parse_time in src/basic/time-util.c)."""
    if text.strip(" \t\n\r") == "infinity":
        return INFINITY
    position, total = 0, 0
    while position < len(text):
        match = _SPAN.match(text, position)
        if match is None or (match.group(5) and match.group(5) not in _SPANS):
            return None
        whole, blanks, word, position = int(match.group(1) or 0), match.group(4), match.group(5), match.end()
        # Without a word only a blank, or the end, parts one number from the next.
        if not (word or blanks or position == len(text)):
            return None
        part = _SPANS.get(word, unit)
        total += whole * part
        for digit in (match.group(2) or match.group(3) or ".")[1:]:
            part //= 10
            total += int(digit) * part
    return total if text.strip(" \t\n\r") and total < INFINITY else None


def _seconds(text: str) -> t.Optional[int]:
    """A time span in whole seconds; what is begun counts as one."""
    found = _span(text, _SECOND)
    return found if found is None or found == INFINITY else (found + _SECOND - 1) // _SECOND


def _read_one(item: str, text: str) -> t.Optional[int]:
    if text == "infinity":
        return INFINITY
    unit = ITEMS[item].unit
    if item == "rttime":
        return _span(text, 1)
    return _seconds(text) if unit == 60 else _size(text) if unit == 1024 or item == "msgqueue" else _whole(text)


def read(item: str, text: str) -> t.Optional[Pair]:
    """A value of a line ``Limit*=`` as systemd reads it, or None where it ignores the line.

    :param text: what stands behind the equals sign, without blanks around it.
    """
    words = text.split(":")
    numbers = [_read_one(item, word) for word in words]
    if len(numbers) > 2 or None in numbers:
        return None
    soft, hard = t.cast(t.List[int], [numbers[0], numbers[-1]])
    return (soft, hard) if soft <= hard else None


def limit(item: str, pair: t.Optional[Pair]) -> limit_types.Limit:
    """A pair in units of limits.conf(5)."""
    if pair is None:
        return limit_types.Limit()
    return limit_types.Limit(
        *[limit_types.UNLIMITED if entry >= INFINITY else entry // ITEMS[item].unit for entry in pair]
    )


def pair(item: str, wanted: limit_types.Limit) -> Pair:
    """A whole limit in the kernel's units."""
    both = [
        INFINITY if entry == limit_types.UNLIMITED else int(t.cast(int, entry)) * ITEMS[item].unit for entry in wanted
    ]
    return both[0], both[1]


def cut(found: Pair, ceiling: int) -> Pair:
    """What a process gets whose manager may not raise its own hard limit (setrlimit_closest in src/basic/rlimit-util.c)."""
    return min(found[0], ceiling), min(found[1], ceiling)


def render(found: Pair) -> str:
    """The value of a line ``Limit*=``."""
    words = ["infinity" if entry >= INFINITY else str(entry) for entry in found]
    return words[0] if words[0] == words[1] else ":".join(words)


def shown(texts: t.Mapping[str, str], name: str) -> t.Optional[Pair]:
    """What ``systemctl show`` says of a property such as ``LimitNOFILE``, which is the hard limit; None where it says nothing."""
    words = [texts.get(name + "Soft", ""), texts.get(name, "")]
    if not all(word.isdigit() or word == "infinity" for word in words):
        return None
    numbers = [INFINITY if word == "infinity" else int(word) for word in words]
    return numbers[0], numbers[1]


def running(text: str) -> t.Dict[str, Pair]:
    """The limits of a process, from its /proc/PID/limits, in the kernel's units."""
    rows = {item.row: name for name, item in ITEMS.items()}
    found: t.Dict[str, Pair] = {}
    for line in text.splitlines():
        name, words = rows.get(line[:26].strip()), line[26:].split()
        if name and len(words) >= 2:
            soft, hard = [int(word) if word.isdigit() else INFINITY for word in words[:2]]
            found[name] = (soft, hard)
    return found


def rewritten(text: str, changes: t.Mapping[str, Pair]) -> str:
    """The text of a /proc/PID/limits with other limits for some items, in the kernel's units."""
    rows = {ITEMS[name].row: found for name, found in changes.items()}
    lines = []
    for line in text.splitlines():
        found = rows.get(line[:26].strip())
        if found is not None:
            soft, hard = ["unlimited" if entry >= INFINITY else str(entry) for entry in found]
            line = "{0:<25} {1:<20} {2:<20} {3}".format(line[:26].strip(), soft, hard, line[68:])
        lines.append(line)
    return "\n".join(lines)


def item_of(number: int) -> str:
    """The item with a number for setrlimit(2)."""
    return next(name for name, item in ITEMS.items() if item.number == number)


def check_item(item: str, kind: str) -> None:
    """:raises ValueProblem: for an item that only a session has."""
    if item not in ITEMS:
        raise _errors.ValueProblem(messages.ITEM_OF_SESSIONS_ONLY(item=item, kind=kind, known=", ".join(sorted(ITEMS))))
