// SPDX-License-Identifier: GPL-2.0-only
/* Memory that the VMM takes away while the guest uses it, page tables that change themselves. */
#include <sys/mman.h>

#include "hostile.h"

#define AREA		GUEST_FREE_GPA
#define AREA_BYTES	(GUEST_RAM_BYTES - GUEST_FREE_GPA)
#define ALIAS_GPA	0x10000000UL
#define ALIASES		60

/* ----------------------------------------------------------------- guest */

static void touches(u64 id)
{
	for (u64 n = id;; n += 7, guest_alive++)
		(*(volatile u64 *)(AREA + n * PAGE % AREA_BYTES))++;
}

static void touches_aliases(u64 id)
{
	(void)id;
	for (u64 n = 0;; n += 511, guest_alive++)
		(*(volatile u64 *)(ALIAS_GPA + n * PAGE % (ALIASES * AREA_BYTES)))++;
}

/* Interrupts, too: their delivery needs IDT, GDT, TSS and stack. */
static void uses_all(u64 id)
{
	(void)id;
	guest_expect(0x80);
	for (u64 n = 0;; n += 7, guest_alive++) {
		__asm__ volatile("int $0x80");
		(*(volatile u64 *)(AREA + n * PAGE % AREA_BYTES))++;
	}
}

static void copies(u64 id)
{
	(void)id;
	for (u64 n = 0;; n++, guest_alive++) {
		char *from = (char *)AREA + n * 16 * PAGE % (AREA_BYTES / 2);
		char *to = from + AREA_BYTES / 2;
		u64 count = 4 * PAGE / 8;

		__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
	}
}

static void behind_mov_ss(u64 id)
{
	for (u64 n = id;; n += 7, guest_alive++)
		__asm__ volatile("mov %0, %%ss; incq (%1)"
				 : : "r"(SEL_DS), "r"(AREA + n * PAGE % AREA_BYTES) : "memory");
}

/* One page of code, written and run. */
static void writes_code(u64 id)
{
	volatile u8 *code = (volatile u8 *)AREA;

	(void)id;
	code[0] = 0xb8;		/* MOV EAX, n; RET */
	code[5] = 0xc3;
	for (u32 n = 1;; n++) {
		u32 got;

		*(volatile u32 *)(code + 1) = n;
		__asm__ volatile("call *%1" : "=a"(got) : "r"(code) : "memory");
		guest_is(got, n);
		guest_alive++;
	}
}

#define WINDOW	0x40000000UL	/* its page directory's first entry: a table in AREA */

static u64 *map_window(void)
{
	volatile u64 *directory = (volatile u64 *)(GUEST_PT_GPA + 3 * PAGE);
	volatile u64 *table = (volatile u64 *)AREA;

	for (u32 i = 0; i < 512; i++)
		table[i] = 0;
	directory[0] = AREA | 7;
	WRITE_REG("cr3", GUEST_PT_GPA);
	return (u64 *)table;
}

static int touch(u64 gva)
{
	return GUEST_TRY("incb (%0)", : : "r"(gva) : "memory");
}

static void invlpg(u64 gva)
{
	__asm__ volatile("invlpg (%0)" : : "r"(gva) : "memory");
}

/* Present, absent, with reserved bits, read-only, of the table itself. */
static void changes_tables(u64 id)
{
	volatile u64 *table = map_window();

	(void)id;
	for (u64 n = 0;; n++) {
		u32 i = n % 511;
		u64 gva = WINDOW + i * PAGE;

		table[i] = (AREA + (1 + i) * PAGE) | 3;
		guest_is(touch(gva), -1);
		guest_is(table[i] & 0x60, 0x60);	/* accessed, dirty */
		table[i] = 0;
		invlpg(gva);
		guest_is(touch(gva), PF);
		table[i] = 1UL << 51 | 3;
		guest_is(touch(gva), PF);
		table[511] = AREA | 3;			/* the window shows its own table */
		invlpg(WINDOW + 511 * PAGE);
		((volatile u64 *)(WINDOW + 511 * PAGE))[i] = (AREA + PAGE) | 3;
		guest_is(touch(gva), -1);
		invlpg(gva);
		guest_alive++;
	}
}

/* Every table is the same page: a walk of four levels comes back to where it began. */
static void maps_itself(u64 id)
{
	volatile u64 *root = (volatile u64 *)GUEST_PT_GPA;

	(void)id;
	for (;; guest_alive++) {
		u64 self = 510UL << 39 | 510UL << 30 | 510UL << 21 | 510UL << 12;
		volatile u64 *entry = (volatile u64 *)(0xffffUL << 48 | self) + 510;

		root[510] = GUEST_PT_GPA | 3;
		*entry |= 1UL << 9;
		guest_is(root[510] >> 9 & 1, 1);
		*entry = 0;
		invlpg((u64)entry);
	}
}

/* The table is in memory that comes and goes. */
static void walks(u64 id)
{
	volatile u64 *directory = (volatile u64 *)(GUEST_PT_GPA + 3 * PAGE);

	(void)id;
	for (u64 n = 0;; n += 3, guest_alive++) {
		directory[0] = (AREA + n * PAGE % AREA_BYTES) | 7;
		WRITE_REG("cr3", GUEST_PT_GPA);
		touch(WINDOW);
	}
}

/* ------------------------------------------------------------------- VMM */

/* Time for the guest to get something that can be taken away. */
static void breathe(void)
{
	sleep_us(200);
}

static void drop(struct vcpu *vcpu)
{
	breathe();
	must(madvise(vcpu->vm->ram + AREA, AREA_BYTES, MADV_DONTNEED));
}

static void drop_page(struct vcpu *vcpu)
{
	static u32 n;

	must(madvise(vcpu->vm->ram + AREA + n++ * PAGE % AREA_BYTES, PAGE, MADV_DONTNEED));
}

static void replace(struct vcpu *vcpu)
{
	void *area = vcpu->vm->ram + AREA;

	breathe();
	if (mmap(area, AREA_BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != area)
		bail("mmap: %m");
}

static void forbid(struct vcpu *vcpu)
{
	u8 *ram = vcpu->vm->ram;

	/* All that the guest uses comes page by page, on a CPU that is not its own alone. */
	sleep_us(2000);
	must(mprotect(ram, GUEST_RAM_BYTES, PROT_NONE));
	must(mprotect(ram, GUEST_RAM_BYTES, PROT_READ));
	must(mprotect(ram, GUEST_RAM_BYTES, PROT_READ | PROT_WRITE));
}

static void move_slot(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	breathe();
	must(set_memory(vm->fd, 0, 0, 0, 0, NULL));
	must(set_memory(vm->fd, 0, 0, 0, GUEST_RAM_BYTES, vm->ram));
}

static void fork_once(struct vcpu *vcpu)
{
	pid_t pid = must(fork());

	(void)vcpu;
	if (!pid)
		_exit(0);
	reap(pid);
}

/* Clearing a huge page takes longer than all the rest. */
static void small_pages(struct vcpu *vcpu)
{
	use_small_pages(vcpu->vm->ram, GUEST_RAM_BYTES);
}

static void prepare_aliases(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	small_pages(vcpu);
	for (u32 i = 0; i < ALIASES; i++)
		must(set_memory(vm->fd, 1 + i, 0, ALIAS_GPA + i * AREA_BYTES, AREA_BYTES,
				vm->ram + AREA));
}

#define TAKEN "a page is used after it was taken, or whoever takes it waits for ever"
#define ITSELF "the module trusts what it has seen in a guest's tables"

const struct attack attacks_memory[] = {
	{ "MADV_DONTNEED", TAKEN, .guest = touches, .prepare = small_pages, .beside = drop,
	  .exit = BY(EPT_VIOLATION), .flags = ATTACK_SLEEPS },
	{ "MADV_DONTNEED, a page", TAKEN, .guest = touches, .prepare = small_pages,
	  .beside = drop_page, .exit = BY(EPT_VIOLATION), .flags = ATTACK_SLEEPS },
	{ "MADV_DONTNEED, huge", TAKEN, .guest = touches, .beside = drop, .exit = BY(EPT_VIOLATION),
	  .flags = ATTACK_SLOW | ATTACK_SLEEPS },
	{ "mmap over it", TAKEN, .guest = touches, .prepare = small_pages, .beside = replace,
	  .exit = BY(EPT_VIOLATION), .flags = ATTACK_SLEEPS },
	{ "mprotect of all", TAKEN, .guest = uses_all, .prepare = small_pages, .beside = forbid,
	  .exit = BY(EPT_VIOLATION), .flags = ATTACK_SLOW | ATTACK_SLEEPS },
	{ "SET_MEMORY of all", TAKEN, .guest = uses_all, .prepare = small_pages,
	  .beside = move_slot, .exit = BY(EPT_VIOLATION), .flags = ATTACK_SLOW | ATTACK_SLEEPS },
	{ "fork", TAKEN, .guest = touches, .prepare = small_pages, .beside = fork_once,
	  .exit = BY(EPT_VIOLATION), .flags = ATTACK_SLEEPS },
	{ "string moves", TAKEN, .guest = copies, .prepare = small_pages, .beside = drop,
	  .exit = BY(EPT_VIOLATION), .flags = ATTACK_SLOW | ATTACK_SLEEPS },
	{ "behind MOV SS", "the shadow lasts as long as there are pages to get",
	  .guest = behind_mov_ss, .prepare = small_pages, .beside = drop, .exit = BY(EPT_VIOLATION),
	  .flags = ATTACK_SLEEPS },
	{ "60 slots of the same", "all of them are emptied with interrupts or preemption disabled",
	  .guest = touches_aliases, .prepare = prepare_aliases, .beside = drop,
	  .exit = BY(EPT_VIOLATION), .flags = ATTACK_SLOW | ATTACK_SLEEPS },
	{ "two vCPUs", TAKEN, .guest = touches, .prepare = small_pages, .beside = drop,
	  .exit = BY(EPT_VIOLATION), .flags = ATTACK_TWO | ATTACK_SLEEPS },
	{ "code that is written", "stale code runs", .guest = writes_code },
	{ "page tables", ITSELF, .guest = changes_tables },
	{ "page tables of themselves", ITSELF, .guest = maps_itself },
	{ "page tables, taken", TAKEN, .guest = walks, .prepare = small_pages, .beside = drop,
	  .exit = BY(EPT_VIOLATION), .flags = ATTACK_SLEEPS },
	{ }
};
