#!/usr/bin/make -f
# An encoder on sets of labelled pictures that it was not trained on, and a table: fine-tuning, logistic regression on frozen
# features of all labels and of 1 % and 10 % of them, and k-NN; beside it pixels, random weights and a model from scratch.
#
#   pipelines/transfer.mk ENCODER=run/imagenet/encoder.stz DATA=photos      a folder with train and test, a sub-folder a class in each
#   pipelines/transfer.mk flowers pets cars cifar10 cifar100 ENCODER=…      sets as they are published, each below DATA:
#
#   flowers   flowers-102: jpg/image_00001.jpg …, imagelabels.mat, setid.mat (its parts trnid and valid are trained on)
#   pets      oxford-iiit-pet: images, annotations/trainval.txt and test.txt
#   cars      stanford_cars: cars_train, cars_test, devkit/cars_train_annos.mat, devkit/cars_meta.mat,
#             cars_test_annos_withlabels.mat; or a folder with train and test, a sub-folder a class in each
#   cifar10   cifar-10-batches-bin, the binary version
#   cifar100  cifar-100-binary, the binary version
#
# FLOWERS, PETS, CARS, CIFAR10 and CIFAR100 name other folders. Lists of Flowers and Cars are read by $(PYTHON) with SciPy. Other
# layouts can be packed by hand as OUT/folder/train.stz and OUT/folder/test.stz: see pmae-pack(1). `table SETS='pets cars'` is one
# table of several sets. Each stage is a file under OUT, and a killed run goes on where it was.

.DEFAULT_GOAL := table

# --- What a user may set -----------------------------------------------------------------------------------------

# What pmae-export wrote, or a .safetensors file in timm's names (which needs HEADS='--heads 12').
ENCODER ?=
HEADS ?=
DATA ?=
TEST ?= test
SETS ?= folder
OUT ?= run/transfer
# hours, or minute: a short fine-tuning, to see that it works.
SIZE ?= hours
# THREADS and BIN, the folder of the tools where they are not to be built, are in common.make.
SEED ?= 0
PRECISION ?= float32
# A python3 that has scipy, for the lists of Flowers and Cars.
PYTHON ?= python3
# The side that the encoder was trained for, or another: --image.
IMAGE ?= 224
SHORT_SIDE ?= 320
FINETUNE_EPOCHS ?= $(if $(filter minute,$(SIZE)),2,100)
# What the paper has; DeiT's own are: --views finetune --repeats 3.
FINETUNE_VIEWS ?= --view 'name=transfer: crop 0.08-1, flip, jitter 0.3 0.3 0.3 0'
FINETUNE ?= --preset transfer-deit$(if $(filter minute,$(SIZE)), --batch 4 --warmup-epochs 1 --warmup-lr 0 --min-lr 0)
POOL ?= --pool class
KNN ?= --k $(if $(filter minute,$(SIZE)),1,20)
LINEAR ?= --lambda $(if $(filter minute,$(SIZE)),1,0.1$(comma)1$(comma)10$(comma)100)
# Of few labels there are none to choose a penalty by.
FEW ?= --lambda 1
# The side of the views whose pixels are the row to beat.
PIXELS ?= 32

FLOWERS ?= $(DATA)/flowers-102
PETS ?= $(DATA)/oxford-iiit-pet
CARS ?= $(DATA)/stanford_cars
CIFAR10 ?= $(DATA)/cifar-10-batches-bin
CIFAR100 ?= $(DATA)/cifar-100-binary

# -----------------------------------------------------------------------------------------------------------------

comma := ,
# Not DATA and the like, but what a set is packed from: see set-rules.
SETTINGS := $(if $(ENCODER),ENCODER) HEADS TEST SIZE SEED PRECISION IMAGE SHORT_SIDE FINETUNE_EPOCHS FINETUNE_VIEWS FINETUNE POOL KNN LINEAR \
  FEW PIXELS
include $(dir $(lastword $(MAKEFILE_LIST)))common.make

ALL_SETS := folder flowers pets cars cifar10 cifar100
ifneq ($(filter-out $(ALL_SETS),$(SETS)),)
$(error SETS has $(filter-out $(ALL_SETS),$(SETS)): expected some of $(ALL_SETS))
endif

$(OUT)/started:
	@if [ ! -f '$(ENCODER)' ]; then echo 'transfer.mk: ENCODER is "$(ENCODER)": expected a file of weights' >&2; exit 64; fi
	mkdir -p $(OUT)
	touch $@

# --- The sets ----------------------------------------------------------------------------------------------------

# What a set is packed from, for training and for testing, and what has to be there.
needs.folder = $(DATA)/train
train.folder = --short-side $(SHORT_SIDE) '$(DATA)/train'
test.folder = --short-side $(SHORT_SIDE) '$(DATA)/$(TEST)'
needs.flowers = $(FLOWERS)/setid.mat
list.flowers = $(OUT)/flowers/list.csv
train.flowers = --short-side $(SHORT_SIDE) --root '$(FLOWERS)/jpg' --label-type text --split train $(list.flowers)
test.flowers = --short-side $(SHORT_SIDE) --root '$(FLOWERS)/jpg' --label-type text --split test $(list.flowers)
needs.pets = $(PETS)/annotations/trainval.txt
train.pets = --short-side $(SHORT_SIDE) '$(PETS)/annotations/trainval.txt'
test.pets = --short-side $(SHORT_SIDE) '$(PETS)/annotations/test.txt'
ifneq ($(wildcard $(CARS)/train/.),)
needs.cars = $(CARS)/test
train.cars = --short-side $(SHORT_SIDE) '$(CARS)/train'
test.cars = --short-side $(SHORT_SIDE) '$(CARS)/test'
else
needs.cars = $(CARS)/devkit/cars_train_annos.mat
list.cars = $(OUT)/cars/list.csv
train.cars = --short-side $(SHORT_SIDE) --root '$(CARS)' --split train $(list.cars)
test.cars = --short-side $(SHORT_SIDE) --root '$(CARS)' --split test $(list.cars)
endif
needs.cifar10 = $(CIFAR10)/test_batch.bin
train.cifar10 = '$(CIFAR10)'
test.cifar10 = '$(CIFAR10)/test_batch.bin'
needs.cifar100 = $(CIFAR100)/test.bin
train.cifar100 = '$(CIFAR100)'
test.cifar100 = '$(CIFAR100)/test.bin'

$(OUT)/flowers/list.csv: | $(OUT)/flowers/there
	$(PYTHON) $(SCRIPTS)/data/flowers.py '$(FLOWERS)' $(save)
$(OUT)/cars/list.csv: | $(OUT)/cars/there
	$(PYTHON) $(SCRIPTS)/data/cars.py '$(CARS)' $(save)

PACK = pmae-pack --threads $(THREADS) --overwrite --require-labels
RESULTS = $(foreach set,$1,$(foreach measure,knn linear few1 few10,$(foreach encoder,pixels random pretrained, \
  $(OUT)/$(set)/$(encoder).$(measure).json)) $(OUT)/$(set)/scratch.finetune.json $(OUT)/$(set)/pretrained.finetune.json)
# Top-1 accuracy in %.
TABLE = pmae-evaluate table --path '{set}/{encoder}.{measure}.json' --rows set,encoder --columns measure --value top1=top-1 --scale 100 \
  --column 'knn=k-NN' --column $$'linear=logistic\nregression' --column $$'few1=1 %\nof the labels' \
  --column $$'few10=10 %\nof the labels' --column finetune=fine-tuned --no-counts

# A set's streams, and its target.
define set-rules
.PHONY: $1
$1: $(call RESULTS,$1)
	@$$(TABLE) $$^
$(OUT)/$1/there: | $(OUT)/started $(OUT)/tools
	@if [ ! -e '$$(needs.$1)' ]; then echo 'transfer.mk: $$(needs.$1) is not there: DATA is "$(DATA)"' >&2; exit 66; fi
	mkdir -p $$(@D)
	$$(call keep,$(OUT)/$1/settings,$$(call settings-of,train.$1 test.$1))
	touch $$@
$(OUT)/$1/train.stz: $$(list.$1) | $(OUT)/$1/there
	$$(PACK) $$(train.$1) --output $$@
$(OUT)/$1/test.stz: $$(list.$1) | $(OUT)/$1/there
	$$(PACK) $$(test.$1) --output $$@
$(OUT)/$1/few1.stz: $$(list.$1) | $(OUT)/$1/there
	$$(PACK) $$(train.$1) --shuffle --seed $(SEED) --share 0.01 --output $$@
$(OUT)/$1/few10.stz: $$(list.$1) | $(OUT)/$1/there
	$$(PACK) $$(train.$1) --shuffle --seed $(SEED) --share 0.1 --output $$@
endef
$(foreach set,$(ALL_SETS),$(eval $(call set-rules,$(set))))
# Of the sets that are asked for.
$(foreach set,$(filter $(ALL_SETS),$(or $(filter-out table,$(MAKECMDGOALS)),$(SETS))), \
  $(call check,$(OUT)/$(set)/settings,$(call settings-of,train.$(set) test.$(set))))

# --- Features ----------------------------------------------------------------------------------------------------

RUNNING = --precision $(PRECISION) --threads $(THREADS)
TRAIN_MODEL = pmae-finetune --init '$(ENCODER)' --image $(IMAGE) $(HEADS) $(RUNNING) --seed $(SEED) --overwrite

# What is made on the way is kept.
.SECONDARY:

AUGMENT = pmae-augment --seed $(SEED) --threads $(THREADS)
$(OUT)/%.center.stz: $(OUT)/%.stz
	$(AUGMENT) --size $(IMAGE) --views center --overwrite --output $@ $<
$(OUT)/%.small.stz: $(OUT)/%.stz
	$(AUGMENT) --size $(PIXELS) --views center --overwrite --output $@ $<

# The encoder's sizes with weights that nothing has trained.
$(OUT)/%/random.model.stz: $(OUT)/%/train.center.stz $(ENCODER)
	$(TRAIN_MODEL) --fresh --steps 0 --quiet --output $@ $<

EMBED = pmae-evaluate embed --threads $(THREADS) --overwrite --output $@
ENCODED = --image $(IMAGE) $(POOL) --precision $(PRECISION)
define feature-rules
$(OUT)/%/pixels.$1.features.stz: $(OUT)/%/$1.small.stz
	$$(EMBED) --pixels $$<
$(OUT)/%/random.$1.features.stz: $(OUT)/%/random.model.stz $(OUT)/%/$1.center.stz
	$$(EMBED) $$(ENCODED) $$^
$(OUT)/%/pretrained.$1.features.stz: $(ENCODER) $(OUT)/%/$1.center.stz
	$$(EMBED) $$(ENCODED) $$(HEADS) $$^
endef
$(foreach part,train test few1 few10,$(eval $(call feature-rules,$(part))))

# --- Measures ----------------------------------------------------------------------------------------------------

# All features are standardised: that helps each of them.
SCORED = --standardise --threads $(THREADS) $^ $(save)
$(OUT)/%.knn.json: $(OUT)/%.train.features.stz $(OUT)/%.test.features.stz
	pmae-evaluate knn $(KNN) $(SCORED)
$(OUT)/%.linear.json: $(OUT)/%.train.features.stz $(OUT)/%.test.features.stz
	pmae-evaluate linear $(LINEAR) $(SCORED)
$(OUT)/%.few1.json: $(OUT)/%.few1.features.stz $(OUT)/%.test.features.stz
	pmae-evaluate linear $(FEW) $(SCORED)
$(OUT)/%.few10.json: $(OUT)/%.few10.features.stz $(OUT)/%.test.features.stz
	pmae-evaluate linear $(FEW) $(SCORED)

CROPS = $(AUGMENT) --size $(IMAGE) $(FINETUNE_VIEWS) --shuffle --epochs $(FINETUNE_EPOCHS) --quiet
TUNING = $(FINETUNE) --epochs $(FINETUNE_EPOCHS) --resume --output $@ -
$(OUT)/%/pretrained.model.stz: $(OUT)/%/train.stz $(ENCODER)
	$(CROPS) --resume $(@D)/finetuning $< | $(TRAIN_MODEL) --run $(@D)/finetuning $(TUNING)
$(OUT)/%/scratch.model.stz: $(OUT)/%/train.stz $(ENCODER)
	$(CROPS) --resume $(@D)/scratch $< | $(TRAIN_MODEL) --fresh --run $(@D)/scratch $(TUNING)
$(OUT)/%.finetune.json: $(OUT)/%.model.stz
	pmae-evaluate classify $(RUNNING) $< $(@D)/test.center.stz $(save)
# The rule above cannot name it: its stem is a set and a model.
$(foreach set,$(ALL_SETS),$(eval $(OUT)/$(set)/scratch.finetune.json $(OUT)/$(set)/pretrained.finetune.json: $(OUT)/$(set)/test.center.stz))

$(OUT)/table.txt: $(call RESULTS,$(SETS)) again
	@$(TABLE) $(call RESULTS,$(SETS)) $(replace)
