/* rkt-store rm: images out of the store, and what that breaks. */
#include "store/cmd.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "cli/out.h"

#define NAMED_MAX 8 /* images named in one warning */

/* An image that is gone, and those that depend on it. */
struct gone {
	rkt_image_id id, *dependents;
	size_t count;
};

struct rm {
	rkt_store *store;
	bool force;
	struct gone *gone;
	size_t count;
};

static void note_broken(void *context, enum rkt_breaks what, const char *who)
{
	struct gone *gone = context;

	if (what == RKT_BREAKS_POD) {
		out_warning("pod %s cannot be started any more; if it runs, it keeps its root file "
			    "system until it ends",
			who);
		return;
	}
	gone->dependents =
		xreallocarray(gone->dependents, gone->count + 1, sizeof *gone->dependents);
	if (rkt_image_id_parse(who, &gone->dependents[gone->count], NULL) == 0)
		gone->count++;
}

static int remove_one(struct rm *self, const char *reference, rkt_error **err)
{
	ERROR_SCOPE(err, "removing", reference);
	auto_image_record rkt_image_record *image = NULL;
	struct gone *gone;
	struct rkt_remove_options options = {
		.size = sizeof options, .force = self->force, .report = note_broken
	};

	if (cmd_find_in(self->store, reference, &image, err) < 0)
		return -1;
	self->gone = xreallocarray(self->gone, self->count + 1, sizeof *self->gone);
	gone = &self->gone[self->count++];
	*gone = (struct gone){ .id = image->id };
	options.context = gone;
	if (rkt_store_remove_with(self->store, &image->id, &options, err) < 0)
		return -1;
	printf("%s\n", image->id.text);
	return 0;
}

/* One warning for each image that others in the store still depend on. */
static void warn_of_dependents(struct rm *self, const struct gone *gone)
{
	auto_buf struct buf names = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < gone->count; i++) {
		auto_image_record rkt_image_record *there = NULL;

		if (rkt_store_find(self->store, gone->dependents[i].text, &there, NULL) < 0)
			continue; /* removed by now, too */
		if (count++ < NAMED_MAX || self->force)
			buf_printf(&names, "%s %s (%s)", count > 1 ? "," : "", there->id.text,
				there->name);
	}
	if (count > NAMED_MAX && !self->force)
		buf_printf(&names, " and %zu more", count - NAMED_MAX);
	if (count)
		out_warning("%s was a dependency of%s", gone->id.text, buf_text(&names));
}

/* Warnings come last: then it is known which dependents are gone as well. */
static int rm(struct rm *self, const struct operands *images, rkt_error **err)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < images->count; i++)
		result = remove_one(self, images->items[i], err);
	for (size_t i = 0; i < self->count; i++) {
		warn_of_dependents(self, &self->gone[i]);
		free(self->gone[i].dependents);
	}
	free(self->gone);
	return result;
}

int cmd_rm(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS] IMAGE...", NULL };
	const char *dir = NULL;
	struct rm self = { NULL };
	const struct opt options[] = { CMD_OPTION_DIR(&dir),
		{ .name = "force",
			.letter = 'f',
			.kind = OPT_FLAG,
			.into = &self.force,
			.help = "Remove images that pods use too, and name every pod." },
		CMD_OPTIONS_END };
	const struct command command = { .program = "rkt-store rm",
		.usage = usage,
		.summary = "remove images",
		.description =
			"Removes each IMAGE and prints its ID. An image that a pod uses stays, and "
			"the pods are named; the first one that cannot be removed ends the work. "
			"With --force it goes too: the pods cannot be started any more, and those "
			"that run keep their root file system until they end.\n\n"
			"Images that depend on a removed one do not keep it; a warning names those "
			"that are left. They are made of another image that fits, or of none until "
			"this one is imported again.\n\n" CMD_IMAGE_HELP,
		.options = options,
		.see_also = cmd_see_also,
		.candidates_command = COMPLETE_IMAGES,
		.operands_min = 1,
		.operands_max = -1 };
	auto_store rkt_store *store = NULL;
	auto_operands struct operands images = { NULL };
	int got = opts_parse(&command, argc, argv, &images, err);

	if (got <= 0)
		return got;
	store = cmd_open_existing(dir, err);
	self.store = store;
	return store ? rm(&self, &images, err) : -1;
}
