/* Finding out what a file is, and reading it by its rules. */
#include "aci-tools/subject.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aci-tools/files.h"
#include "aci/layout.h"
#include "aci/pod.h"
#include "aci/render_rules.h"
#include "aci/unpack.h"
#include "base/alloc.h"
#include "base/fd.h"

/* What is looked at to tell a manifest from an image. */
#define START_SIZE 4096

const char *const subject_types[] = { "auto", "image", "image-manifest", "pod-manifest", "layout",
	NULL };

void subject_free(struct subject *s)
{
	scope_close(&s->fd);
	buf_free(&s->start);
	check_free(s->found);
	digest_free(s->seen);
}

/* ---- which type ------------------------------------------------------------------------------ */

/* A manifest is a JSON object; no archive and no compressed stream begins like one. Behind a byte
 * order mark, as some editors write it, it is one too, and its reader says that this is wrong. */
static bool looks_like_json(struct slice start)
{
	size_t i = start.len >= 3 && memcmp(start.data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	while (i < start.len && memchr(" \t\r\n", start.data[i], 4))
		i++;
	return i < start.len && start.data[i] == '{';
}

/* Text that is no JSON at all is reported by whichever schema reads it. */
static enum subject_type manifest_type(struct slice bytes)
{
	auto_json json *root = json_parse(bytes, NULL);
	const char *kind = root ? json_string(json_get(root, "acKind")) : NULL;

	if (kind &&
		(strcmp(kind, "PodManifest") == 0 || strcmp(kind, "ContainerRuntimeManifest") == 0))
		return SUBJECT_POD_MANIFEST;
	return SUBJECT_IMAGE_MANIFEST;
}

static int read_start(struct subject *s, rkt_error **err)
{
	ssize_t got = fd_read_full(s->fd, buf_reserve(&s->start, START_SIZE), START_SIZE, err);

	if (got < 0)
		return -1;
	s->start.len = (size_t)got;
	return 0;
}

/* ---- images ---------------------------------------------------------------------------------- */

/* An archive that is none breaks a rule of archives, wherever that came to light. */
static int note_unpack_error(struct subject *s, rkt_error **err)
{
	auto_error rkt_error *same = NULL;

	if (rkt_error_kind(*err) == RKT_INVALID)
		check_report(s->found, "tar-format", NULL, &same, "%s", rkt_error_raw(*err));
	return -1;
}

static int see_entry(void *context, const struct image_entry *entry, rkt_error **err)
{
	return render_rules_entry(context, entry, err);
}

static int read_image(struct subject *s, source *in, rkt_error **err)
{
	const struct image_options options = { .limits = s->limits, .check = s->found };
	struct render_rules rules = { .found = s->found };
	auto_image image_reader *image = image_open(in, &options);
	const struct image_entry *entry;
	int more;

	while ((more = image_next(image, &entry, err)) > 0)
		if (s->render && see_entry(&rules, entry, err) < 0)
			return -1;
	return more;
}

static int look_at_image(struct subject *s, rkt_error **err)
{
	source *in = file_source_joined(buf_slice(&s->start), source_from_fd(pass_fd(s->fd)));

	if (s->seen)
		in = source_tap(in, digest_tap, s->seen);
	in = source_unpack_threaded(in, &s->limits->unpack, NULL, err);
	if (!in)
		return note_unpack_error(s, err);
	return read_image(s, in, err);
}

/* ---- manifests and layouts ------------------------------------------------------------------- */

static int look_at_manifest(struct subject *s, rkt_error **err)
{
	auto_image_manifest struct image_manifest *image = NULL;
	auto_pod_manifest struct pod_manifest *pod = NULL;
	size_t max = s->limits->manifest_max, start = s->start.len;
	struct slice bytes;

	if (fd_read_rest(s->fd, max > start ? max - start : 0, &s->start, err) < 0) {
		if (rkt_error_kind(*err) == RKT_INVALID)
			check_report(s->found, "layout-manifest-size", NULL, NULL,
				"the manifest has more than %zu bytes", max);
		return -1;
	}
	bytes = buf_slice(&s->start);
	if (s->seen && digest_add(s->seen, bytes, err) < 0)
		return -1;
	if (s->type == SUBJECT_AUTO)
		s->type = manifest_type(bytes);
	if (s->type == SUBJECT_POD_MANIFEST)
		pod = pod_manifest_parse(bytes, s->found, err);
	else
		image = image_manifest_parse(bytes, s->found, err);
	return pod || image ? 0 : -1;
}

static int look_at_layout(struct subject *s, rkt_error **err)
{
	struct render_rules rules = { .found = s->found };
	const struct layout_options options = {
		.limits = s->limits,
		.check = s->found,
		.see = s->render ? see_entry : NULL,
		.context = &rules,
	};

	return layout_read_through(s->fd, &options, err);
}

/* ---- all ------------------------------------------------------------------------------------- */

/* Before anything looks at the content (S-021). */
static int look_at_signature(struct subject *s, const struct stat *st, rkt_error **err)
{
	if (S_ISDIR(st->st_mode))
		return rkt_fail(err, RKT_USAGE, "a directory has no signature");
	s->seen = digest_new(DIGEST_SHA256);
	return signature_check(s->signature, &s->fd, s->found, s->signed_hex, err);
}

/* The bytes that were judged are those whose signature was checked (S-020). */
static int check_same(struct subject *s, rkt_error **err)
{
	char hex[DIGEST_HEX_MAX + 1];

	if (!s->seen)
		return 0;
	if (digest_hex(s->seen, hex, err) < 0)
		return -1;
	if (strcmp(hex, s->signed_hex) != 0)
		return rkt_fail(err, RKT_FAILED, "it changed after its signature was checked");
	return 0;
}

static int look_at_file(struct subject *s, rkt_error **err)
{
	int done;

	if (read_start(s, err) < 0)
		return -1;
	if (s->type == SUBJECT_AUTO && !looks_like_json(buf_slice(&s->start)))
		s->type = SUBJECT_IMAGE;
	done = s->type == SUBJECT_IMAGE ? look_at_image(s, err) : look_at_manifest(s, err);
	return done < 0 ? -1 : check_same(s, err);
}

int subject_look(struct subject *s, rkt_error **err)
{
	ERROR_SCOPE(err, "reading", s->file);
	struct stat st;

	s->fd = file_open(s->file, err);
	if (s->fd < 0)
		return -1;
	if (fstat(s->fd, &st) < 0)
		return rkt_fail_errno(err, "stat");
	if (s->signature && look_at_signature(s, &st, err) < 0)
		return -1;
	if (s->type == SUBJECT_AUTO && S_ISDIR(st.st_mode))
		s->type = SUBJECT_LAYOUT;
	if (s->type == SUBJECT_LAYOUT && !S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return rkt_fail_errno(err, "open");
	}
	return s->type == SUBJECT_LAYOUT ? look_at_layout(s, err) : look_at_file(s, err);
}
