# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages of this package: what a user reads. Private to ``tunefleet.linux``."""

from .. import _messages

MEMORY_COST_UNKNOWN = _messages.Text(
    "checks.memory_cost_unknown",
    "The memory that {connections} connections take cannot be computed: {missing} cannot be read here.",
)
MEMORY_COST = _messages.Text(
    "checks.memory_cost",
    "{connections} connections may take {needed} of kernel memory{phase}, {percent} percent of {memory}: {parts}.",
)
MEMORY_COST_TOO_HIGH = _messages.Text(
    "checks.memory_cost_too_high",
    "{cost} That is above {share} percent. Lower {mostly}, or plan for fewer connections.",
)
TW_REUSE_NEEDS_TIMESTAMPS = _messages.Text(
    "checks.tw_reuse_needs_timestamps",
    "{value} has no effect while {other}{phase}; set net.ipv4.tcp_timestamps to 1, or net.ipv4.tcp_tw_reuse to "
    "0 [rule tw_reuse_needs_timestamps].",
)
LARGE_BUFFERS_NEED_WINDOW_SCALING = _messages.Text(
    "checks.large_buffers_need_window_scaling",
    "{value} limits a connection to 64 KiB in flight, so {buffers} is unused{phase}; set net.ipv4.tcp_window_scaling to 1, "
    "or the last number of {keys} to {highest} [rule large_buffers_need_window_scaling].",
)
SOMAXCONN_SERVES_SYN_BACKLOG = _messages.Text(
    "checks.somaxconn_serves_syn_backlog",
    "{value} is the lower limit of the queue that {backlog} sizes{phase}; set net.core.somaxconn to at least "
    "{lowest} [rule somaxconn_serves_syn_backlog].",
)
RMEM_MAX_COVERS_TCP_RMEM = _messages.Text(
    "checks.rmem_max_covers_tcp_rmem",
    "{value} gives a program that sets SO_RCVBUF less than {buffers} gives to others{phase}; set {key} to at "
    "least {lowest} [rule rmem_max_covers_tcp_rmem].",
)
WMEM_MAX_COVERS_TCP_WMEM = _messages.Text(
    "checks.wmem_max_covers_tcp_wmem",
    "{value} gives a program that sets SO_SNDBUF less than {buffers} gives to others{phase}; set {key} to at "
    "least {lowest} [rule wmem_max_covers_tcp_wmem].",
)
PORT_RANGE_ABOVE_PRIVILEGED_PORTS = _messages.Text(
    "checks.port_range_above_privileged_ports",
    "the kernel rejects {value} below {start}{phase}; begin the range at {lowest} or above, or lower "
    "net.ipv4.ip_unprivileged_port_start to {first} [rule port_range_above_privileged_ports].",
)
PORT_RANGE_NOT_ALL_RESERVED = _messages.Text(
    "checks.port_range_not_all_reserved",
    "{reserved} leaves no port of {range} for outgoing connections{phase}; reserve fewer ports, or widen the "
    "range [rule port_range_not_all_reserved].",
)
PORT_RANGE_RESERVES_SERVICES = _messages.Text(
    "checks.port_range_reserves_services",
    "{range} reaches below {usual}, where services listen, and reserves no port there: an outgoing connection "
    "may take the port of a service that starts{phase}; set {key} to the ports of this host's services [rule "
    "port_range_reserves_services].",
)
NEIGHBOUR_THRESHOLDS_IN_ORDER = _messages.Text(
    "checks.neighbour_thresholds_in_order",
    "{low} is above {high}, so the table overflows before it is cleaned{phase}; set {key} to at least {lowest} "
    "[rule neighbour_thresholds_in_order].",
)
NOFILE_BELOW_FILE_MAX = _messages.Text(
    "checks.nofile_below_file_max",
    "limit {limit} {value} is above {file_max}, so one process can use up the files of the whole host{phase}; "
    "set fs.file-max to several times {value} [rule nofile_below_file_max].",
)
NOFILE_BELOW_NR_OPEN = _messages.Text(
    "checks.nofile_below_nr_open",
    "nofile {value} ({limit}) is above {nr_open}, and {consequence}{phase}; set fs.nr_open to at least "
    "{value}, or lower the limit [rule nofile_below_nr_open].",
)
