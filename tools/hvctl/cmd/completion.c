// SPDX-License-Identifier: GPL-2.0-only
/*
 * hvctl completion: scripts for shells, made from the option tables, so that they know each
 * option, and none that is not there.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "run_devices.h"
#include "lib/status.h"
#include "lib/util.h"

/* What a shell is to offer for an argument, by its name in the help */
static bool is_file(const char *arg)
{
	return !strncmp(arg, "FILE", 4) || !strncmp(arg, "DIR", 3) || !strcmp(arg, "IMAGE");
}

static bool is_choice(const char *arg)
{
	return strchr(arg, '|');
}

static bool is_command(const char *arg)
{
	return !strcmp(arg, "[COMMAND]");
}

/* A VM that runs. Of a command's argument only: an option's NAME may be of something else. */
static bool is_vm(const char *args)
{
	return !strncmp(args, "NAME", 4);
}

/* What lists their names, within double or single quotes. */
#define LIST_VMS "$(hvctl ps 2>/dev/null | sed \"1d;s/ .*//\")"

static void print_choices(const char *arg)
{
	for (; *arg; arg++)
		putchar(*arg == '|' ? ' ' : *arg);
}

static void print_commands(void)
{
	for (size_t i = 0; i < hv_nr_commands; i++)
		printf("%s%s", i ? " " : "", hv_commands[i].name);
}

static bool has_letter(const struct argp_option *option)
{
	return option->key > 0 && option->key < 0x80 && isgraph(option->key);
}

static bool is_hidden(const struct argp_option *option)
{
	return option->flags & OPTION_HIDDEN && option->group != HV_DEVICES_GROUP;
}

/* --- bash --- */

static void bash_value(const struct argp_option *option, void *context)
{
	const struct hv_command *command = context;

	if (!option->arg || is_hidden(option))
		return;
	printf("\t\"%s --%s\"", command->name, option->name);
	if (has_letter(option))
		printf(" | \"%s -%c\"", command->name, option->key);
	if (is_file(option->arg)) {
		puts(") compopt -o default; return ;;");
	} else if (is_choice(option->arg)) {
		printf(") words=\"");
		print_choices(option->arg);
		puts("\" ;;");
	} else {
		puts(") return ;;");
	}
}

static void bash_option(const struct argp_option *option, void *context)
{
	(void)context;
	if (is_hidden(option))
		return;
	printf("--%s ", option->name);
	if (has_letter(option))
		printf("-%c ", option->key);
}

static void bash_command(const struct hv_command *command)
{
	const char *args = command->argp->args_doc;

	printf("\t\"%s -\"*) words=\"", command->name);
	hv_command_each_option(command->argp, bash_option, NULL);
	puts("\" ;;");
	if (!args)
		return;
	printf("\t\"%s \"*) ", command->name);
	if (is_file(args)) {
		puts("compopt -o default; return ;;");
		return;
	}
	if (is_vm(args)) {
		puts("words=" LIST_VMS " ;;");
		return;
	}
	if (!is_command(args) && !is_choice(args)) {
		puts("return ;;");
		return;
	}
	printf("words=\"");
	if (is_command(args))
		print_commands();
	else
		print_choices(args);
	puts("\" ;;");
}

static void print_bash(void)
{
	fputs("# Completion of hvctl for bash, made by 'hvctl completion bash'.\n"
	      "_hvctl()\n"
	      "{\n"
	      "\tlocal current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}\n"
	      "\tlocal command=${COMP_WORDS[1]} words=\n"
	      "\n"
	      "\tCOMPREPLY=()\n"
	      "\t# An option, = and its value come as three words.\n"
	      "\tif [[ $current == = ]]; then\n"
	      "\t\tcurrent=\n"
	      "\telif [[ $option == = ]]; then\n"
	      "\t\toption=${COMP_WORDS[COMP_CWORD - 2]}\n"
	      "\tfi\n"
	      "\t((COMP_CWORD > 1)) || command= option=\n"
	      "\tcase \"$command $option\" in\n"
	      "\t\" \") words=\"",
	      stdout);
	print_commands();
	puts(" --help --version\" ;;");
	for (size_t i = 0; i < hv_nr_commands; i++)
		hv_command_each_option(hv_commands[i].argp, bash_value, (void *)&hv_commands[i]);
	puts("\tesac\n"
	     "\t[[ $words ]] || case \"$command $current\" in");
	for (size_t i = 0; i < hv_nr_commands; i++)
		bash_command(&hv_commands[i]);
	puts("\tesac\n"
	     "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
	     "}\n"
	     "complete -F _hvctl hvctl");
}

/* --- zsh --- */

/* Inside single quotes, with a backslash before what _arguments would take for its own */
static void zsh_text(const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\'", stdout);
		else if (*text == '\\' || strchr(special, *text))
			putchar('\\');
		putchar(*text);
	}
}

static void zsh_argument(const char *arg)
{
	putchar(':');
	zsh_text(is_choice(arg) ? "value" : arg, ":");
	if (is_file(arg)) {
		printf(":_files");
	} else if (is_choice(arg)) {
		printf(":(");
		print_choices(arg);
		putchar(')');
	} else if (is_command(arg)) {
		printf(":(");
		print_commands();
		putchar(')');
	} else {
		printf(": ");
	}
}

static void zsh_spec(const char *dashes, const char *name, const char *joint,
		     const struct argp_option *option)
{
	printf(" \\\n\t\t\t'*%s%s%s[", dashes, name, option->arg ? joint : "");
	zsh_text(option->doc, "[]");
	putchar(']');
	if (option->arg)
		zsh_argument(option->arg);
	putchar('\'');
}

static void zsh_option(const struct argp_option *option, void *context)
{
	const char letter[] = { option->key, 0 };

	(void)context;
	if (is_hidden(option))
		return;
	zsh_spec("--", option->name, "=", option);
	if (has_letter(option))
		zsh_spec("-", letter, "+", option);
}

static void zsh_command(const struct hv_command *command)
{
	const char *args = command->argp->args_doc;

	printf("\t%s)\n\t\t_arguments -s", command->name);
	hv_command_each_option(command->argp, zsh_option, NULL);
	if (args) {
		printf(" \\\n\t\t\t'*");
		if (is_vm(args))
			printf(":NAME:(" LIST_VMS ")");
		else
			zsh_argument(args);
		putchar('\'');
	}
	puts("\n\t\t;;");
}

static void print_zsh(void)
{
	puts("#compdef hvctl\n"
	     "# Completion of hvctl for zsh, made by 'hvctl completion zsh'.\n"
	     "_hvctl()\n"
	     "{\n"
	     "\tlocal command=$words[2]\n"
	     "\tlocal -a commands=(");
	for (size_t i = 0; i < hv_nr_commands; i++) {
		printf("\t\t'%s:", hv_commands[i].name);
		zsh_text(hv_commands[i].summary, "");
		puts("'");
	}
	puts("\t)\n"
	     "\n"
	     "\tif ((CURRENT == 2)); then\n"
	     "\t\t_describe command commands\n"
	     "\t\treturn\n"
	     "\tfi\n"
	     "\tshift words\n"
	     "\t((CURRENT--))\n"
	     "\tcase $command in");
	for (size_t i = 0; i < hv_nr_commands; i++)
		zsh_command(&hv_commands[i]);
	puts("\tesac\n"
	     "}\n"
	     "# Loaded by compinit, or by eval?\n"
	     "if [[ $funcstack[1] == _hvctl ]]; then\n"
	     "\t_hvctl \"$@\"\n"
	     "else\n"
	     "\tcompdef _hvctl hvctl\n"
	     "fi");
}

/* --- the command --- */

static const struct {
	const char *name;
	void (*print)(void);
} shells[] = {
	{ "bash", print_bash },
	{ "zsh", print_zsh },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	void (**print)(void) = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (*print)
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "%s: one shell only; see 'hvctl help completion'", arg);
		for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
			if (!strcmp(arg, shells[i].name))
				*print = shells[i].print;
		if (!*print)
			argp_failure(state, HV_STATUS_USAGE, 0,
				     "%s: no such shell here; name bash or zsh", arg);
		return 0;
	case ARGP_KEY_END:
		if (!*print)
			argp_failure(state, HV_STATUS_USAGE, 0, "no shell given; name bash or zsh");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp hv_argp_completion = {
	.parser = parse_option,
	.args_doc = "bash|zsh",
	.doc = "Print a script that makes a shell complete hvctl's command line.\n"
	       "\v'make install' puts both where the shells look for them. For this shell only:\n"
	       "  eval \"$(hvctl completion bash)\"",
};

int hv_cmd_completion(int argc, char **argv)
{
	void (*print)(void) = NULL;

	hv_command_parse(&hv_argp_completion, argc, argv, &print);
	print();
	return hv_command_finish("hvctl completion", HV_STATUS_OK);
}
