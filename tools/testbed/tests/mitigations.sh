#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# With mitigations=auto the module does what the kernel's policy says, and says so; the guests run all the same.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

# ticks CASE: what it costs according to the last box(); 0: nothing was measured
ticks()
{
	local n

	n=$(sed -n "/\"case\": \"$1\"/,/\"case\"/s/.*\"ticks\": *\([0-9]*\).*/\1/p" "$DIR/out" | head -n 1)
	echo "${n:-0}"
}

# measure APPEND: the module's line about mitigations, and what some cases cost.
measure()
{
	box -m bochs -k "$K" -c 2 --append "mitigations=auto retbleed=off $1" -- sh -c '
		dmesg | grep -o "tinyvmx: mitigations: .*"
		hvctl bench --backend tinyvmx --case in8 --case deadline-wait --case ipi-running --json'
}

# flush_in CASE: the L1D flush makes it dearer. 64 KiB are read, line by line; two CPUs share the ticks.
flush_in() { test "${without[$1]}" -gt 0 -a "${with[$1]}" -gt "$((${without[$1]} + 512))"; }
no_flush_in() { test "${with[$1]}" -gt 0 -a "${with[$1]}" -le "$((${without[$1]} + 512))"; }

measure ""
ok "the machine with mitigations ends well" ends 0
ok "RSB, VERW and the L1D flush are on" grep -qx "tinyvmx: mitigations: RSB filled, VERW, L1D flush (conditional)" "$DIR/out"
declare -A with without
for c in in8 deadline-wait ipi-running; do with[$c]=$(ticks $c); done
measure l1tf=off
ok "l1tf=off: without the L1D flush" grep -qx "tinyvmx: mitigations: RSB filled, VERW" "$DIR/out"
for c in "${!with[@]}"; do
	without[$c]=$(ticks "$c")
	echo "# $c: ${with[$c]} ticks with the L1D flush, ${without[$c]} without"
done
ok "a return from userspace flushes the L1 data cache" flush_in in8
ok "so does an interrupt of the host" flush_in ipi-running
ok "an exit in the kernel without one does not" no_flush_in deadline-wait

box -m bochs -k "$K" --append "mitigations=auto retbleed=off l1tf=full,force" -- sh -c '
	dmesg | grep -o "tinyvmx: mitigations: .*"
	hvctl bench --backend tinyvmx --case wbinvd --json'
ok "l1tf=full,force: every VM entry flushes" grep -q "L1D flush (always)" "$DIR/out"
ok "... and pays for it" test "$(ticks wbinvd)" -gt 1024

box -m bochs -k "$K" --cpu corei7_skylake_x+sca_mitigations+new_microcode --append mitigations=auto -- sh -c '
	dmesg | grep -o "tinyvmx: mitigations: .*"
	hvctl run /guests/hello/hello.bin'
ok "enhanced IBRS: the RSB guarded, the branch history cleared" \
	grep -q "tinyvmx: mitigations: RSB guarded,.* branch history cleared" "$DIR/out"
ok "... IBPB between vCPUs" grep -q "tinyvmx: mitigations: .*, IBPB between vCPUs" "$DIR/out"
ok "... and a guest runs" grep -q "PASS hello" "$DIR/out"

# shellcheck disable=SC2016 # for the shell in the machine
box -m bochs -k "$K" --append "mitigations=auto retbleed=off" -c 2 -- sh -c '
	for t in isolation_fpu isolation_regs isolation_debug io interrupts; do /selftests/$t || echo "failed: $t"; done'
ok "selftests pass with mitigations" ends 0
ok "... all of them" test "$(grep -c '^ok' "$DIR/out")" -gt 20 -a -z "$(grep -E '^(not ok|failed)' "$DIR/out")"
finish
