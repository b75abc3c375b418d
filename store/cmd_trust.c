/* rkt-store trust: whose signatures count. Which form it is, and what all forms share. */
#include "store/cmd_trust.h"

#include <string.h>

#include "aci/name.h"
#include "base/alloc.h"
#include "cli/out.h"
#include "cli/secret.h"

size_t trust_warn(const struct trusted_keys *keys, size_t from)
{
	for (size_t i = from; i < keys->problems.count; i++)
		out_warning("%s", keys->problems.items[i]);
	return keys->problems.count;
}

int trust_read(struct trusted_keys *keys, rkt_error **err)
{
	if (keys_read(keys, err) < 0)
		return -1;
	trust_warn(keys, 0);
	return 0;
}

int trust_check_scope(const struct trust_settings *settings, rkt_error **err)
{
	auto_free char *shown = NULL;
	const char *why;

	if (settings->root == (settings->prefix != NULL))
		return rkt_fail(err, RKT_USAGE,
			"say which images it is about: --prefix=NAME, or --root for all");
	if (!settings->prefix || ac_identifier_is(settings->prefix, &why))
		return 0;
	shown = secret_left_out(settings->prefix); /* it may be a URL */
	return rkt_fail(err, RKT_USAGE, "--prefix: no image is called %s: %s", shown, why);
}

char *trust_scope_words(const char *prefix)
{
	return prefix ? xasprintf("images called %s, or %s/ and more", prefix, prefix)
		      : xstrdup("all images");
}

static int run(const struct trust_settings *settings, const struct operands *words, rkt_error **err)
{
	const char *form = words->count ? words->items[0] : NULL;

	if (form && strcmp(form, "list") == 0) {
		if (words->count > 1 || settings->prefix || settings->root)
			return rkt_fail(err, RKT_USAGE, "'trust list' lists all keys");
		return trust_list(settings, err);
	}
	if (settings->json)
		return rkt_fail(err, RKT_USAGE, "--json is for 'trust list'");
	if (trust_check_scope(settings, err) < 0)
		return -1;
	if (form && strcmp(form, "rm") == 0)
		return trust_rm(settings, words, 1, err);
	if (form && strcmp(form, "mask") == 0)
		return trust_mask(settings, words, 1, err);
	if (!form && settings->root)
		return rkt_fail(
			err, RKT_USAGE, "no KEYFILE: the web is asked for keys of a --prefix only");
	return trust_add(settings, words, err);
}

static const char description[] =
	"Whose signatures count, for all images or for some. A key is one OpenPGP public key in a "
	"file, armored or not, or at a URL; - is standard input. Without any the discovery page of "
	"--prefix is asked where its keys are (appc discovery). What it is is shown, and you are asked whether "
	"to trust it: compare the fingerprint with what its owner told you by another way. Where "
	"there is no terminal to ask at, --yes is needed.\n\n"
	"A key that is trusted for the prefix example.com/app speaks for images called "
	"example.com/app, example.com/app/web and so on, not for example.com/apple. One that is "
	"trusted with --root speaks for all.\n\n"
	"Keys lie in files of their own, trustedkeys/prefix.d/PREFIX/FINGERPRINT and "
	"trustedkeys/root.d/FINGERPRINT, below the configuration directories of the system "
	"(/usr/lib/rkt), the administrator (/etc/rkt) and the user (~/.config/rkt). Those of the "
	"user come after those of the administrator, and these after the system's; "
	"prefix.d comes after root.d; and an empty file takes back what was said of its key before.\n\n"
	"'trust list' shows all of them. 'trust rm' removes keys that were added by this command. "
	"'trust mask' writes the empty file: for keys of others, the system's for example. What is "
	"written lies in the user's directory, but for root in the administrator's, unless "
	"$RKT_USER_CONFIG names a directory. A key "
	"file called list, rm or mask is ./list, ./rm or ./mask.";

int cmd_trust(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS] (--prefix=NAME | --root) KEYFILE|URL...",
		"[OPTIONS] --prefix=NAME", "list [--json]",
		"rm (--prefix=NAME | --root) FINGERPRINT...",
		"mask (--prefix=NAME | --root) FINGERPRINT...", NULL };
	static const char *const forms[] = { "list", "rm", "mask", NULL };
	static const struct command_example examples[] = {
		{ "rkt-store trust --prefix=example.com/app app-key.asc",
			"Shows the key and asks." },
		{ "rkt-store trust --prefix=example.com/app",
			"Asks https://example.com/app where the key is." },
		{ "rkt-store trust mask --root 8b86de38890ddb7291867b025210bd8888182190",
			"A key the system trusts speaks no more." },
		{ NULL, NULL },
	};
	struct trust_settings settings = { 0 };
	const char *dir;
	const struct opt options[] = {
		CMD_OPTION_DIR(&dir),
		{ .name = "prefix",
			.kind = OPT_TEXT,
			.into = &settings.prefix,
			.argument = "NAME",
			.help = "For images with this name, and those below it." },
		{ .name = "root",
			.kind = OPT_FLAG,
			.into = &settings.root,
			.help = "For all images." },
		{ .name = "yes",
			.letter = 'y',
			.kind = OPT_FLAG,
			.into = &settings.yes,
			.help = "Do not ask: for scripts that got the key by a safe way." },
		{ .name = "skip-fingerprint-review",
			.kind = OPT_FLAG,
			.into = &settings.yes,
			.help = NULL },
		{ .name = "cacert",
			.kind = OPT_TEXT,
			.into = &settings.cacert,
			.argument = "FILE",
			.help = "Only the CAs in this PEM file count for URLs, not those of the system. "
				"$RKT_CACERT without it." },
		{ .name = "insecure-allow-http",
			.kind = OPT_FLAG,
			.into = &settings.allow_http,
			.help = "Get keys without TLS too: compare the fingerprint." },
		CMD_OPTION_JSON(&settings.json),
		CMD_OPTIONS_END,
	};
	static const char *const see_also[] = { "rkt-store-import(1)", "rkt-store-config(1)",
		"aci-validate(1)", "gpg(1)", NULL };
	const struct command command = { .program = "rkt-store trust",
		.usage = usage,
		.words = forms,
		.summary = "say whose signatures count",
		.description = description,
		.options = options,
		.examples = examples,
		.see_also = see_also,
		.operands_max = -1 };
	auto_operands struct operands words = { NULL };
	int got = opts_parse(&command, argc, argv, &words, err);

	return got > 0 ? run(&settings, &words, err) : got;
}
