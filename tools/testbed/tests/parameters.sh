#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What does without a trick of the CPU must pass the same tests: the module's parameters, an older CPU.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

# In one machine: each line is a parameter and what must pass with it; with the guests those of them that are named behind.
cat >"$DIR/inside" <<'END'
while read -r parameter tests; do
	rmmod tinyvmx && insmod "/lib/modules/$(uname -r)/tinyvmx.ko" "$parameter" || exit
	echo "$parameter is $(cat "/sys/module/tinyvmx/parameters/${parameter%=*}")"
	passed=
	for test in $tests; do
		case $test in
		exercises) sh /exercises ;;
		guests:*) /guests/run-tests $(echo "${test#*:}" | tr , ' ') ;;
		*) "/selftests/$test" ;;
		esac </dev/null || break
		passed="$passed $test"
	done
	echo "$parameter:$passed"
done </parameters
END

# passes PARAMETER TEST...: another of them.
passes() { echo "$*" >>"$DIR/parameters"; }

# Without APIC virtualization: the local APIC, and the guests that use it.
passes apicv=N lapic_exits lapic_base lapic_eoi lapic_hlt lapic_ipi lapic_lvt lapic_msi lapic_priority lapic_regs lapic_state \
	lapic_stress lapic_timer lapic_xapic state fuzz_state interrupts reinject snapshot \
	guests:apic,ioapic,hpet,pic,ferr,reboot,task,minios,minios-nimbos,minios-xapic,smp-init,smp-ipi-4,smp-shootdown,smp-halted
passes preemption_timer=N lapic_timer lapic_hlt lapic_state snapshot
passes halt_poll_ns=0 lapic_hlt lapic_ipi
# VMX is on only while interrupts are off.
passes section=Y create hotplug migrate isolation_regs isolation_fpu host_debug nmi lapic_stress lapic_timer memory_live \
	vmcs signals kvm_sections
# Any VMCS, and hvctl's rules beside the CPU's opinion; each exercise is unsolved at first, and its solution is one.
passes lab=Y lab lab_rules lab_random vmcs exercises
cat >"$DIR/exercises" <<'END'
export XDG_STATE_HOME=/tmp/state
n=0
while [ $n -lt 20 ]; do
	n=$((n + 1))
	echo try | hvctl lab $n
	[ $? -eq 1 ] || exit
	hvctl lab $n --solution | hvctl lab $n || exit
done
[ "$(hvctl lab | grep -c ' solved ')" -eq 20 ]
END
box -k "$K" --add "$DIR/exercises:/exercises" --add "$DIR/inside:/inside" --add "$DIR/parameters:/parameters" -- sh /inside
while read -r parameter tests; do
	ok "$parameter: is set" grep -qx "$parameter is ${parameter#*=}" "$DIR/out"
	ok "$parameter: $tests" grep -qx "$parameter: $tests" "$DIR/out"
done <"$DIR/parameters"
ok "the machine is well afterwards" ends 0

# Each IPI exits there: who does nothing but send must not keep the other vCPU from its next instruction.
box -c 2 -k "$K" -- sh -c "rmmod tinyvmx && insmod /lib/modules/\$(uname -r)/tinyvmx.ko apicv=N &&
	/selftests/hostile 'IPIs to another'"
ok "apicv=N: two vCPUs that send to each other get on" ends 0
# shellcheck disable=SC2016 # for the shell in the machine
box -c 2 -k "$K" -m bochs --cpu corei7_sandy_bridge_2600k -- sh -c '
	for test in lapic_exits lapic_eoi lapic_ipi lapic_priority info; do /selftests/$test || exit; done
	/guests/run-tests apic ioapic hpet pic minios minios-nimbos minios-xapic'
ok "Sandy Bridge, which has no APIC virtualization" ends 0
finish
