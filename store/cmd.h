/* The commands of rkt-store: one a file, each with its options, its help and its words. */
#pragma once

#include <stdlib.h>

#include "aci/extract.h"
#include "cli/complete.h"
#include "cli/main.h"
#include "cli/opts.h"
#include "store/store.h"

cli_run_fn cmd_init, cmd_config, cmd_import, cmd_fetch, cmd_list, cmd_info, cmd_cat_manifest,
	cmd_export, cmd_extract, cmd_render, cmd_rm, cmd_gc, cmd_stat, cmd_verify, cmd_trust;

/* The option every command has. INTO is a const char **. */
#define CMD_OPTION_DIR(into_)                                                           \
	{                                                                               \
		.name = "dir", .letter = 'd', .kind = OPT_TEXT, .into = (into_),        \
		.argument = "DIR",                                                      \
		.help = "The data directory, instead of $RKT_DIR, else the configured " \
			"one, else /var/lib/rkt for root and $XDG_DATA_HOME/rkt "       \
			"for others."                                                   \
	}

#define CMD_OPTION_JSON(into_)                                     \
	{                                                          \
		.name = "json", .kind = OPT_FLAG, .into = (into_), \
		.help = "Print JSON instead of a table."           \
	}

#define CMD_OPTIONS_END      \
	{                    \
		.name = NULL \
	}

/* What an IMAGE operand may be, for the descriptions. */
#define CMD_IMAGE_HELP                                                                           \
	"IMAGE is an ID, an unambiguous beginning of one (8 digits or more, with or without "    \
	"sha256-), sha512- and the SHA-512 of the image's tar or its beginning, or a name like " \
	"example.com/app, example.com/app:1.0.0 or example.com/app:1.0.0,os=linux,arch=amd64 "   \
	"(any labels), of which the newest import is taken. The first question for a sha512- "   \
	"reads all images once."

extern const char *const cmd_see_also[];

/* The PEM file of the CAs that count, GIVEN by an option or else by the environment; NULL: those of
 * the system. */
static inline const char *cmd_cacert(const char *given)
{
	const char *usual = getenv("RKT_CACERT");

	return given ? given : usual && *usual ? usual : NULL;
}

/* Opens the store at DIR for reading and finds REFERENCE in it. */
int cmd_find(const char *dir, const char *reference, rkt_store **ret_store, rkt_image_record **ret,
	rkt_error **err);

/* The same for who asks for the layers of the image next. Where a dependency is given by a SHA-512,
 * those that are needed are learnt, if STORE can be opened for writing. */
int cmd_find_layered(const char *dir, const char *reference, rkt_store **ret_store,
	rkt_image_record **ret, rkt_error **err);

/* As rkt_store_find(), in a store open for writing; learns the SHA-512 of the images when that is
 * what is asked for. */
int cmd_find_in(rkt_store *store, const char *reference, rkt_image_record **ret, rkt_error **err);

/* Tells, with --debug, what the image ID, which has just come, is and where its files lie. */
void cmd_debug_image(rkt_store *store, const rkt_image_id *id);

/* Opens the store at DIR for writing, but never makes one: RKT_MISSING. */
rkt_store *cmd_open_existing(const char *dir, rkt_error **err);

/* How an image is written into a directory; both settings are options. */
struct cmd_unpack {
	bool rootfs_only, devices;
};

/* INTO is a struct cmd_unpack *. */
#define CMD_OPTIONS_UNPACK(into_)                                                             \
	{                                                                                     \
		.name = "rootfs-only",                                                        \
		.kind = OPT_FLAG,                                                             \
		.into = &(into_)->rootfs_only,                                                \
		.help = "Put the content of the root file system directly into DIR, without " \
			"the manifest.",                                                      \
	},                                                                                    \
	{                                                                                     \
		.name = "devices", .kind = OPT_FLAG, .into = &(into_)->devices,               \
		.help = "Make device nodes (needs root); without it an image that has some "  \
			"is refused.",                                                        \
	}

struct extract_options cmd_unpack_options(const struct cmd_unpack *self);
/* Warns of what could not be kept. */
void cmd_unpack_tell(const struct extract_report *report);
