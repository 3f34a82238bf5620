# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tunefleet.linux.plugins.plugin_utils._console import explain
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import model as profile_model

FIN = "net.ipv4.tcp_fin_timeout"
SOURCES = {
    "memo_ko": profile_model.Source("Korean memo", "memo.txt"),
    "kernel_ip": profile_model.Source("IP sysctl", "https://k"),
}
QUOTES = {
    "memo_ko": {55: profile_model.Quote("tcp_fin_timeout=10"), 101: profile_model.Quote("원래 30", "30 as it was")}
}


def profile(name: str, extends: tuple[str, ...] = (), **fields: t.Any) -> profile_model.Profile:
    return profile_model.Profile(name=name, path=f"{name}.yml", title=name, summary="S", extends=extends, **fields)


def fin(amount: int, *source: str, why: str = "Because.", hazard: str = "") -> dict[str, profile_model.Setting]:
    return {
        FIN: profile_model.Setting(
            profile_model.Wish(profile_model.VALUE, amount), profile_model.Reason(why, source, hazard)
        )
    }


FILES = profile_model.Limit(
    profile_model.Wish(profile_model.AT_LEAST, 65535),
    profile_model.Wish(profile_model.AT_LEAST, 65535),
    profile_model.Reason("Files.", ("memo_ko:13",)),
)
PROFILES = {
    one.name: one
    for one in (
        profile("memo_ko", sysctl=fin(30, "memo_ko:55", "memo_ko:101", why="Line 55 says 10.", hazard="Cuts off.")),
        profile(
            "web",
            sysctl=fin(20, "memo_ko:138", "book:3", "kernel_ip"),
            sources={"book": profile_model.Source("Book", "b")},
        ),
        profile("proxy", extends=("web",), limits={("*", "nofile"): FILES}),
        profile(
            "two",
            sysctl={
                key: profile_model.Setting(profile_model.Wish(profile_model.VALUE, 1), profile_model.Reason("W."))
                for key in ("a.twice", "b.twice")
            },
        ),
        profile(
            "own",
            sysctl={
                "net.ipv4.tcp_own_key": profile_model.Setting(
                    profile_model.Wish(profile_model.VALUE, 1), profile_model.Reason("Own.", ("kernel_ip",))
                )
            },
        ),
    )
}


def seen(
    live: str | None = "60", file: str | None = None, status: str = "ok", reason: str | None = None, **boot: t.Any
) -> dict[str, t.Any]:
    return {
        "settings": [
            {
                "key": FIN,
                "status": status,
                "reason": reason,
                "live": {"before": live, "after": live},
                "file": {"path": "/etc/sysctl.d/99-tunefleet.conf", "before": file, "after": file},
                "boot": {"value": None, "winner": "kernel default", "ours": False, **boot},
                "files": ["/etc/sysctl.conf:3"] if boot else [],
            }
        ]
    }


def lines(name: str = FIN, hosts: dict[str, t.Any] | None = None, width: int = 80) -> list[str]:
    return explain.explain(
        explain.topic_of(name, PROFILES), PROFILES, explain.Texts(SOURCES, QUOTES), hosts or {}, width
    )


def section(page: list[str], heading: str) -> list[str]:
    begin = page.index(heading) + 1
    end = page.index("", begin) if "" in page[begin:] else len(page)
    return page[begin:end]


def test_what_it_does_comes_from_the_catalog() -> None:
    page = lines()
    assert page[0] == FIN
    assert "  How long a closed connection waits for the FIN of the other side." in page
    assert "  default   60" in page
    assert "  scope     each network namespace, and so each container, has its own" in page
    page = lines("net.ipv4.tcp_tw_recycle", {"a": {}})
    assert "  gone      since Linux 4.12" in page
    assert any(line.startswith("  ignored   since Linux 4.15") for line in lines("net.ipv4.tcp_fack", {"a": {}}))


def test_each_document_with_its_lines_and_what_it_says_there() -> None:
    assert section(lines(), "What the documents say") == [
        "  book: Book",
        "    line 3",
        "  memo_ko: Korean memo",
        "    line 55   tcp_fin_timeout=10",
        "    line 101  30 as it was",
        "              (원래 30)",
        "    line 138",
    ]


def test_each_profile_with_its_wish_and_reason() -> None:
    """Those that are there to be compared with come last."""
    assert section(lines(), "What the profiles want") == [
        "  web: 20",
        "    Because.",
        "    Source: memo_ko:138, book:3, kernel_ip",
        "    Also part of proxy.",
    ]
    assert section(lines(), "Word for word, to compare hosts with") == [
        "  memo_ko: 30",
        "    Line 55 says 10.",
        "    HAZARD: Cuts off.",
        "    Source: memo_ko:55, memo_ko:101",
    ]
    assert section(lines("vm.swappiness"), "What the profiles want") == ["  No profile speaks of it."]
    assert "Word for word, to compare hosts with" not in lines("vm.swappiness")


def test_hosts_that_have_the_same_share_a_part() -> None:
    shadowed = seen(
        "30",
        "30",
        reason="the live value 30 differs from the effective value after boot, 60",
        value="60",
        winner="/etc/x:1",
    )
    hosts = {"b": seen(), "a": seen(), "c": shadowed, "d": {"unreachable": True, "msg": "Timed out."}}
    page = lines(hosts=hosts)
    assert section(page, "What a and b have") == [
        "  live      60",
        "  on file   none in /etc/sysctl.d/99-tunefleet.conf",
        "  at boot   kernel default",
    ]
    assert section(page, "What c has") == [
        "  live      30",
        "  on file   30 in /etc/sysctl.d/99-tunefleet.conf",
        "  at boot   60, from /etc/x:1",
        "  lines     /etc/sysctl.conf:3",
        "  note      the live value 30 differs from the effective value after boot, 60",
    ]
    assert section(page, "What d has") == ["  unknown   it could not be asked: Timed out."]
    many = lines(hosts={f"web{number}": seen() for number in range(400)})
    assert "What web0, web1, web10, web100 and 396 more have" in many


def test_what_the_readers_of_the_files_do_not_agree_on() -> None:
    others = [{"reader": "procps 4.0.4", "value": "5", "winner": "/etc/sysctl.conf:1"}]
    page = section(lines(hosts={"a": seen(value="6", winner="/x:1", others=others)}), "What a has")
    assert "            5, from /etc/sysctl.conf:1, if the host boots with procps 4.0.4" in page


def test_a_key_that_only_hosts_know() -> None:
    page = lines("net.ipv4.tcp_brand_new", {"a": seen()})
    assert page[1] == "  The collection knows no more of it than what the hosts show."
    with pytest.raises(profile_model.ProfileProblem) as caught:
        lines("net.ipv4.tcp_fin_timeuot", {"a": seen(None, status="unknown")})
    assert str(caught.value).startswith(
        "'net.ipv4.tcp_fin_timeuot' is no key that the collection or a host knows; did you mean 'net.ipv4.tcp_fin_timeout'"
    )


def entry(target: dict[str, str], soft: t.Any, hard: t.Any, *rule: str | None, **fields: t.Any) -> dict[str, t.Any]:
    return {
        "target": target,
        "item": "nofile",
        "effective": {"soft": soft, "hard": hard},
        "rule": dict(zip(("soft", "hard"), rule or (None, None))),
        **fields,
    }


def test_a_limit() -> None:
    host = {
        "limits": [
            entry({"domain": "*"}, 4096, 524288, "/etc/security/limits.conf:4", None),
            dict(entry({"domain": "*"}, 1, 1, "/x:1", "/x:1"), item="nproc"),
        ]
    }
    page = lines("nofile", {"a": host, "b": {"limits": []}})
    assert page[1:3] == [
        "  An item of limits.conf(5), counted in open files.",
        "  Rules of limits.conf(5) hold for new login sessions; services take what",
    ]
    assert "  proxy: soft and hard >= 65535 for *" in page
    assert section(page, "What the documents say") == ["  memo_ko: Korean memo", "    line 13"]
    assert section(page, "What a has") == [
        "  sessions  *: soft 4096 (/etc/security/limits.conf:4), hard 524288 (no rule)"
    ]
    assert section(page, "What b has") == ["  sessions  no rule: each has what the program that starts it has"]


def test_the_limit_of_services() -> None:
    """The default of systemd, and each unit with a limit of its own; and what runs still, where that is something else."""
    unit, default = "/etc/systemd/system/web.service.d/a.conf:2", "the default of systemd (DefaultLimitNOFILE)"
    limits = [
        entry({"unit": "web.service"}, 10, 20, unit, unit, live={"soft": 5, "hard": 6}, set_by="the process itself"),
        entry({"unit": "db.service"}, 30, 30, "/db:3", "/db:3", live={"soft": 30, "hard": 30}, set_by="/db:3"),
        entry({"manager": "system"}, 1024, 524288, live={"soft": 1024, "hard": 524288}, set_by=default),
        entry({"unit": "off.service"}, 1, 1, "/off:1", "/off:1", reason="the unit is masked and never starts"),
    ]
    page = lines("nofile", {"a": {"limits": limits}}, width=160)
    assert section(page, "What a has") == [
        "  sessions  no rule: each has what the program that starts it has",
        f"  services  by default: soft 1024, hard 524288 ({default})",
        f"            web.service: soft 10, hard 20 ({unit}); what runs has soft 5, hard 6, set by the process itself",
        "            db.service: soft 30, hard 30 (/db:3)",
        "            off.service: soft 1, hard 1 (/off:1); the unit is masked and never starts",
    ]


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for name in (FIN, "net.ipv4.tcp_rmem", "net.ipv4.ip_forward", "nofile"):
        assert max(map(len, lines(name, {"a": seen()}, width))) <= width


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        (FIN, explain.Topic(explain.SYSCTL, FIN, True)),
        (" net/ipv4/tcp_fin_timeout ", explain.Topic(explain.SYSCTL, FIN, True)),
        ("tcp_fin_timeout", explain.Topic(explain.SYSCTL, FIN, True)),
        ("tcp_own_key", explain.Topic(explain.SYSCTL, "net.ipv4.tcp_own_key", True)),
        ("net.ipv4.conf.eth0.rp_filter", explain.Topic(explain.SYSCTL, "net.ipv4.conf.eth0.rp_filter", True)),
        ("nproc", explain.Topic(explain.LIMIT, "nproc", True)),
    ],
)
def test_names(name: str, topic: explain.Topic) -> None:
    assert explain.topic_of(name, PROFILES) == topic


def test_a_name_that_is_near_to_none_is_offered_none() -> None:
    with pytest.raises(profile_model.ProfileProblem) as caught:
        explain.topic_of("typo", PROFILES)
    assert str(caught.value) == "'typo' is neither a key nor an item of limits.conf(5) that is known."


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("", "The key '' has an empty segment"),
        ("nofiel", "that is known; did you mean 'nofile'"),
        ("tcp_fin_timeuot", "that is known; did you mean 'tcp_fin_timeout'"),
        ("twice", "'twice' is short for several keys: a.twice and b.twice. Name one of them."),
        ("net..x", "empty segment"),
        ("../etc/passwd", "'../etc/passwd'"),
    ],
)
def test_names_that_stand_for_nothing(name: str, text: str) -> None:
    with pytest.raises(profile_model.ProfileProblem) as caught:
        explain.topic_of(name, PROFILES)
    assert text in str(caught.value)
