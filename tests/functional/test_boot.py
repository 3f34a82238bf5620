# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The value at the next boot, against the machine's own systemd-sysctl: what is predicted is what the kernel then holds."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping

import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import SYSCTL_FILE, Namespace

PROGRAMS = ("/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl")
DIRECTORIES = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d")
FIN = "net.ipv4.tcp_fin_timeout"
KEEPALIVE = "net.ipv4.tcp_keepalive_time"
INTVL = "net.ipv4.tcp_keepalive_intvl"
PROBES = "net.ipv4.tcp_keepalive_probes"
RMEM = "net.ipv4.tcp_rmem"
PORTS = "net.ipv4.ip_local_reserved_ports"
DOTTED = "net.ipv4.conf.v0/100.rp_filter"
PLAIN = "net.ipv4.conf.va.rp_filter"
KEYS = (FIN, KEEPALIVE, INTVL, PROBES, RMEM, PORTS, DOTTED, PLAIN)
DEFAULTS = {FIN: "60", KEEPALIVE: "7200", INTVL: "75", PROBES: "9", RMEM: "4096 131072 6291456", PORTS: ""}
DEFAULTS.update({DOTTED: "0", PLAIN: "0"})

# A text is the content of a file; "-> x" is a link to x; None is a directory of that name.
LAYOUTS: dict[str, dict[str, str | None]] = {
    "no_file": {},
    "one_file": {"/etc/sysctl.d/a.conf": FIN + " = 31\n"},
    "the_later_name_wins": {"/etc/sysctl.d/20.conf": FIN + "=32", "/etc/sysctl.d/10.conf": FIN + "=31"},
    "the_later_name_wins_across_directories": {
        "/usr/lib/sysctl.d/20.conf": FIN + "=32",
        "/etc/sysctl.d/10.conf": FIN + "=31",
        "/run/sysctl.d/15.conf": FIN + "=33",
    },
    "names_sort_by_byte": {
        "/etc/sysctl.d/9-a.conf": FIN + "=9\n" + KEEPALIVE + "=9",
        "/etc/sysctl.d/10-b.conf": FIN + "=10\n" + INTVL + "=10",
        "/etc/sysctl.d/B.conf": FIN + "=11\n" + KEEPALIVE + "=11",
        "/run/sysctl.d/_x.conf": INTVL + "=12",
        "/usr/lib/sysctl.d/a.conf": FIN + "=13",
    },
    "etc_masks_run_masks_lib_by_name": {
        "/etc/sysctl.d/a.conf": FIN + "=31",
        "/run/sysctl.d/a.conf": FIN + "=32\n" + KEEPALIVE + "=32",
        "/run/sysctl.d/b.conf": INTVL + "=33",
        "/usr/local/lib/sysctl.d/b.conf": INTVL + "=34\n" + PROBES + "=4",
        "/usr/lib/sysctl.d/c.conf": RMEM + "=4096 87380 6000000",
        "/usr/local/lib/sysctl.d/c.conf": PROBES + "=5",
    },
    "a_link_to_dev_null_masks": {
        "/etc/sysctl.d/a.conf": "-> /dev/null",
        "/usr/lib/sysctl.d/a.conf": FIN + "=31",
        "/usr/lib/sysctl.d/b.conf": KEEPALIVE + "=31",
    },
    "an_empty_file_masks": {"/etc/sysctl.d/a.conf": "", "/usr/lib/sysctl.d/a.conf": FIN + "=31"},
    "a_link_counts_under_its_own_name": {
        "/etc/sysctl.conf": FIN + "=31\n",
        "/etc/sysctl.d/99-sysctl.conf": "-> ../sysctl.conf",
        "/etc/sysctl.d/98.conf": FIN + "=32",
    },
    "sysctl_conf_alone_is_not_read": {"/etc/sysctl.conf": FIN + "=31\n"},
    "a_link_to_nowhere": {"/etc/sysctl.d/a.conf": "-> nowhere", "/etc/sysctl.d/b.conf": FIN + "=31"},
    "a_link_to_nowhere_and_the_same_name_below": {
        "/etc/sysctl.d/a.conf": "-> nowhere",
        "/usr/lib/sysctl.d/a.conf": FIN + "=31",
    },
    "a_directory": {"/etc/sysctl.d/a.conf": None, "/etc/sysctl.d/b.conf": FIN + "=31"},
    "a_directory_and_the_same_name_below": {"/etc/sysctl.d/a.conf": None, "/usr/lib/sysctl.d/a.conf": FIN + "=31"},
    "hidden_and_other_names_are_passed_over": {
        "/etc/sysctl.d/.a.conf": FIN + "=31",
        "/etc/sysctl.d/b.conf~": FIN + "=32",
        "/etc/sysctl.d/c.conf.bak": FIN + "=33",
        "/etc/sysctl.d/d": FIN + "=34",
    },
    "slash_and_dot_are_one_key": {"/etc/sysctl.d/a.conf": FIN + "=31\nnet/ipv4/tcp_fin_timeout=32\n"},
    "an_interface_with_dots": {
        "/etc/sysctl.d/a.conf": "net/ipv4/conf/v0.100/rp_filter=1\nnet.ipv4.conf.va.rp_filter=1\n",
        "/etc/sysctl.d/b.conf": "net.ipv4.conf.v0/100.rp_filter=2\n",
    },
    "an_interface_with_dots_written_wrong": {"/etc/sysctl.d/a.conf": "net.ipv4.conf.v0.100.rp_filter=1\n"},
    "the_last_line_wins": {"/etc/sysctl.d/a.conf": FIN + "=31\n" + KEEPALIVE + "=31\n" + FIN + "=32\n"},
    "a_leading_dash_tolerates": {"/etc/sysctl.d/a.conf": "-" + FIN + "=31\n- " + KEEPALIVE + " = 32\n"},
    "a_lone_dash_takes_back_what_was_said": {"/etc/sysctl.d/a.conf": FIN + "=31\n", "/etc/sysctl.d/b.conf": "-" + FIN},
    "after_a_lone_dash_a_value_counts": {"/etc/sysctl.d/a.conf": "-" + FIN + "\n" + FIN + "=31\n"},
    "a_pattern": {"/etc/sysctl.d/a.conf": "net.ipv4.tcp_keepalive_* = 5\n"},
    "a_named_key_beats_a_pattern_before_and_after": {
        "/etc/sysctl.d/a.conf": KEEPALIVE + "=1000\n",
        "/etc/sysctl.d/b.conf": "net.ipv4.tcp_keepalive_* = 5\n",
        "/etc/sysctl.d/c.conf": INTVL + "=11\n",
    },
    "the_last_pattern_wins": {
        "/etc/sysctl.d/a.conf": "net.ipv4.tcp_keepalive_*=5\n",
        "/etc/sysctl.d/b.conf": "net/ipv4/tcp_keep*_intvl=6\n",
    },
    "a_lone_dash_keeps_patterns_off": {"/etc/sysctl.d/a.conf": "net.ipv4.tcp_keepalive_*=5\n-" + PROBES + "\n"},
    "a_pattern_over_interfaces": {
        "/etc/sysctl.d/a.conf": "net.ipv4.conf.v*.rp_filter=1\nnet/ipv4/conf/v0.*/rp_filter=2\n"
    },
    "a_star_does_not_cross_segments": {"/etc/sysctl.d/a.conf": "net.*.tcp_fin_timeout=31\nnet.*_fin_timeout=32\n"},
    "classes_and_question_marks": {
        "/etc/sysctl.d/a.conf": "net.ipv4.tcp_fin_timeou[st]=31\nnet.ipv4.tcp_keepalive_???????=33\n"
    },
    "blanks_tabs_and_line_ends": {
        "/etc/sysctl.d/a.conf": "\t"
        + FIN
        + " \t=\t 31 \r\n\r\n  # "
        + KEEPALIVE
        + "=1\n"
        + RMEM
        + " = 4096\t87380  6000000"
    },
    "other_spellings_of_numbers": {
        "/etc/sysctl.d/a.conf": FIN + "=0x20\n" + KEEPALIVE + "=+1\n" + PORTS + "=8081,8080"
    },
    "a_byte_order_mark_spoils_the_first_line": {
        "/etc/sysctl.d/a.conf": "\ufeff" + FIN + "=31\n" + KEEPALIVE + "=1000\n"
    },
    "lines_that_are_no_assignment": {"/etc/sysctl.d/a.conf": "nonsense\n" + FIN + "\n=5\n" + KEEPALIVE + "=1000\n"},
}
# What the kernel refuses is not in force after the boot, whatever the file says; the entry is reported as it stands.
NO_NUMBER = {"other_spellings_of_numbers": {KEEPALIVE}}


@pytest.fixture(scope="module")
def boot(shared: Namespace) -> Iterator[Boot]:
    program = next((name for name in PROGRAMS if os.access(name, os.X_OK)), None)
    if program is None:
        pytest.skip("systemd is not installed here, so there is no systemd-sysctl to compare with")
    shared.interface("v0.100", "v1.100")
    shared.interface("va", "vb")
    yield Boot(shared, program)


class Boot:
    """A machine that can be given files and booted."""

    def __init__(self, ns: Namespace, program: str) -> None:
        self.ns = ns
        self._program = program

    def lay_out(self, files: Mapping[str, str | None]) -> None:
        """Give the machine exactly these files, and kernel values as if nothing had been set."""
        self.ns.sh("rm -rf " + " ".join(f"{one}/* {one}/.[!.]*" for one in DIRECTORIES) + " /etc/sysctl.conf")
        for name, text in files.items():
            path = self.ns.path(name)
            if text is None:
                path.mkdir()
            elif text.startswith("-> "):
                path.symlink_to(text[3:])
            else:
                self.ns.write(name, text)
        self.reset()

    def reset(self) -> None:
        self.ns.set_live(DEFAULTS)

    def up(self) -> dict[str, str]:
        """Values after the boot."""
        self.reset()
        self.ns.run(self._program, check=False)
        return self.ns.live(*KEYS)


def predicted(settings: list[dict[str, dict[str, str | None]]]) -> dict[str, str]:
    """What the kernel should hold: the boot value, or the default where nothing will be written."""
    found = {}
    for one in settings:
        key, value = str(one["key"]), one["boot"]["value"]
        found[key] = DEFAULTS[key] if value is None else value
    return found


@pytest.mark.parametrize("layout", LAYOUTS)
def test_boot_value_is_what_systemd_sysctl_makes_of_the_files(boot: Boot, layout: str) -> None:
    boot.lay_out(LAYOUTS[layout])
    info = boot.ns.module("sysctl_info", {"names": list(KEYS)})
    want = predicted(info.result["settings"])
    have = boot.up()
    if PORTS in want:
        want[PORTS] = want[PORTS].replace("8081,8080", "8080-8081")
    for key in NO_NUMBER.get(layout, ()):
        del want[key], have[key]
    assert want == have


@pytest.mark.parametrize("layout", LAYOUTS)
def test_boot_value_of_a_change_is_what_the_next_boot_gives(boot: Boot, layout: str) -> None:
    wanted = {
        FIN: 21,
        KEEPALIVE: {"at_least": 600},
        PROBES: {"at_most": 7},
        DOTTED: 2,
        RMEM: {"at_least": [4096, 1, 7000000]},
    }
    boot.lay_out(LAYOUTS[layout])
    if layout in NO_NUMBER:
        del wanted[KEEPALIVE]
    foreseen = boot.ns.sysctl(wanted, check_mode=True)
    done = boot.ns.sysctl(wanted)
    assert not done.failed, done.text
    assert done.report == foreseen.report
    live = boot.ns.live(*wanted)
    have = boot.up()
    for one in done.result["settings"]:
        key = one["key"]
        assert one["live"]["after"] == live[key], key
        assert predicted([one])[key] == have[key], key
        assert one["shadowed"] == (not meets(wanted[key], have[key])), f"{key} is {have[key]} after the boot"
        assert one["shadowed"] == any(warning.startswith(key + ":") for warning in done.warnings)
    assert boot.ns.sysctl(wanted).changed == any(one["shadowed"] for one in done.result["settings"])


def meets(desired: object, value: str) -> bool:
    have = [int(word) for word in value.split()]
    if isinstance(desired, int):
        return have == [desired]
    assert isinstance(desired, dict)
    operator, bound = next(iter(desired.items()))
    bounds = bound if isinstance(bound, list) else [bound]
    return all(a >= b if operator == "at_least" else a <= b for a, b in zip(have, bounds))


def test_the_winner_is_named_by_file_and_line(boot: Boot) -> None:
    boot.lay_out({"/etc/sysctl.d/99-z.conf": "# later\n\n" + FIN + "=45\n"})
    outcome = boot.ns.sysctl({FIN: 30})
    one = outcome.setting(FIN)
    assert one["boot"]["winner"] == "/etc/sysctl.d/99-z.conf:3" and not one["boot"]["ours"]
    assert one["boot"]["value"] == "45"
    assert one["shadowed"] and one["status"] == "changed"
    assert len(outcome.warnings) == 1 and "/etc/sysctl.d/99-z.conf:3" in outcome.warnings[0]


def test_on_shadowed_fail_refuses_before_anything_is_written(boot: Boot) -> None:
    boot.lay_out({"/etc/sysctl.d/99-z.conf": FIN + "=45\n"})
    before = boot.ns.snapshot()
    outcome = boot.ns.sysctl({FIN: 30, KEEPALIVE: 600}, on_shadowed="fail")
    assert outcome.failed and "/etc/sysctl.d/99-z.conf:1" in outcome.msg
    assert boot.ns.snapshot() == before


def test_an_entry_behind_a_link_is_ours(boot: Boot) -> None:
    boot.lay_out({"/etc/sysctl.conf": "# mine\n", "/etc/sysctl.d/99-sysctl.conf": "-> ../sysctl.conf"})
    outcome = boot.ns.sysctl({FIN: 30}, sysctl_file="/etc/sysctl.conf")
    boot_state = outcome.setting(FIN)["boot"]
    assert boot_state["ours"] and boot_state["value"] == "30"
    assert boot_state["winner"] == "/etc/sysctl.d/99-sysctl.conf:2"
    assert not outcome.setting(FIN)["shadowed"]
    assert boot.ns.path("/etc/sysctl.d/99-sysctl.conf").is_symlink()
    assert boot.up()[FIN] == "30"


def test_a_file_that_is_not_read_at_boot_is_said_to_be_so(boot: Boot) -> None:
    boot.lay_out({})
    outcome = boot.ns.sysctl({FIN: 30}, sysctl_file="/etc/sysctl.conf")
    assert outcome.setting(FIN)["shadowed"] and outcome.setting(FIN)["boot"]["value"] is None
    assert "does not read /etc/sysctl.conf at boot" in outcome.warnings[0]
    assert boot.up()[FIN] == "60"


def test_a_masked_file_of_ours_is_said_to_be_so(boot: Boot) -> None:
    boot.lay_out({"/etc/sysctl.d/99-x.conf": ""})
    outcome = boot.ns.sysctl({FIN: 30}, sysctl_file="/usr/lib/sysctl.d/99-x.conf")
    assert outcome.setting(FIN)["shadowed"] and boot.up()[FIN] == "60"


def test_a_new_file_of_ours_can_mask_one_of_the_same_name(boot: Boot) -> None:
    boot.lay_out({"/usr/lib/sysctl.d/99-tunefleet.conf": KEEPALIVE + "=1000\n"})
    outcome = boot.ns.sysctl({FIN: 30})
    assert outcome.setting(FIN)["boot"]["winner"] == SYSCTL_FILE + ":2"
    have = boot.up()
    assert (have[FIN], have[KEEPALIVE]) == ("30", "7200")


# Pieces of random layouts.
NAMES = ["10-a.conf", "20-b.conf", "9-c.conf", "B.conf", "_d.conf", ".e.conf", "f", "99-tunefleet.conf"]
SPELLINGS = [
    FIN,
    "net/ipv4/tcp_fin_timeout",
    KEEPALIVE,
    INTVL,
    PROBES,
    "net.ipv4.tcp_keepalive_*",
    "net.ipv4.tcp_keepalive_?????",
    "net/ipv4/conf/v0.100/rp_filter",
    DOTTED,
    PLAIN,
    "net.ipv4.conf.v*.rp_filter",
    "net.ipv4.conf.v[0a]*.rp_filter",
]
FORMS = ["{0}={1}", "-{0}={1}", " {0} = {1}", "-{0}", "# {0}=2", "{0} = {1}\r"]


def random_layout(dice: random.Random) -> dict[str, str | None]:
    layout: dict[str, str | None] = {}
    for _file in range(dice.randint(1, 6)):
        entries = range(dice.randint(1, 5))
        lines = [dice.choice(FORMS).format(dice.choice(SPELLINGS), dice.randint(1, 2)) for _entry in entries]
        text = "\n".join(lines) + dice.choice(["", "\n"])
        layout[f"{dice.choice(DIRECTORIES)}/{dice.choice(NAMES)}"] = "-> /dev/null" if dice.random() < 0.1 else text
    return layout


def test_random_layouts(boot: Boot) -> None:
    """Many small layouts out of the same pieces; the seed is fixed, so a failure can be run again."""
    dice = random.Random(20260131)
    for number in range(40):
        layout = random_layout(dice)
        boot.lay_out(layout)
        info = boot.ns.module("sysctl_info", {"names": [key for key in KEYS if key != PORTS]})
        assert not info.failed, f"{info.msg} Layout {number}: {layout}"
        want, have = predicted(info.result["settings"]), boot.up()
        del have[PORTS]
        assert want == have, f"layout {number}: {layout}"


def test_the_machines_own_files(machine: Namespace) -> None:
    """Every key of net.* that the files of this machine set."""
    program = next((name for name in PROGRAMS if os.access(name, os.X_OK)), None)
    if program is None:
        pytest.skip("systemd is not installed here, so there is no systemd-sysctl to compare with")
    outcome = machine.sysctl({FIN: 30})
    assert outcome.setting(FIN)["boot"]["value"] == "30"
    machine.set_live({FIN: "60"})
    machine.run(program, check=False)
    assert machine.live(FIN) == {FIN: "30"}
    info = machine.module("sysctl_info", {})
    own = [one for one in info.result["settings"] if one["key"].startswith("net.") and one["status"] == "ok"]
    assert FIN in [one["key"] for one in own]
    for one in own:
        assert one["live"]["after"] == one["boot"]["value"], one
