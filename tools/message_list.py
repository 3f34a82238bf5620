# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes tests/unit/messages.txt: every message once, as a user sees it. With --check, says whether it is out of date."""

from __future__ import annotations

import importlib
import string
import sys
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "tests" / "unit" / "messages.txt"
PLUGINS = ROOT / "plugins"
# A value for each field, as users meet it.
SAMPLES: dict[str, t.Any] = {
    "alternatives": "systemd 257 sets 5 (/etc/sysctl.d/10-a.conf:3), procps 4.0.4 sets 6 (/etc/sysctl.conf:1)",
    "applied": "30",
    "arguments": "restart nginx.service",
    "backlog": "net.ipv4.tcp_max_syn_backlog 8192 (asked for)",
    "before": "4096",
    "boot": "4096",
    "buffers": "net.ipv4.tcp_rmem 4096 131072 33554432 (as the host has it)",
    "call": "Writing",
    "command": "systemctl daemon-reload",
    "connections": 100000,
    "consequence": "logins would fail",
    "cost": "100000 connections may take 14.5 GiB of kernel memory, 60 percent of 24 GiB: ...",
    "count": 2,
    "directory": "/etc/security/limits.d",
    "domain": "1000",
    "entry": "a setting",
    "error": "Permission denied",
    "escaped": "a\\x20b.service",
    "example": "8080,9000-9010",
    "expected": 3,
    "field": "valeu",
    "file": "/etc/pam.d/sshd",
    "file_max": "fs.file-max 32768 (as the host has it)",
    "first": "30",
    "floor": 256,
    "found": "abc",
    "gid": "1000",
    "hard": "524288",
    "hazard": "It breaks clients behind NAT",
    "high": "net.ipv4.neigh.default.gc_thresh2 512 (as the host has it)",
    "highest": 65535,
    "hint": " (the file system is read-only)",
    "interface": "eth1",
    "item": "nofile",
    "kept": "4096",
    "key": "net.core.somaxconn",
    "keys": "net.core.somaxconn",
    "kind": "ports",
    "known": "value, at_least, at_most",
    "legal": " (legal: 0 .. 2147483647 connections)",
    "length": 5000,
    "limit": "nginx.service nofile",
    "line": 7,
    "lines": "'net.core.somaxconn=8192'",
    "live": "8192",
    "low": "net.ipv4.neigh.default.gc_thresh1 4096 (asked for)",
    "lowest": 8192,
    "main": "/etc/security/limits.conf",
    "memory": "24 GiB",
    "missing": "the memory of the host",
    "module": "nf_conntrack",
    "more": " and 3 more",
    "mostly": "the second numbers of net.ipv4.tcp_rmem and net.ipv4.tcp_wmem",
    "names": "web_server,mongodb",
    "needed": "14.5 GiB",
    "note": ": it broke clients behind NAT",
    "nproc": 100,
    "nr_open": 1048576,
    "number": 22,
    "operation": "Reverting profiles",
    "operator": "at_least",
    "option": "connections",
    "order": "before 10-a.conf",
    "other": "net.ipv4.tcp_timestamps 0 (as the host has it)",
    "parts": "buffers to begin with, 100000 x (131072 + 16384) bytes = 13.7 GiB",
    "path": "/etc/sysctl.d/99-tunefleet.conf",
    "percent": 60,
    "phase": "",
    "pid": 4242,
    "pids": "4242",
    "plural": "s",
    "problems": "net.core.somaxconn could not be restored: the kernel rejected '5': Invalid argument.",
    "profile": "web_server",
    "program": "systemd-sysctl",
    "property": "LimitNOFILE",
    "range": "0 .. 2147483647",
    "reader": "systemd 257",
    "reason": "Invalid argument",
    "release": "Linux 4.12",
    "reserved": "net.ipv4.ip_local_reserved_ports 32768-60999 (asked for)",
    "rule": "/etc/security/limits.conf:12",
    "run": "the module profile, applying web_server",
    "second": "45",
    "seconds": 30,
    "service": "sshd",
    "services": "nginx.service, redis.service",
    "share": 50,
    "since": "Linux 6.7",
    "slice": "user-1000.slice",
    "soft": "1048576",
    "start": "net.ipv4.ip_unprivileged_port_start 1024 (as the host has it)",
    "status": 1,
    "suggestion": "; did you mean net.core.somaxconn?",
    "taken": 3,
    "target": "net.ipv4.tcp_tw_recycle",
    "tasks": 50,
    "threads": 40,
    "trial": "3e1c0a52",
    "uid": "1000",
    "unit": "nginx.service",
    "user": "alice",
    "users": "alice (Permission denied)",
    "usual": 32768,
    "value": "4096",
    "version": 3,
    "where": "/etc/sysctl.d/10-a.conf:3",
    "words": "reno cubic",
    "winner": "/etc/sysctl.d/zz.conf:2",
    "written": "5000",
}


# Where one of them would read oddly.
OWN: dict[str, dict[str, t.Any]] = {
    "checks.large_buffers_need_window_scaling": {
        "value": "net.ipv4.tcp_window_scaling 0 (asked for)",
        "keys": "net.ipv4.tcp_rmem",
    },
    "checks.nofile_below_nr_open": {"nr_open": "fs.nr_open 1024 (asked for)", "limit": "/etc/security/limits.conf:12"},
    "checks.port_range_above_privileged_ports": {
        "value": "net.ipv4.ip_local_port_range 1000 65000 (asked for)",
        "lowest": 1024,
    },
    "checks.port_range_not_all_reserved": {"range": "net.ipv4.ip_local_port_range 32768 60999 (as the host has it)"},
    "checks.port_range_reserves_services": {"range": "net.ipv4.ip_local_port_range 10000 65000 (asked for)"},
    "checks.rmem_max_covers_tcp_rmem": {
        "value": "net.core.rmem_max 4194304 (as the host has it)",
        "key": "net.core.rmem_max",
    },
    "checks.somaxconn_serves_syn_backlog": {"value": "net.core.somaxconn 4096 (as the host has it)"},
    "checks.tw_reuse_needs_timestamps": {"value": "net.ipv4.tcp_tw_reuse 1 (asked for)"},
    "checks.wmem_max_covers_tcp_wmem": {
        "value": "net.core.wmem_max 212992 (as the host has it)",
        "key": "net.core.wmem_max",
    },
    "core.minimum_above_maximum": {"low": 5, "high": 4},
    "core.rate_not_positive": {"kind": "per_gib"},
    "core.too_few_terms": {"kind": "largest"},
    "core.unknown_field": {"suggestion": "; did you mean value?"},
    "core.unknown_formula_field": {"kind": "per_gib", "known": "per_gib, min, max"},
    "host.not_a_regular_file": {"kind": "a directory"},
    "host.not_private": {"path": "/var/lib/tunefleet/ledger.json", "found": "owner 1000, mode 0644"},
    "limits.domain_matches_nobody": {"domain": "@"},
    "limits.domain_too_long": {"limit": 256},
    "limits.domain_with_white_space": {"domain": "a b"},
    "limits.item_of_sessions_only": {"item": "maxlogins", "kind": "unit", "known": "core, nofile, nproc"},
    "limits.item_out_of_range": {"legal": "a whole number from -20 to 19", "found": 77},
    "limits.not_an_item_value": {"legal": "a whole number from 0 to 4294967295, or unlimited"},
    "limits.one_target": {"known": "domain, unit, manager, process", "found": "none"},
    "limits.range_reversed": {"domain": "3000:1000"},
    "limits.soft_above_hard": {"consequence": "pam_limits would cut it"},
    "limits.unknown_item": {"item": "nofiles", "known": "core, nofile, nproc", "suggestion": "; did you mean nofile?"},
    "module.comment_too_long": {"limit": 200},
    "module.hazard_not_accepted": {"hazard": "net.ipv4.tcp_tw_recycle has a hazard: It breaks clients behind NAT."},
    "module.reload_failed": {
        "reason": "net.core.somaxconn: 'abc' is not an integer (legal: 0 .. 2147483647). Nothing was written."
    },
    "module.setting_failed": {"reason": "'abc' is not an integer (legal: 0 .. 2147483647). Nothing was written."},
    "pam.item_too_new": {"item": "rttime", "release": "1.7.1"},
    "pam.overridden_by": {"rule": "/etc/security/limits.d/zz.conf:2"},
    "sysctl.exclusive_keys": {"key": "vm.dirty_bytes", "other": "vm.dirty_ratio"},
    "sysctl.not_modelled": {"key": "net/core//somaxconn"},
    "sysctl.out_of_range": {"found": 0, "kind": "kernel's range", "range": "1 .. 127"},
    "sysctl.port_list_too_long": {"limit": 4096},
    "sysctl.text_too_long": {"limit": 4096},
    "sysctl.too_many_characters": {"limit": 20},
    "systemd.line_overridden": {"line": "/etc/systemd/system/nginx.service.d/zz.conf:2"},
    "systemd.no_such_unit": {"suggestion": "; did you mean nginx.service?", "unit": "ngnix.service"},
    "systemd.unit_without_process": {"kind": "target"},
    "transaction.cannot_replan": {"reason": "net.core.somaxconn: the value is missing."},
    "transaction.listed_in": {"key": "net.ipv4.tcp_available_congestion_control"},
    "transaction.field_missing": {"field": "'format'"},
    "transaction.ledger_damaged": {
        "path": "/var/lib/tunefleet/ledger.json",
        "reason": "its format or its checksum is wrong",
    },
    "transaction.ledger_too_new": {"path": "/var/lib/tunefleet/ledger.json", "known": 2},
    "transaction.limit_not_set": {
        "limit": "process nginx nofile",
        "reason": "the kernel rejected it: Operation not permitted",
    },
    "transaction.manager_shows_another": {"found": "1024:4096", "expected": "65535:65535"},
    "transaction.not_applied": {"profile": "mongodb", "applied": "web_server"},
    "transaction.nothing_changed": {"error": "Writing /var/lib/tunefleet/ledger.json failed: No space left on device."},
    "transaction.too_many_files_open": {"limit": 1024},
    "transaction.unit_shows_another": {"found": "1024:4096", "expected": "65535:65535"},
    "transaction.too_many_profiles": {"path": "/var/lib/tunefleet/ledger.json", "count": 50},
}


def texts() -> list[tuple[str, t.Any]]:
    """The name of each constant with its text, from each messages.py of the collection."""
    # The collection has its name only once tools/setup has made .cache, or from PYTHONPATH.
    sys.path.append(str(ROOT / ".cache"))
    found = []
    for path in sorted(PLUGINS.glob("**/messages.py")):
        name = ".".join(path.relative_to(PLUGINS).with_suffix("").parts)
        module = importlib.import_module(f"ansible_collections.tunefleet.linux.plugins.{name}")
        found += [(name, text) for name, text in vars(module).items() if name.isupper()]
    return found


def page() -> str:
    """The whole file: the id of each message, and the message with samples for its fields."""
    return "\n".join(sorted(f"{text.id}: {rendered(text)}" for _name, text in texts())) + "\n"


def rendered(text: t.Any) -> str:
    """A message with samples for its fields, and for no other."""
    samples = {**SAMPLES, **OWN.get(text.id, {})}
    return str(
        text(**{name: samples[name] for _text, name, _spec, _how in string.Formatter().parse(text.template) if name})
    )


def main(arguments: list[str]) -> int:
    new = page()
    if "--check" in arguments:
        return 0 if PAGE.exists() and PAGE.read_text(encoding="utf-8") == new else 1
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
