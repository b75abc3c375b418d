/*
 * Files of auth.d under any bytes: what is taken can be sent and found again, and no error has a
 * secret in it (S-029).
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "base/json.h"
#include "store/fetch/auth.h"

static void check_entry(const struct config_auth *auth, const struct auth_entry *entry)
{
	const struct auth_entry *found = entry->is_docker
						 ? config_auth_for_registry(auth, entry->host)
						 : config_auth_for(auth, entry->host);
	auto_fetch_auth struct fetch_auth sent = fetch_auth_for(auth, entry->host);

	PROMISE(found == entry);
	PROMISE(*entry->secret && !strpbrk(entry->secret, "\r\n"));
	PROMISE(!entry->user || (*entry->user && !strpbrk(entry->user, "\r\n")));
	PROMISE(entry->is_docker || sent.kind != FETCH_AUTH_NONE);
	PROMISE(sent.kind != FETCH_AUTH_SIGV4 || *sent.region);
	PROMISE(sent.kind != FETCH_AUTH_BASIC || !strchr(sent.user, ':'));
}

/* A secret with a sign that no word of ours has. */
static void check_silence(const json *credentials, const char *message)
{
	static const char *const keys[] = { "password", "token", "secretAccessKey" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *secret = json_string(json_get(credentials, keys[i]));

		PROMISE(!secret || !strchr(secret, '$') || !strstr(message, secret));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_config_auth struct config_auth auth = { 0 };
	auto_json json *root = json_parse((struct slice){ data, size }, NULL);
	struct config_file file = { .level = CONFIG_LOCAL, .path = "a.json", .root = root };
	static const char *const kinds[] = { "auth", "dockerAuth" };

	if (!root || json_kind_of(root) != JSON_OBJECT)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		auto_error rkt_error *err = NULL;

		file.kind = kinds[i];
		if (config_auth_add(&auth, &file, &err) < 0) {
			promise_invalid(err);
			check_silence(json_get(root, "credentials"), rkt_error_message(err));
		}
	}
	for (size_t i = 0; i < auth.count; i++)
		check_entry(&auth, &auth.entries[i]);
	return 0;
}
