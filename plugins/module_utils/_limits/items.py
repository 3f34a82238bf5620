# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Items, numbers and domains of limits.conf(5). Private: not for use outside of ``tunefleet.linux``.

Stricter than pam_limits, which reads numbers by their beginning: to it ``64k`` is 64, ``1e5`` is 1 and ``0x1000`` is 0
(modules/pam_limits/pam_limits.c, strtol). What it would misread is refused here.
"""

import re
import typing as t

from .. import _errors
from .._core import limit as limit_types
from . import messages

_UNLIMITED_WORDS = frozenset(["unlimited", "infinity", "-1", "-"])

# Items and their units, from limits.conf(5).
ITEMS = {
    "as": "KiB",
    "core": "KiB",
    "cpu": "minutes",
    "data": "KiB",
    "fsize": "KiB",
    "locks": "locks",
    "maxlogins": "logins",
    "maxsyslogins": "logins",
    "memlock": "KiB",
    "msgqueue": "bytes",
    "nice": "nice value",
    "nofile": "open files",
    "nonewprivs": "flag",
    "nproc": "processes",
    "priority": "nice value",
    "rss": "KiB",
    "rtprio": "priority",
    "rttime": "microseconds",
    "sigpending": "signals",
    "stack": "KiB",
}
# The directory that Debian's pam_limits locks a session into: never set here, but reported where another line sets it.
CHROOT = "chroot"
# The longest domain and comment: together with the rest far below the 1022 bytes of a line that every pam_limits reads as one.
LONGEST = 400
_RANGES = {"nice": (-20, 19), "priority": (-20, 19), "nonewprivs": (0, 1)}
_BOUNDED = (0, 2**63 - 1)
_NO_LIMIT = 2**64 - 1  # RLIM_INFINITY
_UNITS = {"KiB": 1024, "minutes": 60}
_SIGNED = frozenset(["maxlogins", "maxsyslogins", "nice", "priority"])

_NUMBER = re.compile(r"^-?(0|[1-9][0-9]{0,19})$")
_RANGE = re.compile(r"^[@%]?([0-9]*):([0-9]*)$")


def number(raw: object, item: str) -> limit_types.Number:
    """Parse the value of a requested limit: an integer, or the word ``unlimited``.

    :raises ValueProblem: for what pam_limits would misread; the text is a half sentence about the value.
    """
    text = str(raw).strip() if isinstance(raw, (str, int)) and not isinstance(raw, bool) else ""
    if text in _UNLIMITED_WORDS and item not in _RANGES:
        return limit_types.UNLIMITED
    low, high = _RANGES.get(item, _BOUNDED)
    legal = "a whole number from {0} to {1}{2}".format(low, high, "" if item in _RANGES else ", or unlimited")
    if not _NUMBER.match(text):
        raise _errors.ValueProblem(messages.NOT_AN_ITEM_VALUE(found=raw, legal=legal))
    if not low <= int(text) <= high:
        raise _errors.ValueProblem(messages.ITEM_OUT_OF_RANGE(found=text, legal=legal))
    return int(text)


def read(text: str, item: str) -> t.Optional[limit_types.Number]:
    """A limit as pam_limits reads it from a file, by its beginning; None if it ignores the value.

    Numbers are those of strtoull(3), so that a negative one wraps and one that is too large means no limit; and those of strtol(3)
    for items that take negative ones.
    """
    if item == "nonewprivs":
        return 1 if text == "1" else 0
    if text in _UNLIMITED_WORDS and item not in _RANGES:
        return limit_types.UNLIMITED
    match = re.match(r"^[ \t\n\v\f\r]*([+-]?)([0-9]+)", text)
    if match is None:
        return None
    number = int(match.group(2).lstrip("0")[:25] or 0)  # more digits than any number has that is not cut anyway
    if item in _SIGNED:
        number = -number if match.group(1) == "-" else number
        low, high = _RANGES.get(item, (-(2**31), 2**31 - 1))
        number = max(low, min(high, number))
        return limit_types.UNLIMITED if item not in _RANGES and number < 0 else number
    number = -number % 2**64 if match.group(1) == "-" and number <= _NO_LIMIT else min(number, _NO_LIMIT)
    return limit_types.UNLIMITED if number >= _NO_LIMIT // _UNITS.get(ITEMS[item], 1) else number


def kernel(value: limit_types.Number, item: str) -> int:
    """A limit as setrlimit(2) takes it: in bytes and seconds, a nice value counted down from 20."""
    if value == limit_types.UNLIMITED:
        return _NO_LIMIT
    if item == "nice":
        return 20 - int(value)
    return int(value) * _UNITS.get(ITEMS[item], 1)


def rank(value: limit_types.Number) -> int:
    """A number to compare limits by; no limit is above every limit."""
    return 2**64 if value == limit_types.UNLIMITED else int(value)


def domain(raw: object) -> str:
    """A domain as limits.conf(5) takes it.

    :raises ValueProblem: for one that pam_limits would never match, or that would break the line.
    """
    text = raw if isinstance(raw, str) else ""
    if not text:
        raise _errors.ValueProblem(messages.NOT_A_DOMAIN(found=raw))
    if len(text.encode("utf-8", "surrogateescape")) > LONGEST:
        raise _errors.ValueProblem(messages.DOMAIN_TOO_LONG(limit=LONGEST))
    if re.search(r"[\s#\x00-\x1f\x7f]", text):
        raise _errors.ValueProblem(messages.DOMAIN_WITH_WHITE_SPACE(domain=text))
    if text == "@" or text == ":":
        raise _errors.ValueProblem(messages.DOMAIN_MATCHES_NOBODY(domain=text))
    ends = _RANGE.match(text)
    if ends and ends.group(1) and ends.group(2) and int(ends.group(1)) > int(ends.group(2)):
        raise _errors.ValueProblem(messages.RANGE_REVERSED(domain=text))
    return text
