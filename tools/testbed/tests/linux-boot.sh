#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# From the kernel's entry to init's first line, Linux needs no more ticks in a VM than on the bare emulated machine.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
BUILD=${BUILD:-$TESTBED/../../build}
GUEST=$BUILD/linux-test/6.1
# hvctl's own words, and: the bare machine's CPUID tells another TSC frequency than the one it has; the kernel's tests
# of its own cryptography are more than half of a boot, and alike in both.
CMDLINE="console=ttyS0 panic=-1 tsc_early_khz=50000 cryptomgr.notests stamp=init script=true"

# tsc WORD FILE: the ticks of a line "WORD: TSC ticks".
tsc()
{
	tr -d '\r' <"$2" | sed -n "s/^$1: TSC \([0-9]*\)$/\1/p" | head -n 1
}

"$TESTBED/bare" "$GUEST/vmlinuz" "$GUEST/initrd.gz" "$CMDLINE" >"$DIR/bare" 2>"$DIR/err" &
box --mem 1024 -k "$K" --add "$GUEST:/linux" -- hvctl run --stats --initrd /linux/initrd.gz --cmdline "$CMDLINE" /linux/vmlinuz
wait
ok "it boots and powers off in the VM" ends 0
ok "it does on the bare machine" grep -q 'reboot: Power down' "$DIR/bare"
bare=$(($(tsc init "$DIR/bare") - $(tsc entry "$DIR/bare")))
entry=$(sed -n 's/^vCPU 0: guest TSC \([0-9]*\) at.*/\1/p' "$DIR/out")
vm=$(($(tsc init "$DIR/out") - ${entry:-0}))
mkdir -p "$BUILD/bench"
{
	echo "kernel entry to init's first line: $vm ticks in the VM, $bare on the bare machine"
	sed -n 's/^ *\([0-9]* *exits: .*\)/\1/p' "$DIR/out"
} | tee "$BUILD/bench/linux-boot.txt" | sed 's/^/# /'
ok "the VM needs no more ticks than the bare machine" test "$vm" -gt 0 -a "$vm" -le "$bare"
finish
