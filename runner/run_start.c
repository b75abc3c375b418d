/* rkt-run: from the options to the exec of stage1, step by step, and the way back when one
 * fails. */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fd.h"
#include "cli/out.h"
#include "cli/progress.h"
#include "runner/images.h"
#include "runner/launch.h"
#include "runner/pod_remove.h"
#include "runner/run.h"
#include "runner/stage1_image.h"

/* A run on its way. All zero but the descriptors is "nothing done yet". */
struct start {
	const struct run_options *options;
	rkt_store *store; /* NULL again before exec */
	char *data_dir;
	struct pod_request request;
	rkt_image_record **images; /* one for each app */
	rkt_image_id stage1;
	struct buf manifest;
	int pods, host_mounts;
	struct pod_dir pod;
	struct prepare prepare;
};

static void start_free(struct start *self)
{
	size_t count = self->options->app_count;

	overlay_close(&self->prepare.stage1);
	for (size_t i = 0; i < self->prepare.app_count; i++) {
		overlay_close(&self->prepare.apps[i].overlay);
		free(self->prepare.apps[i].dir);
	}
	free(self->prepare.apps);
	for (size_t i = 0; self->images && i < count; i++)
		rkt_image_record_free(self->images[i]);
	free(self->images);
	volumes_clear(&self->request.volumes);
	buf_free(&self->manifest);
	free(self->data_dir);
	pod_dir_close(&self->pod);
	scope_close(&self->pods);
	scope_close(&self->host_mounts);
	rkt_store_close(self->store);
}

/* ---- before there is a pod ------------------------------------------------------------------- */

static int open_store(struct start *self, rkt_error **err)
{
	self->store = rkt_store_open(self->options->dir, RKT_STORE_WRITE, err);
	if (!self->store)
		return -1;
	self->data_dir = xstrdup(rkt_store_path(self->store));
	return 0;
}

static int find_image(struct start *self, size_t index, rkt_error **err)
{
	const char *reference = self->options->apps[index].image;
	struct progress *progress = progress_start(reference, 0);
	const struct rkt_import_options options = {
		.size = sizeof options,
		.progress = progress_callback,
		.context = progress,
	};
	const struct image_fetching fetching = { run_pull_policies[self->options->pull_policy],
		self->options->insecure };
	int result = image_resolve(
		self->store, reference, &fetching, &options, &self->images[index], err);

	progress_end(progress);
	return result;
}

static int find_images(struct start *self, rkt_error **err)
{
	const struct run_options *options = self->options;

	self->images = xcalloc(options->app_count, sizeof(rkt_image_record *));
	for (size_t i = 0; i < options->app_count; i++)
		if (find_image(self, i, err) < 0)
			return -1;
	return stage1_image_find(self->store, options->stage1_path, &self->stage1, err);
}

static void warn_open_mount(const char *app, const char *name, const char *path)
{
	out_warning("app \"%s\" gets an empty directory at %s: no volume \"%s\" was given", app,
		path, name);
}

static int compose(struct start *self, rkt_error **err)
{
	const struct run_options *options = self->options;

	self->request.apps = options->apps;
	self->request.app_count = options->app_count;
	self->request.images = self->images;
	self->request.open_mount = warn_open_mount;
	return compose_pod(&self->request, &self->manifest, err);
}

/* ---- making the pod -------------------------------------------------------------------------- */

static int make_pod(struct start *self, rkt_error **err)
{
	self->pods = pods_make(self->data_dir, err);
	return self->pods < 0 ? -1 : pod_dir_make(self->pods, &self->pod, err);
}

/* All images of the pod in one transaction: from here on gc leaves them alone. */
static int lease_images(struct start *self, rkt_error **err)
{
	size_t count = self->options->app_count;
	auto_free rkt_image_id *ids = xcalloc(count + 1, sizeof *ids);

	for (size_t i = 0; i < count; i++)
		ids[i] = self->images[i]->id;
	ids[count] = self->stage1;
	return rkt_store_lease(self->store, self->pod.uuid, ids, count + 1, err);
}

static int open_trees(struct start *self, rkt_error **err)
{
	struct prepare *prepare = &self->prepare;
	enum rkt_tree_form form = (enum rkt_tree_form)self->options->tree;
	size_t count = self->options->app_count;

	prepare->pod = &self->pod;
	prepare->pod_manifest = buf_slice(&self->manifest);
	prepare->apps = xcalloc(count, sizeof *prepare->apps);
	for (size_t i = 0; i < count; i++) {
		prepare->apps[i].overlay = OVERLAY_NONE;
		prepare->apps[i].image = self->images[i];
	}
	prepare->app_count = count;
	prepare_name_apps(prepare->apps, count);
	if (overlay_open_lower(
		    &prepare->stage1, self->store, self->pod.uuid, &self->stage1, form, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (overlay_open_lower(&prepare->apps[i].overlay, self->store, self->pod.uuid,
			    &self->images[i]->id, form, err) < 0)
			return -1;
	return 0;
}

static int prepare(struct start *self, rkt_error **err)
{
	enum prepare_room room;

	if (open_trees(self, err) < 0)
		return -1;
	self->host_mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (self->host_mounts < 0)
		return rkt_fail_errno(err, "open /proc/self/ns/mnt");
	if (prepare_pod(&self->prepare, &room, err) < 0)
		return -1;
	if (room == PREPARE_IN_MEMORY)
		out_debug("%s/%s: the file system takes no upper layers; they are in memory",
			self->data_dir, PODS_DIR);
	return 0;
}

static int save_uuid(const struct start *self, rkt_error **err)
{
	const char *path = self->options->uuid_file;
	ERROR_SCOPE(err, "writing", path);
	auto_free char *line = xasprintf("%s\n", self->pod.uuid);
	auto_fd int fd = -1;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return rkt_fail_errno(err, "open");
	return fd_write_all(fd, line, strlen(line), err);
}

static int launch(struct start *self, rkt_error **err)
{
	const struct launch launch = {
		.pod = &self->pod,
		.debug = self->options->debug,
		.interactive = self->options->interactive,
		.net = run_nets[self->options->net],
		.hostname = self->options->hostname,
	};

	/* exec would leave LMDB's reader slot behind */
	rkt_store_close(pass_ptr(self->store));
	return launch_stage1(&launch, err);
}

/* ---- and back -------------------------------------------------------------------------------- */

/* The pod has failed before it began: as if it had never been made. What cannot be undone here is
 * garbage, which gc will remove; the error that brought us here is the one to tell. */
static void abandon(struct start *self)
{
	struct pod_dir_entry entry = { .kind = POD_DIR_POD };

	memcpy(entry.uuid, self->pod.uuid, sizeof entry.uuid);
	if (self->host_mounts >= 0 && setns(self->host_mounts, CLONE_NEWNS) < 0)
		return;
	if (!self->store)
		self->store = rkt_store_open(self->data_dir, RKT_STORE_WRITE, NULL);
	if (self->store)
		pod_remove(self->store, &self->pod, &entry, NULL);
}

static int run_pod(struct start *self, rkt_error **err)
{
	if (lease_images(self, err) < 0)
		return -1;
	out_debug("pod %s", self->pod.uuid);
	if (self->options->uuid_file && save_uuid(self, err) < 0)
		return -1;
	return prepare(self, err) < 0 ? -1 : launch(self, err);
}

int run_start(const struct run_options *options, rkt_error **err)
{
	__attribute__((cleanup(start_free))) struct start self = {
		.options = options,
		.pods = -1,
		.host_mounts = -1,
		.pod.fd = -1,
		.prepare.stage1 = OVERLAY_NONE,
	};
	const char *const *volumes = options->volumes.items;

	if (volumes_parse(volumes, options->volumes.count, &self.request.volumes, err) < 0)
		return -1;
	if (open_store(&self, err) < 0 || find_images(&self, err) < 0 || compose(&self, err) < 0)
		return -1;
	if (make_pod(&self, err) < 0)
		return -1;
	run_pod(&self, err);
	abandon(&self);
	return -1;
}
