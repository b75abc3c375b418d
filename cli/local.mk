noinst_LTLIBRARIES += %D%/libcli.la
%C%_libcli_la_SOURCES = \
	%D%/help.c %D%/help.h \
	%D%/main.c %D%/main.h \
	%D%/man.c %D%/man.h \
	%D%/opts.c %D%/opts.h \
	%D%/out.c %D%/out.h \
	%D%/progress.c %D%/progress.h
%C%_libcli_la_LIBADD = base/libbase.la

bin_PROGRAMS += rkt
rkt_SOURCES = %D%/rkt.c
rkt_LDADD = cli/libcli.la base/libbase.la
