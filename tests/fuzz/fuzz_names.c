/*
 * Names, versions, quantities and IDs, against the regular expressions of the specification
 * (types.md) as the C library matches them.
 */
#include "tests/fuzz/fuzz.h"

#include <regex.h>
#include <string.h>

#include "aci/id.h"
#include "aci/manifest_head.h"
#include "aci/name.h"
#include "aci/quantity.h"
#include "base/str.h"
#include "base/uuid.h"

enum pattern { IDENTIFIER, NAME, ENV_NAME, VERSION, QUANTITY, SHA256, SHA512, DIGITS, UUID };

#define SEMANTIC_NUMBERS "^(0|[1-9][0-9]{0,2})(\\.(0|[1-9][0-9]{0,2})){2}"
#define DOTTED           "[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*"

static const char *const patterns[] = {
	[IDENTIFIER] = "^[a-z0-9]+([-._~/][a-z0-9]+)*$",
	[NAME] = "^[a-z0-9]+([-][a-z0-9]+)*$",
	[ENV_NAME] = "^[A-Za-z_][A-Za-z0-9_.-]*$",
	[VERSION] = SEMANTIC_NUMBERS "(-" DOTTED ")?(\\+" DOTTED ")?$",
	[QUANTITY] = "^[0-9]+(\\.[0-9]{1,9})?(m|k|[KMGTPE]|[KMGTPE]i)?$",
	[SHA256] = "^sha256-[0-9a-f]{64}$",
	[SHA512] = "^sha512-[0-9a-f]{8,128}$",
	[DIGITS] = "^(sha256-[0-9a-f]{8,63}|[0-9a-f]{8,64})$",
	[UUID] = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
};

static bool matches(enum pattern which, const char *text)
{
	static regex_t compiled[ARRAY_LEN(patterns)];
	static bool ready[ARRAY_LEN(patterns)];

	if (!ready[which])
		PROMISE(regcomp(&compiled[which], patterns[which], REG_EXTENDED | REG_NOSUB) == 0);
	ready[which] = true;
	return regexec(&compiled[which], text, 0, NULL, 0) == 0;
}

static void check_names(const char *text)
{
	const char *why = NULL;
	auto_free char *name = NULL;

	PROMISE(ac_identifier_is(text, &why) == matches(IDENTIFIER, text));
	PROMISE(ac_identifier_is(text, NULL) || why);
	PROMISE(ac_name_is(text, NULL) == matches(NAME, text));
	PROMISE(env_name_is(text, NULL) == matches(ENV_NAME, text));
	name = ac_name_from_identifier(text);
	PROMISE(!*name || ac_name_is(name, NULL));
	PROMISE(*name || !ac_identifier_is(text, NULL));
}

static void check_numbers(const char *text)
{
	const char *why = NULL;
	unsigned version;
	uint64_t whole = 0, milli = 0;

	PROMISE(ac_version_parse(text, &version, &why) == matches(VERSION, text));
	if (quantity_parse(text, QUANTITY_MILLI, &milli, &why)) {
		PROMISE(matches(QUANTITY, text));
		PROMISE(quantity_parse(text, QUANTITY_WHOLE, &whole, &why));
		PROMISE(whole == milli / 1000 + (milli % 1000 != 0));
	} else if (matches(QUANTITY, text)) {
		PROMISE(strstr(why, "2^63"));
	}
	PROMISE(!quantity_parse(text, QUANTITY_WHOLE, &whole, &why) || whole <= INT64_MAX);
}

static void check_ids(const char *text)
{
	const char *digits = NULL;
	enum id_form form = id_form_of(text, &digits);
	auto_error rkt_error *err = NULL;
	rkt_image_id id;

	PROMISE((form == ID_SHA256) == matches(SHA256, text));
	PROMISE((form == ID_SHA512) == matches(SHA512, text));
	PROMISE((form == ID_SHA256_PREFIX) == matches(DIGITS, text));
	PROMISE((form != ID_NONE) == !!digits);
	if (rkt_image_id_parse(text, &id, &err) == 0)
		PROMISE(!strcmp(id.text, text));
	else
		promise_showable(rkt_error_message(err));
	PROMISE((form == ID_SHA256) == !err);
	PROMISE(uuid_is(text) == matches(UUID, text));
}

static void check_escape(const char *text, size_t len)
{
	auto_free char *shown = str_escape(text, len);

	promise_showable(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = text_of((struct slice){ data, size });

	check_names(text);
	check_numbers(text);
	check_ids(text);
	check_escape(text, strlen(text));
	return 0;
}
