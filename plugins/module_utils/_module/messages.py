# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages of this package: what a user reads. Private to ``tunefleet.linux``."""

from .. import _messages

NOTHING_TO_DO = _messages.Text(
    "module.nothing_to_do",
    "Neither the running kernel (live) nor the file (persist) may be changed: there is nothing to do.",
)
LIMIT_VALUE_MISSING = _messages.Text("module.limit_value_missing", "the value is missing")
COMMENT_WITH_LINE_BREAK = _messages.Text("module.comment_with_line_break", "the comment contains a line break")
COMMENT_WITH_NUL = _messages.Text(
    "module.comment_with_nul",
    "the comment contains a NUL byte, where pam_limits ends a line",
)
COMMENT_TOO_LONG = _messages.Text("module.comment_too_long", "the comment is longer than {limit} bytes")
PROCESS_HAS_NO_ENTRY = _messages.Text(
    "module.process_has_no_entry",
    "a process has no entry that can be removed; request its limit instead",
)
UNIT_HALVES_SHARE_A_LINE = _messages.Text(
    "module.unit_halves_share_a_line",
    "one line of systemd holds soft and hard; remove both, and name neither",
)
NOT_POSITIVE = _messages.Text("module.not_positive", "{option} is {found}; it takes an integer above zero.")
HAZARD_NOT_ACCEPTED = _messages.Text("module.hazard_not_accepted", "{hazard} Set accept_hazards to apply it anyway.")
NEEDS_ROOT = _messages.Text(
    "module.needs_root",
    "{operation} needs root, and this ran as the user {user}. Run it as root, or let Ansible become root "
    "(become: true, or --become on the command line). Nothing was written.",
)
RELOAD_FAILED = _messages.Text("module.reload_failed", "Failed to reload sysctl: {reason}")
SETTING_FAILED = _messages.Text("module.setting_failed", "setting {key} failed: {reason}")
