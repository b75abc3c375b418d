# One line a test: the program tests/unit/test_X is made from tests/unit/test_X.c (automake's default)
# and linked with everything below (LDADD is the default of programs without one of their own).
unit_tests =
unit_tests += tests/unit/test_mount
unit_tests += tests/unit/test_path_set
unit_tests += tests/unit/test_path_filter
unit_tests += tests/unit/test_version
unit_tests += tests/unit/test_image
unit_tests += tests/unit/test_library
unit_tests += tests/unit/test_later
unit_tests += tests/unit/test_layout
unit_tests += tests/unit/test_extract
unit_tests += tests/unit/test_extract_walk
unit_tests += tests/unit/test_extract_race
unit_tests += tests/unit/test_build
unit_tests += tests/unit/test_build_tar
unit_tests += tests/unit/test_holes
unit_tests += tests/unit/test_index
unit_tests += tests/unit/test_index_tree
unit_tests += tests/unit/test_index_xattr
unit_tests += tests/unit/test_index_layers
unit_tests += tests/unit/test_template
unit_tests += tests/unit/test_page
unit_tests += tests/unit/test_page_tags
unit_tests += tests/unit/test_header
unit_tests += tests/unit/test_auth
unit_tests += tests/unit/test_plain_key
unit_tests += tests/unit/test_db
unit_tests += tests/unit/test_db_map
unit_tests += tests/unit/test_store
unit_tests += tests/unit/test_used
unit_tests += tests/unit/test_keep
unit_tests += tests/unit/test_threads
unit_tests += tests/unit/test_deps
unit_tests += tests/unit/test_deps_pods
unit_tests += tests/unit/test_pod_state
unit_tests += tests/unit/test_volumes
unit_tests += tests/unit/test_time
unit_tests += tests/unit/test_proc
unit_tests += tests/unit/test_only_calls
unit_tests += tests/unit/test_environment
unit_tests += tests/unit/test_users
unit_tests += tests/unit/test_source
unit_tests += tests/unit/test_digest
unit_tests += tests/unit/test_unpack
unit_tests += tests/unit/test_tar
unit_tests += tests/unit/test_corpus
unit_tests += tests/unit/test_opts
unit_tests += tests/unit/test_out
unit_tests += tests/unit/test_error
unit_tests += tests/unit/test_path
unit_tests += tests/unit/test_tree
unit_tests += tests/unit/test_usage
unit_tests += tests/unit/test_manifest
unit_tests += tests/unit/test_json
unit_tests += tests/unit/test_manifest_edit
unit_tests += tests/unit/test_name
unit_tests += tests/unit/test_id
unit_tests += tests/unit/test_isolator
unit_tests += tests/unit/test_pod
unit_tests += tests/unit/test_check
unit_tests += tests/unit/test_render_rules
if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif
LOG_COMPILER = $(SHELL) $(top_srcdir)/tests/unit/tap.sh
LDADD = cli/libcli.la $(store_link) $(CMOCKA_LIBS)
tests_unit_test_build_LDADD = aci/libbuild.la $(LDADD)
tests_unit_test_build_tar_LDADD = $(tests_unit_test_build_LDADD)
tests_unit_test_template_LDADD = $(fetch_link) $(CMOCKA_LIBS)
tests_unit_test_page_LDADD = $(page_link) $(CMOCKA_LIBS)
tests_unit_test_page_tags_LDADD = $(tests_unit_test_page_LDADD)
tests_unit_test_header_LDADD = $(tests_unit_test_template_LDADD)
tests_unit_test_auth_LDADD = $(tests_unit_test_template_LDADD)
tests_unit_test_plain_key_LDADD = $(trust_link) $(base_link) $(CMOCKA_LIBS)
tests_unit_test_pod_state_LDADD = $(runner_link) $(CMOCKA_LIBS)
tests_unit_test_volumes_LDADD = $(runner_link) $(CMOCKA_LIBS)
tests_unit_test_users_LDADD = $(stage1_link) $(CMOCKA_LIBS)
tests_unit_test_environment_LDADD = $(tests_unit_test_users_LDADD)
# the same claims where the kernel has no openat2(2)
tests_unit_test_extract_walk_SOURCES = tests/unit/test_extract.c
tests_unit_test_extract_walk_CPPFLAGS = $(AM_CPPFLAGS) -DWITHOUT_OPENAT2
EXTRA_DIST += %D%/no_openat2.h
EXTRA_DIST += %D%/tap.sh %D%/scratch.h %D%/tars.h %D%/store_fixture.h %D%/stores.h %D%/index_read.h %D%/chunks.h %D%/db_fixture.h %D%/deps.h %D%/corpus.h %D%/list-tar.py
EXTRA_DIST += tests/corpus/manifests

# for run-tests, which runs only these in some of its builds
.PHONY: print-unit-tests
print-unit-tests:
	@echo $(unit_tests)
