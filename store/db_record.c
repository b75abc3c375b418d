/* Records to bytes and back; every length is checked on the way in. */
#include "store/db_record.h"

#include <endian.h>
#include <string.h>

#include "aci/digest.h"
#include "aci/id.h"
#include "base/hex.h"

#define RECORD_VERSION 1
#define NO_TEXT        UINT32_MAX
#define ALIAS_OF       'i' /* none of enum alias_kind */

/* ---- keys ------------------------------------------------------------------------------------ */

static void key_add(struct key *key, const void *bytes, size_t len)
{
	memcpy(key->bytes + key->len, bytes, len);
	key->len += len;
}

/* DIGITS are those of a SHA-256. */
static void key_add_digits(struct key *key, const char *digits)
{
	if (!hex_decode(digits, 2 * KEY_ID_SIZE, key->bytes + key->len, KEY_ID_SIZE))
		abort();
	key->len += KEY_ID_SIZE;
}

static void key_add_id(struct key *key, const rkt_image_id *id)
{
	/* well-formed by the type's contract: rkt_image_id_parse() or our own digest */
	key_add_digits(key, id->text + strlen("sha256-"));
}

struct key key_of_id(const rkt_image_id *id)
{
	struct key key = { .len = 0 };

	key_add_id(&key, id);
	return key;
}

rkt_image_id key_to_id(const uint8_t *bytes)
{
	char digits[2 * KEY_ID_SIZE + 1];

	hex_encode(bytes, KEY_ID_SIZE, digits);
	return id_from_hex(digits);
}

static int sha256_of(
	const char *text, size_t len, char digits[static DIGEST_HEX_MAX + 1], rkt_error **err)
{
	auto_digest digest *sum = digest_new(DIGEST_SHA256);

	if (digest_add(sum, (struct slice){ (const uint8_t *)text, len }, err) < 0)
		return -1;
	return digest_hex(sum, digits, err);
}

static int key_add_hashed(struct key *key, const char *name, size_t len, rkt_error **err)
{
	char digits[DIGEST_HEX_MAX + 1];

	if (sha256_of(name, len, digits, err) < 0)
		return -1;
	key_add(key, KEY_LONG_NAMES, strlen(KEY_LONG_NAMES));
	key_add(key, digits, digest_hex_len(DIGEST_SHA256));
	return 0;
}

int key_of_name(const char *name, uint64_t imported_ns, const rkt_image_id *id, struct key *ret,
	rkt_error **err)
{
	uint64_t newest_first = htobe64(~imported_ns);
	size_t len = strlen(name);

	ret->len = 0;
	if (len <= KEY_NAME_PLAIN_MAX)
		key_add(ret, name, len);
	else if (key_add_hashed(ret, name, len, err) < 0)
		return -1;
	key_add(ret, "", 1);
	if (!id)
		return 0;
	key_add(ret, &newest_first, sizeof newest_first);
	key_add_id(ret, id);
	return 0;
}

int key_image_id(struct slice key, rkt_image_id *ret, rkt_error **err)
{
	if (key.len != KEY_ID_SIZE)
		return rkt_fail(err, RKT_INVALID, "the index is damaged: an image without an ID");
	*ret = key_to_id(key.data);
	return 0;
}

int key_name_id(struct slice key, rkt_image_id *ret, rkt_error **err)
{
	if (key.len < 1 + 8 + KEY_ID_SIZE)
		return rkt_fail(err, RKT_INVALID, "the index is damaged: a name without an ID");
	*ret = key_to_id(key.data + key.len - KEY_ID_SIZE);
	return 0;
}

struct key key_of_tree(enum record_form form, const rkt_image_id *id)
{
	struct key key = { .bytes = { (uint8_t)form }, .len = 1 };

	key_add_id(&key, id);
	return key;
}

struct key key_of_lease(const rkt_image_id *id, const char *uuid)
{
	struct key key = { .len = 0 };

	key_add_id(&key, id);
	if (uuid)
		key_add(&key, uuid, UUID_TEXT_LEN);
	return key;
}

int key_lease_read(struct slice key, rkt_image_id *ret_id, char ret_uuid[static UUID_TEXT_LEN + 1],
	rkt_error **err)
{
	if (key.len != KEY_LEASE_SIZE)
		return rkt_fail(err, RKT_INVALID, "the index is damaged: a lease without a pod");
	*ret_id = key_to_id(key.data);
	memcpy(ret_uuid, key.data + KEY_ID_SIZE, UUID_TEXT_LEN);
	ret_uuid[UUID_TEXT_LEN] = '\0';
	if (!uuid_is(ret_uuid))
		return rkt_fail(err, RKT_INVALID, "the index is damaged: a lease of no pod");
	return 0;
}

struct key key_of_alias(const struct alias *alias)
{
	struct key key = { .bytes = { (uint8_t)alias->kind }, .len = 1 };

	key_add(&key, alias->digest, alias->len);
	return key;
}

struct key key_of_alias_of(const rkt_image_id *id, const struct alias *alias)
{
	struct key key = { .bytes = { ALIAS_OF }, .len = 1 };

	key_add_id(&key, id);
	if (alias) {
		key_add(&key, (const uint8_t[]){ (uint8_t)alias->kind }, 1);
		key_add(&key, alias->digest, alias->len);
	}
	return key;
}

int key_alias_read(struct slice key, struct alias *ret, rkt_error **err)
{
	size_t head = 1 + KEY_ID_SIZE + 1;

	if (key.len <= head || key.len > head + ALIAS_DIGEST_MAX)
		return rkt_fail(
			err, RKT_INVALID, "the index is damaged: an alias without a digest");
	ret->kind = (enum alias_kind)key.data[head - 1];
	ret->len = key.len - head;
	memcpy(ret->digest, key.data + head, ret->len);
	return 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void put_version(struct buf *out)
{
	buf_append(out, (const uint8_t[]){ RECORD_VERSION }, 1);
}

static void put_u32(struct buf *out, uint32_t value)
{
	value = htole32(value);
	buf_append(out, &value, sizeof value);
}

static void put_u64(struct buf *out, uint64_t value)
{
	value = htole64(value);
	buf_append(out, &value, sizeof value);
}

static void put_text(struct buf *out, const char *text)
{
	put_u32(out, text ? (uint32_t)strlen(text) : NO_TEXT);
	if (text)
		buf_append(out, text, strlen(text) + 1);
}

/* ---- reading: a fault is remembered and told once, at the end -------------------------------- */

struct reader {
	const uint8_t *at;
	size_t left;
	bool bad;
};

static const uint8_t *take(struct reader *in, size_t len)
{
	const uint8_t *here = in->at;

	if (in->bad || len > in->left) {
		in->bad = true;
		return NULL;
	}
	in->at += len;
	in->left -= len;
	return here;
}

static uint32_t get_u32(struct reader *in)
{
	const uint8_t *bytes = take(in, 4);
	uint32_t value = 0;

	if (bytes)
		memcpy(&value, bytes, 4);
	return le32toh(value);
}

static uint64_t get_u64(struct reader *in)
{
	const uint8_t *bytes = take(in, 8);
	uint64_t value = 0;

	if (bytes)
		memcpy(&value, bytes, 8);
	return le64toh(value);
}

static const char *get_text(struct reader *in)
{
	uint32_t len = get_u32(in);
	const char *text;

	if (in->bad || len == NO_TEXT)
		return NULL;
	text = (const char *)take(in, (size_t)len + 1);
	if (text && strnlen(text, (size_t)len + 1) != len) {
		in->bad = true;
		return NULL;
	}
	return text;
}

/* Starts reading a record called WHAT: its version byte. */
static int start(struct reader *in, struct slice bytes, const char *what, rkt_error **err)
{
	const uint8_t *version;

	*in = (struct reader){ bytes.data, bytes.len, false };
	version = take(in, 1);
	if (!version)
		return rkt_fail(err, RKT_INVALID, "the index is damaged: an empty %s record", what);
	if (*version != RECORD_VERSION)
		return rkt_fail(err, RKT_INVALID,
			"the index has a %s record of version %u; this program knows %d", what,
			*version, RECORD_VERSION);
	return 0;
}

static int finish(const struct reader *in, const char *what, rkt_error **err)
{
	if (in->bad || in->left)
		return rkt_fail(err, RKT_INVALID,
			"the index is damaged: a %s record of wrong length", what);
	return 0;
}

/* ---- the records ----------------------------------------------------------------------------- */

void image_row_write(const struct image_row *row, struct buf *out)
{
	put_version(out);
	put_u64(out, row->size);
	put_u64(out, row->entries);
	put_u64(out, row->imported_ns);
	put_text(out, row->name);
	put_text(out, row->version);
	put_text(out, row->os);
	put_text(out, row->arch);
	put_text(out, row->index_fault);
}

int image_row_read(struct slice bytes, struct image_row *ret, rkt_error **err)
{
	struct reader in;

	if (start(&in, bytes, "image", err) < 0)
		return -1;
	ret->size = get_u64(&in);
	ret->entries = get_u64(&in);
	ret->imported_ns = get_u64(&in);
	ret->name = get_text(&in);
	ret->version = get_text(&in);
	ret->os = get_text(&in);
	ret->arch = get_text(&in);
	ret->index_fault = get_text(&in);
	if (!ret->name)
		in.bad = true;
	return finish(&in, "image", err);
}

void manifest_row_write(struct slice manifest, struct buf *out)
{
	put_version(out);
	buf_append(out, manifest.data, manifest.len);
}

int manifest_row_read(struct slice bytes, struct slice *ret, rkt_error **err)
{
	struct reader in;

	if (start(&in, bytes, "manifest", err) < 0)
		return -1;
	*ret = (struct slice){ in.at, in.left };
	return 0;
}

void tree_row_write(const struct tree_row *row, struct buf *out)
{
	put_version(out);
	put_u32(out, row->index_version);
	put_u64(out, row->size);
	put_u64(out, row->made_ns);
	put_text(out, row->boot);
	put_u32(out, row->layer_count);
	for (uint32_t i = 0; i < row->layer_count; i++) {
		struct key layer = key_of_id(&row->layers[i]);

		buf_append(out, layer.bytes, layer.len);
	}
}

int tree_row_read(struct slice bytes, struct tree_row *ret, rkt_error **err)
{
	struct reader in;

	if (start(&in, bytes, "tree", err) < 0)
		return -1;
	ret->index_version = get_u32(&in);
	ret->size = get_u64(&in);
	ret->made_ns = get_u64(&in);
	ret->boot = get_text(&in);
	ret->layer_count = get_u32(&in);
	ret->layers = NULL;
	take(&in, (size_t)ret->layer_count * KEY_ID_SIZE);
	return finish(&in, "tree", err);
}

void alias_row_write(const rkt_image_id *id, struct buf *out)
{
	struct key key = key_of_id(id);

	put_version(out);
	buf_append(out, key.bytes, key.len);
}

int alias_row_read(struct slice bytes, rkt_image_id *ret, rkt_error **err)
{
	const uint8_t *id;
	struct reader in;

	if (start(&in, bytes, "alias", err) < 0)
		return -1;
	id = take(&in, KEY_ID_SIZE);
	if (id)
		*ret = key_to_id(id);
	return finish(&in, "alias", err);
}

#define PLAN_STEP (KEY_ID_SIZE + 4)

void plan_row_write(const rkt_layers *layers, struct buf *out)
{
	put_version(out);
	put_u32(out, (uint32_t)layers->count);
	for (size_t i = 0; i < layers->count; i++) {
		struct key id = key_of_id(&layers->items[i].id);

		buf_append(out, id.bytes, id.len);
		put_u32(out, layers->items[i].above);
	}
}

int plan_row_start(struct slice bytes, struct plan_reader *ret, rkt_error **err)
{
	struct reader in;

	if (start(&in, bytes, "plan", err) < 0)
		return -1;
	*ret = (struct plan_reader){ .count = get_u32(&in) };
	ret->at = take(&in, (size_t)ret->count * PLAN_STEP);
	if (!ret->count)
		in.bad = true;
	return finish(&in, "plan", err);
}

int plan_row_next(
	struct plan_reader *self, rkt_image_id *ret_id, uint32_t *ret_above, rkt_error **err)
{
	uint32_t above;

	if (self->next == self->count)
		return 0;
	*ret_id = key_to_id(self->at);
	memcpy(&above, self->at + KEY_ID_SIZE, sizeof above);
	*ret_above = le32toh(above);
	/* a layer lies below the one that needs it; the last is needed by none */
	if (self->next == self->count - 1 ? *ret_above != RKT_LAYER_TOP
					  : *ret_above <= self->next || *ret_above >= self->count)
		return rkt_fail(err, RKT_INVALID, "the index is damaged: a plan out of order");
	self->at += PLAN_STEP;
	self->next++;
	return 1;
}

void lease_row_write(uint64_t taken_ns, const rkt_image_id *tree, struct buf *out)
{
	put_version(out);
	put_u64(out, taken_ns);
	if (tree) {
		struct key id = key_of_id(tree);

		buf_append(out, id.bytes, id.len);
	}
}

int lease_row_read(struct slice bytes, rkt_image_id *ret_tree, rkt_error **err)
{
	struct reader in;
	const uint8_t *tree = NULL;

	if (start(&in, bytes, "lease", err) < 0)
		return -1;
	get_u64(&in);
	if (in.left)
		tree = take(&in, KEY_ID_SIZE);
	if (finish(&in, "lease", err) < 0)
		return -1;
	if (tree)
		*ret_tree = key_to_id(tree);
	return tree != NULL;
}

void used_row_write(uint64_t used_ns, struct buf *out)
{
	put_version(out);
	put_u64(out, used_ns);
}

int used_row_read(struct slice bytes, uint64_t *ret_ns, rkt_error **err)
{
	struct reader in;

	if (start(&in, bytes, "use", err) < 0)
		return -1;
	*ret_ns = get_u64(&in);
	return finish(&in, "use", err);
}

void origin_row_write(const struct origin_row *row, struct buf *out)
{
	put_version(out);
	put_text(out, row->source);
	put_text(out, row->signed_by);
	put_u64(out, row->at_ns);
}

int origin_row_read(struct slice bytes, struct origin_row *ret, rkt_error **err)
{
	struct reader in;

	if (start(&in, bytes, "origin", err) < 0)
		return -1;
	ret->source = get_text(&in);
	ret->signed_by = get_text(&in);
	ret->at_ns = get_u64(&in);
	return finish(&in, "origin", err);
}

int key_of_remote(const char *url, struct key *ret, rkt_error **err)
{
	char digits[DIGEST_HEX_MAX + 1];

	if (sha256_of(url, strlen(url), digits, err) < 0)
		return -1;
	ret->len = 0;
	key_add_digits(ret, digits);
	return 0;
}

void remote_row_write(const struct remote_row *row, struct buf *out)
{
	struct key id = key_of_id(&row->id);

	put_version(out);
	put_text(out, row->url);
	put_text(out, row->etag);
	put_text(out, row->last_modified);
	put_u64(out, row->fetched_ns);
	put_u64(out, row->fresh_ns);
	buf_append(out, id.bytes, id.len);
}

int remote_row_read(struct slice bytes, struct remote_row *ret, rkt_error **err)
{
	struct reader in;
	const uint8_t *id;

	if (start(&in, bytes, "remote", err) < 0)
		return -1;
	ret->url = get_text(&in);
	ret->etag = get_text(&in);
	ret->last_modified = get_text(&in);
	ret->fetched_ns = get_u64(&in);
	ret->fresh_ns = get_u64(&in);
	id = take(&in, KEY_ID_SIZE);
	if (finish(&in, "remote", err) < 0)
		return -1;
	if (!id || !ret->url)
		return rkt_fail(err, RKT_INVALID, "the index is damaged: a remote without a URL");
	ret->id = key_to_id(id);
	return 0;
}

void text_row_write(const char *text, struct buf *out)
{
	put_version(out);
	put_text(out, text);
}

int text_row_read(struct slice bytes, const char **ret, rkt_error **err)
{
	struct reader in;

	if (start(&in, bytes, "text", err) < 0)
		return -1;
	*ret = get_text(&in);
	return finish(&in, "text", err);
}
