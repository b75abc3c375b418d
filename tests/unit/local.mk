# One line a test: the program tests/unit/test_X is made from tests/unit/test_X.c (automake's default)
# and linked with everything below (LDADD is the default of programs without one of their own).
unit_tests =
if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif
LDADD = store/libstore.la aci/libaci.la cli/libcli.la base/libbase.la $(CMOCKA_LIBS)
