# Every test speaks TAP; `make check` counts each case. Which need root say so in their skip lines.
include %D%/unit/local.mk
include %D%/cli/local.mk
include %D%/lint/local.mk
include %D%/fuzz/local.mk
include %D%/fault/local.mk
include %D%/bench/local.mk
EXTRA_DIST += %D%/coverage.sh
