# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""compat. Private to ``tunefleet.linux``."""

import typing as t

from .. import _messages
from .._core import result as results
from .._core import status as statuses
from . import messages


def single_limit(options: t.Mapping[str, t.Any], result: results.Result) -> results.Result:
    """The result of the module ``limits``, with the line of a single limit as community.general.pam_limits returns it."""
    if options["domain"] is None:
        return result
    after = result["limits"][0]["after"]
    value = after["hard"] if options["limit_type"] == "hard" else after["soft"]
    fields = [options["domain"], options["limit_type"], options["limit_item"], str(value)]
    comment = "\t#" + options["comment"].strip() if options["comment"] else ""
    return dict(result, msg="" if value is None else "\t".join(fields) + comment + "\n")


def single_failure(options: t.Mapping[str, t.Any], failure: results.RequestFailed) -> str:
    """The message of the module ``sysctl`` for a single key that was refused, as ansible.posix.sysctl begins it.

    Playbooks search for these beginnings. Where the other module runs ``sysctl -w`` it reports a failed setting; where it reloads its
    file, a failed reload.
    """
    one = (failure.result["settings"] or [{"key": "", "status": ""}])[0]
    if options["name"] is None or not (one["status"] == statuses.REFUSED or one["status"] in statuses.UNAVAILABLE):
        return failure.message
    if not options["sysctl_set"]:
        return messages.RELOAD_FAILED(reason=failure.message) if options["reload"] else failure.message
    if not failure.problems:
        return failure.message  # a step failed, and its message begins that way already
    return messages.SETTING_FAILED(
        key=one["key"], reason=_messages.refused([problem.detail for problem in failure.problems])
    )
