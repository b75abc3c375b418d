/* rkt-store cat-manifest: the manifest of an image, as it stands in the image. */
#include "store/cmd.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/out.h"

/* On a terminal an image's bytes must not be able to drive it (S-013): written anew, and escaped
 * line by line. */
static int print_for_people(const rkt_image_record *image, rkt_error **err)
{
	struct slice bytes = { (const uint8_t *)image->manifest, image->manifest_len };
	auto_json json *value = json_parse(bytes, err);
	auto_buf struct buf text = { 0 };
	auto_free char *lines = NULL;
	char *rest;

	if (!value)
		return -1;
	json_write(value, JSON_PRETTY, &text);
	lines = rest = buf_steal_text(&text);
	for (char *line; (line = strsep(&rest, "\n"));) {
		out_escaped(line);
		putchar('\n');
	}
	return 0;
}

static int print(const rkt_image_record *image, rkt_error **err)
{
	if (isatty(STDOUT_FILENO))
		return print_for_people(image, err);
	fwrite(image->manifest, 1, image->manifest_len, stdout);
	if (image->manifest_len && image->manifest[image->manifest_len - 1] != '\n')
		putchar('\n');
	return 0;
}

static int cat_manifest(const char *dir, const char *reference, rkt_error **err)
{
	auto_store rkt_store *store = NULL;
	auto_image_record rkt_image_record *image = NULL;

	if (cmd_find(dir, reference, &store, &image, err) < 0)
		return -1;
	return print(image, err);
}

int cmd_cat_manifest(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS] IMAGE", NULL };
	const char *dir = NULL;
	const struct opt options[] = { CMD_OPTION_DIR(&dir), CMD_OPTIONS_END };
	const struct command command = { .program = "rkt-store cat-manifest",
		.usage = usage,
		.summary = "print an image's manifest",
		.description = "Prints the manifest as it stands in the image; laid out anew on a "
			       "terminal.\n\n" CMD_IMAGE_HELP,
		.options = options,
		.see_also = cmd_see_also,
		.candidates_command = COMPLETE_IMAGES,
		.operands_min = 1,
		.operands_max = 1 };
	auto_operands struct operands images = { NULL };
	int got = opts_parse(&command, argc, argv, &images, err);

	return got > 0 ? cat_manifest(dir, images.items[0], err) : got;
}
