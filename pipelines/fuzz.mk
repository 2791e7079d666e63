#!/usr/bin/make -f
# Fuzzing: everything that reads bytes of somebody else's, under libFuzzer and AddressSanitizer. Run it from anywhere:
#
#   pipelines/fuzz.mk                       each target for a minute
#   pipelines/fuzz.mk SECONDS=600           for ten
#   pipelines/fuzz.mk TARGETS='tiff zip'    these only
#
# Both come with Swift. The corpus that is in the repository, Fuzz/Corpus/TARGET, is where a run starts; what it finds that is new goes to
# OUT/TARGET. A crash ends a target: the input that makes it is OUT/TARGET-crash-…, -timeout-… or -oom-…; once it is mended, it belongs into
# Fuzz/Corpus/TARGET, all of which a test reads. The other targets still run; the exit status tells that one has failed.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:

override ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
override TARGETS_ALL := $(notdir $(wildcard $(ROOT)/Fuzz/Corpus/*))

SECONDS := 60
TARGETS ?= $(TARGETS_ALL)
OUT ?= /tmp/pmae-fuzz
SCRATCH ?= $(ROOT)/.build/fuzz

include $(ROOT)/pipelines/packages.make
override FUZZER := $(SCRATCH)/release/pmae-fuzz

.PHONY: all build $(TARGETS)

all:
	$(MAKE) --no-print-directory -f '$(ROOT)/pipelines/fuzz.mk' --keep-going SECONDS=$(SECONDS) OUT='$(OUT)' SCRATCH='$(SCRATCH)' $(TARGETS)

# libFuzzer without its main, which would be a second one: -sanitize=fuzzer brings it along, so what that switches on is switched on by hand.
build:
	PMAE_FUZZ=1 $(SWIFT_BUILD) --package-path '$(ROOT)' --scratch-path '$(SCRATCH)' -c release --product pmae-fuzz \
	  -Xswiftc -sanitize=address -Xswiftc -sanitize-coverage=edge,inline-8bit-counters,pc-table,trace-cmp \
	  -Xcc -fsanitize=fuzzer-no-link,address \
	  -Xlinker "$$(clang -print-file-name="libclang_rt.fuzzer_no_main-$$(uname -m).a")" -Xlinker -lstdc++

# Timeout in seconds, memory in megabytes. libFuzzer cannot tell what a library keeps from what it has lost: no leaks.
$(TARGETS): build
	mkdir -p '$(OUT)/$@'
	SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 '$(FUZZER)' $@ -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=2048 -detect_leaks=0 -print_final_stats=1 \
	  -artifact_prefix='$(OUT)/$@-' -max_len=65536 '$(OUT)/$@' '$(ROOT)/Fuzz/Corpus/$@'
