/* What stat(2) says, in the words of a tar. */
#include "aci/stat_entry.h"

#include <sys/sysmacros.h>

bool stat_entry_type(mode_t mode, enum tar_type *ret)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		*ret = TAR_FILE;
		return true;
	case S_IFDIR:
		*ret = TAR_DIR;
		return true;
	case S_IFLNK:
		*ret = TAR_SYMLINK;
		return true;
	case S_IFCHR:
		*ret = TAR_CHAR;
		return true;
	case S_IFBLK:
		*ret = TAR_BLOCKDEV;
		return true;
	case S_IFIFO:
		*ret = TAR_FIFO;
		return true;
	default:
		return false;
	}
}

void stat_entry_fill(const struct stat *st, struct tar_entry *entry)
{
	entry->mode = st->st_mode & 07777;
	entry->uid = st->st_uid;
	entry->gid = st->st_gid;
	entry->mtime_sec = st->st_mtim.tv_sec;
	entry->mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
	if (entry->type == TAR_CHAR || entry->type == TAR_BLOCKDEV) {
		entry->major = major(st->st_rdev);
		entry->minor = minor(st->st_rdev);
	}
}
