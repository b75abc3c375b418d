/* Opening trees: mount once and clone, or extract once and open. */
#include "store/tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "aci/extract.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/mount.h"
#include "base/tree.h"
#include "store/blob.h"
#include "store/index/index.h"
#include "store/lease.h"

#define EROFS_MAGIC 0xE0F5E1E2
#define PROBE_KEY   "probe"

/* What the index knows about the trees of an image. */
struct known {
	const rkt_image_id *id;
	uint64_t blob_size, index_size;
	char *index_fault;    /* why there is no index */
	char *extracted_boot; /* the boot the extracted tree was made in; NULL: there is none */
	char *probed_boot;    /* the boot in which EROFS mounts were found to work */
};

static void known_free(struct known *self)
{
	free(self->index_fault);
	free(self->extracted_boot);
	free(self->probed_boot);
}

static struct slice probe_key(void)
{
	return (struct slice){ (const uint8_t *)PROBE_KEY, sizeof PROBE_KEY - 1 };
}

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static int look_up(db_txn *txn, void *context, rkt_error **err)
{
	struct known *self = context;
	struct image_row row = { 0 };
	struct tree_row index = { 0 }, extracted = { 0 };
	struct slice probe = { 0 };
	const char *probed = NULL;
	int image = store_get_image(txn, self->id, &row, err), got;

	if (!image)
		return store_no_image(self->id->text, err);
	if (image < 0 || store_get_tree(txn, RECORD_EROFS, self->id, &index, err) < 0 ||
		store_get_tree(txn, RECORD_EXTRACTED, self->id, &extracted, err) < 0)
		return -1;
	got = db_get(txn, DB_META, probe_key(), &probe, err);
	if (got < 0 || (got && text_row_read(probe, &probed, err) < 0))
		return -1;
	self->blob_size = row.size;
	self->index_size = index.size;
	self->index_fault = copy(row.index_fault);
	self->extracted_boot = copy(extracted.boot);
	self->probed_boot = copy(probed);
	return 0;
}

char *tree_boot_id(rkt_error **err)
{
	auto_fd int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	auto_buf struct buf text = { 0 };

	if (fd < 0) {
		rkt_fail_errno(err, "open /proc/sys/kernel/random/boot_id");
		return NULL;
	}
	if (fd_read_rest(fd, 64, &text, err) < 0)
		return NULL;
	while (text.len && text.data[text.len - 1] == '\n')
		text.len--;
	return buf_steal_text(&text);
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
	auto_free char *boot = tree_boot_id(err);

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
	auto_fd int shard = layout_shard_open(layout->erofs, id, err);
	auto_fd int fd = -1;
	struct stat st;

	if (shard < 0)
		return -1;
	fd = openat(shard, id->text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_INVALID, "the EROFS index is missing");
	if (fd < 0 || fstat(fd, &st) < 0)
		return rkt_fail_errno(err, "open EROFS index");
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
		return rkt_fail(err, RKT_INVALID,
			"the EROFS index is damaged: it has %lld bytes, not %llu",
			(long long)st.st_size, (unsigned long long)size);
	return pass_fd(fd);
}

/* Mounts the tree on PLACE and returns the mount. The kernel checks neither file: we have. */
static int mount_at(const rkt_store *store, const struct known *known, int place, rkt_error **err)
{
	auto_fd int index = tree_open_index(&store->layout, known->id, known->index_size, err);
	auto_fd int blob =
		index < 0 ? -1 : blob_open(&store->layout, known->id, known->blob_size, err);
	auto_fd int mnt = blob < 0 ? -1 : index_mount(index, &blob, 1, err);

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
	if (mkdirat(store->layout.mnt, known->id->text, 0700) < 0 && errno != EEXIST)
		return rkt_fail_errno(err, "mkdir cas/mnt/%s", known->id->text);
	place = open_place(store, known->id, err);
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
	const rkt_image_id *id;
	struct tree_row row;
};

static int record_extracted(db_txn *txn, void *context, rkt_error **err)
{
	const struct extracted *self = context;
	struct key key = key_of_tree(RECORD_EXTRACTED, self->id);
	auto_buf struct buf value = { 0 };
	struct image_row row;
	int got = store_get_image(txn, self->id, &row, err);

	if (!got)
		return store_no_image(self->id->text, err);
	tree_row_write(&self->row, &value);
	return got < 0 ? -1 : db_put(txn, DB_TREE, key_slice(&key), buf_slice(&value), err);
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

static int fill(const rkt_store *store, const struct known *known, int root, rkt_error **err)
{
	bool privileged = geteuid() == 0;
	const struct extract_options options = { .what = EXTRACT_ROOTFS,
		.owner = privileged ? EXTRACT_OWNER_KEEP : EXTRACT_OWNER_CALLER,
		.devices = privileged ? EXTRACT_DEVICES_MAKE : EXTRACT_DEVICES_REFUSE };
	int blob = blob_open(&store->layout, known->id, known->blob_size, err);
	auto_image image_reader *image = NULL;

	if (blob < 0)
		return -1;
	image = image_open(source_verified(source_from_fd(blob), known->id), NULL);
	return extract_into(image, root, &options, NULL, err);
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

/* Puts the finished tree NAME of cas/tmp into its place in SHARD and records it. */
static int put_in_place(
	rkt_store *store, const struct known *known, int shard, const char *name, rkt_error **err)
{
	auto_fd int naming = layout_lock(&store->layout, LAYOUT_NAMING, err);
	auto_free char *boot = naming < 0 ? NULL : tree_boot_id(err);
	struct extracted record = { .id = known->id,
		.row = { .size = known->blob_size,
			.made_ns = store_now_ns(),
			.boot = boot,
			.layers = known->id,
			.layer_count = 1 } };

	if (!boot || tree_remove(shard, known->id->text, err) < 0)
		return -1;
	if (move_tree(store->layout.tmp, name, shard, known->id->text) < 0)
		return rkt_fail_errno(err, "rename");
	return db_write(store->db, record_extracted, &record, err);
}

static int extract(rkt_store *store, const struct known *known, int shard, rkt_error **err)
{
	char name[sizeof "tree-" + UUID_TEXT_LEN] = "tree-";
	auto_fd int root = -1;

	if (store->mode == RKT_STORE_READ)
		return rkt_fail(err, RKT_USAGE, "the store is open for reading only");
	if (uuid_make(name + strlen(name), err) < 0)
		return -1;
	root = make_workshop(store, name, err);
	if (root < 0)
		return -1;
	if (fill(store, known, root, err) == 0 && put_in_place(store, known, shard, name, err) == 0)
		return 0;
	(void)tree_remove(store->layout.tmp, name, NULL); /* what stays is gc's */
	return -1;
}

/* Whether the tree of ID was extracted in this boot and is there: 1, 0, or -1. */
static int is_made(
	rkt_store *store, const rkt_image_id *id, int shard, const char *boot, rkt_error **err)
{
	struct known known = { .id = id };
	struct stat st;
	int result = db_read(store->db, look_up, &known, err);

	if (result == 0)
		result = known.extracted_boot && strcmp(known.extracted_boot, boot) == 0 &&
			 fstatat(shard, id->text, &st, AT_SYMLINK_NOFOLLOW) == 0;
	known_free(&known);
	return result;
}

static int open_extracted(rkt_store *store, const struct known *known, rkt_error **err)
{
	auto_fd int shard = -1;
	auto_free char *boot = tree_boot_id(err);
	int made;

	if (!boot)
		return -1;
	shard = store->mode == RKT_STORE_READ
			? layout_shard_open(store->layout.rootfs, known->id, err)
			: layout_shard_make(store->layout.rootfs, known->id, err);
	/* one builder at a time; who waited finds the tree made */
	if (shard < 0 || lock_wait(shard, LOCK_EXCLUSIVE, err) < 0)
		return -1;
	made = is_made(store, known->id, shard, boot, err);
	if (made != 0)
		return made < 0 ? -1 : fd_open_dir(shard, known->id->text, err);
	if (extract(store, known, shard, err) < 0)
		return -1;
	return fd_open_dir(shard, known->id->text, err);
}

/* ---- the public one -------------------------------------------------------------------------- */

static void keep_reason(rkt_store *store, rkt_error *why)
{
	free(store->tree_reason);
	store->tree_reason = why ? xstrdup(rkt_error_message(why)) : NULL;
}

/* A clone of the mounted tree, or -1 with the reason in *ERR. */
static int try_erofs(
	rkt_store *store, const struct known *known, enum rkt_tree_form form, rkt_error **err)
{
	if (!known->index_size)
		return rkt_fail(err, RKT_FAILED, "the image has no EROFS index: %s",
			known->index_fault ? known->index_fault : "unknown reason");
	if (form == RKT_TREE_AUTO && probe(store, known, err) < 0)
		return -1;
	return open_erofs(store, known, err);
}

static int open_tree_as(rkt_store *store, const struct known *known, enum rkt_tree_form form,
	enum rkt_tree_form *ret_form, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	int fd = -1;

	*ret_form = RKT_TREE_EROFS;
	if (form != RKT_TREE_EXTRACTED)
		fd = try_erofs(store, known, form, &why);
	keep_reason(store, why);
	if (fd >= 0)
		return fd;
	if (form == RKT_TREE_EROFS)
		return rkt_fail_with(err, pass_ptr(why));
	*ret_form = RKT_TREE_EXTRACTED;
	return open_extracted(store, known, err);
}

int rkt_store_open_tree(rkt_store *store, const rkt_image_id *id, enum rkt_tree_form form,
	enum rkt_tree_form *ret_form, rkt_error **err)
{
	ERROR_SCOPE(err, "rendering", id->text);
	struct known known = { .id = id };
	enum rkt_tree_form became;
	int fd = -1;

	if (db_read(store->db, look_up, &known, err) == 0)
		fd = open_tree_as(store, &known, form, &became, err);
	known_free(&known);
	if (fd >= 0 && ret_form)
		*ret_form = became;
	return fd;
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
