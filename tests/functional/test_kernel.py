# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the real kernel refuses, rounds, ignores or does not have here: named as such, and nothing is left half done."""

from __future__ import annotations

import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import (
    LIMITS_FILE,
    SYSCTL_FILE,
    Namespace,
    one_sentence,
    path_of,
)

FIN = "net.ipv4.tcp_fin_timeout"
KEEPALIVE = "net.ipv4.tcp_keepalive_time"
RATELIMIT = "net.ipv4.icmp_ratelimit"
SEM = "kernel.sem"
OWN_LINES = "# mine\n" + FIN + " = 44\nbroken\n"
NOFILE = {"domain": "*", "item": "nofile", "soft": 1500, "hard": 1600}

# What only the kernel finds out: which modes its release has, and which algorithms.
REFUSED_BY_THE_KERNEL = [
    pytest.param("net.ipv4.tcp_ecn", "256", "Invalid argument (legal: 0 or more mode)", id="mode"),
    pytest.param(
        "net.ipv4.tcp_congestion_control", "no_such_algorithm", "in net.ipv4.tcp_available_cong", id="congestion"
    ),
    pytest.param("net.ipv4.tcp_early_retrans", "9", "Invalid argument (legal: ", id="unknown_to_the_catalog"),
]


@pytest.mark.parametrize("file", [None, OWN_LINES], ids=["no_file", "own_file"])
@pytest.mark.parametrize("key, value, reason", REFUSED_BY_THE_KERNEL)
def test_a_refusal_in_the_middle_of_a_batch_puts_everything_back(
    ns: Namespace, key: str, value: str, reason: str, file: str | None
) -> None:
    if file is not None:
        ns.write(SYSCTL_FILE, file)
    before = ns.snapshot()
    outcome = ns.sysctl({FIN: 31, KEEPALIVE: 1000, key: value, "net.ipv4.tcp_keepalive_probes": 4})
    assert ns.snapshot() == before
    one_sentence(outcome, key, reason, "All changes of this run were undone.")
    assert outcome.setting(key)["status"] == "refused" and reason in outcome.setting(key)["reason"]
    assert outcome.result["undone"] == [KEEPALIVE + " is 7200 again.", FIN + " is 60 again."]
    assert outcome.result["not_undone"] == []
    assert not outcome.result.get("changed") and outcome.result["diff"] == []
    for one in outcome.result["settings"]:
        assert one["live"]["before"] == one["live"]["after"]
        assert one["file"]["before"] == one["file"]["after"]


def test_a_refusal_undoes_files_of_both_kinds_in_a_profile(ns: Namespace) -> None:
    ns.write(SYSCTL_FILE, OWN_LINES)
    ns.sh("mkdir -p /etc/security/limits.d && mount -o remount,bind,ro /etc/security/limits.d")
    before = ns.snapshot(stamps=False)
    outcome = ns.profile(name="x", sysctl={FIN: 31}, limits=[NOFILE])
    assert ns.snapshot(stamps=False) == before
    one_sentence(outcome, LIMITS_FILE, "read-only", "All changes of this run were undone.")
    assert outcome.result["undone"] == [SYSCTL_FILE + " has its former content.", FIN + " is 60 again."]


def test_a_new_file_is_gone_again_after_a_refusal(ns: Namespace) -> None:
    ns.sh("mount -o remount,bind,ro /etc/security/limits.d")
    before = ns.snapshot()
    outcome = ns.profile(name="x", sysctl={FIN: 31}, limits=[NOFILE])
    assert ns.snapshot() == before
    assert outcome.failed and outcome.result["undone"] == [
        SYSCTL_FILE + " is removed again.",
        FIN + " is 60 again.",
    ]


def test_a_value_that_the_kernel_rounds_is_met_by_what_it_kept(ns: Namespace) -> None:
    before = ns.live(RATELIMIT)
    ns.set_live({RATELIMIT: "5"})
    kept = ns.live(RATELIMIT)[RATELIMIT]
    ns.set_live(before)
    if kept == "5":
        pytest.skip("this kernel counts milliseconds one by one and rounds nothing")
    outcome = ns.sysctl({RATELIMIT: 5})
    assert outcome.changed
    assert outcome.setting(RATELIMIT)["live"]["after"] == kept
    assert outcome.setting(RATELIMIT)["file"]["after"] == "5", "what was asked for is what is kept"
    assert not ns.sysctl({RATELIMIT: 5}).changed, "a second run changes nothing"


def test_a_vector_that_the_kernel_took_in_part_is_put_back(ns: Namespace) -> None:
    """kernel.sem belongs to the IPC namespace; its fourth number has a range, the others are stored before it is looked at."""
    ns.sh("mount -o remount,bind,rw /proc/sys/kernel")
    before = ns.live(SEM)
    numbers = before[SEM].split()
    wanted = " ".join([str(int(numbers[0]) + 1), str(int(numbers[1]) + 1), numbers[2], "70000"])
    assert ns.run("sh", "-c", f"echo {wanted} >{path_of(SEM)}", check=False).returncode != 0
    if ns.live(SEM) == before:
        pytest.skip("this kernel takes nothing of a vector that it refuses")
    ns.set_live(before)
    outcome = ns.sysctl({FIN: 31, SEM: wanted})
    one_sentence(outcome, SEM, "the kernel rejected")
    assert ns.live(SEM, FIN) == {SEM: before[SEM], FIN: "60"}
    assert len(outcome.result["undone"]) == 2 and outcome.result["not_undone"] == []


def _keys_of_this_namespace(ns: Namespace) -> list[tuple[str, object, str, str]]:
    found: list[tuple[str, object, str, str]] = [
        ("net.core.netdev_max_backlog", 30000, "not_namespaced", "belongs to the host"),
        ("net.ipv4.tcp_mem", "1000 2000 3000", "not_namespaced", "belongs to the host"),
        ("net.core.rmem_max", 16777217, "not_namespaced", "only read it"),
        ("net.ipv4.tcp_tw_recycle", 1, "removed", "Linux 4.12"),
        ("fs.inode-max", 65536, "removed", "Linux 2.4"),
        ("net.ipv4.tcp_fack", 1, "no_effect", "Linux 4.15"),
        ("net.ipv4.tcp_fin_timeou", 30, "unknown", "did you mean net.ipv4.tcp_fin_timeout"),
        ("vm.swappiness", 11, "read_only", "/proc/sys is read-only here"),
    ]
    for key, module in (("net.sctp.rto_min", "sctp"), ("net.rds.tcp.rds_tcp_sndbuf", "rds")):
        if not ns.path(path_of(key)).exists():
            found.append((key, 5, "needs_module", f"kernel module {module}"))
    return found


def _here(ns: Namespace, key: str) -> None:
    """Tests of what a kernel lacks are about keys that it lacks."""
    exists = ns.run("test", "-e", path_of(key), check=False).returncode == 0
    if key in ("net.core.rmem_max", "net.ipv4.tcp_fack", "vm.swappiness") and not exists:
        pytest.skip(f"this kernel does not show {key} in a network namespace")
    if key in ("net.core.netdev_max_backlog", "net.ipv4.tcp_mem") and exists:
        pytest.skip(f"this kernel shows {key} in a network namespace")


def test_each_unavailable_key_fails_the_batch_with_its_status_and_nothing_is_written(shared: Namespace) -> None:
    before = shared.snapshot()
    for key, value, status, words in _keys_of_this_namespace(shared):
        outcome = shared.sysctl({FIN: 31, key: value})
        one_sentence(outcome, key, words, "Nothing was written.")
        assert outcome.setting(key)["status"] == status, outcome.text
        assert outcome.setting(key)["reason"]
        assert shared.snapshot() == before, key


@pytest.mark.parametrize("policy", ["warn", "skip"])
def test_unavailable_keys_are_left_out_when_told_so(ns: Namespace, policy: str) -> None:
    table = [one for one in _keys_of_this_namespace(ns) if policy == "skip" or one[2] != "unknown"]
    wanted = {key: value for key, value, _status, _words in table}
    before = ns.snapshot()["live"]
    predicted = ns.sysctl(dict({FIN: 31}, **wanted), on_unavailable=policy, check_mode=True)
    outcome = ns.sysctl(dict({FIN: 31}, **wanted), on_unavailable=policy)
    assert not outcome.failed and outcome.changed
    assert outcome.report == predicted.report
    assert outcome.statuses == dict({FIN: "changed"}, **{key: status for key, _value, status, _words in table})
    assert len(outcome.warnings) == (len(table) if policy == "warn" else 0)
    assert ns.text(SYSCTL_FILE).splitlines()[1:] == [FIN + "=31"]
    after = ns.snapshot()["live"]
    assert after == before.replace("tcp_fin_timeout:60", "tcp_fin_timeout:31")
    assert not ns.sysctl(dict({FIN: 31}, **wanted), on_unavailable=policy).changed


def test_an_unknown_key_fails_even_where_unavailable_ones_only_warn(shared: Namespace) -> None:
    before = shared.snapshot()
    outcome = shared.sysctl({FIN: 31, "net.ipv4.tcp_fin_timeou": 30}, on_unavailable="warn")
    one_sentence(outcome, "net.ipv4.tcp_fin_timeou:", "net.ipv4.tcp_fin_timeout")
    assert shared.snapshot() == before


def test_a_bound_met_by_a_key_that_cannot_be_written_is_kept(shared: Namespace) -> None:
    key = "net.core.rmem_max"
    _here(shared, key)
    outcome = shared.sysctl({key: {"at_least": 2304}})
    assert outcome.statuses == {key: "kept"} and not outcome.changed


@pytest.mark.parametrize("desired", [30, {"at_least": 61}], ids=str)
def test_a_read_only_proc_sys_is_one_sentence_and_nothing_is_written(ns: Namespace, desired: object) -> None:
    ns.sh("mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys")
    before = ns.snapshot()
    for check_mode in (True, False):
        outcome = ns.sysctl({FIN: desired}, check_mode=check_mode)
        one_sentence(outcome, FIN, "/proc/sys", "Nothing was written.")
        assert outcome.setting(FIN)["status"] == "read_only"
        assert ns.snapshot() == before


def test_a_read_only_proc_sys_with_the_value_already_there_still_keeps_the_entry(ns: Namespace) -> None:
    ns.sh("mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys")
    outcome = ns.sysctl({FIN: 60})
    assert outcome.changed and ns.text(SYSCTL_FILE).splitlines()[1:] == [FIN + "=60"]


def test_an_action_is_never_kept_for_the_next_boot(shared: Namespace) -> None:
    before = shared.snapshot()
    one_sentence(shared.sysctl({"net.ipv4.route.flush": 1}), "net.ipv4.route.flush", "triggers an action", "persist")
    assert shared.snapshot() == before
