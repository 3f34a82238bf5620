# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a diagnosis of hosts came to, in words for people. Pure. Private: not for use outside of ``tunefleet.linux``.

The report is about troubles, not about hosts: what to do is said once for all hosts that have the same, and its length is bounded however
many there are. Nothing here prints or colours; a line carries the *tone* in which the caller may print it.
"""

from __future__ import annotations

import re
import textwrap
import typing as t
from collections.abc import Iterable, Mapping, Sequence

from . import summary

MAX_ROWS = 20
MAX_SENTENCES = 10
_LABEL = 10

Advice = Mapping[str, t.Any]


def render(outcomes: Sequence[summary.Outcome], width: int = 100) -> list[summary.Line]:
    """The report of a whole run.

    :param outcomes: one for each host; ``result`` is what the module ``diagnose`` returned.
    :param width: how many characters fit into a line.
    """
    outcomes = sorted(outcomes, key=lambda outcome: _natural(outcome.host))
    lines = _wrapped(_headline(outcomes), width, _tone(outcomes))
    for troubles in _by_kind(outcomes):
        lines += [summary.Line(""), *_chapter(troubles, len(outcomes) > 1, width)]
    failed = ((summary.plain_message(entry.result), entry.host) for entry in outcomes if entry.state != summary.DONE)
    lines += _sentences("Failed", failed, summary.BAD, outcomes, width)
    unseen = (
        (text, entry.host)
        for entry in outcomes
        if entry.state == summary.DONE
        for text in entry.result.get("unseen") or ()
    )
    lines += _sentences("Not seen, and not judged", unseen, summary.PLAIN, outcomes, width)
    return lines


def progress(outcome: summary.Outcome, width: int = 100) -> summary.Line:
    """One line as soon as a host is through."""
    if outcome.state != summary.DONE:
        message = f"{outcome.host}: {outcome.state}: {summary.plain_message(outcome.result)}"
        return summary.Line(textwrap.shorten(message, width, placeholder=" ..."), summary.BAD)
    ids = list(dict.fromkeys(str(advice["id"]) for advice in _advice(outcome)))
    return summary.Line(f"{outcome.host}: {', '.join(ids) or 'calm'}", summary.WARN if ids else summary.GOOD)


def _advice(outcome: summary.Outcome) -> Sequence[Advice]:
    return outcome.result.get("advice") or () if outcome.state == summary.DONE else ()


def _headline(outcomes: Sequence[summary.Outcome]) -> str:
    count = len({outcome.host for outcome in outcomes})
    hosts = "1 host" if count == 1 else f"{count} hosts"
    times = [float(outcome.result.get("seconds") or 0) for outcome in outcomes if outcome.state == summary.DONE]
    over = f" over {max(times):g} s" if times else ""
    if all(outcome.state == summary.DONE and not _advice(outcome) for outcome in outcomes):
        return f"Diagnosis of {hosts}{over}: calm. Nothing was lost, and nothing is nearly used up."
    verdicts = [
        outcome.state if outcome.state != summary.DONE else "under pressure" if _advice(outcome) else "calm"
        for outcome in outcomes
    ]
    order = dict.fromkeys(("under pressure", "calm", *verdicts))
    counts = [f"{verdicts.count(entry)} {entry}" for entry in order if entry in verdicts]
    return f"Diagnosis of {hosts}{over}: {', '.join(counts)}."


def _tone(outcomes: Iterable[summary.Outcome]) -> str:
    if any(outcome.state != summary.DONE for outcome in outcomes):
        return summary.BAD
    return summary.WARN if any(_advice(outcome) for outcome in outcomes) else summary.GOOD


Trouble = tuple[str, Advice]
"""The host that has it, and what is said about it."""


def _by_kind(outcomes: Sequence[summary.Outcome]) -> list[list[Trouble]]:
    """The same trouble of all hosts together: losses first, then what most hosts have."""
    kinds: dict[str, list[Trouble]] = {}
    for outcome in outcomes:
        for advice in _advice(outcome):
            kinds.setdefault(str(advice["id"]), []).append((outcome.host, advice))
    return sorted(
        kinds.values(), key=lambda troubles: (not _is_loss(troubles), -len({host for host, _one in troubles}))
    )


def _is_loss(troubles: Iterable[Trouble]) -> bool:
    return any(advice["severity"] == "loss" for _host, advice in troubles)


def _chapter(troubles: Sequence[Trouble], several: bool, width: int) -> list[summary.Line]:
    first = troubles[0][1]
    tone = summary.BAD if _is_loss(troubles) else summary.WARN
    lines = _wrapped(f"{first['title']} ({first['id']})", width, summary.HEAD)
    for host, advice in troubles[:MAX_ROWS]:
        words = [host if several else "", advice["subject"], advice["evidence"]]
        lines += _wrapped(": ".join(word for word in words if word), width, tone, "  ", "    ")
    if len(troubles) > MAX_ROWS:
        rest = {host for host, _advice in troubles[MAX_ROWS:]}
        lines += _wrapped(
            f"and {len(troubles) - MAX_ROWS} more, on {summary.named(sorted(rest, key=_natural))}", width, tone, "  "
        )
    for label, text in (
        ("Why", first["meaning"]),
        *_limits(troubles),
        ("To do", first["remedy"]),
        ("Costs", first["cost"]),
    ):
        lines += _wrapped(f"{label.ljust(_LABEL)}{text}", width, summary.PLAIN, "  ", " " * (_LABEL + 2))
    return lines


def _limits(troubles: Sequence[Trouble]) -> list[tuple[str, str]]:
    """What is said about settings, once for all hosts that have the same values."""
    said: dict[str, list[str]] = {}
    for host, advice in troubles:
        texts = [_setting(setting) for setting in advice["settings"]]
        for text in texts if advice["kernel_helps"] else [*texts, "no kernel setting helps here"]:
            hosts = said.setdefault(text, [])
            if host not in hosts:
                hosts.append(host)
    everybody = len({host for host, _advice in troubles})
    lines = [text if len(hosts) == everybody else f"{text} (on {summary.named(hosts)})" for text, hosts in said.items()]
    if len(lines) > MAX_SENTENCES:
        lines = [*lines[:MAX_SENTENCES], f"and {len(lines) - MAX_SENTENCES} other values"]
    return [("" if number else "Limit", line) for number, line in enumerate(lines)]


def _setting(setting: Mapping[str, t.Any]) -> str:
    live = "cannot be seen here" if setting["live"] is None else f"is {setting['live']}"
    text = f"{setting['key']} {live}"
    if setting["suggested"] is not None:
        text += f"; {setting['suggested']} would help"
        if setting["profile"]:
            text += f", as in the profile {setting['profile']}"
    return text


def _sentences(
    title: str, items: Iterable[tuple[str, str]], tone: str, outcomes: Sequence[summary.Outcome], width: int
) -> list[summary.Line]:
    """A section of sentences, each once with the hosts that it holds for; no section without any."""
    grouped: dict[str, list[str]] = {}
    for text, host in items:
        grouped.setdefault(text, []).append(host)
    if not grouped:
        return []
    lines = [summary.Line(""), summary.Line(title, summary.HEAD)]
    order = sorted(grouped.items(), key=lambda one: -len(one[1]))
    for text, hosts in order[:MAX_SENTENCES]:
        where = f"{summary.named(hosts)}: " if len(outcomes) > 1 else ""
        lines += _wrapped(where + " ".join(text.split()), width, tone, "  ", "    ")
    if len(order) > MAX_SENTENCES:
        lines.append(summary.Line(f"  and {len(order) - MAX_SENTENCES} more", tone))
    return lines


def _wrapped(text: str, width: int, tone: str, indent: str = "", hang: str = "  ") -> list[summary.Line]:
    wrapped = textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [summary.Line(line, tone) for line in wrapped]


def _natural(host: str) -> list[tuple[int, str]]:
    """Sorts web2 before web10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", host) if part]
