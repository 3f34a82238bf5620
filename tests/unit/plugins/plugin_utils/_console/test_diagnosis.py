# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

from ansible_collections.tunefleet.linux.plugins.plugin_utils._console import diagnosis, summary

SOMAXCONN = {"key": "net.core.somaxconn", "live": "8", "suggested": "8192", "profile": "web_server"}


def advice(kind: str = "queue", **fields: t.Any) -> dict[str, t.Any]:
    return {
        "id": kind,
        "title": f"The {kind} overflows",
        "severity": "loss",
        "subject": "10.0.0.1:80",
        "evidence": "5 dropped",
        "kernel_helps": True,
        "settings": [SOMAXCONN],
        "meaning": "Because.",
        "remedy": "Raise it.",
        "cost": "Nothing.",
        **fields,
    }


def outcome(host: str, *given: dict[str, t.Any], seconds: float = 5.0, unseen: t.Sequence[str] = ()) -> summary.Outcome:
    return summary.Outcome(host, result={"advice": list(given), "seconds": seconds, "unseen": list(unseen)})


def texts(*outcomes: summary.Outcome, width: int = 100) -> list[str]:
    return [line.text for line in diagnosis.render(outcomes, width)]


def test_a_calm_host_says_so_in_one_line() -> None:
    assert diagnosis.render([outcome("web1")]) == [
        summary.Line(
            "Diagnosis of 1 host over 5 s: calm. Nothing was lost, and nothing is nearly used up.", summary.GOOD
        )
    ]


def test_a_calm_fleet_says_so_in_one_line() -> None:
    lines = texts(*(outcome(f"web{number}", seconds=5 + number / 10) for number in range(400)))
    assert lines == ["Diagnosis of 400 hosts over 44.9 s: calm. Nothing was lost, and nothing is nearly used up."]


def test_one_host_under_pressure() -> None:
    assert diagnosis.render([outcome("web1", advice())]) == [
        summary.Line("Diagnosis of 1 host over 5 s: 1 under pressure.", summary.WARN),
        summary.Line(""),
        summary.Line("The queue overflows (queue)", summary.HEAD),
        summary.Line("  10.0.0.1:80: 5 dropped", summary.BAD),
        summary.Line("  Why       Because."),
        summary.Line("  Limit     net.core.somaxconn is 8; 8192 would help, as in the profile web_server"),
        summary.Line("  To do     Raise it."),
        summary.Line("  Costs     Nothing."),
    ]


def test_what_was_not_lost_yet_is_a_warning_and_comes_last() -> None:
    lines = diagnosis.render([outcome("web1", advice("ports", severity="near", subject=""), advice("queue"))])
    assert [line.text for line in lines if line.tone == summary.HEAD] == [
        "The queue overflows (queue)",
        "The ports overflows (ports)",
    ]
    assert summary.Line("  5 dropped", summary.WARN) in lines


def test_hosts_with_the_same_trouble_are_told_once_what_to_do() -> None:
    lines = texts(outcome("web10", advice()), outcome("web9", advice(evidence="7 dropped")), outcome("db1"))
    assert lines[0] == "Diagnosis of 3 hosts over 5 s: 2 under pressure, 1 calm."
    assert lines[3:5] == ["  web9: 10.0.0.1:80: 7 dropped", "  web10: 10.0.0.1:80: 5 dropped"]
    assert sum("To do" in line for line in lines) == 1
    assert "  Limit     net.core.somaxconn is 8; 8192 would help, as in the profile web_server" in lines


def test_different_values_are_told_with_their_hosts() -> None:
    other = {**SOMAXCONN, "live": "9000", "suggested": "18000", "profile": None}
    hidden = {**SOMAXCONN, "live": None, "suggested": None}
    lines = texts(
        outcome("web1", advice()), outcome("web2", advice(settings=[other])), outcome("web3", advice(settings=[hidden]))
    )
    at = lines.index("  Limit     net.core.somaxconn is 8; 8192 would help, as in the profile web_server (on web1)")
    assert lines[at + 1 : at + 3] == [
        "            net.core.somaxconn is 9000; 18000 would help (on web2)",
        "            net.core.somaxconn cannot be seen here (on web3)",
    ]


def test_where_no_kernel_setting_helps_it_says_so() -> None:
    shown = {**SOMAXCONN, "suggested": None, "profile": None}
    lines = texts(outcome("web1", advice(settings=[shown], kernel_helps=False)))
    at = lines.index("  Limit     net.core.somaxconn is 8")
    assert lines[at + 1] == "            no kernel setting helps here"
    assert "  Limit     no kernel setting helps here" in texts(outcome("web1", advice(settings=[], kernel_helps=False)))


def test_without_a_setting_there_is_no_limit_to_tell() -> None:
    assert not any("Limit" in line for line in texts(outcome("web1", advice(settings=[]))))


def test_failures_and_what_was_not_seen() -> None:
    lost = summary.Outcome("web3", summary.UNREACHABLE, result={"msg": "Connection\nrefused."})
    broken = summary.Outcome("web2", summary.FAILED, result={"msg": "No."})
    hidden = "/proc/net/netstat cannot be read here"
    lines = texts(lost, broken, outcome("web1", unseen=[hidden]))
    assert lines == [
        "Diagnosis of 3 hosts over 5 s: 1 calm, 1 failed, 1 unreachable.",
        "",
        "Failed",
        "  web2: No.",
        "  web3: Connection refused.",
        "",
        "Not seen, and not judged",
        f"  web1: {hidden}",
    ]
    assert diagnosis.render([lost])[0] == summary.Line("Diagnosis of 1 host: 1 unreachable.", summary.BAD)


def test_the_length_is_bounded() -> None:
    fleet = []
    for number in range(400):
        setting = {**SOMAXCONN, "live": str(number)}
        fleet.append(outcome(f"web{number}", advice(settings=[setting]), advice("ports"), unseen=[f"file {number}"]))
    lines = texts(*fleet)
    assert len(lines) < 100
    assert f"  and {400 - diagnosis.MAX_ROWS} more, on web20, web21, web22 and 377 more" in lines
    assert "            and 390 other values" in lines and "  and 390 more" in lines


def test_lines_fit() -> None:
    lines = texts(
        outcome("web1", advice(meaning="word " * 60)), outcome("web2", advice(evidence="word " * 60)), width=60
    )
    assert max(map(len, lines)) <= 60


def test_a_line_as_soon_as_a_host_is_through() -> None:
    assert diagnosis.progress(outcome("web1")) == summary.Line("web1: calm", summary.GOOD)
    assert diagnosis.progress(outcome("web1", advice(), advice(), advice("ports"))) == summary.Line(
        "web1: queue, ports", summary.WARN
    )
    failed = summary.Outcome("web1", summary.FAILED, result={"msg": "No. " * 60})
    assert (
        diagnosis.progress(failed, 60).text.startswith("web1: failed: No. No.")
        and len(diagnosis.progress(failed, 60).text) <= 60
    )
