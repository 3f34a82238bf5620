# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages of this package: what a user reads. Private to ``tunefleet.linux``."""

from .. import _messages

ANSWER_CUT_OFF = _messages.Text("host.answer_cut_off", "the answer of the kernel is cut off")
NETLINK_ERROR = _messages.Text("host.netlink_error", "netlink error: {error}")
COMMAND_TIMED_OUT = _messages.Text("host.command_timed_out", "{command} did not finish within {seconds:.0f} seconds.")
KERNEL_REJECTED = _messages.Text("host.kernel_rejected", "the kernel rejected {value!r}: {error}")
KERNEL_TOOK_A_PART = _messages.Text(
    "host.kernel_took_a_part",
    "the kernel took only {taken} of {length} bytes of {value!r}",
)
LIMIT_REJECTED = _messages.Text("host.limit_rejected", "the kernel rejected it: {error}")
PROBE_FAILED = _messages.Text("host.probe_failed", "the program that opens PAM sessions did not answer: {error}")
PROBE_SILENT = _messages.Text("host.probe_silent", "pam_limits did not answer")
LISTING_FAILED = _messages.Text("host.listing_failed", "Listing {path} failed: {error}.")
READING_FAILED = _messages.Text("host.reading_failed", "Reading {path} failed: {error}.")
NOT_A_PATH = _messages.Text("host.not_a_path", "{path!r} is not an absolute path in one line; name another file.")
PARENT_IS_NO_DIRECTORY = _messages.Text(
    "host.parent_is_no_directory",
    "{path} is below something that is not a directory; name another file.",
)
OPENING_FAILED = _messages.Text("host.opening_failed", "Failed to open {path}: {error}.")
NOT_A_REGULAR_FILE = _messages.Text(
    "host.not_a_regular_file",
    "{path} is {kind}, and only a regular file is ever replaced; name another file.",
)
UNTRUSTED_LINK = _messages.Text(
    "host.untrusted_link",
    "{path} is a link in a directory that others can write to, so it is not followed. Name another file.",
)
FILE_CHANGED_DURING_RUN = _messages.Text(
    "host.file_changed_during_run",
    "{path} was changed externally during this run, so it was not changed; run this again.",
)
LOCKED = _messages.Text(
    "host.locked",
    "Another run is active on this host and did not finish within {seconds} seconds: {run}. Nothing was "
    "written; wait for its end and run this again. (The lock is {path}; the kernel releases it when that "
    "process ends.)",
)
NOT_PRIVATE = _messages.Text(
    "host.not_private",
    "{path} must belong to root alone and has {found}, so others may have written it; it is not used. Inspect "
    "it, then remove it or correct its owner and mode.",
)
CALL_FAILED = _messages.Text("host.call_failed", "{call} {path} failed: {error}{hint}.")
