/* Pod manifests of 0.8, and of 0.1 read as pods. What is refused stands in the corpus. */
#include "tests/unit/scratch.h"

#include "aci/pod.h"

#define ID "sha256-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct pod_manifest *read_pod(const char *text)
{
	rkt_error *err = NULL;
	struct pod_manifest *pod = pod_manifest_parse(
		(struct slice){ (const uint8_t *)text, strlen(text) }, NULL, &err);

	if (!pod)
		fail_msg("%s", rkt_error_message(err));
	return pod;
}

#define HEAD "\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\""

static void apps_are_read(void **state)
{
	auto_pod_manifest struct pod_manifest *pod = read_pod(
		"{" HEAD ",\"apps\":["
		"{\"name\":\"one\",\"image\":{\"id\":\"" ID "\",\"name\":\"example.com/one\","
		"\"labels\":[{\"name\":\"version\",\"value\":\"1\"}]},"
		"\"app\":{\"exec\":[\"/a\"],\"user\":\"0\",\"group\":\"0\"},\"readOnlyRootFS\":true,"
		"\"annotations\":[{\"name\":\"k\",\"value\":\"v\"}]},"
		"{\"name\":\"two\",\"image\":{\"id\":\"" ID "\"}}]}");

	(void)state;
	assert_int_equal(pod->app_count, 2);
	assert_string_equal(pod->apps[0].name, "one");
	assert_string_equal(pod->apps[0].image_id, ID);
	assert_string_equal(pod->apps[0].image_name, "example.com/one");
	assert_string_equal(pod->apps[0].labels[0].value, "1");
	assert_string_equal(pod->apps[0].app->exec[0], "/a");
	assert_true(pod->apps[0].read_only_rootfs);
	assert_string_equal(pod->apps[0].annotations[0].value, "v");
	assert_null(pod->apps[1].app);
	assert_null(pod->apps[1].image_name);
	assert_false(pod->apps[1].read_only_rootfs);
	assert_null(pod->uuid);
}

#define ONE_APP "\"apps\":[{\"name\":\"one\",\"image\":{\"id\":\"" ID "\"}"

static void volumes_have_the_defaults_of_the_text(void **state)
{
	auto_pod_manifest struct pod_manifest *pod = read_pod(
		"{" HEAD "," ONE_APP "}],\"volumes\":["
		"{\"name\":\"h\",\"kind\":\"host\",\"source\":\"/srv\"},"
		"{\"name\":\"e\",\"kind\":\"empty\"},"
		"{\"name\":\"f\",\"kind\":\"empty\",\"mode\":\"1777\",\"uid\":5,\"gid\":6}]}");

	(void)state;
	assert_int_equal(pod->volume_count, 3);
	assert_int_equal(pod->volumes[0].kind, POD_VOLUME_HOST);
	assert_string_equal(pod->volumes[0].source, "/srv");
	assert_true(pod->volumes[0].recursive);
	assert_false(pod->volumes[0].read_only);
	assert_int_equal(pod->volumes[1].kind, POD_VOLUME_EMPTY);
	assert_int_equal(pod->volumes[1].mode, 0755);
	assert_int_equal(pod->volumes[2].mode, 01777);
	assert_int_equal(pod->volumes[2].uid, 5);
	assert_int_equal(pod->volumes[2].gid, 6);
}

static void mounts_name_a_volume_or_bring_one(void **state)
{
	auto_pod_manifest struct pod_manifest *pod = read_pod(
		"{" HEAD "," ONE_APP ",\"mounts\":["
		"{\"volume\":\"e\",\"path\":\"/e\"},"
		"{\"volume\":\"x\",\"path\":\"/x\",\"appVolume\":"
		"{\"name\":\"x\",\"kind\":\"host\",\"source\":\"/srv\",\"readOnly\":true}}]}],"
		"\"volumes\":[{\"name\":\"e\",\"kind\":\"empty\"}]}");
	const struct pod_mount *mounts = pod->apps[0].mounts;

	(void)state;
	assert_int_equal(pod->apps[0].mount_count, 2);
	assert_string_equal(mounts[0].volume, "e");
	assert_string_equal(mounts[0].path, "/e");
	assert_null(mounts[0].app_volume);
	assert_true(mounts[1].app_volume->read_only);
}

static void ports_and_isolators_of_the_pod_are_read(void **state)
{
	auto_pod_manifest struct pod_manifest *pod = read_pod(
		"{" HEAD "," ONE_APP "}],\"ports\":["
		"{\"name\":\"ftp\",\"hostPort\":2121,\"hostIP\":\"203.0.113.23\"},"
		"{\"name\":\"w\",\"hostPort\":80,\"podPort\":"
		"{\"name\":\"w\",\"port\":8080,\"protocol\":\"tcp\"}}],\"isolators\":["
		"{\"name\":\"resource/memory\",\"value\":{\"limit\":\"4G\"}},"
		"{\"name\":\"os/unix/sysctl\",\"value\":{\"net.core.somaxconn\":\"1\"}}]}");

	(void)state;
	assert_int_equal(pod->ports[0].host_port, 2121);
	assert_string_equal(pod->ports[0].host_ip, "203.0.113.23");
	assert_null(pod->ports[0].pod_port);
	assert_int_equal(pod->ports[1].pod_port->port, 8080);
	assert_int_equal(pod->isolation.memory.limit, 4000000000);
	assert_string_equal(pod->isolation.sysctls[0].name, "net.core.somaxconn");
	assert_string_equal(pod->isolation.sysctls[0].value, "1");
}

/* As Rocket 0.1.1 wrote it: nulls for what is empty, an image's name as the app's. */
static void runtime_manifest_is_read_as_a_pod(void **state)
{
	auto_pod_manifest struct pod_manifest *pod =
		read_pod("{\"acVersion\":\"0.1.0\",\"acKind\":\"ContainerRuntimeManifest\","
			 "\"uuid\":\"6733c088-a507-4694-aabf-edbe4fc5266f\","
			 "\"apps\":[{\"name\":\"example.com/reader\",\"imageID\":\"" ID "\","
			 "\"isolators\":null,\"annotations\":null}],"
			 "\"volumes\":[{\"kind\":\"host\",\"fulfills\":[\"database\",\"log\"],"
			 "\"source\":\"/tmp\",\"readOnly\":true}],"
			 "\"isolators\":null,\"annotations\":null}");

	(void)state;
	assert_string_equal(pod->uuid, "6733c088-a507-4694-aabf-edbe4fc5266f");
	assert_string_equal(pod->apps[0].name, "reader");
	assert_string_equal(pod->apps[0].image_name, "example.com/reader");
	assert_string_equal(pod->apps[0].image_id, ID);
	assert_null(pod->apps[0].isolation);
	assert_int_equal(pod->volume_count, 2);
	assert_string_equal(pod->volumes[1].name, "log");
	assert_string_equal(pod->volumes[1].source, "/tmp");
	assert_true(pod->volumes[1].read_only);
}

static void runtime_isolators_of_an_app_are_kept(void **state)
{
	auto_pod_manifest struct pod_manifest *pod =
		read_pod("{\"acVersion\":\"0.1.1\",\"acKind\":\"ContainerRuntimeManifest\","
			 "\"uuid\":\"6733C088-A507-4694-AABF-EDBE4FC5266F\","
			 "\"apps\":[{\"app\":\"example.com/reader\",\"imageID\":\"" ID "\","
			 "\"isolators\":[{\"name\":\"memory/limit\",\"val\":\"1G\"}]}]}");

	(void)state;
	assert_int_equal(pod->apps[0].isolation->memory.limit, 1000000000);
}

/* S-015: each mount is looked up by bisection, so many of both take no time. */
static void many_mounts_are_no_burden(void **state)
{
	auto_buf struct buf text = { 0 };

	(void)state;
	buf_append_text(&text, "{" HEAD "," ONE_APP ",\"mounts\":[");
	for (int i = 0; i < 15000; i++)
		buf_printf(&text, "%s{\"volume\":\"v%d\",\"path\":\"/\"}", i ? "," : "", i);
	buf_append_text(&text, "]}],\"volumes\":[");
	for (int i = 0; i < 15000; i++)
		buf_printf(&text, "%s{\"name\":\"v%d\",\"kind\":\"empty\"}", i ? "," : "", i);
	buf_append_text(&text, "]}");
	pod_manifest_free(read_pod(buf_text(&text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(apps_are_read),
		cmocka_unit_test(volumes_have_the_defaults_of_the_text),
		cmocka_unit_test(mounts_name_a_volume_or_bring_one),
		cmocka_unit_test(ports_and_isolators_of_the_pod_are_read),
		cmocka_unit_test(runtime_manifest_is_read_as_a_pod),
		cmocka_unit_test(runtime_isolators_of_an_app_are_kept),
		cmocka_unit_test(many_mounts_are_no_burden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
