/* Verifying, then importing, from one descriptor. */
#include "store/signed.h"

#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "store/blob.h"

int signing_open(struct signing *self, rkt_error **err)
{
	if (keys_read(&self->keys, err) < 0)
		return -1;
	self->home = keys_home(&self->keys, KEYS_TRUSTED, err);
	return self->home ? 0 : -1;
}

void signing_close(struct signing *self)
{
	keys_free(&self->keys);
	trust_home_free(self->home);
	self->home = NULL;
}

int signed_check(const struct trust_result *verdict, rkt_error **err)
{
	if (verdict->verdict == TRUST_GOOD)
		return 0;
	if (verdict->verdict == TRUST_INVALID)
		return rkt_fail(err, RKT_INVALID, "the signature is not valid: %s", verdict->why);
	return rkt_fail(err, RKT_UNTRUSTED,
		"the signature does not count: %s; 'rkt-store trust list' has the keys that may",
		verdict->why);
}

static int judge(
	trust_home *home, struct slice signature, int fd, struct trust_result *ret, rkt_error **err)
{
	off_t start = lseek(fd, 0, SEEK_CUR);

	if (start < 0)
		return rkt_fail_errno(err, "seek");
	if (trust_verify(home, signature, fd, ret, err) < 0 || signed_check(ret, err) < 0)
		return -1;
	return lseek(fd, start, SEEK_SET) < 0 ? rkt_fail_errno(err, "seek") : 0;
}

struct question {
	const struct trusted_keys *keys;
	const struct names *speakers;
	char signed_by[TRUST_FINGERPRINT_MAX + 1]; /* for the record: written before the commit */
};

/* One key among those that signed is enough. */
static int may_speak(void *context, const char *name, rkt_error **err)
{
	struct question *self = context;

	for (size_t i = 0; i < self->speakers->count; i++)
		if (keys_may_speak(self->keys, self->speakers->items[i], name)) {
			snprintf(self->signed_by, sizeof self->signed_by, "%s",
				self->speakers->items[i]);
			return 0;
		}
	return rkt_fail(err, RKT_UNTRUSTED,
		"the signature does not count: key %s is not trusted for images called %s",
		self->speakers->items[0], name);
}

int signed_import_judged(const struct signing *self, rkt_store *store,
	const struct signed_file *file, const struct trust_result *verdict, rkt_image_id *ret_id,
	rkt_error **err)
{
	struct question question = { &self->keys, &verdict->speakers, "" };
	struct rkt_import_options options = { 0 };
	struct import_wish wish = { 0 };

	if (file->options)
		options = *file->options;
	if (file->wish)
		wish = *file->wish;
	options.size = sizeof options;
	options.check_name = may_speak;
	options.check_context = &question;
	wish.file_sha256 = verdict->sha256;
	wish.source = file->source;
	wish.signed_by = question.signed_by;
	return import_as_wished(store, file->fd, &options, &wish, ret_id, err);
}

/* Gives what cannot be read twice a place to be read from. */
static int spool(rkt_store *store, int fd, struct scratch *ret, rkt_error **err)
{
	if (scratch_open(&store->layout, ret, err) < 0 || fd_copy(fd, ret->fd, err) < 0)
		return -1;
	return lseek(ret->fd, 0, SEEK_SET) < 0 ? rkt_fail_errno(err, "seek") : 0;
}

int signed_import(struct signing *self, rkt_store *store, const struct signed_file *file,
	rkt_image_id *ret_id, rkt_error **err)
{
	auto_scratch struct scratch spooled = SCRATCH_EMPTY;
	struct signed_file readable = *file;
	struct trust_result verdict = { 0 };
	int result;

	if (lseek(file->fd, 0, SEEK_CUR) < 0) {
		if (spool(store, file->fd, &spooled, err) < 0)
			return -1;
		readable.fd = spooled.fd;
	}
	result = judge(self->home, file->signature, readable.fd, &verdict, err);
	if (result == 0)
		result = signed_import_judged(self, store, &readable, &verdict, ret_id, err);
	trust_result_free(&verdict);
	return result;
}
