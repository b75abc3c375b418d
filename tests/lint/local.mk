lint_tests = \
	%D%/dist.sh \
	%D%/hardening.sh \
	%D%/layers.sh \
	%D%/links.sh \
	%D%/promises.sh \
	%D%/symbols.sh \
	%D%/text.sh
TESTS += $(lint_tests)
SH_LOG_COMPILER = $(SHELL)
EXTRA_DIST += %D%/tap.sh %D%/symbols/librkt-aci %D%/symbols/librkt-store $(lint_tests)
