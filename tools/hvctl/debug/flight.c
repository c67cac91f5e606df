// SPDX-License-Identifier: GPL-2.0-only
/* Reading a flight recorder's ring, and its records in words. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "flight.h"
#include "lib/util.h"
#include "vmx/bits.h"
#include "vmx/names.h"
#include "vmx/words.h"

#define REASON_EXCEPTION	0
#define REASON_CPUID		10
#define REASON_RDPMC		15
#define REASON_VMCALL		18
#define REASON_IO		30
#define REASON_RDMSR		31
#define REASON_WRMSR		32
#define REASON_EPT_VIOLATION	48
#define REASON_EPT_MISCONFIG	49
#define REASON_XSETBV		55

/* -------------------------------------------------------------------- ring */

bool hv_flight_is_size(uint64_t records)
{
	return records >= TINYVMX_MIN_RECORDS && records <= TINYVMX_MAX_RECORDS &&
	       !(records & (records - 1));
}

static uint64_t sequence_at(const struct hv_flight *flight, uint64_t n)
{
	return __atomic_load_n(&flight->ring[n & (flight->records - 1)].sequence, __ATOMIC_ACQUIRE);
}

uint64_t hv_flight_newest(const struct hv_flight *flight)
{
	uint64_t newest = 0;

	for (uint32_t i = 0; flight->ring && i < flight->records; i++) {
		uint64_t sequence = sequence_at(flight, i);

		if (sequence > newest)
			newest = sequence;
	}
	return flight->before + newest;
}

/* Number @n of this ring, in whole: the same number before and behind. */
static bool read_whole(const struct hv_flight *flight, uint64_t n, struct tinyvmx_record *record)
{
	const uint64_t *from = (const void *)&flight->ring[n & (flight->records - 1)];
	uint64_t *to = (void *)record;

	_Static_assert(sizeof(*record) % sizeof(*to) == 0, "records are read in words");
	if (!n || sequence_at(flight, n) != n)
		return false;
	/* Each of them before the second look at the number. */
	for (size_t i = 0; i < sizeof(*record) / sizeof(*to); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_ACQUIRE);
	return sequence_at(flight, n) == n;
}

size_t hv_flight_read(const struct hv_flight *flight, uint64_t *next, uint64_t last,
		      struct tinyvmx_record *records, size_t room, uint64_t *missed)
{
	uint64_t first = flight->before + 1;
	size_t count = 0;

	*missed = 0;
	if (last >= first + flight->records)
		first = last - flight->records + 1;
	if (*next < first && *next <= last) {
		*missed = first - *next;
		*next = first;
	}
	for (; *next <= last && count < room; ++*next) {
		if (!read_whole(flight, *next - flight->before, &records[count])) {
			++*missed;
			continue;
		}
		records[count++].sequence = *next;
	}
	return count;
}

/* ------------------------------------------------------------------- ticks */

uint64_t hv_flight_inside(const struct tinyvmx_record *record)
{
	return record->exited - record->entered;
}

uint64_t hv_flight_outside(const struct tinyvmx_record *record, const struct tinyvmx_record *next)
{
	/* CPUs' TSCs are in step, or not quite. */
	if (!next || next->sequence != record->sequence + 1 || next->entered < record->exited)
		return 0;
	return next->entered - record->exited;
}

/* ------------------------------------------------------------------- facts */

static uint32_t ecx(const struct tinyvmx_record *record)
{
	return (uint32_t)record->detail;
}

static uint32_t eax(const struct tinyvmx_record *record)
{
	return (uint32_t)(record->detail >> 32);
}

bool hv_flight_port(const struct tinyvmx_record *record, uint16_t *port, unsigned int *bytes)
{
	*port = (uint16_t)(record->qualification >> 16);
	*bytes = (record->qualification & 7) + 1;
	return record->reason == REASON_IO;
}

bool hv_flight_msr(const struct tinyvmx_record *record, uint32_t *msr)
{
	*msr = ecx(record);
	return record->reason == REASON_RDMSR || record->reason == REASON_WRMSR;
}

bool hv_flight_gpa(const struct tinyvmx_record *record, uint64_t *gpa)
{
	*gpa = record->detail;
	return record->reason == REASON_EPT_VIOLATION || record->reason == REASON_EPT_MISCONFIG;
}

/* ------------------------------------------------------------------- words */

#define QUALIFICATION_IO_IN	0x8u
#define QUALIFICATION_IO_STRING 0x10u
#define INFO_HAS_CODE		0x800u
#define INFO_VALID		0x80000000u
#define VECTOR_DB		1
#define VECTOR_PF		14

static void say_qualification(struct vmx_words *w, const struct tinyvmx_record *record)
{
	char text[200];

	vmx_describe_qualification(record->reason, record->qualification, text, sizeof(text));
	if (*text)
		vmx_say(w, ": %s", text);
}

static void say_event(struct vmx_words *w, uint32_t info)
{
	char text[100];

	vmx_describe_field(VMCS_ENTRY_INTR_INFO, info, 0, text, sizeof(text));
	vmx_say(w, "%s", text);
}

static void say_exception(struct vmx_words *w, const struct tinyvmx_record *record)
{
	uint32_t info = (uint32_t)record->detail;

	vmx_say(w, ": ");
	say_event(w, info);
	if (info & INFO_HAS_CODE)
		vmx_say(w, " 0x%x", (uint32_t)(record->detail >> 32));
	if ((info & 0xff) == VECTOR_PF)
		vmx_say(w, ", linear address 0x%" PRIx64, (uint64_t)record->qualification);
	else if ((info & 0xff) == VECTOR_DB)
		vmx_say(w, ", DR6 bits 0x%" PRIx64, (uint64_t)record->qualification);
}

static void say_cpuid(struct vmx_words *w, const struct tinyvmx_record *record)
{
	vmx_say(w, ": leaf 0x%x, subleaf 0x%x", eax(record), ecx(record));
}

static void say_rdpmc(struct vmx_words *w, const struct tinyvmx_record *record)
{
	vmx_say(w, ": counter 0x%x", ecx(record));
}

static void say_vmcall(struct vmx_words *w, const struct tinyvmx_record *record)
{
	vmx_say(w, ": EAX 0x%x", eax(record));
}

/* What an OUT writes stands in EAX; what INS and OUTS move, in memory. */
static void say_io(struct vmx_words *w, const struct tinyvmx_record *record)
{
	unsigned int bytes;
	uint16_t port;

	say_qualification(w, record);
	hv_flight_port(record, &port, &bytes);
	if (!(record->qualification & (QUALIFICATION_IO_IN | QUALIFICATION_IO_STRING)) &&
	    bytes <= 4)
		vmx_say(w, ", value 0x%x",
			eax(record) & (uint32_t)(UINT64_MAX >> (64 - 8 * bytes)));
}

static void say_msr(struct vmx_words *w, const struct tinyvmx_record *record)
{
	char name[60];

	vmx_describe_msr(ecx(record), name, sizeof(name));
	vmx_say(w, ": MSR 0x%x%s%s", ecx(record), *name ? " " : "", name);
	if (record->reason == REASON_WRMSR)
		vmx_say(w, ", EAX 0x%x", eax(record));
}

static void say_ept(struct vmx_words *w, const struct tinyvmx_record *record)
{
	vmx_say(w, ": guest-physical 0x%" PRIx64, (uint64_t)record->detail);
	if (record->reason == REASON_EPT_VIOLATION) {
		char text[200];

		vmx_describe_qualification(record->reason, record->qualification, text,
					   sizeof(text));
		vmx_say(w, ", %s", text);
	}
}

static void say_xsetbv(struct vmx_words *w, const struct tinyvmx_record *record)
{
	vmx_say(w, ": XCR%u, EAX 0x%x", ecx(record), eax(record));
}

static void (*const say_exit[])(struct vmx_words *w, const struct tinyvmx_record *record) = {
	[REASON_EXCEPTION] = say_exception,
	[REASON_CPUID] = say_cpuid,
	[REASON_RDPMC] = say_rdpmc,
	[REASON_VMCALL] = say_vmcall,
	[REASON_IO] = say_io,
	[REASON_RDMSR] = say_msr,
	[REASON_WRMSR] = say_msr,
	[REASON_EPT_VIOLATION] = say_ept,
	[REASON_EPT_MISCONFIG] = say_ept,
	[REASON_XSETBV] = say_xsetbv,
};

static void say_reason(struct vmx_words *w, const struct tinyvmx_record *record)
{
	if (record->handled & TINYVMX_HANDLED_NO_ENTRY) {
		vmx_say(w, "no VM entry: VM-instruction error %u: %s", (uint32_t)record->detail,
			vmx_instruction_error((uint32_t)record->detail));
		return;
	}
	vmx_say(w, "%s", vmx_exit_name(record->reason));
	if (record->reason < ARRAY_SIZE(say_exit) && say_exit[record->reason])
		say_exit[record->reason](w, record);
	else
		say_qualification(w, record);
}

/* By the entry, or by the CPU as soon as the guest takes it. */
static void say_injected(struct vmx_words *w, uint32_t injected)
{
	if (injected & INFO_VALID) {
		vmx_say(w, "; entered with ");
		say_event(w, injected);
	} else if (injected & 0xff) {
		vmx_say(w, "; interrupt 0x%x was pending", injected & 0xff);
	}
}

static const struct {
	uint32_t bit;
	const char *name, *words;
} places[] = {
	{ TINYVMX_HANDLED_OUTSIDE, "outside", "handled where the kernel may sleep" },
	{ TINYVMX_HANDLED_WAITED, "waited", "waited for an event" },
	{ TINYVMX_HANDLED_USER, "user", "handled by hvctl" },
	{ TINYVMX_HANDLED_NO_ENTRY, "no-entry", NULL },
};

static void say_handled(struct vmx_words *w, uint32_t handled)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (handled & places[i].bit && places[i].words)
			vmx_say(w, "; %s", places[i].words);
}

size_t hv_flight_describe(const struct tinyvmx_record *record, char *buf, size_t len)
{
	struct vmx_words w = { buf, len, 0 };

	if (len)
		*buf = '\0';
	say_reason(&w, record);
	say_injected(&w, record->injected);
	say_handled(&w, record->handled);
	return w.used;
}

void hv_flight_print_head(FILE *out)
{
	fprintf(out, "%8s %10s %10s  %-18s  %s\n", "exit", "inside", "outside", "RIP", "why");
}

void hv_flight_print(const struct tinyvmx_record *record, uint64_t outside, FILE *out)
{
	char words[HV_FLIGHT_WORDS], ticks[24] = "-", rip[20];

	hv_flight_describe(record, words, sizeof(words));
	if (outside)
		snprintf(ticks, sizeof(ticks), "%" PRIu64, outside);
	snprintf(rip, sizeof(rip), "0x%" PRIx64, (uint64_t)record->rip);
	fprintf(out, "%8" PRIu64 " %10" PRIu64 " %10s  %-18s  %s\n", (uint64_t)record->sequence,
		hv_flight_inside(record), ticks, rip, words);
}

/* -------------------------------------------------------------------- JSON */

static const char digits[] = "0123456789abcdef";

json_t *hv_flight_pack(const struct tinyvmx_record *records, size_t n)
{
	const uint8_t *from = (const void *)records;
	size_t bytes = n * sizeof(*records);
	char *text = malloc(2 * bytes + 1);
	json_t *string;

	if (!text)
		return NULL;
	for (size_t i = 0; i < bytes; i++) {
		text[2 * i] = digits[from[i] >> 4];
		text[2 * i + 1] = digits[from[i] & 15];
	}
	string = json_stringn(text, 2 * bytes);
	free(text);
	return string;
}

ssize_t hv_flight_unpack(struct tinyvmx_record *records, size_t room, const json_t *string)
{
	const char *text = json_string_value(string);
	size_t len = text ? strlen(text) : 1, n = len / (2 * sizeof(*records));
	uint8_t *to = (void *)records;

	if (len % (2 * sizeof(*records)) || n > room || strspn(text, digits) != len)
		return -1;
	for (size_t i = 0; i < len / 2; i++)
		to[i] = (uint8_t)((strchr(digits, text[2 * i]) - digits) << 4 |
				  (strchr(digits, text[2 * i + 1]) - digits));
	return (ssize_t)n;
}

static json_t *hex(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

static json_t *json_handled(uint32_t handled)
{
	json_t *array = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (handled & places[i].bit)
			json_array_append_new(array, json_string(places[i].name));
	return array;
}

json_t *hv_flight_json(const struct tinyvmx_record *record, uint64_t outside)
{
	char words[HV_FLIGHT_WORDS];

	hv_flight_describe(record, words, sizeof(words));
	return json_pack("{s:I, s:I, s:I, s:o*, s:I, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:s}",
			 "sequence", (json_int_t)record->sequence, "entered",
			 (json_int_t)record->entered, "exited", (json_int_t)record->exited,
			 "outside_ticks", outside ? json_integer((json_int_t)outside) : NULL,
			 "user_ticks", (json_int_t)record->user_ticks, "rip", hex(record->rip),
			 "qualification", hex(record->qualification), "detail", hex(record->detail),
			 "reason", hex(record->reason), "name", vmx_exit_name(record->reason),
			 "injected", hex(record->injected), "handled",
			 json_handled(record->handled), "words", words);
}

static bool read_integer(const json_t *object, const char *key, uint64_t max, uint64_t *value)
{
	const json_t *integer = json_object_get(object, key);

	*value = (uint64_t)json_integer_value(integer);
	return json_is_integer(integer) && *value <= max;
}

static bool read_hex(const json_t *object, const char *key, uint64_t max, uint64_t *value)
{
	const char *text = json_string_value(json_object_get(object, key)) ?: "";
	size_t len = strncmp(text, "0x", 2) ? 0 : strspn(text + 2, digits);

	*value = strtoull(text, NULL, 16);
	return len && len <= 16 && !text[2 + len] && *value <= max;
}

static bool read_handled(const json_t *object, uint32_t *handled)
{
	const json_t *array = json_object_get(object, "handled"), *place;
	size_t n;

	*handled = 0;
	json_array_foreach(array, n, place) {
		const char *name = json_string_value(place) ?: "";
		size_t i = 0;

		while (i < ARRAY_SIZE(places) && strcmp(places[i].name, name))
			i++;
		if (i == ARRAY_SIZE(places))
			return false;
		*handled |= places[i].bit;
	}
	return json_is_array(array);
}

bool hv_flight_from_json(struct tinyvmx_record *record, const json_t *object)
{
	uint64_t sequence, entered, exited, user, rip, qualification, detail, reason, injected;
	uint32_t handled;

	if (!read_integer(object, "sequence", INT64_MAX, &sequence) ||
	    !read_integer(object, "entered", INT64_MAX, &entered) ||
	    !read_integer(object, "exited", INT64_MAX, &exited) ||
	    !read_integer(object, "user_ticks", UINT32_MAX, &user) ||
	    !read_hex(object, "rip", UINT64_MAX, &rip) ||
	    !read_hex(object, "qualification", UINT64_MAX, &qualification) ||
	    !read_hex(object, "detail", UINT64_MAX, &detail) ||
	    !read_hex(object, "reason", UINT32_MAX, &reason) ||
	    !read_hex(object, "injected", UINT32_MAX, &injected) ||
	    !read_handled(object, &handled) || entered > exited)
		return false;
	*record = (struct tinyvmx_record){
		.sequence = sequence,
		.entered = entered,
		.exited = exited,
		.rip = rip,
		.qualification = qualification,
		.detail = detail,
		.reason = (uint32_t)reason,
		.injected = (uint32_t)injected,
		.handled = handled,
		.user_ticks = (uint32_t)user,
	};
	return true;
}
