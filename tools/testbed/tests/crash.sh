#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A machine that crashes or reboots while guests run goes on: after a panic with what kexec loaded for it, after "reboot -f"
# and sysrq-b with booting again. A CPU left in VMX operation would neither let the one clear CR4.VMXE nor take the INIT of
# the other.
#
# LONG=1 ("make test-crash"): on each kernel, with 1 and 2 CPUs, with kvm_intel loaded too, beside guests of KVM's, and with
# Linux as the crash kernel.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

# In the machine: FIRST, guests that spin, one for each CPU, and TRIGGER, which ends it all.
cat >"$DIR/in-machine" <<'END'
n=$(/crash boots)
echo "boot $n with $(grep -c ^processor /proc/cpuinfo) CPUs"
[ "$n" = 1 ] || exit 0
eval "$FIRST"
for cpu in $(seq 0 $(($(nproc) - 1))); do
	taskset -c "$cpu" hvctl run /guests/spin/spin.bin >/dev/null 2>&1 &
	guests="$guests $!"
done
sleep 2
for guest in $guests; do
	kill -0 "$guest" && echo "a guest runs"
done
sync
eval "$TRIGGER"
sleep 100
echo "it lives on"
END

# The crash kernel's process 1: whoever reads this on the console knows that it has come up.
cat >"$DIR/load" <<'END'
mkdir -p /c/bin /c/dev /c/proc
cp /bin/busybox /c/bin
mknod /c/dev/console c 5 1
cat >/c/init <<'INIT'
#!/bin/busybox sh
busybox mount -t proc proc /proc
echo "the crash kernel is up, with $(busybox stat -c %s /proc/vmcore) bytes of vmcore"
busybox sleep 1
busybox poweroff -f
INIT
chmod 755 /c/init
(cd /c && find . | cpio -o -H newc) >/initrd 2>/dev/null
/crash load /vmlinuz /initrd "console=ttyS0,115200 loglevel=4 mitigations=off nokaslr idle=halt nr_cpus=1 tsc_early_khz=50000 cryptomgr.notests reset_devices"
END

compile crash

# crash KERNEL CPUS TRIGGER FIRST [VTBOX-OPTION...]
crash()
{
	local kernel=$1 cpus=$2 trigger=$3 first=$4
	shift 4

	LOGDIR=${TEST_LOGS:-$DIR}/run$((TAP + 1))
	box -m bochs -k "$kernel" -c "$cpus" --mem 768 --timeout "${LIMIT:-300}" --add "$DIR/crash" --add "$DIR/in-machine" --add "$DIR/load" \
		"$@" -- env TRIGGER="$trigger" FIRST="$first" sh /in-machine
}

# panics TEXT KERNEL CPUS TRIGGER [FIRST]: the few instructions of crash.c are what comes up.
panics()
{
	local text="$1, Linux $2, $3 CPUs"

	crash "$2" "$3" "$4" "/crash load && ${5:-true}" --append crashkernel=16M
	ok "$text: a guest runs on each CPU" test "$(grep -cx 'a guest runs' "$DIR/out")" = "$3"
	ok "$text: what was loaded for it takes over" grep -qx 'the crash payload is up' "$LOGDIR/console.log"
}

# dumps TEXT KERNEL CPUS TRIGGER [FIRST]: Linux is.
dumps()
{
	local text="$1, Linux $2, $3 CPUs" kernel
	kernel=$("$TESTBED/fetch" kernel "$2")

	crash "$2" "$3" "$4" "sh /load && ${5:-true}" --append crashkernel=192M --add "$(echo "$kernel"/boot/vmlinuz-*):/vmlinuz"
	ok "$text: a guest runs on each CPU" test "$(grep -cx 'a guest runs' "$DIR/out")" = "$3"
	ok "$text: the crash kernel comes up" grep -qE 'the crash kernel is up, with [1-9][0-9]{6,} bytes of vmcore' "$LOGDIR/console.log"
}

# reboots TEXT KERNEL CPUS TRIGGER [FIRST]
reboots()
{
	local text="$1, Linux $2, $3 CPUs"

	crash "$2" "$3" "$4" "${5:-true}" --reboots --append reboot=pci
	ok "$text: a guest runs on each CPU" test "$(grep -cx 'a guest runs' "$DIR/out")" = "$3"
	ok "$text: the machine comes up again, with all CPUs" grep -qx "boot 2 with $3 CPUs" "$DIR/out"
	ok "$text: ... and ends well" ends 0
}

# A guest of KVM's on each CPU, too; see beside().
BESIDE='modprobe kvm_intel; /selftests/kvm_root spin & sleep 2'

# beside TEST TEXT KERNEL CPUS TRIGGER
beside()
{
	"$1" "$2 beside KVM's" "$3" "$4" "$5" "$BESIDE"
	ok "$2 beside KVM's, Linux $3, $4 CPUs: ... of which one ran on each CPU, too" grep -qx "spinning on $4 CPUs" "$DIR/out"
}

PANIC='echo c >/proc/sysrq-trigger'
FORCED='reboot -f'
AT_ONCE='echo b >/proc/sysrq-trigger'

if [ "${LONG:-0}" = 0 ]; then
	panics "panic" "$K" 2 "$PANIC"
	reboots "sysrq-b" "$K" 2 "$AT_ONCE"
	finish
	exit
fi
for kernel in ${KERNEL:-$KERNELS}; do
	for cpus in ${CPUS:-1 2}; do
		dumps "panic" "$kernel" "$cpus" "$PANIC"
		panics "panic with kvm_intel loaded" "$kernel" "$cpus" "$PANIC" "modprobe kvm_intel"
		reboots "reboot -f" "$kernel" "$cpus" "$FORCED"
		reboots "reboot -f with kvm_intel loaded" "$kernel" "$cpus" "$FORCED" "modprobe kvm_intel"
		reboots "sysrq-b" "$kernel" "$cpus" "$AT_ONCE"
		reboots "sysrq-b with kvm_intel loaded" "$kernel" "$cpus" "$AT_ONCE" "modprobe kvm_intel"
		beside panics "panic" "$kernel" "$cpus" "$PANIC"
		beside reboots "reboot -f" "$kernel" "$cpus" "$FORCED"
		beside reboots "sysrq-b" "$kernel" "$cpus" "$AT_ONCE"
	done
done
finish
