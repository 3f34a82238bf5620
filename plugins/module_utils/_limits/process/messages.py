# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages of this package: what a user reads. Private to ``tunefleet.linux``."""

from ... import _messages

NO_PROCESS = _messages.Text("process.no_process", "no process with that name runs{suggestion}")
NO_PROCESS_OF_PID_FILE = _messages.Text("process.no_process_of_pid_file", "no process with the id in that file runs")
UNTIL_THE_PROCESS_ENDS = _messages.Text(
    "process.until_the_process_ends",
    "applies until the process ends (process {pids})",
)
SOFT_ABOVE_PROCESS = _messages.Text(
    "process.soft_above_process",
    "soft {soft} is above the hard limit {hard} of the process; request hard too",
)
PROCESS_CEILING = _messages.Text(
    "process.process_ceiling",
    "belongs to the host of this container: without CAP_SYS_RESOURCE no hard limit can be raised, and the "
    "process has {hard}",
)
