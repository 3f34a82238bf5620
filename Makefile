# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

.DEFAULT_GOAL := help
.PHONY: help apply audit revert diagnose explain import export report test oracle vm bench lint build clean

# What was typed reaches the scripts through the environment, letter for letter: $(value) keeps make from expanding a "$"
# in it, and as no recipe below contains such a variable, no shell reads it as code either.
TYPED := INVENTORY LIMIT PROFILES DIAGNOSE_SECONDS ARGS VERBOSE DIFF REPORT FAIL_ON_DRIFT FROM PYTHON PYTEST_ARGS CASES KEY TO BATCHES TRIAL
$(foreach name,$(TYPED),$(eval override $(name) := $$(value $(name))))
export $(TYPED)

define HELP
tunefleet.linux: kernel parameters and limits, set by profile

  make apply    apply profiles to this machine (as root) and print what changed
  make audit    show what "make apply" would change and write a report; change nothing
  make revert   restore what profiles changed; with PROFILES= only what these changed
  make diagnose find network bottlenecks of this machine and what helps; change nothing
  make explain  what a key does, what each source says, and the values here (KEY=net.ipv4.tcp_fin_timeout)
  make import   make a profile from sysctl.conf, limits.conf or tuned files (FROM=/etc/sysctl.conf)
  make export   write profiles as plain sysctl.d and limits.d files (PROFILES=web_server TO=directory)
  make report   merge reports (FROM="a/fleet.json b/fleet.json")
  make test     run every check (linters, sanity, unit and functional tests, containers)
  make lint     run the linters only
  make oracle   compare many more boots with the real systemd-sysctl and procps (CASES=5000)
  make vm       test the limits on a VM with its own kernel, in an emulator (as root on Debian)
  make bench    measure run time, compared with ping and alternatives (as root)
  make build    build the collection archive in build/
  make clean    remove .venv, .cache and build

Variables of apply, audit, revert and diagnose:
  INVENTORY=file    inventory                            (default: this machine)
  LIMIT=pattern     only these hosts of the inventory
  PROFILES=a,b      profiles                             (default: web_server; revert: all applied profiles)
  DIAGNOSE_SECONDS=60  seconds between two samples       (default: 5)
  BATCHES=1,10%,100%  apply batch by batch; roll a batch back and stop if it gets worse
  TRIAL=1           revert: only what a roll-out with BATCHES left unconfirmed
  DIFF=1            show each change of a file
  VERBOSE=1         show more
  ARGS="..."        more options of ansible-playbook, such as ARGS="--become --ask-become-pass"
Variables of explain, import and export:
  KEY=name          a sysctl key, or a limit such as nofile; with INVENTORY and LIMIT on other hosts
  FROM=path         a file or directory to import
  TO=path           where to write (import: profiles/imported_*.yml); no existing file is overwritten
Variables of audit and report:
  REPORT=dir        where to write fleet.html, fleet.json and junit.xml    (default: tunefleet-report)
  FAIL_ON_DRIFT=1   fail if a host differs from its profiles
Variables of all:
  PYTHON=python3.12 the Python to build .venv with       (default: the first suitable one)
  PYTEST_ARGS="..." options of pytest, such as PYTEST_ARGS="-k archive"
  CASES=20000       trees that "make oracle" tests on each reader
endef
export HELP

help:
	@printf '%s\n' "$$HELP"

apply audit revert diagnose explain import export report build:
	@tools/setup run
	@.venv/bin/python tools/run.py $@

lint:
	@tools/setup test
	@.venv/bin/python tools/run.py $@

bench:
	@tools/setup test ssh
	@.venv/bin/python tools/run.py $@

test:
	@tools/setup test containers browser ssh
	@.venv/bin/python tools/run.py $@

oracle:
	@tools/setup test containers
	@.venv/bin/python tools/run.py $@

vm:
	@tools/setup test vm
	@.venv/bin/python tools/run.py $@

clean:
	rm -rf .venv .cache build
