#!/usr/bin/make -f
# The paper's protocol on ImageNet-1K, or on any set of that layout: pack, pretrain, export, then fine-tuning, linear probe and
# k-NN on the validation images, and a table.
#
#   pipelines/imagenet.mk IMAGENET=/data/imagenet                      train and val, each with a sub-folder a class
#   pipelines/imagenet.mk IMAGENET=/data/imagenet encoder              as far as the encoder
#   pipelines/imagenet.mk IMAGENET=/data/imagenet PRESET=mae-vit-base-800 VIEWS=simple OUT=run/mae BATCH=4096
#   pipelines/imagenet.mk check                                        all of it on a stand-in of a few pictures
#
# As ImageNet comes, val is flat, with a list of labels: the first lines of the example in pmae-pack(1) say how to pack that; put
# the stream at OUT/val.stz. Each stage is a file under OUT: a second run does nothing, a killed one goes on where it was.

.DEFAULT_GOAL := table

# --- What a user may set -----------------------------------------------------------------------------------------

# The folder with train and val.
IMAGENET ?=
# Where everything goes.
OUT ?= run/imagenet
# THREADS and BIN, the folder of the tools where they are not to be built, are in common.make.
SEED ?= 0
PRECISION ?= float32

# Packing: pictures are made smaller to this short side, once, and a shard holds this much.
SHORT_SIDE ?= 320
SHARD_SIZE ?= 1G
# How much of the pictures is kept in memory, to be shuffled.
SHUFFLE_MEMORY ?= 8G

# Pretraining: pmae-pretrain --print-preset says what a preset is. The epochs, which are the last part of its name, the batch and the side
# are asked for again because the views, and the memory that a step needs, depend on them; the warm-up is the preset's, unless given. More
# options go into PRETRAIN, and win.
PRESET ?= imagenet-vit-base-300
EPOCHS ?= $(lastword $(subst -, ,$(PRESET)))
WARMUP_EPOCHS ?=
BATCH ?= 768
ACCUMULATE ?= 8
IMAGE ?= 224
PRETRAIN ?=
VIEWS ?= simple,complex
# labelling-teacher, reconstruction-teacher or student.
PART ?= student

# Fine-tuning: 100 epochs of MAE's recipe for ViT-B, which the paper follows.
FINETUNE_EPOCHS ?= 100
FINETUNE_VIEW ?= finetune
FINETUNE ?= --batch 1024 --accumulate 16 --base-lr 5e-4 --warmup-epochs 5 --layer-decay 0.65 --drop-path 0.1 \
  --weight-decay 0.05 --label-smoothing 0.1 --mixup 0.8 --cutmix 1
# The linear probe, on the features of one center view a picture.
PROBE ?= --epochs 90 --pool class
KNN ?= --k 10,20,100,200 --pool class

# --- Tools -------------------------------------------------------------------------------------------------------

SETTINGS := $(if $(IMAGENET),IMAGENET) SEED PRECISION SHORT_SIDE PRESET EPOCHS WARMUP_EPOCHS BATCH IMAGE PRETRAIN VIEWS PART FINETUNE_EPOCHS \
  FINETUNE_VIEW FINETUNE PROBE KNN
include $(dir $(lastword $(MAKEFILE_LIST)))common.make

.PHONY: encoder check
encoder: $(OUT)/encoder.stz

# --- Data --------------------------------------------------------------------------------------------------------

# The file says that all shards are there; a killed run's are kept. Shuffled: neighbours in a shard are of all classes.
$(OUT)/train.done: | $(OUT)/tools
	@if [ ! -d '$(IMAGENET)/train' ]; then echo 'imagenet.mk: IMAGENET is "$(IMAGENET)": expected a folder with train and val' >&2; exit 64; fi
	pmae-pack --short-side $(SHORT_SIDE) --shard-size $(SHARD_SIZE) --shuffle --seed $(SEED) --threads $(THREADS) --resume \
	  --output '$(OUT)/train-%05d.stz' '$(IMAGENET)/train'
	touch $@
$(OUT)/val.stz: | $(OUT)/tools
	pmae-pack --short-side $(SHORT_SIDE) --threads $(THREADS) --overwrite --output $@ '$(IMAGENET)/val'

AUGMENT = pmae-augment --size $(IMAGE) --seed $(SEED) --shuffle-memory $(SHUFFLE_MEMORY) --threads $(THREADS)
SHARDS := $(OUT)/train-[0-9]*.stz
$(OUT)/train.center.stz: $(OUT)/train.done
	$(AUGMENT) --views center --overwrite --output $@ $(SHARDS)
$(OUT)/val.center.stz: $(OUT)/val.stz
	$(AUGMENT) --views center --overwrite --output $@ $<

# --- Pretraining -------------------------------------------------------------------------------------------------

$(OUT)/pretrained.done: $(OUT)/train.done
	$(AUGMENT) --views $(VIEWS) --epochs $(EPOCHS) --quiet --resume $(OUT)/pretrained $(SHARDS) \
	  | pmae-pretrain --preset $(PRESET) --image $(IMAGE) --batch $(BATCH) --accumulate $(ACCUMULATE) --epochs $(EPOCHS) \
	      $(WARMUP_EPOCHS:%=--warmup-epochs %) --precision $(PRECISION) --seed $(SEED) $(PRETRAIN) --threads $(THREADS) \
	      --tensorboard $(OUT)/pretrained/tensorboard --resume --output $(OUT)/pretrained -
	touch $@

$(OUT)/encoder.stz: $(OUT)/pretrained.done
	pmae-export --part $(PART) --overwrite --output $@ $(OUT)/pretrained

# --- Measuring ---------------------------------------------------------------------------------------------------

TRAIN_MODEL = pmae-finetune --init $(OUT)/encoder.stz --precision $(PRECISION) --seed $(SEED) --threads $(THREADS) --overwrite
CLASSIFY = pmae-evaluate classify --precision $(PRECISION) --threads $(THREADS)

$(OUT)/finetuned.stz: $(OUT)/encoder.stz $(OUT)/train.done
	$(AUGMENT) --views $(FINETUNE_VIEW) --shuffle --epochs $(FINETUNE_EPOCHS) --quiet --resume $(OUT)/finetuning $(SHARDS) \
	  | $(TRAIN_MODEL) --mode full $(FINETUNE) --epochs $(FINETUNE_EPOCHS) --run $(OUT)/finetuning --resume --output $@ -
$(OUT)/probe.stz: $(OUT)/encoder.stz $(OUT)/train.center.stz
	$(TRAIN_MODEL) --mode linear $(PROBE) --output $@ $(OUT)/train.center.stz
$(OUT)/%.json: $(OUT)/%.stz $(OUT)/val.center.stz
	$(CLASSIFY) $< $(OUT)/val.center.stz $(save)
$(OUT)/knn.json: $(OUT)/encoder.stz $(OUT)/train.center.stz $(OUT)/val.center.stz
	pmae-evaluate knn $(KNN) --precision $(PRECISION) --threads $(THREADS) $^ $(save)

$(OUT)/table.txt: $(OUT)/finetuned.json $(OUT)/probe.json $(OUT)/knn.json
	pmae-evaluate table --scale 100 --value top1=top-1 --value top5=top-5 --widths 24,9 $^ $(save)

# --- On a stand-in -----------------------------------------------------------------------------------------------

# Eight classes, named and laid out as ImageNet's, of the pictures in PICTURES, with settings that take seconds.
PICTURES ?= $(ROOT)/Tests/ToolTests/Fixtures/examples/photos
CHECK := $(OUT)-check
check:
	@rm -rf $(CHECK)
	mapfile -t pictures < <(find '$(PICTURES)' -type f -iname '*.jp*g' | LC_ALL=C sort | head -n 64)
	if ((!$${#pictures[@]})); then echo 'check: no JPEG files in $(PICTURES)' >&2; exit 66; fi
	for ((i = 0; i < 96; i++)); do
	  class=$$(printf 'n%08d' $$((i % 8)))
	  case $$((i / 8 % 3)) in 0) part=val name=ILSVRC2012_val_ ;; *) part=train name=$${class}_ ;; esac
	  mkdir -p "$(CHECK)/imagenet/$$part/$$class"
	  cp "$${pictures[i % $${#pictures[@]}]}" "$(CHECK)/imagenet/$$part/$$class/$$name$$i.JPEG"
	done
	$(MAKE) --silent -f $(SCRIPTS)/imagenet.mk table IMAGENET=$(CHECK)/imagenet OUT=$(CHECK)/out BIN='$(BIN)' \
	  SHORT_SIDE=40 SHARD_SIZE=20K SHUFFLE_MEMORY=1M IMAGE=32 EPOCHS=2 WARMUP_EPOCHS=1 BATCH=16 ACCUMULATE=2 \
	  PRETRAIN='--patch 8 --width 32 --depth 2 --heads 2 --decoder-width 32 --decoder-depth 1 --decoder-heads 2 --head-hidden 32 --head-bottleneck 16 --prototypes 16' \
	  FINETUNE_EPOCHS=2 FINETUNE='--batch 16 --accumulate 2 --warmup-epochs 1' PROBE='--epochs 2 --pool class' KNN='--k 5'
	rm -rf $(CHECK)
