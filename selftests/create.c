// SPDX-License-Identifier: GPL-2.0-only
/* VM and vCPU file descriptors: flags, kind, the run page's mmap rules. */
#include <fcntl.h>
#include <sys/mman.h>

#include "lib.h"

static void check_fd(int fd, const char *what)
{
	char path[64], name[64] = "";

	ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "%s fd: close on exec", what);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, name, sizeof(name) - 1) < 0)
		bail("readlink %s: %m", path);
	ok(!strncmp(name, "anon_inode:", 11), "%s fd: anonymous inode %s", what,
	   name);
	ok(strstr(name, what), "%s fd: says what it is", what);
	err_is(write(fd, name, 1), EINVAL, "%s fd: no write()", what);
	err_is(read(fd, name, 1), EINVAL, "%s fd: no read()", what);
}

static void *try_map(int fd, size_t bytes, int prot, int flags, off_t offset)
{
	return mmap(NULL, bytes, prot, flags, fd, offset);
}

#define map_fails(fd, bytes, prot, flags, offset, ...) \
	ok(try_map(fd, bytes, prot, flags, offset) == MAP_FAILED, __VA_ARGS__)

static void test_run_page(int vcpu)
{
	u32 bytes = info()->run_bytes;
	struct tinyvmx_run *one, *two;

	one = try_map(vcpu, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	two = try_map(vcpu, bytes, PROT_READ, MAP_SHARED, 0);
	if (!ok(one != MAP_FAILED && two != MAP_FAILED, "mmap the run page twice"))
		return;
	one->pad[0] = 0x1234;
	is(two->pad[0], 0x1234, "both mappings are the same page");
	is(((u8 *)one)[bytes - 1], 0, "the page starts zeroed, to its end");
	map_fails(vcpu, bytes + PAGE, PROT_READ, MAP_SHARED, 0, "mmap of more");
	map_fails(vcpu, PAGE, PROT_READ, MAP_SHARED, bytes, "mmap behind it");
	map_fails(vcpu, PAGE, PROT_READ, MAP_SHARED, (off_t)1 << 40,
		  "mmap far behind it");
	map_fails(vcpu, bytes, PROT_READ | PROT_EXEC, MAP_SHARED, 0,
		  "mmap executable");
	map_fails(vcpu, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0,
		  "mmap private");
	must(munmap(one, bytes));
	is(two->pad[0], 0x1234, "the other mapping outlives one");
	must(munmap(two, bytes));
}

static void test_page_outlives_fd(int vm)
{
	int vcpu = must(create_vcpu_fd(vm, 1));
	struct tinyvmx_run *run = map_run(vcpu);

	close(vcpu);
	run->pad[1] = 77;
	is(run->pad[1], 77, "the run page lives as long as its mapping");
	err_is(create_vcpu_fd(vm, 1), EEXIST, "the mapping holds the vCPU");
	munmap(run, info()->run_bytes);
}

static void test_reset_state(int vcpu)
{
	struct tinyvmx_sregs s;
	struct tinyvmx_regs r;

	must(get_state(vcpu, TINYVMX_STATE_SREGS, &s, sizeof(s)));
	must(get_state(vcpu, TINYVMX_STATE_REGS, &r, sizeof(r)));
	is(r.rip, 0xfff0, "reset: RIP");
	is(r.rflags, 2, "reset: RFLAGS");
	is(s.seg[TINYVMX_CS].selector, 0xf000, "reset: CS selector");
	is(s.seg[TINYVMX_CS].base, 0xffff0000, "reset: CS base");
	is(s.seg[TINYVMX_CS].limit, 0xffff, "reset: CS limit");
	is(s.cr0, 0x60000010, "reset: CR0 is CD, NW, ET");
	is(s.cr3 | s.cr4 | s.cr8 | s.cr2 | s.efer, 0, "reset: CR2-8, EFER");
	is(s.idt_limit, 0xffff, "reset: IDT limit");
	is(s.seg[TINYVMX_DS].base | s.seg[TINYVMX_DS].selector, 0, "reset: DS");
}

static void test_fds_run_out(int dev)
{
	struct tinyvmx_create_vm arg = create_vm_arg(0);
	struct tinyvmx_create_vcpu vcpu_arg = { .size = sizeof(vcpu_arg) };
	int vm = must(create_vm_fd());
	static int spare[4096];
	u32 n = 0;

	while (n < ARRAY_SIZE(spare) && (spare[n] = dup(0)) >= 0)
		n++;
	err_is(ioctl(dev, TINYVMX_CREATE_VM, &arg), EMFILE, "CREATE_VM: EMFILE");
	err_is(ioctl(vm, TINYVMX_CREATE_VCPU, &vcpu_arg), EMFILE,
	       "CREATE_VCPU: EMFILE");
	while (n)
		close(spare[--n]);
	err_is(ioctl(vm, TINYVMX_CREATE_VCPU, &vcpu_arg) < 0 ? -1 : 0, 0,
	       "the id is not lost by EMFILE");
	close(vm);
}

int main(void)
{
	int dev, vm, vcpu;

	tap_init();
	dev = dev_open();
	vm = create_vm_fd();
	if (!ok(vm >= 0, "CREATE_VM"))
		return tap_exit();
	vcpu = create_vcpu_fd(vm, 0);
	if (!ok(vcpu >= 0, "CREATE_VCPU"))
		return tap_exit();
	check_fd(vm, "vm");
	check_fd(vcpu, "vcpu");
	map_fails(vm, PAGE, PROT_READ, MAP_SHARED, 0, "a VM fd has no mmap");
	map_fails(dev, PAGE, PROT_READ, MAP_SHARED, 0, "the device has no mmap");
	test_reset_state(vcpu);
	test_run_page(vcpu);
	test_page_outlives_fd(vm);
	test_fds_run_out(dev);
	return tap_exit();
}
