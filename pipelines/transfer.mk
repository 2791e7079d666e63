#!/usr/bin/make -f
# An encoder on another set of labelled pictures: fine-tuning, linear probe and k-NN, and a table.
#
#   pipelines/transfer.mk ENCODER=run/imagenet/encoder.stz DATA=flowers OUT=run/flowers
#
# DATA has the folders train and test (TEST names another), each with a sub-folder a class; lists and other layouts can be packed
# by hand as OUT/train.stz and OUT/test.stz: see pmae-pack(1). Each stage is a file under OUT, and a killed run goes on where
# it was.

.DEFAULT_GOAL := table

# --- What a user may set -----------------------------------------------------------------------------------------

# What pmae-export wrote, or a .safetensors file in timm's names (which needs HEADS='--heads 12').
ENCODER ?=
HEADS ?=
DATA ?=
TEST ?= test
OUT ?= run/transfer
# THREADS and BIN, the folder of the tools where they are not to be built, are in common.make.
SEED ?= 0
PRECISION ?= float32
# The side that the encoder was trained for.
IMAGE ?= 224
SHORT_SIDE ?= 320
FINETUNE_EPOCHS ?= 100
FINETUNE_VIEW ?= finetune
FINETUNE ?= --base-lr 1e-3 --layer-decay 0.75
PROBE ?= --epochs 90 --pool class
KNN ?= --k 10,20 --pool class

# -----------------------------------------------------------------------------------------------------------------

include $(dir $(lastword $(MAKEFILE_LIST)))common.make

$(OUT)/started:
	@if [ ! -f '$(ENCODER)' ]; then echo 'transfer.mk: ENCODER is "$(ENCODER)": expected a file of weights' >&2; exit 64; fi
	mkdir -p $(OUT)
	touch $@

$(OUT)/train.stz: | $(OUT)/started $(OUT)/tools
	pmae-pack --short-side $(SHORT_SIDE) --threads $(THREADS) --overwrite --output $@ '$(DATA)/train'
$(OUT)/test.stz: | $(OUT)/started $(OUT)/tools
	pmae-pack --short-side $(SHORT_SIDE) --threads $(THREADS) --overwrite --output $@ '$(DATA)/$(TEST)'
AUGMENT = pmae-augment --size $(IMAGE) --seed $(SEED) --threads $(THREADS)
$(OUT)/%.center.stz: $(OUT)/%.stz
	$(AUGMENT) --views center --overwrite --output $@ $<

TRAIN_MODEL = pmae-finetune --init '$(ENCODER)' $(HEADS) --precision $(PRECISION) --seed $(SEED) --threads $(THREADS) --overwrite
$(OUT)/finetuned.model.stz: $(OUT)/train.stz $(ENCODER)
	$(AUGMENT) --views $(FINETUNE_VIEW) --shuffle --epochs $(FINETUNE_EPOCHS) --quiet --resume $(OUT)/finetuning $< \
	  | $(TRAIN_MODEL) --mode full $(FINETUNE) --epochs $(FINETUNE_EPOCHS) --run $(OUT)/finetuning --resume --output $@ -
$(OUT)/probe.model.stz: $(OUT)/train.center.stz $(ENCODER)
	$(TRAIN_MODEL) --mode linear $(PROBE) --output $@ $<
$(OUT)/%.json: $(OUT)/%.model.stz $(OUT)/test.center.stz
	pmae-evaluate classify --precision $(PRECISION) --threads $(THREADS) $< $(OUT)/test.center.stz > $@
$(OUT)/knn.json: $(OUT)/train.center.stz $(OUT)/test.center.stz $(ENCODER)
	pmae-evaluate knn $(KNN) $(HEADS) --precision $(PRECISION) --threads $(THREADS) '$(ENCODER)' \
	  $(OUT)/train.center.stz $(OUT)/test.center.stz > $@

$(OUT)/table.txt: $(OUT)/finetuned.json $(OUT)/probe.json $(OUT)/knn.json
	pmae-evaluate table --scale 100 --value top1=top-1 --value top5=top-5 --widths 24,9 $^ > $@
