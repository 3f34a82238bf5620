# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``make import`` and ``make export`` against the programs whose files they read and write."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import library as profile_library
from ansible_collections.tunefleet.linux.tests.environments.namespace import CACHE, LIMITS_FILE, Namespace

ROOT = CACHE.parent
# As somebody wrote them by hand over the years: hexadecimal, octal, tabs, slashes, a dash, and one key three times.
FILE = """\
# Seconds in FIN-WAIT-2
net.ipv4.tcp_fin_timeout = 0x1e
net/ipv4/tcp_keepalive_time=\t1200
-net.ipv4.tcp_keepalive_probes = 05
net.ipv4.tcp_keepalive_intvl = 010
net.ipv4.tcp_rmem = 4096\t98304   16777216
net.ipv4.ip_local_reserved_ports = 8081,8080,9000-9010
net.ipv4.tcp_fin_timeout = 17
net.ipv4.tcp_ecn = 0
; the dot in the name of the interface
net.ipv4.conf.v0/100.rp_filter = 2
net.ipv4.conf.*.log_martians = 1
net/ipv4/tcp_fin_timeout = 31
"""
KEYS = (
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_rmem",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_ecn",
    "net.ipv4.conf.v0/100.rp_filter",
)


def exchange(ns: Namespace, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return ns.run(sys.executable, str(ROOT / "tools" / "exchange.py"), command, env=variables, check=False)


def wanted(folder: Path, name: str) -> dict[str, Any]:
    found = profile_library.resolve(profile_library.Library([folder]), name)
    return {"name": found["name"], "sysctl": found["sysctl"], "limits": found["limits"]}


def test_an_imported_file_gives_a_host_what_the_file_gave_it(ns: Namespace, tmp_path: Path) -> None:
    ns.interface("v0.100", "v1")
    source, profiles = tmp_path / "sysctl.conf", tmp_path / "profiles"
    source.write_text(FILE)
    done = exchange(ns, "import", FROM=str(source), TO=str(profiles / "mine.yml"))
    assert done.returncode == 0 and "8 settings and 0 limits" in done.stdout, done.stdout + done.stderr
    assert f"{source}:12: 'net.ipv4.conf.*.log_martians' is a pattern, and a profile names each key." in done.stdout

    before = ns.live(*KEYS)
    ns.run("sysctl", "-q", "-p", str(source))
    given = ns.live(*KEYS)
    assert given["net.ipv4.tcp_keepalive_intvl"] == "8" and given["net.ipv4.tcp_fin_timeout"] == "31"
    ns.set_live(before)
    outcome = ns.profile(**wanted(profiles, "mine"))
    assert not outcome.failed and ns.live(*KEYS) == given, outcome.text
    assert not ns.profile(**wanted(profiles, "mine")).changed


def test_an_imported_directory_of_limits(ns: Namespace, tmp_path: Path) -> None:
    source, profiles = tmp_path / "limits.d", tmp_path / "profiles"
    source.mkdir()
    (source / "10-a.conf").write_text("app soft nofile 1000\napp hard nofile 4000 # all\n@web - nproc 7777\n")
    (source / "20-b.conf").write_text("app hard nofile 2000\nroot -\n")
    (source / "20-b.conf.old").write_text("app hard nofile 1\n")
    done = exchange(ns, "import", FROM=str(source), TO=str(profiles / "mine.yml"))
    assert "0 settings and 2 limits" in done.stdout and f"{source}/20-b.conf:2: it exempts root" in done.stdout
    outcome = ns.profile(**wanted(profiles, "mine"))
    assert not outcome.failed, outcome.text
    rules = [" ".join(line.split()) for line in ns.text(LIMITS_FILE).splitlines() if line[:1] != "#"]
    assert sorted(rules) == ["@web - nproc 7777", "app hard nofile 2000", "app soft nofile 1000"] or sorted(rules) == [
        "@web hard nproc 7777",
        "@web soft nproc 7777",
        "app hard nofile 2000",
        "app soft nofile 1000",
    ]


def test_nothing_is_overwritten(ns: Namespace, tmp_path: Path) -> None:
    source, target = tmp_path / "a.conf", tmp_path / "mine.yml"
    source.write_text("net.ipv4.tcp_ecn = 0\n")
    target.write_text("mine\n")
    done = exchange(ns, "import", FROM=str(source), TO=str(target))
    sentence = f"tunefleet: {target} is there already and is not overwritten: name another with TO=, or remove it.\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence) and target.read_text() == "mine\n"
    plain = {"PROFILES": "ddos_guard", "TO": str(tmp_path / "plain")}
    assert exchange(ns, "export", **plain).returncode == 0
    done = exchange(ns, "export", **plain)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "is not overwritten" in done.stderr


# What stands in files of a tuned profile, and of an administrator whose hand slipped.
BROKEN = b"""\xef\xbb\xbfnet.ipv4.tcp_ecn = 0\r
vm.swappiness = ten
this is nothing
net.ipv4.tcp_rmem = 1 2
net..x = 1
= 5
net.core.somaxconn = 99999999999999999999
net.ipv4.tcp_sack =
kernel.core_pattern = |/bin/dump %P "x: y" #z
"""
TUNED = b"""\
[main]
summary=Of a test
include=throughput-performance

[vm]
transparent_hugepages=never

[sysctl]
kernel.pid_max=>4194304
net.ipv4.tcp_rmem="4096 131072 16777216"
net.ipv4.tcp_wmem=${wmem}
"""
LIMITS = b"* soft nofile 65535\nroot hard nofil 5\nx hard nofile abc\n* hard nofile\n"


@pytest.mark.parametrize(
    ("data", "head", "left_out"),
    [
        (
            BROKEN,
            "2 settings and 0 limits",
            {
                2: "vm.swappiness: 'ten' is not an integer.",
                3: "'this is nothing' is no assignment, which a profile cannot say.",
                4: "net.ipv4.tcp_rmem: '1 2' has 2 numbers; the key takes 3",
                5: "The key 'net..x' has an empty segment",
                6: "The key '' has an empty segment",
                7: "is outside the kernel's range",
                8: "net.ipv4.tcp_sack is given no value.",
            },
        ),
        (
            TUNED,
            "2 settings and 0 limits",
            {
                3: "include=throughput-performance is not followed",
                5: "the section [vm] is left out; [sysctl] alone is read.",
                11: "net.ipv4.tcp_wmem is worked out by tuned, from ${wmem}.",
            },
        ),
        (
            LIMITS,
            "0 settings and 1 limit.",
            {
                2: "'nofil' is not an item of limits.conf(5); did you mean 'nofile'?",
                3: "'abc' is not a whole number",
                4: "'* hard nofile' is no rule of four words",
            },
        ),
    ],
    ids=["sysctl", "tuned", "limits"],
)
def test_each_line_that_a_profile_cannot_say_is_named(
    ns: Namespace, tmp_path: Path, data: bytes, head: str, left_out: dict[int, str]
) -> None:
    source = tmp_path / "x.conf"
    source.write_bytes(data)
    done = exchange(ns, "import", FROM=str(source), TO=str(tmp_path / "mine.yml"))
    assert done.returncode == 0 and head in done.stdout.splitlines()[0], done.stdout + done.stderr
    told = dict(line.strip().removeprefix(f"{source}:").split(": ", 1) for line in done.stdout.splitlines()[2:])
    assert {int(number) for number in told} == set(left_out)
    assert all(words in told[str(number)] for number, words in left_out.items()), told
    assert not any(text.endswith("?.") for text in told.values())
    wanted(tmp_path, "mine")


def test_hazards_are_told_when_they_are_exported(ns: Namespace, tmp_path: Path) -> None:
    done = exchange(ns, "export", PROFILES="memo_ko", TO=str(tmp_path / "plain"))
    text = "".join(path.read_text() for path in tmp_path.glob("plain/*/*"))
    assert f"Hazards: {text.count('# HAZARD: ')}," in done.stdout and "# HAZARD: " in text


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "cannot be read: No such file or directory."),
        ({"x": b"a.b = \xff\n"}, "x:1: the file is not UTF-8."),
        ({"x": b"# nothing\n"}, "sets nothing; all there is are comments."),
        ({"x": b"nothing\n"}, "says nothing that a profile could."),
        ({"x/readme": b""}, "holds no file that ends in .conf."),
    ],
    ids=["missing", "latin1", "comments", "nonsense", "no_conf"],
)
def test_what_cannot_be_imported_gets_one_sentence(
    ns: Namespace, tmp_path: Path, files: dict[str, bytes], sentence: str
) -> None:
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    done = exchange(ns, "import", FROM=str(tmp_path / "x"), TO=str(tmp_path / "mine.yml"))
    assert done.returncode == 1 and done.stderr.startswith("tunefleet: ") and done.stderr.endswith(sentence + "\n")
    assert done.stderr.count("\n") == 1 and not (tmp_path / "mine.yml").exists()


@pytest.mark.parametrize(
    "reader", [["sysctl", "--system"], ["/usr/lib/systemd/systemd-sysctl"]], ids=["procps", "systemd"]
)
def test_exported_files_give_a_host_the_values_of_the_profiles(
    ns: Namespace, tmp_path: Path, reader: list[str]
) -> None:
    if not ns.run("sh", "-c", f"command -v {reader[0]}", check=False).stdout:
        pytest.skip(f"{reader[0]} is not installed here")
    names = "ddos_guard,bulk_transfer"
    sysctl = wanted(tmp_path, names)["sysctl"]
    # Whatever else the program could read would be written to the machine itself.
    assert all(key.startswith("net.") for key in sysctl)
    done = exchange(ns, "export", PROFILES=names, TO=str(tmp_path / "plain"))
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = (tmp_path / "plain" / "sysctl.d").iterdir()
    ns.write("/etc/sysctl.d/99-plain.conf", file.read_bytes())
    ns.write("/etc/sysctl.conf", "")

    amounts = {
        key: " ".join(map(str, amount)) if isinstance(amount, list) else str(amount)
        for key, setting in sysctl.items()
        for amount in [next(setting[relation] for relation in ("value", "at_least") if relation in setting)]
    }
    # What the namespace shows and lets be set, with something else in it before.
    probe = ns.profile(sysctl=sysctl, check_mode=True)
    mine = [one["key"] for one in probe.result["settings"] if one["status"] in ("ok", "changed", "kept")]
    assert len(mine) >= 6
    ns.run(*reader, check=False)
    assert ns.live(*mine) == {key: amounts[key] for key in mine}
