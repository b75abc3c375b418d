/* Dependencies: what is asked for, and what the store has where nobody could be asked. */
#include <string.h>

#include "base/alloc.h"
#include "store/deps.h"
#include "store/fetch_parts.h"
#include "store/fetch_queue.h"

char *dependency_name(const struct ac_dependency *dependency)
{
	struct buf text = { 0 };

	buf_append_text(&text, dependency->image_name);
	for (size_t i = 0; i < dependency->label_count; i++)
		buf_printf(
			&text, ",%s=%s", dependency->labels[i].name, dependency->labels[i].value);
	return buf_steal_text(&text);
}

struct looking {
	const struct fetch_job *job;
	rkt_image_id id;
	bool found;
};

static int compare(void *context, const struct ac_dependency *dependency, const rkt_image_id *found,
	rkt_error *why)
{
	struct looking *self = context;
	auto_free char *name = dependency_name(dependency);

	(void)why;
	if (found && strcmp(name, self->job->reference) == 0) {
		self->id = *found;
		self->found = true;
	}
	return 0;
}

static int look(db_txn *txn, void *context, rkt_error **err)
{
	struct looking *self = context;

	return deps_for_each(txn, &self->job->dependent, compare, self, err);
}

/* What there is but must not be taken, or could not be taken, is no dependency nobody could be
 * asked for; nor is one whose image came. */
static bool was_not_found(const struct fetch_job *job)
{
	enum rkt_error_kind kind = job->error ? rkt_error_kind(job->error) : RKT_INVALID;

	return job->needed_by && job->kind == FETCH_NAME && !job->fetched.id.text[0] &&
	       (kind == RKT_MISSING || kind == RKT_FAILED);
}

static void take(const struct fetching *all, struct fetch_job *job, const rkt_image_id *id)
{
	auto_free char *words =
		xasprintf("%s could not be asked for: %s; the image in the store is taken",
			job->reference, rkt_error_raw(job->error));

	if (all->tell)
		all->tell(all->context, words);
	rkt_error_free(pass_ptr(job->error));
	fetched_free(&job->fetched);
	job->fetched = (struct fetched){ .id = *id, .how = FETCH_WAS_THERE };
}

bool here_take(const struct fetching *all, struct fetch_job *job)
{
	struct looking looking = { .job = job };
	auto_layers rkt_layers *layers = NULL;

	if (!was_not_found(job))
		return false;
	/* makes the SHA-512s that dependencies are given by */
	if (rkt_store_layers(all->store, &job->dependent, &layers, NULL) < 0)
		layers = NULL;
	if (db_read(all->store->db, look, &looking, NULL) < 0 || !looking.found)
		return false;
	job->is_unsigned = !signature_is_known(all, &looking.id, NULL);
	if (!job->is_unsigned)
		take(all, job, &looking.id);
	return !job->is_unsigned;
}
