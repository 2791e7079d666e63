#!/usr/bin/make -f
# A run that is killed again and again, and started again each time by the same make, ends in the files of one that was
# left alone, bit by bit.
#
#   pipelines/endurance.mk                       fifty kills each of pretraining and of fine-tuning, on Fashion-MNIST
#   pipelines/endurance.mk pretrained KILLS=200
#   pipelines/endurance.mk IMAGES=images.stz     on other pictures, which need labels
#
# `kill -9` comes to the augmenter, the trainer or both, at a random moment; every third waits until the trainer is writing
# a checkpoint. Where a run comes to its end between two kills it is compared, and another is begun.

.DEFAULT_GOAL := all

# --- What a user may set -----------------------------------------------------------------------------------------

# An images stream; empty: 600 pictures of Fashion-MNIST, from Debian's package.
IMAGES ?=
KILLS ?= 50
# Where everything goes; what is there is removed.
OUT ?= run/endurance
# Of the moments; each value gives other ones.
SEED ?= $(shell date +%N)
# THREADS and BIN, the folder of the tools where they are not to be built, are in common.make.
MODEL ?= --image 28 --patch 7 --width 12 --depth 1 --heads 3
EPOCHS ?= 30

# --- The stages, as any pipeline has them ------------------------------------------------------------------------

override OUT := $(abspath $(OUT))
PACKAGES := $(if $(IMAGES),,gzip dataset-fashion-mnist)
include $(dir $(lastword $(MAKEFILE_LIST)))common.make

.PHONY: all pretrained finetuned
all: pretrained finetuned

# Run in a folder of its own, so that all arguments, which a checkpoint records, are those of the run that it is compared with.
pretrain.done:
	pmae-augment ../images.stz --size 28 --epochs $(EPOCHS) --rows-per-record 16 --threads 1 --quiet --resume run \
	  | pmae-pretrain $(MODEL) --decoder-width 8 --decoder-depth 1 --decoder-heads 2 --head-hidden 8 --head-bottleneck 4 \
	      --prototypes 6 --batch 16 --epochs $(EPOCHS) --checkpoint-every 2 --keep 3 --keep-every 10 --threads $(THREADS) \
	      --quiet --resume --output run -
	touch $@
finetune.done:
	pmae-augment ../images.stz --size 28 --views simple --epochs $(EPOCHS) --rows-per-record 16 --threads 1 --quiet --resume run \
	  | pmae-finetune $(MODEL) --batch 16 --epochs $(EPOCHS) --checkpoint-every 2 --keep 3 --keep-every 10 \
	      --threads $(THREADS) --quiet --resume --overwrite --run run --output model.stz -
	touch $@

# --- Killing -----------------------------------------------------------------------------------------------------

$(OUT)/images.stz: again | $(OUT)/tools
	if [ -n "$(IMAGES)" ]; then cp "$(IMAGES)" $@; else
	  pmae-pack --overwrite --quiet --limit 600 --labels $(FASHION)/train-labels-idx1-ubyte.gz --output $@ \
	    $(FASHION)/train-images-idx3-ubyte.gz
	fi

pretrained: $(OUT)/images.stz
	$(SCRIPTS)/endurance.sh $(SCRIPTS)/endurance.mk pretrain $(OUT) $(KILLS) $(SEED) \
	  EPOCHS=$(EPOCHS) THREADS=$(THREADS) BIN=$(TOOLS) MODEL="$(MODEL)"
finetuned: $(OUT)/images.stz
	$(SCRIPTS)/endurance.sh $(SCRIPTS)/endurance.mk finetune $(OUT) $(KILLS) $(SEED) \
	  EPOCHS=$(EPOCHS) THREADS=$(THREADS) BIN=$(TOOLS) MODEL="$(MODEL)"
