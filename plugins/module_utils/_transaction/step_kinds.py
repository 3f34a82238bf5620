# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Apply and undo each kind of step on a host. Private to ``tunefleet.linux``.

``_core/steps.py`` has the data of the steps, with ``inverse``, ``record`` and ``overlay``: planners and the ledger need no more.
"""

import typing as t

from .. import _errors, _messages
from .._core import shape as shapes
from .._core import steps as step_types
from .._limits import conversion
from .._limits.process import proc
from .._limits.systemd import client
from .._sysctl import catalog
from .._sysctl import names as sysctl_names
from .._sysctl import values as sysctl_values
from . import messages

if t.TYPE_CHECKING:
    from .._host import host as hosts

S = t.TypeVar("S", bound=step_types.Step)
# Key, text and shape of a kernel parameter, and several in the order in which they are written.
SysctlText = t.Tuple[str, str, shapes.Shape]
SysctlTexts = t.Sequence[SysctlText]

# Longer than systemd itself waits for a service to stop and to start (DefaultTimeoutStartSec= and -StopSec=, 90 s each).
_SYSTEMCTL_TIMEOUT = 240


class Kind(t.Generic[S]):
    """What can be done with a step on a host. A new kind of step needs a subclass here, with an entry in ``KINDS``."""

    def __init__(self, step: S) -> None:
        self.step = step

    def prepare(self, host: "hosts.Host") -> step_types.Step:
        """The step, completed with what only the host knows before the first change."""
        return self.step

    def check_unchanged(self, host: "hosts.Host", written: t.Set[str]) -> None:
        """Check that the host still is as the plan expects.

        :param written: kernel parameters that earlier steps wrote, or made the kernel change; those of this step are added.
        :raises ConcurrentChange: if another program has changed it since.
        """

    def apply(self, host: "hosts.Host") -> t.Mapping[str, str]:
        """Apply the step; returns the kernel parameters that it set, with the values that the kernel made of them.

        :raises HostProblem: if the host did not accept the step, or its state differs afterwards.
        """
        raise NotImplementedError

    def undo(self, host: "hosts.Host") -> str:
        """Undo the step, also if it was applied in part; returns what was restored, empty if nothing had changed.

        :raises HostProblem: if it could not be undone.
        """
        return ""

    def failed(self, reason: str) -> str:
        """The message for a step that was not applied."""
        return reason

    def not_restored(self, reason: str) -> str:
        """The message for a step that was to restore a former state and was not applied."""
        return self.failed(reason)


class SetSysctl(Kind[step_types.SetSysctl]):
    def check_unchanged(self, host: "hosts.Host", written: t.Set[str]) -> None:
        step = self.step
        is_known = step.before is not None and not step.action and step.key not in written
        written.update([step.key], [key for key, _text, _shape in step.beside])
        current = host.sysctl_text(sysctl_names.to_path(step.key)) if is_known else None
        if current is not None and not sysctl_values.equivalent(current, step.before, step.shape):
            raise _errors.ConcurrentChange(
                messages.CHANGED_CONCURRENTLY(key=step.key, found=current, before=step.before)
            )

    def apply(self, host: "hosts.Host") -> t.Mapping[str, str]:
        step = self.step
        path, text = sysctl_names.to_path(step.key), step.after
        # A step that only keeps the value of a key writes it if another step has changed it.
        only_keeps = step.before is not None and sysctl_values.matches_rounded(step.before, text, step.shape)
        current = host.sysctl_text(path) if only_keeps else None
        if current is None or not sysctl_values.matches_rounded(current, text, step.shape):
            try:
                host.write_live(path, text)
            except _errors.HostProblem as problem:
                raise _errors.HostProblem(_messages.with_legal(problem.message, _legal(host, step)))
            # An exit status or a byte count is no proof: some keys round, others accept a write and ignore it.
            current = text if step.action else host.sysctl_text(path)
        if current is None or not sysctl_values.matches_rounded(current, text, step.shape):
            raise _errors.HostProblem(
                messages.KERNEL_KEPT_ANOTHER(written=text, kept=current, legal=_legal(host, step))
            )
        return {step.key: sysctl_values.normalize(current, step.shape)}

    def undo(self, host: "hosts.Host") -> str:
        step = self.step
        if step.action:
            raise _errors.HostProblem(messages.ACTION_NOT_UNDONE(key=step.key))
        if step.before is None:
            raise _errors.HostProblem(messages.FORMER_VALUE_UNKNOWN(key=step.key))
        former = list(step.beside) + [(step.key, step.before, step.shape)]
        if not _differing(host, former):
            return ""
        reasons = restore_sysctls(host, former)
        if reasons:
            # The kernel's own reason says more than that it kept another value.
            last = [reason for reason in reasons.values() if reason != _KEPT_ANOTHER] or [_KEPT_ANOTHER]
            raise _errors.HostProblem(messages.NOT_RESTORED(keys=", ".join(reasons), reason=last[-1]))
        return messages.RESTORED(key=step.key, value=step.before)

    def failed(self, reason: str) -> str:
        return messages.SYSCTL_NOT_SET(key=self.step.key, reason=reason)


_KEPT_ANOTHER = messages.KEPT_ANOTHER_VALUE()


def _legal(host: "hosts.Host", step: step_types.SetSysctl) -> str:
    """What a key accepts: its range, or the words that the kernel lists under other keys."""
    facts = catalog.find(step.key)
    lists = [(key, host.sysctl_text(sysctl_names.to_path(key))) for key in facts.listed] if facts else []
    known = [messages.LISTED_IN(words=words, key=key) for key, words in lists if words]
    return "; ".join(known) or catalog.legal(step.key, step.shape)


def restore_sysctls(host: "hosts.Host", values: SysctlTexts) -> t.Dict[str, str]:
    """Restore kernel parameters, as far as the kernel accepts it; returns the reason for each that differs in the end."""
    reasons: t.Dict[str, str] = {}
    # Twice, for the last key may change the others again. A rejection does not count while the value comes back by
    # itself: vm.dirty_bytes takes no 0, and is 0 once vm.dirty_ratio is written. Ports may have to move one after the other.
    for key, text, shape in list(values) + list(values):
        if not sysctl_values.equivalent(host.sysctl_text(sysctl_names.to_path(key)), text, shape):
            try:
                host.write_live(sysctl_names.to_path(key), text)
            except _errors.HostProblem as problem:
                reasons[key] = problem.message
    return {key: reasons.get(key, _KEPT_ANOTHER) for key in _differing(host, values)}


def _differing(host: "hosts.Host", values: SysctlTexts) -> t.List[str]:
    return [
        key
        for key, text, shape in values
        if not sysctl_values.equivalent(host.sysctl_text(sysctl_names.to_path(key)), text, shape)
    ]


class WriteFile(Kind[step_types.WriteFile]):
    def prepare(self, host: "hosts.Host") -> step_types.Step:
        if self.step.before is not None:
            return self.step
        return self.step._replace(directories=tuple(host.missing_directories(self.step.real)))

    def apply(self, host: "hosts.Host") -> t.Mapping[str, str]:
        self._write(host, self.step.before, self.step.after)
        return {}

    def _write(self, host: "hosts.Host", before: t.Optional[bytes], after: t.Optional[bytes]) -> None:
        """:raises HostProblem: if that failed, or the content is not ``before``."""
        if after is not None:
            host.replace(self.step.real, after, before)
            return
        if before is not None:
            host.remove(self.step.real, before)
        host.remove_directories(self.step.directories)

    def undo(self, host: "hosts.Host") -> str:
        step = self.step
        current = host.read_or_none(step.real)
        if current == step.before:
            host.sweep(step.real)
            if current is None:
                host.remove_directories(step.directories)
            return ""
        if current != step.after:
            raise _errors.HostProblem(messages.FILE_CHANGED_CONCURRENTLY(path=step.path))
        self._write(host, step.after, step.before)
        text = messages.FILE_REMOVED_AGAIN if step.before is None else messages.FILE_RESTORED
        return text(path=step.path)


class CheckSessions(Kind[step_types.CheckSessions]):
    def apply(self, host: "hosts.Host") -> t.Mapping[str, str]:
        step = self.step
        try:
            refused = host.sessions([(None, step.arguments)], step.users)[0]
        except _errors.HostProblem:
            return {}  # It worked before the files were written, so its failure is no reason to undo them.
        added = ["{0} ({1})".format(user, why) for user, why in sorted(refused.items()) if user not in step.before]
        if added:
            raise _errors.HostProblem(messages.SESSION_FAILED(users=", ".join(added)))
        return {}


class SetRlimit(Kind[step_types.SetRlimit]):
    def apply(self, host: "hosts.Host") -> t.Mapping[str, str]:
        step = self.step
        # A process that has ended needs no limit, and its id may belong to another one since, even between two calls.
        if self._still_runs(host):
            former = host.set_limit(step.pid, step.number, step.after)
            if not self._still_runs(host):
                host.set_limit(step.pid, step.number, former)
        return {}

    def _still_runs(self, host: "hosts.Host") -> bool:
        return proc.limit_of(host, self.step) is not None

    def undo(self, host: "hosts.Host") -> str:
        step = self.step
        if not self._still_runs(host):
            return ""
        try:
            former = host.set_limit(step.pid, step.number, step.before)
        except _errors.HostProblem as problem:
            raise _errors.HostProblem(self.not_restored(problem.message))
        return "" if former == step.before else messages.LIMIT_RESTORED(pid=step.pid)

    def failed(self, reason: str) -> str:
        return messages.LIMIT_NOT_SET(limit=self.step.name, pid=self.step.pid, reason=reason)

    def not_restored(self, reason: str) -> str:
        return messages.LIMIT_NOT_RESTORED(pid=self.step.pid, reason=reason)


class DaemonReload(Kind[step_types.DaemonReload]):
    def apply(self, host: "hosts.Host") -> t.Mapping[str, str]:
        _systemctl(host, ["daemon-reload"])
        for unit, name, limit in self.step.expected:
            shown = client.show(host, [name, name + "Soft"], [unit] if unit else [])
            current = conversion.shown(shown[0], name) if shown else None
            if current != limit:
                text = messages.UNIT_SHOWS_ANOTHER if unit else messages.MANAGER_SHOWS_ANOTHER
                found = "unknown" if current is None else conversion.render(current)
                message = text(property=name, unit=unit, found=found, expected=conversion.render(limit))
                raise _errors.HostProblem(message)
        return {}

    def undo(self, host: "hosts.Host") -> str:
        _systemctl(host, ["daemon-reload"])
        return messages.SYSTEMD_RELOADED()

    def failed(self, reason: str) -> str:
        return messages.RELOAD_FAILED(reason=reason)


class RestartUnit(Kind[step_types.RestartUnit]):
    def apply(self, host: "hosts.Host") -> t.Mapping[str, str]:
        _systemctl(host, ["restart", "--", self.step.unit])
        return {}

    def undo(self, host: "hosts.Host") -> str:
        """The files are restored and reloaded by then, so another restart gives the unit its former limits."""
        try:
            _systemctl(host, ["restart", "--", self.step.unit])
        except _errors.HostProblem as problem:
            raise _errors.HostProblem(messages.UNIT_DOES_NOT_START(unit=self.step.unit, reason=problem.message))
        return messages.UNIT_RESTARTED(unit=self.step.unit)

    def failed(self, reason: str) -> str:
        return messages.RESTART_FAILED(unit=self.step.unit, reason=reason)


def _systemctl(host: "hosts.Host", arguments: t.Sequence[str]) -> None:
    """:raises HostProblem: if systemd did not do it."""
    completed = host.run(["systemctl", "--no-ask-password"] + list(arguments), _SYSTEMCTL_TIMEOUT)
    if completed is None:
        raise _errors.HostProblem(messages.NO_SYSTEMCTL(arguments=" ".join(arguments)))
    if completed.status != 0:
        stderr = " ".join(completed.errors.split())
        text = messages.SYSTEMCTL_FAILED if stderr else messages.SYSTEMCTL_FAILED_SILENTLY
        raise _errors.HostProblem(text(arguments=" ".join(arguments), reason=stderr, status=completed.status))


KINDS: t.Dict[t.Type[step_types.Step], t.Callable[[t.Any], Kind[t.Any]]] = {
    step_types.SetSysctl: SetSysctl,
    step_types.WriteFile: WriteFile,
    step_types.CheckSessions: CheckSessions,
    step_types.SetRlimit: SetRlimit,
    step_types.DaemonReload: DaemonReload,
    step_types.RestartUnit: RestartUnit,
}


def kind_of(step: step_types.Step) -> Kind[t.Any]:
    """What can be done with a step."""
    return KINDS[type(step)](step)
