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
tunefleet.linux: sysctl keys and limits, tuned by profile

  make apply    set the profile on this machine (as root), then say what was done
  make audit    say what "make apply" would change, and write a report of it; change nothing
  make revert   put back what profiles changed; with PROFILES= only what these did
  make diagnose say what the network of this machine is short of, and what would help; change nothing
  make explain  what a key does, who says what about it, and what this machine has (KEY=net.ipv4.tcp_fin_timeout)
  make import   make a profile of sysctl.conf, limits.conf or tuned files (FROM=/etc/sysctl.conf)
  make export   write profiles as plain sysctl.d and limits.d files (PROFILES=web_server TO=directory)
  make report   make one report of several (FROM="a/fleet.json b/fleet.json")
  make test     run every check (linters, sanity, unit tests, containers)
  make lint     run the linters only
  make oracle   compare many more boots with the real systemd-sysctl and procps (CASES=5000)
  make vm       try the limits on a machine with a kernel of its own, in an emulator (as root on Debian)
  make bench    measure what a run costs, beside a ping and alternatives (as root)
  make build    build the collection archive into build/
  make clean    remove .venv, .cache and build

Variables of apply, audit, revert and diagnose:
  INVENTORY=file    hosts to work on                     (default: this machine)
  LIMIT=pattern     only these hosts of the inventory
  PROFILES=a,b      profiles to use                      (default: web_server; revert: all that were applied)
  DIAGNOSE_SECONDS=60  how long to look for losses       (default: 5)
  BATCHES=1,10%,100%  apply to so many hosts after each other, watch each batch, and take it back where it does harm
  TRIAL=1           revert: only what a roll-out with BATCHES left unconfirmed
  DIFF=1            show each change of a file
  VERBOSE=1         show more
  ARGS="..."        further options of ansible-playbook, such as ARGS="--become --ask-become-pass"
Variables of explain, import and export:
  KEY=name          a sysctl key, or a limit such as nofile; with INVENTORY and LIMIT on other hosts
  FROM=path         the file to import, or a directory of such
  TO=path           what to write (import: profiles/imported_*.yml); nothing that is there is overwritten
Variables of audit and report:
  REPORT=dir        where to write fleet.html, fleet.json and junit.xml    (default: tunefleet-report)
  FAIL_ON_DRIFT=1   fail when a host is not as its profile wants
Variables of all:
  PYTHON=python3.12 the Python to build .venv with       (default: the first suitable one)
  PYTEST_ARGS="..." options of pytest, such as PYTEST_ARGS="-k archive"
  CASES=20000       trees that "make oracle" tries on each reader
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
