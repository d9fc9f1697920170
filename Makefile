# make            builds the release binary of vfioctl
# make test       fast tests, 5 seconds of each fuzz target, then the lab: every scenario on a real kernel in QEMU
#                 (LAB=off leaves the lab out)
# make demo       the whole journey in the lab, narrated
# make lab        a shell in the lab, with vfioctl installed
# make lint       formatting of Swift files, shellcheck of shell files
# make fuzz       every parser under libFuzzer, 60 seconds each
# make bench      measurements
# make install    into $(DESTDIR)$(PREFIX): the binary, manual pages, completions, profiles
#
# build, test, demo and lab first install the Debian packages they miss, saying which and why.

SWIFT ?= swift
PREFIX ?= /usr
DESTDIR ?=
LAB ?= on

# For `time`: the long steps say how long they took.
SHELL := /bin/bash
export TIMEFORMAT := === took %0lR

# A tree of its own: debug and release builds, with other flags, would evict each other.
release_tree := .build-release
release_flags := -c release --static-swift-stdlib --scratch-path $(release_tree)
binaries := $(release_tree)/release

dependencies := Tests/Lab/install-dependencies
swift_sources := $(wildcard Sources Tests Examples Benchmarks Fuzz Package.swift)
# Every file that says it is a shell script; scenarios say nothing, they are sourced.
shell_sources = $(filter-out Tests/Lab/Scenarios/%,$(shell grep -rlIE --exclude-dir='.build*' '^(\#!.*[/ ](ba)?sh$$|\# shellcheck shell=)' $(wildcard .ci Tests Benchmarks Examples Fuzz)))

.NOTPARALLEL:
.PHONY: build test fast-tests fuzz-tests lab-tests fuzz demo lab lint bench install clean

build:
	$(dependencies) build
	time $(SWIFT) build $(release_flags)

test: fast-tests fuzz-tests lab-tests

# Everything but LiveHost and vfioctl builds without libpci, libudev and libkmod: these products are built before the
# -dev packages come in, and no target may import what it does not depend on.
self_contained := VFIO PassthroughKit HostSimulator
checked := --explicit-target-dependency-import-check error

fast-tests:
	for product in $(self_contained); do $(SWIFT) build $(checked) --product $$product || exit 1; done
	$(dependencies) build test
	time $(SWIFT) build $(checked) --build-tests
	time $(SWIFT) test $(checked) --skip-build

fuzz-tests:
	time Fuzz/run 5

ifeq ($(LAB),off)
lab-tests:
	@echo '*** LAB=off: THE LAB WAS NOT RUN. Nothing was tested against a kernel. ***'
else
lab-tests: build
	time Tests/Lab/run
endif

demo: build
	@Tests/Lab/run --demo

lab: build
	@Tests/Lab/run --shell

lint:
	$(dependencies) lint
	$(SWIFT) format lint --strict --recursive $(swift_sources)
	shellcheck $(shell_sources)
	@# Sourced after checks.sh, which has the names; "done" is an outcome and $$ belongs to jq.
	shellcheck --shell=sh --exclude=SC2154,SC1010,SC2016 Tests/Lab/Scenarios/*.sh

fuzz:
	Fuzz/run 60

bench: build
	$(dependencies) bench
	Benchmarks/run $(binaries)

share := $(DESTDIR)$(PREFIX)/share

install: build
	install -d $(DESTDIR)$(PREFIX)/bin
	strip -o $(DESTDIR)$(PREFIX)/bin/vfioctl $(binaries)/vfioctl
	chmod 755 $(DESTDIR)$(PREFIX)/bin/vfioctl
	install -d $(share)/bash-completion/completions $(share)/zsh/site-functions $(share)/fish/vendor_completions.d
	$(binaries)/vfioctl --generate-completion-script bash >$(share)/bash-completion/completions/vfioctl
	$(binaries)/vfioctl --generate-completion-script zsh >$(share)/zsh/site-functions/_vfioctl
	$(binaries)/vfioctl --generate-completion-script fish >$(share)/fish/vendor_completions.d/vfioctl.fish
	for page in $(wildcard Man/*.[1-9]); do \
		install -D -m 644 "$$page" "$(share)/man/man$${page##*.}/$${page##*/}" || exit 1; \
	done
	for profile in $(wildcard Profiles/*.toml); do \
		install -D -m 644 "$$profile" "$(share)/vfioctl/profiles/$${profile##*/}" || exit 1; \
	done

clean:
	rm -rf .build $(release_tree) .build-lab .build-fuzz
