# What methods.mk and ablations.mk share: what a user may set, the data, pretraining and the measures of a cell. They include it after
# their cells. A cell C is a name in CELLS, with C.options for pmae-pretrain, C.views for pmae-augment (the simple view, unless given),
# C.part for pmae-export (student), and C.finetune, which is added to fine-tuning. The cell scratch is not trained.
#
# Each stage is a file under OUT: a second run does nothing, a killed one goes on where it was. A cell leaves one small file,
# OUT/cells/CELL/seedN/result.tsv: lines of cell, seed, epoch, measure and top1 in %. Of cells that ran on other machines, copy these to the
# same place and say `show`. An array of a batch system runs line N of `cells` as task N.

# --- What a user may set -----------------------------------------------------------------------------------------

# hours: a model of the quickstart's width on a sixth of its images. minute: smaller still, two seeds.
SIZE ?= hours
# epochs: EPOCHS of each cell. compute: each costs as much as EPOCHS of pseudo-mae, by the products of a step.
BUDGET ?= epochs
# A folder with `train` and `test`, in each a sub-folder a class; empty: Fashion-MNIST, some of it.
DATA ?=
# bfloat16 where the processor has its instructions; otherwise float32.
PRECISION ?= auto
# With HELD_OUT=1 the measures are taken on the last 10,000 training images of Fashion-MNIST, and pretraining stops before them: choose
# settings on those, and look at the test images once.
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
HEAD ?= --head-hidden 128 --head-bottleneck 64
PROTOTYPES ?= --prototypes 256
TOKENS ?= 256
PER_CLASS ?= 100
FEW_EPOCHS ?= 30
ALL_EPOCHS ?= 5
endif

DECODER ?= --decoder-width 32 --decoder-depth 1 --decoder-heads 2
IMAGE ?= 28
CHANNELS ?= $(if $(DATA),3,1)
# What a view shows at least of a picture; and the side of the pixels that cells are compared with, at most 32.
CROP ?= 0.6
PIXELS ?= $(shell echo $$(($(IMAGE) < 32 ? $(IMAGE) : 32)))
BATCH ?= 64
# How tokens become a feature: as in the quickstart, for all alike.
POOL ?= grid
# The learning rate of cells that predict what is hidden.
LR ?= 4e-3
PRETRAIN ?= --drop-path 0.05
# The weight of Pseudo MAE's label losses. The paper's is 1; on sets as small as this a tenth was better.
LABEL_WEIGHT ?= 0.1
# The epochs after which k-NN and logistic regression are taken too, for curves. The whole run is not among them.
EVALUATE_AT ?=
FINETUNE ?= --mode full --lr 3e-3 --layer-decay 0.65
FINETUNE_VIEW ?= --view 'name=simple: crop $(CROP)-1, flip'
FEW ?= --batch 32
ALL ?= --batch 64

# Decay, clipping and temperatures are each method's authors' in kind; the crops are for small pictures, and blur and solarisation,
# which leave little of these, are left out. A value that is set for a cell on the command line, as dino.options='…', takes the place of
# what is in the script.
COLOURS := jitter 0.4 0.4 0 p 0.8
simple = --view 'name=simple: crop $(CROP)-1, flip'
complex = --view 'name=complex: crop $(CROP)-1, flip, $(COLOURS)'
LABELLED = --lr $(LR) $(DECODER) $(HEAD) $(PROTOTYPES)
pseudo-mae.options ?= $(LABELLED) --lambda-c $(LABEL_WEIGHT) --lambda-p $(LABEL_WEIGHT)
pseudo-mae.views ?= $(simple) $(complex)
sdae.options ?= $(LABELLED) --lambda-c 0 --lambda-p 0
# Not in the paper: pixels are predicted beside features, with labels and without.
pseudo-mae-pixels.options ?= $(pseudo-mae.options) --lambda-pixels 1
pseudo-mae-pixels.views ?= $(pseudo-mae.views)
sdae-pixels.options ?= $(sdae.options) --lambda-pixels 1
mae.options ?= --objective mae --lr $(LR) $(DECODER)
# Weights that were not trained have all to learn, the first blocks' too.
scratch.finetune ?= --layer-decay 1

# --- Tools and data ----------------------------------------------------------------------------------------------

PACKAGES := $(if $(DATA),,gzip dataset-fashion-mnist)
SETTINGS := DATA HELD_OUT BUDGET PRECISION TRAIN_IMAGES TEST_IMAGES EPOCHS IMAGE PATCH CHANNELS CROP PIXELS MODEL DECODER HEAD PROTOTYPES \
  TOKENS LR LABEL_WEIGHT BATCH PRETRAIN POOL PER_CLASS FEW_EPOCHS ALL_EPOCHS FINETUNE FINETUNE_VIEW FEW ALL
include $(dir $(lastword $(MAKEFILE_LIST)))common.make

$(if $(filter epochs compute,$(BUDGET)),,$(error BUDGET is $(BUDGET): expected epochs or compute))
$(if $(and $(filter compute,$(BUDGET)),$(EVALUATE_AT)),$(error EVALUATE_AT is of BUDGET=epochs, where all cells have the same epochs))
$(if $(and $(DATA),$(HELD_OUT)),$(error HELD_OUT is of Fashion-MNIST, not of DATA))

# And a cell's own.
settings.cell = $(call settings-of,$(addprefix $1.,options views part finetune))
$(foreach c,$(CELLS),$(call check,$(OUT)/cells/$c/settings,$(call settings.cell,$c)))

.PHONY: show cells curves picture
# Kept, although no rule names them.
.PRECIOUS: $(OUT)/%.center.stz $(OUT)/%.pixels.stz

PACK = pmae-pack --overwrite --quiet --threads $(THREADS)
AUGMENT = pmae-augment --size $(IMAGE) --channels $(CHANNELS) --quiet
RUNNING = --precision $(PRECISION) --threads $(THREADS) --quiet
TRAIN := $(FASHION)/train-images-idx3-ubyte.gz --labels $(FASHION)/train-labels-idx1-ubyte.gz
TEST := $(FASHION)/t10k-images-idx3-ubyte.gz --labels $(FASHION)/t10k-labels-idx1-ubyte.gz

$(CELLS:%=$(OUT)/cells/%/settings): | $(OUT)/tools
	@mkdir -p $(@D)
	$(call keep,$@,$(call settings.cell,$(notdir $(@D))))
# The packed file keeps its old date where a tool was built anew: only its absence makes it again. Each seed has few labels of its own.
FEW_SETS := $(foreach s,$(SEEDS),$(OUT)/few$s.stz)
ifeq ($(DATA),)
ifneq ($(HELD_OUT),)
TEST := $(TRAIN) --skip 50000
override TRAIN_IMAGES := $(shell echo $$(($(TRAIN_IMAGES) < 50000 ? $(TRAIN_IMAGES) : 50000)))
endif
$(OUT)/train.stz: | $(OUT)/tools
	$(PACK) $(TRAIN) --limit $(TRAIN_IMAGES) --output $@
$(OUT)/test.stz: | $(OUT)/tools
	$(PACK) $(TEST) --limit $(TEST_IMAGES) --output $@
# From another fifth of the images on.
$(FEW_SETS): $(OUT)/few%.stz: $(OUT)/train.stz
	$(PACK) $(TRAIN) --skip $$(($* % 4 * $(TRAIN_IMAGES) / 5)) --limit $$(($(TRAIN_IMAGES) * 2 / 5)) --per-class $(PER_CLASS) \
	  --output $@
else
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

trained := $(filter-out scratch,$(CELLS))
# What the others cost is held against pseudo-mae, trained or not.
costed := $(sort $(trained) $(if $(filter compute,$(BUDGET)),pseudo-mae))
views = $(or $($1.views),$(simple))
tokens = $(if $(findstring tokens.stz,$($1.options)),$(OUT)/tokens.stz)
SHAPE := --image $(IMAGE) --patch $(PATCH) --channels $(CHANNELS) $(MODEL) --batch $(BATCH) $(PRETRAIN)

# What a few steps of a cell cost. What is trained for it goes.
define cost
$(OUT)/cells/$1/cost.json: $(OUT)/train.stz $(call tokens,$1)
	@mkdir -p $$(@D)
	{ $(AUGMENT) $$< $(call views,$1) --epochs 1 --threads 1 || (($$$$? == 141)); } \
	  | pmae-pretrain $(SHAPE) --epochs 1 $($1.options) --steps 4 --profile-json $$@ --quiet --overwrite --output $$(@D)/cost -
	rm -rf $$(@D)/cost
endef
# The GFLOP of a step of each cell, of those too that were made before.
$(OUT)/costs.tsv: $(foreach c,$(costed),$(OUT)/cells/$c/cost.json)
	pmae-evaluate table --path '{cell}/cost.json' --rows cell --value gflop_per_step=gflop --spread none --format tsv $(OUT)/cells/*/cost.json $(save)
# Of each cell the epochs that cost what EPOCHS of pseudo-mae do, at least one.
$(OUT)/epochs.mk: $(OUT)/costs.tsv
	awk -F '\t' -v epochs=$(EPOCHS) 'NR > 1 { cost[$$1] = $$2 }
	  END { for (c in cost) { n = int(epochs * cost["pseudo-mae"] / cost[c] + 0.5); if (n < 1) n = 1; printf "%s.epochs := %d\n", c, n } }' $< $(save)
ifeq ($(BUDGET),compute)
ifeq ($(filter cells show clean,$(MAKECMDGOALS)),)
include $(OUT)/epochs.mk
endif
endif
epochs = $(if $(filter scratch,$1),0,$(or $($1.epochs),$(EPOCHS)))
stops = $(if $(filter scratch,$1),,$(EVALUATE_AT)) $(epochs)

# The steps of an epoch.
$(OUT)/steps: $(OUT)/train.stz
	rows=$$(pmae-inspect --json $< | pmae-evaluate table --rows file --value rows --spread none --digits 0 --format tsv --no-header | cut -f 2)
	echo $$((rows / $(BATCH))) $(save)

# $(call stage,CELL,SEED,EPOCH,EPOCH-BEFORE): trains up to the end of that epoch of the whole run, from where the run is, and exports.
# A run that is further on (an encoder was deleted) can't go back: it begins again. One that is there already needs no views.
# The augmenter ends by SIGPIPE (141) where the trainer has had enough.
define stage
$(OUT)/cells/$1/seed$2/epoch$3.stz: $(or $(if $4,$(OUT)/cells/$1/seed$2/epoch$4.stz),$(OUT)/train.stz $(call tokens,$1)) | $(OUT)/steps $(OUT)/cells/$1/settings
	@mkdir -p $$(@D)
	run=$$(@D)/run done=0 steps=$$$$(($3 * $$$$(cat $(OUT)/steps)))
	if [ -e "$$$$run/checkpoint.stz" ]; then
	  done=$$$$(pmae-inspect --json "$$$$run/checkpoint.stz" \
	    | pmae-evaluate table --rows file --value metadata.step --spread none --digits 0 --format tsv --no-header | cut -f 2)
	fi
	if ((done > steps)); then rm -rf "$$$$run"; done=0; fi
	if ((done < steps)); then
	  { $(AUGMENT) $(OUT)/train.stz $(call views,$1) --epochs $3 --seed $2 --threads 1 --resume "$$$$run" || (($$$$? == 141)); } \
	    | pmae-pretrain $(SHAPE) --epochs $(call epochs,$1) $($1.options) --seed $2 --steps "$$$$steps" $(RUNNING) --resume \
	        --output "$$$$run" -
	fi
	pmae-export --part $(or $($1.part),student) --overwrite --quiet --output $$@ "$$$$run"
endef

# The same weights before the first step: of the views no more than the first record is read.
define untrained
$(OUT)/cells/scratch/seed$1/epoch0.stz: $(OUT)/train.stz | $(OUT)/cells/scratch/settings
	@mkdir -p $$(@D)
	{ $(AUGMENT) $(simple) $(OUT)/train.stz || (($$$$? == 141)); } \
	  | pmae-pretrain $(SHAPE) --objective mae $(DECODER) --epochs 1 --seed $1 --steps 0 --overwrite --quiet --output $$(@D)/run -
	pmae-export --part student --overwrite --quiet --output $$@ $$(@D)/run
endef

# --- Measuring ---------------------------------------------------------------------------------------------------

include $(SCRIPTS)/cells-measures.make

# $(call result,CELL,SEED,MEASURES WITH THEIR EPOCHS)
RESULTS := --rows cell,seed,epoch,measure --spread none --digits 2 --format tsv
define result
$(OUT)/cells/$1/seed$2/result.tsv: $(foreach m,$3,$(OUT)/cells/$1/seed$2/epoch$m.json)
	pmae-evaluate table --path '{cell}/seed{seed}/epoch{epoch}.{measure}.json' --scale 100 $(RESULTS) $$^ $$(save)
.PHONY: cell-$1-seed$2
cell-$1-seed$2: $(OUT)/cells/$1/seed$2/result.tsv
	@cat $$<
endef

# $(call stages,CELL,SEED,EPOCHS,EPOCH-BEFORE): a rule for each epoch, which follows from the one before.
stages = $(if $3,$(eval $(call stage,$1,$2,$(firstword $3),$4))$(call stages,$1,$2,$(wordlist 2,99,$3),$(firstword $3)))
$(foreach c,$(costed),$(eval $(call cost,$c)))
$(foreach s,$(SEEDS),$(eval $(call untrained,$s))$(eval $(call pixels,$s)))
$(foreach s,$(SEEDS),$(eval $(call result,pixels,$s,$(foreach m,knn linear few,0.$m))))
$(foreach c,$(trained),$(foreach s,$(SEEDS),$(call stages,$c,$s,$(call stops,$c))))
$(foreach c,$(CELLS),$(foreach s,$(SEEDS),$(foreach e,$(call stops,$c),$(eval $(call features,$c,$s,$e)))))
$(foreach c,$(CELLS),$(foreach s,$(SEEDS),$(eval $(call tuned,$c,$s,$(strip $(call epochs,$c))))))
$(foreach c,$(CELLS),$(foreach s,$(SEEDS),$(eval $(call result,$c,$s,$(foreach e,$(call stops,$c),$e.knn $e.linear) \
  $(foreach m,few tuned all,$(strip $(call epochs,$c)).$m)))))

# Seed by seed, so that a table of one seed comes early.
ALL_RESULTS := $(foreach s,$(SEEDS),$(foreach c,pixels $(CELLS),$(OUT)/cells/$c/seed$s/result.tsv))
$(OUT)/results.tsv: $(ALL_RESULTS) again
	@pmae-evaluate table $(RESULTS) $(ALL_RESULTS) $(replace)

# Mean and deviation over the seeds of top-1 accuracy, in %: $(TABLE) and the rows, by $(tables) of the script.
TABLE = pmae-evaluate table --rows cell --over seed --last epoch --columns measure --skip-empty --widths $(WIDTHS) $(OUT)/results.tsv \
  --column $$'knn=k-NN\nk = 20' --column $$'linear=logistic regr.\nall labels' \
  --column $$'few=logistic regr.\n$(PER_CLASS) a class' --column $$'tuned=fine-tuned\n$(PER_CLASS) a class' \
  --column $$'all=fine-tuned\nall labels' --baseline pixels --row pixels
$(OUT)/table.txt: $(OUT)/results.tsv again
	@{
	$(tables)
	} $(replace)

cells:
	@printf '%s\n' $(foreach s,$(SEEDS),$(foreach c,pixels $(CELLS),cell-$c-seed$s))

show: | $(OUT)/tools
	@shopt -s nullglob
	files=($(OUT)/cells/*/seed*/result.tsv)
	if ! (($${#files[@]})); then echo 'show: no cell is done in $(OUT)' >&2; exit 66; fi
	pmae-evaluate table $(RESULTS) "$${files[@]}" > $(OUT)/results.tsv
	$(tables)

curves picture: %: $(OUT)/%.svg
$(OUT)/curves.svg: $(OUT)/results.tsv $(OUT)/costs.tsv $(SCRIPTS)/results-curves.sh
	$(SCRIPTS)/install.sh gnuplot-nox
	$(SCRIPTS)/results-curves.sh $(OUT)/results.tsv $(OUT)/costs.tsv "$$(cat $(OUT)/steps)" $(save)
$(OUT)/picture.svg: $(OUT)/results.tsv $(SCRIPTS)/results-picture.sh
	$(SCRIPTS)/install.sh gnuplot-nox
	$(SCRIPTS)/results-picture.sh 'equal $(BUDGET)=$<' $(save)
