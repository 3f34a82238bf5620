# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a profile is, once it has been read: the words that loading, composing and rendering share.

Private: not for use outside of ``tunefleet.linux``.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...module_utils import _errors
from ...module_utils._core import formula
from ...module_utils._core import limit as limit_types

# The relations a wish can have to what the host shows, and the sign that reports print for each.
VALUE = "value"
AT_LEAST = "at_least"
AT_MOST = "at_most"
SIGNS: t.Final[Mapping[str, str]] = {VALUE: "", AT_LEAST: ">= ", AT_MOST: "<= "}

UNLIMITED = "unlimited"

Amount = t.Union[int, str, formula.Formula, formula.Choice, tuple[formula.Term, ...]]
"""A number, a text, or the several numbers of a key such as tcp_rmem (never a tuple of one); a number may depend on the host."""


class ProfileProblem(_errors.TuneError):
    """Something in a profile, or in how profiles were asked for, is wrong. One sentence for each problem."""

    def __init__(self, *problems: str) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class Wish:
    """What shall hold for one number (or text, or tuple of numbers) of the host."""

    relation: str
    amount: Amount

    def __str__(self) -> str:
        return SIGNS[self.relation] + amount_text(self.amount)

    def data(self) -> dict[str, t.Any]:
        """As it is written in a profile."""
        if isinstance(self.amount, tuple):
            return {self.relation: [_term_data(term) for term in self.amount]}
        return {self.relation: _term_data(self.amount)}


@dataclass(frozen=True)
class Reason:
    """Why an entry is there, and who says so."""

    why: str
    source: tuple[str, ...] = ()
    hazard: str = ""


@dataclass(frozen=True)
class Setting:
    """The entry of one sysctl key."""

    wish: Wish
    reason: Reason


@dataclass(frozen=True)
class Limit:
    """The entry of one resource limit; at least one of soft and hard is there. ``restart`` lets a unit be restarted for it."""

    soft: Wish | None
    hard: Wish | None
    reason: Reason
    restart: bool = False


LimitKey = tuple[str, str]
"""Target and item, as in ("*", "nofile") or ("unit nginx.service", "nofile"); no domain holds a blank."""


def target_text(kind: str, name: str) -> str:
    """How a target is called: a domain by itself, others with their kind in front."""
    return name if kind == limit_types.DOMAIN else f"{kind} {name}"


def target_data(text: str) -> dict[str, str]:
    """As a target is written in a profile."""
    kind, blank, name = text.partition(" ")
    return {kind: name} if blank else {limit_types.DOMAIN: text}


@dataclass(frozen=True)
class Source:
    """A text that entries refer to."""

    title: str
    address: str


@dataclass(frozen=True)
class Quote:
    """What a text says on one line: its own words, and in English what they come to where they are in another language."""

    text: str
    english: str = ""


Quotes = Mapping[str, Mapping[int, Quote]]
"""Quotes by source and line."""


@dataclass(frozen=True)
class Profile:
    """One profile file, checked."""

    name: str
    path: str
    title: str
    summary: str
    extends: tuple[str, ...] = ()
    audit_only: bool = False
    sources: Mapping[str, Source] = field(default_factory=dict)
    sysctl: Mapping[str, Setting] = field(default_factory=dict)
    limits: Mapping[LimitKey, Limit] = field(default_factory=dict)


def amount_text(amount: Amount) -> str:
    """An amount as people read it; a number of several that depends on the host stands in brackets."""
    if not isinstance(amount, tuple):
        return str(amount)
    return " ".join(str(term) if isinstance(term, int) else f"[{term}]" for term in amount)


def _term_data(term: formula.Term | str) -> t.Any:
    return term.data() if isinstance(term, (formula.Formula, formula.Choice)) else term


def listed(names: Sequence[str], last: str = "and") -> str:
    """Names as a sentence lists them: ``a``, ``a and b``, ``a, b and c``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"
