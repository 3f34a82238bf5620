# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Several profiles to one set of wishes. Pure. Private: not for use outside of ``tunefleet.linux``.

Everything that can be wished for on its own is a *slot*: a sysctl key, or one side of one limit. For each slot the profiles'
*statements* are gathered, and reconciled into one wish that meets them all. The order of profiles never matters.
"""

from __future__ import annotations

import sys
import typing as t
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from ...module_utils import _errors
from ...module_utils._core import bound as bounds
from ...module_utils._core import formula
from ...module_utils._core import shape as shapes
from ...module_utils._sysctl import catalog
from ...module_utils._sysctl import values as sysctl_values
from . import model as profile_model

NUMBERS: t.Final = shapes.Shape(shapes.INTEGERS)
"""What a value looks like of which nothing is known, and every limit."""

Slot = tuple[str, ...]
"""``(key,)`` for sysctl, ``(target, item, "soft")`` for one side of a limit."""


@dataclass(frozen=True)
class Statement:
    """What one profile says about one slot. ``profile`` is the one whose file says it, not the one that inherits it."""

    profile: str
    wish: profile_model.Wish
    reason: profile_model.Reason


class Settled(t.NamedTuple):
    """What shall be, and every reason for it."""

    wish: profile_model.Wish
    reasons: Sequence[profile_model.Reason]


Statements = dict[Slot, dict[str, Statement]]
"""For each slot, what each profile states."""

Losers = dict[Slot, list[dict[str, t.Any]]]
"""For each entry, the wishes that lost, as the result shows them."""


def compose(
    names: Collection[str],
    profiles: Mapping[str, profile_model.Profile],
    prefer: str = "",
    sysctl: Mapping[str, profile_model.Setting] | None = None,
    limits: Mapping[profile_model.LimitKey, profile_model.Limit] | None = None,
) -> dict[str, t.Any]:
    """What the named profiles want together, as the module ``profile`` takes it.

    :param names: the profiles asked for.
    :param profiles: these and everything they extend, by name; without circles.
    :param prefer: the profile that decides where two contradict each other.
    :param sysctl: settings that replace what the profiles say about their keys.
    :param limits: limits that replace what the profiles say about their target and item.
    :raises ProfileProblem: with one sentence for each contradiction.
    """
    stated = _union(_stated(profiles[name], profiles) for name in _not_extended_by_others(names, profiles))
    preferred = _stated(profiles[prefer], profiles) if prefer else {}
    settled, instead_of = _settle(stated, preferred, _as_settled(sysctl or {}, limits or {}))
    ordered = sorted(set(names))
    return {
        "name": ",".join(ordered),
        "title": " + ".join(profiles[name].title for name in ordered),
        "sysctl": {
            slot[0]: {**_as_data(settled[slot]), **_losers_of(slot, instead_of)}
            for slot in sorted(settled)
            if len(slot) == 1
        },
        "limits": _limits_as_data(
            settled, instead_of, _restarting([profiles[name] for name in names], profiles, limits or {})
        ),
    }


def _restarting(
    named: Iterable[profile_model.Profile],
    profiles: Mapping[str, profile_model.Profile],
    overrides: Mapping[profile_model.LimitKey, profile_model.Limit],
) -> set[profile_model.LimitKey]:
    """The limits for whose sake a unit may be restarted: where a profile says so, and no override says anything."""
    everything = {name: profiles[name] for entry in named for name in (entry.name, *ancestors(entry, profiles))}
    found = {key for entry in everything.values() for key, limit in entry.limits.items() if limit.restart}
    return (found - set(overrides)) | {key for key, limit in overrides.items() if limit.restart}


def _settle(
    stated: Statements, preferred: Statements, overrides: Mapping[Slot, Settled]
) -> tuple[dict[Slot, Settled], Losers]:
    """What shall be of each slot, and what lost against it.

    :raises ProfileProblem: with one sentence for each contradiction that neither an override nor a preference ends.
    """
    replaced = {_entry_of(slot) for slot in overrides}
    settled = dict(overrides)
    losers: Losers = {}
    problems = []
    for slot in sorted(stated):
        statements = [stated[slot][profile] for profile in sorted(stated[slot])]
        if _entry_of(slot) not in replaced:
            result = reconcile(slot, statements) or _decided(slot, statements, preferred.get(slot, {}))
            if result is None:
                problems.append(_contradiction(slot, statements))
                continue
            settled[slot] = result
        lost = [statement for statement in statements if not _met(slot, statement, settled.get(slot))]
        losers.setdefault(_entry_of(slot), []).extend(_loser_as_data(slot, statement) for statement in lost)
    if problems:
        raise profile_model.ProfileProblem(*problems)
    return settled, losers


def contradictions(
    names: Collection[str], profiles: Mapping[str, profile_model.Profile]
) -> dict[Slot, list[Statement]]:
    """The slots about which the named profiles need somebody who decides, with what each of them states.

    :param profiles: these and everything they extend, by name; without circles.
    """
    stated = _union(_stated(profiles[name], profiles) for name in _not_extended_by_others(names, profiles))
    found = {slot: [stated[slot][profile] for profile in sorted(stated[slot])] for slot in sorted(stated)}
    return {slot: statements for slot, statements in found.items() if reconcile(slot, statements) is None}


def reconcile(slot: Slot, statements: Sequence[Statement]) -> Settled | None:
    """What satisfies all of these, or None when nothing does (or there is nothing to satisfy)."""
    wish = reconcile_wishes([statement.wish for statement in statements], shape_of(slot))
    return Settled(wish, [statement.reason for statement in statements]) if wish else None


def _decided(slot: Slot, statements: Sequence[Statement], preferred: Collection[str]) -> Settled | None:
    """What those statements want that count, and who of the others is content with it; None when none of them counts."""
    result = reconcile(slot, [statement for statement in statements if statement.profile in preferred])
    if result is None:
        return None
    return Settled(result.wish, [statement.reason for statement in statements if _met(slot, statement, result)])


def _met(slot: Slot, statement: Statement, settled: Settled | None) -> bool:
    """Whether what shall be is all that a statement wants."""
    return settled is not None and reconcile_wishes([settled.wish, statement.wish], shape_of(slot)) == settled.wish


def shape_of(slot: Slot) -> shapes.Shape:
    """What the values of a slot look like; numbers where nothing is known."""
    facts = catalog.find(slot[0]) if len(slot) == 1 else None
    return facts.shape if facts else NUMBERS


def reconcile_wishes(wishes: Sequence[profile_model.Wish], shape: shapes.Shape = NUMBERS) -> profile_model.Wish | None:
    """One wish that meets all of these, or None.

    A floor and a ceiling can both be met by a range of values, but a setting holds one wish, so they are no match
    unless they are the same number.
    """
    if wishes and all(wish == wishes[0] for wish in wishes):
        return wishes[0]
    if shape.kind == shapes.PORTS or shape.interval:
        return _reconcile_sets(wishes, shape)
    exact = [wish.amount for wish in wishes if wish.relation == profile_model.VALUE]
    floors = [wish.amount for wish in wishes if wish.relation == profile_model.AT_LEAST]
    ceilings = [wish.amount for wish in wishes if wish.relation == profile_model.AT_MOST]
    if exact:
        amount = exact[0]
        met = (
            all(other == amount for other in exact)
            and all(_reaches(amount, floor) for floor in floors)
            and all(_reaches(ceiling, amount) for ceiling in ceilings)
        )
        return profile_model.Wish(profile_model.VALUE, amount) if met else None
    floor, ceiling = _extreme(formula.LARGEST, floors), _extreme(formula.SMALLEST, ceilings)
    if floors and ceilings:
        return profile_model.Wish(profile_model.VALUE, floor) if floor is not None and floor == ceiling else None
    if floor is not None:
        return profile_model.Wish(profile_model.AT_LEAST, floor)
    return profile_model.Wish(profile_model.AT_MOST, ceiling) if ceiling is not None else None


def _reconcile_sets(wishes: Sequence[profile_model.Wish], shape: shapes.Shape) -> profile_model.Wish | None:
    """As for numbers, with ranges and lists of ports: what holds both of two floors meets them, and what both of two ceilings hold."""
    texts: dict[str, list[str]] = {
        relation: [] for relation in (profile_model.VALUE, profile_model.AT_LEAST, profile_model.AT_MOST)
    }
    try:
        for wish in wishes:
            amount = wish.amount
            raw = list(amount) if isinstance(amount, tuple) else amount
            texts[wish.relation].append(sysctl_values.parse(t.cast(shapes.Raw, raw), shape))
    except _errors.ValueProblem:
        return None  # A number of it depends on the host, or is none.
    exact = set(texts[profile_model.VALUE])
    floor = (
        reduce(
            lambda one, other: sysctl_values.stricter(bounds.AT_LEAST, one, other, shape), texts[profile_model.AT_LEAST]
        )
        if texts[profile_model.AT_LEAST]
        else None
    )
    ceiling = (
        reduce(
            lambda one, other: sysctl_values.stricter(bounds.AT_MOST, one, other, shape), texts[profile_model.AT_MOST]
        )
        if texts[profile_model.AT_MOST]
        else None
    )
    if floor is not None and floor == ceiling:
        exact.add(floor)
    if len(exact) > 1 or (not exact and floor is not None and ceiling is not None):
        return None
    if exact:
        text = exact.pop()
        met = (floor is None or sysctl_values.satisfies(bounds.AT_LEAST, text, floor, shape)) and (
            ceiling is None or sysctl_values.satisfies(bounds.AT_MOST, text, ceiling, shape)
        )
        return profile_model.Wish(profile_model.VALUE, _amount_of(text, shape)) if met else None
    if floor is not None:
        return profile_model.Wish(profile_model.AT_LEAST, _amount_of(floor, shape))
    return profile_model.Wish(profile_model.AT_MOST, _amount_of(ceiling, shape)) if ceiling is not None else None


def _amount_of(text: str, shape: shapes.Shape) -> profile_model.Amount:
    return text if shape.kind == shapes.PORTS else tuple(int(word) for word in text.split())


# No limit is above every number that any host can come to.
_NO_LIMIT = sys.maxsize


def _terms(amount: profile_model.Amount) -> tuple[formula.Term, ...] | None:
    """The amount as numbers to compare, some of which only a host can tell, or None for a text."""
    if isinstance(amount, tuple):
        return amount
    if isinstance(amount, str):
        return (_NO_LIMIT,) if amount == profile_model.UNLIMITED else None
    return (amount,)


def _reaches(amount: profile_model.Amount, floor: profile_model.Amount) -> bool:
    """Whether each number is at least its counterpart on every host; a text, or another count of numbers, reaches nothing."""
    mine, least = _terms(amount), _terms(floor)
    if mine is None or least is None or len(mine) != len(least):
        return False
    return all(formula.choose(formula.LARGEST, pair) == pair[0] for pair in zip(mine, least))


def _extreme(which: str, amounts: Sequence[profile_model.Amount]) -> profile_model.Amount | None:
    """The largest (or smallest) of amounts, number by number; None when they differ in how many numbers they are."""
    rows = [_terms(amount) for amount in amounts]
    if not rows or None in rows or len({len(row) for row in rows if row is not None}) != 1:
        return None
    best = tuple(formula.choose(which, column) for column in zip(*(row for row in rows if row is not None)))
    if len(best) > 1:
        return best
    return profile_model.UNLIMITED if best[0] == _NO_LIMIT else best[0]


def ancestors(profile: profile_model.Profile, profiles: Mapping[str, profile_model.Profile]) -> set[str]:
    """The names of everything that a profile extends, directly or through another."""
    names = set(profile.extends)
    for parent in profile.extends:
        names |= ancestors(profiles[parent], profiles)
    return names


def _not_extended_by_others(names: Collection[str], profiles: Mapping[str, profile_model.Profile]) -> list[str]:
    """The names without those that another of them extends: such a one has had its say, and may have been overruled."""
    included = set().union(*(ancestors(profiles[name], profiles) for name in names))
    return [name for name in names if name not in included]


def _stated(profile: profile_model.Profile, profiles: Mapping[str, profile_model.Profile]) -> Statements:
    """What a profile says, inherited statements included; its own replace what it inherits."""
    stated = _union(_stated(profiles[parent], profiles) for parent in profile.extends)
    for slot, wish, reason in _slots(profile.sysctl, profile.limits):
        stated[slot] = {profile.name: Statement(profile.name, wish, reason)}
    return stated


def _union(many: Iterable[Statements]) -> Statements:
    union: Statements = {}
    for stated in many:
        for slot, by_profile in stated.items():
            union.setdefault(slot, {}).update(by_profile)
    return union


def _slots(
    sysctl: Mapping[str, profile_model.Setting], limits: Mapping[profile_model.LimitKey, profile_model.Limit]
) -> Iterable[tuple[Slot, profile_model.Wish, profile_model.Reason]]:
    for key, setting in sysctl.items():
        yield (key,), setting.wish, setting.reason
    for (target, item), limit in limits.items():
        for side, wish in (("soft", limit.soft), ("hard", limit.hard)):
            if wish is not None:
                yield (target, item, side), wish, limit.reason


def _as_settled(
    sysctl: Mapping[str, profile_model.Setting], limits: Mapping[profile_model.LimitKey, profile_model.Limit]
) -> dict[Slot, Settled]:
    """Overrides: nothing to reconcile, and a reason for those that come without one."""
    default = "Set by the play, in place of what a profile may say."
    return {
        slot: Settled(wish, [replace(reason, why=reason.why or default)])
        for slot, wish, reason in _slots(sysctl, limits)
    }


def _entry_of(slot: Slot) -> Slot:
    """What an override replaces as a whole: the key, or the limit with both its sides."""
    return slot[:2]


def _as_data(settled: Settled) -> dict[str, t.Any]:
    return {**settled.wish.data(), **_reasons_as_data(settled.reasons)}


def _reasons_as_data(reasons: Iterable[profile_model.Reason]) -> dict[str, t.Any]:
    """All reasons together, each text once, in the order given."""
    reasons = list(reasons)
    data: dict[str, t.Any] = {
        "why": " ".join(_once(reason.why for reason in reasons)),
        "source": _once(citation for reason in reasons for citation in reason.source),
    }
    hazard = " ".join(_once(reason.hazard for reason in reasons))
    return {**data, "hazard": hazard} if hazard else data


def _once(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text))


def _loser_as_data(slot: Slot, statement: Statement) -> dict[str, t.Any]:
    side = [slot[2]] if len(slot) == 3 else []
    return {
        "profile": statement.profile,
        "wanted": " ".join([*side, str(statement.wish)]),
        "why": statement.reason.why,
        "source": list(statement.reason.source),
    }


def _losers_of(entry: Slot, instead_of: Losers) -> dict[str, t.Any]:
    return {"instead_of": instead_of[entry]} if instead_of.get(entry) else {}


def _limits_as_data(
    settled: Mapping[Slot, Settled], instead_of: Losers, restarting: Collection[profile_model.LimitKey]
) -> list[dict[str, t.Any]]:
    limits = []
    for target, item in sorted({slot[:2] for slot in settled if len(slot) == 3}):
        sides = {side: settled[target, item, side] for side in ("soft", "hard") if (target, item, side) in settled}
        limits.append(
            {
                **profile_model.target_data(target),
                "item": item,
                **{side: result.wish.data() for side, result in sides.items()},
                **({"restart": True} if (target, item) in restarting else {}),
                **_reasons_as_data(reason for result in sides.values() for reason in result.reasons),
                **_losers_of((target, item), instead_of),
            }
        )
    return limits


def _contradiction(slot: Slot, statements: Sequence[Statement]) -> str:
    parties = [statement.profile for statement in statements]
    wants = [f"{party.profile} wants {party.wish} ({party.reason.why.rstrip('.')})" for party in statements]
    return (
        f"The profiles {profile_model.listed(parties)} contradict each other about {' '.join(slot)}: {'; '.join(wants)}. "
        f"Set tune_prefer (the lookup's option prefer) to {profile_model.listed(parties, 'or')}, or override the entry."
    )
