#!/usr/bin/make -f
# Installs the tools and their man pages for everybody on a machine.
#
#   pipelines/install-tools.mk                       builds, and installs under /usr/local (as root, or with sudo)
#   pipelines/install-tools.mk PREFIX=$HOME/.local   somewhere else
#   pipelines/install-tools.mk DESTDIR=package PREFIX=/usr    into a folder that a package is made of
#   pipelines/install-tools.mk uninstall PREFIX=…    removes what was installed there, and nothing else
#   pipelines/install-tools.mk check                 tries all of it in a temporary folder
#
# What was installed is listed in PREFIX/share/pmae/installed. The tools are built with Swift's own libraries inside, some 80
# MB each, so that a machine without Swift runs them too; it needs libopenblas0, libdnnl2, libzstd1, libjpeg62-turbo,
# libpng16-16, libwebp7, libwebpdemux2, libtiff6 and libarchive13. BIN=.build/release installs small ones, which need Swift
# where they were built.

PREFIX ?= /usr/local
DESTDIR ?=
# A folder of built tools, to be installed as they are. Without it they are built first.
BIN ?=

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: install uninstall check build

override ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
override SCRATCH := $(ROOT)/.build-install
override SCRIPT := $(ROOT)/pipelines/install-tools.sh
include $(ROOT)/pipelines/packages.make
export PREFIX DESTDIR
export TOOLS := $(or $(abspath $(BIN)),$(SCRATCH)/release)

install: $(if $(BIN),,build)
	"$(SCRIPT)" install

uninstall:
	"$(SCRIPT)" uninstall

check: $(if $(BIN),,build)
	"$(SCRIPT)" check

build:
	"$(ROOT)/pipelines/install.sh" $(BUILD_PACKAGES)
	$(SWIFT_BUILD) -c release --static-swift-stdlib --package-path "$(ROOT)" --scratch-path "$(SCRATCH)"
