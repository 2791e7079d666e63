#!/usr/bin/make -f
# The structure of the paper's tables 6 to 9, with MAE, SdAE, training from scratch and raw pixels, on Fashion-MNIST or on your pictures:
# each cell of a table with several seeds, measured by k-NN, logistic regression and fine-tuning on few labels and on all.
#
#   pipelines/ablations.mk                             all cells, then the tables
#   pipelines/ablations.mk cell-pseudo-mae-seed0       one cell with one seed, for one of many machines
#   pipelines/ablations.mk cells                       the names of all of them, one a line
#   pipelines/ablations.mk show                        the tables of what is there by now
#   pipelines/ablations.mk SIZE=minute                 a small version, to see that it works
#
# What a user may set is at the head of cells.make, which says too where everything goes.

.DEFAULT_GOAL := table

OUT ?= run/ablations-$(SIZE)$(if $(DATA),-$(notdir $(DATA:/=)))-$(BUDGET)$(if $(HELD_OUT),-held-out)

# All are Pseudo MAE, changed in one thing; pseudo-mae itself is a row of each table. First, table 6: a single teacher. Where it moves once
# an epoch, 0.996 would leave it where it began: it has the momenta of the paper's teacher that moves so.
single-iteration.options = $(pseudo-mae.options) --teachers single
single-epoch.options = $(pseudo-mae.options) --teachers single --label-update epoch --label-momentum 0.96 --label-momentum-end 0.99
# Not in the paper: a reconstruction teacher that moves as much in EPOCHS as the paper's does in 300, from 0.96 to 0.99. For 24 that is
# from 0.5 to 0.875.
paced = $(shell awk 'BEGIN { m = 1 - $1 * 300 / $(EPOCHS); print (m > 0 ? m : 0) }')
paced.options = $(pseudo-mae.options) --reconstruction-momentum $(call paced,0.04) --reconstruction-momentum-end $(call paced,0.01)
# Table 7. The label momentum at the start; it ends at 1 everywhere. pseudo-mae has 0.996.
MOMENTA ?= 0.9 0.99 0.999
$(foreach m,$(MOMENTA),$(eval momentum-$m.options = $$(pseudo-mae.options) --label-momentum $m))
# Table 8: the five rows of λ_m, λ_c, λ_p are sdae, these three, and pseudo-mae. Which weights the paper's table has is not
# known here: these are each label loss alone, and the paper's own 1 for both.
lambda-c.options = $(LABELLED) --lambda-c $(LABEL_WEIGHT) --lambda-p 0
lambda-p.options = $(LABELLED) --lambda-c 0 --lambda-p $(LABEL_WEIGHT)
lambda-1.options = $(LABELLED) --lambda-c 1 --lambda-p 1
# Table 9: the view that labels are made of, and how many folds. pseudo-mae is complex, multifold.
complex-1fold.options = $(pseudo-mae.options) --label-folds 1
simple-3fold.options = $(pseudo-mae.options) --label-view simple
simple-3fold.views = $(simple)
simple-1fold.options = $(pseudo-mae.options) --label-view simple --label-folds 1
simple-1fold.views = $(simple)
two-views := single-iteration single-epoch paced $(addprefix momentum-,$(MOMENTA)) lambda-c lambda-p lambda-1 complex-1fold
$(foreach c,$(two-views),$(eval $c.views = $$(pseudo-mae.views)))

CELLS ?= pseudo-mae pseudo-mae-pixels $(two-views) simple-3fold simple-1fold sdae sdae-pixels mae scratch
WIDTHS := 42,17
include $(dir $(lastword $(MAKEFILE_LIST)))cells.make

MOMENTUM_ROWS := $(foreach m,$(sort 0.996 $(MOMENTA)),--row '$(if $(filter $m,$(MOMENTA)),momentum-$m,pseudo-mae)=$m')
define tables
$(TABLE) --title Methods --baseline scratch --row 'scratch=from scratch' --row mae=MAE --row sdae=SdAE --row 'pseudo-mae=Pseudo MAE'
echo
$(TABLE) --title 'Teachers (table 6)' --row 'single-iteration=single, each iteration' \
  --row 'single-epoch=single, each epoch' --row pseudo-mae=disentangled \
  --row 'paced=disentangled, paced by the epochs'
echo
$(TABLE) --title 'Label momentum at the start (table 7)' $(MOMENTUM_ROWS)
echo
$(TABLE) --title 'Losses (table 8)' --row sdae=L_m --row 'lambda-c=L_m, L_c' --row 'lambda-p=L_m, L_p' \
  --row 'pseudo-mae=L_m, L_c, L_p' --row 'lambda-1=L_m, L_c, L_p, each with weight 1'
echo
$(TABLE) --title 'Labels (table 9)' --row 'simple-1fold=simple view, one fold' --row 'simple-3fold=simple view, multifold' \
  --row 'complex-1fold=complex view, one fold' --row 'pseudo-mae=complex view, multifold'
echo
$(TABLE) --title 'Pixels beside features (not in the paper)' --row sdae=L_m --row 'sdae-pixels=L_m, pixels' \
  --row 'pseudo-mae=L_m, L_c, L_p' --row 'pseudo-mae-pixels=L_m, L_c, L_p, pixels' --row 'mae=pixels alone (MAE)'
endef
