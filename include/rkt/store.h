/*
 * The image store: transactional, content-addressed, indexed by LMDB.
 *
 * A store is a directory (doc/formats.md). Several processes may use one store at once, but a
 * process may open a given store only once (RKT_USAGE; LMDB). Readers never block and are never
 * blocked.
 * Before rkt_store_import() returns 0 the image does not exist; afterwards it is whole and durable
 * (S-040; these numbers are promises, doc/security-tests.md has them all).
 *
 * Getting started
 *  - rkt_store_open(), rkt_store_import() of a file, rkt_store_find() by what people type,
 *    rkt_store_open_tree() for the files in it; rkt_store_lease() as long as somebody runs it.
 *  - doc/examples has whole programs: cc image-cat.c $(pkg-config --cflags --libs librkt-store).
 *
 * Errors
 *  - Functions return 0 (or a descriptor, or an object), or -1 (NULL) and an error (rkt/error.h).
 *  - Any of them may fail with RKT_FAILED: the system refused (no space, no permission, too many
 *    files, I/O). Any may fail with RKT_INVALID: the index, or a file of the store, is damaged;
 *    then nothing was changed. Any that is given an image's ID may fail with RKT_MISSING: it is not
 *    in the store. RKT_USAGE is a fault of the caller: a handle open for reading asked to write,
 *    options of an unknown size, what is no UUID. What else a function may say stands with it.
 *  - After an error the store is as it was before the call. What a killed or failed call left in
 *    cas/tmp is collected by rkt_store_gc().
 *  - When no memory is left the process is aborted.
 *  - Interrupted system calls are made again: a signal does not end a call.
 *
 * Who owns what
 *  - What a function stores through a pointer called RET... or returns is the caller's, and the
 *    function to free it is named. "Lent" means: owned by the object it was got from, until that is
 *    freed. Arguments are only read, and not kept after the call unless it is said. NULL may be
 *    given where that is said, for ERR, and for callbacks in options.
 *  - Sizes are bytes, times are seconds (or nanoseconds where that is said) since the epoch, UTC.
 *
 * What it costs
 *  - A lookup is one read transaction, a few microseconds, whatever the size of the store, and
 *    waits for nobody. There is one writer at a time; others wait for its commit, not for imports.
 *  - An import syncs the blob, the index, their two folders, and the commit: five syncs, none of
 *    which can be left out, because each makes durable what the next one refers to.
 *  - A handle has a dozen descriptors open, and the index mapped (its size on disk, no memory).
 *
 * Compatibility
 *  - Symbols have versions (RKT_STORE_0); what stands in this file stays. Structs of options and
 *    results that begin with their size may grow at their end: what older programs pass is taken.
 *    Records grow at their end, too, and are made by the library alone.
 *  - A store of an older version is read; one of a newer format is refused, never changed.
 *
 * Threads
 *  - Any number of threads may call any functions on one handle at once, with two exceptions:
 *  - rkt_store_close(): alone, and the last call.
 *  - rkt_store_tree_reason(): it speaks of the last tree opened by any thread, so who asks lets no
 *    other thread open one in between, nor while it uses the answer.
 *  - Records, layers, errors and descriptors that were handed out belong to who got them, and are
 *    used by one thread at a time.
 *  - Callbacks come in the calling thread, and must not call functions on the handle.
 *  - Threads at one handle are to each other as processes at one store: one of two that import the
 *    same file waits for the other.
 *
 * Caveats
 *  - Not on network file systems: LMDB needs coherent mmap and locks.
 *  - After fork() the child must not use the handle; exec is fine (everything is close-on-exec,
 *    but for an instant of rkt_store_open() in which another thread must not start a program).
 *  - Processes in PID namespaces of their own may use one store as long as no two of them have the
 *    same number; a second one is refused.
 *  - IDs handed out name images, they do not keep them: only a lease keeps an image from gc.
 *  - A handle that is never closed is no harm: its reader slots are freed by whoever opens the
 *    store next, once the process is gone. A long callback inside a read would keep old pages
 *    alive; no callback of this library is called inside a transaction.
 *  - The process needs no privilege but for mounts: an ordinary user's trees are extracted ones.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rkt/error.h"
#include "rkt/image.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rkt_store rkt_store;

enum rkt_store_mode {
	RKT_STORE_READ,  /* RKT_MISSING when there is no store at the path */
	RKT_STORE_WRITE, /* makes the store when there is none */
};

/* Opens the store at the data directory PATH (NULL: $RKT_DIR, else what the files in paths.d of the
 * configuration directories say (rkt-store-config(1)), else /var/lib/rkt for root and
 * $XDG_DATA_HOME/rkt or ~/.local/share/rkt for others). Refused, RKT_FAILED or RKT_INVALID with a
 * sentence: a directory of another owner or writable by others (S-046), a data directory of old rkt
 * (cas/db/ql.db), a newer format, a damaged index (S-047). */
RKT_PUBLIC rkt_store *rkt_store_open(const char *path, enum rkt_store_mode mode, rkt_error **err);
/* NULL is allowed. */
RKT_PUBLIC void rkt_store_close(rkt_store *store);
/* The data directory, absolute; lent. */
RKT_PUBLIC const char *rkt_store_path(const rkt_store *store);

/* For programs, once, at their beginning: a damaged index that makes LMDB touch memory that is not
 * there ends the process with STATUS and a line on standard error, "PROGRAM: the index is damaged:
 * ...", instead of a crash. Faults elsewhere stay what they are, and so do handlers of SIGSEGV and
 * SIGBUS that are set already. PROGRAM is lent for good. */
RKT_PUBLIC void rkt_store_catch_damage(const char *program, int status);

/* ---- images -------------------------------------------------------------------------------- */

/* Options carry their size first, so that they can grow: set SIZE to sizeof. A size this library
 * does not know is RKT_USAGE. */
struct rkt_import_options {
	size_t size;
	const rkt_image_id *expect; /* refuse (RKT_INVALID) anything else; NULL: anything */
	/* Refuse (RKT_INVALID) an image of another name or with other labels than these:
	 * "NAME[:VERSION][,LABEL=VALUE...]". NULL: any (S-025). */
	const char *name;
	/* Called now and then with the packed bytes read so far; NULL: silence. */
	void (*progress)(void *context, uint64_t bytes);
	void *context;
	/* Options that end here are taken too. */
	/* Asked once all of the file was read and the image found valid, before it is stored:
	 * whether an image called NAME (lent) may be. 0, or -1 to refuse, with *ERR set, or left
	 * NULL, which becomes RKT_INVALID. Also asked when the image is there already. NULL: any
	 * may. */
	int (*check_name)(void *check_context, const char *name, rkt_error **err);
	void *check_context;
};

/* Reads an image file (compressed or not) from FD, its present position to its end, and adds it.
 * FD stays open; record locks (fcntl(2), F_SETLK) that the process has on its file are lost. An
 * image that is there already is success. OPTIONS may be NULL.
 *
 * A file whose bytes were read before is not unpacked again; a regular one on ext4, XFS, Btrfs or
 * F2FS that lies there untouched since is not even read, unless EXPECT says what it must be. */
RKT_PUBLIC int rkt_store_import(rkt_store *store, int fd, const struct rkt_import_options *options,
	rkt_image_id *ret_id, rkt_error **err);

/* What the index knows of an image. Strings and pointers are lent by the record. */
typedef struct rkt_image_record {
	rkt_image_id id;
	const char *name;        /* app name in the manifest */
	const char *version;     /* its version label, or NULL */
	const char *os, *arch;   /* labels, or NULL */
	uint64_t size;           /* bytes of the uncompressed tar */
	uint64_t index_size;     /* bytes of the EROFS index, 0 when there is none */
	uint64_t entries;        /* members of the tar */
	int64_t imported_sec;    /* seconds since the epoch */
	uint32_t imported_nsec;  /* and the nanoseconds after them */
	const char *index_fault; /* why there is no EROFS index, not escaped; NULL: there is one */
	const char *manifest;    /* JSON text as in the image, MANIFEST_LEN bytes, then a NUL */
	size_t manifest_len;
	int64_t used_sec;      /* when it was last used: leased by a pod, or imported when it
				* was there (to the hour); seconds since the epoch; 0: never */
	const char *source;    /* URL without credentials, or path, it came from; NULL: not known */
	const char *signed_by; /* fingerprint of the primary key that signed the file it came in, in
				  lower-case hexadecimal; NULL: no signature was looked at */
} rkt_image_record;

RKT_PUBLIC void rkt_image_record_free(rkt_image_record *record);

/* Finds an image by REFERENCE: a full ID, an unambiguous prefix of 8 or more digits (with or
 * without "sha256-"), "sha512-" and 8 or more digits of the SHA-512 of its tar as far as that was
 * learnt (below), or an app name with labels, "example.com/app[:version][,label=value...]" (newest
 * import wins). RKT_MISSING when there is none; RKT_USAGE when a prefix is ambiguous, naming the
 * candidates, or a label has no value. The caller frees the record. */
RKT_PUBLIC int rkt_store_find(
	rkt_store *store, const char *reference, rkt_image_record **ret, rkt_error **err);

/* Makes and remembers the SHA-512 of every image that has none yet, so that rkt_store_find() can
 * find it: to be called when a "sha512-..." is RKT_MISSING. PROGRESS (may be NULL) is called now
 * and then with the bytes read so far and those there are to read. STORE is open for writing. -1
 * when an image could not be read, with the first error; the others were learnt all the same. */
RKT_PUBLIC int rkt_store_learn_sha512(rkt_store *store,
	void (*progress)(void *context, uint64_t bytes, uint64_t of), void *context,
	rkt_error **err);

/* All images, ordered by name, then newest first. *RET is an array of *RET_COUNT records, freed
 * with rkt_store_list_free(). */
RKT_PUBLIC int rkt_store_list(
	rkt_store *store, rkt_image_record ***ret, size_t *ret_count, rkt_error **err);
/* The same of those whose name begins with PREFIX. Reads only these, however many others there
 * are. */
RKT_PUBLIC int rkt_store_list_prefix(rkt_store *store, const char *prefix, rkt_image_record ***ret,
	size_t *ret_count, rkt_error **err);
RKT_PUBLIC void rkt_store_list_free(rkt_image_record **records, size_t count);

/* Opens the blob (the uncompressed tar) for reading; the caller closes it. */
RKT_PUBLIC int rkt_store_open_blob(rkt_store *store, const rkt_image_id *id, rkt_error **err);

/* Removes an image: its record first, then its files. RKT_FAILED, naming the pods, while it is
 * leased. */
RKT_PUBLIC int rkt_store_remove(rkt_store *store, const rkt_image_id *id, rkt_error **err);

/* What a removal breaks. */
enum rkt_breaks {
	/* A pod, by its UUID: it cannot be started (again). If it runs, it keeps its root file
	 * system until it ends. */
	RKT_BREAKS_POD,
	/* An image, by its ID, that depends on the removed one, directly or not: it is made of
	 * another image now, or of none until this one is imported again; rkt_store_layers()
	 * tells. */
	RKT_BREAKS_IMAGE,
};

struct rkt_remove_options {
	size_t size;
	bool force; /* also while pods use it */
	/* Called at the end for each pod and image that is broken, also when the image is out of
	 * the store but for some of its files. NULL spares the looking at all manifests for images
	 * that depend on it. */
	void (*report)(void *context, enum rkt_breaks what, const char *who);
	void *context;
};

/* The same with OPTIONS (NULL: none). With FORCE a leased image is removed and its leases are
 * dropped. */
RKT_PUBLIC int rkt_store_remove_with(rkt_store *store, const rkt_image_id *id,
	const struct rkt_remove_options *options, rkt_error **err);

/* ---- dependencies -------------------------------------------------------------------------- */

/* Limits on the graph of an image's dependencies; more is RKT_INVALID with the number. An image
 * that is reached by two ways counts twice, as it is applied twice. */
#define RKT_LAYERS_MAX       512 /* each other one is a file open while a tree is being mounted */
#define RKT_LAYERS_DEPTH_MAX 64

#define RKT_LAYER_TOP UINT32_MAX

/* One image among those a root file system is made of. */
typedef struct rkt_layer {
	rkt_image_id id;
	const char *name;
	const char *version; /* or NULL */
	uint64_t size;       /* bytes of its uncompressed tar */
	uint32_t above; /* the number of the layer that it is a dependency of; RKT_LAYER_TOP: of
				none, it is the image itself */
	/* Its `pathWhitelist`, none: everything. Holds for this layer and for all that are its
	 * dependencies, and theirs. */
	const char *const *whitelist;
	size_t whitelist_count;
} rkt_layer;

/* All of them, lowest first; the last is the image itself. Everything is lent by the object. */
typedef struct rkt_layers {
	rkt_image_id tree; /* names the tree; the image's own ID when it is made of that alone */
	const rkt_layer *items;
	size_t count;
} rkt_layers;

/* Resolves the dependencies of the image ID with what is in the store (doc/spec-readings.md,
 * "Dependencies"): each by name, ID and labels; of several images that fit, the one of the newest
 * version, then the one imported last. Where a dependency is given by a SHA-512 that is not known
 * yet, the images of its name are read, which takes a store open for writing. RKT_MISSING when a
 * dependency is not in the store, naming it and who needs it; RKT_INVALID when dependencies go in a
 * circle, naming its members, when a size is not the one the manifest gives, or beyond the limits.
 * The caller frees *RET. */
RKT_PUBLIC int rkt_store_layers(
	rkt_store *store, const rkt_image_id *id, rkt_layers **ret, rkt_error **err);
/* NULL is allowed. */
RKT_PUBLIC void rkt_layers_free(rkt_layers *layers);

/* ---- trees --------------------------------------------------------------------------------- */

enum rkt_tree_form {
	RKT_TREE_AUTO,      /* an EROFS mount where a probe says it works, else an extracted tree */
	RKT_TREE_EROFS,     /* or fail */
	RKT_TREE_EXTRACTED, /* the fallback, forced */
};

/* A detached, read-only mount (EROFS) or a plain directory descriptor (extracted) of the image's
 * root file system, its dependencies under it (rkt_store_layers()), which the caller closes.
 * *RET_FORM (may be NULL) says which it became. EROFS: the tree is mounted once below cas/mnt and
 * this is a clone of it, so that all users share one page cache; an index over several layers is
 * made when first asked for. */
RKT_PUBLIC int rkt_store_open_tree(rkt_store *store, const rkt_image_id *id,
	enum rkt_tree_form form, enum rkt_tree_form *ret_form, rkt_error **err);

/* The same for a pod, as it leased it: with the layers rkt_store_lease() found for the image,
 * whatever has been imported since. RKT_MISSING when the pod UUID has no such lease. */
RKT_PUBLIC int rkt_store_open_leased_tree(rkt_store *store, const char *uuid,
	const rkt_image_id *id, enum rkt_tree_form form, enum rkt_tree_form *ret_form,
	rkt_error **err);

/* Why the last rkt_store_open_tree() with RKT_TREE_AUTO did not become an EROFS mount, in words for
 * a report, not escaped; NULL when it did. Lent until the next call on STORE. */
RKT_PUBLIC const char *rkt_store_tree_reason(const rkt_store *store);

/* ---- leases -------------------------------------------------------------------------------- */

/* Keeps the images IDS and all they depend on from removal for the pod UUID, whose directory
 * containers/<uuid> must exist: a lease without a pod directory is dropped by gc. What they depend
 * on is resolved here, as rkt_store_layers() does, and holds for this pod from now on. One durable
 * transaction; RKT_MISSING (and no lease) when the directory, or one of the images or dependencies,
 * is not there. */
RKT_PUBLIC int rkt_store_lease(
	rkt_store *store, const char *uuid, const rkt_image_id *ids, size_t count, rkt_error **err);
/* Drops all leases of the pod. None is success. */
RKT_PUBLIC int rkt_store_lease_drop(rkt_store *store, const char *uuid, rkt_error **err);

/* ---- house-keeping ------------------------------------------------------------------------- */

struct rkt_gc_options {
	size_t size;
	int64_t grace_sec; /* images imported or used less long ago stay */
	bool dry_run;      /* say, do not do */
	/* Called at the end for every image and every left-over with what happened to it and why,
	 * in words. */
	void (*report)(void *context, const char *what, const char *decision, const char *reason);
	void *context;
	/* Options that end here are taken too; RET then ends before BYTES_KEPT. */
	uint64_t keep_latest; /* so many of the newest of each name stay; 0: no matter */
	uint64_t max_size;    /* bytes; 0: remove all that may go */
};

struct rkt_gc_result {
	uint64_t images_removed, files_removed, bytes_freed, images_kept;
	uint64_t bytes_kept; /* of the blobs and indexes of what stays */
};

/* Removes images without a lease that were imported, and used if they were, before the grace
 * period, trees nobody uses any more, and left-overs of killed imports. A use is a lease, and an
 * import of what is there, to the hour. What images that stay depend on stays too.
 *
 * KEEP_LATEST: of the images of one name for one system and architecture (labels os and arch) the
 * newest stay: the newest version, then the one imported last, as for dependencies.
 *
 * MAX_SIZE: of the images that may go, those used longest ago (or imported; an image
 * counts as used when what depends on it was) are removed first, and only until blobs and indexes
 * together have at most so many bytes. What must stay may be more: BYTES_KEPT tells.
 *
 * A file that cannot be removed ends nothing: the first such error is told at the end, and RET
 * says, as after any error, what was done. */
RKT_PUBLIC int rkt_store_gc(rkt_store *store, const struct rkt_gc_options *options,
	struct rkt_gc_result *ret, rkt_error **err);

/* In place of a number: who asks is a member of the group that root shares the store with, and what
 * it counts is for root alone. */
#define RKT_HIDDEN UINT64_MAX

/* Files or trees: how many, and the bytes they take on the disk. COUNT may be RKT_HIDDEN. */
struct rkt_space {
	uint64_t count, bytes;
};

/* A table of the LMDB index. */
struct rkt_table_stat {
	const char *name;
	uint64_t entries, pages;
	unsigned depth; /* of its tree of pages */
};

/* What one image takes on the disk, in bytes. */
struct rkt_image_stat {
	const rkt_image_id *id;
	const char *name, *version; /* VERSION may be NULL */
	uint64_t blob;              /* its tar */
	uint64_t indexes;           /* its EROFS index, and those over it and its dependencies */
	uint64_t trees;             /* the same of extracted trees; or RKT_HIDDEN */
	uint64_t pods;              /* that have a lease on it */
};

struct rkt_stat_options {
	size_t size;
	/* Called for each image, by ID, and for each table. What is told is lent for the call. May
	 * be NULL. */
	void (*image)(void *context, const struct rkt_image_stat *image);
	void (*table)(void *context, const struct rkt_table_stat *table);
	void *context;
};

/* It may grow at its end, together with the options. */
struct rkt_stat_result {
	uint64_t images;
	struct rkt_space blobs;
	struct rkt_space indexes;    /* of images, and of trees over several */
	struct rkt_space trees;      /* extracted ones, with all that is in them */
	struct rkt_space quarantine; /* damaged blobs that verify took out of the store */
	/* What no record names: gc's, or an import's under way; and downloads that a fetch may go
	 * on with. */
	struct rkt_space leftovers;
	uint64_t leases, pods;         /* pods whose folder is there; to a member all with leases */
	uint64_t disk_free, disk_size; /* of the file system; free for us */
	/* LMDB: bytes of the index on the disk and how far it may grow before the map does; its
	 * pages, how many of them are free to be used again; slots of other processes that read,
	 * and of killed ones that were cleared when this handle was opened. */
	uint64_t index_bytes, map_bytes, page_bytes, pages, pages_free;
	uint64_t readers, readers_max, readers_cleared;
};

/* What the store takes and has. Looks at all names in it and at what extracted trees take, but
 * reads no image. */
RKT_PUBLIC int rkt_store_stat(rkt_store *store, const struct rkt_stat_options *options,
	struct rkt_stat_result *ret, rkt_error **err);

enum rkt_verdict {
	RKT_VERDICT_GOOD,
	RKT_VERDICT_DAMAGED,  /* and as it was */
	RKT_VERDICT_REPAIRED, /* the index made anew, or the damaged blob put away */
	/* It could not be looked at, for a reason that is none of its bytes: an error of the disk
	 * or for want of memory, a library or a permission. Nothing is known, nor changed. */
	RKT_VERDICT_UNKNOWN,
};

struct rkt_verify_options {
	size_t size;
	const rkt_image_id *ids; /* which images; NULL: all */
	size_t count;            /* of them; 0 with IDS NULL */
	/* Make a damaged index anew from its blob. Take an image whose blob is damaged out of the
	 * store and move the blob to cas/quarantine, unless a pod has a lease on it. */
	bool repair;
	unsigned jobs; /* images looked at side by side; 0: one */
	/* Called now and then with the bytes read so far. May be NULL. */
	void (*progress)(void *context, uint64_t bytes);
	/* Called for every image, in the order of IDS or of the IDs themselves, with what was
	 * found, in words: as soon as it is known of this image and all before it. May be NULL.
	 * Both are called in the calling thread. */
	void (*report)(
		void *context, const rkt_image_id *id, enum rkt_verdict verdict, const char *what);
	void *context;
	/* Options that end here are taken too; RET then ends before TREES_GOOD. */
	/* Called once, before any progress, with the bytes there are to read. May be NULL. */
	void (*begin)(void *context, uint64_t bytes);
	/* As REPORT, after it, for every tree of several layers that has an EROFS index: of the
	 * images IDS, or of all. ID names the tree. May be NULL. */
	void (*report_tree)(
		void *context, const rkt_image_id *id, enum rkt_verdict verdict, const char *what);
};

struct rkt_verify_result {
	/* Those of which nothing is known are in none of these. */
	uint64_t good, damaged, repaired;                   /* images */
	uint64_t trees_good, trees_damaged, trees_repaired; /* of several layers */
};

/* Reads the images wholly: blobs must have their digest, indexes must be what the blob gives, those
 * of trees what the blobs of all their layers give (S-043). 0 also when some are damaged: *RET (may
 * be NULL) counts them. A tree is damaged, too, when a layer of it is; repairing that, which takes
 * the image away, takes the tree along. Extracted trees are not looked at: they are never trusted
 * beyond the boot they were made in. RKT_MISSING: one of IDS is not there. */
RKT_PUBLIC int rkt_store_verify(rkt_store *store, const struct rkt_verify_options *options,
	struct rkt_verify_result *ret, rkt_error **err);

#ifdef __cplusplus
}
#endif
