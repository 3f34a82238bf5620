# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fleets for the tests of the reports: small ones by hand, large ones by number, and hostile ones."""

from __future__ import annotations

import random
import typing as t

from ansible_collections.tunefleet.linux.plugins.plugin_utils._console import summary
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import model as profile_model
from ansible_collections.tunefleet.linux.plugins.plugin_utils._report import fleet as fleet_report

FILE = "/etc/sysctl.d/99-tunefleet.conf"
FIN, SOMAXCONN, FACK = "net.ipv4.tcp_fin_timeout", "net.core.somaxconn", "net.ipv4.tcp_fack"
SOURCES = {
    "memo_ko": profile_model.Source("Korean memo", "memo.txt"),
    "kernel_ip": profile_model.Source("IP sysctl", "https://docs.kernel.org/ip"),
}


def setting(key: str = FIN, status: str = "ok", found: str | None = "30", **fields: t.Any) -> dict[str, t.Any]:
    """What the module returns about a key of which 30 is wanted; with another value it drifted, live and for the next boot."""
    same = found == "30"
    entry: dict[str, t.Any] = {
        "key": key,
        "status": status,
        "wanted": "30",
        "reason": None,
        "live": {"before": found, "after": "30"},
        "file": {"path": FILE, "before": "30" if same else None, "after": "30"},
        "boot": {
            "before": "30" if same else None,
            "winner_before": f"{FILE}:2" if same else "kernel default",
            "value": "30",
            "winner": f"{FILE}:2",
            "ours": True,
        },
        "shadowed": False,
        "why": f"why {key}",
        "source": ["memo_ko:45", "kernel_ip"],
    }
    return {**entry, **fields}


def limit(status: str = "ok", **fields: t.Any) -> dict[str, t.Any]:
    here = {"soft": None if status == "changed" else 65535, "hard": None}
    entry: dict[str, t.Any] = {
        "target": {"domain": "*"},
        "item": "nofile",
        "status": status,
        "wanted": {"soft": ">= 65535", "hard": ">= 65535"},
        "reason": None,
        "before": here,
        "after": {"soft": 65535, "hard": None},
        "effective": {"soft": 65535, "hard": 524288},
        "shadowed_by": None,
        "why": "Every connection is a file.",
        "source": ["memo_ko:13"],
    }
    return {**entry, **fields}


def host(where: str, *settings: dict[str, t.Any], state: str = summary.DONE, **result: t.Any) -> summary.Outcome:
    limits = [one for one in settings if "item" in one]
    keys = [one for one in settings if "key" in one]
    return summary.Outcome(where, state, True, {"name": "web_server", "settings": keys, "limits": limits, **result})


def lost(name: str, message: str = "no route to host", state: str = summary.UNREACHABLE) -> summary.Outcome:
    return summary.Outcome(name, state, True, {"msg": message})


def mixed() -> list[summary.Outcome]:
    """One of each kind: drift of several kinds, a kept value, one that is gone, a failure, a host that is not reached."""
    gone = setting(FACK, "removed", None, live={}, file={}, boot={}, reason="removed in Linux 4.15")
    kept = setting(SOMAXCONN, "kept", "30", reason="the live value 30 satisfies it")
    return [
        host("web10", setting(found="60", status="changed"), kept, gone, limit()),
        host("web2", setting(), kept, gone, limit("changed"), needs=["new_session"], warnings=["be careful"]),
        host("web1", setting(), setting(SOMAXCONN), gone, limit()),
        lost("db1"),
        lost("db2", "'abc' is not an integer.", summary.FAILED),
    ]


def fleet(outcomes: list[summary.Outcome] | None = None, time: str | None = None) -> fleet_report.Data:
    return fleet_report.build(mixed() if outcomes is None else outcomes, SOURCES, time)


def large(hosts: int, settings: int, seed: int = 1) -> list[summary.Outcome]:
    """Many hosts of which some drifted in a few settings."""
    draw = random.Random(seed)
    made = []
    for number in range(1, hosts + 1):
        drifted = set(draw.sample(range(settings), 3)) if draw.random() < 0.1 else set()
        entries = [
            setting(f"net.ipv4.conf.eth0.key_{index}", "changed", str(draw.choice([60, 61])))
            if index in drifted
            else setting(f"net.ipv4.conf.eth0.key_{index}", "kept" if index % 9 == 5 else "ok")
            for index in range(settings)
        ]
        made.append(lost(f"web{number}") if number % 83 == 0 else host(f"web{number}", *entries))
    return made


HOSTILE = [
    "<script>alert(1)</script>",
    "</title></style><img src=x onerror=alert(1)>",
    "\"'><svg/onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "]]></failure><failure>&lt;&amp;",
    "\x00\x01\x1b[31m\x7f\x9b\ufffe\uffff",
    "\ud800\udfff",
    "admin\u202egnp.exe\u2066\u200f\u200b\ufeff",
    "שלום",
    "javascript:alert(1)",
    "a\r\nb\u2028c",
    "x" * 3000,
]


def hostile() -> list[summary.Outcome]:
    """Hosts that put the same evil text everywhere they can."""
    made = []
    for number, evil in enumerate(HOSTILE):
        entry = setting(
            evil,
            "changed",
            evil,
            wanted=evil,
            reason=evil,
            why=evil,
            source=[evil],
            file={"path": evil, "before": evil, "after": None},
            boot={"before": evil, "winner_before": evil, "value": "x", "winner": evil},
            shadowed=True,
        )
        rule = limit("changed", target={evil: evil}, item=evil, before={"soft": evil, "hard": evil}, shadowed_by=evil)
        gone = setting(evil + ".gone", "removed", None, reason=evil)
        made.append(host(evil, entry, rule, gone, name=evil, needs=[evil], warnings=[evil, {"msg": evil}]))
        made.append(lost(f"{number} {evil}", evil))
    return made
