# What happens when things break: run through the driver of the black-box tests.
fault_tests =
fault_tests += tests/fault/kill-import.py
TESTS += $(fault_tests)
EXTRA_DIST += %D%/README.md $(fault_tests)
