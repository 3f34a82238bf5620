# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""compat. Private to ``tunefleet.linux``."""

import typing as t

from .._core import result as results
from .._core import status as statuses


def single_limit(options: t.Mapping[str, t.Any], result: results.Result) -> results.Result:
    """The result of the module ``limits``, with the line of a single limit as community.general.pam_limits returns it."""
    if options["domain"] is None:
        return result
    after = result["limits"][0]["after"]
    value = after["hard"] if options["limit_type"] == "hard" else after["soft"]
    fields = [options["domain"], options["limit_type"], options["limit_item"], str(value)]
    comment = "\t#" + options["comment"].strip() if options["comment"] else ""
    return dict(result, msg="" if value is None else "\t".join(fields) + comment + "\n")


def single_failure(options: t.Mapping[str, t.Any], result: results.Result, message: str) -> str:
    """The message of the module ``sysctl`` for a single key that was refused, with the words of ansible.posix.sysctl in front.

    Playbooks look for them. Where the other module runs ``sysctl -w`` it says the first, where it reloads its file the second.
    """
    one = (result["settings"] or [{"key": "", "status": ""}])[0]
    if options["name"] is None or not (one["status"] == statuses.REFUSED or one["status"] in statuses.UNAVAILABLE):
        return message
    if not options["sysctl_set"]:
        return "Failed to reload sysctl: " + message if options["reload"] else message
    if message.startswith("setting "):
        return message
    named = one["key"] + ": "
    reason = message[len(named) :] if message.startswith(named) else message
    return "setting {0} failed: {1}".format(one["key"], reason)
