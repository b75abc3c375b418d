/* From what the user typed to an image in the store. */
#include "runner/images.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "aci/id.h"
#include "base/error.h"

/* Opens REFERENCE when it is a file: a descriptor, -2 when it is none, -1 on error. */
static int open_file(const char *reference, rkt_error **err)
{
	auto_fd int fd = open(reference, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool only_a_path = reference[0] == '/' || reference[0] == '.';
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR) && !only_a_path)
		return -2;
	if (fd < 0)
		return rkt_fail_errno(err, "open %s", reference);
	if (fstat(fd, &st) < 0)
		return rkt_fail_errno(err, "stat %s", reference);
	if (S_ISREG(st.st_mode))
		return pass_fd(fd);
	if (only_a_path)
		return rkt_fail(err, RKT_INVALID, "%s: not a regular file", reference);
	return -2;
}

static int import(rkt_store *store, const char *reference, int fd,
	const struct rkt_import_options *options, rkt_image_record **ret, rkt_error **err)
{
	ERROR_SCOPE(err, "importing", reference);
	rkt_image_id id;

	if (rkt_store_import(store, fd, options, &id, err) < 0)
		return -1;
	return rkt_store_find(store, id.text, ret, err);
}

/* A SHA-512 may be one nobody made yet; an image that cannot be read is then simply not it. */
static int find_by_id(
	rkt_store *store, const char *reference, rkt_image_record **ret, rkt_error **err)
{
	auto_error rkt_error *missing = NULL;

	if (rkt_store_find(store, reference, ret, &missing) == 0)
		return 0;
	if (rkt_error_kind(missing) != RKT_MISSING || id_form_of(reference, NULL) != ID_SHA512)
		return rkt_fail_with(err, pass_ptr(missing));
	rkt_store_learn_sha512(store, NULL, NULL, NULL);
	return rkt_store_find(store, reference, ret, err);
}

int image_resolve(rkt_store *store, const char *reference, const struct rkt_import_options *options,
	rkt_image_record **ret, rkt_error **err)
{
	auto_error rkt_error *by_id = NULL;
	auto_fd int fd = -1;

	if (strstr(reference, "://"))
		return rkt_fail(err, RKT_FAILED,
			"%s: fetching over the network is not there yet; download the image and "
			"give its file name",
			reference);
	if (id_form_of(reference, NULL) != ID_NONE) {
		if (find_by_id(store, reference, ret, &by_id) == 0)
			return 0;
		if (rkt_error_kind(by_id) != RKT_MISSING)
			return rkt_fail_with(err, pass_ptr(by_id));
	}
	fd = open_file(reference, err);
	if (fd == -1)
		return -1;
	if (fd >= 0)
		return import(store, reference, fd, options, ret, err);
	return by_id ? rkt_fail_with(err, pass_ptr(by_id))
		     : rkt_store_find(store, reference, ret, err);
}
