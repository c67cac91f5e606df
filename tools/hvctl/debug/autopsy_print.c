// SPDX-License-Identifier: GPL-2.0-only
/* An autopsy in words, and in JSON. */
#include <string.h>

#include "autopsy_parts.h"
#include "lib/util.h"

static const char *const exceptions[] = {
	"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", NULL, "#TS",
	"#NP", "#SS", "#GP", "#PF", NULL,  "#MF", "#AC", "#MC", "#XM", "#VE",
};

static bool has_code(const struct hv_ordeal *event, const struct hv_view *view)
{
	return event->kind == HV_ORDEAL_EXCEPTION && hv_view_is_protected(view) &&
	       event->vector < 32 && X86_VECTORS_WITH_CODE >> event->vector & 1;
}

void hv_ordeal_name(const struct hv_ordeal *ordeal, const struct hv_view *view, char *text,
		    size_t len)
{
	const char *name = ordeal->vector < ARRAY_SIZE(exceptions) ? exceptions[ordeal->vector] :
								     NULL;

	if (ordeal->kind == HV_ORDEAL_SOFTWARE)
		snprintf(text, len, "INT 0x%x", ordeal->vector);
	else if (!name || (ordeal->kind == HV_ORDEAL_INTERRUPT && ordeal->vector != 2))
		snprintf(text, len, "interrupt 0x%x", ordeal->vector);
	else if (has_code(ordeal, view))
		snprintf(text, len, "%s(0x%x)", name, ordeal->error_code);
	else
		snprintf(text, len, "%s", name);
}

void hv_autopsy_print(const struct hv_autopsy *autopsy, const struct hv_view *view, FILE *out)
{
	char name[40];

	fprintf(out, "how it came to the triple fault%s:\n", autopsy->guessed ? ", probably" : "");
	for (unsigned int i = 0; i < autopsy->count; i++) {
		const struct hv_ordeal *event = &autopsy->event[i];

		hv_ordeal_name(event, view, name, sizeof(name));
		fprintf(out, "  %s%s", i ? "-> " : "", name);
		if (!i)
			fprintf(out, " at RIP 0x%llx", view->regs->rip);
		fprintf(out, "%s%s\n", *event->cause ? ": " : "", event->cause);
	}
	if (autopsy->shutdown) {
		hv_ordeal_name(&autopsy->last, view, name, sizeof(name));
		fprintf(out, "  -> %s: %s\n  -> shutdown\n", name, autopsy->last.cause);
	}
	if (*autopsy->doubt)
		fprintf(out, "  (%s)\n", autopsy->doubt);
}

static json_t *json_event(const struct hv_ordeal *event, const struct hv_view *view)
{
	char name[40];
	json_t *object;

	hv_ordeal_name(event, view, name, sizeof(name));
	object = json_pack("{s:s, s:i, s:s}", "event", name, "vector", event->vector, "cause",
			   event->cause);
	if (has_code(event, view))
		json_object_set_new(object, "error_code", json_integer(event->error_code));
	if (event->kind == HV_ORDEAL_EXCEPTION && event->vector == X86_VECTOR_PF)
		json_object_set_new(object, "cr2",
				    json_sprintf("0x%llx", (unsigned long long)event->cr2));
	return object;
}

json_t *hv_autopsy_json(const struct hv_autopsy *autopsy, const struct hv_view *view)
{
	json_t *chain = json_array();

	for (unsigned int i = 0; i < autopsy->count; i++)
		json_array_append_new(chain, json_event(&autopsy->event[i], view));
	if (autopsy->shutdown)
		json_array_append_new(chain, json_event(&autopsy->last, view));
	return json_pack("{s:o, s:b, s:b, s:s*}", "chain", chain, "shutdown", autopsy->shutdown,
			 "certain", !autopsy->guessed, "doubt",
			 *autopsy->doubt ? autopsy->doubt : NULL);
}
