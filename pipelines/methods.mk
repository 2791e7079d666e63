#!/usr/bin/make -f
# All objectives beside each other, and training from scratch, on Fashion-MNIST: each with several seeds, measured by k-NN, linear
# probe, and fine-tuning on few labels and on all. A cell is a method.
#
#   pipelines/methods.mk                          all cells, then the table
#   pipelines/methods.mk cell-dino-seed0          one cell with one seed, for one of many machines
#   pipelines/methods.mk cells                    the names of all of them, one a line
#   pipelines/methods.mk show                     the table of what is there by now
#   pipelines/methods.mk BUDGET=compute           as many epochs of each as COMPUTE epochs of Pseudo MAE cost
#   pipelines/methods.mk SIZE=minute              a small version, to see that it works
#
# Each stage is a file under OUT: a second run does nothing, a killed one goes on where it was. A cell leaves one small file,
# OUT/cells/CELL/seedN/result.tsv. Of cells that ran on other machines, copy these to the same place and say `show`. An array of a
# batch system runs line N of `cells` as task N.

.DEFAULT_GOAL := table

# --- What a user may set -----------------------------------------------------------------------------------------

# hours: the quickstart's model on a third of the images. minute: a small model, two seeds.
SIZE ?= hours
# epochs: EPOCHS of each method. compute: each method costs as much as EPOCHS of Pseudo MAE, by the products of a step.
BUDGET ?= epochs
# Where everything goes.
OUT ?= run/methods-$(SIZE)-$(BUDGET)
# THREADS and BIN, the folder of the tools where they are not to be built, are in common.make.

ifeq ($(SIZE),minute)
SEEDS ?= 0 1
TRAIN_IMAGES ?= 2000
TEST_IMAGES ?= 1000
EPOCHS ?= 2
MODEL ?= --width 32 --depth 2 --heads 2
DECODER ?= --decoder-width 32 --decoder-depth 1 --decoder-heads 2
HEAD ?= --head-hidden 64 --head-bottleneck 32
PROTOTYPES ?= --prototypes 64
TOKENS ?= 64
PER_CLASS ?= 10
FEW_EPOCHS ?= 4
ALL_EPOCHS ?= 1
PROBE_EPOCHS ?= 4
else
SEEDS ?= 0 1 2
TRAIN_IMAGES ?= 20000
TEST_IMAGES ?= 10000
EPOCHS ?= 15
MODEL ?= --width 128 --depth 4 --heads 4
DECODER ?= --decoder-width 64 --decoder-depth 2 --decoder-heads 2
HEAD ?= --head-hidden 256 --head-bottleneck 64
PROTOTYPES ?= --prototypes 512
TOKENS ?= 512
PER_CLASS ?= 100
FEW_EPOCHS ?= 40
ALL_EPOCHS ?= 5
PROBE_EPOCHS ?= 30
endif

IMAGE ?= 28
PATCH ?= 7
LOCAL ?= 14
BATCH ?= 128
PRETRAIN ?= --lr 2e-3 --drop-path 0.05
# The weight of Pseudo MAE's label losses. The paper's is 1; on sets as small as this a tenth was better.
LABEL_WEIGHT ?= 0.1
PROBE ?= --mode linear --epochs $(PROBE_EPOCHS)
FINETUNE ?= --mode full --lr 1e-3 --layer-decay 1
FEW ?= $(FINETUNE) --batch 64
ALL ?= $(FINETUNE) --batch 256

# --- The cells ---------------------------------------------------------------------------------------------------

# A cell: its options, its views, the part that is measured and the pooling. Its rate and its decay are its authors' in kind; a
# value that is set for a cell on the command line, as dino.options='…', takes the place of what is here.
pseudo-mae.options ?= $(DECODER) $(HEAD) $(PROTOTYPES) --lambda-c $(LABEL_WEIGHT) --lambda-p $(LABEL_WEIGHT)
pseudo-mae.views ?= simple,complex
sdae.options ?= $(DECODER) $(HEAD) $(PROTOTYPES) --lambda-c 0 --lambda-p 0
mae.options ?= --objective mae $(DECODER)
DISTIL := $(HEAD) $(PROTOTYPES) --teacher-momentum 0.99 --clip 3 --freeze-epochs 0
dino.options ?= --objective dino $(DISTIL)
dino.views ?= dino --local-size $(LOCAL)
ibot.options ?= --objective ibot $(DISTIL) --teacher-temperature-epochs 0
ibot.views ?= ibot --local-size $(LOCAL)
moco-v3.options ?= --objective moco-v3 $(HEAD)
moco-v3.views ?= moco
TOKEN := --vocabulary $(TOKENS) --tokenizer $(OUT)/tokens.stz --mask-least 2 --clip 3
beit.options ?= --objective beit $(TOKEN)
beit.views ?= beit
cae.options ?= --objective cae $(TOKEN) --regressor-depth 2 --decoder-depth 2
cae.views ?= beit
simmim.options ?= --objective simmim --mask-unit 1 --drop-at 0 --clip 5
simmim.views ?= simmim
$(foreach c,dino ibot,$(eval $c.part ?= teacher))
$(foreach c,dino ibot moco-v3,$(eval $c.pool ?= class))

CELLS ?= pseudo-mae sdae mae dino ibot moco-v3 beit cae simmim scratch
trained := $(filter-out scratch,$(CELLS))

views = $(or $($1.views),simple)
part = $(or $($1.part),student)
pool = $(or $($1.pool),mean)

# --- Tools and data ----------------------------------------------------------------------------------------------

PACKAGES := gzip dataset-fashion-mnist
include $(dir $(lastword $(MAKEFILE_LIST)))common.make

ifeq ($(filter $(BUDGET),epochs compute),)
$(error BUDGET is $(BUDGET): expected epochs or compute)
endif

.PHONY: show cells

PACK = pmae-pack --overwrite --quiet --threads $(THREADS)
TRAIN := $(FASHION)/train-images-idx3-ubyte.gz --labels $(FASHION)/train-labels-idx1-ubyte.gz
TEST := $(FASHION)/t10k-images-idx3-ubyte.gz --labels $(FASHION)/t10k-labels-idx1-ubyte.gz

# The packed file keeps its old date where a tool was built anew: only its absence makes it again.
$(OUT)/train.stz: | $(OUT)/tools
	$(PACK) $(TRAIN) --limit $(TRAIN_IMAGES) --output $@
$(OUT)/test.stz: | $(OUT)/tools
	$(PACK) $(TEST) --limit $(TEST_IMAGES) --output $@
$(OUT)/few.stz: $(OUT)/train.stz
	$(PACK) $(TRAIN) --limit $(TRAIN_IMAGES) --per-class $(PER_CLASS) --output $@
.PRECIOUS: $(OUT)/%.center.stz
$(OUT)/%.center.stz: $(OUT)/%.stz
	pmae-augment --views center --size $(IMAGE) --overwrite --quiet --threads $(THREADS) --output $@ $<
$(OUT)/tokens.stz: $(OUT)/train.stz
	pmae-augment --views beit --size $(IMAGE) --quiet $< \
	  | pmae-evaluate tokenizer --patch $(PATCH) --vocabulary $(TOKENS) --overwrite --quiet --output $@ -

# --- Pretraining -------------------------------------------------------------------------------------------------

SHAPE := --image $(IMAGE) --patch $(PATCH) $(MODEL) --batch $(BATCH) $(PRETRAIN)

# What a few steps of a cell cost. What is trained for it goes.
COSTS := $(foreach c,$(trained),$(OUT)/cells/$c/cost.json)
$(COSTS): $(OUT)/cells/%/cost.json: $(OUT)/train.stz $(OUT)/tokens.stz
	@mkdir -p $(@D)
	{ pmae-augment $< --views $(call views,$*) --size $(IMAGE) --epochs 1 --threads 1 --quiet || (($$? == 141)); } \
	  | pmae-pretrain $(SHAPE) --epochs 1 $($*.options) --steps 4 --profile-json $@ --quiet --overwrite --output $(@D)/cost -
	rm -rf $(@D)/cost
$(OUT)/costs.tsv: $(COSTS)
	pmae-evaluate table --path '{cell}/cost.json' --rows cell --value gflop_per_step=gflop --spread none --format tsv --no-header $^ > $@
# Of each cell the epochs that cost what EPOCHS of pseudo-mae do, at least one.
$(OUT)/epochs.mk: $(OUT)/costs.tsv
	awk -F '\t' -v epochs=$(EPOCHS) '{ cost[$$1] = $$2 }
	  END { for (c in cost) { n = int(epochs * cost["pseudo-mae"] / cost[c] + 0.5); if (n < 1) n = 1; printf "%s.epochs := %d\n", c, n } }' $< > $@
ifeq ($(BUDGET),compute)
ifeq ($(filter cells show,$(MAKECMDGOALS)),)
include $(OUT)/epochs.mk
endif
endif
epochs = $(or $($1.epochs),$(EPOCHS))

# The augmenter ends by SIGPIPE (141) where the trainer has had enough: the rows after the last whole batch.
define cell
$(OUT)/cells/$1/seed$2/encoder.stz: $(OUT)/train.stz $(if $(findstring tokens.stz,$($1.options)),$(OUT)/tokens.stz)
	@mkdir -p $$(@D)
	{ pmae-augment $(OUT)/train.stz --views $(call views,$1) --size $(IMAGE) --epochs $(call epochs,$1) --seed $2 --threads 1 \
	    --quiet --resume $$(@D)/run || (($$$$? == 141)); } \
	  | pmae-pretrain $(SHAPE) --epochs $(call epochs,$1) $($1.options) --seed $2 --threads $(THREADS) --quiet --resume \
	    --output $$(@D)/run -
	pmae-export --part $(call part,$1) --overwrite --quiet --output $$@ $$(@D)/run
endef

# The same weights before the first step: of the views no more than the first record is read.
define untrained
$(OUT)/cells/scratch/seed$1/encoder.stz: $(OUT)/train.stz
	@mkdir -p $$(@D)
	{ pmae-augment --views simple --size $(IMAGE) --quiet $(OUT)/train.stz || (($$$$? == 141)); } \
	  | pmae-pretrain $(SHAPE) --objective mae $(DECODER) --epochs 1 --seed $1 --steps 0 --overwrite --quiet --output $$(@D)/run -
	pmae-export --part student --overwrite --quiet --output $$@ $$(@D)/run
endef

# --- Measuring ---------------------------------------------------------------------------------------------------

classify = pmae-evaluate classify $(@:.json=.model.stz) $(OUT)/test.center.stz --threads $(THREADS) --quiet > $@; \
  rm $(@:.json=.model.stz)
# $(call finetune,OPTIONS,CELL,SEED)
finetune = pmae-finetune $1 --pool $(call pool,$2) --init $< --seed $3 --threads $(THREADS) --quiet --overwrite \
  --output $(@:.json=.model.stz)
# $(call labelled,IMAGES,EPOCHS,SEED)
labelled = pmae-augment $1 --views center --shuffle --size $(IMAGE) --epochs $2 --seed $3 --threads 1 --quiet

# A line a result: cell, seed, measure and top1, in %.
RESULTS := --rows cell,seed,measure --spread none --digits 2 --format tsv
define measures
$(OUT)/cells/$1/seed$2/knn.json: $(OUT)/cells/$1/seed$2/encoder.stz $(OUT)/train.center.stz $(OUT)/test.center.stz
	pmae-evaluate knn $$< $(OUT)/train.center.stz $(OUT)/test.center.stz --pool $(call pool,$1) --k 20 --threads $(THREADS) \
	  --quiet > $$@
$(OUT)/cells/$1/seed$2/probe.json: $(OUT)/cells/$1/seed$2/encoder.stz $(OUT)/train.center.stz $(OUT)/test.center.stz
	$$(call finetune,$(PROBE),$1,$2) $(OUT)/train.center.stz
	$$(classify)
$(OUT)/cells/$1/seed$2/few.json: $(OUT)/cells/$1/seed$2/encoder.stz $(OUT)/few.stz $(OUT)/test.center.stz
	$$(call labelled,$(OUT)/few.stz,$(FEW_EPOCHS),$2) | $$(call finetune,$(FEW),$1,$2) -
	$$(classify)
$(OUT)/cells/$1/seed$2/all.json: $(OUT)/cells/$1/seed$2/encoder.stz $(OUT)/train.stz $(OUT)/test.center.stz
	$$(call labelled,$(OUT)/train.stz,$(ALL_EPOCHS),$2) | $$(call finetune,$(ALL),$1,$2) -
	$$(classify)
$(OUT)/cells/$1/seed$2/result.tsv: $(foreach m,knn probe few all,$(OUT)/cells/$1/seed$2/$m.json)
	pmae-evaluate table --path '{cell}/seed{seed}/{measure}.json' --scale 100 $(RESULTS) $$^ > $$@
.PHONY: cell-$1-seed$2
cell-$1-seed$2: $(OUT)/cells/$1/seed$2/result.tsv
	@cat $$<
endef

$(foreach c,$(trained),$(foreach s,$(SEEDS),$(eval $(call cell,$c,$s))))
$(foreach s,$(SEEDS),$(eval $(call untrained,$s)))
$(foreach c,$(CELLS),$(foreach s,$(SEEDS),$(eval $(call measures,$c,$s))))

ALL_RESULTS := $(foreach c,$(CELLS),$(foreach s,$(SEEDS),$(OUT)/cells/$c/seed$s/result.tsv))
$(OUT)/results.tsv: $(ALL_RESULTS)
	pmae-evaluate table $(RESULTS) $^ > $@

# Mean and deviation over the seeds of top-1 accuracy, in %.
define tables
pmae-evaluate table --rows cell --over seed --widths 28,17 $(OUT)/results.tsv --columns measure --column knn=k-NN \
  --column 'probe=linear probe' --column 'few=few labels' --column 'all=all labels' --skip-empty \
  --title 'Methods, equal $(BUDGET)' --row 'scratch=from scratch' --row dino=DINO --row ibot=iBOT --row 'moco-v3=MoCo v3' \
  --row beit=BEiT --row mae=MAE --row simmim=SimMIM --row cae=CAE --row sdae=SdAE --row 'pseudo-mae=Pseudo MAE'
endef
$(OUT)/table.txt: $(OUT)/results.tsv
	{
	$(tables)
	} > $@

cells:
	@printf '%s\n' $(foreach c,$(CELLS),$(foreach s,$(SEEDS),cell-$c-seed$s))

show: | $(OUT)/tools
	@shopt -s nullglob
	files=($(OUT)/cells/*/seed*/result.tsv)
	if ! (($${#files[@]})); then echo 'show: no cell is done in $(OUT)' >&2; exit 66; fi
	pmae-evaluate table $(RESULTS) "$${files[@]}" > $(OUT)/results.tsv
	$(tables)
