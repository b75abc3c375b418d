/* Image manifests, of all the texts of the specification: fuzz_manifest.h says what is promised. */
#include "tests/fuzz/fuzz_manifest.h"

#include "aci/manifest.h"
#include "aci/name.h"

static bool read_image(struct slice bytes, check *findings, rkt_error **err)
{
	auto_image_manifest struct image_manifest *manifest =
		image_manifest_parse(bytes, findings, err);

	return manifest;
}

static void check_app(const struct app *app)
{
	PROMISE(!app->exec || *app->exec);
	for (size_t i = 0; i < app->mount_point_count; i++)
		PROMISE(app->mount_points[i].path[0] == '/');
	for (size_t i = 0; i < app->port_count; i++)
		PROMISE(app->ports[i].port >= 1 && app->ports[i].port <= 65535);
	PROMISE(app->isolation.oom_score_adj >= -1000 && app->isolation.oom_score_adj <= 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = { data, size };
	auto_image_manifest struct image_manifest *manifest = NULL;

	check_manifest(read_image, bytes);
	manifest = image_manifest_parse(bytes, NULL, NULL);
	if (!manifest)
		return 0;
	PROMISE(ac_identifier_is(manifest->name, NULL));
	for (size_t i = 0; i < manifest->label_count; i++)
		PROMISE(image_manifest_label(manifest, manifest->labels[i].name) ==
			manifest->labels[i].value);
	for (size_t i = 0; i < manifest->path_whitelist_count; i++)
		PROMISE(manifest->path_whitelist[i][0] == '/');
	if (manifest->app)
		check_app(manifest->app);
	check_round_trip(read_image, manifest->document);
	return 0;
}
