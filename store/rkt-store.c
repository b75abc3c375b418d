/* rkt-store: the image store's commands. */
#include "cli/secret.h"
#include "store/cmd.h"

static const struct cli_command commands[] = {
	{ .name = "init", .summary = "make a store, or share it with a group", .run = cmd_init },
	{ .name = "config", .summary = "print the configuration in effect", .run = cmd_config },
	{ .name = "import", .summary = "bring image files into the store", .run = cmd_import },
	{ .name = "fetch", .summary = "bring images into the store", .run = cmd_fetch },
	{ .name = "list", .summary = "list the images in the store", .run = cmd_list },
	{ .name = "info", .summary = "show what the store knows of an image", .run = cmd_info },
	{ .name = "cat-manifest", .summary = "print an image's manifest", .run = cmd_cat_manifest },
	{ .name = "export", .summary = "write an image to a file", .run = cmd_export },
	{ .name = "extract", .summary = "unpack an image into a directory", .run = cmd_extract },
	{ .name = "render",
		.summary = "make an image's root file system usable",
		.run = cmd_render },
	{ .name = "rm", .summary = "remove images", .run = cmd_rm, .slip = "remove" },
	{ .name = "gc", .summary = "remove images nobody uses, and left-overs", .run = cmd_gc },
	{ .name = "stat", .summary = "show what the store takes", .run = cmd_stat },
	{ .name = "verify", .summary = "look for damaged images", .run = cmd_verify },
	{ .name = "trust", .summary = "say whose signatures count", .run = cmd_trust },
	{ .name = NULL },
};

static const struct opt options[] = { CMD_OPTION_DIR(NULL), CMD_OPTIONS_END };

static const char *const see_also[] = { "rkt-run(1)", "rkt-pod(1)", "aci-hash(1)", "rkt(1)", NULL };

static const struct cli_program program = {
	.name = "rkt-store",
	.summary = "keep App Container images",
	.description =
		"The store keeps images under the digest of their uncompressed tar. An import "
		"either happens wholly and durably or not at all, whatever kills it. The root "
		"file system of an image is not unpacked: an EROFS index made during the import "
		"is mounted over the tar where the kernel can do that, and else the tree is "
		"extracted once.",
	.commands = commands,
	.options = options,
	.see_also = see_also,
};

static int run(int argc, char **argv, rkt_error **err)
{
	return cli_dispatch(&program, argc, argv, err);
}

/* A key to trust may be at a URL with a password, and a person takes his time to look at it. */
int main(int argc, char **argv)
{
	char **words = secret_hide(argc, argv);
	int status;

	rkt_store_catch_damage("rkt-store", RKT_INVALID);
	status = cli_main(argc, words, run, 0);
	secret_free(words);
	cli_end(status);
}
