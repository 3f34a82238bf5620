# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keys that the kernel changes along with others, patterns, actions and rounded values: the exact order of writes."""

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._core import request as requests
from ansible_collections.tunefleet.linux.plugins.module_utils._core import result as results
from ansible_collections.tunefleet.linux.plugins.module_utils._core import shape as shapes
from ansible_collections.tunefleet.linux.plugins.module_utils._core import steps as step_types
from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import settings as sysctl_settings
from ansible_collections.tunefleet.linux.plugins.module_utils._transaction import apply
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import (
    FakeHost,
    refuses,
    rounds_up_to,
)

ONE = shapes.Shape(shapes.INTEGERS, 1)
FORWARD, REDIRECTS = "net/ipv4/ip_forward", "net/ipv4/conf/all/accept_redirects"
LIVE = {
    FORWARD: "0",
    REDIRECTS: "1",
    "net/ipv4/conf/all/forwarding": "0",
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/forwarding": "0",
    "net/ipv4/conf/default/rp_filter": "0",
    "net/ipv4/conf/eth0.100/rp_filter": "0",
    "net/ipv4/conf/eth0.100/forwarding": "0",
    "net/ipv4/ip_local_port_range": "32768\t60999",
    "net/ipv4/ip_unprivileged_port_start": "1024",
    "vm/dirty_bytes": "0",
    "vm/dirty_ratio": "20",
}


def run(settings, host, check_mode=False, **policy):
    policy.setdefault("persist", False)
    return module_run.run(
        host, requests.Request(sysctl_settings.parse(settings), (), requests.Policy(**policy)), check_mode
    )[0]


def written(host):
    return [(path, text) for kind, path, text in host.log if kind == "live"]


@pytest.mark.parametrize(
    ("settings", "order"),
    [
        pytest.param(
            {
                "net.ipv4.conf.eth0/100.rp_filter": 1,
                "net.ipv4.conf.default.rp_filter": 1,
                "net.ipv4.conf.all.rp_filter": 1,
            },
            ["net/ipv4/conf/all/rp_filter", "net/ipv4/conf/default/rp_filter", "net/ipv4/conf/eth0.100/rp_filter"],
            id="all, default, interface",
        ),
        pytest.param(
            {"net.ipv4.conf.all.accept_redirects": 0, "net.ipv4.ip_forward": 1},
            [FORWARD, REDIRECTS],
            id="ip_forward before what it rewrites",
        ),
        pytest.param(
            {"net.ipv4.ip_local_port_range": [80, 65000], "net.ipv4.ip_unprivileged_port_start": 80},
            ["net/ipv4/ip_unprivileged_port_start", "net/ipv4/ip_local_port_range"],
            id="the first port falls before the range follows",
        ),
        pytest.param(
            {"net.ipv4.ip_unprivileged_port_start": 2000, "net.ipv4.ip_local_port_range": [40000, 65000]},
            ["net/ipv4/ip_local_port_range", "net/ipv4/ip_unprivileged_port_start"],
            id="the range makes room before the first port rises",
        ),
    ],
)
def test_order(settings, order):
    host = FakeHost(live=LIVE, rules={"net/ipv4/ip_local_port_range": lambda new, old: new.replace(" ", "\t")})
    run(settings, host)
    assert [path for path, _text in written(host)] == order


FILE = "/etc/sysctl.d/99-tunefleet.conf"


def lines_of(host):
    return [line.partition("=")[0] for line in host.files[FILE].decode().splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(
    ("before", "settings", "lines"),
    [
        pytest.param(
            b"vm.dirty_bytes=100000\nvm.dirty_ratio=20\n",
            {"vm.dirty_bytes": 200000},
            ["vm.dirty_ratio", "vm.dirty_bytes"],
            id="behind the twin that would undo it",
        ),
        pytest.param(
            b"vm.dirty_ratio=20\nvm.dirty_bytes=100000\n",
            {"vm.dirty_bytes": 200000},
            ["vm.dirty_ratio", "vm.dirty_bytes"],
            id="in its place where that will do",
        ),
        pytest.param(
            b"net.ipv4.conf.all.accept_redirects=1\nnet.ipv4.ip_forward=1\nx.y=1\n",
            {"net.ipv4.conf.all.accept_redirects": 1},
            ["net.ipv4.ip_forward", "x.y", "net.ipv4.conf.all.accept_redirects"],
            id="behind what rewrites it, though its value stays",
        ),
    ],
)
def test_the_order_in_the_file(before, settings, lines):
    live = dict(LIVE, **{"net/ipv4/ip_forward": "1", "vm/dirty_bytes": "100000", "vm/dirty_ratio": "0"})
    host = FakeHost(live=live, files={FILE: before})
    result = run(settings, host, persist=True)
    assert lines_of(host) == lines
    (one,) = result["settings"]
    assert (one["status"], one["shadowed"], one["boot"]["value"]) == ("changed", False, one["wanted"])
    assert run(settings, host, persist=True)["changed"] is False


def couples(host):
    """Give the fake kernel the habit of devinet_sysctl_forward."""

    def rule(new, old):
        if new != old:
            for path in host.values:
                if path.endswith("/forwarding"):
                    host.values[path] = new
            host.values[REDIRECTS] = "1" if new == "0" else "0"
        return new

    host.rules[FORWARD] = rule
    return host


def test_what_is_as_wanted_is_looked_at_once_more():
    host = couples(FakeHost(live=LIVE))
    result = run({"net.ipv4.conf.all.accept_redirects": 1, "net.ipv4.ip_forward": 1}, host)
    assert written(host) == [(FORWARD, "1"), (REDIRECTS, "1")]
    assert host.values[REDIRECTS] == "1"
    assert [one["status"] for one in result["settings"]] == ["ok", "changed"]


def test_what_stayed_as_wanted_is_not_written():
    host = FakeHost(live=LIVE)
    run({"net.ipv4.conf.all.accept_redirects": 1, "net.ipv4.ip_forward": 1}, host)
    assert written(host) == [(FORWARD, "1")]


def test_what_the_kernel_changed_along_is_put_back():
    host = couples(FakeHost(live=LIVE, rules={"vm/dirty_ratio": refuses("30")}))
    before = host.state()
    with pytest.raises(results.RequestFailed):
        run({"net.ipv4.ip_forward": 1, "vm.dirty_ratio": 30}, host)
    assert host.state() == before


def test_a_twin_comes_back_by_the_other_one():
    """vm.dirty_bytes takes no 0; it is 0 again once vm.dirty_ratio is written (mm/page-writeback.c)."""
    host = FakeHost(live=LIVE, rules={"net/ipv4/ip_forward": refuses("1")})

    def bytes_rule(new, old):
        if new == "0":
            return refuses()(new, old)
        host.values["vm/dirty_ratio"] = "0"
        return new

    def ratio_rule(new, old):
        host.values["vm/dirty_bytes"] = "0"
        return new

    host.rules.update({"vm/dirty_bytes": bytes_rule, "vm/dirty_ratio": ratio_rule})
    before = host.state()
    steps = [
        step_types.SetSysctl("vm.dirty_bytes", "0", "1048576", ONE, (("vm.dirty_ratio", "20", ONE),)),
        step_types.SetSysctl("net.ipv4.ip_forward", "0", "1", ONE),
    ]
    with pytest.raises(apply.StepRefused) as caught:
        apply.commit(host, steps)
    assert host.state() == before
    assert caught.value.not_undone == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param(
            {"vm.dirty_bytes": 1048576, "vm.dirty_ratio": 10}, ["vm.dirty_bytes", "exclude each other"], id="twins"
        ),
        pytest.param(
            {"net.ipv4.ip_forward": 1, "net.ipv4.conf.all.forwarding": 0},
            ["net.ipv4.ip_forward", "two names of one value"],
            id="two names",
        ),
    ],
)
def test_contradictions(settings, words):
    host = FakeHost(live=LIVE)
    with pytest.raises(results.RequestFailed) as caught:
        run(settings, host)
    assert all(word in str(caught.value) for word in words)
    assert host.log == []


def test_two_names_of_one_value_may_agree():
    host = FakeHost(live=LIVE)
    result = run({"net.ipv4.ip_forward": 1, "net.ipv4.conf.all.forwarding": 1}, host)
    assert [one["status"] for one in result["settings"]] == ["changed", "changed"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param(
            {"net.ipv4.conf.*.rp_filter": 2},
            {
                "net.ipv4.conf.all.rp_filter": "2",
                "net.ipv4.conf.default.rp_filter": "2",
                "net.ipv4.conf.eth0/100.rp_filter": "2",
            },
            id="each key",
        ),
        pytest.param(
            {"net.ipv4.conf.*.rp_filter": 2, "net.ipv4.conf.eth0.100.rp_filter": 1},
            {
                "net.ipv4.conf.all.rp_filter": "2",
                "net.ipv4.conf.default.rp_filter": "2",
                "net.ipv4.conf.eth0/100.rp_filter": "1",
            },
            id="a named key goes by its own entry",
        ),
        pytest.param(
            {"net/ipv4/conf/eth0.*/rp_filter": 2}, {"net.ipv4.conf.eth0/100.rp_filter": "2"}, id="a path with a dot"
        ),
    ],
)
def test_patterns(settings, expected):
    result = run(settings, FakeHost(live=LIVE))
    assert {one["key"]: one["live"]["after"] for one in result["settings"]} == expected


def test_a_pattern_that_matches_nothing_is_unknown():
    with pytest.raises(results.RequestFailed, match="no key on this kernel matches the pattern"):
        run({"net.ipv4.nope_*": 1}, FakeHost(live=LIVE))


def test_patterns_that_contradict_each_other():
    with pytest.raises(_errors.EntryProblems, match="two patterns match net.ipv4.conf.all.rp_filter"):
        run({"net.ipv4.conf.a*.rp_filter": 1, "net.ipv4.conf.*l.rp_filter": 2}, FakeHost(live=LIVE))


def test_an_action_is_written_each_time_and_never_to_a_file():
    host = FakeHost(live={"net/ipv4/route/flush": ""}, write_only=["net/ipv4/route/flush"])
    for _time in range(2):
        assert run({"net.ipv4.route.flush": 1}, host)["changed"]
    assert written(host) == [("net/ipv4/route/flush", "1")] * 2
    with pytest.raises(results.RequestFailed, match="set persist to false"):
        run({"net.ipv4.route.flush": 1}, host, persist=True)


@pytest.mark.parametrize(
    ("key", "desired", "kept"),
    [
        pytest.param("net/ipv4/icmp_ratelimit", 501, "504", id="ticks of 4 ms"),
        pytest.param("net/core/rps_sock_flow_entries", 100, "128", id="power of two"),
        pytest.param("fs/pipe-max-size", 5000, "8192", id="pages"),
    ],
)
def test_a_rounded_value_is_met_by_what_the_kernel_keeps(key, desired, kept):
    host = FakeHost(live={key: "1"}, rules={key: lambda new, old: kept})
    result = run({key: desired}, host, persist=True)
    (one,) = result["settings"]
    assert (one["live"]["after"], one["file"]["after"]) == (kept, str(desired))
    again = run({key: desired}, host, persist=True)
    assert (again["changed"], again["settings"][0]["status"]) == (False, "ok")


def test_a_rounding_that_the_catalog_does_not_know_is_no_success():
    host = FakeHost(live={"net/ipv4/tcp_fin_timeout": "63"}, rules={"net/ipv4/tcp_fin_timeout": rounds_up_to(9)})
    before = host.state()
    with pytest.raises(results.RequestFailed, match="'30' was written, and the kernel kept '36'"):
        run({"net.ipv4.tcp_fin_timeout": 30}, host)
    assert host.state() == before
