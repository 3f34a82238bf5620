# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._core import shape as shapes
from ansible_collections.tunefleet.linux.plugins.module_utils._core import steps as step_types
from ansible_collections.tunefleet.linux.plugins.module_utils._transaction import apply, step_kinds
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils import fake_host
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import FakeHost

ONE, THREE = shapes.Shape(shapes.INTEGERS, 1), shapes.Shape(shapes.INTEGERS, 3)
SOMAXCONN, FIN, RMEM = "net/core/somaxconn", "net/ipv4/tcp_fin_timeout", "net/ipv4/tcp_rmem"
A, B = "/etc/a.conf", "/etc/b.conf"

BACKLOG = step_types.SetSysctl("net.core.somaxconn", "4096", "8192", ONE)
TIMEOUT = step_types.SetSysctl("net.ipv4.tcp_fin_timeout", "60", "30", ONE)
BUFFERS = step_types.SetSysctl("net.ipv4.tcp_rmem", "4096\t131072\t6291456", "8192 131072 16777216", THREE)
EDIT = step_types.WriteFile(A, A, b"old", b"new")
MAKE = step_types.WriteFile(B, B, None, b"made")
DROP = step_types.WriteFile(A, A, b"old", None)


@pytest.mark.parametrize(
    ("steps", "log"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([BACKLOG], [("live", SOMAXCONN, "8192")], id="live"),
        pytest.param(
            [BACKLOG, BUFFERS, EDIT, MAKE],
            [
                ("live", SOMAXCONN, "8192"),
                ("live", RMEM, "8192 131072 16777216"),
                ("write", A, b"new"),
                ("write", B, b"made"),
            ],
            id="in order",
        ),
        pytest.param([DROP], [("remove", A, None)], id="a file goes"),
        pytest.param(
            [step_types.WriteFile("/etc/link", "/srv/real", None, b"x")],
            [("write", "/srv/real", b"x")],
            id="the file behind a link",
        ),
    ],
)
def test_done(steps, log):
    host = FakeHost(files={A: b"old"}, rules={RMEM: fake_host.tabs})
    apply.commit(host, steps)
    assert host.log == log


def never_back(old_text):
    """Once it is another, the kernel does not take the old value any more."""

    def rule(new, old):
        if new == old_text:
            return fake_host.refuses()(new, old)
        return new

    return rule


END = " All changes of this run were undone."
EINVAL = "the kernel rejected {0!r}: Invalid argument (legal: {1})."
CONNECTIONS = "0 .. 2147483647 connections"
BYTES = "1 .. 2147483647 bytes: least, initial, largest"
FULL = "Writing {0} failed: No space left on device (the file system is full)."


@pytest.mark.parametrize(
    ("steps", "host", "message", "undone"),
    [
        pytest.param(
            [BACKLOG, EDIT],
            {"rules": {SOMAXCONN: fake_host.refuses("8192")}},
            "setting net.core.somaxconn failed: " + EINVAL.format("8192", CONNECTIONS) + END,
            [],
            id="the first value refused",
        ),
        pytest.param(
            [TIMEOUT, BUFFERS, BACKLOG, EDIT],
            {"rules": {SOMAXCONN: fake_host.refuses("8192")}},
            "setting net.core.somaxconn failed: " + EINVAL.format("8192", CONNECTIONS) + END,
            ["net.ipv4.tcp_rmem is 4096\t131072\t6291456 again.", "net.ipv4.tcp_fin_timeout is 60 again."],
            id="a value in the middle refused",
        ),
        pytest.param(
            [TIMEOUT, BACKLOG],
            {"rules": {SOMAXCONN: fake_host.ignores}},
            "setting net.core.somaxconn failed: '8192' was written, and the kernel kept '4096' (legal: "
            + CONNECTIONS
            + ")."
            + END,
            ["net.ipv4.tcp_fin_timeout is 60 again."],
            id="a write that does nothing",
        ),
        pytest.param(
            [step_types.SetSysctl("net.core.somaxconn", "4096", "5000", ONE)],
            {"rules": {SOMAXCONN: fake_host.rounds_up_to(4096)}},
            "setting net.core.somaxconn failed: '5000' was written, and the kernel kept '8192' (legal: "
            + CONNECTIONS
            + ")."
            + END,
            ["net.core.somaxconn is 4096 again."],
            id="rounding",
        ),
        pytest.param(
            [TIMEOUT, BUFFERS],
            {"rules": {RMEM: lambda new, old: fake_host.takes_first(1)(new, old) if new.startswith("8192") else new}},
            "setting net.ipv4.tcp_rmem failed: " + EINVAL.format("8192 131072 16777216", BYTES) + END,
            ["net.ipv4.tcp_rmem is 4096\t131072\t6291456 again.", "net.ipv4.tcp_fin_timeout is 60 again."],
            id="a vector refused after its first number",
        ),
        pytest.param(
            [step_types.SetSysctl("net.core.somaxconn", "4096", "5 6", ONE)],
            {"rules": {SOMAXCONN: lambda new, old: None if new == "5 6" else new}},
            "setting net.core.somaxconn failed: the kernel took only 2 of 4 bytes of '5 6' (legal: "
            + CONNECTIONS
            + ")."
            + END,
            ["net.core.somaxconn is 4096 again."],
            id="a short write",
        ),
        pytest.param(
            [BACKLOG, EDIT, MAKE],
            {"full": [B]},
            FULL.format(B) + END,
            [A + " has its former content.", "net.core.somaxconn is 4096 again."],
            id="no space for the second file",
        ),
        pytest.param(
            [BACKLOG, MAKE, EDIT],
            {"full": [A]},
            FULL.format(A) + END,
            [B + " is removed again.", "net.core.somaxconn is 4096 again."],
            id="a file that was made goes again",
        ),
        pytest.param(
            [DROP, MAKE],
            {"full": [B]},
            FULL.format(B) + END,
            [A + " has its former content."],
            id="a file that was removed comes back",
        ),
        pytest.param(
            [step_types.SetSysctl("net.core.somaxconn", "4096", "4096", ONE), TIMEOUT],
            {"rules": {FIN: fake_host.refuses("30")}},
            "setting net.ipv4.tcp_fin_timeout failed: " + EINVAL.format("30", "1 .. 21474836 seconds") + END,
            [],
            id="nothing is said of what is as it was",
        ),
    ],
)
def test_put_back(steps, host, message, undone):
    fake = FakeHost(files={A: b"old"}, **host)
    before = fake.state()
    with pytest.raises(apply.StepRefused) as caught:
        apply.commit(fake, steps)
    assert fake.state() == before
    assert str(caught.value) == message
    assert (caught.value.undone, caught.value.not_undone) == (undone, [])


def test_put_back_last_first():
    host = FakeHost(files={A: b"old"}, full=[B])
    with pytest.raises(apply.StepRefused):
        apply.commit(host, [TIMEOUT, BACKLOG, EDIT, MAKE])
    assert host.log == [
        ("live", FIN, "30"),
        ("live", SOMAXCONN, "8192"),
        ("write", A, b"new"),
        ("write", B, b"made"),
        ("write", A, b"old"),
        ("live", SOMAXCONN, "4096"),
        ("live", FIN, "60"),
    ]


@pytest.mark.parametrize(
    ("steps", "host", "undone", "not_undone"),
    [
        pytest.param(
            [TIMEOUT, BACKLOG, MAKE],
            {"full": [B], "rules": {SOMAXCONN: never_back("4096")}},
            ["net.ipv4.tcp_fin_timeout is 60 again."],
            ["net.core.somaxconn could not be restored: the kernel rejected '4096': Invalid argument."],
            id="a value that does not go back",
        ),
        pytest.param(
            [BACKLOG._replace(before=None), TIMEOUT],
            {"rules": {FIN: fake_host.refuses("30")}},
            [],
            ["net.core.somaxconn: its former value could not be read."],
            id="a value that was not known",
        ),
    ],
)
def test_not_undone(steps, host, undone, not_undone):
    fake = FakeHost(files={A: b"old"}, **host)
    with pytest.raises(apply.StepRefused) as caught:
        apply.commit(fake, steps)
    assert (caught.value.undone, caught.value.not_undone) == (undone, not_undone)
    assert str(caught.value).endswith(" Not undone: " + not_undone[0])
    assert "as it was" not in str(caught.value)


def test_not_undone_file():
    """A disk that fills up while files are being put back."""
    host = FakeHost(files={A: b"old"})

    class Filling:
        def __contains__(self, path):
            return path == B or (path == A and host.files[A] == b"new")

    host.full = Filling()
    with pytest.raises(apply.StepRefused) as caught:
        apply.commit(host, [BACKLOG, EDIT, MAKE])
    assert caught.value.undone == ["net.core.somaxconn is 4096 again."]
    assert caught.value.not_undone == [FULL.format(A)]


def test_a_value_that_cannot_be_read_back_is_no_success():
    host = FakeHost(write_only=[SOMAXCONN])
    with pytest.raises(apply.StepRefused, match="'8192' was written, and the kernel kept None"):
        apply.commit(host, [BACKLOG])


class Reload(step_types.Step):
    """A step of a kind that no planner makes."""

    is_reload = True

    def __init__(self, name):
        self.name = name


def test_reloads_are_undone_after_the_files_in_their_own_order(monkeypatch):
    done = []

    class Kind(step_kinds.Kind):
        def apply(self, host):
            done.append(("apply", self.step.name, host.files.get(A)))
            return {}

        def undo(self, host):
            done.append(("undo", self.step.name, host.files.get(A)))
            return self.step.name + " was reloaded."

    monkeypatch.setitem(step_kinds.KINDS, Reload, Kind)
    host = FakeHost(files={A: b"old"}, full=[B])
    with pytest.raises(apply.StepRefused) as caught:
        apply.commit(host, [EDIT, Reload("first"), Reload("second"), MAKE])
    assert done == [
        ("apply", "first", b"new"),
        ("apply", "second", b"new"),
        ("undo", "first", b"old"),
        ("undo", "second", b"old"),
    ]
    assert caught.value.undone == [A + " has its former content.", "first was reloaded.", "second was reloaded."]


def test_a_failed_check_undoes_earlier_writes(monkeypatch):
    class Kind(step_kinds.Kind):
        def apply(self, host):
            raise _errors.HostProblem("a login would fail")

        def failed(self, reason):
            return "probing {0} failed: {1}".format(self.step.name, reason)

    monkeypatch.setitem(step_kinds.KINDS, Reload, Kind)
    host = FakeHost(files={A: b"old"})
    with pytest.raises(apply.StepRefused, match="^probing PAM failed: a login would fail. All changes"):
        apply.commit(host, [EDIT, Reload("PAM")])
    assert host.files == {A: b"old"}


# -- somebody else writes too -------------------------------------------------------------------------------------------------


def test_a_key_that_somebody_else_has_set_meanwhile_is_left_alone():
    host = FakeHost()
    host.values[SOMAXCONN] = "5000"
    with pytest.raises(apply.StepRefused) as caught:
        apply.commit(host, [TIMEOUT, BACKLOG])
    assert (host.values[SOMAXCONN], host.values[FIN]) == ("5000", "60")
    assert str(caught.value) == (
        "net.core.somaxconn is 5000 now and was 4096 a moment ago: another program sets it too, so it was "
        "not changed; run this again. All changes of this run were undone."
    )
    assert caught.value.undone == ["net.ipv4.tcp_fin_timeout is 60 again."]


def test_a_key_that_an_earlier_step_moved_is_no_foreign_one():
    first = BACKLOG._replace(beside=(("net.ipv4.tcp_fin_timeout", "60", ONE),))
    host = FakeHost()

    def moves(new, old):
        host.values[FIN] = "77" if new == "8192" else "60"
        return new

    host.rules[SOMAXCONN] = moves
    apply.commit(host, [first, TIMEOUT])
    assert (host.values[SOMAXCONN], host.values[FIN]) == ("8192", "30")


def test_a_file_that_somebody_else_has_written_meanwhile_is_left_alone():
    host = FakeHost(files={A: b"theirs"})
    with pytest.raises(apply.StepRefused, match="changed by somebody else. All changes of this run were undone.$"):
        apply.commit(host, [BACKLOG, EDIT])
    assert host.files == {A: b"theirs"} and host.values[SOMAXCONN] == "4096"


def test_a_file_that_somebody_else_writes_after_us_is_not_put_back():
    host = FakeHost(files={A: b"old"}, full=[B])
    replace = host.replace

    def replaced(real, data, before):
        replace(real, data, before)
        host.files[real] = b"theirs"

    host.replace = replaced
    with pytest.raises(apply.StepRefused) as caught:
        apply.commit(host, [EDIT, MAKE])
    assert host.files == {A: b"theirs"}
    assert caught.value.not_undone == [A + " was changed externally in the meantime and was not restored."]
