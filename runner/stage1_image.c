/* Finding the stage1 image and importing it on first use. */
#include "runner/stage1_image.h"

#include <fcntl.h>
#include <string.h>

#include "aci/manifest.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/proc.h"
#include "base/str.h"
#include "config/paths.h"
#include "runner/images.h"
#include "stage1/contract.h"

#define STAGE1_DEFAULT "stage1-native.aci"

/* The interface version as the annotation writes it. */
#define TEXT_OF(number)  TEXT_OF_(number)
#define TEXT_OF_(number) #number

static bool is_there(const char *path)
{
	return access(path, R_OK) == 0;
}

/* That in the directory that the configuration names: 1 with *RET, which the caller frees, 0 when
 * it names none, or -1. */
static int locate_configured(char **ret, rkt_error **err)
{
	auto_config_paths struct config_paths paths = { 0 };
	const struct config_path *images = &paths.stage1_images;
	auto_free char *file = NULL;

	if (config_paths_read(&paths, err) < 0)
		return -1;
	if (!images->path)
		return 0;
	file = xasprintf("%s/" STAGE1_DEFAULT, images->path);
	if (!is_there(file))
		return rkt_fail(err, RKT_FAILED,
			"no stage1 image: %s is not there (stage1-images of %s)", file,
			images->from);
	*ret = pass_ptr(file);
	return 1;
}

/* The path of the image; the caller frees it. */
static char *locate(const char *path, rkt_error **err)
{
	auto_free char *program = NULL, *built = NULL;
	char *configured = NULL;
	int got;
	const char *installed = RKT_LIBDIR "/stage1/" STAGE1_DEFAULT;

	if (!path)
		path = getenv("RKT_STAGE1_PATH");
	if (path && *path)
		return xstrdup(path);
	got = locate_configured(&configured, err);
	if (got)
		return got < 0 ? NULL : configured;
	program = proc_self_path(err);
	if (!program)
		return NULL;
	*strrchr(program, '/') = '\0';
	built = xasprintf("%s/stage1/native/%s", program, STAGE1_DEFAULT);
	if (is_there(built))
		return pass_ptr(built);
	if (is_there(installed))
		return xstrdup(installed);
	rkt_fail(err, RKT_FAILED, "no stage1 image: neither %s nor %s is there", built, installed);
	return NULL;
}

/* Reads FLAVOUR.id beside PATH: 1 with *RET, 0 when there is no such file, -1 on error. */
static int read_id(const char *path, rkt_image_id *ret, rkt_error **err)
{
	size_t stem = strlen(path) - (str_has_suffix(path, ".aci") ? strlen(".aci") : 0);
	auto_free char *name = xasprintf("%.*s.id", (int)stem, path);
	auto_buf struct buf text = { 0 };
	auto_fd int fd = open(name, O_RDONLY | O_CLOEXEC);
	ERROR_SCOPE(err, "reading", name);

	if (fd < 0)
		return errno == ENOENT ? 0 : rkt_fail_errno(err, "open");
	if (fd_read_rest(fd, RKT_IMAGE_ID_LEN + 1, &text, err) < 0)
		return -1;
	if (text.len && text.data[text.len - 1] == '\n')
		text.len--;
	return rkt_image_id_parse(buf_text(&text), ret, err) < 0 ? -1 : 1;
}

/* EXPECT is NULL when nobody wrote down what the image should be. */
static int import(rkt_store *store, const char *path, const rkt_image_id *expect, rkt_image_id *ret,
	rkt_error **err)
{
	const struct rkt_import_options options = { .size = sizeof options, .expect = expect };
	ERROR_SCOPE(err, "importing stage1 image", path);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return rkt_fail_errno(err, "open");
	return rkt_store_import(store, fd, &options, ret, err);
}

static int check_interface(const rkt_image_record *record, const char *path, rkt_error **err)
{
	ERROR_SCOPE(err, "stage1 image", path);
	const struct slice bytes = { (const uint8_t *)record->manifest, record->manifest_len };
	auto_image_manifest struct image_manifest *manifest =
		image_manifest_parse(bytes, NULL, err);
	const char *version;

	if (!manifest)
		return -1;
	version = image_manifest_annotation(manifest, STAGE1_ANNOTATION_VERSION);
	if (!version)
		return rkt_fail(err, RKT_INVALID, "has no annotation %s: not a stage1 image",
			STAGE1_ANNOTATION_VERSION);
	if (strcmp(version, TEXT_OF(STAGE1_INTERFACE_VERSION)) != 0)
		return rkt_fail(err, RKT_INVALID, "speaks interface version %s, not %d", version,
			STAGE1_INTERFACE_VERSION);
	return 0;
}

int stage1_image_find(rkt_store *store, const char *path, rkt_image_id *ret, rkt_error **err)
{
	auto_free char *file = locate(path, err);
	auto_image_record rkt_image_record *record = NULL;
	auto_error rkt_error *missing = NULL;
	rkt_image_id id;
	int known;

	if (!file)
		return -1;
	known = read_id(file, &id, err);
	if (known < 0)
		return -1;
	if (known && rkt_store_find(store, id.text, &record, &missing) < 0 &&
		rkt_error_kind(missing) != RKT_MISSING)
		return rkt_fail_with(err, pass_ptr(missing));
	if (!record) {
		if (import(store, file, known ? &id : NULL, &id, err) < 0 ||
			rkt_store_find(store, id.text, &record, err) < 0)
			return -1;
	}
	if (check_interface(record, file, err) < 0)
		return -1;
	*ret = id;
	return 0;
}
