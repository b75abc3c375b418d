# A flavour is a static program and the ACI it is shipped in.
noinst_PROGRAMS += stage1-native
stage1_native_SOURCES = \
	%D%/contract.h \
	%D%/common/apps.c %D%/common/apps.h \
	%D%/common/environment.c %D%/common/environment.h \
	%D%/common/users.c %D%/common/users.h \
	%D%/native/devices.c %D%/native/devices.h \
	%D%/native/launch.c %D%/native/launch.h \
	%D%/native/main.c \
	%D%/native/pod_init.c %D%/native/pod_init.h \
	%D%/native/root.c %D%/native/root.h \
	%D%/native/supervisor.c %D%/native/supervisor.h \
	%D%/native/terminal.c %D%/native/terminal.h
stage1_native_LDADD = aci/libaci.la base/libbase.la
