/* Asking aci-verify-signature. */
#include "aci-tools/signature.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "aci-tools/files.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/proc.h"

#define HELPER     "aci-verify-signature"
#define ANSWER_MAX (64 * 1024)

/* A pipe is read into an unnamed file: it must be read twice. */
static int spool(int *fd, rkt_error **err)
{
	auto_fd int copy = file_nameless(err);

	if (copy < 0 || fd_copy(*fd, copy, err) < 0)
		return -1;
	if (lseek(copy, 0, SEEK_SET) < 0)
		return rkt_fail_errno(err, "seek");
	close(*fd);
	*fd = pass_fd(copy);
	return 0;
}

/* Makes findings of the helper's ANSWER (store/trust/aci-verify-signature.c). */
static int judge(const json *answer, const struct signature *self, check *found, char *ret_hex,
	rkt_error **err)
{
	const char *verdict = json_string(json_get(answer, "verdict"));
	const char *why = json_string(json_get(answer, "why"));
	const char *hex = json_string(json_get(answer, "sha256"));
	const char *error = json_string(json_get(answer, "error"));
	size_t hex_len = digest_hex_len(DIGEST_SHA256);

	if (error)
		return rkt_fail(err, RKT_FAILED, "%s", error);
	if (!verdict || !why || !hex || strlen(hex) != hex_len || !hex_is(hex, hex_len))
		return rkt_fail(err, RKT_FAILED, HELPER " gave no answer");
	memcpy(ret_hex, hex, hex_len + 1);
	if (strcmp(verdict, "good") == 0)
		return 0;
	return check_report(found,
		strcmp(verdict, "untrusted") == 0 ? "signature-untrusted" : "signature-invalid",
		self->file, err, "%s", why);
}

/* Runs the helper with FD as its standard input. */
static int ask(const struct signature *self, int fd, struct buf *answer, rkt_error **err)
{
	auto_free char *helper = proc_helper_path(HELPER, err);
	auto_free char **argv = NULL;
	auto_free char *file = xstrdup(self->file);
	size_t count = 0;
	int status;

	if (!helper)
		return -1;
	while (self->keyrings[count])
		count++;
	argv = xcalloc(count + 4, sizeof *argv);
	argv[0] = helper;
	argv[1] = (char[]){ "--" };
	argv[2] = file;
	for (size_t i = 0; i < count; i++)
		argv[3 + i] = xstrdup(self->keyrings[i]);
	status = proc_capture(argv, fd, ANSWER_MAX, answer, err);
	for (size_t i = 0; i < count; i++)
		free(argv[3 + i]);
	return status < 0 ? -1 : 0;
}

int signature_check(const struct signature *self, int *fd, check *found,
	char ret_hex[static DIGEST_HEX_MAX + 1], rkt_error **err)
{
	ERROR_SCOPE(err, "checking the signature", self->file);
	auto_buf struct buf text = { 0 };
	auto_json json *answer = NULL;
	off_t start = lseek(*fd, 0, SEEK_CUR);

	if (start < 0) {
		if (spool(fd, err) < 0)
			return -1;
		start = 0;
	}
	if (ask(self, *fd, &text, err) < 0)
		return -1;
	if (lseek(*fd, start, SEEK_SET) < 0)
		return rkt_fail_errno(err, "seek");
	answer = json_parse(buf_slice(&text), NULL);
	return judge(answer, self, found, ret_hex, err);
}
