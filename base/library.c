/* dlopen(3), once for each library. */
#include "base/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "base/sanitized.h"

#if IS_SANITIZED
/* Before thread-local data of what is loaded AddressSanitizer (GCC 12) may take for a header of
 * glibc what has been none since glibc 2.25, and then look for leaks anywhere. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "intercept_tls_get_addr=0";
}
#endif

static int fill_in(const struct library *self, void *handle, rkt_error **err)
{
	for (const struct library_call *call = self->calls; call->name; call++) {
		void *found = dlsym(handle, call->name);

		if (!found)
			return rkt_fail(err, RKT_FAILED, "the library %s has no %s", self->file,
				call->name);
		/* POSIX has dlsym() give functions too, C no way to say so */
		memcpy(call->into, &found, sizeof found);
	}
	return 0;
}

static int load(struct library *self, rkt_error **err)
{
	void *handle;

	if (self->loaded)
		return 0;
	/* what it calls of its own libraries is looked up when it does: we call little of it */
	handle = dlopen(self->file, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
	if (!handle)
		return rkt_fail(err, RKT_FAILED,
			"a library cannot be loaded: %s: install the package that has it",
			dlerror());
	if (fill_in(self, handle, err) < 0)
		return -1;
	self->loaded = true;
	return 0;
}

int library_load(struct library *self, rkt_error **err)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	int result;

	if (self->loaded)
		return 0;
	pthread_mutex_lock(&one_at_a_time);
	result = load(self, err);
	pthread_mutex_unlock(&one_at_a_time);
	return result;
}
