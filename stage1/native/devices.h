/* The /dev of an app: a small tmpfs with the devices of appc OS-SPEC.md and no others (S-067). */
#pragma once

#include "base/error.h"

/* Makes /dev with /dev/pts and /dev/shm in the calling process's root directory, which is the app's
 * own root. The directory /dev exists. */
int devices_make(rkt_error **err);

/* Binds the terminal SLAVE on /dev/console, which without one is a second /dev/null: the host's
 * console is nobody's business in a pod. */
int devices_set_console(int slave, rkt_error **err);
