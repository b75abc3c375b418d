/* Whole directory trees, by descriptor: nothing here follows a symlink or crosses a mount. */
#pragma once

#include "base/error.h"

/* Removes NAME below DIR with all that is below it, whatever it is. A missing NAME is success.
 * Stays on the file system NAME is on: a mount found on the way is an error (EXDEV) and stays.
 * Needs no memory in proportion to anything and at most two descriptors: any depth works. */
int tree_remove(int dir, const char *name, rkt_error **err);
