# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages of this package: what a user reads. Private to ``tunefleet.linux``."""

from .. import _messages

SECONDS_OUT_OF_RANGE = _messages.Text(
    "network.seconds_out_of_range",
    "Diagnosing the host for {seconds:g} seconds was refused: seconds takes 0.1 to {highest}.",
)
ANSWER_CUT_OFF = _messages.Text("network.answer_cut_off", "the answer of the kernel is cut off")
SOCKETS_CHANGED = _messages.Text("network.sockets_changed", "the sockets changed while the kernel listed them")
ANSWER_WITHOUT_END = _messages.Text("network.answer_without_end", "the answer of the kernel has no end")
KERNEL_ERROR = _messages.Text("network.kernel_error", "the kernel answered with error {number}")
NOT_READABLE = _messages.Text("network.not_readable", "{path} cannot be read here")
SOCKETS_UNKNOWN = _messages.Text(
    "network.sockets_unknown",
    "the TCP sockets: {reason}, and /proc/net/tcp cannot be read here",
)
LISTEN_QUEUES_UNKNOWN = _messages.Text(
    "network.listen_queues_unknown",
    "the limits and drops of listen queues: {reason}",
)
