# How a cell is measured, for cells.make: k-NN, logistic regression, and fine-tuning on few labels and on all.

# $(call finetune,OPTIONS,EPOCHS,SEED,THE CELL'S OPTIONS): from the encoder $< on the images that follow it.
define finetune
$(AUGMENT) $(word 2,$^) $(FINETUNE_VIEW) --epochs $2 --seed $3 --threads 1 \
  | pmae-finetune $(FINETUNE) $1 $4 --pool $(POOL) --init $< --seed $3 $(RUNNING) --overwrite --output $(@:.json=.model.stz) -
pmae-evaluate classify $(@:.json=.model.stz) $(OUT)/test.center.stz $(RUNNING) $(save)
rm $(@:.json=.model.stz)
endef
# All features are standardised, and for neighbours whitened: that helps each of them.
LINE := --standardise --threads $(THREADS) --quiet
NEIGHBOURS := --k 20 --whiten 256
few = --labels-per-class $(PER_CLASS) --seed $1
EMBED := pmae-evaluate embed --pool $(POOL) $(RUNNING) --overwrite

# $(call features,CELL,SEED,EPOCH): of the encoder after that epoch, and its k-NN and logistic regression.
define features
$(foreach x,train test,$(OUT)/cells/$1/seed$2/epoch$3.$x.stz): $(OUT)/cells/$1/seed$2/epoch$3.%.stz: $(OUT)/cells/$1/seed$2/epoch$3.stz $(OUT)/%.center.stz
	$(EMBED) --output $$@ $$^
$(foreach m,knn linear few,$(OUT)/cells/$1/seed$2/epoch$3.$m.json): $(OUT)/cells/$1/seed$2/epoch$3.train.stz $(OUT)/cells/$1/seed$2/epoch$3.test.stz
$(OUT)/cells/$1/seed$2/epoch$3.knn.json:
	pmae-evaluate knn $(NEIGHBOURS) $(LINE) $$^ $$(save)
$(OUT)/cells/$1/seed$2/epoch$3.linear.json:
	pmae-evaluate linear $(LINE) $$^ $$(save)
$(OUT)/cells/$1/seed$2/epoch$3.few.json:
	pmae-evaluate linear $(call few,$2) $(LINE) $$^ $$(save)
endef
# $(call tuned,CELL,SEED,EPOCH): the whole run's encoder, fine-tuned.
define tuned
$(OUT)/cells/$1/seed$2/epoch$3.tuned.json: $(OUT)/cells/$1/seed$2/epoch$3.stz $(OUT)/few$2.stz $(OUT)/test.center.stz
	$$(call finetune,$(FEW),$(FEW_EPOCHS),$2,$($1.finetune))
$(OUT)/cells/$1/seed$2/epoch$3.all.json: $(OUT)/cells/$1/seed$2/epoch$3.stz $(OUT)/train.stz $(OUT)/test.center.stz
	$$(call finetune,$(ALL),$(ALL_EPOCHS),$2,$($1.finetune))
endef
# Pixels are features too: what any cell has to beat. A seed draws its labels.
knn.pixels := knn $(NEIGHBOURS)
linear.pixels := linear
define pixels
$(foreach m,knn linear few,$(OUT)/cells/pixels/seed$1/epoch0.$m.json): $(OUT)/train.pixels.stz $(OUT)/test.pixels.stz
	@mkdir -p $$(@D)
	pmae-evaluate $$($$(subst epoch0.,,$$(basename $$(@F))).pixels) $(LINE) --pixels $$^ $$(save)
$(OUT)/cells/pixels/seed$1/epoch0.few.json: few.pixels = linear $(call few,$1)
endef
