#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# In KVM's VMX root: all selftests beside a spinning guest of KVM's on each CPU, hvctl, and how it fails without /dev/kvm.
# LONG=1: all guests, too. memory_large is not among them: it measures how long others wait, and those who spin make it longer.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

# shellcheck disable=SC2016 # for the shell in the machine
box -c 2 -k "$K" --timeout 800 --add "$TESTBED/inside:/inside" -- sh -c '
	modprobe kvm_intel && /selftests/kvm_root spin >/tmp/spin &
	until [ -s /tmp/spin ]; do sleep 0.1; done
	TINYVMX_ROOT=kvm /inside $(ls /selftests | grep -vx memory_large) $1
	grep -c spinning /tmp/spin' sh "${LONG:+guests}"
ok "the machine lives through it, and the kernel has nothing to complain of" ends 0
ok "no selftest fails" test "$(grep -cE '^not ok|^Bail out|^#### end [^ ]+ ([1-35-9]|[1-9][0-9]+)$' "$DIR/out")" = 0
ok "they ran" test "$(grep -c '^ok' "$DIR/out")" -gt 500
ok "KVM's guests ran to the end" test "$(tail -n 1 "$DIR/out")" = 1

for kernel in ${KERNEL:-$KERNELS}; do
	# A VM of KVM's own is there before: so KVM holds VMX on each kernel.
	# shellcheck disable=SC2016
	box -k "$kernel" -- sh -c '
		modprobe kvm_intel && /selftests/kvm_root spin >/tmp/spin &
		until [ -s /tmp/spin ]; do sleep 0.1; done
		hvctl doctor | grep vmx-root
		hvctl run -v /guests/skernel/skernel.bin 2>&1
		[ $? -eq 4 ] || exit 1
		rm /dev/kvm
		hvctl doctor | grep vmx-root
		hvctl run /guests/skernel/skernel.bin 2>&1
		echo "then: $?"'
	ok "$kernel: hvctl, with KVM in use" ends 0
	ok "$kernel: doctor says that it is shared" grep -q '^ok .*vmx-root: KVM holds VMX.*shares it' "$DIR/out"
	ok "$kernel: so does hvctl run" grep -q "VMX is KVM's" "$DIR/out"
	if [ "$kernel" = 7.2 ]; then
		# VMX is on in sections there, which need no KVM.
		ok "$kernel: doctor says that it goes without /dev/kvm, too" grep -q '^ok .*vmx-root: .*tinyvmx does without' "$DIR/out"
		ok "$kernel: so does hvctl run" grep -qx 'then: 4' "$DIR/out"
		continue
	fi
	ok "$kernel: without /dev/kvm doctor says what to do" grep -q '^not ok .*vmx-root: .*/dev/kvm cannot be opened' "$DIR/out"
	ok "$kernel: and hvctl run names the way out" grep -q 'another hypervisor holds VMX; let this user open /dev/kvm' "$DIR/out"
	ok "$kernel: it ends with status 2" grep -qx 'then: 2' "$DIR/out"
done
finish
