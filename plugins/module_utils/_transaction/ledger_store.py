# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read and write the ledger of a host. Private to ``tunefleet.linux``."""

import typing as t

from .. import _errors
from .._core import plan as plans
from .._core import request as requests
from .._core import steps as step_types
from .._limits import conversion
from .._limits.process import proc
from .._sysctl import names as sysctl_names
from . import ledger as ledgers

if t.TYPE_CHECKING:
    from .._host import host as hosts


_UUID = "/proc/sys/kernel/random/uuid"  # another one each time it is read: random(4)


def read(host: "hosts.Host") -> ledgers.Ledger:
    """The ledger of the host.

    :raises TuneError: if it is damaged, written by a newer release, or accessible to other users.
    """
    return ledgers.parse(host.read_private(ledgers.PATH))


def write(host: "hosts.Host", ledger: ledgers.Ledger) -> None:
    """Write the ledger, synced to disk."""
    data = ledgers.render(ledger)
    if data is not None or host.read_private(ledgers.PATH) is not None:
        host.write_private(ledgers.PATH, data)


def boot_id(host: "hosts.Host") -> str:
    """The id of this boot: random(4)."""
    return host.read_text(ledgers.BOOT_ID) or ""


def limit_now(host: "hosts.Host", record: ledgers.ProcessRecord) -> t.Optional[conversion.Pair]:
    """The current limit of a process, in the kernel's units; None if it has ended."""
    return proc.limit_of(host, record.step) if record.boot == boot_id(host) else None


def live_now(host: "hosts.Host", steps: t.Sequence[step_types.Step]) -> t.Dict[str, str]:
    """The current texts of the kernel parameters that steps change."""
    texts = {key: host.sysctl_text(sysctl_names.to_path(key)) for key in ledgers.original_values(steps)}
    return {key: text for key, text in texts.items() if text is not None}


def begin(host: "hosts.Host", ledger: ledgers.Ledger, request: requests.Request, plan: plans.Plan) -> None:
    """Write the original state to the ledger, before the first change.

    :raises TuneError: if that failed; nothing may be changed then.
    """
    after(host, ledger, request, plan)  # raises before anything is written
    write(host, _pending(host, ledger, request, plan))


def _pending(host: "hosts.Host", ledger: ledgers.Ledger, request: requests.Request, plan: plans.Plan) -> ledgers.Ledger:
    return ledgers.with_pending(ledger, request.what, boot_id(host), plan.steps)


def finish(host: "hosts.Host", ledger: ledgers.Ledger, request: requests.Request, plan: plans.Plan) -> str:
    """Write the ledger of a finished run; returns the id of the trial, empty if it is none."""
    applied = after(host, ledger, request, plan)
    if applied == ledger and not plan.steps:
        return ""
    trial = (host.read_text(_UUID) or "1") if t.cast(requests.History, request.history).trial else ""
    write(host, ledgers.with_trial(_pending(host, ledger, request, plan), applied, trial) if trial else applied)
    return trial


def after(host: "hosts.Host", ledger: ledgers.Ledger, request: requests.Request, plan: plans.Plan) -> ledgers.Ledger:
    """The ledger once a plan has been applied."""
    history, boot = t.cast(requests.History, request.history), boot_id(host)
    if plan.steps:
        ended = [key for key, process in ledger.processes.items() if limit_now(host, process) is None]
        ledger = ledgers.without_processes(ledger, ended)
    return ledgers.with_applied(ledger, history.name, history.options, plan, live_now(host, plan.steps), boot)


def forget(host: "hosts.Host", ledger: ledgers.Ledger) -> None:
    """Write the ledger from before a run that was undone. If that fails, the next run recovers, and has nothing to do."""
    try:
        write(host, ledger)
    except _errors.HostProblem:
        return
