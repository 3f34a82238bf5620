# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Items, numbers and domains of limits.conf(5). Private: not for use outside of ``tunefleet.linux``.

Stricter than pam_limits, which reads numbers by their beginning: to it ``64k`` is 64, ``1e5`` is 1 and ``0x1000`` is 0
(modules/pam_limits/pam_limits.c, strtol). What it would misread is refused here.
"""

import re
import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils._errors import ValueProblem

UNLIMITED = "unlimited"
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
    "sigpending": "signals",
    "stack": "KiB",
}
_RANGES = {"nice": (-20, 19), "priority": (-20, 19), "nonewprivs": (0, 1)}
_BOUNDED = (0, 2**63 - 1)

_NUMBER = re.compile(r"^-?(0|[1-9][0-9]{0,19})$")
_RANGE = re.compile(r"^[@%]?([0-9]*):([0-9]*)$")

Number = t.Union[int, str]


def number(raw: object, item: str) -> Number:
    """The limit that somebody asks for: a whole number, or the word ``unlimited``.

    :raises ValueProblem: for what pam_limits would misread; the text is a half sentence about the value.
    """
    text = str(raw).strip() if isinstance(raw, (str, int)) and not isinstance(raw, bool) else ""
    if text in _UNLIMITED_WORDS and item not in _RANGES:
        return UNLIMITED
    low, high = _RANGES.get(item, _BOUNDED)
    legal = "a whole number from {0} to {1}{2}".format(low, high, "" if item in _RANGES else ", or unlimited")
    if not _NUMBER.match(text):
        raise ValueProblem("{0!r} is not {1}; pam_limits would read something else".format(raw, legal))
    if not low <= int(text) <= high:
        raise ValueProblem("{0} is not {1}".format(text, legal))
    return int(text)


def read(text: str, item: str) -> Number:
    """A limit as pam_limits reads it from a file: the digits at the beginning, or no limit.

    What is negative or does not fit into 64 bits is no limit either, save for items that have negative values.
    """
    if text.lower() in _UNLIMITED_WORDS and item not in _RANGES:
        return UNLIMITED
    digits = re.match(r"^([+-]?)0*([0-9]{1,20})([0-9]*)", text)
    if digits is None:
        return 0
    number = int(digits.group(1) + digits.group(2))
    if item not in _RANGES and (digits.group(3) or not 0 <= number < 2**64):
        return UNLIMITED
    return number


def rank(value: Number) -> int:
    """A number to compare limits by; no limit is above every limit."""
    return 2**64 if value == UNLIMITED else int(value)


def domain(raw: object) -> str:
    """A domain as limits.conf(5) takes it.

    :raises ValueProblem: for one that pam_limits would never match, or that would break the line.
    """
    text = raw if isinstance(raw, str) else ""
    if not text:
        raise ValueProblem("{0!r} is no domain; write a user, @group, *, or a range of ids as in 1000:2000".format(raw))
    if re.search(r"[\s#\x00-\x1f\x7f]", text):
        raise ValueProblem(
            "the domain {0!r} holds a blank, a '#' or a control character and would never match".format(text)
        )
    if text == "@" or text == ":":
        raise ValueProblem("the domain {0!r} names nobody; write @group or a range of ids".format(text))
    ends = _RANGE.match(text)
    if ends and ends.group(1) and ends.group(2) and int(ends.group(1)) > int(ends.group(2)):
        raise ValueProblem("the range {0!r} ends before it begins and would never match".format(text))
    return text
