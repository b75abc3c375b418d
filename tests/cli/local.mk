# Black-box tests: one pytest file a command, run through one driver that prints TAP.
cli_tests =
TESTS += $(cli_tests)
