# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Taking profiles back on the real kernel: stacks, reboots, refusals, and what others did meanwhile."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import (
    LEDGER,
    LIMITS_FILE,
    PACKAGE,
    SYSCTL_FILE,
    ModuleRunner,
    Namespace,
    one_sentence,
)

FIN = "net.ipv4.tcp_fin_timeout"
SOMAXCONN = "net.core.somaxconn"
PORTS, START = "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"
FORWARD = "net.ipv4.ip_forward"
NOFILE = {"domain": "*", "item": "nofile", "soft": 1500, "hard": 1600}

PROFILES: dict[str, dict[str, Any]] = {
    "a": {
        "sysctl": {SOMAXCONN: 8192, FIN: 30, "net.ipv4.tcp_rmem": "4096 131072 8388608", FORWARD: 1},
        "limits": [NOFILE],
    },
    "b": {"sysctl": {SOMAXCONN: {"at_least": 8000}, PORTS: "20000 60000", "net.ipv4.conf.lo.rp_filter": 2}},
    "c": {"sysctl": {SOMAXCONN: 16384, START: 900}, "limits": [dict(NOFILE, item="nproc")]},
}


def apply(ns: Namespace, name: str, **options: Any) -> Any:
    return ns.profile(name=name, **(options or PROFILES[name]))


def revert(ns: Namespace, name: str | None = None, **options: Any) -> Any:
    return ns.profile(name=name, state="reverted", **options)


def prepared(ns: Namespace) -> None:
    """Files of somebody else, and values that were set by hand."""
    ns.write(SYSCTL_FILE, f"# mine\n{FIN} = 55\nvm.swappiness = 10")
    ns.set_live({FIN: "55", SOMAXCONN: "5000"})


@pytest.mark.parametrize("order", ["abc", "cba", "bac", "bca"])
def test_profiles_stack_and_go_in_any_order(ns: Namespace, order: str) -> None:
    prepared(ns)
    start = ns.snapshot(stamps=False)
    for name in "abc":
        assert apply(ns, name).changed
    seen = []
    for name in order:
        predicted = revert(ns, name, check_mode=True)
        outcome = revert(ns, name)
        assert outcome.changed and predicted.report == outcome.report and not outcome.failed
        assert not revert(ns, name).changed
        seen.append(ns.live(SOMAXCONN)[SOMAXCONN])
    assert ns.snapshot(stamps=False) == start
    assert not ns.path("/var/lib/tunefleet").exists()
    assert not revert(ns).changed
    # Whoever is left decides: c wants 16384, a 8192, b 8000 at least, and the host had 5000.
    assert (
        seen
        == {
            "abc": ["16384", "16384", "5000"],
            "cba": ["8192", "8192", "5000"],
            "bac": ["16384", "16384", "5000"],
            "bca": ["16384", "8192", "5000"],
        }[order]
    )


def test_everything_and_the_ledger_is_for_root_alone(ns: Namespace) -> None:
    start = ns.snapshot(stamps=False)
    for name in "abc":
        apply(ns, name)
    status, above = ns.path(LEDGER).lstat(), ns.path("/var/lib/tunefleet").lstat()
    assert (stat.S_IMODE(status.st_mode), stat.S_IMODE(above.st_mode)) == (0o600, 0o700)
    assert os.listdir(ns.path("/var/lib/tunefleet")) == ["ledger.json"]
    assert revert(ns).changed
    assert ns.snapshot(stamps=False) == start


@pytest.mark.parametrize("names", [["a", "b"], "a,b", ["a,b"]])
def test_several_are_named_as_a_list_or_with_commas(ns: Namespace, names: list[str] | str) -> None:
    for name in "abc":
        apply(ns, name)
    outcome = ns.profile(name=names, state="reverted")
    assert outcome.changed and outcome.result["name"] == "a,b"
    assert not revert(ns, "a").changed and not revert(ns, "b").changed and revert(ns, "c").changed


def test_directories_that_were_made_go_again(ns: Namespace) -> None:
    ns.sh("umount /etc/security/limits.d && rm -rf /etc/security/limits.d")
    start = ns.snapshot(stamps=False)
    apply(ns, "a")
    assert ns.path(LIMITS_FILE).exists()
    revert(ns)
    assert not ns.path("/etc/security/limits.d").exists()
    assert ns.snapshot(stamps=False) == start


def test_directories_that_somebody_else_uses_meanwhile_stay(ns: Namespace) -> None:
    ns.sh("umount /etc/security/limits.d && rm -rf /etc/security/limits.d")
    apply(ns, "a")
    ns.write("/etc/security/limits.d/theirs.conf", "#\n")
    revert(ns)
    assert os.listdir(ns.path("/etc/security/limits.d")) == ["theirs.conf"]


# -- coupled keys -------------------------------------------------------------------------------------------------------------

# Every one of them changes others, or stands in the way of others; the last one is refused by the kernel itself.
REFUSED = {"net.ipv4.tcp_congestion_control": "nosuchalgorithm"}
COUPLED = [
    pytest.param({FORWARD: 1}, id="ip_forward"),
    pytest.param({"net.ipv4.conf.all.forwarding": 1, "net.ipv4.conf.lo.forwarding": 0}, id="conf.all"),
    pytest.param({"net.ipv4.conf.default.rp_filter": 1}, id="conf.default"),
    pytest.param({"net.ipv6.conf.all.forwarding": 1}, id="ipv6 forwarding"),
    pytest.param({START: 900, PORTS: "1000 50000"}, id="ports down"),
    pytest.param({PORTS: "30000 50000", START: 20000}, id="ports up"),
    pytest.param({"net.ipv4.tcp_rmem": "8192 20000 8388608"}, id="vector"),
    pytest.param({"net.ipv4.ip_local_reserved_ports": "8080,9000-9010"}, id="port list"),
]


@pytest.mark.parametrize("settings", COUPLED)
def test_a_refusal_restores_coupled_keys(ns: Namespace, settings: dict[str, Any]) -> None:
    ns.interface("one", "two")
    before = ns.snapshot()
    outcome = apply(ns, "x", sysctl=dict(settings, **REFUSED), limits=[NOFILE])
    assert outcome.failed and outcome.result["not_undone"] == []
    assert outcome.result["undone"]
    assert ns.snapshot() == before


def test_what_the_kernel_moves_along_is_nobody_elses_doing(ns: Namespace) -> None:
    before = ns.snapshot(stamps=False)
    apply(ns, "x", sysctl={FORWARD: 1})
    apply(ns, "y", sysctl={FORWARD: 0})
    for name in "yx":
        assert not revert(ns, name).warnings
    assert ns.snapshot(stamps=False) == before


@pytest.mark.parametrize("settings", COUPLED)
def test_a_revert_restores_coupled_keys(ns: Namespace, settings: dict[str, Any]) -> None:
    ns.interface("one", "two")
    before = ns.snapshot(stamps=False)
    assert apply(ns, "x", sysctl=settings).changed
    assert revert(ns).changed
    assert ns.snapshot(stamps=False) == before


BYTES, RATIO = "vm.dirty_bytes", "vm.dirty_ratio"


@pytest.fixture
def writeback(ns: Namespace) -> Iterator[dict[str, str]]:
    """The machine's own thresholds of writeback, which no namespace has for itself: lent for a moment, and put back."""
    with open(os.path.join(tempfile.gettempdir(), "tunefleet-vm.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # nobody else lends them meanwhile
        ns.sh("umount /proc/sys/vm")
        before = ns.live(BYTES, RATIO)
        try:
            ns.set_live({RATIO: "20"})
            yield ns.live(BYTES, RATIO)
        finally:
            # The one that is not 0 makes the other one 0; a 0 is not taken.
            ns.set_live({key: value for key, value in before.items() if value != "0"})
        assert ns.live(BYTES, RATIO) == before


def test_bytes_go_back_to_a_ratio(ns: Namespace, writeback: dict[str, str]) -> None:
    """vm.dirty_bytes takes no 0: it comes back only by way of its twin (mm/page-writeback.c)."""
    assert writeback == {BYTES: "0", RATIO: "20"}
    files = ns.snapshot(stamps=False)
    outcome = apply(ns, "x", sysctl={BYTES: 1 << 30, **REFUSED})
    assert outcome.failed and outcome.result["not_undone"] == [] and len(outcome.result["undone"]) == 1
    assert ns.live(BYTES, RATIO) == writeback
    assert apply(ns, "x", sysctl={BYTES: 1 << 30}).changed
    assert ns.live(BYTES, RATIO) == {BYTES: str(1 << 30), RATIO: "0"}
    assert apply(ns, "y", sysctl={RATIO: 15}).changed
    assert ns.live(BYTES, RATIO) == {BYTES: "0", RATIO: "15"}
    for name, expected in (("y", {BYTES: str(1 << 30), RATIO: "0"}), ("x", writeback)):
        outcome = revert(ns, name)
        assert not outcome.failed and ns.live(BYTES, RATIO) == expected, outcome.text
    assert ns.snapshot(stamps=False) == files and ns.read(LEDGER) is None


# -- limits of running processes --------------------------------------------------------------------------------------------------

PID_FILE = "/run/x.pid"
PROCESS_RUNS = {
    "a": {"limits": [{"process": PID_FILE, "item": "nofile", "soft": 2000}]},
    "b": {"limits": [{"process": PID_FILE, "item": "nofile", "soft": {"at_least": 3000}}]},
}
# Opens as many files as it is told, one line for each order.
OPENS = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (500, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
files = []
for line in sys.stdin:
    files += [open("/dev/null") for _ in range(int(line))]
    print(len(files), flush=True)
"""


class Opener:
    """A process with a limit of its own, whose id is in the file that is asked for."""

    def __init__(self, ns: Namespace) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OPENS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.open(1)
        ns.write(PID_FILE, f"{self.process.pid}\n")
        self.first = self.limit

    @property
    def limit(self) -> tuple[int, int]:
        return resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)

    @property
    def soft(self) -> int:
        return self.limit[0]

    def open(self, count: int) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline()

    def close(self) -> None:
        self.process.communicate(timeout=10)


@pytest.fixture
def opener(ns: Namespace) -> Iterator[Opener]:
    found = Opener(ns)
    try:
        yield found
    finally:
        found.close()


@pytest.mark.parametrize(("order", "between"), [("ab", 3000), ("ba", 2000)])
def test_limits_of_a_process_stack_and_go(ns: Namespace, opener: Opener, order: str, between: int) -> None:
    start = ns.snapshot(stamps=False)
    for name in "ab":
        assert apply(ns, name, **PROCESS_RUNS[name]).changed
    assert opener.soft == 3000
    for name, left in zip(order, (between, 500), strict=True):
        changes = opener.soft != left
        predicted = revert(ns, name, check_mode=True)
        outcome = revert(ns, name)
        assert outcome.changed == changes and predicted.report == outcome.report and opener.soft == left
        (limit,) = outcome.result["limits"]
        assert (limit["status"], limit["after"]["soft"]) == ("changed" if changes else "ok", left)
        assert limit["effective"] == limit["after"]
        assert not revert(ns, name).changed
    assert opener.limit == opener.first and ns.snapshot(stamps=False) == start
    assert ns.read(LEDGER) is None


def test_a_limit_that_somebody_else_has_set_since_stays_and_is_named(ns: Namespace, opener: Opener) -> None:
    apply(ns, "a", **PROCESS_RUNS["a"])
    resource.prlimit(opener.process.pid, resource.RLIMIT_NOFILE, (4000, opener.limit[1]))
    outcome = revert(ns)
    assert opener.soft == 4000 and ns.read(LEDGER) is None
    assert [text for text in outcome.warnings if f"({opener.process.pid}): is 4000" in text], outcome.warnings


def test_a_limit_that_the_process_needs_by_now_stays_and_is_named(ns: Namespace, opener: Opener) -> None:
    """Else it could accept no connection until hundreds of others are closed."""
    apply(ns, "a", **PROCESS_RUNS["a"])
    opener.open(600)
    outcome = revert(ns)
    assert opener.soft == 2000 and ns.read(LEDGER) is None
    assert [text for text in outcome.warnings if "more files open than its former limit 500" in text]


def test_of_a_process_that_has_ended_nothing_is_kept(ns: Namespace, opener: Opener) -> None:
    sizes = []
    for _time in range(3):
        apply(ns, "a", sysctl={FIN: 30 + _time}, limits=PROCESS_RUNS["a"]["limits"])
        sizes.append(len(ns.read(LEDGER) or b""))
        another = Opener(ns)
        opener.process, another.process = another.process, opener.process
        another.close()
    assert len(set(sizes)) == 1
    assert revert(ns).changed and opener.soft == 500 and ns.read(LEDGER) is None


def test_a_process_of_another_boot_is_another_one(ns: Namespace, opener: Opener) -> None:
    apply(ns, "a", **PROCESS_RUNS["a"])
    ns.sh("echo 0b6d3c4e-0000-4000-8000-000000000001 >/run/b && mount --bind /run/b /proc/sys/kernel/random/boot_id")
    assert not revert(ns).warnings and opener.soft == 2000 and ns.read(LEDGER) is None


def test_a_limit_that_cannot_be_put_back_is_named_and_kept_in_mind(ns: Namespace, opener: Opener) -> None:
    """Nobody without CAP_SYS_RESOURCE raises a hard limit, such as root in a container."""
    apply(ns, "a", sysctl={FIN: 31}, limits=[{"process": PID_FILE, "item": "nofile", "soft": 2000, "hard": 2500}])
    bounded = ["setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource", sys.executable, "-m"]
    stdin = json.dumps({"ANSIBLE_MODULE_ARGS": {"state": "reverted"}})
    done = ns.run(*bounded, PACKAGE + "profile", stdin=stdin, check=False)
    result = json.loads(done.stdout)
    assert result["failed"] and opener.limit == (2000, 2500) and ns.live(FIN) == {FIN: "60"}
    (told,) = result["not_undone"]
    assert told.startswith(f"Process {opener.process.pid}: its former limit could not be restored")
    assert [one["applied"] for one in json.loads(ns.text(LEDGER))["processes"].values()] == [[2000, 2500]]


# -- reboots ------------------------------------------------------------------------------------------------------------------


def rebooted(ns: Namespace, folder: Path, runner: ModuleRunner) -> Namespace:
    """Another kernel with its defaults, to which the real program applies the files of the first one."""
    new = Namespace(folder, runner)
    for name in (SYSCTL_FILE, LIMITS_FILE, LEDGER):
        data = ns.read(name)
        if data is not None:
            new.sh(f"mkdir -p $(dirname {name}) && chmod 700 $(dirname {name})")
            new.write(name, data)
            new.path(name).chmod(stat.S_IMODE(ns.path(name).stat().st_mode))
    new.sh(
        "echo 0b6d3c4e-0000-4000-8000-000000000001 >/run/boot_id && mount --bind /run/boot_id /proc/sys/kernel/random/boot_id"
    )
    new.sh("chmod 755 /etc/sysctl.d /etc/security/limits.d; exec /usr/lib/systemd/systemd-sysctl")
    return new


def test_after_a_reboot(ns: Namespace, tmp_path: Path, runner: ModuleRunner) -> None:
    prepared(ns)
    start = ns.text(SYSCTL_FILE)
    for name in "abc":
        apply(ns, name)
    new = rebooted(ns, tmp_path / "new", runner)
    try:
        assert new.live(SOMAXCONN, FIN) == {SOMAXCONN: "16384", FIN: "30"}
        assert not revert(new, "x").changed
        assert revert(new, "c").changed and new.live(SOMAXCONN) == {SOMAXCONN: "8192"}
        assert revert(new).changed
        # What was set by hand, and in no file, comes back too.
        assert new.live(SOMAXCONN, FIN) == {SOMAXCONN: "5000", FIN: "55"}
        assert new.text(SYSCTL_FILE) == start and not new.path(LIMITS_FILE).exists()
        assert not revert(new).changed
    finally:
        new.close()


# -- somebody else ------------------------------------------------------------------------------------------------------------


def test_what_somebody_else_did_since_stays_and_is_named(ns: Namespace) -> None:
    prepared(ns)
    apply(ns, "a")
    ns.set_live({SOMAXCONN: "9999"})
    ns.write(LIMITS_FILE, ns.text(LIMITS_FILE) + "alice hard nofile 5\n")
    outcome = revert(ns)
    assert ns.live(SOMAXCONN, FIN) == {SOMAXCONN: "9999", FIN: "55"}
    assert ns.text(LIMITS_FILE) == "alice hard nofile 5\n"
    assert [text.split(":")[0] for text in outcome.warnings] == [
        SOMAXCONN,
        LIMITS_FILE + " was changed externally; only our lines are reverted.",
    ]
    assert outcome.setting(SOMAXCONN)["live"] == {"before": "9999", "after": "9999"}


# -- a ledger that somebody put there -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "plant",
    [
        pytest.param("ln -s /etc/passwd {0}", id="link"),
        pytest.param("ln /var/lib/real {0}", id="hard link"),
        pytest.param("mkfifo {0}", id="named pipe"),
        pytest.param("mkdir {0}", id="directory"),
        pytest.param("mknod {0} c 1 5", id="device"),
        pytest.param("echo {{}} >{0}; chmod 644 {0}", id="readable by others"),
        pytest.param("echo {{}} >{0}; chown 1000 {0}", id="owned by another"),
        pytest.param("cp /var/lib/real {0}; chmod 777 $(dirname {0})", id="open directory"),
        pytest.param(
            "rmdir $(dirname {0}); mkdir /etc/there; ln -s /etc/there $(dirname {0})", id="link to a directory"
        ),
    ],
)
@pytest.mark.parametrize("state", ["applied", "reverted"])
def test_a_planted_ledger_is_not_used(ns: Namespace, plant: str, state: str) -> None:
    ns.sh("umask 077; mkdir /var/lib/tunefleet; echo x >/var/lib/real; " + plant.format(LEDGER))
    before = ns.snapshot()
    outcome = ns.profile(name="a", state=state, **PROFILES["a"])
    one_sentence_of_many(outcome, "/var/lib/tunefleet")
    assert ns.snapshot() == before


def one_sentence_of_many(outcome: Any, *words: str) -> None:
    assert outcome.failed and "\n" not in outcome.msg and outcome.msg.endswith(".")
    assert all(word in outcome.msg for word in words), outcome.msg


def test_only_root(ns: Namespace) -> None:
    apply(ns, "a")
    outcome = ns.module("profile", {"name": "a", "state": "reverted"}, nobody=True)
    one_sentence(outcome, "needs root", "nobody")


def test_a_ledger_cannot_be_read_by_others(ns: Namespace) -> None:
    apply(ns, "a", sysctl={"net.ipv4.tcp_fastopen_key": "00000001-00000002-00000003-00000004"})
    assert b"00000001-00000002" in (ns.read(LEDGER) or b"")
    done = ns.run("cat", LEDGER, nobody=False, check=False)
    assert json.loads(done.stdout)["format"] == 2
    hidden = ns.run("setpriv", "--reuid=65534", "--clear-groups", "cat", LEDGER, check=False)
    assert hidden.returncode != 0 and "Permission denied" in hidden.stderr
