# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a limit can be for. Private: not for use outside of ``tunefleet.linux``."""

import typing as t

from .. import _errors
from .._core import limit as limit_types
from . import items, messages
from .systemd import unit_name


def parse_target(entry: t.Mapping[str, t.Any]) -> t.Tuple[str, str]:
    """Kind and name of the target of a limit.

    :raises ValueProblem: when there is none, more than one, or it cannot be meant.
    """
    given = [kind for kind in limit_types.TARGETS if entry.get(kind) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        raise _errors.ValueProblem(messages.ONE_TARGET(known=", ".join(limit_types.TARGETS), found=found))
    kind, raw = given[0], entry[given[0]]
    if entry.get("restart") and kind != limit_types.UNIT:
        raise _errors.ValueProblem(messages.RESTART_WITHOUT_UNIT())
    if kind == limit_types.DOMAIN:
        return kind, items.domain(raw)
    if kind == limit_types.UNIT:
        return kind, unit_name.check_name(raw)
    if kind == limit_types.MANAGER and raw not in (limit_types.SYSTEM, limit_types.USER):
        raise _errors.ValueProblem(messages.NOT_A_MANAGER(found=raw))
    text = raw if isinstance(raw, str) else ""
    if kind == limit_types.PROCESS and (
        not text.strip() or "\0" in text or "\n" in text or ("/" in text and text[0] != "/")
    ):
        raise _errors.ValueProblem(messages.NOT_A_PROCESS(found=raw))
    return kind, text
