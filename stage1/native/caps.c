/* Capabilities by prctl(2) and capset(2); the names are those of capabilities(7). */
#include "stage1/native/caps.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define BIT(capability) (UINT64_C(1) << (capability))

int caps_bound(cap_set keep, rkt_error **err)
{
	/* numbers the kernel does not know end the list: it has them without gaps */
	for (unsigned long number = 0; prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0; number++)
		if (!(keep & BIT(number)) && prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0)
			return rkt_fail_errno(err, "drop capability %lu", number);
	return 0;
}

int caps_limit(cap_set keep, rkt_error **err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets) < 0)
		return rkt_fail_errno(err, "capget");
	for (unsigned half = 0; half < 2; half++) {
		/* what we never had cannot be asked for */
		sets[half].permitted &= (uint32_t)(keep >> 32 * half);
		sets[half].effective = sets[half].permitted;
		sets[half].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, sets) < 0)
		return rkt_fail_errno(err, "capset");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return rkt_fail_errno(err, "clear ambient capabilities");
	return 0;
}
