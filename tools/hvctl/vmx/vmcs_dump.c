// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMCS dump as a text, in and out.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "vmcs_dump.h"

/* More than the architecture has room for */
#define MAX_FIELDS	4096

/* Bits of an encoding that are always 0 (SDM, "Field Encoding in VMCS") */
#define RESERVED	(~0x6fffULL)

/* Parse one number; leaves @text behind it. */
static bool take_number(char **text, uint64_t *value)
{
	char *end;

	*text += strspn(*text, " \t");
	/* strtoull() would take a sign */
	if (!strchr("0123456789abcdefABCDEF", **text) || !**text)
		return false;
	errno = 0;
	*value = strtoull(*text, &end, 16);
	if (errno || end == *text)
		return false;
	*text = end;
	return true;
}

static bool is_blank(const char *text)
{
	return !text[strspn(text, " \t\r\n")];
}

/* Returns 1 for a field, 0 for a line without one, -EINVAL. */
static int parse_line(char *line, struct tinyvmx_vmcs_field *field)
{
	uint64_t encoding, value;

	if (is_blank(line))
		return 0;
	if (!take_number(&line, &encoding) || !take_number(&line, &value) || !is_blank(line) ||
	    encoding & RESERVED)
		return -EINVAL;
	*field = (struct tinyvmx_vmcs_field){
		.encoding = (uint32_t)encoding,
		.value = value,
	};
	return 1;
}

/*
 * Read a line up to its comment, of which nothing is kept. False at the end of the file, and for
 * what no line of text can be: the line is then one that cannot be parsed.
 */
static bool read_line(FILE *in, char *line, size_t size)
{
	bool in_comment = false;
	size_t len = 0;
	int c;

	while ((c = getc(in)) != EOF && c != '\n') {
		in_comment = in_comment || c == '#';
		if (in_comment)
			continue;
		/* Not text, or too long: leave something that is no number. */
		if (!c || len + 1 == size) {
			strcpy(line, "?");
			return true;
		}
		line[len++] = (char)c;
	}
	line[len] = 0;
	return c != EOF || len;
}

static bool is_there(const struct tinyvmx_vmcs_field *fields, size_t n, uint32_t encoding)
{
	for (size_t i = 0; i < n; i++)
		if (fields[i].encoding == encoding)
			return true;
	return false;
}

static int read_fields(FILE *in, struct tinyvmx_vmcs_field *fields, size_t *n, struct hv_error *err)
{
	char line[128];
	size_t number = 0;
	int ret;

	*n = 0;
	while (read_line(in, line, sizeof(line))) {
		struct tinyvmx_vmcs_field *field = &fields[*n];

		number++;
		if (*n == MAX_FIELDS)
			return hv_fail(err, EINVAL, "more fields than a VMCS has; give one dump");
		ret = parse_line(line, field);
		if (ret < 0)
			return hv_fail(
				err, EINVAL,
				"line %zu is no VMCS field; give lines of \"ENCODING VALUE\", both in hexadecimal, or a log of KVM, Xen or VirtualBox with a VMCS",
				number);
		if (ret && is_there(fields, *n, field->encoding))
			return hv_fail(err, EINVAL,
				       "line %zu: field 0x%x is there twice; give one dump", number,
				       field->encoding);
		*n += (size_t)ret;
	}
	if (!*n)
		return hv_fail(err, EINVAL,
			       "no VMCS field in it; give lines of \"ENCODING VALUE\"");
	return 0;
}

/* All of a kernel's log, or of xl dmesg, is less. */
#define MAX_TEXT (16 << 20)

/* @text gets what can be read, as a string, and @len its length; MAX_TEXT is too much. */
static int read_text(FILE *in, char **text, size_t *len, struct hv_error *err)
{
	size_t room = 0;

	*text = NULL;
	*len = 0;
	do {
		char *more = *len < room ? *text : realloc(*text, (room = room * 2 + 65536) + 1);

		if (!more)
			return hv_fail(err, ENOMEM, "out of memory");
		*text = more;
		*len += fread(*text + *len, 1, room - *len, in);
	} while (*len == room && room < MAX_TEXT);
	(*text)[*len] = 0;
	if (ferror(in))
		return hv_fail(err, errno ? errno : EIO, "%m; give a VMCS dump as text");
	return 0;
}

static int read_dump(char *text, size_t len, struct tinyvmx_vmcs_field *fields, size_t *n,
		     struct hv_error *err)
{
	FILE *in = fmemopen(text, len, "r");
	int ret;

	if (!in)
		return hv_fail(err, errno, "%m");
	ret = read_fields(in, fields, n, err);
	fclose(in);
	return ret;
}

/* A logger may have been cut short in the midst of a line, and filled up with anything. */
static void make_string(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!text[i])
			text[i] = ' ';
}

static int read_any(FILE *in, struct tinyvmx_vmcs_field *fields, size_t *n,
		    struct vmcs_source *source, struct hv_error *err)
{
	size_t len;
	char *text;
	int ret = read_text(in, &text, &len, err);

	*source = (struct vmcs_source){ .dumps = 1 };
	if (!ret && vmcs_log_is_one(text, len)) {
		make_string(text, len);
		ret = vmcs_log_read(text, fields, MAX_FIELDS, n, source, err);
	} else if (!ret) {
		/* Of nothing, a line. */
		ret = read_dump(len ? text : (char[]){ "\n" }, len ? len : 1, fields, n, err);
	}
	if (!ret && len >= MAX_TEXT)
		ret = hv_fail(err, E2BIG, "more than %d MiB; cut out the dump", MAX_TEXT >> 20);
	free(text);
	return ret;
}

int vmcs_dump_read(FILE *in, struct tinyvmx_vmcs_field **fields, size_t *n,
		   struct vmcs_source *source, struct hv_error *err)
{
	int ret;

	*fields = calloc(MAX_FIELDS, sizeof(**fields));
	if (!*fields)
		return hv_fail(err, ENOMEM, "out of memory");
	ret = read_any(in, *fields, n, source, err);
	if (ret) {
		free(*fields);
		*fields = NULL;
	}
	return ret;
}

void vmcs_dump_write(const struct tinyvmx_vmcs_field *fields, size_t n, FILE *out)
{
	for (size_t i = 0; i < n; i++)
		fprintf(out, "0x%04x 0x%016" PRIx64 "  # %s\n", fields[i].encoding,
			(uint64_t)fields[i].value, vmx_field_name(fields[i].encoding));
}
