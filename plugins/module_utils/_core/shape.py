# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""shape. Private to ``tunefleet.linux``."""

import typing as t

INTEGERS = "integers"
PORTS = "ports"
WORDS = "words"
TEXT = "text"

Raw = t.Union[str, int, float, bool, t.Sequence[t.Union[str, int]]]


class Shape(t.NamedTuple):
    """What the value of one key looks like.

    ``length`` is the exact count of integers (None: any); ``low`` and ``high`` bound each of them (None: no bound);
    ``enforced`` says whether the kernel itself refuses what lies outside, or whether only sense does. ``rounds_to`` tells, for a key
    that rounds, which numbers the kernel may make of one. ``interval`` marks two numbers that are the first and the last of a
    range: of two ranges the larger begins lower. Of numbers that are ``ascending`` none is below the one before it. ``canonicalize`` gives
    the kernel's own spelling of a text that has several, and None for one that it refuses.
    """

    kind: str = TEXT
    length: t.Optional[int] = None
    low: t.Optional[int] = None
    high: t.Optional[int] = None
    enforced: bool = True
    rounds_to: t.Optional[t.Callable[[int], t.FrozenSet[int]]] = None
    interval: bool = False
    ascending: bool = False
    canonicalize: t.Optional[t.Callable[[str], t.Optional[str]]] = None

    @property
    def ordered(self) -> bool:
        """Whether of two values one can be larger: numbers, ranges of them, and lists of ports, of which the larger holds more."""
        return self.kind in (INTEGERS, PORTS)
