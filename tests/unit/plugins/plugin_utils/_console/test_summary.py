# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tunefleet.linux.plugins.plugin_utils._console import summary

FILE = "/etc/sysctl.d/99-tunefleet.conf"
HOST_ONLY = "belongs to the host; this network namespace or container does not have it"


def setting(key: str, status: str, **fields: t.Any) -> dict[str, t.Any]:
    entry: dict[str, t.Any] = {
        "key": key,
        "status": status,
        "wanted": "30",
        "reason": None,
        "live": {"before": "60", "after": "30"},
        "file": {"path": FILE, "before": None, "after": "30"},
        "boot": {"before": None, "value": "30", "winner": f"{FILE}:2", "ours": True},
        "shadowed": False,
    }
    return {**entry, **fields}


def limit(status: str, **fields: t.Any) -> dict[str, t.Any]:
    entry: dict[str, t.Any] = {
        "target": {"domain": "*"},
        "item": "nofile",
        "status": status,
        "wanted": {"soft": ">= 65535", "hard": ">= 65535"},
        "reason": None,
        "before": {"soft": None, "hard": None},
        "after": {"soft": 65535, "hard": None},
        "effective": {"soft": 65535, "hard": 524288},
        "shadowed_by": None,
    }
    return {**entry, **fields}


def outcome(
    host: str, *entries: dict[str, t.Any], state: str = summary.DONE, check: bool = False, **result: t.Any
) -> summary.Outcome:
    data = {
        "name": "web_server",
        "settings": [entry for entry in entries if "key" in entry],
        "limits": [entry for entry in entries if "item" in entry],
        **result,
    }
    return summary.Outcome(host, state, check, data)


def texts(*outcomes: summary.Outcome, width: int = 100) -> list[str]:
    return [line.text for line in summary.render(outcomes, width)]


def section(lines: list[str], title: str) -> list[str]:
    """The lines below a heading."""
    rest = lines[lines.index(title) + 1 :]
    return rest[: rest.index("")] if "" in rest else rest


OK = setting("net.ipv4.tcp_sack", "ok", live={"before": "1", "after": "1"})
CHANGED = setting("net.ipv4.tcp_fin_timeout", "changed")


@pytest.mark.parametrize(
    ("outcomes", "expected", "tone"),
    [
        ([outcome("a", CHANGED)], "Apply of web_server on 1 host: 1 changed.", summary.CHANGE),
        ([outcome("a", OK), outcome("b", OK)], "Apply of web_server on 2 hosts: 2 already as wanted.", summary.GOOD),
        ([outcome("a", OK, check=True)], "Audit of web_server on 1 host (nothing was written): 1 clean.", summary.GOOD),
        (
            [outcome("a", OK, check=True), outcome("b", CHANGED, check=True)],
            "Audit of web_server on 2 hosts (nothing was written): 1 clean, 1 not as wanted.",
            summary.CHANGE,
        ),
        (
            [outcome("a", setting("k.k", "ok", shadowed=True), check=True)],
            "Audit of web_server on 1 host (nothing was written): 1 overruled by another file.",
            summary.WARN,
        ),
        (
            [outcome("a", limit("ok", shadowed_by="/etc/security/limits.d/zz.conf:1"))],
            "Apply of web_server on 1 host: 1 overruled by another file.",
            summary.WARN,
        ),
        (
            [
                outcome("a", CHANGED),
                summary.Outcome("b", summary.FAILED, False, {"msg": "m"}),
                summary.Outcome("c", summary.UNREACHABLE, False, {"msg": "m"}),
            ],
            "Apply of web_server on 3 hosts: 1 changed, 1 failed, 1 unreachable.",
            summary.BAD,
        ),
        (
            [summary.Outcome("a", summary.FAILED, False, {"msg": "m"})],
            "Apply of a profile on 1 host: 1 failed.",
            summary.BAD,
        ),
    ],
)
def test_the_first_line_says_it_all(outcomes: list[summary.Outcome], expected: str, tone: str) -> None:
    assert summary.render(outcomes)[0] == summary.Line(expected, tone)


def test_two_profiles_have_a_line_each_and_hosts_one_row() -> None:
    lines = texts(outcome("a", OK), outcome("a", CHANGED, limit("kept"), name="open_files"), outcome("b", OK))
    assert lines[:2] == [
        "Apply of open_files on 1 host: 1 changed.",
        "Apply of web_server on 2 hosts: 2 already as wanted.",
    ]
    assert lines[3:6] == [
        "host  ok  changed  kept  unavailable",
        "a      1        1     1            0",
        "b      1        0     0            0",
    ]


@pytest.mark.parametrize("size", [1, 30])
def test_a_host_that_was_given_a_profile_twice_is_one_host(size: int) -> None:
    """As by two plays, or by a role in a loop: a setting counts once, as changed if it ever was."""
    again = setting("net.ipv4.tcp_fin_timeout", "ok", live={"before": "30", "after": "30"})
    hosts = [
        one for number in range(size) for one in (outcome(f"a{number}", CHANGED), outcome(f"a{number}", OK, again))
    ]
    lines = texts(*hosts)
    assert lines[0] == f"Apply of web_server on {'1 host' if size == 1 else '30 hosts'}: {size} changed."
    label = "a0" if size == 1 else "a0, a1, a2 and 27 more"
    assert lines[2:4] == [f"{'host'.ljust(len(label))}  ok  changed  kept  unavailable", lines[3]]
    assert lines[3].split() == [*label.split(), "1", "1", "0", "0"]
    assert lines[4] == ""


def test_who_fails_once_has_failed_and_is_named_once() -> None:
    fell = summary.Outcome("a", summary.FAILED, False, {"msg": "Refused.", "name": "web_server"})
    lines = texts(
        outcome("a", OK),
        fell,
        fell,
        summary.Outcome("b", summary.UNREACHABLE, False, {"msg": "Gone."}),
        outcome("b", OK),
    )
    assert lines[0] == "Apply of web_server on 2 hosts: 1 failed, 1 unreachable."
    assert lines[2:5] == ["host  ok  changed  kept  unavailable", "a     FAILED", "b     UNREACHABLE"]
    assert section(lines, "Failed: a") == ["  Refused."]


def test_the_table() -> None:
    entries = [
        OK,
        CHANGED,
        limit("kept"),
        *(setting(f"k.{status}", status) for status in ("removed", "unknown", "needs_module")),
        *(setting(f"k.{status}", status) for status in ("not_namespaced", "read_only", "no_effect")),
    ]
    lines = texts(
        outcome("web10", *entries),
        outcome("web2", OK),
        summary.Outcome("web1", summary.UNREACHABLE, False, {"msg": "m"}),
    )
    assert lines[2:6] == [
        "host   ok  changed  kept  unavailable",
        "web1   UNREACHABLE",
        "web2    1        0     0            0",
        "web10   1        1     1            6",
    ]


def test_the_table_of_an_audit() -> None:
    lines = texts(outcome("a", CHANGED, setting("k.k", "refused"), check=True))
    assert lines[2:4] == [
        "host  ok  would change  kept  unavailable  refused",
        "a      0             1     0            0        1",
    ]


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (CHANGED, "  net.ipv4.tcp_fin_timeout  60 -> 30"),
        (
            setting("k.k", "changed", live={"before": None, "after": "1"}),
            "  k.k  none -> 1",
        ),
        (
            setting("k.k", "changed", live={"before": "30", "after": "30"}),
            "  k.k  30 already, now kept across reboots",
        ),
        (
            setting(
                "k.k",
                "changed",
                live={"before": "30", "after": "30"},
                file={"path": FILE, "before": "9", "after": "30"},
            ),
            f"  k.k  30 already, in {FILE} 9 -> 30",
        ),
        (limit("changed"), "  * nofile  soft none -> 65535"),
        (
            limit("changed", before={"soft": 1, "hard": 2}, after={"soft": 1, "hard": "unlimited"}),
            "  * nofile  hard 2 -> unlimited",
        ),
    ],
)
def test_what_changed(entry: dict[str, t.Any], line: str) -> None:
    assert section(texts(outcome("a", entry)), "Changed") == [line]


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (CHANGED, "  net.ipv4.tcp_fin_timeout  wanted 30: live 60, file none, boot kernel default"),
        (
            setting("k.k", "changed", file={"path": FILE, "before": "30", "after": "30"}, boot={"before": "45"}),
            "  k.k  wanted 30: live 60, file 30, boot 45",
        ),
        (
            setting(
                "k.k",
                "changed",
                file={"path": FILE, "before": "30", "after": "30"},
                boot={"before": "45", "winner_before": "/etc/sysctl.d/99-z.conf:3"},
            ),
            "  k.k  wanted 30: live 60, file 30, boot 45 (/etc/sysctl.d/99-z.conf:3)",
        ),
        (
            limit("changed"),
            "  * nofile  wanted soft >= 65535, hard >= 65535: rule soft none, hard none; a new session gets soft 65535, "
            "hard 524288",
        ),
    ],
)
def test_what_an_audit_found(entry: dict[str, t.Any], line: str) -> None:
    assert section(texts(outcome("a", entry, check=True), width=140), "Would change") == [line]


def test_changes_are_grouped_by_key_and_hosts_are_named() -> None:
    other = setting("net.ipv4.tcp_fin_timeout", "changed", live={"before": "45", "after": "30"})
    hosts = [outcome(f"web{number}", CHANGED) for number in range(1, 6)]
    assert section(texts(*hosts), "Changed") == ["  net.ipv4.tcp_fin_timeout  60 -> 30 (all 5 hosts)"]
    assert section(texts(*hosts, outcome("db", other)), "Changed") == [
        "  net.ipv4.tcp_fin_timeout  60 -> 30 (on web1, web2, web3 and 2 more)",
        "  net.ipv4.tcp_fin_timeout  45 -> 30 (on db)",
    ]


def test_the_unavailable_with_reasons() -> None:
    entry = setting("net.core.netdev_max_backlog", "not_namespaced", reason=HOST_ONLY)
    gone = setting("k.k", "removed")
    warnings = [f"net.core.netdev_max_backlog: {HOST_ONLY}.", "k.k: at boot /etc/sysctl.d/zz.conf:1 wins."]
    lines = texts(outcome("a", entry, gone, warnings=warnings), outcome("b", entry), width=120)
    assert section(lines, "Could not be set here") == [
        "  k.k                          the kernel does not have this key any more (on a)",
        f"  net.core.netdev_max_backlog  {HOST_ONLY} (all 2 hosts)",
    ]
    # What that section says is not said again.
    assert section(lines, "Warnings") == ["  k.k: at boot /etc/sysctl.d/zz.conf:1 wins. (on a)"]


@pytest.mark.parametrize(
    ("need", "line"),
    [
        ("new_session", "  New limits hold in new login sessions: log out and in again"),
        (
            "restart:nginx.service",
            "  nginx.service keeps its old limits until it is restarted: systemctl restart nginx.service",
        ),
        ("reboot", "  The host must be rebooted"),
        ("something new", "  something new"),
    ],
)
def test_what_is_needed(need: str, line: str) -> None:
    assert section(texts(outcome("a", CHANGED, needs=[need])), "Before all of it holds") == [line]
    assert section(texts(outcome("a", CHANGED, needs=[need], check=True)), "Needed after an apply") == [line]


def test_failures_in_full_and_once() -> None:
    failed = {
        "msg": "The kernel refused 30.\nSecond line.",
        "undone": ["k.k is 60 again."],
        "not_undone": ["j.j stays 1."],
    }
    lines = texts(
        *(outcome(host, CHANGED, state=summary.FAILED, **failed) for host in "ab"),
        summary.Outcome("c", summary.UNREACHABLE, False, {"msg": "No route."}),
    )
    assert section(lines, "Failed: a, b") == [
        "  The kernel refused 30.",
        "  Second line.",
        "  Put back as it was:",
        "    - k.k is 60 again.",
        "  NOT put back:",
        "    - j.j stays 1.",
    ]
    assert section(lines, "Unreachable: c") == ["  No route."]
    # What was undone is no change.
    assert "Changed" not in lines


LOOKUP = "There is no profile 'x'. Known are a and b."


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"msg": "Plain."}, "Plain."),
        ({}, "no reason was given"),
        ({"msg": "Task failed: No route to host."}, "No route to host."),
        (
            {
                "msg": "Task failed: Finalization of task args for 'tunefleet.linux.profile' failed: Error while resolving value for "
                f"'name': The lookup plugin 'tunefleet.linux.profile' failed: {LOOKUP}"
            },
            LOOKUP,
        ),
        (
            {
                "msg": "An unhandled exception occurred while templating '{{ x }}'. Error was a <class "
                f"'ansible.errors.AnsibleLookupError'>, original message: {LOOKUP}"
            },
            LOOKUP,
        ),
        (
            {"msg": "MODULE FAILURE", "module_stdout": "", "module_stderr": "Traceback\n  File x\nKeyError: 'a'\n"},
            "MODULE FAILURE\nKeyError: 'a'",
        ),
        (
            {"msg": "MODULE FAILURE", "module_stdout": "/bin/sh: python3: not found"},
            "MODULE FAILURE\n/bin/sh: python3: not found",
        ),
    ],
)
def test_messages_without_wrapping(result: dict[str, t.Any], expected: str) -> None:
    assert summary.plain_message(result) == expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (outcome("a", OK, CHANGED), summary.Line("a: 1 ok, 1 changed", summary.CHANGE)),
        (outcome("a", OK, CHANGED, check=True), summary.Line("a: 1 ok, 1 would change", summary.CHANGE)),
        (outcome("a", OK, limit("kept")), summary.Line("a: 1 ok, 1 kept", summary.GOOD)),
        (outcome("a"), summary.Line("a: nothing to do", summary.GOOD)),
        (
            summary.Outcome("a", summary.FAILED, False, {"msg": "First.\nSecond."}),
            summary.Line("a: failed: First. Second.", summary.BAD),
        ),
        (
            summary.Outcome("a", summary.UNREACHABLE, False, {"msg": "word " * 30}),
            summary.Line("a: unreachable: word word word ...", summary.BAD),
        ),
    ],
)
def test_progress(seen: summary.Outcome, expected: summary.Line) -> None:
    assert summary.progress(seen, width=35) == expected


def test_progress_names_the_profile_of_a_host_that_had_one_already() -> None:
    assert summary.progress(outcome("a", OK), again=True).text == "a (web_server): 1 ok"
    assert (
        summary.progress(summary.Outcome("a", summary.FAILED, False, {"msg": "m"}), again=True).text == "a: failed: m"
    )


def test_commands_are_not_wrapped() -> None:
    command = "ansible-playbook " + "x" * 200
    lines = summary.render([outcome("a", OK)], 60, [("short", "make audit"), ("longer", command)])
    assert [line.text for line in lines[-3:]] == ["To look closer", "  short   make audit", f"  longer  {command}"]


@pytest.mark.parametrize("width", [60, 100, 140])
def test_lines_fit(width: int) -> None:
    lines = texts(
        outcome(
            "a",
            CHANGED,
            limit("changed"),
            setting("k.k", "removed", reason="word " * 60),
            warnings=["word " * 60],
            check=True,
        ),
        summary.Outcome("b", summary.FAILED, True, {"msg": "word " * 60}),
        width=width,
    )
    assert max(map(len, lines)) <= width


def test_headings_and_tones() -> None:
    lines = summary.render([outcome("a", CHANGED, setting("k.k", "removed"), needs=["reboot"])])
    assert summary.Line("Changed", summary.HEAD) in lines
    assert summary.Line("  net.ipv4.tcp_fin_timeout  60 -> 30", summary.CHANGE) in lines
    assert summary.Line("  The host must be rebooted", summary.WARN) in lines


def fleet(size: int, differing: bool) -> list[summary.Outcome]:
    """A fleet whose hosts are alike, or in which no two have the same numbers, values, warnings and messages."""
    hosts = []
    for number in range(size):
        odd = number if differing else 0
        entries = [
            setting(f"net.k{key}", "changed", live={"before": str(odd + 60), "after": str(odd + 30)})
            for key in range(25)
        ]
        entries += [setting(f"gone.k{key}", "removed", reason=f"reason {odd}") for key in range(odd)]
        if number % 10:
            hosts.append(
                outcome(f"web{number:03}", *entries, warnings=[f"warning {odd}"], needs=[f"restart:u{odd}.service"])
            )
        else:
            hosts.append(
                summary.Outcome(
                    f"web{number:03}", summary.FAILED, False, {"msg": f"message {odd}", "name": "web_server"}
                )
            )
    return hosts


def test_a_large_fleet_of_equals_is_a_short_report() -> None:
    lines = texts(*fleet(400, differing=False))
    assert len(lines) < 60
    assert lines[0] == "Apply of web_server on 400 hosts: 360 changed, 40 failed."
    assert lines[2:5] == [
        "host                                 ok  changed  kept  unavailable",
        "web000, web010, web020 and 37 more   FAILED",
        "web001, web002, web003 and 357 more   0       25     0            0",
    ]
    assert "  net.k0   60 -> 30 (on web001, web002, web003 and 357 more)" in lines


def test_a_large_fleet_of_all_sorts_has_an_end() -> None:
    lines = texts(*fleet(400, differing=True))
    assert len(lines) < 700
    assert "and 341 hosts with other numbers" in lines
    assert "and 20 hosts with other problems" in lines
    assert any("more kinds on 357 hosts" in line for line in lines)


def test_what_the_caller_preferred_is_told() -> None:
    losers = [{"profile": "nat_gateway", "wanted": "1800", "why": "W.", "source": []}]
    limits = [{"profile": "a", "wanted": "soft >= 9"}, {"profile": "b", "wanted": "hard 7"}]
    lines = [
        line.text
        for line in summary.render(
            [
                outcome(
                    "web1",
                    setting("net.ipv4.tcp_keepalive_time", "ok", wanted="1200", instead_of=losers),
                    limit("kept", wanted={"soft": ">= 5", "hard": None}, instead_of=limits),
                    setting("fs.nr_open", "ok"),
                )
            ]
        )
    ]
    place = lines.index("Instead of what a profile wants")
    assert lines[place + 1 : place + 3] == [
        "  * nofile                     soft >= 5 in place of soft >= 9 (a), hard 7 (b)",
        "  net.ipv4.tcp_keepalive_time  1200 in place of 1800 (nat_gateway)",
    ]
    assert lines[place + 3 :] == [] or lines[place + 3] == ""
    assert not any("Instead" in line.text for line in summary.render([outcome("web1", setting("fs.nr_open", "ok"))]))


def test_a_number_that_depends_on_the_host_is_shown_with_its_arithmetic() -> None:
    sized = setting("k.k", "changed", wanted=">= 30 (15 per GiB x 2 GiB)", arithmetic="15 per GiB x 2 GiB")
    rule = limit("changed", wanted={"soft": ">= 65535 (8192 per GiB x 8 GiB, at most 65535)", "hard": None})
    assert "  k.k  60 -> 30 (15 per GiB x 2 GiB)" in texts(outcome("a", sized))
    assert "  * nofile  soft none -> 65535 (8192 per GiB x 8 GiB, at most 65535)" in texts(outcome("a", rule))
    drift = [line for line in texts(outcome("a", sized, check=True)) if line.startswith("  k.k")]
    assert drift[0].startswith("  k.k  wanted >= 30 (15 per GiB x 2 GiB): live 60")


def test_what_connections_cost_is_told_once() -> None:
    text = "10000 connections may take 1.4 GiB of kernel memory."
    lines = texts(outcome("a", setting("k.k", "ok"), cost={"text": text}, check=True))
    assert lines[lines.index("Memory for connections") + 1] == "  " + text
    lines = texts(
        outcome("a", setting("k.k", "ok"), cost={"text": text}, warnings=[text + " That is above 50 percent."])
    )
    assert "Memory for connections" not in lines and "  " + text + " That is above 50 percent." in lines


def test_an_empty_value_is_a_word() -> None:
    live = {"before": "", "after": "8080"}
    lines = summary.render([outcome("web1", setting("net.ipv4.ip_local_reserved_ports", "changed", live=live))])
    assert summary.Line("  net.ipv4.ip_local_reserved_ports  none -> 8080", summary.CHANGE) in lines


# -- batches ----------------------------------------------------------------------------------------------------------------

HOSTS = ("web1", "web2", "web3", "web4", "web5")


def stopped() -> tuple[list[summary.Outcome], list[summary.Batch]]:
    """The canary is well, of the second batch one host is not, and one cannot be reached any more."""
    outcomes = [outcome(host, CHANGED) for host in ("web1", "web2", "web3")]
    outcomes.append(outcome("web4", state=summary.UNREACHABLE, msg="Connection refused"))
    ended = {"web2": "reverted", "web3": "reverted", "web4": "NOT reverted"}
    problems = {"web3": "the check fails now", "web4": "it cannot be reached"}
    batches = [
        summary.Batch(["web1"], HOSTS, {"web1": "applied"}),
        summary.Batch(["web2", "web3", "web4"], HOSTS, ended, problems),
    ]
    return summary.rolled_out(outcomes, batches), batches


def test_a_roll_out_that_was_stopped_says_what_happened_where() -> None:
    outcomes, batches = stopped()
    lines = [line.text for line in summary.render(outcomes, batches=batches)]
    assert lines[0] == ("Apply of web_server on 5 hosts: 1 changed, 1 failed, 1 unreachable, 1 reverted, 1 not begun.")
    assert section(lines, "Batches") == [
        "  1  applied: web1",
        "  2  reverted: web2, web3; NOT reverted: web4",
        "  -  not begun: web5",
    ]
    assert section(lines, "Failed: web3") == ["  The check fails now"]
    assert section(lines, "Unreachable: web4") == ["  It cannot be reached"]
    assert section(lines, "Changed") == ["  net.ipv4.tcp_fin_timeout  60 -> 30 (on web1)"]
    assert "web2  REVERTED" in lines and "web5  NOT BEGUN" in lines
    assert "Reverted: web2" not in lines and "Not begun: web5" not in lines


def test_the_line_of_a_batch() -> None:
    batches = stopped()[1]
    assert summary.batch_progress(batches[0], 1) == summary.Line("Batch 1: applied: web1", summary.GOOD)
    assert summary.batch_progress(batches[0], 1, check=True) == summary.Line(
        "Batch 1: would be applied: web1", summary.GOOD
    )
    assert summary.batch_progress(batches[1], 2) == summary.Line(
        "Batch 2: reverted: web2, web3; NOT reverted: web4", summary.BAD
    )


def test_check_mode_shows_the_batches_that_would_be() -> None:
    outcomes = [outcome(host, CHANGED, check=True) for host in HOSTS]
    batches = [
        summary.Batch(HOSTS[:1], HOSTS, {"web1": "applied"}),
        summary.Batch(HOSTS[1:], HOSTS, dict.fromkeys(HOSTS[1:], "applied")),
    ]
    lines = [line.text for line in summary.render(summary.rolled_out(outcomes, batches), batches=batches)]
    assert section(lines, "Batches") == [
        "  1  would be applied: web1",
        "  2  would be applied: web2, web3, web4 and 1 more",
    ]


def test_batches_of_a_play_without_a_gate_are_told_by_what_came_of_their_hosts() -> None:
    outcomes = [outcome("web1", CHANGED), outcome("web2", state=summary.FAILED, msg="Refused.")]
    batches = [summary.Batch(HOSTS[:1], HOSTS), summary.Batch(HOSTS[1:3], HOSTS)]
    final = summary.rolled_out(outcomes, batches)
    assert final[:2] == outcomes and [(one.host, one.state) for one in final[2:]] == [
        ("web4", "not begun"),
        ("web5", "not begun"),
    ]
    lines = [line.text for line in summary.render(final, batches=batches)]
    assert section(lines, "Batches") == [
        "  1  applied: web1",
        "  2  failed: web2; not touched: web3",
        "  -  not begun: web4, web5",
    ]
