#!/usr/bin/python
# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: gate
short_description: Decide whether a batch of hosts is as healthy after a change as before
version_added: 0.1.0
description:
  - Makes the decisions of the entry point C(gated) of the role P(tunefleet.linux.tune#role). It reads what the tasks of that entry
    point registered for each host, and is of no use without them.
  - Compares samples of M(tunefleet.linux.socket_info) before and after the change. A loss is a regression if there is at least one a
    second and more than twice as many as before. A nearly exhausted resource is one if it was not before.
  - Runs on the controller, once for the batch. It opens no connection.
  - C(docs/rollout.md) describes the roll-out.
author:
  - The tunefleet.linux authors (@tunefleet)
options:
  stage:
    description:
      - V(baseline) and V(settle) wait for O(seconds), or not at all if a host has already failed.
      - V(before) fails if a host of the batch must not be changed. It is unreachable, or the user's own check already fails.
      - V(after) returns whether every host of the batch is as healthy as before.
      - V(end) returns the outcome of each host, and fails if the batch failed.
    type: str
    required: true
    choices: [baseline, before, settle, after, end]
  seconds:
    description: Seconds to wait.
    type: float
    default: 0
attributes:
  action:
    description: Runs entirely as an action on the controller.
    support: full
  bypass_host_loop:
    description: Runs once for the batch. The strategy C(free) is not supported.
    support: full
  check_mode:
    description: Nothing is ever changed.
    support: full
seealso:
  - module: tunefleet.linux.profile
  - module: tunefleet.linux.socket_info
"""

EXAMPLES = r"""
---
- name: Roll out in batches, with the tasks that use this module
  ansible.builtin.import_role:
    name: tunefleet.linux.tune
    tasks_from: gated
"""

RETURN = r"""
good:
  description: Whether every host of the batch is healthy.
  returned: success
  type: bool
  sample: true
problems:
  description: What is wrong, by host.
  returned: O(stage=after)
  type: dict
  sample: {web1: 'the check passed before the change, and fails now: the command ended with 1'}
batch:
  description: For each C(host) of the batch how it C(ended), and what the C(problem) was, if any.
  returned: O(stage=end), and O(stage=before) when it fails
  type: list
  elements: dict
  sample:
    - {host: web1, ended: applied, problem: null}
"""
