/* Having a page read by rkt-read-page, which may fall to it: we hold passwords and tokens. */
#pragma once

#include "store/fetch/page_tags.h"

/* What HTML says; a page without tags is no error. RKT_INVALID: the page has a fault. RKT_FAILED:
 * rkt-read-page is not there, died, took too long, or said what is no answer; the message says what
 * to do then. *RET is freed by the caller when 0 was returned. Any number of threads may ask. */
int page_ask(struct slice html, struct page *ret, rkt_error **err);
