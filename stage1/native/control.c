/* Messages with a descriptor in tow (unix(7), SCM_RIGHTS). */
#include "stage1/native/control.h"

#include <string.h>
#include <sys/socket.h>

union ancillary {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int control_pair(int ret[2], rkt_error **err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0)
		return rkt_fail_errno(err, "socketpair");
	return 0;
}

int control_send(int control, const struct control_message *message, int fd, rkt_error **err)
{
	struct iovec bytes = { (void *)(uintptr_t)message, sizeof *message };
	struct msghdr header = { .msg_iov = &bytes, .msg_iovlen = 1 };
	union ancillary room = { 0 };

	if (fd >= 0) {
		struct cmsghdr *with = &room.align;

		header.msg_control = room.bytes;
		header.msg_controllen = sizeof room.bytes;
		with->cmsg_level = SOL_SOCKET;
		with->cmsg_type = SCM_RIGHTS;
		with->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(with), &fd, sizeof fd);
	}
	while (sendmsg(control, &header, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return rkt_fail_errno(err, "control: send");
	return 0;
}

static int descriptor_of(struct msghdr *header)
{
	struct cmsghdr *with = CMSG_FIRSTHDR(header);
	int fd = -1;

	if (with && with->cmsg_type == SCM_RIGHTS && with->cmsg_len == CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(with), sizeof fd);
	return fd;
}

int control_receive(
	int control, int nonblock, struct control_message *ret, int *ret_fd, rkt_error **err)
{
	struct iovec bytes = { ret, sizeof *ret };
	union ancillary room = { 0 };
	struct msghdr header = { .msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = room.bytes,
		.msg_controllen = sizeof room.bytes };
	ssize_t got;

	while ((got = recvmsg(control, &header, MSG_CMSG_CLOEXEC | nonblock)) < 0)
		if (errno == ECONNRESET)
			return 0;
		else if (errno != EINTR)
			return rkt_fail_errno(err, "control: receive");
	if (!got)
		return 0;
	*ret_fd = descriptor_of(&header);
	if (got == sizeof *ret)
		return 1;
	if (*ret_fd >= 0)
		close(*ret_fd);
	return rkt_fail(err, RKT_FAILED, "control: message of %zd bytes", got);
}
