# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""limits. Private to ``tunefleet.linux``."""

import typing as t

from .. import _errors, _messages
from .._core import bound as bounds
from .._core import limit as limit_types
from .._core import request as requests
from .._core import text as texts
from . import conversion, items, messages, targets


def _parse_bound(raw: t.Any, item: str) -> t.Optional[bounds.Bound]:
    if raw is None:
        return None
    if isinstance(raw, dict):
        operator = bounds.operator_of(raw, bounds.OPERATORS, "a limit's soft or hard")
        value = raw[operator]
        if isinstance(value, dict):
            from .._core import formula

            formula.check(value)
            return bounds.Bound(operator, t.cast(limit_types.Number, value))
        return bounds.Bound(operator, items.number(value, item))
    return bounds.Bound(bounds.VALUE, items.number(raw, item))


def _soft_above_hard(soft: t.Optional[bounds.Bound], hard: t.Optional[bounds.Bound]) -> bool:
    """Whether a soft limit is certain to end up above the hard one."""
    if soft is None or hard is None or soft.operator == bounds.AT_MOST or hard.operator == bounds.AT_LEAST:
        return False
    if isinstance(soft.value, dict) or isinstance(hard.value, dict):
        return False
    return items.rank(soft.value) > items.rank(hard.value)


def parse_one(entry: t.Mapping[str, t.Any]) -> requests.LimitRequest:
    """The desired of one entry of a list of limits.

    :raises ValueProblem: if it is not a limit.
    """
    kind, target = targets.parse_target(entry)
    item = str(entry.get("item"))
    if item not in items.ITEMS:
        raise _errors.ValueProblem(
            messages.UNKNOWN_ITEM(
                item=item, known=", ".join(sorted(items.ITEMS)), suggestion=texts.suggest(item, items.ITEMS)
            )
        )
    if kind != limit_types.DOMAIN:
        conversion.check_item(item, kind)
    elif target.startswith("%") and item != "maxlogins":
        raise _errors.ValueProblem(messages.PERCENT_TAKES_MAXLOGINS())
    desired = requests.LimitRequest(
        target,
        item,
        _parse_bound(entry.get("soft"), item),
        _parse_bound(entry.get("hard"), item),
        bounds.parse_note(entry),
        kind=kind,
        restart=bool(entry.get("restart")),
    )
    if desired.soft is None and desired.hard is None:
        raise _errors.ValueProblem(messages.NEITHER_SOFT_NOR_HARD())
    if _soft_above_hard(desired.soft, desired.hard):
        cut = "pam_limits would cut it" if kind == limit_types.DOMAIN else "the kernel takes no such pair"
        raise _errors.ValueProblem(messages.SOFT_ABOVE_HARD(soft=desired.soft, hard=desired.hard, consequence=cut))
    return desired


def target_name(entry: t.Mapping[str, t.Any]) -> str:
    """How messages call a limit that may be malformed."""
    kind = next((target for target in limit_types.TARGETS if entry.get(target) is not None), limit_types.DOMAIN)
    return limit_types.limit_name(kind, str(entry.get(kind)), str(entry.get("item")))


def _differ(bound: t.Optional[bounds.Bound], other: t.Optional[bounds.Bound]) -> bool:
    """Whether two entries ask for different values of one half; an entry may well name the soft limit and another the hard."""
    return bound is not None and other is not None and bound != other


def parse(entries: t.Sequence[t.Mapping[str, t.Any]]) -> t.List[requests.LimitRequest]:
    """The desired_limits of a list of limits, in its order.

    :raises EntryProblems: one sentence for each entry that cannot be meant, and for two that contradict each other.
    """
    found: t.Dict[t.Tuple[str, str, str], requests.LimitRequest] = {}
    problems: t.List[str] = []
    for entry in entries:
        try:
            desired = parse_one(entry)
        except _errors.ValueProblem as problem:
            problems.append(_messages.about("Limit " + target_name(entry), problem.message))
            continue
        earlier = found.get(desired.identity, desired)
        together = earlier._replace(
            soft=earlier.soft or desired.soft,
            hard=earlier.hard or desired.hard,
            restart=earlier.restart or desired.restart,
        )
        if _differ(earlier.soft, desired.soft) or _differ(earlier.hard, desired.hard):
            problems.append(messages.LIMIT_REQUESTED_TWICE(limit=desired.name))
        elif _soft_above_hard(together.soft, together.hard):
            problems.append(messages.LIMIT_SOFT_ABOVE_HARD(limit=desired.name, soft=together.soft, hard=together.hard))
        found[desired.identity] = together
    if problems:
        raise _errors.EntryProblems(problems)
    return list(found.values())
