// SPDX-License-Identifier: GPL-2.0-only
/* An exercise in lab mode, by commands. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "explain/explain.h"
#include "lab.h"
#include "lib/util.h"
#include "vmx/names.h"

struct session {
	struct hv_lab *lab;
	const struct hv_exercise *exercise;
	unsigned int number;
	FILE *out;
	bool tried;		/* what the CPU has said is about the fields as they are */
	bool solved;
	struct hv_error *err;
};

struct command {
	const char *name;
	const char *arguments;
	const char *what;
	int (*run)(struct session *s, char *arguments);
};

/* ------------------------------------------------------------------ fields */

/* Cut the ends off; returns what is left. */
static char *trim(char *line)
{
	size_t len;

	line += strspn(line, " \t");
	len = strlen(line);
	while (len && isspace((unsigned char)line[len - 1]))
		line[--len] = 0;
	return line;
}

/* The place of a field of this CPU's, by its encoding or a part of its name that no other has. */
static bool find_field(struct session *s, const char *text, size_t *place)
{
	char *end;
	unsigned long encoding = strtoul(text, &end, 16);
	size_t found = 0;

	for (size_t i = 0; i < s->lab->count; i++) {
		uint32_t this = s->lab->field[i].encoding;
		const char *name = vmx_field_name(this);

		if ((end != text && !*end && this == encoding) || !strcasecmp(name, text)) {
			*place = i;
			return true;
		}
		if (strcasestr(name, text)) {
			*place = i;
			found++;
		}
	}
	if (found == 1)
		return true;
	fprintf(s->out,
		found ? "%s: %zu fields have that in their names; say more of it\n" :
			"%s: this CPU has no such field; 'show' lists them\n",
		text, found);
	return false;
}

static void print_field(const struct session *s, size_t place)
{
	const struct tinyvmx_vmcs_field *field = &s->lab->field[place];

	fprintf(s->out, "  %04x  %-40s 0x%llx\n", field->encoding, vmx_field_name(field->encoding),
		field->value);
}

static bool is_read_only(uint32_t encoding)
{
	return (encoding >> 10 & 3) == 1;
}

static int do_show(struct session *s, char *arguments)
{
	size_t place;

	if (*arguments) {
		if (find_field(s, arguments, &place))
			print_field(s, place);
		return 0;
	}
	for (size_t i = 0; i < s->lab->count; i++)
		if (!is_read_only(s->lab->field[i].encoding))
			print_field(s, i);
	return 0;
}

/* The value is the last word, as names have spaces. False if there are not both. */
static bool split_value(struct session *s, char *arguments, uint64_t *value)
{
	char *last = strrchr(arguments, ' '), *end;

	if (!last) {
		fputs("give a field and a value, as in: set guest RFLAGS 0x2\n", s->out);
		return false;
	}
	*last++ = 0;
	errno = 0;
	*value = strtoull(last, &end, 0);
	if (errno || *end || !isdigit((unsigned char)*last)) {
		fprintf(s->out, "%s is no number; give one like 0x2\n", last);
		return false;
	}
	return true;
}

static int change(struct session *s, char *arguments, enum hv_lab_how how)
{
	struct hv_lab_change change = { .how = how };
	size_t place;

	if (!split_value(s, arguments, &change.value) || !find_field(s, trim(arguments), &place))
		return 0;
	change.field = s->lab->field[place].encoding;
	if (is_read_only(change.field)) {
		fprintf(s->out, "%s is written by VM exits; choose another\n",
			vmx_field_name(change.field));
		return 0;
	}
	hv_lab_change(s->lab, &change, 1);
	s->tried = false;
	print_field(s, place);
	return 0;
}

static int do_set(struct session *s, char *arguments)
{
	return change(s, arguments, HV_LAB_SET);
}

static int do_on(struct session *s, char *arguments)
{
	return change(s, arguments, HV_LAB_ON);
}

static int do_off(struct session *s, char *arguments)
{
	return change(s, arguments, HV_LAB_OFF);
}

/* ----------------------------------------------------------------- the CPU */

static void print_verdict(const struct session *s)
{
	const struct tinyvmx_lab *result = &s->lab->result;

	switch (result->verdict) {
	case TINYVMX_LAB_ENTERED:
		fprintf(s->out, "the CPU takes it, and has left the guest again (%s)\n",
			vmx_exit_name(result->exit_reason & 0xffff));
		break;
	case TINYVMX_LAB_CHECKED:
		fputs("the CPU takes these controls and this host state; no more was tried\n",
		      s->out);
		break;
	case TINYVMX_LAB_UNSAFE:
		fprintf(s->out, "not tried: with this %s the host might not come back\n",
			vmx_field_name(result->field));
		break;
	default:
		if (result->instruction_error)
			fprintf(s->out, "the CPU refuses it: VM-instruction error %u, %s\n",
				result->instruction_error,
				vmx_instruction_error(result->instruction_error));
		else
			fprintf(s->out, "the CPU refuses it: exit reason 0x%x, %s\n",
				result->exit_reason, vmx_exit_name(result->exit_reason & 0xffff));
	}
}

static bool is_taken(const struct session *s)
{
	uint32_t verdict = s->lab->result.verdict;

	return verdict == TINYVMX_LAB_ENTERED || verdict == TINYVMX_LAB_CHECKED;
}

static int ask_cpu(struct session *s)
{
	int ret = s->tried ? 0 : hv_lab_try(s->lab, s->err);

	/* Of wrong values it says no more than that they are: EINVAL. */
	s->tried = !ret;
	return ret;
}

static int do_try(struct session *s, char *arguments)
{
	int ret = ask_cpu(s);

	(void)arguments;
	if (ret == -EINVAL) {
		fputs("a value is wider than its field; mend it, or 'reset'\n", s->out);
		return 0;
	}
	if (ret)
		return ret;
	print_verdict(s);
	if (!is_taken(s))
		return 0;
	if (!hv_exercise_reached(s->exercise, s->lab->tried, s->lab->count)) {
		fprintf(s->out, "but that is not the goal: %s\n", s->exercise->goal);
		return 0;
	}
	fprintf(s->out, "exercise %u is solved\n", s->number);
	s->solved = true;
	return 0;
}

static int do_explain(struct session *s, char *arguments)
{
	struct tinyvmx_run run = { .reason = TINYVMX_EXIT_ENTRY_FAILED };
	struct explain_gaps gaps;
	int ret = ask_cpu(s);

	(void)arguments;
	if (ret && ret != -EINVAL)
		return ret;
	if (ret || s->lab->result.verdict != TINYVMX_LAB_REFUSED) {
		fputs("there is nothing to explain: the CPU has not refused it\n", s->out);
		return 0;
	}
	run.exit_reason = s->lab->result.exit_reason;
	run.exit_qualification = s->lab->result.exit_qualification;
	run.entry_failed.instruction_error = s->lab->result.instruction_error;
	explain_print(&s->lab->cpu, &run, s->lab->tried, s->lab->count, s->out, &gaps);
	return 0;
}

/* --------------------------------------------------------------- the rest */

static void begin(struct session *s)
{
	hv_lab_reset(s->lab);
	hv_lab_change(s->lab, s->exercise->broken, ARRAY_SIZE(s->exercise->broken));
	s->tried = false;
}

static int do_goal(struct session *s, char *arguments)
{
	(void)arguments;
	fprintf(s->out, "exercise %u: %s\n%s\n", s->number, s->exercise->title, s->exercise->goal);
	return 0;
}

static int do_hint(struct session *s, char *arguments)
{
	(void)arguments;
	fprintf(s->out, "%s\n", s->exercise->hint);
	return 0;
}

static int do_reset(struct session *s, char *arguments)
{
	(void)arguments;
	begin(s);
	fputs("the VMCS is as at the beginning\n", s->out);
	return 0;
}

static int do_help(struct session *s, char *arguments);

static const struct command commands[] = {
	{ "goal", "", "what is to be reached", do_goal },
	{ "show", "[FIELD]", "a field, by its encoding or a part of its name, or all", do_show },
	{ "set", "FIELD VALUE", "write it", do_set },
	{ "on", "FIELD BITS", "set bits of it", do_on },
	{ "off", "FIELD BITS", "clear bits of it", do_off },
	{ "try", "", "have the CPU enter it", do_try },
	{ "explain", "", "have hvctl say which rule it breaks", do_explain },
	{ "hint", "", "what to look at", do_hint },
	{ "reset", "", "begin anew", do_reset },
	{ "help", "", "this; 'quit', or end of file, ends", do_help },
};

static int do_help(struct session *s, char *arguments)
{
	(void)arguments;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(s->out, "  %-8s %-12s %s\n", commands[i].name, commands[i].arguments,
			commands[i].what);
	return 0;
}

static int run_line(struct session *s, char *line)
{
	char *arguments = line + strcspn(line, " \t");

	if (*arguments)
		*arguments++ = 0;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, line))
			return commands[i].run(s, trim(arguments));
	fprintf(s->out, "%s: no such command; 'help' lists them\n", line);
	return 0;
}

int hv_lab_session(struct hv_lab *lab, unsigned int number, FILE *in, FILE *out, bool prompt,
		   bool *solved, struct hv_error *err)
{
	struct session s = {
		.lab = lab,
		.exercise = &hv_exercises[number - 1],
		.number = number,
		.out = out,
		.err = err,
	};
	char *line = NULL;
	size_t size = 0;
	int ret = 0;

	begin(&s);
	do_goal(&s, NULL);
	while (!ret && !s.solved) {
		char *text;

		if (prompt)
			fputs("lab> ", out);
		fflush(out);
		if (getline(&line, &size, in) < 0)
			break;
		text = trim(line);
		if (!strcmp(text, "quit"))
			break;
		if (*text && *text != '#')
			ret = run_line(&s, text);
	}
	free(line);
	*solved = s.solved;
	return ret;
}

void hv_lab_print_solution(unsigned int number, FILE *out)
{
	static const char *const words[] = {
		[HV_LAB_SET] = "set",
		[HV_LAB_ON] = "on",
		[HV_LAB_OFF] = "off",
	};
	const struct hv_exercise *exercise = &hv_exercises[number - 1];

	for (size_t i = 0; i < ARRAY_SIZE(exercise->solution); i++) {
		const struct hv_lab_change *change = &exercise->solution[i];

		if (change->how == HV_LAB_NOTHING)
			break;
		fprintf(out, "%s %s 0x%" PRIx64 "\n", words[change->how],
			vmx_field_name(change->field), change->value);
	}
	fputs("try\n", out);
}
