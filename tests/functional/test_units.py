# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Limits of units, of systemd's managers and of processes, with the real systemd of three generations as process 1.

The hard limit of a container is the machine's, and nothing in it may raise that; so the numbers here are small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.tunefleet.linux.tests.environments.booted_host import BootedHost
from ansible_collections.tunefleet.linux.tests.environments.containers import NotHere

DROP_IN = "/etc/systemd/system/{0}.d/99-tunefleet.conf"
SYSTEM_FILE = "/etc/systemd/system.conf.d/99-tunefleet.conf"
USER_FILE = "/etc/systemd/user.conf.d/99-tunefleet.conf"
HEADER = "# Written by the Ansible collection tunefleet.linux. Lines that it does not set are left alone.\n"
SLEEPER = "[Service]\nType=exec\nExecStart=/bin/sleep infinity\n"
NAMES = ("web", "other", "many@", "broken", "late", "chosen", "loud")


@pytest.fixture(scope="module", params=["bullseye", "bookworm", "trixie"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BootedHost]:
    try:
        found = BootedHost(request.param, tmp_path_factory.mktemp("booted"))
    except NotHere as problem:
        pytest.skip(str(problem))
    try:
        found.write({f"/etc/systemd/system/{name}.service": SLEEPER for name in NAMES})
        found.write({"/etc/systemd/system/also.service": SLEEPER + "\n[Install]\nWantedBy=multi-user.target\n"})
        found.write({"/usr/lib/systemd/system/gone.service": SLEEPER})
        started = " ".join(name if "@" not in name else name + "one" for name in NAMES)
        found.sh(
            f"systemctl daemon-reload; systemctl mask -q gone; systemctl enable -q also; systemctl start {started} also"
        )
        yield found
    finally:
        found.close()


def files(unit: str, soft: Any = None, hard: Any = None, **more: Any) -> dict[str, Any]:
    halves = {name: value for name, value in (("soft", soft), ("hard", hard)) if value is not None}
    return {"unit": unit, "item": "nofile", **halves, **more}


def only(outcome: Any) -> dict[str, Any]:
    assert not outcome.failed, outcome.msg
    (one,) = outcome.result["limits"]
    return dict(one)


def main_pid(host: BootedHost, unit: str) -> str:
    return host.sh(f"systemctl show -p MainPID --value {unit}").strip()


def test_a_unit_from_the_first_word_to_a_reboot(host: BootedHost) -> None:
    """Drop-in, reload, no restart unasked, honest second run, restart when asked, nothing left to do, a reboot, and gone again."""
    desired = files("also.service", {"at_least": 4096}, {"at_least": 8192})
    path, pid = DROP_IN.format("also.service"), main_pid(host, "also")
    before = host.files_of("also")
    predicted = host.limits(desired, check_mode=True)
    assert host.sh(f"ls {path} 2>&1 || true").startswith("ls: cannot access")

    first = host.limits(desired)
    assert first.report == predicted.report
    assert host.sh(f"cat {path}") == HEADER + "[Service]\nLimitNOFILE=4096:524288\n"
    assert host.sh("systemctl show -p LimitNOFILESoft -p NeedDaemonReload also").split() == [
        "LimitNOFILESoft=4096",
        "NeedDaemonReload=no",
    ]
    assert (main_pid(host, "also"), host.files_of("also")) == (pid, before)
    assert only(first)["effective"] == {"soft": 4096, "hard": 20000}
    assert first.result["needs"] == ["restart:also.service"]
    assert before == "1024:20000" and only(first)["before"] == only(first)["after"] == {"soft": 1024, "hard": 20000}

    stamp = host.sh(f"stat -c '%i %Y' {path}")
    second = host.limits(desired)
    assert (second.changed, only(second)["status"]) == (False, "ok")
    assert second.result["needs"] == ["restart:also.service"]
    assert only(second)["reason"] == "the running process keeps 1024:20000 until it is restarted"

    third = host.limits(dict(desired, restart=True))
    assert (third.changed, third.result["needs"]) == (True, [])
    assert only(third)["after"] == {"soft": 4096, "hard": 20000}
    assert main_pid(host, "also") != pid
    assert host.files_of("also") == "4096:20000"

    pid = main_pid(host, "also")
    fourth = host.limits(dict(desired, restart=True))
    assert (fourth.changed, fourth.result["needs"], main_pid(host, "also")) == (False, [], pid)
    assert host.sh(f"stat -c '%i %Y' {path}") == stamp

    host.restart()
    assert host.files_of("also") == "4096:20000"
    assert not host.limits(desired).changed
    host.sh("systemctl start " + " ".join(name if "@" not in name else name + "one" for name in NAMES))

    gone = host.limits(files("also.service"), state="absent")
    assert (gone.changed, gone.result["needs"]) == (True, ["restart:also.service"])
    assert host.sh(f"ls -d {path.rpartition('/')[0]} 2>&1 || true").startswith("ls: cannot access")
    assert not host.limits(files("also.service"), state="absent").changed


@pytest.mark.generations("bookworm")
def test_lines_of_others_stay(host: BootedHost) -> None:
    path = DROP_IN.format("web.service")
    text = "# mine\n[Unit]\nDescription=x\n\n[Service]\nlimitnofile=7\nLimitNOFILE=64K\nNice=3 \n\n[Install]\nAlias=y.service"
    host.write({path: text})
    assert host.limits(files("web", 2048, 4096)).changed
    assert host.sh(f"cat {path}") == text.replace("LimitNOFILE=64K", "LimitNOFILE=2048:4096")
    assert host.limits(files("web"), state="absent").changed
    assert host.sh(f"cat {path}") == text.replace("LimitNOFILE=64K\n", "")
    host.sh(f"rm -r {path.rpartition('/')[0]}; systemctl daemon-reload")


@pytest.mark.generations("bookworm")
def test_a_line_that_systemd_never_comes_to(host: BootedHost) -> None:
    path = DROP_IN.format("web.service")
    host.write({path: "[Service\n"})
    outcome = host.limits(files("web", 2048, 4096))
    assert outcome.failed and f"systemd stops reading {path} before our line" in outcome.msg
    assert host.sh(f"cat {path}; rm -r {path.rpartition('/')[0]}; systemctl daemon-reload") == "[Service\n"


@pytest.mark.generations("bookworm")
def test_files_of_others_that_cannot_be_read(host: BootedHost) -> None:
    """A ring of links among stacks and drop-ins: those who read them pass over it, and so do we. The manager reads no further."""
    pam, unit, manager = "/etc/pam.d", "/etc/systemd/system/web.service.d", "/etc/systemd/system.conf.d"

    def ring(place: str) -> None:
        host.sh(f"mkdir -p {place}; ln -s 10-b.conf {place}/10-a.conf; ln -s 10-a.conf {place}/10-b.conf")

    desired_settings = [files("web", 2048, 4096), {"domain": "nobody", "item": "nofile", "hard": 3000}]
    try:
        ring(pam)
        ring(unit)
        outcome = host.limits(*desired_settings)
        assert outcome.changed and given(host, "web") == "2048:4096", outcome.text
        assert host.sh("su -s /bin/sh nobody -c 'ulimit -Hn'").strip() == "3000"
        assert not host.limits(*desired_settings).changed
        assert not host.module("limits_info", {"users": ["nobody"], "units": ["web"]}).failed
        ring(manager)
        outcome = host.limits({"manager": "system", "item": "nofile", "soft": 1500})
        assert outcome.failed and f"systemd stops reading {manager}/10-a.conf before our line" in outcome.msg
        host.write({manager + "/99-z.conf": "[Manager]\nDefaultLimitNOFILE=1600\n"})
        host.sh("systemctl daemon-reload")
        assert default(host) == "1024"
        assert info(host, managers=["system"])["system", "nofile"]["rule"]["soft"] is None
    finally:
        host.sh(f"rm -rf {pam}/10-?.conf {unit} {manager} {OWN}; systemctl daemon-reload")


def test_at_least_never_lowers_what_a_unit_has(host: BootedHost) -> None:
    """By a drop-in of its type, of its template, or by its vendor: nothing is written."""
    host.write({"/usr/lib/systemd/system/other.service.d/50-vendor.conf": "[Service]\nLimitNOFILE=9000\n"})
    host.write({"/run/systemd/system/many@.service.d/a.conf": "[Service]\nLimitNOFILE=9000\n"})
    host.sh("systemctl daemon-reload")
    least = {"at_least": 8192}
    outcome = host.limits(files("other.service", least, least), files("many@one.service", least, least))
    assert [one["status"] for one in outcome.result["limits"]] == ["kept", "kept"]
    assert not outcome.changed
    # It runs with less than it would be given now.
    assert outcome.result["needs"] == ["restart:other.service", "restart:many@one.service"]
    host.sh("systemctl restart other; rm -r /run/systemd/system/many@.service.d; systemctl daemon-reload")
    assert host.limits(files("other.service", least, least)).result["needs"] == []


def test_a_drop_in_that_wins_is_named(host: BootedHost) -> None:
    winner = "/etc/systemd/system/late.service.d/99-z.conf"
    host.write({winner: "[Service]\nLimitNOFILE=512\n"})
    outcome = host.limits(files("late.service", 4096, 8192))
    assert only(outcome)["shadowed_by"] == winner + ":2"
    assert only(outcome)["effective"] == {"soft": 512, "hard": 512}
    assert host.sh("systemctl show -p LimitNOFILE --value late").strip() == "512"
    assert [winner + ":2 takes precedence" in warning for warning in outcome.warnings] == [True]
    assert not host.limits(files("late.service", 4096, 8192)).changed


def test_a_template_and_its_instances(host: BootedHost) -> None:
    outcome = host.limits(files("many@.service", 3000, 6000))
    assert outcome.result["needs"] == ["restart:many@one.service"]
    assert host.sh(f"cat {DROP_IN.format('many@.service')}").endswith("[Service]\nLimitNOFILE=3000:6000\n")
    assert host.sh("systemctl show -p LimitNOFILE --value many@one").strip() == "6000"
    host.limits(files("many@.service", 3000, 6000, restart=True))
    assert host.files_of("many@one") == "3000:6000"


def test_a_failed_restart_is_undone(host: BootedHost) -> None:
    """The drop-in is gone, systemd has read that, and the service runs again with what it had."""
    host.write(
        {"/etc/systemd/system/broken.service": SLEEPER + "ExecStartPre=/bin/sh -c 'test $(ulimit -Sn) != 4000'\n"}
    )
    host.sh("systemctl daemon-reload; systemctl start broken")
    outcome = host.limits(files("chosen", 3000, 6000), files("broken", 4000, 8000, restart=True))
    assert outcome.failed
    assert outcome.msg.startswith(
        "restarting broken.service failed: systemctl restart -- broken.service failed: Job for "
    )
    assert outcome.msg.endswith("All changes of this run were undone.")
    assert outcome.result["undone"][-2:] == [
        "systemd has reloaded its files.",
        "broken.service was restarted with its former limits.",
    ]
    assert host.sh("ls /etc/systemd/system | grep -E '^(chosen|broken).service.d' || true") == ""
    assert host.files_of("broken") == "1024:20000"
    assert host.sh("systemctl is-active chosen broken").split() == ["active", "active"]
    assert host.sh("systemctl show -p LimitNOFILE --value chosen").strip() == "524288"


@pytest.mark.generations("trixie")
def test_only_what_was_named_is_restarted(host: BootedHost) -> None:
    pids = {name: main_pid(host, name) for name in ("other", "chosen", "loud")}
    outcome = host.limits(files("chosen", 3000, 6000, restart=True), files("loud", 3000, 6000))
    assert outcome.result["needs"] == ["restart:loud.service"]
    now = {name: main_pid(host, name) for name in pids}
    assert [name for name in pids if pids[name] != now[name]] == ["chosen"]


def test_what_a_process_set_itself_is_no_reason_to_restart(host: BootedHost) -> None:
    host.limits(files("loud", 3000, 6000, restart=True))
    host.sh("prlimit --nofile=2000:5000 --pid $(systemctl show -p MainPID --value loud)")
    outcome = host.limits(files("loud", 3000, 6000))
    assert (outcome.changed, outcome.result["needs"]) == (False, [])
    assert only(outcome)["after"] == {"soft": 2000, "hard": 5000}


def test_files_that_systemd_has_not_read_yet(host: BootedHost) -> None:
    """Our line is there, but nobody reloaded: that is no state to call done."""
    host.limits(files("chosen", 3000, 6000))
    path = DROP_IN.format("chosen.service")
    host.sh(f"sed -i s/3000/2500/ {path}; systemctl daemon-reload; sed -i s/2500/3000/ {path}")
    outcome = host.limits(files("chosen", 3000, 6000))
    assert outcome.changed and outcome.result["diff"] == []
    assert host.sh("systemctl show -p LimitNOFILESoft --value chosen").strip() == "3000"


KILLER = "/usr/sbin/systemctl"  # found before the real one


def killed_at(host: BootedHost, verb: str, module: str, options: dict[str, Any]) -> bool:
    """Whether a run was killed when it called systemctl with this verb."""
    real = host.sh("command -v systemctl").strip()
    script = f'#!/bin/sh\ncase " $* " in *" {verb} "*) kill -KILL $PPID; exit;; esac\nexec {real} "$@"\n'
    host.write({KILLER: script})
    host.sh(f"chmod 755 {KILLER}")
    try:
        return host.module(module, options).status == -9
    finally:
        host.sh(f"rm {KILLER}")


def given(host: BootedHost, unit: str) -> str:
    """What the running manager would give a unit."""
    return ":".join(host.sh(f"systemctl show -p LimitNOFILESoft -p LimitNOFILE --value {unit}").split()[::-1])


@pytest.mark.generations("bullseye")
def test_a_run_that_is_killed_before_systemd_reads_its_files(host: BootedHost) -> None:
    """Files are written, or removed, and nobody has told systemd: the next run does, and says so."""
    desired_settings = [files("killed", 3000, 6000), {"manager": "system", "item": "nofile", "soft": 1500}]
    host.write({"/etc/systemd/system/killed.service": SLEEPER})
    host.sh("systemctl daemon-reload; systemctl start killed")
    assert killed_at(host, "daemon-reload", "limits", {"limits": desired_settings})
    assert host.sh(f"tail -n1 -q {DROP_IN.format('killed.service')} {SYSTEM_FILE}").split() == [
        "LimitNOFILE=3000:6000",
        "DefaultLimitNOFILE=1500:524288",
    ]
    assert (given(host, "killed"), default(host)) == ("1024:524288", "1024")
    predicted = host.limits(*desired_settings, check_mode=True)
    outcome = host.limits(*desired_settings)
    assert outcome.changed and outcome.report == predicted.report and outcome.result["diff"] == []
    assert {one["reason"] for one in outcome.result["limits"]} == {"systemd had not read its files again"}
    assert "restart:killed.service" in outcome.result["needs"]
    assert (given(host, "killed"), default(host)) == ("3000:6000", "1500")

    gone = [files("killed"), {"manager": "system", "item": "nofile"}]
    assert killed_at(host, "daemon-reload", "limits", {"limits": gone, "state": "absent"})
    assert (given(host, "killed"), default(host)) == ("3000:6000", "1500")
    assert host.limits(*gone, state="absent").changed
    assert (given(host, "killed"), default(host)) == ("1024:524288", "1024")
    assert not host.limits(*gone, state="absent").changed


def default(host: BootedHost) -> str:
    return host.sh("systemctl show -p DefaultLimitNOFILESoft --value").strip()


@pytest.mark.generations("trixie")
def test_a_profile_that_is_killed_between_files_and_systemd(host: BootedHost) -> None:
    """Whichever run it is that ends there, and whichever comes next: what is on file is what systemd gives."""
    profile = {"name": "ours", "limits": [files("killed", 3000, 6000, restart=True)]}
    back = {"name": "ours", "state": "reverted"}
    host.write({"/etc/systemd/system/killed.service": SLEEPER})
    host.sh("systemctl daemon-reload; systemctl start killed")
    # Files written and not read; read, and the service not yet restarted; put back, and not read.
    for verb, options, then in (
        ("daemon-reload", profile, "1024:524288"),
        ("restart", profile, "3000:6000"),
        ("daemon-reload", back, "3000:6000"),
    ):
        assert killed_at(host, verb, "profile", options)
        assert given(host, "killed") == then
    outcome = host.module("profile", back)
    assert not outcome.failed, outcome.text
    assert given(host, "killed") == "1024:524288"
    assert (
        host.sh("ls -d /etc/systemd/system/killed.service.d /var/lib/tunefleet/ledger.json 2>/dev/null || true") == ""
    )
    for verb in ("daemon-reload", "restart"):
        host.sh("systemctl restart killed")
        assert killed_at(host, verb, "profile", profile)
        assert host.module("profile", profile).changed
        assert (given(host, "killed"), host.files_of("killed")) == ("3000:6000", "3000:6000")
        assert not host.module("profile", profile).changed
        assert host.module("profile", back).changed
        assert given(host, "killed") == "1024:524288"


@pytest.mark.generations("bullseye")
def test_units_that_take_no_limit(host: BootedHost) -> None:
    for desired, said in (
        (files("webb.service", 5), "this host has no unit webb.service; did you mean web.service"),
        (files("gone.service", 5), "the unit is masked and never starts"),
        (files("web", 50000, 60000), "belongs to the host of this container: its systemd cannot give more than 20000"),
        (files("web", 30000), "belongs to the host of this container"),
        (files("web", "unlimited", "unlimited"), "nofile cannot be 'unlimited'"),
        (files("web", 5, 2147483648), "is above fs.nr_open"),
    ):
        outcome = host.limits(files("other", 2222, 3333), desired)
        assert outcome.failed and said in outcome.msg, outcome.text
    assert host.sh("ls /etc/systemd/system/other.service.d 2>/dev/null || true") == ""


def test_the_manager_of_the_system(host: BootedHost) -> None:
    desired = {"manager": "system", "item": "nofile", "soft": {"at_least": 2048}, "hard": {"at_least": 8192}}
    outcome = host.limits(desired)
    assert host.sh(f"cat {SYSTEM_FILE}") == HEADER + "[Manager]\nDefaultLimitNOFILE=2048:524288\n"
    assert host.sh("systemctl show -p DefaultLimitNOFILESoft --value").strip() == "2048"
    assert only(outcome)["before"] == {"soft": 1024, "hard": 524288}
    assert only(outcome)["effective"] == {"soft": 2048, "hard": 20000}
    # Services that take the default keep what they have; a reboot gives it to all of them, and so does a restart of each.
    assert outcome.result["needs"] == ["reboot"]
    assert "keep the limits that they started with, such as " in only(outcome)["reason"]
    assert host.files_of("web") == "1024:20000"
    host.sh("systemctl restart web")
    assert host.files_of("web") == "2048:20000"
    second = host.limits(desired)
    assert (second.changed, second.result["needs"]) == (False, ["reboot"])
    assert "web.service" not in only(second)["reason"]
    gone = host.limits({"manager": "system", "item": "nofile"}, state="absent")
    assert gone.changed
    assert host.sh("systemctl show -p DefaultLimitNOFILESoft --value").strip() == "1024"
    assert host.sh("ls /etc/systemd/system.conf.d 2>&1 || true").startswith("ls: cannot access")


@pytest.mark.generations("bookworm")
def test_the_default_that_meets_is_kept(host: BootedHost) -> None:
    outcome = host.limits(
        {"manager": "system", "item": "nofile", "soft": {"at_least": 1024}, "hard": {"at_least": 8192}}
    )
    assert (outcome.changed, only(outcome)["status"], outcome.result["needs"]) == (False, "kept", [])


def test_the_managers_of_users(host: BootedHost) -> None:
    # What pam_systemd would tell it.
    told = "[Service]\nEnvironment=XDG_RUNTIME_DIR=/run/user/0\n"
    host.write({"/run/systemd/system/user@0.service.d/told.conf": told})
    host.sh("systemctl daemon-reload; systemctl start user@0")
    desired = {"manager": "user", "item": "nofile", "soft": 2048, "hard": 4096}
    outcome = host.limits(desired)
    assert host.sh(f"cat {USER_FILE}") == HEADER + "[Manager]\nDefaultLimitNOFILE=2048:4096\n"
    assert outcome.result["needs"] == ["restart:user@0.service"]
    assert host.limits(desired).result["needs"] == ["restart:user@0.service"]
    host.sh("systemctl restart user@0")
    second = host.limits(desired)
    assert (second.changed, second.result["needs"]) == (False, [])
    shown = host.sh("XDG_RUNTIME_DIR=/run/user/0 systemctl --user show -p DefaultLimitNOFILE -p DefaultLimitNOFILESoft")
    assert sorted(shown.split()) == ["DefaultLimitNOFILE=4096", "DefaultLimitNOFILESoft=2048"]
    assert host.limits({"manager": "user", "item": "nofile"}, state="absent").changed
    host.sh("systemctl stop user@0")


def test_processes_by_name_and_by_pid_file(host: BootedHost) -> None:
    host.sh(
        "cp /bin/sleep /tmp/tf-daemon; exec >/dev/null 2>&1; "
        "ulimit -Sn 1024; (setsid /tmp/tf-daemon 60 & echo $! >/run/tf.pid; setsid /tmp/tf-daemon 60 &); sleep 0.2"
    )
    least = {"at_least": 5000}
    desired = {"process": "tf-daemon", "item": "nofile", "soft": least, "hard": least}
    outcome = host.limits(desired)
    assert (outcome.changed, only(outcome)["before"]) == (True, {"soft": 1024, "hard": 20000})
    script = "for pid in $(pgrep -x tf-daemon); do grep 'open files' /proc/$pid/limits; done"
    rows = [line.split()[3:5] for line in host.sh(script).splitlines()]
    assert rows == [["5000", "20000"], ["5000", "20000"]]
    again = host.limits(desired)
    assert (again.changed, only(again)["status"]) == (False, "kept")
    one = host.limits({"process": "/run/tf.pid", "item": "nofile", "soft": 4000, "hard": {"at_least": 6000}})
    assert one.changed
    assert sorted(line.split()[3] for line in host.sh(script).splitlines()) == ["4000", "5000"]
    raised = host.limits({"process": "tf-daemon", "item": "nofile", "hard": 30000})
    assert (
        raised.failed
        and "without CAP_SYS_RESOURCE no hard limit can be raised, and the process has 20000" in raised.msg
    )
    assert "did you mean tf-daemon" in host.limits(dict(desired, process="tf-deamon")).msg
    assert "no process with the id in that file runs" in host.limits(dict(desired, process="/run/nothing.pid")).msg
    host.sh("pkill -x tf-daemon")


def info(host: BootedHost, **asked: Any) -> dict[tuple[str, str], dict[str, Any]]:
    found = host.module("limits_info", asked)
    assert not found.failed and not found.changed, found.text
    return {(next(iter(one["target"].values())), one["item"]): one for one in found.result["limits"]}


def test_who_set_it_last(host: BootedHost) -> None:
    """A line, the default, the files of before, the process itself; and what makes it less than it looks."""
    vendor = "/usr/lib/systemd/system/told.service"
    host.write({vendor: SLEEPER + "LimitNOFILE=3000:6000\nTasksMax=50\n"})
    host.sh("systemctl daemon-reload; systemctl start told; systemctl restart web")
    found = info(host, units=["told", "web", "webb.service"], managers=["system", "user"], processes=["sleep"])
    nofile = found["told.service", "nofile"]
    assert (nofile["effective"], nofile["live"]) == ({"soft": 3000, "hard": 6000},) * 2
    assert nofile["set_by"] == nofile["rule"]["soft"] == vendor + ":4"
    assert found["told.service", "nproc"]["notes"] == [
        "its processes run as root, and the kernel does not enforce nproc for root; use TasksMax= of the unit",
        "TasksMax=50 of the unit is lower than nproc 32768 and takes effect first",
    ]
    assert found["web.service", "nofile"]["set_by"] == "the default of systemd (DefaultLimitNOFILE)"
    assert found["webb.service", "nofile"]["status"] == "unknown"
    assert found["system", "nofile"]["live"] == {"soft": 1024, "hard": 524288}
    processes = host.module("limits_info", {"processes": ["sleep"]}).result["limits"]
    notes = {tuple(one["notes"]): one for one in processes if one["item"] == "nofile"}
    told = notes[("it belongs to the unit told.service",)]
    assert (told["set_by"], told["live"]["soft"]) == (vendor + ":4", 3000)

    host.limits(files("told", 2000, 6000))
    before = info(host, units=["told"])["told.service", "nofile"]
    assert before["live"]["soft"] == 3000 and before["rule"]["soft"] == DROP_IN.format("told.service") + ":3"
    assert before["set_by"].startswith("the unit's files as they were when it was started; it gets 2000:6000")
    host.sh("systemctl restart told; prlimit --nofile=2500:6000 --pid $(systemctl show -p MainPID --value told)")
    assert info(host, units=["told"])["told.service", "nofile"]["set_by"] == "the process itself, or prlimit(2)"


def test_without_names_the_defaults_and_every_unit_that_speaks(host: BootedHost) -> None:
    """Each unit whose files give it a limit is told of, and only these; systemd says the same of each."""
    host.write({"/etc/systemd/system/spoken.service": SLEEPER + "LimitNOFILE=7000:8000\n"})
    host.write({"/etc/systemd/system/spoken-too.service": SLEEPER})
    host.write({"/etc/systemd/system/spoken-.service.d/a.conf": "[Service]\nLimitNOFILE=600\n"})
    host.sh("systemctl daemon-reload; systemctl start spoken")
    found = info(host)
    assert found["system", "nofile"]["live"] == {"soft": 1024, "hard": 524288}
    spoken = {
        name: one["effective"] for (name, item), one in found.items() if item == "nofile" and "unit" in one["target"]
    }
    assert spoken["spoken.service"] == found["spoken.service", "nofile"]["live"] == {"soft": 7000, "hard": 8000}
    assert spoken["spoken-too.service"] == {"soft": 600, "hard": 600}
    assert "systemd-journald.service" in spoken and "ssh.service" not in spoken
    for name in ("spoken.service", "spoken-too.service"):
        shown = host.sh(f"systemctl show -p LimitNOFILESoft -p LimitNOFILE --value {name}").split()
        assert sorted(map(int, shown)) == sorted(spoken[name].values()), name
    # The systemd of a container cannot give the 524288 that the file says.
    assert spoken["systemd-journald.service"] == found["systemd-journald.service", "nofile"]["live"]
    host.sh("systemctl stop spoken; rm -r /etc/systemd/system/spoken*; systemctl daemon-reload")


def test_pam_comes_after_the_unit(host: BootedHost) -> None:
    host.write(
        {
            "/etc/security/limits.d/10-pam.conf": "* - nofile 2500\nroot - nofile 2500\n",
            # Type=exec waits for a pipe that the part of systemd that keeps the session open holds too.
            "/etc/systemd/system/session.service": SLEEPER.replace("exec\n", "simple\n")
            + "PAMName=su\nUser=root\nLimitNOFILE=3000\n",
        }
    )
    host.sh("systemctl daemon-reload; systemctl start session; sleep 0.5")
    one = info(host, units=["session"])["session.service", "nofile"]
    assert (one["effective"]["soft"], one["live"]["soft"]) == (3000, 2500)
    assert one["set_by"] == "limits.conf(5), through PAMName=su of the unit"
    warned = host.limits(files("session", 3000, 3000))
    assert any("opens a PAM session (su)" in text for text in warned.warnings)
    # Another restart would change nothing about it, so none is asked for.
    host.sh("systemctl restart session; sleep 0.5")
    assert host.limits(files("session", 3000, 3000)).result["needs"] == []
    host.sh("rm /etc/security/limits.d/10-pam.conf; systemctl stop session")


ALICE = "id alice >/dev/null 2>&1 || useradd -u 2000 -M -d / -s /bin/sh alice"
OWN = "/etc/security/limits.d/99-tunefleet.conf"


def everything_on_file(host: BootedHost) -> str:
    """Names, kinds, owners, modes and bytes of all that a run might have written."""
    places = "/etc/security /etc/systemd /var/lib/tunefleet"
    return host.sh(
        f"find {places} -printf '%p %y %l %m %u %g\\n' 2>/dev/null | sort; "
        f"find {places} -type f -exec md5sum {{}} + 2>/dev/null | sort"
    )


@pytest.mark.parametrize("module", ["limits", pytest.param("profile", marks=pytest.mark.generations("bookworm"))])
def test_what_pam_refuses_afterwards_is_put_back(host: BootedHost, module: str) -> None:
    """A link leads to our file, so that its rules are read once more, after those of somebody else that made them harmless.

    No rule of the guard sees that, and neither does PAM beforehand; with the files as they are then, it refuses a session.
    """
    host.write({"/etc/systemd/system/calm.service": SLEEPER})
    host.sh("systemctl daemon-reload; systemctl start calm")
    host.write({OWN: "# mine\nnobody - nofile 1200\n", OWN.replace("tunefleet", "z"): "nobody - nofile 900\n"})
    host.sh(f"chmod 640 {OWN}; chgrp adm {OWN}; ln -s 99-tunefleet.conf /etc/security/limits.d/zz.conf")
    try:
        pid, boot, before = main_pid(host, "calm"), given(host, "calm"), everything_on_file(host)
        desired_settings = [
            {"domain": "nobody", "item": "nofile", "soft": 0, "hard": 1000},
            files("calm", 2222, 3333, restart=True),
        ]
        outcome = host.module(module, {"limits": desired_settings})
        assert outcome.failed and "pam_limits refuses a session of nobody (" in outcome.msg, outcome.text
        assert outcome.msg.endswith("with the files that were written. All changes of this run were undone.")
        assert outcome.result["undone"] == [
            "/etc/systemd/system/calm.service.d/99-tunefleet.conf is removed again.",
            OWN + " has its former content.",
        ]
        assert [one["status"] for one in outcome.result["limits"]] == ["refused", "changed"]
        assert everything_on_file(host) == before
        assert (main_pid(host, "calm"), given(host, "calm")) == (pid, boot)
        enter = "su -s /bin/sh nobody -c 'ulimit -Hn'"
        assert host.sh(enter).strip() == "1200"
        # Without the guard it is what was asked for, and nobody gets in.
        assert host.module(module, {"limits": desired_settings[:1], "guard": "off"}).changed
        assert host.sh(f"{enter} 2>&1 || true").startswith("su: ")
    finally:
        host.sh("rm -f /etc/security/limits.d/*; rm -rf /var/lib/tunefleet")


def test_a_stack_that_is_put_together_from_other_files(host: BootedHost) -> None:
    """A service of the vendor, and one that includes a file from anywhere; Debian looks for a bare name in /etc/pam.d alone."""
    plain = "auth required pam_permit.so\naccount required pam_permit.so\n"
    ways = ("tf-way", "tf-absolute")
    host.write(
        {
            "/usr/lib/pam.d/tf-way": plain + "session include tf/more\n",
            "/usr/lib/pam.d/tf/more": "session required pam_limits.so\n",
            "/opt/tf/pam": plain + "session substack tf/more\n",
            "/etc/pam.d/tf-absolute": "@include /opt/tf/pam\n",
            "/etc/security/limits.d/10-pam.conf": "nobody - nofile 2500\n",
        }
    )
    enter = "systemd-run --quiet --pipe --wait -p User=nobody -p PAMName={0} sh -c 'ulimit -Sn; ulimit -Hn'"

    def told() -> list[dict[str, Any]]:
        services = info(host, users=["nobody"])["nobody", "nofile"]["services"]
        return [services[way] for way in ways]

    try:
        places = ("/usr/lib/pam.d/tf-way:3", "/opt/tf/pam:3")
        notes = [place + " includes a missing file, so the session is refused" for place in places]
        assert [one["note"] for one in told()] == notes
        assert [host.sh(enter.format(way) + " || echo $?").strip() for way in ways] == ["224", "224"]  # EXIT_PAM
        for line in ("session required pam_limits.so\n", "session required pam_permit.so\n"):
            host.write({"/etc/pam.d/tf/more": line})
            got = [[int(number) for number in host.sh(enter.format(way)).split()] for way in ways]
            assert [[one["soft"], one["hard"]] for one in told()] == got
            assert (got[0] == [2500, 2500]) == ("limits" in line)
        assert [one["note"] for one in told()] == [
            f"{place} does not use pam_limits" for place in ("/usr/lib/pam.d/tf-way", "/etc/pam.d/tf-absolute")
        ]
    finally:
        host.sh("rm -rf /usr/lib/pam.d/tf* /etc/pam.d/tf* /opt/tf /etc/security/limits.d/10-pam.conf")


@pytest.mark.generations("bookworm", "trixie")
def test_a_manager_of_a_user_has_no_more_than_its_session(host: BootedHost) -> None:
    """PAM opens it, and what it says of its units is cut to the hard limit that it got."""
    runtime = "/run/user/2000"
    host.write(
        {
            "/run/systemd/system/user@2000.service.d/told.conf": f"[Service]\nEnvironment=XDG_RUNTIME_DIR={runtime}\n",
            "/etc/systemd/user/tf.service": SLEEPER,
            "/etc/security/limits.d/10-pam.conf": "* hard nofile 3000\n",
        }
    )
    host.sh(f"{ALICE}; install -d -o 2000 -m 700 {runtime}; systemctl daemon-reload")
    desired = {"manager": "user", "item": "nofile", "soft": 2048, "hard": 4096}
    try:
        outcome = host.limits(desired)
        assert only(outcome)["effective"] == {"soft": 2048, "hard": 3000}
        assert only(outcome)["after"] == {"soft": 2048, "hard": 4096}
        assert only(outcome)["shadowed_by"] == "/etc/security/limits.d/10-pam.conf:1"
        assert only(outcome)["notes"] == [
            (
                "the session of a user's manager has a hard limit of 3000 (/etc/security/limits.d/10-pam.conf:1), "
                "and its units cannot get more"
            )
        ]
        told = info(host, managers=["user"])["user", "nofile"]
        assert (told["effective"], told["notes"]) == ({"soft": 2048, "hard": 3000}, only(outcome)["notes"])
        user = f"XDG_RUNTIME_DIR={runtime} setpriv --reuid 2000 --clear-groups systemctl --user"
        host.sh(f"systemctl start user@2000; {user} start tf")
        assert host.sh(f"grep 'open files' /proc/$({user} show -p MainPID --value tf)/limits").split()[3:5] == [
            "2048",
            "3000",
        ]
        # One request that raises both: the rule that will be there counts.
        both = host.limits(desired, {"domain": "*", "item": "nofile", "hard": 5000})
        assert both.result["limits"][0]["effective"] == {"soft": 2048, "hard": 4096}
    finally:
        host.sh(
            "systemctl stop user@2000; rm -rf /run/systemd/system/user@2000.service.d /etc/systemd/user/tf.service "
            "/etc/security/limits.d/*; systemctl daemon-reload"
        )
        host.limits({"manager": "user", "item": "nofile"}, state="absent")


@pytest.mark.generations("trixie")
def test_a_slice_that_allows_fewer_tasks(host: BootedHost) -> None:
    """By one user's own slice, and by that of all."""
    host.write({"/etc/systemd/system/user-2000.slice.d/few.conf": "[Slice]\nTasksMax=100\n"})
    host.write({"/etc/systemd/system/user-.slice.d/few.conf": "[Slice]\nTasksMax=2000\n"})
    host.sh(f"{ALICE}; systemctl daemon-reload")
    mine = "TasksMax=100 of user-2000.slice is lower than nproc 3000 of alice and takes effect first."
    every = "TasksMax=2000 of user-.slice is lower than nproc 3000 of * and takes effect first."

    def set_both() -> Any:
        desired_settings = [
            {"domain": name, "item": "nproc", "soft": 3000, "hard": 3000} for name in ("alice", "*", "root")
        ]
        return host.limits(*desired_settings)

    try:
        outcome = set_both()
        for index, text in ((0, mine), (1, every)):
            assert text in outcome.result["limits"][index]["notes"]
        assert [text for text in outcome.warnings if "TasksMax" in text] == [
            "Limit alice nproc: " + mine,
            "Limit * nproc: " + every,
        ]
        found = host.module("limits_info", {"users": ["alice", "root"]})
        assert [text for text in found.result["notes"] if "TasksMax" in text] == [mine]
        host.sh(f"rm -r /etc/systemd/system/user-*.slice.d {OWN}; systemctl daemon-reload")
        assert [text for text in set_both().warnings if "TasksMax" in text] == []
        assert not [
            text for text in host.module("limits_info", {"users": ["alice"]}).result["notes"] if "Tasks" in text
        ]
    finally:
        host.sh(f"rm -rf /etc/systemd/system/user-*.slice.d {OWN}; systemctl daemon-reload")


def test_words_and_items_of_another_release(host: BootedHost) -> None:
    """``unlimited`` for nofile ends every session before Linux-PAM 1.5.2 (row 38); what a release does not know has no effect."""
    old = host.suite == "bullseye"
    desired = {"domain": "nobody", "item": "nofile", "soft": 1024, "hard": "unlimited"}
    outcome = host.limits(desired)
    said = (
        "rule unlimited: this pam_limits (before 1.5.2) refuses every login"
        if old
        else "belongs to the host of this container"
    )
    assert outcome.failed and said in outcome.msg, outcome.text
    assert outcome.result["limits"][0]["status"] == ("refused" if old else "not_namespaced")
    for item, since in (("rttime", "1.7.1"), ("nonewprivs", "1.5.0" if old else "")):
        outcome = host.limits({"domain": "nobody", "item": item, "hard": 1}, check_mode=True)
        assert outcome.failed == bool(since)
        if since:
            assert outcome.result["limits"][0]["status"] == "no_effect"
            assert f"ignores {item}, which needs Linux-PAM {since}" in outcome.msg
    assert host.sh(f"ls {OWN} 2>/dev/null || true") == ""


def test_a_profile_is_taken_back(host: BootedHost) -> None:
    """The ledger puts our files back, systemd reads that, and what runs with the former limits is named."""
    limits = [
        files("other", {"at_least": 9500}, {"at_least": 9500}, restart=True),
        {"manager": "system", "item": "nofile", "soft": {"at_least": 1500}},
    ]
    applied = host.module("profile", {"name": "ours", "limits": limits})
    assert not applied.failed, applied.text
    assert host.files_of("other") == "9500:9500"
    gone = host.module("profile", {"name": "ours", "state": "reverted"})
    assert not gone.failed, gone.text
    assert [one["status"] for one in gone.result["limits"]] == ["changed", "changed"]
    assert "restart:other.service" in gone.result["needs"]
    assert host.sh("systemctl show -p LimitNOFILE --value other").strip() == "9000"
    assert host.sh("systemctl show -p DefaultLimitNOFILESoft --value").strip() == "1024"
    assert host.sh("ls -d /etc/systemd/system/other.service.d /etc/systemd/system.conf.d 2>/dev/null || true") == ""


@pytest.mark.generations("bullseye", "trixie")
def test_without_systemd(host: BootedHost) -> None:
    """Nothing would read a drop-in, so none is written; a process is limited all the same."""
    hidden = host.sh("readlink -f /lib/systemd/systemd").strip()
    run: Callable[[str], str] = host.sh
    run(f"mkdir -p /tmp/none && touch /tmp/none/empty && mv {hidden} {hidden}.away")
    try:
        for desired in (files("web", 5, 6), {"manager": "system", "item": "nofile", "soft": 5}):
            outcome = host.limits(desired)
            assert outcome.failed and "this host has no systemd to read it" in outcome.msg
            profile = host.module("profile", {"limits": [desired]})
            assert [one["status"] for one in profile.result["limits"]] == ["no_effect"]
            assert not profile.failed and not profile.changed
    finally:
        run(f"mv {hidden}.away {hidden}")


@pytest.mark.generations("bookworm")
def test_systemd_that_does_not_run(host: BootedHost) -> None:
    """As in a chroot or where an image is made: files are written, nothing is asked to read them, and a boot is needed."""
    host.sh("mv /run/systemd/system /run/systemd/system.away")
    try:
        outcome = host.limits(files("web", 2222, 3333), {"manager": "system", "item": "nofile", "soft": 1500})
        assert (outcome.changed, outcome.result["needs"]) == (True, ["reboot"])
        assert host.limits(files("webb", 2222, 3333)).msg.startswith("Limit webb.service nofile: this host has no unit")
        assert host.limits(files("web"), {"manager": "system", "item": "nofile"}, state="absent").changed
    finally:
        host.sh("mv /run/systemd/system.away /run/systemd/system")
    assert host.sh("systemctl show -p LimitNOFILE --value web").strip() == "524288"
