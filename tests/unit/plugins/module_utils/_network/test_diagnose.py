# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._network import diagnose
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils._network import netlink_messages
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import FakeHost, proc_limits

NETSTAT = "TcpExt: ListenOverflows ListenDrops\nTcpExt: {0} {0}\n"


class BusyHost(FakeHost):
    """A listening socket of inode 99 that drops a handshake each tenth of a second."""

    def read_text(self, path):
        return NETSTAT.format(self._dropped()) if path == "/proc/net/netstat" else super().read_text(path)

    def netlink(self, protocol, request):
        drops = [(7, bytes(32) + self._dropped().to_bytes(4, "little"))]
        listening = netlink_messages.socket(10, local=("0.0.0.0", 80), queues=(6, 5), owner=(33, 99), attributes=drops)
        return iter([netlink_messages.datagram(*([listening] if request[16] == 2 else []), netlink_messages.done())])

    def _dropped(self):
        return int(self.clock * 10)


def test_two_readings_and_the_owner():
    texts = {"/proc/812/comm": "nginx\n", "/proc/812/limits": proc_limits(nofile=(3, 4096))}
    files = {"/proc/812/fd/{0}".format(number): b"" for number in range(3)}
    host = BusyHost(texts=texts, files=files, sockets={99: ["812"], 7: ["1"]})
    result = diagnose.diagnose(host, 2.5)
    assert result["seconds"] == 2.5
    assert result["grown"] == {"ListenOverflows": 25, "ListenDrops": 25}
    assert [one["id"] for one in result["advice"]] == ["accept_queue_open_files"]
    assert result["advice"][0]["subject"] == "0.0.0.0:80 nginx (process 812)"
    assert "process 812 of nginx has 3 files open and may have 3" in result["advice"][0]["evidence"]
    assert host.log == [] and "changed" not in result
    assert "/proc/net/softnet_stat cannot be read here" in result["unseen"]


def test_an_owner_that_may_not_be_looked_at():
    class Closed(BusyHost):
        def listdir(self, directory):
            raise _errors.HostProblem("Listing {0} failed: Permission denied.".format(directory))

    result = diagnose.diagnose(Closed(sockets={99: ["812"]}), 1)
    assert [one["id"] for one in result["advice"]] == ["accept_queue_backlog"]


def test_nobody_is_looked_for_without_need():
    class Calm(FakeHost):
        def socket_owners(self, inodes):
            raise AssertionError("this takes long on a busy host")

    result = diagnose.diagnose(Calm(), 1)
    assert result["advice"] == [] and result["grown"] == {}


@pytest.mark.parametrize("seconds", [0, -1, 0.09, 3601, float("nan"), float("inf")])
def test_a_time_that_makes_no_sense(seconds):
    with pytest.raises(_errors.ValueProblem) as problem:
        diagnose.diagnose(FakeHost(), seconds)
    assert "seconds takes 0.1 to 3600." in str(problem.value)
