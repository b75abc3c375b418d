# What all flavours share.
noinst_LTLIBRARIES += %D%/common/libcommon.la
%C%_common_libcommon_la_SOURCES = \
	%D%/contract.h \
	%D%/common/apps.c %D%/common/apps.h \
	%D%/common/environment.c %D%/common/environment.h \
	%D%/common/users.c %D%/common/users.h
stage1_link = %D%/common/libcommon.la $(schema_link)

# A flavour is one static program and the image it is shipped in.
noinst_PROGRAMS += %D%/native/stage1-native
%C%_native_stage1_native_SOURCES = \
	%D%/native/caps.c %D%/native/caps.h \
	%D%/native/control.c %D%/native/control.h \
	%D%/native/devices.c %D%/native/devices.h \
	%D%/native/exec.c %D%/native/exec.h \
	%D%/native/launch.c %D%/native/launch.h \
	%D%/native/main.c \
	%D%/native/plan.h \
	%D%/native/pod_init.c %D%/native/pod_init.h \
	%D%/native/pty.c %D%/native/pty.h \
	%D%/native/root.c %D%/native/root.h \
	%D%/native/seal.c %D%/native/seal.h \
	%D%/native/signals.c %D%/native/signals.h \
	%D%/native/supervisor.c %D%/native/supervisor.h \
	%D%/native/terminal.c %D%/native/terminal.h \
	%D%/native/volumes.c %D%/native/volumes.h
%C%_native_stage1_native_LDADD = $(stage1_link)

# Static, so that it runs in a root of its own; the sanitizers have no static form.
if STATIC
%C%_native_stage1_native_LDFLAGS = $(HARDENING_LDFLAGS) -static-pie -Wl,--gc-sections
endif

# The image: /init, and the directory stage0 puts the apps in. The same bytes for whoever builds it.
%C%_native_image = %D%/native/stage1-native.aci
%C%_native_id = %D%/native/stage1-native.id
stage1dir = $(libdir)/rkt/stage1
nodist_stage1_DATA = $(%C%_native_image) $(%C%_native_id)
CLEANFILES += $(nodist_stage1_DATA)

# appc's names of the machines
%C%_arch = case $(host_cpu) in \
	x86_64) echo amd64 ;; i?86) echo i386 ;; armv7*) echo armv7l ;; armv6*) echo armv6l ;; \
	powerpc64le) echo ppc64le ;; powerpc64) echo ppc64 ;; *) echo $(host_cpu) ;; esac

$(%C%_native_image): %D%/native/stage1-native$(EXEEXT) aci-build$(EXEEXT) %D%/local.mk
	$(AM_V_GEN)root=%D%/native/root.tmp; rm -rf $$root && umask 022 && \
	$(MKDIR_P) $$root/opt/stage2 && \
	$(STRIP) -o $$root/init %D%/native/stage1-native$(EXEEXT) && \
	SOURCE_DATE_EPOCH=1418290200 ./aci-build --root-owned --overwrite --from-dir $$root \
		--name rocket/stage1-native --label version=$(PACKAGE_VERSION) \
		--label os=linux --label arch=`$(%C%_arch)` \
		--annotation rocket/stage1/interface-version=1 --annotation rocket/stage1/run=/init \
		$(%C%_native_image) >$(%C%_native_id).tmp && \
	rm -rf $$root && mv -f $(%C%_native_id).tmp $(%C%_native_id)
$(%C%_native_id): $(%C%_native_image)
	@test -f $@ || { rm -f $(%C%_native_image); \
		$(MAKE) $(AM_MAKEFLAGS) $(%C%_native_image); }
