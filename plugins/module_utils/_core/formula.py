# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Numbers that depend on the host: ``{per_gib: 65536, min: 131072, max: 2000000}``. Pure; private to ``tunefleet.linux``.

A *formula* travels as data, from a profile through the controller to the host, and becomes a number there. ``{largest: [...]}`` and
``{smallest: [...]}`` are what several profiles come to when only the host can tell whose number is larger.

Memory counts in steps, rounded up: of 256 MiB below 4 GiB and of 1 GiB from there on. A kernel keeps a part of the memory for
itself, another part with each release; in steps a host with 16 GiB counts as that, and does not differ from its profile after
each update.
"""

import re
import typing as t

from .. import _errors
from . import messages

PER_GIB = "per_gib"
PER_CPU = "per_cpu"
LARGEST = "largest"
SMALLEST = "smallest"
_FIELDS = {
    PER_GIB: (PER_GIB, "min", "max"),
    PER_CPU: (PER_CPU, "min", "max"),
    LARGEST: (LARGEST,),
    SMALLEST: (SMALLEST,),
}
_CHOOSE: t.Dict[str, t.Callable[[t.List[int]], int]] = {LARGEST: max, SMALLEST: min}
_INTEGER = re.compile(r"^-?(0|[1-9][0-9]*)$")

_STEP = 1 << 18  # KiB: a quarter of a GiB
_FINE = 16  # quarters below which memory counts in quarters


class Resources(t.NamedTuple):
    """What formulas are evaluated with. ``memory`` is in KiB. None: the host does not show it."""

    memory: t.Optional[int]
    cpus: t.Optional[int]

    @property
    def quarters(self) -> int:
        """Memory as formulas count it, in quarters of a GiB.

        :raises ValueProblem: if the host does not show it.
        """
        if self.memory is None:
            raise _errors.ValueProblem(messages.MEMORY_UNKNOWN())
        quarters = -(-self.memory // _STEP)
        return quarters if quarters < _FINE else -(-quarters // 4) * 4

    @property
    def processors(self) -> int:
        """:raises ValueProblem: if the host does not show it."""
        if self.cpus is None:
            raise _errors.ValueProblem(messages.PROCESSORS_UNKNOWN())
        return self.cpus


class Formula:
    """So much for each GiB of memory, or for each processor, within bounds."""

    def __init__(self, unit: str, rate: int, low: t.Optional[int] = None, high: t.Optional[int] = None) -> None:
        self.unit = unit
        self.rate = rate
        self.low = low
        self.high = high

    def _parts(self) -> t.Tuple[t.Any, ...]:
        return self.unit, self.rate, self.low, self.high

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Formula) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def __repr__(self) -> str:
        return "Formula({0})".format(", ".join(map(repr, self._parts())))

    def __str__(self) -> str:
        """As people read it: ``65536 per GiB (at least 131072, at most 2000000)``."""
        bounds = [] if self.low is None else ["at least {0}".format(self.low)]
        bounds += [] if self.high is None else ["at most {0}".format(self.high)]
        rate = "{0} per {1}".format(self.rate, "GiB" if self.unit == PER_GIB else "processor")
        return "{0} ({1})".format(rate, ", ".join(bounds)) if bounds else rate

    def data(self) -> t.Dict[str, int]:
        """As it is written in a profile."""
        bounds = {"min": self.low, "max": self.high}
        return dict({self.unit: self.rate}, **{name: value for name, value in bounds.items() if value is not None})

    def span(self) -> t.Tuple[t.Optional[int], t.Optional[int]]:
        """The least and the largest possible number; None where there is no bound."""
        return (0 if self.low is None else self.low), self.high

    def work_out(self, resources: Resources) -> t.Tuple[int, str]:
        """The number for a host, and how it comes about: ``65536 per GiB x 7.5 GiB``.

        :raises ValueProblem: if the host does not show what the formula needs.
        """
        if self.unit == PER_GIB:
            quarters = resources.quarters
            number = self.rate * quarters // 4
            text = "{0} per GiB x {1:g} GiB".format(self.rate, quarters / 4.0)
        else:
            number = self.rate * resources.processors
            text = "{0} per processor x {1}".format(self.rate, resources.processors)
        if self.low is not None and number < self.low:
            return self.low, text + ", at least {0}".format(self.low)
        if self.high is not None and number > self.high:
            return self.high, text + ", at most {0}".format(self.high)
        return number, text


class Choice:
    """The largest or the smallest of numbers and formulas."""

    def __init__(self, which: str, terms: t.Iterable["Term"]) -> None:
        self.which = which
        # In an order of their own, so that the order of profiles never matters.
        self.terms = tuple(sorted(set(terms), key=lambda term: (not isinstance(term, int), str(term))))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Choice) and (self.which, self.terms) == (other.which, other.terms)

    def __hash__(self) -> int:
        return hash((self.which, self.terms))

    def __repr__(self) -> str:
        return "Choice({0!r}, {1!r})".format(self.which, self.terms)

    def __str__(self) -> str:
        return "the {0} of {1}".format(self.which, " and ".join(map(str, self.terms)))

    def data(self) -> t.Dict[str, t.List[t.Any]]:
        """As it is written in a profile."""
        return {self.which: [term if isinstance(term, int) else term.data() for term in self.terms]}

    def span(self) -> t.Tuple[t.Optional[int], t.Optional[int]]:
        """The least and the largest possible number; None where there is no bound."""
        spans = [span_of(term) for term in self.terms]
        low = [span[0] for span in spans if span[0] is not None]
        high = [span[1] for span in spans if span[1] is not None]
        if self.which == LARGEST:
            return (max(low) if low else None), (max(high) if len(high) == len(spans) else None)
        return (min(low) if len(low) == len(spans) else None), (min(high) if high else None)

    def work_out(self, resources: Resources) -> t.Tuple[int, str]:
        """The number for a host, and how it comes about; same contract as that of a formula."""
        found = [(term, "") if isinstance(term, int) else term.work_out(resources) for term in self.terms]
        parts = [text + " = {0}".format(number) if text else str(number) for number, text in found]
        return _CHOOSE[self.which]([number for number, _text in found]), "{0} of {1}".format(
            self.which, " and ".join(parts)
        )


Term = t.Union[int, Formula, Choice]
"""One number of a value, known or to be worked out on the host."""


def span_of(term: Term) -> t.Tuple[t.Optional[int], t.Optional[int]]:
    """The least and the largest possible number of a term; None where there is no bound."""
    return (term, term) if isinstance(term, int) else term.span()


def choose(which: str, terms: t.Iterable[Term]) -> Term:
    """The largest (or smallest) of terms, or a choice for the host where only it can compare them."""
    kept: t.List[Term] = []
    for term in terms:
        for entry in term.terms if isinstance(term, Choice) and term.which == which else [term]:
            if not any(_beats(which, term=other, rival=entry) for other in kept):
                kept = [other for other in kept if not _beats(which, term=entry, rival=other)] + [entry]
    return kept[0] if len(kept) == 1 else Choice(which, kept)


def _beats(which: str, term: Term, rival: Term) -> bool:
    """Whether a term makes its rival needless on every host."""
    larger, smaller = (rival, term) if which == SMALLEST else (term, rival)
    low, high = span_of(larger)[0], span_of(smaller)[1]
    return term == rival or (low is not None and high is not None and low >= high)


def read(data: t.Any) -> t.Union[Formula, Choice]:
    """Parse the mapping of a formula, from a profile or a task.

    :raises ValueProblem: if it is not a formula.
    """
    kinds = [kind for kind in _FIELDS if kind in data]
    if len(kinds) != 1:
        raise _errors.ValueProblem(messages.ONE_FORMULA(found=" and ".join(kinds or sorted(map(str, data))) or "none"))
    kind = kinds[0]
    unknown = sorted(str(field) for field in data if field not in _FIELDS[kind])
    if unknown:
        raise _errors.ValueProblem(
            messages.UNKNOWN_FORMULA_FIELD(field=unknown[0], kind=kind, known=", ".join(_FIELDS[kind]))
        )
    if kind in _CHOOSE:
        return _choice(kind, data[kind])
    rate = _whole(kind, data[kind])
    if rate < 1:
        raise _errors.ValueProblem(messages.RATE_NOT_POSITIVE(kind=kind, found=rate))
    low, high = (None if data.get(field) is None else _whole(field, data[field]) for field in ("min", "max"))
    if low is not None and high is not None and low > high:
        raise _errors.ValueProblem(messages.MINIMUM_ABOVE_MAXIMUM(low=low, high=high))
    return Formula(kind, rate, low, high)


def _choice(kind: str, data: t.Any) -> Choice:
    if not isinstance(data, (list, tuple)) or len(data) < 2:
        raise _errors.ValueProblem(messages.TOO_FEW_TERMS(kind=kind, found=data))
    return Choice(kind, [read(entry) if isinstance(entry, dict) else _whole(kind, entry) for entry in data])


def _whole(field: str, data: t.Any) -> int:
    # Templates of Ansible may hand on a number as text.
    if not isinstance(data, (int, str)) or isinstance(data, bool) or not _INTEGER.match(str(data)):
        raise _errors.ValueProblem(messages.TERM_NOT_AN_INTEGER(field=field, found=data))
    return int(data)


def check(raw: t.Any) -> None:
    """:raises ValueProblem: when a value holds a mapping that is no formula."""
    for entry in raw if isinstance(raw, (list, tuple)) else [raw]:
        if isinstance(entry, dict):
            read(entry)


def evaluate(raw: t.Any, resources: Resources) -> t.Tuple[t.Any, str]:
    """A value with its formulas replaced by the numbers for a host, and how those come about.

    :param raw: a formula, or a list with some among its numbers.
    :raises ValueProblem: if the host does not show what the formula needs.
    """
    if isinstance(raw, dict):
        return read(raw).work_out(resources)
    values, texts = [], []
    for place, one in enumerate(raw, 1):
        if isinstance(one, dict):
            one, text = read(one).work_out(resources)
            texts.append("number {0}: {1}".format(place, text))
        values.append(one)
    return values, "; ".join(texts)
