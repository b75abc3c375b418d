/*
 * aci-verify-signature: whether a signature over standard input is one to be trusted. Not for
 * people: aci-validate runs it, and reads its answer, one JSON object on standard output:
 *
 *	{"verdict": "good" | "invalid" | "untrusted", "why": TEXT, "sha256": HEX of standard input,
 *	 "fingerprint": HEX, "primary": HEX, "made": seconds since 1970}
 *
 * "fingerprint" and what follows are there where they are known. When nothing can be said it is
 * {"error": TEXT}, and the exit status not 0.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "cli/main.h"
#include "cli/out.h"
#include "store/trust/verify.h"

static int read_file(const char *file, size_t max, struct buf *ret, rkt_error **err)
{
	ERROR_SCOPE(err, "reading", file);
	auto_fd int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_MISSING, "no such file");
	if (fd < 0)
		return rkt_fail_errno(err, "open");
	return fd_read_rest(fd, max, ret, err);
}

static int add_keyring(trust_home *home, const char *file, rkt_error **err)
{
	auto_buf struct buf keys = { 0 };

	if (read_file(file, TRUST_KEYRING_MAX, &keys, err) < 0)
		return -1;
	if (trust_home_add(home, buf_slice(&keys), err) < 0)
		return rkt_fail_outer(err, "keyring %s", file);
	return 0;
}

static int verify(const struct operands *files, struct trust_result *ret, rkt_error **err)
{
	auto_buf struct buf signature = { 0 };
	auto_trust_home trust_home *home = NULL;

	if (read_file(files->items[0], TRUST_SIGNATURE_MAX, &signature, err) < 0)
		return -1;
	home = trust_home_new(err);
	if (!home)
		return -1;
	for (size_t i = 1; i < files->count; i++)
		if (add_keyring(home, files->items[i], err) < 0)
			return -1;
	return trust_verify(home, buf_slice(&signature), STDIN_FILENO, ret, err);
}

static void print_result(const struct trust_result *result)
{
	static const char *const verdicts[] = {
		[TRUST_GOOD] = "good",
		[TRUST_INVALID] = "invalid",
		[TRUST_UNTRUSTED] = "untrusted",
	};
	auto_json json *answer = json_new_object();

	json_set(answer, "verdict", json_new_string(verdicts[result->verdict]));
	json_set(answer, "why", json_new_string(result->why));
	json_set(answer, "sha256", json_new_string(result->sha256));
	if (*result->fingerprint)
		json_set(answer, "fingerprint", json_new_string(result->fingerprint));
	if (result->made_sec)
		json_set(answer, "made", json_new_integer(result->made_sec));
	if (*result->primary)
		json_set(answer, "primary", json_new_string(result->primary));
	out_json(answer);
}

static int work(const struct operands *files)
{
	auto_error rkt_error *error = NULL;
	auto_json json *answer = NULL;
	struct trust_result result;

	if (verify(files, &result, &error) == 0) {
		print_result(&result);
		trust_result_free(&result);
		return 0;
	}
	answer = json_new_object();
	json_set(answer, "error", json_new_string(rkt_error_message(error)));
	out_json(answer);
	return (int)rkt_error_kind(error);
}

static int run(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "SIGNATURE KEYRING... <FILE", NULL };
	static const char *const see_also[] = { "aci-validate(1)", NULL };
	const struct command command = {
		.program = "aci-verify-signature",
		.usage = usage,
		.summary = "judge a detached OpenPGP signature for aci-validate",
		.description =
			"Says, as one JSON object, whether SIGNATURE is a good one over standard "
			"input by a key in the files KEYRING. 'aci-validate --signature' runs it.",
		.see_also = see_also,
		.operands_min = 2,
		.operands_max = -1,
	};
	auto_operands struct operands files = { NULL };
	int got = opts_parse(&command, argc, argv, &files, err);

	if (got <= 0)
		return got;
	signal(SIGPIPE, SIG_IGN); /* gpg may stop reading first */
	return work(&files);
}

int main(int argc, char **argv)
{
	return cli_main(argc, argv, run, 0);
}
