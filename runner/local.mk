noinst_LTLIBRARIES += %D%/librunner.la
%C%_librunner_la_SOURCES = \
	%D%/launch.c %D%/launch.h \
	%D%/pod_dir.c %D%/pod_dir.h \
	%D%/pod_state.c %D%/pod_state.h \
	%D%/prepare.c %D%/prepare.h \
	%D%/stage1_image.c %D%/stage1_image.h \
	%D%/volumes.c %D%/volumes.h
%C%_librunner_la_LIBADD = store/libstore.la

bin_PROGRAMS += rkt-run rkt-pod
rkt_run_SOURCES = %D%/rkt-run.c
rkt_run_LDADD = cli/libcli.la %D%/librunner.la
rkt_pod_SOURCES = \
	%D%/cmd_pod.h \
	%D%/cmd_pod_gc.c \
	%D%/cmd_pod_list.c \
	%D%/cmd_pod_rm.c \
	%D%/cmd_pod_status.c \
	%D%/rkt-pod.c
rkt_pod_LDADD = cli/libcli.la %D%/librunner.la
