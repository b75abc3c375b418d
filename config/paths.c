/* Files of the kind "paths". */
#include "config/paths.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/dirs.h"

struct reading {
	struct config_paths *paths;
	enum config_level data_level, stage1_level; /* of what was read last */
};

static int take(const struct config_file *file, const char *key, struct config_path *path,
	enum config_level *level, rkt_error **err)
{
	const json *value = json_get(file->root, key);
	const char *text = json_string(value);

	if (!value)
		return 0;
	if (!text || *text != '/')
		return rkt_fail(err, RKT_INVALID, "%s is no absolute path", key);
	if (path->path && *level == file->level)
		return rkt_fail(err, RKT_INVALID, "%s says already what %s is", path->from, key);
	free(path->path);
	free(path->from);
	*path = (struct config_path){ xstrdup(text), xstrdup(file->path) };
	*level = file->level;
	return 0;
}

static int read_one(void *context, const struct config_file *file, rkt_error **err)
{
	struct reading *self = context;

	if (strcmp(file->kind, "paths") != 0)
		return rkt_fail(err, RKT_INVALID, "has rktKind %s, not paths", file->kind);
	if (take(file, "data", &self->paths->data, &self->data_level, err) < 0)
		return -1;
	return take(file, "stage1-images", &self->paths->stage1_images, &self->stage1_level, err);
}

int config_paths_read(struct config_paths *ret, rkt_error **err)
{
	struct reading reading = { .paths = ret };

	return config_each("paths.d", read_one, &reading, err);
}

void config_paths_free(struct config_paths *paths)
{
	free(paths->data.path);
	free(paths->data.from);
	free(paths->stage1_images.path);
	free(paths->stage1_images.from);
	*paths = (struct config_paths){ 0 };
}
