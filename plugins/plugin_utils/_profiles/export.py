# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Profiles to plain files of sysctl.d(5) and limits.conf(5). Pure. Private: not for use outside of ``tunefleet.linux``."""

from __future__ import annotations

import textwrap
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...module_utils._core import bound as bounds
from ...module_utils._core import formula
from ...module_utils._sysctl import catalog
from . import model as profile_model

_BOUNDS = {
    profile_model.AT_LEAST: "At least this in the profile; here it lowers a host that has more.",
    profile_model.AT_MOST: "At most this in the profile; here it raises a host that has less.",
}

_DEFAULT_FIRST_PORT = 1024  # net.ipv4.ip_unprivileged_port_start: PROT_SOCK of include/net/sock.h


@dataclass
class Exported:
    """The text of both files, empty where there is nothing to say, and a sentence for each entry that no such file can say.

    ``bounds`` counts lower and upper bounds, which become plain values, ``hazards`` entries that may harm a host.
    """

    sysctl: str = ""
    limits: str = ""
    left_out: list[str] = field(default_factory=list)
    bounds: int = 0
    hazards: int = 0


def export(wanted: Mapping[str, t.Any]) -> Exported:
    """The files that give a host what profiles want.

    :param wanted: composed profiles, as the lookup returns them.
    """
    found = Exported()
    head = [
        f"# {line}" for line in textwrap.wrap(f"{wanted['title']} ({wanted['name']}), written by tunefleet.linux.", 98)
    ]
    settings = [
        lines for key in _ordered(wanted["sysctl"]) for lines in _setting(key, wanted["sysctl"][key], found.left_out)
    ]
    limits = [lines for limit in wanted["limits"] for lines in _limit(limit, found.left_out)]
    found.bounds = sum(line == f"# {text}" for line in [*settings, *limits] for text in _BOUNDS.values())
    found.hazards = sum(line.startswith("# HAZARD: ") for line in [*settings, *limits])
    found.sysctl = "\n".join([*head, *settings]) + "\n" if settings else ""
    found.limits = "\n".join([*head, *limits]) + "\n" if limits else ""
    return found


def _ordered(settings: Mapping[str, t.Any]) -> list[str]:
    """The keys in an order in which a kernel takes them that begins with its defaults."""
    first_port = _wish(settings[catalog.FIRST_PORT])[1] if catalog.FIRST_PORT in settings else ""
    falls = str(first_port).isdigit() and int(first_port) < _DEFAULT_FIRST_PORT
    return catalog.write_order(settings, falls)


def _setting(key: str, setting: Mapping[str, t.Any], left_out: list[str]) -> list[str]:
    relation, amount = _wish(setting)
    facts = catalog.find(key)
    gone = facts and (facts.removed or facts.no_effect)
    if gone:
        left_out.append(f"{key}: gone or ignored since Linux {gone[0]}.{gone[1]}.")
        return []
    if bounds.is_formula(amount):
        left_out.append(f"{key}: {relation} {_shown(amount)} depends on the host.")
        return []
    return [*_comment(setting, relation), f"{key} = {_shown(amount)}"]


def _limit(limit: Mapping[str, t.Any], left_out: list[str]) -> list[str]:
    if "domain" not in limit:
        left_out.append(f"{limit['item']} of {_target(limit)}: is no rule of limits.conf(5).")
        return []
    name = f"{limit['domain']} {limit['item']}"
    lines, relations = [], []
    for side in ("soft", "hard"):
        if side not in limit:
            continue
        relation, amount = _wish(limit[side])
        if bounds.is_formula(amount):
            left_out.append(f"{name} {side}: {relation} {_shown(amount)} depends on the host.")
            continue
        relations.append(relation)
        lines.append(f"{limit['domain']} {side} {limit['item']} {amount}")
    return [*_comment(limit, max(relations, key=_is_bound)), *lines] if lines else []


def _target(limit: Mapping[str, t.Any]) -> str:
    return " ".join(f"{kind} {limit[kind]}" for kind in ("unit", "manager", "process") if kind in limit)


def _is_bound(relation: str) -> bool:
    return relation in _BOUNDS


def _wish(entry: Mapping[str, t.Any]) -> tuple[str, t.Any]:
    relation = next(
        relation
        for relation in (profile_model.VALUE, profile_model.AT_LEAST, profile_model.AT_MOST)
        if relation in entry
    )
    return relation, entry[relation]


def _shown(amount: t.Any) -> str:
    if isinstance(amount, Mapping):
        return str(formula.read(amount))
    return " ".join(map(_shown, amount)) if isinstance(amount, (list, tuple)) else str(amount)


def _comment(entry: Mapping[str, t.Any], relation: str) -> list[str]:
    """Why the line is there, who says so, and what it may break, in lines of their own: behind a value they would be part of it."""
    texts = [entry.get("why") or "", f"Source: {', '.join(entry.get('source') or ())}" if entry.get("source") else ""]
    texts += [_BOUNDS.get(relation, ""), f"HAZARD: {entry['hazard']}" if entry.get("hazard") else ""]
    return ["", *(f"# {line}" for text in texts if text for line in textwrap.wrap(text, 98, break_on_hyphens=False))]
