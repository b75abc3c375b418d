/* Executing ourselves again through a read-only mount: two calls and an exec, no copy. */
#include "stage1/native/seal.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include "base/mount.h"

extern char **environ;

int seal_program(char *const argv[], rkt_error **err)
{
	ERROR_SCOPE(err, "sealing", "the program");
	auto_fd int program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	auto_fd int mnt = -1;
	struct statvfs st;

	if (program < 0)
		return rkt_fail_errno(err, "open /proc/self/exe");
	if (fstatvfs(program, &st) < 0)
		return rkt_fail_errno(err, "statfs");
	if (st.f_flag & ST_RDONLY)
		return 0;
	mnt = mount_clone(program, "", MOUNT_ALONE, err);
	if (mnt < 0 || mount_set(mnt, MOUNT_ATTR_RDONLY, MOUNT_ALONE, err) < 0)
		return -1;
	execveat(mnt, "", argv, environ, AT_EMPTY_PATH);
	return rkt_fail_errno(err, "exec");
}
