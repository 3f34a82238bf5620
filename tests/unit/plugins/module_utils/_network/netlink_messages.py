# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Answers of sock_diag(7), put together as the kernel does."""

import ipaddress
import struct

FAMILIES = {4: 2, 6: 10}


def message(kind, payload, flags=0):
    data = struct.pack("=IHHII", 16 + len(payload), kind, flags, 1, 0) + payload
    return data + bytes(-len(data) % 4)


def socket(state, local=("10.0.0.1", 80), remote=("10.0.0.2", 1024), queues=(0, 0), owner=(0, 1), attributes=()):
    """The inet_diag_msg of one socket."""
    ends = [(ipaddress.ip_address(address), port) for address, port in (local, remote)]
    data = struct.pack("=BBBB", FAMILIES[ends[0][0].version], state, 0, 0)
    data += struct.pack(">HH", ends[0][1], ends[1][1])
    data += ends[0][0].packed.ljust(16, b"\0") + ends[1][0].packed.ljust(16, b"\0")
    data += struct.pack("=III", 0, 7, 7) + struct.pack("=IIIII", 0, *(queues + owner))
    for kind, value in attributes:
        data += struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
    return data


def done(number=0, flags=0):
    return message(3, struct.pack("=i", number), flags)


def refusal(number):
    return message(2, struct.pack("=i", -number) + bytes(16))


def datagram(*parts, **fields):
    """One datagram of sockets; a part that is the end of a dump already is taken as it is."""
    flags = fields.get("flags", 2)
    ends = struct.pack("=H", 3)
    return b"".join(part if part[4:6] == ends and len(part) == 20 else message(20, part, flags) for part in parts)
