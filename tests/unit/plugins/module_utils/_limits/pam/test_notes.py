# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is said of a rule beside its numbers, and what the guard is told of the host; through whole plans."""

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._core import bound as bounds
from ansible_collections.tunefleet.linux.plugins.module_utils._core import limit as limit_types
from ansible_collections.tunefleet.linux.plugins.module_utils._core import request as requests
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import limits as limit_settings
from ansible_collections.tunefleet.linux.plugins.module_utils._module import facts as host_facts
from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import settings as sysctl_settings
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import LIMITS_FILE as OWN
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import FakeHost, proc_limits

MAIN = "/etc/security/limits.conf"
LATE = b"/proc/sys/fs/nr_open\0nonewprivs\0invalid line %llu\0"
PLAIN = {"/usr/lib64/security/pam_limits.so": LATE}
DEBIAN = {
    "/usr/lib/x86_64-linux-gnu/security/pam_limits.so": LATE + b"uid=%lu,euid=%lu\0",
    "/usr/lib/x86_64-linux-gnu": b"",
}
USERS = {
    "root": ("root", 0, 0, {0: "root"}),
    "alice": ("alice", 2000, 2000, {2000: "alice", 27: "sudo"}),
    "bob": ("bob", 2001, 2001, {2001: "bob"}),
    "www": ("www", 33, 33, {33: "www"}),
}
SHELLS = {"www": "/usr/sbin/nologin"}


def plan(entry, policy=None, rules=b"", **host):
    files = dict(host.pop("module", PLAIN), **host.pop("files", {}))
    files[MAIN] = rules
    fake = FakeHost(files=files, users=USERS, shells=SHELLS, **host)
    request = requests.Request(limits=limit_settings.parse([entry]), policy=requests.Policy(**(policy or {})))
    return module_run.make_plan(request, host_facts.gather(fake, request))


def entry(domain="*", item="nofile", soft=None, hard=5000):
    return {"domain": domain, "item": item, "soft": soft, "hard": hard}


def said(found):
    """The notes, without what every plan on a host of this kind has."""
    return [text for text in found.limits[0].notes if text.id != "pam.star_includes_root"]


@pytest.mark.parametrize(
    ("domain", "item", "note"),
    [
        ("2000", "nofile", "2000 is a user of that name; write the user with the id 2000 as :2000."),
        (":2000", "nofile", ":2000 is the user id 2000 alone, not the ids up to it."),
        ("@3000:", "nofile", "@3000: matches primary groups only."),
        ("@3000:3999", "nofile", "@3000:3999 matches primary groups only."),
        ("@3000", "nofile", "@3000 is a group of that name; write the group with the id 3000 as @:3000."),
        ("mallory", "nofile", "This host has no user mallory."),
        ("www", "nofile", "systemd services that run as www do not read it; limit their unit."),
        ("root", "nproc", "The kernel does not enforce nproc for root; use TasksMax= of a unit or slice."),
    ],
)
def test_about_a_domain(domain, item, note):
    assert said(plan(entry(domain, item))) == [note]


@pytest.mark.parametrize("domain", ["alice", "@web", "1000:", "@:3000", "*"])
def test_nothing_to_say_of_a_domain(domain):
    assert said(plan(entry(domain))) == []


@pytest.mark.parametrize(
    ("module", "rules", "note"),
    [
        (PLAIN, b"", ["* applies to root too on this distribution."]),
        (DEBIAN, b"", ["* does not apply to root on this distribution; use the domain root."]),
        (
            DEBIAN,
            b"root - nofile 400\n",
            ["Not for root by " + MAIN + ":1, for whom a more specific rule takes precedence."],
        ),
    ],
)
def test_root_and_the_star(module, rules, note):
    assert list(plan(entry(), module=module, rules=rules).limits[0].notes) == note


def test_rules_that_name_somebody_more_closely():
    rules = b"alice - nofile 3001\n@web soft nofile 9\nbob -\n1000: - nofile 7\n* - nofile 3\nalice - nproc 9\n%web - maxlogins 3\n"
    (note,) = said(plan(entry(), rules=rules))
    assert note == (
        (
            "Not for alice by {0}:1; @web by {0}:2; bob, exempt by {0}:3 and 1 more, for whom a more specific "
            "rule takes precedence."
        ).format(MAIN)
    )


@pytest.mark.parametrize(
    ("rules", "expected", "shadow"),
    [
        pytest.param(b"", limit_types.Limit(3000, 4000), None, id="ours alone"),
        pytest.param(b"@sudo - nofile 9\n* - nofile 8\n", limit_types.Limit(3000, 4000), None, id="weaker rules"),
        pytest.param(b"1000: - nofile 700\n", limit_types.Limit(3000, 4000), None, id="a range that comes earlier"),
    ],
)
def test_a_user_is_looked_for_in_all_rules(rules, expected, shadow):
    one = plan(entry("alice", soft=3000, hard=4000), rules=rules).limits[0]
    assert (one.effective, one.shadowed_by) == (expected, shadow)


def test_a_range_in_a_later_file_wins_over_a_user():
    late = {"/etc/security/limits.d/99-z.conf": b"1000: - nofile 3002\n"}
    one = plan(entry("alice", soft=4000, hard=4000), files=late).limits[0]
    assert (one.effective, one.shadowed_by) == (limit_types.Limit(3002, 3002), "/etc/security/limits.d/99-z.conf:1")


def test_a_later_range_of_our_own_file_wins_over_a_user_as_well():
    own = {OWN: b"alice - nofile 4000\n1000: - nofile 300\n"}
    assert plan(entry("alice", soft=4000, hard=4000), files=own).limits[0].shadowed_by == OWN + ":2"


@pytest.mark.parametrize(
    ("domain", "rules", "status"),
    [
        ("alice", b"* - nofile 9000\n", "kept"),
        ("alice", b"@sudo - nofile 9000\n", "kept"),
        ("alice", b"1000: - nofile 9000\n", "kept"),
        ("alice", b"* - nofile 4000\n", "changed"),
        ("alice", b"alice - nofile 4000\n* - nofile 9000\n", "changed"),
        ("@web", b"* - nofile 9000\n", "kept"),
        ("1000:", b"* - nofile 9000\n", "kept"),
        ("*", b"alice - nofile 9000\n", "changed"),
    ],
)
def test_at_least_never_lowers_what_somebody_has_from_a_weaker_rule(domain, rules, status):
    desired = entry(domain, soft={"at_least": 5000}, hard={"at_least": 5000})
    assert plan(desired, rules=rules).limits[0].status == status


@pytest.mark.parametrize(
    ("desired", "refused"),
    [
        pytest.param(
            entry("alice", "nproc", hard=39),
            "rule threads: nproc 39 is below the 40 threads that user alice",
            id="user",
        ),
        pytest.param(
            entry("*", "nproc", hard=39), "rule threads: nproc 39 is below the 40 threads that user alice", id="all"
        ),
        pytest.param(entry("@sudo", "nproc", hard=39), "rule threads", id="group"),
        pytest.param(entry("bob", "nproc", hard=39), "", id="somebody else"),
        pytest.param(entry("alice", "nproc", hard=40), "", id="enough"),
        pytest.param(entry("root", "nproc", hard=100), "", id="root is not held to it"),
        pytest.param(entry("www", "nofile", hard=100), "", id="nobody logs in with it"),
        pytest.param(entry("alice", "nofile", hard=100), "rule floor", id="somebody logs in with it"),
        pytest.param(entry("mallory", "nofile", hard=100), "rule floor", id="somebody who is not there yet"),
        pytest.param(entry("root", "nofile", hard=100), "rule floor", id="root"),
        pytest.param(entry("@web", "maxlogins", hard=0), "rule floor", id="no login"),
        pytest.param(entry("alice", "nonewprivs", hard=1), "rule floor: nonewprivs", id="who may use sudo"),
        pytest.param(entry("@wheel", "nonewprivs", hard=1), "rule floor: nonewprivs", id="a group that may"),
        pytest.param(entry("*", "nonewprivs", hard=1), "rule floor: nonewprivs", id="everybody"),
        pytest.param(entry("bob", "nonewprivs", hard=1), "", id="who may not use sudo"),
        pytest.param(entry("@web", "nonewprivs", hard=1), "", id="a group that may not"),
    ],
)
def test_the_guard_knows_the_host(desired, refused):
    found = plan(desired, running={2000: 40, 0: 500, 33: 2})
    if refused:
        assert len(found.problems) == 1 and refused in found.problems[0]
    else:
        assert not found.problems
    assert list(plan(desired, {"guard": "off"}, running={2000: 40}).problems) == []


WEAK_SSHD = {
    "/proc/812/comm": "sshd",
    "/proc/812/limits": proc_limits(nofile=(1024, 4096)),
    "/proc/812/status": "CapBnd:\t00000000a80425fb\n",
    "/proc/1/status": "CapBnd:\t000001ffffffffff\n",
}


@pytest.mark.parametrize(("module", "refused"), [(PLAIN, True), (DEBIAN, False)])
def test_a_daemon_that_may_not_raise(module, refused):
    """Its sessions would all be refused; on Debian they just do not get it."""
    found = plan(entry(hard=65535), module=module, texts=WEAK_SSHD, daemons={"812": "sshd"})
    text = "rule raise: sshd (process 812) lacks CAP_SYS_RESOURCE and has 4096, so its sessions "
    (one,) = found.problems if refused else found.warnings
    assert text + ("would all be refused" if refused else "are not bound by it") in one
    assert not plan(entry(hard=4096), module=module, texts=WEAK_SSHD, daemons={"812": "sshd"}).problems


def test_unlimited_files_are_let_pass_where_the_word_is_understood():
    found = plan(entry(hard="unlimited"))
    assert not found.problems and found.limits[0].effective == limit_types.Limit(1024, 1048576)
    assert list(found.warnings) == [
        ("Limit * nofile: unlimited becomes fs.nr_open, here 1048576; a very large soft limit slows some programs.")
    ]


def test_ways_in_that_do_not_ask_are_told_when_something_changes():
    files = {"/etc/pam.d/cron": b"", "/etc/ssh/sshd_config": b"UsePAM no\n"}
    texts = [
        ("sshd does not use PAM (/etc/ssh/sshd_config:1 has no UsePAM yes), so ssh sessions keep the limits of sshd."),
        "/etc/pam.d/cron does not use pam_limits, so sessions of cron are not limited.",
    ]
    found = plan(entry(), files=files)
    assert list(found.warnings) == texts and said(found) == texts
    found = plan(entry(), files=dict(files, **{OWN: b"* hard nofile 5000\n"}))
    assert list(found.warnings) == [] and said(found) == texts


def test_a_user_manager_that_lingers_has_to_be_restarted():
    files = {"/var/lib/systemd/linger/alice": b""}
    assert plan(entry("alice"), files=files).needs == ["new_session", "restart:user@2000.service"]
    assert plan(entry("bob"), files=files).needs == ["new_session"]


@pytest.mark.parametrize(
    ("own", "others", "said"),
    [
        ("9-mine", ["10-a", "8-b"], "9-mine.conf is read after 10-a.conf: files are sorted byte by byte"),
        (
            "10-mine",
            ["9-a", "2-b", "20-c"],
            "10-mine.conf is read before 2-b.conf and before 9-a.conf: files are sorted byte by byte",
        ),
        ("99-mine", ["100-a"], "99-mine.conf is read after 100-a.conf: files are sorted byte by byte"),
        ("99-mine", ["10-a", "99-z", "z"], None),
        ("mine", ["10-a"], None),
    ],
)
def test_numbers_that_say_another_order(own, others, said):
    """Case 18 of a list of cases: whoever writes 9 and 10 means another order than that of bytes."""
    place = "/etc/security/limits.d/{0}.conf"
    files = {place.format(name): b"alice hard nofile 3010\n" for name in others}
    found = plan(entry("alice", hard=4000), {"limits_file": place.format(own)}, files=files)
    warnings = [text for text in found.warnings if text.id == "pam.file_order"]
    assert [said in text for text in warnings] == ([True] if said else [])
    winner = max([own] + others)
    assert found.limits[0].effective.hard == (4000 if winner == own else 3010)


def test_an_item_that_this_release_does_not_know():
    """Nothing is written for it; what of ours is there already can be taken away."""
    found = plan(entry("alice", "rttime", hard=200000))
    assert [one.status for one in found.limits] == ["no_effect"] and found.steps == []
    assert list(found.problems) == [
        "Limit alice rttime: the pam_limits of this host ignores rttime, which needs Linux-PAM 1.7.1."
    ]
    late = {"/usr/lib64/security/pam_limits.so": LATE + b"rttime\0"}
    assert plan(entry("alice", "rttime", hard=200000), module=late).limits[0].effective == limit_types.Limit(
        None, 200000
    )
    gone = limit_settings.parse_one(entry("alice", "rttime"))._replace(hard=bounds.Bound(bounds.ABSENT), file_only=True)
    fake = FakeHost(files=dict(PLAIN, **{OWN: b"alice hard rttime 5\n# x\n"}), users=USERS)
    request = requests.Request(limits=[gone])
    (step,) = module_run.make_plan(request, host_facts.gather(fake, request)).steps
    assert step.after == b"# x\n"


def test_limits_conf_itself_is_never_removed():
    """Without it pam_limits before 1.5.3 refuses everybody; an empty file will do."""
    desired = entry(hard=5000)
    desired["domain"] = "alice"
    request = requests.Request(
        limits=[limit_settings.parse_one(desired)._replace(hard=bounds.Bound(bounds.ABSENT), file_only=True)],
        policy=requests.Policy(limits_file=MAIN),
    )
    head = (
        b"# Written by the Ansible collection tunefleet.linux. Lines of limits that it does not set are left alone.\n"
    )
    fake = FakeHost(files={MAIN: head + b"alice\thard\tnofile\t5000\n"})
    found = module_run.make_plan(request, host_facts.gather(fake, request))
    assert [step.after for step in found.steps] == [head]


def test_fs_nr_open_is_not_lowered_below_a_service():
    texts = {"/proc/77/limits": proc_limits(nofile=(1024, 524288)), "/proc/77/comm": "nginx"}
    files = {"/run/systemd/system": b""}
    request = requests.Request(settings=sysctl_settings.parse({"fs.nr_open": 500000}))
    fake = FakeHost(files=files, texts=texts, daemons={"77": "nginx"})
    (problem,) = module_run.make_plan(request, host_facts.gather(fake, request)).problems
    assert (
        "nofile 524288 (service nginx) is above fs.nr_open 500000 (asked for), and it could not start again;" in problem
    )
    assert not module_run.make_plan(
        request, host_facts.gather(FakeHost(texts=texts, daemons={"77": "nginx"}), request)
    ).problems


@pytest.mark.parametrize(("number", "refused"), [(400000, False), (600000, True)])
def test_fs_nr_open_is_held_against_the_limit_about_to_be_set(number, refused):
    """One request lowers both: the rule that was there before does not count."""
    fake = FakeHost(files={OWN: b"* hard nofile 900000\n"})
    request = requests.Request(
        settings=sysctl_settings.parse({"fs.nr_open": 500000}), limits=limit_settings.parse([entry(hard=number)])
    )
    assert bool(module_run.make_plan(request, host_facts.gather(fake, request)).problems) == refused
