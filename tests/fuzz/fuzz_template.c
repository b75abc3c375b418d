/*
 * Templates of URLs under any bytes: the first line is the template, the next the name, then
 * version and channel. Against a model that replaces one variable after the other, and what a URL
 * may be by an expression (S-030).
 */
#include "tests/fuzz/fuzz.h"

#include <regex.h>
#include <string.h>

#include "aci/name.h"
#include "base/alloc.h"
#include "store/fetch/template.h"

#define PCHAR "(%[0-9A-Fa-f]{2}|[-A-Za-z0-9._~!$&'()*+,;=:@/])"
static const char url[] =
	"^[Hh][Tt][Tt][Pp][Ss]?://([A-Za-z0-9][-A-Za-z0-9._]*|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,})?"
	"(/" PCHAR "*)?(\\?(" PCHAR "|\\?)*)?$";

static bool is_url(const char *text)
{
	static regex_t compiled;
	static bool ready;

	if (!ready)
		PROMISE(regcomp(&compiled, url, REG_EXTENDED | REG_NOSUB) == 0);
	ready = true;
	return regexec(&compiled, text, 0, NULL, 0) == 0;
}

/* TEXT, which is freed, with every VARIABLE as VALUE; the characters of PLAIN stay as they are. */
static char *replaced(char *text, const char *variable, const char *value, const char *plain)
{
	auto_free char *old = text;
	struct buf out = { 0 };
	const char *at = old, *next;

	while ((next = strstr(at, variable))) {
		buf_append(&out, at, (size_t)(next - at));
		for (const char *c = value; *c; c++) {
			if (strchr(plain, *c))
				buf_append(&out, c, 1);
			else
				buf_printf(&out, "%%%02X", (unsigned char)*c);
		}
		at = next + strlen(variable);
	}
	buf_append_text(&out, at);
	return buf_steal_text(&out);
}

#define UNRESERVED "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

static void check_expansion(
	const char *template, const struct wanted *wanted, enum template_for what)
{
	const char *why = NULL, *ext = what == TEMPLATE_IMAGE ? "aci" : "aci.asc";
	auto_free char *got = template_expand(template, wanted, what, &why);
	char *model = xstrdup(template);

	PROMISE(!got == !!why);
	model = replaced(model, "{name}", wanted->name, UNRESERVED "/");
	for (size_t i = 0; i < wanted->label_count; i++) {
		auto_free char *variable = xasprintf("{%s}", wanted->labels[i].name);
		const char *value = wanted->labels[i].value;
		bool is_latest = strcmp(variable, "{version}") == 0 && !*value;

		model = replaced(model, variable, is_latest ? "latest" : value, UNRESERVED);
	}
	model = replaced(model, "{ext}", ext, UNRESERVED);
	if (got) {
		PROMISE(strcmp(got, model) == 0);
		PROMISE(is_url(got) && !url_fault(got) && strlen(got) <= TEMPLATE_URL_MAX);
		PROMISE(strstr(template, "{ext}"));
		got[strcspn(got, "?")] = '\0';
		PROMISE(!strstr(got, "/../") && !strstr(got, "/./"));
	}
	free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = text_of((struct slice){ data, size });
	char *rest = text, *template = strsep(&rest, "\n"), *name = strsep(&rest, "\n");
	char *version = strsep(&rest, "\n");
	struct ac_pair labels[] = { { "version", version ? version : "" },
		{ "channel", rest ? rest : "" } };
	auto_error rkt_error *err = NULL;
	struct wanted wanted;

	PROMISE(url_fault(template) || is_url(template));
	if (wanted_make(name ? name : "", labels, ARRAY_LEN(labels), &wanted, &err) < 0) {
		PROMISE(rkt_error_kind(err) == RKT_USAGE);
		promise_showable(rkt_error_message(err));
		return 0;
	}
	PROMISE(ac_identifier_is(name, NULL));
	check_expansion(template, &wanted, TEMPLATE_IMAGE);
	check_expansion(template, &wanted, TEMPLATE_SIGNATURE);
	wanted_free(&wanted);
	return 0;
}
