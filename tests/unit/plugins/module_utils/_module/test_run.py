# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The whole way from the options of a module to a result, on a host made of dictionaries."""

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._core import bound as bounds
from ansible_collections.tunefleet.linux.plugins.module_utils._core import request as requests
from ansible_collections.tunefleet.linux.plugins.module_utils._core import result as results
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import limits as limit_settings
from ansible_collections.tunefleet.linux.plugins.module_utils._module import limits_options
from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import settings as sysctl_settings
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils import fake_host
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import (
    LIMITS_FILE,
    LIMITS_HEADER,
    SYSCTL_FILE,
    SYSCTL_HEADER,
    FakeHost,
)

SOMAXCONN, FIN, RMEM = "net/core/somaxconn", "net/ipv4/tcp_fin_timeout", "net/ipv4/tcp_rmem"
TABS = {RMEM: fake_host.tabs}


def request(settings=None, limits=None, **policy):
    return requests.Request(
        sysctl_settings.parse(settings or {}), limit_settings.parse(limits or []), requests.Policy(**policy)
    )


NOFILE = {"domain": "*", "item": "nofile", "soft": {"at_least": 65535}, "hard": {"at_least": 65535}}
EVERYTHING = request(
    {
        "net.ipv4.tcp_fin_timeout": 30,
        "net.core.somaxconn": {"at_least": 8192},
        "net.ipv4.tcp_rmem": {"at_least": [4096, 131072, 16777216]},
        "fs.nr_open": {"at_least": 65536},
    },
    [NOFILE, {"domain": "*", "item": "nproc", "soft": {"at_least": 65535}, "hard": {"at_least": 65535}}],
)
SYSCTL_TEXT = SYSCTL_HEADER + (
    b"net.ipv4.tcp_fin_timeout=30\nnet.core.somaxconn=8192\nnet.ipv4.tcp_rmem=4096 131072 16777216\n"
)
LIMITS_TEXT = LIMITS_HEADER + b"*\tsoft\tnofile\t65535\n"


def test_applied():
    host = FakeHost(rules=TABS)
    result, warnings = module_run.run(host, EVERYTHING, False)
    assert host.log == [
        ("live", FIN, "30"),
        ("live", SOMAXCONN, "8192"),
        ("live", RMEM, "4096 131072 16777216"),
        ("write", SYSCTL_FILE, SYSCTL_TEXT),
        ("write", LIMITS_FILE, LIMITS_TEXT),
    ]
    assert list(warnings) == []
    assert (result["changed"], result["needs"]) == (True, ["new_session"])
    assert result["summary"] == {"changed": 4, "kept": 2}
    assert [page["after_header"] for page in result["diff"]] == ["live kernel parameters", SYSCTL_FILE, LIMITS_FILE]


def test_second_run_changes_nothing():
    host = FakeHost(rules=TABS)
    module_run.run(host, EVERYTHING, False)
    host.log.clear()
    result, _warnings = module_run.run(host, EVERYTHING, False)
    assert host.log == []
    assert (result["changed"], result["needs"], result["diff"]) == (False, [], [])
    assert result["summary"] == {"ok": 4, "kept": 2}


def test_check_mode_predicts_and_writes_nothing():
    host, applied = FakeHost(rules=TABS), FakeHost(rules=TABS)
    before = host.state()
    predicted = module_run.run(host, EVERYTHING, True)
    assert host.log == [] and host.state() == before
    assert predicted == module_run.run(applied, EVERYTHING, False)


def test_check_mode_is_the_audit_after_a_reboot_and_a_change_by_hand():
    host = FakeHost(rules=TABS)
    module_run.run(host, EVERYTHING, False)
    assert module_run.run(host, EVERYTHING, True)[0]["changed"] is False
    host.values[FIN] = "15"
    result, _warnings = module_run.run(host, EVERYTHING, True)
    assert [one["key"] for one in result["settings"] if one["status"] == "changed"] == ["net.ipv4.tcp_fin_timeout"]
    assert result["settings"][0]["live"] == {"before": "15", "after": "30"}


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        pytest.param({"net.core.somaxconn": 1024}, {}, id="value"),
        pytest.param({"net.core.somaxconn": {"at_least": 1024}}, {}, id="at_least, met"),
        pytest.param({"net.core.somaxconn": {"at_least": 8192}}, {}, id="at_least, not met"),
        pytest.param(
            {"net.core.somaxconn": {"at_least": 8192}}, {"live": {SOMAXCONN: "9999"}}, id="at_least, raised by hand"
        ),
        pytest.param({"net.core.somaxconn": {"at_most": 1024}}, {}, id="at_most, not met"),
        pytest.param({"net.core.somaxconn": {"at_most": 8192}}, {}, id="at_most, met"),
        pytest.param(
            {"net.core.somaxconn": {"at_least": 8192}},
            {"files": {"/etc/sysctl.d/99-z.conf": b"net.core.somaxconn=1\n"}},
            id="shadowed",
        ),
        pytest.param(
            {"net.core.somaxconn": {"at_least": 8192}},
            {"files": {"/etc/sysctl.d/10-a.conf": b"net.core.somaxconn=1\n"}},
            id="overridden",
        ),
        pytest.param(
            {"net.core.somaxconn": {"at_least": 8192}},
            {"files": {"/etc/sysctl.d/10-a.conf": b"net.core.somaxconn=9999\n"}},
            id="by another file",
        ),
        pytest.param({"net.ipv4.tcp_rmem": {"at_least": "8192 1 16777216"}}, {"rules": TABS}, id="vector"),
        pytest.param(
            {"net.ipv4.ip_local_reserved_ports": "8081,8080,9000-9010"},
            {
                "live": {"net/ipv4/ip_local_reserved_ports": ""},
                "rules": {"net/ipv4/ip_local_reserved_ports": lambda new, old: "8080-8081,9000-9010"},
            },
            id="ports",
        ),
        pytest.param({"net.core.somaxconn": "0x2000"}, {}, id="hexadecimal"),
        pytest.param({"net.core.somaxconn": True}, {}, id="boolean"),
        pytest.param({"kernel.core_pattern": "|/bin/x  %P"}, {"live": {"kernel/core_pattern": "core"}}, id="text"),
        pytest.param(
            {"net.ipv4.conf.eth0.100.rp_filter": 1},
            {"live": {"net/ipv4/conf/eth0.100/rp_filter": "0"}},
            id="interface with a dot",
        ),
    ],
)
def test_settings_are_idempotent(settings, host):
    fake = FakeHost(**host)
    module_run.run(fake, request(settings), False)
    state = fake.state()
    result, _warnings = module_run.run(fake, request(settings), False)
    assert result["changed"] is False
    assert fake.state() == state
    assert {one["status"] for one in result["settings"]} <= {"ok", "kept"}


@pytest.mark.parametrize(
    ("limits", "files"),
    [
        pytest.param([{"domain": "*", "item": "nofile", "soft": 5000, "hard": 6000}], {}, id="value"),
        pytest.param([NOFILE], {}, id="at_least"),
        pytest.param(
            [NOFILE], {"/etc/security/limits.d/20-a.conf": b"* - nofile 4096\n"}, id="at_least, lowered by another file"
        ),
        pytest.param([NOFILE], {"/etc/security/limits.d/99-z.conf": b"* - nofile 4096\n"}, id="at_least, shadowed"),
        pytest.param([NOFILE], {LIMITS_FILE: b"* - nofile 4096 # c"}, id="at_least, own dash"),
        pytest.param([{"domain": "*", "item": "nproc", "hard": {"at_most": 500}}], {}, id="at_most"),
        pytest.param([{"domain": "*", "item": "nproc", "soft": -1, "hard": "infinity"}], {}, id="no limit"),
        pytest.param([{"domain": "bob", "item": "nice", "soft": -5, "hard": -5}], {}, id="nice"),
        pytest.param(
            [{"domain": "*", "item": "nofile", "soft": 5000}], {LIMITS_FILE: b"* - nofile 6000\r\n"}, id="CRLF"
        ),
    ],
)
def test_limits_are_idempotent(limits, files):
    host = FakeHost(files=files)
    module_run.run(host, request(limits=limits), False)
    state = host.state()
    result, _warnings = module_run.run(host, request(limits=limits), False)
    assert result["changed"] is False
    assert host.state() == state


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(
            requests.Request(
                [requests.SettingRequest("net.core.somaxconn", "absent")], policy=requests.Policy(live=False)
            ),
            id="setting",
        ),
        pytest.param(
            requests.Request(
                limits=[
                    requests.LimitRequest("*", "nofile", bounds.Bound("absent"), bounds.Bound("absent"), file_only=True)
                ]
            ),
            id="limit",
        ),
    ],
)
def test_absent_is_idempotent(asked):
    host = FakeHost(
        files={
            SYSCTL_FILE: SYSCTL_HEADER + b"net.core.somaxconn=1\n",
            LIMITS_FILE: LIMITS_HEADER + b"* - nofile 5\n",
        }
    )
    assert module_run.run(host, asked, False)[0]["changed"] is True
    assert len(host.files) == 1
    assert module_run.run(host, asked, False)[0]["changed"] is False


PROBLEMS = [
    pytest.param(
        {"net.core.somaxconn": 5, "vm.nope": 1}, [], {}, "vm.nope: no such key on this kernel.", id="unknown key"
    ),
    pytest.param(
        {"net.core.somaxconn": 5, "net.ipv4.tcp_rmem": "1 2"},
        [],
        {},
        (
            "net.ipv4.tcp_rmem: '1 2' has 2 numbers; the key takes 3, and the kernel would write any other list "
            "in part (legal: 1 .. 2147483647 bytes: least, initial, largest)."
        ),
        id="vector too short",
    ),
    pytest.param(
        {"net.core.somaxconn": 5, "net.ipv4.tcp_fin_timeout": 30},
        [],
        {"read_only": [FIN]},
        "net.ipv4.tcp_fin_timeout: /proc/sys is read-only here, as in many containers.",
        id="read-only key",
    ),
    pytest.param(
        {"net.core.somaxconn": 5},
        [{"domain": "*", "item": "nofile", "hard": 9999999}],
        {},
        (
            "Limit * nofile: rule nr_open: nofile 9999999 is above fs.nr_open 1048576; the kernel would reject "
            "it and logins would fail. Raise fs.nr_open first, or request at most 1048576."
        ),
        id="limit behind good settings",
    ),
    pytest.param(
        {"net.core.somaxconn": "x"},
        [{"domain": "*", "item": "nofile", "soft": 5000}],
        {},
        None,
        id="setting before a good limit",
    ),
]


@pytest.mark.parametrize("check_mode", [False, True], ids=["apply", "check"])
@pytest.mark.parametrize(("settings", "limits", "host", "problem"), PROBLEMS)
def test_nothing_is_written_on_any_problem(settings, limits, host, problem, check_mode):
    fake = FakeHost(**host)
    before = fake.state()
    with pytest.raises(results.RequestFailed) as caught:
        module_run.run(fake, request(settings, limits), check_mode)
    assert fake.log == [] and fake.state() == before
    result = caught.value.result
    assert (result["changed"], result["diff"], result["undone"], result["not_undone"]) == (False, [], [], [])
    assert len(result["settings"]) == len(settings) and len(result["limits"]) == len(limits)
    if problem:
        assert str(caught.value) == problem + " Nothing was written."


def test_every_problem_is_told():
    with pytest.raises(results.RequestFailed) as caught:
        module_run.run(
            FakeHost(), request({"vm.nope": 1, "net.core.somaxconn": "x"}, [dict(NOFILE, hard=9999999)]), False
        )
    lines = str(caught.value).split("\n")
    assert lines[0] == "3 entries are refused, nothing was written:"
    assert [line.split(":")[0] for line in lines[1:]] == ["- vm.nope", "- net.core.somaxconn", "- Limit * nofile"]


def test_shadowed_may_fail():
    host = FakeHost(files={"/etc/sysctl.d/99-z.conf": b"#\nnet.core.somaxconn=1\n"})
    with pytest.raises(results.RequestFailed, match="/etc/sysctl.d/99-z.conf:2 takes precedence"):
        module_run.run(host, request({"net.core.somaxconn": 5}, on_shadowed="fail"), False)
    assert host.log == []


def test_a_refused_value_in_the_middle_puts_everything_back():
    files = {SYSCTL_FILE: b"# mine\r\nvm.x = 1", LIMITS_FILE: b"* - core 0\n"}
    host = FakeHost(files=files, rules={RMEM: fake_host.refuses("4096 131072 16777216")})
    before = host.state()
    with pytest.raises(results.RequestFailed) as caught:
        module_run.run(host, EVERYTHING, False)
    assert host.state() == before
    assert not [entry for entry in host.log if entry[0] != "live"]
    reason = (
        "the kernel rejected '4096 131072 16777216': Invalid argument (legal: 1 .. 2147483647 bytes: least, "
        "initial, largest)."
    )
    assert str(caught.value) == "setting net.ipv4.tcp_rmem failed: " + reason + " All changes of this run were undone."
    result = caught.value.result
    assert result["undone"] == ["net.core.somaxconn is 4096 again.", "net.ipv4.tcp_fin_timeout is 60 again."]
    assert result["not_undone"] == []
    assert (result["changed"], result["needs"], result["diff"]) == (False, [], [])
    refused = [one for one in result["settings"] if one["status"] == "refused"]
    assert [(one["key"], one["reason"]) for one in refused] == [("net.ipv4.tcp_rmem", reason)]
    assert all(one["live"]["before"] == one["live"]["after"] for one in result["settings"])


@pytest.mark.parametrize("full", [SYSCTL_FILE, LIMITS_FILE])
def test_a_file_that_cannot_be_written_puts_everything_back(full):
    host = FakeHost(files={SYSCTL_FILE: b"# mine\n"}, rules=TABS, full=[full])
    before = host.state()
    with pytest.raises(results.RequestFailed) as caught:
        module_run.run(host, EVERYTHING, False)
    assert host.state() == before
    assert str(caught.value) == (
        "Writing {0} failed: No space left on device (the file system is full). "
        "All changes of this run were undone.".format(full)
    )
    assert not [one for one in caught.value.result["settings"] if one["status"] == "refused"]
    assert "net.core.somaxconn is 4096 again." in caught.value.result["undone"]


def test_what_cannot_be_put_back_is_named():
    rules = dict(TABS)
    rules[SOMAXCONN] = lambda new, old: fake_host.refuses()(new, old) if new == "4096" else new
    host = FakeHost(rules=rules, full=[SYSCTL_FILE])
    with pytest.raises(results.RequestFailed) as caught:
        module_run.run(host, EVERYTHING, False)
    assert caught.value.result["not_undone"] == [
        "net.core.somaxconn could not be restored: the kernel rejected '4096': Invalid argument."
    ]
    assert str(caught.value).endswith(
        ("Not undone: net.core.somaxconn could not be restored: the kernel rejected '4096': Invalid argument.")
    )
    assert host.values[FIN] == "60"


ROOT = (
    "Changing kernel parameters and limits needs root, and this ran as the user alice. Run it as root, or let Ansible become "
    "root (become: true, or --become on the command line). Nothing was written."
)


def test_without_root():
    host = FakeHost(root=False)
    with pytest.raises(results.RequestFailed) as caught:
        module_run.run(host, EVERYTHING, False)
    assert str(caught.value) == ROOT
    assert host.log == []
    assert len(caught.value.result["settings"]) == 4


def test_without_root_check_mode_predicts():
    assert module_run.run(FakeHost(root=False), EVERYTHING, True)[0]["changed"] is True


def test_without_root_nothing_to_do():
    assert (
        module_run.run(FakeHost(root=False), request({"net.core.somaxconn": {"at_least": 1}}), False)[0]["changed"]
        is False
    )


@pytest.mark.parametrize("kind", ["settings", "limits"])
def test_a_directory_for_a_file(kind):
    asked = request({"net.core.somaxconn": 5}) if kind == "settings" else request(limits=[NOFILE])
    host = FakeHost(directories=[SYSCTL_FILE, LIMITS_FILE])
    with pytest.raises(_errors.HostProblem, match="is a directory, and only a regular file is ever replaced"):
        module_run.run(host, asked, False)
    assert host.log == []


def test_live_only_does_not_look_at_the_file():
    host = FakeHost(directories=[SYSCTL_FILE])
    result, _warnings = module_run.run(host, request({"net.core.somaxconn": 5}, persist=False), False)
    assert host.log == [("live", SOMAXCONN, "5")]
    assert result["settings"][0]["file"] == {"path": None, "before": None, "after": None}


def test_warnings_come_along():
    _result, warnings = module_run.run(
        FakeHost(), request({"net.ipv4.tcp_tw_recycle": 1}, on_unavailable="warn"), False
    )
    assert list(warnings) == [
        "net.ipv4.tcp_tw_recycle: removed in Linux 4.12: it broke clients behind one translated address."
    ]


LIMITS = {
    "limits": None,
    "domain": "www",
    "limit_type": "soft",
    "limit_item": "nofile",
    "value": "5000",
    "use_max": False,
    "use_min": False,
    "comment": "",
    "state": "present",
    "dest": LIMITS_FILE,
    "backup": True,
    "guard": "refuse",
}


@pytest.mark.parametrize(
    ("before", "check_mode", "copies"),
    [
        pytest.param(b"www soft nofile 1\n", False, 1, id="changed"),
        pytest.param(b"www soft nofile 5000\n", False, 0, id="not changed"),
        pytest.param(b"www soft nofile 1\n", True, 0, id="check mode"),
        pytest.param(None, False, 0, id="new"),
    ],
)
def test_backup(before, check_mode, copies):
    host = FakeHost(files={} if before is None else {LIMITS_FILE: before})
    result, _warnings = module_run.run(host, limits_options.parse(LIMITS), check_mode)
    found = [path for path in host.files if path != LIMITS_FILE]
    assert len(found) == copies
    assert [result["backup_file"]] == found if copies else "backup_file" not in result
    if copies:
        assert host.files[found[0]] == before


def test_a_backup_that_fails_changes_nothing():
    host = FakeHost(files={LIMITS_FILE: b"www soft nofile 1\n"}, full=[LIMITS_FILE + ".4242.2026-01-31@12:00:00~"])
    before = host.state()
    with pytest.raises(_errors.HostProblem):
        module_run.run(host, limits_options.parse(LIMITS), False)
    assert host.state() == before


def test_nothing_asked_for():
    host = FakeHost()
    result, warnings = module_run.run(host, request(), False)
    assert (result["changed"], result["settings"], result["limits"], result["summary"]) == (False, [], [], {})
    assert list(warnings) == [] and host.log == []


def test_kernel_parameters_come_before_files():
    """A limit may need the fs.nr_open of the same request, and nothing refused is written down."""
    host = FakeHost()
    module_run.run(host, request({"fs.nr_open": 2000000}, [{"domain": "*", "item": "nofile", "hard": 2000000}]), False)
    assert [entry[:2] for entry in host.log] == [
        ("live", "fs/nr_open"),
        ("write", SYSCTL_FILE),
        ("write", LIMITS_FILE),
    ]
    assert (
        module_run.run(host, request(limits=[{"domain": "*", "item": "nofile", "hard": 2000000}]), True)[0]["changed"]
        is False
    )


SIZED = {"at_least": {"per_gib": 1024, "min": 2000}}
HOST_TEXTS = {
    "/proc/meminfo": "MemTotal:       16123456 kB\nMemFree: 1 kB\n",
    "/sys/devices/system/cpu/online": "0-3,6\n",
}


def wanted(result, index=0):
    return result["settings"][index]["wanted"]


def test_a_number_that_depends_on_the_host_is_worked_out_there():
    host = FakeHost(texts=HOST_TEXTS, rules=TABS)
    settings = {
        "net.core.somaxconn": SIZED,
        "net.ipv4.tcp_rmem": {"at_least": [4096, 131072, {"per_cpu": 2000000, "max": 8000000}]},
    }
    bound = {"at_least": {"largest": [65535, {"per_gib": 8192}]}}
    result, _warnings = module_run.run(
        host, request(settings, [{"domain": "*", "item": "nofile", "soft": bound, "hard": bound}]), False
    )
    assert wanted(result) == ">= 16384 (1024 per GiB x 16 GiB)"
    assert result["settings"][0]["arithmetic"] == "1024 per GiB x 16 GiB"
    assert wanted(result, 1) == ">= 4096 131072 8000000 (number 3: 2000000 per processor x 5, at most 8000000)"
    assert result["limits"][0]["wanted"]["soft"] == ">= 131072 (largest of 65535 and 8192 per GiB x 16 GiB = 131072)"
    assert (host.values[SOMAXCONN], host.values[RMEM]) == ("16384", "4096\t131072\t8000000")
    assert b"soft\tnofile\t131072\n" in host.files[LIMITS_FILE]
    again, _warnings = module_run.run(host, request(settings), False)
    assert not again["changed"]


@pytest.mark.parametrize(
    ("texts", "arithmetic"),
    [
        ({}, "1024 per GiB x 16 GiB"),
        ({"/sys/fs/cgroup/memory.max": "max\n"}, "1024 per GiB x 16 GiB"),
        ({"/sys/fs/cgroup/memory.max": "2147483648\n"}, "1024 per GiB x 2 GiB"),
        ({"/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712"}, "1024 per GiB x 16 GiB"),
        ({"/sys/fs/cgroup/memory/memory.limit_in_bytes": "805306368"}, "1024 per GiB x 0.75 GiB, at least 2000"),
    ],
)
def test_memory_is_that_of_the_container_where_it_has_a_limit(texts, arithmetic):
    result, _warnings = module_run.run(
        FakeHost(texts=dict(HOST_TEXTS, **texts)), request({"net.core.somaxconn": SIZED}), True
    )
    assert result["settings"][0]["arithmetic"] == arithmetic


def test_processors_are_counted_in_proc_where_sys_is_not_mounted():
    texts = {"/proc/stat": "cpu  1 2 3\ncpu0 1 2\ncpu1 1 2\nintr 5\n"}
    result, _warnings = module_run.run(
        FakeHost(texts=texts), request({"net.core.somaxconn": {"value": {"per_cpu": 3000}}}), True
    )
    assert wanted(result) == "6000 (3000 per processor x 2)"


def test_a_host_that_does_not_tell_is_refused_before_anything_is_written():
    host = FakeHost()
    bound = {"at_least": {"per_cpu": 8}}
    with pytest.raises(_errors.EntryProblems) as caught:
        module_run.run(
            host, request({"net.core.somaxconn": SIZED}, [{"domain": "*", "item": "nofile", "hard": bound}]), False
        )
    assert caught.value.problems == [
        ("net.core.somaxconn: the formula depends on the memory of the host, which /proc/meminfo does not show."),
        "Limit * nofile: the formula depends on the number of processors, which neither /sys nor /proc shows.",
    ]
    assert host.log == []


def test_a_worked_out_number_goes_through_the_same_checks():
    host = FakeHost(texts=HOST_TEXTS)
    bound = {"value": {"per_gib": 1048576}}
    with pytest.raises(results.RequestFailed) as caught:
        module_run.run(
            host,
            request({"net.ipv4.tcp_fin_timeout": {"value": {"per_gib": 10**9}}}, [dict(NOFILE, hard=bound)]),
            False,
        )
    assert "net.ipv4.tcp_fin_timeout: 16000000000 is outside the sane range" in str(caught.value)
    assert "nofile 16777216 is above fs.nr_open 1048576" in str(caught.value)
    assert host.log == []
