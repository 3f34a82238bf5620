# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""bound. Private to ``tunefleet.linux``."""

import typing as t

from .. import _errors
from . import limit as limit_types
from . import messages
from . import text as texts

VALUE = "value"
AT_LEAST = "at_least"
AT_MOST = "at_most"
ABSENT = "absent"
OPERATORS = (VALUE, AT_LEAST, AT_MOST)
NOTE_FIELDS = ("why", "source", "hazard", "instead_of")
SYMBOLS = {VALUE: "", AT_LEAST: ">= ", AT_MOST: "<= ", ABSENT: "absent"}


class Note(t.NamedTuple):
    """Where a desired comes from, what it may break, and which desired_settings of other profiles it was preferred to."""

    why: t.Optional[str] = None
    source: t.Sequence[str] = ()
    hazard: t.Optional[str] = None
    instead_of: t.Sequence[t.Mapping[str, t.Any]] = ()


class Bound(t.NamedTuple):
    """The desired soft or hard limit. ``value`` is a formula until the host evaluates it."""

    operator: str
    value: limit_types.Number = 0
    explanation: str = ""

    def __str__(self) -> str:
        return describe(self.operator, "" if self.operator == ABSENT else str(self.value))


def is_formula(value: t.Any) -> bool:
    """Whether a value, or one of several numbers, depends on the host (see formula.py)."""
    return isinstance(value, dict) or (
        isinstance(value, (list, tuple)) and any(isinstance(part, dict) for part in value)
    )


def describe(operator: str, text: str) -> str:
    """A desired as reports show it: ``30``, ``>= 8192``, ``<= 5``."""
    return SYMBOLS[operator] + text


def with_explanation(text: str, arithmetic: str) -> str:
    """What is wanted, and how the number comes about on this host."""
    return "{0} ({1})".format(text, arithmetic) if arithmetic else text


def operator_of(entry: t.Mapping[str, t.Any], allowed: t.Sequence[str], what: str) -> str:
    unknown = sorted(str(field) for field in entry if field not in allowed)
    if unknown:
        raise _errors.ValueProblem(
            messages.UNKNOWN_FIELD(
                field=unknown[0], entry=what, known=", ".join(allowed), suggestion=texts.suggest(unknown[0], allowed)
            )
        )
    present = [operator for operator in OPERATORS if entry.get(operator) is not None]
    if len(present) != 1:
        raise _errors.ValueProblem(messages.ONE_OPERATOR(entry=what, found=" and ".join(present) or "none"))
    return present[0]


def parse_note(entry: t.Mapping[str, t.Any]) -> Note:
    """The notes of a setting or a limit.

    :raises ValueProblem: when they are none.
    """
    source = entry.get("source") or []
    if isinstance(source, str):
        source = [source]
    instead_of = entry.get("instead_of") or ()
    if not isinstance(instead_of, (list, tuple)) or not all(isinstance(item, dict) for item in instead_of):
        raise _errors.ValueProblem(messages.OVERRIDDEN_NOT_A_LIST(found=instead_of))
    return Note(entry.get("why"), [str(item) for item in source], entry.get("hazard"), tuple(instead_of))
