#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# With mitigations=auto the module does what the kernel's policy says, and says so; the guests run all the same.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

# What an IN to userspace costs, in ticks, according to the last box().
ticks() { sed -n 's/.*"ticks": *\([0-9]*\).*/\1/p' "$DIR/out" | head -n 1; }

# measure APPEND: the module's line about mitigations, and the cost of an IN.
measure()
{
	box -m bochs -k "$K" --append "mitigations=auto retbleed=off $1" -- sh -c '
		dmesg | grep -o "tinyvmx: mitigations: .*"
		hvctl bench --backend tinyvmx --case in8 --json'
}

measure ""
ok "the machine with mitigations ends well" ends 0
ok "RSB, VERW and the L1D flush are on" grep -qx "tinyvmx: mitigations: RSB filled, VERW, L1D flush (conditional)" "$DIR/out"
with=$(ticks)
measure l1tf=off
ok "l1tf=off: without the L1D flush" grep -qx "tinyvmx: mitigations: RSB filled, VERW" "$DIR/out"
without=$(ticks)
echo "# an IN answered by userspace: $with ticks with the L1D flush, $without without"
# 64 KiB are read, line by line.
ok "a return from userspace flushes the L1 data cache" test "${with:-0}" -gt "$((${without:-0} + 1024))" -a "${without:-0}" -gt 0

box -m bochs -k "$K" --append "mitigations=auto retbleed=off l1tf=full,force" -- sh -c '
	dmesg | grep -o "tinyvmx: mitigations: .*"
	hvctl bench --backend tinyvmx --case wbinvd --json'
ok "l1tf=full,force: every VM entry flushes" grep -q "L1D flush (always)" "$DIR/out"
ok "... and pays for it" test "$(ticks)" -gt 1024

box -m bochs -k "$K" --cpu corei7_skylake_x+sca_mitigations --append mitigations=auto -- sh -c '
	dmesg | grep -o "tinyvmx: mitigations: .*"
	hvctl run /guests/hello/hello.bin'
ok "enhanced IBRS: the RSB guarded, the branch history cleared" \
	grep -q "tinyvmx: mitigations: RSB guarded,.* branch history cleared" "$DIR/out"
ok "... and a guest runs" grep -q "PASS hello" "$DIR/out"

# shellcheck disable=SC2016 # for the shell in the machine
box -m bochs -k "$K" --append "mitigations=auto retbleed=off" -c 2 -- sh -c '
	for t in isolation_fpu isolation_regs isolation_debug io interrupts; do /selftests/$t || echo "failed: $t"; done'
ok "selftests pass with mitigations" ends 0
ok "... all of them" test "$(grep -c '^ok' "$DIR/out")" -gt 20 -a -z "$(grep -E '^(not ok|failed)' "$DIR/out")"
finish
