noinst_LTLIBRARIES += %D%/libcli.la
%C%_libcli_la_SOURCES = \
	%D%/complete.c %D%/complete.h \
	%D%/complete_bash.c %D%/complete_fish.c %D%/complete_zsh.c \
	%D%/dispatch.c \
	%D%/help.c %D%/help.h \
	%D%/main.c %D%/main.h \
	%D%/man.c %D%/man.h \
	%D%/nearest.c %D%/nearest.h \
	%D%/opts.c %D%/opts.h \
	%D%/opts_scan.c %D%/opts_scan.h \
	%D%/out.c %D%/out.h \
	%D%/progress.c %D%/progress.h \
	%D%/secret.c %D%/secret.h \
	%D%/stop.c %D%/stop.h \
	%D%/table.c

bin_PROGRAMS += rkt
rkt_SOURCES = %D%/rkt.c
rkt_LDADD = %D%/libcli.la $(base_link)
# It mostly becomes another program: loading the C library would be a third of that.
if STATIC
rkt_LDFLAGS = $(HARDENING_LDFLAGS) -static-pie
endif
