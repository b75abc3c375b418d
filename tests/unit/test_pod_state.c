/* Pods as directories with a lock: what state they are in, how they are found, what a crash
 * leaves. */
#include "tests/unit/scratch.h"

#include <sys/stat.h>

#include "base/draft.h"
#include "base/lock.h"
#include "runner/pod_state.h"

#define UUID_A "11111111-1111-4111-8111-111111111111"
#define UUID_B "11111111-2222-4222-8222-222222222222"

#define IMAGE_ID "sha256-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char manifest[] =
	"{\"acVersion\":\"0.8.11\",\"acKind\":\"PodManifest\",\"apps\":["
	"{\"name\":\"main\",\"image\":{\"name\":\"example.com/main\",\"id\":\"" IMAGE_ID "\"}},"
	"{\"name\":\"side\",\"image\":{\"id\":\"" IMAGE_ID "\"}}]}";

struct scene {
	char path[256];
	int pods;
};

static int set_up(void **state)
{
	struct scene *place = calloc(1, sizeof *place);
	rkt_error *err = NULL;
	int top = scratch_make(place->path);

	assert_true(top >= 0);
	close(top);
	place->pods = pods_make(place->path, &err);
	assert_ok(place->pods, err);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *place = *state;

	close(place->pods);
	scratch_remove(place->path);
	free(place);
	return 0;
}

static void put(int dir, const char *name, const char *text)
{
	const struct slice bytes = { (const uint8_t *)text, strlen(text) };
	rkt_error *err = NULL;

	assert_ok(draft_write(dir, name, bytes, 0644, &err), err);
}

static struct pod_dir make(struct scene *place)
{
	struct pod_dir pod = { .fd = -1 };
	rkt_error *err = NULL;

	assert_ok(pod_dir_make(place->pods, &pod, &err), err);
	return pod;
}

static struct pod_dir_entry entry_of(const char *uuid)
{
	struct pod_dir_entry entry = { .kind = POD_DIR_POD };

	snprintf(entry.uuid, sizeof entry.uuid, "%s", uuid);
	return entry;
}

static struct pod_info read_info(struct scene *place, const char *uuid)
{
	const struct pod_dir_entry entry = entry_of(uuid);
	struct pod_info info = { 0 };
	rkt_error *err = NULL;

	assert_ok(pod_info_read(place->pods, &entry, &info, &err), err);
	return info;
}

static enum pod_state state_in(struct scene *place, const char *uuid)
{
	struct pod_info info = read_info(place, uuid);
	enum pod_state found = info.state;

	pod_info_clear(&info);
	return found;
}

static void pod_goes_from_preparing_to_exited(void **state)
{
	struct scene *place = *state;
	struct pod_dir pod = make(place);

	assert_int_equal(state_in(place, pod.uuid), POD_PREPARING);
	put(pod.fd, "container", manifest);
	assert_int_equal(state_in(place, pod.uuid), POD_PREPARED);
	put(pod.fd, "pid", "4711\n");
	assert_int_equal(state_in(place, pod.uuid), POD_RUNNING);
	pod_dir_close(&pod);
	assert_int_equal(state_in(place, pod.uuid), POD_EXITED);
}

static void pod_that_died_before_its_manifest_is_garbage(void **state)
{
	struct pod_dir pod = make(*state);

	pod_dir_close(&pod);
	assert_int_equal(state_in(*state, pod.uuid), POD_GARBAGE);
}

static void pod_that_died_before_it_ran_is_garbage(void **state)
{
	struct pod_dir pod = make(*state);

	put(pod.fd, "container", manifest);
	pod_dir_close(&pod);
	assert_int_equal(state_in(*state, pod.uuid), POD_GARBAGE);
}

static void retired_pod_is_garbage_and_no_pod(void **state)
{
	struct scene *place = *state;
	struct pod_dir pod = make(place);
	struct pod_dir_entry entry = entry_of(pod.uuid), found;
	struct pod_info info = { 0 };
	rkt_error *err = NULL;

	assert_ok(pod_dir_retire(&pod, &entry, &err), err);
	assert_int_equal(entry.kind, POD_DIR_GARBAGE);
	assert_ok(pod_info_read(place->pods, &entry, &info, &err), err);
	assert_int_equal(info.state, POD_GARBAGE);
	pod_info_clear(&info);
	assert_int_equal(pod_dir_resolve(place->pods, pod.uuid, &found, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_MISSING);
	rkt_error_free(err);
	pod_dir_close(&pod);
}

static void erasing_leaves_nothing(void **state)
{
	struct scene *place = *state;
	struct pod_dir pod = make(place);
	struct pod_dir_entry entry = entry_of(pod.uuid), *entries = NULL;
	rkt_error *err = NULL;
	size_t count = 1;

	put(pod.fd, "container", manifest);
	assert_int_equal(mkdirat(pod.fd, "overlay", 0700), 0);
	assert_ok(pod_dir_retire(&pod, &entry, &err), err);
	assert_ok(pod_dir_erase(&pod, &entry, &err), err);
	pod_dir_close(&pod);
	assert_ok(pod_dir_list(place->pods, &entries, &count, &err), err);
	assert_int_equal(count, 0);
	free(entries);
}

static void embryo_is_an_embryo_while_locked(void **state)
{
	struct scene *place = *state;
	struct pod_dir_entry entry = entry_of(UUID_A);
	struct pod_info info = { 0 };
	rkt_error *err = NULL;
	int fd;

	entry.kind = POD_DIR_EMBRYO;
	assert_int_equal(mkdirat(place->pods, ".new-" UUID_A, 0700), 0);
	fd = openat(place->pods, ".new-" UUID_A, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(lock_try(fd, LOCK_EXCLUSIVE, &err), 1);
	assert_ok(pod_info_read(place->pods, &entry, &info, &err), err);
	assert_int_equal(info.state, POD_EMBRYO);
	close(fd);
	assert_ok(pod_info_read(place->pods, &entry, &info, &err), err);
	assert_int_equal(info.state, POD_GARBAGE);
}

static void statuses_and_pid_are_read(void **state)
{
	struct pod_dir pod = make(*state);
	struct pod_info info;
	int shelf;

	put(pod.fd, "container", manifest);
	put(pod.fd, "pid", "4711\n");
	assert_int_equal(mkdirat(pod.fd, "status", 0755), 0);
	shelf = openat(pod.fd, "status", O_RDONLY | O_DIRECTORY);
	put(shelf, "side", "143\n");
	close(shelf);
	info = read_info(*state, pod.uuid);
	assert_int_equal(info.pid, 4711);
	assert_non_null(info.manifest);
	assert_int_equal(info.statuses[0], POD_APP_NO_STATUS);
	assert_int_equal(info.statuses[1], 143);
	assert_true(info.created_sec > 0 && info.started_sec > 0 && info.ended_sec == 0);
	pod_info_clear(&info);
	pod_dir_close(&pod);
	info = read_info(*state, pod.uuid);
	assert_true(info.ended_sec >= info.started_sec);
	pod_info_clear(&info);
}

static void broken_files_make_facts_unknown(void **state)
{
	struct pod_dir pod = make(*state);
	struct pod_info info;

	put(pod.fd, "container", "{ not json");
	put(pod.fd, "pid", "-1 or so\n");
	info = read_info(*state, pod.uuid);
	assert_int_equal(info.state, POD_RUNNING);
	assert_null(info.manifest);
	assert_int_equal(info.pid, 0);
	pod_info_clear(&info);
	pod_dir_close(&pod);
}

static void living_pod_cannot_be_locked_for_removal(void **state)
{
	struct scene *place = *state;
	struct pod_dir pod = make(place), other = { .fd = -1 };
	const struct pod_dir_entry entry = entry_of(pod.uuid);
	rkt_error *err = NULL;

	assert_ok(pod_dir_open(place->pods, &entry, &other, &err), err);
	assert_int_equal(pod_dir_lock(&other, &err), 0);
	pod_dir_close(&pod);
	assert_int_equal(pod_dir_lock(&other, &err), 1);
	pod_dir_close(&other);
}

static void prefix_of_eight_finds_a_pod(void **state)
{
	struct scene *place = *state;
	struct pod_dir pod = make(place);
	struct pod_dir_entry found;
	char prefix[POD_UUID_PREFIX_MIN + 1];
	rkt_error *err = NULL;

	memcpy(prefix, pod.uuid, POD_UUID_PREFIX_MIN);
	prefix[POD_UUID_PREFIX_MIN] = '\0';
	assert_ok(pod_dir_resolve(place->pods, prefix, &found, &err), err);
	assert_string_equal(found.uuid, pod.uuid);
	prefix[POD_UUID_PREFIX_MIN - 1] = '\0';
	assert_int_equal(pod_dir_resolve(place->pods, prefix, &found, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_USAGE);
	rkt_error_free(err);
	pod_dir_close(&pod);
}

static void ambiguous_prefix_names_the_pods(void **state)
{
	struct scene *place = *state;
	struct pod_dir_entry found;
	rkt_error *err = NULL;

	assert_int_equal(mkdirat(place->pods, UUID_A, 0700), 0);
	assert_int_equal(mkdirat(place->pods, UUID_B, 0700), 0);
	assert_int_equal(pod_dir_resolve(place->pods, "11111111", &found, &err), -1);
	assert_int_equal(rkt_error_kind(err), RKT_USAGE);
	assert_non_null(strstr(rkt_error_message(err), UUID_A ", " UUID_B));
	rkt_error_free(err);
}

static void strangers_are_not_listed(void **state)
{
	struct scene *place = *state;
	struct pod_dir_entry *entries = NULL;
	rkt_error *err = NULL;
	size_t count = 0;

	assert_int_equal(mkdirat(place->pods, "lost+found", 0700), 0);
	assert_int_equal(mkdirat(place->pods, ".new-", 0700), 0);
	assert_int_equal(mkdirat(place->pods, ".garbage-" UUID_A "x", 0700), 0);
	assert_int_equal(mkdirat(place->pods, ".garbage-" UUID_B, 0700), 0);
	assert_int_equal(mkdirat(place->pods, UUID_A, 0700), 0);
	assert_ok(pod_dir_list(place->pods, &entries, &count, &err), err);
	assert_int_equal(count, 2);
	assert_int_equal(entries[0].kind, POD_DIR_POD);
	assert_int_equal(entries[1].kind, POD_DIR_GARBAGE);
	assert_string_equal(entries[1].uuid, UUID_B);
	free(entries);
}

static void pods_are_closed_to_others(void **state)
{
	struct scene *place = *state;
	struct pod_dir pod = make(place);
	struct stat st;

	assert_int_equal(fstat(place->pods, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fstat(pod.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	pod_dir_close(&pod);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(pod_goes_from_preparing_to_exited),
		CASE(pod_that_died_before_its_manifest_is_garbage),
		CASE(pod_that_died_before_it_ran_is_garbage),
		CASE(retired_pod_is_garbage_and_no_pod),
		CASE(erasing_leaves_nothing),
		CASE(embryo_is_an_embryo_while_locked),
		CASE(statuses_and_pid_are_read),
		CASE(broken_files_make_facts_unknown),
		CASE(living_pod_cannot_be_locked_for_removal),
		CASE(prefix_of_eight_finds_a_pod),
		CASE(ambiguous_prefix_names_the_pods),
		CASE(strangers_are_not_listed),
		CASE(pods_are_closed_to_others),
	};

	return cmocka_run_group_tests_name("pod_state", tests, NULL, NULL);
}
