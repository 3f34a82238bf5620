# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Applying profiles and taking them back, from the options of the module to the host, on a host made of dictionaries."""

import itertools
import json

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._core import result as results
from ansible_collections.tunefleet.linux.plugins.module_utils._module import profile_options
from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run
from ansible_collections.tunefleet.linux.plugins.module_utils._transaction import ledger as ledgers
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils import fake_host
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import (
    LIMITS_FILE,
    LIMITS_HEADER,
    SYSCTL_FILE,
    SYSCTL_HEADER,
    FakeHost,
)

SOMAXCONN, FIN, RMEM = "net/core/somaxconn", "net/ipv4/tcp_fin_timeout", "net/ipv4/tcp_rmem"
OPTIONS = {
    "name": None,
    "state": "applied",
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

PROFILES = {
    "a": {"sysctl": {"net.core.somaxconn": 8192, "net.ipv4.tcp_fin_timeout": 30}, "limits": [NOFILE]},
    "b": {"sysctl": {"net.core.somaxconn": {"at_least": 8000}, "net.ipv4.tcp_rmem": "8192 131072 16777216"}},
    "c": {
        "sysctl": {"net.core.somaxconn": 16384, "net.ipv4.tcp_fin_timeout": 15},
        "limits": [dict(NOFILE, soft=70000, hard=70000), dict(NOFILE, item="nproc", domain="@web")],
    },
}


def apply(host, name, check_mode=False, **options):
    return module_run.run(
        host, profile_options.parse(dict(OPTIONS, name=name, **(options or PROFILES[name]))), check_mode
    )


def revert(host, name=None, check_mode=False):
    return module_run.run(host, profile_options.parse(dict(OPTIONS, name=name, state="reverted")), check_mode)


def ledger_of(host):
    return ledgers.parse(host.private.get(ledgers.PATH))


def a_host(**more):
    files = {SYSCTL_FILE: b"# mine\nvm.swappiness = 10\nnet.core.somaxconn = 4096\n", "/etc/sysctl.d/10-x.conf": b"#\n"}
    return FakeHost(**dict({"files": files, "rules": {RMEM: fake_host.tabs}}, **more))


@pytest.mark.parametrize("host", [FakeHost(rules={RMEM: fake_host.tabs}), a_host()], ids=["no files", "files"])
@pytest.mark.parametrize("back", [list(one) for one in itertools.permutations("abc")], ids="".join)
@pytest.mark.parametrize("way", [list(one) for one in itertools.permutations("abc")], ids="".join)
def test_profiles_stack_and_go_in_any_order(host, way, back):
    start, names = host.state(), set(host.files)
    for name in way:
        apply(host, name)
    for count, name in enumerate(back, 1):
        predicted = revert(host, name, check_mode=True)
        assert revert(host, name) == predicted
        # As if it had never been there: the others alone, in their order, give the same.
        other = FakeHost(rules={RMEM: fake_host.tabs}, files=dict(start[1]))
        for one in way:
            if one not in back[:count]:
                apply(other, one)
        assert host.state() == other.state()
        assert revert(host, name)[0]["changed"] is False
    assert host.state() == start and set(host.files) == names
    assert host.private == {}
    assert revert(host)[0]["changed"] is False


def test_everything_at_once():
    host = a_host()
    start = host.state()
    for name in "abc":
        apply(host, name)
    result, _warnings = revert(host)
    assert result["changed"] is True
    assert host.state() == start and host.private == {}
    result, warnings = revert(host)
    assert not any(result.values()) and list(warnings) == []


def test_the_ledger_is_written_before_the_first_change_and_holds_what_was():
    host = a_host()
    apply(host, "a")
    path, data, writes_before = host.private_log[0]
    assert (path, writes_before) == (ledgers.PATH, 0)
    found = ledgers.parse(data)
    assert found.profiles == () and found.unfinished.description == "the module profile, applying a"
    assert {one.key: one.restore_to for one in found.unfinished.live} == {
        "net.core.somaxconn": "4096",
        "net.ipv4.tcp_fin_timeout": "60",
    }
    assert [(one.path, one.restore_to) for one in found.unfinished.files] == [
        (LIMITS_FILE, None),
        (SYSCTL_FILE, b"# mine\nvm.swappiness = 10\nnet.core.somaxconn = 4096\n"),
    ]
    assert ledger_of(host).unfinished is None


def test_the_result_has_the_usual_shape():
    host = a_host()
    applied, _warnings = apply(host, "a")
    result, _warnings = revert(host, "a")
    assert set(result) == set(applied)
    for list_name in ("settings", "limits"):
        assert [set(one) for one in result[list_name]] == [set(one) for one in applied[list_name]]
    first = result["settings"][0]
    assert (first["key"], first["status"], first["wanted"]) == ("net.core.somaxconn", "changed", "as before")
    assert first["live"] == {"before": "8192", "after": "4096"}
    assert first["file"] == {"path": SYSCTL_FILE, "before": "8192", "after": "4096"}
    assert (first["boot"]["before"], first["boot"]["value"]) == ("8192", "4096")
    limit = result["limits"][0]
    assert (limit["status"], limit["before"], limit["after"]) == (
        "changed",
        {"soft": 65535, "hard": 65535},
        {"soft": None, "hard": None},
    )
    # Without a rule a session has what the processes have that begin one.
    assert limit["effective"] == {"soft": 1024, "hard": 524288}
    assert result["summary"] == {"changed": 3}
    assert result["needs"] == ["new_session"]
    assert [page["after_header"] for page in result["diff"]] == ["live kernel parameters", LIMITS_FILE, SYSCTL_FILE]
    assert result["diff"][2]["after"] == "# mine\nvm.swappiness = 10\nnet.core.somaxconn = 4096\n"


def test_a_revert_tells_what_is_in_force_then():
    """What other profiles and other files give, also where the profile that goes had no say."""
    host = a_host(files={"/etc/security/limits.conf": b"* hard nofile 9000\n"})
    apply(host, "a")
    apply(host, "b", limits=[dict(NOFILE, soft=5000, hard=70000), dict(NOFILE, item="nproc", domain="x")])
    for name, effective in (("a", (5000, 70000)), ("b", (1024, 9000))):
        predicted, _warnings = revert(host, name, check_mode=True)
        result, _warnings = revert(host, name)
        found = [one["effective"] for one in result["limits"] if one["item"] == "nofile"]
        assert found == [{"soft": effective[0], "hard": effective[1]}] and predicted == result


def test_first_touch_wins():
    host = a_host()
    start = host.state()
    for value in (5000, 6000, 7000):
        apply(host, "a", sysctl={"net.core.somaxconn": value})
    assert ledger_of(host).live["net.core.somaxconn"] == ("4096", "7000")
    revert(host, "a")
    assert host.state() == start


def test_what_a_profile_asks_for_no_more_is_taken_back_too():
    host = a_host()
    start = host.state()
    apply(host, "a")
    apply(host, "b")
    apply(host, "a", sysctl={"net.ipv4.tcp_fin_timeout": 20}, limits=[{"domain": "*", "item": "nofile", "soft": 4096}])
    assert host.values[SOMAXCONN] == "8192"
    revert(host, "a")
    assert host.values[SOMAXCONN] == "8000" and host.values[FIN] == "60" and LIMITS_FILE not in host.files
    revert(host, "b")
    assert host.state() == start


def test_what_another_profile_did_in_its_place_is_its_own_from_then_on():
    host = FakeHost()
    start = host.state()
    apply(host, "a")
    apply(host, "b", sysctl={"net.core.somaxconn": {"at_least": 5000}}, limits=[dict(NOFILE, soft=65535, hard=65535)])
    revert(host, "a")
    assert (
        host.values[SOMAXCONN] == "5000" and b"somaxconn=5000" in host.files[SYSCTL_FILE] and LIMITS_FILE in host.files
    )
    revert(host, "b")
    assert host.state() == start and host.private == {}


def test_what_was_asked_for_earlier_keeps_its_place():
    """a, then b over it, then a anew without the key that b has set: that one stays as b wants it, whoever else goes."""
    host = FakeHost()
    apply(host, "a")
    apply(host, "b", sysctl={"net.core.somaxconn": 12000})
    apply(host, "a", sysctl={"net.ipv4.tcp_fin_timeout": 20})
    apply(host, "d", sysctl={"net.core.somaxconn": {"at_least": 100}})
    revert(host, "d")
    assert (host.values[SOMAXCONN], host.values[FIN]) == ("12000", "20")
    revert(host, "b")
    assert (host.values[SOMAXCONN], host.values[FIN]) == ("8192", "20")


def test_the_options_of_a_revert_do_not_count():
    host = a_host()
    start = host.state()
    apply(host, "a")
    options = dict(OPTIONS, name="a", state="reverted", sysctl={"nonsense": {}}, limits=[{}])
    assert module_run.run(host, profile_options.parse(options), False)[0]["changed"] is True
    assert host.state() == start


def test_a_second_run_writes_nothing():
    host = a_host()
    apply(host, "a")
    apply(host, "b")
    log = len(host.log), len(host.private_log)
    assert apply(host, "b")[0]["changed"] is False
    assert apply(host, "a", check_mode=True)[0]["changed"] is False
    assert revert(host, check_mode=True)[0]["changed"] is True
    assert (len(host.log), len(host.private_log)) == log


def test_nothing_is_kept_of_a_host_that_needed_nothing():
    host = a_host()
    apply(host, "a", sysctl={"net.core.somaxconn": {"at_least": 1024}})
    assert host.private == {} and host.private_log == []


def test_the_ledger_does_not_grow():
    host = a_host()
    sizes = []
    for number in range(60):
        apply(host, "a", sysctl={"net.core.somaxconn": 5000 + number}, limits=[dict(NOFILE, soft=1000 + number)])
        sizes.append(len(host.private[ledgers.PATH]))
    assert sizes[-1] == sizes[1]


def test_names_that_are_made_up_for_each_run_are_refused_in_the_end():
    host = a_host()
    for number in range(50):
        apply(host, "run{0}".format(number), sysctl={"net.core.somaxconn": 5000 + number})
    before = host.state(), host.private[ledgers.PATH]
    with pytest.raises(
        results.RequestFailed,
        match="already holds 50 profiles, and 'run50' would be another. Give the profile a stable name",
    ):
        apply(host, "run50", sysctl={"net.core.somaxconn": 6000})
    assert (host.state(), host.private[ledgers.PATH]) == before


# -- what somebody else did ---------------------------------------------------------------------------------------------------


def test_what_somebody_else_set_since_stays_and_is_named():
    host = a_host()
    apply(host, "a")
    host.values[SOMAXCONN] = "20000"
    result, warnings = revert(host)
    assert (host.values[SOMAXCONN], host.values[FIN]) == ("20000", "60")
    text = "is 20000 now, and we applied 8192: it was changed externally and is kept"
    assert list(warnings) == ["net.core.somaxconn: " + text + "."]
    assert (result["settings"][0]["reason"], result["settings"][0]["live"]["after"]) == (text, "20000")
    assert host.private == {}
    assert revert(host)[0]["changed"] is False


def test_lines_that_somebody_else_added_stay():
    host = a_host()
    apply(host, "a")
    host.files[SYSCTL_FILE] = b"# theirs\n" + host.files[SYSCTL_FILE] + b"vm.overcommit_memory = 1\n"
    _result, warnings = revert(host)
    assert host.files[SYSCTL_FILE] == (
        b"# theirs\n# mine\nvm.swappiness = 10\nnet.core.somaxconn = 4096\nvm.overcommit_memory = 1\n"
    )
    assert list(warnings) == [SYSCTL_FILE + " was changed externally; only our lines are reverted."]


def test_lines_added_before_a_second_apply_stay_too():
    host = FakeHost()
    apply(host, "a")
    host.files[LIMITS_FILE] += b"alice hard nofile 5\n"
    apply(host, "c")
    apply(host, "a")
    revert(host)
    assert host.files == {LIMITS_FILE: b"alice hard nofile 5\n"}


def test_a_line_of_ours_that_somebody_else_changed_is_left_and_named():
    host = a_host()
    apply(host, "a")
    data = host.files[SYSCTL_FILE]
    host.files[SYSCTL_FILE] = data.replace(b"net.ipv4.tcp_fin_timeout=30", b"net.ipv4.tcp_fin_timeout=33 # bob")
    _result, warnings = revert(host)
    assert b"net.ipv4.tcp_fin_timeout=33 # bob\n" in host.files[SYSCTL_FILE]
    assert b"net.core.somaxconn = 4096\n" in host.files[SYSCTL_FILE]
    assert list(warnings)[0].endswith(" These were changed as well, and are left alone: 'net.ipv4.tcp_fin_timeout=30'.")


def test_what_others_did_to_the_lines_of_a_profile_that_stays_is_left_too():
    host = a_host()
    apply(host, "a")
    apply(host, "b", limits=[dict(NOFILE, item="nproc", domain="x")])
    theirs = host.files[LIMITS_FILE].replace(b"*\thard\tnofile\t65535", b"*\thard\tnofile\t70000") + b"# theirs\n"
    host.files[LIMITS_FILE] = theirs
    _result, warnings = revert(host, "b")
    assert host.files[LIMITS_FILE] == b"".join(line for line in theirs.splitlines(True) if b"nproc" not in line)
    assert list(warnings)[0].endswith("These were changed as well, and are left alone: '*\\thard\\tnofile\\t65535'.")
    revert(host, "a")
    assert host.files[LIMITS_FILE] == b"*\thard\tnofile\t70000\n# theirs\n" and host.private == {}


def test_a_file_that_somebody_else_removed_stays_away_whoever_stays():
    host = a_host()
    apply(host, "a")
    apply(host, "b", limits=[dict(NOFILE, item="nproc", domain="x")])
    del host.files[LIMITS_FILE]
    revert(host, "b")
    assert LIMITS_FILE not in host.files
    revert(host, "a")
    assert LIMITS_FILE not in host.files and host.private == {}


def test_a_file_that_somebody_else_removed_stays_away():
    host = a_host()
    apply(host, "a")
    del host.files[SYSCTL_FILE], host.files[LIMITS_FILE]
    _result, warnings = revert(host)
    assert SYSCTL_FILE not in host.files and LIMITS_FILE not in host.files
    assert [text.split(":")[0] for text in warnings] == [
        SYSCTL_FILE + " was removed externally; it is not restored.",
    ]
    assert host.private == {}


def test_a_key_that_is_gone_is_no_obstacle():
    host = a_host()
    apply(host, "a")
    del host.values[SOMAXCONN]
    revert(host)
    assert host.values[FIN] == "60" and host.private == {}


# -- names ---------------------------------------------------------------------------------------------------------------------


def test_profiles_that_came_together_go_together():
    host = a_host()
    start = host.state()
    apply(host, "a,b", **PROFILES["a"])
    with pytest.raises(
        _errors.TuneError, match="^The profile b was applied together with others, as a,b, and cannot be reverted alone"
    ):
        revert(host, "b")
    assert revert(host, "b, a")[0]["changed"] is True
    assert host.state() == start


def test_names_that_came_one_by_one_go_together():
    host = a_host()
    start = host.state()
    for name in "abc":
        apply(host, name)
    revert(host, "a,c")
    assert [one.name for one in ledger_of(host).profiles] == ["b"]
    revert(host, "b,x")
    assert host.state() == start


def test_a_name_that_was_never_applied_is_told():
    host = a_host()
    apply(host, "a")
    result, warnings = revert(host, "web")
    assert result["changed"] is False
    assert list(warnings) == ["The profile web is not applied on this host, so nothing is reverted; applied: a."]


# -- a ledger that cannot be used ---------------------------------------------------------------------------------------------


def altered(change):
    def spoil(data):
        content = json.loads(data.decode())
        change(content)
        return json.dumps(content).encode()

    return spoil


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        pytest.param(lambda data: data[: len(data) // 2], "is damaged (", id="cut off"),
        pytest.param(lambda data: b"", "is damaged (", id="empty"),
        pytest.param(lambda data: b"[]", "is damaged (", id="a list"),
        pytest.param(lambda data: b"\xff\xfe", "is damaged (", id="no text"),
        pytest.param(
            lambda data: data.replace(b"4096", b"4097"),
            "is damaged (its format or its checksum is wrong)",
            id="altered",
        ),
        pytest.param(
            altered(lambda content: content.pop("format")), "is damaged ('format' is missing)", id="no format"
        ),
        pytest.param(
            altered(lambda content: content.update(format=3)),
            "was written by a newer release of tunefleet.linux (format 3, this release knows 2). Use that release.",
            id="newer",
        ),
    ],
)
@pytest.mark.parametrize("act", [apply, revert], ids=["apply", "revert"])
@pytest.mark.parametrize("check_mode", [True, False], ids=["check", "run"])
def test_a_ledger_that_cannot_be_used_is_refused_with_a_way_out(spoil, text, act, check_mode):
    host = a_host()
    apply(host, "a")
    host.private[ledgers.PATH] = spoil(host.private[ledgers.PATH])
    before = host.state(), dict(host.private)
    with pytest.raises(_errors.TuneError) as caught:
        act(host, "c", check_mode)
    assert text in str(caught.value)
    assert "mv /var/lib/tunefleet/ledger.json /var/lib/tunefleet/ledger.json.old" in str(caught.value)
    assert (host.state(), dict(host.private)) == before


def test_a_ledger_that_cannot_be_written_keeps_everything_as_it_is():
    host = a_host(full=[ledgers.PATH])
    before = host.state()
    with pytest.raises(results.RequestFailed) as caught:
        apply(host, "a")
    assert host.state() == before and host.log == []
    assert str(caught.value).endswith("No space left on device (the file system is full). Nothing was changed.")
    assert caught.value.result["changed"] is False


def test_a_ledger_that_cannot_be_finished_undoes_everything():
    host = a_host()
    before = host.state()

    class Filling:
        def __contains__(self, path):
            return path == ledgers.PATH and len(host.private_log) == 1

    host.full = Filling()
    with pytest.raises(results.RequestFailed) as caught:
        apply(host, "a")
    assert host.state() == before
    assert len(caught.value.result["undone"]) == 4 and caught.value.result["not_undone"] == []
    # The ledger could not be brought back either, which does no harm: the next run finds everything at its goal.
    host.full = []
    result, warnings = apply(host, "a")
    assert result["changed"] is True and list(warnings) == []


def test_only_root_takes_back():
    host = a_host()
    apply(host, "a")
    host.root = False
    with pytest.raises(_errors.TuneError, match="^Reverting profiles needs root, and this ran as the user alice."):
        revert(host, check_mode=True)


# -- the kernel does not play along -------------------------------------------------------------------------------------------


def test_what_the_kernel_refuses_to_take_back_is_named_and_the_rest_goes_back():
    host = a_host()
    apply(host, "a")
    host.rules[SOMAXCONN] = fake_host.refuses("4096")
    with pytest.raises(results.RequestFailed) as caught:
        revert(host)
    assert (host.values[SOMAXCONN], host.values[FIN], LIMITS_FILE in host.files) == ("8192", "60", False)
    reason = "net.core.somaxconn could not be restored: the kernel rejected '4096': Invalid argument."
    assert reason in str(caught.value)
    result = caught.value.result
    assert (result["changed"], result["not_undone"], result["summary"]) == (
        True,
        [reason],
        {"refused": 1, "changed": 2},
    )
    # Nothing of it is forgotten, so it can be tried once more.
    host.rules.pop(SOMAXCONN)
    revert(host)
    assert (host.values[SOMAXCONN], host.private) == ("4096", {})


def test_a_refused_apply_leaves_no_trace_in_the_ledger():
    host = a_host()
    apply(host, "b")
    before = host.state(), dict(host.private)
    host.rules[FIN] = fake_host.refuses("30")
    with pytest.raises(results.RequestFailed):
        apply(host, "a")
    assert (host.state(), dict(host.private)) == before


# -- locks ---------------------------------------------------------------------------------------------------------------------


def test_a_run_that_may_write_holds_the_lock():
    host = a_host()
    apply(host, "a", check_mode=True)
    assert host.locks == []
    apply(host, "a")
    revert(host)
    assert host.locks == ["the module profile, applying a", "the module profile, reverting everything"]


def test_headers():
    """What the other tests compare with."""
    host = FakeHost()
    apply(host, "a")
    assert host.files[SYSCTL_FILE].startswith(SYSCTL_HEADER) and host.files[LIMITS_FILE].startswith(LIMITS_HEADER)
