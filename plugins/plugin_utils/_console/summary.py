# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run of profiles did, in words for people. Pure. Private: not for use outside of ``tunefleet.linux``.

The report is about settings, not about tasks: hosts that say the same are one line, and its length is bounded however many hosts
there are. Nothing here prints or colours; a line carries the *tone* in which the caller may print it.
"""

from __future__ import annotations

import re
import textwrap
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ...module_utils import _messages

# Tones.
PLAIN, HEAD, GOOD, CHANGE, WARN, BAD = "plain", "head", "good", "change", "warn", "bad"

# States of an outcome.
DONE, FAILED, UNREACHABLE = "done", "failed", "unreachable"
# A host that is well itself, in a batch that is not; and one to which a roll-out did not come.
REVERTED, NOT_BEGUN = "reverted", "not begun"

# How a host of a batch ends, as the action "gate" tells it.
APPLIED, NOT_REVERTED, NOT_CONFIRMED, UNTOUCHED = "applied", "NOT reverted", "NOT confirmed", "not touched"

UNAVAILABLE: t.Final[Mapping[str, str]] = {
    "removed": "the kernel does not have this key any more",
    "unknown": "this kernel has no such key",
    "needs_module": "a kernel module is not loaded",
    "not_namespaced": "it belongs to the machine and cannot be set from in here",
    "read_only": "it cannot be written here",
    "no_effect": "this kernel ignores it",
}

# How much is shown of what many hosts say differently.
MAX_ROWS = 20
MAX_HOSTS_NAMED = 3
MAX_VARIANTS = 3
MAX_ITEMS = 100
MAX_BLOCKS = 20


class Line(t.NamedTuple):
    text: str
    tone: str = PLAIN


@dataclass(frozen=True)
class Outcome:
    """What came of one profile on one host. ``result`` is what the module returned, or as much of it as there is."""

    host: str
    state: str = DONE
    check: bool = False
    result: Mapping[str, t.Any] = field(default_factory=dict)

    @property
    def profile(self) -> str:
        return str(self.result.get("name") or "")

    @property
    def reverted(self) -> bool:
        """Whether the profile was taken back, not applied."""
        return self.result.get("state") in ("reverted", "withdrawn")

    @property
    def entries(self) -> list[Mapping[str, t.Any]]:
        """Settings and limits; nothing for a host whose changes were not made or were taken back."""
        if self.state != DONE:
            return []
        return [*self.result.get("settings", []), *self.result.get("limits", [])]

    @property
    def differs(self) -> bool:
        """Whether the host was changed, or in check mode would be."""
        return self.state == DONE and any(entry.get("status") == "changed" for entry in self.entries)

    @property
    def overruled(self) -> bool:
        """Whether another file takes something back at the next boot, or in the next session."""
        return any(entry.get("shadowed") or entry.get("shadowed_by") for entry in self.entries)

    def count(self, status: str) -> int:
        return sum(_counts_as(entry) == status for entry in self.entries)


@dataclass(frozen=True)
class Batch:
    """Hosts that a play worked on together, because of its C(serial).

    ``everyone`` are the hosts of all batches. ``ended`` says of a host how it ended, where the action "gate" told it, and
    ``problems`` what was wrong with it.
    """

    hosts: Sequence[str]
    everyone: Sequence[str]
    ended: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """One thing to report: what it is about (a sentence says so itself), what there is to say, and on which host."""

    name: str
    text: str
    host: str


def render(
    outcomes: Sequence[Outcome],
    width: int = 100,
    commands: Sequence[tuple[str, str]] = (),
    batches: Sequence[Batch] = (),
) -> list[Line]:
    """The report of a whole run.

    :param outcomes: one for each host and profile.
    :param width: how many characters fit into a line.
    :param commands: what to type to see more, as (what it shows, command).
    :param batches: those that were begun, in their order.
    """
    outcomes = sorted(outcomes, key=lambda outcome: (_natural(outcome.host), outcome.profile))
    page = _Page(width, [outcome.host for outcome in outcomes])
    checked = all(outcome.check for outcome in outcomes)
    headlines(page, outcomes)
    batch_list(page, batches, outcomes)
    table(page, outcomes)
    failures(page, outcomes)
    page.items("Would change" if checked else "Changed", CHANGE, _changes(outcomes))
    page.items("Could not be set here", WARN, _unavailable(outcomes))
    page.items("Instead of what a profile wants", PLAIN, _choices(outcomes))
    page.sentences("Memory for connections", PLAIN, _costs(outcomes))
    page.sentences("Warnings", WARN, _warnings(outcomes))
    page.sentences("Before all of it holds" if not checked else "Needed after an apply", WARN, _needs(outcomes))
    next_steps(page, commands)
    return page.lines


def rolled_out(outcomes: Sequence[Outcome], batches: Sequence[Batch]) -> list[Outcome]:
    """The outcomes with what became of a host afterwards, and with the hosts to which the roll-out did not come."""
    final = []
    for outcome in outcomes:
        batch = next((entry for entry in batches if outcome.host in entry.ended), None)
        final.append(outcome if batch is None else _ended(outcome, batch))
    profile = next((outcome.profile for outcome in outcomes if outcome.profile), "")
    known = {outcome.host for outcome in outcomes}
    for host in dict.fromkeys(host for batch in batches for host in batch.everyone if host not in known):
        batch = next((entry for entry in batches if host in entry.hosts), Batch((), ()))
        if host in batch.ended or not batch.hosts:
            final.append(_ended(Outcome(host, NOT_BEGUN, result={"name": profile}), batch))
    return final


def _ended(outcome: Outcome, batch: Batch) -> Outcome:
    problem, ended = batch.problems.get(outcome.host), batch.ended.get(outcome.host)
    payload = {"name": outcome.profile, "not_undone": outcome.result.get("not_undone")}
    if problem:
        state = UNREACHABLE if outcome.state == UNREACHABLE else FAILED
        return Outcome(outcome.host, state, outcome.check, {**payload, "msg": f"{problem[:1].upper()}{problem[1:]}"})
    return Outcome(outcome.host, REVERTED, outcome.check, payload) if ended == REVERTED else outcome


def batch_progress(batch: Batch, number: int, width: int = 100, check: bool = False) -> Line:
    """One line as soon as a batch is through."""
    text = f"Batch {number}: {_endings(batch, {}, check)}"
    return Line(textwrap.shorten(text, width, placeholder=" ..."), BAD if batch.problems else GOOD)


def progress(outcome: Outcome, width: int = 100, again: bool = False) -> Line:
    """One line as soon as a host is through.

    :param again: whether the host has such a line already, for another profile.
    """
    who = f"{outcome.host} ({outcome.profile})" if again and outcome.profile else outcome.host
    if outcome.state != DONE:
        message = plain_message(outcome.result)
        return Line(textwrap.shorten(f"{who}: {outcome.state}: {message}", width, placeholder=" ..."), BAD)
    counts = [
        f"{outcome.count(status)} {_column_title(status, outcome.check)}" for status in COLUMNS if outcome.count(status)
    ]
    return Line(f"{who}: {', '.join(counts) or 'nothing to do'}", CHANGE if outcome.differs else GOOD)


def report_files(result: Mapping[str, t.Any], width: int = 100, payload: bool = True) -> list[Line]:
    """The end of an audit: the files of its report, or why there are none.

    :param result: what the action ``report`` returned.
    :param told: whether what the report says was said already.
    """
    page = _Page(width, [])
    page.heading("Report")
    lines = [] if payload else result.get("report") or ()
    for line in map(str, lines):
        page.add(line, indent="  ")
    # Not wrapped: a path is there to be copied.
    page.lines.extend(Line(f"  {path}") for path in result.get("files") or ())
    if result.get("failed"):
        page.add(plain_message(result), BAD, indent="  ")
    return page.lines


def plain_message(result: Mapping[str, t.Any]) -> str:
    """The sentence that a person needs, without what ansible-core of several versions wraps around it."""
    message = str(result.get("msg") or "no reason was given")
    lookups = [f"The lookup plugin 'tunefleet.linux.{name}' failed: " for name in ("profile", "explain")]
    for wrapping in ("Task failed: ", "Action failed: ", *lookups, "original message: "):
        message = message.rpartition(wrapping)[2]
    # What a crashed or never started module left behind; its last line says why.
    output = str(result.get("module_stderr") or result.get("module_stdout") or "").strip()
    return "\n".join([message.strip(), *output.splitlines()[-1:]])


class _Page:
    """Collects the lines of a report; knows the width and how to name hosts."""

    def __init__(self, width: int, hosts: Sequence[str]) -> None:
        self.lines: list[Line] = []
        self._width = width
        self._hosts = set(hosts)

    def heading(self, text: str) -> None:
        if self.lines:
            self.lines.append(Line(""))
        self.lines.append(Line(text, HEAD))

    def add(self, text: str, tone: str = PLAIN, indent: str = "", hang: str = "  ") -> None:
        """A paragraph, wrapped."""
        wrapped = textwrap.wrap(
            text,
            self._width,
            initial_indent=indent,
            subsequent_indent=indent + hang,
            break_long_words=False,
            break_on_hyphens=False,
        )
        self.lines.extend(Line(line, tone) for line in wrapped)

    def items(self, title: str, tone: str, items: Iterable[Item]) -> None:
        """A section: for each name its texts, most common first, each with the hosts that it holds for."""
        grouped: dict[str, dict[str, list[str]]] = {}
        for item in items:
            grouped.setdefault(item.name, {}).setdefault(item.text, []).append(item.host)
        if not grouped:
            return
        self.heading(title)
        column = min(max(len(name) for name in grouped), self._width // 2)
        for name in sorted(grouped)[:MAX_ITEMS]:
            variants = sorted(grouped[name].items(), key=lambda variant: (-len(variant[1]), variant[0]))
            for text, hosts in variants[:MAX_VARIANTS]:
                line = f"{name.ljust(column)}  {text}{self.on(hosts)}"
                self.add(line, tone, indent="  ", hang=" " * (column + 2))
            rest = variants[MAX_VARIANTS:]
            if rest:
                others = {host for _text, those in rest for host in those}
                self.add(
                    f"{name.ljust(column)}  and {len(rest)} more kinds on {_number(len(others), 'host')}",
                    tone,
                    indent="  ",
                )
        if len(grouped) > MAX_ITEMS:
            self.add(f"and {len(grouped) - MAX_ITEMS} more", tone, indent="  ")

    def sentences(self, title: str, tone: str, items: Iterable[Item]) -> None:
        """A section of sentences that stand for themselves, each once with the hosts that it holds for."""
        grouped: dict[str, list[str]] = {}
        for item in items:
            grouped.setdefault(item.text, []).append(item.host)
        if not grouped:
            return
        self.heading(title)
        order = sorted(grouped.items(), key=lambda sentence: (-len(sentence[1]), sentence[0]))
        for text, hosts in order[:MAX_BLOCKS]:
            self.add(f"{text}{self.on(hosts)}", tone, indent="  ")
        if len(order) > MAX_BLOCKS:
            self.add(f"and {len(order) - MAX_BLOCKS} more", tone, indent="  ")

    def on(self, hosts: Sequence[str]) -> str:
        """`` (on a, b and 7 more)``; nothing when the report has one host anyway."""
        names = list(dict.fromkeys(hosts))
        if len(self._hosts) == 1:
            return ""
        if len(names) == len(self._hosts):
            return f" (all {len(names)} hosts)"
        return f" (on {named(names)})"


def named(hosts: Sequence[str]) -> str:
    """The first few of hosts, and how many there are beside."""
    shown = list(hosts[:MAX_HOSTS_NAMED])
    rest = len(hosts) - len(shown)
    if rest:
        return f"{', '.join(shown)} and {rest} more"
    return ", ".join(shown)


def by_host(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """One outcome for each host, also where it was given several profiles, or one of them several times.

    Each setting counts once: as changed if it ever was, else as it was found last.
    """
    members: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        members.setdefault(outcome.host, []).append(outcome)
    return [ones[0] if len(ones) == 1 else _together(ones) for ones in members.values()]


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    states = [outcome.state for outcome in outcomes]
    state = next(item for item in (UNREACHABLE, FAILED, DONE) if item in states)
    entries: dict[str, Mapping[str, t.Any]] = {}
    for entry in (entry for outcome in outcomes for entry in outcome.entries):
        if entries.get(_name(entry), {}).get("status") != "changed":
            entries[_name(entry)] = entry
    result = {
        "name": outcomes[0].profile,
        "state": "reverted" if any(outcome.reverted for outcome in outcomes) else None,
        "settings": list(entries.values()),
    }
    return Outcome(outcomes[0].host, state, all(outcome.check for outcome in outcomes), result)


def headlines(page: _Page, outcomes: Sequence[Outcome]) -> None:
    """For each profile: on how many hosts, whether it was written, and how that went."""
    groups: dict[tuple[str, bool], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.profile, outcome.check), []).append(outcome)
    known = [key for key in groups if key[0]]
    if len(known) == 1:  # Whoever could not say which profile it was, was meant by the only one.
        groups = {known[0]: list(outcomes)}
    for (profile, check), members in sorted(groups.items()):
        reverted = any(member.reverted for member in members)
        what = f"{'Revert' if reverted else 'Audit' if check else 'Apply'} of {_what(profile, reverted)}"
        members = by_host(members)
        hosts = _number(len(members), "host")
        promise = " (nothing was written)" if check else ""
        page.add(f"{what} on {hosts}{promise}: {_verdicts(members, check)}.", _tone(members))


def _what(profile: str, reverted: bool) -> str:
    return profile or ("every profile" if reverted else "a profile")


def _verdicts(members: Sequence[Outcome], check: bool) -> str:
    """How many came out how; each is counted once."""
    if any(member.reverted for member in members):
        words = {"clean": "with nothing to take back", "differs": "would be put back" if check else "put back"}
    elif check:
        words = {"clean": "clean", "differs": "not as wanted"}
    else:
        words = {"clean": "already as wanted", "differs": "changed"}
    words.update({"overruled": "overruled by another file", FAILED: FAILED, UNREACHABLE: UNREACHABLE})
    words.update({REVERTED: REVERTED, NOT_BEGUN: NOT_BEGUN})
    found = [_verdict(member) for member in members]
    return ", ".join(f"{found.count(verdict)} {word}" for verdict, word in words.items() if verdict in found)


def _verdict(outcome: Outcome) -> str:
    if outcome.state != DONE:
        return outcome.state
    if outcome.differs:
        return "differs"
    return "overruled" if outcome.overruled else "clean"


def batch_list(page: _Page, batches: Sequence[Batch], outcomes: Sequence[Outcome]) -> None:
    """What happened to which batch, and which hosts were not begun."""
    if not batches:
        return
    states = {outcome.host: outcome.state for outcome in outcomes}
    page.heading("Batches")
    for number, batch in enumerate(batches, 1):
        check = all(outcome.check for outcome in outcomes if outcome.host in batch.hosts)
        text = _endings(batch, states, check)
        page.add(f"{number}  {text}", BAD if batch.problems else PLAIN, indent="  ", hang="   ")
    begun = {host for batch in batches for host in batch.hosts}
    rest = [host for host in dict.fromkeys(host for batch in batches for host in batch.everyone) if host not in begun]
    if rest:
        page.add(f"-  {NOT_BEGUN}: {named(rest)}", WARN, indent="  ", hang="   ")


def _endings(batch: Batch, states: Mapping[str, str], check: bool) -> str:
    """``applied: web1, web2; NOT reverted: web3``."""
    groups: dict[str, list[str]] = {}
    for host in batch.hosts:
        ended = batch.ended.get(host) or {DONE: APPLIED, None: UNTOUCHED}.get(states.get(host), states.get(host))
        groups.setdefault("would be applied" if check and ended == APPLIED else str(ended), []).append(host)
    return "; ".join(f"{ended}: {named(hosts)}" for ended, hosts in groups.items())


COLUMNS = ("ok", "changed", "kept", "unavailable", "refused")


def _column_title(status: str, check: bool) -> str:
    return "would change" if check and status == "changed" else status


def table(page: _Page, outcomes: Sequence[Outcome]) -> None:
    """How many settings of each host are in which state; hosts with equal rows share one when there are many."""
    outcomes = by_host(outcomes)
    check = all(outcome.check for outcome in outcomes)
    columns = [
        status for status in COLUMNS if status != "refused" or any(outcome.count(status) for outcome in outcomes)
    ]
    rows: dict[tuple[t.Any, ...], list[Outcome]] = {}
    for outcome in outcomes:
        counts = tuple(outcome.count(status) for status in columns)
        alone = outcome.host if len(outcomes) <= MAX_ROWS else ""
        rows.setdefault((outcome.state, counts, alone), []).append(outcome)
    # Trouble first, then what most hosts have in common.
    order = sorted(rows.items(), key=lambda row: (row[0][0] == DONE, -len(row[1]) if len(outcomes) > MAX_ROWS else 0))

    labels = [named([member.host for member in members]) for _key, members in order[:MAX_ROWS]]
    first = max(len(label) for label in ("host", *labels))
    titles = [_column_title(status, check) for status in columns]
    page.heading("  ".join(["host".ljust(first), *titles]))
    for label, (key, members) in zip(labels, order):
        numbers = [str(count).rjust(len(title)) for count, title in zip(key[1], titles)]
        cells = numbers if key[0] == DONE else [key[0].upper()]
        page.lines.append(Line("  ".join([label.ljust(first), *cells]), _tone(members)))
    if len(order) > MAX_ROWS:
        rest = sum(len(members) for _key, members in order[MAX_ROWS:])
        page.add(f"and {_number(rest, 'host')} with other numbers")


def failures(page: _Page, outcomes: Sequence[Outcome]) -> None:
    """What went wrong, in full, once for all hosts that say the same."""
    blocks: dict[tuple[t.Any, ...], list[str]] = {}
    for outcome in outcomes:
        if outcome.state in (FAILED, UNREACHABLE):
            lists = (tuple(outcome.result.get(name) or ()) for name in ("undone", "not_undone"))
            hosts = blocks.setdefault((outcome.state, plain_message(outcome.result), *lists), [])
            hosts += [outcome.host] if outcome.host not in hosts else []
    order = sorted(blocks.items(), key=lambda block: -len(block[1]))
    for (state, message, undone, not_undone), hosts in order[:MAX_BLOCKS]:
        page.heading(f"{state.capitalize()}: {named(hosts)}")
        for paragraph in message.splitlines():
            page.add(paragraph, BAD, indent="  ")
        for title, done in (("Put back as it was", undone), ("NOT put back", not_undone)):
            if done:
                page.add(f"{title}:", BAD, indent="  ")
            for text in done:
                page.add(f"- {text}", BAD, indent="    ")
    if len(order) > MAX_BLOCKS:
        rest = len({host for _block, hosts in order[MAX_BLOCKS:] for host in hosts})
        page.heading(f"and {_number(rest, 'host')} with other problems")


def next_steps(page: _Page, commands: Sequence[tuple[str, str]]) -> None:
    if commands:
        page.heading("To look closer")
        column = max(len(what) for what, _command in commands)
        # Not wrapped: a command is there to be copied.
        page.lines.extend(Line(f"  {what.ljust(column)}  {command}") for what, command in commands)


def _changes(outcomes: Iterable[Outcome]) -> Iterable[Item]:
    for outcome in outcomes:
        setting_text, limit_text = (
            (_setting_drift, _limit_drift)
            if outcome.check and not outcome.reverted
            else (_setting_change, _limit_change)
        )
        for entry in outcome.entries:
            if entry.get("status") == "changed":
                yield Item(_name(entry), setting_text(entry) if "key" in entry else limit_text(entry), outcome.host)


def _setting_change(setting: Mapping[str, t.Any]) -> str:
    live, file = _part(setting, "live"), _part(setting, "file")
    if live.get("before") != live.get("after"):
        how = f" ({setting['arithmetic']})" if setting.get("arithmetic") else ""
        return f"{_shown(live.get('before'))} -> {_shown(live.get('after'))}{how}"
    if file.get("before") is None:
        return f"{_shown(live.get('after'))} already, now kept across reboots"
    return f"{_shown(live.get('after'))} already, in {file.get('path')} {_shown(file['before'])} -> {_shown(file.get('after'))}"


def _setting_drift(setting: Mapping[str, t.Any]) -> str:
    live, file, boot = (_part(setting, name).get("before") for name in ("live", "file", "boot"))
    winner = _part(setting, "boot").get("winner_before")
    where = f" ({winner})" if boot is not None and winner else ""
    boot = "kernel default" if boot is None else boot
    return f"wanted {setting.get('wanted')}: live {_shown(live)}, file {_shown(file)}, boot {boot}{where}"


def _limit_change(limit: Mapping[str, t.Any]) -> str:
    before, after = _part(limit, "before"), _part(limit, "after")
    if before == after and limit.get("reason"):  # the process of a unit, until it is restarted
        gets = ", ".join(f"{side} {_shown(value)}" for side, value in _part(limit, "effective").items())
        return f"gets {gets}; {limit['reason']}"
    sides = [side for side in ("soft", "hard") if before.get(side) != after.get(side)]
    return ", ".join(_side_change(limit, side) for side in sides) or "rewritten"


def _side_change(limit: Mapping[str, t.Any], side: str) -> str:
    # What is wanted of a limit is a number; in brackets behind it stands how it comes about on the host, if it had to be worked out.
    _number, bracket, how = str(_part(limit, "wanted").get(side)).partition(" (")
    return (
        f"{side} {_shown(_part(limit, 'before').get(side))} -> {_shown(_part(limit, 'after').get(side))}{bracket}{how}"
    )


def _limit_drift(limit: Mapping[str, t.Any]) -> str:
    def sides(part: str) -> str:
        values = _part(limit, part)
        return ", ".join(f"{side} {_shown(values.get(side))}" for side in ("soft", "hard") if side in values)

    if "domain" in _part(limit, "target"):
        return f"wanted {sides('wanted')}: rule {sides('before')}; a new session gets {sides('effective')}"
    return f"wanted {sides('wanted')}: now {sides('before')}; would be {sides('effective')}"


def _choices(outcomes: Iterable[Outcome]) -> Iterable[Item]:
    """Where the caller preferred one wish to another."""
    for outcome in outcomes:
        for entry in outcome.entries:
            losers = [f"{loser.get('wanted')} ({loser.get('profile')})" for loser in entry.get("instead_of") or ()]
            if losers:
                yield Item(_name(entry), f"{_wanted(entry)} in place of {', '.join(losers)}", outcome.host)


def _wanted(entry: Mapping[str, t.Any]) -> str:
    wanted = entry.get("wanted")
    if not isinstance(wanted, Mapping):
        return str(wanted)
    return ", ".join(f"{side} {wish}" for side, wish in wanted.items() if wish is not None)


def _unavailable(outcomes: Iterable[Outcome]) -> Iterable[Item]:
    for outcome in outcomes:
        for entry in outcome.entries:
            if entry.get("status") in UNAVAILABLE or entry.get("status") == "refused":
                yield Item(_name(entry), _reason(entry), outcome.host)


def _warnings(outcomes: Iterable[Outcome]) -> Iterable[Item]:
    """What the modules warned of, apart from what the section above this one says already."""
    for outcome in outcomes:
        listed = [(prefix + item.name, item.text) for item in _unavailable([outcome]) for prefix in ("", "Limit ")]
        shown = {str(_messages.about(subject, reason)) for subject, reason in listed}
        for warning in map(str, outcome.result.get("warnings") or ()):
            if warning not in shown:
                yield Item("", warning, outcome.host)


def _costs(outcomes: Iterable[Outcome]) -> Iterable[Item]:
    """What connections cost, where that is neither warned of nor refused, which have their own places."""
    for outcome in outcomes:
        text = str(_part(outcome.result, "cost").get("text") or "")
        if (
            text
            and outcome.state == DONE
            and not any(text in str(entry) for entry in outcome.result.get("warnings") or ())
        ):
            yield Item("", text, outcome.host)


def _needs(outcomes: Iterable[Outcome]) -> Iterable[Item]:
    return (
        Item("", _need(str(need)), outcome.host) for outcome in outcomes for need in outcome.result.get("needs") or ()
    )


def _need(need: str) -> str:
    kind, _colon, unit = need.partition(":")
    if kind == "new_session":
        return "New limits hold in new login sessions: log out and in again"
    if kind == "restart" and unit:
        return f"{unit} keeps its old limits until it is restarted: systemctl restart {unit}"
    if kind == "reboot":
        return "The host must be rebooted"
    return need


def _counts_as(entry: Mapping[str, t.Any]) -> str:
    status = str(entry.get("status"))
    return "unavailable" if status in UNAVAILABLE else status


def _name(entry: Mapping[str, t.Any]) -> str:
    if "key" in entry:
        return str(entry["key"])
    kind, name = next(iter(_part(entry, "target").items()), ("", ""))
    words = [str(kind)] if kind in ("manager", "process") else []
    return " ".join([*words, str(name), str(entry.get("item"))])


def _reason(entry: Mapping[str, t.Any]) -> str:
    status = str(entry.get("status"))
    return str(entry.get("reason") or UNAVAILABLE.get(status, status))


def _part(entry: Mapping[str, t.Any], name: str) -> Mapping[str, t.Any]:
    return entry.get(name) or {}


def _shown(value: t.Any) -> str:
    return "none" if value in (None, "") else str(value)


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _tone(members: Iterable[Outcome]) -> str:
    verdicts = {_verdict(member) for member in members}
    if verdicts & {FAILED, UNREACHABLE}:
        return BAD
    if verdicts & {REVERTED, NOT_BEGUN}:
        return WARN
    if "overruled" in verdicts:
        return WARN
    return CHANGE if "differs" in verdicts else GOOD


def _natural(host: str) -> list[tuple[int, str]]:
    """Sorts web2 before web10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", host) if part]
