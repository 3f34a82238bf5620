# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The exception family of the collection. Private: not for use outside of ``tunefleet.linux``.

Helpers raise these; the ``main()`` of a module alone turns them into ``fail_json``. The text of each is one or more whole
sentences: what was being done, to what, what was found, and what to do.
"""

import typing as t

from . import _messages


class TuneError(Exception):
    """Root of the family. ``message`` is what failed, as data (see ``_messages.py``)."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class NameProblem(TuneError):
    """A sysctl key is not spelled as sysctl.d(5) allows."""


class ValueProblem(TuneError):
    """A value cannot mean what its key needs, or lies outside of the legal range."""


class HostProblem(TuneError):
    """Reading or writing something on the host failed."""


class ConcurrentChange(HostProblem):
    """Another program changed something between our read and our write, so it was not changed."""


class EntryProblems(TuneError):
    """One or more entries of a request are refused; nothing was written. ``problems`` holds one message for each entry."""

    def __init__(self, problems: t.Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__(_messages.refused(self.problems))
