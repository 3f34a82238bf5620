#!/usr/bin/python
# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: report
short_description: Write the report of an audit on the controller
version_added: 0.1.0
description:
  - Turns what hosts answered to P(tunefleet.linux.profile#module) in check mode into three files, C(fleet.html) for people,
    C(fleet.json) for programs and C(junit.xml) for whatever runs the audit as a job.
  - Tells about every host of the play, also those that failed or could not be reached.
  - Or merges several C(fleet.json), from as many controllers, into one report, see O(merge).
  - Runs on the controller only. Nothing is sent to any host, no connection is opened.
  - The playbook C(tunefleet.linux.audit) ends with it, and C(tunefleet.linux.report) is nothing but it.
author:
  - The tunefleet.linux authors (@tunefleet)
options:
  dest:
    description:
      - Directory to write to, made where it is missing. A relative one is relative to where C(ansible-playbook) was started.
      - New files can be read by their owner only; one that exists keeps its mode. Each is replaced whole or not at all.
    type: path
    default: tunefleet-report
  merge:
    description:
      - Files C(fleet.json) to make one report of, in place of what the hosts of the play answered.
      - All must be of the same schema version, and no host may be in two of them.
    type: list
    elements: path
  result:
    description: Name of the variable in which the answer of each host was registered.
    type: str
    default: tune_result
  time:
    description:
      - When the audit was, in ISO 8601, to be told in the report.
      - Without it the same answers always give the same bytes.
    type: str
  fail_on_drift:
    description:
      - Fail, after the files are written, when a host drifted or could not be audited.
      - Without it only hosts that could not be audited make the task fail, and not even they when O(merge) is given.
    type: bool
    default: false
  profile_paths:
    description: More directories with profiles, whose sources the report shall call by their titles.
    type: list
    elements: path
    default: []
attributes:
  action:
    description: The whole of it runs as an action on the controller.
    support: full
  check_mode:
    description: In check mode no file is written.
    support: full
notes:
  - Use it with C(run_once), in the play that audits, so that C(--limit) does not leave it out.
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

- name: Make one report of those of two controllers
  tunefleet.linux.report:
    merge: [east/fleet.json, west/fleet.json]
    dest: reports/all
"""

RETURN = r"""
files:
  description: The files that were written.
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
