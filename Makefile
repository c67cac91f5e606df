# SPDX-License-Identifier: GPL-2.0-only
# tinyvmx: the module, hvctl, the guests, the selftests, and the machine to try them in. "make help" lists the targets.

export BUILD := $(CURDIR)/build
export V MACHINE CPUS KERNEL PROFILE
TESTBED := $(CURDIR)/tools/testbed
TESTED := $(shell cat $(TESTBED)/kernels/tested)
KERNELS ?= $(TESTED)
GUEST_KERNELS ?= $(TESTED)
DEBUG_KERNELS ?= $(shell cat $(TESTBED)/kernels/instrumented)
VTBOX := $(TESTBED)/vtbox
STEP := $(TESTBED)/step
SUB = $(MAKE) -j$(shell nproc) --no-print-directory BUILD=$(BUILD) -C

.PHONY: all userspace module native hvctl guests selftests course run shell test test-all test-long test-crash test-debug coverage bench check clean help
.PHONY: deps-run deps-test deps-images deps-debug deps-check deps-deb deps-package deps-debian

# The module last: without headers all the rest is there.
all: userspace
	@$(MAKE) --no-print-directory native

userspace: hvctl guests selftests course

hvctl:
	@$(STEP) "build hvctl" build/logs/hvctl.log $(SUB) tools/hvctl all
guests:
	@$(STEP) "build the guests" build/logs/guests.log $(SUB) guests all
selftests:
	@$(STEP) "build the selftests" build/logs/selftests.log $(SUB) selftests all
course:
	@$(STEP) "build the course's VMM" build/logs/course.log $(SUB) docs/course all

# The module for the kernel that runs here.
native:
	@ko=$$($(TESTBED)/kmod native) && ln -sf "$$ko" tinyvmx.ko && echo "tinyvmx.ko is ready"

# The module for each of the testbed's kernels.
module:
	@for k in $(KERNELS); do $(TESTBED)/kmod $$k || exit; done

deps-run deps-test deps-images deps-debug deps-check deps-deb deps-package deps-debian:
	@$(TESTBED)/deps $(@:deps-%=%)

run: $(if $(filter debian,$(GUEST)),deps-debian,deps-run)
	@$(MAKE) --no-print-directory hvctl guests
	@$(TESTBED)/prepare $(KERNEL)
	@$(TESTBED)/run $(GUEST)

shell: deps-run
	@$(MAKE) --no-print-directory userspace
	@$(TESTBED)/prepare $(KERNEL)
	@$(VTBOX)

test: deps-test
	@$(MAKE) --no-print-directory userspace
	@$(TESTBED)/prepare $(or $(KERNEL),$(KERNELS))
	@$(STEP) "make the Linux guests" build/logs/guests-linux.log guests/linux/test/build $(BUILD)/linux-test $(GUEST_KERNELS)
	@$(STEP) "get SeaBIOS" build/logs/guests-seabios.log guests/seabios/build
	@$(TESTBED)/runtests $(ONLY)

# All there is, by hand: an hour and a half on two CPUs.
test-all: test
	@$(MAKE) --no-print-directory test KERNEL=7.2
	@$(MAKE) --no-print-directory test KERNEL=6.1 CPUS=1 ONLY="selftests guests"
	@$(MAKE) --no-print-directory test KERNEL=6.1 CPUS=2 ONLY=linux
	@$(MAKE) --no-print-directory test KERNEL=6.12 CPUS=1 ONLY=linux
	@$(MAKE) --no-print-directory test-long

# Many CPUs, many VMs, a host that changes: on one, two and four CPUs.
MANY := hotplug hostile kill kvm_calls lapic_hlt lapic_ipi lapic_startup lapic_stress limits memory_large memory_live memory_pressure \
	memory_swap migrate processes task_switch tsc_state user_limits userfault wake_ups guests:smp-* guests:minios-smp-* guests:task \
	linux:smp? vms crowd churn
.PHONY: test-many
test-many:
	@$(MAKE) --no-print-directory test KERNEL="$(or $(KERNEL),6.12)" CPUS="4 2 1" ONLY="$(MANY)"

# What takes too long for every day: crashes and reboots, sleep, Linux beside QEMU's, on each kernel; two hundred VMs; a
# thousand unloads and kills, a million wake-ups.
test-long test-crash: deps-test
	@$(MAKE) --no-print-directory userspace
	@$(TESTBED)/prepare $(or $(KERNEL),$(KERNELS))
	@$(STEP) "make the Linux guest" build/logs/guests-linux.log guests/linux/test/build $(BUILD)/linux-test 6.1
	@status=0; for test in $(if $(filter %-crash,$@),crash,crash suspend qemu vtbox kvm crowd churn); do \
		echo "==> $$test"; LONG=1 $(TESTBED)/tests/$$test.sh || status=1; done; exit $$status

# Kernels of others as the distribution packages them.
.PHONY: test-images
test-images: deps-images
	@$(MAKE) --no-print-directory userspace
	@$(TESTBED)/prepare $(or $(KERNEL),6.1)
	@$(STEP) "make the Linux guest" build/logs/guests-linux.log guests/linux/test/build $(BUILD)/linux-test 6.1
	@$(STEP) "get SeaBIOS" build/logs/guests-seabios.log guests/seabios/build
	@status=0; for test in images firmware; do \
		echo "==> $$test"; LONG=1 $(TESTBED)/tests/$$test.sh || status=1; done; exit $$status

# A distribution, from its disk.
.PHONY: test-debian
test-debian: deps-debian
	@$(MAKE) --no-print-directory hvctl
	@$(TESTBED)/prepare $(or $(KERNEL),6.1)
	@$(STEP) "make the Debian guest" build/logs/guests-debian.log guests/debian/build
	@LONG=1 $(TESTBED)/tests/debian.sh

test-debug: deps-debug
	@$(MAKE) --no-print-directory userspace
	@$(TESTBED)/prepare $(or $(KERNEL),$(DEBUG_KERNELS))
	@KERNEL="$(or $(KERNEL),$(DEBUG_KERNELS))" $(TESTBED)/testdebug $(ONLY)

coverage: deps-debug
	@$(MAKE) --no-print-directory userspace
	@$(TESTBED)/prepare $(or $(KERNEL),6.12+debug)
	@$(TESTBED)/coverage $(ONLY)

bench: deps-test
	@$(MAKE) --no-print-directory hvctl
	@$(TESTBED)/prepare $(or $(KERNEL),6.1)
	@$(STEP) "make the Linux guest" build/logs/guests-linux.log guests/linux/build
	@$(TESTBED)/bench

.PHONY: fuzz
fuzz: deps-test
	@$(TESTBED)/prepare $(or $(KERNEL),6.12)
	@tools/fuzz/run -i $(or $(N),1000000) -g $(or $(GUESTS),100000) -s $(or $(SEED),1) -p $(or $(PROCESSES),4)

# The same with KASAN and KCOV, for as many hours as it takes; it goes on where it was.
.PHONY: fuzz-long
fuzz-long: deps-debug
	@$(TESTBED)/prepare 6.12+kasan 6.12+debug
	@tools/fuzz/long

# Guests at random against each device of hvctl, SECONDS each; without io_uring, which cannot be made that often.
.PHONY: fuzz-devices
fuzz-devices: deps-check
	@$(MAKE) -s -j$(shell nproc) -C tools/hvctl BUILD=$(CURDIR)/build/fuzz-devices WITHOUT=uring FUZZ_SECONDS=$(or $(SECONDS),600) fuzz-devices

# VMs and their host at random, MINUTES long.
.PHONY: soak
soak: deps-test
	@$(MAKE) --no-print-directory userspace
	@$(TESTBED)/prepare $(or $(KERNEL),$(KERNELS))
	@$(STEP) "make the Linux guest" build/logs/guests-linux.log guests/linux/build
	@$(TESTBED)/soak $(or $(MINUTES),60) $(or $(SEED),1)

check: deps-check
	@tools/check/all

clean:
	rm -rf build tinyvmx.ko

include packaging/install.mk

help:
	@echo "make           build the module for the running kernel, hvctl, the guests and the selftests"
	@echo "make run       boot a machine with VT-x, and Linux in it, to a shell (GUEST=skernel: the smallest guest, each step told)"
	@echo "make shell     a shell in that machine"
	@echo "make test      all tests, with 1 and 2 CPUs, on each kernel once or twice; ONLY="name ..." for some (see docs/testbed.md)"
	@echo "make test-all  those, all of them on Linux 7.2 too, and make test-long (two hours on two CPUs)"
	@echo "make test-many several CPUs, several VMs, a host whose CPUs and memory come and go: on 1, 2 and 4 CPUs"
	@echo "make test-images  kernels and firmware of others as the distribution packages them: memtest86+, Xen, GNU Mach, iPXE, OVMF, qboot, U-Boot"
	@echo "make test-debian  Debian 12 from its disk, by its kernel, SeaBIOS and OVMF, over the serial line and SSH, and after kill -9"
	@echo "make test-long  with guests running, on each kernel: crash kernels and reboots (make test-crash), sleep, QEMU beside hvctl"
	@echo "make test-debug  selftests and guests on kernels with KASAN, lockdep, KCSAN, PREEMPT_RT ..., which it builds first"
	@echo "make coverage  which lines of module/ the tests reach"
	@echo "make bench     what an exit costs, beside KVM; fails if something is 3 % slower than bench/baseline.json;"
	@echo "                PROFILE=1: the dear instructions of an operation, too"
	@echo "make fuzz      random ioctls and guests: N=1000000 GUESTS=100000 SEED=1 PROCESSES=4 KERNEL=6.12"
	@echo "make fuzz-long  the same on kernels with KASAN until there were 10^7 ioctls and 10^6 guests; it goes on where it was interrupted"
	@echo "make fuzz-devices  guests at random against each device of hvctl, without a machine: SECONDS=600 each"
	@echo "make soak      VMs that start, stop, die, wander, on a host whose CPUs and memory come and go, at random: MINUTES=60 SEED=1"
	@echo "make check     compiler warnings, sparse, sanitizers, checkpatch, layout, sizes, layering, shellcheck"
	@echo "make module    build the module for the testbed's kernels ($(KERNELS))"
	@echo "make install   hvctl, manual pages, completion, udev rule, ABI header; make install-dkms: the module's sources for DKMS;"
	@echo "                make install-module: the module for the running kernel (PREFIX, DESTDIR; docs/install.md);"
	@echo "                make uninstall, uninstall-dkms take them away"
	@echo "make deb       Debian packages, in build/deb; make test-package: build them twice, and DKMS in a Debian of its own (root)"
	@echo "make clean     remove what was built here; downloads stay in $${XDG_CACHE_HOME:-~/.cache}/tinyvmx"
	@echo
	@echo "variables      MACHINE=auto|bochs|qemu|host, CPUS=1..4, KERNEL=6.1 (others: $(filter-out 6.1,$(TESTED))), GUEST=linux|skernel|debian, V=1 (show everything live)"
