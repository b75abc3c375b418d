/* Reading trusted keys, and who may speak for what. */
#include "store/trust/keys.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aci/name.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/hex.h"
#include "store/trust/plain_key.h"

/* ---- reading --------------------------------------------------------------------------------- */

/* Takes note of what was left out at PATH. WHY, an error, is freed. */
static void add_problem(struct trusted_keys *self, const char *path, rkt_error *why)
{
	rkt_fail_outer(&why, "%s", path);
	names_add(&self->problems, xstrdup(rkt_error_raw(why)));
	rkt_error_free(why);
}

static void leave_out(struct trusted_keys *self, const char *path, const char *words)
{
	rkt_error *why = NULL;

	rkt_fail(&why, RKT_INVALID, "%s", words);
	add_problem(self, path, why);
}

/* A folder being read. */
struct place {
	enum config_level level;
	const char *path;   /* of the folder */
	const char *prefix; /* NULL: root.d; "": prefix.d itself */
	int depth;
};

static void add_item(struct trusted_keys *self, struct trusted_key key)
{
	if (self->count == self->capacity) {
		self->capacity = self->capacity ? 2 * self->capacity : 16;
		self->items = xreallocarray(self->items, self->capacity, sizeof *self->items);
	}
	self->items[self->count++] = key;
}

static int read_bytes(int folder, const char *name, struct buf *ret, rkt_error **err)
{
	auto_fd int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return rkt_fail_errno(err, "open");
	if (fd_read_rest(fd, KEYS_FILE_MAX, ret, err) < 0)
		return -1;
	/* what is empty now was not before: that is somebody writing, not a mask */
	return ret->len ? 0 : rkt_fail(err, RKT_INVALID, "left out: it changed while it was read");
}

/* The file NAME of SIZE bytes. An empty one need not be readable to be a mask. */
static void add_file(struct trusted_keys *self, const struct place *place, int folder,
	const char *name, off_t size)
{
	struct trusted_key key = { .level = place->level };
	auto_free char *path = xasprintf("%s/%s", place->path, name);
	rkt_error *why = NULL;

	if (strlen(name) != KEYS_FINGERPRINT_LEN || !hex_is(name, KEYS_FINGERPRINT_LEN)) {
		leave_out(self, path,
			"left out: it is not called by a fingerprint of 40 lower-case digits");
		return;
	}
	if (size && read_bytes(folder, name, &key.bytes, &why) < 0) {
		add_problem(self, path, why);
		buf_free(&key.bytes);
		return;
	}
	memcpy(key.fingerprint, name, sizeof key.fingerprint);
	key.path = pass_ptr(path);
	key.prefix = xstrdup_if(place->prefix);
	add_item(self, key);
}

static int read_folder(
	struct trusted_keys *self, int folder, const struct place *place, rkt_error **err);

/* The folder NAME, or a link to one. */
static int read_below(struct trusted_keys *self, int folder, const struct place *place,
	const char *name, rkt_error **err)
{
	auto_free char *path = xasprintf("%s/%s", place->path, name);
	auto_free char *prefix =
		place->prefix ? xasprintf("%s%s%s", place->prefix, *place->prefix ? "/" : "", name)
			      : NULL;
	const struct place below = { place->level, path, prefix, place->depth + 1 };
	auto_fd int fd = -1;

	if (!prefix)
		leave_out(self, path, "left out: root.d has no folders");
	else if (!ac_identifier_is(prefix, NULL))
		leave_out(self, path, "left out: no image name begins like this");
	else if (below.depth > KEYS_PARTS_MAX)
		leave_out(self, path, "left out: too many folders in each other");
	else {
		fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno != ELOOP && errno != ENOTDIR)
			return rkt_fail_errno(err, "open %s", path);
		if (fd >= 0)
			return read_folder(self, fd, &below, err);
		/* in a circle of links there is no end */
		leave_out(self, path, "left out: folders behind links are not read");
	}
	return 0;
}

enum pass { PASS_FILES, PASS_FOLDERS };

/* NAME, at PATH, cannot be asked for: it is gone, or a link to nothing, or that is an error. */
static int stat_failed(struct trusted_keys *self, int folder, const char *name, const char *path,
	enum pass pass, rkt_error **err)
{
	struct stat st;

	if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
		return rkt_fail_errno(err, "stat %s", path);
	if (pass == PASS_FILES && fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		leave_out(self, path, "left out: it is a link to nothing");
	return 0;
}

/* Takes the entry NAME in if it is one for this PASS. */
static int read_entry(struct trusted_keys *self, int folder, const struct place *place,
	const char *name, enum pass pass, rkt_error **err)
{
	auto_free char *path = xasprintf("%s/%s", place->path, name);
	struct stat st;

	if (fstatat(folder, name, &st, 0) < 0)
		return stat_failed(self, folder, name, path, pass, err);
	if (S_ISDIR(st.st_mode)) {
		if (pass == PASS_FOLDERS)
			return read_below(self, folder, place, name, err);
	} else if (pass == PASS_FILES) {
		if (S_ISREG(st.st_mode))
			add_file(self, place, folder, name, st.st_size);
		else
			leave_out(self, path, "left out: it is no file");
	}
	return 0;
}

/* The files of FOLDER, then what is below it: the longer prefix comes later. */
static int read_folder(
	struct trusted_keys *self, int folder, const struct place *place, rkt_error **err)
{
	auto_names struct names names = { 0 };
	int own = fcntl(folder, F_DUPFD_CLOEXEC, 3);

	if (own < 0)
		return rkt_fail_errno(err, "dup");
	if (names_of_dir(own, &names, err) < 0)
		return rkt_fail_outer(err, "%s", place->path);
	for (enum pass pass = PASS_FILES; pass <= PASS_FOLDERS; pass++)
		for (size_t i = 0; i < names.count; i++)
			if (names.items[i][0] != '.' && /* files being written are such */
				read_entry(self, folder, place, names.items[i], pass, err) < 0)
				return -1;
	return 0;
}

static int read_level(struct trusted_keys *self, enum config_level level, const char *folder,
	const char *prefix, rkt_error **err)
{
	auto_free char *dir = config_dir(level);
	auto_free char *path = dir ? xasprintf("%s/trustedkeys/%s", dir, folder) : NULL;
	const struct place place = { level, path, prefix, 0 };
	auto_fd int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (!path || (fd < 0 && errno == ENOENT))
		return 0;
	if (fd < 0)
		return rkt_fail_errno(err, "open %s", path);
	return read_folder(self, fd, &place, err);
}

int keys_read(struct trusted_keys *self, rkt_error **err)
{
	for (enum config_level level = 0; level < CONFIG_LEVEL_COUNT; level++)
		if (read_level(self, level, "root.d", NULL, err) < 0)
			return -1;
	for (enum config_level level = 0; level < CONFIG_LEVEL_COUNT; level++)
		if (read_level(self, level, "prefix.d", "", err) < 0)
			return -1;
	return 0;
}

void keys_free(struct trusted_keys *self)
{
	for (size_t i = 0; i < self->count; i++) {
		struct trusted_key *key = &self->items[i];

		free(key->prefix);
		free(key->path);
		free(key->problem);
		buf_free(&key->bytes);
	}
	free(self->items);
	names_free(&self->problems);
	*self = (struct trusted_keys){ 0 };
}

/* ---- who may speak --------------------------------------------------------------------------- */

bool keys_may_speak(const struct trusted_keys *self, const char *fingerprint, const char *name)
{
	bool may = false;

	for (size_t i = 0; i < self->count; i++) {
		const struct trusted_key *key = &self->items[i];

		if (key->problem || strcasecmp(key->fingerprint, fingerprint) != 0)
			continue;
		if (!key->prefix || (name && ac_identifier_has_prefix(name, key->prefix)))
			may = key->bytes.len != 0;
	}
	return may;
}

/* ---- the home -------------------------------------------------------------------------------- */

static bool is_wanted(
	const struct trusted_keys *self, const struct trusted_key *key, enum keys_which which)
{
	if (key->problem || !key->bytes.len)
		return false;
	return which == KEYS_ALL || keys_may_speak(self, key->fingerprint, key->prefix);
}

/* Adds KEY to HOME: 1, 0 when it cannot be used, which is a problem from here on, or -1. */
static int add_key(
	struct trusted_keys *self, struct trusted_key *key, trust_home *home, rkt_error **err)
{
	char fingerprint[TRUST_FINGERPRINT_MAX + 1];
	auto_error rkt_error *why = NULL;

	if (trust_home_add_one(home, buf_slice(&key->bytes), fingerprint, &why) == 0) {
		if (strcmp(fingerprint, key->fingerprint) == 0)
			return 1;
		rkt_fail(&why, RKT_INVALID, "it is key %s", fingerprint);
	}
	if (rkt_error_kind(why) != RKT_INVALID)
		return rkt_fail_with(err, pass_ptr(why));
	key->problem = xstrdup(rkt_error_message(why));
	add_problem(self, key->path, pass_ptr(why));
	return 0;
}

/* Keys that wait for one run of gpg. */
struct batch {
	struct buf bytes;
	struct names fingerprints;
};

static void batch_free(struct batch *self)
{
	buf_free(&self->bytes);
	names_free(&self->fingerprints);
}

/* How keys come into a home: a run of gpg costs more than what it does with a key, so all that are
 * plain share one. It does not say what is wrong with whom: then each is asked about alone. */
enum how { TOGETHER, EACH_ALONE };

enum filled {
	FILLED,
	FILLED_BADLY, /* keys that cannot be used may have got in with others */
	FILLED_UNLIKE /* gpg does not see in the plain ones what we do */
};

/* An enum filled, or -1. */
static int fill(struct trusted_keys *self, enum keys_which which, enum how how, trust_home *home,
	rkt_error **err)
{
	__attribute__((cleanup(batch_free))) struct batch batch = { 0 };
	enum filled result = FILLED;

	for (size_t i = 0; i < self->count; i++) {
		struct trusted_key *key = &self->items[i];
		int added = 1;

		if (!is_wanted(self, key, which))
			continue;
		if (how == TOGETHER && plain_key_append(buf_slice(&key->bytes), &batch.bytes))
			names_add(&batch.fingerprints, xstrdup(key->fingerprint));
		else
			added = add_key(self, key, home, err);
		if (added < 0)
			return -1;
		if (!added)
			result = FILLED_BADLY;
	}
	if (result == FILLED && batch.fingerprints.count &&
		!trust_home_add_plain(home, buf_slice(&batch.bytes), &batch.fingerprints))
		return FILLED_UNLIKE;
	return (int)result;
}

trust_home *keys_home(struct trusted_keys *self, enum keys_which which, rkt_error **err)
{
	enum how how = TOGETHER;

	for (;;) { /* each time there are fewer, or each is asked about alone */
		auto_trust_home trust_home *home = trust_home_new(err);
		int done = home ? fill(self, which, how, home, err) : -1;

		if (done < 0)
			return NULL;
		if (done == FILLED)
			return pass_ptr(home);
		how = done == FILLED_UNLIKE ? EACH_ALONE : TOGETHER;
	}
}
