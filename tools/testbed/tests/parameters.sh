#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The module's parameters: what does without a trick must pass the same tests.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

# passes PARAMETER SELFTEST...
passes()
{
	local parameter=$1
	shift
	box -k "$K" -- sh -c "rmmod tinyvmx && insmod /lib/modules/\$(uname -r)/tinyvmx.ko $parameter || exit
		cat /sys/module/tinyvmx/parameters/${parameter%=*}
		for test in $*; do /selftests/\$test || exit; done"
	ok "$parameter: $*" ends 0
	ok "$parameter: is set" test "$(head -n 1 "$DIR/out")" = "${parameter#*=}"
}

passes preemption_timer=N lapic_timer lapic_hlt lapic_state snapshot
passes halt_poll_ns=0 lapic_hlt lapic_ipi
finish
