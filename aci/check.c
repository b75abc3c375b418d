/* Findings, and the table of all rules in the order of their groups. */
#include "aci/check.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

#define E SEVERITY_ERROR
#define W SEVERITY_WARNING

#define ACI   "appc aci.md, "
#define PODS  "appc pods.md, "
#define TYPES "appc types.md, "
#define ACE   "appc ace.md, "

const struct check_rule check_rules[] = {
  /* the archive */
	{"tar-format",                E, "POSIX pax, GNU tar",
         "The archive is an ustar, GNU or pax tar, whole, with nothing behind its end."                                                         },
	{ "layout-top",               E, ACI "Image Archives",
         "At the top stand `manifest` and `rootfs` and nothing else."                                                                           },
	{ "layout-duplicate",         E, ACI "Image Archives",                             "Every path is in the archive once."                 },
	{ "layout-manifest-missing",  E, ACI "Image Layout",                               "There is a manifest."                               },
	{ "layout-manifest-type",     E, ACI "Image Archives",                             "The manifest is a regular file."                    },
	{ "layout-manifest-size",     E, "S-012",                                          "The manifest has at most 1 MiB."                    },
	{ "layout-rootfs-missing",    E, ACI "Image Layout",                               "There is a rootfs."                                 },
	{ "layout-rootfs-type",       E, ACI "Image Archives",                             "The rootfs is a directory."                         },
	{ "layout-rootfs-entry",      W, ACI "Image Layout",
         "The rootfs has an entry of its own, with its owner and mode."                                                                         },
	{ "layout-hardlink-target",   E, "S-008",
         "A hard link goes to a regular file that came earlier in the archive."                                                                 },
	{ "layout-hardlink-manifest", E, "S-008",
         "No hard link goes to the manifest, and the manifest is none."                                                                         },
	{ "layout-below-file",        E, "S-002",                                          "What has entries below it is a directory."          },

 /* the JSON text */
	{ "json-syntax",              E, "RFC 8259, S-014",
         "The text is strict JSON: UTF-8, no duplicate keys, no NUL, depth at most 64."                                                         },
	{ "json-type",                E, ACI "Image Manifest Schema",                      "Each field has the type of the schema."             },
	{ "field-missing",            E, ACI "Image Manifest Schema",                      "Required fields are there."                         },
	{ "field-unknown",            W, "S-014",					  "Fields are those of the schema; others are kept."   },
	{ "field-twice",              E, "doc/spec-readings.md",
         "Of the spellings of a field's name only one is used at a time."                                                                       },
	{ "form-old",                 W, "doc/spec-readings.md",
         "A form of an earlier text is used only by manifests of that time."                                                                    },

 /* every manifest */
	{ "manifest-kind",            E, TYPES "AC Kind Type",
         "acKind is `ImageManifest` or `PodManifest` (0.1: `ContainerRuntimeManifest`)."                                                        },
	{ "manifest-version",         E, TYPES "AC Version Type",
         "acVersion is a semantic version from 0.1.0 to 0.8.11."										},
	{ "name-syntax",              E, TYPES "AC Identifier Type, AC Name Type",
         "Names match ^[a-z0-9]+([-._~/][a-z0-9]+)*$, in pods ^[a-z0-9]+(-[a-z0-9]+)*$."                                                        },
	{ "image-id",                 E, TYPES "Image ID Type",
         "An image ID is `sha512-` with 128 (or its first 64) hexadecimal digits, or "
		"`sha256-` with 64."													    },
	{ "label-duplicate",          E, ACI "labels",                                     "Each label is given once."                          },
	{ "label-name",               E, ACI "labels",                                     "No label is called `name`."                         },
	{ "label-os-arch",            E, ACI "labels",                                     "os and arch are a known pair."                      },
	{ "label-arch",               W, ACI "labels",                                     "arch is given together with os."                    },
	{ "annotation-duplicate",     E, ACI "annotations",                                "Each annotation is given once."                     },
	{ "annotation-created",       E, TYPES "Timestamps Type",
         "`created` is a time of RFC 3339 with a T between date and time."                                                                      },
	{ "annotation-url",           E, ACI "annotations",
         "`homepage` and `documentation` are URLs with http or https."                                                                          },
	{ "annotation-notify",        E, ACI "annotations",
         "`appc.io/executor/supports-systemd-notify` is \"true\" or \"false\"."                                                                 },
	{ "dependency-name",          E, ACI "dependencies",                               "Every dependency has an imageName."                 },
	{ "whitelist-path",           E, ACI "pathWhitelist",
         "Whitelisted paths are absolute, without `.`, `..` and empty parts."                                                                   },

 /* the app section */
	{ "app-user",                 E, ACI "user, group",                                "user is a string and not empty."                    },
	{ "app-group",                E, ACI "user, group",                                "group is a string and not empty."                   },
	{ "app-gids",                 E, ACI "supplementaryGIDs",
         "Supplementary groups are integers from 0 to 4294967294."									      },
	{ "app-directory",            E, ACI "workingDirectory",                           "workingDirectory is an absolute path."              },
	{ "exec-empty",               E, ACI "exec",				       "What is executed has a name."                       },
	{ "event-name",               E, ACI "eventHandlers",                              "Handlers are `pre-start` and `post-stop`."          },
	{ "event-duplicate",          E, ACI "eventHandlers",                              "Each handler is given once."                        },
	{ "env-name",                 E, ACI "environment",
         "Variables consist of letters, digits, `_`, `.` and `-`, a digit not first."                                                           },
	{ "env-duplicate",            E, ACI "environment",                                "Each variable is given once."                       },
	{ "mount-point-duplicate",    E, ACI "mountPoints",                                "Mount points have different names."                 },
	{ "mount-path",               E, ACI "mountPoints",                                "Mount paths are absolute and without `..`."         },
	{ "port-range",               E, ACI "ports",                                      "Ports lie from 1 to 65535, the last of a range too."},
	{ "port-duplicate",           E, ACI "ports",                                      "Ports have different names."                        },
	{ "port-protocol",            W, ACI "ports",                                      "The protocol is `tcp` or `udp`."                    },

 /* isolators */
	{ "isolator-shape",           E, ACE "Isolators",                                  "The value has the shape of its isolator."           },
	{ "isolator-quantity",        E, ACE "Resource Isolators",
         "Quantities are decimals with m, K, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi or Ei."                                                          },
	{ "isolator-request",         W, ACE "Resource Isolators",                         "request is at most limit."                          },
	{ "isolator-duplicate",       E, ACE "Linux Isolators",                            "This isolator is given once."                       },
	{ "isolator-repeated",        W, ACE "Isolators",                                  "An isolator is given once; the last holds."         },
	{ "isolator-conflict",        E, ACE "Linux Isolators",
         "A retain set and a remove set are not given together."										},
	{ "isolator-capability",      E, ACE "os/linux/capabilities-retain-set",
         "Capabilities are called as Linux calls them."											 },
	{ "isolator-errno",           E, ACE "os/linux/seccomp-retain-set",
         "errno is the name of an error of Linux."											      },
	{ "isolator-wildcard",        E, ACE "os/linux/seccomp-retain-set",
         "Wildcards are `@scope/name`; of @appc.io only those of the text."                                                                     },
	{ "isolator-syscall",         W, ACE "os/linux/seccomp-retain-set",
         "System calls are called as Linux calls them."											 },
	{ "isolator-unknown",         W, ACE "Isolators",                                  "The isolator is one we know."                       },

 /* the pod */
	{ "pod-apps",                 E, PODS "apps",				      "A pod has at least one app."                        },
	{ "pod-app-duplicate",        E, PODS "apps",                                      "Apps have different names."                         },
	{ "pod-uuid",                 E, "appc SPEC.md 0.1.1, Container Runtime Manifest",
         "uuid is a UUID of RFC 4122."													  },
	{ "volume-duplicate",         E, PODS "volumes",                                   "Volumes have different names."                      },
	{ "volume-kind",              E, PODS "volumes",                                   "A volume is of kind `host` or `empty`."             },
	{ "volume-source",            E, PODS "volumes",
         "A host volume has an absolute source, an empty volume none."                                                                          },
	{ "volume-mode",              E, PODS "volumes",
         "mode, uid and gid are for empty volumes; mode is an octal string."                                                                    },
	{ "mount-volume",             E, PODS "mounts",
         "Every mount names a volume of the pod or brings its own."									     },
	{ "port-host-ip",             E, PODS "ports",                                     "hostIP is four numbers with dots."                  },
	{ NULL,		       W, NULL,					     NULL						 },
};

#undef E
#undef W

struct check {
	enum check_mode mode;
	size_t counts[SEVERITY_ERROR + 1];
	struct finding *findings;
	size_t kept;
};

/* Where a finding is, in the one form all reports are turned into. */
struct place {
	const char *name;
	const uint64_t *offset;
	unsigned line, column;
};

const struct check_rule *check_rule_find(const char *name)
{
	for (const struct check_rule *rule = check_rules; rule->name; rule++) {
		if (strcmp(rule->name, name) == 0)
			return rule;
	}
	return NULL;
}

check *check_new(enum check_mode mode)
{
	check *self = xcalloc(1, sizeof *self);

	self->mode = mode;
	return self;
}

void check_free(check *self)
{
	if (!self)
		return;
	for (size_t i = 0; i < self->kept; i++) {
		free(self->findings[i].place);
		free(self->findings[i].text);
	}
	free(self->findings);
	free(self);
}

enum check_mode check_mode_of(const check *self)
{
	return self->mode;
}

size_t check_count(const check *self, enum severity severity)
{
	return self->counts[severity];
}

const struct finding *check_get(const check *self, size_t index)
{
	return index < self->kept ? &self->findings[index] : NULL;
}

static void keep(
	check *self, const struct check_rule *rule, const struct place *place, const char *text)
{
	struct finding *finding;

	self->findings = xreallocarray(self->findings, self->kept + 1, sizeof *self->findings);
	finding = &self->findings[self->kept++];
	*finding = (struct finding){
		.rule = rule,
		.place = place->name ? str_escape(place->name, strlen(place->name)) : NULL,
		.offset = place->offset ? *place->offset : 0,
		.has_offset = place->offset,
		.line = place->line,
		.column = place->column,
		.text = str_escape(text, strlen(text)),
	};
}

static int fail_in(const struct place *place, const char *text, rkt_error **err)
{
	const char *name = place->name && *place->name ? place->name : NULL;

	if (place->line)
		return rkt_fail(err, RKT_INVALID, "%s%sline %u, column %u: %s", name ? name : "",
			name ? " in " : "", place->line, place->column, text);
	return rkt_fail(err, RKT_INVALID, "%s%s%s", name ? name : "", name ? ": " : "", text);
}

static int report(
	check *self, const char *name, const struct place *place, rkt_error **err, const char *text)
{
	const struct check_rule *rule = check_rule_find(name);
	bool is_error, room = false;

	if (!rule)
		abort(); /* every rule stands in the table, so that --list-rules tells all */
	is_error = rule->severity == SEVERITY_ERROR;
	if (self) {
		self->counts[rule->severity]++;
		room = self->kept < CHECK_FINDINGS_MAX;
		if (room)
			keep(self, rule, place, text);
	}
	if (!is_error || (room && self->mode == CHECK_ALL))
		return 0;
	return fail_in(place, text, err);
}

__attribute__((format(printf, 1, 0))) static char *text_of(const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		abort();
	return text;
}

int check_report(
	check *self, const char *rule, const char *place, rkt_error **err, const char *format, ...)
{
	auto_free char *text = NULL;
	va_list args;

	va_start(args, format);
	text = text_of(format, args);
	va_end(args);
	return report(self, rule, &(struct place){ .name = place }, err, text);
}

int check_report_at(check *self, const char *rule, const char *place, uint64_t offset,
	rkt_error **err, const char *format, ...)
{
	auto_free char *text = NULL;
	va_list args;

	va_start(args, format);
	text = text_of(format, args);
	va_end(args);
	return report(self, rule, &(struct place){ .name = place, .offset = &offset }, err, text);
}

int check_report_in(check *self, const char *rule, const struct check_spot *spot, rkt_error **err,
	const char *format, ...)
{
	auto_free char *text = NULL;
	va_list args;

	va_start(args, format);
	text = text_of(format, args);
	va_end(args);
	return report(self, rule,
		&(struct place){
			.name = spot->pointer, .line = spot->line, .column = spot->column },
		err, text);
}
