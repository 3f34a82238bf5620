# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kinds of steps that a plan consists of: their data, and what follows from it without a host. Private to ``tunefleet.linux``.

``_transaction/step_kinds.py`` applies and undoes them. Nothing else asks for the type of a step.
"""

import typing as t

from . import limit as limit_types
from . import shape as shapes
from . import status as statuses

if t.TYPE_CHECKING:
    from . import plan as plans


class DiffPage(t.NamedTuple):
    """What ``--diff`` shows of a step. Steps with the same header share a page."""

    header: str
    before: str
    after: str


class Step:
    """Base of all steps. A kind of step overrides what applies to it."""

    __slots__ = ()
    # Whether the step makes other steps take effect. Such steps come last, also when a run is undone.
    is_reload = False

    def inverse(self) -> t.Optional["Step"]:
        """The step that restores what was before; None if there is nothing to restore, or it is unknown."""
        return None

    def record(self, changes: "Changes") -> None:
        """Add the step to what the ledger keeps of a run."""

    def overlay(self, host: t.Any) -> None:
        """Change a hypothetical host (``_transaction/overlay.py``) as the step would change a real one."""

    def diff(self) -> t.Optional[DiffPage]:
        """What ``--diff`` shows of the step; None for nothing."""
        return None

    def is_about_key(self, key: str) -> bool:
        """Whether the step sets a kernel parameter."""
        return False

    def is_about_limit(self, limit: "plans.LimitDecision") -> bool:
        """Whether a failure of the step refuses a limit."""
        return False


class _SetSysctl(t.NamedTuple):
    key: str
    before: t.Optional[str]
    after: str
    shape: shapes.Shape
    beside: t.Tuple[t.Tuple[str, str, shapes.Shape], ...] = ()
    action: bool = False


class SetSysctl(_SetSysctl, Step):
    """Set a kernel parameter, or make sure that it kept its value while others were written.

    ``before`` is the former text, None if it could not be read. ``beside`` holds the keys that the kernel may rewrite with it:
    key, text and shape of each. An ``action`` leaves nothing to read back or to restore.
    """

    __slots__ = ()

    def inverse(self) -> t.Optional[Step]:
        if self.before is None or self.action:
            return None
        return SetSysctl(self.key, self.after, self.before, self.shape)

    def record(self, changes: "Changes") -> None:
        if self.before is not None and not self.action:
            changes.sysctls.append(self)

    def overlay(self, host: t.Any) -> None:
        host.set_sysctl(self.key, self.after)

    def diff(self) -> t.Optional[DiffPage]:
        line = "{0} = {1}\n"
        before = " ".join((self.before or "").split())
        return DiffPage("live kernel parameters", line.format(self.key, before), line.format(self.key, self.after))

    def is_about_key(self, key: str) -> bool:
        return self.key == key


class _WriteFile(t.NamedTuple):
    path: str
    real: str
    before: t.Optional[bytes]
    after: t.Optional[bytes]
    directories: t.Tuple[str, ...] = ()


class WriteFile(_WriteFile, Step):
    """Give a file new content; None means no file. ``real`` is the path behind all links.

    ``directories`` exist for this file alone: they are created with it, and removed with it if they are empty.
    """

    __slots__ = ()

    def inverse(self) -> t.Optional[Step]:
        return self._replace(before=self.after, after=self.before)

    def record(self, changes: "Changes") -> None:
        changes.files.append(self)

    def overlay(self, host: t.Any) -> None:
        host.write_file(self.path, self.real, self.after)

    def diff(self) -> t.Optional[DiffPage]:
        return DiffPage(self.path, _text(self.before), _text(self.after))


def _text(data: t.Optional[bytes]) -> str:
    return "" if data is None else data.decode("utf-8", "backslashreplace")


class _CheckSessions(t.NamedTuple):
    users: t.Tuple[str, ...]
    arguments: t.Tuple[str, ...]
    before: t.Tuple[str, ...]


class CheckSessions(_CheckSessions, Step):
    """Check that pam_limits accepts sessions with the files as they are. ``before`` names users whom it rejected before the run."""

    __slots__ = ()

    def is_about_limit(self, limit: "plans.LimitDecision") -> bool:
        return limit.kind == limit_types.DOMAIN and limit.status == statuses.CHANGED


class _SetRlimit(t.NamedTuple):
    pid: int
    started: str
    name: str
    number: int
    before: t.Tuple[int, int]
    after: t.Tuple[int, int]


class SetRlimit(_SetRlimit, Step):
    """Set a limit of a running process. ``started`` distinguishes the process from a later one with the same id.

    ``number`` is the item for setrlimit(2), ``before`` and ``after`` are in the kernel's units.
    """

    __slots__ = ()

    def inverse(self) -> t.Optional[Step]:
        return self._replace(before=self.after, after=self.before)

    def record(self, changes: "Changes") -> None:
        changes.rlimits.append(self)

    def overlay(self, host: t.Any) -> None:
        host.set_rlimit(self.pid, self.number, self.after)

    def is_about_limit(self, limit: "plans.LimitDecision") -> bool:
        return limit.name == self.name


class _DaemonReload(t.NamedTuple):
    expected: t.Tuple[t.Tuple[str, str, t.Tuple[int, int]], ...]


class DaemonReload(_DaemonReload, Step):
    """Make systemd reload its files. ``expected`` holds what it must show then: unit (empty for the manager), property, limit.

    Code that restores a file below /etc/systemd at another time must reload systemd as well, once all files are restored. It restarts
    no unit; ``needs`` names those that must restart.
    """

    __slots__ = ()
    is_reload = True


class _RestartUnit(t.NamedTuple):
    unit: str


class RestartUnit(_RestartUnit, Step):
    """Restart a running unit that the request lists for a restart."""

    __slots__ = ()
    is_reload = True

    def is_about_limit(self, limit: "plans.LimitDecision") -> bool:
        return (limit.kind, limit.target) == (limit_types.UNIT, self.unit)


class Changes:
    """What the ledger keeps of steps, by kind of state. Steps that change nothing, or whose former value is unknown, are not here."""

    def __init__(self, steps: t.Iterable[Step] = ()) -> None:
        self.sysctls: t.List[SetSysctl] = []
        self.files: t.List[WriteFile] = []
        self.rlimits: t.List[SetRlimit] = []
        for step in steps:
            step.record(self)


def inverse(steps: t.Sequence[Step]) -> t.List[Step]:
    """The steps that restore what was before some steps, last one first."""
    inverses = [step.inverse() for step in reversed(steps)]
    return [step for step in inverses if step is not None]
