# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The module sysctl: single and batch, check mode, idempotence, diff, and that live, file and boot are what they say."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import SYSCTL_FILE, Namespace

FIN = "net.ipv4.tcp_fin_timeout"
KEEPALIVE = "net.ipv4.tcp_keepalive_time"
SOMAXCONN = "net.core.somaxconn"
RMEM = "net.ipv4.tcp_rmem"
PORTS = "net.ipv4.ip_local_reserved_ports"
BATCH = {
    SOMAXCONN: {"at_least": 8192, "why": "queue", "source": ["memo_ko:45"]},
    FIN: 30,
    RMEM: {"at_least": [4096, 131072, 50331648]},
    "net.ipv4.tcp_syncookies": {"value": True},
    PORTS: "9000-9010,8080",
    "net.ipv4.tcp_retries2": {"at_most": 8},
    "net.ipv4.tcp_sack": {"at_least": 1},
}


def test_a_single_key_is_set_live_and_on_file(ns: Namespace) -> None:
    outcome = ns.sysctl(name=FIN, value=30)
    assert outcome.changed and not outcome.failed
    one = outcome.setting(FIN)
    assert one["status"] == "changed"
    assert one["live"] == {"before": "60", "after": "30"}
    assert one["file"] == {"path": SYSCTL_FILE, "before": None, "after": "30"}
    assert one["boot"]["value"] == "30" and one["boot"]["ours"]
    assert ns.live(FIN) == {FIN: "30"}
    assert ns.text(SYSCTL_FILE).splitlines()[1:] == [FIN + "=30"]
    assert one["boot"]["winner"] == SYSCTL_FILE + ":2"


def test_aliases_of_ansible_posix_are_taken(ns: Namespace) -> None:
    outcome = ns.sysctl(key="net/ipv4/tcp_fin_timeout", val="30", sysctl_set=True, reload=False)
    assert outcome.setting(FIN)["status"] == "changed"
    assert ns.live(FIN) == {FIN: "30"}


@pytest.mark.parametrize(
    "options", [{"settings": BATCH}, {"name": FIN, "value": "30"}, {"name": FIN, "value": "0x1e"}], ids=str
)
def test_check_mode_changes_nothing_and_predicts_the_run(ns: Namespace, options: dict[str, Any]) -> None:
    before = ns.snapshot()
    predicted = ns.sysctl(check_mode=True, **options)
    assert ns.snapshot() == before
    assert predicted.changed
    done = ns.sysctl(**options)
    assert done.report == predicted.report
    assert done.warnings == predicted.warnings


def test_a_second_run_changes_nothing_and_does_not_touch_the_file(ns: Namespace) -> None:
    first = ns.sysctl(BATCH)
    assert first.changed, first.text
    before, stamp = ns.snapshot(), ns.stamp(SYSCTL_FILE)
    for check_mode in (True, False):
        again = ns.sysctl(BATCH, check_mode=check_mode)
        assert not again.changed
        assert again.result["diff"] == []
        assert set(again.statuses.values()) <= {"ok", "kept"}
        assert ns.stamp(SYSCTL_FILE) == stamp
        assert ns.snapshot() == before


def test_live_file_and_boot_of_a_batch_are_what_the_kernel_and_the_file_say(ns: Namespace) -> None:
    outcome = ns.sysctl(BATCH)
    live = ns.live(*BATCH)
    lines = dict(line.split("=", 1) for line in ns.text(SYSCTL_FILE).splitlines()[1:])
    for one in outcome.result["settings"]:
        key = one["key"]
        assert one["live"]["after"] == live[key], key
        assert one["file"]["after"] == lines.get(key), key
        assert one["boot"]["value"] == lines.get(key), key
        assert one["boot"]["ours"] == (key in lines), key
    assert outcome.setting(SOMAXCONN)["why"] == "queue"
    assert outcome.setting(SOMAXCONN)["source"] == ["memo_ko:45"]
    assert outcome.setting(SOMAXCONN)["wanted"] == ">= 8192"
    assert live[PORTS] == "8080,9000-9010"
    assert outcome.setting("net.ipv4.tcp_sack")["status"] == "kept"
    assert sum(outcome.result["summary"].values()) == len(BATCH)


def test_diff_shows_one_page_of_live_values_and_one_of_the_file(ns: Namespace) -> None:
    ns.write(SYSCTL_FILE, "# mine\n" + KEEPALIVE + "=7000\n")
    pages = ns.sysctl({FIN: 30, KEEPALIVE: 1200}).result["diff"]
    assert [page["before_header"] for page in pages] == ["live kernel parameters", SYSCTL_FILE]
    assert pages[0]["before"] == FIN + " = 60\n" + KEEPALIVE + " = 7200\n"
    assert pages[0]["after"] == FIN + " = 30\n" + KEEPALIVE + " = 1200\n"
    assert pages[1]["before"] == "# mine\n" + KEEPALIVE + "=7000\n"
    assert pages[1]["after"] == ns.text(SYSCTL_FILE) == "# mine\n" + KEEPALIVE + "=1200\n" + FIN + "=30\n"


def test_a_bound_that_the_kernel_meets_by_itself_is_not_written_down(ns: Namespace) -> None:
    outcome = ns.sysctl({SOMAXCONN: {"at_least": 128}, RMEM: {"at_least": [1, 1, 1]}})
    assert outcome.statuses == {SOMAXCONN: "kept", RMEM: "kept"}
    assert not outcome.changed and ns.read(SYSCTL_FILE) is None
    assert outcome.setting(SOMAXCONN)["boot"]["winner"] == "kernel default"


def test_a_bound_met_only_by_hand_is_written_down_for_the_next_boot(ns: Namespace) -> None:
    ns.set_live({SOMAXCONN: "20000"})
    outcome = ns.sysctl({SOMAXCONN: {"at_least": 8192}})
    assert outcome.changed
    assert ns.live(SOMAXCONN) == {SOMAXCONN: "20000"}
    assert ns.text(SYSCTL_FILE).splitlines()[1:] == [SOMAXCONN + "=20000"]
    assert not ns.sysctl({SOMAXCONN: {"at_least": 8192}}).changed


def test_a_bound_never_lowers_one_number_of_several(ns: Namespace) -> None:
    ns.set_live({RMEM: "8192 100000 40000000"})
    outcome = ns.sysctl({RMEM: {"at_least": [4096, 131072, 16777216]}})
    assert outcome.setting(RMEM)["live"]["after"] == "8192 131072 40000000"
    assert ns.live(RMEM) == {RMEM: "8192 131072 40000000"}


def test_equal_by_meaning_is_no_change(ns: Namespace) -> None:
    ns.write(
        SYSCTL_FILE,
        "net/ipv4/tcp_fin_timeout = 0x1e\n" + PORTS + " = 8081,8080\n" + RMEM + "=4096\t131072   50331648\n",
    )
    ns.set_live({FIN: "30", PORTS: "8080-8081", RMEM: "4096 131072 50331648"})
    stamp = ns.stamp(SYSCTL_FILE)
    outcome = ns.sysctl({FIN: 30, PORTS: "8080,8081", RMEM: [4096, 131072, 50331648]})
    assert set(outcome.statuses.values()) == {"ok"}
    assert not outcome.changed and ns.stamp(SYSCTL_FILE) == stamp


def test_two_spellings_in_the_file_become_one_line_with_the_rest_untouched(ns: Namespace) -> None:
    ns.write(SYSCTL_FILE, "# a\r\n" + FIN + " = 20\n\n; b\nnet/ipv4/tcp_fin_timeout=25\r\nbroken line\nvm.x=1")
    assert ns.sysctl({FIN: 30}).changed
    assert ns.read(SYSCTL_FILE) == ("# a\r\n\n; b\n" + FIN + "=30\r\nbroken line\nvm.x=1").encode()


def test_absent_removes_the_entry_and_leaves_the_kernel_alone(ns: Namespace) -> None:
    ns.sysctl({FIN: 30, KEEPALIVE: 1200})
    outcome = ns.sysctl(name=FIN, state="absent")
    assert outcome.changed and outcome.setting(FIN)["file"] == {"path": SYSCTL_FILE, "before": "30", "after": None}
    assert ns.live(FIN) == {FIN: "30"}
    assert ns.text(SYSCTL_FILE).splitlines()[1:] == [KEEPALIVE + "=1200"]
    assert not ns.sysctl(name=FIN, state="absent").changed
    ns.sysctl(name=KEEPALIVE, state="absent")
    assert ns.read(SYSCTL_FILE) is None, "a file that only we wrote is removed with its last entry"


def test_persist_false_sets_the_kernel_alone(ns: Namespace) -> None:
    outcome = ns.sysctl(name=FIN, value=30, persist=False)
    assert outcome.changed and outcome.setting(FIN)["file"] == {"path": None, "before": None, "after": None}
    assert ns.live(FIN) == {FIN: "30"} and ns.read(SYSCTL_FILE) is None


def test_live_false_writes_the_file_alone_even_for_a_key_of_another_kernel(ns: Namespace) -> None:
    outcome = ns.sysctl({FIN: 30, "net.ipv4.tcp_of_tomorrow": 7}, live=False)
    assert outcome.changed and not outcome.failed
    assert ns.live(FIN) == {FIN: "60"}
    assert ns.text(SYSCTL_FILE).splitlines()[1:] == [FIN + "=30", "net.ipv4.tcp_of_tomorrow=7"]


def test_three_spellings_of_an_interface_with_dots_are_one_key(ns: Namespace) -> None:
    ns.interface("v0.100", "v1.100")
    key = "net.ipv4.conf.v0/100.rp_filter"
    ns.set_live({key: "0"})
    spellings = [key, "net/ipv4/conf/v0.100/rp_filter", "net.ipv4.conf.v0.100.rp_filter"]
    outcome = ns.sysctl(dict.fromkeys(spellings, 2))
    assert [one["key"] for one in outcome.result["settings"]] == [key]
    assert ns.live(key) == {key: "2"}
    assert ns.text(SYSCTL_FILE).splitlines()[1:] == [key + "=2"]
    for spelling in spellings:
        assert not ns.sysctl(name=spelling, value=2).changed, spelling


def test_words_for_switches_mean_numbers(ns: Namespace) -> None:
    outcome = ns.sysctl({"net.ipv4.tcp_sack": "no", "net.ipv4.tcp_mtu_probing": "yes"})
    assert outcome.changed
    assert ns.live("net.ipv4.tcp_sack", "net.ipv4.tcp_mtu_probing") == {
        "net.ipv4.tcp_sack": "0",
        "net.ipv4.tcp_mtu_probing": "1",
    }


def test_text_values_are_set(ns: Namespace) -> None:
    key = "net.ipv4.tcp_congestion_control"
    available = ns.live("net.ipv4.tcp_allowed_congestion_control", key)
    other = [name for name in available["net.ipv4.tcp_allowed_congestion_control"].split() if name != available[key]]
    if not other:
        pytest.skip("this kernel allows one congestion control only")
    assert ns.sysctl({key: other[0]}).changed
    assert ns.live(key) == {key: other[0]}
    assert not ns.sysctl({key: other[0]}).changed
