# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a host's files to what the next boot gives: which reader, which files, ufw, and readers that cannot be told apart."""

import os

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._core import bound as bounds
from ansible_collections.tunefleet.linux.plugins.module_utils._core import request as requests
from ansible_collections.tunefleet.linux.plugins.module_utils._core import result as results
from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import facts as sysctl_facts
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import info as sysctl_info
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import plan as sysctl_plan

KEY = "net.core.somaxconn"
OWN = "/etc/sysctl.d/99-tunefleet.conf"
CONF = "/etc/sysctl.conf"
UFW = "/etc/ufw/sysctl.conf"

SYSTEMD_SYSCTL = {
    "/usr/lib/systemd/systemd-sysctl": "",
    "/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so": "",
}
SYSTEMD = dict(SYSTEMD_SYSCTL, **{"/run/systemd/system/x": "", "/proc/1/comm": "systemd\n"})
PROCPS = {"/usr/sbin/sysctl": "", "/usr/lib/x86_64-linux-gnu/libproc2.so.0.0.2": "", "/proc/1/comm": "init\n"}
EITHER = dict(SYSTEMD_SYSCTL, **dict(PROCPS, **{"/proc/1/comm": "sleep\n"}))
UFW_ON = {
    "/etc/ufw/ufw.conf": "# c\nENABLED=yes\nLOGLEVEL=low\n",
    "/etc/default/ufw": '#IPT_SYSCTL=/x\nIPT_SYSCTL="/etc/ufw/sysctl.conf"\n',
    UFW: "net/core/somaxconn=77\n",
}


@pytest.fixture
def host_of(tmp_path):
    """A host with these files; its kernel has one key."""

    def make(*parts, **live):
        files = {"/proc/sys/net/core/somaxconn": "4096\n"}
        files.update({"/proc/sys/" + path.replace(".", "/"): text for path, text in live.items()})
        for part in parts:
            files.update(part)
        for path, text in files.items():
            target = str(tmp_path) + path
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w") as stream:
                stream.write(text)
        return hosts.Host(str(tmp_path))

    return make


def info(host):
    return {one["key"]: one for one in sysctl_info.sysctl(host, None)["settings"]}


@pytest.mark.parametrize(
    ("parts", "readers"),
    [
        pytest.param([SYSTEMD], ["systemd 252"], id="systemd"),
        pytest.param([PROCPS], ["procps 4.0.4"], id="another init program"),
        pytest.param([EITHER], ["systemd 252", "procps 4.0.4"], id="a container"),
        pytest.param([], ["systemd 257"], id="neither"),
    ],
)
def test_readers(host_of, parts, readers):
    assert [str(reader) for reader in sysctl_facts.boot_files(host_of(*parts)).readers] == readers


def test_busybox_reads_no_directory(host_of, tmp_path):
    host = host_of({"/bin/busybox": ""})
    os.makedirs(str(tmp_path) + "/sbin")
    os.symlink("../bin/busybox", str(tmp_path) + "/sbin/sysctl")
    assert [str(reader) for reader in sysctl_facts.boot_files(host).readers] == ["systemd 257"]


def test_sysctl_conf_counts_for_procps_only(host_of):
    files = {CONF: "net.core.somaxconn=21\n", "/etc/sysctl.d/zz.conf": "net.core.somaxconn=22\n"}
    boot = info(host_of(SYSTEMD, files))[KEY]["boot"]
    assert (boot["value"], boot["winner"]) == ("22", "/etc/sysctl.d/zz.conf:1")


def test_procps_ends_with_sysctl_conf(host_of):
    files = {CONF: "net.core.somaxconn=21\n", "/etc/sysctl.d/zz.conf": "net.core.somaxconn=22\n"}
    found = info(host_of(PROCPS, files))[KEY]
    assert (found["boot"]["value"], found["boot"]["winner"]) == ("21", CONF + ":1")
    assert found["files"] == ["/etc/sysctl.d/zz.conf:1", CONF + ":1"]
    assert "others" not in found["boot"]


def test_every_line_is_named_even_of_a_file_that_does_not_count(host_of):
    files = {
        CONF: "net.core.somaxconn=21\n",
        "/etc/sysctl.d/a.conf": "net.core.*=22\n",
        "/usr/lib/sysctl.d/a.conf": "\nnet/core/somaxconn=23\n",
    }
    found = sysctl_info.sysctl(host_of(SYSTEMD, files), [KEY])["settings"][0]
    assert found["boot"]["winner"] == "/etc/sysctl.d/a.conf:1"
    assert found["files"] == ["/etc/sysctl.d/a.conf:1", "/usr/lib/sysctl.d/a.conf:2", CONF + ":1"]


def test_patterns_bring_their_keys(host_of):
    files = {"/etc/sysctl.d/a.conf": "net.core.*max*=22\n"}
    assert list(info(host_of(SYSTEMD, files))) == [KEY]


def test_readers_that_differ(host_of):
    files = {CONF: "net.core.somaxconn=21\n", "/etc/sysctl.d/zz.conf": "net.core.somaxconn=22\n"}
    found = info(host_of(EITHER, files))[KEY]
    assert found["boot"]["value"] == "22"
    assert found["boot"]["others"] == [{"reader": "procps 4.0.4", "value": "21", "winner": CONF + ":1"}]


def test_readers_that_agree(host_of):
    assert "others" not in info(host_of(EITHER, {"/etc/sysctl.d/a.conf": "net.core.somaxconn=22\n"}))[KEY]["boot"]


@pytest.mark.parametrize(
    ("change", "winner"),
    [
        pytest.param({}, UFW + ":1", id="enabled"),
        pytest.param({"/etc/ufw/ufw.conf": "ENABLED=no\n"}, "/etc/sysctl.d/zz.conf:1", id="disabled"),
        pytest.param({"/etc/ufw/ufw.conf": "#ENABLED=yes\n"}, "/etc/sysctl.d/zz.conf:1", id="commented out"),
        pytest.param({"/etc/default/ufw": "IPT_SYSCTL=\n"}, "/etc/sysctl.d/zz.conf:1", id="no file named"),
        pytest.param({"/etc/default/ufw": "IPT_SYSCTL=/nowhere\n"}, "/etc/sysctl.d/zz.conf:1", id="no such file"),
    ],
)
def test_ufw(host_of, change, winner):
    zz = {"/etc/sysctl.d/zz.conf": "net.core.somaxconn=22\n"}
    host = host_of(SYSTEMD, {"/usr/sbin/sysctl": ""}, UFW_ON, zz, change)
    assert info(host)[KEY]["boot"]["winner"] == winner


def plan(host, value, on_shadowed="warn"):
    policy = requests.Policy(on_shadowed=on_shadowed)
    seen = sysctl_facts.gather(host, [KEY], OWN)
    return sysctl_plan.plan([requests.SettingRequest(KEY, bounds.VALUE, value)], seen, policy)


def test_shadowed_by_ufw(host_of):
    host = host_of(SYSTEMD, {"/usr/sbin/sysctl": ""}, UFW_ON)
    found = plan(host, 8192)
    assert found.settings[0].shadowed
    assert [(one.id, one.subject, one.fields) for one in found.warnings] == [
        ("sysctl.overridden_at_boot", KEY, {"winner": UFW + ":1", "path": OWN, "value": "77"})
    ]
    assert plan(host, 77).warnings == []
    assert plan(host, 8192, "fail").problems == found.warnings


def test_shadowed_for_one_of_two_readers(host_of):
    found = plan(host_of(EITHER, {CONF: "net.core.somaxconn=21\n"}), 8192)
    assert found.settings[0].boot == ("8192", OWN + ":2", True)
    fields = {"winner": CONF + ":1", "path": OWN, "value": "21", "program": "sysctl --system"}
    assert [(one.id, one.subject, one.fields) for one in found.warnings] == [
        ("sysctl.overridden_by_program", KEY, fields)
    ]
    result = results.from_plan(found, OWN)["settings"][0]
    assert result["boot"]["others"] == [{"reader": "procps 4.0.4", "value": "21", "winner": CONF + ":1"}]


def test_a_difference_that_does_not_shadow_is_told(host_of):
    host = host_of(EITHER, {CONF: "net.core.somaxconn=9000\n"})
    seen = sysctl_facts.gather(host, [KEY], OWN)
    found = sysctl_plan.plan([requests.SettingRequest(KEY, bounds.AT_LEAST, 5000)], seen, requests.Policy())
    assert not found.problems
    assert not found.settings[0].shadowed
    alternatives = "systemd 252 sets 5000 ({0}:2), procps 4.0.4 sets 9000 ({1}:1)".format(OWN, CONF)
    assert [(one.id, one.subject, one.fields) for one in found.warnings] == [
        ("sysctl.reader_unknown", KEY, {"alternatives": alternatives})
    ]


def test_undone_by_a_lone_key(host_of):
    found = plan(host_of(SYSTEMD, {"/etc/sysctl.d/zz.conf": "-net.core.somaxconn\n"}), 8192)
    assert [(one.id, one.subject, one.fields) for one in found.warnings] == [
        ("sysctl.excluded_at_boot", KEY, {"where": "/etc/sysctl.d/zz.conf:1", "path": OWN})
    ]


@pytest.mark.parametrize("root", [True, False])
def test_a_ring_of_links_is_passed_over_by_root(host_of, monkeypatch, root):
    host = host_of(SYSTEMD, {"/etc/sysctl.d/a.conf": "net.core.somaxconn=5\n"})
    os.symlink("ring.conf", host._at("/etc/sysctl.d/ring.conf"))
    monkeypatch.setattr(hosts.Host, "is_root", staticmethod(lambda: root))
    if not root:
        with pytest.raises(_errors.HostProblem, match="ring.conf failed"):
            sysctl_facts.boot_files(host)
        return
    files = sysctl_facts.boot_files(host)
    assert files.dangling == {"/etc/sysctl.d/ring.conf"}
    assert files.tables()[0].effective(KEY).value == "5"


def test_a_line_that_is_not_modelled_is_reported(host_of):
    path = "/etc/sysctl.d/a.conf"
    host = host_of(SYSTEMD, {path: "net/core//somaxconn=5\n=5\n"})
    found = sysctl_info.sysctl(host, [KEY])
    assert [(one.id, one.fields) for one in found["warnings"]] == [
        ("sysctl.not_modelled", {"where": path + ":1", "key": "net/core//somaxconn"})
    ]
    assert found["settings"][0]["boot"]["value"] is None and found["settings"][0]["files"] == []


def test_a_line_without_a_name_is_no_key(host_of):
    assert list(info(host_of(SYSTEMD, {"/etc/sysctl.d/a.conf": "=5\nnet.core.somaxconn=5\n"}))) == [KEY]
