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
	char *comment = strchr(line, '#');
	uint64_t encoding, value;

	if (comment)
		*comment = 0;
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

static int read_fields(FILE *in, struct tinyvmx_vmcs_field *fields, size_t *n, struct hv_error *err)
{
	char line[512];
	size_t number = 0;
	int ret;

	*n = 0;
	while (fgets(line, sizeof(line), in)) {
		number++;
		if (*n == MAX_FIELDS)
			return hv_fail(err, EINVAL, "more fields than a VMCS has; give one dump");
		ret = parse_line(line, &fields[*n]);
		if (ret < 0)
			return hv_fail(err, EINVAL,
				       "line %zu is not \"ENCODING VALUE\" in hexadecimal", number);
		*n += (size_t)ret;
	}
	if (ferror(in))
		return hv_fail(err, errno ? errno : EIO, "%m");
	if (!*n)
		return hv_fail(err, EINVAL,
			       "no VMCS field in it; give lines of \"ENCODING VALUE\"");
	return 0;
}

int vmcs_dump_read(FILE *in, struct tinyvmx_vmcs_field **fields, size_t *n, struct hv_error *err)
{
	int ret;

	*fields = calloc(MAX_FIELDS, sizeof(**fields));
	if (!*fields)
		return hv_fail(err, ENOMEM, "out of memory");
	ret = read_fields(in, *fields, n, err);
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
