/* rkt-store extract: an image from the store into a directory. */
#include "store/cmd.h"

#include "base/place.h"
#include "cli/stop.h"
#include "store/blob.h"

struct extract_settings {
	const char *dir;
	struct cmd_unpack unpack;
};

static int extract(const struct extract_settings *settings, const char *reference, const char *to,
	rkt_error **err)
{
	ERROR_SCOPE(err, "extracting", reference);
	const struct extract_options options = cmd_unpack_options(&settings->unpack);
	auto_store rkt_store *store = NULL;
	auto_image_record rkt_image_record *record = NULL;
	auto_image image_reader *image = NULL;
	auto_place struct place place = { -1, NULL };
	struct extract_report report = { 0 };
	int blob;

	if (cmd_find(settings->dir, reference, &store, &record, err) < 0)
		return -1;
	if (place_find(&place, to, err) < 0)
		return -1;
	blob = rkt_store_open_blob(store, &record->id, err);
	if (blob < 0)
		return -1;
	/* a damaged blob fails at its last byte, when nothing has its name yet */
	image = image_open(source_verified(source_from_fd(blob), &record->id), NULL);
	stop_note();
	if (extract_image(image, place.dir, place.name, &options, &report, err) < 0)
		return -1;
	cmd_unpack_tell(&report);
	return 0;
}

int cmd_extract(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS] IMAGE DIR", NULL };
	struct extract_settings settings = { NULL };
	const struct opt options[] = { CMD_OPTION_DIR(&settings.dir),
		CMD_OPTIONS_UNPACK(&settings.unpack), CMD_OPTIONS_END };
	const struct command command = { .program = "rkt-store extract",
		.usage = usage,
		.summary = "unpack an image into a directory",
		.description =
			"Unpacks the image into DIR, which must not exist or be empty: DIR/manifest and "
			"DIR/rootfs. The bytes are verified on the way; on any error DIR stays as it "
			"was. Owners are kept when root does it. The image alone is unpacked: 'rkt-store "
			"render IMAGE DIR' adds what it depends on.\n\n" CMD_IMAGE_HELP,
		.options = options,
		.see_also = cmd_see_also,
		.candidates_command = COMPLETE_IMAGES,
		.operands_min = 2,
		.operands_max = 2 };
	auto_operands struct operands operands = { NULL };
	int got = opts_parse(&command, argc, argv, &operands, err);

	return got > 0 ? extract(&settings, operands.items[0], operands.items[1], err) : got;
}
