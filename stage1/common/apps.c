/* Reading the pod: the pod manifest first, then the image manifest of each of its apps. */
#include "stage1/common/apps.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "stage1/contract.h"

/* How many of the apps before INDEX use the same image. */
static unsigned earlier_uses(const struct pod_manifest *pod, size_t index)
{
	unsigned uses = 0;

	for (size_t i = 0; i < index; i++)
		if (strcmp(pod->apps[i].image_id, pod->apps[index].image_id) == 0)
			uses++;
	return uses;
}

static char *app_dir(const struct pod_manifest *pod, size_t index)
{
	const char *id = pod->apps[index].image_id;
	unsigned uses = earlier_uses(pod, index);

	return uses ? xasprintf(STAGE1_STAGE2 "/" STAGE1_APP_DIR_REPEAT_FORMAT, id, uses + 1)
		    : xasprintf(STAGE1_STAGE2 "/" STAGE1_APP_DIR_FORMAT, id);
}

static struct image_manifest *read_image(int pod, const char *app_dir_path, rkt_error **err)
{
	auto_fd int dir = path_open_beneath(pod, app_dir_path, O_RDONLY | O_DIRECTORY, 0);
	auto_buf struct buf text = { 0 };

	if (dir < 0) {
		rkt_fail_errno(err, "open %s", app_dir_path);
		return NULL;
	}
	if (fd_read_file(dir, "manifest", MANIFEST_SIZE_MAX, &text, err) < 0)
		return NULL;
	return image_manifest_parse(buf_slice(&text), NULL, err);
}

static int read_app(int pod, struct app_list *list, size_t index, rkt_error **err)
{
	struct ready_app *app = &list->apps[index];
	const struct pod_app *entry = &list->pod->apps[index];
	ERROR_SCOPE(err, "app", entry->name);

	app->name = entry->name;
	app->entry = entry;
	if (strchr(entry->image_id, '/'))
		return rkt_fail(err, RKT_INVALID, "%s is no image ID", entry->image_id);
	app->dir = app_dir(list->pod, index);
	app->image = read_image(pod, app->dir, err);
	if (!app->image)
		return -1;
	app->app = entry->app ?: app->image->app;
	if (!app->app || !app->app->exec || !*app->app->exec)
		return rkt_fail(
			err, RKT_INVALID, "neither the pod nor the image says what to execute");
	return 0;
}

int app_list_read(int pod, struct app_list *ret, rkt_error **err)
{
	auto_buf struct buf text = { 0 };

	if (fd_read_file(pod, STAGE1_POD_MANIFEST, MANIFEST_SIZE_MAX, &text, err) < 0)
		return -1;
	ret->pod = pod_manifest_parse(buf_slice(&text), NULL, err);
	if (!ret->pod)
		return -1;
	if (!ret->pod->app_count)
		return rkt_fail(err, RKT_INVALID, "the pod has no apps");
	ret->apps = xcalloc(ret->pod->app_count, sizeof *ret->apps);
	ret->count = ret->pod->app_count;
	for (size_t i = 0; i < ret->count; i++)
		if (read_app(pod, ret, i, err) < 0)
			return -1;
	return 0;
}

void app_list_free(struct app_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->apps[i].image)
			image_manifest_free(list->apps[i].image);
		free(list->apps[i].dir);
	}
	free(list->apps);
	if (list->pod)
		pod_manifest_free(list->pod);
	*list = (struct app_list){ 0 };
}

bool ready_app_is_early(const struct ready_app *app)
{
	return str_has_prefix(app->image->ac_version, "0.1.");
}
