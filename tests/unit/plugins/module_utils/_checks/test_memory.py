# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What connections cost, asked the whole way from settings to a result."""

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._checks import memory as tcp_memory
from ansible_collections.tunefleet.linux.plugins.module_utils._core import request as requests
from ansible_collections.tunefleet.linux.plugins.module_utils._core import result as results
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import limits as limit_settings
from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import settings as sysctl_settings
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import FakeHost, tabs

RMEM, WMEM, MEM = "net/ipv4/tcp_rmem", "net/ipv4/tcp_wmem", "net/ipv4/tcp_mem"
KERNEL = {RMEM: "4096\t131072\t6291456", WMEM: "4096\t16384\t4194304", MEM: "22914\t30553\t45828"}
TWO_GIB = {"/proc/meminfo": "MemTotal:        2097152 kB\n"}
# The memo's buffers: lines 93 and 94.
MEMO = {"net.ipv4.tcp_rmem": [4096, 10000000, 16777216], "net.ipv4.tcp_wmem": [4096, 65536, 16777216]}


def host(live=None, texts=None, **more):
    texts = TWO_GIB if texts is None else texts
    return FakeHost(dict(KERNEL, **(live or {})), texts=texts, rules={RMEM: tabs, WMEM: tabs, MEM: tabs}, **more)


def ask(settings=None, one=None, limits=(), check_mode=True, **policy):
    policy.setdefault("connections", 10000)
    request = requests.Request(
        sysctl_settings.parse(settings or {}), limit_settings.parse(list(limits)), requests.Policy(**policy)
    )
    result, warnings = module_run.run(one or host(), request, check_mode)
    return result, [warning for warning in warnings if "connections" in warning]


def refused(settings, one=None, **policy):
    one = one or host()
    with pytest.raises(results.RequestFailed) as caught:
        ask(settings, one, check_mode=False, **policy)
    assert one.log == [], "something was written"
    return caught.value


def test_the_defaults_of_a_kernel():
    result, warnings = ask(memory_warn=80)
    assert warnings == []
    assert result["cost"] == {
        "connections": 10000,
        "bytes": 10000 * (131072 + 16384 + 4096),
        "memory": 2 << 30,
        "percent": 70,
        "refused": False,
        "text": "10000 connections may take 1.4 GiB of kernel memory, 70 percent of 2 GiB: buffers to begin with, "
        "10000 x (131072 + 16384) bytes = 1.4 GiB; fully grown, 10000 x (6291456 + 4194304) bytes = 97.7 GiB, held to "
        "179 MiB by the 45828 pages of net.ipv4.tcp_mem; sockets and descriptors, 10000 x 4096 bytes = 39.1 MiB.",
    }
    assert not result["changed"]


def test_above_a_share_it_is_warned_of():
    result, warnings = ask()
    assert warnings == [
        result["cost"]["text"] + " That is above 50 percent. Lower the second numbers of net.ipv4.tcp_rmem and "
        "net.ipv4.tcp_wmem, or plan for fewer connections."
    ]
    assert ask(memory_warn=70)[1] == [], "above, not at"


def test_the_memo_s_buffers_are_refused_on_a_small_host():
    failure = refused(MEMO)
    assert failure.result["cost"]["percent"] == 4689 and failure.result["cost"]["refused"]
    assert "10000 x (10000000 + 65536) bytes = 93.7 GiB" in str(failure)
    assert "That is above 100 percent." in str(failure) and str(failure).endswith("Nothing was written.")


def test_with_a_sane_first_size_they_are_warned_of():
    settings = dict(MEMO, **{"net.ipv4.tcp_rmem": [4096, 131072, 16777216]})
    result, warnings = ask(settings)
    assert (result["cost"]["percent"], len(warnings)) == (93, 1)


def test_the_shares_are_options():
    assert ask(MEMO, memory_refuse=5000)[0]["cost"]["refused"] is False
    refused({}, memory_warn=10, memory_refuse=69)


def test_who_accepts_hazards_is_warned():
    result, warnings = ask(MEMO, strict=False)
    assert len(warnings) == 1 and not result["cost"]["refused"]


def test_grown_buffers_count_where_nothing_holds_them_back():
    """A number of bytes in tcp_mem, which counts pages, takes its limit away."""
    failure = refused({"net.ipv4.tcp_mem": [4096, 131072, 16777216]}, connections=400)
    assert "fully grown, 400 x (6291456 + 4194304) bytes = 3.9 GiB; sockets" in str(failure)
    assert failure.result["cost"]["bytes"] == 400 * (6291456 + 4194304 + 4096)


def test_the_dearer_of_now_and_the_next_boot_counts():
    one = host(files={"/etc/sysctl.d/z.conf": b"net.ipv4.tcp_rmem = 4096 10000000 16777216\n"})
    assert "kernel memory after the next boot, 46" in str(refused({}, one))
    assert ask({}, one, persist=False)[0]["cost"]["percent"] == 70


def test_sockets_in_time_wait_count_besides():
    """1800000 of them, line 68 of the memo, are 439 MiB; 180000, as in web_server, are a tenth."""
    one = host({"net/ipv4/tcp_max_tw_buckets": "8192"})
    result, _warnings = ask({"net.ipv4.tcp_max_tw_buckets": 1800000}, one, memory_warn=100)
    assert result["cost"]["bytes"] == 10000 * (131072 + 16384 + 4096) + 1800000 * 256
    assert result["cost"]["text"].endswith(
        "; in TIME-WAIT, 1800000 (net.ipv4.tcp_max_tw_buckets) x 256 bytes = 439 MiB."
    )
    found = ask({}, host({"net/ipv4/tcp_max_tw_buckets": "8192"}))[0]["cost"]
    assert found["bytes"] == 10000 * (131072 + 16384 + 4096) + 8192 * 256


def test_it_is_told_what_most_of_it_goes_back_to():
    one = host({"net/ipv4/tcp_max_tw_buckets": "8192"}, {"/proc/meminfo": "MemTotal: 524288 kB\n"})
    failure = refused({"net.ipv4.tcp_max_tw_buckets": 1800000}, one, connections=100, memory_refuse=80)
    assert "Lower net.ipv4.tcp_max_tw_buckets, or plan for fewer connections." in str(failure)


def test_a_container_has_its_own_limit_and_not_tcp_mem():
    texts = dict(TWO_GIB, **{"/sys/fs/cgroup/memory.max": str(1 << 30)})
    failure = refused({}, host({MEM: None}, texts))
    assert failure.result["cost"]["memory"] == 1 << 30
    assert "held back by net.ipv4.tcp_mem of the machine that this container runs on" in str(failure)


def test_a_request_of_limits_alone_is_told_too():
    result, _warnings = ask({}, limits=[{"domain": "*", "item": "nofile", "soft": 1024}])
    assert result["cost"]["percent"] == 70


@pytest.mark.parametrize(
    ("one", "missing"),
    [(host(texts={}), "the memory of the host"), (host({RMEM: None}), "net.ipv4.tcp_rmem and net.ipv4.tcp_wmem")],
)
def test_what_cannot_be_told_is_said(one, missing):
    result, warnings = ask({}, one)
    assert warnings == [
        "The memory that 10000 connections take cannot be computed: {0} cannot be read here.".format(missing)
    ]
    assert result["cost"]["bytes"] is None


def test_nobody_asked():
    result, warnings = ask(MEMO, connections=None)
    assert "cost" not in result and warnings == []


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (100 * 1024, "100 KiB"),
        (150 << 20, "150 MiB"),
        (1 << 31, "2 GiB"),
        (1 << 42, "4 TiB"),
    ],
)
def test_sizes(number, text):
    assert tcp_memory.size(number) == text
