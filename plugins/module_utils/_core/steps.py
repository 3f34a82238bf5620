# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""steps. Private to ``tunefleet.linux``."""

import typing as t

from . import shape as shapes


class SetSysctl(t.NamedTuple):
    """Set a kernel parameter, or make sure that it still is what it was after others were written.

    ``before`` is the text that puts it back, None where it could not be read. ``beside`` holds what the kernel may rewrite
    together with it: key, text and shape of each. An ``action`` leaves nothing to read back or to restore.
    """

    key: str
    before: t.Optional[str]
    after: str
    shape: shapes.Shape
    beside: t.Tuple[t.Tuple[str, str, shapes.Shape], ...] = ()
    action: bool = False


class WriteFile(t.NamedTuple):
    """Give a file new content; None means no file.

    ``directories`` exist for this file alone: they are missing as long as it is, and go with it when they are empty.
    """

    path: str
    real: str
    before: t.Optional[bytes]
    after: t.Optional[bytes]
    directories: t.Tuple[str, ...] = ()


class CheckSessions(t.NamedTuple):
    """See whether pam_limits lets users in with the files that are there now. ``before`` names those whom it refused all along."""

    users: t.Tuple[str, ...]
    arguments: t.Tuple[str, ...]
    before: t.Tuple[str, ...]


class SetRlimit(t.NamedTuple):
    """Set a limit of a running process. ``started`` distinguishes the process from a later one with the same id.

    ``number`` is the item for setrlimit(2), ``before`` and ``after`` are in the kernel's units.
    """

    pid: int
    started: str
    name: str
    number: int
    before: t.Tuple[int, int]
    after: t.Tuple[int, int]


class DaemonReload(t.NamedTuple):
    """Let systemd read its files again. ``expected`` holds what it must say then: unit (none for itself), property, limit.

    Code that restores a file below /etc/systemd at another time must reload systemd as well, once all files are restored; no unit is
    restarted for it, which ``needs`` then has to name.
    """

    expected: t.Tuple[t.Tuple[str, str, t.Tuple[int, int]], ...]


class RestartUnit(t.NamedTuple):
    """Restart a running unit that the request lists for a restart."""

    unit: str


Step = t.Union[SetSysctl, WriteFile, CheckSessions, SetRlimit, DaemonReload, RestartUnit]
