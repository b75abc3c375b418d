/* Ptys without ptsname(3): the slave is asked from its master, so no name can be swapped. */
#include "stage1/native/pty.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

static int set_up(int slave, int like, unsigned terminals, rkt_error **err)
{
	struct termios mode;
	struct winsize size;

	if (ioctl(like, TIOCGWINSZ, &size) == 0 && ioctl(slave, TIOCSWINSZ, &size) < 0)
		return rkt_fail_errno(err, "set window size");
	if (terminals & 1u << STDIN_FILENO)
		return 0;
	if (tcgetattr(slave, &mode) < 0)
		return rkt_fail_errno(err, "read terminal mode");
	mode.c_oflag &= ~(tcflag_t)OPOST;
	return tcsetattr(slave, TCSANOW, &mode) < 0 ? rkt_fail_errno(err, "set terminal mode") : 0;
}

int pty_open(int like, unsigned terminals, uid_t uid, struct pty *ret, rkt_error **err)
{
	ERROR_SCOPE(err, "opening", "a terminal");
	auto_fd int master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	auto_fd int slave = -1;
	int locked = 0;

	if (master < 0)
		return rkt_fail_errno(err, "open /dev/pts/ptmx");
	if (ioctl(master, TIOCSPTLCK, &locked) < 0)
		return rkt_fail_errno(err, "unlock");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return rkt_fail_errno(err, "open the other end");
	if (fchown(slave, uid, (gid_t)-1) < 0)
		return rkt_fail_errno(err, "chown");
	if (set_up(slave, like, terminals, err) < 0)
		return -1;
	*ret = (struct pty){ pass_fd(master), pass_fd(slave) };
	return 0;
}
