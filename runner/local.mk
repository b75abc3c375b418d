noinst_LTLIBRARIES += %D%/librunner.la
%C%_librunner_la_SOURCES = \
	%D%/compose.c %D%/compose.h \
	%D%/images.c %D%/images.h \
	%D%/launch.c %D%/launch.h \
	%D%/overlay.c %D%/overlay.h \
	%D%/pod_dir.c %D%/pod_dir.h \
	%D%/pod_remove.c %D%/pod_remove.h \
	%D%/pod_state.c %D%/pod_state.h \
	%D%/prepare.c %D%/prepare.h \
	%D%/stage1_image.c %D%/stage1_image.h \
	%D%/volumes.c %D%/volumes.h
runner_link = %D%/librunner.la $(store_link)

bin_PROGRAMS += rkt-run rkt-pod
rkt_run_SOURCES = %D%/rkt-run.c %D%/option.h %D%/run.h %D%/run_options.c %D%/run_start.c
rkt_run_LDADD = cli/libcli.la $(runner_link)
rkt_pod_SOURCES = \
	%D%/cmd_pod.c %D%/cmd_pod.h \
	%D%/cmd_pod_gc.c \
	%D%/cmd_pod_list.c \
	%D%/cmd_pod_rm.c \
	%D%/cmd_pod_status.c \
	%D%/option.h \
	%D%/rkt-pod.c
rkt_pod_LDADD = cli/libcli.la $(runner_link)
