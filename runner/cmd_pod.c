/* What the commands of rkt-pod share: getting at the pods, and pods as JSON. */
#include "runner/cmd_pod.h"

#include "base/alloc.h"
#include "base/time.h"

static int enter(const char *dir, enum pods_mode mode, struct pods *pods, rkt_error **err)
{
	auto_error rkt_error *none = NULL;
	rkt_store *store = rkt_store_open(dir, RKT_STORE_READ, &none);

	if (!store && rkt_error_kind(none) == RKT_MISSING)
		return 0; /* nothing is made where there is nothing */
	if (!store)
		return rkt_fail_with(err, pass_ptr(none));
	pods->fd = pods_open(rkt_store_path(store), &none);
	rkt_store_close(store);
	if (pods->fd < 0)
		return rkt_error_kind(none) == RKT_MISSING ? 0 : rkt_fail_with(err, pass_ptr(none));
	if (mode == PODS_LOOK)
		return 0;
	pods->store = rkt_store_open(dir, RKT_STORE_WRITE, err);
	return pods->store ? 0 : -1;
}

int pods_enter(const char *dir, enum pods_mode mode, struct pods *ret, rkt_error **err)
{
	auto_pods struct pods pods = { .fd = -1 };

	if (enter(dir, mode, &pods, err) < 0)
		return -1;
	*ret = pods;
	pods = (struct pods){ .fd = -1 };
	return 0;
}

void pods_leave(struct pods *pods)
{
	scope_close(&pods->fd);
	rkt_store_close(pods->store);
	*pods = (struct pods){ .fd = -1 };
}

int pods_resolve(
	const struct pods *pods, const char *text, struct pod_dir_entry *ret, rkt_error **err)
{
	if (pods->fd < 0)
		return rkt_fail(err, RKT_MISSING, "no pod %s", text);
	return pod_dir_resolve(pods->fd, text, ret, err);
}

static void set_time(json *object, const char *key, int64_t sec)
{
	char text[TIME_TEXT_SIZE];

	if (sec)
		json_set(object, key, json_new_string(time_rfc3339(sec, text)));
}

static json *app_to_json(const struct pod_app *app, int status)
{
	json *object = json_new_object();

	json_set(object, "name", json_new_string(app->name));
	if (app->image_name)
		json_set(object, "image", json_new_string(app->image_name));
	json_set(object, "imageID", json_new_string(app->image_id));
	if (status != POD_APP_NO_STATUS)
		json_set(object, "status", json_new_integer(status));
	return object;
}

json *pod_info_to_json(const struct pod_info *info)
{
	json *object = json_new_object(), *apps = json_new_array();

	json_set(object, "uuid", json_new_string(info->uuid));
	json_set(object, "state", json_new_string(pod_state_name(info->state)));
	set_time(object, "created", info->created_sec);
	set_time(object, "started", info->started_sec);
	set_time(object, "ended", info->ended_sec);
	if (info->pid && info->state == POD_RUNNING)
		json_set(object, "pid", json_new_integer(info->pid));
	for (size_t i = 0; info->manifest && i < info->manifest->app_count; i++)
		json_append(apps, app_to_json(&info->manifest->apps[i], info->statuses[i]));
	json_set(object, "apps", apps);
	return object;
}
