/* Image IDs: what a text is, by its prefix and its digits. */
#include "aci/id.h"

#include <string.h>

#include "base/hex.h"
#include "base/str.h"

#define SHA256_PREFIX     "sha256-"
#define SHA512_PREFIX     "sha512-"
#define SHA256_DIGITS     64
#define SHA512_DIGITS     128
#define SHA256_PREFIX_LEN (sizeof SHA256_PREFIX - 1)

static enum id_form form_of_digits(
	const char *digits, enum id_form whole, enum id_form part, size_t whole_len)
{
	size_t len = strlen(digits);

	if (len < IMAGE_ID_PREFIX_MIN || len > whole_len || !hex_is(digits, len))
		return ID_NONE;
	return len == whole_len ? whole : part;
}

enum id_form id_form_of(const char *text, const char **ret_digits)
{
	const char *digits = text;
	enum id_form form;

	if (str_has_prefix(text, SHA256_PREFIX)) {
		digits = text + SHA256_PREFIX_LEN;
		form = form_of_digits(digits, ID_SHA256, ID_SHA256_PREFIX, SHA256_DIGITS);
	} else if (str_has_prefix(text, SHA512_PREFIX)) {
		digits = text + sizeof SHA512_PREFIX - 1;
		form = form_of_digits(digits, ID_SHA512, ID_SHA512, SHA512_DIGITS);
	} else {
		form = form_of_digits(digits, ID_SHA256_PREFIX, ID_SHA256_PREFIX, SHA256_DIGITS);
	}
	if (form != ID_NONE && ret_digits)
		*ret_digits = digits;
	return form;
}

rkt_image_id id_from_hex(const char *hex)
{
	rkt_image_id id = { SHA256_PREFIX };

	memcpy(id.text + SHA256_PREFIX_LEN, hex, SHA256_DIGITS);
	id.text[RKT_IMAGE_ID_LEN] = '\0';
	return id;
}

int rkt_image_id_parse(const char *text, rkt_image_id *ret, rkt_error **err)
{
	const char *digits = NULL;

	if (id_form_of(text, &digits) != ID_SHA256)
		return rkt_fail(err, RKT_USAGE,
			"'%s' is not an image ID: sha256- and 64 lower-case hexadecimal digits",
			text);
	*ret = id_from_hex(digits);
	return 0;
}
