/* Which extended attributes travel. */
#include "aci/xattr_rules.h"

#include "base/str.h"

bool xattr_is_portable(const char *name)
{
	static const char *const stay[] = {
		"trusted.overlay.",
		"user.overlay.",
		"security.selinux",
		"security.ima",
		"security.evm",
		"security.apparmor",
		"security.SMACK64",
	};

	for (size_t i = 0; i < ARRAY_LEN(stay); i++)
		if (str_has_prefix(name, stay[i]))
			return false;
	return str_has_prefix(name, "user.") || str_has_prefix(name, "trusted.") ||
	       str_has_prefix(name, "security.");
}
