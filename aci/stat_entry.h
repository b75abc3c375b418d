/* A file on disk as an entry of a tar. */
#pragma once

#include <sys/stat.h>

#include "aci/tar.h"

/* The type of a file of MODE; false when tars have none: sockets. */
bool stat_entry_type(mode_t mode, enum tar_type *ret);
/* Sets mode, owner, time and, by the type of ENTRY, which is set, the device. */
void stat_entry_fill(const struct stat *st, struct tar_entry *entry);
