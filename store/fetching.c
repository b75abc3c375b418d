/* What a reference is, and one of each kind. */
#include "store/fetching.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "aci/id.h"
#include "base/alloc.h"
#include "base/str.h"
#include "store/fetch_parts.h"
#include "store/known.h"
#include "store/resolve.h"
#include "store/sha512.h"

fetcher *fetcher_new(const struct fetching *all)
{
	fetcher *self = xcalloc(1, sizeof *self);

	self->all = all;
	self->web = http_new(&all->http);
	return self;
}

void fetcher_free(fetcher *self)
{
	if (!self)
		return;
	http_free(self->web);
	signing_close(&self->signing);
	free(self);
}

void fetched_free(struct fetched *self)
{
	free(self->source);
	self->source = NULL;
}

/* ---- kinds ----------------------------------------------------------------------------------- */

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

enum fetch_kind fetch_kind_of(const char *reference)
{
	if (strcmp(reference, "-") == 0 || str_has_prefix(reference, "/") ||
		str_has_prefix(reference, "./") || str_has_prefix(reference, "../"))
		return FETCH_FILE;
	if (strstr(reference, "://"))
		return FETCH_URL;
	if (id_form_of(reference, NULL) != ID_NONE)
		return FETCH_ID;
	return str_has_suffix(reference, ".aci") || is_file(reference) ? FETCH_FILE : FETCH_NAME;
}

/* Whether REFERENCE, where no "://" is, may be meant as a URL with a password: without its scheme,
 * as in me:PASSWORD@example.com/a, or with a wrong one (https//me:..., //me:...). A ':' behind the
 * first '/' is else that of a version, or in a path; behind a ',' it is in a label. */
static bool may_have_password(const char *reference)
{
	const char *colon = strchr(reference, ':'), *at = strrchr(reference, '@');
	size_t first = strcspn(reference, "/,");

	if (!colon || !at || at < colon)
		return false;
	return colon < reference + first || str_has_prefix(reference, "//") ||
	       (strncasecmp(reference, "http", 4) == 0 && !memchr(reference, '.', first));
}

char *fetch_shown(const char *reference)
{
	char *url = fetch_kind_of(reference) == FETCH_URL ? http_url_shown(reference, NULL) : NULL;
	bool hidden = strstr(reference, "://") ? strchr(reference, '@') != NULL
					       : may_have_password(reference);

	return url ? url : xstrdup(hidden ? "what was asked for" : reference);
}

/* ---- files ----------------------------------------------------------------------------------- */

static int open_file(const char *path, rkt_error **err)
{
	int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
					: open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_MISSING, "no such file");
	return fd < 0 ? rkt_fail_errno(err, "open") : fd;
}

/* The signature of the file PATH: the one that was named, or the one beside it: 1, 0 when there is
 * none, or -1. A file is the user's own word for what is in it, so it need not be signed; a
 * signature that is there must be good. */
static int file_signature(fetcher *self, const char *path, struct signature *ret, rkt_error **err)
{
	auto_free char *beside = xasprintf("%s.asc", path);
	const char *name = self->all->signature;
	auto_error rkt_error *why = NULL;

	if (self->all->unsigned_too)
		return 0;
	if (!name && (strcmp(path, "-") == 0 || access(beside, F_OK) < 0))
		return 0;
	if (signature_get(self, name ? name : beside, ret, &why) == 0)
		return 1;
	return signature_missing(pass_ptr(why), err);
}

static int fetch_file(fetcher *self, const char *path, struct fetched *ret, rkt_error **err)
{
	auto_free char *shown = fetch_shown(path);
	ERROR_SCOPE(err, "importing", shown);
	auto_signature struct signature signature = { 0 };
	auto_fd int fd = open_file(path, err);
	int has_one = fd < 0 ? -1 : file_signature(self, path, &signature, err);

	if (has_one < 0)
		return -1;
	ret->how = FETCH_CAME;
	ret->source = strcmp(path, "-") == 0 ? NULL : realpath(path, NULL);
	return signature_import(
		self, fd, has_one ? &signature : NULL, ret->source, NULL, &ret->id, err);
}

/* ---- IDs ------------------------------------------------------------------------------------- */

static int fetch_id(fetcher *self, const char *reference, struct fetched *ret, rkt_error **err)
{
	auto_image_record rkt_image_record *record = NULL;
	auto_error rkt_error *why = NULL;

	if (sha512_find(self->all->store, reference, NULL, NULL, &record, &why) < 0) {
		if (rkt_error_kind(why) != RKT_MISSING)
			return rkt_fail_with(err, pass_ptr(why));
		return rkt_fail(err, RKT_MISSING,
			"no image %s: IDs are looked for in the store only, give a name or a URL",
			reference);
	}
	ret->id = record->id;
	ret->how = FETCH_WAS_THERE;
	return 0;
}

static int fetch_address(fetcher *self, const char *url, struct fetched *ret, rkt_error **err)
{
	auto_error rkt_error *why = NULL;
	auto_free char *address = http_url_shown(url, &why);
	auto_free char *shown = fetch_shown(url);
	const struct fetch_place place = { .url = url,
		.signature_url = self->all->signature,
		.signature_is_named = self->all->signature };

	if (str_has_prefix(url, "file://"))
		return fetch_file(self, url + strlen("file://"), ret, err);
	if (!address && rkt_error_kind(why) != RKT_USAGE)
		return rkt_fail_with(err, pass_ptr(why));
	if (!address)
		return rkt_fail(err, RKT_USAGE,
			"%s is no http or https URL with a host; an image is given by its URL, a "
			"file, a name as in example.com/app:1.0.0, or its ID",
			shown);
	return fetch_url(self, &place, ret, err);
}

static int fetch_by_kind(fetcher *self, enum fetch_kind kind, const char *reference,
	struct fetched *ret, rkt_error **err)
{
	switch (kind) {
	case FETCH_FILE:
		return fetch_file(self, reference, ret, err);
	case FETCH_URL:
		return fetch_address(self, reference, ret, err);
	case FETCH_ID:
		return fetch_id(self, reference, ret, err);
	case FETCH_NAME:
		break;
	}
	if (may_have_password(reference)) /* of which nobody is asked, and nothing told */
		return rkt_fail(err, RKT_USAGE,
			"it may be a URL with a password: a URL begins with https://, and a version with "
			"an '@' is given as a label: NAME,version=VERSION");
	return fetch_name(self, reference, ret, err);
}

int fetch_one(fetcher *self, enum fetch_kind kind, const char *reference, struct fetched *ret,
	rkt_error **err)
{
	*ret = (struct fetched){ .how = FETCH_WAS_THERE };
	if (fetch_by_kind(self, kind, reference, ret, err) < 0)
		return -1;
	return ret->how == FETCH_CAME ? 0 : known_used(self->all->store, &ret->id, err);
}
