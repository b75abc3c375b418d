/* One URL: what is known of it, what the server says, and the cache. */
#include "store/fetch_parts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "store/remote.h"

/* How often what somebody else brings is waited for: he may fail, as the next one may. */
#define LOOKS_MAX 16

/* ---- downloads ------------------------------------------------------------------------------- */

void fetch_tell(const fetcher *self, const char *words)
{
	if (self->all->tell)
		self->all->tell(self->all->context, words);
}

static void tell(void *context, const char *words)
{
	fetch_tell(context, words);
}

struct tries fetch_tries(fetcher *self)
{
	struct tries tries = tries_usual(tell, self);

	if (self->all->tries)
		tries.most = self->all->tries;
	if (self->all->wait_ms)
		tries.wait_ms = self->all->wait_ms;
	return tries;
}

/* A download that begins again counts on where it was. */
static void count(void *context, uint64_t done, uint64_t of)
{
	fetcher *self = context;
	uint64_t came = done > self->told ? done - self->told : 0;
	uint64_t expected = of > self->told_of ? of - self->told_of : 0;

	if (!self->all->progress)
		return;
	self->told += came;
	self->told_of += expected;
	self->all->progress(self->all->context, came, expected);
}

static int judge(void *context, int fd, uint64_t offset, struct slice bytes, rkt_error **err)
{
	return judging_feed(((fetcher *)context)->judging, fd, offset, bytes, err);
}

/* The name of the spool file of URL. */
static int spool_name(const char *url, char ret[static 2 * KEY_ID_SIZE + 1], rkt_error **err)
{
	auto_free char *shown = http_url_shown(url, err);
	struct key key;

	if (!shown || key_of_remote(shown, &key, err) < 0)
		return -1;
	hex_encode(key.bytes, key.len, ret);
	return 0;
}

int fetch_download(fetcher *self, const char *url, const char *etag, const char *last_modified,
	uint64_t max_bytes, struct download *ret, rkt_error **err)
{
	char name[2 * KEY_ID_SIZE + 1];
	const struct download_request request = { .url = url,
		.dir = self->all->store->layout.partial,
		.name = name,
		.etag = etag,
		.last_modified = last_modified,
		.max_bytes = max_bytes,
		.share = self->share,
		.connections = self->all->connections,
		.tries = fetch_tries(self),
		.progress = count,
		.arrived = self->judging ? judge : NULL,
		.context = self };

	self->told = self->told_of = 0;
	return spool_name(url, name, err) < 0 ? -1 : download(self->web, &request, ret, err);
}

void fetch_forget(fetcher *self, const char *url)
{
	char name[2 * KEY_ID_SIZE + 1];

	if (spool_name(url, name, NULL) == 0)
		download_forget(self->all->store->layout.partial, name);
}

/* ---- the cache ------------------------------------------------------------------------------- */

static struct slice slice_of(const char *text)
{
	return (struct slice){ (const uint8_t *)text, text ? strlen(text) : 0 };
}

/* Until when what ANSWER brought is fresh, from NOW_NS on. */
static uint64_t fresh_until(const struct http_answer *answer, uint64_t now_ns)
{
	struct cache_control control = { 0 };
	const char *said = NULL, *age = http_field(answer, "age");
	int64_t age_sec = 0;

	while ((said = http_next_field(answer, "cache-control", said)))
		cache_control_parse(slice_of(said), &control);
	if (age)
		header_seconds_parse(slice_of(age), &age_sec);
	if (control.no_store || control.no_cache || !control.has_max_age ||
		control.max_age_sec <= age_sec)
		return now_ns;
	return now_ns + (uint64_t)(control.max_age_sec - age_sec) * 1000000000u;
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Whether ROW says more than what was known BEFORE: that somebody asked is not worth a commit. */
static bool is_news(const struct remote_row *row, const struct remote *before)
{
	bool was_fresh = before && before->fresh_ns > row->fetched_ns;

	return !before || was_fresh || row->fresh_ns > row->fetched_ns ||
	       strcmp(row->id.text, before->id.text) != 0 || !is_same(row->etag, before->etag) ||
	       !is_same(row->last_modified, before->last_modified);
}

/* What would go with every later request, unless it is longer than any that is meant so. */
static const char *validator(const struct http_answer *answer, const char *name)
{
	const char *value = http_field(answer, name);

	return value && strlen(value) <= HEADER_ETAG_MAX ? value : NULL;
}

/* Fields that a 304 does not repeat stay as they were. */
static int remember(fetcher *self, const char *shown, const struct http_answer *answer,
	const struct remote *before, const rkt_image_id *id, rkt_error **err)
{
	const char *etag = validator(answer, "etag"), *date = validator(answer, "last-modified");
	uint64_t now_ns = store_now_ns();
	const struct remote_row row = { .url = shown,
		.etag = etag || !before ? etag : before->etag,
		.last_modified = date || !before ? date : before->last_modified,
		.fetched_ns = now_ns,
		.fresh_ns = fresh_until(answer, now_ns),
		.id = *id };

	return is_news(&row, before) ? remote_put(self->all->store, &row, err) : 0;
}

/* ---- one URL --------------------------------------------------------------------------------- */

struct visit {
	fetcher *fetcher;
	const struct fetch_place *place;
	char *shown;          /* the URL, without user and password */
	struct remote remote; /* what is known of it, when KNOWN */
	bool known;
	bool untrusted; /* it would be known, had a key that may speak for it signed it */
	struct signature signature;
	bool has_signature;
	bool share;  /* what somebody else who is fetching it brings will do */
	bool waited; /* for such a one */
};

static void visit_free(struct visit *self)
{
	free(self->shown);
	remote_free(&self->remote);
	signature_free(&self->signature);
}
#define auto_visit __attribute__((cleanup(visit_free)))

static bool wants_signature(const struct visit *self)
{
	return !self->fetcher->all->unsigned_too;
}

static int stop(void *context, struct slice bytes, rkt_error **err)
{
	(void)context;
	(void)bytes;
	return rkt_fail(err, RKT_FAILED, "its first bytes will do");
}

/* Fails when the server says that there is no image. Its first byte is asked for: a URL may be for
 * GET only. What else goes wrong is no matter here. */
static int check_is_there(const struct visit *self, rkt_error **err)
{
	static const char *const fields[] = { "Range: bytes=0-0", NULL };
	auto_http_answer struct http_answer answer = { .length = -1 };
	const struct http_request request = {
		.url = self->place->url, .fields = fields, .max_bytes = 1, .body = stop
	};

	http_get(self->fetcher->web, &request, &answer, NULL);
	if (answer.status != 404 && answer.status != 410)
		return 0;
	return rkt_fail(err, RKT_MISSING,
		"%s: the server answered %d: there is no image, nor a signature of one",
		self->shown, answer.status);
}

static int get_signature(struct visit *self, rkt_error **err)
{
	auto_free char *usual = signature_url_of(self->place->url);
	const char *url = self->place->signature_url ? self->place->signature_url : usual;

	auto_error rkt_error *why = NULL;

	self->has_signature = true;
	signature_free(&self->signature);
	if (signature_get(self->fetcher, url, &self->signature, &why) == 0)
		return 0;
	if (self->place->may_be_nothing)
		return rkt_fail_with(err, pass_ptr(why));
	/* nobody signed what is not there */
	if (rkt_error_kind(why) == RKT_MISSING && !self->place->signature_is_named &&
		check_is_there(self, err) < 0)
		return -1;
	return signature_missing(pass_ptr(why), err);
}

/* Whether the server said that nobody needs to ask yet. What it said in the future, by a clock that
 * was wrong and was set since, would hold for all the time until then. */
static bool is_fresh(const struct visit *self)
{
	uint64_t now_ns = store_now_ns();

	return self->known && self->remote.fetched_ns <= now_ns && now_ns < self->remote.fresh_ns;
}

int fetch_fail_never(const char *shown, bool untrusted, rkt_error **err)
{
	if (untrusted)
		return rkt_fail(err, RKT_UNTRUSTED,
			"%s is in the store, but no key that is trusted for it has signed it, and nobody is "
			"to be asked",
			shown);
	return rkt_fail(
		err, RKT_MISSING, "%s is not in the store, and nobody is to be asked", shown);
}

/* What nobody needs to be asked for: 1, 0, or -1. */
static int is_answered(struct visit *self, struct fetched *ret, rkt_error **err)
{
	const struct fetching *all = self->fetcher->all;

	if (self->known && (all->policy != FETCH_UPDATE || (is_fresh(self) && !all->no_cache))) {
		ret->id = self->remote.id;
		ret->how = FETCH_WAS_THERE;
		return 1;
	}
	if (all->policy == FETCH_NEVER && self->place->signature_is_named)
		return rkt_fail(err, RKT_USAGE,
			"%s: a signature is checked over what comes, and nobody is to be asked",
			self->shown);
	if (all->policy == FETCH_NEVER)
		return fetch_fail_never(self->shown, self->untrusted, err);
	return 0;
}

static int import(struct visit *self, struct download *came, rkt_image_id *ret, rkt_error **err)
{
	const struct signature *signature = self->has_signature ? &self->signature : NULL;
	fetcher *hand = self->fetcher;

	if (hand->judging)
		return signature_import_judged(
			hand, came->fd, came->size, self->shown, self->place->wanted, ret, err);
	return signature_import(
		hand, came->fd, signature, self->shown, self->place->wanted, ret, err);
}

/* Bytes are taken as they come: a server that compressed them on the way sent other ones than
 * those that were signed. */
static int fail_import(const struct download *came, rkt_error *why, rkt_error **err)
{
	const char *encoding = http_field(&came->answer, "content-encoding");

	if (rkt_error_kind(why) != RKT_INVALID || !encoding ||
		strcasecmp(encoding, "identity") == 0)
		return rkt_fail_with(err, why);
	rkt_fail(err, RKT_INVALID,
		"%s; the server says that it encoded the bytes (Content-Encoding: %.40s), and "
		"they are taken as they come",
		rkt_error_raw(why), encoding);
	rkt_error_free(why);
	return -1;
}

/* The image came: judged, imported and written down. */
static int take_image(
	struct visit *self, struct download *came, struct fetched *ret, rkt_error **err)
{
	auto_error rkt_error *why = NULL;

	ret->how = FETCH_CAME;
	if (import(self, came, &ret->id, &why) < 0) {
		/* bytes that are not what they should be are not gone on with; a key may yet
		 * come */
		if (rkt_error_kind(why) == RKT_INVALID)
			fetch_forget(self->fetcher, self->place->url);
		fail_import(came, pass_ptr(why), err);
		return rkt_fail_outer(err, "%s", self->shown);
	}
	fetch_forget(self->fetcher, self->place->url);
	return remember(self->fetcher, self->shown, &came->answer, NULL, &ret->id, err);
}

/* What came of the question for the image, whose signature is here or will be asked for. */
static int take_answer(
	struct visit *self, struct download *came, struct fetched *ret, rkt_error **err)
{
	if (came->outcome == DOWNLOAD_LATER)
		return rkt_fail(
			err, RKT_FAILED, "%s: the server will have it later (202)", self->shown);
	if (came->outcome == DOWNLOAD_UNCHANGED) {
		ret->id = self->remote.id;
		ret->how = FETCH_UNCHANGED;
		return remember(
			self->fetcher, self->shown, &came->answer, &self->remote, &ret->id, err);
	}
	if (wants_signature(self) && (!self->has_signature || self->signature.later) &&
		get_signature(self, err) < 0)
		return -1;
	if (self->signature.later)
		return rkt_fail(err, RKT_FAILED,
			"%s: the server will have its signature later (202): try again then",
			self->shown);
	return take_image(self, came, ret, err);
}

/* Asks for the image; the signature first, unless the image may turn out to be unchanged. */
static int ask(struct visit *self, struct download *came, struct fetched *ret, rkt_error **err)
{
	const struct fetching *all = self->fetcher->all;
	bool may_be_unchanged = self->known && !all->no_cache;
	auto_judging judging *under_way = NULL;
	int result;

	if (wants_signature(self) && !may_be_unchanged && get_signature(self, err) < 0)
		return -1;
	if (self->has_signature && !self->signature.later) {
		if (signature_ready(self->fetcher, err) < 0)
			return -1;
		under_way = judging_new(&self->fetcher->signing, buf_slice(&self->signature.bytes));
	}
	self->fetcher->judging = under_way;
	self->fetcher->share = self->share;
	result = fetch_download(self->fetcher, self->place->url,
		may_be_unchanged ? self->remote.etag : NULL,
		may_be_unchanged ? self->remote.last_modified : NULL, all->max_bytes, came, err);
	self->fetcher->share = false;
	self->waited = result == 0 && came->outcome == DOWNLOAD_WAITED;
	if (result == 0 && !self->waited)
		result = take_answer(self, came, ret, err);
	self->fetcher->judging = NULL;
	return result;
}

/* A file that is its own signature is none; and its spool file would be waited for for ever by who
 * has it. */
static int check_signature_url(const struct visit *self, rkt_error **err)
{
	const char *url = self->place->signature_url;
	auto_free char *shown = url && strstr(url, "://") ? http_url_shown(url, NULL) : NULL;

	if (shown && strcmp(shown, self->shown) == 0)
		return rkt_fail(err, RKT_USAGE, "signature: %s is the image itself", shown);
	return 0;
}

/* 1: somebody else was fetching it, so that it may be known now. */
static int visit(fetcher *self, const struct fetch_place *place, bool share, struct fetched *ret,
	rkt_error **err)
{
	auto_visit struct visit visit = { .fetcher = self, .place = place };
	struct download came = DOWNLOAD_EMPTY;
	int known, result;

	visit.share = share && !self->all->no_cache && !place->signature_is_named;
	visit.shown = http_url_shown(place->url, err);
	if (!visit.shown || check_signature_url(&visit, err) < 0)
		return -1;
	known = remote_get(self->all->store, visit.shown, &visit.remote, err);
	if (known < 0)
		return -1;
	/* who names a signature wants it checked, over all bytes */
	visit.known = known && !place->signature_is_named &&
		      signature_is_known(self->all, &visit.remote.id, place->wanted);
	visit.untrusted = known && !visit.known;
	result = is_answered(&visit, ret, err);
	if (result)
		return result < 0 ? -1 : 0;
	ret->source = xstrdup(visit.shown);
	result = ask(&visit, &came, ret, err);
	download_close(&came);
	return result < 0 ? -1 : visit.waited;
}

int fetch_url(fetcher *self, const struct fetch_place *place, struct fetched *ret, rkt_error **err)
{
	int left = LOOKS_MAX, result;

	while ((result = visit(self, place, left > 0, ret, err)) > 0) {
		fetched_free(ret);
		left--;
	}
	return result;
}
