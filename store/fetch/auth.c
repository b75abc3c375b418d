/* What goes with a request. */
#include "store/fetch/auth.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

#define AWS           ".amazonaws.com"
#define REGION_USUAL  "us-east-1"
#define REGION_LETTER "abcdefghijklmnopqrstuvwxyz0123456789-"

/* The region where the host's name has it: bucket.s3.REGION.amazonaws.com, s3.REGION..., and
 * s3-REGION... of former days. The rest is in the first one, which also answers for all. */
static char *region_of(const char *host)
{
	auto_free char *name = xmemdup(host, strcspn(host, ":"));
	size_t len = strlen(name);
	const char *start, *end;

	if (!str_has_suffix(name, AWS))
		return xstrdup(REGION_USUAL);
	end = name + len - strlen(AWS);
	for (start = end; start > name && strchr(REGION_LETTER, start[-1]);)
		start--;
	if (end - start > 3 && strncmp(start, "s3-", 3) == 0)
		return xmemdup(start + 3, (size_t)(end - start) - 3);
	if (end > start && end - start != 2 && start - name >= 3 &&
		strncmp(start - 3, "s3.", 3) == 0)
		return xmemdup(start, (size_t)(end - start));
	return xstrdup(REGION_USUAL);
}

struct fetch_auth fetch_auth_for(const struct config_auth *config, const char *host)
{
	const struct auth_entry *entry = config_auth_for(config, host);

	if (!entry)
		return (struct fetch_auth){ .kind = FETCH_AUTH_NONE };
	switch (entry->type) {
	case AUTH_OAUTH:
		return (struct fetch_auth){ .kind = FETCH_AUTH_BEARER,
			.token = xstrdup(entry->secret) };
	case AUTH_AWS:
		return (struct fetch_auth){ .kind = FETCH_AUTH_SIGV4,
			.user = xstrdup(entry->user),
			.password = xstrdup(entry->secret),
			.region = entry->region ? xstrdup(entry->region) : region_of(entry->host) };
	case AUTH_BASIC:
	default:
		return (struct fetch_auth){ .kind = FETCH_AUTH_BASIC,
			.user = xstrdup(entry->user),
			.password = xstrdup(entry->secret) };
	}
}

void fetch_auth_free(struct fetch_auth *self)
{
	xfree_secret(self->user);
	xfree_secret(self->password);
	xfree_secret(self->token);
	free(self->region);
	*self = (struct fetch_auth){ 0 };
}
