#!/usr/bin/python
# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: profile
short_description: Apply kernel parameters and limits of a profile in one transaction
version_added: 0.1.0
description:
  - Sets everything that a tuning profile asks for, kernel parameters and limits, in one call. All or nothing.
  - Everything is checked before the first write; when the kernel refuses a value, live values and files are put back as they
    were.
  - What was there before is kept in a ledger on the host (C(/var/lib/tunefleet/ledger.json), for root alone), and O(state=reverted)
    puts it back.
  - Check mode is the audit. It tells what differs from the profile, live, on file and at the next boot, and writes nothing.
  - The role P(tunefleet.linux.tune#role) calls it with what P(tunefleet.linux.profile#lookup) composed.
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
      - Name of what is applied, or names, as a list or with commas between them. The ledger keeps under them what was changed.
      - For O(state=reverted), the names of what to take back. Without one, everything is taken back.
    type: list
    elements: str
  state:
    description:
      - V(applied) sets what O(sysctl) and O(limits) ask for.
      - V(reverted) takes back what was ever changed under O(name). What O(sysctl) and O(limits) say then does not count, nor does
        any policy, for the ledger decides. The host gets as if the profile had never been there and the others that are in force
        had been applied alone, in their order. What two of them share stays as long as one of them wants it; after the last one,
        every file is what it was before the first, byte for byte, and so is every live value, also when the host was
        restarted meanwhile.
      - What somebody else changed since is left alone and named in a warning. Of a file, only our own lines are then taken back.
      - What the kernel refuses to take back fails the task, once everything else was put back. The ledger keeps it, so the same can be
        tried again.
      - A run that was killed is cleared up by the next one. An V(applied) is undone before anything else is done, a V(reverted) is
        brought to its end.
      - V(confirmed) ends a O(trial) so that what it changed stays, V(withdrawn) takes exactly that back. What earlier runs did under
        whatever name is then as it was, in the ledger as well, so a profile that was in force before is in force again.
    type: str
    choices: [applied, reverted, confirmed, withdrawn]
    default: applied
  trial:
    description:
      - With O(state=applied), what is changed is on trial, everything in force at once, until O(state=confirmed) or O(state=withdrawn).
      - A trial that nobody confirmed is taken back by the next run on that host, whatever it is for, before anything else is done.
      - A run that changes nothing needs no confirmation, and returns no RV(trial_id).
    type: bool
    default: false
  trial_id:
    description:
      - Which trial to confirm or to take back, as RV(trial_id) told it. Without it, V(withdrawn) takes back whatever is on trial.
      - V(confirmed) fails when another run has ended that trial meanwhile.
    type: str
  sysctl:
    description: The keys to set, as in the option O(tunefleet.linux.sysctl#module:settings).
    type: dict
  accept_hazards:
    description:
      - Apply settings and limits that have a C(hazard), too. Otherwise they refuse the whole request before anything is written;
        in check mode, which writes nothing, they are a warning each.
      - Rules across keys, which refuse values that come to nothing or do harm together, then only warn. See RV(rules).
    type: bool
    default: false
  on_unavailable:
    description:
      - What to do about a key that cannot be set on this host, see RV(settings[].status). Nothing is ever written for it.
      - V(fail) refuses the whole request before anything is written.
      - V(warn) goes on with a warning, except that an V(unknown) key still fails, for it is most likely a typo.
      - V(skip) goes on and says so in the result only.
    type: str
    choices: [fail, warn, skip]
    default: warn
  guard:
    description:
      - What to do about a limit that the kernel would refuse, see the option O(tunefleet.linux.limits#module:guard).
    type: str
    choices: [refuse, warn, 'off']
    default: refuse
  connections:
    description:
      - For how many TCP connections at once the host is meant. Their kernel memory with the values after the change is worked out,
        shown in RV(cost), and held against the memory of the host, or the limit of the container where that is less.
      - What counts is the larger of what all may fill to begin with (the second numbers of C(net.ipv4.tcp_rmem) and
        C(net.ipv4.tcp_wmem)), and what they come to when grown (the third numbers, held back by C(net.ipv4.tcp_mem)); sockets and
        descriptors, 4 KiB each; and as many sockets in TIME-WAIT as C(net.ipv4.tcp_max_tw_buckets) allows, 256 bytes each.
    type: int
  memory_warn:
    description: The percentage of the memory above which the cost of O(connections) is warned of.
    type: int
    default: 50
  memory_refuse:
    description:
      - The percentage of the memory above which the cost of O(connections) refuses the request before anything is written.
      - With O(accept_hazards=true) it is only warned of.
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

- name: Take back what the profile web_server changed
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
  description: What O(state) says.
  returned: always
  type: str
  sample: applied
name:
  description: What O(name) says, with commas between several names.
  returned: always
  type: str
  sample: web_server
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
  description: One entry for each limit, in the order asked for.
  returned: always, unless an entry was malformed
  type: list
  elements: dict
  contains:
    target:
      description: Whom the limit is for.
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
        - V(not_namespaced), the host of this container owns the hard limit, and nothing here can have more.
        - V(unknown), there is no such unit or process. V(no_effect), the unit is masked, the host has no systemd, or its pam_limits does
          not know the item.
      type: str
      returned: success
      sample: changed
    wanted:
      description: What was asked for, C(soft) and C(hard).
      type: dict
      returned: success
      sample: {soft: '>= 65535', hard: '>= 65535'}
    reason:
      description: Why it ended in this status, where that needs a word.
      type: str
      returned: success
      sample: sessions have it already without a rule of ours
    before:
      description:
        - C(soft) and C(hard) as our file said of a domain, as a manager gave them, or as the running process had them; the lowest
          where there are several processes. Null where nothing is known or runs.
      type: dict
      returned: success
      sample: {soft: null, hard: null}
    after:
      description: The same now, or as it would be in check mode. A process of a unit has it only once it is restarted.
      type: dict
      returned: success
      sample: {soft: 65535, hard: null}
    effective:
      description:
        - What a new session of the domain gets over all files, for users whom no stronger rule names; what the unit gets when it
          is started again, or a unit without a limit of its own; what the process has.
      type: dict
      returned: success
      sample: {soft: 65535, hard: 524288}
    shadowed_by:
      description: The C(path:line) of a rule or a drop-in that wins over ours.
      type: str
      returned: success
      sample: /etc/security/limits.d/99-z.conf:3
    notes:
      description:
        - What else to know about a rule of limits.d, one sentence each - whom it does not bind and by which line, services whose
          PAM stack does not ask pam_limits, what a domain that is a number means.
      type: list
      elements: str
      returned: success
      sample: ['* does not bind root on this distribution; the domain root does.']
    why:
      description: The reason that was given with the limit.
      type: str
      returned: success
      sample: Every connection is an open file.
    source:
      description: The sources that were given with the limit.
      type: list
      elements: str
      returned: success
      sample: ['memo_ko:13']
    instead_of:
      description:
        - Requests of profiles that this one was preferred to, each with C(profile), C(wanted), C(why) and C(source).
      type: list
      elements: dict
      returned: when profiles contradict each other, or the play overrides them
      sample:
        - {profile: nat_gateway, wanted: '1800', why: Idle peers are found., source: ['guide_zh:58']}
summary:
  description: How many entries ended in which status.
  returned: always, unless an entry was malformed
  type: dict
  sample: {ok: 20, changed: 3, kept: 4}
needs:
  description:
    - What has to happen before everything is in force. V(new_session), log in again. V(restart:UNIT), that unit runs with other
      limits than it would be started with. V(reboot), more services do, or systemd does not run here now.
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
cost:
  description: Kernel memory that O(connections) may take, in C(bytes), and its share of the C(memory) in C(percent).
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
  description: By which O(state=confirmed) and O(state=withdrawn) know what is on trial.
  returned: when something was changed on trial
  type: str
  sample: 0a3d0c5e-6a2f-4a5e-8f0e-3b7f8f1f7c11
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
from ansible_collections.tunefleet.linux.plugins.module_utils._module import argspec
from ansible_collections.tunefleet.linux.plugins.module_utils._module import options as module_options
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
    # Of what Ansible reports of the arguments.
    module.no_log_values.update(redact.secrets_in_options(module.params["sysctl"]))
    options = dict(module.params, name=",".join(module.params["name"] or []))
    told = {"name": options["name"] or None, "state": options["state"]}
    try:
        result, warnings = module_run.run(
            hosts.Host(),
            module_options.parse_profile_options(options, module.check_mode),
            module.check_mode,
            module._diff,
        )
    except results.RequestFailed as error:
        module.fail_json(msg=str(error), **dict(told, **error.result))
    except _errors.TuneError as error:
        module.fail_json(msg=str(error), **told)
    for warning in warnings:
        module.warn(warning)
    module.exit_json(**dict(told, **result))


if __name__ == "__main__":
    main()
