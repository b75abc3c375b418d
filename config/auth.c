/* Files of the kinds "auth" and "dockerAuth". */
#include "config/auth.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define FOLDER    "auth.d"
#define HTTPS     ":443"
#define HOST_MAX  300
#define LOWER     "abcdefghijklmnopqrstuvwxyz"
#define DIGITS    "0123456789"
#define MARK_NAME "-._"

/* ---- hosts ----------------------------------------------------------------------------------- */

static char *lower_case(const char *text)
{
	char *copy = xstrdup(text);

	for (char *at = copy; *at; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at |= 0x20;
	}
	return copy;
}

/* The host as entries have it: lower case, without the port that https has anyway. The caller frees
 * it. */
static char *host_key(const char *host)
{
	char *key = lower_case(host);
	size_t len = strlen(key), port = strlen(HTTPS);

	if (len > port && strcmp(key + len - port, HTTPS) == 0)
		key[len - port] = '\0';
	return key;
}

static bool is_port(const char *text)
{
	size_t digits = strspn(text, DIGITS);
	long port = digits && digits <= 5 ? strtol(text, NULL, 10) : 0;

	return port >= 1 && port <= 65535 && !text[digits];
}

/* "host" or "host:port", lower case; an IPv6 address is in brackets. */
static bool host_is(const char *host)
{
	size_t len;

	if (*host == '[') {
		len = strspn(host + 1, DIGITS "abcdef:.") + 1;
		if (len < 4 || host[len++] != ']')
			return false;
	} else {
		len = strspn(host, LOWER DIGITS MARK_NAME);
		if (!len || strchr(MARK_NAME, *host))
			return false;
	}
	return len <= HOST_MAX && (!host[len] || (host[len] == ':' && is_port(host + len + 1)));
}

static struct auth_entry *find(
	const struct config_auth *auth, bool is_docker, const char *host_or_registry)
{
	auto_free char *key = host_key(host_or_registry);

	for (size_t i = 0; i < auth->count; i++) {
		struct auth_entry *entry = &auth->entries[i];

		if (entry->is_docker == is_docker && strcmp(entry->host, key) == 0)
			return entry;
	}
	return NULL;
}

const struct auth_entry *config_auth_for(const struct config_auth *auth, const char *host)
{
	return find(auth, false, host);
}

const struct auth_entry *config_auth_for_registry(
	const struct config_auth *auth, const char *registry)
{
	return find(auth, true, registry);
}

/* ---- credentials ----------------------------------------------------------------------------- */

/* What a header can carry: no control characters (a line end would begin another field); in a TOKEN
 * no space and nothing beyond ASCII either. */
static bool is_for_header(const char *text, bool is_token)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < ' ' || c == 0x7f || (is_token && (c == ' ' || c > 0x7f)))
			return false;
	}
	return true;
}

enum word { WORD_TEXT, WORD_TOKEN };

static int take_word(
	const json *credentials, const char *key, enum word word, char **ret, rkt_error **err)
{
	const char *text = json_string(json_get(credentials, key));

	if (!text || !*text)
		return rkt_fail(
			err, RKT_INVALID, "credentials/%s is missing, empty or no string", key);
	if (!is_for_header(text, word == WORD_TOKEN))
		return rkt_fail(
			err, RKT_INVALID, "credentials/%s has characters that cannot be sent", key);
	*ret = xstrdup(text);
	return 0;
}

static int take_basic(const json *credentials, struct auth_entry *entry, rkt_error **err)
{
	entry->type = AUTH_BASIC;
	if (take_word(credentials, "user", WORD_TEXT, &entry->user, err) < 0)
		return -1;
	if (strchr(entry->user, ':')) /* RFC 7617: it would end the name for the server */
		return rkt_fail(err, RKT_INVALID, "credentials/user has a colon");
	return take_word(credentials, "password", WORD_TEXT, &entry->secret, err);
}

static int take_oauth(const json *credentials, struct auth_entry *entry, rkt_error **err)
{
	entry->type = AUTH_OAUTH;
	return take_word(credentials, "token", WORD_TOKEN, &entry->secret, err);
}

static int take_aws(const json *credentials, struct auth_entry *entry, rkt_error **err)
{
	entry->type = AUTH_AWS;
	if (take_word(credentials, "accessKeyID", WORD_TOKEN, &entry->user, err) < 0 ||
		take_word(credentials, "secretAccessKey", WORD_TOKEN, &entry->secret, err) < 0)
		return -1;
	if (!json_get(credentials, "awsRegion"))
		return 0;
	if (take_word(credentials, "awsRegion", WORD_TOKEN, &entry->region, err) < 0)
		return -1;
	if (entry->region[strspn(entry->region, LOWER DIGITS "-")])
		return rkt_fail(err, RKT_INVALID, "credentials/awsRegion is no region");
	return 0;
}

static int take_credentials(
	const json *root, const char *type, struct auth_entry *entry, rkt_error **err)
{
	const json *credentials = json_get(root, "credentials");

	if (!credentials || json_kind_of(credentials) != JSON_OBJECT)
		return rkt_fail(err, RKT_INVALID, "credentials is missing or no object");
	if (strcmp(type, "basic") == 0)
		return take_basic(credentials, entry, err);
	if (strcmp(type, "oauth") == 0)
		return take_oauth(credentials, entry, err);
	if (strcmp(type, "aws") == 0)
		return take_aws(credentials, entry, err);
	/* what stands there is not repeated: it may be a secret that went astray */
	return rkt_fail(err, RKT_INVALID, "type is none of basic, oauth and aws");
}

/* ---- entries --------------------------------------------------------------------------------- */

static void entry_free(struct auth_entry *entry)
{
	free(entry->host);
	free(entry->user);
	xfree_secret(entry->secret);
	free(entry->region);
	free(entry->from);
	*entry = (struct auth_entry){ 0 };
}

/* Adds a copy of ENTRY for HOST, or puts it in the place of what an earlier directory says. */
static int put(struct config_auth *auth, const struct auth_entry *entry, const char *host,
	const struct config_file *file, rkt_error **err)
{
	struct auth_entry *old = find(auth, entry->is_docker, host), copy = *entry;

	if (old && old->level == file->level)
		return rkt_fail(
			err, RKT_INVALID, "%s says already what goes to %s", old->from, old->host);
	copy.host = host_key(host);
	copy.user = xstrdup_if(entry->user);
	copy.secret = xstrdup(entry->secret);
	copy.region = xstrdup_if(entry->region);
	copy.from = xstrdup(file->path);
	copy.level = file->level;
	if (!old) {
		auth->entries =
			xreallocarray(auth->entries, auth->count + 1, sizeof *auth->entries);
		old = &auth->entries[auth->count++];
		*old = (struct auth_entry){ 0 };
	}
	entry_free(old);
	*old = copy;
	return 0;
}

static int put_all(struct config_auth *auth, const struct auth_entry *entry,
	const struct config_file *file, rkt_error **err)
{
	const char *key = entry->is_docker ? "registries" : "domains";
	const json *hosts = json_get(file->root, key);

	if (json_kind_of(hosts) != JSON_ARRAY || !json_count(hosts))
		return rkt_fail(err, RKT_INVALID, "%s is missing, empty or no array", key);
	for (size_t i = 0; i < json_count(hosts); i++) {
		const char *host = json_string(json_at(hosts, i));
		auto_free char *lower = host ? lower_case(host) : NULL;

		if (!lower || !host_is(lower))
			return rkt_fail(err, RKT_INVALID,
				"%s/%zu is no host or host:port (without https://)", key, i);
		if (put(auth, entry, host, file, err) < 0)
			return -1;
	}
	return 0;
}

static int take_file(const struct config_file *file, struct auth_entry *entry, rkt_error **err)
{
	const char *type = "basic";

	if (strcmp(file->kind, "dockerAuth") == 0) {
		entry->is_docker = true;
	} else if (strcmp(file->kind, "auth") != 0) {
		return rkt_fail(err, RKT_INVALID, "has rktKind %s, neither auth nor dockerAuth",
			file->kind);
	} else {
		type = json_string(json_get(file->root, "type"));
		if (!type)
			return rkt_fail(err, RKT_INVALID, "type is missing or no string");
	}
	return take_credentials(file->root, type, entry, err);
}

int config_auth_add(void *context, const struct config_file *file, rkt_error **err)
{
	struct config_auth *auth = context;
	struct auth_entry entry = { 0 };
	int got = take_file(file, &entry, err);

	if (got == 0)
		got = put_all(auth, &entry, file, err);
	entry_free(&entry);
	if (got == 0 && file->is_open && !auth->open_file)
		auth->open_file = xstrdup(file->path);
	return got;
}

static int by_host(const void *a, const void *b)
{
	const struct auth_entry *one = a, *other = b;

	if (one->is_docker != other->is_docker)
		return one->is_docker - other->is_docker;
	return strcmp(one->host, other->host);
}

int config_auth_read(struct config_auth *ret, rkt_error **err)
{
	if (config_each(FOLDER, config_auth_add, ret, err) < 0)
		return -1;
	if (ret->count)
		qsort(ret->entries, ret->count, sizeof *ret->entries, by_host);
	return 0;
}

void config_auth_free(struct config_auth *auth)
{
	for (size_t i = 0; i < auth->count; i++)
		entry_free(&auth->entries[i]);
	free(auth->entries);
	free(auth->open_file);
	*auth = (struct config_auth){ 0 };
}
