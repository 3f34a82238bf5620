# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._network import netlink
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils._network import netlink_messages

PORTS = (32768, 60999)


def raw(text):
    return ipaddress.ip_address(text).packed.ljust(16, b"\0")


def tally_of(family, *datagrams):
    tally = netlink.Tally(PORTS)
    tally.count_dump(family, datagrams)
    return tally


def test_the_request_is_what_the_kernel_reads():
    # As a C program fills struct nlmsghdr and struct inet_diag_req_v2, see sock_diag(7).
    request = netlink.request("ipv6", netlink.EVERY_STATE)
    assert struct.unpack("=IHHII", request[:16]) == (72, 20, 0x301, 1, 0)
    assert struct.unpack("=BBBBI", request[16:24]) == (10, 6, 0, 0, 0xFFE)
    assert request[24:] == bytes(48)
    assert struct.unpack("=BBBBI", netlink.listen_request("ipv4")[16:24]) == (2, 6, 1 << 6, 0, 1 << 10)


def test_sockets_are_counted_over_datagrams():
    tally = tally_of(
        "ipv4",
        netlink_messages.datagram(netlink_messages.socket(1), netlink_messages.socket(6)),
        netlink_messages.datagram(netlink_messages.socket(6), netlink_messages.done()),
    )
    assert (tally.states["ipv4"][1], tally.states["ipv4"][6]) == (1, 2)
    assert sum(tally.states["ipv4"]) == 3 and sum(tally.states["ipv6"]) == 0


def test_handshakes_are_counted_by_port():
    half_open = netlink_messages.socket(3, local=("10.0.0.1", 80))
    tally = tally_of("ipv4", netlink_messages.datagram(half_open, half_open, netlink_messages.done()))
    assert tally.half_open == {80: 2}
    assert tally.uses(10) == []


def test_ports_are_counted_by_destination():
    def to_server(port, state=1):
        return netlink_messages.socket(state, local=("10.0.0.1", port), remote=("10.0.0.9", 443))

    tally = tally_of(
        "ipv4",
        netlink_messages.datagram(
            to_server(32768),
            to_server(60999, state=6),
            to_server(32767),  # out of the range, at both ends
            to_server(61000),
            netlink_messages.socket(1, local=("10.0.0.1", 40000), remote=("10.0.0.8", 443)),
            netlink_messages.socket(10, local=("0.0.0.0", 40000)),  # listening is no use towards anybody
            netlink_messages.done(),
        ),
    )
    assert tally.uses(10) == [
        netlink.PortUse("10.0.0.1", "10.0.0.9", 443, 2, 1),
        netlink.PortUse("10.0.0.1", "10.0.0.8", 443, 1, 0),
    ]
    assert len(tally.uses(1)) == 1


def test_ipv6_sockets_that_speak_ipv4_share_its_ports():
    tally = netlink.Tally(PORTS)
    ends = {"local": ("10.0.0.1", 40000), "remote": ("10.0.0.9", 443)}
    tally.count_dump("ipv4", [netlink_messages.datagram(netlink_messages.socket(1, **ends), netlink_messages.done())])
    ends = {"local": ("::ffff:10.0.0.1", 40001), "remote": ("::ffff:10.0.0.9", 443)}
    other = {"local": ("2001:db8::1", 40001), "remote": ("2001:db8::9", 443)}
    tally.count_dump(
        "ipv6",
        [
            netlink_messages.datagram(
                netlink_messages.socket(1, **ends), netlink_messages.socket(6, **other), netlink_messages.done()
            )
        ],
    )
    assert tally.uses(10) == [
        netlink.PortUse("10.0.0.1", "10.0.0.9", 443, 2, 0),
        netlink.PortUse("2001:db8::1", "2001:db8::9", 443, 1, 1),
    ]


def test_listening_sockets():
    full = netlink_messages.socket(
        10,
        local=("0.0.0.0", 80),
        queues=(6, 5),
        owner=(33, 4711),
        attributes=[(8, b"\0"), (7, b"\0" * 32 + b"\x15\0\0\0")],
    )
    old = netlink_messages.socket(
        10, local=("127.0.0.1", 81), queues=(0, 128), owner=(0, 12), attributes=[(7, bytes(32))]
    )
    found = netlink.listeners("ipv4", [netlink_messages.datagram(full, old, netlink_messages.done())])
    assert found == [
        netlink.Listener("ipv4", "0.0.0.0", 80, 6, 5, 21, 33, 4711),
        netlink.Listener("ipv4", "127.0.0.1", 81, 0, 128, None, 0, 12),
    ]


def test_a_broken_attribute_ends_the_search():
    message = netlink_messages.socket(10, attributes=[(7, b"\0" * 32 + b"\x15\0\0\0")])
    message = message[:72] + b"\0\0" + message[74:]
    assert netlink.listeners("ipv4", [netlink_messages.datagram(message, netlink_messages.done())])[0].drops is None


@pytest.mark.parametrize(
    ("datagrams", "words"),
    [
        ([netlink_messages.refusal(2)], "the kernel answered with error 2"),
        (
            [netlink_messages.datagram(netlink_messages.socket(1), netlink_messages.done(-13))],
            "the kernel answered with error 13",
        ),
        ([netlink_messages.datagram(netlink_messages.socket(1))], "no end"),
        ([], "no end"),
        ([netlink_messages.datagram(netlink_messages.socket(1))[:-4]], "cut off"),
        ([b"\x10\0\0"], "cut off"),
        ([struct.pack("=IHHII", 8, 20, 0, 0, 0)], "cut off"),
    ],
)
def test_an_answer_that_is_none(datagrams, words):
    with pytest.raises(_errors.HostProblem) as problem:
        tally_of("ipv4", *datagrams)
    assert words in str(problem.value)


@pytest.mark.parametrize("last", [netlink_messages.done(flags=0x10), netlink_messages.socket(1)])
def test_an_interrupted_dump_is_told_apart(last):
    flags = 0x10 if len(last) > 20 else 0
    with pytest.raises(netlink.DumpInterrupted):
        tally_of(
            "ipv4", netlink_messages.datagram(netlink_messages.socket(1), last, netlink_messages.done(), flags=flags)
        )


def test_messages_of_other_kinds_are_passed_over():
    tally = tally_of(
        "ipv4",
        netlink_messages.message(1, b"")
        + netlink_messages.datagram(netlink_messages.socket(1), netlink_messages.done()),
    )
    assert sum(tally.states["ipv4"]) == 1


@given(st.ip_addresses(v=4))
def test_addresses_of_ipv4(address):
    assert netlink.address("ipv4", raw(str(address))) == str(address)


@given(st.one_of(st.ip_addresses(v=6), st.lists(st.sampled_from([0, 0, 1, 0xAB]), min_size=8, max_size=8)))
def test_addresses_of_ipv6(address):
    if isinstance(address, list):
        address = ipaddress.IPv6Address(struct.pack(">8H", *address))
    if address.ipv4_mapped is None:
        assert netlink.address("ipv6", address.packed) == str(address)


def test_a_mapped_address():
    assert netlink.address("ipv6", raw("::ffff:10.0.0.1")) == "::ffff:10.0.0.1"
