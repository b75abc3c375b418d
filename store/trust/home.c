/* A private home for gpg: making it, and putting keys into it. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/draft.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/str.h"
#include "base/tree.h"
#include "store/trust/gpg.h"

#define HOME_PREFIX "rkt-keys."

/* No agent, no key servers, no web of trust: a key that is here is one that may speak. */
static const char configuration[] = "batch\n"
				    "no-autostart\n"
				    "disable-dirmngr\n"
				    "no-auto-key-locate\n"
				    "no-auto-key-retrieve\n"
				    "no-auto-check-trustdb\n"
				    "trust-model always\n";

int gpg_failed(gpgme_error_t error, const char *doing, rkt_error **err)
{
	char words[256];

	if (gpgme_err_code(error) == GPG_ERR_INV_ENGINE)
		return rkt_fail(err, RKT_FAILED,
			"gpg cannot be run, without which no signature counts: install GnuPG");
	gpgme.gpgme_strerror_r(error, words, sizeof words);
	return rkt_fail(err, RKT_FAILED, "gpg: %s: %s", doing, words);
}

/* ---- the directory --------------------------------------------------------------------------- */

/* Who has a home holds the lock on it, and so does who removes one that nobody has: a process that
 * was killed leaves its home behind, and the next one clears it away. */

/* Whether what is called NAME is what ST is about still. */
static bool is_named(int parent, const char *name, const struct stat *st)
{
	struct stat named;

	return fstatat(parent, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st->st_dev == named.st_dev && st->st_ino == named.st_ino;
}

static void remove_left(int parent, const char *name)
{
	auto_fd int fd = -1;
	struct stat st;

	if (!str_has_prefix(name, HOME_PREFIX) || strlen(name) != strlen(HOME_PREFIX "XXXXXX"))
		return;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
		lock_try(fd, LOCK_EXCLUSIVE, NULL) > 0 && is_named(parent, name, &st))
		(void)tree_remove(parent, name, NULL);
}

/* What cannot be removed stays: it is in a place for such things. */
static void remove_left_homes(const char *where)
{
	DIR *dir = opendir(where);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		remove_left(dirfd(dir), entry->d_name);
	if (dir)
		closedir(dir);
}

/* A directory that nobody takes for left behind: 1; 0 when somebody just did. */
static int make_locked(trust_home *self, const char *where, rkt_error **err)
{
	auto_free char *path = xasprintf("%s/" HOME_PREFIX "XXXXXX", where);
	auto_fd int dir = -1;
	struct stat st;

	if (!mkdtemp(path))
		return rkt_fail_errno(err, "make %s", path);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 && errno == ENOENT)
		return 0;
	if (dir < 0 || fstat(dir, &st) < 0) {
		rkt_fail_errno(err, "open %s", path);
		rmdir(path);
		return -1;
	}
	if (lock_wait(dir, LOCK_EXCLUSIVE, err) < 0) {
		rmdir(path);
		return -1;
	}
	if (!is_named(AT_FDCWD, path, &st))
		return 0;
	self->path = pass_ptr(path);
	self->dir = pass_fd(dir);
	return 1;
}

static const char *temporary_folder(void)
{
	const char *named = getenv("TMPDIR");

	return named && *named ? named : "/tmp";
}

void trust_homes_clear(void)
{
	remove_left_homes(temporary_folder());
}

static int make_directory(trust_home *self, rkt_error **err)
{
	const char *where = temporary_folder();
	const struct slice text = { (const uint8_t *)configuration, sizeof configuration - 1 };
	int made;

	remove_left_homes(where);
	do
		made = make_locked(self, where, err);
	while (made == 0);
	return made < 0 ? -1 : draft_write(self->dir, "gpg.conf", text, 0600, err);
}

/* ---- gpg ------------------------------------------------------------------------------------- */

struct gpgme_calls gpgme;
static LIBRARY_DEFINE(gpgme, GPGME_SONAME, GPGME_CALLS);

/* Not for two threads at once: it sorts a table that all use. The name is that of a macro, which
 * calls gpgme_check_version_internal(). */
static void initialize(void)
{
	/* we need gpg only: gpgconf would be run three times to say where it is, gpgsm once */
	(void)gpgme.gpgme_set_global_flag("disable-gpgconf", "1");
	gpgme.gpgme_check_version(NULL);
}

static int start_gpg(trust_home *self, rkt_error **err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	gpgme_error_t error;

	if (library_load(&gpgme_library, err) < 0)
		return -1;
	pthread_once(&once, initialize);
	error = gpgme.gpgme_new(&self->gpg);
	if (error)
		return gpg_failed(error, "start", err);
	error = gpgme.gpgme_set_protocol(self->gpg, GPGME_PROTOCOL_OpenPGP);
	if (!error) /* for who judges a signature */
		error = gpgme.gpgme_set_ctx_flag(self->gpg, "full-status", "1");
	if (!error)
		error = gpgme.gpgme_ctx_set_engine_info(
			self->gpg, GPGME_PROTOCOL_OpenPGP, NULL, self->path);
	if (!error) /* asks for gpg itself: better now than in the middle */
		error = gpgme.gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP);
	return error ? gpg_failed(error, "start", err) : 0;
}

trust_home *trust_home_new(rkt_error **err)
{
	auto_trust_home trust_home *self = xcalloc(1, sizeof *self);

	self->dir = -1;
	if (make_directory(self, err) < 0 || start_gpg(self, err) < 0)
		return NULL;
	return pass_ptr(self);
}

void trust_home_free(trust_home *self)
{
	if (!self)
		return;
	if (self->gpg)
		gpgme.gpgme_release(self->gpg);
	if (self->path)
		(void)tree_remove(AT_FDCWD, self->path, NULL); /* the next one tries again */
	scope_close(&self->dir);
	free(self->path);
	free(self);
}

#define KEYRING  "pubring.kbx"
#define ROOM_MIN (16u * 1024)

/* Fails when there is no room for a key of LEN bytes: gpg writes its keyring anew with each. */
static int check_room(const trust_home *self, size_t len, rkt_error **err)
{
	ERROR_SCOPE(err, "making room in", self->path);
	auto_buf struct buf room = { 0 };
	auto_fd int fd = fd_scratch(self->dir, err);
	struct stat st;

	if (fd < 0)
		return -1;
	buf_append_zeros(&room, ROOM_MIN + 2 * len);
	if (fstatat(self->dir, KEYRING, &st, AT_SYMLINK_NOFOLLOW) == 0)
		buf_append_zeros(&room, (size_t)st.st_size);
	return fd_write_all(fd, room.data, room.len, err);
}

/* Fails with RKT_INVALID and WHY gpg took no key from BYTES; unless that was for want of room,
 * which gpg does not tell from a bad key. */
static int refuse(const trust_home *self, struct slice bytes, const char *why, rkt_error **err)
{
	return check_room(self, bytes.len, err) < 0 ? -1 : rkt_fail(err, RKT_INVALID, "%s", why);
}

/* Imports BYTES and leaves the result to be asked for. */
static int import_keys(
	trust_home *self, struct slice bytes, gpgme_import_result_t *ret, rkt_error **err)
{
	gpgme_data_t keys;
	gpgme_import_result_t result;
	gpgme_error_t error;

	error = gpgme.gpgme_data_new_from_mem(&keys, (const char *)bytes.data, bytes.len, 0);
	if (error)
		return gpg_failed(error, "lend keys", err);
	error = gpgme.gpgme_op_import(self->gpg, keys);
	gpgme.gpgme_data_release(keys);
	result = error ? NULL : gpgme.gpgme_op_import_result(self->gpg);
	if (result && result->secret_read)
		return rkt_fail(err, RKT_INVALID, "there are secret keys in it");
	if (gpgme_err_code(error) == GPG_ERR_NO_DATA || (result && !result->considered))
		return refuse(self, bytes, "there is no OpenPGP key in it", err);
	if (error)
		return gpg_failed(error, "import keys", err);
	if (!result)
		return refuse(self, bytes, "there is no usable OpenPGP key in it", err);
	*ret = result;
	return 0;
}

int trust_home_add(trust_home *self, struct slice bytes, rkt_error **err)
{
	gpgme_import_result_t result;

	if (import_keys(self, bytes, &result, err) < 0)
		return -1;
	if (!(result->imported + result->unchanged))
		return refuse(self, bytes, "there is no usable OpenPGP key in it", err);
	return 0;
}

int trust_home_add_one(trust_home *self, struct slice bytes,
	char ret_fingerprint[static TRUST_FINGERPRINT_MAX + 1], rkt_error **err)
{
	gpgme_import_result_t result;
	gpgme_import_status_t key;

	if (import_keys(self, bytes, &result, err) < 0)
		return -1;
	if (result->considered > 1)
		return rkt_fail(err, RKT_INVALID,
			"there are %d keys in it: each needs a file of its own",
			result->considered);
	key = result->imports;
	if (!key || key->result || !key->fpr || strlen(key->fpr) > TRUST_FINGERPRINT_MAX)
		return refuse(self, bytes, "there is no usable OpenPGP key in it", err);
	for (size_t i = 0; i <= strlen(key->fpr); i++)
		ret_fingerprint[i] = (char)tolower((unsigned char)key->fpr[i]);
	return 0;
}

bool trust_home_add_plain(trust_home *self, struct slice bytes, const struct names *fingerprints)
{
	gpgme_import_result_t result;
	gpgme_import_status_t at;

	if (import_keys(self, bytes, &result, NULL) < 0)
		return false;
	at = result->imports;
	for (size_t i = 0; i < fingerprints->count; i++, at = at->next)
		if (!at || at->result || !at->fpr ||
			strcasecmp(at->fpr, fingerprints->items[i]) != 0)
			return false;
	return !at && (size_t)result->considered == fingerprints->count;
}
