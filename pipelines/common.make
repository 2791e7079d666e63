# What the make scripts share. They include it after what a user may set, OUT, PACKAGES and SETTINGS among it, and their default goal.
# SETTINGS are the names of the variables that decide what is in OUT.

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

# What decides files is kept beside them: with other values, files of two settings would come into one table.
# $(call keep,FILE,SETTINGS) is a recipe's line, and $(call check,FILE,SETTINGS) stops where FILE has other values. What it does not name may
# be anything. SETTINGS are words NAME=value, as $(call settings-of,NAMES) makes them.
quote := '
blank := $(subst x,,x x)
settings-of = $(foreach v,$1,$v=$(subst $(blank),_,$(strip $($v))))
keep = printf '%s\n' $(foreach w,$2,'$(subst $(quote),'\'',$w)') > $1
kept-value = $(filter $(firstword $(subst =, ,$1))=%,$(kept))
changed-of = $(strip $(foreach w,$1,$(if $(call kept-value,$w),$(if $(filter $w,$(kept)),,$w))))
check = $(if $(filter cells clean,$(MAKECMDGOALS)),,$(eval kept := $$(file <$1))$(call refuse,$(patsubst %/,%,$(dir $1)),$(call changed-of,$2)))
refuse = $(if $2,$(error $1 was made with $(foreach w,$2,$(call kept-value,$w)), not with $2: give another OUT, say clean, or delete $1/settings and what is to be made again))
settings := $(call settings-of,$(SETTINGS))
$(call check,$(OUT)/settings,$(settings))

# After a command: its output is the target when it is complete, not before. With `replace` a target that stays the same keeps its date.
save = > $@.part; mv $@.part $@
replace = > $@.part; if cmp -s $@.part $@; then rm $@.part; else mv $@.part $@; fi

# Remakes what depends on it: a table of what is asked for now, not of what was the last time.
.PHONY: again

# Installs what is missing, which asks for nothing where nothing is, and builds. Tools of BIN are taken as they are.
$(OUT)/tools: $(if $(BIN),,$(shell find $(ROOT)/Sources $(ROOT)/Package.swift -type f))
	@mkdir -p $(@D)
	$(if $(settings),$(call keep,$(OUT)/settings,$(settings)))
	$(if $(BIN),,$(SCRIPTS)/install.sh $(BUILD_PACKAGES) $(PACKAGES))
	$(if $(BIN),,$(SWIFT_BUILD) -c release --package-path $(ROOT))
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
