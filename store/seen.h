/*
 * A file that was read before, known again without reading all of it: by what the kernel writes
 * down whenever somebody writes into a file, and by samples of its bytes.
 *
 * Size, time of modification and inode number would not do: anybody may set that time, and numbers
 * are given again. The change time nobody sets. The kernel does: when a write, a truncation or
 * utimes(2) begins, and at the first write through a memory map after the file was opened. So a
 * file is marked only while nobody has it open for writing, which a read lease tells (fcntl(2)):
 * whoever writes later must open it later, and changes the time. And only a file that nobody but
 * the caller and root may write: its owner has other ways (XFS_IOC_SWAPEXT and the like).
 *
 * What counts is the boot, device, inode, size, both times, and the bytes of 32 places. Whatever
 * differs, and wherever the kernel's word is not good enough, the SHA-256 of all bytes decides as
 * ever (packed.h). An image has one mark: of two copies that are imported in turn, each is read and
 * marked every time.
 *
 * A mark is about one moment, and never taken where somebody asks what the bytes are: a signature,
 * or an ID that is expected, is about all of them.
 */
#pragma once

#include "store/alias.h"

struct seen {
	int fd; /* lent */
	uint64_t at;
	struct alias mark; /* empty: the kernel's word will not do */
};

/* Marks FD, a regular file that would be read from AT to its end. There is no mark on other file
 * systems, of files that others may write, and of what changed in the last two seconds: another
 * change may leave the same time. Nor when the file cannot be looked at: reading it will tell. */
void seen_begin(struct seen *self, int fd, uint64_t at);
/* To be called before and after all is read that may be known by the mark from then on. The mark is
 * empty from here on if somebody has the file open for writing, or if it is another one by now. */
void seen_check(struct seen *self);
