# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A request: the desired state, checked as far as possible without the host. Private to ``tunefleet.linux``."""

import typing as t

from . import bound as bounds
from . import limit as limit_types
from . import messages
from . import shape as shapes

FAIL = "fail"
WARN = "warn"
SKIP = "skip"

REFUSE = "refuse"
OFF = "off"


class SettingRequest(t.NamedTuple):
    """The desired state of one sysctl key.

    ``key`` is canonical, or a pattern until it is expanded. ``raw`` is as given, and ``explanation`` says how it comes about once
    what depends on the host is worked out.
    """

    key: str
    operator: str
    raw: t.Optional[shapes.Raw] = None
    note: bounds.Note = bounds.Note()
    explanation: str = ""


class LimitRequest(t.NamedTuple):
    """The desired limit of one item for one target; None leaves that half as it is.

    ``kind`` is the kind of the target and ``target`` its name: a domain of limits.conf(5), a unit, ``system`` or ``user`` for a
    manager of systemd, a process by its name or pid file. ``restart`` lets a unit be restarted where that is what it takes.
    ``joined`` asks for one line of the type ``-``. ``file_only`` compares a bound with the file alone, not with what the host
    has from elsewhere.
    """

    target: str
    item: str
    soft: t.Optional[bounds.Bound] = None
    hard: t.Optional[bounds.Bound] = None
    note: bounds.Note = bounds.Note()
    joined: bool = False
    file_only: bool = False
    comment: str = ""
    kind: str = limit_types.DOMAIN
    restart: bool = False

    @property
    def name(self) -> str:
        """How messages call this desired."""
        return limit_types.limit_name(self.kind, self.target, self.item)

    @property
    def identity(self) -> t.Tuple[str, str, str]:
        """What identifies it among the requests."""
        return self.kind, self.target, self.item


class Policy(t.NamedTuple):
    """How a request is to be carried out.

    ``strict`` lets cross-key rules refuse the request; otherwise they warn. ``connections`` is the number to estimate memory for, and
    ``memory_warn`` and ``memory_refuse`` the percentage of the memory above which that is too much.
    """

    sysctl_file: str = "/etc/sysctl.d/99-tunefleet.conf"
    limits_file: str = "/etc/security/limits.d/99-tunefleet.conf"
    live: bool = True
    persist: bool = True
    on_unavailable: str = FAIL
    on_shadowed: str = WARN
    guard: str = REFUSE
    backup: bool = False
    strict: bool = True
    connections: t.Optional[int] = None
    memory_warn: int = 50
    memory_refuse: int = 100


class History(t.NamedTuple):
    """The name under which the ledger keeps what a request changes, and the options that say what it asks for.

    ``revert`` requests the opposite: to restore what was changed under the name. The empty name means every profile.
    ``trial`` lets the change wait for a confirmation, and ``ending`` ends such a trial.
    """

    name: str
    options: t.Mapping[str, t.Any] = {}
    revert: bool = False
    trial: bool = False
    ending: t.Optional["TrialDecision"] = None


class TrialDecision(t.NamedTuple):
    """How a trial ends: its changes are confirmed (``confirm``) or reverted. ``trial`` is its id; the empty one means any trial."""

    confirm: bool
    trial: str


class Request(t.NamedTuple):
    """Everything that one run of a module requests.

    ``what`` names the run to others that wait for its end. ``warnings`` are shown whatever the result is.
    """

    settings: t.Sequence[SettingRequest] = ()
    limits: t.Sequence[LimitRequest] = ()
    policy: Policy = Policy()
    what: str = ""
    history: t.Optional[History] = None
    warnings: t.Sequence[str] = ()


def hazards(request: Request) -> t.List[str]:
    """One sentence for each desired with a hazard, for a caller who did not accept it."""
    noted = [(desired.key, desired.note) for desired in request.settings] + [
        (desired.name, desired.note) for desired in request.limits
    ]
    return [messages.HAZARD(target=name, hazard=str(note.hazard).rstrip(".")) for name, note in noted if note.hazard]
