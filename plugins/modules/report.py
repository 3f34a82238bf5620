#!/usr/bin/python
# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: report
short_description: Write the report of an audit on the controller
version_added: 0.1.0
description:
  - Writes the results of P(tunefleet.linux.profile#module) in check mode to three files. C(fleet.html) is for people, C(fleet.json) for
    programs and C(junit.xml) for CI.
  - The report includes every host of the play, also those that failed or are unreachable.
  - Can also merge several C(fleet.json) of several controllers into one report. See O(merge).
  - Runs on the controller only. It opens no connection to any host.
  - The playbooks C(tunefleet.linux.audit) and C(tunefleet.linux.report) use it.
author:
  - The tunefleet.linux authors (@tunefleet)
options:
  dest:
    description:
      - Directory to write to. The module creates it if missing. A relative path is relative to the working directory of
        C(ansible-playbook).
      - Only the owner can read new files. An existing file keeps its mode. Each file is replaced whole or not at all.
    type: path
    default: tunefleet-report
  merge:
    description:
      - Files C(fleet.json) to merge into one report. The results of the play's hosts are not used.
      - All files must have the same schema version, and no host may be in two of them.
    type: list
    elements: path
  result:
    description: Name of the variable that registered the result of each host.
    type: str
    default: tune_result
  time:
    description:
      - Time of the audit in ISO 8601, for the report.
      - Without it, equal results always give equal bytes.
    type: str
  fail_on_drift:
    description:
      - Fail after the files are written if a host drifted or could not be audited.
      - Without it, only a host that could not be audited fails the task. With O(merge), none does.
    type: bool
    default: false
  profile_paths:
    description: More directories with profiles. The report shows the titles of their sources.
    type: list
    elements: path
    default: []
attributes:
  action:
    description: Runs entirely as an action on the controller.
    support: full
  check_mode:
    description: Check mode writes no file.
    support: full
notes:
  - Use it with C(run_once) in the play that audits. A play of its own could be excluded by C(--limit).
seealso:
  - module: tunefleet.linux.profile
"""

EXAMPLES = r"""
---
- name: Report on every host of this play
  tunefleet.linux.report:
    dest: reports/today
    fail_on_drift: true
  run_once: true
  check_mode: false

- name: Merge the reports of two controllers
  tunefleet.linux.report:
    merge: [east/fleet.json, west/fleet.json]
    dest: reports/all
"""

RETURN = r"""
files:
  description: The written files.
  returned: always
  type: list
  elements: str
  sample: [/srv/tunefleet-report/fleet.html, /srv/tunefleet-report/fleet.json, /srv/tunefleet-report/junit.xml]
report:
  description: The report in a few lines, for a terminal.
  returned: always
  type: list
  elements: str
  sample: ['Audit of 2 hosts: 1 as wanted, 1 drifted.', 'drift: net.ipv4.tcp_fin_timeout on web1']
ansible_stats:
  description:
    - How many hosts are in which state, how many settings drifted, and how many ended in which status, as C(tunefleet_audit).
    - Automation Controller and AWX keep it as an artifact of the job, for the workflow that the job is part of.
  returned: always
  type: dict
  sample:
    aggregate: false
    data: {tunefleet_audit: {drift: 1, hosts: {clean: 1, drifted: 1, failed: 0, unreachable: 0}, statuses: {changed: 1, ok: 41}}}
    per_host: false
"""
