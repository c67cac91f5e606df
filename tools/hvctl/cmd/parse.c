// SPDX-License-Identifier: GPL-2.0-only
/*
 * Command lines by argp, but what is wrong with one in the words of the rest of hvctl:
 * one line, "hvctl COMMAND: what: why; remedy".
 */
#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "lib/status.h"
#include "lib/util.h"

enum { KEY_USAGE = 0x1000 };

static const struct argp_option help_options[] = {
	{ "help", 'h', NULL, 0, "give this help list", -1 },
	{ "usage", KEY_USAGE, NULL, 0, "give a short usage message", -1 },
	{ 0 }
};

static error_t parse_help(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->input;
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case KEY_USAGE:
		argp_state_help(state, stdout, ARGP_HELP_USAGE | ARGP_HELP_EXIT_OK);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* All options of a command, as getopt_long() takes them. */
struct words {
	struct option options[64];
	unsigned int count;
	char letters[2 * 64 + 2];
};

static void add_word(const struct argp_option *option, void *context)
{
	struct words *words = context;
	char letter[] = { option->key, option->arg ? ':' : 0, 0 };

	if (words->count == ARRAY_SIZE(words->options) - 1)
		abort();
	if (option->name)
		words->options[words->count++] =
			(struct option){ option->name,
					 option->arg ? required_argument : no_argument, NULL,
					 option->key };
	if (option->key < 0x80 && isgraph(option->key))
		strcat(words->letters, letter);
}

static void each_option(const struct argp *argp,
			void (*each)(const struct argp_option *option, void *context),
			void *context)
{
	const struct argp_option *option = argp->options;
	const struct argp_child *child = argp->children;

	for (; option && (option->name || option->key); option++)
		each(option, context);
	for (; child && child->argp; child++)
		each_option(child->argp, each, context);
}

static const char *find_name(const struct words *words, int key)
{
	for (unsigned int i = 0; i < words->count; i++)
		if (words->options[i].val == key)
			return words->options[i].name;
	return NULL;
}

static void __attribute__((noreturn)) refuse(const struct words *words, char **argv, int result)
{
	const char *name = find_name(words, optopt);

	if (name)
		fprintf(stderr, "%s: --%s: %s; see '%s --help'\n", argv[0], name,
			result == ':' ? "wants a value" : "takes no value", argv[0]);
	else if (optopt)
		fprintf(stderr, "%s: -%c: no such option; '%s --help' lists them\n", argv[0],
			optopt, argv[0]);
	else
		fprintf(stderr,
			"%s: %s: no such option, or short for several; '%s --help' lists them\n",
			argv[0], argv[optind - 1], argv[0]);
	exit(HV_STATUS_USAGE);
}

/* What an option of the kind @key was given, if it was. */
struct found {
	int key;
	const char *value;
	unsigned int count;
};

/* Before argp, which would say it in two lines: are these options, with the values they want? */
static void check(const struct argp *argp, int argc, char **argv, struct found *found)
{
	struct words words = { .letters = ":" };
	char *copy[argc + 1];
	int result;

	each_option(argp, add_word, &words);
	/* getopt_long() moves what is no option to the end. */
	memcpy(copy, argv, sizeof(copy));
	opterr = optind = 0;
	do {
		result = getopt_long(argc, copy, words.letters, words.options, NULL);
		if (result == found->key && found->count++ == 0)
			found->value = optarg;
	} while (result != -1 && result != ':' && result != '?');
	if (result != -1)
		refuse(&words, copy, result);
	if (found->count <= 1)
		return;
	fprintf(stderr, "%s: --%s: is given more than once; give one\n", argv[0],
		find_name(&words, found->key));
	exit(HV_STATUS_USAGE);
}

/* Everybody knows that -m SIZE and --mem=SIZE are the same. */
static char *filter_help(int key, const char *text, void *input)
{
	(void)input;
	return key == ARGP_KEY_HELP_DUP_ARGS_NOTE ? NULL : (char *)(uintptr_t)text;
}

/* The whole of what a command understands. */
#define WHOLE(command)                                                 \
	{                                                              \
		.options = help_options,                               \
		.parser = parse_help,                                  \
		.children = (const struct argp_child[]){ { command, 0, NULL, 0 }, { 0 } }, \
		.help_filter = filter_help,                            \
	}

void hv_command_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	const struct argp whole = WHOLE(argp);
	struct found nothing = { 0 };

	check(&whole, argc, argv, &nothing);
	argp_parse(&whole, argc, argv, ARGP_NO_HELP, NULL, input);
}

const char *hv_command_first(const struct argp *argp, int argc, char **argv, int key)
{
	const struct argp whole = WHOLE(argp);
	struct found found = { .key = key };

	check(&whole, argc, argv, &found);
	return found.value;
}

/* The command's name is the last word of argv[0]. */
void hv_command_no_argument(struct argp_state *state, const char *arg)
{
	argp_failure(state, HV_STATUS_USAGE, 0, "%s: no argument expected; see 'hvctl help %s'",
		     arg, strrchr(state->name, ' ') + 1);
}

void hv_command_no_name(struct argp_state *state)
{
	argp_failure(state, HV_STATUS_USAGE, 0, "no VM named; 'hvctl ps' lists those that run");
}

void hv_command_each_option(const struct argp *argp,
			    void (*each)(const struct argp_option *option, void *context),
			    void *context)
{
	const struct argp whole = WHOLE(argp);

	each_option(&whole, each, context);
}
