# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages of this package: what a user reads. Private to ``tunefleet.linux``."""

from .. import _messages

ITEM_OF_SESSIONS_ONLY = _messages.Text(
    "limits.item_of_sessions_only",
    "{item} applies to sessions only; a {kind} takes: {known}",
)
NOT_AN_ITEM_VALUE = _messages.Text(
    "limits.not_an_item_value",
    "{found!r} is not {legal}; pam_limits would read something else, systemd nothing",
)
ITEM_OUT_OF_RANGE = _messages.Text("limits.item_out_of_range", "{found} is not {legal}")
NOT_A_DOMAIN = _messages.Text(
    "limits.not_a_domain",
    "{found!r} is not a domain; write a user, @group, *, or a range of ids as in 1000:2000",
)
DOMAIN_TOO_LONG = _messages.Text("limits.domain_too_long", "the domain is longer than {limit} bytes and matches nobody")
DOMAIN_WITH_WHITE_SPACE = _messages.Text(
    "limits.domain_with_white_space",
    "the domain {domain!r} contains white space, a '#' or a control character and would never match",
)
DOMAIN_MATCHES_NOBODY = _messages.Text(
    "limits.domain_matches_nobody",
    "the domain {domain!r} matches nobody; write @group or a range of ids",
)
RANGE_REVERSED = _messages.Text(
    "limits.range_reversed",
    "the range {domain!r} ends before it begins and would never match",
)
UNKNOWN_ITEM = _messages.Text(
    "limits.unknown_item",
    "{item!r} is not an item of limits.conf(5) (known: {known}){suggestion}",
)
PERCENT_TAKES_MAXLOGINS = _messages.Text(
    "limits.percent_takes_maxlogins",
    "a domain that begins with % counts the logins of a group and takes maxlogins only",
)
NEITHER_SOFT_NOR_HARD = _messages.Text("limits.neither_soft_nor_hard", "neither soft nor hard is given")
SOFT_ABOVE_HARD = _messages.Text("limits.soft_above_hard", "soft {soft} is above hard {hard}; {consequence}")
LIMIT_REQUESTED_TWICE = _messages.Text(
    "limits.limit_requested_twice",
    "Limit {limit} is requested twice with different values; keep one.",
)
LIMIT_SOFT_ABOVE_HARD = _messages.Text(
    "limits.limit_soft_above_hard",
    "Limit {limit}: soft {soft} is above hard {hard}.",
)
ONE_TARGET = _messages.Text("limits.one_target", "a limit takes exactly one of {known}; found {found}")
RESTART_WITHOUT_UNIT = _messages.Text(
    "limits.restart_without_unit",
    "restart needs unit; nothing else is ever restarted",
)
NOT_A_MANAGER = _messages.Text("limits.not_a_manager", "{found!r} is not a manager of systemd; write system or user")
NOT_A_PROCESS = _messages.Text(
    "limits.not_a_process",
    "{found!r} is not a process; write its name as for ps -C, or the path of its pid file",
)
