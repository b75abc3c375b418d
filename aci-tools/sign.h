/* Detached signatures, made by gpg: these programs link no cryptography of their own for it. */
#pragma once

#include "base/buf.h"
#include "base/error.h"

/* Appends to RET the signature over all of the file IN, in ASCII armour. KEY is what gpg's
 * --local-user takes; keyring, agent and pinentry are the user's (GNUPGHOME), and on standard error
 * gpg speaks to the user itself. IN's position is moved. */
int sign_file(int in, const char *key, struct buf *ret, rkt_error **err);
