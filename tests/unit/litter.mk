# For tests_interrupted_test.c.
litter:
	@tests/unit/run tests/unit/litter
