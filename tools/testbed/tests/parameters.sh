#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What does without a trick of the CPU must pass the same tests: the module's parameters, an older CPU.

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

# Without APIC virtualization: the local APIC, and the guests that use it.
APIC=(lapic_exits lapic_base lapic_eoi lapic_hlt lapic_ipi lapic_lvt lapic_msi lapic_priority lapic_regs lapic_state
	lapic_stress lapic_timer lapic_xapic state fuzz_state interrupts reinject snapshot)
passes apicv=N "${APIC[@]}" ../guests/run-tests
# Each IPI exits there: who does nothing but send must not keep the other vCPU from its next instruction.
box -c 2 -k "$K" -- sh -c "rmmod tinyvmx && insmod /lib/modules/\$(uname -r)/tinyvmx.ko apicv=N &&
	/selftests/hostile 'IPIs to another'"
ok "apicv=N: two vCPUs that send to each other get on" ends 0
# shellcheck disable=SC2016 # for the shell in the machine
box -c 2 -k "$K" -m bochs --cpu corei7_sandy_bridge_2600k -- sh -c '
	for test in lapic_exits lapic_eoi lapic_ipi lapic_priority info; do /selftests/$test || exit; done
	/guests/run-tests apic ioapic hpet pic minios minios-nimbos minios-xapic'
ok "Sandy Bridge, which has no APIC virtualization" ends 0
passes preemption_timer=N lapic_timer lapic_hlt lapic_state snapshot
passes halt_poll_ns=0 lapic_hlt lapic_ipi
# VMX is on only while interrupts are off.
passes section=Y create hotplug migrate isolation_regs isolation_fpu host_debug nmi lapic_stress lapic_timer memory_live \
	vmcs signals kvm_sections
finish
