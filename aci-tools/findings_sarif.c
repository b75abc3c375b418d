/* Findings as SARIF 2.1.0 (OASIS), the format of code scanning services: one document with all
 * rules and the findings in all files. */
#include "aci-tools/findings.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/out.h"

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

static json *message(const char *text)
{
	json *object = json_new_object();

	json_set(object, "text", json_new_string(text));
	return object;
}

/* A relative reference (RFC 3986) for the name of a file: every byte that is not plain is encoded,
 * so nothing looks like a scheme, and one slash in front is enough, for two would begin a host. */
static char *uri_of(const char *file)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
	struct buf uri = { 0 };

	if (strncmp(file, "//", 2) == 0)
		file += strspn(file, "/") - 1;
	for (; *file; file++) {
		if (strchr(plain, *file))
			buf_append(&uri, file, 1);
		else
			buf_printf(&uri, "%%%02X", (unsigned char)*file);
	}
	return buf_steal_text(&uri);
}

/* Lines where they are known; else the place in the tar, which is not that in the compressed file:
 * so the region is left out, and the offset stands with the entry's name. */
static json *physical_location(const char *file, const struct finding *f)
{
	auto_free char *uri = uri_of(file);
	json *location = json_new_object(), *artifact = json_new_object(), *region;

	json_set(artifact, "uri", json_new_string(uri));
	json_set(location, "artifactLocation", artifact);
	if (f && f->line && !f->entry) {
		region = json_new_object();
		json_set(region, "startLine", json_new_integer(f->line));
		json_set(region, "startColumn", json_new_integer(f->column));
		json_set(location, "region", region);
	}
	return location;
}

static json *location_of(const char *file, const struct finding *f)
{
	json *location = json_new_object(), *names, *name;
	auto_free char *place = f ? findings_place(f) : NULL;

	json_set(location, "physicalLocation", physical_location(file, f));
	if (!place || !*place)
		return location;
	names = json_new_array();
	name = json_new_object();
	json_set(name, "fullyQualifiedName", json_new_string(place));
	json_set(name, "kind", json_new_string(f->pointer ? "value" : "member"));
	json_append(names, name);
	json_set(location, "logicalLocations", names);
	return location;
}

static json *locations_of(const char *file, const struct finding *f)
{
	json *array = json_new_array();

	json_append(array, location_of(file, f));
	return array;
}

static json *properties_of(const struct finding *f)
{
	json *properties = json_new_object();

	if (f->entry)
		json_set(properties, "entry", json_new_string(f->entry));
	if (f->pointer)
		json_set(properties, "pointer", json_new_string(f->pointer));
	if (f->has_offset)
		json_set(properties, "tarOffset", json_new_integer((int64_t)f->offset));
	if (f->line) {
		json_set(properties, "line", json_new_integer(f->line));
		json_set(properties, "column", json_new_integer(f->column));
	}
	return properties;
}

static json *result_of(const struct verdict *v, const struct finding *f)
{
	json *result = json_new_object();

	json_set(result, "ruleId", json_new_string(f->rule->name));
	json_set(result, "ruleIndex", json_new_integer(f->rule - check_rules));
	json_set(
		result, "level", json_new_string(v->strict ? "error" : findings_severity(f->rule)));
	json_set(result, "message", message(f->text));
	json_set(result, "locations", locations_of(v->file, f));
	json_set(result, "properties", properties_of(f));
	return result;
}

static json *rules_array(void)
{
	json *array = json_new_array();

	for (const struct check_rule *rule = check_rules; rule->name; rule++) {
		json *object = json_new_object(), *configuration = json_new_object();
		json *properties = json_new_object();

		json_set(object, "id", json_new_string(rule->name));
		json_set(object, "shortDescription", message(rule->means));
		json_set(object, "help", message(rule->means));
		json_set(configuration, "level", json_new_string(findings_severity(rule)));
		json_set(object, "defaultConfiguration", configuration);
		json_set(properties, "origin", json_new_string(rule->origin));
		json_set(object, "properties", properties);
		json_append(array, object);
	}
	return array;
}

static json *tool_object(void)
{
	json *tool = json_new_object(), *driver = json_new_object();

	json_set(driver, "name", json_new_string("aci-validate"));
	json_set(driver, "version", json_new_string(PACKAGE_VERSION));
	json_set(driver, "rules", rules_array());
	json_set(tool, "driver", driver);
	return tool;
}

static void start(struct report *report)
{
	report->results = json_new_array();
	report->failures = json_new_array();
}

static void add(struct report *report, const struct verdict *v)
{
	const struct finding *f;
	json *failure;

	for (size_t i = 0; (f = check_get(v->found, i)); i++)
		json_append(report->results, result_of(v, f));
	if (!v->unknown_why)
		return;
	failure = json_new_object();
	json_set(failure, "level", json_new_string("error"));
	json_set(failure, "message", message(v->unknown_why));
	json_set(failure, "locations", locations_of(v->file, NULL));
	json_append(report->failures, failure);
}

static void end(struct report *report)
{
	auto_json json *document = json_new_object();
	json *runs = json_new_array(), *run = json_new_object();
	json *invocations = json_new_array(), *invocation = json_new_object();

	json_set(invocation, "executionSuccessful",
		json_new_bool(json_count(report->failures) == 0));
	json_set(invocation, "toolExecutionNotifications", report->failures);
	json_append(invocations, invocation);
	json_set(run, "tool", tool_object());
	json_set(run, "invocations", invocations);
	json_set(run, "columnKind", json_new_string("unicodeCodePoints"));
	json_set(run, "results", report->results);
	json_append(runs, run);
	json_set(document, "$schema", json_new_string(SCHEMA));
	json_set(document, "version", json_new_string("2.1.0"));
	json_set(document, "runs", runs);
	out_json(document);
}

const struct report_format report_sarif = { start, add, end };
