# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The JSON schema for editors says what the check of a run says."""

from __future__ import annotations

import importlib
import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from support import ROOT

UTILS = "ansible_collections.tunefleet.linux.plugins.plugin_utils."
profile_file = importlib.import_module(UTILS + "_profiles.validation")
problem = importlib.import_module(UTILS + "_profiles.model").ProfileProblem
read_document = importlib.import_module(UTILS + "_profiles.yaml_lines").read_document

SCHEMA = json.loads((ROOT / "docs" / "profile.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
PROFILES = sorted(ROOT.glob("roles/*/files/profile.yml"))

WHY = "why: W., source: [kernel_ip]"
HEAD = "title: T\nsummary: S\n"
SOURCES = {"kernel_ip": None}


def setting(entry: str) -> str:
    return f"{HEAD}sysctl:\n  x.y: {{{entry}}}\n"


def limit(entry: str) -> str:
    return f"{HEAD}limits:\n  - {{{entry}}}\n"


def run_takes(text: str) -> bool:
    try:
        profile_file.check_profile("mine", read_document("mine.yml", text), SOURCES)
    except problem:
        return False
    return True


def schema_takes(text: str) -> bool:
    return bool(VALIDATOR.is_valid(yaml.safe_load(text)))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parents[1].name)
def test_every_profile_of_the_collection_fits(path: Any) -> None:
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert [error.message for error in VALIDATOR.iter_errors(data)] == []


@pytest.mark.parametrize(
    "text",
    [
        HEAD,
        HEAD + "extends: [web_server, my-own]\napply: audit_only\n",
        HEAD + "apply: true\nsources: {book: {title: T, address: A}}\n",
        setting(f"value: 1, {WHY}"),
        setting(f"value: '1', {WHY}, hazard: H"),
        setting(f"value: bbr, {WHY}"),
        setting(f"value: [1, '2', 3], {WHY}"),
        setting(f"value: '4096 131072 16777216', {WHY}"),
        setting(f"at_least: 1, {WHY}"),
        setting(f"at_most: [-1, 2], {WHY}"),
        setting(f"at_least: '1 2', {WHY}"),
        setting(f"at_least: {{per_gib: 65536, min: 1, max: 9}}, {WHY}"),
        setting(f"value: [1, {{per_cpu: 5}}], {WHY}"),
        setting(f"at_least: {{largest: [1, {{per_cpu: 5}}]}}, {WHY}"),
        setting("value: 1, why: W., source: ['kernel_ip:4', kernel_ip]"),
        f"{HEAD}sysctl:\n  net/ipv4/tcp_sack: {{value: 1, {WHY}}}\n",
        f"{HEAD}sysctl:\n  net.ipv4.conf.eth0/100.rp_filter: {{value: 1, {WHY}}}\n",
        f"{HEAD}sysctl:\n  net.ipv4.ip_local_reserved_ports: {{at_least: '8080,9000-9010', {WHY}}}\n",
        limit(f"domain: '*', item: nofile, soft: 5, {WHY}"),
        limit(f"domain: '@x', item: nofile, hard: {{at_least: unlimited}}, {WHY}"),
        limit(f"domain: x, item: nice, soft: -5, hard: {{value: '7'}}, {WHY}"),
        limit(f"domain: x, item: nofile, soft: {{at_least: {{per_gib: 8192}}}}, {WHY}"),
    ],
)
def test_what_a_run_takes_the_schema_takes(text: str) -> None:
    assert run_takes(text) and schema_takes(text)


@pytest.mark.parametrize(
    "text",
    [
        "[]\n",
        "title: T\n",
        "summary: S\n",
        "title: ''\nsummary: S\n",
        HEAD + "titel: T\n",
        HEAD + "apply: false\n",
        HEAD + "apply: audit\n",
        HEAD + "extends: web_server\n",
        HEAD + "extends: ['../x']\n",
        HEAD + "extends: [1]\n",
        HEAD + "sources: {Book: {title: T, address: A}}\n",
        HEAD + "sources: {book: {title: T}}\n",
        HEAD + "sources: {book: {title: T, address: A, page: P}}\n",
        HEAD + "sysctl: []\n",
        HEAD + "sysctl: {x.y: 1}\n",
        setting("value: 1, why: W."),
        setting("value: 1, source: [kernel_ip]"),
        setting("value: 1, why: '', source: [kernel_ip]"),
        setting("value: 1, why: W., source: []"),
        setting("value: 1, why: W., source: kernel_ip"),
        setting("value: 1, why: W., source: ['kernel_ip:0']"),
        setting("value: 1, why: W., source: ['Kernel']"),
        setting(WHY),
        setting(f"value: 1, at_least: 1, {WHY}"),
        setting(f"valeu: 1, {WHY}"),
        setting(f"value: true, {WHY}"),
        setting(f"value: null, {WHY}"),
        setting(f"value: '', {WHY}"),
        setting(f"value: 1.5, {WHY}"),
        setting(f"value: [], {WHY}"),
        setting(f"value: [bbr], {WHY}"),
        setting(f"value: [true], {WHY}"),
        setting(f"at_least: bbr, {WHY}"),
        setting(f"at_least: {{per_gib: 0}}, {WHY}"),
        setting(f"at_least: {{per_gib: 1, per_cpu: 1}}, {WHY}"),
        setting(f"at_least: {{per_gib: 1, step: 1}}, {WHY}"),
        setting(f"at_least: {{per_gib: 64k}}, {WHY}"),
        setting(f"at_least: {{largest: [1]}}, {WHY}"),
        setting(f"at_least: {{largest: [1, x]}}, {WHY}"),
        setting(f"value: {{a: 1}}, {WHY}"),
        setting(f"value: 1, {WHY}, hazard: [x]"),
        f"{HEAD}sysctl:\n  ../x: {{value: 1, {WHY}}}\n",
        f"{HEAD}sysctl:\n  hostname: {{value: 1, {WHY}}}\n",
        f"{HEAD}sysctl:\n  a b.c: {{value: 1, {WHY}}}\n",
        f"{HEAD}sysctl:\n  net.ipv4.conf.*.rp_filter: {{value: 1, {WHY}}}\n",
        HEAD + "limits: {}\n",
        HEAD + "limits: [x]\n",
        limit(f"item: nofile, soft: 1, {WHY}"),
        limit(f"domain: x, soft: 1, {WHY}"),
        limit(f"domain: x, item: nofile, {WHY}"),
        limit("domain: x, item: nofile, soft: 1, why: W."),
        limit(f"domain: x, item: nofiel, soft: 1, {WHY}"),
        limit(f"domain: x, item: nofile, soft: lots, {WHY}"),
        limit(f"domain: x, item: nofile, soft: true, {WHY}"),
        limit(f"domain: x, item: nofile, sotf: 1, {WHY}"),
        limit(f"domain: x, item: nofile, soft: {{x: 1}}, {WHY}"),
        limit(f"domain: x, item: nofile, soft: {{value: 1, at_least: 1}}, {WHY}"),
    ],
)
def test_what_a_run_refuses_the_schema_refuses(text: str) -> None:
    assert not run_takes(text) and not schema_takes(text)
