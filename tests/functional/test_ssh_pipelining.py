# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How modules get to a host by a real ssh and a real sudo, with each release of ansible-core that matters."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import ssh
from support import CACHE, ROOT, environment, need_python, virtual_environment

from ansible_collections.tunefleet.linux.tests.environments.namespace import PROGRAMS, SYSCTL_FILE, Namespace

# Where tools/setup unpacks sudo on a machine that has none.
UNPACKED = CACHE / "sudo"
USERS = """
mkdir -p /run/sshd /dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts
ln -s pts/ptmx /dev/ptmx
mknod -m 666 /dev/tty c 5 0
grep -q ^sshd: /etc/passwd || echo sshd:x:105:65534::/run/sshd:/usr/sbin/nologin >>/etc/passwd
echo operator:x:2000:2000::/:/bin/sh >>/etc/passwd
echo operator:x:2000: >>/etc/group
echo 'operator:*:19000:0:99999:7:::' >>/etc/shadow
"""
SUDO = """
printf 'auth sufficient pam_permit.so\\naccount sufficient pam_permit.so\\nsession sufficient pam_permit.so\\n' >/etc/pam.d/sudo
rm -rf /etc/sudoers.d
printf '%s\\n' "$1" >/etc/sudoers
chmod 440 /etc/sudoers
if [ -n "$2" ]; then
    mkdir "$3/bin"
    cp "$2/usr/bin/sudo" "$3/bin"
    chmod 4755 "$3/bin/sudo"
    mount --bind "$2/usr/libexec" /usr/libexec
    mount -t overlay -o "lowerdir=$3/bin:/usr/bin" tunefleet /usr/bin
fi
"""
FREELY = "operator ALL=(ALL:ALL) NOPASSWD: ALL"
ROLE = "- hosts: all\n  gather_facts: false\n  roles:\n    - tunefleet.linux.fast_fail\n"
# What each command to a host, and each file that is sent there, leaves in the output of -vvv.
COMMANDS, FILES = "SSH: EXEC", "SSH: EXEC sftp"


def playbook_program(core: str) -> Path:
    if core == "2.16":
        python = need_python("3.12", "3.11", "3.10")
        return (
            virtual_environment("venv-2.16", python, ROOT / "requirements" / "core-2.16.txt").parent
            / "ansible-playbook"
        )
    if core == "newest":
        python = need_python("3.14", "3.13", "3.12")
        return virtual_environment("venv-newest", python, ROOT / "requirements" / "run.txt").parent / "ansible-playbook"
    return PROGRAMS / "ansible-playbook"


class Host:
    """The namespace as a host that is reached by ssh."""

    def __init__(self, ns: Namespace, folder: Path) -> None:
        self.ns = ns
        self.folder = folder
        folder.chmod(0o755)
        (folder / "tmp").mkdir()
        (folder / "tmp").chmod(0o1777)
        server = ssh.Server(folder / "ssh")
        enter = ["nsenter", f"--target={ns.pid}", "--net", "--mount", "--ipc", "--"]
        self._line = f"host {server.variables(enter)} ansible_python_interpreter={PROGRAMS / 'python'}\n"
        ns.sh(USERS)

    def let_sudo(self, rules: str) -> None:
        """Let the user become root by these rules of sudoers(5)."""
        own = "" if shutil.which("sudo") else str(UNPACKED)
        self.ns.run("sh", "-euc", SUDO, "sh", rules, own, str(self.ns.folder))
        self._line = self._line.replace("ansible_user=root", "ansible_user=operator ansible_become=true")
        # Such as that a host is not known yet: what sudo says is then not all there is.
        self._line = self._line.replace("LogLevel=ERROR", "LogLevel=INFO")

    def play(self, core: str = "controller", **env: str) -> Run:
        (self.folder / "hosts.ini").write_text(self._line)
        (self.folder / "play.yml").write_text(ROLE)
        env = dict(env, ANSIBLE_COLLECTIONS_PATH=str(CACHE), ANSIBLE_NOCOLOR="1", HOME=str(self.folder))
        env["ANSIBLE_REMOTE_TEMP"] = str(self.folder / "tmp")
        argv = [str(playbook_program(core)), "-vvv", "--inventory", str(self.folder / "hosts.ini")]
        done = subprocess.run(
            [*argv, str(self.folder / "play.yml")],
            env=environment(**env),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        ssh.hang_up(self.folder / ".ansible" / "cp")
        return Run(done.stdout + done.stderr)


class Run:
    """How a playbook ended, and what went to the host for it."""

    def __init__(self, text: str) -> None:
        self.text = text
        assert "Traceback" not in text, text
        self.commands = text.count(COMMANDS) - text.count(FILES)
        self.files = text.count(FILES)

    def ended(self, changed: int, failed: int = 0) -> None:
        assert f"changed={changed} " in self.text and f"failed={failed} " in self.text, self.text
        assert "unreachable=0 " in self.text, self.text


@pytest.fixture
def host(ns: Namespace) -> Iterator[Host]:
    if ssh.missing():
        pytest.skip(f"a host by ssh needs openssh-server: {', '.join(ssh.missing())} is missing")
    # Not in tmp_path, where the user of the host could read nothing.
    with tempfile.TemporaryDirectory(prefix="tunefleet-by-ssh-") as folder:
        yield Host(ns, Path(folder))


@pytest.fixture
def sudo_host(host: Host) -> Host:
    if not (shutil.which("sudo") or (UNPACKED / "usr" / "bin" / "sudo").exists()):
        pytest.skip("becoming root on a host needs sudo; apt-get install sudo")
    return host


CORES = pytest.mark.parametrize("core", ["controller", "2.16", "newest"])
# Those that can tell whether somebody has chosen; before 2.18 they take their own default for a variable of the user.
KNOWING_CORES = pytest.mark.parametrize("core", ["controller", "newest"])


@KNOWING_CORES
def test_a_profile_is_one_command(host: Host, core: str) -> None:
    first = host.play(core)
    first.ended(changed=1)
    assert (first.commands, first.files) == (1, 0), first.text
    second = host.play(core)
    second.ended(changed=0)
    assert (second.commands, second.files) == (1, 0), second.text


def test_core_2_16_is_left_to_itself(host: Host) -> None:
    run = host.play("2.16")
    run.ended(changed=1)
    assert run.commands > 2 and run.files == 1, run.text


@CORES
@pytest.mark.parametrize("setting", ["ANSIBLE_PIPELINING", "ANSIBLE_SSH_PIPELINING"])
def test_who_wants_files_gets_them(host: Host, core: str, setting: str) -> None:
    run = host.play(core, **{setting: "false"})
    run.ended(changed=1)
    assert run.commands > 2 and run.files == 1, run.text


@KNOWING_CORES
def test_sudo_gets_it_too(sudo_host: Host, core: str) -> None:
    sudo_host.let_sudo(FREELY)
    run = sudo_host.play(core)
    run.ended(changed=1)
    assert (run.commands, run.files) == (1, 0) and "sudo " in run.text, run.text


@pytest.mark.parametrize("defaults", ["use_pty", "log_input,log_output", "use_pty,log_output", "!visiblepw"])
def test_whatever_sudo_does_with_its_input_and_output(sudo_host: Host, defaults: str) -> None:
    sudo_host.let_sudo(f"Defaults {defaults}\n{FREELY}")
    for changed in (1, 0):
        run = sudo_host.play()
        run.ended(changed=changed)
        assert (run.commands, run.files) == (1, 0), run.text


@CORES
def test_a_sudo_that_wants_a_terminal_gets_one(sudo_host: Host, core: str) -> None:
    sudo_host.let_sudo(f"Defaults requiretty\n{FREELY}")
    for changed in (1, 0):
        run = sudo_host.play(core)
        run.ended(changed=changed)
        assert run.files == 1, run.text


def test_a_sudo_that_asks_for_a_password_is_left_to_ansible(sudo_host: Host) -> None:
    sudo_host.let_sudo("operator ALL=(ALL:ALL) ALL")
    run = sudo_host.play(ANSIBLE_BECOME_PASS="secret")
    run.ended(changed=1)
    assert run.files == 1, run.text


def test_a_sudo_that_refuses_is_heard(sudo_host: Host) -> None:
    sudo_host.let_sudo("root ALL=(ALL:ALL) NOPASSWD: ALL")
    run = sudo_host.play()
    run.ended(changed=0, failed=1)
    assert "sudo" in run.text.partition("FAILED!")[2], run.text
    assert sudo_host.ns.run("test", "-e", SYSCTL_FILE, check=False).returncode != 0
