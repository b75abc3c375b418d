# Black-box tests: one pytest file a command, run through one driver that prints TAP.
cli_tests =
cli_tests += tests/cli/test_aci_hash.py
cli_tests += tests/cli/test_aci_validate.py
cli_tests += tests/cli/test_aci_signature.py
cli_tests += tests/cli/test_aci_extract.py
cli_tests += tests/cli/test_aci_build.py
cli_tests += tests/cli/test_one_walker.py
cli_tests += tests/cli/test_other_tars.py
cli_tests += tests/cli/test_aci_patch.py
cli_tests += tests/cli/test_store_import.py
cli_tests += tests/cli/test_store_list.py
cli_tests += tests/cli/test_store_export.py
cli_tests += tests/cli/test_store_extract.py
cli_tests += tests/cli/test_store_render.py
cli_tests += tests/cli/test_sparse.py
cli_tests += tests/cli/test_store_rm.py
cli_tests += tests/cli/test_store_gc.py
cli_tests += tests/cli/test_store_verify.py
cli_tests += tests/cli/test_run.py
cli_tests += tests/cli/test_pod_list.py
cli_tests += tests/cli/test_pod_status.py
cli_tests += tests/cli/test_pod_rm.py
cli_tests += tests/cli/test_pod_gc.py
cli_tests += tests/cli/test_stage1_native.py
cli_tests += tests/cli/test_help.py
cli_tests += tests/cli/test_completion.py
cli_tests += tests/cli/test_json_doc.py
cli_tests += tests/cli/test_rkt.py
cli_tests += tests/cli/test_index.py
TESTS += $(cli_tests)
PY_LOG_COMPILER = $(PYTHON3) -B $(top_srcdir)/tests/cli/tap.py
EXTRA_DIST += %D%/tap.py %D%/conftest.py %D%/acilib.py %D%/storelib.py %D%/walkerlib.py %D%/podlib.py $(cli_tests)

# test_index.py looks at the index on plain tars through this
check_PROGRAMS += tests/images/index-tool
tests_images_index_tool_LDADD = $(index_link)
EXTRA_DIST += tests/images/same-tree.py
