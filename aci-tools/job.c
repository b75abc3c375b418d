/* From options to a call of the library. */
#include "aci-tools/job.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "aci-tools/files.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"

static int read_manifest(
	const struct settings *s, const char *file, struct buf *ret, rkt_error **err)
{
	ERROR_SCOPE(err, "reading", file);
	auto_fd int fd = file_open(file, err);

	return fd < 0 ? -1 : fd_read_rest(fd, s->limits.manifest_max, ret, err);
}

/* The directory a user names may be reached through symbolic links; what is below it may not. */
static int open_named_dir(const char *path, rkt_error **err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_MISSING, "%s: no such directory", path);
	return fd < 0 ? rkt_fail_errno(err, "open %s", path) : fd;
}

/* DIR/manifest and DIR/rootfs. */
static int open_layout(struct job *job, const char *path, rkt_error **err)
{
	ERROR_SCOPE(err, "reading", path);
	auto_fd int dir = open_named_dir(path, err);

	if (dir < 0 || fd_read_file(dir, "manifest", job->settings->limits.manifest_max,
			       &job->manifest, err) < 0)
		return -1;
	job->rootfs = fd_open_dir(dir, "rootfs", err);
	return job->rootfs < 0 ? -1 : 0;
}

static bool is_stdin(const char *file)
{
	return file && strcmp(file, "-") == 0;
}

static int check_manifest_options(const struct settings *s, rkt_error **err)
{
	if (s->manifest && compose_is_used(&s->compose))
		return rkt_fail(err, RKT_USAGE,
			"--manifest says it all: leave out --name and what else it holds");
	return 0;
}

/* A manifest and a root that lie apart. */
static int open_parts(struct job *job, const struct settings *s, rkt_error **err)
{
	if (check_manifest_options(s, err) < 0)
		return -1;
	if (s->from_dir && s->from_tar)
		return rkt_fail(err, RKT_USAGE, "choose one of --from-dir and --from-tar");
	if (!s->from_dir && !s->from_tar)
		return rkt_fail(err, RKT_USAGE, "say with --from-dir where the files are");
	if (is_stdin(s->manifest) && is_stdin(s->from_tar))
		return rkt_fail(
			err, RKT_USAGE, "standard input cannot be both the manifest and the root");
	if (s->manifest ? read_manifest(s, s->manifest, &job->manifest, err)
			: compose_manifest(&s->compose, &job->manifest, err))
		return -1;
	job->tar = s->from_tar;
	if (job->tar)
		return 0;
	job->rootfs = open_named_dir(s->from_dir, err);
	return job->rootfs < 0 ? -1 : 0;
}

/* An image to be changed. */
static int open_image(struct job *job, const struct settings *s, rkt_error **err)
{
	if (s->from_dir || s->from_tar || s->excludes.count || s->root_owned)
		return rkt_fail(err, RKT_USAGE, "--patch changes the manifest and nothing else");
	if (!s->manifest && !compose_is_used(&s->compose))
		return rkt_fail(err, RKT_USAGE,
			"say what --patch shall change, or give a whole --manifest");
	if (check_manifest_options(s, err) < 0)
		return -1;
	job->image = s->operands.items[0];
	if (is_stdin(s->manifest) && is_stdin(job->image))
		return rkt_fail(
			err, RKT_USAGE, "standard input cannot be both the manifest and the image");
	return s->manifest ? read_manifest(s, s->manifest, &job->manifest, err) : 0;
}

/* https://reproducible-builds.org/specs/source-date-epoch/ */
static int source_date(int64_t *ret, rkt_error **err)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	uint64_t sec;

	*ret = INT64_MAX;
	if (!text)
		return 0;
	if (str_parse_u64(text, INT64_MAX, "SOURCE_DATE_EPOCH", &sec, err) < 0)
		return -1;
	*ret = (int64_t)sec;
	return 0;
}

static int open_inputs(struct job *job, const struct settings *s, rkt_error **err)
{
	bool parts = s->manifest || s->from_dir || s->from_tar || compose_is_used(&s->compose);
	size_t count = s->operands.count, most = parts && !s->patch ? 1 : 2;

	if (count > most)
		return rkt_fail(
			err, RKT_USAGE, "'%s' is one name too many", s->operands.items[count - 1]);
	if (count < most && s->patch)
		return rkt_fail(err, RKT_USAGE, "give the image to change and the one to make");
	if (count < most)
		return rkt_fail(err, RKT_USAGE,
			"give a directory and the image to make, or --from-dir with --manifest or --name");
	job->out = s->operands.items[count - 1];
	if (s->patch)
		return open_image(job, s, err);
	return parts ? open_parts(job, s, err) : open_layout(job, s->operands.items[0], err);
}

int job_open(struct job *job, const struct settings *s, rkt_error **err)
{
	*job = (struct job){ .settings = s, .rootfs = -1 };
	if (source_date(&job->mtime_max_sec, err) < 0)
		return -1;
	return open_inputs(job, s, err);
}

void job_free(struct job *job)
{
	buf_free(&job->manifest);
	scope_close(&job->rootfs);
}

bool job_is_once(const struct job *job)
{
	return is_stdin(job->tar) || is_stdin(job->image);
}

/* A build_patch.edit. */
static int edit_manifest(void *context, struct slice old, struct buf *ret, rkt_error **err)
{
	const struct job *job = context;

	if (!job->settings->manifest)
		return compose_change(&job->settings->compose, old, ret, err);
	buf_append(ret, job->manifest.data, job->manifest.len);
	return 0;
}

static source *open_stream(const char *file, const struct image_limits *limits, rkt_error **err)
{
	int fd = file_open(file, err);

	return fd < 0 ? NULL : file_unpack(fd, &limits->unpack, err);
}

static int build_from_stream(const struct job *job, int out, const struct build_options *options,
	rkt_image_id *ret_id, rkt_error **err)
{
	const char *file = job->tar ?: job->image;
	ERROR_SCOPE(err, "reading", file);
	const struct build_patch patch = { edit_manifest, (void *)(uintptr_t)job };
	source *in = open_stream(file, options->limits, err);

	if (!in)
		return -1;
	if (job->image)
		return build_image_patched(in, &patch, out, options, ret_id, err);
	return build_image_from_tar(buf_slice(&job->manifest), in, out, options, ret_id, err);
}

int job_build(const struct job *job, int out, rkt_image_id *ret_id, rkt_error **err)
{
	const struct build_options options = {
		.compression = job->settings->compression,
		.root_owned = job->settings->root_owned,
		.mtime_max_sec = job->mtime_max_sec,
		.excludes = job->settings->excludes.items,
		.limits = &job->settings->limits,
	};

	if (job->tar || job->image)
		return build_from_stream(job, out, &options, ret_id, err);
	return build_image(buf_slice(&job->manifest), job->rootfs, out, &options, ret_id, err);
}
