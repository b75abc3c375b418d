/* From what the user typed to an image in the store. */
#include "runner/images.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "aci/id.h"
#include "base/alloc.h"
#include "base/proc.h"

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

/* Lets rkt-store fetch bring REFERENCE and what it depends on. It says itself, on standard error,
 * what it does and what goes wrong. */
static int fetch(rkt_store *store, const char *reference, const struct image_fetching *fetching,
	rkt_image_record **ret, rkt_error **err)
{
	auto_free char *program = proc_program_path("rkt-store", err);
	auto_fd int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	auto_free char *dir = xasprintf("--dir=%s", rkt_store_path(store));
	auto_free char *policy = xasprintf("--pull-policy=%s", fetching->policy);
	auto_free char *insecure = xasprintf(
		"--insecure-options=%s", fetching->insecure ? fetching->insecure : "none");
	auto_free char *what = xstrdup(reference);
	auto_buf struct buf id = { 0 };
	char command[] = "fetch", dashes[] = "--";
	int status;

	if (!program || nothing < 0)
		return program ? rkt_fail_errno(err, "open /dev/null") : -1;
	status = proc_capture(
		(char *[]){ program, command, dir, policy, insecure, dashes, what, NULL }, nothing,
		4096, &id, err);
	if (status < 0)
		return -1;
	if (status)
		return rkt_fail_told(
			err, status <= RKT_UNTRUSTED ? (enum rkt_error_kind)status : RKT_FAILED);
	if (id.len && id.data[id.len - 1] == '\n')
		id.len--;
	return rkt_store_find(store, buf_text(&id), ret, err);
}

/* A name: of the newest image that has it here, unless the web is to be asked first. */
static int find_by_name(rkt_store *store, const char *reference,
	const struct image_fetching *fetching, rkt_image_record **ret, rkt_error **err)
{
	auto_error rkt_error *missing = NULL;

	if (strcmp(fetching->policy, "update") != 0) {
		if (rkt_store_find(store, reference, ret, &missing) == 0)
			return 0;
		if (rkt_error_kind(missing) != RKT_MISSING ||
			strcmp(fetching->policy, "never") == 0)
			return rkt_fail_with(err, pass_ptr(missing));
	}
	return fetch(store, reference, fetching, ret, err);
}

int image_resolve(rkt_store *store, const char *reference, const struct image_fetching *fetching,
	const struct rkt_import_options *options, rkt_image_record **ret, rkt_error **err)
{
	auto_error rkt_error *by_id = NULL;
	auto_fd int fd = -1;

	if (strstr(reference, "://"))
		return fetch(store, reference, fetching, ret, err);
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
		     : find_by_name(store, reference, fetching, ret, err);
}
