#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Guests on a CPU with IBRS: they have it, and Linux has nothing to complain about.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
LINUX=$TESTBED/../../build/linux-test/6.1
CPU=corei7_skylake_x+sca_mitigations+new_microcode
QUIET="quiet cryptomgr.notests"
LOOK="grep . /sys/devices/system/cpu/vulnerabilities/retbleed"

box -m bochs -k "$K" --cpu $CPU -- /selftests/spec_ctrl
ok "a guest's IA32_SPEC_CTRL is its own" ends 0
ok "... tested, not skipped" test "$(grep -c '# SKIP' "$DIR/out")" = 0

box -m bochs -k "$K" --cpu corei7_skylake_x+sca_mitigations -- sh -c 'dmesg | grep -c "broken microcode"; /selftests/spec_ctrl'
ok "a CPU whose microcode Linux distrusts" test "$(head -n 1 "$DIR/out")" = 1
ok "... has no speculation control for guests" grep -q '# SKIP' "$DIR/out"

if [ -e "$LINUX/vmlinuz" ]; then
	box -m bochs -k "$K" --cpu $CPU --add "$LINUX:/linux" -- hvctl run --initrd /linux/initrd.gz \
		--append "$QUIET script=\"$LOOK\"" /linux/vmlinuz
	ok "Linux runs there" ends 0
	ok "... with enhanced IBRS" grep -q 'Mitigation: Enhanced IBRS' "$DIR/out"
	ok "... and does not complain" test "$(grep -c WARNING "$DIR/out")" = 0
else
	skip "Linux does not complain" "guests/linux/test/build has not been run"
fi
finish
