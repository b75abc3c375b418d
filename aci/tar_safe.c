/* Names of members: normalised, or refused. */
#include "aci/tar_safe.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/scope.h"

/* Names in messages end here; they may be a megabyte long. */
#define QUOTE_MAX 200

static int fail_name(struct slice raw, rkt_error **err, const char *why)
{
	int len = raw.len > QUOTE_MAX ? QUOTE_MAX : (int)raw.len;

	return rkt_fail(err, RKT_INVALID, "%.*s%s: %s", len, (const char *)raw.data,
		raw.len > QUOTE_MAX ? "..." : "", why);
}

static int fail_length(struct slice raw, rkt_error **err, const char *what, uint64_t max)
{
	auto_free char *why = xasprintf("%s longer than %" PRIu64 " bytes", what, max);

	return fail_name(raw, err, why);
}

static bool is_part(struct slice part, const char *text)
{
	return part.len == strlen(text) && !memcmp(part.data, text, part.len);
}

/* Splits the first part off REST. */
static struct slice next_part(struct slice *rest)
{
	const uint8_t *slash = memchr(rest->data, '/', rest->len);
	struct slice part = { rest->data, slash ? (size_t)(slash - rest->data) : rest->len };
	size_t used = part.len + (slash ? 1 : 0);

	rest->data += used;
	rest->len -= used;
	return part;
}

int tar_safe_path(
	struct slice raw, const struct tar_limits *limits, struct buf *out, rkt_error **err)
{
	struct slice rest = raw;
	uint64_t depth = 0;

	out->len = 0;
	if (!raw.len)
		return rkt_fail(err, RKT_INVALID, "a member without a name");
	if (memchr(raw.data, '\0', raw.len))
		return fail_name(raw, err, "a NUL byte in the name");
	if (raw.data[0] == '/')
		return fail_name(raw, err, "an absolute path");
	while (rest.len) {
		struct slice part = next_part(&rest);

		if (!part.len || is_part(part, "."))
			continue;
		if (is_part(part, ".."))
			return fail_name(raw, err, "a \"..\" in the path");
		if (part.len > limits->part_max)
			return fail_length(raw, err, "a part of the path is", limits->part_max);
		if (depth++ == limits->depth_max)
			return fail_name(raw, err, "too many directories deep");
		if (out->len)
			buf_append_text(out, "/");
		buf_append(out, part.data, part.len);
		if (out->len > limits->path_max)
			return fail_length(raw, err, "the path is", limits->path_max);
	}
	buf_text(out);
	return 0;
}

int tar_safe_target(struct slice raw, struct buf *out, rkt_error **err)
{
	if (!raw.len)
		return rkt_fail(err, RKT_INVALID, "a symlink to nothing");
	if (memchr(raw.data, '\0', raw.len))
		return fail_name(raw, err, "a NUL byte in the link target");
	if (raw.len > TAR_LINK_MAX)
		return fail_name(raw, err, "a link target longer than 4095 bytes");
	out->len = 0;
	buf_append(out, raw.data, raw.len);
	buf_text(out);
	return 0;
}

bool tar_safe_names_dir(struct slice raw)
{
	const uint8_t *end = raw.data + raw.len;

	if (raw.len && end[-1] == '.')
		end--, raw.len--;
	return (raw.len && end[-1] == '/') || (!raw.len && end != raw.data);
}
