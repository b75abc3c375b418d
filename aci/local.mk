# Manifests and their rules need nothing but json-c: stage1, which is static, links only these.
noinst_LTLIBRARIES += %D%/libschema.la
%C%_libschema_la_SOURCES = \
	%D%/check.c %D%/check.h %D%/check_rules.c \
	%D%/id.c %D%/id.h \
	%D%/isolator.c %D%/isolator.h %D%/isolator_names.c %D%/isolator_names.h \
	%D%/label.c %D%/label.h \
	%D%/manifest.c %D%/manifest.h \
	%D%/manifest_app.c %D%/manifest_app.h \
	%D%/manifest_edit.c %D%/manifest_edit.h \
	%D%/manifest_head.c %D%/manifest_head.h \
	%D%/name.c %D%/name.h \
	%D%/pod.c %D%/pod.h %D%/pod_volume.c %D%/pod_volume.h \
	%D%/quantity.c %D%/quantity.h \
	%D%/schema.c %D%/schema.h
schema_link = %D%/libschema.la $(base_link)

noinst_LTLIBRARIES += %D%/libaci.la
%C%_libaci_la_SOURCES = \
	%D%/acl.c %D%/acl.h \
	%D%/blocks.c %D%/blocks.h \
	%D%/build_attrs.c %D%/build_attrs.h \
	%D%/chunking.c %D%/chunking.h \
	%D%/digest.c %D%/digest.h \
	%D%/entry_acls.c %D%/entry_acls.h \
	%D%/extract.c %D%/extract.h \
	%D%/extract_aside.c %D%/extract_aside.h \
	%D%/extract_attrs.c %D%/extract_attrs.h \
	%D%/extract_dirs.c %D%/extract_dirs.h \
	%D%/extract_workshop.c %D%/extract_workshop.h \
	%D%/globs.c %D%/globs.h \
	%D%/gzip_header.c %D%/gzip_header.h \
	%D%/holes.c %D%/holes.h \
	%D%/image.c %D%/image.h \
	%D%/later.c %D%/later.h \
	%D%/layout.c %D%/layout.h \
	%D%/path_filter.c %D%/path_filter.h \
	%D%/path_set.c %D%/path_set.h \
	%D%/render_rules.c %D%/render_rules.h \
	%D%/siphash.c %D%/siphash.h \
	%D%/stat_entry.c %D%/stat_entry.h \
	%D%/source.c %D%/source.h %D%/source_threaded.c \
	%D%/tar.c %D%/tar.h \
	%D%/tar_digits.h \
	%D%/tar_header.c %D%/tar_header.h \
	%D%/tar_pax.c %D%/tar_pax.h \
	%D%/tar_safe.c %D%/tar_safe.h \
	%D%/tar_sparse.c %D%/tar_sparse.h \
	%D%/tar_stream.c %D%/tar_stream.h \
	%D%/tar_write.c %D%/tar_write.h \
	%D%/version.c %D%/version.h \
	%D%/xattr_rules.c %D%/xattr_rules.h \
	%D%/unpack.c %D%/unpack.h \
	%D%/unpack_gzip.c %D%/unpack_isal.c %D%/unpack_kinds.h \
	%D%/unpack_xz.c %D%/unpack_bzip2.c %D%/unpack_zstd.c
%C%_libaci_la_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(ISAL_CFLAGS) $(ZLIB_CFLAGS) \
	$(LZMA_CFLAGS) $(ZSTD_CFLAGS)
# OpenSSL, and what compresses and decompresses, are loaded where they are needed (base/library.h).
%C%_libaci_la_LIBADD = $(GZIP_LIBS)

aci_link = %D%/libaci.la $(schema_link)

# Making images.
noinst_LTLIBRARIES += %D%/libbuild.la
%C%_libbuild_la_SOURCES = \
	%D%/build.c %D%/build.h \
	%D%/build_out.c %D%/build_out.h %D%/build_tar.c \
	%D%/pack.c %D%/pack.h
%C%_libbuild_la_CFLAGS = $(AM_CFLAGS) $(ARCHIVE_CFLAGS)
build_link = %D%/libbuild.la $(aci_link)

# For other programs. Ours link the convenience libraries; this one is made of the same objects.
# Building images is not promised.
lib_LTLIBRARIES += librkt-aci.la
aci_objects = $(%C%_libaci_la_OBJECTS) $(%C%_libschema_la_OBJECTS) $(base_libbase_la_OBJECTS)
aci_libs = $(GZIP_LIBS) $(JSON_LIBS)
librkt_aci_la_SOURCES =
librkt_aci_la_LIBADD = $(aci_objects) $(aci_libs)
librkt_aci_la_DEPENDENCIES = $(aci_objects) %D%/librkt-aci.map
librkt_aci_la_LDFLAGS = -pthread $(HARDENING_LDFLAGS) -no-undefined -version-info 0:0:0 -Wl,--as-needed \
	-Wl,--version-script=$(top_srcdir)/%D%/librkt-aci.map
rktincludedir = $(includedir)/rkt
rktinclude_HEADERS = include/rkt/error.h include/rkt/image.h
pkgconfig_DATA += %D%/librkt-aci.pc
EXTRA_DIST += %D%/librkt-aci.map
