/* POSIX ACLs, from text and from the kernel's form into the kernel's form, and into text. */
#include "aci/acl.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

/* As in linux/posix_acl_xattr.h and linux/posix_acl.h. */
#define ACL_VERSION 2u
#define ACL_NO_ID   0xffffffffu

enum acl_tag {
	ACL_OWNER = 0x01,
	ACL_USER = 0x02,
	ACL_OWNING_GROUP = 0x04,
	ACL_GROUP = 0x08,
	ACL_MASK = 0x10,
	ACL_OTHER = 0x20,
};
#define ACL_NAMED (ACL_USER | ACL_GROUP)
#define ACL_BASE  (ACL_OWNER | ACL_OWNING_GROUP | ACL_OTHER)

struct acl_entry {
	uint16_t tag, permissions;
	uint32_t id;
};
_Static_assert(sizeof(struct acl_entry) == 8, "ACL entry");
#define ACL_HEADER 4u

static size_t entry_count(struct slice acl)
{
	return (acl.len - ACL_HEADER) / sizeof(struct acl_entry);
}

static struct acl_entry entry_at(struct slice acl, size_t index)
{
	struct acl_entry entry;

	memcpy(&entry, acl.data + ACL_HEADER + index * sizeof entry, sizeof entry);
	entry.tag = le16toh(entry.tag);
	entry.permissions = le16toh(entry.permissions);
	entry.id = le32toh(entry.id);
	return entry;
}

static void append_entry(struct buf *acl, struct acl_entry entry)
{
	entry.tag = htole16(entry.tag);
	entry.permissions = htole16(entry.permissions);
	entry.id = htole32(entry.id);
	buf_append(acl, &entry, sizeof entry);
}

static void start(struct buf *acl)
{
	uint32_t version = htole32(ACL_VERSION);

	acl->len = 0;
	buf_append(acl, &version, sizeof version);
}

static int by_tag_and_id(const void *a, const void *b)
{
	const struct acl_entry *left = a, *right = b;
	uint16_t left_tag = le16toh(left->tag), right_tag = le16toh(right->tag);
	uint32_t left_id = le32toh(left->id), right_id = le32toh(right->id);

	if (left_tag != right_tag)
		return left_tag < right_tag ? -1 : 1;
	return left_id < right_id ? -1 : left_id > right_id;
}

/* Sorts the entries and holds them against the kernel's rules (posix_acl_valid()). */
static int finish(struct buf *acl, rkt_error **err)
{
	size_t count = entry_count(buf_slice(acl));
	unsigned seen = 0;
	struct acl_entry last = { 0 };

	if (!count)
		acl->len = 0;
	else
		qsort(acl->data + ACL_HEADER, count, sizeof(struct acl_entry), by_tag_and_id);
	for (size_t i = 0; i < count; i++) {
		struct acl_entry entry = entry_at(buf_slice(acl), i);

		if (i && entry.tag == last.tag && (!(entry.tag & ACL_NAMED) || entry.id == last.id))
			return rkt_fail(err, RKT_INVALID, "ACL: an entry is there twice");
		seen |= entry.tag;
		last = entry;
	}
	if (count && (seen & ACL_BASE) != ACL_BASE)
		return rkt_fail(err, RKT_INVALID, "ACL: owner, group or other is missing");
	if ((seen & ACL_NAMED) && !(seen & ACL_MASK))
		return rkt_fail(err, RKT_INVALID, "ACL: the mask is missing");
	return 0;
}

int acl_from_kernel(struct slice bytes, struct buf *ret, rkt_error **err)
{
	uint32_t version = 0;

	if (bytes.len >= ACL_HEADER)
		memcpy(&version, bytes.data, sizeof version);
	if (le32toh(version) != ACL_VERSION)
		return rkt_fail(err, RKT_INVALID, "ACL: not of version %u", ACL_VERSION);
	if ((bytes.len - ACL_HEADER) % sizeof(struct acl_entry))
		return rkt_fail(err, RKT_INVALID, "ACL: %zu bytes are no whole entries", bytes.len);
	start(ret);
	for (size_t i = 0; i < entry_count(bytes); i++) {
		struct acl_entry entry = entry_at(bytes, i);

		if (__builtin_popcount(entry.tag) != 1 || entry.tag > ACL_OTHER)
			return rkt_fail(err, RKT_INVALID, "ACL: unknown tag %#x", entry.tag);
		if (entry.permissions > 7)
			return rkt_fail(err, RKT_INVALID, "ACL: unknown permissions %#x",
				entry.permissions);
		if (!(entry.tag & ACL_NAMED))
			entry.id = ACL_NO_ID;
		else if (entry.id == ACL_NO_ID)
			return rkt_fail(err, RKT_INVALID, "ACL: an id is out of range");
		append_entry(ret, entry);
	}
	return finish(ret, err);
}

/* Takes what is before the first byte of SEPARATORS, or all, off the front of *TEXT. */
static struct slice take(struct slice *text, const char *separators)
{
	struct slice part = { text->data, 0 };

	while (part.len < text->len &&
		!memchr(separators, text->data[part.len], strlen(separators)))
		part.len++;
	text->data += part.len;
	text->len -= part.len;
	if (text->len) {
		text->data++;
		text->len--;
	}
	return part;
}

static struct slice trim(struct slice text)
{
	while (text.len && memchr(" \t\r", text.data[0], 3)) {
		text.data++;
		text.len--;
	}
	while (text.len && memchr(" \t\r", text.data[text.len - 1], 3))
		text.len--;
	return text;
}

/* Whether WORD is TEXT or its first letter. */
static bool is_word(struct slice text, const char *word)
{
	return text.len && (text.len == 1 || text.len == strlen(word)) &&
	       memcmp(text.data, word, text.len) == 0;
}

static bool parse_permissions(struct slice text, uint16_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == 'r')
			*ret |= 4;
		else if (text.data[i] == 'w')
			*ret |= 2;
		else if (text.data[i] == 'x')
			*ret |= 1;
		else if (text.data[i] != '-')
			return false;
	}
	return text.len > 0;
}

static bool parse_id(struct slice text, uint32_t *ret)
{
	uint64_t id = 0;

	if (text.len == 0 || text.len > 10)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		id = id * 10 + (uint64_t)(text.data[i] - '0');
	}
	*ret = (uint32_t)id;
	return id < ACL_NO_ID;
}

/* What the first word of an entry and whether a name follows it mean; 0: nothing. */
static uint16_t tag_of(struct slice word, bool named)
{
	if (is_word(word, "user"))
		return named ? ACL_USER : ACL_OWNER;
	if (is_word(word, "group"))
		return named ? ACL_GROUP : ACL_OWNING_GROUP;
	if (is_word(word, "mask"))
		return named ? 0 : ACL_MASK;
	if (is_word(word, "other"))
		return named ? 0 : ACL_OTHER;
	return 0;
}

/* Reads "TAG:[NAME]:PERMISSIONS[:ID]", also "mask:PERMISSIONS" and "other:PERMISSIONS". */
static int parse_entry(struct slice line, struct buf *acl, uint64_t *names_dropped, rkt_error **err)
{
	struct slice rest = line, word = trim(take(&rest, ":")), name, permissions, number;
	struct acl_entry entry = { .id = ACL_NO_ID };

	if (is_word(word, "default"))
		word = trim(take(&rest, ":"));
	name = trim(take(&rest, ":"));
	if (!rest.len && (is_word(word, "mask") || is_word(word, "other"))) {
		permissions = name;
		name.len = 0;
	} else {
		permissions = trim(take(&rest, ":"));
	}
	number = trim(take(&rest, ":"));
	entry.tag = tag_of(word, name.len > 0);
	if (!entry.tag || rest.len || !parse_permissions(permissions, &entry.permissions))
		return rkt_fail(err, RKT_INVALID, "ACL: cannot read \"%.*s\"",
			(int)(line.len < 300 ? line.len : 300), (const char *)line.data);
	if ((entry.tag & ACL_NAMED) && !parse_id(number, &entry.id) && !parse_id(name, &entry.id))
		++*names_dropped;
	else
		append_entry(acl, entry);
	return 0;
}

int acl_from_text(struct slice text, struct buf *ret, uint64_t *names_dropped, rkt_error **err)
{
	start(ret);
	while (text.len) {
		struct slice part = take(&text, ",\n"), line = trim(take(&part, "#"));

		if (line.len && parse_entry(line, ret, names_dropped, err) < 0)
			return -1;
	}
	return finish(ret, err);
}

static const char *tag_words(uint16_t tag)
{
	switch (tag) {
	case ACL_OWNER:
	case ACL_USER:
		return "user";
	case ACL_OWNING_GROUP:
	case ACL_GROUP:
		return "group";
	case ACL_MASK:
		return "mask";
	default:
		return "other";
	}
}

int acl_to_text(struct slice bytes, struct buf *ret, rkt_error **err)
{
	auto_buf struct buf checked = { 0 };

	if (acl_from_kernel(bytes, &checked, err) < 0)
		return -1;
	ret->len = 0;
	for (size_t i = 0; checked.len && i < entry_count(buf_slice(&checked)); i++) {
		struct acl_entry entry = entry_at(buf_slice(&checked), i);
		bool named = entry.tag & ACL_NAMED;

		buf_printf(ret, "%s%s:", i ? "," : "", tag_words(entry.tag));
		if (named)
			buf_printf(ret, "%u", entry.id);
		buf_printf(ret, ":%c%c%c", entry.permissions & 4 ? 'r' : '-',
			entry.permissions & 2 ? 'w' : '-', entry.permissions & 1 ? 'x' : '-');
		if (named)
			buf_printf(ret, ":%u", entry.id);
	}
	return 0;
}

mode_t acl_mode(struct slice acl)
{
	mode_t owner = 0, group = 0, other = 0;

	/* sorted by tag: the mask comes after the owning group and takes its place */
	for (size_t i = 0; i < entry_count(acl); i++) {
		struct acl_entry entry = entry_at(acl, i);

		if (entry.tag == ACL_OWNER)
			owner = entry.permissions;
		else if (entry.tag & (ACL_OWNING_GROUP | ACL_MASK))
			group = entry.permissions;
		else if (entry.tag == ACL_OTHER)
			other = entry.permissions;
	}
	return owner << 6 | group << 3 | other;
}

bool acl_is_mode(struct slice acl)
{
	return entry_count(acl) == 3;
}
