# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._core import redact
from ansible_collections.tunefleet.linux.plugins.module_utils._core import result as results
from ansible_collections.tunefleet.linux.plugins.module_utils._module import profile_options
from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import info as sysctl_info
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils import fake_host
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils._transaction.test_ledger_runs import OPTIONS
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import SYSCTL_FILE, FakeHost

OLD, NEW, NEXT = ["-".join([digit * 8] * 4) for digit in "123"]
KEY, PATH = "net.ipv4.tcp_fastopen_key", "net/ipv4/tcp_fastopen_key"


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("net.ipv4.tcp_fastopen_key", True),
        ("net/ipv4/tcp_fastopen_key", True),
        (" net.ipv6.conf.eth0/100.stable_secret", True),
        ("net.ipv4.tcp_fastopen", False),
        ("net.core.somaxconn", False),
    ],
)
def test_is_secret(key, secret):
    assert redact.is_secret(key) is secret


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a " + NEW + ": refused", "a ********: refused"),
        ("# x\nnet.ipv4.tcp_fastopen_key = abc # d\ny=1\n", "# x\nnet.ipv4.tcp_fastopen_key = ********\ny=1\n"),
        ("-net/ipv6/conf/all/stable_secret=fe80::1", "-net/ipv6/conf/all/stable_secret=********"),
        ("net.ipv4.tcp_fastopen_key and others", "net.ipv4.tcp_fastopen_key and others"),
        ("net.ipv4.tcp_fastopen = 3", "net.ipv4.tcp_fastopen = 3"),
    ],
)
def test_masked(text, shown):
    assert redact.redact({"a": [text]}, [NEW]) == {"a": [shown]}


def request(value, **more):
    return profile_options.parse(dict(OPTIONS, name="x", sysctl=dict({KEY: value}, **more)))


def a_host(**more):
    files = {SYSCTL_FILE: (KEY + " = " + OLD + "\n").encode()}
    return FakeHost(**dict({"live": {PATH: OLD}, "files": files}, **more))


def test_neither_results_nor_diffs_nor_warnings_tell_a_secret():
    host = a_host(
        files={
            SYSCTL_FILE: (KEY + "=" + OLD + "\n").encode(),
            "/etc/sysctl.d/99-z.conf": (KEY + "=" + NEXT + "\n").encode(),
        }
    )
    told = [
        module_run.run(host, request(NEW), True),
        module_run.run(host, request(NEW), False),
        module_run.run(host, request(NEW), False),
    ]
    told.append(module_run.run(host, profile_options.parse(dict(OPTIONS, name=None, state="reverted")), True))
    host.values[PATH] = NEXT
    told.append(module_run.run(host, profile_options.parse(dict(OPTIONS, name=None, state="reverted")), False))
    told.append(sysctl_info.sysctl(host, [KEY]))
    for secret in (OLD, NEW, NEXT):
        assert secret not in repr(told)
    assert repr(told).count(redact.MASK) > 20
    assert told[1][0]["settings"][0]["live"] == {"before": redact.MASK, "after": redact.MASK}


@pytest.mark.parametrize("rule", [fake_host.refuses(NEW), fake_host.ignores], ids=["refused", "ignored"])
def test_no_message_tells_a_secret(rule):
    host = a_host(rules={PATH: rule})
    with pytest.raises(results.RequestFailed) as caught:
        module_run.run(host, request(NEW, **{"net.core.somaxconn": 8192}), False)
    for secret in (OLD, NEW):
        assert secret not in str(caught.value) + repr(caught.value.result)
    assert redact.MASK in str(caught.value)


def test_the_way_back_of_a_secret_is_kept():
    host = a_host()
    start = host.state()
    module_run.run(host, request(NEW), False)
    assert host.values[PATH] == NEW and NEW.encode() in host.files[SYSCTL_FILE]
    module_run.run(host, profile_options.parse(dict(OPTIONS, name=None, state="reverted")), False)
    assert host.state() == start


def test_what_is_asked_for():
    asked = {
        KEY: NEW,
        "net.ipv6.conf.all.stable_secret": {"value": OLD},
        "net.core.somaxconn": 5,
        "x.tcp_fastopen_key": 1,
    }
    assert sorted(redact.secrets_in_options(asked)) == sorted([NEW, OLD])
    assert redact.secrets_in_options(None) == []
