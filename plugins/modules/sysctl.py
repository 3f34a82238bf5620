#!/usr/bin/python
# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: sysctl
short_description: Set kernel parameters, live and for the next boot
version_added: 0.1.0
description:
  - Sets sysctl keys in the running kernel and in a file of sysctl.d(5), one key or many in one call, and reads back what the
    kernel made of them.
  - All or nothing. Everything is checked before the first write; when the kernel refuses a value, live values and the file are
    put back as they were.
  - Values that are each legal and come to nothing together, such as C(tcp_tw_reuse) without C(tcp_timestamps), are refused, or warned
    of where O(name) sets a single key. See RV(rules).
  - A drop-in for M(ansible.posix.sysctl) on Linux; change the name of the module and a playbook goes on working. The default
    file differs, because systemd-sysctl reads C(/etc/sysctl.d) and not C(/etc/sysctl.conf), and Debian 13 dropped the link
    that made up for it.
author:
  - The tunefleet.linux authors (@tunefleet)
extends_documentation_fragment:
  - tunefleet.linux.tuning
  - tunefleet.linux.tuning.changes
  - tunefleet.linux.tuning.policy
options:
  settings:
    description:
      - The keys to set, each with a plain value or with a map.
      - A map has exactly one of C(value), C(at_least) and C(at_most), and may have C(why) and C(source), which come
        back in the result.
      - C(at_least) and C(at_most) are for capacities, which a newer kernel may have better than any document says. Several
        numbers compare one by one; the range C(net.ipv4.ip_local_port_range) is the larger, the lower it begins and the higher it
        ends; a list of ports is the larger that holds all ports of the other. A bound that the kernel's own default meets is not
        written to the file, for that would pin it against the default of a newer kernel.
      - "A number may depend on the host, as in C({per_gib: 65536, min: 131072, max: 2000000}) or C({per_cpu: 1024}); so may one
        of several. It is worked out there, and the arithmetic is part of RV(settings[].wanted). C({largest: [...]})
        and C({smallest: [...]}) choose among such numbers."
      - Memory is MemTotal, or the memory limit of the container where that is less, rounded up to 256 MiB below 4 GiB and to
        1 GiB from there on, so that a value does not change with each kernel. Processors are those that are online.
      - A key is written C(net.ipv4.tcp_rmem) or C(net/ipv4/tcp_rmem). An interface with dots in its name is written
        C(net.ipv4.conf.eth0/100.rp_filter), C(net/ipv4/conf/eth0.100/rp_filter) or C(net.ipv4.conf.eth0.100.rp_filter).
      - A pattern such as C(net.ipv4.conf.*.rp_filter) stands for every key of the host that it matches; C(*) stays within one
        segment. Each key is set, kept and reported by itself, and one that is also named goes by its own entry.
      - A key that triggers an action, such as C(net.ipv4.route.flush), leaves no state to keep and needs O(persist=false).
      - Numbers are decimal or hexadecimal; several are a list or separated by blanks. One with a leading zero is refused where
        the kernel would read another number, octal, than a person does. On keys that take numbers, V(yes), V(on)
        and V(true) mean 1, V(no), V(off) and V(false) mean 0.
    type: dict
  name:
    description: A single key to set. Short for O(settings) with one entry.
    type: str
    aliases: [key]
  value:
    description: The value of O(name). Required when O(state=present).
    type: raw
    aliases: [val]
  state:
    description:
      - V(present) sets the keys.
      - V(absent) removes their entries from O(sysctl_file) and leaves the running kernel alone.
    type: str
    choices: [present, absent]
    default: present
  sysctl_file:
    description:
      - The file that keeps the entries, as a path from the root. It is made when missing, and its directory too; lines of other
        keys stay as they are, byte for byte.
      - Only a regular file, or a link to one, is ever replaced. To change the running kernel alone, set O(persist=false).
    type: path
    default: /etc/sysctl.d/99-tunefleet.conf
  live:
    description:
      - Whether to set the running kernel.
      - The default is V(true), except that with O(name) it is V(false) when both O(reload) and O(sysctl_set) are V(false).
      - With V(false) it does not matter whether the key exists in the running kernel, as when an image is built.
    type: bool
  persist:
    description: Whether to keep entries in O(sysctl_file).
    type: bool
    default: true
  on_unavailable:
    description:
      - What to do about a key that cannot be set on this host, see RV(settings[].status). Nothing is ever written for it.
      - V(fail) refuses the whole request before anything is written.
      - V(warn) goes on with a warning, except that an V(unknown) key still fails, for it is most likely a typo.
      - V(skip) goes on and says so in the result only.
    type: str
    choices: [fail, warn, skip]
    default: fail
  reload:
    description:
      - For playbooks written for M(ansible.posix.sysctl); prefer O(live).
      - Sets the running kernel, but only the keys named here. The other lines of the file are not loaded.
    type: bool
    default: true
  sysctl_set:
    description: For playbooks written for M(ansible.posix.sysctl); prefer O(live). Sets the running kernel.
    type: bool
    default: false
  ignoreerrors:
    description:
      - For playbooks written for M(ansible.posix.sysctl); means O(on_unavailable=skip).
      - This covers keys that are there and cannot be written, too.
    type: bool
    default: false
seealso:
  - module: tunefleet.linux.sysctl_info
  - module: tunefleet.linux.profile
  - module: ansible.posix.sysctl
  - name: sysctl.d(5)
    description: Names, order and precedence of the files.
    link: https://www.freedesktop.org/software/systemd/man/latest/sysctl.d.html
"""

EXAMPLES = r"""
---
- name: Set one key, as with ansible.posix.sysctl
  tunefleet.linux.sysctl:
    name: net.ipv4.tcp_fin_timeout
    value: 30

- name: Set several keys in one round trip, never below what the host has
  tunefleet.linux.sysctl:
    settings:
      net.core.somaxconn: {at_least: 8192}
      net.ipv4.tcp_rmem: {at_least: [4096, 131072, 16777216]}
      net.ipv4.tcp_fin_timeout: 30

- name: Change the running kernel only
  tunefleet.linux.sysctl:
    name: net.ipv4.tcp_fin_timeout
    value: 30
    persist: false

- name: Remove an entry
  tunefleet.linux.sysctl:
    name: net.ipv4.tcp_fin_timeout
    state: absent
"""

RETURN = r"""
settings:
  description: One entry for each key, in the order asked for.
  returned: always, unless an entry was malformed
  type: list
  elements: dict
  contains:
    key:
      description: The key in its canonical spelling.
      type: str
      returned: success
      sample: net.core.somaxconn
    status:
      description:
        - V(ok), live value, entry and next boot are as wanted already.
        - V(changed), it was changed, or would be in check mode.
        - V(kept), the host already meets the bound; nothing was written.
        - V(removed), the kernel dropped this key. V(no_effect), the kernel accepts and ignores it.
        - V(unknown), there is no such key on this kernel. V(needs_module), it appears once a kernel module is loaded.
        - V(not_namespaced), it belongs to the host of this network namespace or container. V(read_only), it cannot be
          written here.
        - V(refused), the value is not legal, or the kernel refused it.
      type: str
      returned: success
      sample: changed
    wanted:
      description: What was asked for; for a number that depends on the host with the arithmetic behind it.
      type: str
      returned: success
      sample: '>= 8192'
    reason:
      description: Why it ended in this status, where that needs a word.
      type: str
      returned: success
      sample: the host has 16384, which meets it
    live:
      description: The value in the running kernel, C(before) and C(after).
      type: dict
      returned: success
      sample: {before: '4096', after: '8192'}
    file:
      description: The entry in our file, C(before) and C(after), and the C(path) of that file.
      type: dict
      returned: success
      sample: {path: /etc/sysctl.d/99-tunefleet.conf, before: null, after: '8192'}
    boot:
      description:
        - What the next boot gives, C(before) and after the change (C(value)). Null where nothing is written and the kernel's own
          default stays.
        - The files are read as the program does it that the host boots with, systemd-sysctl or the C(sysctl --system) of procps,
          and in its version; the file that C(ufw) applies comes last.
        - C(winner_before) and C(winner) are the C(path:line) that decides, or V(kernel default).
        - C(ours) tells whether C(winner) is our entry.
        - C(others) is there where it cannot be told which program the host boots with, as in many containers, and they differ. It
          lists C(reader), C(value) and C(winner) of each other program.
      type: dict
      returned: success
      sample:
        before: null
        winner_before: kernel default
        value: '8192'
        winner: /etc/sysctl.d/99-tunefleet.conf:2
        ours: true
    shadowed:
      description: Whether what is wanted will not be in force after the next boot.
      type: bool
      returned: success
      sample: false
    why:
      description: The reason that was given with the setting.
      type: str
      returned: success
      sample: A listener's accept queue is cut to this.
    source:
      description: The sources that were given with the setting.
      type: list
      elements: str
      returned: success
      sample: ['memo_ko:45']
    instead_of:
      description:
        - Requests of profiles that this one was preferred to, each with C(profile), C(wanted), C(why) and C(source).
      type: list
      elements: dict
      returned: when profiles contradict each other, or the play overrides them
      sample:
        - {profile: nat_gateway, wanted: '1800', why: Idle peers are found., source: ['guide_zh:58']}
    arithmetic:
      description: How a number that depends on the host comes about.
      type: str
      returned: success
      sample: 65536 per GiB x 8 GiB
limits:
  description: Always empty here; M(tunefleet.linux.profile) returns limits in the same result.
  returned: always, unless an entry was malformed
  type: list
  elements: dict
  sample: []
summary:
  description: How many entries ended in which status.
  returned: always, unless an entry was malformed
  type: dict
  sample: {ok: 20, changed: 3, kept: 4}
needs:
  description: What has to happen before everything is in force, such as V(new_session).
  returned: always, unless an entry was malformed
  type: list
  elements: str
  sample: [new_session]
rules:
  description:
    - Rules across keys that do not hold for the values of the request together with what the host has. Each has the name of the
      C(rule), whether it C(refused) the request, and a C(text) that says what to change.
  returned: always, unless an entry was malformed
  type: list
  elements: dict
  sample:
    - rule: somaxconn_serves_syn_backlog
      refused: false
      text: net.core.somaxconn 4096 (as the host has it) cuts the queue that net.ipv4.tcp_max_syn_backlog 8192 (memo_ko:143) shall
        fill; set net.core.somaxconn to at least 8192 [rule somaxconn_serves_syn_backlog].
undone:
  description: What was put back after an entry was refused, one sentence each.
  returned: failure
  type: list
  elements: str
  sample: [net.core.somaxconn is 4096 again.]
not_undone:
  description: What could not be put back, one sentence each.
  returned: failure
  type: list
  elements: str
  sample: []
"""

from ansible_collections.tunefleet.linux.plugins.module_utils import _ansiballz

_ansiballz.cache_zip_filenames()

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._core import redact
from ansible_collections.tunefleet.linux.plugins.module_utils._core import result as results
from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts
from ansible_collections.tunefleet.linux.plugins.module_utils._module import compat
from ansible_collections.tunefleet.linux.plugins.module_utils._module import options as module_options
from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run

ARGUMENT_SPEC = {
    "settings": {"type": "dict"},
    "name": {"type": "str", "aliases": ["key"]},
    "value": {"type": "raw", "aliases": ["val"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "sysctl_file": {"type": "path", "default": "/etc/sysctl.d/99-tunefleet.conf"},
    "live": {"type": "bool"},
    "persist": {"type": "bool", "default": True},
    "on_unavailable": {"type": "str", "choices": ["fail", "warn", "skip"], "default": "fail"},
    "on_shadowed": {"type": "str", "choices": ["warn", "fail"], "default": "warn"},
    "reload": {"type": "bool", "default": True},
    "sysctl_set": {"type": "bool", "default": False},
    "ignoreerrors": {"type": "bool", "default": False},
}


def main() -> None:
    module = AnsibleModule(
        ARGUMENT_SPEC,
        required_one_of=[["name", "settings"]],
        mutually_exclusive=[["name", "settings"]],
        supports_check_mode=True,
    )
    # Of what Ansible reports of the arguments.
    module.no_log_values.update(
        redact.secrets_in_options(module.params["settings"] or {module.params["name"]: module.params["value"]})
    )
    try:
        result, warnings = module_run.run(
            hosts.Host(), module_options.parse_sysctl_options(module.params), module.check_mode, module._diff
        )
    except results.RequestFailed as error:
        module.fail_json(msg=compat.single_failure(module.params, error), **error.result)
    except _errors.TuneError as error:
        module.fail_json(msg=str(error))
    for warning in warnings:
        module.warn(warning)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
