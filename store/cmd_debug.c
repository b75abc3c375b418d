/* What --debug says of an image that has come into the store. */
#include "store/cmd.h"

#include "base/alloc.h"
#include "cli/out.h"

void cmd_debug_image(rkt_store *store, const rkt_image_id *id)
{
	auto_image_record rkt_image_record *image = NULL;
	auto_free char *blob = NULL, *index = NULL;

	if (!out_is_debug() || rkt_store_find(store, id->text, &image, NULL) < 0)
		return;
	blob = layout_file_path(&store->layout, "blob", id);
	index = layout_file_path(&store->layout, "erofs", id);
	out_debug("%s is %s: %llu entries, from %s", id->text, image->name,
		(unsigned long long)image->entries, image->source ?: "a place not known");
	out_debug("blob: %s, %llu bytes", blob, (unsigned long long)image->size);
	if (image->index_size)
		out_debug("EROFS index: %s, %llu bytes", index,
			(unsigned long long)image->index_size);
	else
		out_debug("no EROFS index: %s", image->index_fault ?: "not made yet");
	if (image->signed_by)
		out_debug("signed by %s", image->signed_by);
}
