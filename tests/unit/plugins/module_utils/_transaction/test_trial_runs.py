# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Profiles that are applied on trial, and how a trial ends, on a host made of dictionaries."""

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._core import result as results
from ansible_collections.tunefleet.linux.plugins.module_utils._module import profile_options
from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run
from ansible_collections.tunefleet.linux.plugins.module_utils._transaction import ledger as ledgers
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils import fake_host
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import (
    LIMITS_FILE,
    SYSCTL_FILE,
    FakeHost,
)

SOMAXCONN, FIN, RMEM = "net/core/somaxconn", "net/ipv4/tcp_fin_timeout", "net/ipv4/tcp_rmem"
UUID = "/proc/sys/kernel/random/uuid"
OPTIONS = {
    "name": None,
    "state": "applied",
    "trial": False,
    "trial_id": None,
    "sysctl": None,
    "limits": None,
    "accept_hazards": False,
    "on_unavailable": "warn",
    "on_shadowed": "warn",
    "guard": "refuse",
    "connections": None,
    "memory_warn": 50,
    "memory_refuse": 100,
}
NOFILE = {"domain": "*", "item": "nofile", "soft": 65535, "hard": 65535}
FIRST = {"sysctl": {"net.core.somaxconn": 8192, "net.ipv4.tcp_fin_timeout": 30}, "limits": [NOFILE]}
SECOND = {"sysctl": {"net.core.somaxconn": 16384, "net.ipv4.tcp_rmem": "8192 131072 16777216"}}


def a_host(**more):
    files = {SYSCTL_FILE: b"# mine\nnet.core.somaxconn = 4096\n"}
    return FakeHost(**dict({"files": files, "rules": {RMEM: fake_host.tabs}, "texts": {UUID: "id-1\n"}}, **more))


def ask(host, check_mode=False, **options):
    return module_run.run(host, profile_options.parse(dict(OPTIONS, **options)), check_mode)


def whole(host):
    """Everything that a trial may change: values, files and the ledger."""
    return host.state(), dict(host.private)


def tried(host, name="web", **options):
    result, warnings = ask(host, name=name, trial=True, **options)
    assert (result["changed"], result["trial_id"], list(warnings)) == (True, "id-1", [])
    return result


@pytest.mark.parametrize("earlier", [[], ["web"], ["db"], ["db", "web"], ["web,x"]], ids=str)
def test_withdrawing_leads_to_exactly_where_the_trial_began(earlier):
    host = a_host()
    for name in earlier:
        ask(host, name=name, **FIRST)
    before = whole(host)
    tried(host, **SECOND)
    assert host.values[SOMAXCONN] == "16384" and b"somaxconn=16384" in host.files[SYSCTL_FILE]
    predicted, _warnings = ask(host, check_mode=True, state="withdrawn")
    assert host.values[SOMAXCONN] == "16384"
    result, warnings = ask(host, state="withdrawn", trial_id="id-1")
    assert result == predicted and result["changed"] is True and list(warnings) == []
    assert whole(host) == before
    assert [page["after_header"] for page in result["diff"]] == ["live kernel parameters", SYSCTL_FILE]
    assert ask(host, state="withdrawn")[0]["changed"] is False


def test_confirming_leads_to_where_an_apply_without_a_trial_does():
    host, other = a_host(), a_host()
    for one in (host, other):
        ask(one, name="db", **FIRST)
    ask(other, name="web", **SECOND)
    tried(host, **SECOND)
    assert host.state() == other.state() and host.private != other.private
    assert ask(host, check_mode=True, state="confirmed", trial_id="id-1")[0]["changed"] is False
    assert host.private != other.private
    result, _warnings = ask(host, state="confirmed", trial_id="id-1")
    assert result["changed"] is False
    assert whole(host) == whole(other)


def test_a_trial_that_changes_nothing_is_none():
    host = a_host()
    ask(host, name="web", **FIRST)
    before = whole(host)
    result, _warnings = ask(host, name="web", trial=True, **FIRST)
    assert result["changed"] is False and "trial_id" not in result
    assert whole(host) == before


def test_what_only_the_ledger_learns_is_on_trial_too():
    """Another name asks for less than is there: nothing changes, but it would stay when the first one goes."""
    host = a_host()
    ask(host, name="web", **FIRST)
    before = whole(host)
    result, _warnings = ask(host, name="db", trial=True, sysctl={"net.core.somaxconn": {"at_least": 5000}})
    assert result["changed"] is False and result["trial_id"] == "id-1"
    ask(host, state="withdrawn", trial_id="id-1")
    assert whole(host) == before


@pytest.mark.parametrize("check_mode", [True, False], ids=["check", "run"])
def test_the_next_run_takes_back_a_trial_that_nobody_confirmed(check_mode):
    host, other = a_host(), a_host()
    tried(host, **SECOND)
    result, warnings = ask(host, name="db", check_mode=check_mode, **FIRST)
    ask(other, name="db", **FIRST)
    assert result["changed"] is True
    first = list(warnings)[0]
    id_ = "transaction.unconfirmed_trial" + ("_check_mode" if check_mode else "")
    assert (first.id, first.fields["run"]) == (id_, "the module profile, applying web")
    assert check_mode or whole(host) == whole(other)


def test_a_trial_on_top_of_a_trial_begins_where_that_one_did():
    host = a_host()
    before = whole(host)
    tried(host, **FIRST)
    host.texts[UUID] = "id-2\n"
    result, _warnings = ask(host, name="web", trial=True, **SECOND)
    assert result["trial_id"] == "id-2" and host.values[FIN] == "60"
    # Who began the first one learns that it is gone.
    with pytest.raises(
        _errors.TuneError, match="Confirming the trial id-1 was refused: it is no longer on trial on this host"
    ):
        ask(host, state="confirmed", trial_id="id-1")
    result, warnings = ask(host, state="withdrawn", trial_id="id-1")
    assert result["changed"] is False and list(warnings)[0].id == "transaction.trial_already_ended"
    assert host.values[SOMAXCONN] == "16384"
    ask(host, state="withdrawn", trial_id="id-2")
    assert whole(host) == before


def test_what_somebody_else_changed_during_the_trial_stays_and_is_named():
    host = a_host()
    tried(host, **FIRST)
    host.values[SOMAXCONN] = "20000"
    host.files[SYSCTL_FILE] += b"vm.overcommit_memory = 1\n"
    _result, warnings = ask(host, state="withdrawn", trial_id="id-1")
    assert (host.values[SOMAXCONN], host.values[FIN]) == ("20000", "60")
    assert host.files == {SYSCTL_FILE: b"# mine\nnet.core.somaxconn = 4096\nvm.overcommit_memory = 1\n"}
    assert list(warnings) == [
        "net.core.somaxconn: is 20000 now, and we applied 8192: it was changed externally and is kept.",
        SYSCTL_FILE + " was changed externally; only our lines are reverted.",
    ]


@pytest.mark.parametrize("ours_at_boot", [True, False])
def test_withdrawing_after_a_reboot(ours_at_boot):
    """The files on trial were read by the boot, or the host came up with its defaults."""
    host = a_host()
    start = host.state()
    tried(host, **FIRST)
    host.texts[ledgers.BOOT_ID] = "another\n"
    if not ours_at_boot:
        host.values.update({SOMAXCONN: "4096", FIN: "60"})
    ask(host, state="withdrawn", trial_id="id-1")
    assert host.state() == start and LIMITS_FILE not in host.files and host.private == {}


def test_what_the_kernel_refuses_to_take_back_can_be_tried_again():
    host = a_host()
    before = whole(host)
    tried(host, **FIRST)
    host.rules[SOMAXCONN] = fake_host.refuses("4096")
    with pytest.raises(results.RequestFailed) as caught:
        ask(host, state="withdrawn", trial_id="id-1")
    assert str(caught.value).startswith("Some of it could not be restored; the rest was. net.core.somaxconn:")
    assert host.values[FIN] == "60"
    del host.rules[SOMAXCONN]
    ask(host, state="withdrawn", trial_id="id-1")
    assert whole(host) == before


def test_a_refused_trial_leaves_nothing():
    host = a_host(rules={RMEM: fake_host.refuses()})
    ask(host, name="web", **FIRST)
    before = whole(host)
    with pytest.raises(results.RequestFailed):
        ask(host, name="web", trial=True, **SECOND)
    assert whole(host) == before


def test_without_root_no_trial_ends():
    host = a_host(root=False)
    with pytest.raises(_errors.TuneError, match="Ending a trial needs root"):
        ask(host, state="withdrawn")
