/*
 * What the targets of image and pod manifests have in common: the reader that stops at the first
 * fault and the one that collects them all come to one verdict, each finding can be shown and has a
 * place in the text, and what is written of a good document is good again.
 *
 * The includer says KIND (struct KIND_manifest) by defining MANIFEST(name) as KIND_manifest##name.
 */
#pragma once

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "aci/check.h"
#include "base/json.h"

static void check_finding(const struct finding *finding, struct slice bytes)
{
	PROMISE(check_rule_find(finding->rule->name) == finding->rule);
	promise_showable(finding->text);
	if (finding->pointer)
		promise_showable(finding->pointer);
	PROMISE(finding->line <= bytes.len + 1 && finding->column <= bytes.len + 1);
}

static void check_findings(const check *findings, struct slice bytes, bool good)
{
	const struct finding *finding;
	size_t count = 0;

	for (; (finding = check_get(findings, count)); count++)
		check_finding(finding, bytes);
	PROMISE(count <= 2 * CHECK_FINDINGS_MAX);
	PROMISE(good == !check_count(findings, SEVERITY_ERROR));
}

/* Reads BYTES in MODE (NULL FINDINGS: without a check); whether they are good. */
typedef bool manifest_read_fn(struct slice bytes, check *findings, rkt_error **err);

static bool read_in(
	manifest_read_fn *read, struct slice bytes, enum check_mode mode, struct buf *ret_words)
{
	auto_check check *findings = check_new(mode);
	auto_error rkt_error *err = NULL;
	bool good = read(bytes, findings, &err);

	if (!good)
		promise_invalid(err);
	check_findings(findings, bytes, good);
	buf_append_text(ret_words, err ? rkt_error_message(err) : "");
	return good;
}

static void check_manifest(manifest_read_fn *read, struct slice bytes)
{
	auto_buf struct buf words = { 0 }, words_of_all = { 0 };
	auto_error rkt_error *err = NULL;
	bool good = read(bytes, NULL, &err);

	PROMISE(read_in(read, bytes, CHECK_FIRST, &words) == good);
	PROMISE(read_in(read, bytes, CHECK_ALL, &words_of_all) == good);
	PROMISE(!strcmp(buf_text(&words), err ? rkt_error_message(err) : ""));
	/* the first of all is the first */
	PROMISE(!strcmp(buf_text(&words), buf_text(&words_of_all)));
}

/* DOCUMENT came out of a good manifest. */
static void check_round_trip(manifest_read_fn *read, const json *document)
{
	auto_buf struct buf text = { 0 };

	json_write(document, JSON_COMPACT, &text);
	PROMISE(read(buf_slice(&text), NULL, NULL));
}
