// SPDX-License-Identifier: GPL-2.0-only
/* Guest states that the CPU refuses, and hvctl explain naming the field at fault. */
#include "lib.h"

#define MOST		512
#define DUMP		"/tmp/entry_failed.vmcs"
#define ODD_HALF	0x0000900000000000ULL	/* not canonical */

/* What the state is before the writes that break it */
enum mode { LONG, COMPAT, PAE, V86, REAL };

struct write {
	u32 type;
	size_t at;
	size_t len;	/* 0: no write */
	u64 value;
};

struct refusal {
	const char *what;
	const char *field;	/* the SDM's name, as hvctl knows it */
	const char *rule;
	enum mode mode;
	struct write writes[4];
};

#define WRITE(type, blob, member, value) \
	{ (type), offsetof(struct blob, member), \
	  sizeof(((struct blob *)NULL)->member), (value) }
#define SREG(member, value) \
	WRITE(TINYVMX_STATE_SREGS, tinyvmx_sregs, member, value)
#define SEG(name, member, value)	SREG(seg[TINYVMX_##name].member, value)
#define REG(member, value) \
	WRITE(TINYVMX_STATE_REGS, tinyvmx_regs, member, value)
#define EVENT(member, value) \
	WRITE(TINYVMX_STATE_EVENTS, tinyvmx_events, member, value)
#define INJECT_GP(flags) \
	EVENT(pending, TINYVMX_PENDING_EVENT), \
	EVENT(event_info, 0x8000030d | (flags))

static const struct refusal refusals[] = {
	{ "CS is data, not accessed", "guest CS access rights", "guest.cs.type",
	  LONG, { SEG(CS, ar, 0xa092) } },
	{ "CS not present", "guest CS access rights", "guest.seg.present",
	  LONG, { SEG(CS, ar, 0xa01b) } },
	{ "CS is a system segment", "guest CS access rights", "guest.seg.s",
	  LONG, { SEG(CS, ar, 0xa08b) } },
	{ "CS of ring 3 with SS of ring 0", "guest CS access rights",
	  "guest.cs.dpl.nonconforming", LONG, { SEG(CS, ar, 0xa0fb) } },
	{ "conforming CS above SS", "guest CS access rights",
	  "guest.cs.dpl.conforming", LONG, { SEG(CS, ar, 0xa0ff) } },
	{ "CS both 64-bit and 32-bit", "guest CS access rights", "guest.cs.db",
	  LONG, { SEG(CS, ar, 0xe09b) } },
	{ "CS base above 4 GiB", "guest CS base", "guest.seg.base.high",
	  LONG, { SEG(CS, base, 1ULL << 32) } },
	{ "CS limit not in pages", "guest CS access rights",
	  "guest.seg.granularity", LONG, { SEG(CS, limit, 0xfffffffe) } },
	{ "CS of type 3 in ring 3", "guest CS access rights",
	  "guest.cs.dpl.data", COMPAT, { SEG(CS, ar, 0xc0f3) } },
	{ "SS is code", "guest SS access rights", "guest.ss.type",
	  COMPAT, { SEG(SS, ar, 0xc09b) } },
	{ "SS not present", "guest SS access rights", "guest.seg.present",
	  COMPAT, { SEG(SS, ar, 0xc013) } },
	{ "DS not accessed", "guest DS access rights", "guest.seg.accessed",
	  LONG, { SEG(DS, ar, 0xc092) } },
	{ "ES is code that cannot be read", "guest ES access rights",
	  "guest.seg.readable", LONG, { SEG(ES, ar, 0xc099) } },
	{ "DS base above 4 GiB", "guest DS base", "guest.seg.base.high",
	  LONG, { SEG(DS, base, 1ULL << 40) } },
	{ "FS base not canonical", "guest FS base", "guest.seg.base",
	  LONG, { SEG(FS, base, ODD_HALF) } },
	{ "GS base not canonical", "guest GS base", "guest.seg.base",
	  LONG, { SEG(GS, base, ODD_HALF) } },
	{ "FS limit above 1 MiB in bytes", "guest FS access rights",
	  "guest.seg.granularity", LONG,
	  { SEG(FS, ar, 0x4093), SEG(FS, limit, 0x100000) } },
	{ "TR not busy", "guest TR access rights", "guest.tr.type",
	  LONG, { SEG(TR, ar, 0x89) } },
	{ "TR unusable", "guest TR access rights", "guest.tr.usable",
	  LONG, { SEG(TR, ar, 0x1008b) } },
	{ "TR in the LDT", "guest TR selector", "guest.seg.ti",
	  LONG, { SEG(TR, selector, SEL_TSS | 4) } },
	{ "TR not present", "guest TR access rights", "guest.seg.present",
	  LONG, { SEG(TR, ar, 0x0b) } },
	{ "TR is a code segment", "guest TR access rights", "guest.seg.system",
	  LONG, { SEG(TR, ar, 0x9b) } },
	{ "TR base not canonical", "guest TR base", "guest.seg.base",
	  LONG, { SEG(TR, base, ODD_HALF) } },
	{ "16-bit TSS in IA-32e mode", "guest TR access rights", "guest.tr.type",
	  LONG, { SEG(TR, ar, 0x83) } },
	{ "LDTR is a TSS", "guest LDTR access rights", "guest.ldtr.type",
	  LONG, { SEG(LDTR, ar, 0x8b), SEG(LDTR, limit, 0xff) } },
	{ "LDTR in the LDT", "guest LDTR selector", "guest.seg.ti",
	  LONG, { SEG(LDTR, ar, 0x82), SEG(LDTR, selector, 0x3c),
		  SEG(LDTR, limit, 0xff) } },
	{ "LDTR base not canonical", "guest LDTR base", "guest.seg.base",
	  LONG, { SEG(LDTR, ar, 0x82), SEG(LDTR, base, ODD_HALF),
		  SEG(LDTR, limit, 0xff) } },
	{ "GDTR base not canonical", "guest GDTR base", "guest.gdtr.base",
	  LONG, { SREG(gdt_base, ODD_HALF) } },
	{ "IDTR base not canonical", "guest IDTR base", "guest.idtr.base",
	  LONG, { SREG(idt_base, ODD_HALF) } },
	{ "IA-32e mode without PAE", "guest CR4", "guest.cr4.ia32e",
	  LONG, { SREG(cr4, 0) } },
	{ "RFLAGS.VM in IA-32e mode", "guest RFLAGS", "guest.rflags.vm",
	  LONG, { REG(rflags, 0x20002) } },
	{ "RIP above 4 GiB in 32-bit code", "guest RIP", "guest.rip.high",
	  COMPAT, { REG(rip, 1ULL << 32) } },
	{ "PDPTE with a reserved bit", "guest PDPTE2", "guest.pdpte2",
	  PAE, { SREG(pdpte[2], 0x1003) } },
	{ "v8086: limit not 64 KiB", "guest DS limit", "guest.seg.v86.limit",
	  V86, { SEG(DS, limit, 0xfffff) } },
	{ "v8086: base is not the selector's", "guest CS base",
	  "guest.seg.v86.base", V86, { SEG(CS, base, 0x12340) } },
	{ "v8086: access rights of ring 0", "guest SS access rights",
	  "guest.seg.v86.ar", V86, { SEG(SS, ar, 0x93) } },
	{ "real mode in ring 3", "guest SS access rights", "guest.ss.dpl.zero",
	  REAL, { SEG(CS, ar, 0xfb), SEG(SS, ar, 0xf3) } },
	{ "blocking by STI without IF", "guest interruptibility state",
	  "guest.blocking.sti", LONG, { EVENT(interruptibility, 1) } },
	{ "pending debug exceptions, reserved bit",
	  "guest pending debug exceptions", "guest.pending.reserved",
	  LONG, { EVENT(pending_dbg, 0x10) } },
	{ "#GP without its error code", "VM-entry interruption-information field",
	  "ctl.event.error_code_flag", LONG, { INJECT_GP(0) } },
	{ "#GP with an error code of 17 bits", "VM-entry exception error code",
	  "ctl.event.error_code", LONG,
	  { INJECT_GP(0x800), EVENT(event_error_code, 0x10000) } },
};

static struct vcpu *vcpu;
static struct tinyvmx_sregs good_sregs;
static struct tinyvmx_regs good_regs;
static struct tinyvmx_events good_events;
static struct tinyvmx_vmcs_field field[MOST];

static void done(void)
{
	outl(GUEST_PORT, GUEST_DONE);
}

/* --- states that the CPU takes --- */

static void leave_ia32e(struct tinyvmx_sregs *s)
{
	s->efer &= ~0x500ULL;
	s->seg[TINYVMX_CS].ar = 0xc09b;
	s->seg[TINYVMX_TR].ar = 0x8b;
}

static void make_v86(struct tinyvmx_sregs *s, struct tinyvmx_regs *r)
{
	leave_ia32e(s);
	s->cr4 &= ~0x20ULL;
	for (u32 i = TINYVMX_ES; i <= TINYVMX_GS; i++)
		s->seg[i] = (struct tinyvmx_segment){
			.selector = 0x1000, .base = 0x10000,
			.limit = 0xffff, .ar = 0xf3,
		};
	r->rflags = 0x20002;
	r->rip = 0x100;
}

static void make_real(struct tinyvmx_sregs *s, struct tinyvmx_regs *r)
{
	make_v86(s, r);
	s->cr0 &= ~0x80000001ULL;
	for (u32 i = TINYVMX_ES; i <= TINYVMX_GS; i++)
		s->seg[i].ar = i == TINYVMX_CS ? 0x9b : 0x93;
	r->rflags = 2;
}

static void make_mode(enum mode mode, struct tinyvmx_sregs *s,
		      struct tinyvmx_regs *r)
{
	switch (mode) {
	case LONG:
		break;
	case COMPAT:
		s->seg[TINYVMX_CS].ar = 0xc09b;
		break;
	case PAE:
		leave_ia32e(s);
		break;
	case V86:
		make_v86(s, r);
		break;
	case REAL:
		make_real(s, r);
		break;
	}
}

/* --- breaking them --- */

/* False if SET_STATE itself refuses it; the state is then part old, part new. */
static bool set_all(const struct refusal *f)
{
	struct tinyvmx_sregs s = good_sregs;
	struct tinyvmx_regs r = good_regs;
	struct tinyvmx_events e = good_events;
	void *blobs[] = {
		[TINYVMX_STATE_REGS] = &r,
		[TINYVMX_STATE_SREGS] = &s,
		[TINYVMX_STATE_EVENTS] = &e,
	};

	if (f)
		make_mode(f->mode, &s, &r);
	for (u32 i = 0; f && i < ARRAY_SIZE(f->writes); i++) {
		const struct write *w = &f->writes[i];

		if (w->len)
			memcpy((u8 *)blobs[w->type] + w->at, &w->value, w->len);
	}
	return !set_state(vcpu->fd, TINYVMX_STATE_SREGS, &s, sizeof(s)) &&
	       !set_state(vcpu->fd, TINYVMX_STATE_REGS, &r, sizeof(r)) &&
	       !set_state(vcpu->fd, TINYVMX_STATE_EVENTS, &e, sizeof(e));
}

static void save_vmcs(void)
{
	struct tinyvmx_get_vmcs arg = {
		.size = sizeof(arg), .count = MOST,
		.fields = (uintptr_t)field,
	};
	FILE *out = fopen(DUMP, "w");

	must(ioctl(vcpu->fd, TINYVMX_GET_VMCS, &arg));
	if (!out)
		bail("%s: %m", DUMP);
	for (u32 i = 0; i < arg.count; i++)
		fprintf(out, "%x %llx\n", field[i].encoding, field[i].value);
	fclose(out);
}

/* What hvctl makes of the dump; returns its exit status. */
static int explain(char *text, size_t size)
{
	FILE *in = popen("hvctl explain " DUMP " 2>&1", "r");
	int status;

	if (!in)
		bail("hvctl: %m");
	text[fread(text, 1, size - 1, in)] = 0;
	status = pclose(in);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A vCPU that has run passes every rule, and no rule is left out. */
static void check_good(void)
{
	static char text[16384];

	save_vmcs();
	if (!is(explain(text, sizeof(text)), 0, "hvctl finds no fault with a vCPU that runs"))
		diag("%s", text);
	ok(strstr(text, "all rules were checked"), "and has checked all rules");
}

static u32 count_findings(const char *text)
{
	u32 n = 0;

	while ((text = strstr(text, "; rule "))) {
		text++;
		n++;
	}
	return n;
}

static void check(const struct refusal *f)
{
	static char text[16384];
	char want[128];
	bool good;

	if (!set_all(f)) {
		skip("SET_STATE refuses it already", "%s", f->what);
		return;
	}
	if (!ok_exit(vcpu, TINYVMX_EXIT_ENTRY_FAILED, "%s: refused", f->what))
		return;
	if (vcpu->run->entry_failed.instruction_error)
		is(vcpu->run->entry_failed.instruction_error, 7, "%s: a control", f->what);
	else
		is(vcpu->run->exit_reason, 0x80000021, "%s: guest state", f->what);
	save_vmcs();
	good = explain(text, sizeof(text)) == 8;
	snprintf(want, sizeof(want), "  %s = ", f->field);
	good = good && strstr(text, want);
	snprintf(want, sizeof(want), "; rule %s)", f->rule);
	good = good && strstr(text, want);
	if (!ok(good, "%s: hvctl names %s", f->what, f->field))
		diag("%s", text);
	if (!is(count_findings(text), 1, "%s: and nothing else", f->what))
		diag("%s", text);
}

int main(void)
{
	tap_init();
	if (system("hvctl --version >/dev/null 2>&1"))
		skip_all("hvctl is not on the PATH");
	vcpu = vcpu_simple(done);
	must(get_state(vcpu->fd, TINYVMX_STATE_SREGS, &good_sregs, sizeof(good_sregs)));
	must(get_state(vcpu->fd, TINYVMX_STATE_REGS, &good_regs, sizeof(good_regs)));
	must(get_state(vcpu->fd, TINYVMX_STATE_EVENTS, &good_events, sizeof(good_events)));
	must_done(vcpu);
	check_good();
	for (u32 i = 0; i < ARRAY_SIZE(refusals); i++)
		check(&refusals[i]);

	/* SET_STATE mends all that. */
	ok(set_all(NULL), "the state before is taken");
	ok_done(vcpu, "the vCPU runs after it was mended");
	unlink(DUMP);
	vcpu_simple_destroy(vcpu);
	return tap_exit();
}
