noinst_LTLIBRARIES += %D%/index/libindex.la %D%/libstore.la

%C%_index_libindex_la_SOURCES = \
	%D%/index/chunks.c %D%/index/chunks.h \
	%D%/index/erofs.h \
	%D%/index/index.c %D%/index/index.h \
	%D%/index/mount.c \
	%D%/index/node.c %D%/index/node.h \
	%D%/index/plan.c %D%/index/plan.h \
	%D%/index/write.c %D%/index/write.h \
	%D%/index/xattr.c %D%/index/xattr.h
index_link = %D%/index/libindex.la $(aci_link)

%C%_libstore_la_SOURCES = \
	%D%/alias.c %D%/alias.h \
	%D%/arrival.c %D%/arrival.h \
	%D%/blob.c %D%/blob.h \
	%D%/breaks.c %D%/breaks.h \
	%D%/db.c %D%/db.h %D%/db_inside.h %D%/db_file.c %D%/db_map.c %D%/db_newest.c %D%/db_room.c %D%/db_stat.c \
	%D%/db_guard.c %D%/db_guard.h \
	%D%/db_record.c %D%/db_record.h \
	%D%/deps.c %D%/deps.h \
	%D%/fuse.c %D%/fuse.h \
	%D%/gc.c %D%/gc.h %D%/gc_choose.c %D%/gc_decide.c \
	%D%/import.c %D%/import.h %D%/import_record.c \
	%D%/known.c %D%/known.h \
	%D%/layered.c %D%/layered.h \
	%D%/layout.c %D%/layout.h \
	%D%/lease.c %D%/lease.h \
	%D%/old_rkt.c %D%/old_rkt.h \
	%D%/opened.c %D%/opened.h \
	%D%/origin.c %D%/origin.h \
	%D%/packed.c %D%/packed.h \
	%D%/reference.c %D%/reference.h \
	%D%/remote.c %D%/remote.h \
	%D%/remove.c %D%/remove.h \
	%D%/resolve.c %D%/resolve.h \
	%D%/seen.c %D%/seen.h \
	%D%/sha512.c %D%/sha512.h \
	%D%/share.c %D%/share.h \
	%D%/stat.c \
	%D%/store.c %D%/store.h \
	%D%/tree.c %D%/tree.h \
	%D%/verify.c %D%/verify.h \
	%D%/verify_look.c \
	%D%/verify_repair.c
%C%_libstore_la_CFLAGS = $(AM_CFLAGS) $(LMDB_CFLAGS)
%C%_libstore_la_LIBADD = $(LMDB_LIBS)
store_link = %D%/libstore.la $(config_link) $(index_link)

# Signatures and keys: for our programs only, the shared library does not have them.
noinst_LTLIBRARIES += %D%/trust/libtrust.la
%C%_trust_libtrust_la_SOURCES = \
	%D%/trust/gpg.h \
	%D%/trust/home.c \
	%D%/trust/key_info.c %D%/trust/key_info.h \
	%D%/trust/keys.c %D%/trust/keys.h %D%/trust/keys_edit.c \
	%D%/trust/plain_key.c %D%/trust/plain_key.h \
	%D%/trust/verify.c %D%/trust/verify.h
%C%_trust_libtrust_la_CFLAGS = $(AM_CFLAGS) $(GPGME_CFLAGS)
trust_link = %D%/trust/libtrust.la

# From the web. libcurl is loaded where it is needed.
noinst_LTLIBRARIES += %D%/fetch/libfetch.la
%C%_fetch_libfetch_la_SOURCES = \
	%D%/fetch/address.c %D%/fetch/address.h \
	%D%/fetch/auth.c %D%/fetch/auth.h \
	%D%/fetch/discovery.c %D%/fetch/discovery.h \
	%D%/fetch/download.c %D%/fetch/download.h \
	%D%/fetch/header.c %D%/fetch/header.h \
	%D%/fetch/http.c %D%/fetch/http.h \
	%D%/fetch/http_setup.c %D%/fetch/http_setup.h \
	%D%/fetch/libcurl.c %D%/fetch/libcurl.h \
	%D%/fetch/page_ask.c %D%/fetch/page_ask.h \
	%D%/fetch/page_tags.c %D%/fetch/page_tags.h \
	%D%/fetch/parallel.c %D%/fetch/parallel.h \
	%D%/fetch/spool.c %D%/fetch/spool.h \
	%D%/fetch/template.c %D%/fetch/template.h \
	%D%/fetch/tries.c %D%/fetch/tries.h
%C%_fetch_libfetch_la_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
fetch_link = %D%/fetch/libfetch.la $(config_link) $(aci_link)

# What parses pages, for one program only.
noinst_LTLIBRARIES += %D%/fetch/libpage.la
%C%_fetch_libpage_la_SOURCES = \
	%D%/fetch/page.c %D%/fetch/page.h \
	%D%/fetch/page_tags.c %D%/fetch/page_tags.h
%C%_fetch_libpage_la_CFLAGS = $(AM_CFLAGS) $(XML_CFLAGS)
%C%_fetch_libpage_la_LIBADD = $(XML_LIBS)
page_link = %D%/fetch/libpage.la $(schema_link)

bin_PROGRAMS += rkt-store
rkt_store_SOURCES = \
	%D%/cmd.c %D%/cmd_debug.c %D%/cmd.h \
	%D%/cmd_cat_manifest.c \
	%D%/cmd_config.c \
	%D%/cmd_export.c \
	%D%/cmd_extract.c \
	%D%/cmd_fetch.c \
	%D%/cmd_fetch_display.c %D%/cmd_fetch_display.h \
	%D%/cmd_gc.c \
	%D%/cmd_import.c \
	%D%/cmd_info.c \
	%D%/cmd_init.c \
	%D%/cmd_list.c \
	%D%/cmd_many.c %D%/cmd_many.h \
	%D%/cmd_render.c \
	%D%/cmd_rm.c \
	%D%/cmd_stat.c \
	%D%/cmd_trust.c %D%/cmd_trust.h \
	%D%/cmd_trust_add.c \
	%D%/cmd_trust_edit.c \
	%D%/cmd_trust_get.c \
	%D%/cmd_trust_list.c \
	%D%/cmd_unpack.c \
	%D%/cmd_verify.c \
	%D%/fetch_here.c \
	%D%/fetch_judge.c %D%/fetch_judge.h \
	%D%/fetch_name.c %D%/fetch_parts.h \
	%D%/fetch_queue.c %D%/fetch_queue.h \
	%D%/fetch_signature.c \
	%D%/fetch_url.c \
	%D%/fetching.c %D%/fetching.h \
	%D%/rkt-store.c \
	%D%/signed.c %D%/signed.h
rkt_store_LDADD = cli/libcli.la aci/libbuild.la $(trust_link) %D%/fetch/libfetch.la $(store_link)

# Programs that people do not call.
rktlibdir = $(libdir)/rkt
rktlib_PROGRAMS =

# The one program that knows HTML, run by rkt-store: what a page does to it, it does not to the secrets of a fetch.
rktlib_PROGRAMS += rkt-read-page
rkt_read_page_SOURCES = %D%/fetch/rkt-read-page.c
rkt_read_page_LDADD = cli/libcli.la $(page_link)

# The one program that knows OpenPGP, run by aci-validate: beside it in a built tree, installed where
# only our programs look.
rktlib_PROGRAMS += aci-verify-signature
aci_verify_signature_SOURCES = %D%/trust/aci-verify-signature.c
aci_verify_signature_LDADD = cli/libcli.la $(trust_link) $(config_link) $(aci_link)

# For other programs; as librkt-aci in aci/local.mk.
lib_LTLIBRARIES += librkt-store.la
store_objects = $(%C%_libstore_la_OBJECTS) $(config_objects) $(%C%_index_libindex_la_OBJECTS) $(aci_objects)
librkt_store_la_SOURCES =
librkt_store_la_LIBADD = $(store_objects) $(LMDB_LIBS) $(aci_libs)
librkt_store_la_DEPENDENCIES = $(store_objects) %D%/librkt-store.map
librkt_store_la_LDFLAGS = -pthread $(HARDENING_LDFLAGS) -no-undefined -version-info 0:0:0 -Wl,--as-needed \
	-Wl,--version-script=$(top_srcdir)/%D%/librkt-store.map
rktinclude_HEADERS += include/rkt/store.h
pkgconfig_DATA += %D%/librkt-store.pc
EXTRA_DIST += %D%/librkt-store.map
