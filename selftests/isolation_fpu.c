// SPDX-License-Identifier: GPL-2.0-only
/* x87, SSE, AVX, AVX-512, MXCSR: nothing leaks into the guest or out of it. */
#include "lib.h"

struct vectors {
	u8 zmm[32][64];
	u64 k[8];
	u32 mxcsr;
	u16 fcw;
} __attribute__((aligned(64)));

static struct vectors in_guest, pattern;
static volatile u64 level;	/* 2: SSE, 4: AVX, 0xe0: AVX-512 */

#define EACH16(op) op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) \
	op(8) op(9) op(10) op(11) op(12) op(13) op(14) op(15)
#define HIGH16(op) op(16) op(17) op(18) op(19) op(20) op(21) op(22) op(23) \
	op(24) op(25) op(26) op(27) op(28) op(29) op(30) op(31)
#define EACH8(op) op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7)

#define CLOBBER "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",	\
	"xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",	\
	"xmm14", "xmm15"
#define LD_XMM(n) "movups " #n "*64(%0), %%xmm" #n "\n\t"
#define ST_XMM(n) "movups %%xmm" #n ", " #n "*64(%0)\n\t"
#define LD_YMM(n) "vmovups " #n "*64(%0), %%ymm" #n "\n\t"
#define ST_YMM(n) "vmovups %%ymm" #n ", " #n "*64(%0)\n\t"
#define LD_ZMM(n) "vmovups " #n "*64(%0), %%zmm" #n "\n\t"
#define ST_ZMM(n) "vmovups %%zmm" #n ", " #n "*64(%0)\n\t"
#define LD_K(n) "kmovw 2048+" #n "*8(%0), %%k" #n "\n\t"
#define ST_K(n) "kmovw %%k" #n ", 2048+" #n "*8(%0)\n\t"

static inline __attribute__((always_inline)) void load(const struct vectors *v)
{
	if (level & 0xe0)
		__asm__ volatile(EACH16(LD_ZMM) HIGH16(LD_ZMM) EACH8(LD_K)
				 : : "r"(v) : CLOBBER);
	else if (level & 4)
		__asm__ volatile(EACH16(LD_YMM) : : "r"(v) : CLOBBER);
	else
		__asm__ volatile(EACH16(LD_XMM) : : "r"(v) : CLOBBER);
	__asm__ volatile("ldmxcsr %0; fldcw %1" : : "m"(v->mxcsr), "m"(v->fcw));
}

static inline __attribute__((always_inline)) void store(struct vectors *v)
{
	if (level & 0xe0)
		__asm__ volatile(EACH16(ST_ZMM) HIGH16(ST_ZMM) EACH8(ST_K)
				 : : "r"(v) : "memory");
	else if (level & 4)
		__asm__ volatile(EACH16(ST_YMM) : : "r"(v) : "memory");
	else
		__asm__ volatile(EACH16(ST_XMM) : : "r"(v) : "memory");
	__asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(v->mxcsr), "=m"(v->fcw));
}

static void fill(struct vectors *v, u8 seed)
{
	u32 width = level & 0xe0 ? 64 : level & 4 ? 32 : 16;

	memset(v, 0, sizeof(*v));
	for (u32 i = 0; i < (level & 0xe0 ? 32 : 16); i++)
		for (u32 k = 0; k < width; k++)
			v->zmm[i][k] = seed + i * 3 + k;
	for (u32 i = 0; level & 0xe0 && i < 8; i++)
		v->k[i] = (u16)(seed * 0x101 + i);
	v->mxcsr = 0x1f80 | (seed & 3) << 13;
	v->fcw = 0x37f & ~(seed & 1 ? 0x300 : 0);
}

/* What is in the registers at entry, then patterns of its own across exits. */
static void guest(void)
{
	store(&in_guest);
	load(&pattern);
	for (u32 i = 0; i < 20; i++) {
		guest_sync(1);
		store(&in_guest);
	}
}

/* RUN with @mine in all vector registers: what is there afterwards, to @after. */
static int run_loaded(struct vcpu *vcpu, const struct vectors *mine,
		      struct vectors *after)
{
	long ret;

	memset(after, 0, sizeof(*after));	/* store() may fill it in part */
	load(mine);
	__asm__ volatile("syscall" : "=a"(ret)
			 : "a"(16 /* ioctl */), "D"((long)vcpu->fd),
			   "S"((long)TINYVMX_RUN), "d"(0L)
			 : "rcx", "r11", "memory");
	store(after);
	return ret;
}

static void test_one(u32 xcr0, const char *what)
{
	struct vcpu *vcpu = vcpu_simple(guest);
	static struct vectors zero, host, after, theirs;
	static struct vectors normal = { .mxcsr = 0x1f80, .fcw = 0x37f };
	bool host_good = true, guest_good = true;

	level = xcr0;
	G(vcpu->vm, level) = xcr0;
	if (xcr0 != 3)
		vcpu_enable_xsave(vcpu, xcr0);
	fill(&host, 0x35);
	fill(&theirs, 0x92);
	memcpy((void *)&G(vcpu->vm, pattern), &theirs, sizeof(theirs));
	memset((void *)&G(vcpu->vm, in_guest), 0xee, sizeof(zero));

	is(run_loaded(vcpu, &host, &after), 0, "%s: RUN", what);
	load(&normal);
	is(vcpu->run->reason, TINYVMX_EXIT_IO, "%s: the guest is there", what);
	ok(!memcmp(&host, &after, sizeof(host)),
	   "%s: the host's registers are as before", what);
	memcpy(&after, (void *)&G(vcpu->vm, in_guest), sizeof(after));
	ok(!memcmp(after.zmm[0], zero.zmm[0], 16) &&
	   !memcmp(after.zmm[15], zero.zmm[0], 16) && after.mxcsr == 0x1f80,
	   "%s: the guest starts with none of the host's values", what);
	for (u32 i = 0; i < 19; i++) {
		host_good &= !run_loaded(vcpu, &host, &after) &&
			     !memcmp(&host, &after, sizeof(host));
		load(&normal);
		memcpy(&after, (void *)&G(vcpu->vm, in_guest), sizeof(after));
		/* k0-k7 and upper halves are zero where the level has none. */
		for (u32 r = 0; r < 32; r++)
			guest_good &= !memcmp(after.zmm[r], theirs.zmm[r],
					      xcr0 & 0xe0 ? 64 : xcr0 & 4 ? 32 : 16) ||
				      (r > 15 && !(xcr0 & 0xe0));
		guest_good &= after.mxcsr == theirs.mxcsr && after.fcw == theirs.fcw;
	}
	ok(host_good, "%s: the host's stay so across 19 exits", what);
	ok(guest_good, "%s: the guest's stay, too", what);
	vcpu_simple_destroy(vcpu);
}

/* What SET_STATE gives is what the guest has, and back. */
static void swaps(void)
{
	store(&in_guest);
	load(&pattern);
}

static void test_state(void)
{
	u64 len = offsetof(struct tinyvmx_xsave, image) + info()->xsave_bytes;
	struct tinyvmx_xsave *x = calloc(1, len);
	struct vcpu *vcpu = vcpu_simple(swaps);
	static struct vectors theirs;

	level = 3;
	G(vcpu->vm, level) = 3;
	fill(&theirs, 0x41);
	memcpy((void *)&G(vcpu->vm, pattern), &theirs, sizeof(theirs));
	must(get_state(vcpu->fd, TINYVMX_STATE_XSAVE, x, len));
	memset(x->image + 160, 0xa7, 256);
	*(u32 *)(x->image + 24) = 0x3f80;
	*(u16 *)x->image = 0x37f;
	*(u64 *)(x->image + 512) = 3;
	must(set_state(vcpu->fd, TINYVMX_STATE_XSAVE, x, len));
	ok_done(vcpu, "state: the guest runs");
	is(G(vcpu->vm, in_guest.zmm[7][3]), 0xa7, "state: XMM7 from SET_STATE");
	is(G(vcpu->vm, in_guest.mxcsr), 0x3f80, "state: MXCSR from SET_STATE");
	must(get_state(vcpu->fd, TINYVMX_STATE_XSAVE, x, len));
	ok(!memcmp(x->image + 160 + 16 * 5, theirs.zmm[5], 16),
	   "state: XMM5 to GET_STATE");
	is(*(u32 *)(x->image + 24), theirs.mxcsr, "state: MXCSR to GET_STATE");
	free(x);
	vcpu_simple_destroy(vcpu);
}

int main(void)
{
	u64 mask;

	tap_init();
	mask = info()->xcr0_mask;
	test_one(3, "SSE");
	if (mask & 4)
		test_one(7, "AVX");
	else
		skip("guests have no AVX here", "AVX");
	if ((mask & 0xe0) == 0xe0)
		test_one(0xe7, "AVX-512");
	else
		skip("guests have no AVX-512 here", "AVX-512");
	test_state();
	return tap_exit();
}
