# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Limits: what the file says, what is called effective, and what a real session of this machine's own PAM then gets."""

from __future__ import annotations

import resource
import shutil
import sys
from typing import Any

import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import LIMITS_FILE, Namespace, one_sentence

CONF = "/etc/security/limits.conf"
NOFILE = {"domain": "*", "item": "nofile", "soft": 1500, "hard": 1600}
NPROC = {"domain": "nobody", "item": "nproc", "soft": 3000, "hard": 3100}

_su_reads_limits: list[bool] = []  # found out once


def needs_pam(ns: Namespace) -> None:
    """Skip where su does not ask pam_limits, or where this process may not go down to the numbers used here."""
    if shutil.which("su") is None:
        pytest.skip("su is not installed here")
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 2000:
        pytest.skip("the hard nofile limit of this process is below the numbers of these tests")
    if not _su_reads_limits:
        ns.write(CONF, "nobody - nofile 1234\n")
        _su_reads_limits.append(session(ns, "nobody") == (1234, 1234))
        ns.write(CONF, "")
    if _su_reads_limits != [True]:
        pytest.skip("su does not read limits.conf on this machine")


def session(ns: Namespace, user: str, row: str = "Max open files") -> tuple[int, int]:
    """Soft and hard limit of a new session."""
    text = ns.run("su", "-s", "/bin/sh", user, "-c", "cat /proc/self/limits").stdout
    soft, hard = next(line[len(row) :].split()[:2] for line in text.splitlines() if line.startswith(row))
    return int(soft), int(hard)


def effective(one: dict[str, Any]) -> tuple[Any, Any]:
    return one["effective"]["soft"], one["effective"]["hard"]


def test_a_batch_is_written_and_sessions_get_it(ns: Namespace) -> None:
    needs_pam(ns)
    predicted = ns.limits([NOFILE, NPROC], check_mode=True)
    assert ns.read(LIMITS_FILE) is None
    outcome = ns.limits([NOFILE, NPROC])
    assert outcome.report == predicted.report and outcome.changed
    assert outcome.result["needs"] == ["new_session"]
    assert ns.text(LIMITS_FILE).splitlines()[1:] == [
        "*\tsoft\tnofile\t1500",
        "*\thard\tnofile\t1600",
        "nobody\tsoft\tnproc\t3000",
        "nobody\thard\tnproc\t3100",
    ]
    assert effective(outcome.limit("*", "nofile")) == session(ns, "nobody") == (1500, 1600)
    assert effective(outcome.limit("nobody", "nproc")) == session(ns, "nobody", "Max processes") == (3000, 3100)
    stamp = ns.stamp(LIMITS_FILE)
    again = ns.limits([NOFILE, NPROC])
    assert not again.changed and again.result["needs"] == [] and ns.stamp(LIMITS_FILE) == stamp


def test_a_single_limit_with_the_options_of_pam_limits(ns: Namespace) -> None:
    options: dict[str, Any] = {
        "domain": "nobody",
        "limit_type": "-",
        "limit_item": "nofile",
        "value": "1500",
        "comment": "why",
    }
    outcome = ns.limits(**options)
    assert outcome.changed and ns.text(LIMITS_FILE).splitlines()[1:] == ["nobody\t-\tnofile\t1500\t#why"]
    assert not ns.limits(**options).changed
    for value, use, end in (("1400", "use_max", "1500"), ("1700", "use_max", "1700"), ("1800", "use_min", "1700")):
        ns.limits(**dict(options, value=value, **{use: True}))
        assert ns.text(LIMITS_FILE).splitlines()[1].split("\t")[3] == end, (value, use)


def test_absent_removes_one_half_or_both(ns: Namespace) -> None:
    ns.limits([NOFILE, NPROC])
    one: dict[str, Any] = {"domain": "nobody", "limit_type": "hard", "limit_item": "nproc", "state": "absent"}
    assert ns.limits(**one).changed and not ns.limits(**one).changed
    assert "nobody\thard" not in ns.text(LIMITS_FILE) and "nobody\tsoft" in ns.text(LIMITS_FILE)
    gone = ns.limits([{"domain": "*", "item": "nofile"}, {"domain": "nobody", "item": "nproc"}], state="absent")
    assert gone.changed and ns.read(LIMITS_FILE) is None


def test_diff_shows_the_file(ns: Namespace) -> None:
    ns.write(LIMITS_FILE, "# mine\n*   soft nofile 1400 # old\n")
    pages = ns.limits([NOFILE]).result["diff"]
    assert len(pages) == 1 and pages[0]["before_header"] == LIMITS_FILE
    assert pages[0]["before"] == "# mine\n*   soft nofile 1400 # old\n"
    assert pages[0]["after"] == ns.text(LIMITS_FILE)
    assert pages[0]["after"] == "# mine\n*\tsoft\tnofile\t1500\t#old\n*\thard\tnofile\t1600\n"


def test_a_nofile_above_nr_open_is_refused(shared: Namespace) -> None:
    highest = int(shared.live("fs.nr_open")["fs.nr_open"])
    before = shared.snapshot()
    outcome = shared.limits([NPROC, {"domain": "*", "item": "nofile", "hard": highest + 1}])
    one_sentence(outcome, "* nofile", "rule nr_open", str(highest))
    assert outcome.limit("*", "nofile")["status"] == "refused"
    assert shared.snapshot() == before


def test_the_guard_can_be_told_to_warn_or_to_be_silent(ns: Namespace) -> None:
    highest = int(ns.live("fs.nr_open")["fs.nr_open"])
    entry = {"domain": "nobody", "item": "nofile", "hard": highest + 1}
    outcome = ns.limits([entry], guard="warn")
    assert outcome.changed and any("fs.nr_open" in warning for warning in outcome.warnings)
    ns.path(LIMITS_FILE).unlink()
    outcome = ns.limits([entry], guard="off")
    assert outcome.changed and not outcome.warnings


def test_a_hard_limit_that_sessions_of_this_container_cannot_have_is_named(shared: Namespace) -> None:
    status = shared.path("/proc/1/status").read_text()
    bounding = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapBnd:"))
    if bounding & 1 << 24:
        pytest.skip("sessions of this machine may raise hard limits")
    rows = shared.path("/proc/1/limits").read_text().splitlines()
    ceiling = next(int(row.split()[4]) for row in rows if row.startswith("Max open files"))
    before = shared.snapshot()
    outcome = shared.limits([{"domain": "*", "item": "nofile", "hard": {"at_least": ceiling + 1}}])
    one_sentence(outcome, "* nofile", str(ceiling))
    assert outcome.limit("*", "nofile")["status"] == "not_namespaced"
    assert shared.snapshot() == before
    warned = shared.profile(name="x", limits=[{"domain": "*", "item": "nofile", "hard": ceiling + 1}])
    assert not warned.failed and not warned.changed and len(warned.warnings) == 1
    # The profile is in the ledger all the same, as one that was asked for.
    found = {path: one for path, one in shared.snapshot().items() if "/var/lib/tunefleet/" not in path}
    assert found == before


def test_a_soft_limit_above_the_hard_one_of_another_file_is_refused(ns: Namespace) -> None:
    ns.write(CONF, "* hard nofile 1000\n")
    outcome = ns.limits([{"domain": "*", "item": "nofile", "soft": 1500}])
    one_sentence(outcome, "* nofile", "soft 1500", "hard limit 1000")
    assert ns.read(LIMITS_FILE) is None


def test_a_later_file_shadows_and_the_session_proves_it(ns: Namespace) -> None:
    needs_pam(ns)
    later = "/etc/security/limits.d/zz.conf"
    ns.write(later, "# theirs\n* hard nofile 1100\n* soft nofile 900\n")
    outcome = ns.limits([NOFILE])
    one = outcome.limit("*", "nofile")
    assert one["after"] == {"soft": 1500, "hard": 1600}
    assert one["shadowed_by"] in (later + ":2", later + ":3")
    assert len(outcome.warnings) == 1 and later in outcome.warnings[0]
    assert effective(one) == session(ns, "nobody") == (900, 1100)


def test_an_earlier_file_does_not_shadow(ns: Namespace) -> None:
    needs_pam(ns)
    ns.write("/etc/security/limits.d/10.conf", "* - nofile 900\n")
    one = ns.limits([NOFILE]).limit("*", "nofile")
    assert one["shadowed_by"] is None
    assert effective(one) == session(ns, "nobody") == (1500, 1600)


def test_a_bound_met_by_a_rule_of_another_file_is_kept(ns: Namespace) -> None:
    ns.write("/etc/security/limits.d/10.conf", "* - nofile 1700\n")
    desired = {"domain": "*", "item": "nofile", "soft": {"at_least": 1500}, "hard": {"at_least": 1500}}
    outcome = ns.limits([desired])
    assert outcome.limit("*", "nofile")["status"] == "kept" and not outcome.changed
    assert ns.read(LIMITS_FILE) is None


def test_a_bound_lifts_only_the_half_that_needs_it(ns: Namespace) -> None:
    needs_pam(ns)
    ns.write("/etc/security/limits.d/10.conf", "* soft nofile 900\n* hard nofile 1700\n")
    desired = {"domain": "*", "item": "nofile", "soft": {"at_least": 1500}, "hard": {"at_least": 1500}}
    outcome = ns.limits([desired])
    assert ns.text(LIMITS_FILE).splitlines()[1:] == ["*\tsoft\tnofile\t1500"]
    assert effective(outcome.limit("*", "nofile")) == session(ns, "nobody") == (1500, 1700)
    assert not ns.limits([desired]).changed


def test_a_name_that_pam_passes_over_is_refused(shared: Namespace) -> None:
    before = shared.snapshot()
    for name in ("99-x", ".x.conf"):
        path = "/etc/security/limits.d/" + name
        one_sentence(shared.limits([NOFILE], dest=path), path, "never be read")
    assert shared.snapshot() == before


# Every rule says soft and hard, for without one a session has what the process that starts it has.
RULES = {
    "everybody": {CONF: "* - nofile 900\n"},
    "the_last_of_equals": {CONF: "* - nofile 900\n* soft nofile 700\n* hard nofile 950\n"},
    "a_user_beats_everybody": {CONF: "nobody - nofile 900\n* - nofile 1000\n"},
    "a_group_beats_everybody": {CONF: "@{group} - nofile 900\n* - nofile 1000\n"},
    "a_user_beats_a_group": {CONF: "nobody - nofile 900\n@{group} - nofile 1000\n* - nofile 1100\n"},
    "halves_are_apart": {CONF: "nobody hard nofile 900\n* soft nofile 700\n"},
    "soft_is_cut_to_hard": {CONF: "* soft nofile 1000\n* hard nofile 900\n"},
    "a_range_of_ids": {CONF: "* - nofile 1000\n{uid}:{uid} - nofile 900\n"},
    "an_open_range_of_ids": {CONF: "* - nofile 1000\n1: - nofile 900\n"},
    "a_range_for_others": {CONF: "* - nofile 1000\n1:2 - nofile 900\n"},
    "one_id": {CONF: "* - nofile 1000\n:{uid} - nofile 900\n"},
    "a_range_of_groups": {CONF: "* - nofile 1000\n@{gid}: - nofile 900\n"},
    "one_group_id": {CONF: "* - nofile 1000\n@:{gid} - nofile 900\n"},
    "another_user": {CONF: "* - nofile 1000\ndaemon - nofile 900\n"},
    "files_in_byte_order": {
        "/etc/security/limits.d/9.conf": "* - nofile 900\n",
        "/etc/security/limits.d/10.conf": "* - nofile 1000\n",
        "/etc/security/limits.d/B.conf": "* soft nofile 800\n",
    },
    "limits_d_after_limits_conf": {CONF: "* - nofile 900\n", "/etc/security/limits.d/0.conf": "* - nofile 1000\n"},
    "other_names_are_passed_over": {
        CONF: "* - nofile 900\n",
        "/etc/security/limits.d/x": "* - nofile 1000\n",
        "/etc/security/limits.d/x.conf.bak": "* - nofile 1000\n",
    },
    "comments_blanks_and_case": {CONF: "  # * - nofile 1\n\t*\t-   NOFILE 900 # no\n* Soft nofile 800\n\n"},
    "comment_glued": {CONF: "* - nofile 900#1\n"},
    "read_by_the_beginning": {CONF: "* - nofile 1k\n* - nofile 900x\n"},
    "lines_that_are_broken": {CONF: "* - nofile\n* nofile 5\n* maybe nofile 5\n* - nofil 5\nnobody - nofile 900\n"},
    "no_last_line_end": {CONF: "* - nofile 900\r\n* - nofile 950"},
}


@pytest.mark.parametrize("layout", RULES)
def test_limits_info_is_what_a_session_gets(shared: Namespace, layout: str) -> None:
    needs_pam(shared)
    shared.sh(f"rm -f /etc/security/limits.d/*; : >{CONF}")
    uid, gid, group = shared.sh("id -u nobody; id -g nobody; id -gn nobody").split()
    for path, text in RULES[layout].items():
        shared.write(path, text.format(uid=uid, gid=gid, group=group))
    outcome = shared.module("limits_info", {"users": ["nobody", "root"]})
    got = {user: session(shared, user) for user in ("nobody", "root")}
    shared.sh(f"rm -f /etc/security/limits.d/*; : >{CONF}")
    assert not outcome.changed
    rules = {user: outcome.limit(user, "nofile")["rule"] for user in got}
    assert rules["nobody"]["soft"] and rules["nobody"]["hard"]
    assert effective(outcome.limit("nobody", "nofile")) == got["nobody"]
    if rules["root"]["soft"] and rules["root"]["hard"]:
        assert effective(outcome.limit("root", "nofile")) == got["root"]
    else:  # root is let off by all, as Debian does it
        assert rules["root"] == {"soft": None, "hard": None} and got["root"][1] > 1100


def test_an_exempt_user_is_said_to_be_so(ns: Namespace) -> None:
    needs_pam(ns)
    before = session(ns, "nobody")
    ns.write(CONF, "# first\nnobody -\n* - nofile 900\nnobody - nofile 901\n")
    one = ns.module("limits_info", {"users": ["nobody"]}).limit("nobody", "nofile")
    assert one["reason"] == f"exempt from all limits by {CONF}:2"
    assert session(ns, "nobody") == before


def test_limits_info_without_users_lists_what_rules_name(ns: Namespace) -> None:
    ns.write(CONF, "* - nofile 900\n@adm soft nproc 50\n")
    ns.write("/etc/security/limits.d/a.conf", "* soft nofile 800\n")
    outcome = ns.module("limits_info", {})
    assert [(one["target"], one["item"]) for one in outcome.result["limits"] if "domain" in one["target"]] == [
        ({"domain": "*"}, "nofile"),
        ({"domain": "@adm"}, "nproc"),
    ]
    one = outcome.limit("*", "nofile")
    assert effective(one) == (800, 900)
    assert one["rule"] == {"soft": "/etc/security/limits.d/a.conf:1", "hard": CONF + ":1"}
    assert outcome.result.get("changed") in (None, False)


def asks_pam(ns: Namespace) -> None:
    """Skip where PAM has no private directories, or is not there."""
    code = "import ctypes, sys; sys.exit(not hasattr(ctypes.CDLL('libpam.so.0'), 'pam_start_confdir'))"
    if ns.run(sys.executable, "-c", code, check=False).returncode:
        pytest.skip("libpam is missing here, or older than 1.4.0")


def test_a_refusal_of_pam_refuses_the_request(ns: Namespace) -> None:
    """What the floor lets pass, because nobody logs in as this user, PAM itself still refuses: no session opens with no file."""
    asks_pam(ns)
    needs_pam(ns)
    before = ns.snapshot()
    entry = {"domain": "nobody", "item": "nofile", "soft": 0, "hard": 1000}
    for check_mode in (True, False):
        outcome = ns.limits([entry], check_mode=check_mode)
        one_sentence(outcome, "nobody nofile", "rule sessions", "nobody")
        assert outcome.limit("nobody", "nofile")["status"] == "refused"
        assert ns.snapshot() == before
    warned = ns.limits([entry], guard="warn")
    assert warned.changed and any("rule sessions" in text for text in warned.warnings)


def test_what_was_refused_before_is_nobodys_fault(ns: Namespace) -> None:
    asks_pam(ns)
    needs_pam(ns)
    ns.write(CONF, "nobody - maxlogins 0\n")
    outcome = ns.limits([{"domain": "nobody", "item": "nproc", "hard": 3000}])
    assert outcome.changed and len(outcome.warnings) == 1
    assert "nobody (Permission denied) are already refused without any change" in outcome.warnings[0]


def test_a_link_that_leads_nowhere_is_told(ns: Namespace) -> None:
    needs_pam(ns)
    module = next(
        iter(ns.sh("ls /usr/lib*/*/security/pam_limits.so /usr/lib*/security/pam_limits.so 2>/dev/null || :").split())
    )
    ns.sh("ln -s /nowhere /etc/security/limits.d/old.conf")
    outcome = ns.limits([NPROC])
    told = any("/etc/security/limits.d/old.conf" in warning for warning in outcome.warnings)
    assert told == (b"cannot read settings from %s: %m" in ns.path(module).read_bytes())
