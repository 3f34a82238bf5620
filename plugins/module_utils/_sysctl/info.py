# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host has, for the modules that only read. Private: not for use outside of ``tunefleet.linux``."""

import typing as t

from .. import _errors
from .._core import plan as plans
from .._core import redact
from .._core import request as requests
from .._core import result as results
from .._core import status as statuses
from . import availability, messages
from . import boot as boot_model
from . import dropin as sysctl_dropin
from . import facts as sysctl_facts
from . import names as sysctl_names
from . import plan as sysctl_plan
from . import values as sysctl_values

if t.TYPE_CHECKING:
    from .._host import host as hosts


def _keys(host: "hosts.Host", names: t.Optional[t.Sequence[str]]) -> t.List[str]:
    """The keys that names and patterns match; without any, every key that a file sets."""
    if not names:
        files = sysctl_facts.boot_files(host)
        existing = host.live_paths() if any(table.has_patterns() for table in files.tables()) else []
        # A line such as "=5" names nothing.
        return sorted({key for table in files.tables(existing) for key in table.keys() if key})  # noqa: SIM118
    found: t.Dict[str, None] = {}
    problems: t.List[str] = []
    for name in names:
        try:
            key = sysctl_names.canonical_pattern(name)
            found.update(dict.fromkeys(sysctl_facts.matches(host, key) if sysctl_names.is_pattern(key) else [key]))
        except _errors.NameProblem as problem:
            problems.append(str(problem))
    if problems:
        raise _errors.EntryProblems(problems)
    return list(found)


def sysctl(host: "hosts.Host", names: t.Optional[t.Sequence[str]]) -> results.Result:
    """Live value, entry of ours, effective value after boot and every line that sets it, for each key.

    :raises TuneError: when a name is malformed, or a file cannot be read.
    """
    path = requests.Policy().sysctl_file
    # Not opened as a file to edit: reading does not mind a link to /dev/null in its place.
    seen = sysctl_facts.gather(host, _keys(host, names), None)
    facts = sysctl_plan.facts_of(seen)
    tables = seen.boot.tables(facts.live, facts)
    speaking = boot_model.BootTable(seen.boot.all(), tables[0].reader)
    conf, real = sysctl_dropin.ConfFile(host.read_or_none(path) or b""), host.real(path)
    settings = []
    for key in seen.live:
        decision = _state_of(key, seen, conf, real, tables)
        settings.append(dict(results.setting(decision, path), files=[line.where for line in speaking.lines_for(key)]))
    result: results.Result = {"settings": settings, "summary": results.summary(one["status"] for one in settings)}
    warnings = sysctl_plan.unmodelled(tables)
    if warnings:
        result["warnings"] = warnings
    found: results.Result = redact.redact(result, redact.secrets_in_result(result))
    return found


def _state_of(
    key: str,
    seen: sysctl_facts.SysctlFacts,
    conf: sysctl_dropin.ConfFile,
    real: str,
    tables: t.Sequence[boot_model.BootTable],
) -> plans.SettingDecision:
    def is_ours(boot: boot_model.Boot) -> bool:
        return boot.file is not None and seen.reals.get(boot.file) == real

    live = seen.live[key]
    boots = [table.effective(key) for table in tables]
    shape = sysctl_plan.shape_of(key, live.text, boots[0].value or "")
    now = None if live.text is None else sysctl_values.normalize(live.text, shape)
    state, others = sysctl_plan.boot_state(boots, shape, is_ours), sysctl_plan.boot_alternatives(tables, boots, shape)
    entry = conf.get(key)
    status, reason = availability.unavailable(key, seen) or (statuses.OK, "")
    if status == statuses.OK and not live.writable:
        status, reason = availability.unwritable(key, seen)
    if (
        status == statuses.OK
        and None not in (now, state.value)
        and not sysctl_values.matches_rounded(now, state.value, shape)
    ):
        reason = messages.DRIFT(live=now, boot=state.value)
    decision = plans.SettingDecision(
        key, status, "", reason, (now, now), (entry, entry), state, state, boot_others=others, shape=shape
    )
    return decision._replace(reason=reason or sysctl_plan.uncertainty(decision, tables[0].reader) or "")
