/* Looking: blobs read to their end, indexes made anew and compared. Nothing is changed here, nor
 * any room on the disk needed: an index is made in memory. */
#include "store/verify.h"

#include <sys/stat.h>

#include "aci/image.h"
#include "base/fd.h"
#include "store/index/index.h"
#include "store/layered.h"
#include "store/tree.h"

static int count_bytes(void *context, struct slice block, rkt_error **err)
{
	struct verify *self = context;

	(void)err;
	atomic_fetch_add_explicit(&self->bytes, block.len, memory_order_relaxed);
	return 0;
}

/* Reads the whole blob and feeds its INDEX, unless that is NULL. */
static int read_blob(struct verify *self, struct subject *subject, index_builder *index,
	rkt_error **ret_index_fault, rkt_error **err)
{
	int blob = blob_open(&self->store->layout, &subject->id, subject->to_read, err);
	auto_image image_reader *image = NULL;
	const struct image_entry *entry;
	source *in;
	int got;

	if (blob < 0)
		return -1;
	in = source_from_fd(blob);
	if (!subject->again) /* what was to be read was told */
		in = source_tap(in, count_bytes, self);
	image = image_open(source_verified(in, &subject->id), NULL);
	while ((got = image_next(image, &entry, err)) > 0)
		if (index && !*ret_index_fault)
			(void)index_add(index, entry, ret_index_fault);
	return got;
}

static void forget_index(struct subject *subject)
{
	scope_close(&subject->index);
	subject->index = -1;
}

/* Makes the index of a blob that was read. What is left open in SUBJECT is whole. */
static int make_index(struct subject *subject, index_builder *index, rkt_error **err)
{
	subject->index = fd_in_memory("index", err);
	if (subject->index >= 0 &&
		index_write(index, subject->to_read, subject->index, NULL, err) == 0)
		return 0;
	forget_index(subject);
	return -1;
}

static int compare_index(struct verify *self, struct subject *subject, rkt_error **err)
{
	auto_fd int there = -1;
	struct stat anew;
	uint64_t at;
	int same;

	if (fstat(subject->index, &anew) < 0)
		return rkt_fail_errno(err, "stat");
	there = tree_open_index(&self->store->layout, &subject->id, (uint64_t)anew.st_size, err);
	if (there < 0)
		return -1;
	same = fd_same(there, subject->index, &at, err);
	if (!same)
		return rkt_fail(err, RKT_INVALID,
			"the EROFS index is damaged within 65536 bytes from offset %ju on",
			(uintmax_t)at);
	return same < 0 ? -1 : 0;
}

static void look_at_image(struct verify *self, struct subject *subject)
{
	auto_index index_builder *index = subject->current_index ? index_new() : NULL;
	rkt_error **fault = &subject->index_fault;

	if (read_blob(self, subject, index, fault, &subject->blob_fault) < 0 || *fault || !index)
		return;
	if (make_index(subject, index, fault) < 0)
		return;
	if (compare_index(self, subject, fault) == 0)
		forget_index(subject);
}

/* Writes the index of a tree anew, reading the blobs of its layers. */
static int make_layered_index(struct verify *self, struct subject *subject, rkt_error **err)
{
	struct index_stats stats;

	subject->index = fd_in_memory("index", err);
	if (subject->index >= 0 &&
		layered_write_index(self->store, subject->layers, subject->index, &stats, err) == 0)
		return 0;
	forget_index(subject);
	return -1;
}

static void look_at_tree(struct verify *self, struct subject *subject)
{
	int made = subject->current_index ? make_layered_index(self, subject, &subject->blob_fault)
					  : -1;

	if (!subject->again)
		atomic_fetch_add_explicit(&self->bytes, subject->to_read, memory_order_relaxed);
	if (made == 0 && compare_index(self, subject, &subject->index_fault) == 0)
		forget_index(subject);
}

void verify_look(struct verify *self, struct subject *subject)
{
	if (subject->layers)
		look_at_tree(self, subject);
	else
		look_at_image(self, subject);
}

void verify_look_again(struct verify *self, struct subject *subject)
{
	if (subject->blob_fault) {
		rkt_error_free(pass_ptr(subject->blob_fault));
		rkt_error_free(pass_ptr(subject->index_fault)); /* of bytes that were not right */
		verify_look(self, subject);
	} else if (subject->index >= 0) {
		rkt_error_free(pass_ptr(subject->index_fault));
		(void)compare_index(self, subject, &subject->index_fault);
	}
}
