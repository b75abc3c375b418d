/* rkt-store fetch: images from the web or from files into the store, their IDs to stdout. */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cli/complete.h"
#include "cli/out.h"
#include "cli/progress.h"
#include "cli/secret.h"
#include "store/cmd.h"
#include "store/cmd_fetch_display.h"
#include "store/fetch/parallel.h"
#include "store/fetch/tries.h"

#define JOBS_USUAL        4
#define CONNECTIONS_USUAL 4
#define JOBS_MAX          32
#define TRIES_MAX         100
#define WAIT_MAX          3600 /* seconds */
#define TIME_USUAL        (-1)
#define SIZE_MAX_USUAL    (32ull << 30)

static const char *const insecure_offers[] = { "image", "tls", "http", "all-fetch", "all", "none",
	NULL };
static const char *const policies[] = { "update", "new", "never", NULL };

struct fetch_settings {
	const char *dir, *signature, *insecure, *cacert, *certificate, *key;
	struct opts_list headers;
	int policy; /* enum fetch_policy */
	uint64_t jobs, connections, max_size, tries;
	int64_t connect_sec, idle_sec, wait_sec;
	bool no_cache, no_dependencies, json;
	bool insecure_image, insecure_tls, insecure_http;
	bool ends_unread; /* as in a fetch_display, if there is a pipe */
};

/* ---- what is not safe ------------------------------------------------------------------------ */

enum { ALLOW_IMAGE = 1, ALLOW_TLS = 2, ALLOW_HTTP = 4, ALLOW_ALL = 7 };

/* The words of rkt. Those of other commands mean nothing here, and are no faults. */
static const struct {
	const char *word;
	unsigned allows;
} insecure_words[] = {
	{ "none", 0 },
	{ "image", ALLOW_IMAGE },
	{ "tls", ALLOW_TLS },
	{ "http", ALLOW_HTTP },
	{ "all-fetch", ALLOW_ALL },
	{ "all", ALLOW_ALL },
	{ "pubkey", 0 },
	{ "ondisk", 0 },
	{ "capabilities", 0 },
	{ "paths", 0 },
	{ "seccomp", 0 },
	{ "all-run", 0 },
};

static int allow(struct fetch_settings *self, const char *word, rkt_error **err)
{
	for (size_t i = 0; i < ARRAY_LEN(insecure_words); i++) {
		unsigned allows = insecure_words[i].allows;

		if (strcmp(word, insecure_words[i].word) != 0)
			continue;
		self->insecure_image |= (allows & ALLOW_IMAGE) != 0;
		self->insecure_tls |= (allows & ALLOW_TLS) != 0;
		self->insecure_http |= (allows & ALLOW_HTTP) != 0;
		return 0;
	}
	return rkt_fail(err, RKT_USAGE,
		"--insecure-options: there is none, image, tls, http, all-fetch and all, not '%s'",
		word);
}

static int allow_all(struct fetch_settings *self, rkt_error **err)
{
	auto_free char *words = xstrdup(self->insecure ? self->insecure : "none");
	char *rest = words, *word;

	while ((word = strsep(&rest, ",")))
		if (allow(self, word, err) < 0)
			return -1;
	return 0;
}

/* ---- what is sent --------------------------------------------------------------------------- */

/* Adds the host that REFERENCE, typed by the user, is asked of, if any is. Names are asked about
 * over TLS, so that what their pages say cannot send the user's headers without it. */
static void add_host(struct names *hosts, const char *reference)
{
	enum fetch_kind kind = fetch_kind_of(reference);
	char *host = NULL;

	if (kind == FETCH_URL)
		host = http_url_origin(reference, NULL);
	else if (kind == FETCH_NAME)
		host = xasprintf("https://%.*s", (int)strcspn(reference, "/:,"), reference);
	if (host)
		names_add(hosts, host);
}

/* Who gets the user's headers: nobody that a page, or an image that needs another, names. */
static void add_hosts(struct names *hosts, const struct fetch_settings *settings,
	const struct operands *references)
{
	for (size_t i = 0; i < references->count; i++)
		add_host(hosts, references->items[i]);
	if (settings->signature && strstr(settings->signature, "://"))
		add_host(hosts, settings->signature);
}

/* ---- the beginning --------------------------------------------------------------------------- */

/* As http.h takes it: 0 is the usual. */
static unsigned seconds(int64_t given)
{
	return given == TIME_USUAL ? 0 : (unsigned)given;
}

/* HEADERS are the same with a NULL at their end. */
static struct http_options http_options_of(
	const struct fetch_settings *settings, const char *const *headers)
{
	return (struct http_options){ .cacert = cmd_cacert(settings->cacert),
		.certificate = settings->certificate,
		.key = settings->key,
		.headers = headers,
		.allow_http = settings->insecure_http,
		.http_hint = "--insecure-options=http",
		.skip_tls_checks = settings->insecure_tls,
		.connect_sec = seconds(settings->connect_sec),
		.answer_sec = seconds(settings->idle_sec),
		.slow_sec = seconds(settings->idle_sec) };
}

static bool is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

static int fetch_with(const struct fetch_settings *settings, const struct operands *references,
	struct fetching *all, rkt_error **err)
{
	struct fetch_display display = { .json = settings->json,
		.ends_unread = settings->ends_unread && is_pipe(STDOUT_FILENO),
		.no_dependencies = settings->no_dependencies,
		.store = all->store,
		.lock = PTHREAD_MUTEX_INITIALIZER };
	auto_free char *what = references->count == 1 ? fetch_shown(references->items[0])
						      : xasprintf("%zu images", references->count);
	struct fetch_wishes wishes = { .all = all,
		.references = references->items,
		.count = references->count,
		.threads = (unsigned)settings->jobs,
		.no_dependencies = settings->no_dependencies,
		.done = fetch_display_end,
		.context = &display };
	int result;

	all->progress = fetch_display_count;
	all->tell = fetch_display_tell;
	all->context = &display;
	display.progress = settings->json ? NULL : progress_start(what, 0);
	display.shows_bytes =
		settings->json ? !out_is_quiet() : progress_is_shown(display.progress);
	if (display.shows_bytes || display.ends_unread)
		wishes.tick = fetch_display_tick;
	result = fetch_all(&wishes, err);
	progress_end(display.progress);
	return result;
}

/* A signature is for one image that comes: a name may have many places, an ID is in the store. */
static int check_signature(
	const struct fetch_settings *settings, const struct operands *references, rkt_error **err)
{
	enum fetch_kind kind = fetch_kind_of(references->items[0]);

	if (!settings->signature)
		return 0;
	if (references->count > 1)
		return rkt_fail(err, RKT_USAGE, "--signature is for one image");
	if (kind != FETCH_FILE && kind != FETCH_URL)
		return rkt_fail(err, RKT_USAGE, "--signature is for a URL or a file");
	if (settings->insecure_image)
		return rkt_fail(err, RKT_USAGE,
			"--signature and --insecure-options=image exclude each other");
	return 0;
}

static int check_settings(
	struct fetch_settings *settings, const struct operands *references, rkt_error **err)
{
	if (allow_all(settings, err) < 0 || check_signature(settings, references, err) < 0)
		return -1;
	if (!settings->jobs || settings->jobs > JOBS_MAX)
		return rkt_fail(err, RKT_USAGE, "--jobs is from 1 to %d", JOBS_MAX);
	if (!settings->connections || settings->connections > PARALLEL_MAX)
		return rkt_fail(err, RKT_USAGE, "--connections is from 1 to %d", PARALLEL_MAX);
	if (!settings->tries || settings->tries > TRIES_MAX)
		return rkt_fail(err, RKT_USAGE, "--tries is from 1 to %d", TRIES_MAX);
	if (!settings->connect_sec || !settings->idle_sec || !settings->max_size)
		return rkt_fail(err, RKT_USAGE,
			"--connect-timeout, --idle-timeout and --max-size of 0 let nothing come");
	if (settings->connect_sec > WAIT_MAX || settings->idle_sec > WAIT_MAX ||
		settings->wait_sec > WAIT_MAX)
		return rkt_fail(err, RKT_USAGE, "at most %d seconds are waited", WAIT_MAX);
	for (size_t i = 0; i < settings->headers.count; i++)
		if (!header_line_is_sane(slice_of_text(settings->headers.items[i])))
			return rkt_fail(err, RKT_USAGE, "--header is a line \"NAME: VALUE\"");
	return 0;
}

/* Says once which key files are of no use. */
static int read_keys(struct trusted_keys *keys, rkt_error **err)
{
	if (keys_read(keys, err) < 0)
		return -1;
	for (size_t i = 0; i < keys->problems.count; i++)
		out_warning("%s", keys->problems.items[i]);
	return 0;
}

static int fetch(
	struct fetch_settings *settings, const struct operands *references, rkt_error **err)
{
	auto_trusted_keys struct trusted_keys keys = { 0 };
	auto_free const char **headers = xcalloc(settings->headers.count + 1, sizeof *headers);
	auto_config_auth struct config_auth auth = { 0 };
	auto_names struct names hosts = { 0 };
	auto_store rkt_store *store = NULL;
	struct fetching all = { .policy = (enum fetch_policy)settings->policy,
		.no_cache = settings->no_cache,
		.signature = settings->signature,
		.keys = &keys,
		.connections = (unsigned)settings->connections,
		.tries = (unsigned)settings->tries,
		.wait_ms = settings->wait_sec ? (unsigned)settings->wait_sec * 1000 : 1,
		.max_bytes = settings->max_size };

	if (check_settings(settings, references, err) < 0)
		return -1;
	secret_close_memory();
	/* libcurl and gpgme want it ignored; who started us ignoring it wants to be told instead */
	settings->ends_unread = signal(SIGPIPE, SIG_IGN) == SIG_DFL;
	http_prepare();
	for (size_t i = 0; i < settings->headers.count; i++)
		headers[i] = settings->headers.items[i];
	if (config_auth_read(&auth, err) < 0)
		return -1;
	if (auth.open_file)
		out_warning(
			"everybody on this machine may read %s, which has secrets", auth.open_file);
	all.unsigned_too = settings->insecure_image;
	all.http = http_options_of(settings, headers);
	all.http.auth = &auth;
	add_hosts(&hosts, settings, references);
	all.http.hosts = &hosts;
	if (http_check_files(&all.http, err) < 0)
		return -1;
	store = rkt_store_open(settings->dir, RKT_STORE_WRITE, err);
	all.store = store;
	if (!store || (!settings->insecure_image && read_keys(&keys, err) < 0))
		return -1;
	return fetch_with(settings, references, &all, err);
}

int cmd_fetch(int argc, char **argv, rkt_error **err)
{
	static const char *const usage[] = { "[OPTIONS] REFERENCE...", NULL };
	static const struct command_example examples[] = {
		{ "rkt-store fetch example.com/app:1.0.0", "Asks the web where that image is." },
		{ "rkt-store fetch https://example.com/app.aci",
			"Its signature is app.aci.asc there." },
		{ "rkt-store fetch --insecure-options=image ./app.aci https://example.com/b.aci",
			"Takes what nobody signed." },
		{ NULL, NULL },
	};
	static const char *const see_also[] = { "rkt-store-trust(1)", "rkt-store-import(1)",
		"rkt-store-config(1)", "rkt-store(1)", "rkt-run(1)", NULL };
	struct fetch_settings settings = { .jobs = JOBS_USUAL,
		.connections = CONNECTIONS_USUAL,
		.max_size = SIZE_MAX_USUAL,
		.connect_sec = TIME_USUAL,
		.idle_sec = TIME_USUAL,
		.tries = TRIES_USUAL,
		.wait_sec = 1 };
	const struct opt options[] = {
		CMD_OPTION_DIR(&settings.dir),
		{ .name = "pull-policy",
			.kind = OPT_CHOICE,
			.into = &settings.policy,
			.choices = policies,
			.help = "update: ask whether there is something newer, and take what is in the store for a "
				"dependency that cannot be asked for. new: only when the image "
				"is not in the store. never: ask nobody. update without it." },
		{ .name = "signature",
			.kind = OPT_TEXT,
			.into = &settings.signature,
			.argument = "FILE|URL",
			.help = "The signature, instead of the one at the place of the image with .asc "
				"behind the path. The image is fetched wholly then, whatever is known of "
				"its URL, and --pull-policy=never is an error." },
		{ .name = "insecure-options",
			.kind = OPT_TEXT,
			.into = &settings.insecure,
			.argument = "WORD,...",
			.choices = insecure_offers,
			.help = "image: take what nobody signed. tls: any certificate. http: no TLS. "
				"all-fetch or all: all of these. none: nothing." },
		{ .name = "no-cache",
			.kind = OPT_FLAG,
			.into = &settings.no_cache,
			.help = "Fetch the whole file, whatever is known of its URL." },
		{ .name = "no-deps",
			.kind = OPT_FLAG,
			.into = &settings.no_dependencies,
			.help = "Leave the dependencies of the images alone." },
		{ .name = "jobs",
			.letter = 'j',
			.kind = OPT_NUMBER,
			.into = &settings.jobs,
			.argument = "N",
			.help = "Fetch up to N at once. 4 without it." },
		{ .name = "connections",
			.kind = OPT_NUMBER,
			.into = &settings.connections,
			.argument = "N",
			.help = "Fetch the rest of a large file that comes slowly by up to N connections, "
				"where the server can send parts. 4 without it." },
		{ .name = "cacert",
			.kind = OPT_TEXT,
			.into = &settings.cacert,
			.argument = "FILE",
			.help = "Only the CAs in this PEM file count, not those of the system. "
				"$RKT_CACERT without it, for rkt-run and rkt-store trust too." },
		{ .name = "cert",
			.kind = OPT_TEXT,
			.into = &settings.certificate,
			.argument = "FILE",
			.help = "The certificate (PEM) by which servers know you." },
		{ .name = "key",
			.kind = OPT_TEXT,
			.into = &settings.key,
			.argument = "FILE",
			.help = "Its key, where that is not in the same file. One with a passphrase "
				"cannot be used." },
		{ .name = "header",
			.kind = OPT_LIST,
			.into = &settings.headers,
			.argument = "LINE",
			.help = "A header field, \"NAME: VALUE\", for the hosts of the URLs and names given, not "
				"for those they send us to, and without TLS only where the URL given is "
				"http; may be repeated." },
		{ .name = "tries",
			.kind = OPT_NUMBER,
			.into = &settings.tries,
			.argument = "N",
			.help = "How often a download, or one of the pages about a name, is tried when what "
				"went wrong may pass. 5 without it." },
		{ .name = "retry-wait",
			.kind = OPT_DURATION,
			.into = &settings.wait_sec,
			.argument = "TIME",
			.help = "How long to wait before the second try; twice that before the third, and so "
				"on, or what the server asks for. 1s without it." },
		{ .name = "connect-timeout",
			.kind = OPT_DURATION,
			.into = &settings.connect_sec,
			.argument = "TIME",
			.help = "How long a connection may take. 20s without it." },
		{ .name = "idle-timeout",
			.kind = OPT_DURATION,
			.into = &settings.idle_sec,
			.argument = "TIME",
			.help = "How long an answer may let us wait, or come below 1 KiB a second. 60s and "
				"30s without it." },
		{ .name = "max-size",
			.kind = OPT_SIZE,
			.into = &settings.max_size,
			.argument = "SIZE",
			.help = "Refuse larger files. 32G without it." },
		{ .name = "json",
			.kind = OPT_FLAG,
			.into = &settings.json,
			.help = "Print what happens, one JSON object a line, instead of IDs." },
		CMD_OPTIONS_END,
	};
	const struct command command = { .program = "rkt-store fetch",
		.usage = usage,
		.summary = "bring images into the store, with what they depend on",
		.description =
			"Brings each image into the store, and those it depends on, and prints the IDs of "
			"those that were asked for, one a line.\n\n"
			"REFERENCE is an https URL; a file (a path that begins with / or ./, or ends in "
			".aci, or exists; - is standard input); an app name with labels as in "
			"example.com/app:1.0.0,os=linux, which the web is asked about (appc discovery); or "
			"an ID, which must be in the store.\n\n"
			"What comes from the web must be signed by a key that is trusted for the name of "
			"the image: see rkt-store trust. The signature of https://HOST/a.aci?QUERY is "
			"asked for at https://HOST/a.aci.asc?QUERY; where that cannot be, as for a URL "
			"that is signed itself (presigned), name it with --signature. A file that you "
			"name is taken at your word; a signature beside it, FILE.asc, must be good.\n\n"
			"A download that broke off is gone on with, now or the next time, when the server "
			"proves that the file is the same. What has not changed since it was fetched is "
			"not fetched again. 64 MiB of the disk are kept free. Credentials come from auth.d of the configuration "
			"(rkt-store config), or from the URL, where others can read them until the "
			"program has begun. Proxies come from the environment "
			"(https_proxy, no_proxy).",
		.options = options,
		.examples = examples,
		.see_also = see_also,
		.candidates_command = COMPLETE_IMAGES,
		.operands_min = 1,
		.operands_max = -1 };
	auto_operands struct operands references = { NULL };
	int result = opts_parse(&command, argc, argv, &references, err);

	if (result > 0)
		result = fetch(&settings, &references, err);
	free(settings.headers.items);
	return result;
}
