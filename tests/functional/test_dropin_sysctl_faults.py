# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What people reported about ansible.posix.sysctl, one test each: ours does better, and what the other one does is shown.

Each test looks at ours first, so that it says something even where there is nothing to compare with.
"""

from __future__ import annotations

import json
import re
import shutil
import stat
import sys
from typing import Any

import pytest

from ansible_collections.tunefleet.linux.plugins.doc_fragments.tuning import ModuleDocFragment
from ansible_collections.tunefleet.linux.plugins.modules import sysctl as documented
from ansible_collections.tunefleet.linux.tests.environments import peer
from ansible_collections.tunefleet.linux.tests.environments.namespace import (
    PACKAGE,
    SYSCTL_FILE,
    ModuleRunner,
    Namespace,
    Outcome,
    environment,
    one_sentence,
    path_of,
)

FIN = "net.ipv4.tcp_fin_timeout"
KEEPALIVE = "net.ipv4.tcp_keepalive_time"
SACK = "net.ipv4.tcp_sack"
RMEM = "net.ipv4.tcp_rmem"
PORTS = "net.ipv4.ip_local_reserved_ports"
CONGESTION = "net.ipv4.tcp_congestion_control"
FLUSH = "net.ipv4.route.flush"
NOWHERE = "net.ipv4.no_such_key"
HOST_ONLY = "vm.swappiness"
FRESH = {FIN: "60", KEEPALIVE: "7200", SACK: "1", RMEM: "4096 131072 6291456", PORTS: ""}
FILE = "/etc/sysctl.d/50-site.conf"
LATER = "/etc/sysctl.d/99-zz-other.conf"


class Host:
    """One namespace for both modules, brought back to the same state for each."""

    def __init__(self, ns: Namespace, runner: ModuleRunner) -> None:
        self.ns = ns
        self._runner = runner
        self._content: bytes | None = None
        self._live: dict[str, str] = {}

    def start(self, content: str | bytes | None = None, live: dict[str, str] | None = None) -> None:
        """The files and live values that both modules find."""
        self._content = content.encode() if isinstance(content, str) else content
        self._live = {**FRESH, **(live or {})}
        self.again()

    def again(self) -> None:
        self.ns.sh("rm -rf /etc/sysctl.d/* /etc/sysctl.conf /etc/no")
        if self._content is not None:
            self.ns.write(FILE, self._content)
        self.ns.set_live(self._live)

    def ours(self, name: str | None = FIN, value: Any = 30, *, check_mode: bool = False, **options: Any) -> Outcome:
        options = {"sysctl_file": FILE, **options}
        if name is not None:
            options.update(name=name, value=value)
        return self.ns.module("sysctl", options, check_mode=check_mode)

    def theirs(self, name: str = FIN, value: Any = 30, *, check_mode: bool = False, **options: Any) -> Outcome:
        """The other module; without it the rest of the test is skipped."""
        reason = peer.why_absent()
        if reason:
            pytest.skip(f"ours is as it should be, but {reason}")
        options = {"sysctl_file": FILE, "name": name, "value": value, **options}
        return peer.Peer(self._runner, self.ns).sysctl(options, check_mode=check_mode)

    def live(self, key: str = FIN) -> str:
        return self.ns.live(key)[key]

    def lines(self) -> list[str]:
        """The lines of the file but for comments, none when there is no file."""
        data = self.ns.read(FILE)
        return [] if data is None else [one for one in data.decode().splitlines() if not one.startswith("#")]


@pytest.fixture
def host(shared: Namespace, runner: ModuleRunner) -> Host:
    host = Host(shared, runner)
    host.start()
    return host


@pytest.fixture
def own(ns: Namespace, runner: ModuleRunner) -> Host:
    """A host that a test may mount things on."""
    host = Host(ns, runner)
    host.start()
    return host


def test_later_duplicates_of_other_keys_stay_in_force(host: Host) -> None:
    content = f"{KEEPALIVE}=1000\n{KEEPALIVE}=7200\n"
    host.start(content)
    assert host.ours().changed
    assert host.ns.text(FILE) == content + f"{FIN}=30\n"
    host.again()
    assert host.theirs().changed
    assert host.lines() == [f"{KEEPALIVE}=1000", f"{FIN}=30"] and host.live(KEEPALIVE) == "1000"


def test_the_layout_of_other_lines_is_kept(host: Host) -> None:
    content = f"  # indented\n\t{KEEPALIVE} =   7200  \n\n ; other\r\n"
    host.start(content)
    assert host.ours().changed
    assert host.ns.read(FILE) == (content + f"{FIN}=30\n").encode()
    host.again()
    assert host.theirs().changed
    assert f"\n{KEEPALIVE}=7200\n" in host.ns.text(FILE)


def test_a_bad_line_of_another_key_does_not_fail_the_task(host: Host) -> None:
    host.start(f"{NOWHERE}=1\n")
    assert host.ours().changed and not host.ours().changed
    assert (host.live(), host.lines()) == ("30", [f"{NOWHERE}=1", f"{FIN}=30"])
    host.again()
    first, second = host.theirs(), host.theirs()
    assert first.failed and not first.changed and (host.live(), host.lines()[-1]) == ("30", f"{FIN}=30")
    assert not second.failed, "what failed before is fine now, and nothing was mended"


def test_other_keys_of_the_file_are_not_set(host: Host) -> None:
    host.start(f"{KEEPALIVE}=1000\n")
    host.ours()
    assert (host.live(), host.live(KEEPALIVE)) == ("30", "7200")
    host.again()
    host.theirs()
    assert (host.live(), host.live(KEEPALIVE)) == ("30", "1000")


def test_an_unknown_key_that_is_to_be_ignored_changes_nothing(host: Host) -> None:
    for _run in range(2):
        outcome = host.ours(NOWHERE, 1, ignoreerrors=True)
        assert not outcome.failed and not outcome.changed and outcome.statuses == {NOWHERE: "unknown"}
    assert host.ns.read(FILE) is None
    assert host.theirs(NOWHERE, 1, ignoreerrors=True).changed
    assert host.theirs(NOWHERE, 1, ignoreerrors=True).changed, "on every run"
    assert host.lines() == [f"{NOWHERE}=1"]


def test_a_key_that_cannot_be_written_can_be_ignored_too(host: Host) -> None:
    outcome = host.ours(HOST_ONLY, 11, ignoreerrors=True)
    assert not outcome.failed and outcome.statuses == {HOST_ONLY: "read_only"}
    assert host.theirs(HOST_ONLY, 11, ignoreerrors=True).failed


def _replace_program(ns: Namespace, script: str) -> None:
    """Put something in the place of the sysctl program, in every folder that has one."""
    folders = environment("/")["PATH"].split(":") + ["/usr/local/sbin"]
    programs = {shutil.which("sysctl", path=folder) for folder in folders} - {None}
    ns.write("/etc/program", script)
    ns.path("/etc/program").chmod(0o755 if script else 0o644)
    for program in programs:
        ns.sh(f"mount --bind /etc/program $(readlink -f {program}) 2>/dev/null || true")


def test_a_sysctl_program_that_hides_a_failure_deceives_nobody(own: Host) -> None:
    """BusyBox says that a key is unknown, and exits with 0."""
    _replace_program(own.ns, '#!/bin/sh\necho "sysctl: error: it is an unknown key" >&2\n')
    assert own.ours(NOWHERE, 1).failed and own.ns.read(FILE) is None
    assert own.ours().changed and own.live() == "30"
    own.again()
    assert not own.theirs(NOWHERE, 1, sysctl_set=True).failed
    assert not own.theirs().failed and own.live() == "60", "nothing was set, and that is called a success"


def test_no_sysctl_program_is_needed(own: Host) -> None:
    _replace_program(own.ns, "")
    assert own.ours().changed and own.live() == "30"
    own.again()
    outcome = own.theirs(check_mode=True, reload=False)
    assert outcome.failed and "sysctl" in outcome.msg


def test_tabs_and_blanks_between_numbers_are_the_same(host: Host) -> None:
    content = f"{RMEM}=4096\t131072   6291456\n"
    host.start(content)
    stamp = host.ns.stamp(FILE)
    assert not host.ours(RMEM, "4096 131072 6291456").changed
    assert not host.ours(RMEM, "4096\t131072  6291456").changed
    assert host.ns.stamp(FILE) == stamp
    assert host.theirs(RMEM, "4096 131072 6291456").changed


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [(PORTS, "8080,8081", "8080-8081"), (FIN, "0x1e", "30"), (FIN, "05", "5")],
    ids=["merged_ports", "hexadecimal", "leading_zero"],
)
def test_a_value_that_the_kernel_rewrites_is_set_once(host: Host, key: str, value: str, kept: str) -> None:
    assert host.ours(key, value).changed and host.live(key) == kept
    assert not host.ours(key, value).changed
    host.again()
    assert host.theirs(key, value).changed and host.live(key) == kept
    assert host.theirs(key, value).changed, "on every run"


def test_two_numbers_for_a_key_of_three_are_refused(host: Host) -> None:
    """The kernel takes them and keeps its third, so that what is asked for never is what is there."""
    one_sentence(host.ours(RMEM, "8192 65536"), RMEM, "3")
    assert host.live(RMEM) == FRESH[RMEM] and host.ns.read(FILE) is None
    assert host.theirs(RMEM, "8192 65536").changed and host.live(RMEM) == "8192 65536 6291456"
    assert host.theirs(RMEM, "8192 65536").changed, "on every run"


def test_an_action_is_not_kept_as_if_it_were_a_state(host: Host) -> None:
    one_sentence(host.ours(FLUSH, 1), FLUSH, "action", "persist")
    assert host.ns.read(FILE) is None
    assert host.theirs(FLUSH, 1).changed
    assert host.theirs(FLUSH, 1).changed and host.lines() == [f"{FLUSH}=1"]


def test_one_key_has_one_line_however_it_is_spelled(own: Host) -> None:
    own.ns.interface("v0.100", "v1")
    key = "net.ipv4.conf.v0/100.rp_filter"
    own.start(f"{FIN}=60\n", {key: "0"})
    for name in (key, "net/ipv4/conf/v0.100/rp_filter", "net.ipv4.conf.v0.100.rp_filter"):
        assert not own.ours(name, 2).failed
    assert own.ours("net/ipv4/tcp_fin_timeout", 30).changed
    assert own.lines() == [f"{FIN}=30", f"{key}=2"] and own.live(key) == "2"
    own.again()
    assert own.theirs("net/ipv4/tcp_fin_timeout", 30).changed
    assert own.lines() == [f"{FIN}=60", "net/ipv4/tcp_fin_timeout=30"]
    assert own.theirs("net.ipv4.conf.v0.100.rp_filter", 2).failed


def test_dashes_and_patterns_of_sysctl_d_are_understood(own: Host) -> None:
    own.ns.interface("v0", "v1")
    key, pattern = "net.ipv4.conf.v0.rp_filter", "net.ipv4.conf.*.rp_filter = 1"
    own.start(f"-{FIN} = 20\n{pattern}\n-{KEEPALIVE}\n", {key: "0"})
    assert own.ours().changed and own.ours(key, 2).changed
    lines = own.lines()
    assert [one for one in lines if FIN in one][0].lstrip("-") == f"{FIN}=30" and len(lines) == 4, lines
    assert lines[1:] == [pattern, f"-{KEEPALIVE}", f"{key}=2"]
    boot = own.ours(key, 2).setting(key)["boot"]
    assert (boot["value"], boot["winner"], boot["ours"]) == ("2", f"{FILE}:4", True)
    own.again()
    own.theirs(reload=False)
    assert [one for one in own.lines() if FIN in one] == [f"-{FIN}=20", f"{FIN}=30"]


def test_no_shell_looks_at_a_value(host: Host) -> None:
    """Quotes were taken out and variables replaced on the way to the kernel, but not on the way to the file."""
    variable = "$ANSIBLE_NOCOLOR"  # 1 in the environment of these tests
    assert host.ours(FIN, variable, sysctl_set=True, reload=False).failed
    assert host.ours(CONGESTION, 're"n"o', sysctl_set=True, reload=False).failed
    assert host.live() == "60" and host.ns.read(FILE) is None
    assert host.theirs(FIN, variable, sysctl_set=True, reload=False).changed
    assert (host.live(), host.lines()) == ("1", [f"{FIN}={variable}"])
    before = host.live(CONGESTION)
    assert not host.theirs(CONGESTION, 're"n"o', sysctl_set=True, reload=False).failed
    assert host.live(CONGESTION) == "reno"
    host.ns.set_live({CONGESTION: before})


def _with_a_name_of_its_own(host: Host, package: str, value: str) -> tuple[dict[str, Any], str]:
    """Set kernel.domainname, a key that takes text, in a UTS namespace; the result and what the kernel then has."""
    path = path_of("kernel.domainname")
    script = f'umount /proc/sys/kernel; echo before >{path}; "$@"; echo "=after="; cat {path}'
    arguments = {"name": "kernel.domainname", "value": value, "sysctl_file": FILE, "reload": False, "sysctl_set": True}
    done = host.ns.run(
        *["unshare", "--uts", "--mount", "sh", "-c", script, "sh", sys.executable, "-m", package],
        stdin=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
    )
    result, _marker, kept = done.stdout.rpartition("=after=\n")
    return dict(json.loads(result)), kept.rstrip("\n")


def test_words_for_switches_stay_words_where_a_key_takes_text(host: Host) -> None:
    result, kept = _with_a_name_of_its_own(host, PACKAGE + "sysctl", "on")
    assert result["changed"] and kept == "on" and host.lines() == ["kernel.domainname=on"]
    host.again()
    host.theirs(check_mode=True)
    result, kept = _with_a_name_of_its_own(host, peer.MODULE, "on")
    assert result["changed"] and kept == "1" and host.lines() == ["kernel.domainname=1"]


def test_a_value_can_be_empty_where_a_key_takes_that(host: Host) -> None:
    result, kept = _with_a_name_of_its_own(host, PACKAGE + "sysctl", "")
    assert result["changed"] and kept == "" and host.lines() == ["kernel.domainname="]
    host.start(live={PORTS: "8080"})
    assert host.ours(PORTS, "").changed and not host.ours(PORTS, "").changed
    assert host.live(PORTS) == "" and host.lines() == [f"{PORTS}="]
    assert host.theirs(PORTS, "").msg == "value cannot be blank"


def test_an_empty_entry_can_be_removed(host: Host) -> None:
    host.start(f"# x\n{PORTS}=\n")
    assert host.ours(PORTS, None, state="absent").changed and host.lines() == []
    host.again()
    assert not host.theirs(PORTS, None, state="absent").changed and host.lines() == [f"{PORTS}="]


@pytest.mark.parametrize(
    ("key", "value"),
    [(NOWHERE, 1), (FIN, 1 << 40), (HOST_ONLY, 11)],
    ids=["unknown_key", "value_out_of_range", "key_that_cannot_be_written"],
)
def test_check_mode_foresees_a_failure(host: Host, key: str, value: int) -> None:
    foreseen, done = host.ours(key, value, check_mode=True), host.ours(key, value)
    assert foreseen.failed and foreseen.msg == done.msg
    assert host.theirs(key, value, check_mode=True).changed and host.theirs(key, value).failed


def test_there_is_a_diff(host: Host) -> None:
    host.start(f"{FIN}=60\n")
    pages = host.ours(check_mode=True).result["diff"]
    assert [(page["before"], page["after"]) for page in pages] == [
        (f"{FIN} = 60\n", f"{FIN} = 30\n"),
        (f"{FIN}=60\n", f"{FIN}=30\n"),
    ]
    assert "diff" not in host.theirs(check_mode=True).result


def test_values_are_told_and_can_be_read(host: Host) -> None:
    host.start(f"{FIN}=50\n")
    one = host.ours().setting(FIN)
    assert (one["live"], one["file"]["before"], one["file"]["after"]) == ({"before": "60", "after": "30"}, "50", "30")
    read = host.ns.module("sysctl_info", {"names": [FIN]})
    assert not read.changed and read.setting(FIN)["live"]["before"] == "30"
    host.again()
    assert set(host.theirs().result) - {"invocation", "warnings", "deprecations"} == {"changed"}


def test_many_keys_are_one_task(host: Host) -> None:
    settings = {FIN: 30, KEEPALIVE: 1200, SACK: False}
    outcome = host.ours(None, settings=settings)
    assert outcome.changed and list(outcome.statuses) == list(settings)
    assert host.ns.live(*settings) == {FIN: "30", KEEPALIVE: "1200", SACK: "0"}
    assert "Unsupported parameters" in host.theirs(settings=settings).msg


def test_a_directory_that_is_missing_is_made(host: Host) -> None:
    path = "/etc/no/such/place.conf"
    assert host.ours(sysctl_file=path).changed and not host.ours(sysctl_file=path).changed
    assert host.ns.text(path).splitlines()[-1] == f"{FIN}=30"
    host.again()
    outcome = host.theirs(sysctl_file=path)
    assert outcome.failed and "Traceback" in outcome.text


def test_dev_null_stays_a_device(own: Host) -> None:
    """It was advised as the file for those who want the live value alone; persist=false is what they mean."""
    null = own.ns.path("/dev/null")
    one_sentence(own.ours(sysctl_file="/dev/null"), "/dev/null", "a character device")
    assert own.live() == "60" and stat.S_ISCHR(null.lstat().st_mode)
    assert own.ours(persist=False).changed and own.live() == "30" and own.ns.read(FILE) is None
    assert not own.ours(persist=False).changed
    own.again()
    own.theirs(sysctl_file="/dev/null", reload=False)
    assert stat.S_ISREG(null.lstat().st_mode), "the device of this namespace was replaced by a file"


def test_a_later_file_that_wins_at_boot_is_named(host: Host) -> None:
    host.start()
    host.ns.write(LATER, f"# theirs\n{FIN}=45\n")
    outcome = host.ours()
    assert outcome.changed and outcome.setting(FIN)["shadowed"]
    assert any(f"{LATER}:2" in one and "45" in one for one in outcome.warnings), outcome.warnings
    host.again()
    host.ns.write(LATER, f"# theirs\n{FIN}=45\n")
    one_sentence(host.ours(on_shadowed="fail"), FIN, f"{LATER}:2")
    assert host.live() == "60" and host.ns.read(FILE) is None
    assert LATER not in host.theirs().text


def test_what_a_container_cannot_write_does_not_stop_the_rest(host: Host) -> None:
    outcome = host.ours(None, settings={FIN: 30, HOST_ONLY: 11}, on_unavailable="warn")
    assert outcome.changed and outcome.statuses == {FIN: "changed", HOST_ONLY: "read_only"}
    assert len(outcome.warnings) == 1 and HOST_ONLY in outcome.warnings[0]
    assert host.live() == "30" and host.lines() == [f"{FIN}=30"]
    host.again()
    assert host.theirs(HOST_ONLY, 11).failed and host.lines() == [f"{HOST_ONLY}=11"]


def test_a_key_of_a_kernel_module_that_is_not_loaded_says_so(host: Host) -> None:
    missing = [("net.sctp.rto_min", "sctp"), ("net.rds.tcp.rds_tcp_sndbuf", "rds")]
    missing = [one for one in missing if not host.ns.path(path_of(one[0])).exists()]
    if not missing:
        pytest.skip("every kernel module that is asked for here is loaded")
    key, module = missing[0]
    one_sentence(host.ours(key, 900), key, f"kernel module {module}")
    assert host.ns.read(FILE) is None
    assert host.ours(key, 900, live=False).changed, "kept for the boot only on request"
    host.again()
    outcome = host.theirs(key, 900)
    assert outcome.failed and "module" not in outcome.msg and host.lines() == [f"{key}=900"]


def test_comments_are_bytes_that_stay(host: Host) -> None:
    content = b"# caf\xe9 # \xff\n" + f"{KEEPALIVE}=7200 # why\n".encode()
    host.start(content)
    assert host.ours().changed and not host.ours().changed
    assert host.ns.read(FILE) == content + f"{FIN}=30\n".encode()
    host.again()
    outcome = host.theirs()
    assert outcome.failed and "UnicodeDecodeError" in outcome.text


def test_linux_is_all_that_is_promised() -> None:
    assert "platforms: linux" in ModuleDocFragment.DOCUMENTATION
    assert re.search(r"drop-in replacement for M\(ansible\.posix\.sysctl\) on Linux", documented.DOCUMENTATION)


@pytest.mark.parametrize(
    "path", [None, "/etc/sysctl.conf", "/etc/sysctl.d/10-own.conf", "/etc/ufw.conf", "/etc/no/own.d/x.txt"]
)
@pytest.mark.parametrize("content", [None, f"# x\n\n{KEEPALIVE} = 7200\n{FIN} = 20 \n"], ids=["new", "old"])
def test_a_second_run_changes_nothing_whatever_the_file(host: Host, path: str | None, content: str | None) -> None:
    file = path or SYSCTL_FILE
    if content is not None:
        host.ns.sh(f"mkdir -p {file.rpartition('/')[0]}")
        host.ns.write(file, content)
    options: dict[str, Any] = {} if path is None else {"sysctl_file": path}
    for key, value in ((FIN, 30), (RMEM, "4096 131072 6291456")):
        assert host.ns.sysctl(None, name=key, value=value, **options).changed
        stamp = host.ns.stamp(file)
        assert not host.ns.sysctl(None, name=key, value=value, **options).changed
        assert host.ns.stamp(file) == stamp
    host.ns.sh("rm -f /etc/ufw.conf")


def test_another_owner_of_the_key_is_named_when_it_was_set_back(host: Host) -> None:
    host.start()
    host.ns.write(LATER, f"{FIN}=45\n")
    host.ours()
    host.ns.set_live({FIN: "45"})  # as the other tool does, each time it runs
    outcome = host.ours()
    one = outcome.setting(FIN)
    assert outcome.changed and one["live"] == {"before": "45", "after": "30"} and host.live() == "30"
    assert one["boot"]["winner"] == f"{LATER}:1" and LATER in one["reason"]
    host.ns.set_live({FIN: "45"})
    outcome = host.theirs()
    assert outcome.changed and LATER not in outcome.text
