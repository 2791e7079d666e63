#!/usr/bin/make -f
# From pictures to a measured table: pack, pretrain (with MAE, unless PRETRAIN says another), export, and compare with pixels and random weights.
#
#   pipelines/quickstart.mk                          Fashion-MNIST, from Debian's package
#   pipelines/quickstart.mk DATA=photos IMAGE=64 PATCH=8            a folder of JPEG and PNG files, a sub-folder a class
#   pipelines/quickstart.mk encoder DATA=photos IMAGE=64 PATCH=8    without classes: as far as the encoder
#   pipelines/quickstart.mk best                     a larger model for longer, fine-tuned on 10,000 labels and on all too: hours
#
# Each stage is a file under OUT: a second run does nothing, a killed one goes on where it was, and a stage whose file is
# deleted is made again with all that follow from it. `make -n` shows what would be done.

.DEFAULT_GOAL := table

# --- What a user may set -----------------------------------------------------------------------------------------

BEST := $(filter best,$(MAKECMDGOALS))
ifneq ($(BEST),)
MODEL ?= --width 128 --depth 6 --heads 4 --decoder-width 64 --decoder-depth 2 --decoder-heads 2
EPOCHS ?= 60
PRETRAIN ?= --objective mae --lr 3e-3 --drop-path 0.05
MORE ?= 1000 all
endif

# A folder of JPEG and PNG files; empty: Fashion-MNIST. With sub-folders `train` and `test` those are used, otherwise HELD_OUT
# pictures are kept for the test.
DATA ?=
HELD_OUT ?= 1000
# Where everything goes.
OUT ?= run/$(if $(BEST),best,quickstart)$(if $(DATA),-$(notdir $(DATA:/=)))
# THREADS and BIN, the folder of the tools where they are not to be built, are in common.make.
SEED ?= 0
# bfloat16 where the processor has its instructions; otherwise float32.
PRECISION ?= auto

# The side of the views and of a patch, and the colour channels: grey pictures need but one.
IMAGE ?= 28
PATCH ?= 4
CHANNELS ?= $(if $(DATA),3,1)
# The encoder and the decoder.
MODEL ?= --width 64 --depth 4 --heads 2 --decoder-width 32 --decoder-depth 1 --decoder-heads 2
# Pretraining: the method, and its views. In a few minutes a small model learns more than a large one, which sees less. For your own
# pictures ask `pmae-pretrain --suggest`.
EPOCHS ?= 20
BATCH ?= 64
PRETRAIN ?= --objective mae --lr 4e-3 --drop-path 0.05
VIEWS ?= --view 'name=simple: crop 0.6-1, flip'

# How tokens become a feature. Means in 3 x 3 parts of a picture keep where things are, as pixels do. Chosen on the last 10,000
# training images, held out for that.
POOL ?= grid
# Fine-tuning: so many labels a class, with so many seeds. From scratch it is the same, but for the start weights and SCRATCH: weights that
# were not trained have all to learn, the first blocks' too. All of it was chosen on the last 10,000 training images too.
PER_CLASS ?= 100
SEEDS ?= 0 1 2
FINETUNE_EPOCHS ?= 80
FINETUNE_VIEW ?= --view 'name=simple: crop 0.6-1, flip'
FINETUNE ?= --mode full --batch 32 --lr 3e-3 --layer-decay 0.65 --mixup 0.2 --label-smoothing 0.1
SCRATCH ?= --layer-decay 1
# More columns of fine-tuning: so many labels a class, or `all`, with the seeds, the epochs and what is added to the recipe.
MORE ?=
MORE_SEEDS ?= 0
1000.epochs ?= 40
all.epochs ?= 15
MORE_FINETUNE ?= --batch 64

# --- Tools and data ----------------------------------------------------------------------------------------------

PACKAGES := $(if $(DATA),,gzip dataset-fashion-mnist)
SETTINGS := DATA HELD_OUT SEED PRECISION IMAGE PATCH CHANNELS MODEL EPOCHS BATCH PRETRAIN VIEWS POOL PER_CLASS SEEDS FINETUNE_EPOCHS \
  FINETUNE_VIEW FINETUNE SCRATCH MORE_SEEDS $(filter-out 1000.epochs all.epochs,$(MORE:=.epochs)) 1000.epochs all.epochs MORE_FINETUNE
include $(dir $(lastword $(MAKEFILE_LIST)))common.make

.PHONY: encoder best
encoder: $(OUT)/student.stz
best: table

# Stages replace what an unfinished or older run left.
PACK = pmae-pack --overwrite --seed $(SEED) --threads $(THREADS)
AUGMENT = pmae-augment --size $(IMAGE) --channels $(CHANNELS) --seed $(SEED)
RUNNING = --precision $(PRECISION) --threads $(THREADS)

ifeq ($(DATA),)
TRAIN := $(FASHION)/train-images-idx3-ubyte.gz --labels $(FASHION)/train-labels-idx1-ubyte.gz
TEST := $(FASHION)/t10k-images-idx3-ubyte.gz --labels $(FASHION)/t10k-labels-idx1-ubyte.gz
FEW := $(TRAIN) --shuffle
else ifneq ($(wildcard $(DATA)/train/.),)
TRAIN := $(DATA)/train
TEST := $(DATA)/test
FEW := $(TRAIN) --shuffle
else
TRAIN := $(DATA) --shuffle --skip $(HELD_OUT)
TEST := $(DATA) --shuffle --limit $(HELD_OUT)
FEW := $(TRAIN)
endif
$(OUT)/train.stz: $(OUT)/tools
	$(PACK) $(TRAIN) --output $@
$(OUT)/test.stz: $(OUT)/tools
	$(PACK) $(TEST) --output $@
FEW_SETS := $(foreach n,$(sort $(PER_CLASS) $(filter-out all,$(MORE))),$(OUT)/few$n.stz)
$(FEW_SETS): $(OUT)/few%.stz: $(OUT)/tools
	$(PACK) $(FEW) --per-class $* --output $@

# --- Pretraining -------------------------------------------------------------------------------------------------

SHAPE := --image $(IMAGE) --patch $(PATCH) --channels $(CHANNELS) $(MODEL) --batch $(BATCH) --epochs $(EPOCHS) --seed $(SEED) $(PRETRAIN)

# The file says that the run is complete; a checkpoint alone may be a killed run's, which --resume continues.
$(OUT)/pretrained.done: $(OUT)/train.stz
	$(AUGMENT) $(VIEWS) --epochs $(EPOCHS) --threads 1 --quiet $< \
	    --resume $(OUT)/pretrained \
	  | pmae-pretrain $(SHAPE) $(RUNNING) --resume --output $(OUT)/pretrained -
	touch $@

# The same weights before the first step: of the views no more than the first record is read.
$(OUT)/random.done: $(OUT)/train.center.stz
	pmae-pretrain $(SHAPE) --steps 0 --overwrite --quiet --output $(OUT)/random $<
	touch $@

$(OUT)/random.stz: $(OUT)/random.done
	pmae-export --part student --overwrite --output $@ $(OUT)/random
$(OUT)/student.stz: $(OUT)/pretrained.done
	pmae-export --part student --overwrite --output $@ $(OUT)/pretrained

# --- Measuring ---------------------------------------------------------------------------------------------------

# Kept, although no rule names them.
.PRECIOUS: $(OUT)/%.center.stz $(OUT)/%.train.features.stz $(OUT)/%.test.features.stz

$(OUT)/%.center.stz: $(OUT)/%.stz
	$(AUGMENT) --views center --overwrite --threads $(THREADS) --output $@ $<

# An encoder's features are computed once for all measures. Pixels are features too: what any encoder has to beat.
$(OUT)/%.train.features.stz: $(OUT)/%.stz $(OUT)/train.center.stz
	pmae-evaluate embed $< $(OUT)/train.center.stz --pool $(POOL) $(RUNNING) --overwrite --output $@
$(OUT)/%.test.features.stz: $(OUT)/%.stz $(OUT)/test.center.stz
	pmae-evaluate embed $< $(OUT)/test.center.stz --pool $(POOL) $(RUNNING) --overwrite --output $@

# $(call each,SEEDS,COMMAND): the command for each $seed, all at once, by one thread each: what they do is too small for more. Their output
# in the order of the seeds is the target.
threads = --threads $(if $(word 2,$1),1,$(THREADS))
define each
trap 'kill $$(jobs -p) 2>/dev/null || true' EXIT
processes=()
for seed in $1; do
  { $2; } > "$@.$$seed" &
  processes+=($$!)
done
for process in "$${processes[@]}"; do wait "$$process"; done
for seed in $1; do cat "$@.$$seed"; rm "$@.$$seed"; done $(save)
endef

# All features are standardised: that helps each of them.
LINE = --standardise --threads $(THREADS)
# Of neighbours the features are whitened too: it helps each of them, and all are alike.
NEIGHBOURS := --k 20 --whiten 256
# Of all labels; of few all the usual ones are tried, which takes no time.
PENALTIES := --lambda 3,30,300
PIXELS := --pixels $(OUT)/train.center.stz $(OUT)/test.center.stz
FEATURES = $(OUT)/$*.train.features.stz $(OUT)/$*.test.features.stz
NEEDED := $(OUT)/%.train.features.stz $(OUT)/%.test.features.stz
$(OUT)/pixels.knn.json: $(OUT)/train.center.stz $(OUT)/test.center.stz
	pmae-evaluate knn $(NEIGHBOURS) $(LINE) $(PIXELS) $(save)
$(OUT)/pixels.linear.json: $(OUT)/train.center.stz $(OUT)/test.center.stz
	pmae-evaluate linear $(PENALTIES) $(LINE) $(PIXELS) $(save)
# A line for each seed, which draws the labels.
regress = pmae-evaluate linear --labels-per-class $(PER_CLASS) --seed "$$seed" --standardise $(call threads,$(SEEDS))
$(OUT)/pixels.few.json: $(OUT)/train.center.stz $(OUT)/test.center.stz
	$(call each,$(SEEDS),$(regress) $(PIXELS))
$(OUT)/%.knn.json: $(NEEDED)
	pmae-evaluate knn $(NEIGHBOURS) $(LINE) $(FEATURES) $(save)
$(OUT)/%.linear.json: $(NEEDED)
	pmae-evaluate linear $(PENALTIES) $(LINE) $(FEATURES) $(save)
$(OUT)/%.few.json: $(NEEDED)
	$(call each,$(SEEDS),$(regress) $(FEATURES))

# $(call finetune,EPOCHS,SEEDS,OPTIONS): from the encoder $< on the set that follows it, a line for each seed.
tune = $(AUGMENT) $(word 2,$^) $(FINETUNE_VIEW) --epochs $1 --seed "$$seed" --threads 1 --quiet \
  | pmae-finetune $(FINETUNE) $3 $(if $(filter random,$*),$(SCRATCH)) --pool $(POOL) --init $< --seed "$$seed" $(RUNNING) \
      $(call threads,$2) --quiet --overwrite --output "$(@:.json=)$$seed.stz" -; \
  pmae-evaluate classify "$(@:.json=)$$seed.stz" $(OUT)/test.center.stz $(RUNNING) --quiet
finetune = $(call each,$2,$(call tune,$1,$2,$3))
$(OUT)/%.finetune.json: $(OUT)/%.stz $(OUT)/few$(PER_CLASS).stz $(OUT)/test.center.stz
	$(call finetune,$(FINETUNE_EPOCHS),$(SEEDS))
define more
$(OUT)/%.finetune$1.json: $(OUT)/%.stz $(OUT)/$(if $(filter all,$1),train,few$1).stz $(OUT)/test.center.stz
	$$(call finetune,$(or $($1.epochs),$(FINETUNE_EPOCHS)),$(MORE_SEEDS),$(MORE_FINETUNE))
endef
$(foreach n,$(MORE),$(eval $(call more,$n)))

ENCODERS := random student
RESULTS := $(foreach measure,knn linear few,$(addprefix $(OUT)/,pixels.$(measure).json $(ENCODERS:=.$(measure).json))) \
  $(foreach n,"" $(MORE),$(ENCODERS:%=$(OUT)/%.finetune$(subst ",,$n).json))

# Top-1 accuracy in %.
$(OUT)/table.txt: $(RESULTS) again
	@labels=$$(pmae-evaluate table --rows file --value train_images --digits 0 --format tsv --no-header $< | cut -f 2)
	pmae-evaluate table --path '{encoder}.{measure}.json' --rows encoder --columns measure --scale 100 \
	  --row pixels --row 'random=random weights' --row student=pretrained --baseline pixels --baseline random \
	  --column $$'knn=k-NN\nk = 20' --column $$'linear=logistic regression\n'"$$labels labels" \
	  --column $$'few=logistic regression\n$(PER_CLASS) labels a class' --column $$'finetune=fine-tuned\n$(PER_CLASS) labels a class' \
	  $(foreach n,$(MORE),--column $$'finetune$n=fine-tuned\n$n labels$(if $(filter all,$n),, a class)') \
	  --heading encoder --no-counts $(RESULTS) $(replace)
