#!/usr/bin/make -f
# The test command: everything that has to hold before a change goes in. Run it from anywhere: pipelines/test.mk
#
#   install what is missing, with apt-get
#   marks   no file holds the marks of a merge that was not resolved
#   format  Swift is formatted as .swift-format says
#   shell   shellcheck, on scripts and on the recipes of the make scripts
#   pages   the man pages are clean mdoc
#   arm64   the vector kernels compile for arm64 too, where it is not what this machine is
#   build   the release build, tests included, and no warning in it
#   escapes matrices that outlive their tensors do not compile
#   examples those in comments of public types and in CONTRIBUTING.md compile
#   test    unit tests and the built tools, end to end
#
# Each is a target. SCRATCH: the build folder. FILTER: run those tests only.
#
#   kernels     the tests by each of the kernels of matrix products that any processor, or most, can run: not part of the default.
#
#   cluster     the tools built with MPI on several ranks, and by Slurm: not part of the default, since it installs Open MPI and Slurm.
#               MPI_SCRATCH: its build folder. MPI=mpich: by MPICH, without Slurm; where both are installed, Debian's alternatives
#               mpi-x86_64-linux-gnu and mpirun say which one it is.
#
#   sanitize    the libraries' tests under AddressSanitizer, ThreadSanitizer and UndefinedBehaviorSanitizer, a build each: not part of
#               the default. sanitize-address, sanitize-thread and sanitize-undefined are targets too.
#   sanitize-ranks    the tools built with MPI under AddressSanitizer, on several ranks. By Open MPI, or as MPI says.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.PHONY: all install marks format shell pages arm64 build escapes examples test kernels cluster sanitize sanitize-address sanitize-thread sanitize-undefined sanitize-ranks

override ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
SCRATCH ?= $(ROOT)/.build
FILTER ?=
include $(ROOT)/pipelines/packages.make
# Tests use public API alone, so that what they test is what is shipped, built once.
override SWIFT := --package-path "$(ROOT)" --scratch-path "$(SCRATCH)" -c release

all: install marks format shell pages arm64 build escapes examples test

install:
	"$(ROOT)/pipelines/install.sh" $(BUILD_PACKAGES) gzip dataset-fashion-mnist zstd gnuplot-nox mandoc shellcheck libc6-dev-arm64-cross

# Fixtures that are not text are left out, and what .gitignore names; files that were not added yet are not.
marks:
	cd "$(ROOT)" && status=0 && \
	  git grep --no-index --exclude-standard -nIE '^(<{7}|[|]{7}|={7}|>{7})( |$$)' || status=$$?; \
	  case $$status in \
	    0) echo 'These lines are left of a merge (file:line). Choose what is right, and take the marks out.' >&2; exit 1 ;; \
	    1) ;; \
	    *) exit "$$status" ;; \
	  esac

format:
	cd "$(ROOT)" && swift format lint --strict --recursive Package.swift Sources Tests

# A recipe is shell too: -n prints what make would run. MAKEFLAGS would make it print nothing but that.
shell:
	cd "$(ROOT)" && find .ci/run pipelines Tests -type f \( -name run -o -name '*.sh' \) -exec shellcheck {} +
	cd "$(ROOT)" && for script in pipelines/*.mk; do \
	  echo "shellcheck: the recipes of $$script"; \
	  env -u MAKEFLAGS -u MAKELEVEL make -nB -f "$$script" | shellcheck --shell=bash -; \
	done
	cd "$(ROOT)" && env -u MAKEFLAGS -u MAKELEVEL make -nB -f pipelines/test.mk cluster sanitize sanitize-ranks | shellcheck --shell=bash -

# The pages refer to each other before they are installed, and mandoc.db knows only what is. One after the other: mandoc buffers lines,
# and of many pages it writes what fills the buffer in the middle of a line.
pages:
	cd "$(ROOT)" && if { for page in man/*; do mandoc -T lint "$$page" 2>&1 || true; done; } | grep -vE 'referenced manual not found|mandoc\.db'; then exit 1; fi

arm64:
	cd "$(ROOT)" && for kernel in Sources/CKernels/*.c Sources/CImageKernels/*.c; do \
	  clang --target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include -O2 -Wall -Wextra -Werror \
	    -ISources/CKernels/include -ISources/CImageKernels/include -c "$$kernel" -o /dev/null; \
	done

build:
	mkdir -p "$(SCRATCH)"
	$(SWIFT_BUILD) $(SWIFT) --build-tests 2>&1 | tee "$(SCRATCH)/build.log"
	if grep -v /checkouts/ "$(SCRATCH)/build.log" | grep 'warning:'; then echo 'The build has warnings.' >&2; exit 1; fi

escapes: build
	"$(ROOT)/pipelines/escapes.sh" "$(SCRATCH)"

examples: build
	"$(ROOT)/pipelines/examples.sh" "$(SCRATCH)"

override TEST = swift test $(SWIFT) --skip-build --disable-testable-imports $(if $(FILTER),--filter '$(FILTER)')

test: build
	$(TEST)

kernels: build
	for kernels in avx2 openblas; do PMAE_KERNELS="$$kernels" $(TEST); done

MPI ?= openmpi
override MPI_PACKAGES := $(if $(filter mpich,$(MPI)),libmpich-dev mpich,libopenmpi-dev openmpi-bin slurm-wlm munge)
MPI_SCRATCH ?= $(SCRATCH)-cluster
override CLUSTER := --package-path "$(ROOT)" --scratch-path "$(MPI_SCRATCH)" -c release --traits default,MPI
override CLUSTER_TESTS := $(or $(FILTER),Cluster(Fault|Finetune)?Tests)
override INSTALL_CLUSTER := "$(ROOT)/pipelines/install.sh" $(BUILD_PACKAGES) $(MPI_PACKAGES)

cluster:
	$(INSTALL_CLUSTER)
	$(SWIFT_BUILD) $(CLUSTER) --build-tests
	swift test $(CLUSTER) --skip-build --disable-testable-imports --filter '$(CLUSTER_TESTS)'
	$(if $(filter mpich,$(MPI)),,"$(ROOT)/Tests/Cluster/slurm.sh" "$(MPI_SCRATCH)/release")
	$(if $(filter mpich,$(MPI)),,"$(ROOT)/Tests/Cluster/network-faults.sh" "$(MPI_SCRATCH)/release")

# The tools' tests start other processes, and use no memory that the libraries' do not.
override LIBRARIES = $(if $(FILTER),--filter '$(FILTER)',--skip ToolTests)
override SANITIZED = --package-path "$(ROOT)" --scratch-path "$(SCRATCH)-$(@:sanitize-%=%)" -c release

sanitize: sanitize-address sanitize-thread sanitize-undefined

# Not looked for are leaks: what a thread of the pool keeps for oneDNN lives as long as the process.
sanitize-address:
	$(SWIFT_BUILD) $(SANITIZED) --sanitize address --build-tests
	ASAN_OPTIONS=detect_leaks=0 swift test $(SANITIZED) --sanitize address --skip-build --disable-testable-imports $(LIBRARIES)

sanitize-ranks:
	$(INSTALL_CLUSTER)
	$(SWIFT_BUILD) $(SANITIZED) --traits default,MPI --sanitize address --build-tests
	ASAN_OPTIONS=detect_leaks=0 swift test $(SANITIZED) --traits default,MPI --sanitize address --skip-build --disable-testable-imports --filter '$(CLUSTER_TESTS)'

# ThreadSanitizer does not see the lock of Swift's Mutex, whose library is not built for it: what a Mutex guards is named in the file.
sanitize-thread:
	$(SWIFT_BUILD) $(SANITIZED) --sanitize thread --build-tests
	TSAN_OPTIONS='suppressions=$(ROOT)/pipelines/thread-sanitizer.txt' swift test $(SANITIZED) --sanitize thread --skip-build --disable-testable-imports $(LIBRARIES)

# Swift 6.3 has this one for no target on Linux: "unsupported option '-sanitize=undefined'". So it is C alone that is looked at, and
# stops where it goes wrong, since there is no library to report it; in Swift an overflow stops by itself. The checks keep loops from being
# vectorised, and a sum of 4096 values one after the other rounds more than two tests allow, which are left out.
sanitize-undefined: override ROUNDING = --skip 'layerNormIsWithinTwelveRoundings|softCrossEntropyAgrees'
sanitize-undefined: override CHECKS = -Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined
sanitize-undefined:
	$(SWIFT_BUILD) $(SANITIZED) $(CHECKS) --build-tests
	swift test $(SANITIZED) $(CHECKS) --skip-build --disable-testable-imports $(LIBRARIES) $(ROUNDING)
