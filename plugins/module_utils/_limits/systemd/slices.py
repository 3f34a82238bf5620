# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where systemd allows the sessions of a user fewer tasks than nproc would. Private: not for use outside of ``tunefleet.linux``.

Each user has a slice, ``user-UID.slice``, whose TasksMax= counts the threads of all sessions: systemd.resource-control(5). Both bounds
make fork(2) fail with the same error, so a request that raises the one is warned of the other.
"""

import typing as t

from ... import _messages
from ..._core import limit as limit_types
from ..._core import plan as plans
from ..._core import status as statuses
from ..._host import machine
from .. import items
from . import client, messages

if t.TYPE_CHECKING:
    from ..._host import host as hosts


# No user has it (login.defs(5), UID_MAX), so its slice is what those of all users begin with: user-.slice.d.
_UNUSED_UID = 60001


def note(host: "hosts.Host", name: str, uid: t.Optional[int], nproc: t.Optional[limit_types.Number]) -> t.Optional[str]:
    """A sentence where the slice of a user allows less than its nproc, or nothing.

    :param name: how the sentence calls whom the nproc is for. :param uid: None for users in general.
    """
    if nproc is None or uid == 0 or not machine.booted(host):
        return None
    most = client.tasks_max(host, "user-{0}.slice".format(_UNUSED_UID if uid is None else uid))
    if most is None or items.rank(nproc) <= most:
        return None
    unit = "user-{0}.slice".format("" if uid is None else uid)
    return messages.SLICE_IS_LOWER(tasks=most, slice=unit, nproc=nproc, user=name)


def annotate(host: "hosts.Host", plan: plans.Plan) -> plans.Plan:
    """The plan, with a note and a warning for each nproc that a slice makes lower."""
    limits, warnings = list(plan.limits), list(plan.warnings)
    for index, limit in enumerate(limits):
        if limit.kind == limit_types.DOMAIN and limit.item == "nproc" and limit.status == statuses.CHANGED:
            user = host.user(limit.target)
            found = note(host, limit.target, user[1] if user else None, limit.effective.soft)
            if found:
                limits[index] = limit._replace(notes=list(limit.notes) + [found])
                warnings.append(_messages.about("Limit " + limit.name, found))
    return plan._replace(limits=limits, warnings=warnings)
