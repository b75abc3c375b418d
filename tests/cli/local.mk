# Black-box tests: one pytest file a command, run through one driver that prints TAP.
cli_tests =
TESTS += $(cli_tests)
PY_LOG_COMPILER = $(PYTHON3) -B $(top_srcdir)/tests/cli/tap.py
EXTRA_DIST += %D%/tap.py %D%/conftest.py $(cli_tests)
