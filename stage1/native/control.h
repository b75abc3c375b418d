/*
 * The line between the supervisor and its pod: a socket pair whose messages stay whole. Its end is
 * the end of whoever held the other side, so each notices when the other is gone.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

enum control_kind {
	/* supervisor to pod */
	CONTROL_GO,     /* the pod is on record: the apps may start */
	CONTROL_SIGNAL, /* pass signal VALUE to every app */
	/* pod to supervisor */
	CONTROL_ENDED,    /* app APP has ended with status VALUE */
	CONTROL_TERMINAL, /* a descriptor comes along: the master of app APP's pty */
};

struct control_message {
	enum control_kind kind;
	uint32_t app;
	int32_t value;
};

/* RET[0] is the supervisor's end, RET[1] the pod's. */
int control_pair(int ret[2], rkt_error **err);
/* Sends MESSAGE and, unless it is -1, the descriptor FD, which stays the caller's. */
int control_send(int control, const struct control_message *message, int fd, rkt_error **err);
/* Takes the next message: 1 with *RET, and *RET_FD when one came along (else -1; the caller closes
 * it); 0 when the other side is gone; -1 on error. Waits unless NONBLOCK is MSG_DONTWAIT, where
 * nothing to read is an error with errno EAGAIN. */
int control_receive(
	int control, int nonblock, struct control_message *ret, int *ret_fd, rkt_error **err);
