# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PAM itself is asked: before the files are written, and after; a host without it goes by the guard's own rules."""

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._core import request as requests
from ansible_collections.tunefleet.linux.plugins.module_utils._core import result as results
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import limits as limit_settings
from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import settings as sysctl_settings
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import LIMITS_FILE as OWN
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import FakeHost

MODULE = {"/usr/lib64/security/pam_limits.so": b"invalid line %llu\0/proc/sys/fs/nr_open\0nonewprivs\0"}
PASSWD = "root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\n"
USERS = {
    "root": ("root", 0, 0, {0: "root"}),
    "alice": ("alice", 1000, 1000, {1000: "alice"}),
    "web": ("web", 990, 990, {990: "web"}),
}
DESIRED = [{"domain": "*", "item": "nofile", "soft": 5000, "hard": 9000}]


def agrees(host, view, users):
    return {}


def host_with(pam, **more):
    files = dict(MODULE, **more.pop("files", {}))
    texts = dict({"/etc/passwd": PASSWD, "/proc/self/loginuid": "4294967295"}, **more.pop("texts", {}))
    return FakeHost(pam=pam, files=files, texts=texts, users=USERS, **more)


def run(host, limits=None, check_mode=False, **policy):
    return module_run.run(
        host,
        requests.Request(limits=limit_settings.parse(limits or DESIRED), policy=requests.Policy(**policy)),
        check_mode,
    )


def test_asked_before_and_after_with_the_files_that_will_be():
    host = host_with(
        agrees, files={"/etc/security/limits.conf": b"root - core 0", "/etc/security/limits.d/a.conf": b"x\n"}
    )
    result, _warnings = run(host)
    assert result["changed"]
    (before, after) = host.asked
    assert [one[0] for one in before[0]] == [None, b"root - core 0\n" + host.files[OWN] + b"x\n"]
    assert [one[0] for one in after[0]] == [None]
    assert before[1] == after[1] == ["root", "alice"]


@pytest.mark.parametrize(
    ("limits", "texts", "expected"),
    [
        pytest.param(DESIRED, {}, ["root", "alice"], id="somebody of all"),
        pytest.param(
            DESIRED, {"/etc/passwd": PASSWD[: PASSWD.index("alice")]}, ["root", "nobody"], id="there are no people"
        ),
        pytest.param([dict(DESIRED[0], domain="web")], {}, ["root", "web"], id="who is named"),
        pytest.param(
            [dict(DESIRED[0], domain="web")],
            {"/proc/self/loginuid": "1000"},
            ["root", "alice", "web"],
            id="who is logged in",
        ),
        pytest.param(
            [dict(DESIRED[0], domain="web")], {"/proc/self/loginuid": "77"}, ["root", "web"], id="who has no name"
        ),
    ],
)
def test_whose_sessions_are_tried(limits, texts, expected):
    host = host_with(agrees, texts=texts)
    run(host, limits)
    assert host.asked[0][1] == expected


def refuses_new(host, view, users):
    return {"root": "Permission denied"} if view[0] is not None else {}


def refuses_written(host, view, users):
    return {"root": "Permission denied"} if OWN in host.files else {}


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_refusal_beforehand_writes_nothing(check_mode):
    host = host_with(refuses_new)
    before = host.state()
    with pytest.raises(
        results.RequestFailed, match=r"^Limit \* nofile: rule sessions: .* root \(Permission denied\)"
    ) as caught:
        run(host, check_mode=check_mode)
    assert host.state() == before and host.log == []
    assert [one["status"] for one in caught.value.result["limits"]] == ["refused"]


def test_a_refusal_afterwards_puts_back():
    old = {OWN: b"* soft nofile 2000\n"}
    host = host_with(
        lambda host, view, users: {} if host.files[OWN] == old[OWN] else {"alice": "Permission denied"}, files=old
    )
    # Beforehand it agrees, whatever it is asked about: what is written is another matter.
    with pytest.raises(
        results.RequestFailed,
        match=r"refuses a session of alice \(Permission denied\) with the files that were written",
    ):
        run(host)
    assert host.files[OWN] == old[OWN]


def test_what_was_put_back_is_told():
    host = host_with(refuses_written)
    with pytest.raises(results.RequestFailed) as caught:
        run(host)
    assert caught.value.result["undone"] == [OWN + " is removed again."] and OWN not in host.files


def test_who_was_refused_all_along_does_not_count():
    host = host_with(lambda host, view, users: {"alice": "Permission denied"})
    result, warnings = run(host)
    assert result["changed"] and list(warnings) == [
        (
            "Sessions of alice (Permission denied) are already refused without any change; search the cause in "
            "the files that pam_limits reads."
        )
    ]


def test_told_to_warn_it_warns_and_leaves_what_is_written():
    host = host_with(refuses_new)
    result, warnings = run(host, guard="warn")
    assert result["changed"] and [text for text in warnings if "rule sessions" in text]


def test_told_to_be_off_it_does_not_ask():
    host = host_with(refuses_new)
    assert run(host, guard="off")[0]["changed"] and host.asked == []


def test_where_pam_cannot_be_asked_the_rules_have_to_do():
    host = host_with(None)
    result, warnings = run(host)
    assert result["changed"]
    assert list(warnings) == [
        ("PAM session check unavailable (libpam is older than 1.4.0); only the static guard rules were applied.")
    ]


def test_nothing_is_asked_when_nothing_changes():
    host = host_with(agrees)
    run(host)
    del host.asked[:]
    assert not run(host)[0]["changed"] and host.asked == []


def test_without_pam_and_without_root_nothing_is_asked():
    host = FakeHost(pam=agrees)
    run(host)
    assert host.asked == []
    host = host_with(agrees, root=False)
    run(host, check_mode=True)
    assert host.asked == []


def test_fs_nr_open_that_is_raised_first_counts_afterwards_only():
    """Before it is raised, an unpatched PAM refuses what it takes a moment later."""
    host = host_with(refuses_new)
    request = requests.Request(
        sysctl_settings.parse({"fs.nr_open": 2000000}),
        limit_settings.parse([dict(DESIRED[0], hard=1500000)]),
        requests.Policy(),
    )
    result, _warnings = module_run.run(host, request, False)
    assert result["changed"] and len(host.asked) == 2


def test_arguments_of_the_stacks_are_taken_over():
    host = host_with(agrees, files={"/etc/pam.d/sshd": b"session required pam_limits.so set_all noaudit\n"})
    run(host)
    assert [one[1] for one in host.asked[0][0]] == [("set_all",)] * 2
