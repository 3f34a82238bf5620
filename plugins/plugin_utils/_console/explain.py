# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All that is known of one key or limit, in words for people. Pure. Private: not for use outside of ``tunefleet.linux``.

What it does comes from the catalog, what documents say and profiles want from the profiles, and what hosts have from the results of
``sysctl_info`` and ``limits_info``.
"""

from __future__ import annotations

import textwrap
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...module_utils import _errors
from ...module_utils._core import shape as shapes
from ...module_utils._limits import items
from ...module_utils._sysctl import catalog
from ...module_utils._sysctl import names as sysctl_names
from ...module_utils._sysctl import values as sysctl_values
from .._profiles import compose, validation
from .._profiles import model as profile_model

SYSCTL, LIMIT = "sysctl", "limit"

_SCOPES = {
    catalog.NETNS: "each network namespace, and so each container, has its own",
    catalog.NETNS_READ_ONLY: "one for the machine; containers may only read it",
    catalog.INIT_NETNS: "one for the machine; containers do not have it",
    catalog.GLOBAL: "one for the machine",
}
_KINDS = {shapes.PORTS: "ports and ranges", shapes.WORDS: "names", shapes.TEXT: "text"}


@dataclass(frozen=True)
class Topic:
    """What is to be explained: a sysctl key, or an item of limits.conf(5). ``known`` tells whether the collection knows of it."""

    kind: str
    name: str
    known: bool
    hint: str = ""


@dataclass(frozen=True)
class Statement:
    """What one profile says about the topic."""

    profile: str
    wish: str
    reason: profile_model.Reason


class Texts(t.NamedTuple):
    """What profiles refer to: sources that any of them may name, and what some of them say on which line."""

    sources: Mapping[str, profile_model.Source]
    quotes: profile_model.Quotes = {}


def topic_of(name: str, profiles: Mapping[str, profile_model.Profile]) -> Topic:
    """What a typed name stands for. The last word of a key is enough where only one known key has it.

    :raises ProfileProblem: when it can be no name at all, or is short for several.
    """
    name = name.strip()
    if name in items.ITEMS:
        return Topic(LIMIT, name, True)
    known = {*catalog.names(), *(key for profile in profiles.values() for key in profile.sysctl)}
    short = sorted(key for key in known if key.endswith(f".{name}"))
    if name and "." not in name and "/" not in name:
        if len(short) == 1:
            return Topic(SYSCTL, short[0], True)
        if short:
            raise profile_model.ProfileProblem(
                f"{name!r} is short for several keys: {profile_model.listed(short)}. Name one of them."
            )
        words = {key.rpartition(".")[2]: key for key in known}
        hint = validation.suggest(name, [*words, *items.ITEMS])
        raise profile_model.ProfileProblem(
            f"{name!r} is neither a key nor an item of limits.conf(5) that is known{hint}"
        )
    try:
        key = sysctl_names.canonical(name)
    except _errors.NameProblem as problem:
        raise profile_model.ProfileProblem(str(problem)) from problem
    if key in known or catalog.find(key):
        return Topic(SYSCTL, key, True)
    return Topic(SYSCTL, key, False, validation.suggest(key, known))


def explain(
    topic: Topic,
    profiles: Mapping[str, profile_model.Profile],
    texts: Texts,
    hosts: Mapping[str, Mapping[str, t.Any]],
    width: int = 80,
) -> list[str]:
    """The explanation as lines.

    :param profiles: all of them, by name. :param hosts: what ``sysctl_info`` (or ``limits_info``) returned, by host.
    :raises ProfileProblem: when neither the collection nor any of the hosts knows the key.
    """
    if not topic.known and not any(_has(host) for host in hosts.values()):
        raise profile_model.ProfileProblem(f"{topic.name!r} is no key that the collection or a host knows{topic.hint}")
    page = _Page(width)
    page.add(topic.name)
    _what_it_does(page, topic)
    stated = _statements(topic, profiles)
    own = {name: source for profile in profiles.values() for name, source in profile.sources.items()}
    _documents(page, stated, texts._replace(sources={**texts.sources, **own}))
    literal = [entry for entry in stated if entry.profile in texts.quotes or profiles[entry.profile].audit_only]
    _wishes(page, "What the profiles want", [entry for entry in stated if entry not in literal], profiles)
    if literal:
        _wishes(page, "Word for word, to compare hosts with", literal, profiles)
    _hosts(page, topic, hosts)
    return page.lines


class _Page:
    """Collects lines, wrapped."""

    def __init__(self, width: int) -> None:
        self.lines: list[str] = []
        self._width = width

    def heading(self, text: str) -> None:
        self.lines += ["", text]

    def add(self, text: str, indent: int = 0, hang: int = 0) -> None:
        self.lines += textwrap.wrap(
            text,
            self._width,
            initial_indent=" " * indent,
            subsequent_indent=" " * (indent + hang),
            break_long_words=False,
            break_on_hyphens=False,
        )

    def field(self, name: str, text: str, indent: int = 2) -> None:
        """A word and what there is to say to it, the texts of several in one column."""
        self.add(f"{name.ljust(9)} {text}", indent, 10)


def _what_it_does(page: _Page, topic: Topic) -> None:
    if topic.kind == LIMIT:
        page.add(f"An item of limits.conf(5), counted in {items.ITEMS[topic.name]}.", 2)
        page.add("Rules of limits.conf(5) hold for new login sessions; services take what systemd gives them.", 2)
        return
    facts = catalog.find(topic.name)
    if facts is None:
        page.add("The collection knows no more of it than what the hosts show.", 2)
        return
    page.add(facts.about, 2)
    if facts.note:
        page.add(f"{facts.note[0].upper()}{facts.note[1:]}.", 2)
    page.field("takes", ", ".join(part for part in (_takes(facts.shape), facts.unit) if part))
    defaults = [
        text + (f" since {_version(since)}" if since != (0, 0) else "") for since, text in facts.defaults if text
    ]
    if facts.computed:
        defaults.append("computed at boot")
    if defaults:
        page.field("default", ", ".join(defaults))
    page.field("scope", _SCOPES[facts.scope])
    for word, version in (("since", facts.since), ("gone", facts.removed), ("ignored", facts.no_effect)):
        if version:
            page.field(word, f"since {_version(version)}" if word != "since" else _version(version))
    along = [other for other in catalog.side_effects_of(topic.name) if other != topic.name]
    if along:
        page.field("along", f"a change may change {profile_model.listed(along)}")
    module = catalog.module_of(topic.name)
    if module:
        page.field("module", f"appears once the kernel module {module} is loaded")


def _takes(shape: shapes.Shape) -> str:
    if shape.kind != shapes.INTEGERS:
        return _KINDS[shape.kind]
    count = "" if shape.length == 1 else f"{shape.length or 'several'} numbers "
    span = sysctl_values.span(shape)
    return (count + (span or "any number")) + ("" if shape.enforced else " (the kernel checks nothing)")


def _version(version: tuple[int, int]) -> str:
    return f"Linux {version[0]}.{version[1]}"


def _statements(topic: Topic, profiles: Mapping[str, profile_model.Profile]) -> list[Statement]:
    found = []
    for name in sorted(profiles):
        profile = profiles[name]
        if topic.kind == SYSCTL and topic.name in profile.sysctl:
            setting = profile.sysctl[topic.name]
            found.append(Statement(name, str(setting.wish), setting.reason))
        for (domain, item), limit in profile.limits.items():
            if topic.kind == LIMIT and item == topic.name:
                found.append(Statement(name, f"{_sides(limit.soft, limit.hard)} for {domain}", limit.reason))
    return found


def _sides(soft: profile_model.Wish | None, hard: profile_model.Wish | None) -> str:
    if soft is not None and str(soft) == str(hard):
        return f"soft and hard {soft}"
    return ", ".join(f"{side} {wish}" for side, wish in (("soft", soft), ("hard", hard)) if wish is not None)


def _documents(page: _Page, stated: Sequence[Statement], texts: Texts) -> None:
    """Each text with the lines that profiles name of it, and what stands there as far as that is known."""
    lines: dict[str, set[int]] = {}
    for statement in stated:
        for citation in statement.reason.source:
            name, _colon, line = citation.partition(":")
            if line:
                lines.setdefault(name, set()).add(int(line))
    if not lines:
        return
    page.heading("What the documents say")
    for name in sorted(lines):
        page.add(f"{name}: {texts.sources[name].title}", 2, 4)
        quoted = texts.quotes.get(name, {})
        for number in sorted(lines[name]):
            _say(page, number, quoted.get(number))


def _say(page: _Page, line: int, quote: profile_model.Quote | None) -> None:
    english = quote.english if quote else ""
    page.field(f"line {line}", english or (quote.text if quote else ""), 4)
    if quote and english:
        page.field("", f"({quote.text})", 4)


def _wishes(
    page: _Page, title: str, stated: Sequence[Statement], profiles: Mapping[str, profile_model.Profile]
) -> None:
    page.heading(title)
    if not stated:
        page.add("No profile speaks of it.", 2)
    for statement in stated:
        page.add(f"{statement.profile}: {statement.wish}", 2, 2)
        page.add(statement.reason.why, 4)
        if statement.reason.hazard:
            page.add(f"HAZARD: {statement.reason.hazard}", 4)
        if statement.reason.source:
            page.add(f"Source: {', '.join(statement.reason.source)}", 4, 2)
        heirs = [name for name in sorted(profiles) if statement.profile in compose.ancestors(profiles[name], profiles)]
        if heirs:
            page.add(f"Also part of {profile_model.listed(heirs)}.", 4, 2)


def _has(result: Mapping[str, t.Any]) -> bool:
    return any(entry.get("status") != "unknown" for entry in result.get("settings") or ())


def _hosts(page: _Page, topic: Topic, hosts: Mapping[str, Mapping[str, t.Any]]) -> None:
    said: dict[tuple[str, ...], list[str]] = {}
    for host in sorted(hosts):
        said.setdefault(tuple(_state(topic, hosts[host])), []).append(host)
    for lines, names in sorted(said.items(), key=lambda group: (-len(group[1]), group[1])):
        page.heading(f"What {_few(names)} {'has' if len(names) == 1 else 'have'}")
        for line in lines:
            name, _tab, text = line.partition("\t")
            page.field(name, text)


def _few(names: Sequence[str]) -> str:
    return profile_model.listed([*names[:4], f"{len(names) - 4} more"] if len(names) > 5 else names)


def _state(topic: Topic, result: Mapping[str, t.Any]) -> list[str]:
    """Name and text of what there is to say of one host, with a tab between them."""
    if not result or result.get("failed") or result.get("unreachable"):
        return [f"unknown\tit could not be asked: {result.get('msg') or 'no answer'}"]
    if topic.kind == LIMIT:
        return list(_limit_state([entry for entry in result.get("limits") or () if entry.get("item") == topic.name]))
    return [line for entry in result.get("settings") or () for line in _setting_state(entry)]


def _setting_state(entry: Mapping[str, t.Any]) -> Iterable[str]:
    boot, file = entry["boot"], entry["file"]
    yield f"live\t{_or_none(entry['live']['after'])}"
    yield f"on file\t{_or_none(file['after'])} in {file['path']}"
    if boot["value"] is None:
        yield f"at boot\t{boot['winner'] or 'nothing'}"
    else:
        yield f"at boot\t{boot['value']}, from {boot['winner']}"
    for other in boot.get("others") or ():
        yield f"\t{_or_none(other['value'])}, from {other['winner']}, if the host boots with {other['reader']}"
    if entry.get("files"):
        yield f"lines\t{', '.join(entry['files'])}"
    if entry.get("status") != "ok" or entry.get("reason"):
        yield f"{str(entry['status']).replace('ok', 'note')}\t{entry.get('reason') or ''}"


def _limit_state(limits: Sequence[Mapping[str, t.Any]]) -> Iterable[str]:
    """Sessions, then what systemd gives services, then the units that have limits of their own."""
    kinds = {
        kind: [limit for limit in limits if kind in limit["target"]]
        for kind in ("user", "domain", "process", "manager", "unit")
    }
    sessions = [
        f"{_target(entry)}: {_in_force(entry)}" for kind in ("user", "domain", "process") for entry in kinds[kind]
    ]
    services = [_of_manager(entry) for entry in kinds["manager"]]
    services += [f"{_target(entry)}: {_in_force(entry)}" for entry in kinds["unit"]]
    yield from _column("sessions", sessions or ["no rule: each has what the program that starts it has"])
    yield from _column("services", services)


def _column(title: str, lines: Iterable[str]) -> Iterable[str]:
    """The lines behind one title."""
    return (f"{'' if number else title}\t{line}" for number, line in enumerate(lines))


def _target(entry: Mapping[str, t.Any]) -> str:
    return " ".join(map(str, entry["target"].values()))


def _of_manager(entry: Mapping[str, t.Any]) -> str:
    where = "" if entry["rule"]["hard"] else f" ({entry.get('set_by')})"
    return f"{'by default' if entry['target']['manager'] == 'system' else 'of users'}: {_in_force(entry)}{where}"


def _in_force(entry: Mapping[str, t.Any]) -> str:
    """What starts anew gets, by which line, and what runs now where that is something else."""
    rule, live = entry["rule"], entry.get("live") or {}
    sides = {side: f"{side} {_or_none(entry['effective'].get(side))}" for side in ("soft", "hard")}
    if rule["soft"] == rule["hard"]:
        text = ", ".join(sides.values()) + (f" ({rule['soft']})" if rule["soft"] else "")
    else:
        text = ", ".join(f"{sides[side]} ({rule[side] or 'no rule'})" for side in sides)
    if live.get("hard") is not None and live != entry["effective"]:
        text += f"; what runs has soft {live['soft']}, hard {live['hard']}, set by {entry.get('set_by')}"
    return text + (f"; {entry['reason']}" if entry.get("reason") else "")


def _or_none(value: t.Any) -> str:
    return "none" if value is None or value == "" else str(value)
