# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages of this package: what a user reads. Private to ``tunefleet.linux``."""

from .. import _messages

CHANGED_CONCURRENTLY = _messages.Text(
    "transaction.changed_concurrently",
    "{key} is {found} now and was {before} a moment ago: another program sets it too, so it was not changed; "
    "run this again",
)
KERNEL_KEPT_ANOTHER = _messages.Text(
    "transaction.kernel_kept_another",
    "{written!r} was written, and the kernel kept {kept!r}",
)
ACTION_NOT_UNDONE = _messages.Text(
    "transaction.action_not_undone",
    "The action that a write to {key} triggered cannot be undone.",
)
FORMER_VALUE_UNKNOWN = _messages.Text("transaction.former_value_unknown", "{key}: its former value could not be read.")
NOT_RESTORED = _messages.Text("transaction.not_restored", "{keys} could not be restored: {reason}.")
KEPT_ANOTHER_VALUE = _messages.Text("transaction.kept_another_value", "the kernel kept another value")
LISTED_IN = _messages.Text("transaction.listed_in", "{words} in {key}")
RESTORED = _messages.Text("transaction.restored", "{key} is {value} again.")
SYSCTL_NOT_SET = _messages.Text("transaction.sysctl_not_set", "setting {key} failed: {reason}")
LIMIT_NOT_SET = _messages.Text("transaction.limit_not_set", "setting {limit} of process {pid} failed: {reason}")
RELOAD_FAILED = _messages.Text("transaction.reload_failed", "reloading the files of systemd failed: {reason}")
RESTART_FAILED = _messages.Text("transaction.restart_failed", "restarting {unit} failed: {reason}")
FILE_CHANGED_CONCURRENTLY = _messages.Text(
    "transaction.file_changed_concurrently",
    "{path} was changed externally in the meantime and was not restored.",
)
FILE_RESTORED = _messages.Text("transaction.file_restored", "{path} has its former content.")
FILE_REMOVED_AGAIN = _messages.Text("transaction.file_removed_again", "{path} is removed again.")
SESSION_FAILED = _messages.Text(
    "transaction.session_failed",
    "pam_limits refuses a session of {users} with the files that were written",
)
LIMIT_NOT_RESTORED = _messages.Text(
    "transaction.limit_not_restored",
    "Process {pid}: its former limit could not be restored: {reason}.",
)
LIMIT_RESTORED = _messages.Text("transaction.limit_restored", "Process {pid} has its former limit again.")
UNIT_SHOWS_ANOTHER = _messages.Text(
    "transaction.unit_shows_another",
    "after systemd reloaded its files, {property} of {unit} is {found}, not {expected}",
)
MANAGER_SHOWS_ANOTHER = _messages.Text(
    "transaction.manager_shows_another",
    "after systemd reloaded its files, {property} of the manager is {found}, not {expected}",
)
SYSTEMD_RELOADED = _messages.Text("transaction.systemd_reloaded", "systemd has reloaded its files.")
UNIT_DOES_NOT_START = _messages.Text(
    "transaction.unit_does_not_start",
    "{unit} does not start with its former limits either: {reason}.",
)
UNIT_RESTARTED = _messages.Text("transaction.unit_restarted", "{unit} was restarted with its former limits.")
SYSTEMCTL_FAILED = _messages.Text("transaction.systemctl_failed", "systemctl {arguments} failed: {reason}")
SYSTEMCTL_FAILED_SILENTLY = _messages.Text(
    "transaction.systemctl_failed_silently",
    "systemctl {arguments} failed with status {status} and printed no error",
)
NO_SYSTEMCTL = _messages.Text(
    "transaction.no_systemctl", "systemctl {arguments} failed: this host has no program systemctl"
)
NOTHING_CHANGED = _messages.Text("transaction.nothing_changed", "{error} Nothing was changed.")
TOO_MANY_PROFILES = _messages.Text(
    "transaction.too_many_profiles",
    "The ledger {path} already holds {count} profiles, and {profile!r} would be another. Give the profile a "
    "stable name, or revert profiles that are not needed. Nothing was written.",
)
APPLIED_TOGETHER = _messages.Text(
    "transaction.applied_together",
    "The profile {profile} was applied together with others, as {names}, and cannot be reverted alone. Revert "
    "{names}, then apply the profiles that must stay. Nothing was written.",
)
FILE_CHANGED_EXTERNALLY = _messages.Text(
    "transaction.file_changed_externally",
    "{path} was changed externally since and is kept as it is.",
)
NO_TRIAL = _messages.Text(
    "transaction.no_trial",
    "Confirming a trial was refused: nothing is on trial on this host. Nothing was written.",
)
NOT_ON_TRIAL = _messages.Text(
    "transaction.not_on_trial",
    "Confirming the trial {trial} was refused: it is no longer on trial on this host, because another run "
    "reverted its changes. Nothing was written.",
)
TRIAL_ALREADY_ENDED = _messages.Text(
    "transaction.trial_already_ended",
    "The trial that was to be reverted has already ended; another run ended it.",
)
INTERRUPTED_RUN = _messages.Text(
    "transaction.interrupted_run",
    "An earlier run ({run}) was interrupted; its partial changes were completed or undone first.",
)
INTERRUPTED_RUN_CHECK_MODE = _messages.Text(
    "transaction.interrupted_run_check_mode",
    "An earlier run ({run}) was interrupted; its partial changes would be completed or undone first.",
)
UNCONFIRMED_TRIAL = _messages.Text(
    "transaction.unconfirmed_trial",
    "An earlier run ({run}) was on trial here and was not confirmed; its changes were reverted first.",
)
UNCONFIRMED_TRIAL_CHECK_MODE = _messages.Text(
    "transaction.unconfirmed_trial_check_mode",
    "An earlier run ({run}) was on trial here and was not confirmed; its changes would be reverted first.",
)
PARTLY_RESTORED = _messages.Text(
    "transaction.partly_restored",
    "Some of it could not be restored; the rest was. {problems}",
)
PARTLY_REVERTED = _messages.Text(
    "transaction.partly_reverted",
    "Some of it could not be restored; the rest was, and the ledger keeps what remains. {problems}",
)
KEY_NOT_RESTORED = _messages.Text("transaction.key_not_restored", "{key} could not be restored: {reason}.")
NOT_APPLIED = _messages.Text(
    "transaction.not_applied",
    "The profile {profile} is not applied on this host, so nothing is reverted; applied: {applied}.",
)
FILE_REMOVED_EXTERNALLY = _messages.Text(
    "transaction.file_removed_externally",
    "{path} was removed externally; it is not restored.",
)
FILE_CREATED_EXTERNALLY = _messages.Text(
    "transaction.file_created_externally",
    "{path} was created again externally; it is kept as it is.",
)
FILE_EDITED_EXTERNALLY = _messages.Text(
    "transaction.file_edited_externally",
    "{path} was changed externally; only our lines are reverted.",
)
OUR_LINES_EDITED_EXTERNALLY = _messages.Text(
    "transaction.our_lines_edited_externally",
    "{path} was changed externally; only our lines are reverted. These were changed as well, and are left alone: {lines}.",
)
CANNOT_REPLAN = _messages.Text(
    "transaction.cannot_replan",
    "The profile {profile}, which stays applied, cannot be planned on this host: {reason} Revert it too.",
)
LIMIT_SET_EXTERNALLY = _messages.Text(
    "transaction.limit_set_externally",
    "is {found} now, and we applied {applied}: it was changed externally and is kept",
)
TOO_MANY_FILES_OPEN = _messages.Text(
    "transaction.too_many_files_open",
    "the process has more files open than its former limit {limit}, so the limit is kept",
)
CHANGED_EXTERNALLY = _messages.Text(
    "transaction.changed_externally",
    "is {found} now, and we applied {applied}: it was changed externally and is kept",
)
ALL_UNDONE = _messages.Text("transaction.all_undone", "All changes of this run were undone.")
NOT_UNDONE = _messages.Text("transaction.not_undone", "Not undone: {problems}")
LEDGER_TOO_NEW = _messages.Text(
    "transaction.ledger_too_new",
    "The ledger {path} was written by a newer release of tunefleet.linux (format {version}, this release knows {known}). Use "
    "that release. The ledger holds the original state of this host, so nothing was written. To continue without it, move it "
    "away (mv {path} {path}.old).",
)
CHECKSUM_DIFFERS = _messages.Text("transaction.checksum_differs", "its format or its checksum is wrong")
FIELD_MISSING = _messages.Text("transaction.field_missing", "{field} is missing")
LEDGER_DAMAGED = _messages.Text(
    "transaction.ledger_damaged",
    "The ledger {path} is damaged ({reason}). It holds the original state of this host, so nothing was written. To continue "
    "without it, move it away (mv {path} {path}.old).",
)
