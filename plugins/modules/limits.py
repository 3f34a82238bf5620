#!/usr/bin/python
# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: limits
short_description: Set limits of sessions, services and processes without locking anyone out
version_added: 0.1.0
description:
  - Sets one or many rules of limits.conf(5) for users, groups or everyone, in one call. Reports what a new session gets over all files.
  - Never writes a limit that the kernel would reject. Unless the distribution patched it, pam_limits then refuses every login,
    root's included. Refuses a value that pam_limits would misread, such as V(64k), V(1e5) or V(0x1000).
  - Sessions read the rules when they begin. systemd services never read them. For a service, name its unit, systemd's default for
    all units, or a running process instead of a domain.
  - A drop-in replacement for M(community.general.pam_limits). Change the module name, and a playbook keeps working. Only the
    default file differs, so the file of the distribution stays as it is.
author:
  - The tunefleet.linux authors (@tunefleet)
extends_documentation_fragment:
  - tunefleet.linux.tuning
  - tunefleet.linux.tuning.changes
  - tunefleet.linux.tuning.limit_list
options:
  domain:
    description: Domain of a single limit. Short for O(limits) with one entry.
    type: str
  limit_type:
    description: Type of a single limit. V(-) sets soft and hard.
    type: str
    choices: [hard, soft, '-']
  limit_item:
    description: Item of a single limit.
    type: str
    choices: [as, core, cpu, data, fsize, locks, maxlogins, maxsyslogins, memlock, msgqueue, nice, nofile,
      nonewprivs, nproc, priority, rss, rtprio, rttime, sigpending, stack]
  value:
    description: Value of a single limit. Required if O(state=present).
    type: str
  use_max:
    description: Keep the value of the file if it is larger.
    type: bool
    default: false
  use_min:
    description: Keep the value of the file if it is smaller.
    type: bool
    default: false
  comment:
    description: Comment at the end of a single limit's line.
    type: str
    default: ''
  state:
    description:
      - V(present) sets the limits.
      - V(absent) removes them from O(dest), or from our drop-in of the unit or manager. An entry of O(limits) with neither C(soft)
        nor C(hard) removes both.
    type: str
    choices: [present, absent]
    default: present
  dest:
    description:
      - The file that keeps the rules. The module creates it if missing. Other lines keep every byte.
      - Only a regular file, or a link to one, is ever replaced.
    type: path
    default: /etc/security/limits.d/99-tunefleet.conf
  backup:
    description: Keep a dated copy of each file that changes.
    type: bool
    default: false
  guard:
    description:
      - What to do with a limit that would lock users out. The kernel rejects some limits, such as nofile above C(fs.nr_open) or above
        the ceiling of this container. Others are too low for a login.
      - As root, and with libpam 1.4 or newer, the module also opens test sessions in a separate process. It tests the new files
        before it writes them, and again afterwards. It restores files with which PAM refuses a session. No installed stack changes.
      - C(docs/limits.md) of the collection lists the rules.
      - V(refuse) refuses the request before anything is written. V(warn) writes and warns. V(off) writes.
    type: str
    choices: [refuse, warn, 'off']
    default: refuse
seealso:
  - module: tunefleet.linux.limits_info
  - module: tunefleet.linux.profile
  - module: community.general.pam_limits
  - name: limits.conf(5)
    description: Format and order of the files.
    link: https://man7.org/linux/man-pages/man5/limits.conf.5.html
"""

EXAMPLES = r"""
---
- name: Raise nofile for every new session, and never lower it
  tunefleet.linux.limits:
    limits:
      - domain: "*"
        item: nofile
        soft: {at_least: 65535}
        hard: {at_least: 65535}

- name: Raise nofile for nginx, now and after every restart
  tunefleet.linux.limits:
    limits:
      - unit: nginx.service
        item: nofile
        soft: {at_least: 65535}
        hard: {at_least: 65535}
        restart: true

- name: Raise the default of all services, and the limit of a running process
  tunefleet.linux.limits:
    limits:
      - manager: system
        item: nofile
        hard: {at_least: 65535}
      - process: mysqld
        item: nofile
        soft: {at_least: 65535}

- name: Set one limit, as with community.general.pam_limits
  tunefleet.linux.limits:
    domain: www-data
    limit_type: soft
    limit_item: nofile
    value: 65535

- name: Remove a limit
  tunefleet.linux.limits:
    domain: www-data
    limit_type: soft
    limit_item: nofile
    state: absent
"""

RETURN = r"""
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
settings:
  description: Always empty here. M(tunefleet.linux.profile) returns settings in the same result.
  returned: always, unless an entry was malformed
  type: list
  elements: dict
  sample: []
msg:
  description: The line of a single limit, as M(community.general.pam_limits) returns it. Empty if it was removed.
  returned: O(domain) is given, and nothing failed
  type: str
  sample: "www-data\tsoft\tnofile\t65535\n"
backup_file:
  description: The dated copy of the file.
  returned: changed and O(backup=true)
  type: str
  sample: /etc/security/limits.d/99-tunefleet.conf.4242.2026-01-31@12:00:00~
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
from ansible_collections.tunefleet.linux.plugins.module_utils._core import result as results
from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import items
from ansible_collections.tunefleet.linux.plugins.module_utils._module import argspec, compat, limits_options
from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run

ARGUMENT_SPEC = {
    "limits": argspec.LIMIT_LIST,
    "domain": {"type": "str"},
    "limit_type": {"type": "str", "choices": ["hard", "soft", "-"]},
    "limit_item": {"type": "str", "choices": sorted(items.ITEMS)},
    "value": {"type": "str"},
    "use_max": {"type": "bool", "default": False},
    "use_min": {"type": "bool", "default": False},
    "comment": {"type": "str", "default": ""},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "dest": {"type": "path", "default": "/etc/security/limits.d/99-tunefleet.conf"},
    "backup": {"type": "bool", "default": False},
    "guard": {"type": "str", "choices": ["refuse", "warn", "off"], "default": "refuse"},
}


def main() -> None:
    module = AnsibleModule(
        ARGUMENT_SPEC,
        required_one_of=[["domain", "limits"]],
        mutually_exclusive=[["domain", "limits"]],
        required_by={"domain": ["limit_type", "limit_item"]},
        supports_check_mode=True,
    )
    try:
        result, warnings = module_run.run(
            hosts.Host(), limits_options.parse(module.params), module.check_mode, module._diff
        )
    except results.RequestFailed as error:
        module.fail_json(msg=str(error), **error.result)
    except _errors.TuneError as error:
        module.fail_json(msg=str(error))
    for warning in warnings:
        module.warn(warning)
    module.exit_json(**compat.single_limit(module.params, result))


if __name__ == "__main__":
    main()
