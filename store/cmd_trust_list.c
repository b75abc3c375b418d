/* rkt-store trust list: all key files, and which of them count. */
#include "store/cmd_trust.h"

#include <signal.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "cli/out.h"

static const char *state_of(const struct trusted_keys *keys, const struct trusted_key *key)
{
	if (key->problem)
		return "unusable";
	if (!key->bytes.len)
		return "mask";
	return keys_may_speak(keys, key->fingerprint, key->prefix) ? "trusted" : "masked";
}

static void print_row(struct out_table *table, const struct trusted_keys *keys,
	const struct trusted_key *key, const struct key_info *info)
{
	out_table_cell(table, key->fingerprint);
	out_table_cell(table, key->prefix ?: "(all)");
	out_table_cell(table, config_level_name(key->level));
	out_table_cell(table, state_of(keys, key));
	out_table_cell(table, info->user_ids.count ? info->user_ids.items[0] : "-");
}

static json *text_or_null(const char *text)
{
	return text ? json_new_string(text) : NULL;
}

static json *time_or_null(int64_t sec)
{
	char when[TIME_TEXT_SIZE];

	return sec ? json_new_string(time_rfc3339(sec, when)) : NULL;
}

static json *json_of(
	const struct trusted_keys *keys, const struct trusted_key *key, const struct key_info *info)
{
	json *object = json_new_object(), *users = json_new_array();

	for (size_t i = 0; i < info->user_ids.count; i++) {
		auto_free char *shown =
			str_escape(info->user_ids.items[i], strlen(info->user_ids.items[i]));

		json_append(users, json_new_string(shown));
	}
	json_set(object, "fingerprint", json_new_string(key->fingerprint));
	json_set(object, "prefix", text_or_null(key->prefix));
	json_set(object, "level", json_new_string(config_level_name(key->level)));
	json_set(object, "path", json_new_string(key->path));
	json_set(object, "state", json_new_string(state_of(keys, key)));
	json_set(object, "problem", text_or_null(key->problem));
	json_set(object, "users", users);
	json_set(object, "algorithm", text_or_null(info->algorithm));
	json_set(object, "created", time_or_null(info->created_sec));
	json_set(object, "expires", time_or_null(info->expires_sec));
	json_set(object, "revoked", info->algorithm ? json_new_bool(info->revoked) : NULL);
	return object;
}

struct showing {
	json *array; /* NULL: a table */
	struct out_table *table;
};

static void show_all(
	const struct trusted_keys *keys, const struct key_infos *infos, struct showing *showing)
{
	static const struct key_info unknown = { 0 };

	for (size_t i = 0; i < keys->count; i++) {
		const struct trusted_key *key = &keys->items[i];
		const struct key_info *info = NULL;

		if (key->bytes.len && !key->problem)
			info = key_infos_find(infos, key->fingerprint);
		if (showing->array)
			json_append(showing->array, json_of(keys, key, info ?: &unknown));
		else
			print_row(showing->table, keys, key, info ?: &unknown);
	}
}

int trust_list(const struct trust_settings *settings, rkt_error **err)
{
	static const char *const headings[] = { "FINGERPRINT", "PREFIX", "FROM", "STATE", "USER",
		NULL };
	auto_trusted_keys struct trusted_keys keys = { 0 };
	auto_trust_home trust_home *home = NULL;
	auto_key_infos struct key_infos infos = { 0 };
	auto_json json *array = settings->json ? json_new_array() : NULL;
	struct showing showing = { .array = array };
	size_t warned;

	signal(SIGPIPE, SIG_IGN); /* gpg may stop reading first */
	if (trust_read(&keys, err) < 0)
		return -1;
	warned = keys.problems.count;
	if (keys.count && !(home = keys_home(&keys, KEYS_ALL, err)))
		return -1;
	trust_warn(&keys, warned);
	if (home && key_infos_read(home, &infos, err) < 0)
		return -1;
	if (!array)
		showing.table = out_table_new(headings);
	show_all(&keys, &infos, &showing);
	if (array)
		out_json(array);
	else
		out_table_end(showing.table);
	return 0;
}
