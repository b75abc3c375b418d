/* One request at a time over a libcurl multi handle. */
#include "store/fetch/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/alloc.h"
#include "base/str.h"
#include "store/fetch/address.h"
#include "store/fetch/http_setup.h"
#include "store/fetch/libcurl.h"

#define POLL_MS 1000

/* Of the body of an answer that is not the file. */
#define PAGE_MAX (64u * 1024)

/* Of a redirect that leads nowhere, bytes that are shown. */
#define TARGET_SHOWN_MAX 200

/* Used where the options say 0. */
#define ANSWER_SEC 60

struct http {
	struct http_options options;
	CURLM *multi;
	CURL *easy;
	bool all_authorities; /* the system's folder of them did not do */
};

/* One hop of a request. */
struct hop {
	struct http *http;
	const struct http_request *request;
	struct http_setup setup;
	struct http_answer *answer;
	rkt_error *why; /* what our own functions said */
	uint64_t received;
	time_t began;
	char fault[CURL_ERROR_SIZE];
	bool answered; /* the last line of the final header came */
	bool enough;   /* of a body nobody reads */
	bool timed_out;
};

static int libcurl_fail(CURLcode code, rkt_error **err)
{
	return rkt_fail(err, RKT_FAILED, "libcurl: %s", libcurl.curl_easy_strerror(code));
}

/* ---- answers --------------------------------------------------------------------------------- */

void http_answer_free(struct http_answer *answer)
{
	free(answer->url);
	buf_free(&answer->fields);
	*answer = (struct http_answer){ .length = -1 };
}

bool http_status_may_pass(int status)
{
	return status == 408 || status == 429 || (status >= 500 && status != 501);
}

/* Fields are kept as "name\0value\0", names in lower case. */
const char *http_next_field(const struct http_answer *answer, const char *name, const char *after)
{
	const char *at = (const char *)answer->fields.data;
	const char *end = at + answer->fields.len;

	if (after)
		at = after + strlen(after) + 1;
	while (at < end) {
		const char *value = at + strlen(at) + 1;

		if (strcmp(at, name) == 0)
			return value;
		at = value + strlen(value) + 1;
	}
	return NULL;
}

const char *http_field(const struct http_answer *answer, const char *name)
{
	const char *found = NULL, *next = NULL;

	while ((next = http_next_field(answer, name, next)))
		found = next;
	return found;
}

bool http_content_range(const struct http_answer *answer, struct content_range *ret)
{
	const char *text = http_field(answer, "content-range");

	return text && content_range_parse(slice_of_text(text), ret);
}

static struct slice trimmed(const char *from, const char *to)
{
	while (from < to && strchr(" \t\r\n", *from))
		from++;
	while (to > from && strchr(" \t\r\n", to[-1]))
		to--;
	return (struct slice){ (const uint8_t *)from, (size_t)(to - from) };
}

static bool has_control(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((text.data[i] < ' ' && text.data[i] != '\t') || text.data[i] == 0x7f)
			return true;
	return false;
}

/* A line that is no field is nobody's business. Nor is one with a control character: what is sent
 * back of it, an entity tag say, could become two lines. */
static void add_field(struct buf *fields, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	struct slice value;

	if (!colon)
		return;
	value = trimmed(colon + 1, line + len);
	if (memchr(line, '\0', len) || has_control(value))
		return;
	for (const char *at = line; at < colon; at++) {
		char lower = *at >= 'A' && *at <= 'Z' ? (char)(*at + 'a' - 'A') : *at;

		buf_append(fields, &lower, 1);
	}
	buf_append(fields, "", 1);
	buf_append(fields, value.data, value.len);
	buf_append(fields, "", 1);
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static int finish_header(struct hop *self)
{
	struct http_answer *answer = self->answer;
	long status = 0;
	curl_off_t length = -1;

	libcurl.curl_easy_getinfo(self->http->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200) /* 100 Continue, 103 Early Hints: the answer is still to come */
		return 0;
	libcurl.curl_easy_getinfo(self->http->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	answer->status = (int)status;
	answer->length = length;
	self->answered = true;
	if (is_redirect(answer->status) || !self->request->begin)
		return 0;
	return self->request->begin(self->request->context, answer, &self->why);
}

/* A line of a header, the empty one at its end too; its bytes, or 0 to stop. */
static size_t take_line(char *line, size_t size, size_t count, void *context)
{
	struct hop *self = context;
	size_t len = size * count;

	if (self->answered) /* what follows a body in chunks: nothing of it is for us */
		return len;
	if (len >= 5 && strncasecmp(line, "HTTP/", 5) == 0)
		self->answer->fields.len = 0; /* that of a proxy, or of 100 Continue, was before */
	if (self->answer->fields.len + len > HTTP_HEADERS_MAX) {
		rkt_fail(&self->why, RKT_INVALID, "the header is longer than %u bytes",
			HTTP_HEADERS_MAX);
		return 0;
	}
	add_field(&self->answer->fields, line, len);
	if (!trimmed(line, line + len).len && finish_header(self) < 0)
		return 0;
	return len;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct hop *self = context;
	const struct http_request *request = self->request;
	struct slice block = { (const uint8_t *)bytes, size * count };

	self->received += block.len;
	/* a page about what is wrong, or about later (202): its start will do */
	if (self->answer->status != 200 && self->answer->status != 206) {
		self->enough = self->received > PAGE_MAX;
		return self->enough ? 0 : block.len;
	}
	if (self->received > request->max_bytes) {
		rkt_fail(&self->why, RKT_INVALID, "more than %llu bytes are coming",
			(unsigned long long)request->max_bytes);
		return 0;
	}
	return request->body(request->context, block, &self->why) < 0 ? 0 : block.len;
}

/* ---- one hop --------------------------------------------------------------------------------- */

struct headers {
	struct curl_slist *list;
};

static void headers_free(struct headers *self)
{
	for (struct curl_slist *at = self->list; at; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	libcurl.curl_slist_free_all(self->list);
}
#define auto_headers __attribute__((cleanup(headers_free)))

static int add_header(struct headers *self, const char *line, rkt_error **err)
{
	struct curl_slist *longer = libcurl.curl_slist_append(self->list, line);

	if (!longer)
		return libcurl_fail(CURLE_OUT_OF_MEMORY, err);
	self->list = longer;
	return 0;
}

static int add_headers(struct headers *self, const char *const *lines, rkt_error **err)
{
	for (; lines && *lines; lines++)
		if (add_header(self, *lines, err) < 0)
			return -1;
	return 0;
}

static CURLcode set_up(struct hop *hop, const struct curl_slist *headers)
{
	struct libcurl_options set = { .easy = hop->http->easy };

	http_set_up(&set, &hop->setup);
	libcurl_set_text(&set, CURLOPT_URL, hop->setup.address->url);
	libcurl_set_text(&set, CURLOPT_USERAGENT, "rkt/" PACKAGE_VERSION);
	libcurl_set_lent(&set, CURLOPT_HTTPHEADER, headers);
	libcurl_set_lent(&set, CURLOPT_ERRORBUFFER, hop->fault);
	libcurl_set_taker(&set, CURLOPT_HEADERFUNCTION, take_line);
	libcurl_set_lent(&set, CURLOPT_HEADERDATA, hop);
	libcurl_set_taker(&set, CURLOPT_WRITEFUNCTION, take_body);
	libcurl_set_lent(&set, CURLOPT_WRITEDATA, hop);
	return set.fault;
}

static time_t now_sec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Runs what was set up to its end. */
static CURLcode run(struct hop *hop)
{
	const http *self = hop->http;
	unsigned wait = self->options.answer_sec ? self->options.answer_sec : ANSWER_SEC;
	CURLMcode code = libcurl.curl_multi_add_handle(self->multi, self->easy);
	CURLcode result = CURLE_FAILED_INIT;
	int running = 1, left;
	const CURLMsg *message;

	while (!code && running && !hop->timed_out) {
		code = libcurl.curl_multi_perform(self->multi, &running);
		if (!code && running)
			code = libcurl.curl_multi_poll(self->multi, NULL, 0, POLL_MS, NULL);
		hop->timed_out = !hop->answered && now_sec() - hop->began > (time_t)wait;
	}
	while ((message = libcurl.curl_multi_info_read(self->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			result = message->data.result;
	libcurl.curl_multi_remove_handle(self->multi, self->easy);
	return hop->timed_out && running ? CURLE_OPERATION_TIMEDOUT : result;
}

/* Whether a fault of the transport may be gone the next time. */
static bool may_pass(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_SSL_CONNECT_ERROR:
		return true;
	default:
		return false;
	}
}

/* What a proxy that makes no connection for us answered; 0: there is none, or it made one. */
static int refusal_of_proxy(const struct hop *hop)
{
	long status = 0;

	libcurl.curl_easy_getinfo(hop->http->easy, CURLINFO_HTTP_CONNECTCODE, &status);
	return status >= 300 ? (int)status : 0;
}

/* libcurl takes it for a fault of the transport: a password that is wrong would be shown again and
 * again. */
static int proxy_fail(struct hop *hop, int status, rkt_error **err)
{
	const char *words =
		status == 407 ? ": who are you? (credentials are missing or wrong)" : "";

	hop->answer->may_pass = http_status_may_pass(status);
	return rkt_fail(err, RKT_FAILED, "the proxy answered %d%s", status, words);
}

static int hop_fail(struct hop *hop, CURLcode code, rkt_error **err)
{
	const char *words = hop->fault[0] ? hop->fault : libcurl.curl_easy_strerror(code);

	if (hop->why)
		return rkt_fail_with(err, pass_ptr(hop->why));
	/* libcurl quotes it wholly, and a password may be in it (S-029) */
	if (str_has_prefix(words, "Unsupported proxy"))
		return rkt_fail(err, RKT_FAILED,
			"the environment (https_proxy, http_proxy, all_proxy) has a proxy that is none: "
			"http://HOST:PORT is one");
	if (refusal_of_proxy(hop))
		return proxy_fail(hop, refusal_of_proxy(hop), err);
	hop->answer->may_pass = may_pass(code);
	if (code == CURLE_OPERATION_TIMEDOUT && !hop->answered)
		words = "no answer in time";
	if (code == CURLE_SSL_CERTPROBLEM)
		return rkt_fail(err, RKT_FAILED,
			"%s; a key with a passphrase cannot be used: 'openssl pkey -in KEY -out FILE' "
			"writes one without",
			words);
	/* other such errors are about the name of the host */
	if (code == CURLE_PEER_FAILED_VERIFICATION && strstr(words, "certificate problem"))
		return rkt_fail(err, RKT_FAILED,
			"%s; a CA of your own is named by --cacert or RKT_CACERT", words);
	return rkt_fail(err, RKT_FAILED, "%s", words);
}

/* Whether the user's own headers and certificate are for the hop to ADDRESS, when ASKED was asked
 * for. */
static bool is_named_host(
	const http *self, const struct address *address, const struct address *asked)
{
	const struct names *hosts = self->options.hosts;
	auto_free char *origin = address_origin(address);

	if (!address_same_host(asked, address))
		return false;
	for (size_t i = 0; hosts && i < hosts->count; i++)
		if (strcmp(hosts->items[i], origin) == 0)
			return true;
	return !hosts;
}

/* One try of HOP. */
static int try_hop(struct hop *hop, CURLcode *ret, rkt_error **err)
{
	http *self = hop->http;
	auto_headers struct headers headers = { NULL };
	CURLcode code;

	/* no server shall compress what it sends: bytes are what was signed */
	if (add_header(&headers, "Accept-Encoding: identity", err) < 0 ||
		add_headers(&headers, hop->request->fields, err) < 0 ||
		(hop->setup.is_named && add_headers(&headers, self->options.headers, err) < 0))
		return -1;
	/* a new one each time: options of one that failed cannot all be set again; connections are
	 * the multi handle's */
	libcurl.curl_easy_cleanup(self->easy);
	self->easy = libcurl.curl_easy_init();
	if (!self->easy)
		return libcurl_fail(CURLE_OUT_OF_MEMORY, err);
	code = set_up(hop, headers.list);
	if (code)
		return libcurl_fail(code, err);
	*ret = run(hop);
	return 0;
}

static int make_hop(http *self, const struct http_request *request, const struct address *address,
	const struct address *asked, struct http_answer *ret, rkt_error **err)
{
	struct hop hop = { .http = self, .request = request, .answer = ret, .began = now_sec() };
	CURLcode code;

	hop.setup = (struct http_setup){ .options = &self->options,
		.address = address,
		.asked = asked,
		.is_named = is_named_host(self, address, asked),
		.all_authorities = self->all_authorities };
	if (try_hop(&hop, &code, err) < 0)
		return -1;
	/* somebody may have added one to the file only */
	if (code == CURLE_PEER_FAILED_VERIFICATION &&
		http_looks_up_authority(self->easy, &hop.setup)) {
		hop.setup.all_authorities = self->all_authorities = true;
		hop.fault[0] = '\0';
		if (try_hop(&hop, &code, err) < 0)
			return -1;
	}
	if (code && !hop.enough)
		return hop_fail(&hop, code, err);
	ret->may_pass = http_status_may_pass(ret->status);
	return 0;
}

/* ---- redirects ------------------------------------------------------------------------------- */

/* What the answer says of where to go. The field is not kept when it has control characters; an '@'
 * may be behind a password (S-029). */
static int fail_redirect(const char *target, rkt_error **err)
{
	if (!target || strchr(target, '@'))
		return rkt_fail(err, RKT_INVALID, "a redirect to what is no http or https URL");
	return rkt_fail(err, RKT_INVALID, "a redirect to '%.*s', which is no http or https URL",
		TARGET_SHOWN_MAX, target);
}

/* Where ANSWER, to ADDRESS, sends us: 1, 0 when nowhere, or -1. libcurl has no answer to that when
 * the page that comes along was too long to be read to its end. */
static int follow(const http *self, const struct address *address, const struct http_answer *answer,
	struct address *ret, rkt_error **err)
{
	const char *said = http_field(answer, "location");
	char *target = NULL;

	if (!is_redirect(answer->status))
		return 0;
	libcurl.curl_easy_getinfo(self->easy, CURLINFO_REDIRECT_URL, &target);
	if (!said && !target)
		return 0;
	if (!said || address_follow(address, said, ret, NULL) < 0)
		return fail_redirect(said ? said : target, err);
	if (address->is_https && !ret->is_https)
		return rkt_fail(
			err, RKT_INVALID, "a redirect from https to http, to %s", ret->host);
	return 1;
}

static int check_scheme(const http *self, const struct address *address, rkt_error **err)
{
	const char *hint = self->options.http_hint;

	if (address->is_https || self->options.allow_http)
		return 0;
	return rkt_fail(err, RKT_USAGE, "http is not safe: use https%s%s", hint ? ", or " : "",
		hint ? hint : "");
}

/* Makes the multi handle, the first time. */
static int start(http *self, rkt_error **err)
{
	CURLcode code;

	if (self->multi)
		return 0;
	if (libcurl_load(err) < 0)
		return -1;
	code = libcurl.curl_global_init(CURL_GLOBAL_DEFAULT); /* counts; threads may do it */
	if (code)
		return libcurl_fail(code, err);
	self->multi = libcurl.curl_multi_init();
	return self->multi ? 0 : libcurl_fail(CURLE_OUT_OF_MEMORY, err);
}

int http_get(
	http *self, const struct http_request *request, struct http_answer *ret, rkt_error **err)
{
	auto_address struct address asked = { NULL }, address = { NULL };

	*ret = (struct http_answer){ .length = -1 };
	if (start(self, err) < 0 || address_parse(request->url, &asked, err) < 0 ||
		address_parse(asked.url, &address, err) < 0)
		return -1;
	for (int hops = 0; hops <= HTTP_REDIRECTS_MAX; hops++) {
		auto_address struct address next = { NULL };
		int moved;

		http_answer_free(ret);
		ret->url = xstrdup(address.url);
		if (check_scheme(self, &address, err) < 0 ||
			make_hop(self, request, &address, &asked, ret, err) < 0)
			return -1;
		moved = follow(self, &address, ret, &next, err);
		if (moved <= 0)
			return moved;
		address_free(&address);
		address = next;
		next = (struct address){ NULL };
	}
	return rkt_fail(err, RKT_INVALID, "more than %d redirects", HTTP_REDIRECTS_MAX);
}

/* ---- handles --------------------------------------------------------------------------------- */

/* Libraries that libcurl brings along for other schemes use GnuTLS, which would set itself up as it
 * is loaded (gnutls_global_init(3)). Who uses it for HTTP sets it up himself. */
void http_prepare(void)
{
	setenv("GNUTLS_NO_IMPLICIT_INIT", "1", 0);
}

http *http_new(const struct http_options *options)
{
	http *self = xcalloc(1, sizeof *self);

	self->options = *options;
	return self;
}

const struct http_options *http_own_options(const http *self)
{
	return &self->options;
}

void http_free(http *self)
{
	if (!self)
		return;
	if (self->easy)
		libcurl.curl_easy_cleanup(self->easy);
	if (self->multi)
		libcurl.curl_multi_cleanup(self->multi);
	free(self);
}
