#!/usr/bin/python
# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: sysctl
short_description: Set kernel parameters, live and for the next boot
version_added: 0.1.0
description:
  - Sets one or many sysctl keys in the running kernel and in a file of sysctl.d(5), in one call. Reads each value back.
  - The call applies everything or nothing. The module checks every value before the first write. If the kernel rejects one, it
    restores live values and the file.
  - Refuses values that are legal alone but have no effect together, such as C(tcp_tw_reuse) without C(tcp_timestamps). With a
    single O(name) it only warns. See RV(rules).
  - A drop-in replacement for M(ansible.posix.sysctl) on Linux. Change the module name, and a playbook keeps working. Only the
    default file differs. systemd-sysctl reads C(/etc/sysctl.d) but not C(/etc/sysctl.conf), and Debian 13 removed the link
    between them.
author:
  - The tunefleet.linux authors (@tunefleet)
extends_documentation_fragment:
  - tunefleet.linux.tuning
  - tunefleet.linux.tuning.changes
  - tunefleet.linux.tuning.policy
options:
  settings:
    description:
      - The keys to set, each with a plain value or a map.
      - A map has exactly one of C(value), C(at_least) and C(at_most). It may have C(why) and C(source), which the result repeats.
      - Use C(at_least) and C(at_most) for capacities, because a newer kernel may have a better default than a document. Several
        numbers are compared one by one. A range C(net.ipv4.ip_local_port_range) is larger if it begins lower or ends higher. A
        list of ports is larger if it contains all ports of the other list.
      - A bound that the kernel's own default satisfies is not written to the file. An entry would pin it, also on a newer kernel.
      - "A number may be a formula, such as C({per_gib: 65536, min: 131072, max: 2000000}) or C({per_cpu: 1024}). The host computes
        it, and RV(settings[].wanted) shows how. C({largest: [...]}) and C({smallest: [...]}) choose among such numbers."
      - Memory is MemTotal, or the lower memory limit of the container. It is rounded up to 256 MiB below 4 GiB and to 1 GiB above,
        so that a value does not change with each kernel. Processors are those that are online.
      - Write a key as C(net.ipv4.tcp_rmem) or C(net/ipv4/tcp_rmem). Write an interface with dots in its name as
        C(net.ipv4.conf.eth0/100.rp_filter), C(net/ipv4/conf/eth0.100/rp_filter) or C(net.ipv4.conf.eth0.100.rp_filter).
      - A pattern such as C(net.ipv4.conf.*.rp_filter) sets every key of the host that it matches. C(*) matches within one segment.
        An entry with the name of a key takes precedence over a pattern.
      - A key that triggers an action, such as C(net.ipv4.route.flush), has no value to keep and needs O(persist=false).
      - Numbers are decimal or hexadecimal. Write several as a list or separated by spaces. A leading zero is refused where the kernel
        would read an octal number. For keys that take numbers, V(yes), V(on) and V(true) mean 1, and V(no), V(off) and V(false)
        mean 0.
    type: dict
  name:
    description: A single key to set. Short for O(settings) with one entry.
    type: str
    aliases: [key]
  value:
    description: The value of O(name). Required if O(state=present).
    type: raw
    aliases: [val]
  state:
    description:
      - V(present) sets the keys.
      - V(absent) removes their entries from O(sysctl_file). The running kernel keeps its values.
    type: str
    choices: [present, absent]
    default: present
  sysctl_file:
    description:
      - Absolute path of the file that keeps the entries. The module creates it, and its directory, if missing. Lines of other keys
        keep every byte.
      - Only a regular file, or a link to one, is ever replaced. Set O(persist=false) to change only the running kernel.
    type: path
    default: /etc/sysctl.d/99-tunefleet.conf
  live:
    description:
      - Whether to set the running kernel.
      - The default is V(true). With O(name) it is V(false) if both O(reload) and O(sysctl_set) are V(false).
      - With V(false) the key need not exist in the running kernel. Use it to build an image.
    type: bool
  persist:
    description: Whether to keep entries in O(sysctl_file).
    type: bool
    default: true
  on_unavailable:
    description:
      - What to do with a key that cannot be set on this host. See RV(settings[].status). Nothing is written for it.
      - V(fail) refuses the request before anything is written.
      - V(warn) continues with a warning. An V(unknown) key still fails, because it is probably a typo.
      - V(skip) continues and only reports the key in the result.
    type: str
    choices: [fail, warn, skip]
    default: fail
  reload:
    description:
      - For playbooks of M(ansible.posix.sysctl). Prefer O(live).
      - Sets the running kernel, but only the requested keys. It does not load the other lines of the file.
    type: bool
    default: true
  sysctl_set:
    description: For playbooks of M(ansible.posix.sysctl). Prefer O(live). Sets the running kernel.
    type: bool
    default: false
  ignoreerrors:
    description:
      - For playbooks of M(ansible.posix.sysctl). Means O(on_unavailable=skip).
      - It includes keys that exist and cannot be written.
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

- name: Set several keys in one round trip, and never lower a capacity
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
  description: One entry for each key, in the order of the request.
  returned: always, unless an entry was malformed
  type: list
  elements: dict
  contains:
    key:
      description: The key in its canonical form.
      type: str
      returned: success
      sample: net.core.somaxconn
    status:
      description:
        - V(ok), the live value, the entry and the effective value after boot are as requested.
        - V(changed), the key was changed, or would be in check mode.
        - V(kept), the host already satisfies the bound. Nothing was written.
        - V(removed), the kernel removed this key. V(no_effect), the kernel accepts and ignores it.
        - V(unknown), this kernel has no such key. V(needs_module), the key appears when a kernel module is loaded.
        - V(not_namespaced), the key belongs to the host of this network namespace or container.
        - V(read_only), the key cannot be written here.
        - V(refused), the value is not legal, or the kernel rejected it.
      type: str
      returned: success
      sample: changed
    wanted:
      description: The requested value. For a formula, the number and how it was computed.
      type: str
      returned: success
      sample: '>= 8192'
    reason:
      description: Why the key has this status.
      type: str
      returned: success
      sample: the live value 16384 satisfies it
    live:
      description: The value in the running kernel, C(before) and C(after).
      type: dict
      returned: success
      sample: {before: '4096', after: '8192'}
    file:
      description: Our entry, C(before) and C(after), and the C(path) of its file.
      type: dict
      returned: success
      sample: {path: /etc/sysctl.d/99-tunefleet.conf, before: null, after: '8192'}
    boot:
      description:
        - The effective value after boot, C(before) and after the change (C(value)). Null means that no file sets the key and the
          kernel's own default stays.
        - The files are read as the host's own program reads them, systemd-sysctl or C(sysctl --system) of procps, in its version.
          The file that C(ufw) applies comes last.
        - C(winner_before) and C(winner) are the C(path:line) that takes precedence, or V(kernel default).
        - C(ours) is true if C(winner) is our entry.
        - C(others) is present if the program that boots the host is unknown, as in many containers, and the results differ. It
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
      description: Whether another file overrides the requested value at boot.
      type: bool
      returned: success
      sample: false
    why:
      description: The reason that came with the setting.
      type: str
      returned: success
      sample: A listener's accept queue is cut to this.
    source:
      description: The sources that came with the setting.
      type: list
      elements: str
      returned: success
      sample: ['memo_ko:45']
    instead_of:
      description:
        - Values of other profiles that this one overrides, each with C(profile), C(wanted), C(why) and C(source).
      type: list
      elements: dict
      returned: when profiles contradict each other, or the play overrides them
      sample:
        - {profile: nat_gateway, wanted: '1800', why: Idle peers are found., source: ['guide_zh:58']}
    arithmetic:
      description: How the number of a formula was computed.
      type: str
      returned: success
      sample: 65536 per GiB x 8 GiB
limits:
  description: Always empty here. M(tunefleet.linux.profile) returns limits in the same result.
  returned: always, unless an entry was malformed
  type: list
  elements: dict
  sample: []
summary:
  description: The number of entries by status.
  returned: always, unless an entry was malformed
  type: dict
  sample: {ok: 20, changed: 3, kept: 4}
needs:
  description: What must happen before every value is in effect, such as V(new_session).
  returned: always, unless an entry was malformed
  type: list
  elements: str
  sample: [new_session]
rules:
  description:
    - Cross-key rules that the requested values violate together with the values of the host. Each has the name of the C(rule),
      whether it C(refused) the request, and a C(text) that says what to change.
  returned: always, unless an entry was malformed
  type: list
  elements: dict
  sample:
    - rule: somaxconn_serves_syn_backlog
      refused: false
      text: net.core.somaxconn 4096 (as the host has it) is the lower limit of the queue that net.ipv4.tcp_max_syn_backlog 8192
        (memo_ko:143) sizes; set net.core.somaxconn to at least 8192 [rule somaxconn_serves_syn_backlog].
undone:
  description: What was restored after a failure, one sentence each.
  returned: failure
  type: list
  elements: str
  sample: [net.core.somaxconn is 4096 again.]
not_undone:
  description: What could not be restored, one sentence each.
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
from ansible_collections.tunefleet.linux.plugins.module_utils._module import compat, sysctl_options
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
    # Hide secrets in invocation.module_args.
    module.no_log_values.update(
        redact.secrets_in_options(module.params["settings"] or {module.params["name"]: module.params["value"]})
    )
    try:
        result, warnings = module_run.run(
            hosts.Host(), sysctl_options.parse(module.params), module.check_mode, module._diff
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
