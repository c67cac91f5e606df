// SPDX-License-Identifier: GPL-2.0-only
/* Loading libslirp. */
#ifdef HV_HAVE_SLIRP
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/util.h"
#include "net_slirp_lib.h"

#define NAME "libslirp.so.0"

static struct hv_slirp calls;

#define SYMBOL(member, call) { "slirp_" #call, offsetof(struct hv_slirp, member) }

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
	SYMBOL(create, new),
	SYMBOL(cleanup, cleanup),
	SYMBOL(input, input),
	SYMBOL(pollfds_fill, pollfds_fill),
	SYMBOL(pollfds_poll, pollfds_poll),
	SYMBOL(add_hostfwd, add_hostfwd),
};

const struct hv_slirp *hv_slirp_load(struct hv_error *err)
{
	static bool loaded;
	void *lib;

	if (loaded)
		return &calls;
	lib = dlopen(NAME, RTLD_NOW | RTLD_LOCAL);
	if (!lib) {
		hv_fail(err, ENOENT,
			"no " NAME
			" on this host; install libslirp (Debian: libslirp0), or use tap:NAME");
		return NULL;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *at = dlsym(lib, symbols[i].name);

		if (!at) {
			hv_fail(err, ENOENT, NAME " has no %s(); install a newer one",
				symbols[i].name);
			dlclose(lib);
			return NULL;
		}
		*(void **)((char *)&calls + symbols[i].offset) = at;
	}
	loaded = true;
	return &calls;
}

#endif
