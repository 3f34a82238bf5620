# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import textwrap

import pytest

from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import import_, validation, yaml_lines
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import model as profile_model


def imported(
    text: str, path: str = "/etc/x.conf", *more: tuple[str, str]
) -> tuple[profile_model.Profile, import_.Imported]:
    """The profile that is made of files, through the check that every profile goes through."""
    files = [
        import_.File(path, textwrap.dedent(text)),
        *(import_.File(name, textwrap.dedent(other)) for name, other in more),
    ]
    found = import_.import_files(files, path)
    return validation.check_profile("mine", yaml_lines.read_document("mine.yml", found.text), {}), found


@pytest.mark.parametrize(
    ("value", "wish"),
    [
        ("30", profile_model.Wish(profile_model.VALUE, 30)),
        ("010", profile_model.Wish(profile_model.VALUE, 8)),
        ("0x1e", profile_model.Wish(profile_model.VALUE, 30)),
        ("4096\t131072   6291456", profile_model.Wish(profile_model.VALUE, (4096, 131072, 6291456))),
        ("-1", profile_model.Wish(profile_model.VALUE, -1)),
        (
            "|/usr/share/apport %p \"%s\" 'x' \\ #",
            profile_model.Wish(profile_model.VALUE, "|/usr/share/apport %p \"%s\" 'x' \\ #"),
        ),
        ("yes", profile_model.Wish(profile_model.VALUE, "yes")),
        ("null", profile_model.Wish(profile_model.VALUE, "null")),
        ("1e3", profile_model.Wish(profile_model.VALUE, "1e3")),
        ("é: {x}", profile_model.Wish(profile_model.VALUE, "é: {x}")),
    ],
)
def test_values_mean_what_the_kernel_reads(value: str, wish: profile_model.Wish) -> None:
    profile, found = imported(f"a.b = {value}\n")
    assert profile.sysctl["a.b"].wish == wish and found.left_out == []


def test_lists_of_ports_come_in_the_kernel_s_spelling() -> None:
    profile, _found = imported("net.ipv4.ip_local_reserved_ports = 8081,8080,9000-9010\n")
    assert profile.sysctl["net.ipv4.ip_local_reserved_ports"].wish == profile_model.Wish(
        profile_model.VALUE, "8080-8081,9000-9010"
    )


def test_lines_are_read_as_sysctl_d_is() -> None:
    text = "\r\n; c\r\n a/b=1 \r\n-c.d = 2\r\nnet/ipv4/conf/eth0.100/rp_filter=1\r\na.b = 3"
    profile, found = imported(text)
    assert {key: setting.wish.amount for key, setting in profile.sysctl.items()} == {
        "a.b": 3,
        "c.d": 2,
        "net.ipv4.conf.eth0/100.rp_filter": 1,
    }
    assert (found.settings, found.limits, found.left_out) == (3, 0, [])


def test_each_entry_names_its_line_and_the_comment_above_it() -> None:
    profile, _found = imported('# Queue:\n# "long"\na.b=1\n\n# apart\n\nc.d=2\na.b=4\n')
    assert profile.sysctl["a.b"].reason.source == ("file_x_conf:8",)
    assert profile.sysctl["c.d"].reason.why == "As it stands there."
    profile, _found = imported('# Queue:\n# "long"\na.b=1\n')
    assert profile.sysctl["a.b"].reason.why == 'Queue: "long"'
    assert profile.sources["file_x_conf"].address == "/etc/x.conf"


def test_of_several_files_the_last_counts_and_each_is_a_source() -> None:
    profile, found = imported(
        "a.b=1\nc.d=1\n", "/d/10-a.conf", ("/e/10-a.conf", "a.b=2\n"), ("/d/l.conf", "* - nofile 9\n")
    )
    assert profile.sysctl["a.b"].wish.amount == 2
    assert profile.sysctl["a.b"].reason.source == ("file_10_a_conf_2:1",)
    assert list(profile.sources) == ["file_10_a_conf", "file_10_a_conf_2", "file_l_conf"]
    assert (found.settings, found.limits) == (2, 1)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("net.ipv4.conf.*.rp_filter = 1", "'net.ipv4.conf.*.rp_filter' is a pattern, and a profile names each key."),
        ("-a.b", "'-a.b' takes a key out of what patterns set, which a profile cannot say."),
        ("a.b", "'a.b' is no assignment, which a profile cannot say."),
        ("a.b =", "a.b is given no value."),
        ("a..b = 1", "empty segment"),
        ("../b = 1", "The key '../b'"),
        ("net.ipv4.tcp_sack = 1 # on", "net.ipv4.tcp_sack: '1 # on': '#' is not an integer."),
        (
            "net.ipv4.tcp_sack = 300",
            "net.ipv4.tcp_sack: 300 is outside the kernel's range 0 .. 255.",
        ),
        ("net.ipv4.tcp_rmem = 4096 131072", "2 numbers; the key takes 3"),
        ("net.ipv4.route.flush = 1", "a write to net.ipv4.route.flush triggers an action and leaves nothing to keep."),
    ],
)
def test_what_a_sysctl_file_says_and_a_profile_cannot(line: str, sentence: str) -> None:
    profile, found = imported(f"# c\nx.y = 1\n{line}\n")
    assert list(profile.sysctl) == ["x.y"]
    assert (
        len(found.left_out) == 1 and found.left_out[0].startswith("/etc/x.conf:3: ") and sentence in found.left_out[0]
    )


def test_limits() -> None:
    profile, found = imported("""\
        # all
        *\tsoft  nofile 65535   # trailing
        * hard nofile unlimited
        @web - nproc 4096
        app soft nofile 10
        app soft nofile 20
        app hard memlock -1
        x - nice -5
        """)
    limits = {key: (limit.soft, limit.hard) for key, limit in profile.limits.items()}
    assert limits == {
        ("*", "nofile"): (
            profile_model.Wish(profile_model.VALUE, 65535),
            profile_model.Wish(profile_model.VALUE, "unlimited"),
        ),
        ("@web", "nproc"): (
            profile_model.Wish(profile_model.VALUE, 4096),
            profile_model.Wish(profile_model.VALUE, 4096),
        ),
        ("app", "nofile"): (profile_model.Wish(profile_model.VALUE, 20), None),
        ("app", "memlock"): (None, profile_model.Wish(profile_model.VALUE, "unlimited")),
        ("x", "nice"): (profile_model.Wish(profile_model.VALUE, -5), profile_model.Wish(profile_model.VALUE, -5)),
    }
    assert profile.limits["*", "nofile"].reason.why == "all"
    assert profile.limits["*", "nofile"].reason.source == ("file_x_conf:2", "file_x_conf:3")
    assert found.left_out == []


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("root -", "it exempts root from all limits, which a profile cannot say."),
        ("* soft nofiles 1", "'nofiles' is not an item of limits.conf(5); did you mean 'nofile'?"),
        ("* soft nofile 64k", "'64k' is not a whole number"),
        ("* both nofile 1", "is no rule of four words"),
        ("* soft nofile", "is no rule of four words"),
    ],
)
def test_what_a_limits_file_says_and_a_profile_cannot(line: str, sentence: str) -> None:
    profile, found = imported(f"a soft core 0\n{line}\n")
    assert list(profile.limits) == [("a", "core")]
    assert (
        len(found.left_out) == 1 and found.left_out[0].startswith("/etc/x.conf:2: ") and sentence in found.left_out[0]
    )


def test_a_soft_limit_above_the_hard_one_is_cut_as_pam_does() -> None:
    profile, found = imported("a hard nofile 10\na soft nofile 20\n")
    assert profile.limits["a", "nofile"].soft == profile_model.Wish(profile_model.VALUE, 10)
    assert found.left_out == ["/etc/x.conf:2: soft 20 is above hard 10; taken as 10, as by PAM."]


def test_tuned() -> None:
    profile, found = imported("""\
        #
        [main]
        summary=Optimize
        include=throughput-performance

        [variables]
        x=1

        [sysctl]
        # Longer queue
        net.core.somaxconn=>2048
        vm.swappiness = < 10
        net.ipv4.tcp_rmem="4096 131072 16777216"
        kernel.sched_rt_runtime_us=${x}
        type=sysctl

        [vm]
        transparent_hugepages=never
        """)
    assert {key: setting.wish for key, setting in profile.sysctl.items()} == {
        "net.core.somaxconn": profile_model.Wish(profile_model.AT_LEAST, 2048),
        "vm.swappiness": profile_model.Wish(profile_model.AT_MOST, 10),
        "net.ipv4.tcp_rmem": profile_model.Wish(profile_model.VALUE, (4096, 131072, 16777216)),
    }
    assert profile.sysctl["net.core.somaxconn"].reason.why == "Longer queue"
    assert [one.partition(": ")[0].rpartition(":")[2] for one in found.left_out] == ["4", "6", "14", "17"]
    assert "include=throughput-performance is not followed" in found.left_out[0]
    assert "the section [variables]" in found.left_out[1] and "from ${x}" in found.left_out[2]
    assert "the section [vm] is left out; [sysctl] alone is read" in found.left_out[3]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a.b = 1\n", "sysctl.d"),
        ("# c\n\n-a.b\n", "sysctl.d"),
        ("", "sysctl.d"),
        ("a.b = 1 - 2\n", "sysctl.d"),
        ("# c\n* soft nofile 5\n", "limits.conf"),
        ("@x - nproc 5 # c\n", "limits.conf"),
        ("root -\n", "limits.conf"),
        ("[main]\n", "tuned"),
        ("; x\n\n[ sysctl ]\na.b=1\n", "tuned"),
    ],
)
def test_the_format_of_a_file(text: str, kind: str) -> None:
    assert import_.kind_of(text) == kind
