# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ledger on the host: reading it, and noting down what a run does. Private to ``tunefleet.linux``."""

import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._change import _decision as d
from ansible_collections.tunefleet.linux.plugins.module_utils._change import _ledger, _processes, _wish
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import _rlimits
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import _names

if t.TYPE_CHECKING:
    from ansible_collections.tunefleet.linux.plugins.module_utils._host import Host

_UUID = "/proc/sys/kernel/random/uuid"  # another one each time it is read: random(4)


def read(host: "Host") -> _ledger.Ledger:
    """The ledger of the host.

    :raises TuneError: when it is damaged, of a newer release, or open to others.
    """
    return _ledger.parse(host.read_private(_ledger.PATH))


def write(host: "Host", ledger: _ledger.Ledger) -> None:
    """Put the ledger on disk, and make that last."""
    data = _ledger.render(ledger)
    if data is not None or host.read_private(_ledger.PATH) is not None:
        host.write_private(_ledger.PATH, data)


def boot_id(host: "Host") -> str:
    """What tells this boot from every other: random(4)."""
    return host.text(_ledger.BOOT_ID) or ""


def limit_now(host: "Host", record: _ledger.ProcessRecord) -> t.Optional[_rlimits.Pair]:
    """The limit that a process has now, in the kernel's units; None when it has ended."""
    return _processes.limit_of(host, record.step) if record.boot == boot_id(host) else None


def live_now(host: "Host", steps: t.Sequence[d.Step]) -> t.Dict[str, str]:
    """The texts of the kernel parameters that steps touch, as they are now."""
    found = {key: host.live_text(_names.to_path(key)) for key in _ledger.touched(steps)}
    return {key: text for key, text in found.items() if text is not None}


def begin(host: "Host", ledger: _ledger.Ledger, request: _wish.Request, plan: d.Plan) -> None:
    """Note down, before the first change, what there is now.

    :raises TuneError: when that cannot be; nothing may be changed then.
    """
    after(host, ledger, request, plan)  # what it refuses, it refuses before anything is written
    write(host, _begun(host, ledger, request, plan))


def _begun(host: "Host", ledger: _ledger.Ledger, request: _wish.Request, plan: d.Plan) -> _ledger.Ledger:
    return _ledger.begun(ledger, request.what, boot_id(host), plan.steps)


def finish(host: "Host", ledger: _ledger.Ledger, request: _wish.Request, plan: d.Plan) -> str:
    """Note down that a plan has been carried out; returns the id of the trial where it is one."""
    done = after(host, ledger, request, plan)
    if done == ledger and not plan.steps:
        return ""
    trial = (host.text(_UUID) or "1") if t.cast(_wish.History, request.history).trial else ""
    write(host, _ledger.on_trial(_begun(host, ledger, request, plan), done, trial) if trial else done)
    return trial


def after(host: "Host", ledger: _ledger.Ledger, request: _wish.Request, plan: d.Plan) -> _ledger.Ledger:
    """The ledger once a plan has been carried out."""
    history, boot = t.cast(_wish.History, request.history), boot_id(host)
    if plan.steps:
        ended = [key for key, one in ledger.processes.items() if limit_now(host, one) is None]
        ledger = _ledger.without_processes(ledger, ended)
    return _ledger.applied(ledger, history.name, history.options, plan, live_now(host, plan.steps), boot)


def forget(host: "Host", ledger: _ledger.Ledger) -> None:
    """Go back to the ledger from before a run that came to nothing. If that cannot be, the next run finds nothing left to do."""
    try:
        write(host, ledger)
    except _errors.HostProblem:
        return
