/* Opening trees: mount once and clone, or extract once and open. */
#include "store/tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/proc.h"
#include "base/mount.h"
#include "base/tree.h"
#include "store/blob.h"
#include "store/layered.h"
#include "store/lease.h"
#include "store/sha512.h"

#define EROFS_MAGIC 0xE0F5E1E2
#define PROBE_KEY   "probe"
#define TREE_ROOT   "root" /* in the folder of cas/tmp where a tree is extracted */

/* What the index knows about a tree. */
struct known {
	const rkt_image_id *image;
	const char *uuid;    /* as this pod leased it; NULL: as it is resolved now */
	struct buf unlearnt; /* as for deps_resolve() */
	rkt_layers *layers;
	uint64_t index_size;  /* 0: there is no index */
	char *extracted_boot; /* the boot the extracted tree was made in; NULL: there is none */
	char *probed_boot;    /* the boot in which EROFS mounts were found to work */
};

static void known_free(struct known *self)
{
	buf_free(&self->unlearnt);
	rkt_layers_free(self->layers);
	free(self->extracted_boot);
	free(self->probed_boot);
}

static const rkt_image_id *tree_of(const struct known *self)
{
	return &self->layers->tree;
}

static struct slice probe_key(void)
{
	return (struct slice){ (const uint8_t *)PROBE_KEY, sizeof PROBE_KEY - 1 };
}

static int look_up(db_txn *txn, void *context, rkt_error **err)
{
	struct known *self = context;
	const struct lease_question leased = { self->uuid, self->image, &self->unlearnt };
	struct tree_row index = { 0 }, extracted = { 0 };
	struct slice probe = { 0 };
	const char *probed = NULL;
	int got;

	if (self->uuid ? lease_layers(txn, &leased, &self->layers, err) < 0
		       : deps_resolve(txn, self->image, &self->unlearnt, &self->layers, err) < 0)
		return -1;
	if (store_get_tree(txn, RECORD_EROFS, tree_of(self), &index, err) < 0 ||
		store_get_tree(txn, RECORD_EXTRACTED, tree_of(self), &extracted, err) < 0)
		return -1;
	got = db_get(txn, DB_META, probe_key(), &probe, err);
	if (got < 0 || (got && text_row_read(probe, &probed, err) < 0))
		return -1;
	self->index_size = index.size;
	self->extracted_boot = xstrdup_if(extracted.boot);
	self->probed_boot = xstrdup_if(probed);
	return 0;
}

/* ---- EROFS ----------------------------------------------------------------------------------- */

static int save_probe(db_txn *txn, void *context, rkt_error **err)
{
	auto_buf struct buf value = { 0 };

	text_row_write(context, &value);
	return db_put(txn, DB_META, probe_key(), buf_slice(&value), err);
}

/* Whether EROFS mounts work here: once a boot by a real mount of a file on this file system. Only
 * success is remembered: a failure may be this process's alone (no privilege). */
static int probe(rkt_store *store, const struct known *known, rkt_error **err)
{
	auto_free char *boot = proc_boot_id(err);

	if (!boot)
		return -1;
	if (known->probed_boot && strcmp(known->probed_boot, boot) == 0)
		return 0;
	if (index_probe(store->layout.tmp, err) < 0)
		return -1;
	return store->mode == RKT_STORE_READ ? 0 : db_write(store->db, save_probe, boot, err);
}

/* Whether PLACE, a folder below cas/mnt, is an EROFS mount: 1, 0, or -1. */
static int is_mount(const rkt_store *store, int place, rkt_error **err)
{
	struct statfs fs;
	struct stat here, above;

	if (fstatfs(place, &fs) < 0 || fstat(place, &here) < 0 ||
		fstat(store->layout.mnt, &above) < 0)
		return rkt_fail_errno(err, "stat cas/mnt");
	return fs.f_type == EROFS_MAGIC && here.st_dev != above.st_dev;
}

static int open_place(const rkt_store *store, const rkt_image_id *id, rkt_error **err)
{
	int fd = openat(store->layout.mnt, id->text, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 && errno != ENOENT ? rkt_fail_errno(err, "open cas/mnt/%s", id->text) : fd;
}

/* Only one process at a time mounts and unmounts. */
static int lock_mounts(const rkt_store *store, rkt_error **err)
{
	auto_fd int fd = openat(store->layout.mnt, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return rkt_fail_errno(err, "open cas/mnt");
	return lock_wait(fd, LOCK_EXCLUSIVE, err) < 0 ? -1 : pass_fd(fd);
}

int tree_open_index(
	const struct layout *layout, const rkt_image_id *id, uint64_t size, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	int fd = layout_open_file(layout->erofs, id, size, "the EROFS index", &why);

	if (fd >= 0)
		return fd;
	return rkt_error_kind(why) == RKT_MISSING
		       ? rkt_fail(err, RKT_INVALID, "the EROFS index is missing")
		       : rkt_fail_with(err, pass_ptr(why));
}

static int open_tars(
	const rkt_store *store, const struct layered_tars *tars, int *fds, rkt_error **err)
{
	for (size_t i = 0; i < tars->count; i++) {
		fds[i] = blob_open(&store->layout, &tars->items[i]->id, tars->items[i]->size, err);
		if (fds[i] < 0)
			return -1;
	}
	return 0;
}

static int mount_index(
	const rkt_store *store, int index, const struct layered_tars *tars, rkt_error **err)
{
	auto_free int *fds = xcalloc(tars->count, sizeof *fds);
	int mnt = -1;

	for (size_t i = 0; i < tars->count; i++)
		fds[i] = -1;
	if (open_tars(store, tars, fds, err) == 0)
		mnt = index_mount(index, fds, tars->count, err);
	for (size_t i = 0; i < tars->count; i++)
		scope_close(&fds[i]);
	return mnt;
}

/* Mounts the tree on PLACE and returns the mount. The kernel checks none of the files: we have. */
static int mount_at(const rkt_store *store, const struct known *known, int place, rkt_error **err)
{
	auto_fd int index = tree_open_index(&store->layout, tree_of(known), known->index_size, err);
	struct layered_tars tars = layered_tars(known->layers);
	auto_fd int mnt = index < 0 ? -1 : mount_index(store, index, &tars, err);

	layered_tars_free(&tars);
	if (mnt < 0 || mount_attach(mnt, place, err) < 0)
		return -1;
	return pass_fd(mnt);
}

static int open_erofs(rkt_store *store, const struct known *known, rkt_error **err)
{
	auto_fd int alone = lock_mounts(store, err), place = -1, mnt = -1;
	int mounted;

	if (alone < 0)
		return -1;
	if (mkdirat(store->layout.mnt, tree_of(known)->text, 0700) < 0 && errno != EEXIST)
		return rkt_fail_errno(err, "mkdir cas/mnt/%s", tree_of(known)->text);
	place = open_place(store, tree_of(known), err);
	mounted = place < 0 ? -1 : is_mount(store, place, err);
	if (mounted < 0)
		return -1;
	if (mounted)
		return mount_clone(place, "", MOUNT_ALONE, err);
	mnt = mount_at(store, known, place, err);
	return mnt < 0 ? -1 : mount_clone(mnt, "", MOUNT_ALONE, err);
}

/* ---- extracted ------------------------------------------------------------------------------- */

struct extracted {
	const rkt_layers *layers;
	struct tree_row row;
};

static int record_extracted(db_txn *txn, void *context, rkt_error **err)
{
	const struct extracted *self = context;

	return layered_record(txn, RECORD_EXTRACTED, self->layers, self->row, err);
}

/* Makes the folder NAME in cas/tmp, locked as long as the descriptor lives, so that gc lets it
 * be. */
static int make_workshop(const rkt_store *store, const char *name, rkt_error **err)
{
	auto_fd int naming = layout_lock(&store->layout, LAYOUT_NAMING, err);
	auto_fd int fd = naming < 0 ? -1 : fd_make_dir(store->layout.tmp, name, 0755, NULL, err);

	if (fd < 0 || lock_wait(fd, LOCK_EXCLUSIVE, err) < 0)
		return -1;
	return pass_fd(fd);
}

/* Extracts into ROOM/root; ROOM/aside is for files that only hard links name. */
static int fill(rkt_store *store, const struct known *known, int room, rkt_error **err)
{
	auto_fd int root = fd_make_dir(room, TREE_ROOT, 0755, NULL, err);
	auto_fd int aside = root < 0 ? -1 : fd_make_dir(room, "aside", 0700, NULL, err);

	return aside < 0 ? -1 : layered_extract(store, known->layers, root, aside, err);
}

/* Renames the tree NAME in FROM. An ordinary user may move a folder only when he may write to it,
 * because its ".." changes (rename(2)). Returns 0, or -1 with errno set. */
static int move_tree(int from, const char *name, int to, const char *new_name)
{
	struct stat st;
	mode_t mode;
	bool closed;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	mode = st.st_mode & 07777;
	closed = S_ISDIR(st.st_mode) && !(mode & S_IWUSR) && geteuid() != 0;
	if (closed && fchmodat(from, name, mode | S_IWUSR, 0) < 0)
		return -1;
	if (renameat(from, name, to, new_name) < 0)
		return -1;
	return closed ? fchmodat(to, new_name, mode, 0) : 0;
}

static uint64_t size_of(const rkt_layers *layers)
{
	uint64_t size = 0;

	for (size_t i = 0; i < layers->count; i++)
		size += layers->items[i].size;
	return size;
}

/* Puts the finished tree ROOM/root into its place in SHARD and records it. */
static int put_in_place(
	rkt_store *store, const struct known *known, int shard, int room, rkt_error **err)
{
	auto_fd int naming = layout_lock(&store->layout, LAYOUT_NAMING, err);
	auto_free char *boot = naming < 0 ? NULL : proc_boot_id(err);
	struct extracted record = { .layers = known->layers,
		.row = {
			.size = size_of(known->layers), .made_ns = store_now_ns(), .boot = boot } };

	if (!boot || tree_remove(shard, tree_of(known)->text, err) < 0)
		return -1;
	if (move_tree(room, TREE_ROOT, shard, tree_of(known)->text) < 0)
		return rkt_fail_errno(err, "rename");
	return db_write(store->db, record_extracted, &record, err);
}

static int extract(rkt_store *store, const struct known *known, int shard, rkt_error **err)
{
	char name[sizeof "tree-" + UUID_TEXT_LEN] = "tree-";
	auto_fd int room = -1;
	int result;

	if (store->mode == RKT_STORE_READ)
		return rkt_fail(err, RKT_USAGE, "the store is open for reading only");
	if (uuid_make(name + strlen(name), err) < 0)
		return -1;
	room = make_workshop(store, name, err);
	if (room < 0)
		return -1;
	result = fill(store, known, room, err);
	if (result == 0)
		result = put_in_place(store, known, shard, room, err);
	(void)tree_remove(store->layout.tmp, name, NULL); /* what stays is gc's */
	return result;
}

struct question {
	const rkt_image_id *tree;
	const char *boot;
	bool made;
};

static int is_recorded(db_txn *txn, void *context, rkt_error **err)
{
	struct question *self = context;
	struct tree_row row = { 0 };
	int got = store_get_tree(txn, RECORD_EXTRACTED, self->tree, &row, err);

	self->made = got > 0 && row.boot && strcmp(row.boot, self->boot) == 0;
	return got < 0 ? -1 : 0;
}

/* Whether the tree ID was extracted in this boot and is there: 1, 0, or -1. */
static int is_made(
	rkt_store *store, const rkt_image_id *id, int shard, const char *boot, rkt_error **err)
{
	struct question question = { .tree = id, .boot = boot };
	struct stat st;

	if (db_read(store->db, is_recorded, &question, err) < 0)
		return -1;
	return question.made && fstatat(shard, id->text, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int open_extracted(rkt_store *store, const struct known *known, rkt_error **err)
{
	auto_fd int shard = -1;
	auto_free char *boot = proc_boot_id(err);
	int made;

	if (!boot)
		return -1;
	shard = store->mode == RKT_STORE_READ
			? layout_shard_open(store->layout.rootfs, tree_of(known), err)
			: layout_shard_make(store->layout.rootfs, tree_of(known), err);
	/* one builder at a time; who waited finds the tree made */
	if (shard < 0 || lock_wait(shard, LOCK_EXCLUSIVE, err) < 0)
		return -1;
	made = is_made(store, tree_of(known), shard, boot, err);
	if (made != 0)
		return made < 0 ? -1 : fd_open_dir(shard, tree_of(known)->text, err);
	if (extract(store, known, shard, err) < 0)
		return -1;
	return fd_open_dir(shard, tree_of(known)->text, err);
}

/* ---- the public one -------------------------------------------------------------------------- */

/* For rkt_store_tree_reason(). */
static void keep_reason(rkt_store *store, const struct known *known, rkt_error *why)
{
	pthread_mutex_lock(&store->lock);
	free(store->tree_reason);
	store->tree_reason = why ? xstrdup(rkt_error_raw(why)) : NULL;
	store->tree_opened = *tree_of(known);
	pthread_mutex_unlock(&store->lock);
}

/* An image's own index was made at its import; one over several layers is made now. */
static int need_index(rkt_store *store, struct known *known, rkt_error **err)
{
	const char *fault = deps_index_fault(known->layers);

	if (known->index_size)
		return 0;
	if (deps_is_plain(known->layers) || fault)
		return rkt_fail(err, RKT_FAILED, "the image has no EROFS index: %s",
			fault ? fault : "unknown reason");
	return layered_make_index(store, known->layers, &known->index_size, err);
}

/* A clone of the mounted tree, or -1 with the reason in *ERR. */
static int try_erofs(
	rkt_store *store, struct known *known, enum rkt_tree_form form, rkt_error **err)
{
	if (form == RKT_TREE_AUTO && probe(store, known, err) < 0)
		return -1;
	return need_index(store, known, err) < 0 ? -1 : open_erofs(store, known, err);
}

static int open_tree_as(rkt_store *store, struct known *known, enum rkt_tree_form form,
	enum rkt_tree_form *ret_form, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	int fd = -1;

	*ret_form = RKT_TREE_EROFS;
	if (form != RKT_TREE_EXTRACTED)
		fd = try_erofs(store, known, form, &why);
	keep_reason(store, known, why);
	if (fd >= 0)
		return fd;
	if (form == RKT_TREE_EROFS)
		return rkt_fail_with(err, pass_ptr(why));
	*ret_form = RKT_TREE_EXTRACTED;
	return open_extracted(store, known, err);
}

static int open_known(rkt_store *store, struct known *known, enum rkt_tree_form form,
	enum rkt_tree_form *ret_form, rkt_error **err)
{
	ERROR_SCOPE(err, "rendering", known->image->text);
	const struct sha512_work work = { db_read, look_up, known, &known->unlearnt };
	enum rkt_tree_form became;
	int fd = -1;

	if (layout_check_owner(&store->layout, err) == 0 && sha512_run(store, &work, err) == 0)
		fd = open_tree_as(store, known, form, &became, err);
	known_free(known);
	if (fd >= 0 && ret_form)
		*ret_form = became;
	return fd;
}

int rkt_store_open_tree(rkt_store *store, const rkt_image_id *id, enum rkt_tree_form form,
	enum rkt_tree_form *ret_form, rkt_error **err)
{
	struct known known = { .image = id };

	return open_known(store, &known, form, ret_form, err);
}

int rkt_store_open_leased_tree(rkt_store *store, const char *uuid, const rkt_image_id *id,
	enum rkt_tree_form form, enum rkt_tree_form *ret_form, rkt_error **err)
{
	struct known known = { .image = id, .uuid = uuid };

	if (!uuid_is(uuid))
		return rkt_fail(err, RKT_USAGE, "%s is not a pod's UUID", uuid);
	return open_known(store, &known, form, ret_form, err);
}

const char *rkt_store_tree_reason(const rkt_store *store)
{
	return store->tree_reason;
}

/* ---- putting away ---------------------------------------------------------------------------- */

int tree_is_mounted(const rkt_store *store, const rkt_image_id *id, rkt_error **err)
{
	auto_fd int place = -1;
	auto_error rkt_error *why = NULL;

	place = open_place(store, id, &why);
	if (why)
		return rkt_fail_with(err, pass_ptr(why));
	return place < 0 ? 0 : is_mount(store, place, err);
}

struct leased {
	rkt_store *store;
	const rkt_image_id *id;
	int holders;
};

static int count_holders(db_txn *txn, void *context, rkt_error **err)
{
	struct leased *self = context;

	self->holders = lease_holders(self->store, txn, self->id, NULL, err);
	return self->holders < 0 ? -1 : 0;
}

static int unmount(const rkt_store *store, const rkt_image_id *id, rkt_error **err)
{
	char path[64 + RKT_IMAGE_ID_LEN];
	int mounted;

	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", store->layout.mnt, id->text);
	while ((mounted = tree_is_mounted(store, id, err)) > 0)
		if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
			return rkt_fail_errno(err, "unmount cas/mnt/%s", id->text);
	if (mounted < 0)
		return -1;
	/* EBUSY: mounted in another namespace; the folder serves again */
	if (unlinkat(store->layout.mnt, id->text, AT_REMOVEDIR) < 0 && errno != ENOENT &&
		errno != EBUSY)
		return rkt_fail_errno(err, "remove cas/mnt/%s", id->text);
	return 0;
}

int tree_unmount_unused(rkt_store *store, const rkt_image_id *id, rkt_error **err)
{
	struct leased self = { store, id, 0 };
	auto_fd int alone = lock_mounts(store, err);

	/* under the lock: a pod that leases the image now finds the mount or makes it again */
	if (alone < 0 || db_read(store->db, count_holders, &self, err) < 0)
		return -1;
	return self.holders ? 0 : unmount(store, id, err);
}

int tree_discard_extracted(
	rkt_store *store, const rkt_image_id *id, bool *ret_moved, rkt_error **err)
{
	char name[sizeof "gone-" + UUID_TEXT_LEN] = "gone-";
	auto_error rkt_error *why = NULL;
	auto_fd int shard = layout_shard_open(store->layout.rootfs, id, &why);

	*ret_moved = false;
	if (shard < 0 && rkt_error_kind(why) == RKT_MISSING)
		return 0;
	if (shard < 0)
		return rkt_fail_with(err, pass_ptr(why));
	if (uuid_make(name + strlen(name), err) < 0)
		return -1;
	if (move_tree(shard, id->text, store->layout.tmp, name) == 0)
		*ret_moved = true;
	else if (errno != ENOENT)
		return rkt_fail_errno(err, "move the tree of %s", id->text);
	return 0;
}
