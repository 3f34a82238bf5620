# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keys that depend on each other, set by us and then by a boot: both real programs take the entries in the order of our file.

A boot is a fresh network namespace, whose kernel begins with its defaults, and to which the real program applies the files.
"""

from __future__ import annotations

import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import SYSCTL_FILE, Namespace, path_of

PORTS, START = "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"
FORWARD, REDIRECTS = "net.ipv4.ip_forward", "net.ipv4.conf.all.accept_redirects"
ALL6, LO6 = "net.ipv6.conf.all.forwarding", "net.ipv6.conf.lo.forwarding"
DEFAULT, LO = "net.ipv4.conf.default.forwarding", "net.ipv4.conf.lo.forwarding"
PROGRAMS = {"systemd": "/usr/lib/systemd/systemd-sysctl", "procps": "sysctl --system"}
EARLIER = "/etc/sysctl.d/10-theirs.conf"

# Runs that follow each other; the file of somebody else, and ours, before the first of them.
Case = tuple[list[dict[str, str]], str, str]
CASES: dict[str, Case] = {
    "both fall": ([{START: "80", PORTS: "100 65000"}], "", ""),
    "both fall, the range first": ([{PORTS: "100 65000", START: "80"}], "", ""),
    "both rise": ([{PORTS: "41000 65000", START: "40000"}], "", ""),
    "both rise, the first port first": ([{START: "40000", PORTS: "41000 65000"}], "", ""),
    "one after the other": ([{START: "80"}, {PORTS: "100 65000"}], "", ""),
    "they fall where they had risen": ([{PORTS: "41000 65000", START: "40000"}, {START: "80", PORTS: "100 65000"}], "", ""),
    "they rise where they had fallen": ([{START: "80", PORTS: "100 65000"}, {START: "40000", PORTS: "41000 65000"}], "", ""),
    "fallen one by one": ([{PORTS: "41000 65000"}, {START: "700"}, {PORTS: "800 65000"}], "", ""),
    "they fall less far than others had": ([{START: "2000", PORTS: "2500 60000"}], f"{START}=80\n{PORTS}=100 60000\n", ""),
    "they rise less far than others had": (
        [{START: "2000", PORTS: "2500 60000"}],
        f"{PORTS}=41000 65000\n{START}=40000\n",
        "",
    ),
    "our file has them in the wrong order": (
        [{START: "80", PORTS: "100 65000"}],
        "",
        f"# mine\n{PORTS}=100 65000\nnet.core.somaxconn=5000\n-{START}=80\n",
    ),
    "what forwarding rewrites": ([{REDIRECTS: "1", FORWARD: "1"}], "", ""),
    "what forwarding rewrites, one after the other": ([{REDIRECTS: "1"}, {FORWARD: "1", REDIRECTS: "1"}], "", ""),
    "an interface apart from the others": ([{LO: "0", DEFAULT: "0", FORWARD: "1"}], "", ""),
    "an interface apart from the others, IPv6": ([{LO6: "0", ALL6: "1"}], "", ""),
}  # fmt: skip


def booted(ns: Namespace, reader: str, *keys: str) -> dict[str, str]:
    """What a kernel that has just started has, once the program has applied the files."""
    paths = {path_of(key): key for key in keys}
    script = f"{PROGRAMS[reader]} >/run/boot.log 2>&1 || true; grep -H '' {' '.join(paths)}"
    lines = ns.run("unshare", "--net", "sh", "-euc", f"ip link set lo up; {script}").stdout.splitlines()
    return {paths[line.partition(":")[0]]: " ".join(line.partition(":")[2].split()) for line in lines}


@pytest.mark.parametrize("name", CASES)
def test_a_boot_takes_what_was_set(ns: Namespace, name: str) -> None:
    runs, theirs, ours = CASES[name]
    # Not booted by systemd, so either program may be what reads the files, and both must take them.
    ns.sh("rmdir /run/systemd/system")
    if theirs:
        ns.write(EARLIER, theirs)
    if ours:
        ns.write(SYSCTL_FILE, ours)
    wanted: dict[str, str] = {}
    for settings in runs:
        wanted.update(settings)
        predicted = ns.sysctl(settings, check_mode=True)
        outcome = ns.sysctl(settings)
        assert outcome.report == predicted.report and outcome.changed, outcome.text
        assert {key: outcome.setting(key)["boot"]["value"] for key in settings} == settings
        assert not [
            key for key in settings if outcome.setting(key)["shadowed"] or "others" in outcome.setting(key)["boot"]
        ]
        assert ns.live(*settings) == settings
        assert not ns.sysctl(settings).changed
    for reader in PROGRAMS:
        assert booted(ns, reader, *wanted) == wanted, ns.text(SYSCTL_FILE) + ns.text("/run/boot.log")


def test_only_what_must_move_does(ns: Namespace) -> None:
    ns.write(SYSCTL_FILE, f"# mine\n{PORTS}=100 65000\n# theirs\nnet.core.somaxconn=5000\n-{START}=80")
    outcome = ns.sysctl({START: 80, PORTS: "100 65000", "net.core.somaxconn": 5000})
    assert ns.text(SYSCTL_FILE) == f"# mine\n# theirs\nnet.core.somaxconn=5000\n-{START}=80\n{PORTS}=100 65000\n"
    assert outcome.setting(PORTS)["file"]["before"] == "100 65000"


def test_an_entry_that_moved_is_told(ns: Namespace) -> None:
    """Nothing else is to be done about it: the live values are as wanted, and so is what each line says."""
    ns.write(SYSCTL_FILE, f"{PORTS}=100 65000\n{START}=80\n")
    ns.set_live({START: "80"})
    ns.set_live({PORTS: "100 65000"})
    outcome = ns.sysctl({START: 80, PORTS: "100 65000"})
    assert outcome.statuses == {START: "ok", PORTS: "changed"} and outcome.changed
    assert outcome.setting(PORTS)["reason"].startswith("its entry moves after the keys that it depends on")
    assert ns.text(SYSCTL_FILE) == f"{START}=80\n{PORTS}=100 65000\n"


def test_what_no_order_mends_is_told(ns: Namespace) -> None:
    """Another file, which is read later, has what our entry needs."""
    ns.write("/etc/sysctl.d/99-z.conf", f"{START}=80\n")
    ns.set_live({START: "80"})
    outcome = ns.sysctl({PORTS: "100 65000"})
    assert f"{PORTS}: the kernel rejects the entry at {SYSCTL_FILE}:2 at boot." in outcome.warnings, outcome.warnings
    assert booted(ns, "systemd", PORTS) == {PORTS: "32768 60999"}
