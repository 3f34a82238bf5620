# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules across keys, asked the whole way from settings to a result."""

import os
import re

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._checks import cross_key
from ansible_collections.tunefleet.linux.plugins.module_utils._core import bound as bounds
from ansible_collections.tunefleet.linux.plugins.module_utils._core import request as requests
from ansible_collections.tunefleet.linux.plugins.module_utils._core import result as results
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import limits as limit_settings
from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import settings as sysctl_settings
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import SYSCTL_FILE, FakeHost, tabs

COLLECTION = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 5))
REUSE, STAMPS, SCALING = "net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_timestamps", "net.ipv4.tcp_window_scaling"
RMEM, WMEM, RMEM_MAX, WMEM_MAX = "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem", "net.core.rmem_max", "net.core.wmem_max"
SOMAXCONN, BACKLOG, FIN = "net.core.somaxconn", "net.ipv4.tcp_max_syn_backlog", "net.ipv4.tcp_fin_timeout"
RANGE, RESERVED = "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports"
START = "net.ipv4.ip_unprivileged_port_start"
NEIGH = "net.ipv4.neigh.default.gc_thresh{0}"
NEIGH6 = "net.ipv6.neigh.default.gc_thresh{0}"
NR_OPEN, FILE_MAX = "fs.nr_open", "fs.file-max"

KERNEL = {
    REUSE: "2",
    STAMPS: "1",
    SCALING: "1",
    RMEM: "4096\t131072\t33554432",
    WMEM: "4096\t16384\t4194304",
    RMEM_MAX: "4194304",
    WMEM_MAX: "4194304",
    SOMAXCONN: "4096",
    BACKLOG: "2048",
    RANGE: "32768\t60999",
    RESERVED: "",
    START: "1024",
    FILE_MAX: "9223372036854775807",
    NR_OPEN: "1048576",
}
for pattern in (NEIGH, NEIGH6):
    KERNEL.update({pattern.format(1): "128", pattern.format(2): "512", pattern.format(3): "1024"})


def path(key):
    return key.replace(".", "/")


def host(live=None, **more):
    values = dict(KERNEL, **(live or {}))
    rules = {path(key): tabs for key, text in values.items() if "\t" in text}
    return FakeHost({path(key): text for key, text in values.items()}, rules=rules, **more)


def ask(settings, values=None, limits=(), files=None, check_mode=False, **policy):
    """The findings of a run, and the host."""
    one = host(values, files=files or {})
    request = requests.Request(
        sysctl_settings.parse(settings), limit_settings.parse(list(limits)), requests.Policy(**policy)
    )
    try:
        result, warnings = module_run.run(one, request, check_mode)
    except results.RequestFailed as failure:
        assert one.log == [], "something was written"
        return failure.result["rules"], str(failure), one
    assert not any(found["refused"] for found in result["rules"])
    texts = [found["text"] for found in result["rules"]]
    assert [warning for warning in warnings if "[rule " in warning] == texts
    return result["rules"], "", one


def nofile(number, domain="*"):
    return {"domain": domain, "item": "nofile", "soft": number, "hard": number}


@pytest.mark.parametrize(
    ("settings", "live", "rule", "text"),
    [
        (
            {REUSE: 1},
            {STAMPS: "0"},
            "tw_reuse_needs_timestamps",
            (
                "net.ipv4.tcp_tw_reuse 1 (asked for) has no effect while net.ipv4.tcp_timestamps 0 (as the host has "
                "it); set net.ipv4.tcp_timestamps to 1, or net.ipv4.tcp_tw_reuse to 0"
            ),
        ),
        ({REUSE: 1, STAMPS: 0}, {}, "tw_reuse_needs_timestamps", "net.ipv4.tcp_timestamps 0 (asked for)"),
        ({STAMPS: 0}, {REUSE: "1"}, "tw_reuse_needs_timestamps", "net.ipv4.tcp_tw_reuse 1 (as the host has it)"),
        (
            {SCALING: 0},
            {},
            "large_buffers_need_window_scaling",
            (
                "so net.ipv4.tcp_rmem 4096 131072 33554432 (as the host has it) and net.ipv4.tcp_wmem 4096 16384 "
                "4194304 (as the host has it) is unused; set net.ipv4.tcp_window_scaling to 1, or the last "
                "number of net.ipv4.tcp_rmem and of net.ipv4.tcp_wmem to 65535"
            ),
        ),
        (
            {RMEM: [4096, 131072, 16777216]},
            {SCALING: "0", WMEM: "4096\t16384\t65535"},
            "large_buffers_need_window_scaling",
            "net.ipv4.tcp_window_scaling 0 (as the host has it) limits a connection to 64 KiB",
        ),
        (
            {RANGE: [1000, 65000]},
            {},
            "port_range_above_privileged_ports",
            "begin the range at 1024 or above, or lower net.ipv4.ip_unprivileged_port_start to 1000",
        ),
        ({START: 40000}, {}, "port_range_above_privileged_ports", "begin the range at 40000 or above"),
        (
            {RANGE: [50000, 50009], RESERVED: "49990-50020"},
            {},
            "port_range_not_all_reserved",
            "leaves no port of net.ipv4.ip_local_port_range 50000 50009",
        ),
        ({RESERVED: "32768-60999"}, {}, "port_range_not_all_reserved", "reserve fewer ports, or widen the range"),
        (
            {NEIGH.format(1): 4096},
            {},
            "neighbour_thresholds_in_order",
            "net.ipv4.neigh.default.gc_thresh1 4096 (asked for) is above net.ipv4.neigh.default.gc_thresh2 512 "
            "(as the host has it), so the table overflows before it is cleaned; set net.ipv4.neigh.default.gc_thresh2 "
            "to at least 4096",
        ),
        ({NEIGH6.format(3): 100}, {}, "neighbour_thresholds_in_order", "net.ipv6.neigh.default.gc_thresh3 100"),
    ],
)
def test_what_comes_to_nothing_or_does_harm_is_refused(settings, live, rule, text):
    found, message, _host = ask(settings, live)
    assert [(one["rule"], one["refused"]) for one in found if one["refused"]] == [(rule, True)]
    assert text in found[0]["text"] and found[0]["text"].endswith("[rule {0}].".format(rule))
    assert found[0]["text"] in message and message.endswith("Nothing was written.")


@pytest.mark.parametrize(
    ("settings", "live", "rule", "text"),
    [
        (
            {BACKLOG: {"at_least": 8192, "source": ["memo_ko:143", "kernel_ip", "guide_zh:46"]}},
            {},
            "somaxconn_serves_syn_backlog",
            (
                "net.core.somaxconn 4096 (as the host has it) is the lower limit of the queue that "
                "net.ipv4.tcp_max_syn_backlog 8192 (memo_ko:143, guide_zh:46) sizes; set net.core.somaxconn to at "
                "least 8192"
            ),
        ),
        ({SOMAXCONN: 1024}, {}, "somaxconn_serves_syn_backlog", "set net.core.somaxconn to at least 2048"),
        (
            {RMEM: {"at_least": [4096, 131072, 67108864]}},
            {},
            "rmem_max_covers_tcp_rmem",
            (
                "a program that sets SO_RCVBUF less than net.ipv4.tcp_rmem 4096 131072 67108864 (asked for) gives to "
                "others; set net.core.rmem_max to at least 67108864"
            ),
        ),
        (
            {WMEM: {"at_least": [4096, 16384, 8388608]}},
            {},
            "wmem_max_covers_tcp_wmem",
            "set net.core.wmem_max to at least 8388608",
        ),
        (
            {RANGE: [10000, 65000]},
            {},
            "port_range_reserves_services",
            "reaches below 32768, where services listen, and reserves no port there",
        ),
    ],
)
def test_what_gives_less_than_was_meant_is_warned_of(settings, live, rule, text):
    found, _message, one = ask(settings, live)
    assert [(each["rule"], each["refused"]) for each in found] == [(rule, False)]
    assert text in found[0]["text"]
    assert one.log, "the request is carried out all the same"


@pytest.mark.parametrize(
    ("settings", "live"),
    [
        ({REUSE: 1}, {}),
        ({REUSE: 2, STAMPS: 0}, {}),
        ({REUSE: 1, STAMPS: 2}, {STAMPS: "0"}),
        ({SCALING: 0, RMEM: [4096, 65535, 65535], WMEM: [4096, 16384, 65535]}, {}),
        ({SOMAXCONN: 8192, BACKLOG: 8192}, {}),
        ({RMEM: [4096, 131072, 16777216], RMEM_MAX: 16777216}, {}),
        ({RANGE: [10000, 65000], RESERVED: "11211,27017"}, {}),
        ({RANGE: [32768, 65000]}, {}),
        ({RANGE: [500, 65000], START: 500, RESERVED: "1000"}, {}),
        ({NEIGH.format(1): 4096, NEIGH.format(2): 8192, NEIGH.format(3): 16384}, {}),
        ({NEIGH.format(2): 1024}, {}),
        ({FIN: 30}, {STAMPS: "0", REUSE: "1", SCALING: "0", BACKLOG: "99999", NEIGH.format(1): "9999"}),
        ({REUSE: {"at_least": 1}}, {STAMPS: ""}),
    ],
)
def test_what_is_in_order(settings, live):
    assert ask(settings, live)[0] == []


def test_a_host_that_breaks_a_rule_already_takes_what_changes_nothing_about_it():
    live = {STAMPS: "0", REUSE: "1"}
    found, _message, one = ask({REUSE: 1, FIN: 30}, live, files={SYSCTL_FILE: b"net.ipv4.tcp_tw_reuse=1\n"})
    assert [(each["rule"], each["refused"]) for each in found] == [("tw_reuse_needs_timestamps", False)]
    assert one.values[path(FIN)] == "30"


def test_the_second_run_is_not_refused_what_the_first_was_given():
    settings = {RANGE: [10000, 65000]}
    one = host()
    request = requests.Request(sysctl_settings.parse(settings), policy=requests.Policy())
    module_run.run(one, request, False)
    result, _warnings = module_run.run(one, request, False)
    assert not result["changed"] and [each["rule"] for each in result["rules"]] == ["port_range_reserves_services"]


def test_a_file_that_undoes_the_other_key_at_boot_is_found():
    found, message, _host = ask({REUSE: 1}, files={"/etc/sysctl.d/zz.conf": b"net.ipv4.tcp_timestamps = 0\n"})
    assert found[0]["refused"] and "net.ipv4.tcp_timestamps 0 (/etc/sysctl.d/zz.conf:1) after the next boot;" in message
    found, _message, _host = ask(
        {REUSE: 1}, files={"/etc/sysctl.d/zz.conf": b"net.ipv4.tcp_timestamps = 0\n"}, persist=False
    )
    assert found == [], "what is not kept has no say about the next boot"
    found, _message, _host = ask(
        {REUSE: 1}, {STAMPS: "0"}, live=False, files={"/etc/sysctl.d/z.conf": b"%s=1\n" % STAMPS.encode()}
    )
    assert found == [], "what is not set now has no say about the running kernel"


def test_who_accepts_hazards_and_who_sets_key_after_key_is_warned_only():
    found, _message, one = ask({REUSE: 1, STAMPS: 0}, strict=False)
    assert [(each["rule"], each["refused"]) for each in found] == [("tw_reuse_needs_timestamps", False)]
    assert one.values[path(STAMPS)] == "0"


def test_what_cannot_be_mended_here_is_not_asked_for():
    """In a network namespace net.core.rmem_max belongs to the host."""
    one = host(read_only=(path(RMEM_MAX),))
    request = requests.Request(
        sysctl_settings.parse({RMEM: {"at_least": [4096, 131072, 67108864]}}), policy=requests.Policy()
    )
    assert module_run.run(one, request, True)[0]["rules"] == []


def test_an_entry_that_goes_is_asked_nothing():
    one = host({STAMPS: "0", REUSE: "1"}, files={SYSCTL_FILE: b"net.ipv4.tcp_tw_reuse=1\n"})
    request = requests.Request([requests.SettingRequest(REUSE, bounds.ABSENT)], policy=requests.Policy(live=False))
    assert module_run.run(one, request, False)[0]["rules"] == []


@pytest.mark.parametrize("settings", [{}, {FIN: 30}])
def test_open_files_of_one_process_against_those_of_the_host(settings):
    found, _message, _host = ask(settings, {FILE_MAX: "32768"}, [nofile(65535)])
    assert [(one["rule"], one["refused"]) for one in found] == [("nofile_below_file_max", False)]
    assert found[0]["text"].startswith("limit * nofile 65535 is above fs.file-max 32768 (as the host has it), so one")
    assert ask(settings, {FILE_MAX: "100000"}, [nofile(65535)])[0] == []
    lowered = ask({FILE_MAX: {"value": 32768, "source": ["memo_ko:135"]}}, {}, [nofile(65535)])[0]
    assert "is above fs.file-max 32768 (memo_ko:135)" in lowered[0]["text"]


RULES_FILE = {
    "/etc/security/limits.conf": b"root hard nofile 900000\nroot soft nofile unlimited\n* hard nproc 9999999\n"
}


def test_lowering_nr_open_below_a_limit_that_is_there_is_refused():
    found, message, _host = ask({NR_OPEN: 65536}, files=RULES_FILE)
    assert [(one["rule"], one["refused"]) for one in found] == [("nofile_below_nr_open", True)]
    assert message.startswith(
        "nofile 900000 (/etc/security/limits.conf:1) is above fs.nr_open 65536 (asked for), and logins would fail; set "
        "fs.nr_open to at least 900000, or lower the limit"
    )
    assert ask({NR_OPEN: 900000}, files=RULES_FILE)[0] == []
    assert ask({NR_OPEN: 65536}, {NR_OPEN: "65536"}, files=RULES_FILE, persist=False)[0] == [], "it is so already"
    found, _message, _host = ask({NR_OPEN: 65536}, files=RULES_FILE, guard="warn")
    assert [one["refused"] for one in found] == [False]
    assert ask({NR_OPEN: 65536}, files=RULES_FILE, guard="off")[0] == []


UNITS = "/etc/systemd/system/"
SYSTEMD = {
    "/usr/lib/systemd/systemd": b"",
    "/usr/lib/systemd/system/db.service": b"[Service]\nLimitNOFILE=900000\n",
    "/usr/lib/systemd/system/web.service": b"[Service]\nExecStart=/bin/web\n",
}


def test_lowering_nr_open_below_the_limit_of_a_unit_that_does_not_run_is_refused():
    found, message, _host = ask({NR_OPEN: 65536}, files=SYSTEMD)
    assert [(one["rule"], one["refused"]) for one in found] == [("nofile_below_nr_open", True)]
    assert message.startswith(
        "nofile 900000 (/usr/lib/systemd/system/db.service:2) is above fs.nr_open 65536 (asked for), and db.service could not "
        "start again; set fs.nr_open to at least 900000, or lower the limit"
    )
    assert ask({NR_OPEN: 900000}, files=SYSTEMD)[0] == []
    lower = dict(SYSTEMD, **{UNITS + "db.service.d/z.conf": b"[Service]\nLimitNOFILE=60000\n"})
    assert ask({NR_OPEN: 65536}, files=lower)[0] == [], "the last line counts"
    every = dict(lower, **{UNITS + "service.d/zz.conf": b"[Service]\nLimitNOFILE=70000:80000\n"})
    assert "80000 (/etc/systemd/system/service.d/zz.conf:2)" in ask({NR_OPEN: 65536}, files=every)[1]
    without = {path: data for path, data in SYSTEMD.items() if path != "/usr/lib/systemd/systemd"}
    assert ask({NR_OPEN: 65536}, files=without)[0] == [], "nobody reads units here"


def test_a_unit_that_is_masked_or_lowered_by_the_same_request_is_no_obstacle():
    masked = host(files=dict(SYSTEMD, **{"/dev/null": b""}), links={UNITS + "db.service": "/dev/null"})
    request = requests.Request(sysctl_settings.parse({NR_OPEN: 65536}), policy=requests.Policy())
    assert module_run.run(masked, request, True)[0]["rules"] == []
    limit = {"unit": "db.service", "item": "nofile", "soft": 50000, "hard": 60000}
    assert ask({NR_OPEN: 65536}, {}, [limit], files=SYSTEMD, check_mode=True)[0] == []


def test_a_lower_bound_of_nr_open_has_nothing_to_do_with_units():
    assert ask({NR_OPEN: {"at_least": 65536}}, {NR_OPEN: "1048576"}, files=SYSTEMD)[0] == []


def test_a_unit_that_the_next_boot_does_not_allow_is_refused():
    files = dict(SYSTEMD, **{"/etc/sysctl.d/a.conf": b"fs.nr_open=65536\n"})
    limit = {"unit": "web.service", "item": "nofile", "soft": 1024, "hard": 100000}
    found, message, _host = ask({FIN: 30}, {}, [limit], files=files)
    assert [(one["rule"], one["refused"]) for one in found] == [("nofile_below_nr_open", True)]
    assert (
        "nofile 100000 (web.service nofile) is above fs.nr_open 65536 (/etc/sysctl.d/a.conf:1), and it could not start "
        "after the next boot" in message
    )


def test_a_limit_that_the_next_boot_does_not_allow_is_refused():
    files = {"/etc/sysctl.d/a.conf": b"fs.nr_open=65536\n"}
    found, message, _host = ask({FIN: 30}, {}, [nofile(100000)], files=files)
    assert [(one["rule"], one["refused"]) for one in found] == [("nofile_below_nr_open", True)]
    assert (
        "nofile 100000 (* nofile) is above fs.nr_open 65536 (/etc/sysctl.d/a.conf:1), and logins would fail after"
        in message
    )
    assert ask({FIN: 30}, {}, [nofile(60000)], files=files)[0] == []


@pytest.mark.parametrize(
    ("entry", "rule", "refused"),
    [
        ("fs.nr_open=65536", "nofile_below_nr_open", True),
        ("fs.file-max=65536", "nofile_below_file_max", False),
    ],
)
def test_a_request_of_limits_alone_is_held_against_the_next_boot(entry, rule, refused):
    files = {"/etc/sysctl.d/a.conf": entry.encode() + b"\n"}
    found, _message, one = ask({}, {}, [nofile(100000)], files=files)
    assert [(each["rule"], each["refused"]) for each in found] == [(rule, refused)]
    assert "(/etc/sysctl.d/a.conf:1)" in found[0]["text"] and "after the next boot" in found[0]["text"]
    assert ask({}, {}, [nofile(60000)], files=files)[0] == []
    assert ask({}, {}, [{"domain": "*", "item": "nproc", "soft": 100000}], files=files)[0] == []


def test_every_rule_is_documented():
    with open(os.path.join(COLLECTION, "docs", "rules.md")) as stream:
        documented = re.findall(r"^\| (`.*?`) \|", stream.read(), re.MULTILINE)
    names = {rule.name for rule in cross_key.RULES} | {"nofile_below_nr_open", "nofile_below_file_max"}
    assert {name for cell in documented for name in re.findall(r"\w+", cell)} == names


def test_names_are_for_good():
    assert sorted({rule.name for rule in cross_key.RULES}) == [
        "large_buffers_need_window_scaling",
        "neighbour_thresholds_in_order",
        "port_range_above_privileged_ports",
        "port_range_not_all_reserved",
        "port_range_reserves_services",
        "rmem_max_covers_tcp_rmem",
        "somaxconn_serves_syn_backlog",
        "tw_reuse_needs_timestamps",
        "wmem_max_covers_tcp_wmem",
    ]
