#!/usr/bin/python
# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: profile
short_description: Apply the kernel parameters and limits of a profile in one transaction
version_added: 0.1.0
description:
  - Sets all kernel parameters and limits of a tuning profile in one call. The call applies everything or nothing.
  - The module checks every value before the first write. If the kernel rejects one, it restores live values and files.
  - A ledger on the host keeps the original state (C(/var/lib/tunefleet/ledger.json), for root only). O(state=reverted) restores it.
  - Check mode is the audit. It reports what differs from the profile, live, in files and after boot, and writes nothing.
  - The role P(tunefleet.linux.tune#role) calls this module with the values that P(tunefleet.linux.profile#lookup) composes.
author:
  - The tunefleet.linux authors (@tunefleet)
extends_documentation_fragment:
  - tunefleet.linux.tuning
  - tunefleet.linux.tuning.changes
  - tunefleet.linux.tuning.policy
  - tunefleet.linux.tuning.limit_list
options:
  name:
    description:
      - Name of the profile, or several names, as a list or separated by commas. The ledger records changes under them.
      - With O(state=reverted), the profiles to revert. Without a name, all profiles are reverted.
    type: list
    elements: str
  state:
    description:
      - V(applied) sets the values of O(sysctl) and O(limits).
      - V(reverted) restores the state that the host would have without the profile. O(sysctl), O(limits) and all policies are
        ignored, because the ledger has the values. Settings that another applied profile still needs stay.
      - When the last profile is reverted, every file has its original bytes and every live value its original value, also after
        a restart of the host.
      - What was changed externally since is kept and named in a warning. In such a file, only our own lines are removed.
      - If the kernel rejects an original value, the rest is restored and the task fails. The ledger keeps the value for another try.
      - The next run completes or undoes an interrupted run first. It undoes V(applied) and completes V(reverted).
      - V(confirmed) ends a O(trial) and keeps its changes. V(withdrawn) reverts exactly these changes. Profiles that were applied
        before the trial are then applied as before.
    type: str
    choices: [applied, reverted, confirmed, withdrawn]
    default: applied
  trial:
    description:
      - With O(state=applied), the changes take effect at once and are on trial until O(state=confirmed) or O(state=withdrawn).
      - The next run on the host first reverts a trial that was not confirmed.
      - A run without changes needs no confirmation and returns no RV(trial_id).
    type: bool
    default: false
  trial_id:
    description:
      - The trial to confirm or to revert, from RV(trial_id). Without it, V(withdrawn) reverts any trial.
      - V(confirmed) fails if another run has already ended that trial.
    type: str
  sysctl:
    description: The keys to set, as in the option O(tunefleet.linux.sysctl#module:settings).
    type: dict
  accept_hazards:
    description:
      - Apply settings and limits with a C(hazard), too. Without it, they refuse the request before anything is written. In check
        mode, each is a warning.
      - Cross-key rules then only warn. They refuse values that have no effect, or do harm, together. See RV(rules).
    type: bool
    default: false
  on_unavailable:
    description:
      - What to do with a key that cannot be set on this host. See RV(settings[].status). Nothing is written for it.
      - V(fail) refuses the request before anything is written.
      - V(warn) continues with a warning. An V(unknown) key still fails, because it is probably a typo.
      - V(skip) continues and only reports the key in the result.
    type: str
    choices: [fail, warn, skip]
    default: warn
  guard:
    description:
      - What to do with a limit that the kernel would reject. See the option O(tunefleet.linux.limits#module:guard).
    type: str
    choices: [refuse, warn, 'off']
    default: refuse
  connections:
    description:
      - The number of simultaneous TCP connections that the host must serve. RV(cost) shows their kernel memory with the new values,
        compared with the memory of the host or the lower limit of its container.
      - Buffers count with the larger of two sums. The first is the initial size (second number of C(net.ipv4.tcp_rmem) and
        C(net.ipv4.tcp_wmem)). The second is the maximum size (third number), limited by C(net.ipv4.tcp_mem).
      - Sockets and descriptors add 4 KiB for each connection. Sockets in TIME-WAIT add 256 bytes each, up to
        C(net.ipv4.tcp_max_tw_buckets).
    type: int
  memory_warn:
    description: Warn if O(connections) take more than this percentage of the memory.
    type: int
    default: 50
  memory_refuse:
    description:
      - Refuse the request if O(connections) take more than this percentage of the memory. Nothing is written.
      - With O(accept_hazards=true) it is only a warning.
    type: int
    default: 100
seealso:
  - module: tunefleet.linux.sysctl
  - module: tunefleet.linux.limits
  - plugin: tunefleet.linux.profile
    plugin_type: lookup
"""

EXAMPLES = r"""
---
- name: Apply a profile of the collection
  tunefleet.linux.profile:
    name: web_server
    sysctl: "{{ lookup('tunefleet.linux.profile', 'web_server').sysctl }}"
    limits: "{{ lookup('tunefleet.linux.profile', 'web_server').limits }}"

- name: Apply kernel parameters and a limit together
  tunefleet.linux.profile:
    name: api
    sysctl:
      fs.nr_open: {at_least: 1048576}
      net.ipv4.tcp_keepalive_time: 600
    limits:
      - domain: api
        item: nofile
        soft: 262144
        hard: 262144

- name: Revert the profile web_server
  tunefleet.linux.profile:
    name: web_server
    state: reverted

- name: Try a value
  tunefleet.linux.profile:
    name: api
    trial: true
    sysctl:
      net.ipv4.tcp_keepalive_time: 600
  register: tried

- name: Keep it
  tunefleet.linux.profile:
    state: confirmed
    trial_id: "{{ tried.trial_id }}"
  when: tried.trial_id is defined
"""

RETURN = r"""
state:
  description: The value of O(state).
  returned: always
  type: str
  sample: applied
name:
  description: The value of O(name), with commas between several names.
  returned: always
  type: str
  sample: web_server
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
  description: One entry for each limit, in the order of the request.
  returned: always, unless an entry was malformed
  type: list
  elements: dict
  contains:
    target:
      description: The domain, unit, manager or process.
      type: dict
      returned: success
      sample: {domain: '*'}
    item:
      description: The item of limits.conf(5).
      type: str
      returned: success
      sample: nofile
    status:
      description:
        - V(ok), V(changed), V(kept) and V(refused) as for a setting.
        - V(not_namespaced), the host of this container owns the hard limit, and nothing in the container can exceed it.
        - V(unknown), there is no such unit or process.
        - V(no_effect), the unit is masked, the host has no systemd, or its pam_limits does not know the item.
      type: str
      returned: success
      sample: changed
    wanted:
      description: The requested C(soft) and C(hard) limit.
      type: dict
      returned: success
      sample: {soft: '>= 65535', hard: '>= 65535'}
    reason:
      description: Why the limit has this status.
      type: str
      returned: success
      sample: sessions satisfy it without a rule of ours
    before:
      description:
        - C(soft) and C(hard) before the run. For a domain, the rule in our file. For a manager, its default. For a unit or process,
          the limit of the running process, and the lowest of several. Null if unknown, or if nothing runs.
      type: dict
      returned: success
      sample: {soft: null, hard: null}
    after:
      description: The same after the run, or as predicted in check mode. A unit's process has it only after a restart.
      type: dict
      returned: success
      sample: {soft: 65535, hard: null}
    effective:
      description:
        - For a domain, the limit of a new session over all files, for users without a more specific rule.
        - For a unit, the limit after its next start. For a manager, the limit of units without their own.
        - For a process, its present limit.
      type: dict
      returned: success
      sample: {soft: 65535, hard: 524288}
    shadowed_by:
      description: The C(path:line) of a rule or drop-in that takes precedence over ours.
      type: str
      returned: success
      sample: /etc/security/limits.d/99-z.conf:3
    notes:
      description:
        - What else applies to a rule of limits.d, one sentence each. Examples are users with a more specific rule, services whose
          PAM stack does not use pam_limits, and the meaning of a numeric domain.
      type: list
      elements: str
      returned: success
      sample: ['* does not apply to root on this distribution; use the domain root.']
    why:
      description: The reason that came with the limit.
      type: str
      returned: success
      sample: Every connection is an open file.
    source:
      description: The sources that came with the limit.
      type: list
      elements: str
      returned: success
      sample: ['memo_ko:13']
    instead_of:
      description:
        - Values of other profiles that this one overrides, each with C(profile), C(wanted), C(why) and C(source).
      type: list
      elements: dict
      returned: when profiles contradict each other, or the play overrides them
      sample:
        - {profile: nat_gateway, wanted: '1800', why: Idle peers are found., source: ['guide_zh:58']}
summary:
  description: The number of entries by status.
  returned: always, unless an entry was malformed
  type: dict
  sample: {ok: 20, changed: 3, kept: 4}
needs:
  description:
    - What must happen before every value is in effect.
    - V(new_session), users must log in again.
    - V(restart:UNIT), the running unit has other limits than after a restart.
    - V(reboot), more than one service needs a restart, or systemd does not run now.
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
cost:
  description: The kernel memory of O(connections) in C(bytes), and its C(percent) of the C(memory).
  returned: with O(connections)
  type: dict
  sample:
    connections: 10000
    bytes: 1561600000
    memory: 2147483648
    percent: 72
    refused: false
    text: "10000 connections may take 1.5 GiB of kernel memory, 72 percent of 2 GiB: buffers to begin with, 10000 x (131072 + 16384)
      bytes = 1.4 GiB; fully grown, 10000 x (16777216 + 16777216) bytes = 312 GiB, held to 190 MiB by the 48640 pages of
      net.ipv4.tcp_mem; sockets and descriptors, 10000 x 4096 bytes = 39.1 MiB; in TIME-WAIT, 180000 (net.ipv4.tcp_max_tw_buckets)
      x 256 bytes = 43.9 MiB."
trial_id:
  description: The id of the trial, for O(state=confirmed) and O(state=withdrawn).
  returned: when a trial changed something
  type: str
  sample: 0a3d0c5e-6a2f-4a5e-8f0e-3b7f8f1f7c11
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
from ansible_collections.tunefleet.linux.plugins.module_utils._module import argspec, profile_options
from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run

ARGUMENT_SPEC = {
    "name": {"type": "list", "elements": "str"},
    "sysctl": {"type": "dict"},
    "limits": argspec.LIMIT_LIST,
    "accept_hazards": {"type": "bool", "default": False},
    "on_unavailable": {"type": "str", "choices": ["fail", "warn", "skip"], "default": "warn"},
    "on_shadowed": {"type": "str", "choices": ["warn", "fail"], "default": "warn"},
    "guard": {"type": "str", "choices": ["refuse", "warn", "off"], "default": "refuse"},
    "connections": {"type": "int"},
    "memory_warn": {"type": "int", "default": 50},
    "memory_refuse": {"type": "int", "default": 100},
    "state": {"type": "str", "choices": ["applied", "reverted", "confirmed", "withdrawn"], "default": "applied"},
    "trial": {"type": "bool", "default": False},
    "trial_id": {"type": "str"},
}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    # Hide secrets in invocation.module_args.
    module.no_log_values.update(redact.secrets_in_options(module.params["sysctl"]))
    options = dict(module.params, name=",".join(module.params["name"] or []))
    named = {"name": options["name"] or None, "state": options["state"]}
    try:
        result, warnings = module_run.run(
            hosts.Host(),
            profile_options.parse(options, module.check_mode),
            module.check_mode,
            module._diff,
        )
    except results.RequestFailed as error:
        module.fail_json(msg=str(error), **dict(named, **error.result))
    except _errors.TuneError as error:
        module.fail_json(msg=str(error), **named)
    for warning in warnings:
        module.warn(warning)
    module.exit_json(**dict(named, **result))


if __name__ == "__main__":
    main()
