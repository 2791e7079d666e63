#!/usr/bin/make -f
# Labelled pictures of what Debian has, to try methods and settings on:
#
#   pipelines/pictures.mk photos COUNT=3000         crops of 31 wallpapers, a class each, as OUT/photos/train and OUT/photos/test
#   pipelines/pictures.mk scenes COUNT=4600         garments and photographed things of 23 classes on wallpapers, as OUT/scenes/…;
#                                                   the test has things and wallpapers that are in no picture for training
#   pipelines/quickstart.mk DATA=run/pictures/scenes IMAGE=64 PATCH=8 OUT=run/scenes
#
# photos.py and scenes.py in pipelines/data say how they are made, and have more options. A set that is there stays: `clean` removes OUT.

.DEFAULT_GOAL := all

# --- What a user may set -----------------------------------------------------------------------------------------

# Where everything goes.
OUT ?= run/pictures
# Pictures for training; there are a quarter as many for the test.
COUNT ?= 3000
# The longer side of a scene.
SIZE ?= 96
SEED ?= 0

# -----------------------------------------------------------------------------------------------------------------

PYTHON_PACKAGES := numpy pillow
include $(dir $(lastword $(MAKEFILE_LIST)))common.make
include $(SCRIPTS)/python.make

.PHONY: all photos scenes
all: photos scenes
photos: $(OUT)/photos.done
scenes: $(OUT)/scenes.done

WALLPAPERS := mate-backgrounds gnome-backgrounds plasma-workspace-wallpapers

$(OUT)/photos.done: $(OUT)/python.done
	$(SCRIPTS)/install.sh $(WALLPAPERS)
	rm -rf $(OUT)/photos
	$(PYTHON) $(SCRIPTS)/data/photos.py $(OUT)/photos --count $(COUNT) --seed $(SEED)
	touch $@
$(OUT)/scenes.done: $(OUT)/python.done
	$(SCRIPTS)/install.sh dataset-fashion-mnist tuxpaint-stamps-default $(WALLPAPERS)
	rm -rf $(OUT)/scenes
	$(PYTHON) $(SCRIPTS)/data/scenes.py $(OUT)/scenes --count $(COUNT) --size $(SIZE) --seed $(SEED)
	touch $@
