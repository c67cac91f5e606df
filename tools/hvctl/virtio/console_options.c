// SPDX-License-Identifier: GPL-2.0-only
/* "--device console[,to=BACKEND][,port=NAME:BACKEND]..." */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "console_ports.h"
#include "lib/options.h"

enum {
	OPTION_TO,
	OPTION_PORT,
};

static const struct hv_option options_known[] = {
	[OPTION_TO] = HV_TEXT("to", "BACKEND"),
	[OPTION_PORT] = HV_TEXTS("port", "NAME:BACKEND"),
	HV_OPTIONS_END,
};

static bool has_name(const struct hv_virtio_console *console, const char *name, size_t len)
{
	for (unsigned int i = 1; i < console->nr_ports; i++)
		if (strlen(console->port[i].name) == len &&
		    !memcmp(console->port[i].name, name, len))
			return true;
	return false;
}

/* A guest makes a file of that name. */
static bool is_name(const char *name, size_t len)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	return len && len < HV_VPORT_NAME_MAX && *name != '.' && strspn(name, good) >= len;
}

/* @text: "NAME:BACKEND". Returns the latter, or NULL. */
static const char *add_port(struct hv_virtio_console *console, const char *text,
			    struct hv_error *err)
{
	size_t len = strcspn(text, ":");
	int error = 0;

	if (!text[len] || !is_name(text, len))
		error = hv_fail(
			err, EINVAL,
			"port=%s: it is not NAME:BACKEND, with a name of up to %d letters, digits, '.', '-' and '_'",
			text, HV_VPORT_NAME_MAX - 1);
	else if (has_name(console, text, len))
		error = hv_fail(err, EINVAL, "port=%s: there is one of that name already", text);
	else if (console->nr_ports == HV_VPORTS)
		error = hv_fail(err, EINVAL, "port=%s: a console has %d at the most; add another",
				text, HV_VPORTS - 1);
	if (error)
		return NULL;
	memcpy(console->port[console->nr_ports++].name, text, len);
	return text + len + 1;
}

/* What one of them says; without @env it is only looked at. */
static int read_option(struct hv_virtio_console *console, const struct hv_virtio_env *env,
		       const struct hv_options *options, struct hv_error *err)
{
	struct hv_vport *port = &console->port[0];
	const char *backend = options->text;

	if (options->key == OPTION_PORT) {
		port = &console->port[console->nr_ports];
		backend = add_port(console, options->text, err);
	}
	if (!backend)
		return -EINVAL;
	return env ? env->connect(env->ctx, port, backend, err) : 0;
}

int hv_virtio_console_read_options(struct hv_virtio_console *console,
				   const struct hv_virtio_env *env, const char *text,
				   struct hv_error *err)
{
	struct hv_options options;
	int result = hv_options_begin(&options, text, NULL, options_known, err);

	console->nr_ports = 1;
	while (!result && (result = hv_options_next(&options, err)) > 0)
		result = read_option(console, env, &options, err);
	if (!result && env && !(options.seen & 1u << OPTION_TO))
		result = env->connect(env->ctx, &console->port[0], NULL, err);
	hv_options_end(&options);
	return result;
}

int hv_virtio_console_check(const char *options, struct hv_error *err)
{
	struct hv_virtio_console *console = calloc(1, sizeof(*console));
	int result;

	if (!console)
		return hv_fail(err, ENOMEM, "no memory; close something");
	result = hv_virtio_console_read_options(console, NULL, options, err);
	free(console);
	return result;
}
