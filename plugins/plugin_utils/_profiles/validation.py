# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks plain data and makes profiles of it. Private: not for use outside of ``tunefleet.linux``.

Every function here notes what is wrong and goes on, so that one run names every mistake of a file. Values are held against what is
known of a key; the module on the host does so again, and knows what this kernel has.
"""

from __future__ import annotations

import difflib
import re
import typing as t
from collections.abc import Callable, Collection, Mapping

from ...module_utils import _errors
from ...module_utils._core import formula
from ...module_utils._core import limit as limit_types
from ...module_utils._core import shape as shapes
from ...module_utils._limits import items, targets
from ...module_utils._sysctl import catalog
from ...module_utils._sysctl import names as sysctl_names
from ...module_utils._sysctl import values as sysctl_values
from . import model as profile_model
from . import yaml_lines

RELATIONS = (profile_model.VALUE, profile_model.AT_LEAST, profile_model.AT_MOST)
REASON_FIELDS = ("why", "source", "hazard")
SETTING_FIELDS = (*RELATIONS, *REASON_FIELDS)
LIMIT_FIELDS = (*limit_types.TARGETS, "item", "soft", "hard", "restart", *REASON_FIELDS)
PROFILE_FIELDS = ("title", "summary", "extends", "sources", "sysctl", "limits", "apply")
SOURCE_FIELDS = ("title", "address")

AUDIT_ONLY = "audit_only"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_CITATION = re.compile(r"([a-z][a-z0-9_]*)(:[1-9][0-9]*)?")
# The limits whose numbers go below zero; for any other, limits.conf(5) reads -1 as "unlimited".
_SIGNED_ITEMS = ("nice", "priority")


def is_profile_name(name: t.Any) -> bool:
    """Whether this can be the name of a profile, and so of a file or role."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def suggest(word: str, known: Collection[str]) -> str:
    """``; did you mean 'x'?`` when a known word is near, a plain full stop otherwise."""
    # A little stricter than by default, by which 'typo' is near to 'rtprio'.
    found = difflib.get_close_matches(word, known, n=2, cutoff=0.65)
    return f"; did you mean {profile_model.listed([repr(name) for name in found], 'or')}?" if found else "."


def check_profile(
    name: str, document: yaml_lines.Document, shared_sources: Mapping[str, profile_model.Source]
) -> profile_model.Profile:
    """Make a profile of a file's data.

    :raises ProfileProblem: with one sentence for each mistake.
    """
    check = _Validator(document.place)
    profile = check.profile(name, document, shared_sources)
    check.done()
    return profile


def check_sources(document: yaml_lines.Document) -> dict[str, profile_model.Source]:
    """The texts that every profile may refer to."""
    check = _Validator(document.place)
    sources = check.sources((), document.data, {})
    check.done()
    return sources


def check_overrides(
    sysctl: t.Any, limits: t.Any
) -> tuple[dict[str, profile_model.Setting], dict[profile_model.LimitKey, profile_model.Limit]]:
    """What a play sets in place of the profiles' entries; why and source may be left out here."""
    check = _Validator(lambda path: " > ".join(map(str, path[:2])))
    settings = check.settings(("sysctl",), sysctl, None)
    rules = check.limits(("limits",), limits, None)
    check.done()
    return settings, rules


class _Validator:
    """Collects problems while data is turned into entries. A method that found one returns a stand-in and goes on.

    ``declared`` is the sources that an entry may refer to; None says that entries need neither ``why`` nor ``source``.
    """

    def __init__(self, place: Callable[[yaml_lines.Path], str]) -> None:
        self._place = place
        self._problems: list[str] = []

    def done(self) -> None:
        if self._problems:
            raise profile_model.ProfileProblem(*self._problems)

    def wrong(self, path: yaml_lines.Path, sentence: str) -> None:
        self._problems.append(f"{self._place(path)}: {sentence}")

    # Shapes

    def mapping(
        self, path: yaml_lines.Path, data: t.Any, what: str, fields: Collection[str] | None = None
    ) -> Mapping[str, t.Any]:
        """The data itself if it is a mapping with known fields; an empty one after a problem."""
        if not isinstance(data, Mapping):
            self.wrong(path, f"{what} must be a mapping, found {_found(data)}.")
            return {}
        if fields is None:
            return data
        for key in data:
            if key not in fields:
                known = profile_model.listed(sorted(fields))
                self.wrong((*path, key), f"{what} has no field {key!r}{suggest(str(key), fields)} It may have {known}.")
        return data

    def sequence(self, path: yaml_lines.Path, data: t.Any, what: str) -> list[t.Any]:
        if isinstance(data, (list, tuple)):
            return list(data)
        self.wrong(path, f"{what} must be a list, found {_found(data)}.")
        return []

    def text(self, path: yaml_lines.Path, data: t.Any, what: str) -> str:
        if isinstance(data, str) and data.strip():
            return " ".join(data.split())
        self.wrong(path, f"{what} must be a text, found {_found(data)}.")
        return ""

    def required_text(self, path: yaml_lines.Path, data: Mapping[str, t.Any], field: str, what: str) -> str:
        if field not in data:
            self.wrong(path, f"{what} has no {field!r}; every one needs it.")
            return ""
        return self.text((*path, field), data[field], f"{field!r}")

    # The file

    def profile(
        self, name: str, document: yaml_lines.Document, shared_sources: Mapping[str, profile_model.Source]
    ) -> profile_model.Profile:
        data = self.mapping((), document.data, "a profile", PROFILE_FIELDS)
        sources = self.sources(("sources",), data.get("sources", {}), shared_sources)
        declared = {*shared_sources, *sources}
        return profile_model.Profile(
            name=name,
            path=document.name,
            title=self.required_text((), data, "title", "the profile"),
            summary=self.required_text((), data, "summary", "the profile"),
            extends=self.extends(("extends",), data.get("extends", [])),
            audit_only=self.audit_only(("apply",), data.get("apply", True)),
            sources=sources,
            sysctl=self.settings(("sysctl",), data.get("sysctl", {}), declared),
            limits=self.limits(("limits",), data.get("limits", []), declared),
        )

    def extends(self, path: yaml_lines.Path, data: t.Any) -> tuple[str, ...]:
        names = self.sequence(path, data, "'extends'")
        for index, name in enumerate(names):
            if not is_profile_name(name):
                self.wrong((*path, index), f"'extends' must list names of profiles, found {_found(name)}.")
        return tuple(name for name in names if is_profile_name(name))

    def audit_only(self, path: yaml_lines.Path, data: t.Any) -> bool:
        if data is not True and data != AUDIT_ONLY:
            self.wrong(path, f"'apply' must be true or {AUDIT_ONLY}, found {_found(data)}.")
        return data is not True

    def sources(
        self, path: yaml_lines.Path, data: t.Any, shared: Mapping[str, profile_model.Source]
    ) -> dict[str, profile_model.Source]:
        sources = {}
        for name, entry in self.mapping(path, data, "'sources'").items():
            here = (*path, name)
            if not _CITATION.fullmatch(name) or ":" in name:
                self.wrong(here, f"the source {name!r} must be named with small letters, digits and underscores.")
            if name in shared:
                self.wrong(
                    here, f"the source {name!r} is declared for every profile already; use it, or choose another name."
                )
            fields = self.mapping(here, entry, "a source", SOURCE_FIELDS)
            what = f"the source {name!r}"
            title, address = (self.required_text(here, fields, field, what) for field in SOURCE_FIELDS)
            sources[name] = profile_model.Source(title, address)
        return sources

    # Entries

    def settings(
        self, path: yaml_lines.Path, data: t.Any, declared: Collection[str] | None
    ) -> dict[str, profile_model.Setting]:
        settings: dict[str, profile_model.Setting] = {}
        for name, entry in self.mapping(path, data, "'sysctl'").items():
            here = (*path, name)
            try:
                key = sysctl_names.canonical(name)
            except _errors.NameProblem as problem:
                self.wrong(here, str(problem))
                continue
            if key in settings:
                self.wrong(here, f"{key} is given twice, in two spellings; keep one.")
            fields = (
                self.mapping(here, entry, key, SETTING_FIELDS)
                if isinstance(entry, Mapping)
                else {profile_model.VALUE: entry}
            )
            given = {field: fields[field] for field in RELATIONS if field in fields}
            wish = self.wish(here, given, key, _ports if _takes_ports(key) else _amount)
            self.legal(here, key, wish)
            settings[key] = profile_model.Setting(wish, self.reason(here, fields, key, declared))
        return settings

    def legal(self, path: yaml_lines.Path, key: str, wish: profile_model.Wish) -> None:
        """Hold a value against what is known of its key, as the host will; what depends on the host is known there alone."""
        facts = catalog.find(key)
        terms = wish.amount if isinstance(wish.amount, tuple) else (wish.amount,)
        if facts is None or not all(isinstance(term, (int, str)) for term in terms):
            return
        if facts.action:
            self.wrong(path, f"a write to {key} triggers an action and leaves nothing to keep.")
            return
        try:
            # Each number of a bound is one of its own.
            shape = facts.shape._replace(ascending=facts.shape.ascending and wish.relation == "value")
            sysctl_values.parse(t.cast(shapes.Raw, list(terms) if len(terms) > 1 else terms[0]), shape)
        except _errors.ValueProblem as problem:
            self.wrong(path, f"{key}: {problem} (legal: {catalog.legal(key, facts.shape)}).")

    def limits(
        self, path: yaml_lines.Path, data: t.Any, declared: Collection[str] | None
    ) -> dict[profile_model.LimitKey, profile_model.Limit]:
        limits: dict[profile_model.LimitKey, profile_model.Limit] = {}
        for index, entry in enumerate(self.sequence(path, data, "'limits'")):
            here = (*path, index)
            fields = self.mapping(here, entry, "a limit", LIMIT_FIELDS)
            target = self.target(here, fields)
            item = self.required_text(here, fields, "item", "the limit")
            what = f"the limit {target} {item}"
            self.known_item((*here, "item"), item)
            if (target, item) in limits:
                self.wrong(here, f"{what} is given twice; keep one entry with 'soft', 'hard' or both.")
            soft, hard = (
                self.bound((*here, side), fields[side], item) if side in fields else None for side in ("soft", "hard")
            )
            if fields and soft is None and hard is None:
                self.wrong(here, f"{what} has neither 'soft' nor 'hard'; it needs at least one.")
            restart = self.restart((*here, "restart"), fields, target)
            limits[target, item] = profile_model.Limit(soft, hard, self.reason(here, fields, what, declared), restart)
        return limits

    def target(self, path: yaml_lines.Path, fields: Mapping[str, t.Any]) -> str:
        """Whom a limit is for; the name is checked as the module on the host does it."""
        given = [kind for kind in limit_types.TARGETS if kind in fields]
        if len(given) != 1:
            found = f"found {profile_model.listed(given)}" if given else "found none"
            self.wrong(
                path, f"a limit needs exactly one of {profile_model.listed(limit_types.TARGETS, 'or')}, {found}."
            )
            return ""
        name = self.required_text(path, fields, given[0], "the limit")
        try:
            kind, name = targets.parse_target({given[0]: name}) if name else (given[0], name)
        except _errors.ValueProblem as problem:
            self.wrong((*path, given[0]), f"{problem}.")
            return ""
        return profile_model.target_text(kind, name)

    def restart(self, path: yaml_lines.Path, fields: Mapping[str, t.Any], target: str) -> bool:
        data = fields.get("restart", False)
        if not isinstance(data, bool):
            self.wrong(path, f"'restart' must be true or false, found {_found(data)}.")
        elif data and not target.startswith(f"{limit_types.UNIT} "):
            self.wrong(path, "'restart' goes with a unit only; nothing else is ever restarted.")
        return data is True

    def known_item(self, path: yaml_lines.Path, item: str) -> None:
        if item and item not in items.ITEMS:
            known = profile_model.listed(sorted(items.ITEMS))
            self.wrong(
                path, f"{item!r} is not an item of limits.conf(5){suggest(item, items.ITEMS)} Known are {known}."
            )

    def bound(self, path: yaml_lines.Path, data: t.Any, item: str) -> profile_model.Wish:
        def amount(found: t.Any) -> profile_model.Amount:
            value = _bound_amount(found, signed=item in _SIGNED_ITEMS)
            return items.number(value, item) if isinstance(value, int) else value

        what = f"'{path[-1]}'"
        fields = self.mapping(path, data, what, RELATIONS) if isinstance(data, Mapping) else {profile_model.VALUE: data}
        return self.wish(path, fields, what, amount)

    def wish(
        self,
        path: yaml_lines.Path,
        fields: Mapping[str, t.Any],
        what: str,
        read: Callable[[t.Any], profile_model.Amount],
    ) -> profile_model.Wish:
        given = [relation for relation in RELATIONS if relation in fields]
        stand_in = profile_model.Wish(profile_model.VALUE, 0)
        if len(given) != 1:
            found = f"found {profile_model.listed(given)}" if given else "found none"
            self.wrong(path, f"{what} needs exactly one of {profile_model.listed(RELATIONS, 'or')}, {found}.")
            return stand_in
        relation = given[0]
        here = (*path, relation)
        try:
            amount = read(fields[relation])
        except ValueError as problem:
            self.wrong(here, f"{what} {problem}")
            return stand_in
        except _errors.ValueProblem as problem:
            self.wrong(here, f"{what}: {problem}.")
            return stand_in
        if (
            relation != profile_model.VALUE
            and isinstance(amount, str)
            and amount != profile_model.UNLIMITED
            and read is not _ports
        ):
            self.wrong(
                here, f"{what} compares numbers with {relation!r}, found the text {amount!r}; use 'value' for a text."
            )
        return profile_model.Wish(relation, amount)

    def reason(
        self, path: yaml_lines.Path, fields: Mapping[str, t.Any], what: str, declared: Collection[str] | None
    ) -> profile_model.Reason:
        required = declared is not None
        why = self.required_text(path, fields, "why", what) if required or "why" in fields else ""
        if required and "source" not in fields:
            self.wrong(path, f"{what} has no 'source'; every one needs it.")
        source = tuple(
            self.citation((*path, "source", index), citation, declared)
            for index, citation in enumerate(self.sequence((*path, "source"), fields.get("source", []), "'source'"))
        )
        if required and fields.get("source") == []:
            self.wrong((*path, "source"), f"{what} has an empty 'source'; name at least one.")
        hazard = self.text((*path, "hazard"), fields["hazard"], "'hazard'") if "hazard" in fields else ""
        return profile_model.Reason(why, source, hazard)

    def citation(self, path: yaml_lines.Path, data: t.Any, declared: Collection[str] | None) -> str:
        match = _CITATION.fullmatch(data) if isinstance(data, str) else None
        if match is None:
            self.wrong(
                path,
                f"'source' must list the ids of sources, alone or with a line (as in memo_ko:45), found {_found(data)}.",
            )
        elif declared is not None and match[1] not in declared:
            self.wrong(path, f"the source {match[1]!r} is not declared under 'sources'{suggest(match[1], declared)}")
        return str(data)


def _found(data: t.Any) -> str:
    """What a sentence says was found."""
    if data is None:
        return "nothing"
    if isinstance(data, bool):
        return f"the boolean {str(data).lower()}"
    if isinstance(data, Mapping):
        return "a mapping"
    if isinstance(data, (list, tuple)):
        return "a list"
    if isinstance(data, str):
        return f"the text {data!r}"
    return f"{data} ({type(data).__name__})"


def _takes_ports(key: str) -> bool:
    facts = catalog.find(key)
    return facts is not None and facts.shape.kind == shapes.PORTS


def _ports(data: t.Any) -> profile_model.Amount:
    """The amount of a setting that is a list of ports, in the kernel's own spelling.

    :raises ValueProblem: when it is none, with a half sentence.
    """
    return sysctl_values.parse(data, shapes.Shape(shapes.PORTS))


def _amount(data: t.Any) -> profile_model.Amount:
    """The amount of a sysctl setting.

    :raises ValueError: with the rest of a sentence that begins with the key.
    :raises ValueProblem: when it is a mapping that is no formula, with a half sentence.
    """
    if isinstance(data, Mapping):
        return formula.read(data)
    if isinstance(data, (list, tuple)):
        numbers = tuple(_term(number) for number in data)
        if not numbers:
            raise ValueError("must list at least one number, found an empty list.")
        return numbers[0] if len(numbers) == 1 else numbers
    if isinstance(data, str):
        words = data.split()
        if not words:
            raise ValueError("must be a number, a text or a list of numbers, found an empty text.")
        if not data.isprintable() and "\t" not in data:
            raise ValueError(f"must be one line of text, found {data!r}.")
        if all(map(_INTEGER.fullmatch, words)):
            return _amount([int(word) for word in words])
        return " ".join(words)
    return _whole(data, "must be a number, a text or a list of numbers")


def _term(data: t.Any) -> formula.Term:
    return formula.read(data) if isinstance(data, Mapping) else _whole(data, "must list whole numbers")


def _bound_amount(data: t.Any, signed: bool) -> profile_model.Amount:
    """The amount of one side of a limit; same contract as ``_amount``."""
    if data == profile_model.UNLIMITED:
        return profile_model.UNLIMITED
    if isinstance(data, Mapping):
        return formula.read(data)
    number = _whole(data, f"must be a whole number or {profile_model.UNLIMITED!r}")
    if number < 0 and not signed:
        raise ValueError(f"must not be below zero, found {number}; write {profile_model.UNLIMITED!r} for no limit.")
    return number


def _whole(data: t.Any, must: str) -> int:
    if isinstance(data, bool):
        raise ValueError(f"{must}, found {_found(data)}; write 1 or 0.")
    if isinstance(data, int):
        return int(data)
    if isinstance(data, str) and _INTEGER.fullmatch(data):
        return int(data)
    raise ValueError(f"{must}, found {_found(data)}.")
