#!/usr/bin/make -f
# Semantic segmentation by UPerNet on an encoder that was pretrained on the same pictures without their masks: from scratch, MAE, SdAE and
# Pseudo MAE, each with several seeds, and a table of mIoU, mAcc and aAcc on the part for validation.
#
#   pipelines/segmentation.mk                                 on scenes that it makes itself: see data/scenes.py
#   pipelines/segmentation.mk DATA=ADEChallengeData2016       on ADE20K, or any folder in its layout
#   pipelines/segmentation.mk cell-mae-seed0                  one cell with one seed, for one of many machines
#   pipelines/segmentation.mk cells                           the names of all of them, one a line
#   pipelines/segmentation.mk show                            the table of what is there by now
#   pipelines/segmentation.mk SIZE=minute                     a small version, to see that it works
#   pipelines/segmentation.mk -j 2 THREADS=1                  two cells at a time, which is quicker with networks as small as these
#
# Each stage is a file under OUT: a second run does nothing, a killed one goes on where it was.

.DEFAULT_GOAL := table

# --- What a user may set -----------------------------------------------------------------------------------------

# hours: under two hours on two cores. minute: a tiny model, one seed.
SIZE ?= hours
# A folder in ADE20K's layout; none: scenes are made, COUNT for training and a quarter as many for validation, SCENE pixels long, with
# the things that SCENES says. All of scenes.py's kinds of things in their sizes are more than a network learns in an hour here.
DATA ?=
SCENES ?= --garments --sides 0.3-0.7
# Where everything goes.
OUT ?= run/segmentation-$(SIZE)$(if $(DATA),-$(notdir $(abspath $(DATA))))
# bfloat16 where the processor has its instructions; otherwise float32.
PRECISION ?= auto
# THREADS and BIN, the folder of the tools where they are not to be built, are in common.make.

ifeq ($(SIZE),minute)
SEEDS ?= 0
COUNT ?= 48
SCENE ?= 64
CROP ?= 32
EPOCHS ?= 2
TRAIN_EPOCHS ?= 2
MODEL ?= --width 24 --depth 4 --heads 2
DECODER ?= --decoder-width 16 --decoder-depth 1 --decoder-heads 2
HEAD ?= --head-hidden 32 --head-bottleneck 16
PROTOTYPES ?= --prototypes 32
UPERNET ?= --head-channels 16 --aux-channels 16
BATCH ?= 16
TRAIN_BATCH ?= 8
else
SEEDS ?= 0 1 2
COUNT ?= 4000
SCENE ?= 64
CROP ?= $(if $(DATA),96,64)
EPOCHS ?= 30
TRAIN_EPOCHS ?= 6
MODEL ?= --width 128 --depth 4 --heads 4
DECODER ?= --decoder-width 64 --decoder-depth 2 --decoder-heads 2
HEAD ?= --head-hidden 256 --head-bottleneck 64
PROTOTYPES ?= --prototypes 512
UPERNET ?= --head-channels 64 --aux-channels 64
BATCH ?= 64
TRAIN_BATCH ?= 8
endif

PATCH ?= 8
PRETRAIN ?= --lr 1e-3 --drop-path 0.05
# The weight of Pseudo MAE's label losses: the paper's is 1; on sets as small as this a tenth was better.
LABEL_WEIGHT ?= 0.1
# The rate of fine-tuning, and what a layer's is of the next one's: from scratch, all layers learn alike.
FINETUNE ?= --lr 1e-3
LAYER_DECAY ?= 0.75
scratch.decay ?= 1
# The views of fine-tuning: of small scenes, whose things are large already, a milder change of scale than ADE20K's.
TRAIN_VIEW ?= $(if $(DATA),--views segment,--view 'name=segment: scale 0.75-1.5, crop $(CROP) category 0.75, flip, photometric')

# --- The cells ---------------------------------------------------------------------------------------------------

pseudo-mae.options ?= $(DECODER) $(HEAD) $(PROTOTYPES) --lambda-c $(LABEL_WEIGHT) --lambda-p $(LABEL_WEIGHT)
pseudo-mae.views ?= simple,complex
sdae.options ?= $(DECODER) $(HEAD) $(PROTOTYPES) --lambda-c 0 --lambda-p 0
mae.options ?= --objective mae $(DECODER)

CELLS ?= pseudo-mae sdae mae scratch
trained := $(filter-out scratch,$(CELLS))
views = $(or $($1.views),simple)

# --- Tools and data ----------------------------------------------------------------------------------------------

WALLPAPERS := mate-backgrounds gnome-backgrounds plasma-workspace-wallpapers
PYTHON_PACKAGES := numpy pillow
SETTINGS := DATA $(if $(DATA),,SCENES COUNT SCENE) PRECISION CROP EPOCHS TRAIN_EPOCHS MODEL DECODER HEAD PROTOTYPES UPERNET BATCH TRAIN_BATCH \
  PATCH PRETRAIN LABEL_WEIGHT FINETUNE LAYER_DECAY TRAIN_VIEW $(foreach c,$(CELLS),$c.options $c.views $c.decay)
include $(dir $(lastword $(MAKEFILE_LIST)))common.make
include $(SCRIPTS)/python.make

.PHONY: show cells

ifeq ($(DATA),)
ADE := $(OUT)/scenes
$(OUT)/data.done: $(OUT)/python.done
	$(SCRIPTS)/install.sh dataset-fashion-mnist tuxpaint-stamps-default $(WALLPAPERS)
	rm -rf $(ADE)
	$(PYTHON) $(SCRIPTS)/data/scenes.py $(ADE) --layout ade --count $(COUNT) --size $(SCENE) $(SCENES)
	touch $@
else
ADE := $(DATA)
$(OUT)/data.done:
	@mkdir -p $(@D)
	if ! [ -d '$(ADE)/annotations/training' ]; then echo 'segmentation: $(ADE)/annotations/training is not there: DATA is a folder in the layout of ADEChallengeData2016' >&2; exit 66; fi
	touch $@
endif

# The packed file keeps its old date where a tool was built anew: only its absence makes it again.
$(OUT)/training.stz $(OUT)/validation.stz: $(OUT)/%.stz: $(OUT)/data.done | $(OUT)/tools
	pmae-pack --overwrite --quiet --threads $(THREADS) --split $* --output $@ $(ADE)
# Pictures at their size for evaluation.
$(OUT)/test.stz: $(OUT)/validation.stz
	pmae-augment --views segment-test --size $(CROP) --overwrite --quiet --threads $(THREADS) --output $@ $<

# --- Pretraining -------------------------------------------------------------------------------------------------

SHAPE := --image $(CROP) --patch $(PATCH) $(MODEL) --batch $(BATCH) $(PRETRAIN)
RUNNING := --precision $(PRECISION) --threads $(THREADS) --quiet

# The augmenter ends by SIGPIPE (141) where the trainer has had enough: the rows after the last whole batch.
define cell
$(OUT)/cells/$1/seed$2/encoder.stz: $(OUT)/training.stz
	@mkdir -p $$(@D)
	{ pmae-augment $$< --no-masks --views $(call views,$1) --size $(CROP) --epochs $(EPOCHS) --seed $2 --threads 1 \
	    --quiet --resume $$(@D)/run || (($$$$? == 141)); } \
	  | pmae-pretrain $(SHAPE) --epochs $(EPOCHS) $($1.options) --seed $2 $(RUNNING) --resume --output $$(@D)/run -
	pmae-export --part student --overwrite --quiet --output $$@ $$(@D)/run
endef

# The same weights before the first step: of the views no more than the first record is read.
define untrained
$(OUT)/cells/scratch/seed$1/encoder.stz: $(OUT)/training.stz
	@mkdir -p $$(@D)
	{ pmae-augment --no-masks --views simple --size $(CROP) --quiet $$< || (($$$$? == 141)); } \
	  | pmae-pretrain $(SHAPE) --objective mae $(DECODER) --epochs 1 --seed $1 --steps 0 --overwrite --quiet --output $$(@D)/run -
	pmae-export --part student --overwrite --quiet --output $$@ $$(@D)/run
endef

# --- Fine-tuning and measuring -----------------------------------------------------------------------------------

define measures
$(OUT)/cells/$1/seed$2/model.stz: $(OUT)/cells/$1/seed$2/encoder.stz $(OUT)/training.stz
	pmae-augment $(OUT)/training.stz $(TRAIN_VIEW) --size $(CROP) --epochs $(TRAIN_EPOCHS) --seed $2 --threads 1 --quiet \
	  | pmae-finetune --task segment $(FINETUNE) --layer-decay $(or $($1.decay),$(LAYER_DECAY)) $(UPERNET) --batch $(TRAIN_BATCH) \
	    --init $$< --seed $2 $(RUNNING) --overwrite --output $$@ -
$(OUT)/cells/$1/seed$2/segment.json: $(OUT)/cells/$1/seed$2/model.stz $(OUT)/test.stz
	pmae-evaluate segment $$^ $(RUNNING) $$(save)
.PHONY: cell-$1-seed$2
cell-$1-seed$2: $(OUT)/cells/$1/seed$2/segment.json
	@cat $$<
endef

$(foreach c,$(trained),$(foreach s,$(SEEDS),$(eval $(call cell,$c,$s))))
$(foreach s,$(SEEDS),$(eval $(call untrained,$s)))
$(foreach c,$(CELLS),$(foreach s,$(SEEDS),$(eval $(call measures,$c,$s))))

ALL_RESULTS := $(foreach c,$(CELLS),$(foreach s,$(SEEDS),$(OUT)/cells/$c/seed$s/segment.json))

# Mean and deviation over the seeds, in %. $1: the files.
table = pmae-evaluate table --path '{cell}/seed{seed}/segment.json' --rows cell --over seed --value mIoU=mIoU --value mAcc=mAcc \
  --value aAcc=aAcc --scale 100 --widths 28,17 --title 'UPerNet on $(if $(DATA),$(notdir $(abspath $(DATA))),scenes)' \
  --row 'scratch=from scratch' --row mae=MAE --row sdae=SdAE --row 'pseudo-mae=Pseudo MAE' $1
$(OUT)/table.txt: $(ALL_RESULTS) again
	@$(call table,$(ALL_RESULTS)) $(replace)

cells:
	@printf '%s\n' $(foreach c,$(CELLS),$(foreach s,$(SEEDS),cell-$c-seed$s))

show: | $(OUT)/tools
	@shopt -s nullglob
	files=($(OUT)/cells/*/seed*/segment.json)
	if ! (($${#files[@]})); then echo 'show: no cell is done in $(OUT)' >&2; exit 66; fi
	$(call table,"$${files[@]}")
