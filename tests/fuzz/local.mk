# One line a target: tests/fuzz/fuzz_X is made from fuzz_X.c and linked with what all of them share.
# With ./configure --enable-fuzzing CC=clang they are libFuzzer's. Otherwise they have a main() of our
# own, and `make check` runs them over the seeds, built by any compiler.
fuzz_targets =
fuzz_targets += tests/fuzz/fuzz_source
fuzz_targets += tests/fuzz/fuzz_gzip
fuzz_targets += tests/fuzz/fuzz_tar
fuzz_targets += tests/fuzz/fuzz_pax
fuzz_targets += tests/fuzz/fuzz_json
fuzz_targets += tests/fuzz/fuzz_image_manifest
fuzz_targets += tests/fuzz/fuzz_pod_manifest
fuzz_targets += tests/fuzz/fuzz_names
fuzz_targets += tests/fuzz/fuzz_index
fetch_fuzz_targets = tests/fuzz/fuzz_auth tests/fuzz/fuzz_header tests/fuzz/fuzz_template
page_fuzz_targets = tests/fuzz/fuzz_page tests/fuzz/fuzz_page_tags
trust_fuzz_targets = tests/fuzz/fuzz_plain_key
fuzz_targets += $(fetch_fuzz_targets) $(page_fuzz_targets) $(trust_fuzz_targets)
check_PROGRAMS += $(fuzz_targets)

check_LTLIBRARIES = %D%/libfuzz.la
%C%_libfuzz_la_SOURCES = \
	%D%/fuzz.h %D%/fuzz_manifest.h \
	%D%/gzip_mutate.c \
	%D%/index_walk.c %D%/index_walk.h \
	%D%/promise.c \
	%D%/tar_mutate.c
if FUZZING
fuzz_engine = -fsanitize=fuzzer
else
%C%_libfuzz_la_SOURCES += %D%/main.c
TESTS += %D%/corpus.sh
endif
$(fuzz_targets): %D%/libfuzz.la
$(fuzz_targets): LDADD = %D%/libfuzz.la $(index_link) $(ZLIB_LIBS) $(fuzz_engine)
$(fetch_fuzz_targets): store/fetch/libfetch.la
$(fetch_fuzz_targets): LDADD = %D%/libfuzz.la $(fetch_link) $(index_link) $(ZLIB_LIBS) $(fuzz_engine)
$(page_fuzz_targets): store/fetch/libpage.la
$(page_fuzz_targets): LDADD = %D%/libfuzz.la $(page_link) $(index_link) $(ZLIB_LIBS) $(fuzz_engine)
$(trust_fuzz_targets): store/trust/libtrust.la
$(trust_fuzz_targets): LDADD = %D%/libfuzz.la $(trust_link) $(config_link) $(index_link) $(ZLIB_LIBS) $(fuzz_engine)

# for run-tests, which builds nothing else when it fuzzes
.PHONY: fuzz-targets
fuzz-targets: $(fuzz_targets)

EXTRA_DIST += %D%/run-fuzz.sh %D%/corpus.sh %D%/make-seeds.sh %D%/main.c %D%/corpus \
	tests/corpus/make-corpus.py tests/corpus/pieces.py tests/corpus/other-tars.py
