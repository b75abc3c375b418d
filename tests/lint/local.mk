lint_tests = \
	%D%/hardening.sh \
	%D%/layers.sh \
	%D%/links.sh \
	%D%/text.sh
TESTS += $(lint_tests)
SH_LOG_COMPILER = $(SHELL)
EXTRA_DIST += %D%/tap.sh $(lint_tests)
