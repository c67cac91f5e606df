#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The machine sleeps and wakes while guests run: in our own VMX root, in KVM's beside its guests, in sections.
#
# Bochs' S3 is a reset after which its BIOS goes on where Linux wants; it wakes at once. The TSC of its CPUs begins anew then.
# Linux makes up for that by IA32_TSC_ADJUST, unless it is told that there is none: on such a machine guests rely on the
# module. s2idle is not tried: the alarm of Bochs' clock does not fire, and nothing would wake the machine.
#
# LONG=1 ("make test-long"): on each kernel, with 1 and 2 CPUs.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

OURS='/selftests/suspend mem'
KVMS="modprobe kvm_intel && TINYVMX_ROOT=kvm $OURS"
SECTIONS="rmmod kvm_intel && rmmod tinyvmx && insmod /lib/modules/\$(uname -r)/tinyvmx.ko section=Y"

# sleeps TEXT RUNS COMMANDS [VTBOX-OPTION...]: so many runs of the selftest, with no guests of KVM's and with.
sleeps()
{
	local text=$1 runs=$2 commands=$3
	shift 3

	box -m bochs --timeout "${LIMIT:-300}" "$@" -- sh -c "$commands"
	ok "$text: the machine lives through it" ends 0
	ok "$text: guests without and with KVM's: $runs times" test "$runs" = \
		"$(grep -cx '# without guests of KVM.s' "$DIR/out") and $(grep -cx '# with guests of KVM.s' "$DIR/out")"
	ok "$text: no check fails, none is left out" test "$(grep -cE '^not ok|^Bail out|# SKIP' "$DIR/out")" = 0
}

if [ "${LONG:-0}" = 0 ]; then
	sleeps "Linux $K" "1 and 1" "$OURS && $KVMS" -k "$K" -c 2
	finish
	exit
fi
for kernel in ${KERNEL:-$KERNELS}; do
	for cpus in ${CPUS:-1 2}; do
		# Sections do with KVM's root, and without. On 7.2 the first run is in sections, too.
		sleeps "Linux $kernel, $cpus CPUs" "2 and 3" "$OURS && $KVMS && $SECTIONS && $OURS && $KVMS && $OURS" -k "$kernel" -c "$cpus"
	done
	sleeps "Linux $kernel, TSC begins anew" "1 and 1" "$OURS && $KVMS" -k "$kernel" -c 1 --append clearcpuid=tsc_adjust,nonstop_tsc
done
finish
