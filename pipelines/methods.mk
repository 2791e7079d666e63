#!/usr/bin/make -f
# All objectives beside each other, training from scratch, and raw pixels, on Fashion-MNIST or on your pictures: each with several seeds,
# measured by k-NN, logistic regression and fine-tuning on few labels and on all. A cell is a method.
#
#   pipelines/methods.mk                          all cells, then the table
#   pipelines/methods.mk cell-dino-seed0          one cell with one seed, for one of many machines
#   pipelines/methods.mk cells                    the names of all of them, one a line
#   pipelines/methods.mk show                     the table of what is there by now
#   pipelines/methods.mk picture                  the same as a picture, OUT/picture.svg
#   pipelines/methods.mk BUDGET=compute           as many epochs of each as EPOCHS of Pseudo MAE cost
#   pipelines/methods.mk CELLS='mae sdae pseudo-mae scratch' EVALUATE_AT='3 6 12' curves      against epochs and computing, OUT/curves.svg
#   pipelines/methods.mk CELLS='mae pseudo-mae pseudo-mae-pixels'     Pseudo MAE that predicts pixels beside features, too
#   pipelines/methods.mk HELD_OUT=1               measures on training images that nothing was trained on: to choose settings
#   pipelines/methods.mk DATA=run/pictures/photos IMAGE=64 PATCH=8 LOCAL=32 CROP=0.4 EPOCHS=80 PER_CLASS=20     of pictures.mk, or a folder
#                                                 with `train` and `test`, in each a sub-folder a class
#   pipelines/methods.mk SIZE=minute              a small version, to see that it works
#
# What a user may set is at the head of cells.make, which says too where everything goes.

.DEFAULT_GOAL := table

OUT ?= run/methods-$(SIZE)$(if $(DATA),-$(notdir $(DATA:/=)))-$(BUDGET)$(if $(HELD_OUT),-held-out)

# The learning rate of DINO and iBOT. MoCo v3 has its own, and CAE, which does not bear that of the others.
VIEWS_LR ?= 1e-3
globals = --view 'name=global_1: crop 0.4-1, flip, $(COLOURS)' --view 'name=global_2: crop 0.4-1, flip, $(COLOURS)'
locals = --view 'name=local: crop 0.1-0.4, flip, $(COLOURS) size $(LOCAL) count 4'
DISTIL = --lr $(VIEWS_LR) $(HEAD) $(PROTOTYPES) --teacher-momentum 0.99 --clip 3 --freeze-epochs 0
dino.options ?= --objective dino $(DISTIL)
dino.views ?= $(globals) $(locals)
dino.part ?= teacher
ibot.options ?= --objective ibot $(DISTIL) --teacher-temperature-epochs 0
ibot.views ?= $(globals) $(locals)
ibot.part ?= teacher
moco-v3.options ?= --objective moco-v3 --lr 3e-3 $(HEAD)
moco-v3.views ?= --view 'name=view_1: crop 0.3-1, flip, $(COLOURS)' --view 'name=view_2: crop 0.3-1, flip, $(COLOURS)'
TOKEN = --vocabulary $(TOKENS) --tokenizer $(OUT)/tokens.stz --mask-least 2 --clip 3
beit.options ?= --objective beit --lr $(LR) $(TOKEN)
cae.options ?= --objective cae --lr 2e-3 $(TOKEN) --regressor-depth 2 --decoder-depth 2
simmim.options ?= --objective simmim --lr $(LR) --mask-unit 1 --drop-at 0 --clip 5

CELLS ?= pseudo-mae sdae mae dino ibot moco-v3 beit cae simmim scratch
WIDTHS := 14,17
include $(dir $(lastword $(MAKEFILE_LIST)))cells.make

define tables
$(TABLE) --title 'Methods, equal $(BUDGET)' --baseline scratch --row 'scratch=from scratch' --row dino=DINO --row ibot=iBOT \
  --row 'moco-v3=MoCo v3' --row beit=BEiT --row mae=MAE --row simmim=SimMIM --row cae=CAE --row sdae=SdAE --row 'sdae-pixels=SdAE, pixels' \
  --row 'pseudo-mae=Pseudo MAE' --row 'pseudo-mae-pixels=Pseudo, pixels'
endef
