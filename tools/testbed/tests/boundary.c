// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tools/testbed/tests/vtbox.sh: an instruction across the end of a page, whose second page
 * is taken away, brought back and written, over and over. See tools/testbed/bochs/14-*.patch.
 */
#include <err.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE		4096
#define ROUNDS		200

static sigjmp_buf after_fault;
static int faults;

static void fault(int signal)
{
	(void)signal;
	faults++;
	siglongjmp(after_fault, 1);
}

int main(void)
{
	/* MOV RAX, imm64; RET: five bytes of it on each side */
	static const unsigned char text[] = { 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 0xc3 };
	struct sigaction action = { .sa_handler = fault };
	unsigned char *pages, *first, *second;

	sigaction(SIGSEGV, &action, NULL);
	pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		err(1, "mmap");
	first = pages + PAGE - 5;
	second = pages + PAGE;
	memcpy(first, text, sizeof(text));
	for (int n = 0; n < ROUNDS; n++) {
		((void (*)(void))first)();
		first[0] = text[0];
		mprotect(second, PAGE, PROT_NONE);
		if (!sigsetjmp(after_fault, 1))
			((void (*)(void))first)();
		mprotect(second, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
		second[0] = text[5];
	}
	printf("%d faults\n", faults);
	return 0;
}
