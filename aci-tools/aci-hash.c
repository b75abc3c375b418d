/* aci-hash: the digests and IDs of images, as fast as the machine allows. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aci-tools/files.h"
#include "aci-tools/limits.h"
#include "aci-tools/sums.h"
#include "aci/digest.h"
#include "aci/image.h"
#include "aci/unpack.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/time.h"
#include "cli/main.h"
#include "cli/out.h"
#include "cli/progress.h"

#define KINDS    2
#define JOBS_MAX 64
/* A list of digests is read whole; this is some 400 thousand lines. */
#define SUMS_SIZE_MAX (64 * 1024 * 1024)
/* How often a waiting person is told how far it is. */
#define PROGRESS_NS 100000000

enum algorithm { ALGORITHM_SHA256, ALGORITHM_SHA512, ALGORITHM_ALL };

struct settings {
	int algorithm;
	bool check, id, raw, status, warn;
	uint64_t jobs;
	struct image_limits limits;
};

/* One file: what is wanted of it, and what came out. */
struct job {
	const char *file;
	bool raw, wants[KINDS];
	const struct image_limits *limits; /* lent */
	bool done;                         /* under the crew's lock */
	_Atomic uint64_t read;             /* bytes of the file as it is, so far */
	rkt_error *error;
	char hex[KINDS][DIGEST_HEX_MAX + 1];
};

static int read_all(source *in, rkt_error **err)
{
	struct slice block;
	int more;

	while ((more = source_next(in, &block, err)) > 0)
		;
	source_free(in);
	return more;
}

static int count_read(void *context, struct slice block, rkt_error **err)
{
	struct job *job = context;

	(void)err;
	atomic_fetch_add_explicit(&job->read, block.len, memory_order_relaxed);
	return 0;
}

static int hash(struct job *job, digest **sums, rkt_error **err)
{
	ERROR_SCOPE(err, "reading", job->file);
	const struct image_options options = { .limits = job->limits };
	int fd = file_open(job->file, err);
	source *in;

	if (fd < 0)
		return -1;
	in = source_unpack_threaded(
		source_tap(source_from_fd(fd), count_read, job), &job->limits->unpack, NULL, err);
	if (!in)
		return -1;
	for (size_t i = 0; i < KINDS; i++)
		if (sums[i])
			in = source_tap(in, digest_tap, sums[i]);
	if (job->raw ? read_all(in, err) : image_read_through(in, &options, err))
		return -1;
	for (size_t i = 0; i < KINDS; i++)
		if (sums[i] && digest_hex(sums[i], job->hex[i], err) < 0)
			return -1;
	return 0;
}

static void run_job(struct job *job)
{
	digest *sums[KINDS] = { NULL };

	for (size_t i = 0; i < KINDS; i++)
		if (job->wants[i])
			sums[i] = digest_new((enum digest_kind)i);
	/* the error is in the job: that is where the result is looked for */
	(void)hash(job, sums, &job->error);
	for (size_t i = 0; i < KINDS; i++)
		digest_free(sums[i]);
}

/* ---- several at a time ----------------------------------------------------------------------- */

struct crew {
	struct job *jobs;
	size_t count, next;
	pthread_mutex_t lock;
	pthread_cond_t finished;
};

static void *worker(void *context)
{
	struct crew *crew = context;

	pthread_mutex_lock(&crew->lock);
	while (crew->next < crew->count) {
		struct job *job = &crew->jobs[crew->next++];

		pthread_mutex_unlock(&crew->lock);
		run_job(job);
		pthread_mutex_lock(&crew->lock);
		job->done = true;
		pthread_cond_broadcast(&crew->finished);
	}
	pthread_mutex_unlock(&crew->lock);
	return NULL;
}

/* ---- what waiting people see ----------------------------------------------------------------- */

/* The one line for all files. Only the thread that prints results touches it. */
struct watch {
	struct progress *progress;
	const struct job *jobs;
	size_t count;
};

/* What "-" and other pipes have is not known, and so is not the sum. */
static uint64_t total_size(const struct job *jobs, size_t count)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++) {
		struct stat st;

		if (stat(jobs[i].file, &st) < 0 || !S_ISREG(st.st_mode))
			return 0;
		total += (uint64_t)st.st_size;
	}
	return total;
}

static void watch_start(struct watch *watch, const struct job *jobs, size_t count)
{
	auto_free char *all = xasprintf("%zu files", count);

	*watch = (struct watch){ NULL, jobs, count };
	if (isatty(STDERR_FILENO) && count)
		watch->progress =
			progress_start(count == 1 ? jobs->file : all, total_size(jobs, count));
}

static void watch_look(const struct watch *watch)
{
	uint64_t done = 0;

	if (!watch->progress)
		return;
	for (size_t i = 0; i < watch->count; i++)
		done += atomic_load_explicit(&watch->jobs[i].read, memory_order_relaxed);
	progress_now(watch->progress, done);
}

static void wait_for(struct crew *crew, const struct job *job, const struct watch *watch)
{
	pthread_mutex_lock(&crew->lock);
	while (!job->done) {
		struct timespec until = time_in_ns(PROGRESS_NS);

		if (!watch->progress)
			pthread_cond_wait(&crew->finished, &crew->lock);
		else if (time_wait(&crew->finished, &crew->lock, &until) != 0)
			watch_look(watch);
	}
	pthread_mutex_unlock(&crew->lock);
	out_transient(NULL); /* the result may go to the same terminal */
}

/* ---- all files ------------------------------------------------------------------------------- */

/* Says what became of JOB and returns its exit status. */
typedef int tell_fn(const struct job *job, void *context);

static void note_status(int *all, int one)
{
	if (!*all)
		*all = one;
}

/* Runs the jobs, at most LIMIT at a time, and tells of each in their order. The status is that of
 * the first that failed. */
static int run_jobs(struct job *jobs, size_t count, size_t limit, tell_fn *tell, void *context)
{
	struct crew crew = { jobs, count, 0, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER };
	pthread_t threads[JOBS_MAX];
	struct watch watch;
	size_t running = 0;
	int status = 0;

	watch_start(&watch, jobs, count);
	while (running < limit && running < count &&
		pthread_create(&threads[running], NULL, worker, &crew) == 0)
		running++;
	if (!running)
		worker(&crew);
	for (size_t i = 0; i < count; i++) {
		wait_for(&crew, &jobs[i], &watch);
		note_status(&status, tell(&jobs[i], context));
		rkt_error_free(jobs[i].error);
	}
	while (running)
		pthread_join(threads[--running], NULL);
	progress_end(watch.progress);
	return status;
}

/* ---- printing digests ------------------------------------------------------------------------ */

static int tell_digests(const struct job *job, void *context)
{
	const struct settings *settings = context;

	if (job->error) {
		out_error(rkt_error_message(job->error));
		return (int)rkt_error_kind(job->error);
	}
	for (size_t i = 0; i < KINDS; i++) {
		const char *name = digest_name((enum digest_kind)i);

		if (!job->wants[i])
			continue;
		if (settings->id)
			printf("%s-%s\n", name, job->hex[i]);
		else if (settings->algorithm == ALGORITHM_ALL)
			sums_print_tagged(name, job->hex[i], job->file);
		else
			sums_print(job->hex[i], job->file);
	}
	return 0;
}

static size_t job_limit(const struct settings *settings)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t limit = settings->jobs;

	if (!limit)
		limit = processors > 1 ? (uint64_t)processors : 1;
	return limit < JOBS_MAX ? (size_t)limit : JOBS_MAX;
}

static int hash_files(struct settings *settings, const struct operands *files)
{
	auto_free struct job *jobs = xcalloc(files->count, sizeof *jobs);

	for (size_t i = 0; i < files->count; i++) {
		jobs[i].file = files->items[i];
		jobs[i].raw = settings->raw;
		jobs[i].limits = &settings->limits;
		jobs[i].wants[DIGEST_SHA256] = settings->algorithm != ALGORITHM_SHA512;
		jobs[i].wants[DIGEST_SHA512] = settings->algorithm != ALGORITHM_SHA256;
	}
	return run_jobs(jobs, files->count, job_limit(settings), tell_digests, settings);
}

/* ---- checking lists -------------------------------------------------------------------------- */

struct checking {
	const struct settings *settings;
	const struct sums *sums;
	const struct job *jobs;
	size_t mismatched, unread;
};

static int tell_check(const struct job *job, void *context)
{
	struct checking *c = context;
	const struct sum *sum = &c->sums->items[job - c->jobs];
	bool silent = c->settings->status;

	if (job->error) {
		c->unread++;
		out_error(rkt_error_message(job->error));
		if (!silent)
			sums_print_verdict(job->file, "FAILED open or read");
		return (int)rkt_error_kind(job->error);
	}
	if (strcmp(job->hex[sum->kind], sum->hex) != 0) {
		c->mismatched++;
		if (!silent)
			sums_print_verdict(job->file, "FAILED");
		return RKT_FAILED;
	}
	if (!silent && !out_is_quiet())
		sums_print_verdict(job->file, "OK");
	return 0;
}

static int check_sums(const struct settings *settings, const char *list, const struct sums *sums)
{
	auto_free struct job *jobs = xcalloc(sums->count, sizeof *jobs);
	struct checking c = { settings, sums, jobs, 0, 0 };
	int status;

	for (size_t i = 0; i < sums->count; i++) {
		jobs[i].file = sums->items[i].file;
		jobs[i].raw = settings->raw;
		jobs[i].limits = &settings->limits;
		jobs[i].wants[sums->items[i].kind] = true;
	}
	status = run_jobs(jobs, sums->count, job_limit(settings), tell_check, &c);
	if (settings->warn)
		for (size_t i = 0; i < sums->bad_line_count; i++)
			out_warning("%s: line %zu is no line of digests", list, sums->bad_lines[i]);
	if (sums->bad_line_count && !settings->status)
		out_warning(
			"%s: %zu of its lines are no lines of digests", list, sums->bad_line_count);
	if (c.unread && !settings->status)
		out_warning("%s: %zu of %zu files could not be read", list, c.unread, sums->count);
	if (c.mismatched && !settings->status)
		out_warning(
			"%s: %zu of %zu digests did NOT match", list, c.mismatched, sums->count);
	return status;
}

static int check_list(const struct settings *settings, const char *list, rkt_error **err)
{
	ERROR_SCOPE(err, "reading", list);
	__attribute__((cleanup(sums_free))) struct sums sums = { 0 };
	auto_buf struct buf text = { 0 };
	auto_fd int fd = file_open(list, err);

	if (fd < 0 || fd_read_rest(fd, SUMS_SIZE_MAX, &text, err) < 0)
		return -1;
	sums_parse(&sums, buf_slice(&text));
	if (!sums.count)
		return rkt_fail(err, RKT_INVALID, "no line with a digest and a file name in it");
	return check_sums(settings, list, &sums);
}

static int check_lists(const struct settings *settings, const struct operands *lists)
{
	int status = 0;

	for (size_t i = 0; i < lists->count; i++) {
		auto_error rkt_error *error = NULL;
		int one = check_list(settings, lists->items[i], &error);

		if (one < 0) {
			out_error(rkt_error_message(error));
			one = (int)rkt_error_kind(error);
		}
		note_status(&status, one);
	}
	return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int run(int argc, char **argv, rkt_error **err)
{
	static const char *const algorithms[] = { "sha256", "sha512", "all", NULL };
	static const char *const usage[] = {
		"[OPTIONS] FILE...",
		"-c [OPTIONS] SUMS...",
		NULL,
	};
	static const char *const see_also[] = { "aci-validate(1)", "sha256sum(1)", NULL };
	static const struct command_example examples[] = {
		{ "aci-hash nginx.aci",
			"the same as `gzip -dc nginx.aci | sha256sum`, with the name" },
		{ "aci-hash --id nginx.aci", "the image ID, as the store will call it" },
		{ "aci-hash *.aci >SUMS; aci-hash -c SUMS", "note digests, check them later" },
		{ "curl -s https://example.com/a.aci | aci-hash -",
			"hash what comes through a pipe" },
		{ NULL, NULL },
	};
	struct settings settings = { .limits = image_limits_default() };
	const struct opt options[] = {
		{ "algorithm", 'a', OPT_CHOICE, &settings.algorithm, NULL,
			"Which digest to print. `all` prints one tagged line for each.", algorithms,
			NULL },
		{ "check", 'c', OPT_FLAG, &settings.check, NULL,
			"The files are lists of digests, as printed by this command, sha256sum or "
			"sha512sum: check what they name.",
			NULL, NULL },
		{ "id", 0, OPT_FLAG, &settings.id, NULL,
			"Print image IDs (sha256-...) and no file names.", NULL, NULL },
		{ "raw", 0, OPT_FLAG, &settings.raw, NULL,
			"Only decompress and hash: do not look whether it is an image.", NULL,
			NULL },
		{ "jobs", 'j', OPT_NUMBER, &settings.jobs, "N",
			"Read at most N files at a time. Default: as many as there are processors.",
			NULL, NULL },
		{ "status", 0, OPT_FLAG, &settings.status, NULL,
			"With -c: print nothing, the exit status tells.", NULL, NULL },
		{ "warn", 'w', OPT_FLAG, &settings.warn, NULL,
			"With -c: say of each line of a list that could not be understood which "
			"one it is.",
			NULL, NULL },
		LIMIT_OPTIONS(settings.limits),
		{ NULL },
	};
	const struct command command = {
		.program = "aci-hash",
		.usage = usage,
		.summary = "print and check the digests of App Container images",
		.description =
			"Prints the SHA-256 of the uncompressed tar of each image, in the format of "
			"sha256sum. FILE may be plain or compressed by gzip, bzip2, xz or zstd, "
			"whatever its name; - is standard input.\n\n"
			"Every byte is looked at on the way: a file that could not be imported "
			"(damaged, truncated, not an image, unsafe) is refused and has no digest. "
			"With --raw anything is hashed.\n\n"
			"With --quiet, -c does not print a line for files that are OK.",
		.options = options,
		.examples = examples,
		.exit_status =
			"0: all is well. Otherwise that of the first file that failed, after the "
			"others were done: 1 a digest did not match or a file could not be read, "
			"2 wrong usage, 3 no such file, 4 not a valid image.",
		.see_also = see_also,
		.operands_min = 1,
		.operands_max = -1,
	};
	auto_operands struct operands files = { NULL };
	int got = opts_parse(&command, argc, argv, &files, err);

	if (got <= 0)
		return got;
	return settings.check ? check_lists(&settings, &files) : hash_files(&settings, &files);
}

int main(int argc, char **argv)
{
	return cli_main(argc, argv, run, 0);
}
