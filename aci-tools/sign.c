/* Detached signatures, made by gpg. */
#include "aci-tools/sign.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/proc.h"
#include "base/str.h"

#define ARMOUR     "-----BEGIN PGP SIGNATURE-----"
#define ARMOUR_MAX ((size_t)64 * 1024)

int sign_file(int in, const char *key, struct buf *ret, rkt_error **err)
{
	ERROR_SCOPE(err, "signing with", key);
	auto_free char *user = xasprintf("--local-user=%s", key);
	char program[] = "gpg", batch[] = "--batch", quiet[] = "--quiet", armour[] = "--armor",
	     detach[] = "--detach-sign", output[] = "--output=-";
	char *const argv[] = { program, batch, quiet, armour, output, user, detach, NULL };
	auto_error rkt_error *own = NULL;
	int status;

	if (lseek(in, 0, SEEK_SET) < 0)
		return rkt_fail_errno(err, "seek");
	status = proc_capture(argv, in, ARMOUR_MAX, ret, &own);
	if (status < 0 && rkt_error_errno(own) == ENOENT)
		return rkt_fail(err, RKT_FAILED, "gpg is not installed, which makes signatures");
	if (status < 0)
		return rkt_fail_with(err, pass_ptr(own));
	if (status > 0)
		return rkt_fail(err, RKT_FAILED, "gpg ended with status %d", status);
	if (!str_has_prefix(buf_text(ret), ARMOUR))
		return rkt_fail(err, RKT_FAILED, "gpg made no signature");
	return 0;
}
