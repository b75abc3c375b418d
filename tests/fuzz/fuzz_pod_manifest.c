/* Pod manifests, and container runtime manifests of 0.1: fuzz_manifest.h says what is promised. */
#include "tests/fuzz/fuzz_manifest.h"

#include "aci/name.h"
#include "aci/pod.h"

static bool read_pod(struct slice bytes, check *findings, rkt_error **err)
{
	auto_pod_manifest struct pod_manifest *manifest = pod_manifest_parse(bytes, findings, err);

	return manifest;
}

static void check_app(const struct pod_manifest *manifest, size_t number)
{
	const struct pod_app *app = &manifest->apps[number];

	PROMISE(ac_name_is(app->name, NULL));
	for (size_t i = 0; i < number; i++)
		PROMISE(strcmp(manifest->apps[i].name, app->name) != 0);
	for (size_t i = 0; i < app->mount_count; i++)
		PROMISE(app->mounts[i].path[0] == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = { data, size };
	auto_pod_manifest struct pod_manifest *manifest = NULL;

	check_manifest(read_pod, bytes);
	manifest = pod_manifest_parse(bytes, NULL, NULL);
	if (!manifest)
		return 0;
	PROMISE(manifest->app_count);
	for (size_t i = 0; i < manifest->app_count && i < 100; i++)
		check_app(manifest, i);
	for (size_t i = 0; i < manifest->volume_count; i++) {
		PROMISE(ac_name_is(manifest->volumes[i].name, NULL));
		PROMISE(manifest->volumes[i].kind != POD_VOLUME_HOST ||
			manifest->volumes[i].source[0] == '/');
		PROMISE(manifest->volumes[i].mode <= 07777);
	}
	check_round_trip(read_pod, manifest->document);
	return 0;
}
