# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages of this package: what a user reads. Private to ``tunefleet.linux``."""

from ... import _messages

NO_SUCH_UNIT = _messages.Text("systemd.no_such_unit", "this host has no unit {unit}{suggestion}")
UNIT_MASKED = _messages.Text("systemd.unit_masked", "the unit is masked and never starts")
NO_SUCH_PROCESS = _messages.Text("systemd.no_such_process", "no such process runs")
NO_SYSTEMD = _messages.Text("systemd.no_systemd", "this host has no systemd")
UNIT_FILE_UNREADABLE = _messages.Text(
    "systemd.unit_file_unreadable",
    "{path} cannot be read, so the limit that it sets is unknown.",
)
NO_SYSTEMD_TO_READ_IT = _messages.Text("systemd.no_systemd_to_read_it", "this host has no systemd to read it")
UNIT_FILE_CUT_OFF = _messages.Text(
    "systemd.unit_file_cut_off",
    "systemd stops reading {path} before our line; repair or remove that file",
)
UNMASK_FIRST = _messages.Text("systemd.unmask_first", "the unit is masked and never starts; unmask it first")
SOFT_ABOVE_UNIT = _messages.Text(
    "systemd.soft_above_unit",
    "soft {soft} is above the hard limit {hard}, and systemd ignores such a line; request hard too",
)
MANAGER_CEILING = _messages.Text(
    "systemd.manager_ceiling",
    "belongs to the host of this container: its systemd cannot give more than {hard}",
)
LINE_OVERRIDDEN = _messages.Text("systemd.line_overridden", "{line} takes precedence")
USER_MANAGER_CEILING = _messages.Text(
    "systemd.user_manager_ceiling",
    "the session of a user's manager has a hard limit of {hard} ({rule}), and its units cannot get more",
)
UNLIMITED_NOFILE_UNIT = _messages.Text(
    "systemd.unlimited_nofile_unit",
    "nofile cannot be 'unlimited', because the kernel has a maximum; write the number, up to fs.nr_open",
)
NOFILE_ABOVE_NR_OPEN_UNIT = _messages.Text(
    "systemd.nofile_above_nr_open_unit",
    "nofile {value} is above fs.nr_open {nr_open}, and the kernel would reject it; raise fs.nr_open first, or "
    "request at most {nr_open}",
)
KEEPS_UNTIL_RESTART = _messages.Text(
    "systemd.keeps_until_restart",
    "the running process keeps {value} until it is restarted",
)
SERVICES_KEEP_THEIR_LIMIT = _messages.Text(
    "systemd.services_keep_their_limit",
    "services keep the limits that they started with, such as {services} ({count} in all)",
)
UNIT_OPENS_PAM_SESSION = _messages.Text(
    "systemd.unit_opens_pam_session",
    "the unit opens a PAM session ({service}), and the rules of limits.conf(5) are applied after its own",
)
UNIT_RUNS_AS_ROOT = _messages.Text(
    "systemd.unit_runs_as_root",
    "its processes run as root, and the kernel does not enforce nproc for root; use TasksMax= of the unit",
)
TASKS_MAX_IS_LOWER = _messages.Text(
    "systemd.tasks_max_is_lower",
    "TasksMax={tasks} of the unit is lower than nproc {nproc} and takes effect first",
)
SLICE_IS_LOWER = _messages.Text(
    "systemd.slice_is_lower",
    "TasksMax={tasks} of {slice} is lower than nproc {nproc} of {user} and takes effect first.",
)
NOT_A_UNIT = _messages.Text("systemd.not_a_unit", "{found!r} is not a unit; write its name, as in nginx.service")
UNIT_NOT_ESCAPED = _messages.Text(
    "systemd.unit_not_escaped",
    "the name of a unit cannot contain this character; write it escaped: {escaped}",
)
UNIT_WITHOUT_PROCESS = _messages.Text("systemd.unit_without_process", "a {kind} starts no process and has no limits")
NOT_A_UNIT_NAME = _messages.Text("systemd.not_a_unit_name", "{found!r} cannot be the name of a unit")
