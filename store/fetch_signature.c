/* Signatures: getting them, the verdict, and the import of what was judged. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "store/fetch_parts.h"
#include "store/reference.h"

void signature_free(struct signature *self)
{
	buf_free(&self->bytes);
	*self = (struct signature){ { 0 }, false };
}

/* ---- getting them ---------------------------------------------------------------------------- */

char *signature_url_of(const char *url)
{
	const char *scheme_end = strstr(url, "://");
	const char *authority = scheme_end ? scheme_end + strlen("://") : url;
	const char *path = authority + strcspn(authority, "/?#");
	const char *query = path + strcspn(path, "?#");

	/* without a path, what is put there would become a part of the host */
	return xasprintf("%.*s%s.asc%s", (int)(query - url), url, path == query ? "/" : "", query);
}

static int read_file(const char *path, struct buf *ret, rkt_error **err)
{
	auto_free char *shown = fetch_shown(path); /* it may be a mistyped URL */
	ERROR_SCOPE(err, shown, NULL);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_MISSING, "no such file");
	if (fd < 0)
		return rkt_fail_errno(err, "open");
	return fd_read_rest(fd, TRUST_SIGNATURE_MAX, ret, err);
}

static int read_url(fetcher *self, const char *url, struct signature *ret, rkt_error **err)
{
	struct download came = DOWNLOAD_EMPTY;
	int result = fetch_download(self, url, NULL, NULL, TRUST_SIGNATURE_MAX, &came, err);

	if (result == 0 && came.outcome == DOWNLOAD_LATER)
		ret->later = true;
	else if (result == 0)
		result = fd_read_rest(came.fd, TRUST_SIGNATURE_MAX, &ret->bytes, err);
	if (came.fd >= 0)
		fetch_forget(self, url);
	download_close(&came);
	return result;
}

int signature_get(fetcher *self, const char *url, struct signature *ret, rkt_error **err)
{
	int result = strstr(url, "://") ? read_url(self, url, ret, err)
					: read_file(url, &ret->bytes, err);

	return result < 0 ? rkt_fail_outer(err, "signature") : 0;
}

int signature_missing(rkt_error *why, rkt_error **err)
{
	if (rkt_error_kind(why) != RKT_MISSING)
		return rkt_fail_with(err, why);
	rkt_fail(err, RKT_UNTRUSTED, "no %s; --insecure-options=image takes what nobody signed",
		rkt_error_raw(why));
	rkt_error_free(why);
	return -1;
}

/* Asked of an image in the store as the import asks it of one that comes (S-025): a URL without the
 * version in it stands for many. */
static bool is_wanted(const rkt_image_record *record, const char *wanted)
{
	auto_reference struct reference reference = { 0 };
	auto_image_manifest struct image_manifest *manifest = NULL;

	if (!wanted)
		return true;
	manifest = image_manifest_parse(
		(struct slice){ (const uint8_t *)record->manifest, record->manifest_len }, NULL,
		NULL);
	return manifest && reference_parse(wanted, &reference, NULL) == 0 &&
	       reference_check(&reference, manifest, NULL) == 0;
}

bool signature_is_known(const struct fetching *all, const rkt_image_id *id, const char *wanted)
{
	auto_image_record rkt_image_record *record = NULL;

	if (rkt_store_find(all->store, id->text, &record, NULL) < 0 || !is_wanted(record, wanted))
		return false;
	return all->unsigned_too ||
	       (record->signed_by && keys_may_speak(all->keys, record->signed_by, record->name));
}

/* ---- the import ------------------------------------------------------------------------------ */

int signature_ready(fetcher *self, rkt_error **err)
{
	return self->signing.home ? 0 : signing_open(&self->signing, err);
}

int signature_import(fetcher *self, int fd, const struct signature *signature, const char *from,
	const char *wanted, rkt_image_id *ret, rkt_error **err)
{
	const struct rkt_import_options options = { .size = sizeof options, .name = wanted };
	const struct import_wish wish = { .source = from };
	const struct signed_file file = { .fd = fd,
		.signature = signature ? buf_slice(&signature->bytes) : (struct slice){ 0 },
		.source = from,
		.options = &options };

	if (!signature)
		return import_as_wished(self->all->store, fd, &options, &wish, ret, err);
	if (signature_ready(self, err) < 0)
		return -1;
	return signed_import(&self->signing, self->all->store, &file, ret, err);
}

int signature_import_judged(fetcher *self, int fd, uint64_t size, const char *from,
	const char *wanted, rkt_image_id *ret, rkt_error **err)
{
	const struct rkt_import_options options = { .size = sizeof options, .name = wanted };
	const struct signed_file file = { .fd = fd, .source = from, .options = &options };
	struct trust_result verdict = { 0 };
	int result = judging_end(self->judging, fd, size, &verdict, err);

	if (result == 0)
		result = signed_check(&verdict, err);
	if (result == 0)
		result = signed_import_judged(
			&self->signing, self->all->store, &file, &verdict, ret, err);
	trust_result_free(&verdict);
	return result;
}
