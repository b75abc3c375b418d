# RKT_SONAME(NAME, LIBS, LIBRARY): defines NAME_SONAME, the file to load at run time for what LIBS links as
# -lLIBRARY: that which the linker would have named.
AC_DEFUN([RKT_SONAME], [
	AC_CACHE_CHECK([for the soname of lib$3], [rkt_cv_soname_$1], [
		rkt_save_LIBS=$LIBS
		LIBS="-Wl,--no-as-needed $2 $LIBS"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
			[rkt_cv_soname_$1=$("$READELF" -d "conftest$EXEEXT" |
				sed -n 's/.*(NEEDED).*\@<:@\(lib$3\.so@<:@^@:>@@:>@*\)@:>@.*/\1/p')])
		LIBS=$rkt_save_LIBS])
	AS_IF([test -z "$rkt_cv_soname_$1"], [AC_MSG_ERROR([no soname was found for lib$3: it cannot be linked, or is no shared library])])
	AC_DEFINE_UNQUOTED([$1_SONAME], ["$rkt_cv_soname_$1"], [the file of lib$3])
])
