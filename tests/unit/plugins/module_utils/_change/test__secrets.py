# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._change import _info, _request, _secrets
from ansible_collections.tunefleet.linux.plugins.module_utils._change._result import RequestFailed
from ansible_collections.tunefleet.linux.plugins.module_utils._change._run import run
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils import fake_host
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils._change.test__ledger_runs import OPTIONS
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
    assert _secrets.is_secret(key) is secret


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
    assert _secrets.masked({"a": [text]}, [NEW]) == {"a": [shown]}


def request(value, **more):
    return _request.of_profile(dict(OPTIONS, name="x", sysctl=dict({KEY: value}, **more)))


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
    told = [run(host, request(NEW), True), run(host, request(NEW), False), run(host, request(NEW), False)]
    told.append(run(host, _request.of_profile(dict(OPTIONS, name=None, state="reverted")), True))
    host.values[PATH] = NEXT
    told.append(run(host, _request.of_profile(dict(OPTIONS, name=None, state="reverted")), False))
    told.append(_info.sysctl(host, [KEY]))
    for secret in (OLD, NEW, NEXT):
        assert secret not in repr(told)
    assert repr(told).count(_secrets.MASK) > 20
    assert told[1][0]["settings"][0]["live"] == {"before": _secrets.MASK, "after": _secrets.MASK}


@pytest.mark.parametrize("rule", [fake_host.refuses(NEW), fake_host.ignores], ids=["refused", "ignored"])
def test_no_message_tells_a_secret(rule):
    host = a_host(rules={PATH: rule})
    with pytest.raises(RequestFailed) as caught:
        run(host, request(NEW, **{"net.core.somaxconn": 8192}), False)
    for secret in (OLD, NEW):
        assert secret not in str(caught.value) + repr(caught.value.result)
    assert _secrets.MASK in str(caught.value)


def test_the_way_back_of_a_secret_is_kept():
    host = a_host()
    start = host.state()
    run(host, request(NEW), False)
    assert host.values[PATH] == NEW and NEW.encode() in host.files[SYSCTL_FILE]
    run(host, _request.of_profile(dict(OPTIONS, name=None, state="reverted")), False)
    assert host.state() == start


def test_what_is_asked_for():
    asked = {
        KEY: NEW,
        "net.ipv6.conf.all.stable_secret": {"value": OLD},
        "net.core.somaxconn": 5,
        "x.tcp_fastopen_key": 1,
    }
    assert sorted(_secrets.asked_for(asked)) == sorted([NEW, OLD])
    assert _secrets.asked_for(None) == []
