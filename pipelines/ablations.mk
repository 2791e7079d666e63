#!/usr/bin/make -f
# The structure of the paper's tables 6 to 9, with MAE, SdAE and training from scratch, on Fashion-MNIST: each cell of a
# table with several seeds, measured by k-NN, linear probe, and fine-tuning on few labels and on all.
#
#   pipelines/ablations.mk                             all cells, then the tables
#   pipelines/ablations.mk cell-disentangled-seed0     one cell with one seed, for one of many machines
#   pipelines/ablations.mk cells                       the names of all of them, one a line
#   pipelines/ablations.mk show                        the tables of what is there by now
#   pipelines/ablations.mk curves                      k-NN and probe against epochs and against computing, OUT/curves.svg
#   pipelines/ablations.mk SIZE=minute                 a small version, to see that it works
#
# Each stage is a file under OUT: a second run does nothing, a killed one goes on where it was. A cell leaves one small file,
# OUT/cells/CELL/seedN/result.tsv. Of cells that ran on other machines, copy these to the same place and say `show`.

.DEFAULT_GOAL := table

# --- What a user may set -----------------------------------------------------------------------------------------

# hours: the quickstart's model on a third of the images, about four hours on two cores. minute: a small model, two seeds.
SIZE ?= hours
# Where everything goes.
OUT ?= run/ablations-$(SIZE)
# THREADS and BIN, the folder of the tools where they are not to be built, are in common.make.

ifeq ($(SIZE),minute)
SEEDS ?= 0 1
TRAIN_IMAGES ?= 2000
TEST_IMAGES ?= 1000
EPOCHS ?= 2
EVALUATE_AT ?= 1 2
MODEL ?= --width 32 --depth 2 --heads 2 --decoder-width 32 --decoder-depth 1 --decoder-heads 2
# The projection head, of every cell but MAE, which has none.
HEAD ?= --head-hidden 64 --head-bottleneck 32 --prototypes 64
PER_CLASS ?= 10
FEW_EPOCHS ?= 4
ALL_EPOCHS ?= 1
PROBE_EPOCHS ?= 4
else
SEEDS ?= 0 1 2
TRAIN_IMAGES ?= 20000
TEST_IMAGES ?= 10000
EPOCHS ?= 15
EVALUATE_AT ?= 5 10 15
MODEL ?= --width 128 --depth 4 --heads 4 --decoder-width 64 --decoder-depth 2 --decoder-heads 2
# The projection head, of every cell but MAE, which has none.
HEAD ?= --head-hidden 256 --head-bottleneck 64 --prototypes 512
PER_CLASS ?= 100
FEW_EPOCHS ?= 40
ALL_EPOCHS ?= 5
PROBE_EPOCHS ?= 30
endif

# TRAIN_IMAGES of the 60,000 training images are pretrained on, TEST_IMAGES of the 10,000 test images measured on. With
# HELD_OUT=1 the measures are taken on the last 10,000 training images instead, and pretraining stops before them: choose
# settings on those, and look at the test images once.
HELD_OUT ?=

IMAGE ?= 28
PATCH ?= 7
BATCH ?= 128
PRETRAIN ?= --lr 2e-3 --drop-path 0.05
# The weight of the label losses where a cell has them. The paper's is 1; on sets as small as this a tenth was better.
LABEL_WEIGHT ?= 0.1
# Which part is measured. MAE has but the student.
PART ?= student
# The epochs after which k-NN and linear probe are taken, the last of them EPOCHS; fine-tuning comes at the end.
PROBE ?= --mode linear --pool mean --epochs $(PROBE_EPOCHS)
FINETUNE ?= --mode full --lr 1e-3 --layer-decay 1
FEW ?= $(FINETUNE) --batch 64
ALL ?= $(FINETUNE) --batch 256
FINETUNE_VIEW ?= center

# --- The cells ---------------------------------------------------------------------------------------------------

# A cell: a name, its options, and the views that it needs. The first three are table 6. Where the single teacher moves once
# an epoch, 0.996 would leave it where it began: it has the momenta of the paper's teacher that moves so.
LABELS := --lambda-c $(LABEL_WEIGHT) --lambda-p $(LABEL_WEIGHT)
BOTH := simple,complex
disentangled.options := $(LABELS)
single-iteration.options := $(LABELS) --teachers single
single-epoch.options := $(LABELS) --teachers single --label-update epoch --label-momentum 0.96 --label-momentum-end 0.99
# Table 7. The label momentum at the start; it ends at 1 everywhere. disentangled has 0.996.
MOMENTA ?= 0.9 0.99 0.999
$(foreach m,$(MOMENTA),$(eval momentum-$m.options := $(LABELS) --label-momentum $m))
# Table 8: the five rows of λ_m, λ_c, λ_p are sdae, these three, and disentangled. Which weights the paper's table has is not
# known here: these are each label loss alone, and the paper's own 1 for both.
lambda-c.options := --lambda-c $(LABEL_WEIGHT) --lambda-p 0
lambda-p.options := --lambda-c 0 --lambda-p $(LABEL_WEIGHT)
lambda-1.options := --lambda-c 1 --lambda-p 1
# Table 9: the view that labels are made of, and how many folds. disentangled is complex, multifold.
complex-1fold.options := $(LABELS) --label-folds 1
simple-3fold.options := $(LABELS) --label-view simple
simple-3fold.views := simple
simple-1fold.options := $(LABELS) --label-view simple --label-folds 1
simple-1fold.views := simple
# The methods that the paper compares with.
sdae.options := --lambda-c 0 --lambda-p 0
sdae.views := simple
mae.options := --objective mae
mae.views := simple
# Random weights, to be trained from scratch.
scratch.options :=

CELLS ?= disentangled single-iteration single-epoch $(addprefix momentum-,$(MOMENTA)) lambda-c lambda-p lambda-1 \
  complex-1fold simple-3fold simple-1fold sdae mae scratch

# $(call epochs,CELL): where it is measured.
epochs = $(if $(filter scratch,$1),0,$(EVALUATE_AT))
last = $(lastword $(epochs))
# $(call part,CELL): what is exported.
part = $(if $(filter mae scratch,$1),student,$(PART))

# --- Tools and data ----------------------------------------------------------------------------------------------

PACKAGES := gzip dataset-fashion-mnist
include $(dir $(lastword $(MAKEFILE_LIST)))common.make

ifneq ($(lastword $(EVALUATE_AT)),$(EPOCHS))
$(error EVALUATE_AT is $(EVALUATE_AT): expected the last of it to be EPOCHS, $(EPOCHS))
endif

.PHONY: show cells curves

PACK = pmae-pack --overwrite --quiet --threads $(THREADS)
TRAIN := $(FASHION)/train-images-idx3-ubyte.gz --labels $(FASHION)/train-labels-idx1-ubyte.gz
TEST := $(FASHION)/t10k-images-idx3-ubyte.gz --labels $(FASHION)/t10k-labels-idx1-ubyte.gz
ifneq ($(HELD_OUT),)
TEST := $(TRAIN) --skip 50000
override TRAIN_IMAGES := $(shell echo $$(($(TRAIN_IMAGES) < 50000 ? $(TRAIN_IMAGES) : 50000)))
endif

# The packed file keeps its old date where a tool was built anew: only its absence makes it again.
$(OUT)/train.stz: | $(OUT)/tools
	$(PACK) $(TRAIN) --limit $(TRAIN_IMAGES) --output $@
$(OUT)/test.stz: | $(OUT)/tools
	$(PACK) $(TEST) --limit $(TEST_IMAGES) --output $@
$(OUT)/few.stz: $(OUT)/train.stz
	$(PACK) $(TRAIN) --limit $(TRAIN_IMAGES) --per-class $(PER_CLASS) --output $@
# Kept, although no rule names them.
.PRECIOUS: $(OUT)/%.center.stz
$(OUT)/%.center.stz: $(OUT)/%.stz
	pmae-augment --views center --size $(IMAGE) --overwrite --quiet --threads $(THREADS) --output $@ $<

# --- Pretraining -------------------------------------------------------------------------------------------------

# The head's options for a cell.
head = $(if $(findstring --objective mae,$($1.options)),,$(HEAD))
SHAPE := --image $(IMAGE) --patch $(PATCH) $(MODEL) --batch $(BATCH) --epochs $(EPOCHS) $(PRETRAIN)

# $(call pretrain,CELL,SEED,EPOCH): trains up to the end of that epoch of the whole run, from where the run is, and exports.
# A run that is further on (an encoder was deleted) can't go back: it begins again. One that is there already needs no views.
# The augmenter ends by SIGPIPE (141) where the trainer has had enough.
define pretrain
run=$(@D)/run
steps=$$(($3 * ($(TRAIN_IMAGES) / $(BATCH))))
done=0
if [ -e "$$run/checkpoint.stz" ]; then
  done=$$(pmae-inspect --json "$$run/checkpoint.stz" \
    | pmae-evaluate table --rows file --value metadata.step --format tsv --spread none --no-header | cut -f 2)
fi
if ((done > steps)); then rm -rf "$$run"; done=0; fi
if ((done < steps)); then
  { pmae-augment $(OUT)/train.stz --views $(or $($1.views),$(BOTH)) --size $(IMAGE) --epochs $3 --seed $2 --threads 1 --quiet \
      --resume "$$run" || (($$? == 141)); } \
    | pmae-pretrain $(SHAPE) $(call head,$1) $($1.options) --seed $2 --steps "$$steps" --threads $(THREADS) --resume --output "$$run" -
fi
pmae-export --part $(call part,$1) --overwrite --quiet --output $@ "$$run"
endef

# $(call stage,CELL,SEED,EPOCH,EPOCH-BEFORE)
define stage
$(OUT)/cells/$1/seed$2/epoch$3.stz: $(OUT)/train.stz $(if $4,$(OUT)/cells/$1/seed$2/epoch$4.stz)
	@mkdir -p $$(@D)
	$$(call pretrain,$1,$2,$3)
endef

# The same weights before the first step: of the views no more than the first record is read.
define untrained
$(OUT)/cells/scratch/seed$1/epoch0.stz: $(OUT)/train.center.stz
	@mkdir -p $$(@D)
	pmae-pretrain $(SHAPE) $(HEAD) --seed $1 --steps 0 --overwrite --quiet --output $$(@D)/run $$<
	pmae-export --part student --overwrite --quiet --output $$@ $$(@D)/run
endef

# --- Measuring ---------------------------------------------------------------------------------------------------

%.knn.json: %.stz $(OUT)/train.center.stz $(OUT)/test.center.stz
	pmae-evaluate knn $< $(OUT)/train.center.stz $(OUT)/test.center.stz --pool mean --k 20 --threads $(THREADS) --quiet > $@

# $(call finetune,OPTIONS,SEED): trains on the views of standard input or of a file, and measures.
finetune = pmae-finetune $1 --init $< --seed $2 --threads $(THREADS) --quiet --overwrite --output $(@:.json=.model.stz)
classify = pmae-evaluate classify $(@:.json=.model.stz) $(OUT)/test.center.stz --threads $(THREADS) --quiet > $@; \
  rm $(@:.json=.model.stz)
# $(call labelled,IMAGES,EPOCHS,SEED)
labelled = pmae-augment $1 --views $(FINETUNE_VIEW) --shuffle --size $(IMAGE) --epochs $2 --seed $3 --threads 1 --quiet

# A line a result: cell, seed, epoch, measure and top1, in %.
RESULTS := --rows cell,seed,epoch,measure --spread none --digits 2 --format tsv
# $(call measures,CELL,SEED): its file, of what was measured.
define measures
$(OUT)/cells/$1/seed$2/%.probe.json: $(OUT)/cells/$1/seed$2/%.stz $(OUT)/train.center.stz $(OUT)/test.center.stz
	$$(call finetune,$(PROBE),$2) $(OUT)/train.center.stz
	$$(classify)
$(OUT)/cells/$1/seed$2/%.few.json: $(OUT)/cells/$1/seed$2/%.stz $(OUT)/few.stz $(OUT)/test.center.stz
	$$(call labelled,$(OUT)/few.stz,$(FEW_EPOCHS),$2) | $$(call finetune,$(FEW),$2) -
	$$(classify)
$(OUT)/cells/$1/seed$2/%.all.json: $(OUT)/cells/$1/seed$2/%.stz $(OUT)/train.stz $(OUT)/test.center.stz
	$$(call labelled,$(OUT)/train.stz,$(ALL_EPOCHS),$2) | $$(call finetune,$(ALL),$2) -
	$$(classify)
$(OUT)/cells/$1/seed$2/result.tsv: \
    $(foreach e,$(call epochs,$1),$(OUT)/cells/$1/seed$2/epoch$e.knn.json $(OUT)/cells/$1/seed$2/epoch$e.probe.json) \
    $(OUT)/cells/$1/seed$2/epoch$(call last,$1).few.json $(OUT)/cells/$1/seed$2/epoch$(call last,$1).all.json
	pmae-evaluate table --path '{cell}/seed{seed}/epoch{epoch}.{measure}.json' --scale 100 $(RESULTS) $$^ > $$@
.PHONY: cell-$1-seed$2
cell-$1-seed$2: $(OUT)/cells/$1/seed$2/result.tsv
	@cat $$<
endef

trained := $(filter-out scratch,$(CELLS))
# $(call stages,CELL,SEED,EPOCHS,EPOCH-BEFORE): a rule for each epoch, which follows from the one before.
stages = $(if $3,$(eval $(call stage,$1,$2,$(firstword $3),$4))$(call stages,$1,$2,$(wordlist 2,99,$3),$(firstword $3)))
$(foreach c,$(trained),$(foreach s,$(SEEDS),$(call stages,$c,$s,$(EVALUATE_AT))))
$(foreach s,$(SEEDS),$(eval $(call untrained,$s)))
$(foreach c,$(CELLS),$(foreach s,$(SEEDS),$(eval $(call measures,$c,$s))))

ALL_RESULTS := $(foreach c,$(CELLS),$(foreach s,$(SEEDS),$(OUT)/cells/$c/seed$s/result.tsv))
$(OUT)/results.tsv: $(ALL_RESULTS)
	pmae-evaluate table $(RESULTS) $^ > $@

# The paper's tables, each of the cells that are there: mean and deviation over the seeds of top-1 accuracy, in %. Then k-NN and
# linear probe against epochs.
TABLE := pmae-evaluate table --rows cell --over seed --widths 42,17 $(OUT)/results.tsv
MEASURES := --columns measure --last epoch --column knn=k-NN --column 'probe=linear probe' --column 'few=few labels' \
  --column 'all=all labels' --skip-empty
MOMENTUM_ROWS := $(foreach m,$(sort 0.996 $(MOMENTA)),--row '$(if $(filter $m,$(MOMENTA)),momentum-$m,disentangled)=$m')
define tables
$(TABLE) $(MEASURES) --title Methods --row 'scratch=random weights, from scratch' --row mae=MAE --row sdae=SdAE \
  --row 'disentangled=Pseudo MAE'
echo
$(TABLE) $(MEASURES) --title 'Teachers (table 6)' --row 'single-iteration=single, each iteration' \
  --row 'single-epoch=single, each epoch' --row disentangled
echo
$(TABLE) $(MEASURES) --title 'Label momentum at the start (table 7)' $(MOMENTUM_ROWS)
echo
$(TABLE) $(MEASURES) --title 'Losses (table 8)' --row sdae=L_m --row 'lambda-c=L_m, L_c' --row 'lambda-p=L_m, L_p' \
  --row 'disentangled=L_m, L_c, L_p' --row 'lambda-1=L_m, L_c, L_p, each with weight 1'
echo
$(TABLE) $(MEASURES) --title 'Labels (table 9)' --row 'simple-1fold=simple view, one fold' \
  --row 'simple-3fold=simple view, multifold' --row 'complex-1fold=complex view, one fold' \
  --row 'disentangled=complex view, multifold'
echo
$(TABLE) --columns epoch --where measure=knn --title 'k-NN against epochs'
echo
$(TABLE) --columns epoch --where measure=probe --title 'linear probe against epochs'
endef
$(OUT)/table.txt: $(OUT)/results.tsv
	{
	$(tables)
	} > $@

# What a few steps of a cell cost. What is trained for it goes.
COSTS := $(foreach c,$(trained),$(OUT)/cells/$c/cost.json)
$(COSTS): $(OUT)/cells/%/cost.json: $(OUT)/train.stz
	@mkdir -p $(@D)
	{ pmae-augment $< --views $(or $($*.views),$(BOTH)) --size $(IMAGE) --epochs $(EPOCHS) --threads 1 --quiet || (($$? == 141)); } \
	  | pmae-pretrain $(SHAPE) $(call head,$*) $($*.options) --steps 4 --profile-json $@ --quiet --overwrite --output $(@D)/cost -
	rm -rf $(@D)/cost

# The GFLOP of an epoch of each cell.
$(OUT)/costs.tsv: $(COSTS)
	pmae-evaluate table --path '{cell}/cost.json' --rows cell --value gflop_per_step=gflop --spread none \
	  --scale $$(($(TRAIN_IMAGES) / $(BATCH))) --format tsv $^ > $@

curves: $(OUT)/curves.svg
$(OUT)/curves.svg: $(OUT)/results.tsv $(OUT)/costs.tsv $(SCRIPTS)/ablations-curves.sh
	$(SCRIPTS)/install.sh gnuplot-nox
	$(SCRIPTS)/ablations-curves.sh $(OUT)/results.tsv $(OUT)/costs.tsv > $@

cells:
	@printf '%s\n' $(foreach c,$(CELLS),$(foreach s,$(SEEDS),cell-$c-seed$s))

show: | $(OUT)/tools
	@shopt -s nullglob
	files=($(OUT)/cells/*/seed*/result.tsv)
	if ! (($${#files[@]})); then echo 'show: no cell is done in $(OUT)' >&2; exit 66; fi
	pmae-evaluate table $(RESULTS) "$${files[@]}" > $(OUT)/results.tsv
	$(tables)
