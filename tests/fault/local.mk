# What happens when things break: run through the driver of the black-box tests.
fault_tests =
fault_tests += tests/fault/kill.py
fault_tests += tests/fault/errors.py
fault_tests += tests/fault/power.py
fault_tests += tests/fault/race.py
fault_tests += tests/fault/rot.py
fault_tests += tests/fault/leaks.py
fault_tests += tests/fault/tamper.py
fault_tests += tests/fault/fetch-storm.py
TESTS += $(fault_tests)
EXTRA_DIST += %D%/faultlib.py %D%/fetchscenes.py $(fault_tests)

check_PROGRAMS += %D%/at-syscall
%C%_at_syscall_SOURCES = %D%/at-syscall.c
%C%_at_syscall_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS)
%C%_at_syscall_LDADD = $(SECCOMP_LIBS)

check_PROGRAMS += %D%/pods
%C%_pods_LDADD = $(store_link)
check_PROGRAMS += %D%/disk-recorder
