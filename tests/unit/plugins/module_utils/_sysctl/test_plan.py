# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a desired comes to: arguments and what the host shows -> status, exact steps, next boot, problems and warnings."""

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._core import request as requests
from ansible_collections.tunefleet.linux.plugins.module_utils._core import steps as step_types
from ansible_collections.tunefleet.linux.plugins.module_utils._module import facts as host_facts
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import messages
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import plan as sysctl_plan
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import settings as sysctl_settings
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import SYSCTL_FILE as OWN
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import SYSCTL_HEADER as HEAD
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import FakeHost

KEY = "net.core.somaxconn"
PATH = "net/core/somaxconn"
RMEM = "net.ipv4.tcp_rmem"
EARLY, LATE = "/usr/lib/sysctl.d/50-a.conf", "/etc/sysctl.d/99-z.conf"
DEFAULT = (None, "kernel default", False)
GONE = "gone"


def overridden(value):
    return messages.OVERRIDDEN_AT_BOOT(winner=LATE + ":1", path=OWN, value=value)


def ours(value, line=2, path=OWN):
    """The next boot takes our entry, which in a new file is behind the header."""
    return value, "{0}:{1}".format(path, line), True


def look(desired_settings, policy, host):
    fake = FakeHost(**host)
    if isinstance(desired_settings, dict):
        desired_settings = sysctl_settings.parse(desired_settings)
    request = requests.Request(settings=desired_settings, policy=requests.Policy(**policy))
    plan = sysctl_plan.plan(request.settings, host_facts.gather(fake, request).sysctl, request.policy)
    assert fake.log == []
    assert plan.limits == ()
    return plan


def steps_of(plan):
    live = [(step.key, step.before, step.after) for step in plan.steps if isinstance(step, step_types.SetSysctl)]
    files = [step for step in plan.steps if isinstance(step, step_types.WriteFile)]
    # Kernel parameters before files, and no more than one file.
    assert list(plan.steps[len(live) :]) == files and len(files) <= 1
    return live, [GONE if step.after is None else step.after for step in files]


def outcome(plan):
    (one,) = plan.settings
    live, files = steps_of(plan)
    return {
        "status": one.status,
        "wanted": one.wanted,
        "reason": one.reason,
        "live": [(before, after) for _key, before, after in live],
        "file": files,
        "boot": tuple(one.boot),
        "shadowed": one.shadowed,
        "problems": list(plan.problems),
        "warnings": list(plan.warnings),
    }


def expect(status, wanted, reason="", live=None, file=None, boot=DEFAULT, shadowed=False, problems=(), warnings=()):
    return {
        "status": status,
        "wanted": wanted,
        "reason": reason,
        "live": [] if live is None else [live],
        "file": [] if file is None else [file],
        "boot": boot,
        "shadowed": shadowed,
        "problems": list(problems),
        "warnings": list(warnings),
    }


def case(name, desired_settings, expected, policy=None, **host):
    return pytest.param(desired_settings, policy or {}, host, expected, id=name)


def check(desired_settings, policy, host, expected):
    assert outcome(look(desired_settings, policy, host)) == expected


MEETS = "the live value {0} satisfies it"


@pytest.mark.parametrize(
    ("desired_settings", "policy", "host", "expected"),
    [
        case(
            "new value",
            {KEY: 8192},
            expect(
                "changed", "8192", live=("4096", "8192"), file=HEAD + b"net.core.somaxconn=8192\n", boot=ours("8192")
            ),
        ),
        case(
            "live already",
            {KEY: 4096},
            expect("changed", "4096", file=HEAD + b"net.core.somaxconn=4096\n", boot=ours("4096")),
        ),
        case(
            "entry already",
            {KEY: 8192},
            expect("changed", "8192", live=("4096", "8192"), boot=ours("8192", 1)),
            files={OWN: b"net.core.somaxconn = 8192\n"},
        ),
        case(
            "all as wanted",
            {KEY: 8192},
            expect("ok", "8192", boot=ours("8192", 1)),
            live={PATH: "8192"},
            files={OWN: b"net/core/somaxconn = 0x2000\n"},
        ),
        case(
            "another entry in place",
            {KEY: 8192},
            expect(
                "changed",
                "8192",
                live=("4096", "8192"),
                file=b"# c\nnet.core.somaxconn=8192\nvm.x = 1\n",
                boot=ours("8192"),
            ),
            files={OWN: b"# c\nnet.core.somaxconn = 1\nvm.x = 1\n"},
        ),
        case(
            "duplicates in our file",
            {KEY: 8192},
            expect(
                "changed", "8192", live=("4096", "8192"), file=b"vm.x=1\nnet.core.somaxconn=8192\n", boot=ours("8192")
            ),
            files={OWN: b"net.core.somaxconn=1\nvm.x=1\nnet/core/somaxconn=2\n"},
        ),
        case(
            "the deciding duplicate is as wanted",
            {KEY: 8192},
            expect("ok", "8192", boot=ours("8192")),
            live={PATH: "8192"},
            files={OWN: b"net.core.somaxconn=1\nnet.core.somaxconn=8192\n"},
        ),
        case(
            "lower than the host has",
            {KEY: 1024},
            expect(
                "changed", "1024", live=("4096", "1024"), file=HEAD + b"net.core.somaxconn=1024\n", boot=ours("1024")
            ),
        ),
        case(
            "name with slashes",
            {"net/core/somaxconn": 4096},
            expect("changed", "4096", file=HEAD + b"net.core.somaxconn=4096\n", boot=ours("4096")),
        ),
        case(
            "interface with a dot",
            {"net.ipv4.conf.eth0.100.rp_filter": 1},
            expect(
                "changed", "1", live=("0", "1"), file=HEAD + b"net.ipv4.conf.eth0/100.rp_filter=1\n", boot=ours("1")
            ),
            live={"net/ipv4/conf/eth0.100/rp_filter": "0"},
        ),
        case(
            "vector that differs in blanks only",
            {RMEM: [4096, 131072, 6291456]},
            expect("ok", "4096 131072 6291456", boot=ours("4096 131072 6291456", 1)),
            files={OWN: b"net.ipv4.tcp_rmem=4096\t131072  6291456\n"},
        ),
        case(
            "vector",
            {RMEM: "4096 131072 16777216"},
            expect(
                "changed",
                "4096 131072 16777216",
                live=("4096\t131072\t6291456", "4096 131072 16777216"),
                file=HEAD + b"net.ipv4.tcp_rmem=4096 131072 16777216\n",
                boot=ours("4096 131072 16777216"),
            ),
        ),
        case(
            "boolean",
            {"net.ipv4.tcp_sack": False},
            expect("changed", "0", live=("1", "0"), file=HEAD + b"net.ipv4.tcp_sack=0\n", boot=ours("0")),
            live={"net/ipv4/tcp_sack": "1"},
        ),
        case(
            "yes on a number",
            {"net.ipv4.tcp_sack": "yes"},
            expect("changed", "1", live=("0", "1"), file=HEAD + b"net.ipv4.tcp_sack=1\n", boot=ours("1")),
            live={"net/ipv4/tcp_sack": "0"},
        ),
        case(
            "on as a text",
            {"kernel.domainname": "on"},
            expect("changed", "on", live=("(none)", "on"), file=HEAD + b"kernel.domainname=on\n", boot=ours("on")),
            live={"kernel/domainname": "(none)"},
        ),
        case(
            "empty text",
            {"kernel.core_pattern": ""},
            expect("changed", "", live=("core", ""), file=HEAD + b"kernel.core_pattern=\n", boot=ours("")),
            live={"kernel/core_pattern": "core"},
        ),
        case(
            "list of ports in the kernel's own spelling",
            {"net.ipv4.ip_local_reserved_ports": "8082,8080,8081"},
            expect("ok", "8080-8082", boot=ours("8080-8082", 1)),
            live={"net/ipv4/ip_local_reserved_ports": "8080-8082"},
            files={OWN: b"net.ipv4.ip_local_reserved_ports=8081,8080-8080,8082\n"},
        ),
        case(
            "list of ports",
            {"net.ipv4.ip_local_reserved_ports": [9000, 8080, 8081]},
            expect(
                "changed",
                "8080-8081,9000",
                live=("", "8080-8081,9000"),
                file=HEAD + b"net.ipv4.ip_local_reserved_ports=8080-8081,9000\n",
                boot=ours("8080-8081,9000"),
            ),
            live={"net/ipv4/ip_local_reserved_ports": ""},
        ),
        case(
            "words in another order",
            {"net.ipv4.tcp_allowed_congestion_control": "cubic reno"},
            expect(
                "changed",
                "cubic reno",
                file=HEAD + b"net.ipv4.tcp_allowed_congestion_control=cubic reno\n",
                boot=ours("cubic reno"),
            ),
            live={"net/ipv4/tcp_allowed_congestion_control": "reno cubic"},
        ),
        case(
            "key that the catalog does not know",
            {"kernel.printk": "4 4 1 7"},
            expect(
                "changed",
                "4 4 1 7",
                live=("7\t4\t1\t7", "4 4 1 7"),
                file=HEAD + b"kernel.printk=4 4 1 7\n",
                boot=ours("4 4 1 7"),
            ),
            live={"kernel/printk": "7\t4\t1\t7"},
        ),
        case(
            "our file is a link",
            {KEY: 4096},
            expect("changed", "4096", file=b"# x\nnet.core.somaxconn=4096\n", boot=ours("4096")),
            files={"/srv/tune.conf": b"# x\n"},
            links={OWN: "/srv/tune.conf"},
        ),
        case(
            "our file is a link that leads nowhere yet",
            {KEY: 4096},
            expect("changed", "4096", file=HEAD + b"net.core.somaxconn=4096\n", boot=ours("4096")),
            links={OWN: "/srv/tune.conf"},
        ),
        case(
            "our file has the end of a line missing and CRLF before",
            {KEY: 4096},
            expect("changed", "4096", file=b"vm.x=1\r\nvm.y=2\nnet.core.somaxconn=4096\n", boot=ours("4096", 3)),
            files={OWN: b"vm.x=1\r\nvm.y=2"},
        ),
        case(
            "our file is not UTF-8",
            {KEY: 4096},
            expect(
                "changed",
                "4096",
                file=b"vm.x=1\n# caf\xe9\nnet.core.somaxconn=4096\n",
                boot=ours("4096", 3),
                warnings=[OWN + " line 2 is not UTF-8; it is kept byte for byte."],
            ),
            files={OWN: b"vm.x=1\n# caf\xe9\n"},
        ),
        case(
            "a lone -key of ours gives way",
            {KEY: 4096},
            expect("changed", "4096", file=b"net.core.somaxconn=4096\n", boot=ours("4096", 1)),
            files={OWN: b"-net.core.somaxconn\n"},
        ),
    ],
)
def test_value(desired_settings, policy, host, expected):
    check(desired_settings, policy, host, expected)


@pytest.mark.parametrize(
    ("desired_settings", "policy", "host", "expected"),
    [
        case("met by the kernel's default", {KEY: {"at_least": 1024}}, expect("kept", ">= 1024", MEETS.format(4096))),
        case("just met", {KEY: {"at_least": 4096}}, expect("kept", ">= 4096", MEETS.format(4096))),
        case(
            "default of no kernel so old: raised by hand",
            {KEY: {"at_least": 1024}},
            expect("changed", ">= 1024", file=HEAD + b"net.core.somaxconn=4096\n", boot=ours("4096")),
            release="4.9.0",
        ),
        case(
            "not met",
            {KEY: {"at_least": 8192}},
            expect(
                "changed", ">= 8192", live=("4096", "8192"), file=HEAD + b"net.core.somaxconn=8192\n", boot=ours("8192")
            ),
        ),
        case(
            "raised by hand: the larger is persisted",
            {KEY: {"at_least": 8192}},
            expect("changed", ">= 8192", file=HEAD + b"net.core.somaxconn=16384\n", boot=ours("16384")),
            live={PATH: "16384"},
        ),
        case(
            "met by another file",
            {KEY: {"at_least": 8192}},
            expect("kept", ">= 8192", MEETS.format(16384), boot=("16384", EARLY + ":1", False)),
            live={PATH: "16384"},
            files={EARLY: b"net.core.somaxconn=16384\n"},
        ),
        case(
            "met by another file at the next boot, not now",
            {KEY: {"at_least": 8192}},
            expect("changed", ">= 8192", live=("4096", "8192"), boot=("16384", EARLY + ":1", False)),
            files={EARLY: b"net.core.somaxconn=16384\n"},
        ),
        case(
            "met now, lowered by an earlier file at the next boot",
            {KEY: {"at_least": 4096}},
            expect("changed", ">= 4096", file=HEAD + b"net.core.somaxconn=4096\n", boot=ours("4096")),
            files={EARLY: b"net.core.somaxconn=1024\n"},
        ),
        case(
            "lowered by a later file",
            {KEY: {"at_least": 4096}},
            expect(
                "changed",
                ">= 4096",
                overridden(1024),
                file=HEAD + b"net.core.somaxconn=4096\n",
                boot=("1024", LATE + ":1", False),
                shadowed=True,
                warnings=["net.core.somaxconn: " + overridden(1024) + "."],
            ),
            files={LATE: b"net.core.somaxconn=1024\n"},
        ),
        case(
            "own entry kept, a later file has more",
            {KEY: {"at_least": 8192}},
            expect("ok", ">= 8192", boot=("16384", LATE + ":1", False)),
            live={PATH: "16384"},
            files={OWN: b"net.core.somaxconn=8192\n", LATE: b"net.core.somaxconn=16384\n"},
        ),
        case(
            "own entry kept",
            {KEY: {"at_least": 8192}},
            expect("ok", ">= 8192", boot=ours("10000", 1)),
            live={PATH: "10000"},
            files={OWN: b"net.core.somaxconn=10000\n"},
        ),
        case(
            "own entry kept, live lowered by hand",
            {KEY: {"at_least": 8192}},
            expect("changed", ">= 8192", live=("4096", "8192"), boot=ours("10000", 1)),
            files={OWN: b"net.core.somaxconn=10000\n"},
        ),
        case(
            "own entry too low",
            {KEY: {"at_least": 8192}},
            expect(
                "changed", ">= 8192", live=("1000", "8192"), file=b"net.core.somaxconn=8192\n", boot=ours("8192", 1)
            ),
            live={PATH: "1000"},
            files={OWN: b"net.core.somaxconn=1000\n"},
        ),
        case(
            "own entry too low, live raised by hand",
            {KEY: {"at_least": 8192}},
            expect("changed", ">= 8192", file=b"net.core.somaxconn=9000\n", boot=ours("9000", 1)),
            live={PATH: "9000"},
            files={OWN: b"net.core.somaxconn=1000\n"},
        ),
        case(
            "vector, element by element",
            {RMEM: {"at_least": [8192, 87380, 16777216]}},
            expect(
                "changed",
                ">= 8192 87380 16777216",
                live=("4096\t131072\t6291456", "8192 131072 16777216"),
                file=HEAD + b"net.ipv4.tcp_rmem=8192 131072 16777216\n",
                boot=ours("8192 131072 16777216"),
            ),
        ),
        case(
            "vector met by the kernel's default",
            {RMEM: {"at_least": "4096 87380 4194304"}},
            expect("kept", ">= 4096 87380 4194304", MEETS.format("4096 131072 6291456")),
        ),
        case(
            "vector of another file, one number too low",
            {RMEM: {"at_least": "4096 131072 6291456"}},
            expect(
                "changed",
                ">= 4096 131072 6291456",
                file=HEAD + b"net.ipv4.tcp_rmem=4096 131072 6291456\n",
                boot=ours("4096 131072 6291456"),
            ),
            files={EARLY: b"net.ipv4.tcp_rmem=8192 65536 9999999\n"},
        ),
        case(
            "hexadecimal in another file",
            {KEY: {"at_least": 4096}},
            expect("kept", ">= 4096", MEETS.format(4096), boot=("4096", EARLY + ":1", False)),
            files={EARLY: b"net.core.somaxconn=0x1000\n"},
        ),
        case(
            "a number before junk in another file, which the kernel takes",
            {KEY: {"at_least": 4096}},
            expect("kept", ">= 4096", MEETS.format(4096), boot=("9999", EARLY + ":1", False)),
            files={EARLY: b"net.core.somaxconn=9999 # more\n"},
        ),
        case(
            "by a pattern of another file",
            {"net.ipv4.neigh.default.gc_thresh1": {"at_least": 512}},
            expect("kept", ">= 512", MEETS.format(1024), boot=("1024", EARLY + ":1", False)),
            live={"net/ipv4/neigh/default/gc_thresh1": "1024"},
            files={EARLY: b"net.ipv4.neigh.*.gc_thresh1=1024\n"},
        ),
        case(
            "computed default",
            {"net.ipv4.tcp_max_tw_buckets": {"at_least": 65536}},
            expect("kept", ">= 65536", MEETS.format(131072)),
            live={"net/ipv4/tcp_max_tw_buckets": "131072"},
        ),
        case(
            "computed default in a child network namespace",
            {"net.ipv4.tcp_max_tw_buckets": {"at_least": 65536}},
            expect("kept", ">= 65536", MEETS.format(131072)),
            live={
                "net/ipv4/tcp_max_tw_buckets": "131072",
                "net/ipv4/tcp_ehash_entries": "-262144",
                "net/core/dev_weight": None,
            },
        ),
        case(
            "default computed from memory",
            {"fs.file-max": {"at_least": 262140}},
            expect("kept", ">= 262140", MEETS.format(2466183)),
            live={"fs/file-max": "2466183"},
            texts={"/proc/meminfo": "MemTotal:       24661832 kB\nMemFree: 1 kB\n"},
        ),
        case(
            "key without a known default",
            {"kernel.threads-max": {"at_least": 1000}},
            expect("changed", ">= 1000", file=HEAD + b"kernel.threads-max=192731\n", boot=ours("192731")),
            live={"kernel/threads-max": "192731"},
        ),
        case(
            "key that the catalog does not know",
            {"user.max_user_namespaces": {"at_least": 5}},
            expect("changed", ">= 5", live=("0", "5"), file=HEAD + b"user.max_user_namespaces=5\n", boot=ours("5")),
            live={"user/max_user_namespaces": "0"},
        ),
        case(
            "at_most met by the kernel's default",
            {KEY: {"at_most": 5000}},
            expect("kept", "<= 5000", MEETS.format(4096)),
        ),
        case(
            "at_most not met",
            {"net.ipv4.tcp_fin_timeout": {"at_most": 30}},
            expect(
                "changed", "<= 30", live=("60", "30"), file=HEAD + b"net.ipv4.tcp_fin_timeout=30\n", boot=ours("30")
            ),
        ),
        case(
            "at_most lowered by hand: the smaller is persisted",
            {"net.ipv4.tcp_fin_timeout": {"at_most": 30}},
            expect("changed", "<= 30", file=HEAD + b"net.ipv4.tcp_fin_timeout=15\n", boot=ours("15")),
            live={"net/ipv4/tcp_fin_timeout": "15"},
        ),
        case(
            "at_most met by another file",
            {"net.ipv4.tcp_fin_timeout": {"at_most": 30}},
            expect("kept", "<= 30", MEETS.format(20), boot=("20", EARLY + ":1", False)),
            live={"net/ipv4/tcp_fin_timeout": "20"},
            files={EARLY: b"net.ipv4.tcp_fin_timeout=20\n"},
        ),
        case(
            "masked file sets nothing",
            {KEY: {"at_least": 4096}},
            expect("kept", ">= 4096", MEETS.format(4096)),
            files={EARLY: b"net.core.somaxconn=1024\n"},
            links={"/etc/sysctl.d/50-a.conf": "/dev/null"},
        ),
        case(
            "hidden file sets nothing",
            {KEY: {"at_least": 4096}},
            expect("kept", ">= 4096", MEETS.format(4096)),
            files={
                "/etc/sysctl.d/.x.conf": b"net.core.somaxconn=1024\n",
                "/etc/sysctl.conf": b"net.core.somaxconn=1\n",
            },
        ),
        case(
            "taken back by a lone -key",
            {KEY: {"at_least": 4096}},
            expect("kept", ">= 4096", MEETS.format(4096)),
            files={EARLY: b"net.core.somaxconn=1024\n", "/etc/sysctl.d/60-b.conf": b"-net.core.somaxconn\n"},
        ),
    ],
)
def test_bounds(desired_settings, policy, host, expected):
    check(desired_settings, policy, host, expected)


LEGAL = " (legal: 0 .. 2147483647 connections)."


def refused(wanted, reason, key=KEY):
    return expect(
        "refused", wanted, reason, problems=["{0}: {1}{2}".format(key, reason, "" if reason.endswith(".") else ".")]
    )


@pytest.mark.parametrize(
    ("desired_settings", "policy", "host", "expected"),
    [
        case("word for a number", {KEY: "many"}, refused("many", "'many' is not an integer" + LEGAL)),
        case("fraction", {KEY: 1.5}, refused("1.5", "1.5 is not an integer" + LEGAL)),
        case("no number at all", {KEY: float("nan")}, refused("nan", "nan is not an integer" + LEGAL)),
        case("exponent", {KEY: "1e5"}, refused("1e5", "'1e5' is not an integer" + LEGAL)),
        case(
            "list for one",
            {KEY: [1, 2]},
            refused(
                "[1, 2]",
                "'1 2' has 2 numbers; the key takes 1, and the kernel would write any other list in part" + LEGAL,
            ),
        ),
        case("empty", {KEY: ""}, refused("", "value cannot be blank" + LEGAL)),
        case(
            "map for a value",
            {KEY: {"value": {"per_cpu": 5}}},
            refused("{'per_cpu': 5}", "{'per_cpu': 5} is not a number, not text and not a list of numbers" + LEGAL),
        ),
        case(
            "octal",
            {KEY: "04096"},
            refused(
                "04096",
                "'04096' has a leading zero, which the kernel reads as octal; write the decimal number" + LEGAL,
            ),
        ),
        case(
            "above the kernel's range",
            {KEY: 2147483648},
            refused("2147483648", "2147483648 is outside the kernel's range 0 .. 2147483647" + LEGAL),
        ),
        case(
            "below the kernel's range, as a bound",
            {KEY: {"at_least": -1}},
            refused(">= -1", "-1 is outside the kernel's range 0 .. 2147483647" + LEGAL),
        ),
        case(
            "outside of what makes sense",
            {"net.ipv4.tcp_fin_timeout": 0},
            refused(
                "0",
                "0 is outside the sane range 1 .. 21474836 (legal: 1 .. 21474836 seconds).",
                "net.ipv4.tcp_fin_timeout",
            ),
        ),
        case(
            "vector too short",
            {RMEM: [4096, 131072]},
            refused(
                "[4096, 131072]",
                (
                    "'4096 131072' has 2 numbers; the key takes 3, and the kernel would write any other list in part "
                    "(legal: 1 .. 2147483647 bytes: least, initial, largest)."
                ),
                RMEM,
            ),
        ),
        case(
            "vector too long, as a bound",
            {RMEM: {"at_least": "1 2 3 4"}},
            refused(
                ">= 1 2 3 4",
                (
                    "'1 2 3 4' has 4 numbers; the key takes 3, and the kernel would write any other list in part (legal: "
                    "1 .. 2147483647 bytes: least, initial, largest)."
                ),
                RMEM,
            ),
        ),
        case(
            "vector of a key that the catalog does not know",
            {"kernel.printk": "4 4"},
            refused(
                "4 4",
                (
                    "'4 4' has 2 numbers; the key takes 4, and the kernel would write any other list in part (legal: "
                    "whole numbers, within bounds of the kernel's own)."
                ),
                "kernel.printk",
            ),
            live={"kernel/printk": "7\t4\t1\t7"},
        ),
        case(
            "ports",
            {"net.ipv4.ip_local_reserved_ports": "9010-9000"},
            refused(
                "9010-9000",
                (
                    "'9010-9000' is not a list of ports; write ports and ranges from 0 to 65535, with commas and without "
                    "spaces, as in 8080,9000-9010 (legal: ports)."
                ),
                "net.ipv4.ip_local_reserved_ports",
            ),
            live={"net/ipv4/ip_local_reserved_ports": ""},
        ),
        case(
            "bound on a text",
            {"kernel.domainname": {"at_least": 5}},
            refused(
                ">= 5",
                "at_least compares numbers, and this key does not hold numbers (legal: one line of text).",
                "kernel.domainname",
            ),
            live={"kernel/domainname": "x"},
        ),
        case(
            "line break in a text",
            {"kernel.core_pattern": "a\nvm.swappiness=1"},
            refused(
                "a\nvm.swappiness=1",
                "'a\\nvm.swappiness=1' contains a line break or a NUL byte (legal: one line of text).",
                "kernel.core_pattern",
            ),
            live={"kernel/core_pattern": "core"},
        ),
        case(
            "key that can only be written",
            {"net.ipv4.route.flush": 1},
            refused(
                "1",
                "a write to this key triggers an action and leaves no value to keep; set persist to false",
                "net.ipv4.route.flush",
            ),
            live={"net/ipv4/route/flush": "0"},
            write_only=["net/ipv4/route/flush"],
        ),
        case(
            "key that can only be written, file only",
            {"net.ipv4.route.flush": 1},
            refused(
                "1",
                "a write to this key triggers an action and leaves no value to keep; set persist to false",
                "net.ipv4.route.flush",
            ),
            policy={"live": False},
            live={"net/ipv4/route/flush": "0"},
            write_only=["net/ipv4/route/flush"],
        ),
        case(
            "refused also with on_unavailable skip",
            {KEY: "many"},
            refused("many", "'many' is not an integer" + LEGAL),
            policy={"on_unavailable": "skip"},
        ),
        case(
            "refused also when the kernel is left alone",
            {KEY: "many"},
            refused("many", "'many' is not an integer" + LEGAL),
            policy={"live": False},
        ),
    ],
)
def test_refused(desired_settings, policy, host, expected):
    check(desired_settings, policy, host, expected)


CHILD = {"net/core/dev_weight": None}
UNAVAILABLE = [
    case(
        "removed",
        {"net.ipv4.tcp_tw_recycle": 1},
        ("removed", "removed in Linux 4.12: it broke clients behind one translated address"),
    ),
    case(
        "removed, as a bound",
        {"fs.inode-max": {"at_least": 65536}},
        ("removed", "removed in Linux 2.4: inodes are allocated as needed"),
    ),
    case(
        "no effect",
        {"net.ipv4.tcp_fack": 1},
        ("no_effect", "the kernel accepts and ignores it since Linux 4.15: RACK took its place"),
        live={"net/ipv4/tcp_fack": "0"},
    ),
    case(
        "needs a module",
        {"net.netfilter.nf_conntrack_max": {"at_least": 1000}},
        ("needs_module", "appears when the kernel module nf_conntrack is loaded"),
    ),
    case(
        "needs a module, key not in the catalog",
        {"net.bridge.bridge-nf-call-iptables": 0},
        ("needs_module", "appears when the kernel module br_netfilter is loaded"),
    ),
    case(
        "absent in a child network namespace",
        {"net.core.netdev_max_backlog": {"at_least": 30000}},
        ("not_namespaced", "belongs to the host; this network namespace or container does not have it"),
        live=CHILD,
    ),
    case(
        "read-only in a child network namespace",
        {"net.core.rmem_max": {"at_least": 16777216}},
        ("not_namespaced", "belongs to the host; this network namespace or container can only read it"),
        live=dict(CHILD, **{"net/core/rmem_max": "212992"}),
        read_only=["net/core/rmem_max"],
    ),
    case(
        "read-only",
        {KEY: 8192},
        ("read_only", "/proc/sys is read-only here, as in many containers"),
        read_only=[PATH],
    ),
    case(
        "read-only on the host itself",
        {"net.core.rmem_max": 16777216},
        ("read_only", "/proc/sys is read-only here, as in many containers"),
        live={"net/core/rmem_max": "212992"},
        read_only=["net/core/rmem_max"],
    ),
    case(
        "neither readable nor writable",
        {"vm.secret": 1},
        ("read_only", "/proc/sys is read-only here, as in many containers"),
        live={"vm/secret": "5"},
        read_only=["vm/secret"],
        write_only=["vm/secret"],
    ),
]


@pytest.mark.parametrize("on_unavailable", ["fail", "warn", "skip"])
@pytest.mark.parametrize(("desired_settings", "policy", "host", "expected"), UNAVAILABLE)
def test_unavailable(desired_settings, policy, host, expected, on_unavailable):
    """Nothing is ever written for such a key; whether that is a problem is the caller's choice."""
    plan = look(desired_settings, dict(policy, on_unavailable=on_unavailable), host)
    (one,) = plan.settings
    assert (one.status, one.reason) == expected
    assert steps_of(plan) == ([], [])
    said = ["{0}: {1}.".format(one.key, one.reason)]
    assert list(plan.problems) == (said if on_unavailable == "fail" else [])
    assert list(plan.warnings) == (said if on_unavailable == "warn" else [])


@pytest.mark.parametrize(
    ("on_unavailable", "problems"),
    [
        ("fail", ["net.core.somaxcon: no such key on this kernel; did you mean net.core.somaxconn?"]),
        ("warn", ["net.core.somaxcon: no such key on this kernel; did you mean net.core.somaxconn?"]),
        ("skip", []),
    ],
)
def test_unknown(on_unavailable, problems):
    plan = look({"net.core.somaxcon": 5}, {"on_unavailable": on_unavailable}, {})
    assert plan.settings[0].status == "unknown"
    assert steps_of(plan) == ([], [])
    assert (list(plan.problems), list(plan.warnings)) == (problems, [])


@pytest.mark.parametrize(
    ("desired_settings", "host", "reason"),
    [
        pytest.param({"zzz.qqq": 1}, {}, "no such key on this kernel", id="nothing like it"),
        pytest.param(
            {"vm.swapiness": 1}, {}, "no such key on this kernel; did you mean vm.swappiness?", id="from the catalog"
        ),
        pytest.param(
            {"dev.thing.knbo": 1},
            {"live": {"dev/thing/knob": "1"}},
            "no such key on this kernel; did you mean dev.thing.knob?",
            id="from this kernel",
        ),
        pytest.param(
            {"net.ipv4.tcp_rto_max_ms": 5000},
            {},
            "needs Linux 6.15 or newer; this kernel is Linux 6.12",
            id="known, but newer than this kernel",
        ),
        pytest.param(
            {"net.core.netdev_max_backlog": 5},
            {"live": {"net/core/somaxconn": None, "net/core/dev_weight": None}},
            "this build of Linux 6.12 does not have it",
            id="no network at all",
        ),
        pytest.param(
            {"net.core.netdev_max_backlog": 5},
            {"release": "weird"},
            "this build of Linux 0.0 does not have it",
            id="release that is no number",
        ),
    ],
)
def test_unknown_reason(desired_settings, host, reason):
    (one,) = look(desired_settings, {}, host).settings
    assert (one.status, one.reason) == ("unknown", reason)


@pytest.mark.parametrize(
    ("desired_settings", "policy", "host", "expected"),
    [
        case(
            "no effect yet on an old kernel",
            {"net.ipv4.tcp_fack": 1},
            expect("changed", "1", live=("0", "1"), file=HEAD + b"net.ipv4.tcp_fack=1\n", boot=ours("1")),
            live={"net/ipv4/tcp_fack": "0"},
            release="4.14.0-1",
        ),
        case(
            "not yet removed on an old kernel",
            {"net.ipv4.tcp_tw_recycle": 0},
            expect("changed", "0", file=HEAD + b"net.ipv4.tcp_tw_recycle=0\n", boot=ours("0")),
            live={"net/ipv4/tcp_tw_recycle": "0"},
            release="4.9.1",
        ),
        case(
            "module loaded",
            {"net.netfilter.nf_conntrack_max": 1000},
            expect(
                "changed",
                "1000",
                live=("500", "1000"),
                file=HEAD + b"net.netfilter.nf_conntrack_max=1000\n",
                boot=ours("1000"),
            ),
            live={"net/netfilter/nf_conntrack_max": "500"},
        ),
        case(
            "read-only, but as wanted",
            {KEY: 4096},
            expect("changed", "4096", file=HEAD + b"net.core.somaxconn=4096\n", boot=ours("4096")),
            read_only=[PATH],
        ),
        case(
            "read-only, and met",
            {KEY: {"at_least": 1024}},
            expect("kept", ">= 1024", MEETS.format(4096)),
            read_only=[PATH],
        ),
    ],
)
def test_available_after_all(desired_settings, policy, host, expected):
    check(desired_settings, policy, host, expected)


SHADOW = overridden(1)
UNDONE = messages.EXCLUDED_AT_BOOT(where=LATE + ":1", path=OWN)


def unread(path):
    return messages.NOT_READ_AT_BOOT(path=path, program="systemd-sysctl")


@pytest.mark.parametrize(
    ("desired_settings", "policy", "host", "expected"),
    [
        case(
            "by a later file",
            {KEY: 4096},
            expect(
                "changed",
                "4096",
                SHADOW,
                file=HEAD + b"net.core.somaxconn=4096\n",
                boot=("1", LATE + ":1", False),
                shadowed=True,
                warnings=["net.core.somaxconn: " + SHADOW + "."],
            ),
            files={LATE: b"net/core/somaxconn = 1\n"},
        ),
        case(
            "by a later file, which shall fail",
            {KEY: 4096},
            expect(
                "changed",
                "4096",
                SHADOW,
                file=HEAD + b"net.core.somaxconn=4096\n",
                boot=("1", LATE + ":1", False),
                shadowed=True,
                problems=["net.core.somaxconn: " + SHADOW + "."],
            ),
            policy={"on_shadowed": "fail"},
            files={LATE: b"net/core/somaxconn = 1\n"},
        ),
        case(
            "still shadowed when nothing is to be done",
            {KEY: 4096},
            expect(
                "ok",
                "4096",
                SHADOW,
                boot=("1", LATE + ":1", False),
                shadowed=True,
                warnings=["net.core.somaxconn: " + SHADOW + "."],
            ),
            files={LATE: b"net/core/somaxconn = 1\n", OWN: b"net.core.somaxconn=4096\n"},
        ),
        case(
            "by a later file that says the same",
            {KEY: 4096},
            expect("ok", "4096", boot=("4096", LATE + ":1", False)),
            policy={"on_shadowed": "fail"},
            files={LATE: b"net/core/somaxconn = 4096\n", OWN: b"net.core.somaxconn=4096\n"},
        ),
        case(
            "by an earlier file not at all",
            {KEY: 4096},
            expect("ok", "4096", boot=ours("4096", 1)),
            files={EARLY: b"net/core/somaxconn = 1\n", OWN: b"net.core.somaxconn=4096\n"},
        ),
        case(
            "taken back by a later -key",
            {KEY: 4096},
            expect(
                "ok",
                "4096",
                UNDONE,
                shadowed=True,
                warnings=["net.core.somaxconn: " + UNDONE + "."],
            ),
            files={LATE: b"-net.core.somaxconn\n", OWN: b"net.core.somaxconn=4096\n"},
        ),
        case(
            "file outside of the directories that are read",
            {KEY: 4096},
            expect(
                "changed",
                "4096",
                unread("/etc/sysctl.conf"),
                file=b"vm.x=1\nnet.core.somaxconn=4096\n",
                shadowed=True,
                warnings=["net.core.somaxconn: " + unread("/etc/sysctl.conf") + "."],
            ),
            policy={"sysctl_file": "/etc/sysctl.conf"},
            files={"/etc/sysctl.conf": b"vm.x=1\n"},
        ),
        case(
            "file outside, but linked into the directories",
            {KEY: 4096},
            expect(
                "changed",
                "4096",
                file=b"net.core.somaxconn=4096\n",
                boot=ours("4096", 1, "/etc/sysctl.d/99-sysctl.conf"),
            ),
            policy={"sysctl_file": "/etc/sysctl.conf"},
            files={"/etc/sysctl.conf": b"net.core.somaxconn=1\n"},
            links={"/etc/sysctl.d/99-sysctl.conf": "/etc/sysctl.conf"},
        ),
        case(
            "name that is not read",
            {KEY: 4096},
            expect(
                "changed",
                "4096",
                unread("/etc/sysctl.d/tune"),
                file=HEAD + b"net.core.somaxconn=4096\n",
                shadowed=True,
                warnings=["net.core.somaxconn: " + unread("/etc/sysctl.d/tune") + "."],
            ),
            policy={"sysctl_file": "/etc/sysctl.d/tune"},
        ),
        case(
            "file masked by one of the same name",
            {KEY: 4096},
            expect(
                "changed",
                "4096",
                unread("/usr/lib/sysctl.d/x.conf"),
                file=HEAD + b"net.core.somaxconn=4096\n",
                shadowed=True,
                warnings=["net.core.somaxconn: " + unread("/usr/lib/sysctl.d/x.conf") + "."],
            ),
            policy={"sysctl_file": "/usr/lib/sysctl.d/x.conf"},
            files={"/etc/sysctl.d/x.conf": b"# nothing\n"},
        ),
        case(
            "our file masks one of the same name",
            {KEY: {"at_least": 4096}},
            expect("changed", ">= 4096", file=HEAD + b"net.core.somaxconn=4096\n", boot=ours("4096")),
            files={"/usr/lib/sysctl.d/99-tunefleet.conf": b"net.core.somaxconn=1\n"},
        ),
        case(
            "at_most by a later file",
            {KEY: {"at_most": 100}},
            expect(
                "changed",
                "<= 100",
                overridden(101),
                live=("4096", "100"),
                file=HEAD + b"net.core.somaxconn=100\n",
                boot=("101", LATE + ":1", False),
                shadowed=True,
                warnings=["net.core.somaxconn: " + overridden(101) + "."],
            ),
            files={LATE: b"net.core.somaxconn=101\n"},
        ),
    ],
)
def test_shadowed(desired_settings, policy, host, expected):
    check(desired_settings, policy, host, expected)


NOT_LIVE, NOT_KEPT = {"live": False}, {"persist": False}


@pytest.mark.parametrize(
    ("desired_settings", "policy", "host", "expected"),
    [
        case("live only", {KEY: 8192}, expect("changed", "8192", live=("4096", "8192")), policy=NOT_KEPT),
        case("live only, as wanted", {KEY: 4096}, expect("ok", "4096"), policy=NOT_KEPT),
        case(
            "live only leaves our file alone",
            {KEY: 8192},
            expect("changed", "8192", live=("4096", "8192"), boot=("1", OWN + ":1", False)),
            policy=NOT_KEPT,
            files={OWN: b"net.core.somaxconn=1\n"},
        ),
        case(
            "live only, a bound met",
            {KEY: {"at_least": 1}},
            expect("kept", ">= 1", MEETS.format(4096)),
            policy=NOT_KEPT,
        ),
        case(
            "file only",
            {KEY: 8192},
            expect("changed", "8192", file=HEAD + b"net.core.somaxconn=8192\n", boot=ours("8192")),
            policy=NOT_LIVE,
        ),
        case(
            "file only, as wanted",
            {KEY: 8192},
            expect("ok", "8192", boot=ours("8192", 1)),
            policy=NOT_LIVE,
            files={OWN: b"net.core.somaxconn=8192\n"},
        ),
        case(
            "file only, key unknown to this kernel",
            {"net.ipv4.made_up": 5},
            expect("changed", "5", file=HEAD + b"net.ipv4.made_up=5\n", boot=ours("5")),
            policy=NOT_LIVE,
        ),
        case(
            "file only, module not loaded",
            {"net.netfilter.nf_conntrack_max": {"at_least": 5}},
            expect("changed", ">= 5", file=HEAD + b"net.netfilter.nf_conntrack_max=5\n", boot=ours("5")),
            policy=NOT_LIVE,
        ),
        case(
            "file only, read-only here",
            {KEY: 8192},
            expect("changed", "8192", file=HEAD + b"net.core.somaxconn=8192\n", boot=ours("8192")),
            policy=NOT_LIVE,
            read_only=[PATH],
        ),
        case(
            "file only, a bound met by the kernel's default",
            {KEY: {"at_least": 1024}},
            expect("kept", ">= 1024", MEETS.format(4096)),
            policy=NOT_LIVE,
        ),
        case(
            "file only, a bound met by another file and not live",
            {KEY: {"at_least": 8192}},
            expect(
                "kept",
                ">= 8192",
                "the effective value after boot, 16384, satisfies it",
                boot=("16384", EARLY + ":1", False),
            ),
            policy=NOT_LIVE,
            files={EARLY: b"net.core.somaxconn=16384\n"},
        ),
    ],
)
def test_live_and_persist(desired_settings, policy, host, expected):
    check(desired_settings, policy, host, expected)


ABSENT = [requests.SettingRequest(KEY, "absent")]


@pytest.mark.parametrize(
    ("desired_settings", "policy", "host", "expected"),
    [
        case("no file", ABSENT, expect("ok", "absent"), policy=NOT_LIVE),
        case("no entry", ABSENT, expect("ok", "absent"), policy=NOT_LIVE, files={OWN: b"vm.x=1\n"}),
        case(
            "entry among others",
            ABSENT,
            expect("changed", "absent", file=b"vm.x=1\n"),
            policy=NOT_LIVE,
            files={OWN: b"net/core/somaxconn = 1\nvm.x=1\n"},
        ),
        case(
            "empty entry",
            ABSENT,
            expect("changed", "absent", file=b"#\n"),
            policy=NOT_LIVE,
            files={OWN: b"#\nnet.core.somaxconn=\n"},
        ),
        case(
            "the last entry of a file of ours",
            ABSENT,
            expect("changed", "absent", file=GONE),
            policy=NOT_LIVE,
            files={OWN: HEAD + b"net.core.somaxconn=1\n"},
        ),
        case(
            "the last entry of another file",
            ABSENT,
            expect("changed", "absent", file=b""),
            policy=NOT_LIVE,
            files={OWN: b"net.core.somaxconn=1\n"},
        ),
        case(
            "the last entry of a file behind a link",
            ABSENT,
            expect("changed", "absent", file=HEAD),
            policy=NOT_LIVE,
            files={"/srv/tune.conf": HEAD + b"net.core.somaxconn=1\n"},
            links={OWN: "/srv/tune.conf"},
        ),
        case(
            "another file sets it too",
            ABSENT,
            expect("changed", "absent", file=GONE, boot=("2", EARLY + ":1", False)),
            policy=NOT_LIVE,
            files={OWN: HEAD + b"net.core.somaxconn=1\n", EARLY: b"net.core.somaxconn=2\n"},
        ),
        case(
            "key that the kernel does not have",
            [requests.SettingRequest("net.ipv4.tcp_tw_recycle", "absent")],
            expect("changed", "absent", file=GONE),
            policy=NOT_LIVE,
            files={OWN: HEAD + b"net.ipv4.tcp_tw_recycle=1\n"},
        ),
    ],
)
def test_absent(desired_settings, policy, host, expected):
    check(desired_settings, policy, host, expected)


def test_many_keys_make_one_file_step_in_the_order_given():
    plan = look(
        {"vm.swappiness": 10, KEY: {"at_least": 1024}, "net.ipv4.tcp_fin_timeout": 30, "fs.nr_open": 2000000},
        {},
        {"live": {"vm/swappiness": "60"}, "files": {OWN: b"# mine\nvm.dirty_ratio=5\n"}},
    )
    assert steps_of(plan) == (
        [("vm.swappiness", "60", "10"), ("net.ipv4.tcp_fin_timeout", "60", "30"), ("fs.nr_open", "1048576", "2000000")],
        [b"# mine\nvm.dirty_ratio=5\nvm.swappiness=10\nnet.ipv4.tcp_fin_timeout=30\nfs.nr_open=2000000\n"],
    )
    assert [one.status for one in plan.settings] == ["changed", "kept", "changed", "changed"]


def test_every_problem_is_named():
    plan = look({KEY: "x", "net.core.somaxcon": 1, "net.ipv4.tcp_tw_recycle": 1, "vm.swappiness": 201}, {}, {})
    assert [problem.split(":")[0] for problem in plan.problems] == [
        KEY,
        "net.core.somaxcon",
        "net.ipv4.tcp_tw_recycle",
        "vm.swappiness",
    ]


def test_notes_go_along():
    (one,) = look({KEY: {"value": 1, "why": "w", "source": ["a:1"]}}, {}, {}).settings
    assert (one.note.why, list(one.note.source)) == ("w", ["a:1"])


INTERFACES = {"net/ipv4/conf/lo/rp_filter": "0", "net/ipv4/conf/lo/nosuch_here": "0", "net/ipv4/conf/v1.5/tag": "0"}


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("net.ipv4.conf.v0.rp_filter", "this host has no network interface v0"),
        ("net.ipv4.conf.v0/7.nosuch_here", "this host has no network interface v0.7"),
        ("net.ipv4.conf.v0.tog", "no such key on this kernel"),
        ("net.ipv4.conf.v1/5.rp_filter", "this build of Linux 6.12 does not have it"),
        ("NET.IPV4.CONF.LO.RP_FILTER", "no such key on this kernel; did you mean net.ipv4.conf.lo.rp_filter?"),
    ],
)
def test_a_key_of_an_interface_that_is_not_here(key, reason):
    plan = look({key: 1}, {"on_unavailable": "warn"}, {"live": INTERFACES})
    (one,) = plan.settings
    assert (one.status, one.reason[: len(reason)]) == ("unknown", reason)
    typo = reason.startswith("no such key")
    assert (len(plan.problems), len(plan.warnings)) == ((1, 0) if typo else (0, 1))


def test_what_is_gone_is_not_judged_by_its_value():
    plan = look({"net.ipv4.tcp_tw_recycle": "many"}, {"on_unavailable": "skip"}, {})
    assert [(one.status, one.wanted) for one in plan.settings] == [("removed", "many")] and not plan.problems


@pytest.mark.parametrize(
    ("desired", "after"),
    [
        ({"at_least": [4096, 1, 7000000]}, "4096 131072 7000000"),
        ({"at_least": [1, 2, 1]}, None),
        ({"at_most": [9000, 9000000, 2000000]}, "4096 131072 2000000"),
        ({"at_least": [200000, 1, 1]}, "refused"),
        ([4096, 1, 7000000], "refused"),
    ],
)
def test_numbers_that_have_to_rise(desired, after):
    """Each number of a bound is one of its own; what the host has then has to rise."""
    plan = look({"net.ipv4.tcp_rmem": desired}, {}, {"live": {"net/ipv4/tcp_rmem": "4096\t131072\t6291456"}})
    (one,) = plan.settings
    if after == "refused":
        assert one.status == "refused" and "each has to be at least the one before it" in one.reason
    else:
        assert (one.live[1], list(plan.problems)) == (after or "4096 131072 6291456", [])
