/* Asking gpgme what it knows of a key. */
#include "store/trust/key_info.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "store/trust/gpg.h"

static void add_user_ids(gpgme_key_t key, struct names *ids)
{
	for (gpgme_user_id_t at = key->uids; at; at = at->next)
		if (at->uid && !at->revoked && !at->invalid)
			names_add(ids, xstrdup(at->uid));
}

static void look_at_signing(gpgme_key_t key, struct key_info *ret)
{
	for (gpgme_subkey_t at = key->subkeys; at; at = at->next) {
		if (!at->can_sign || at->invalid || (at->revoked && !key->revoked))
			continue;
		ret->can_sign = true;
		if (!gpg_key_weakness(at))
			ret->strong = true;
	}
}

static void describe(gpgme_key_t key, struct key_info *ret)
{
	gpgme_subkey_t primary = key->subkeys;
	char *algorithm = gpgme.gpgme_pubkey_algo_string(primary);

	for (size_t i = 0; i < TRUST_FINGERPRINT_MAX && primary->fpr && primary->fpr[i]; i++)
		ret->fingerprint[i] = (char)tolower((unsigned char)primary->fpr[i]);
	ret->algorithm = xstrdup(algorithm ?: "unknown");
	gpgme.gpgme_free(algorithm);
	ret->created_sec = primary->timestamp > 0 ? primary->timestamp : 0;
	ret->expires_sec = primary->expires > 0 ? primary->expires : 0;
	ret->expired = primary->expired;
	ret->revoked = primary->revoked;
	add_user_ids(key, &ret->user_ids);
	look_at_signing(key, ret);
}

static void add(struct key_infos *self, gpgme_key_t key)
{
	struct key_info *info;

	self->items = xreallocarray(self->items, self->count + 1, sizeof *self->items);
	info = &self->items[self->count++];
	*info = (struct key_info){ 0 };
	describe(key, info);
}

int key_infos_read(trust_home *home, struct key_infos *ret, rkt_error **err)
{
	gpgme_error_t error = gpgme.gpgme_op_keylist_start(home->gpg, NULL, 0);
	gpgme_key_t key;

	while (!error && !(error = gpgme.gpgme_op_keylist_next(home->gpg, &key))) {
		add(ret, key);
		gpgme.gpgme_key_unref(key);
	}
	if (gpgme_err_code(error) != GPG_ERR_EOF) {
		gpgme.gpgme_op_keylist_end(home->gpg);
		return gpg_failed(error, "list keys", err);
	}
	return 0;
}

const struct key_info *key_infos_find(const struct key_infos *self, const char *fingerprint)
{
	for (size_t i = 0; i < self->count; i++)
		if (strcmp(self->items[i].fingerprint, fingerprint) == 0)
			return &self->items[i];
	return NULL;
}

void key_infos_free(struct key_infos *self)
{
	for (size_t i = 0; i < self->count; i++)
		key_info_free(&self->items[i]);
	free(self->items);
	*self = (struct key_infos){ 0 };
}

/* The key FINGERPRINT of HOME, which must be in there. */
static int key_info_of(
	trust_home *home, const char *fingerprint, struct key_info *ret, rkt_error **err)
{
	gpgme_key_t key;
	gpgme_error_t error = gpgme.gpgme_get_key(home->gpg, fingerprint, &key, 0);

	if (error)
		return gpg_failed(error, "look up key", err);
	describe(key, ret);
	gpgme.gpgme_key_unref(key);
	return 0;
}

static int export(trust_home *home, const char *fingerprint, struct buf *armor, rkt_error **err)
{
	gpgme_data_t out;
	gpgme_error_t error = gpgme.gpgme_data_new(&out);
	char *bytes;
	size_t len;

	if (error)
		return gpg_failed(error, "export key", err);
	gpgme.gpgme_set_armor(home->gpg, 1);
	error = gpgme.gpgme_op_export(home->gpg, fingerprint, 0, out);
	if (error) {
		gpgme.gpgme_data_release(out);
		return gpg_failed(error, "export key", err);
	}
	bytes = gpgme.gpgme_data_release_and_get_mem(out, &len);
	buf_append(armor, bytes, len);
	gpgme.gpgme_free(bytes);
	return armor->len ? 0 : rkt_fail(err, RKT_FAILED, "gpg: export key: nothing came");
}

int key_info_read(struct slice bytes, struct key_info *ret, rkt_error **err)
{
	auto_trust_home trust_home *home = trust_home_new(err);
	char fingerprint[TRUST_FINGERPRINT_MAX + 1];

	if (!home || trust_home_add_one(home, bytes, fingerprint, err) < 0)
		return -1;
	if (key_info_of(home, fingerprint, ret, err) < 0)
		return -1;
	return export(home, fingerprint, &ret->armor, err);
}

void key_info_free(struct key_info *self)
{
	names_free(&self->user_ids);
	free(self->algorithm);
	buf_free(&self->armor);
	*self = (struct key_info){ 0 };
}
