#!/usr/bin/make -f
# How fast does pmae-pretrain train here, and in how much memory? Times steady-state steps of the built tool, and where there
# is a peer, runs the two in turn and prints the ratio's median with its spread.
#
#   pipelines/benchmark.mk                                      everything
#   pipelines/benchmark.mk vit-small-float32                    our speed alone: the median of PAIRS runs
#   pipelines/benchmark.mk vit-small PRECISION=bfloat16 PEER='python3 Tests/Oracle/bench_torch.py'
#   pipelines/benchmark.mk vit-base-float32 PEER='python3 Tests/Oracle/bench_torch.py' COMPILE=1
#   pipelines/benchmark.mk report                               the tables of what was measured before, again
#
# Targets
#   MODEL-PRECISION       a model at one precision, beside the peer: vit-small (224, patch 16, batch 32), vit-base (224, patch
#                         16, batch 16) or quickstart (small pictures: 28, patch 7, width 128, batch 128); float32 or bfloat16
#   MODEL-PRECISION-compiled    the same, with --compile for the peer
#   MODEL                 the same, at PRECISION
#   OBJECTIVE-PRECISION   another objective beside the peer, on vit-small (224, patch 16, batch 32): dino, ibot, moco-v3, beit, cae,
#                         simmim. The peer, which has to be Tests/Oracle/bench_torch.py, makes the views and the draws of both
#   objectives            all of these, at both precisions: hours
#   threads               vit-small with THREADS threads over one, in turn
#   ranks                 RANKS_MODEL on RANKS ranks of one thread over one process of one thread, in turn, or where there is a peer, beside it on
#                         as many ranks: needs tools that were built with MPI
#   scaling               a table as batch, picture and model grow; each row is one run, with its batch
#   memory                peak memory of the three models at PRECISION, from the last measurements; what is missing is measured
#   data                  pmae-augment on one thread: two views of 224 of each of PICTURES, beside the peer
#   data-threads          the same, THREADS threads over one, in turn
#   finetune-…, extract-…, knn    what comes after pretraining: see benchmark-tasks.make
#   all                   all of the above but objectives, ranks, what comes after pretraining, and data, whose pictures are yours; compiled only where there is a peer.
#                         Hours: a pair of vit-small takes minutes
#   report                prints everything that RUN holds
#   peer-arguments        prints what each target passes to the peer
#   clean                 deletes RUN
#
# The peer
#   PEER is a shell command that does the same step and writes a line with `N images/s` and, for memory, `peak N GiB` (or MiB).
#   It is followed by arguments that benchmark-peer.sh makes of our options, so that neither can drift:
#     --model vit_small --batch 32 --dtype f32|bf16 [--compile] --steps N field=value...
#   Of an objective these begin with --objective NAME. With PEER_ARGUMENTS, even empty, by those instead. It has OMP_NUM_THREADS=THREADS in its environment.
#
#   Of data the peer is one that makes views, and its argument is PICTURES.
#
# What is measured
#   Each run trains on views of noise from a file for STEPS + 2 steps, of which the first two are left out. images/s is the
#   median of the others, as --profile-json says it; peak memory is the process's. Runs are A B A B ..., PAIRS of them (at least five
#   where there are two sides), and a ratio is of the two runs of a pair. Nothing else should run on the machine.
#
# Files
#   RUN/NAME.tsv has every run and the commands; NAME.tsv.part is one that did not finish. RUN also has the views.

.NOTPARALLEL:
.DEFAULT_GOAL := all

# --- What a user may set -----------------------------------------------------------------------------------------

# The other side, and whether it compiles (1).
PEER ?=
COMPILE ?=
# Pairs of runs; steps that a run times, and a run of the quickstart's model, whose steps are short, and of another objective.
PAIRS ?= 5
STEPS ?= 5
QUICKSTART_STEPS ?= 40
OBJECTIVE_STEPS ?= 3
# Of the targets whose name has none: float32 or bfloat16.
PRECISION ?= float32
# Of ranks: how many, of which model, and what starts them.
RANKS ?= 2
RANKS_MODEL ?= vit-small
MPIRUN ?= mpirun --bind-to none
# Rows of the scaling table: batches of vit-small at 224; vit-small as SIDE:BATCH; MODEL:BATCH at 224.
SCALING_BATCHES ?= 8 16 32 64 128
SCALING_IMAGES ?= 96:32 160:32 224:32 384:16
SCALING_MODELS ?= vit-tiny:32 vit-small:32 vit-base:16 vit-large:8
# For data: a folder of photographs, and how often pmae-augment goes through it, so that its start counts for little.
PICTURES ?=
PICTURES_EPOCHS ?= 4
# Where results and views go.
RUN ?= run/benchmark
# THREADS and BIN, the folder of the tools where they are not to be built, are in common.make.

# --- What is measured --------------------------------------------------------------------------------------------

override OUT := $(RUN)
include $(dir $(lastword $(MAKEFILE_LIST)))common.make

MODELS := vit-small vit-base quickstart
vit-small.options := --model vit-small --image 224 --patch 16 --batch 32
vit-base.options := --model vit-base --image 224 --patch 16 --batch 16
quickstart.options := --image 28 --patch 7 --width 128 --depth 4 --heads 4 --decoder-width 64 --decoder-depth 2 \
  --decoder-heads 2 --head-hidden 256 --head-bottleneck 64 --prototypes 512 --batch 128 --drop-path 0.05 --lambda-c 0.1 --lambda-p 0.1
vit-small.steps = $(STEPS)
vit-base.steps = $(STEPS)
quickstart.steps = $(QUICKSTART_STEPS)

PRECISIONS := float32 bfloat16
PLAIN := $(foreach m,$(MODELS),$(addprefix $(m)-,$(PRECISIONS)))
COMPILED := $(addsuffix -compiled,$(PLAIN))

# Of a target's name: its model, its precision, --compile or nothing, and its results.
model = $(firstword $(foreach m,$(MODELS),$(if $(filter $(m)-%,$1),$m)))
precision = $(firstword $(foreach p,$(PRECISIONS),$(if $(findstring $p,$1),$p)))
compile = $(if $(filter %-compiled,$1)$(filter 1,$(COMPILE)),--compile)
name = $(patsubst %-compiled,%,$1)$(if $(compile),-compiled)
options = $($(model).options) --precision $(precision)
steps = $($(model).steps)

# $(call peer,TARGET): prints the peer's arguments.
peer = "$(SCRIPTS)/benchmark-peer.sh" $(compile) --steps $(steps) $(options)

# $(call measure,TARGET): runs and prints its pairs.
define measure
ours=$$("$(SCRIPTS)/benchmark-command.sh" "$(RUN)" $(steps) $(options) --threads $(THREADS))
theirs=()
$(if $(PEER),arguments=$${PEER_ARGUMENTS-$$($(peer))}
theirs=(peer "export OMP_NUM_THREADS=$(THREADS); $$PEER $$arguments"))
"$(SCRIPTS)/benchmark-pairs.sh" "$(RUN)/$(name).tsv" \
  "$(name), threads: $(THREADS), steps a run: $(steps)" $(PAIRS) pmae-pretrain "$$ours" "$${theirs[@]}"
rm -rf "$(RUN)/run"
endef

# $(call measure-objective,TARGET): the same for an objective, on the views and draws that the peer makes.
OBJECTIVES := dino ibot moco-v3 beit cae simmim
OBJECTIVE_PLAIN := $(foreach o,$(OBJECTIVES),$(addprefix $o-,$(PRECISIONS)))
objective = $(firstword $(foreach o,$(OBJECTIVES),$(if $(filter $o-%,$1),$o)))
define measure-objective
made="$(RUN)/views-$(objective)-$(OBJECTIVE_STEPS)"
peer() { echo "export OMP_NUM_THREADS=$(THREADS); $$PEER --objective $(objective) $$("$(SCRIPTS)/benchmark-peer.sh" "$$@" \
  --steps $(OBJECTIVE_STEPS) $(vit-small.options) --precision $(precision))"; }
if ! [ -e "$$made/options" ]; then sh -c "$$(peer) --write '$$made'"; fi
ours="pmae-pretrain $$(cat "$$made/options") --precision $(precision) --threads $(THREADS) --steps $$(($(OBJECTIVE_STEPS) + 2))"
ours+=" --profile-json - --quiet --overwrite --output '$(RUN)/run' '$$made/views.stz'"
"$(SCRIPTS)/benchmark-pairs.sh" "$(RUN)/$1.tsv" "$1, vit-small, threads: $(THREADS), steps a run: $(OBJECTIVE_STEPS)" $(PAIRS) \
  pmae-pretrain "$$ours" peer "$$(peer $(if $(filter 1,$(COMPILE)),--compile))"
rm -rf "$(RUN)/run"
endef

.PHONY: ranks all $(MODELS) $(PLAIN) $(COMPILED) $(OBJECTIVE_PLAIN) objectives threads scaling memory data data-threads report peer-arguments
all: $(PLAIN) $(if $(PEER),$(if $(filter 1,$(COMPILE)),,$(filter vit-small-%,$(COMPILED)))) \
  $(if $(filter-out 1,$(THREADS)),threads) scaling memory

$(MODELS): %: %-$(PRECISION)

$(PLAIN): $(OUT)/tools
	@$(call measure,$@)

$(COMPILED): $(OUT)/tools
	@$(if $(PEER),,echo '$@: needs a PEER' >&2; exit 64)
	$(call measure,$@)

objectives: $(OBJECTIVE_PLAIN)
$(OBJECTIVE_PLAIN): $(OUT)/tools
	@$(if $(PEER),,echo '$@: needs a PEER: bench_torch.py' >&2; exit 64)
	$(call measure-objective,$@)

threads: $(OUT)/tools
	@timed() {
	  "$(SCRIPTS)/benchmark-command.sh" "$(RUN)" $(STEPS) $(vit-small.options) --precision $(PRECISION) --threads "$$1"
	}
	if (($(THREADS) < 2)); then echo 'threads: THREADS is $(THREADS): expected 2 or more' >&2; exit 64; fi
	many=$$(timed $(THREADS))
	one=$$(timed 1)
	"$(SCRIPTS)/benchmark-pairs.sh" "$(RUN)/threads-$(PRECISION).tsv" \
	  "threads-$(PRECISION), vit-small, steps a run: $(STEPS)" $(PAIRS) "$(THREADS) threads" "$$many" "1 thread" "$$one"
	rm -rf "$(RUN)/run"

ranks = ranks$(if $(filter-out vit-small,$(RANKS_MODEL)),-$(RANKS_MODEL))
ranks: $(OUT)/tools
	@one=$$("$(SCRIPTS)/benchmark-command.sh" "$(RUN)" $($(RANKS_MODEL).steps) $($(RANKS_MODEL).options) --precision $(PRECISION) --threads 1)
	theirs=("1 rank" "$$one")
	name=$(ranks)-$(PRECISION)
	$(if $(PEER),theirs=(peer "export OMP_NUM_THREADS=1; $(MPIRUN) -n $(RANKS) $$PEER $$("$(SCRIPTS)/benchmark-peer.sh" \
	  --steps $($(RANKS_MODEL).steps) $($(RANKS_MODEL).options) --precision $(PRECISION))")
	name=$(ranks)-$(PRECISION)-peer)
	"$(SCRIPTS)/benchmark-pairs.sh" "$(RUN)/$$name.tsv" "$$name, $(RANKS_MODEL), steps a run: $($(RANKS_MODEL).steps)" $(PAIRS) \
	  "$(RANKS) ranks" "$(MPIRUN) -n $(RANKS) $$one" "$${theirs[@]}"
	rm -rf "$(RUN)/run"

scaling: $(OUT)/tools
	@"$(SCRIPTS)/benchmark-scaling.sh" "$(RUN)" $(STEPS) '--precision $(PRECISION) --threads $(THREADS)' \
	  $(addprefix batch:vit-small:224:,$(SCALING_BATCHES)) \
	  $(addprefix image:vit-small:,$(SCALING_IMAGES)) \
	  $(foreach m,$(SCALING_MODELS),model:$(subst :,:224:,$(m)))
	rm -rf "$(RUN)/run"

# Prints the command that times views of all pictures on so many threads; the views go nowhere.
define augment
augment() {
  echo "'$(SCRIPTS)/benchmark-clock.sh' $$images" \
    "\"pmae-augment --threads $$1 --quiet --size 224 --epochs $(PICTURES_EPOCHS) --views simple,complex '$(RUN)/pictures.stz'\""
}
if [ -z '$(PICTURES)' ]; then echo '$@: expected PICTURES, a folder of photographs' >&2; exit 64; fi
pmae-pack --quiet --overwrite --output "$(RUN)/pictures.stz" '$(PICTURES)'
images=$$(pmae-inspect --json "$(RUN)/pictures.stz" \
  | pmae-evaluate table --rows file --value rows --scale $(PICTURES_EPOCHS) --digits 0 --format tsv --no-header | cut -f 2)
endef
data: $(OUT)/tools
	@$(augment)
	theirs=()
	$(if $(PEER),theirs=(peer "export OMP_NUM_THREADS=1; $$PEER $${PEER_ARGUMENTS-'$(PICTURES)'}"))
	"$(SCRIPTS)/benchmark-pairs.sh" "$(RUN)/data.tsv" "data, two views of 224, threads: 1" $(PAIRS) \
	  pmae-augment "$$(augment 1)" "$${theirs[@]}"

data-threads: $(OUT)/tools
	@$(augment)
	if (($(THREADS) < 2)); then echo '$@: THREADS is $(THREADS): expected 2 or more' >&2; exit 64; fi
	"$(SCRIPTS)/benchmark-pairs.sh" "$(RUN)/data-threads.tsv" "data-threads, two views of 224" $(PAIRS) \
	  "$(THREADS) threads" "$$(augment $(THREADS))" "1 thread" "$$(augment 1)"

# --- After pretraining -------------------------------------------------------------------------------------------

include $(SCRIPTS)/benchmark-tasks.make

# --- What was measured -------------------------------------------------------------------------------------------

MEMORY := $(addsuffix -$(PRECISION),$(MODELS))
# Without the peer's side, where one is asked for, it is not there.
define measured
if ! grep -qs '^# $(if $(PEER),b,a)' "$(RUN)/$(name).tsv"; then
$(measure)
fi

endef
memory: $(OUT)/tools
	@$(foreach m,$(MEMORY),$(call measured,$m))
	"$(SCRIPTS)/benchmark-report.sh" --memory $(foreach m,$(MEMORY),"$(RUN)/$(call name,$m).tsv")

report:
	@"$(SCRIPTS)/benchmark-report.sh" "$(RUN)"/*.tsv

peer-arguments:
	@$(foreach t,$(PLAIN) $(COMPILED),printf '%-28s ' $t; $(call peer,$t);)
