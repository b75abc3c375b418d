/* rkt-store rm: images out of the store, unless a pod uses them. */
#include "store/cmd.h"

#include <stdio.h>

static int remove_one(rkt_store *store, const char *reference, rkt_error **err)
{
	ERROR_SCOPE(err, "removing", reference);
	auto_image_record rkt_image_record *image = NULL;

	if (cmd_find_in(store, reference, &image, err) < 0 ||
		rkt_store_remove(store, &image->id, err) < 0)
		return -1;
	printf("%s\n", image->id.text);
	return 0;
}

int cmd_rm(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS] IMAGE...", NULL };
	const char *dir = NULL;
	const struct opt options[] = { CMD_OPTION_DIR(&dir), CMD_OPTIONS_END };
	const struct command command = { .program = "rkt-store rm",
		.usage = usage,
		.summary = "remove images",
		.description =
			"Removes each IMAGE and prints its ID. An image that a pod uses stays, and "
			"the pods are named; the first one that cannot be removed ends the work.\n\n" CMD_IMAGE_HELP,
		.options = options,
		.see_also = cmd_see_also,
		.operands_min = 1,
		.operands_max = -1 };
	auto_store rkt_store *store = NULL;
	struct operands images;
	enum opts_result got = opts_parse(&command, argc, argv, &images, err);
	int result;

	if (got != OPTS_RUN)
		return got == OPTS_DONE ? 0 : -1;
	store = cmd_open_existing(dir, err);
	result = store ? 0 : -1;
	for (size_t i = 0; result == 0 && i < images.count; i++)
		result = remove_one(store, images.items[i], err);
	free(images.items);
	return result;
}
