#!/usr/bin/make -f
# All objectives beside each other, training from scratch, and raw pixels, on Fashion-MNIST or on your pictures: each with several seeds,
# measured by k-NN, logistic regression and fine-tuning on few labels and on all. A cell is a method.
#
#   pipelines/methods.mk                          all cells, then the table
#   pipelines/methods.mk cell-dino-seed0          one cell with one seed, for one of many machines
#   pipelines/methods.mk cells                    the names of all of them, one a line
#   pipelines/methods.mk show                     the table of what is there by now
#   pipelines/methods.mk BUDGET=compute           as many epochs of each as EPOCHS of Pseudo MAE cost
#   pipelines/methods.mk HELD_OUT=1               measures on training images that nothing was trained on: to choose settings
#   pipelines/methods.mk DATA=run/pictures/photos IMAGE=64 PATCH=8 LOCAL=32 CROP=0.4 EPOCHS=80 PER_CLASS=20     of pictures.mk, or a folder
#                                                 with `train` and `test`, in each a sub-folder a class
#   pipelines/methods.mk SIZE=minute              a small version, to see that it works
#
# Each stage is a file under OUT: a second run does nothing, a killed one goes on where it was. A cell leaves one small file,
# OUT/cells/CELL/seedN/result.tsv. Of cells that ran on other machines, copy these to the same place and say `show`. An array of a
# batch system runs line N of `cells` as task N.

.DEFAULT_GOAL := table

# --- What a user may set -----------------------------------------------------------------------------------------

# hours: a model of half the quickstart's width on a sixth of its images. minute: smaller still, two seeds.
SIZE ?= hours
# epochs: EPOCHS of each method. compute: each method costs as much as EPOCHS of Pseudo MAE, by the products of a step.
BUDGET ?= epochs
# A folder with `train` and `test`, in each a sub-folder a class; empty: Fashion-MNIST, some of it.
DATA ?=
# Where everything goes.
OUT ?= run/methods-$(SIZE)$(if $(DATA),-$(notdir $(DATA:/=)))-$(BUDGET)$(if $(HELD_OUT),-held-out)
# bfloat16 where the processor has its instructions; otherwise float32.
PRECISION ?= auto
# With HELD_OUT=1 the measures are taken on the last 10,000 training images of Fashion-MNIST.
HELD_OUT ?=
# THREADS and BIN, the folder of the tools where they are not to be built, are in common.make.

ifeq ($(SIZE),minute)
SEEDS ?= 0 1
TRAIN_IMAGES ?= 2000
TEST_IMAGES ?= 1000
EPOCHS ?= 2
PATCH ?= 7
LOCAL ?= 14
MODEL ?= --width 32 --depth 2 --heads 2
DECODER ?= --decoder-width 32 --decoder-depth 1 --decoder-heads 2
HEAD ?= --head-hidden 64 --head-bottleneck 32
PROTOTYPES ?= --prototypes 64
TOKENS ?= 64
PER_CLASS ?= 10
FEW_EPOCHS ?= 4
ALL_EPOCHS ?= 1
else
SEEDS ?= 0 1 2
TRAIN_IMAGES ?= 10000
TEST_IMAGES ?= 10000
EPOCHS ?= 24
PATCH ?= 4
LOCAL ?= 12
MODEL ?= --width 64 --depth 4 --heads 2
DECODER ?= --decoder-width 32 --decoder-depth 1 --decoder-heads 2
HEAD ?= --head-hidden 128 --head-bottleneck 64
PROTOTYPES ?= --prototypes 256
TOKENS ?= 256
PER_CLASS ?= 100
FEW_EPOCHS ?= 30
ALL_EPOCHS ?= 5
endif

IMAGE ?= 28
CHANNELS ?= $(if $(DATA),3,1)
# What a view shows at least of a picture; and the side of the pixels that methods are compared with, at most 32.
CROP ?= 0.6
PIXELS ?= $(shell echo $$(($(IMAGE) < 32 ? $(IMAGE) : 32)))
BATCH ?= 64
# How tokens become a feature: as in the quickstart, for all alike.
POOL ?= grid
# The learning rate: of methods that predict what is hidden, and of DINO and iBOT. MoCo v3 has its own, and CAE, which does not bear 4e-3.
LR ?= 4e-3
VIEWS_LR ?= 1e-3
PRETRAIN ?= --drop-path 0.05
# The weight of Pseudo MAE's label losses. The paper's is 1; on sets as small as this a tenth was better.
LABEL_WEIGHT ?= 0.1
FINETUNE ?= --mode full --lr 3e-3 --layer-decay 0.65
FINETUNE_VIEW ?= --view 'name=simple: crop $(CROP)-1, flip'
FEW ?= --batch 32
ALL ?= --batch 64

# --- The cells ---------------------------------------------------------------------------------------------------

# A cell: its options, its views, and the part that is measured. Decay, clipping and temperatures are its authors' in kind; the
# crops are for small pictures, and blur and solarisation, which leave little of these, are left out. A value that is set for
# a cell on the command line, as dino.options='…', takes the place of what is here.
COLOURS := jitter 0.4 0.4 0 p 0.8
simple := --view 'name=simple: crop $(CROP)-1, flip'
globals := --view 'name=global_1: crop 0.4-1, flip, $(COLOURS)' --view 'name=global_2: crop 0.4-1, flip, $(COLOURS)'
locals := --view 'name=local: crop 0.1-0.4, flip, $(COLOURS) size $(LOCAL) count 4'
pseudo-mae.options ?= --lr $(LR) $(DECODER) $(HEAD) $(PROTOTYPES) --lambda-c $(LABEL_WEIGHT) --lambda-p $(LABEL_WEIGHT)
pseudo-mae.views ?= $(simple) --view 'name=complex: crop $(CROP)-1, flip, $(COLOURS)'
sdae.options ?= --lr $(LR) $(DECODER) $(HEAD) $(PROTOTYPES) --lambda-c 0 --lambda-p 0
mae.options ?= --objective mae --lr $(LR) $(DECODER)
DISTIL := --lr $(VIEWS_LR) $(HEAD) $(PROTOTYPES) --teacher-momentum 0.99 --clip 3 --freeze-epochs 0
dino.options ?= --objective dino $(DISTIL)
dino.views ?= $(globals) $(locals)
ibot.options ?= --objective ibot $(DISTIL) --teacher-temperature-epochs 0
ibot.views ?= $(globals) $(locals)
moco-v3.options ?= --objective moco-v3 --lr 3e-3 $(HEAD)
moco-v3.views ?= --view 'name=view_1: crop 0.3-1, flip, $(COLOURS)' --view 'name=view_2: crop 0.3-1, flip, $(COLOURS)'
TOKEN := --vocabulary $(TOKENS) --tokenizer $(OUT)/tokens.stz --mask-least 2 --clip 3
beit.options ?= --objective beit --lr $(LR) $(TOKEN)
cae.options ?= --objective cae --lr 2e-3 $(TOKEN) --regressor-depth 2 --decoder-depth 2
simmim.options ?= --objective simmim --lr $(LR) --mask-unit 1 --drop-at 0 --clip 5
$(foreach c,dino ibot,$(eval $c.part ?= teacher))
# Weights that were not trained have all to learn, the first blocks' too.
scratch.finetune ?= --layer-decay 1

CELLS ?= pseudo-mae sdae mae dino ibot moco-v3 beit cae simmim scratch
trained := $(filter-out scratch,$(CELLS))

views = $(or $($1.views),$(simple))
part = $(or $($1.part),student)

# --- Tools and data ----------------------------------------------------------------------------------------------

PACKAGES := $(if $(DATA),,gzip dataset-fashion-mnist)
include $(dir $(lastword $(MAKEFILE_LIST)))common.make

ifeq ($(filter $(BUDGET),epochs compute),)
$(error BUDGET is $(BUDGET): expected epochs or compute)
endif

.PHONY: show cells

PACK = pmae-pack --overwrite --quiet --threads $(THREADS)
AUGMENT = pmae-augment --size $(IMAGE) --channels $(CHANNELS) --quiet
RUNNING = --precision $(PRECISION) --threads $(THREADS) --quiet
TRAIN := $(FASHION)/train-images-idx3-ubyte.gz --labels $(FASHION)/train-labels-idx1-ubyte.gz
TEST := $(FASHION)/t10k-images-idx3-ubyte.gz --labels $(FASHION)/t10k-labels-idx1-ubyte.gz

# The packed file keeps its old date where a tool was built anew: only its absence makes it again. Each seed has few labels of its own.
FEW_SETS := $(foreach s,$(SEEDS),$(OUT)/few$s.stz)
ifeq ($(DATA),)
$(OUT)/train.stz: | $(OUT)/tools
	$(PACK) $(TRAIN) --limit $(TRAIN_IMAGES) --output $@
$(OUT)/test.stz: | $(OUT)/tools
	$(PACK) $(if $(HELD_OUT),$(TRAIN) --skip 50000,$(TEST)) --limit $(TEST_IMAGES) --output $@
# From another fifth of the images on.
$(FEW_SETS): $(OUT)/few%.stz: $(OUT)/train.stz
	$(PACK) $(TRAIN) --skip $$(($* % 4 * $(TRAIN_IMAGES) / 5)) --limit $$(($(TRAIN_IMAGES) * 2 / 5)) --per-class $(PER_CLASS) \
	  --output $@
else
ifneq ($(HELD_OUT),)
$(error HELD_OUT is of Fashion-MNIST, not of DATA)
endif
# Kept somewhat larger than a view, so that they need not be made smaller each time.
FOLDER = $(PACK) --short-side $$(($(IMAGE) * 3 / 2)) --quality 95
$(OUT)/train.stz $(OUT)/test.stz: $(OUT)/%.stz: | $(OUT)/tools
	$(FOLDER) $(DATA)/$* --output $@
$(FEW_SETS): $(OUT)/few%.stz: $(OUT)/train.stz
	$(FOLDER) $(DATA)/train --shuffle --seed $* --per-class $(PER_CLASS) --output $@
endif
$(OUT)/%.center.stz: $(OUT)/%.stz
	$(AUGMENT) --views center --overwrite --threads $(THREADS) --output $@ $<
$(OUT)/%.pixels.stz: $(OUT)/%.stz
	$(AUGMENT) --views center --size $(PIXELS) --overwrite --threads $(THREADS) --output $@ $<
$(OUT)/tokens.stz: $(OUT)/train.stz
	$(AUGMENT) $(simple) $< \
	  | pmae-evaluate tokenizer --patch $(PATCH) --vocabulary $(TOKENS) --overwrite --quiet --output $@ -

# --- Pretraining -------------------------------------------------------------------------------------------------

SHAPE := --image $(IMAGE) --patch $(PATCH) --channels $(CHANNELS) $(MODEL) --batch $(BATCH) $(PRETRAIN)

# What a few steps of a cell cost. What is trained for it goes.
COSTS := $(foreach c,$(trained),$(OUT)/cells/$c/cost.json)
$(COSTS): $(OUT)/cells/%/cost.json: $(OUT)/train.stz $(OUT)/tokens.stz
	@mkdir -p $(@D)
	{ $(AUGMENT) $< $(call views,$*) --epochs 1 --threads 1 || (($$? == 141)); } \
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
	{ $(AUGMENT) $(OUT)/train.stz $(call views,$1) --epochs $(call epochs,$1) --seed $2 --threads 1 \
	    --resume $$(@D)/run || (($$$$? == 141)); } \
	  | pmae-pretrain $(SHAPE) --epochs $(call epochs,$1) $($1.options) --seed $2 $(RUNNING) --resume --output $$(@D)/run -
	pmae-export --part $(call part,$1) --overwrite --quiet --output $$@ $$(@D)/run
endef

# The same weights before the first step: of the views no more than the first record is read.
define untrained
$(OUT)/cells/scratch/seed$1/encoder.stz: $(OUT)/train.stz
	@mkdir -p $$(@D)
	{ $(AUGMENT) $(simple) $(OUT)/train.stz || (($$$$? == 141)); } \
	  | pmae-pretrain $(SHAPE) --objective mae $(DECODER) --epochs 1 --seed $1 --steps 0 --overwrite --quiet --output $$(@D)/run -
	pmae-export --part student --overwrite --quiet --output $$@ $$(@D)/run
endef

# --- Measuring ---------------------------------------------------------------------------------------------------

# $(call finetune,OPTIONS,EPOCHS,SEED,THE CELL'S OPTIONS): from the encoder $< on the images that follow it.
define finetune
$(AUGMENT) $(word 2,$^) $(FINETUNE_VIEW) --epochs $2 --seed $3 --threads 1 \
  | pmae-finetune $(FINETUNE) $1 $4 --pool $(POOL) --init $< --seed $3 $(RUNNING) --overwrite --output $(@:.json=.model.stz) -
pmae-evaluate classify $(@:.json=.model.stz) $(OUT)/test.center.stz $(RUNNING) > $@
rm $(@:.json=.model.stz)
endef
# All features are standardised, and for neighbours whitened: that helps each of them.
LINE := --standardise --threads $(THREADS) --quiet
NEIGHBOURS := --k 20 --whiten 256
# $(call few,SEED): logistic regression on the labels of a seed.
few = --labels-per-class $(PER_CLASS) --seed $1
EMBED := pmae-evaluate embed --pool $(POOL) $(RUNNING) --overwrite

# A line a result: cell, seed, measure and top1, in %.
RESULTS := --rows cell,seed,measure --spread none --digits 2 --format tsv
define result
$(OUT)/cells/$1/seed$2/result.tsv: $(foreach m,$3,$(OUT)/cells/$1/seed$2/$m.json)
	pmae-evaluate table --path '{cell}/seed{seed}/{measure}.json' --scale 100 $(RESULTS) $$^ > $$@
.PHONY: cell-$1-seed$2
cell-$1-seed$2: $(OUT)/cells/$1/seed$2/result.tsv
	@cat $$<
endef
define measures
$(foreach x,train test,$(OUT)/cells/$1/seed$2/$x.stz): $(OUT)/cells/$1/seed$2/%.stz: $(OUT)/cells/$1/seed$2/encoder.stz $(OUT)/%.center.stz
	$(EMBED) --output $$@ $$^
$(foreach m,knn linear few,$(OUT)/cells/$1/seed$2/$m.json): $(OUT)/cells/$1/seed$2/train.stz $(OUT)/cells/$1/seed$2/test.stz
$(OUT)/cells/$1/seed$2/knn.json:
	pmae-evaluate knn $(NEIGHBOURS) $(LINE) $$^ > $$@
$(OUT)/cells/$1/seed$2/linear.json:
	pmae-evaluate linear $(LINE) $$^ > $$@
$(OUT)/cells/$1/seed$2/few.json:
	pmae-evaluate linear $(call few,$2) $(LINE) $$^ > $$@
$(OUT)/cells/$1/seed$2/tuned.json: $(OUT)/cells/$1/seed$2/encoder.stz $(OUT)/few$2.stz $(OUT)/test.center.stz
	$$(call finetune,$(FEW),$(FEW_EPOCHS),$2,$($1.finetune))
$(OUT)/cells/$1/seed$2/all.json: $(OUT)/cells/$1/seed$2/encoder.stz $(OUT)/train.stz $(OUT)/test.center.stz
	$$(call finetune,$(ALL),$(ALL_EPOCHS),$2,$($1.finetune))
$(call result,$1,$2,knn linear few tuned all)
endef
# Pixels are features too: what any method has to beat. A seed draws its labels.
knn.pixels := knn $(NEIGHBOURS)
linear.pixels := linear
define pixels
$(foreach m,knn linear few,$(OUT)/cells/pixels/seed$1/$m.json): $(OUT)/train.pixels.stz $(OUT)/test.pixels.stz
	@mkdir -p $$(@D)
	pmae-evaluate $$($$(basename $$(@F)).pixels) $(LINE) --pixels $$^ > $$@
$(OUT)/cells/pixels/seed$1/few.json: few.pixels = linear $(call few,$1)
$(call result,pixels,$1,knn linear few)
endef

$(foreach c,$(trained),$(foreach s,$(SEEDS),$(eval $(call cell,$c,$s))))
$(foreach s,$(SEEDS),$(eval $(call untrained,$s)))
$(foreach c,$(CELLS),$(foreach s,$(SEEDS),$(eval $(call measures,$c,$s))))
$(foreach s,$(SEEDS),$(eval $(call pixels,$s)))
# What no rule names is kept.
.SECONDARY:

# Seed by seed, so that a table of one seed comes early.
ALL_RESULTS := $(foreach s,$(SEEDS),$(foreach c,pixels $(CELLS),$(OUT)/cells/$c/seed$s/result.tsv))
$(OUT)/results.tsv: $(ALL_RESULTS)
	pmae-evaluate table $(RESULTS) $^ > $@

# Mean and deviation over the seeds of top-1 accuracy, in %.
define tables
pmae-evaluate table --rows cell --over seed --widths 14,17 $(OUT)/results.tsv --columns measure --skip-empty \
  --column $$'knn=k-NN\nk = 20' --column $$'linear=logistic regr.\nall labels' \
  --column $$'few=logistic regr.\n$(PER_CLASS) a class' --column $$'tuned=fine-tuned\n$(PER_CLASS) a class' \
  --column $$'all=fine-tuned\nall labels' \
  --title 'Methods, equal $(BUDGET)' --baseline pixels --baseline scratch --row pixels --row 'scratch=from scratch' --row dino=DINO \
  --row ibot=iBOT --row 'moco-v3=MoCo v3' --row beit=BEiT --row mae=MAE --row simmim=SimMIM --row cae=CAE --row sdae=SdAE \
  --row 'pseudo-mae=Pseudo MAE'
endef
$(OUT)/table.txt: $(OUT)/results.tsv
	{
	$(tables)
	} > $@

cells:
	@printf '%s\n' $(foreach s,$(SEEDS),$(foreach c,pixels $(CELLS),cell-$c-seed$s))

show: | $(OUT)/tools
	@shopt -s nullglob
	files=($(OUT)/cells/*/seed*/result.tsv)
	if ! (($${#files[@]})); then echo 'show: no cell is done in $(OUT)' >&2; exit 66; fi
	pmae-evaluate table $(RESULTS) "$${files[@]}" > $(OUT)/results.tsv
	$(tables)
