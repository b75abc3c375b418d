/*
 * Key files that are surely one public key, told without gpg.
 *
 * gpg, given many keys one after the other, says which it found but not in which file. Where every
 * file is plain there is no question: each begins with its only key, and every packet has its
 * length, so nothing that gpg makes of one file can reach into the next.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* Whether BYTES, armored or not, are packets of definite length with nothing around them: a public
 * key, then user IDs, subkeys and signatures. Those are appended to RET then, binary. What is not
 * plain may be a key all the same: gpg can be asked about it alone. */
bool plain_key_append(struct slice bytes, struct buf *ret);
