#!/usr/bin/python
# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: socket_info
short_description: Read socket counts, listen queues and the network's loss counters
version_added: 0.1.0
description:
  - Returns TCP sockets by state, the length of each listen queue, the used local ports by destination, and the kernel's counters of
    drops, with the settings that limit them.
  - All values belong to the network namespace of the module, unless marked as values of the whole machine.
  - Counts sockets through sock_diag(7), as C(ss) does, which takes a fraction of a second for 100,000 sockets. Where that is forbidden,
    it reads C(/proc/net/tcp) and C(tcp6). The first use of sock_diag may load the kernel module C(tcp_diag).
  - A value that this kernel lacks, or a container hides, is null or missing. RV(unseen) names it if it should exist.
author:
  - The tunefleet.linux authors (@tunefleet)
extends_documentation_fragment:
  - tunefleet.linux.tuning
  - tunefleet.linux.tuning.reads
options: {}
notes:
  - Works without root.
seealso:
  - module: tunefleet.linux.diagnose
  - module: tunefleet.linux.sysctl_info
"""

EXAMPLES = r"""
---
- name: Read sockets and counters
  tunefleet.linux.socket_info:
  register: sockets

- name: Show listen queues that are more than half full
  ansible.builtin.debug:
    msg: "{{ item.address }}:{{ item.port }} holds {{ item.length }} of {{ item.limit }}"
  loop: "{{ sockets.listeners }}"
  when: item.limit and item.length * 2 > item.limit

- name: Show how many sockets are in TIME-WAIT
  ansible.builtin.debug:
    msg: "{{ (sockets.states | items2dict(key_name='state', value_name='ipv4'))['TIME-WAIT'] }}"
"""

RETURN = r"""
source:
  description: The source of the sockets, V(sock_diag) or V(/proc/net/tcp). Null if there is none.
  returned: success
  type: str
  sample: sock_diag
states:
  description: TCP sockets by state, in the order in which a connection goes through them.
  returned: success
  type: list
  elements: dict
  contains:
    state:
      description: The state, named as in RFC 9293. The kernel's numbers are in C(include/net/tcp_states.h).
      type: str
      returned: success
      sample: TIME-WAIT
    ipv4:
      description: IPv4 sockets in this state.
      type: int
      returned: success
      sample: 411
    ipv6:
      description: IPv6 sockets in this state, including those that serve IPv4.
      type: int
      returned: success
      sample: 0
    meaning:
      description: The meaning of this state, and of many sockets in it.
      type: str
      returned: success
      sample: >-
        Closed by us first; kept for 60 seconds so that late packets harm no later connection. No program holds it, and it takes
        little memory. Many of them are normal where we close many connections.
    source:
      description: Lines of the documents that explain the state.
      type: list
      elements: str
      returned: success
      sample: ['guide_zh:25', 'guide_zh:79']
listeners:
  description: Every listening TCP socket, by port. With C(SO_REUSEPORT), several share an address and a port.
  returned: success
  type: list
  elements: dict
  contains:
    family:
      description: V(ipv4) or V(ipv6).
      type: str
      returned: success
      sample: ipv4
    address:
      description: Its address.
      type: str
      returned: success
      sample: 0.0.0.0
    port:
      description: Its port.
      type: int
      returned: success
      sample: 8080
    length:
      description: Connections that wait for accept(2) (C(sk_ack_backlog)).
      type: int
      returned: success
      sample: 6
    limit:
      description:
        - The maximum number of waiting connections (C(sk_max_ack_backlog)). It is the lower of the program's own backlog and
          C(net.core.somaxconn) at the time of its listen(2). The kernel accepts one more. It also limits the handshakes in progress.
        - Null if only C(/proc/net/tcp) is readable.
      type: int
      returned: success
      sample: 5
    drops:
      description:
        - Packets of new connections that this socket has dropped since its listen(2) (C(sk_drops)).
        - Null if only C(/proc/net/tcp) is readable.
      type: int
      returned: success
      sample: 30
    uid:
      description: Id of the user that opened it.
      type: int
      returned: success
      sample: 0
    inode:
      description: Number of the socket, as in the links of C(/proc/PID/fd).
      type: int
      returned: success
      sample: 25974505
    half_open:
      description: Handshakes to this port in progress (SYN-RECEIVED).
      type: int
      returned: success
      sample: 0
ports:
  description: Local ports for outgoing connections.
  returned: success
  type: dict
  contains:
    range:
      description: First and last port of C(net.ipv4.ip_local_port_range).
      type: list
      elements: int
      returned: success
      sample: [32768, 60999]
    available:
      description: Ports of the range that C(net.ipv4.ip_local_reserved_ports) does not reserve.
      type: int
      returned: success
      sample: 28232
    destinations:
      description:
        - The ten destinations with the most used ports of the range. C(source) is the local address. C(address) and C(port) are the
          destination. C(used) counts ports, C(time_wait) those with a socket in TIME-WAIT.
      type: list
      elements: dict
      returned: success
      sample:
        - {source: 127.0.0.1, address: 127.0.0.1, port: 8081, used: 417, time_wait: 411}
sockstat:
  description:
    - The numbers of C(/proc/net/sockstat) and C(sockstat6) by protocol, in sockets. C(mem) is in pages, C(memory) in bytes.
    - For C(tcp), C(orphan), C(alloc) and C(mem) are values of the whole machine (C(net/ipv4/proc.c), C(sockstat_seq_show)).
  returned: success
  type: dict
  sample:
    sockets: {used: 32}
    tcp: {inuse: 32, orphan: 0, tw: 411, alloc: 33, mem: 69}
    tcp6: {inuse: 0}
    udp: {inuse: 0, mem: 0}
counters:
  description:
    - Counters since the start of the namespace. Null if this kernel does not have one.
    - C(docs/diagnose.md) lists the unit, meaning and kernel source of each. They come from C(/proc/net/netstat), C(snmp) and C(snmp6)
      (C(net/ipv4/proc.c)) and have 64 bits on 64-bit machines.
  returned: success
  type: dict
  sample:
    ListenOverflows: 30
    ListenDrops: 30
    TCPReqQFullDrop: 0
    TCPReqQFullDoCookies: 0
    SyncookiesSent: 0
    SyncookiesRecv: 0
    SyncookiesFailed: 0
    TCPTimeWaitOverflow: 0
    TCPAbortOnMemory: 0
    TCPMemoryPressures: 0
    PruneCalled: 0
    RcvPruned: 0
    TCPRcvQDrop: 0
    TCPBacklogDrop: 0
    UdpRcvbufErrors: 0
    Udp6RcvbufErrors: 0
softnet:
  description:
    - One entry for each online processor core (C(cpu)) of the whole machine, from C(/proc/net/softnet_stat)
      (C(net/core/net-procfs.c)). The counters have 32 bits.
    - C(processed) counts received packets. C(dropped) counts packets that found the core's queue full (C(net.core.netdev_max_backlog)).
      C(limited) counts those that the flow limit dropped. C(squeezed) counts rounds that ended with work left
      (C(net.core.netdev_budget)).
  returned: success
  type: list
  elements: dict
  sample:
    - {cpu: 0, processed: 1007344, dropped: 136489, squeezed: 1, limited: 0}
    - {cpu: 1, processed: 533556, dropped: 15710, squeezed: 1, limited: 0}
conntrack:
  description:
    - Tracked connections. C(entries) counts those of this namespace, C(maximum) is C(net.netfilter.nf_conntrack_max).
    - C(dropped) packets and C(early_dropped) entries come from C(/proc/net/stat/nf_conntrack). They are null without that file.
    - Null if connection tracking is not loaded.
  returned: success
  type: dict
  sample: {entries: 0, maximum: 262144, dropped: 0, early_dropped: 0}
files:
  description: Open files of the whole machine and C(fs.file-max), from C(/proc/sys/fs/file-nr) (C(fs/file_table.c)).
  returned: success
  type: dict
  sample: {open: 1688, maximum: 9223372036854775807}
at:
  description: Time of the sample, in seconds since the boot of the host. Use it to compare two samples.
  returned: success
  type: float
  sample: 81920.53
settings:
  description: Live values of the limiting settings. Null if this namespace does not have or show one.
  returned: success
  type: dict
  sample:
    net.core.somaxconn: '4096'
    net.core.netdev_max_backlog: null
    net.ipv4.tcp_max_tw_buckets: '131072'
unseen:
  description: What could not be read here, and why.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible_collections.tunefleet.linux.plugins.module_utils import _ansiballz

_ansiballz.cache_zip_filenames()

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts
from ansible_collections.tunefleet.linux.plugins.module_utils._network import diagnose


def main() -> None:
    module = AnsibleModule({}, supports_check_mode=True)
    try:
        result = diagnose.info(hosts.Host())
    except _errors.TuneError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
