/* A private home for gpg: making it, and putting keys into it. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/tree.h"
#include "store/trust/gpg.h"

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

	gpgme_strerror_r(error, words, sizeof words);
	return rkt_fail(err, RKT_FAILED, "gpg: %s: %s", doing, words);
}

static int make_directory(trust_home *self, rkt_error **err)
{
	const char *where = getenv("TMPDIR");
	const struct slice text = { (const uint8_t *)configuration, sizeof configuration - 1 };
	auto_free char *path = xasprintf("%s/rkt-keys.XXXXXX", where && *where ? where : "/tmp");
	auto_fd int dir = -1;

	if (!mkdtemp(path))
		return rkt_fail_errno(err, "make %s", path);
	self->path = pass_ptr(path);
	dir = open(self->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return rkt_fail_errno(err, "open %s", self->path);
	return fd_write_file(dir, "gpg.conf", text, 0600, err);
}

static int start_gpg(trust_home *self, rkt_error **err)
{
	gpgme_error_t error;

	gpgme_check_version(NULL); /* initializes the library */
	error = gpgme_new(&self->gpg);
	if (error)
		return gpg_failed(error, "start", err);
	error = gpgme_set_protocol(self->gpg, GPGME_PROTOCOL_OpenPGP);
	if (!error)
		error = gpgme_ctx_set_engine_info(
			self->gpg, GPGME_PROTOCOL_OpenPGP, NULL, self->path);
	if (!error) /* asks for gpg itself: better now than in the middle */
		error = gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP);
	return error ? gpg_failed(error, "start", err) : 0;
}

trust_home *trust_home_new(rkt_error **err)
{
	auto_trust_home trust_home *self = xcalloc(1, sizeof *self);

	if (make_directory(self, err) < 0 || start_gpg(self, err) < 0)
		return NULL;
	return pass_ptr(self);
}

void trust_home_free(trust_home *self)
{
	if (!self)
		return;
	if (self->gpg)
		gpgme_release(self->gpg);
	if (self->path)
		(void)tree_remove(
			AT_FDCWD, self->path, NULL); /* it is in a place for such things */
	free(self->path);
	free(self);
}

/* Imports BYTES and leaves the result to be asked for. */
static int import_keys(
	trust_home *self, struct slice bytes, gpgme_import_result_t *ret, rkt_error **err)
{
	gpgme_data_t keys;
	gpgme_import_result_t result;
	gpgme_error_t error;

	error = gpgme_data_new_from_mem(&keys, (const char *)bytes.data, bytes.len, 0);
	if (error)
		return gpg_failed(error, "lend keys", err);
	error = gpgme_op_import(self->gpg, keys);
	gpgme_data_release(keys);
	result = error ? NULL : gpgme_op_import_result(self->gpg);
	if (result && result->secret_read)
		return rkt_fail(err, RKT_INVALID, "there are secret keys in it");
	if (gpgme_err_code(error) == GPG_ERR_NO_DATA || (result && !result->considered))
		return rkt_fail(err, RKT_INVALID, "there is no OpenPGP key in it");
	if (error)
		return gpg_failed(error, "import keys", err);
	if (!result)
		return rkt_fail(err, RKT_INVALID, "there is no usable OpenPGP key in it");
	*ret = result;
	return 0;
}

int trust_home_add(trust_home *self, struct slice bytes, rkt_error **err)
{
	gpgme_import_result_t result;

	if (import_keys(self, bytes, &result, err) < 0)
		return -1;
	if (!(result->imported + result->unchanged))
		return rkt_fail(err, RKT_INVALID, "there is no usable OpenPGP key in it");
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
		return rkt_fail(err, RKT_INVALID, "there is no usable OpenPGP key in it");
	for (size_t i = 0; i <= strlen(key->fpr); i++)
		ret_fingerprint[i] = (char)tolower((unsigned char)key->fpr[i]);
	return 0;
}
