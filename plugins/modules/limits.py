#!/usr/bin/python
# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: limits
short_description: Set limits of sessions, services and processes, and never lock anybody out
version_added: 0.1.0
description:
  - Sets rules of limits.conf(5) for users, groups or everybody, one or many in one call, and tells what a new session gets over
    all files.
  - A limit that the kernel would refuse is never written, because pam_limits then ends every login, root's included, on
    distributions that did not patch that away. A value that pam_limits would misread (V(64k), V(1e5), V(0x1000)) is refused.
  - The rules are read when a session begins. Services of systemd never read them, so an entry may name a unit, systemd's default
    for all units, or a running process in place of a domain.
  - A drop-in for M(community.general.pam_limits); change the name of the module and a playbook goes on working. The default
    file differs, so that the file of the distribution stays as it is.
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
    description: Type of a single limit; V(-) sets soft and hard.
    type: str
    choices: [hard, soft, '-']
  limit_item:
    description: Item of a single limit.
    type: str
    choices: [as, core, cpu, data, fsize, locks, maxlogins, maxsyslogins, memlock, msgqueue, nice, nofile,
      nonewprivs, nproc, priority, rss, rtprio, rttime, sigpending, stack]
  value:
    description: Value of a single limit. Required when O(state=present).
    type: str
  use_max:
    description: Keep the value of the file where it is larger.
    type: bool
    default: false
  use_min:
    description: Keep the value of the file where it is smaller.
    type: bool
    default: false
  comment:
    description: Comment behind a single limit.
    type: str
    default: ''
  state:
    description:
      - V(present) sets the limits.
      - V(absent) removes them from O(dest), or from our drop-in of the unit or manager. An entry of O(limits) with neither C(soft)
        nor C(hard) loses both.
    type: str
    choices: [present, absent]
    default: present
  dest:
    description:
      - The file that keeps the rules. It is made when missing; other lines stay as they are, byte for byte.
      - Only a regular file, or a link to one, is ever replaced.
    type: path
    default: /etc/security/limits.d/99-tunefleet.conf
  backup:
    description: Keep a dated copy of each file when it changes.
    type: bool
    default: false
  guard:
    description:
      - What to do about a limit that would lock people out - one that the kernel refuses, such as a nofile above C(fs.nr_open) or
        above what sessions in this container can have, and one that is too low for a login.
      - PAM itself is asked as well, where libpam is 1.4 or newer and the module runs as root. Sessions are opened in a process of
        its own, without touching an installed stack, with the files as they would be before they are written, and again
        afterwards. Files with which it then refuses somebody are put back.
      - The rules are in C(docs/limits.md) of the collection.
      - V(refuse) refuses the whole request before anything is written, V(warn) writes it and warns, V(off) writes it.
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
- name: Let every new session open many files, and never lower what it has
  tunefleet.linux.limits:
    limits:
      - domain: "*"
        item: nofile
        soft: {at_least: 65535}
        hard: {at_least: 65535}

- name: Let nginx open many files, now and after every restart
  tunefleet.linux.limits:
    limits:
      - unit: nginx.service
        item: nofile
        soft: {at_least: 65535}
        hard: {at_least: 65535}
        restart: true

- name: Raise what services get by default, and what one that runs has
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
settings:
  description: Always empty here; M(tunefleet.linux.profile) returns settings in the same result.
  returned: always, unless an entry was malformed
  type: list
  elements: dict
  sample: []
msg:
  description: The line of a single limit, as M(community.general.pam_limits) returns it; empty when it is gone.
  returned: O(domain) is given, and nothing failed
  type: str
  sample: "www-data\tsoft\tnofile\t65535\n"
backup_file:
  description: The dated copy of the file.
  returned: changed and O(backup=true)
  type: str
  sample: /etc/security/limits.d/99-tunefleet.conf.4242.2026-01-31@12:00:00~
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
from ansible_collections.tunefleet.linux.plugins.module_utils._core import result as results
from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import items
from ansible_collections.tunefleet.linux.plugins.module_utils._module import argspec, compat
from ansible_collections.tunefleet.linux.plugins.module_utils._module import options as module_options
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
            hosts.Host(), module_options.parse_limits_options(module.params), module.check_mode, module._diff
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
