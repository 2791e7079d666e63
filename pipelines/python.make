# A Python of OUT's own, for what makes data or is compared with. A make script includes it after common.make, and says PYTHON_PACKAGES, which
# are PyPI's. Its rules depend on $(OUT)/python.done, and run $(PYTHON).

PYTHON := $(OUT)/python/bin/python

$(OUT)/python.done:
	@mkdir -p $(OUT)
	python3 -c 'import venv, ensurepip' 2>/dev/null || $(SCRIPTS)/install.sh python3-venv
	python3 -m venv --clear $(OUT)/python
	$(PYTHON) -m pip install --quiet --disable-pip-version-check $(PYTHON_PACKAGES)
	touch $@
