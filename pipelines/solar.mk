#!/usr/bin/make -f
# Solar cells, functional or defective: pretraining without labels, fine-tuning, and a table, on the 2,624 pictures of PyPI's elpv-dataset.
#
#   pipelines/solar.mk                                                  ten splits, then the table
#   pipelines/solar.mk REPEATS=1 EPOCHS=4 FINETUNE_EPOCHS=2 SCRATCH_EPOCHS=2 OUT=run/solar-check     to see that it works
#   pipelines/solar.mk show                                             the table of what is there by now
#
# The set is Buerhop-Lutz et al., A Benchmark for Visual Identification of Defective Solar Cells in Electroluminescence Imagery (2018).
# Its pictures are under CC BY-NC-SA 4.0, and stay in OUT. As in Deitsch et al., Automatic Classification of Defective Photovoltaic Module
# Cells in Electroluminescence Images (2019), there are two classes, a quarter of the cells is for the test, and splits keep the shares
# of defects and of mono- and polycrystalline cells. A probability of a defect of 1/2 or more is defective; all cells count alike. That
# paper's figures are 88.4 % for a CNN that began with ImageNet's weights, and 82.4 % for an SVM on features made by hand.
#
# The set does not say which module a cell is from: cells of one module may be in both parts of a split. With PRETRAIN_ON=all the encoder
# has seen all pictures, those of the test too, but no label; with PRETRAIN_ON=train it is pretrained for each split on its training cells.
#
# Each stage is a file under OUT: a second run does nothing, a killed one goes on where it was.

.DEFAULT_GOAL := table

# --- What a user may set -----------------------------------------------------------------------------------------

# Where everything goes.
OUT ?= run/solar
# THREADS and BIN, the folder of the tools where they are not to be built, are in common.make.
REPEATS ?= 10
SEED ?= 0
# bfloat16 where the processor has its instructions; otherwise float32.
PRECISION ?= auto
PRETRAIN_ON ?= all

# Pictures are kept with this short side; a view and a patch have these.
SHORT_SIDE ?= 112
IMAGE ?= 96
PATCH ?= 8
ENCODER ?= --width 64 --depth 4 --heads 2

EPOCHS ?= 900
BATCH ?= 64
VIEW ?= crop 0.5-1 ratio 0.9-1.1, flip, vflip
PRETRAIN ?= --objective mae --decoder-width 32 --decoder-depth 1 --decoder-heads 2 --lr 4e-3 --drop-path 0.05

FINETUNE_EPOCHS ?= 50
FINETUNE_VIEW ?= crop 0.8-1 ratio 0.9-1.1, flip, vflip, jitter 0.3 0.3 0
FINETUNE ?= --batch 32 --lr 3e-3 --layer-decay 0.65 --label-smoothing 0.1 --drop-path 0.1 --pool grid
# From scratch by the same recipe, but weights that were not trained have all to learn. The epochs more cost as much as a split's share of
# the pretraining, which ten splits have in common.
SCRATCH_EPOCHS ?= 80
SCRATCH ?= $(FINETUNE) --layer-decay 1

# --- Tools and data ----------------------------------------------------------------------------------------------

SETTINGS := SEED PRECISION PRETRAIN_ON SHORT_SIDE IMAGE PATCH ENCODER EPOCHS BATCH VIEW PRETRAIN FINETUNE_EPOCHS FINETUNE_VIEW FINETUNE \
  SCRATCH_EPOCHS SCRATCH
PYTHON_PACKAGES := elpv-dataset==1.0.0.post1 scikit-learn numpy pillow
include $(dir $(lastword $(MAKEFILE_LIST)))common.make
include $(SCRIPTS)/python.make

ifeq ($(filter all train,$(PRETRAIN_ON)),)
$(error PRETRAIN_ON is $(PRETRAIN_ON): expected all or train)
endif

.PHONY: show
# What is between stays.
.SECONDARY:
SPLITS := $(foreach k,$(shell seq 0 $$(($(REPEATS) - 1))),split$k)

# The first splits are the same for any number of them.
$(OUT)/lists$(REPEATS).done: $(OUT)/python.done
	$(PYTHON) $(SCRIPTS)/data/solar.py lists $(OUT) $(REPEATS) $(SEED)
	touch $@

PACK = pmae-pack --channels 1 --short-side $(SHORT_SIDE) --quality 95 --root $(OUT)/cells --threads $(THREADS) --quiet --overwrite
AUGMENT = pmae-augment --channels 1 --size $(IMAGE)

$(OUT)/all.stz: | $(OUT)/lists$(REPEATS).done $(OUT)/tools
	$(PACK) --no-labels --output $@ $(OUT)/all.csv
$(OUT)/%/train.stz: | $(OUT)/lists$(REPEATS).done $(OUT)/tools
	$(PACK) --output $@ $(@:.stz=.csv)
$(OUT)/%/test.stz: | $(OUT)/lists$(REPEATS).done $(OUT)/tools
	$(PACK) --output $@ $(@:.stz=.csv)
$(OUT)/%/test.center.stz: $(OUT)/%/test.stz
	$(AUGMENT) --views center --crop-ratio 1 --overwrite --quiet --threads $(THREADS) --output $@ $<

# --- Pretraining -------------------------------------------------------------------------------------------------

RUNNING = --precision $(PRECISION) --seed $(SEED) --threads $(THREADS)

# $(call pretrain,PICTURES): the run is beside the encoder.
define pretrain
$(AUGMENT) --no-labels --view 'name=simple: $(VIEW)' --epochs $(EPOCHS) --seed $(SEED) --threads 1 --quiet \
    --resume $(@D)/pretrained $1 \
  | pmae-pretrain --channels 1 --image $(IMAGE) --patch $(PATCH) $(ENCODER) --batch $(BATCH) --epochs $(EPOCHS) $(PRETRAIN) \
      $(RUNNING) --resume --output $(@D)/pretrained -
pmae-export --part student --overwrite --quiet --output $@ $(@D)/pretrained
endef

$(OUT)/encoder.stz: $(OUT)/all.stz
	$(call pretrain,$<)
$(OUT)/%/encoder.stz: $(OUT)/%/train.stz
	$(call pretrain,$<)

# --- Fine-tuning and what it is compared with --------------------------------------------------------------------

# $(call finetune,OPTIONS,EPOCHS): predictions for the test cells.
define finetune
$(AUGMENT) --view 'name=simple: $(FINETUNE_VIEW)' --shuffle --epochs $2 --seed $(SEED) --threads 1 --quiet $(@D)/train.stz \
  | pmae-finetune --mode full $1 --epochs $2 $(RUNNING) --overwrite --output $(@:.tsv=.model.stz) -
pmae-evaluate predict $(@:.tsv=.model.stz) $(@D)/test.center.stz --top 1 --precision $(PRECISION) --threads $(THREADS) \
  --quiet --overwrite --output $@
endef

$(OUT)/%/pretrained.tsv: $(OUT)/%/train.stz $(OUT)/%/test.center.stz \
    $(if $(filter all,$(PRETRAIN_ON)),$(OUT)/encoder.stz,$(OUT)/%/encoder.stz)
	$(call finetune,--init $(lastword $^) $(FINETUNE),$(FINETUNE_EPOCHS))
$(OUT)/%/scratch.tsv: $(OUT)/%/train.stz $(OUT)/%/test.center.stz
	$(call finetune,--channels 1 --image $(IMAGE) --patch $(PATCH) $(ENCODER) $(SCRATCH),$(SCRATCH_EPOCHS))
# Not a pattern, by which one run would make both.
$(foreach s,$(SPLITS),$(OUT)/$s/logistic.tsv $(OUT)/$s/svm.tsv): | $(OUT)/lists$(REPEATS).done
	$(PYTHON) $(SCRIPTS)/data/solar.py pixels $(basename $(@F)) $(@D)/train.csv $(@D)/test.csv $(IMAGE) $(save)

# Predictions to measures, in which defective is the positive class.
$(OUT)/%.json: $(OUT)/%.tsv
	@awk -F '\t' '
	  NR == 1 { for (i = 1; i <= NF; i++) column[$$i] = i; next }
	  { n[$$column["label"] == "defective", $$column["class"] == "defective"]++ }
	  END {
	    tp = n[1, 1]; fn = n[1, 0]; fp = n[0, 1]; tn = n[0, 0]
	    if (!(tp + fn) || !(tn + fp)) { print "solar.mk: $<: the test has one class" > "/dev/stderr"; exit 65 }
	    spread = sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
	    printf "{\"accuracy\":%.9g,\"balanced_accuracy\":%.9g,\"f1\":%.9g,\"mcc\":%.9g,\"images\":%d}\n",
	      (tp + tn) / (tp + tn + fp + fn), (tp / (tp + fn) + tn / (tn + fp)) / 2,
	      2 * tp / (2 * tp + fp + fn), spread ? (tp * tn - fp * fn) / spread : 0, tp + tn + fp + fn
	  }' $< $(save)

ROWS := logistic svm scratch pretrained
RESULTS := $(foreach s,$(SPLITS),$(ROWS:%=$(OUT)/$s/%.json))

# A line a split and a row, in %; MCC times 100.
LINES := pmae-evaluate table --path 'split{split}/{row}.json' --rows split,row --value accuracy --value balanced_accuracy --value f1 \
  --value mcc --scale 100 --digits 2 --spread none --format tsv
$(OUT)/results.tsv: $(RESULTS) again
	@$(LINES) $(RESULTS) $(replace)

# Mean and deviation over the splits.
TABLE := pmae-evaluate table --rows row --over split --value accuracy --value 'balanced_accuracy=balanced accuracy' --value f1=F1 \
  --value mcc=MCC --heading 'test cells, %' --widths 34,16 --skip-empty --baseline logistic --baseline svm --baseline scratch \
  --row 'logistic=pixels, logistic regression' --row 'svm=pixels, SVM (RBF)' \
  --row 'scratch=from scratch, $(SCRATCH_EPOCHS) epochs' --row 'pretrained=pretrained, $(FINETUNE_EPOCHS) epochs' $(OUT)/results.tsv
SEEN_all := all pictures, those of the test too
SEEN_train := the training cells of each split
define told
echo
echo 'Of each split 75 % of the cells are for training. The set does not say modules: cells of one may be in both parts.'
echo 'The encoder was pretrained on $(SEEN_$(PRETRAIN_ON)), without labels.'
endef
$(OUT)/table.txt: $(OUT)/results.tsv again
	@{
	$(TABLE)
	$(told)
	} $(replace)

show: | $(OUT)/tools
	@shopt -s nullglob
	results=($(OUT)/split*/*.json)
	if ! (($${#results[@]})); then echo 'show: no result is in $(OUT)' >&2; exit 66; fi
	$(LINES) "$${results[@]}" > $(OUT)/results.tsv
	$(TABLE)
	$(told)
