/*
 * Collection: images nobody leases and nobody imported lately, trees nobody uses, left-overs.
 *
 * All under the naming lock, so no import is between its first file name and its commit. Decisions
 * and removal of records are one transaction; files follow (S-040, S-044).
 */
#include "store/gc.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/lock.h"
#include "base/str.h"
#include "base/usage.h"
#include "store/fetch/spool.h"
#include "store/remote.h"
#include "store/remove.h"
#include "store/sha512.h"
#include "store/tree.h"

/* Notes it: who is told may keep us waiting (a pager, a terminal that was stopped), and all others
 * with us while the naming lock is held. */
static void report(struct gc *self, const char *what, const char *decision, const char *reason)
{
	buf_printf(&self->reports, "%s%c%s%c%s%c", what, '\0', decision, '\0', reason, '\0');
}

static const char *next_word(const char **at)
{
	const char *word = *at;

	*at += strlen(word) + 1;
	return word;
}

static void tell_reports(const struct gc *self)
{
	const char *at = (const char *)self->reports.data, *end = at + self->reports.len;

	while (self->options.report && at && at < end) {
		const char *what = next_word(&at), *decision = next_word(&at);

		self->options.report(self->options.context, what, decision, next_word(&at));
	}
}

/* Where the next error goes: one file that cannot be removed must not keep all others, every time
 * anew, so the work goes on, and the first error is told in the end. */
static rkt_error **unless(int failed, rkt_error **err)
{
	return failed ? NULL : err;
}

/* ---- records --------------------------------------------------------------------------------- */

static int drop_extracted(db_txn *txn, const rkt_image_id *id, rkt_error **err)
{
	struct key key = key_of_tree(RECORD_EXTRACTED, id);

	return db_delete(txn, DB_TREE, key_slice(&key), err);
}

/* Trees with an image that goes have decisions of their own: all of them go. */
static int apply_decisions(
	struct gc *self, db_txn *txn, const struct decisions *list, rkt_error **err)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct decision *decision = &list->items[i];
		int result = 0;

		if (decision->fate == FATE_DROP_TREE)
			result = drop_extracted(txn, &decision->id, err);
		else if (decision->fate == FATE_REMOVE && list == &self->images)
			result = remove_image_records(self->store, txn, &decision->id, err);
		else if (decision->fate == FATE_REMOVE)
			result = remove_tree_records(self->store, txn, &decision->id, err);
		if (result < 0)
			return -1;
	}
	return 0;
}

static int apply(db_txn *txn, void *context, rkt_error **err)
{
	struct gc *self = context;

	if (gc_decide(txn, self, err) < 0)
		return -1;
	if (self->unlearnt.len)
		return 0; /* more has to be known first */
	for (size_t at = 0; at < self->dead.len; at += KEY_LEASE_SIZE) {
		struct slice key = { self->dead.data + at, KEY_LEASE_SIZE };

		if (db_delete(txn, DB_LEASE, key, err) < 0)
			return -1;
	}
	if (apply_decisions(self, txn, &self->trees, err) < 0 ||
		apply_decisions(self, txn, &self->images, err) < 0)
		return -1;
	return remote_drop_orphans(txn, err);
}

/* ---- files ----------------------------------------------------------------------------------- */

/* What an extracted tree takes counts when it leaves cas/tmp (scrap_removed()), where it is moved;
 * in a dry run here. */
static int discard_extracted(struct gc *self, const rkt_image_id *id, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	auto_fd int shard = -1;
	bool moved;

	if (!self->options.dry_run)
		return tree_discard_extracted(self->store, id, &moved, err);
	shard = layout_shard_open(self->store->layout.rootfs, id, &why);
	if (shard >= 0)
		return usage_add(shard, id->text, &self->result.bytes_freed, err);
	return rkt_error_kind(why) == RKT_MISSING ? 0 : rkt_fail_with(err, pass_ptr(why));
}

static int carry_out(struct gc *self, const struct decision *decision, rkt_error **err)
{
	static const struct buf none = { 0 };
	uint64_t freed = decision->size;
	int result;

	if (decision->fate == FATE_KEEP) {
		self->result.images_kept++;
		report(self, decision->id.text, "kept", decision->reason);
		return self->options.dry_run ? 0
					     : tree_unmount_unused(self->store, &decision->id, err);
	}
	if (decision->fate == FATE_DROP_TREE) {
		self->result.images_kept++;
		report(self, decision->id.text, "kept, its extracted tree removed",
			decision->reason);
		return discard_extracted(self, &decision->id, err);
	}
	result = self->options.dry_run
			 ? discard_extracted(self, &decision->id, err)
			 : remove_files(self->store, &decision->id, &none, &freed, err);
	self->result.images_removed++; /* its record is gone, whatever becomes of the files */
	self->result.bytes_freed += freed;
	report(self, decision->id.text, "removed", decision->reason);
	return result;
}

/* The same for a tree of several layers, which is told only when something happens to it. */
static int carry_out_tree(struct gc *self, const struct decision *decision, rkt_error **err)
{
	auto_free char *what = xasprintf("the tree %s", decision->id.text);
	bool really = !self->options.dry_run;
	uint64_t freed = 0;
	int result;

	if (decision->fate == FATE_KEEP)
		return really ? tree_unmount_unused(self->store, &decision->id, err) : 0;
	if (decision->fate == FATE_DROP_TREE) {
		report(self, what, "kept, its extracted form removed", decision->reason);
		return discard_extracted(self, &decision->id, err);
	}
	result = really ? remove_tree_files(self->store, &decision->id, &freed, err)
			: discard_extracted(self, &decision->id, err);
	self->result.files_removed++;
	self->result.bytes_freed += really ? freed : decision->size;
	report(self, what, "removed", decision->reason);
	return result;
}

struct shelf {
	int dir;
	const char *name;
	enum { SHELF_BLOB, SHELF_EROFS, SHELF_ROOTFS } what;
};

struct question {
	const struct shelf *shelf;
	rkt_image_id id;
	bool recorded;
};

static int is_recorded(db_txn *txn, void *context, rkt_error **err)
{
	struct question *self = context;
	struct image_row row;
	struct tree_row tree;
	int got = self->shelf->what == SHELF_BLOB
			  ? store_get_image(txn, &self->id, &row, err)
			  : store_get_tree(txn,
				    self->shelf->what == SHELF_EROFS ? RECORD_EROFS
								     : RECORD_EXTRACTED,
				    &self->id, &tree, err);

	self->recorded = got > 0;
	return got < 0 ? -1 : 0;
}

static int remove_leftover(struct gc *self, const struct shelf *shelf, int shard,
	const rkt_image_id *id, rkt_error **err)
{
	if (shelf->what == SHELF_ROOTFS)
		return discard_extracted(self, id, err);
	if (usage_add(shard, id->text, &self->result.bytes_freed, err) < 0)
		return -1;
	if (!self->options.dry_run && unlinkat(shard, id->text, 0) < 0)
		return rkt_fail_errno(err, "remove %s", id->text);
	return 0;
}

static bool is_folder(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* Looks at one name of a shard. What we could not have made ourselves is left alone. */
static int sweep_name(
	struct gc *self, const struct shelf *shelf, int shard, const char *name, rkt_error **err)
{
	struct question question = { .shelf = shelf };
	auto_free char *what = xasprintf("cas/%s/…/%s", shelf->name, name);

	if (rkt_image_id_parse(name, &question.id, NULL) < 0) {
		report(self, what, "kept", "not a name the store gives");
		return 0;
	}
	if (db_read(self->store->db, is_recorded, &question, err) < 0)
		return -1;
	if (question.recorded)
		return 0;
	if (shelf->what != SHELF_ROOTFS && is_folder(shard, name)) {
		report(self, what, "kept", "a folder, where the store has files");
		return 0;
	}
	if (remove_leftover(self, shelf, shard, &question.id, err) < 0)
		return -1;
	self->result.files_removed++;
	report(self, what, "removed", "no record names it");
	return 0;
}

typedef int visit_fn(
	struct gc *self, const struct shelf *shelf, int dir, const char *name, rkt_error **err);

static int for_each_name(
	struct gc *self, const struct shelf *shelf, int dir, visit_fn *visit, rkt_error **err)
{
	auto_fd int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int result = 0;

	if (!stream)
		return rkt_fail_errno(err, "open cas/%s", shelf->name);
	fd = -1; /* the stream owns it */
	while ((errno = 0, entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (visit(self, shelf, dir, entry->d_name, unless(result, err)) < 0)
			result = -1;
	}
	return errno ? rkt_fail_errno(unless(result, err), "read cas/%s", shelf->name) : result;
}

static int sweep_shard(
	struct gc *self, const struct shelf *shelf, int dir, const char *name, rkt_error **err)
{
	auto_free char *what = xasprintf("cas/%s/sha256/%s", shelf->name, name);
	auto_fd int shard = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (shard < 0 && errno == ENOTDIR) {
		report(self, what, "kept", "not a folder, so none of the store's");
		return 0;
	}
	if (shard < 0)
		return rkt_fail_errno(err, "open %s", what);
	return for_each_name(self, shelf, shard, sweep_name, err);
}

static void scrap_removed(void *context, const char *name, uint64_t bytes)
{
	struct gc *self = context;
	auto_free char *what = xasprintf("cas/tmp/%s", name);

	self->result.bytes_freed += bytes;
	if (str_has_prefix(name, "gone-"))
		return; /* told when its image or tree was */
	self->result.files_removed++;
	report(self, what, "removed", "nobody works on it");
}

/* Mounts of images that are gone altogether; those of images that stay were seen to before. */
static int sweep_mount(
	struct gc *self, const struct shelf *shelf, int dir, const char *name, rkt_error **err)
{
	rkt_image_id id;

	(void)shelf;
	(void)dir;
	return rkt_image_id_parse(name, &id, NULL) < 0 ? 0
						       : tree_unmount_unused(self->store, &id, err);
}

/* A note goes with its download; one whose download is gone already, because it could not be
 * removed then, goes alone. */
static int sweep_note(
	struct gc *self, const struct shelf *shelf, int dir, const char *name, rkt_error **err)
{
	auto_free char *what = xasprintf("cas/%s/%s", shelf->name, name);
	auto_free char *download = xmemdup(name, strlen(name) - strlen(SPOOL_NOTE_SUFFIX));
	struct stat st;

	if (fstatat(dir, download, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT ||
		fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode) ||
		gc_is_fresh(self, (uint64_t)st.st_mtim.tv_sec * 1000000000u))
		return 0;
	self->result.files_removed++;
	self->result.bytes_freed += (uint64_t)st.st_size;
	report(self, what, "removed", "the note of a download that is gone");
	if (!self->options.dry_run && unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return rkt_fail_errno(err, "remove %s", what);
	return 0;
}

/* Whether FD is the file that is called NAME still: who had it locked may have removed it, and
 * somebody else may have begun another by now. */
static bool is_linked(int dir, const char *name, int fd)
{
	struct stat ours, theirs;

	return fstat(fd, &ours) == 0 && fstatat(dir, name, &theirs, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* Downloads that were given up; their notes go with them. */
static int sweep_partial(
	struct gc *self, const struct shelf *shelf, int dir, const char *name, rkt_error **err)
{
	auto_free char *what = xasprintf("cas/%s/%s", shelf->name, name);
	auto_free char *note = xasprintf("%s" SPOOL_NOTE_SUFFIX, name);
	auto_fd int fd = -1;
	struct stat st;
	int free_now;

	if (str_has_suffix(name, SPOOL_NOTE_SUFFIX))
		return sweep_note(self, shelf, dir, name, err);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode)) {
		report(self, what, "kept", "not a file, so no download");
		return 0;
	}
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT ? 0 : rkt_fail_errno(err, "open %s", what);
	free_now = lock_try(fd, LOCK_EXCLUSIVE, err);
	if (free_now <= 0 || gc_is_fresh(self, (uint64_t)st.st_mtim.tv_sec * 1000000000u))
		return free_now < 0 ? -1 : 0;
	if (!is_linked(dir, name, fd))
		return 0;
	self->result.files_removed++;
	self->result.bytes_freed += (uint64_t)st.st_size;
	report(self, what, "removed", "a download that nobody went on with");
	if (self->options.dry_run)
		return 0;
	if ((unlinkat(dir, note, 0) < 0 && errno != ENOENT) || unlinkat(dir, name, 0) < 0)
		return rkt_fail_errno(err, "remove %s", what);
	return 0;
}

static int sweep(struct gc *self, rkt_error **err)
{
	const struct layout *layout = &self->store->layout;
	const struct shelf shelves[] = {
		{ layout->blob, "blob", SHELF_BLOB },
		{ layout->erofs, "erofs", SHELF_EROFS },
		{ layout->rootfs, "rootfs", SHELF_ROOTFS },
	};
	const struct shelf mounts = { layout->mnt, "mnt", SHELF_EROFS };
	const struct shelf partial = { layout->partial, "partial", SHELF_BLOB };

	int result = 0;

	for (size_t i = 0; i < ARRAY_LEN(shelves); i++)
		result |= for_each_name(
			self, &shelves[i], shelves[i].dir, sweep_shard, unless(result, err));
	result |= for_each_name(self, &partial, partial.dir, sweep_partial, unless(result, err));
	if (self->options.dry_run)
		return result;
	result |= for_each_name(self, &mounts, mounts.dir, sweep_mount, unless(result, err));
	result |= remove_scraps(self->store, scrap_removed, self, unless(result, err));
	return result;
}

/* Decides, and applies that; returns the lock, -1 on error. SHA-512s that dependencies are given by
 * are made while nobody has to wait; images that cannot be read are nobody's dependency. */
static int decide(struct gc *self, rkt_error **err)
{
	self->learns = true;
	for (;;) {
		auto_fd int removing = layout_lock(&self->store->layout, LAYOUT_REMOVING, err);
		int result;

		if (removing < 0)
			return -1;
		result = self->options.dry_run ? db_read(self->store->db, gc_decide, self, err)
					       : db_write_less(self->store->db, apply, self, err);
		if (result < 0 || !self->unlearnt.len)
			return result < 0 ? -1 : pass_fd(removing);
		scope_close(&removing);
		removing = -1;
		self->learns = sha512_learn(self->store, &self->unlearnt, NULL) == 0;
	}
}

static int collect(struct gc *self, rkt_error **err)
{
	auto_fd int removing = decide(self, err);
	int result = 0;

	if (removing < 0)
		return -1;
	for (size_t i = 0; i < self->trees.count; i++)
		result |= carry_out_tree(self, &self->trees.items[i], unless(result, err));
	for (size_t i = 0; i < self->images.count; i++)
		result |= carry_out(self, &self->images.items[i], unless(result, err));
	result |= sweep(self, unless(result, err));
	return result;
}

int rkt_store_gc(rkt_store *store, const struct rkt_gc_options *options, struct rkt_gc_result *ret,
	rkt_error **err)
{
	struct gc self = { .store = store, .now_ns = store_now_ns() };
	const size_t first = offsetof(struct rkt_gc_options, keep_latest);
	int result;

	if (store_read_options(options, first, &self.options, sizeof self.options, err) < 0)
		return -1;
	result = collect(&self, err);
	tell_reports(&self);
	buf_free(&self.reports);
	gc_forget(&self);
	if (ret) /* who knows the first options knows the first result */
		memcpy(ret, &self.result,
			options->size == first ? offsetof(struct rkt_gc_result, bytes_kept)
					       : sizeof self.result);
	return result;
}
