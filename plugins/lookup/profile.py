# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lookup tunefleet.linux.profile."""

# Ansible's base classes are not typed throughout.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

DOCUMENTATION = r"""
name: profile
author:
  - The tunefleet.linux authors (@tunefleet)
short_description: Compose tuning profiles into what the profile module takes
version_added: 0.1.0
description:
  - Loads tuning profiles by name, follows what they extend, and composes them into one dictionary for the module
    M(tunefleet.linux.profile). Nothing is run on, or read from, any host.
  - The profiles of this collection are named like its roles. Your own are files C(profiles/NAME.yml) beside the playbook.
  - "When several profiles speak about one setting, all are met if that is possible: of two lower bounds the larger counts, of
    two upper bounds the smaller, and an exact value counts when it lies within the bounds. Otherwise the lookup fails and names
    both sides, until O(prefer) decides; the wish that lost stays visible as C(instead_of). The order of the names never matters."
options:
  _terms:
    description: Names of profiles, lists of names, or names separated by commas.
    type: list
    elements: raw
    required: true
  paths:
    description:
      - More directories that hold profiles as C(NAME.yml), besides C(profiles) next to the playbook. A relative one is
        relative to the playbook.
      - A name that two files claim is an error, and so is one that a profile of this collection has.
    type: list
    elements: str
    default: []
  sysctl:
    description: Settings that replace, key by key, what the profiles say.
    type: dict
    default: {}
  limits:
    description: Limits that replace, for their target and item, what the profiles say.
    type: list
    elements: dict
    default: []
  prefer:
    description: The profile that decides wherever two contradict each other.
    type: str
    default: ""
  check_mode:
    description:
      - Whether this run writes nothing. A profile marked C(apply=audit_only) is refused otherwise.
      - The default, Ansible's C(ansible_check_mode), knows of C(--check) alone, not of C(check_mode=true) on a play or task;
        where you use that, say it here.
    type: bool
    default: false
    vars:
      - name: ansible_check_mode
seealso:
  - plugin: tunefleet.linux.profile
    plugin_type: module
"""

EXAMPLES = r"""
---
- name: Show what a web server gets, and why
  ansible.builtin.debug:
    msg: "{{ lookup('tunefleet.linux.profile', 'web_server') }}"

- name: Two profiles together, with one setting of our own
  tunefleet.linux.profile:
    name: "{{ wanted.name }}"
    sysctl: "{{ wanted.sysctl }}"
    limits: "{{ wanted.limits }}"
  vars:
    own_settings:
      net.ipv4.tcp_keepalive_time: 600
    wanted: "{{ lookup('tunefleet.linux.profile', 'web_server', 'open_files', sysctl=own_settings) }}"
"""

RETURN = r"""
_raw:
  description: One dictionary.
  type: list
  elements: dict
  contains:
    name:
      description: The names asked for, sorted, joined by commas.
      type: str
      sample: open_files,web_server
    title:
      description: The titles of the profiles.
      type: str
      sample: Web server with many connections
    sysctl:
      description:
        - For each key what is wanted (C(value), C(at_least) or C(at_most)), C(why), C(source), and C(hazard) if any.
        - C(instead_of) lists the wishes that lost, because of O(prefer) or because an override replaced them.
      type: dict
      sample:
        net.ipv4.tcp_sack:
          value: 1
          why: Selective acknowledgement resends only what was lost.
          source: ["memo_ko:139"]
    limits:
      description:
        - As RV(_raw[].sysctl), for each target (C(domain), C(unit), C(manager) or C(process)) and C(item) with C(soft) and
          C(hard).
      type: list
      elements: dict
"""

import typing as t
from pathlib import Path

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import library as profile_library
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import model as profile_model


class LookupModule(LookupBase):
    """Profile names to one dictionary."""

    def run(self, terms: list[t.Any], variables: t.Any = None, **kwargs: t.Any) -> list[t.Any]:
        self.set_options(var_options=variables, direct=kwargs)
        playbook = Path((variables or {}).get("playbook_dir") or ".")
        folders = [playbook / folder for folder in ("profiles", *self.get_option("paths"))]
        try:
            return [
                profile_library.resolve(
                    profile_library.Library(folders),
                    terms,
                    prefer=self.get_option("prefer"),
                    sysctl=self.get_option("sysctl"),
                    limits=self.get_option("limits"),
                    allow_audit_only=self.get_option("check_mode"),
                )
            ]
        except profile_model.ProfileProblem as problem:
            # On its own: newer releases of ansible-core append what an error was raised from.
            raise AnsibleLookupError(str(problem)) from None
