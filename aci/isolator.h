/*
 * Isolators: what an app or a pod is confined to (appc ace.md "Isolators").
 *
 * A manifest's list of isolators becomes one struct isolation, in base units and kernel numbers, so
 * that stage1 only applies it. Isolators we do not know stay in the list, for a word to the user.
 */
#pragma once

#include "aci/schema.h"

struct app_isolator {
	const char *name;
	const json *value; /* NULL when absent */
};

/* The bounding set without an isolator: 14 capabilities (appc ace.md). */
#define ISOLATION_CAPABILITIES_DEFAULT                                                   \
	(1ull << 0 /* CHOWN */ | 1ull << 1 /* DAC_OVERRIDE */ | 1ull << 3 /* FOWNER */ | \
		1ull << 4 /* FSETID */ | 1ull << 5 /* KILL */ | 1ull << 6 /* SETGID */ | \
		1ull << 7 /* SETUID */ | 1ull << 8 /* SETPCAP */ |                       \
		1ull << 10 /* NET_BIND_SERVICE */ | 1ull << 13 /* NET_RAW */ |           \
		1ull << 18 /* SYS_CHROOT */ | 1ull << 27 /* MKNOD */ |                   \
		1ull << 29 /* AUDIT_WRITE */ | 1ull << 31 /* SETFCAP */)

struct isolation_resource {
	bool has_request, has_limit; /* a request that was not given is equal to the limit */
	uint64_t request, limit;
};

enum isolation_seccomp_mode {
	ISOLATION_SECCOMP_NONE,   /* no isolator: the executor's own filter */
	ISOLATION_SECCOMP_RETAIN, /* allow these calls and what a process needs to end */
	ISOLATION_SECCOMP_REMOVE, /* forbid these calls */
};

struct isolation_seccomp {
	enum isolation_seccomp_mode mode;
	int errnum;               /* what a blocked call returns; 0: SIGSYS ends the app */
	const char *const *names; /* calls and wildcards ("@scope/name"), ended by NULL */
	bool all;                 /* retain @appc.io/all: no filter; masks all other names */
	bool empty; /* remove @appc.io/empty: only the executor's own filter; masks all others */
};

struct isolation_sysctl {
	const char *name, *value; /* names consist of letters, digits, '.', '_', '-' and '/' */
};

struct isolation_selinux {
	const char *user, *role, *type, *level;
};

struct isolation {
	/* The bounding set: bit n is capability number n. */
	uint64_t capabilities;
	bool capabilities_given;
	bool no_new_privileges, no_new_privileges_given;
	struct isolation_seccomp seccomp;
	struct isolation_resource memory;            /* bytes */
	struct isolation_resource cpu;               /* thousandths of a core */
	struct isolation_resource block_bandwidth;   /* bytes a second */
	struct isolation_resource block_iops;        /* operations a second */
	struct isolation_resource network_bandwidth; /* bytes a second */
	uint64_t cpu_shares;                         /* 2 to 262144; 0: not given */
	int oom_score_adj;                           /* -1000 to 1000 */
	bool oom_score_adj_given;
	const struct isolation_selinux *selinux; /* NULL: not given */
	const char *apparmor_profile;            /* NULL: not given */
	const struct isolation_sysctl *sysctls;
	size_t sysctl_count;
};

enum isolator_scope { ISOLATOR_OF_APP = 1, ISOLATOR_OF_POD = 2 };

struct isolators {
	const struct app_isolator *items;
	size_t count;
	struct isolation isolation;
};

/* Reads the list of isolators at AT, which may be absent; where an isolator is given more than once
 * the last holds. The default of struct isolation (no isolators) is also what absence gives. */
struct isolators isolators_read(
	struct schema *schema, const struct spot *at, enum isolator_scope scope);

/* Whether NAME is an isolator struct isolation has room for. */
bool isolator_is_known(const char *name);
