/* From a tar that is written to an image that was read back. */
#include "aci/build_out.h"

#include <string.h>
#include <unistd.h>

#include "aci/manifest.h"

int build_out_check_manifest(struct slice bytes, rkt_error **err)
{
	auto_image_manifest struct image_manifest *parsed = image_manifest_parse(bytes, NULL, err);

	return parsed ? 0 : -1;
}

int build_out_begin(
	struct build_out *self, int fd, const struct build_options *options, rkt_error **err)
{
	*self = (struct build_out){ .options = options, .fd = fd };
	self->packer = packer_open(fd, options->compression, err);
	self->sink = (struct tar_sink){ packer_write, self->packer };
	return self->packer ? 0 : -1;
}

void build_out_settle(const struct build_out *self, struct tar_entry *e)
{
	if (self->options->root_owned)
		e->uid = e->gid = 0;
	if (e->mtime_sec >= self->options->mtime_max_sec) {
		e->mtime_sec = self->options->mtime_max_sec;
		e->mtime_nsec = 0;
	}
}

int build_out_manifest(
	struct build_out *self, struct slice bytes, const struct tar_entry *like, rkt_error **err)
{
	struct tar_entry e = *like;

	e.path = "manifest";
	e.path_len = strlen(e.path);
	e.type = TAR_FILE;
	e.size = bytes.len;
	if (tar_write_header(&self->sink, &e, err) < 0 || build_out_data(self, bytes, err) < 0)
		return -1;
	return tar_write_padding(&self->sink, bytes.len, err);
}

int build_out_data(struct build_out *self, struct slice bytes, rkt_error **err)
{
	return packer_write(self->packer, bytes, err);
}

int build_out_finish(struct build_out *self, rkt_image_id *ret_id, rkt_error **err)
{
	ERROR_SCOPE(err, "reading back", "the finished image");

	if (packer_finish(self->packer, err) < 0)
		return -1;
	if (lseek(self->fd, 0, SEEK_SET) < 0)
		return rkt_fail_errno(err, "seek");
	return image_id_of_fd(self->fd, self->options->limits, ret_id, err);
}

void build_out_free(struct build_out *self)
{
	packer_free(self->packer);
}
