/* One reader for each kind of isolator, and the table that finds it by name. */
#include "aci/isolator.h"

#include <limits.h>
#include <string.h>

#include "aci/isolator_names.h"
#include "aci/name.h"
#include "aci/quantity.h"
#include "base/str.h"

/* Puts what VALUE says into RET. */
typedef void reader(struct schema *schema, const struct spot *value, struct isolation *ret);

enum repeated { REPEATED_WARN, REPEATED_REFUSE };

struct kind {
	const char *name;
	reader *read;
	unsigned scope; /* of enum isolator_scope */
	enum repeated repeated;
};

/* The value as an object with the field "set", a list that is not empty. */
static const char *const *read_set(
	struct schema *schema, const struct spot *value, const char *const fields[])
{
	struct spot set = spot_get(value, "set");
	const char *const *names;

	if (!schema_is(schema, value, JSON_OBJECT))
		return NULL;
	schema_known(schema, value, fields);
	names = schema_strings(schema, &set, NULL);
	if (!names && (!set.value || json_kind_of(set.value) == JSON_ARRAY))
		schema_breach(schema, &set, "isolator-shape", "must name at least one");
	return names;
}

/* ---- capabilities ---------------------------------------------------------------------------- */

static uint64_t read_capabilities(struct schema *schema, const struct spot *value)
{
	static const char *const fields[] = { "set", NULL };
	const char *const *names = read_set(schema, value, fields);
	struct spot set = spot_get(value, "set");
	uint64_t bits = 0;

	for (size_t i = 0; names && names[i]; i++) {
		struct spot item = spot_at(&set, i);
		int number = capability_number(names[i]);

		if (number >= 0)
			bits |= 1ull << number;
		else
			schema_breach(schema, &item, "isolator-capability",
				"'%.100s' is no capability of Linux", names[i]);
	}
	return bits;
}

static void read_capabilities_retain(
	struct schema *schema, const struct spot *value, struct isolation *ret)
{
	ret->capabilities = read_capabilities(schema, value);
	ret->capabilities_given = true;
}

static void read_capabilities_remove(
	struct schema *schema, const struct spot *value, struct isolation *ret)
{
	ret->capabilities = ISOLATION_CAPABILITIES_DEFAULT & ~read_capabilities(schema, value);
	ret->capabilities_given = true;
}

/* 0.1: the names in one string, with spaces between. */
static void read_bounding_set(
	struct schema *schema, const struct spot *value, struct isolation *ret)
{
	const char *text = schema_string(schema, value);
	uint64_t bits = 0;
	size_t len = 0;

	for (; text && *(text += strspn(text, " ")); text += len) {
		char name[64] = { 0 };
		int number;

		len = strcspn(text, " ");
		memcpy(name, text, len < sizeof name - 1 ? len : sizeof name - 1);
		number = capability_number(name);
		if (number >= 0)
			bits |= 1ull << number;
		else
			schema_breach(schema, value, "isolator-capability",
				"'%s' is no capability of Linux", name);
	}
	ret->capabilities = bits;
	ret->capabilities_given = true;
}

static void read_no_new_privileges(
	struct schema *schema, const struct spot *value, struct isolation *ret)
{
	ret->no_new_privileges = schema_boolean(schema, value, false);
	ret->no_new_privileges_given = true;
}

/* ---- seccomp --------------------------------------------------------------------------------- */

/* "@scope/name"; of the scope of the specification only KNOWN, which has a meaning in this set. */
static void check_wildcard(
	struct schema *schema, const struct spot *at, const char *name, const char *known)
{
	const char *slash = strchr(name, '/');

	if (strcmp(name, known) == 0)
		return;
	if (!slash || !ac_identifier_is(name + 1, NULL))
		schema_breach(schema, at, "isolator-wildcard",
			"'%.100s' is not of the form @scope/name", name);
	else if (str_has_prefix(name, "@appc.io/"))
		schema_breach(schema, at, "isolator-wildcard",
			"'%.100s' has no meaning here: %s has", name, known);
}

static int read_errno(struct schema *schema, const struct spot *value)
{
	struct spot at = spot_get(value, "errno");
	const char *name = schema_string(schema, &at);
	int number = name && *name ? errno_number(name) : 0;

	if (name && *name && !number)
		schema_breach(schema, &at, "isolator-errno", "'%.100s' is no error of Linux", name);
	return number;
}

/* Returns whether KNOWN, the wildcard that masks all other names, is among them. */
static bool read_seccomp(struct schema *schema, const struct spot *value, const char *known,
	struct isolation_seccomp *ret)
{
	static const char *const fields[] = { "set", "errno", NULL };
	struct spot set = spot_get(value, "set");
	bool masked = false;

	ret->names = read_set(schema, value, fields);
	ret->errnum = read_errno(schema, value);
	for (size_t i = 0; ret->names && ret->names[i]; i++) {
		struct spot item = spot_at(&set, i);

		masked |= strcmp(ret->names[i], known) == 0;
		if (ret->names[i][0] == '@')
			check_wildcard(schema, &item, ret->names[i], known);
		else if (!syscall_is_known(ret->names[i]))
			schema_breach(schema, &item, "isolator-syscall",
				"'%.100s' is no system call we know", ret->names[i]);
	}
	return masked;
}

static void read_seccomp_retain(
	struct schema *schema, const struct spot *value, struct isolation *ret)
{
	ret->seccomp = (struct isolation_seccomp){ .mode = ISOLATION_SECCOMP_RETAIN };
	ret->seccomp.all = read_seccomp(schema, value, "@appc.io/all", &ret->seccomp);
}

static void read_seccomp_remove(
	struct schema *schema, const struct spot *value, struct isolation *ret)
{
	ret->seccomp = (struct isolation_seccomp){ .mode = ISOLATION_SECCOMP_REMOVE };
	ret->seccomp.empty = read_seccomp(schema, value, "@appc.io/empty", &ret->seccomp);
}

/* ---- resources ------------------------------------------------------------------------------- */

static bool read_quantity(
	struct schema *schema, const struct spot *at, enum quantity_unit unit, uint64_t *ret)
{
	/* a number is taken as it was written, which is not always what a double would give back */
	const char *text = json_number(at->value) ?: schema_string(schema, at);
	const char *why = NULL;

	if (!text)
		return false;
	if (quantity_parse(text, unit, ret, &why))
		return true;
	schema_breach(schema, at, "isolator-quantity", "'%.100s' %s", text, why);
	return false;
}

static void read_resource(struct schema *schema, const struct spot *value, enum quantity_unit unit,
	struct isolation_resource *ret)
{
	static const char *const fields[] = { "request", "limit", NULL };
	struct spot request = spot_get(value, "request"), limit = spot_get(value, "limit");

	*ret = (struct isolation_resource){ 0 };
	if (!schema_is(schema, value, JSON_OBJECT))
		return;
	schema_known(schema, value, fields);
	if (!request.value && !limit.value)
		schema_breach(schema, value, "isolator-shape", "has neither a request nor a limit");
	ret->has_request = read_quantity(schema, &request, unit, &ret->request);
	ret->has_limit = read_quantity(schema, &limit, unit, &ret->limit);
	if (!ret->has_request && ret->has_limit)
		ret->request = ret->limit;
	if (ret->has_limit && ret->request > ret->limit)
		schema_breach(schema, &request, "isolator-request", "is above the limit");
}

/* Of a device or network interface: "default" must be true, as no other can be named. */
static void read_default_resource(
	struct schema *schema, const struct spot *value, struct isolation_resource *ret)
{
	static const char *const fields[] = { "default", "limit", NULL };
	struct spot is_default = spot_get(value, "default"), limit = spot_get(value, "limit");
	struct spot request = spot_get(value, "request");

	*ret = (struct isolation_resource){ 0 };
	if (!schema_is(schema, value, JSON_OBJECT))
		return;
	if (request.value)
		schema_breach(schema, &request, "isolator-shape", "has no meaning here");
	else
		schema_known(schema, value, fields);
	if (!schema_boolean(schema, &is_default, false))
		schema_breach(schema, &is_default, "isolator-shape", "must be true");
	if (!limit.value)
		schema_breach(schema, &limit, "isolator-shape", "is required");
	ret->has_limit = read_quantity(schema, &limit, QUANTITY_WHOLE, &ret->limit);
	ret->request = ret->limit;
}

static void read_memory(struct schema *schema, const struct spot *value, struct isolation *ret)
{
	read_resource(schema, value, QUANTITY_WHOLE, &ret->memory);
}

static void read_cpu(struct schema *schema, const struct spot *value, struct isolation *ret)
{
	read_resource(schema, value, QUANTITY_MILLI, &ret->cpu);
}

static void read_block_bandwidth(
	struct schema *schema, const struct spot *value, struct isolation *ret)
{
	read_default_resource(schema, value, &ret->block_bandwidth);
}

static void read_block_iops(struct schema *schema, const struct spot *value, struct isolation *ret)
{
	read_default_resource(schema, value, &ret->block_iops);
}

static void read_network_bandwidth(
	struct schema *schema, const struct spot *value, struct isolation *ret)
{
	read_default_resource(schema, value, &ret->network_bandwidth);
}

/* 0.1: the limit alone. */
static void read_memory_limit(
	struct schema *schema, const struct spot *value, struct isolation *ret)
{
	ret->memory = (struct isolation_resource){ 0 };
	ret->memory.has_limit = read_quantity(schema, value, QUANTITY_WHOLE, &ret->memory.limit);
	ret->memory.request = ret->memory.limit;
}

#define CPU_SHARES_MIN 2
#define CPU_SHARES_MAX 262144

static void read_cpu_shares(struct schema *schema, const struct spot *value, struct isolation *ret)
{
	static const struct schema_range range = { CPU_SHARES_MIN, CPU_SHARES_MAX, 0,
		"isolator-shape" };

	ret->cpu_shares = (uint64_t)schema_integer(schema, value, &range);
}

/* 0.1: a string of digits. */
static void read_cpu_shares_text(
	struct schema *schema, const struct spot *value, struct isolation *ret)
{
	const char *text = schema_string(schema, value);

	ret->cpu_shares = 0;
	if (!text)
		return;
	if (str_parse_u64(text, CPU_SHARES_MAX, "cpu shares", &ret->cpu_shares, NULL) < 0 ||
		ret->cpu_shares < CPU_SHARES_MIN)
		schema_breach(schema, value, "isolator-shape",
			"'%.100s' is not a number from %d to %d", text, CPU_SHARES_MIN,
			CPU_SHARES_MAX);
}

static void read_oom_score_adj(
	struct schema *schema, const struct spot *value, struct isolation *ret)
{
	static const struct schema_range range = { -1000, 1000, 0, "isolator-shape" };

	ret->oom_score_adj = (int)schema_integer(schema, value, &range);
	ret->oom_score_adj_given = true;
}

/* ---- security modules, sysctl, network ------------------------------------------------------- */

static const char *read_context_part(
	struct schema *schema, const struct spot *value, const char *key)
{
	struct spot at = spot_get(value, key);
	const char *part = schema_required(schema, &at, "isolator-shape");

	/* only a level may have one: the parts are joined with colons */
	if (part && strcmp(key, "level") != 0 && strchr(part, ':'))
		schema_breach(schema, &at, "isolator-shape", "must not have a colon");
	return part;
}

static void read_selinux(struct schema *schema, const struct spot *value, struct isolation *ret)
{
	static const char *const fields[] = { "user", "role", "type", "level", NULL };
	struct isolation_selinux *selinux = schema_new(schema, 1, sizeof *selinux);

	if (!schema_is(schema, value, JSON_OBJECT))
		return;
	schema_known(schema, value, fields);
	selinux->user = read_context_part(schema, value, "user");
	selinux->role = read_context_part(schema, value, "role");
	selinux->type = read_context_part(schema, value, "type");
	selinux->level = read_context_part(schema, value, "level");
	ret->selinux = selinux;
}

static void read_apparmor(struct schema *schema, const struct spot *value, struct isolation *ret)
{
	static const char *const fields[] = { "profile", NULL };
	struct spot profile = spot_get(value, "profile");

	if (!schema_is(schema, value, JSON_OBJECT))
		return;
	schema_known(schema, value, fields);
	ret->apparmor_profile = schema_required(schema, &profile, "isolator-shape");
}

/* A name becomes a path below /proc/sys, so nothing that could lead out of it (S-068). */
static bool is_sysctl_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-/";

	if (!*name || strchr("./", *name) || strstr(name, "..") || strstr(name, "//"))
		return false;
	return strspn(name, allowed) == strlen(name);
}

static void read_sysctl(struct schema *schema, const struct spot *value, struct isolation *ret)
{
	size_t count = schema_is(schema, value, JSON_OBJECT) ? json_count(value->value) : 0, i = 0;
	struct isolation_sysctl *sysctls = schema_new(schema, count, sizeof *sysctls);

	for (struct json_iter it = json_iter_start(value->value); count && json_iter_next(&it);
		i++) {
		struct spot item = { .parent = value, .key = it.key, .value = it.value };

		sysctls[i].name = it.key;
		if (!is_sysctl_name(it.key))
			schema_breach(schema, &item, "isolator-shape", "is no name of a sysctl");
		if (schema_is_item(schema, &item, JSON_STRING))
			sysctls[i].value = json_string(item.value);
	}
	ret->sysctls = sysctls;
	ret->sysctl_count = count;
}

/* 0.1: "true" says what every pod of ours is, "false" what `--net=host` asks for. */
static void read_private_network(
	struct schema *schema, const struct spot *value, struct isolation *ret)
{
	const char *text = schema_string(schema, value);

	(void)ret;
	if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		schema_breach(schema, value, "isolator-shape", "is neither \"true\" nor \"false\"");
}

/* ---- the table ------------------------------------------------------------------------------- */

#define CAPABILITIES_RETAIN "os/linux/capabilities-retain-set"
#define CAPABILITIES_REMOVE "os/linux/capabilities-remove-set"
#define SECCOMP_RETAIN      "os/linux/seccomp-retain-set"
#define SECCOMP_REMOVE      "os/linux/seccomp-remove-set"
#define BOTH                (ISOLATOR_OF_APP | ISOLATOR_OF_POD)

/* clang-format off */
static const struct kind kinds[] = {
	{ CAPABILITIES_RETAIN, read_capabilities_retain, ISOLATOR_OF_APP, REPEATED_WARN },
	{ CAPABILITIES_REMOVE, read_capabilities_remove, ISOLATOR_OF_APP, REPEATED_WARN },
	{ "os/linux/no-new-privileges", read_no_new_privileges, ISOLATOR_OF_APP, REPEATED_WARN },
	{ SECCOMP_RETAIN, read_seccomp_retain, ISOLATOR_OF_APP, REPEATED_REFUSE },
	{ SECCOMP_REMOVE, read_seccomp_remove, ISOLATOR_OF_APP, REPEATED_REFUSE },
	{ "os/linux/cpu-shares", read_cpu_shares, BOTH, REPEATED_REFUSE },
	{ "os/linux/oom-score-adj", read_oom_score_adj, BOTH, REPEATED_REFUSE },
	{ "os/linux/selinux-context", read_selinux, BOTH, REPEATED_REFUSE },
	{ "os/linux/apparmor-profile", read_apparmor, BOTH, REPEATED_REFUSE },
	{ "os/unix/sysctl", read_sysctl, ISOLATOR_OF_POD, REPEATED_REFUSE },
	{ "resource/block-bandwidth", read_block_bandwidth, BOTH, REPEATED_WARN },
	{ "resource/block-iops", read_block_iops, BOTH, REPEATED_WARN },
	{ "resource/cpu", read_cpu, BOTH, REPEATED_WARN },
	{ "resource/memory", read_memory, BOTH, REPEATED_WARN },
	{ "resource/network-bandwidth", read_network_bandwidth, BOTH, REPEATED_WARN },
	/* earlier texts: to 0.5, and the 0.1 era */
	{ "os/linux/capabilities-revoke-set", read_capabilities_remove, ISOLATOR_OF_APP,
	  REPEATED_WARN },
	{ "capabilities/bounding-set", read_bounding_set, BOTH, REPEATED_WARN },
	{ "cpu/shares", read_cpu_shares_text, BOTH, REPEATED_WARN },
	{ "memory/limit", read_memory_limit, BOTH, REPEATED_WARN },
	{ "private-network", read_private_network, BOTH, REPEATED_WARN },
};
/* clang-format on */

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(name, kinds[i].name) == 0)
			return &kinds[i];
	}
	return NULL;
}

bool isolator_is_known(const char *name)
{
	return kind_of(name);
}

/* Which kinds were met in a list, one bit each. */
static void note_kind(
	struct schema *schema, const struct spot *at, const struct kind *kind, uint32_t *seen)
{
	uint32_t bit = 1u << (kind - kinds);

	if (*seen & bit)
		schema_breach(schema, at,
			kind->repeated == REPEATED_REFUSE ? "isolator-duplicate"
							  : "isolator-repeated",
			"'%s' is given twice", kind->name);
	*seen |= bit;
}

static void check_conflict(struct schema *schema, const struct spot *at, uint32_t seen,
	const char *retain, const char *remove)
{
	uint32_t both = 1u << (kind_of(retain) - kinds) | 1u << (kind_of(remove) - kinds);

	if ((seen & both) == both)
		schema_breach(schema, at, "isolator-conflict", "'%s' and '%s' exclude each other",
			retain, remove);
}

/* The name and value of one isolator; returns its kind, or NULL. */
static const struct kind *read_isolator(
	struct schema *schema, const struct spot *at, struct app_isolator *ret)
{
	static const char *const fields[] = { "name", "value", "val", NULL };
	struct spot name = spot_get(at, "name"), value;
	const struct kind *kind;

	if (!schema_is_item(schema, at, JSON_OBJECT))
		return NULL;
	value = schema_field(schema, at, "value", "val");
	if (strcmp(value.key, "val") == 0)
		schema_old(schema, &value, "is the name texts before 0.2 had for 'value'");
	schema_known(schema, at, fields);
	ret->name = schema_name(schema, &name, ac_identifier_is);
	ret->value = value.value;
	if (!ret->name)
		return NULL;
	kind = kind_of(ret->name);
	if (!kind)
		schema_breach(schema, &name, "isolator-unknown", "'%.100s' is not known to us",
			ret->name);
	return kind;
}

struct isolators isolators_read(
	struct schema *schema, const struct spot *at, enum isolator_scope scope)
{
	size_t count = schema_count(schema, at);
	struct app_isolator *items = schema_new(schema, count, sizeof *items);
	struct isolators ret = { items, count, { .capabilities = ISOLATION_CAPABILITIES_DEFAULT } };
	uint32_t seen = 0;

	_Static_assert(ARRAY_LEN(kinds) <= 32, "one bit for each kind");
	for (size_t i = 0; i < count; i++) {
		struct spot item = spot_at(at, i), value;
		const struct kind *kind = read_isolator(schema, &item, &items[i]);

		if (!kind)
			continue;
		note_kind(schema, &item, kind, &seen);
		if (!(kind->scope & scope))
			schema_breach(schema, &item, "isolator-scope", "'%s' has no meaning at %s",
				kind->name, scope == ISOLATOR_OF_APP ? "an app" : "a pod");
		value = spot_get(&item, spot_get(&item, "value").value ? "value" : "val");
		if (value.value)
			kind->read(schema, &value, &ret.isolation);
		else
			schema_breach(schema, &item, "isolator-shape", "has no value");
	}
	check_conflict(schema, at, seen, CAPABILITIES_RETAIN, CAPABILITIES_REMOVE);
	check_conflict(schema, at, seen, SECCOMP_RETAIN, SECCOMP_REMOVE);
	return ret;
}
