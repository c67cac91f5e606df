// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tests run inside the Linux guest, where there is no compiler:
 *
 *   probe sleep SECONDS    tell the time PROBE_TIMES times, sleep so often for a second, tell it as often again
 *   probe spin SECONDS     the same with a busy loop
 *   probe features         run an instruction of each feature that CPUID tells
 *   probe registers        two processes that share the CPU and keep their vector registers
 *   probe cpus             the ids of all CPUs
 *   probe stress ROUNDS    work on all CPUs at once
 *   probe fragment MIB     have every other 64 KiB of so much memory
 *   probe fill MIB         fill so much memory, however much there is
 */
#include <cpuid.h>
#include <signal.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"
#include "stress.h"

#define NS_PER_S 1000000000LL

/* ------------------------------------------------------------------ clocks */

static int64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* In one write: its first character leaves as soon as the clock has been read. */
static void tell_time(void)
{
	char line[60];
	int len = snprintf(line, sizeof(line), "<time %lld>\n", (long long)read_clock(CLOCK_REALTIME));

	if (write(STDOUT_FILENO, line, len) != len)
		exit(1);
}

static void sleep_ms(long ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

/*
 * One line may be held up on its way to who reads it, but not each of several: of both groups, the one before and the
 * one after what is timed, the quickest counts. Each line finds the serial port idle and leaves it time.
 */
static void tell_times(void)
{
	for (int i = 0; i < PROBE_TIMES; i++) {
		sleep_ms(20);
		tell_time();
		tcdrain(STDOUT_FILENO);
	}
	sleep_ms(20);
}

static int cmd_sleep(int seconds)
{
	tell_times();
	for (int i = 0; i < seconds; i++)
		sleep_ms(1000);
	tell_times();
	return 0;
}

static int cmd_spin(int seconds)
{
	int64_t end;

	tell_times();
	end = read_clock(CLOCK_MONOTONIC) + seconds * NS_PER_S;
	while (read_clock(CLOCK_MONOTONIC) < end)
		;
	tell_times();
	return 0;
}

/* ---------------------------------------------------------------- features */

static sigjmp_buf faulted;

static void on_fault(int sig)
{
	siglongjmp(faulted, sig);
}

static uint8_t buffer[64] __attribute__((aligned(64)));

#define RUN(name, text) \
	static void run_##name(void) \
	{ \
		unsigned long a = 0, c = 0, d = 0; \
		void *m = buffer; \
		asm volatile(text : "+a"(a), "+c"(c), "+d"(d) : "r"(m) : "memory", "cc", "xmm0", "xmm1"); \
	}

RUN(popcnt, "popcnt %1, %0")
RUN(crc32, "crc32q %1, %0")
RUN(movbe, "movbe (%3), %0")
RUN(aes, "aesenc %%xmm1, %%xmm0")
RUN(pclmul, "pclmulqdq $0, %%xmm1, %%xmm0")
RUN(sse41, "pmuldq %%xmm1, %%xmm0")
RUN(ssse3, "pabsb %%xmm1, %%xmm0")
RUN(xgetbv, "xgetbv")
RUN(avx, "vaddps %%ymm1, %%ymm0, %%ymm0")
RUN(fma, "vfmadd132ps %%ymm1, %%ymm0, %%ymm0")
RUN(f16c, "vcvtph2ps %%xmm1, %%ymm0")
RUN(rdrand, "rdrand %0")
RUN(rdseed, "rdseed %0")
RUN(bmi1, "andn %0, %1, %0")
RUN(bmi2, "pext %0, %1, %0")
RUN(avx2, "vpaddd %%ymm1, %%ymm0, %%ymm0")
RUN(adx, "adcx %1, %0")
RUN(fsgsbase, "rdfsbase %0")
RUN(clflushopt, "clflushopt (%3)")
RUN(clwb, "clwb (%3)")
RUN(sha, "sha1msg1 %%xmm1, %%xmm0")
RUN(avx512f, "vpaddd %%zmm1, %%zmm0, %%zmm0")
RUN(avx512dq, "vpmullq %%zmm1, %%zmm0, %%zmm0")
RUN(avx512cd, "vplzcntd %%zmm1, %%zmm0")
RUN(avx512bw, "vpaddb %%zmm1, %%zmm0, %%zmm0")
RUN(avx512vl, "vpaddd %%xmm1, %%xmm0, %%xmm0 %{%%k1%}")
RUN(rdpid, "rdpid %0")
RUN(lzcnt, "lzcnt %1, %0")
RUN(lahf, "lahf")
RUN(rdtscp, "rdtscp")
RUN(xsaveopt, "xor %%eax, %%eax; xor %%edx, %%edx; xsaveopt area%=(%%rip); .local area%=; .comm area%=, 4096, 64")
RUN(xsavec, "xor %%eax, %%eax; xor %%edx, %%edx; xsavec area%=(%%rip); .local area%=; .comm area%=, 4096, 64")
RUN(xgetbv1, "mov $1, %%ecx; xgetbv")

enum { EAX, EBX, ECX, EDX };

static const struct feature {
	const char *name;
	uint32_t function, index, reg, bit;
	void (*run)(void);
} features[] = {
	{ "ssse3", 1, 0, ECX, 9, run_ssse3 },
	{ "pclmulqdq", 1, 0, ECX, 1, run_pclmul },
	{ "fma", 1, 0, ECX, 12, run_fma },
	{ "sse4_1", 1, 0, ECX, 19, run_sse41 },
	{ "sse4_2", 1, 0, ECX, 20, run_crc32 },
	{ "movbe", 1, 0, ECX, 22, run_movbe },
	{ "popcnt", 1, 0, ECX, 23, run_popcnt },
	{ "aes", 1, 0, ECX, 25, run_aes },
	{ "osxsave", 1, 0, ECX, 27, run_xgetbv },
	{ "avx", 1, 0, ECX, 28, run_avx },
	{ "f16c", 1, 0, ECX, 29, run_f16c },
	{ "rdrand", 1, 0, ECX, 30, run_rdrand },
	{ "fsgsbase", 7, 0, EBX, 0, run_fsgsbase },
	{ "bmi1", 7, 0, EBX, 3, run_bmi1 },
	{ "avx2", 7, 0, EBX, 5, run_avx2 },
	{ "bmi2", 7, 0, EBX, 8, run_bmi2 },
	{ "avx512f", 7, 0, EBX, 16, run_avx512f },
	{ "avx512dq", 7, 0, EBX, 17, run_avx512dq },
	{ "rdseed", 7, 0, EBX, 18, run_rdseed },
	{ "adx", 7, 0, EBX, 19, run_adx },
	{ "clflushopt", 7, 0, EBX, 23, run_clflushopt },
	{ "clwb", 7, 0, EBX, 24, run_clwb },
	{ "avx512cd", 7, 0, EBX, 28, run_avx512cd },
	{ "sha_ni", 7, 0, EBX, 29, run_sha },
	{ "avx512bw", 7, 0, EBX, 30, run_avx512bw },
	{ "avx512vl", 7, 0, EBX, 31, run_avx512vl },
	{ "rdpid", 7, 0, ECX, 22, run_rdpid },
	{ "xsaveopt", 0xd, 1, EAX, 0, run_xsaveopt },
	{ "xsavec", 0xd, 1, EAX, 1, run_xsavec },
	{ "xgetbv1", 0xd, 1, EAX, 2, run_xgetbv1 },
	{ "lahf_lm", 0x80000001, 0, ECX, 0, run_lahf },
	{ "lzcnt", 0x80000001, 0, ECX, 5, run_lzcnt },
	{ "rdtscp", 0x80000001, 0, EDX, 27, run_rdtscp },
};

static bool has(const struct feature *feature)
{
	uint32_t reg[4];

	return __get_cpuid_count(feature->function, feature->index, &reg[EAX], &reg[EBX], &reg[ECX], &reg[EDX]) &&
	       reg[feature->reg] >> feature->bit & 1;
}

/* 0, or the signal that it ended in. */
static int try(const struct feature *feature)
{
	int sig = sigsetjmp(faulted, 1);

	if (!sig)
		feature->run();
	return sig;
}

static int cmd_features(void)
{
	int faults = 0, count = 0;

	signal(SIGILL, on_fault);
	signal(SIGSEGV, on_fault);
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		int sig;

		if (!has(&features[i]))
			continue;
		count++;
		sig = try(&features[i]);
		printf(sig ? "%s (signal %d) " : "%s ", features[i].name, sig);
		faults += sig != 0;
	}
	printf("\n<%d features, %d fault>\n", count, faults);
	return faults;
}

/* --------------------------------------------------------------- registers */

#define ROUNDS 2000

/* Load two registers of the widest kind, let others run, read them back: 64 bytes each, of which @width matter. */
static bool keeps(uint8_t fill, size_t width)
{
	static uint8_t in[128] __attribute__((aligned(64))), out[128] __attribute__((aligned(64)));
	long ret = 24;	/* sched_yield */

	memset(in, fill, sizeof(in));
	memset(out, 0, sizeof(out));
	if (width == 64)
		asm volatile("vmovdqa64 (%1), %%zmm1; vmovdqa64 64(%1), %%zmm31; syscall; "
			     "vmovdqa64 %%zmm1, (%2); vmovdqa64 %%zmm31, 64(%2)"
			     : "+a"(ret) : "r"(in), "r"(out) : "rcx", "r11", "memory", "xmm1");
	else
		asm volatile("vmovdqa (%1), %%ymm1; vmovdqa 64(%1), %%ymm15; syscall; "
			     "vmovdqa %%ymm1, (%2); vmovdqa %%ymm15, 64(%2)"
			     : "+a"(ret) : "r"(in), "r"(out) : "rcx", "r11", "memory", "xmm1", "xmm15");
	return !memcmp(in, out, width) && !memcmp(in + 64, out + 64, width);
}

static int hold(uint8_t first, size_t width)
{
	for (int i = 0; i < ROUNDS; i++)
		if (!keeps(first + i % 100, width))
			return 1;
	return 0;
}

static int cmd_registers(void)
{
	size_t width = __builtin_cpu_supports("avx512f") ? 64 : __builtin_cpu_supports("avx") ? 32 : 0;
	pid_t child;
	int status, mine;

	if (!width) {
		printf("<no AVX>\n");
		return 0;
	}
	child = fork();
	if (!child)
		_exit(hold(1, width));
	mine = hold(101, width);
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		mine = 1;
	printf("<%zu bytes %s>\n", width, mine ? "lost" : "kept");
	return mine;
}

#define PIECE 0x10000ul

/* Have every other 64 KiB of so much memory, until somebody ends it: what is free between is in no larger pieces. */
static int cmd_fragment(unsigned long mib)
{
	unsigned long len = mib << 20;
	char *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || madvise(at, len, MADV_NOHUGEPAGE))
		return 1;
	memset(at, 0x5a, len);
	for (unsigned long piece = 0; piece < len; piece += 2 * PIECE)
		if (madvise(at + piece, PIECE, MADV_DONTNEED))
			return 1;
	puts("<fragmented>");
	fflush(stdout);
	pause();
	return 0;
}

/* What is there, and what is not, is the kernel's to find out while it is written. */
static int cmd_fill(unsigned long mib)
{
	unsigned long len = mib << 20;
	char *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return 1;
	memset(at, 0x5a, len);
	printf("<filled %lu MiB>\n", mib);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "sleep"))
		return cmd_sleep(atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "spin"))
		return cmd_spin(atoi(argv[2]));
	if (argc == 2 && !strcmp(argv[1], "features"))
		return cmd_features();
	if (argc == 2 && !strcmp(argv[1], "registers"))
		return cmd_registers();
	if (argc == 2 && !strcmp(argv[1], "cpus"))
		return cmd_cpus();
	if (argc == 3 && !strcmp(argv[1], "stress"))
		return cmd_stress(atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "fragment"))
		return cmd_fragment(atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "fill"))
		return cmd_fill(atoi(argv[2]));
	return 2;
}
