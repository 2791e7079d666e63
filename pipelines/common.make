# What the make scripts share. They include it after what a user may set, OUT and PACKAGES among it, and their default goal.

# A recipe is one shell, which stops at the first failure; what a failed one made is not left behind.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:

THREADS ?= $(shell nproc)
# The folder of the tools; without it, this checkout's, which are built first.
BIN ?=

ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
# To make a blank ends a name. ROOT is this checkout.
$(foreach v,ROOT BIN DATA IMAGENET OUT,$(if $(word 2,$($v)),$(error $v is "$($v)": make takes no path with a blank in it: expected one without, such as a link)))
SCRIPTS := $(ROOT)/pipelines
include $(SCRIPTS)/packages.make
TOOLS := $(or $(abspath $(BIN)),$(ROOT)/.build/release)
export PATH := $(TOOLS):$(PATH)
FASHION := /usr/share/datasets/fashion-mnist

# Installs what is missing, which asks for nothing where nothing is, and builds. Tools of BIN are taken as they are.
$(OUT)/tools: $(if $(BIN),,$(shell find $(ROOT)/Sources $(ROOT)/Package.swift -type f))
	@mkdir -p $(@D)
	$(if $(BIN),,$(SCRIPTS)/install.sh $(BUILD_PACKAGES) $(PACKAGES))
	$(if $(BIN),,swift build -c release --package-path $(ROOT))
	touch $@

.PHONY: clean
clean:
	rm -rf $(OUT)

# A script whose goal is a table says how OUT/table.txt is made.
ifeq ($(.DEFAULT_GOAL),table)
.PHONY: table
table: $(OUT)/table.txt
	@cat $<
endif
