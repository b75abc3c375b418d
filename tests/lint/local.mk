lint_tests =
TESTS += $(lint_tests)
