# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Steps and decisions that a plan consists of. Private: not for use outside of ``tunefleet.linux``."""

import typing as t

from . import bound as bounds
from . import limit as limit_types
from . import shape as shapes
from . import steps as step_types


class BootAlternative(t.NamedTuple):
    """What the next boot gives a key if another program reads the files."""

    reader: str
    value: t.Optional[str]
    winner: str


class BootState(t.NamedTuple):
    """What the next boot gives a key, the line that decides, and whether that is our entry."""

    value: t.Optional[str] = None
    winner: t.Optional[str] = None
    ours: bool = False


class SettingDecision(t.NamedTuple):
    """What is to become of one sysctl key.

    ``explanation`` says how a wanted number that depends on the host comes about.
    ``boot_others`` are the answers of other readers that the host may have, where they differ from ``boot``.
    """

    key: str
    status: str
    wanted: str
    reason: str = ""
    live: t.Tuple[t.Optional[str], t.Optional[str]] = (None, None)
    file: t.Tuple[t.Optional[str], t.Optional[str]] = (None, None)
    boot_before: BootState = BootState()
    boot: BootState = BootState()
    boot_others: t.Sequence[BootAlternative] = ()
    shadowed: bool = False
    shape: shapes.Shape = shapes.Shape()
    note: bounds.Note = bounds.Note()
    explanation: str = ""


class LimitDecision(t.NamedTuple):
    """What is to become of the limit of one target and item.

    ``before`` and ``after`` are what our file says about a domain, what the manager gives, or what the running process has.
    """

    target: str
    item: str
    status: str
    wanted: t.Tuple[t.Optional[str], t.Optional[str]]
    reason: str = ""
    before: limit_types.Limit = limit_types.Limit()
    after: limit_types.Limit = limit_types.Limit()
    effective: limit_types.Limit = limit_types.Limit()
    shadowed_by: t.Optional[str] = None
    notes: t.Sequence[str] = ()
    note: bounds.Note = bounds.Note()
    kind: str = limit_types.DOMAIN

    @property
    def name(self) -> str:
        """How messages call it."""
        return limit_types.limit_name(self.kind, self.target, self.item)


class NofileRule(t.NamedTuple):
    """A limit of open files that a host has: the number, the line or service that has it, and what ``fs.nr_open`` below it does."""

    value: int
    where: str
    harm: str


class Violation(t.NamedTuple):
    """A violated cross-key rule; ``refused`` is true if it refuses the request."""

    rule: str
    refused: bool
    text: str


class Cost(t.NamedTuple):
    """Kernel memory for a number of connections, in bytes; None if unknown. ``text`` holds the arithmetic.

    ``percent`` is the share of the memory, ``refused`` and ``warned`` say that it is above what is allowed, ``mostly`` what most of
    it goes back to.
    """

    connections: int
    needed: t.Optional[int]
    memory: t.Optional[int]
    percent: t.Optional[int]
    refused: bool
    warned: bool
    text: str
    mostly: str = ""


class Context(t.NamedTuple):
    """A key that a request does not set, and that has to be known to judge those that it sets."""

    live: t.Optional[str]
    boot: BootState
    writable: bool


class Plan(t.NamedTuple):
    """The plan for one host. Must not be applied if ``problems`` is not empty."""

    settings: t.Sequence[SettingDecision] = ()
    limits: t.Sequence[LimitDecision] = ()
    steps: t.Sequence[step_types.Step] = ()
    problems: t.Sequence[str] = ()
    warnings: t.Sequence[str] = ()
    needs: t.Sequence[str] = ()
    context: t.Mapping[str, Context] = {}
    findings: t.Sequence[Violation] = ()
    cost: t.Optional[Cost] = None


def nr_open_after(planned: Plan, current: t.Optional[int]) -> t.Optional[int]:
    """fs.nr_open after the steps of a plan."""
    for step in planned.steps:
        if isinstance(step, step_types.SetSysctl) and step.key == "fs.nr_open":
            return int(step.after)
    return current
