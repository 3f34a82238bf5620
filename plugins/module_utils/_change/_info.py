# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host has, for the modules that only read. Private: not for use outside of ``tunefleet.linux``."""

import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._change import _decision as d
from ansible_collections.tunefleet.linux.plugins.module_utils._change import (
    _plan_sysctl,
    _result,
    _secrets,
    _seen,
    _wish,
)
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import _boot, _conf, _names, _values

if t.TYPE_CHECKING:
    from ansible_collections.tunefleet.linux.plugins.module_utils._host import Host


def _keys(host: "Host", names: t.Optional[t.Sequence[str]]) -> t.List[str]:
    """The keys that names and patterns stand for; without any, every key that a file sets."""
    if not names:
        files = _seen.boot_files(host)
        existing = host.live_paths() if any(table.has_patterns() for table in files.tables()) else []
        # A line such as "=5" names nothing.
        return sorted({key for table in files.tables(existing) for key in table.keys() if key})  # noqa: SIM118
    found: t.Dict[str, None] = {}
    problems: t.List[str] = []
    for name in names:
        try:
            key = _names.canonical_pattern(name)
            found.update(dict.fromkeys(_seen.matches(host, key) if _names.is_pattern(key) else [key]))
        except _errors.NameProblem as problem:
            problems.append(str(problem))
    if problems:
        raise _errors.EntryProblems(problems)
    return list(found)


def sysctl(host: "Host", names: t.Optional[t.Sequence[str]]) -> _result.Result:
    """Live value, entry of ours, value at the next boot and every line that speaks of it, for each key.

    :raises TuneError: when a name is malformed, or a file cannot be read.
    """
    path = _wish.Policy().sysctl_file
    # Not looked at as a file to be edited: reading does not mind a link to /dev/null in its place.
    seen = _seen.sysctl(host, _keys(host, names), None)
    facts = _plan_sysctl.facts_of(seen)
    tables = seen.boot.tables(facts.live, facts)
    speaking = _boot.BootTable(seen.boot.all(), tables[0].reader)
    conf, real = _conf.ConfFile(host.read_if_any(path) or b""), host.real(path)
    settings = []
    for key in seen.live:
        decision = _state_of(key, seen, conf, real, tables)
        settings.append(dict(_result.setting(decision, path), files=[line.where for line in speaking.mentions(key)]))
    result = {"settings": settings, "summary": _result.summary(one["status"] for one in settings)}
    found: _result.Result = _secrets.masked(result, _secrets.reported(result))
    return found


def _state_of(
    key: str, seen: _seen.SysctlSeen, conf: _conf.ConfFile, real: str, tables: t.Sequence[_boot.BootTable]
) -> d.SettingDecision:
    def is_ours(boot: _boot.Boot) -> bool:
        return boot.file is not None and seen.reals.get(boot.file) == real

    live = seen.live[key]
    boots = [table.of(key) for table in tables]
    shape = _plan_sysctl.shape_of(key, live.text, boots[0].value or "")
    now = None if live.text is None else _values.tidy(live.text, shape)
    state, others = _plan_sysctl.boot_state(boots, shape, is_ours), _plan_sysctl.other_boots(tables, boots, shape)
    entry = conf.get(key)
    status, reason = _plan_sysctl.unavailable(key, seen) or (d.OK, "")
    if status == d.OK and not live.writable:
        status, reason = _plan_sysctl.unwritable(key, seen)
    if status == d.OK and None not in (now, state.value) and not _values.holds(now, state.value, shape):
        reason = "live {0} differs from {1}, which the next boot gives".format(now, state.value)
    decision = d.SettingDecision(
        key, status, "", reason, (now, now), (entry, entry), state, state, boot_others=others, shape=shape
    )
    return decision._replace(reason=reason or _plan_sysctl.doubt(decision, tables[0].reader) or "")
