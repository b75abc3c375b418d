/* rkt-store trust KEYFILE: a key is shown, its trust confirmed, the file written. */
#include "store/cmd_trust.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/time.h"
#include "cli/out.h"
#include "cli/secret.h"

static bool is_stdin(const char *name)
{
	return strcmp(name, "-") == 0;
}

static int get_key(
	const char *name, const struct trust_settings *settings, struct buf *ret, rkt_error **err)
{
	auto_fd int fd = -1;

	if (trust_is_url(name))
		return trust_get_url(settings, name, ret, err);
	if (is_stdin(name))
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && errno == ENOENT)
		return rkt_fail(err, RKT_MISSING, "no such file");
	if (fd < 0)
		return rkt_fail_errno(err, "open");
	return fd_read_rest(fd, KEYS_FILE_MAX, ret, err);
}

/* In groups of four, as people compare them. */
static void print_fingerprint(FILE *to, const char *digits)
{
	fputs("fingerprint:", to);
	for (size_t i = 0; digits[i]; i++)
		fprintf(to, "%s%s%c", i % 4 ? "" : " ", i == 20 ? " " : "",
			digits[i] >= 'a' ? digits[i] - 'a' + 'A' : digits[i]);
	putc('\n', to);
}

static void print_key(const struct key_info *key)
{
	char when[TIME_TEXT_SIZE];

	print_fingerprint(stdout, key->fingerprint);
	for (size_t i = 0; i < key->user_ids.count; i++) {
		fputs("user: ", stdout);
		out_escaped(key->user_ids.items[i]);
		putchar('\n');
	}
	printf("algorithm: %s\n", key->algorithm);
	printf("created: %s\n", time_rfc3339(key->created_sec, when));
	printf("expires: %s%s\n", key->expires_sec ? time_rfc3339(key->expires_sec, when) : "never",
		key->expired ? " (expired)" : "");
}

/* A key of which no signature would ever count is not worth a question. */
static int check_use(const struct key_info *key, rkt_error **err)
{
	if (strlen(key->fingerprint) != KEYS_FINGERPRINT_LEN)
		return rkt_fail(err, RKT_INVALID,
			"the fingerprint %s has not %d digits: the key is of an unknown version",
			key->fingerprint, KEYS_FINGERPRINT_LEN);
	if (key->revoked)
		return rkt_fail(err, RKT_INVALID, "the key was revoked by its owner");
	if (!key->can_sign)
		return rkt_fail(err, RKT_INVALID, "the key may not sign");
	if (!key->strong)
		return rkt_fail(err, RKT_INVALID, "the key is too weak: %s", key->algorithm);
	if (key->expired)
		out_warning("the key has expired: only what it signed before counts");
	return 0;
}

/* The terminal to ask at: standard input, or the one we were started from when the key comes
 * there. NULL: there is none. */
static FILE *open_terminal(const char *name)
{
	int fd;

	if (!is_stdin(name) && !isatty(STDIN_FILENO))
		return NULL;
	fd = is_stdin(name) ? open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
			    : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? NULL : fdopen(fd, "r");
}

static int ask(const char *name, const char *fingerprint, const struct trust_settings *settings,
	rkt_error **err)
{
	auto_free char *scope = trust_scope_words(settings->prefix);
	FILE *terminal;
	char answer[16] = "";

	if (settings->yes)
		return 0;
	terminal = open_terminal(name);
	if (!terminal)
		return rkt_fail(err, RKT_USAGE,
			"there is no terminal to ask at: compare the fingerprint, and give --yes");
	if (out_flush(err) < 0) {
		fclose(terminal);
		return -1;
	}
	if (!isatty(STDOUT_FILENO)) /* who is asked does not see what was printed of the key */
		print_fingerprint(stderr, fingerprint);
	fprintf(stderr, "Trust this key for %s? [y/N] ", scope);
	fflush(stderr);
	if (!fgets(answer, sizeof answer, terminal))
		putc('\n', stderr);
	fclose(terminal);
	answer[strcspn(answer, "\n")] = '\0';
	if (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0)
		return 0;
	return rkt_fail(err, RKT_FAILED, "not trusted");
}

static int add_one(const char *name, const struct trust_settings *settings, rkt_error **err)
{
	auto_free char *shown = secret_left_out(name); /* a file, or a mistyped URL */
	ERROR_SCOPE(err, "key", shown);
	auto_buf struct buf bytes = { 0 };
	auto_key_info struct key_info key = { 0 };
	auto_free char *path = NULL;

	if (get_key(name, settings, &bytes, err) < 0 ||
		key_info_read(buf_slice(&bytes), &key, err) < 0)
		return -1;
	print_key(&key);
	if (check_use(&key, err) < 0 || ask(name, key.fingerprint, settings, err) < 0)
		return -1;
	if (keys_write(settings->prefix, key.fingerprint, buf_slice(&key.armor), &path, err) < 0)
		return -1;
	fputs("trusted: ", stdout);
	out_escaped(path);
	putchar('\n');
	return out_flush(err);
}

/* Those the web names for the prefix. */
static int add_found(const struct trust_settings *settings, rkt_error **err)
{
	auto_names struct names urls = { 0 };

	if (trust_find(settings, &urls, err) < 0)
		return -1;
	for (size_t i = 0; i < urls.count; i++) {
		fputs("key: ", stdout);
		out_escaped(urls.items[i]);
		putchar('\n');
		if (add_one(urls.items[i], settings, err) < 0)
			return -1;
	}
	return 0;
}

int trust_add(const struct trust_settings *settings, const struct operands *files, rkt_error **err)
{
	signal(SIGPIPE, SIG_IGN); /* as libcurl and gpgme want it */
	if (!files->count)
		return add_found(settings, err);
	for (size_t i = 0; i < files->count; i++)
		if (add_one(files->items[i], settings, err) < 0)
			return -1;
	return 0;
}
