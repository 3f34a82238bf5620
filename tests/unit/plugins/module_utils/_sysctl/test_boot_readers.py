# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How systemd-sysctl and procps differ, version by version: each row was seen with the programs themselves."""

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._core import shape as shapes
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import boot as boot_model
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import glob as sysctl_glob
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import names as sysctl_names
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import readers as boot_readers
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import write_model

S239, S247, S252, S257, S262 = [boot_readers.BootReader("systemd", (version,)) for version in (239, 247, 252, 257, 262)]
P3317, P402, P404, P407 = [
    boot_readers.BootReader("procps", version) for version in ((3, 3, 17), (4, 0, 2), (4, 0, 4), (4, 0, 7))
]
SYSTEMD = (S247, S252, S257, S262)
PROCPS = (P3317, P402, P404, P407)
PROCPS_4 = (P402, P404, P407)
ALL = SYSTEMD + PROCPS

A, B, Z = "/etc/sysctl.d/a.conf", "/usr/lib/sysctl.d/b.conf", "/etc/sysctl.d/zz.conf"
CONF = "/etc/sysctl.conf"
FIN = "net.ipv4.tcp_fin_timeout"
SACK = "net.ipv4.tcp_sack"
RMEM = "net.ipv4.tcp_rmem"
FORWARD = "net.ipv4.ip_forward"
REDIRECTS = "net.ipv4.conf.all.accept_redirects"
RANGE = "net.ipv4.ip_local_port_range"
UNPRIVILEGED = "net.ipv4.ip_unprivileged_port_start"
RESERVED = "net.ipv4.ip_local_reserved_ports"
CONGESTION = "net.ipv4.tcp_congestion_control"
V0 = "net.ipv4.conf.v0.rp_filter"
DOTTED = "net.ipv4.conf.v0/1.rp_filter"
LONG = b"#" + b"x" * (1024 * 1024) + b"\n"


def listing_of(files):
    listing = {"/etc": []}
    for path, _data in files:
        directory, _slash, name = path.rpartition("/")
        listing.setdefault(directory, []).append(name)
    return listing


def table_of(reader, files, **options):
    """What a reader makes of files that lie at their paths."""
    data = dict(files)
    order = boot_readers.reading_order(listing_of(files), reader)
    return boot_model.BootTable([(path, data[path]) for path in order if data.get(path) is not None], reader, **options)


def rows(table):
    """One test for each reader of a row: name, files, key, {readers: (value, winner)}."""
    found = []
    for name, files, key, answers in table:
        for readers, answer in answers:
            for reader in readers:
                found.append(pytest.param(reader, files, key, answer, id="{0}-{1}".format(name, reader)))
    return found


NOTHING = (None, "kernel default")


@pytest.mark.parametrize(
    ("reader", "files", "key", "answer"),
    rows(
        [
            (
                "/etc/sysctl.conf alone",
                [(CONF, b"net.ipv4.tcp_fin_timeout=21\n")],
                FIN,
                [(SYSTEMD, NOTHING), (PROCPS, ("21", CONF + ":1"))],
            ),
            (
                "/etc/sysctl.conf and zz.conf",
                [(CONF, b"net.ipv4.tcp_fin_timeout=21\n"), (Z, b"net.ipv4.tcp_fin_timeout=22\n")],
                FIN,
                [(SYSTEMD, ("22", Z + ":1")), (PROCPS, ("21", CONF + ":1"))],
            ),
            (
                "hidden file",
                [("/etc/sysctl.d/.hidden.conf", b"net.ipv4.tcp_fin_timeout=21\n")],
                FIN,
                [(SYSTEMD, NOTHING), (PROCPS, ("21", "/etc/sysctl.d/.hidden.conf:1"))],
            ),
            (
                "a name that is only the suffix",
                [("/etc/sysctl.d/.conf", b"net.ipv4.tcp_fin_timeout=21\n")],
                FIN,
                [(SYSTEMD, NOTHING), (PROCPS, ("21", "/etc/sysctl.d/.conf:1"))],
            ),
            (
                "a name that is a pattern",
                [("/etc/sysctl.d/[a]x.conf", b"net.ipv4.tcp_fin_timeout=21\n"), ("/etc/sysctl.d/ax.conf", b"\n")],
                FIN,
                [(SYSTEMD, ("21", "/etc/sysctl.d/[a]x.conf:1")), (PROCPS, NOTHING)],
            ),
            (
                "good value, then invalid value",
                [(A, b"net.ipv4.tcp_sack=0\n"), (B, b"net.ipv4.tcp_sack=junk\n")],
                SACK,
                [(SYSTEMD, NOTHING), (PROCPS, ("0", A + ":1"))],
            ),
            (
                "same value again keeps the earlier place",
                [
                    (A, b"net.ipv4.conf.all.accept_redirects=1\nnet.ipv4.ip_forward=1\n"),
                    (B, b"net.ipv4.conf.all.accept_redirects=1\n"),
                ],
                REDIRECTS,
                [(SYSTEMD, ("0", A + ":2")), (PROCPS, ("1", B + ":1"))],
            ),
            (
                "key, later lone -key",
                [(A, b"net.ipv4.tcp_sack=0\n"), (B, b"-net.ipv4.tcp_sack\n")],
                SACK,
                [(SYSTEMD, NOTHING), (PROCPS, ("0", A + ":1"))],
            ),
            (
                "lone -key is written to by procps 3, in vain",
                [(A, b"-net.ipv4.conf.v0.rp_filter\nnet.ipv4.conf.default.rp_filter=1\n")],
                V0,
                [((P3317,), NOTHING), (SYSTEMD + PROCPS_4, ("1", A + ":2"))],
            ),
            (
                "lone -key behind a blank",
                [(A, b" -net.ipv4.conf.v0.rp_filter\nnet.ipv4.conf.default.rp_filter=1\n")],
                V0,
                [(ALL, ("1", A + ":2"))],
            ),
            (
                "lone -key keeps a pattern off",
                [(A, b"net.ipv4.tcp_sa*=0\n-net.ipv4.tcp_sack\n")],
                SACK,
                [(ALL, NOTHING)],
            ),
            (
                "lone -pattern",
                [(A, b"net.ipv4.tcp_sa*=0\n-net.ipv4.tcp_?ack\n")],
                SACK,
                [(SYSTEMD + (P402, P404), ("0", A + ":1")), ((P3317, P407), NOTHING)],
            ),
            (
                "lone -pattern runs across segments",
                [(A, b"net.ipv4.tcp_sa*=0\n-net.*sack\n")],
                SACK,
                [(SYSTEMD + (P402, P404), ("0", A + ":1")), ((P3317, P407), NOTHING)],
            ),
            (
                "pattern",
                [(A, b"net.ipv4.tcp_sa*=0\n")],
                SACK,
                [(SYSTEMD + PROCPS_4, ("0", A + ":1")), ((S239, P3317), NOTHING)],
            ),
            (
                "pattern with braces",
                [(A, b"net.ipv4.{tcp_s,x}*k=0\n")],
                SACK,
                [(SYSTEMD, ("0", A + ":1")), (PROCPS, NOTHING)],
            ),
            (
                "a name beats a later pattern",
                [(A, b"net/ipv4/tcp_sack=0\n"), (B, b"net.ipv4.tcp_sa*=5\n")],
                SACK,
                [(ALL, ("0", A + ":1"))],
            ),
            (
                "unchanged value is not written again",
                [(A, b"net.ipv4.conf.v0.rp_filter=0\nnet.ipv4.conf.default.rp_filter=1\n")],
                V0,
                [((S252, S257, S262), ("1", A + ":2")), ((S247,) + PROCPS, ("0", A + ":1"))],
            ),
            ("-key=value", [(A, b"-net.ipv4.tcp_sack=0\n")], SACK, [(ALL + (S239,), ("0", A + ":1"))]),
            ("-key=invalid", [(A, b"-net.ipv4.tcp_sack=junk\n")], SACK, [(ALL, NOTHING)]),
            ("--key=value", [(A, b"--net.ipv4.tcp_sack=0\n")], SACK, [(PROCPS_4, ("0", A + ":1")), (SYSTEMD, NOTHING)]),
            ("- key=value", [(A, b"- net.ipv4.tcp_sack=0\n")], SACK, [(SYSTEMD, ("0", A + ":1")), (PROCPS, NOTHING)]),
            (
                "comment that begins with a semicolon",
                [(A, b"net.ipv4.tcp_sack=0\n; c\n;net.ipv4.tcp_sack=1\n")],
                SACK,
                [(ALL, ("0", A + ":1"))],
            ),
            (
                "a lone -key behind a semicolon is none",
                [(A, b"net.ipv4.tcp_sack=0\n;-net.ipv4.tcp_sack\n# -net.ipv4.tcp_sack\n")],
                SACK,
                [(ALL, ("0", A + ":1"))],
            ),
            (
                "line without an equals sign",
                [(A, b"garbage\nnet.ipv4.tcp_sack=0\n")],
                SACK,
                [(ALL, ("0", A + ":2"))],
            ),
            (
                "directory named x.conf masks",
                [(A, None), ("/usr/lib/sysctl.d/a.conf", b"net.ipv4.tcp_sack=0\n")],
                SACK,
                [(ALL, NOTHING)],
            ),
            (
                "a line of a mebibyte",
                [(A, b"net.ipv4.tcp_sack=0\n" + LONG + b"net.ipv4.tcp_sack=5\n")],
                SACK,
                [(SYSTEMD, ("0", A + ":1")), (PROCPS, ("5", A + ":3"))],
            ),
            (
                "byte order mark",
                [(A, b"\xef\xbb\xbfnet.ipv4.tcp_sack=0\nnet.ipv4.tcp_fin_timeout=5\n")],
                SACK,
                [(ALL, NOTHING)],
            ),
            ("line ends of Windows", [(A, b"net.ipv4.tcp_sack=0\r\n")], SACK, [(ALL, ("0", A + ":1"))]),
            (
                "line ends of old Macs",
                [(A, b"# c\rnet.ipv4.tcp_sack=0\r")],
                SACK,
                [(SYSTEMD, ("0", A + ":1")), (PROCPS, NOTHING)],
            ),
            (
                "carriage return within a value",
                [(A, b"net.ipv4.tcp_fin_timeout=5\r6\n")],
                FIN,
                [(SYSTEMD + (P3317,), ("5", A + ":1")), (PROCPS_4, NOTHING)],
            ),
            (
                "form feed behind a value",
                [(A, b"net.ipv4.tcp_fin_timeout=5\f\n")],
                FIN,
                [(PROCPS_4, ("5", A + ":1")), (SYSTEMD + (P3317,), NOTHING)],
            ),
            ("NUL", [(A, b"x\0net.ipv4.tcp_sack=0\n")], SACK, [(SYSTEMD, ("0", A + ":1")), (PROCPS, NOTHING)]),
            ("quotes", [(A, b'net.ipv4.tcp_sack="0"\n')], SACK, [(ALL, NOTHING)]),
            ("a comment behind a number", [(A, b"net.ipv4.tcp_sack=0 # c\n")], SACK, [(ALL, ("0", A + ":1"))]),
            (
                "a comment behind a word",
                [(A, b"net.ipv4.tcp_congestion_control=reno # c\n")],
                CONGESTION,
                [(ALL, NOTHING)],
            ),
            (
                "a comment behind a list that is too short",
                [(A, b"net.ipv4.tcp_rmem=8192 20000 # c\n")],
                RMEM,
                [(ALL, ("8192 20000", A + ":1"))],
            ),
            (
                "empty value",
                [(A, b"net.ipv4.ip_local_reserved_ports=80\n"), (B, b"net.ipv4.ip_local_reserved_ports=\n")],
                RESERVED,
                [(SYSTEMD + PROCPS_4, ("", B + ":1")), ((P3317,), ("80", A + ":1"))],
            ),
            (
                "two equals signs",
                [(A, b"=net.ipv4.tcp_sack=0\n")],
                SACK,
                [((P3317,), ("0", A + ":1")), (SYSTEMD + PROCPS_4, NOTHING)],
            ),
            ("wrong separators", [(A, b"net/ipv4.tcp_sack=0\n")], SACK, [(ALL, NOTHING)]),
            (
                "interface with a dot, as a path",
                [(A, b"net/ipv4/conf/v0.1/rp_filter=2\n")],
                DOTTED,
                [(ALL, ("2", A + ":1"))],
            ),
            (
                "interface with a dot, swapped",
                [(A, b"net.ipv4.conf.v0/1.rp_filter=2\n")],
                DOTTED,
                [(ALL, ("2", A + ":1"))],
            ),
            ("interface with a dot, misspelled", [(A, b"net.ipv4.conf.v0.1.rp_filter=2\n")], DOTTED, [(ALL, NOTHING)]),
            (
                "duplicate keys in two spellings",
                [(A, b"net.ipv4.tcp_sack=0\nnet/ipv4/tcp_sack=5\n")],
                SACK,
                [(ALL, ("5", A + ":2"))],
            ),
        ]
    ),
)
def test_what_a_reader_makes_of_files(reader, files, key, answer):
    facts = write_model.KernelModel(start={"net/ipv4/conf/v0/rp_filter": "0"}, words=("reno", "cubic"), replays=False)
    boot = table_of(reader, files, facts=facts).effective(key)
    assert (boot.value, boot.winner) == answer


@pytest.mark.parametrize("reader", ALL, ids=str)
@pytest.mark.parametrize(
    "name",
    [
        "/net/ipv4/tcp_sack",
        ".net.ipv4.tcp_sack",
        "net/ipv4//tcp_sack",
        "net..ipv4.tcp_sack",
        "net/./ipv4/tcp_sack",
        "net/ipv4/tcp_sack/",
        "net/core/../ipv4/tcp_sack",
        "net/../../sys/net/ipv4/tcp_sack",
        "net/cor*/../ipv4/tcp_sack",
        "net/./ipv4/tcp_sa*",
        "net/ipv*/tcp_sack//",
    ],
)
def test_a_key_with_a_detour_is_not_modelled(reader, name):
    data = "net.ipv4.tcp_sack=5\n{0}=0\n-{0}\n".format(name).encode()
    table = table_of(reader, [(A, data)])
    boot = table.effective(SACK)
    assert (boot.value, boot.winner) == ("5", A + ":1")
    lines = [A + ":2", A + ":3"] if reader.expands else [A + ":2"]
    without_equals = [A + ":3"] if reader == P3317 else []
    assert [line.where for line in table.unmodelled()] == sorted(set(lines + without_equals))
    assert [line.where for line in table.lines_for(SACK)] == [A + ":1"]


def test_braces_may_hide_a_detour():
    data = b"net/{ipv4,core/../ipv4}/tcp_sack=0\n"
    assert [line.where for line in table_of(S257, [(A, data)]).unmodelled()] == [A + ":1"]
    data = b"net/{ipv4,ipv4/}/tcp_sack=0\n"
    assert [line.where for line in table_of(S257, [(A, data)]).unmodelled()] == [A + ":1"]
    assert table_of(P407, [(A, data)]).unmodelled() == []


@pytest.mark.parametrize("reader", ALL, ids=str)
def test_a_link_that_leads_nowhere_among_what_a_name_stands_for(reader):
    """procps takes the name of a file for a pattern, and gives up at the first of the files that it cannot open."""
    directory = "/etc/sysctl.d/"
    names = ["10.conf", "20.conf", "[!z]*.conf"]
    order = boot_readers.reading_order({"/etc/sysctl.d": names}, reader, {directory + "20.conf"})
    once = [directory + "10.conf", directory + "20.conf", directory + "[!z]*.conf"]
    assert order == (once if reader.name == "systemd" else [directory + "10.conf"] * 2)


@pytest.mark.parametrize("reader", ALL, ids=str)
def test_order_of_files(reader):
    names = ["a", "10-b", "9-a", "B", "_x"]
    files = [("/etc/sysctl.d/{0}.conf".format(name), b"") for name in names]
    order = [path.rpartition("/")[2] for path in boot_readers.reading_order(listing_of(files), reader)]
    assert order == ["10-b.conf", "9-a.conf", "B.conf", "_x.conf", "a.conf"]


@pytest.mark.parametrize(
    ("reader", "read"), [(S247, True), (S252, True), (S257, False), (S262, False), (P3317, True), (P407, True)], ids=str
)
def test_lib_of_its_own(reader, read):
    """Where /lib is no link to /usr/lib."""
    path = "/lib/sysctl.d/a.conf"
    assert boot_readers.reading_order({"/lib/sysctl.d": ["a.conf"]}, reader) == ([path] if read else [])


def test_a_link_to_sysctl_conf_is_read_at_its_place_and_by_procps_once_more():
    link, data = "/etc/sysctl.d/99-sysctl.conf", b"net.ipv4.tcp_fin_timeout=21\n"
    files = [(link, data), (CONF, data), (Z, b"net.ipv4.tcp_fin_timeout=22\n")]
    assert table_of(S252, files).effective(FIN).winner == Z + ":1"
    assert table_of(S252, files[:2]).effective(FIN).winner == link + ":1"
    assert table_of(P402, files).effective(FIN).winner == CONF + ":1"


@pytest.mark.parametrize("mask", [b"", None], ids=["empty or a link to /dev/null", "a link to nowhere"])
@pytest.mark.parametrize("reader", ALL, ids=str)
def test_masking(reader, mask):
    files = [("/etc/sysctl.d/b.conf", mask), (B, b"net.ipv4.tcp_sack=0\n")]
    assert table_of(reader, files).effective(SACK) == boot_model.Boot(None, "kernel default", None)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("net.ipv4.ip_forward=1", FORWARD, "1"),
        ("net.ipv4.ip_forward=1", "net.ipv4.conf.all.forwarding", "1"),
        ("net.ipv4.ip_forward=1", "net.ipv4.conf.eth0.forwarding", "1"),
        ("net.ipv4.ip_forward=1", "net.ipv4.conf.default.forwarding", "1"),
        ("net.ipv4.ip_forward=1", REDIRECTS, "0"),
        ("net.ipv4.ip_forward=0", REDIRECTS, None),
        ("net.ipv4.conf.all.accept_redirects=1\nnet.ipv4.ip_forward=1", REDIRECTS, "0"),
        ("net.ipv4.ip_forward=1\nnet.ipv4.conf.all.accept_redirects=1", REDIRECTS, "1"),
        ("net.ipv4.ip_forward=1\nnet.ipv4.conf.eth0.forwarding=0", "net.ipv4.conf.eth0.forwarding", "0"),
        ("net.ipv4.conf.eth0.forwarding=0\nnet.ipv4.ip_forward=1", "net.ipv4.conf.eth0.forwarding", "1"),
        ("net.ipv4.conf.all.forwarding=1\nnet.ipv4.ip_forward=0", FORWARD, "0"),
        ("net.ipv4.conf.default.forwarding=1\nnet.ipv4.ip_forward=0", "net.ipv4.conf.default.forwarding", "1"),
        ("net.ipv4.conf.default.rp_filter=2", "net.ipv4.conf.eth0.rp_filter", "2"),
        ("net.ipv4.conf.default.rp_filter=2", "net.ipv4.conf.lo.rp_filter", None),
        ("net.ipv4.conf.default.rp_filter=2", "net.ipv4.conf.all.rp_filter", None),
        ("net.ipv4.conf.all.rp_filter=2", "net.ipv4.conf.eth0.rp_filter", None),
        ("net.ipv4.conf.eth0.rp_filter=1\nnet.ipv4.conf.default.rp_filter=2", "net.ipv4.conf.eth0.rp_filter", "1"),
        ("net.ipv4.conf.default.promote_secondaries=1", "net.ipv4.conf.eth0.promote_secondaries", None),
        ("net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.eth0.disable_ipv6", "1"),
        ("net.ipv6.conf.all.forwarding=1", "net.ipv6.conf.default.forwarding", "1"),
        ("net.ipv6.conf.all.accept_ra=0", "net.ipv6.conf.eth0.accept_ra", None),
        ("net.ipv4.ip_unprivileged_port_start=40000", UNPRIVILEGED, None),
        ("net.ipv4.ip_local_port_range=500 60000", RANGE, None),
        ("net.ipv4.ip_unprivileged_port_start=80\nnet.ipv4.ip_local_port_range=500 60000", RANGE, "500 60000"),
        ("net.ipv4.ip_local_port_range=500 60000\nnet.ipv4.ip_unprivileged_port_start=80", RANGE, None),
        ("net.ipv4.ip_local_port_range=40000", RANGE, "40000 60999"),
        ("net.ipv4.ip_local_port_range=60000 40000", RANGE, None),
        ("net.ipv4.ip_local_port_range=40000 junk", RANGE, None),
        ("vm.dirty_ratio=10\nvm.dirty_bytes=1000000", "vm.dirty_ratio", "0"),
        ("vm.dirty_bytes=1000000\nvm.dirty_ratio=10", "vm.dirty_bytes", "0"),
        ("vm.dirty_bytes=0\n", "vm.dirty_bytes", None),
        ("net.nf_conntrack_max=5\nnet.netfilter.nf_conntrack_max=6", "net.nf_conntrack_max", "6"),
    ],
)
@pytest.mark.parametrize("reader", [S247, P407], ids=str)
def test_keys_that_depend_on_each_other(reader, text, key, value):
    data = text.encode() + b"\n"
    assert (
        boot_model.BootTable([(A, data)], reader, facts=write_model.KernelModel(replays=False)).effective(key).value
        == value
    )


def test_udev_applies_the_keys_of_an_interface_once_more():
    """So its own keys win over what ip_forward and conf.default did; loopback has no such turn."""
    text = "net.ipv4.conf.{0}.forwarding=0\nnet.ipv4.ip_forward=1\n"
    for name, value in (("eth0", "0"), ("lo", "1"), ("default", "1")):
        table = boot_model.BootTable([(A, text.format(name).encode())], S252)
        assert table.effective("net.ipv4.conf.{0}.forwarding".format(name)).value == value


def test_a_file_of_ufw_wins_over_everything():
    path = "/etc/ufw/sysctl.conf"
    later = ([(path, b"net/ipv4/tcp_sack=1\nnet/ipv4/tcp_fin_timeout=junk\n")], P402)
    files = [(Z, b"net.ipv4.tcp_sack=0\nnet.ipv4.tcp_fin_timeout=5\n")]
    table = boot_model.BootTable(files, S252, later=later)
    assert table.effective(SACK) == boot_model.Boot("1", path + ":1", path)
    assert table.effective(FIN) == boot_model.Boot("5", Z + ":2", Z)
    assert [line.where for line in table.lines_for(SACK)] == [Z + ":1", path + ":1"]
    assert table.keys() == [FIN, SACK]


def test_patterns_stand_for_what_exists():
    files = [(A, b"net.ipv4.conf.*.rp_filter=2\nvm.swappiness=5\n-net.ipv4.conf.all.rp_filter\n")]
    table = boot_model.BootTable(
        files, S252, existing=["net/ipv4/conf/all/rp_filter", "net/ipv4/conf/eth0.1/rp_filter"]
    )
    assert table.keys() == ["net.ipv4.conf.eth0/1.rp_filter", "vm.swappiness"]
    assert table.effective("net.ipv4.conf.eth0/1.rp_filter").value == "2"
    assert table.effective("net.ipv4.conf.eth1.arp_filter").value is None
    assert boot_model.BootTable(files, S252).effective("net.ipv4.conf.eth1.rp_filter").value == "2"


def test_read_only_keys_keep_what_they_have():
    facts = write_model.KernelModel(start={"net/core/rmem_max": "212992"}, read_only=["net/core/rmem_max"])
    assert (
        boot_model.BootTable([(A, b"net.core.rmem_max=5000\n")], S252, facts=facts).effective("net.core.rmem_max").value
        is None
    )


ONE = shapes.Shape(shapes.INTEGERS, 1, None, None, False)
BYTE = shapes.Shape(shapes.INTEGERS, 1, 0, 255, True)
THREE = shapes.Shape(shapes.INTEGERS, 3, 1, 2147483647, True)


@pytest.mark.parametrize(
    ("shape", "before", "value", "text", "taken"),
    [
        (ONE, "7", "5", "5", True),
        (ONE, "7", "  5 ", "5", True),
        (ONE, "7", "0x10", "16", True),
        (ONE, "7", "010", "8", True),
        (ONE, "7", "08", "7", False),
        (ONE, "7", "0x", "7", False),
        (ONE, "7", "+5", "7", False),
        (ONE, "7", "- 5", "7", False),
        (ONE, "7", "1.5", "7", False),
        (ONE, "7", "true", "7", False),
        (ONE, "7", "-0", "0", True),
        (BYTE, "7", "-0", "7", False),
        (BYTE, "7", "256", "7", False),
        (ONE, "7", "-5", "-5", True),
        (ONE, "7", "2147483648", "7", False),
        (ONE, "7", "-2147483648", "-2147483648", True),
        (ONE, "7", "5junk", "7", False),
        (ONE, "7", "5,", "7", False),
        (ONE, "7", "5 junk", "5", True),
        (ONE, "7", "5 6", "5", True),
        (ONE, "7", "", "7", False),
        (ONE, "7", "0" * 19 + "5", "5", True),
        (ONE, "7", "0" * 20 + "5", "7", False),
        (ONE, None, "junk", None, False),
        (THREE, "1\t2\t3", "8192 20000", "8192\t20000\t3", True),
        (THREE, "1\t2\t3", "8192 20000 junk", "8192\t20000\t3", False),
        (THREE, "1\t2\t3", "8192 0 9", "8192\t2\t3", False),
        (THREE, "1\t2\t3", "4 5 6 7", "4\t5\t6", True),
        (shapes.Shape(shapes.PORTS), "80", "8081,8080,8082", "8080-8082", True),
        (shapes.Shape(shapes.PORTS), "80", "0x1f90", "8080", True),
        (shapes.Shape(shapes.PORTS), "80", "8080,", "8080", True),
        (shapes.Shape(shapes.PORTS), "80", ",8080", "80", False),
        (shapes.Shape(shapes.PORTS), "80", "8080-", "80", False),
        (shapes.Shape(shapes.PORTS), "80", "9-5", "80", False),
        (shapes.Shape(shapes.PORTS), "80", "8080 8081", "80", False),
        (shapes.Shape(shapes.PORTS), "80", "65536", "80", False),
        (shapes.Shape(shapes.PORTS), "80", "", "", True),
        (shapes.Shape(), "x", "any text", "any text", True),
    ],
)
def test_one_write(shape, before, value, text, taken):
    assert write_model.written(shape, before, value) == (text, taken)


@pytest.mark.parametrize(
    ("live", "value", "taken"),
    [
        pytest.param("1024", "99999999999", None, id="int"),
        pytest.param("1024", "-5", "-5", id="int may be negative"),
        pytest.param("9223372036854775807", "99999999999", "99999999999", id="long"),
        pytest.param("9223372036854775807", "-5", None, id="long may not"),
        pytest.param("some text", "-5", "-5", id="text"),
    ],
)
def test_a_key_that_is_not_in_the_catalog_is_judged_by_what_it_has(live, value, taken):
    facts = write_model.KernelModel(live={"net/test/key": live})
    table = boot_model.BootTable([(A, "net.test.key={0}\n".format(value).encode())], facts=facts)
    assert table.effective("net.test.key").value == taken


def test_a_long_list_of_ports_is_cut_unless_the_writer_goes_on():
    value = ",".join(str(port) for port in range(20000, 23000, 2))
    assert write_model.written(shapes.Shape(shapes.PORTS), "", value, repeats=True).text == value
    cut = write_model.written(shapes.Shape(shapes.PORTS), "", value, repeats=False).text
    assert cut.count(",") == 681 and value.startswith(cut)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("net/ipv4/conf/*/x", "net/ipv4/conf/v0.1/x", True),
        ("net/*/x", "net/ipv4/conf/x", False),
        ("a?c", "abc", True),
        ("[a-c]x", "bx", True),
        ("[!a-c]x", "bx", False),
        ("[^a-c]x", "dx", True),
        ("[[:digit:]]x", "5x", True),
        ("[]x]y", "]y", True),
        ("[a-]x", "-x", True),
        ("[z-a]x", "bx", False),
        ("[ab", "[ab", True),
        ("\\*", "*", True),
        ("\\*", "a", False),
        ("*", ".hidden", False),
        (".h*", ".hidden", True),
    ],
)
def test_patterns(pattern, path, matches):
    assert sysctl_glob.matches_path(pattern, path) is matches


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("a{b,c}d", ["abd", "acd"]),
        ("{a,b{c,d}}", ["a", "bc", "bd"]),
        ("a{}b", ["a{}b"]),
        ("a{b", ["a{b"]),
        ("ab", ["ab"]),
    ],
)
def test_braces(text, patterns):
    assert sysctl_glob.braces(text) == patterns


LIBRARIES_252 = [
    "libc.so.6",
    "libsystemd-shared-252.so",
    "libsystemd-core-252.so",
    "libproc2.so.0",
    "libproc2.so.0.0.1",
]


@pytest.mark.parametrize(
    ("facts", "readers"),
    [
        pytest.param(
            {"systemd_runs": True, "libraries": LIBRARIES_252, "procps_sysctl": True}, ["systemd 252"], id="systemd"
        ),
        pytest.param(
            {"systemd_runs": True, "libraries": ["libsystemd-shared-258.4-1.fc43.so"]},
            ["systemd 258"],
            id="Fedora's name",
        ),
        pytest.param({"systemd_runs": True}, ["systemd 262", "systemd 239"], id="systemd of an unknown version"),
        pytest.param(
            {"systemd_sysctl": True, "procps_sysctl": True, "libraries": LIBRARIES_252, "init": "sleep"},
            ["systemd 252", "procps 4.0.4"],
            id="a container",
        ),
        pytest.param(
            {"systemd_sysctl": True, "procps_sysctl": True, "libraries": LIBRARIES_252, "init": "init"},
            ["procps 4.0.4"],
            id="another init program",
        ),
        pytest.param({"procps_sysctl": True, "libraries": ["libprocps.so.8.0.3"]}, ["procps 3.3.17"], id="procps 3"),
        pytest.param({"procps_sysctl": True, "libraries": ["libproc2.so.1.0.2"]}, ["procps 4.0.7"], id="procps 4.0.7"),
        pytest.param({"procps_sysctl": True}, ["procps 4.0.7", "procps 3.3.15"], id="procps of an unknown version"),
        pytest.param({"procps_sysctl": True, "libraries": ["libproc2.so.9"]}, ["procps 4.0.7"], id="a newer procps"),
        pytest.param({"procps_sysctl": True, "libraries": ["libprocps.so.6"]}, ["procps 3.3.15"], id="an older procps"),
        pytest.param({"systemd_sysctl": True, "libraries": LIBRARIES_252}, ["systemd 252"], id="no procps"),
        pytest.param({}, ["systemd 257"], id="nothing reads the files"),
    ],
)
def test_readers_of(facts, readers):
    assert [str(reader) for reader in boot_readers.readers_of(boot_readers.BootFacts(**facts))] == readers


def test_each_of_fifty_files_is_parsed_once_for_a_thousand_keys(monkeypatch):
    lines = ["net.test.key{0} = {0}\n".format(number) for number in range(1000)]
    files = [
        ("/etc/sysctl.d/{0:02}.conf".format(number), "".join(lines[number * 20 : number * 20 + 20]).encode())
        for number in range(50)
    ]
    files[7] = (files[7][0], files[7][1] + b"net.ipv4.conf.*.rp_filter = 2\nkernel.* = 5\n")
    parse, parsed = boot_readers.assignments, []

    def count(path, data, reader):
        parsed.append(path)
        return parse(path, data, reader)

    monkeypatch.setattr(boot_readers, "assignments", count)
    boot_model._lines.cache_clear()
    table = boot_model.BootTable(files, S257)
    assert [
        table.effective(sysctl_names.canonical("net.test.key{0}".format(number))).value for number in range(1000)
    ] == [str(number) for number in range(1000)]
    assert parsed == [path for path, _data in files]
