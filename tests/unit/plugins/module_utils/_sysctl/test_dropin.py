# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import dropin as sysctl_dropin


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        pytest.param(b"net.core.somaxconn=4096\n", sysctl_dropin.Entry("net/core/somaxconn", "4096"), id="plain"),
        pytest.param(
            b"  net.core.somaxconn\t=  4096 \r\n",
            sysctl_dropin.Entry("net/core/somaxconn", "4096"),
            id="blanks and CRLF",
        ),
        pytest.param(
            b"net/core/somaxconn = 4096", sysctl_dropin.Entry("net/core/somaxconn", "4096"), id="slashes, no newline"
        ),
        pytest.param(
            b"-net.core.somaxconn = 4096\n", sysctl_dropin.Entry("net/core/somaxconn", "4096"), id="tolerates failure"
        ),
        pytest.param(
            b"- net.core.somaxconn = 4096\n",
            sysctl_dropin.Entry("net/core/somaxconn", "4096"),
            id="blank behind the dash",
        ),
        pytest.param(b"-net.core.somaxconn\n", sysctl_dropin.Entry("net/core/somaxconn", None), id="lone -key"),
        pytest.param(b"net.core.somaxconn =\n", sysctl_dropin.Entry("net/core/somaxconn", ""), id="empty value"),
        pytest.param(
            b"net.ipv4.tcp_rmem=4096\t1 2\n", sysctl_dropin.Entry("net/ipv4/tcp_rmem", "4096\t1 2"), id="vector"
        ),
        pytest.param(
            b"kernel.core_pattern=|/x a=b\n",
            sysctl_dropin.Entry("kernel/core_pattern", "|/x a=b"),
            id="equals in the value",
        ),
        pytest.param(
            b"vm.swappiness=10 # low\n",
            sysctl_dropin.Entry("vm/swappiness", "10 # low"),
            id="no comment behind a value",
        ),
        pytest.param(
            b"net.ipv4.conf.*.rp_filter=2\n", sysctl_dropin.Entry("net/ipv4/conf/*/rp_filter", "2"), id="pattern"
        ),
        pytest.param(
            b"net.ipv4.conf.eth0/1.x=2\n", sysctl_dropin.Entry("net/ipv4/conf/eth0.1/x", "2"), id="interface with a dot"
        ),
        pytest.param(b"kernel.domainname=\xff\n", sysctl_dropin.Entry("kernel/domainname", "\udcff"), id="not UTF-8"),
        pytest.param(b"", None, id="nothing"),
        pytest.param(b" \t\r\n", None, id="blank line"),
        pytest.param(b"# a=b\n", None, id="comment"),
        pytest.param(b"   ; a=b\n", None, id="semicolon comment"),
        pytest.param(b"net.core.somaxconn 4096\n", None, id="no assignment"),
    ],
)
def test_parse_line(line, entry):
    assert sysctl_dropin.parse_line(line) == entry


@pytest.mark.parametrize(
    ("data", "value"),
    [
        pytest.param(b"", None, id="empty file"),
        pytest.param(b"a.b=1\n", "1", id="one line"),
        pytest.param(b"a.b=1\na/b = 2\n", "2", id="the last of two spellings"),
        pytest.param(b"a.b=1\n-a.b\n", None, id="taken back"),
        pytest.param(b"-a.b\na.b=1\n", "1", id="set after all"),
        pytest.param(b"a.b=\n", "", id="empty value"),
        pytest.param(b"a.c=1\na.*=3\n", None, id="other keys"),
    ],
)
def test_get(data, value):
    assert sysctl_dropin.ConfFile(data).get("a.b") == value


HEAD = sysctl_dropin.HEADER


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        pytest.param(b"", {"a.b": "1"}, HEAD + b"a.b=1\n", id="a new file"),
        pytest.param(b"", {"z.z": "1", "a.b": "2"}, HEAD + b"z.z=1\na.b=2\n", id="the order given"),
        pytest.param(b"", {}, b"", id="nothing to do"),
        pytest.param(b"", {"a.b": None}, b"", id="nothing to remove"),
        pytest.param(b"# c\na.b = 1\n", {"a.b": "2"}, b"# c\na.b=2\n", id="in place"),
        pytest.param(b"# c\nx.y = 1", {"a.b": "2"}, b"# c\nx.y = 1\na.b=2\n", id="the last line had no end"),
        pytest.param(b"a.b=1", {"a.b": "2"}, b"a.b=2\n", id="the line itself had no end"),
        pytest.param(
            b"a.b=1\nx.y=1\na/b=2\nz.z=1\n", {"a.b": "3"}, b"x.y=1\na.b=3\nz.z=1\n", id="duplicates become one"
        ),
        pytest.param(b"a.b=1\nx.y=1\nx.y=2\n", {"a.b": "3"}, b"a.b=3\nx.y=1\nx.y=2\n", id="duplicates of others stay"),
        pytest.param(b"a.b=1\r\n# c\r\nx.y=1\r\n", {"a.b": "2"}, b"a.b=2\r\n# c\r\nx.y=1\r\n", id="CRLF in place"),
        pytest.param(
            b"a.b=1\n\xef\xbb\xbfx.y  =  1\n;c\n\xff\n  junk\n\n-q.r\n",
            {"a.b": None},
            b"\xef\xbb\xbfx.y  =  1\n;c\n\xff\n  junk\n\n-q.r\n",
            id="foreign bytes stay",
        ),
        pytest.param(b"a.b=1\na.b=2\n", {"a.b": None}, b"", id="every line of a key goes"),
        pytest.param(b"# a.b=1\n", {"a.b": None}, b"# a.b=1\n", id="a comment is no line of a key"),
        pytest.param(b"a.b =\n", {"a.b": None}, b"", id="an empty value is removed"),
        pytest.param(b"-a.b\n", {"a.b": "1"}, b"a.b=1\n", id="a lone -key gives way"),
        pytest.param(b"a.*=1\n", {"a.b": "2"}, b"a.*=1\na.b=2\n", id="a pattern stays"),
        pytest.param(HEAD + b"a.b=1\n", {"a.b": None}, HEAD, id="the header is left"),
        pytest.param(b"x.y=1\n", {"k.d": "\udcff"}, b"x.y=1\nk.d=\xff\n", id="any bytes as a value"),
        pytest.param(
            b"",
            {"net.ipv4.conf.eth0/100.rp_filter": "1"},
            HEAD + b"net.ipv4.conf.eth0/100.rp_filter=1\n",
            id="the spelling that every reader understands",
        ),
    ],
)
def test_with_changes(before, changes, after):
    assert sysctl_dropin.ConfFile(before).with_changes(changes) == after
    for key, text in changes.items():
        assert sysctl_dropin.ConfFile(after).get(key) == text
    assert (
        sysctl_dropin.ConfFile(after).with_changes({key: text for key, text in changes.items() if text is None})
        == after
    )


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        pytest.param(b"-vm.x = 20\n", {"vm.x": "30"}, b"-vm.x=30\n", id="a dash that tolerates failure stays"),
        pytest.param(b"-vm.x\n", {"vm.x": "30"}, b"vm.x=30\n", id="a lone dash would take the value back"),
        pytest.param(b"-vm.x\nvm.x=1\n", {"vm.x": None}, b"-vm.x\n", id="an exclusion is no entry to be lost"),
        pytest.param(b"vm.x=1\n-vm.x\n", {"vm.x": None}, b"-vm.x\n", id="also where it comes last"),
    ],
)
def test_dashes(before, changes, after):
    assert sysctl_dropin.ConfFile(before).with_changes(changes) == after


@pytest.mark.parametrize(
    ("before", "changes", "last", "after"),
    [
        pytest.param(
            b"a.b=1\nx.y=1\nc.d=1\n", {}, ["c.d", "a.b"], b"x.y=1\nc.d=1\na.b=1\n", id="as they are, in this order"
        ),
        pytest.param(b"-a.b = 1\r\nx.y=1\n", {"a.b": "2"}, ["a.b"], b"x.y=1\n-a.b=2\r\n", id="with dash and line end"),
        pytest.param(b"a.b=1\na.b=2\nx.y=1", {}, ["a.b"], b"x.y=1\na.b=2\n", id="once"),
        pytest.param(
            b"x.y=1\n", {"a.b": "2", "c.d": "3"}, ["a.b"], b"x.y=1\nc.d=3\na.b=2\n", id="new ones behind new ones"
        ),
        pytest.param(b"a.b=1", {}, ["a.b"], b"a.b=1\n", id="the only line, which had no end"),
        pytest.param(b"", {"a.b": "1"}, ["a.b"], HEAD + b"a.b=1\n", id="a new file"),
        pytest.param(b"# c\na.b=1\n# d\n", {}, ["a.b"], b"# c\n# d\na.b=1\n", id="foreign lines stay"),
    ],
)
def test_entries_that_come_last(before, changes, last, after):
    assert sysctl_dropin.ConfFile(before).with_changes(changes, last) == after
    assert sysctl_dropin.ConfFile(after).with_changes({}, last) == after


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"", None),
        (b"-vm.x\n", None),
        (b"vm.x=1\n-vm.x\n", "1"),
        (b"vm.x=1\nvm/x=2\n", "2"),
        (b"vm.x=\n", ""),
    ],
)
def test_assigned(data, value):
    assert sysctl_dropin.ConfFile(data).assigned("vm.x") == value
