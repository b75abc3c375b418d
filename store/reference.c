/* Names with labels: taking them apart, and whether an image is what they ask for. */
#include "store/reference.h"

#include <string.h>

#include "base/alloc.h"

static int add_label(struct reference *self, const char *name, const char *value, rkt_error **err)
{
	if (ac_pairs_get(self->labels, self->label_count, name))
		return rkt_fail(err, RKT_USAGE, "label %s is given twice", name);
	self->labels = xreallocarray(self->labels, self->label_count + 1, sizeof *self->labels);
	self->labels[self->label_count++] = (struct ac_pair){ name, value };
	return 0;
}

static int add_pair(struct reference *self, char *pair, rkt_error **err)
{
	char *equals = strchr(pair, '=');

	if (!equals || equals == pair)
		return rkt_fail(err, RKT_USAGE, "'%s' is no LABEL=VALUE", pair);
	*equals = '\0';
	return add_label(self, pair, equals + 1, err);
}

int reference_parse(const char *text, struct reference *ret, rkt_error **err)
{
	char *rest, *pair, *version;

	*ret = (struct reference){ .text = xstrdup(text) };
	rest = ret->text;
	ret->name = strsep(&rest, ",");
	version = strchr(ret->name, ':');
	if (version)
		*version++ = '\0';
	if (version && add_label(ret, "version", version, err) < 0)
		return -1;
	while ((pair = strsep(&rest, ",")))
		if (add_pair(ret, pair, err) < 0)
			return -1;
	return 0;
}

void reference_free(struct reference *self)
{
	free(self->labels);
	free(self->text);
}

/* The first label that MANIFEST does not have with the value asked for, or NULL. */
static const struct ac_pair *misfit(
	const struct reference *self, const struct image_manifest *manifest)
{
	for (size_t i = 0; i < self->label_count; i++) {
		const char *value = image_manifest_label(manifest, self->labels[i].name);

		if (!value || strcmp(value, self->labels[i].value) != 0)
			return &self->labels[i];
	}
	return NULL;
}

int reference_labels_fit(const struct reference *self, struct slice bytes, rkt_error **err)
{
	auto_image_manifest struct image_manifest *manifest = NULL;

	if (!self->label_count)
		return 1;
	manifest = image_manifest_parse(bytes, NULL, err);
	return manifest ? !misfit(self, manifest) : -1;
}

int reference_check(
	const struct reference *self, const struct image_manifest *manifest, rkt_error **err)
{
	const struct ac_pair *label;
	const char *value;

	if (strcmp(manifest->name, self->name) != 0)
		return rkt_fail(err, RKT_INVALID, "the image is called %s, not %s", manifest->name,
			self->name);
	label = misfit(self, manifest);
	if (!label)
		return 0;
	value = image_manifest_label(manifest, label->name);
	return value ? rkt_fail(err, RKT_INVALID, "the image has %s=%s, not %s", label->name, value,
			       label->value)
		     : rkt_fail(err, RKT_INVALID, "the image has no label %s", label->name);
}
