/* Points in time as people and JSON read them. */
#pragma once

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"

#define TIME_TEXT_SIZE 40

/* Seconds since the epoch, now. */
int64_t time_now_sec(void);
/* RFC 3339 in UTC, "2014-12-11T09:30:00Z". Returns OUT. */
char *time_rfc3339(int64_t sec, char out[static TIME_TEXT_SIZE]);
/* How long ago: "12 seconds ago", "3 days ago"; for the future "in the future". Returns OUT. */
char *time_ago(int64_t sec, int64_t now_sec, char out[static TIME_TEXT_SIZE]);
/* Reads "90", "90s", "30m", "12h", "7d" as seconds. Kind RKT_USAGE; WHAT names the thing. */
int time_parse_duration(const char *text, const char *what, int64_t *ret_sec, rkt_error **err);

/* The point in time NS (below a second) from now, for time_wait() only: whoever sets the clock does
 * not move it. */
struct timespec time_in_ns(long ns);
/* pthread_cond_timedwait() until such a point: 0, or ETIMEDOUT when it has come. */
int time_wait(pthread_cond_t *condition, pthread_mutex_t *lock, const struct timespec *until);
