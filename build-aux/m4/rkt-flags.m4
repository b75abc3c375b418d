# Compiler flags: which warnings we live with, and the hardening that SECURITY.md promises (S-080).

# RKT_TRY_FLAG(VARIABLE, FLAG): appends FLAG to VARIABLE where the compiler and linker take it.
AC_DEFUN([RKT_TRY_FLAG], [
	AS_VAR_PUSHDEF([cache], [rkt_cv_flag_$2])
	AC_CACHE_CHECK([whether $CC takes $2], [cache], [
		rkt_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror $2"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
			[AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
		CFLAGS=$rkt_save_CFLAGS])
	AS_VAR_IF([cache], [yes], [$1="$$1 $2"])
	AS_VAR_POPDEF([cache])
])

AC_DEFUN([RKT_WARNINGS], [
	WARNING_CFLAGS=
	m4_foreach_w([flag], [-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wvla
		-Wformat=2 -Wmissing-prototypes -Wstrict-prototypes -Wold-style-definition
		-Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wlogical-op -Wduplicated-cond
		-Wnull-dereference -Wimplicit-fallthrough -Wno-missing-field-initializers],
		[RKT_TRY_FLAG([WARNING_CFLAGS], m4_defn([flag]))])
	AS_IF([test "x$enable_werror" = xyes], [WARNING_CFLAGS="$WARNING_CFLAGS -Werror"])
	AC_SUBST([WARNING_CFLAGS])
])

AC_DEFUN([RKT_HARDENING], [
	HARDENING_CFLAGS=
	HARDENING_LDFLAGS=
	AS_IF([test "x$enable_sanitizers" = xyes], [
		HARDENING_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
	], [test "x$enable_fuzzing" = xyes], [
		HARDENING_CFLAGS="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all"
		AC_CACHE_CHECK([whether $CC has libFuzzer], [rkt_cv_fuzzer], [
			rkt_save_CFLAGS=$CFLAGS
			CFLAGS="$CFLAGS $HARDENING_CFLAGS"
			AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [rkt_cv_fuzzer=yes], [rkt_cv_fuzzer=no])
			CFLAGS=$rkt_save_CFLAGS])
		AS_IF([test "x$rkt_cv_fuzzer" = xno],
			[AC_MSG_ERROR([--enable-fuzzing needs clang and its libFuzzer: give CC=clang])])
	], [
		m4_foreach_w([flag], [-fstack-protector-strong -fstack-clash-protection
			-fcf-protection], [RKT_TRY_FLAG([HARDENING_CFLAGS], m4_defn([flag]))])
		# clang refuses linker options where it does not link
		m4_foreach_w([flag], [-Wl,-z,relro -Wl,-z,now], [RKT_TRY_FLAG([HARDENING_LDFLAGS], m4_defn([flag]))])
		# glibc warns about FORTIFY without optimisation, so ask only where there is some
		AS_CASE([" $CFLAGS "], [*" -O0 "*], [],
			[HARDENING_CFLAGS="$HARDENING_CFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"])
	])
	HARDENING_CFLAGS="$HARDENING_CFLAGS -fPIE"
	AC_SUBST([HARDENING_CFLAGS])
	AC_SUBST([HARDENING_LDFLAGS])
])

# Whether programs can be static. With what sanitizers and fuzzers add they cannot, though some link.
AC_DEFUN([RKT_STATIC], [
	AC_CACHE_CHECK([whether $CC links static programs], [rkt_cv_static], [
		rkt_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS $HARDENING_CFLAGS -static-pie"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
			[rkt_cv_static=yes], [rkt_cv_static=no])
		CFLAGS=$rkt_save_CFLAGS])
	AS_IF([test "x$enable_sanitizers$enable_fuzzing" != xnono], [rkt_cv_static=no])
	AM_CONDITIONAL([STATIC], [test "x$rkt_cv_static" = xyes])
])
