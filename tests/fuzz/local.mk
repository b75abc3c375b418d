# With ./configure --enable-fuzzing CC=clang: the targets for libFuzzer. Otherwise the same targets
# with a main() of our own, which `make check` runs over the kept corpus.
if FUZZING
noinst_PROGRAMS += %D%/fuzz_tar
%C%_fuzz_tar_SOURCES = %D%/fuzz_tar.c %D%/tar_mutate.c %D%/fuzz.h
%C%_fuzz_tar_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_tar_LDADD = $(aci_link)
else
check_PROGRAMS += %D%/fuzz_tar_alone
%C%_fuzz_tar_alone_SOURCES = %D%/fuzz_tar.c %D%/fuzz_main.c %D%/fuzz.h
%C%_fuzz_tar_alone_LDADD = $(aci_link)
TESTS += %D%/corpus.sh
endif
EXTRA_DIST += %D%/run-fuzz.sh %D%/corpus.sh %D%/make-seeds.sh %D%/tar_mutate.c %D%/fuzz_main.c \
	%D%/corpus tests/corpus/make-corpus.py tests/corpus/pieces.py
