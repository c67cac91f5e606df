// SPDX-License-Identifier: GPL-2.0-only
/* Try VM entries, and ask hvctl's rules about them. */
#include "lab.h"

static void done(void)
{
	outl(GUEST_PORT, GUEST_DONE);
}

void lab_start(struct lab *lab)
{
	tap_init();
	if (geteuid())
		skip_all("needs root");
	if (!(info()->capabilities & TINYVMX_CAP_LAB))
		skip_all("lab mode is off: load the module with lab=1");
	/* Host state is each CPU's own. */
	if (!run_on_cpu(0))
		bail("CPU 0 is not to be had");
	lab->vcpu = vcpu_simple(done);
	/* The host-state area is complete after the first RUN. */
	must_done(lab->vcpu);
	vmx_cpu_from_info(&lab->cpu, info());
	lab_begin(lab);
	must(lab_try(lab));
	memcpy(lab->good, lab->tried, sizeof(lab->good));
	lab->good_count = lab->arg.dump_count;
}

void lab_begin(struct lab *lab)
{
	lab->writes = 0;
}

u64 lab_value(const struct lab *lab, u32 field)
{
	for (u32 i = lab->writes; i--; )
		if (lab->write[i].encoding == field)
			return lab->write[i].value;
	for (u32 i = 0; i < lab->good_count; i++)
		if (lab->good[i].encoding == field)
			return lab->good[i].value;
	return 0;
}

static u64 changed(u64 value, int how, u64 by)
{
	switch (how) {
	case LAB_ON:
		return value | by;
	case LAB_OFF:
		return value & ~by;
	case LAB_FLIP:
		return value ^ by;
	default:
		return by;
	}
}

void lab_change(struct lab *lab, u32 field, int how, u64 value)
{
	if (lab->writes == LAB_MOST)
		bail("more changes than there is room for");
	value = changed(lab_value(lab, field), how, value);
	lab->write[lab->writes++] = (struct tinyvmx_vmcs_field){
		.encoding = field, .value = value,
	};
}

void lab_changes(struct lab *lab, const struct lab_change *changes, u32 count)
{
	for (; count && changes->how; count--, changes++)
		lab_change(lab, changes->field, changes->how, changes->value);
}

int lab_try(struct lab *lab)
{
	lab->arg = (struct tinyvmx_lab){
		.size = sizeof(lab->arg),
		.count = lab->writes,
		.fields = (uintptr_t)lab->write,
		.dump_count = LAB_MOST,
		.dump = (uintptr_t)lab->tried,
	};
	return ioctl(lab->vcpu->fd, TINYVMX_LAB, &lab->arg);
}

bool lab_ask(struct lab *lab)
{
	if (lab_try(lab)) {
		if (errno == ENOENT)
			return false;
		bail("TINYVMX_LAB: %s", strerror(errno));
	}
	lab->found = explain_find(&lab->cpu, lab->tried, lab->arg.dump_count, lab->findings,
				  LAB_FINDINGS, &lab->gaps);
	return true;
}

/* Bochs has no performance counters, and looks at nothing of SS if that is null in 64-bit code. */
bool lab_is_ignored(const struct lab *lab, const struct explain_finding *finding)
{
	if (finding->segment && !strcmp(finding->segment, "SS") &&
	    lab_value(lab, VMCS_GUEST_SS_SELECTOR) < 4)
		return true;
	return !strcmp(finding->id, "host.perf_global") ||
	       !strcmp(finding->id, "guest.perf_global");
}

/* But for what an exit has told, and where the module's stack is. */
static bool stays(u32 field)
{
	return (field >> 10 & 3) != 1 && field != VMCS_HOST_RSP;
}

void lab_is_undone(struct lab *lab)
{
	u32 changed = 0;

	lab_begin(lab);
	must(lab_try(lab));
	for (u32 i = 0; i < lab->good_count; i++) {
		if (!stays(lab->good[i].encoding) || lab->good[i].value == lab->tried[i].value)
			continue;
		diag("field 0x%x is 0x%llx, was 0x%llx", lab->good[i].encoding,
		     lab->tried[i].value, lab->good[i].value);
		changed++;
	}
	is(changed, 0, "the VMCS is what it was");
	is(lab->arg.verdict, TINYVMX_LAB_ENTERED, "... and is taken");
}
