# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Steps and decisions that a plan consists of. Private: not for use outside of ``tunefleet.linux``."""

import typing as t

from ansible_collections.tunefleet.linux.plugins.module_utils._change import _wish
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import _conf, _targets
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import _values

OK = "ok"
CHANGED = "changed"
KEPT = "kept"
REMOVED = "removed"
UNKNOWN = "unknown"
NEEDS_MODULE = "needs_module"
NOT_NAMESPACED = "not_namespaced"
READ_ONLY = "read_only"
NO_EFFECT = "no_effect"
REFUSED = "refused"
UNAVAILABLE = frozenset([REMOVED, UNKNOWN, NEEDS_MODULE, NOT_NAMESPACED, READ_ONLY, NO_EFFECT])


class LiveStep(t.NamedTuple):
    """Set a kernel parameter, or make sure that it still is what it was after others were written.

    ``before`` is the text that puts it back, None where it could not be read. ``beside`` holds what the kernel may rewrite
    together with it: key, text and shape of each. An ``action`` leaves nothing that could be read back or put back.
    """

    key: str
    before: t.Optional[str]
    after: str
    shape: _values.Shape
    beside: t.Tuple[t.Tuple[str, str, _values.Shape], ...] = ()
    action: bool = False


class FileStep(t.NamedTuple):
    """Give a file new bytes; None stands for no file.

    ``directories`` exist for this file alone: they are missing as long as it is, and go with it when they are empty.
    """

    path: str
    real: str
    before: t.Optional[bytes]
    after: t.Optional[bytes]
    directories: t.Tuple[str, ...] = ()


class SessionStep(t.NamedTuple):
    """See whether pam_limits lets users in with the files that are there now. ``before`` names those whom it refused all along."""

    users: t.Tuple[str, ...]
    arguments: t.Tuple[str, ...]
    before: t.Tuple[str, ...]


class ProcessStep(t.NamedTuple):
    """Set a limit of a running process. ``started`` tells the process from a later one that has its id.

    ``number`` is the item for setrlimit(2), ``before`` and ``after`` are in the kernel's units.
    """

    pid: int
    started: str
    name: str
    number: int
    before: t.Tuple[int, int]
    after: t.Tuple[int, int]


class ReloadStep(t.NamedTuple):
    """Let systemd read its files again. ``expected`` holds what it must say then: unit (none for itself), property, limit.

    Whoever puts back a file below /etc/systemd at another time has to do this as well, once all files are back; no unit is
    restarted for it, which ``needs`` then has to name.
    """

    expected: t.Tuple[t.Tuple[str, str, t.Tuple[int, int]], ...]


class RestartStep(t.NamedTuple):
    """Restart a unit that runs, and that somebody asked to restart."""

    unit: str


Step = t.Union[LiveStep, FileStep, SessionStep, ProcessStep, ReloadStep, RestartStep]


class OtherBoot(t.NamedTuple):
    """What the next boot gives a key if another program reads the files."""

    reader: str
    value: t.Optional[str]
    winner: str


class BootState(t.NamedTuple):
    """What the next boot gives a key, the line that decides, and whether that is our entry."""

    value: t.Optional[str] = None
    winner: t.Optional[str] = None
    ours: bool = False


class SettingDecision(t.NamedTuple):
    """What is to become of one sysctl key.

    ``arithmetic`` says how a wanted number that depends on the host comes about.
    ``boot_others`` are the answers of other readers that the host may have, where they differ from ``boot``.
    """

    key: str
    status: str
    wanted: str
    reason: str = ""
    live: t.Tuple[t.Optional[str], t.Optional[str]] = (None, None)
    file: t.Tuple[t.Optional[str], t.Optional[str]] = (None, None)
    boot_before: BootState = BootState()
    boot: BootState = BootState()
    boot_others: t.Sequence[OtherBoot] = ()
    shadowed: bool = False
    shape: _values.Shape = _values.Shape()
    note: _wish.Note = _wish.Note()
    arithmetic: str = ""


class LimitDecision(t.NamedTuple):
    """What is to become of the limit of one target and item.

    ``before`` and ``after`` are what our file says about a domain, what the manager gives, or what the running process has.
    """

    domain: str
    item: str
    status: str
    wanted: t.Tuple[t.Optional[str], t.Optional[str]]
    reason: str = ""
    before: _conf.Limit = _conf.Limit()
    after: _conf.Limit = _conf.Limit()
    effective: _conf.Limit = _conf.Limit()
    shadowed_by: t.Optional[str] = None
    notes: t.Sequence[str] = ()
    note: _wish.Note = _wish.Note()
    kind: str = _targets.DOMAIN

    @property
    def name(self) -> str:
        """How messages call it."""
        return _wish.limit_name(self.kind, self.domain, self.item)


class NofileRule(t.NamedTuple):
    """A limit of open files that a host has: the number, the line or service that has it, and what ``fs.nr_open`` below it does."""

    value: int
    where: str
    harm: str


class Finding(t.NamedTuple):
    """A rule across keys that does not hold; ``refused`` says whether the request comes to nothing for it."""

    rule: str
    refused: bool
    text: str


class Cost(t.NamedTuple):
    """Kernel memory for a number of connections, in bytes; None where it cannot be told. ``text`` holds the arithmetic.

    ``percent`` is the share of the memory, ``refused`` and ``warned`` say that it is above what is allowed, ``mostly`` what most of
    it goes back to.
    """

    connections: int
    needed: t.Optional[int]
    memory: t.Optional[int]
    percent: t.Optional[int]
    refused: bool
    warned: bool
    text: str
    mostly: str = ""


class Context(t.NamedTuple):
    """A key that a request does not set, and that has to be known to judge those that it sets."""

    live: t.Optional[str]
    boot: BootState
    writable: bool


class Plan(t.NamedTuple):
    """Everything that a request comes to on this host. With problems nothing may be carried out."""

    settings: t.Sequence[SettingDecision] = ()
    limits: t.Sequence[LimitDecision] = ()
    steps: t.Sequence[Step] = ()
    problems: t.Sequence[str] = ()
    warnings: t.Sequence[str] = ()
    needs: t.Sequence[str] = ()
    context: t.Mapping[str, Context] = {}
    findings: t.Sequence[Finding] = ()
    cost: t.Optional[Cost] = None
