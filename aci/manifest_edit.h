/*
 * Changing a manifest as a text: what the changes do not name keeps its bytes, unknown fields and
 * the forms of earlier texts too.
 */
#pragma once

#include "base/json.h"

/* Sets RET to MANIFEST with CHANGES, an object of fields of a manifest. A field replaces the one of
 * its name or is added, with two exceptions: the fields of `app` go into the app there is; and of
 * lists of objects each replaces the fields it has in the one of its name (of its `imageName`, in
 * dependencies), or is added at the end. What already has the value asked for keeps its spelling.
 *
 * RKT_INVALID when MANIFEST is not strict JSON or not an object. Whether the result is a good
 * manifest is for the caller to find out: image_manifest_parse(). */
int manifest_edit(struct slice manifest, const json *changes, struct buf *ret, rkt_error **err);
