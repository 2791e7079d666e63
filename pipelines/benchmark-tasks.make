# benchmark.mk's targets of what comes after pretraining: fine-tuning, features, and k-NN. benchmark.mk includes it, and says there
# what PAIRS, STEPS, PEER, PRECISION, RUN and THREADS are.
#
#   finetune-vit-small-float32, finetune-vit-small-bfloat16    steps of pmae-finetune: 224, patch 16, batch 32
#   extract-vit-small-float32, extract-vit-small-bfloat16      features of IMAGES pictures by pmae-evaluate embed, by the clock
#   knn                                                        pmae-evaluate knn of KNN_QUERIES against KNN_BANK features, by the clock
#
# Their peers get arguments for the same work: PEER='python3 Tests/Oracle/bench_finetune.py', and for knn
# PEER='python3 Tests/Oracle/bench_knn.py' with KNN_PEER sklearn, faiss or torch.

# Pictures whose features are computed, of 9.2 GFLOP each.
IMAGES ?= 512
# Features of KNN_WIDTH = side² values, of grey noise. ImageNet's is KNN_QUERIES=50000 KNN_BANK=1280000, of 2 GiB.
KNN_QUERIES ?= 5000
KNN_BANK ?= 128000
KNN_SIDE ?= 20
KNN_PEER ?= sklearn

override KNN_WIDTH := $(shell echo $$(($(KNN_SIDE) * $(KNN_SIDE))))
FINETUNES := $(addprefix finetune-vit-small-,$(PRECISIONS))
EXTRACTS := $(addprefix extract-vit-small-,$(PRECISIONS))
# Arguments of a target's peer.
short = $(if $(findstring bfloat16,$1),bf16,f32)
peer-side = $(if $(PEER),peer "export OMP_NUM_THREADS=$(THREADS); $$PEER $1")

.PHONY: $(FINETUNES) $(EXTRACTS) knn

# $(call noise,COUNT,SIDE,FILE): FILE, a stream of COUNT grey pictures of noise with labels, where it is not there.
define noise
if [ ! -e "$3" ]; then
mkdir -p "$(RUN)"
"$(SCRIPTS)/benchmark-noise.sh" $1 $2 "$(RUN)/noise" "$3"
fi
endef

$(FINETUNES): $(OUT)/tools
	@rows=$$((($(STEPS) + 2) * 32))
	pictures="$(RUN)/noise-64-$$rows.stz" views="$(RUN)/labelled-224-$$rows.stz"
	$(call noise,$$rows,64,$$pictures)
	[ -e "$$views" ] || pmae-augment --quiet --views simple --size 224 --output "$$views" "$$pictures"
	"$(SCRIPTS)/benchmark-pairs.sh" "$(RUN)/$@.tsv" "$@, threads: $(THREADS), steps a run: $(STEPS)" $(PAIRS) \
	  pmae-finetune "pmae-finetune --model vit-small --image 224 --patch 16 --batch 32 --precision $(call precision,$@) --threads $(THREADS) \
	    --steps $$(($(STEPS) + 2)) --profile-json - --quiet --overwrite --output '$(RUN)/model.stz' '$$views'" \
	  $(call peer-side,finetune --model vit_small --batch 32 --dtype $(call short,$@) --steps $(STEPS))

$(EXTRACTS): $(OUT)/tools
	@pictures="$(RUN)/noise-64-$(IMAGES).stz" views="$(RUN)/center-224-$(IMAGES).stz" model="$(RUN)/vit-small.stz"
	$(call noise,$(IMAGES),64,$$pictures)
	[ -e "$$views" ] || pmae-augment --quiet --views center --size 224 --output "$$views" "$$pictures"
	[ -e "$$model" ] || pmae-finetune --quiet --model vit-small --batch 1 --steps 0 --output "$$model" "$$views"
	"$(SCRIPTS)/benchmark-pairs.sh" "$(RUN)/$@.tsv" "$@, threads: $(THREADS), images a run: $(IMAGES)" $(PAIRS) \
	  pmae-evaluate "'$(SCRIPTS)/benchmark-process.sh' $(IMAGES) $$(awk 'BEGIN { print $(IMAGES) * 9.2 }') pmae-evaluate embed --pool class \
	    --precision $(call precision,$@) --threads $(THREADS) --quiet --overwrite --output '$(RUN)/features.stz' '$$model' '$$views'" \
	  $(call peer-side,extract --model vit_small --batch 32 --dtype $(call short,$@) --images $(IMAGES))

# Pixels of small pictures are features of the width that is wanted.
knn: $(OUT)/tools
	@for rows in $(KNN_BANK) $(KNN_QUERIES); do
	  features="$(RUN)/features-$(KNN_SIDE)-$$rows.stz" pictures="$(RUN)/noise-$(KNN_SIDE)-$$rows.stz"
	  if [ -e "$$features" ]; then continue; fi
	  $(call noise,$$rows,$(KNN_SIDE),$$pictures)
	  pmae-augment --quiet --views center --size $(KNN_SIDE) --channels 1 "$$pictures" \
	    | pmae-evaluate embed --pixels --quiet --output "$$features" -
	done
	gflop=$$(awk 'BEGIN { print 2e-9 * $(KNN_QUERIES) * $(KNN_BANK) * $(KNN_WIDTH) }')
	"$(SCRIPTS)/benchmark-pairs.sh" "$(RUN)/knn-$(KNN_PEER).tsv" \
	  "knn, $(KNN_QUERIES) against $(KNN_BANK) of width $(KNN_WIDTH), threads: $(THREADS)" $(PAIRS) \
	  pmae-evaluate "'$(SCRIPTS)/benchmark-process.sh' $(KNN_QUERIES) $$gflop pmae-evaluate knn --k 20 --threads $(THREADS) --quiet \
	    '$(RUN)/features-$(KNN_SIDE)-$(KNN_BANK).stz' '$(RUN)/features-$(KNN_SIDE)-$(KNN_QUERIES).stz'" \
	  $(call peer-side,--library $(KNN_PEER) --bank $(KNN_BANK) --queries $(KNN_QUERIES) --width $(KNN_WIDTH) --k 20)
