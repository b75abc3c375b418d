/* A list of all that is open. */
#include "store/opened.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static struct opened *all;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the list */

static bool is_there(const struct opened *wanted)
{
	for (const struct opened *at = all; at; at = at->next)
		if (at->dev == wanted->dev && at->ino == wanted->ino && at->pid == wanted->pid)
			return true;
	return false;
}

int opened_enter(struct opened *self, int dir, rkt_error **err)
{
	struct opened entry = { .pid = getpid() };
	struct stat st;
	bool twice;

	if (fstat(dir, &st) < 0)
		return rkt_fail_errno(err, "stat cas/index");
	entry.dev = st.st_dev;
	entry.ino = st.st_ino;
	pthread_mutex_lock(&lock);
	twice = is_there(&entry);
	if (!twice) {
		*self = entry;
		self->next = all;
		all = self;
	}
	pthread_mutex_unlock(&lock);
	return twice ? rkt_fail(err, RKT_USAGE, "this process has it open already") : 0;
}

void opened_leave(struct opened *self)
{
	struct opened **at = &all;

	pthread_mutex_lock(&lock);
	while (*at && *at != self)
		at = &(*at)->next;
	if (*at)
		*at = self->next;
	pthread_mutex_unlock(&lock);
}
