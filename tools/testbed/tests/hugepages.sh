#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Guest RAM of hvctl is in huge pages where the host has them: seen by the EPT violations of a guest that touches 64 MiB.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

# violations [MODE]: run the guest, with that mode of transparent huge pages, and count.
violations()
{
	# shellcheck disable=SC2016 # expanded in the machine
	box -k "$K" -- sh -c '[ -z "$1" ] || echo "$1" >/sys/kernel/mm/transparent_hugepage/enabled
		cd /sys/kernel/tracing && echo 1 >events/tinyvmx/tinyvmx_exit/enable || exit
		hvctl run /guests/touch/touch.bin >/tmp/out
		status=$?
		echo 0 >events/tinyvmx/tinyvmx_exit/enable
		grep -c EPT_VIOLATION trace
		exit $status' sh "$@"
}

between() { [ "$status" -eq 33 ] && [ "$(cat "$DIR/out")" -ge "$1" ] && [ "$(cat "$DIR/out")" -le "$2" ]; }

violations ""
ok "as the machine is: a few violations for a guest's 64 MiB" between 1 200
violations never
ok "without huge pages the guest runs as well, a page at a time" between 10000 100000

box -k "$K" --append "mitigations=auto retbleed=off" -- /selftests/memory_exec
ok "with mitigations a guest executes from small pages, of which it gets 64 at a time" ends 0
ok "... and the CPU is one that needs it" grep -q "from small pages" "$DIR/out"
finish
