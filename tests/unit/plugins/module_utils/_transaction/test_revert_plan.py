# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan of a revert, with a planner that lists its entries in another order each time."""

from ansible_collections.tunefleet.linux.plugins.module_utils._core import plan as plans
from ansible_collections.tunefleet.linux.plugins.module_utils._core import status as statuses
from ansible_collections.tunefleet.linux.plugins.module_utils._transaction import ledger as ledgers
from ansible_collections.tunefleet.linux.plugins.module_utils._transaction import revert_plan
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import FakeHost

KEYS = ("net.core.somaxconn", "net.ipv4.tcp_fin_timeout")
LEDGER = ledgers.Ledger(
    profiles=(ledgers.ProfileRecord("web", {"sysctl": {}, "limits": []}, keys=KEYS),),
    live={KEYS[0]: ledgers.LiveRecord("4096", "8192"), KEYS[1]: ledgers.LiveRecord("60", "30")},
)


def test_entries_are_matched_by_key_not_by_position():
    host = FakeHost(live={"net/core/somaxconn": "8192", "net/ipv4/tcp_fin_timeout": "30"})
    calls = []

    def planner(a_host, record, observe):
        calls.append(observe)
        keys = KEYS if len(calls) % 2 else reversed(KEYS)
        texts = [(key, a_host.sysctl_text(key.replace(".", "/"))) for key in keys]
        items = ("nofile", "nproc") if len(calls) % 2 else ("nproc", "nofile")
        return plans.Plan(
            settings=[plans.SettingDecision(key, statuses.OK, text, live=(text, text)) for key, text in texts],
            limits=[plans.LimitDecision("*", item, statuses.OK, (item, item)) for item in items],
        )

    planned = revert_plan.plan(host, LEDGER, "web", planner).plan
    assert {one.key: one.live for one in planned.settings} == {KEYS[0]: ("8192", "4096"), KEYS[1]: ("30", "60")}
    assert [one.item for one in planned.limits] == ["nofile", "nproc"]
    assert {one.status for one in planned.limits} == {statuses.OK}


def test_an_entry_that_only_one_of_two_plans_has():
    host = FakeHost(live={"net/core/somaxconn": "8192", "net/ipv4/tcp_fin_timeout": "30"})

    def planner(a_host, record, observe):
        keys = KEYS if a_host is host else KEYS[1:]
        texts = [(key, a_host.sysctl_text(key.replace(".", "/"))) for key in keys]
        return plans.Plan([plans.SettingDecision(key, statuses.OK, text, live=(text, text)) for key, text in texts])

    planned = revert_plan.plan(host, LEDGER, "web", planner).plan
    assert {one.key: one.live[1] for one in planned.settings} == {KEYS[0]: "8192", KEYS[1]: "60"}
