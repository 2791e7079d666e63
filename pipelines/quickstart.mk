#!/usr/bin/make -f
# From pictures to a measured table: pack, pretrain with Pseudo MAE, export, and compare with random weights.
#
#   pipelines/quickstart.mk                          Fashion-MNIST, from Debian's package
#   pipelines/quickstart.mk DATA=photos IMAGE=64 PATCH=8            a folder of JPEG and PNG files, a sub-folder a class
#   pipelines/quickstart.mk encoder DATA=photos IMAGE=64 PATCH=8    without classes: as far as the encoder
#
# Each stage is a file under OUT: a second run does nothing, a killed one goes on where it was, and a stage whose file is
# deleted is made again with all that follow from it. `make -n` shows what would be done.

.DEFAULT_GOAL := table

# --- What a user may set -----------------------------------------------------------------------------------------

# A folder of JPEG and PNG files; empty: Fashion-MNIST. With sub-folders `train` and `test` those are used, otherwise HELD_OUT
# pictures are kept for the test.
DATA ?=
HELD_OUT ?= 1000
# Where everything goes.
OUT ?= run/quickstart
# THREADS and BIN, the folder of the tools where they are not to be built, are in common.make.
SEED ?= 0
# bfloat16 is faster where the processor has its instructions, and several times slower elsewhere.
PRECISION ?= float32

# The side of the views and of a patch.
IMAGE ?= 28
PATCH ?= 7
# The encoder, the decoder and the head.
MODEL ?= --width 128 --depth 4 --heads 4 --decoder-width 64 --decoder-depth 2 --decoder-heads 2 \
  --head-hidden 256 --head-bottleneck 64 --prototypes 512
# Pretraining. Patch, width, learning rate and the weights of the label losses were chosen on the last 10,000 training
# images, held out for that; the test set took no part.
EPOCHS ?= 12
BATCH ?= 128
PRETRAIN ?= --lr 2e-3 --drop-path 0.05 --lambda-c 0.1 --lambda-p 0.1

# Fine-tuning: so many labels a class, with so many seeds.
PER_CLASS ?= 100
SEEDS ?= 0 1 2
FINETUNE_EPOCHS ?= 40
FINETUNE_VIEW ?= center
FINETUNE ?= --mode full --batch 64 --lr 1e-3 --layer-decay 1
# The linear probe, on all labels.
PROBE ?= --mode linear --epochs 30

# --- Tools and data ----------------------------------------------------------------------------------------------

PACKAGES := $(if $(DATA),,gzip dataset-fashion-mnist)
include $(dir $(lastword $(MAKEFILE_LIST)))common.make

.PHONY: encoder options
encoder: $(OUT)/teacher.stz

# Stages replace what an unfinished or older run left.
PACK = pmae-pack --overwrite --seed $(SEED) --threads $(THREADS)
AUGMENT = pmae-augment --size $(IMAGE) --seed $(SEED)
RUNNING = --precision $(PRECISION) --threads $(THREADS)

ifeq ($(DATA),)
$(OUT)/train.stz: $(OUT)/tools
	$(PACK) $(FASHION)/train-images-idx3-ubyte.gz --labels $(FASHION)/train-labels-idx1-ubyte.gz --output $@
$(OUT)/test.stz: $(OUT)/tools
	$(PACK) $(FASHION)/t10k-images-idx3-ubyte.gz --labels $(FASHION)/t10k-labels-idx1-ubyte.gz --output $@
$(OUT)/few.stz: $(OUT)/tools
	$(PACK) $(FASHION)/train-images-idx3-ubyte.gz --labels $(FASHION)/train-labels-idx1-ubyte.gz \
	  --shuffle --per-class $(PER_CLASS) --output $@
else ifneq ($(wildcard $(DATA)/train/.),)
$(OUT)/train.stz: $(OUT)/tools
	$(PACK) $(DATA)/train --output $@
$(OUT)/test.stz: $(OUT)/tools
	$(PACK) $(DATA)/test --output $@
$(OUT)/few.stz: $(OUT)/tools
	$(PACK) $(DATA)/train --shuffle --per-class $(PER_CLASS) --output $@
else
$(OUT)/train.stz: $(OUT)/tools
	$(PACK) $(DATA) --shuffle --skip $(HELD_OUT) --output $@
$(OUT)/test.stz: $(OUT)/tools
	$(PACK) $(DATA) --shuffle --limit $(HELD_OUT) --output $@
$(OUT)/few.stz: $(OUT)/tools
	$(PACK) $(DATA) --shuffle --skip $(HELD_OUT) --per-class $(PER_CLASS) --output $@
endif

# --- Pretraining -------------------------------------------------------------------------------------------------

SHAPE := --image $(IMAGE) --patch $(PATCH) $(MODEL) --batch $(BATCH) --epochs $(EPOCHS) --seed $(SEED) $(PRETRAIN)

# What is pretrained, and how: for benchmark.mk, which times it.
options:
	@echo '$(SHAPE)'

# The file says that the run is complete; a checkpoint alone may be a killed run's, which --resume continues.
$(OUT)/pretrained.done: $(OUT)/train.stz
	pmae-augment $< --size $(IMAGE) --epochs $(EPOCHS) --seed $(SEED) --threads 1 --quiet \
	    --resume $(OUT)/pretrained \
	  | pmae-pretrain $(SHAPE) $(RUNNING) --resume --output $(OUT)/pretrained -
	touch $@

# The same weights before the first step: of the views no more than the first record is read.
$(OUT)/random.done: $(OUT)/train.center.stz
	pmae-pretrain $(SHAPE) --steps 0 --overwrite --quiet --output $(OUT)/random $<
	touch $@

$(OUT)/random.stz: $(OUT)/random.done
	pmae-export --part student --overwrite --output $@ $(OUT)/random
$(OUT)/teacher.stz: $(OUT)/pretrained.done
	pmae-export --part labelling-teacher --overwrite --output $@ $(OUT)/pretrained
$(OUT)/student.stz: $(OUT)/pretrained.done
	pmae-export --part student --overwrite --output $@ $(OUT)/pretrained

# --- Measuring ---------------------------------------------------------------------------------------------------

# Kept, although no rule names them.
.PRECIOUS: $(OUT)/%.center.stz $(OUT)/%.probe.stz

$(OUT)/%.center.stz: $(OUT)/%.stz
	$(AUGMENT) --views center --overwrite --threads $(THREADS) --output $@ $<

$(OUT)/%.knn.json: $(OUT)/%.stz $(OUT)/train.center.stz $(OUT)/test.center.stz
	pmae-evaluate knn $< $(OUT)/train.center.stz $(OUT)/test.center.stz --pool mean --k 20 $(RUNNING) > $@

$(OUT)/%.probe.stz: $(OUT)/%.stz $(OUT)/train.center.stz
	pmae-finetune $(PROBE) --pool mean --init $< --seed $(SEED) $(RUNNING) --overwrite --output $@ \
	  $(OUT)/train.center.stz
$(OUT)/%.probe.json: $(OUT)/%.probe.stz $(OUT)/test.center.stz
	pmae-evaluate classify $< $(OUT)/test.center.stz $(RUNNING) > $@

# A line for each seed.
$(OUT)/%.finetune.json: $(OUT)/%.stz $(OUT)/few.stz $(OUT)/test.center.stz
	for seed in $(SEEDS); do
	  pmae-augment $(OUT)/few.stz --views $(FINETUNE_VIEW) --shuffle --size $(IMAGE) \
	      --epochs $(FINETUNE_EPOCHS) --seed "$$seed" --quiet \
	    | pmae-finetune $(FINETUNE) --init $< --seed "$$seed" $(RUNNING) --overwrite \
	        --output $(OUT)/$*.finetuned.stz -
	  pmae-evaluate classify $(OUT)/$*.finetuned.stz $(OUT)/test.center.stz $(RUNNING)
	done > $@

ROWS := random teacher student
RESULTS := $(foreach row,$(ROWS),$(OUT)/$(row).knn.json $(OUT)/$(row).probe.json $(OUT)/$(row).finetune.json)

# Top-1 accuracy in %.
$(OUT)/table.txt: $(RESULTS)
	labels=$$(pmae-evaluate table --rows file --value train_images --digits 0 --format tsv --no-header $< | cut -f 2)
	pmae-evaluate table --path '{encoder}.{measure}.json' --rows encoder --columns measure --scale 100 \
	  --row 'random=random weights' --row 'teacher=labelling teacher' --row student --column $$'knn=k-NN\nk = 20' \
	  --column $$'probe=linear probe\n'"$$labels labels" --column $$'finetune=fine-tuned\n$(PER_CLASS) labels a class' \
	  --heading encoder --widths 22,9,15,23 --no-counts $^ > $@
