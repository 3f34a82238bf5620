# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import names as sysctl_names


@pytest.mark.parametrize(
    ("name", "key", "path"),
    [
        pytest.param("net.core.somaxconn", "net.core.somaxconn", "net/core/somaxconn", id="dots"),
        pytest.param("net/core/somaxconn", "net.core.somaxconn", "net/core/somaxconn", id="slashes"),
        pytest.param("fs.nr_open", "fs.nr_open", "fs/nr_open", id="two segments"),
        pytest.param(" net.core.somaxconn ", "net.core.somaxconn", "net/core/somaxconn", id="blanks around"),
        pytest.param("fs.file-max", "fs.file-max", "fs/file-max", id="a dash inside"),
        pytest.param(
            "net.ipv4.conf.eth0/100.rp_filter",
            "net.ipv4.conf.eth0/100.rp_filter",
            "net/ipv4/conf/eth0.100/rp_filter",
            id="interface with a dot, as sysctl -a prints it",
        ),
        pytest.param(
            "net/ipv4/conf/eth0.100/rp_filter",
            "net.ipv4.conf.eth0/100.rp_filter",
            "net/ipv4/conf/eth0.100/rp_filter",
            id="interface with a dot, as a path",
        ),
        pytest.param(
            "net.ipv4.conf.eth0.100.rp_filter",
            "net.ipv4.conf.eth0/100.rp_filter",
            "net/ipv4/conf/eth0.100/rp_filter",
            id="interface with a dot, as people write it",
        ),
        pytest.param(
            "net.ipv6.neigh.br.1.2.gc_stale_time",
            "net.ipv6.neigh.br/1/2.gc_stale_time",
            "net/ipv6/neigh/br.1.2/gc_stale_time",
            id="interface with two dots",
        ),
        pytest.param(
            "net.mpls.conf.a.b.input", "net.mpls.conf.a/b.input", "net/mpls/conf/a.b/input", id="mpls interface"
        ),
        pytest.param(
            "net.ipv4.conf.eth0.rp_filter",
            "net.ipv4.conf.eth0.rp_filter",
            "net/ipv4/conf/eth0/rp_filter",
            id="interface without a dot",
        ),
        pytest.param(
            "net.netfilter.nf_log.a.b.c", "net.netfilter.nf_log.a.b.c", "net/netfilter/nf_log/a/b/c", id="no interface"
        ),
        pytest.param("net/ipv4.tcp_sack", "net.ipv4/tcp_sack", "net/ipv4.tcp_sack", id="a path with a dot inside"),
        pytest.param("Net.Core.SoMaxConn", "Net.Core.SoMaxConn", "Net/Core/SoMaxConn", id="case is kept"),
    ],
)
def test_canonical(name, key, path):
    assert sysctl_names.canonical(name) == key
    assert sysctl_names.canonical(key) == key
    assert sysctl_names.to_path(key) == path
    assert sysctl_names.from_path(path) == key


@pytest.mark.parametrize(
    "directory", ["net.ipv4.conf", "net.ipv4.neigh", "net.ipv6.conf", "net.ipv6.neigh", "net.mpls.conf"]
)
def test_directories_with_an_interface_each(directory):
    assert sysctl_names.canonical(directory + ".eth0.1.x") == directory + ".eth0/1.x"


WRITE = "; write it as in net.core.somaxconn."


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("", "The key '' has an empty segment" + WRITE, id="empty"),
        pytest.param("   ", "The key '' has an empty segment" + WRITE, id="blanks only"),
        pytest.param("net..somaxconn", "The key 'net..somaxconn' has an empty segment" + WRITE, id="empty segment"),
        pytest.param("net.core.", "The key 'net.core.' has an empty segment" + WRITE, id="ends in a dot"),
        pytest.param("/net/core", "The key '/net/core' has an empty segment" + WRITE, id="begins with a slash"),
        pytest.param("../x", "The key '../x' has an empty segment" + WRITE, id="leaves /proc/sys at once"),
        pytest.param("net/../x", "The key 'net/../x' leads outside /proc/sys" + WRITE, id="leaves /proc/sys later"),
        pytest.param("net/./x", "The key 'net/./x' leads outside /proc/sys" + WRITE, id="a dot for a segment"),
        pytest.param(
            "a.b.//.c", "The key 'a.b.//.c' leads outside /proc/sys" + WRITE, id="leaves /proc/sys when swapped"
        ),
        pytest.param(
            "net.core.x\nvm.y",
            (
                "The key 'net.core.x\\nvm.y' contains white space or a control character; write one key, as in "
                "net.core.somaxconn."
            ),
            id="newline",
        ),
        pytest.param(
            "net.core.x\n",
            (
                "The key 'net.core.x\\n' contains white space or a control character; write one key, as in "
                "net.core.somaxconn."
            ),
            id="newline at the end",
        ),
        pytest.param(
            "net.core x",
            (
                "The key 'net.core x' contains white space or a control character; write one key, as in "
                "net.core.somaxconn."
            ),
            id="blank",
        ),
        pytest.param(
            "net.core.\x00x",
            (
                "The key 'net.core.\\x00x' contains white space or a control character; write one key, as in "
                "net.core.somaxconn."
            ),
            id="NUL",
        ),
        pytest.param(
            "net.core.x=5",
            (
                "The key 'net.core.x=5' contains a character that is special in sysctl.d(5): '=', or a leading '#', "
                "';' or '-'."
            ),
            id="equals",
        ),
        pytest.param(
            "somaxconn",
            "The key 'somaxconn' is one word; a key names its directory too, as in net.core.somaxconn.",
            id="one word",
        ),
        pytest.param(
            "net.ipv4.conf.*.rp_filter",
            "The key 'net.ipv4.conf.*.rp_filter' is a pattern; name each key here.",
            id="pattern",
        ),
        pytest.param(5, "The key 5 is not text; write it as in net.core.somaxconn.", id="number"),
        pytest.param(None, "The key None is not text; write it as in net.core.somaxconn.", id="nothing"),
    ],
)
def test_refused(name, text):
    with pytest.raises(_errors.NameProblem) as caught:
        sysctl_names.canonical(name)
    assert str(caught.value) == text


@pytest.mark.parametrize("first", ["#", ";", "-"])
def test_refused_first_character(first):
    with pytest.raises(_errors.NameProblem, match="special in sysctl.d"):
        sysctl_names.canonical(first + "net.core.somaxconn")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        pytest.param("a.b/c.d", "a/b.c/d", id="dot first: dots and slashes swap"),
        pytest.param("a/b.c/d", "a/b.c/d", id="slash first: a path"),
        pytest.param("abc", "abc", id="no separator"),
        pytest.param("", "", id="empty"),
        pytest.param("net.ipv4.conf.eth0.*.x", "net/ipv4/conf/eth0/*/x", id="pattern"),
    ],
)
def test_normalise(name, path):
    assert sysctl_names.normalise(name) == path


@pytest.mark.parametrize(
    ("name", "expected"), [("a.*.b", True), ("a.b?", True), ("a.[bc]", True), ("a.b", False), ("a]b", False)]
)
def test_is_pattern(name, expected):
    assert sysctl_names.is_pattern(name) is expected
