#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Linux under hvctl and Linux under QEMU with KVM, at once, on the same CPUs: both boot, and do the same work, which each must
# do right, in the time that it thinks it took. Both are sent from CPU to CPU meanwhile, now to the same one, now to any.
#
# Two boots beside each other take minutes: only with LONG=1 ("make test-long"), on each kernel, with 1 and 2 CPUs.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
if [ "${LONG:-0}" = 0 ]; then
	echo "1..0 # SKIP it takes minutes: make test-long"
	exit
fi
BUILD=${BUILD:-$TESTBED/../../build}
GUEST=$BUILD/linux-test/6.1

# What a guest does once it is told to: integers, floating point, files that stay, pipes, many processes, sleep.
# shellcheck disable=SC2016 # for the guest
cat >"$DIR/work" <<'END'
#!/bin/sh
dir=$(mktemp -d)
for n in $(seq 1 "$1"); do
	seq "$n" 1500 >"$dir/$n"
	awk -v n="$n" 'BEGIN { for (i = 1; i < 3000; i++) s += n / (i * i); printf "%.12f\n", s }' >>"$dir/$n"
	sleep 0.02
	echo "round $n: $(cat "$dir"/* | sha256sum | cut -c1-32)"
done
rm -r "$dir"
END
cat >"$DIR/told" <<'END'
#!/bin/sh
passed() { echo "$1 $(cut -d' ' -f1 /proc/uptime)"; }
echo ready
read -r rounds
passed begins
work "$rounds"
passed ends
END

# In the machine: each line that a guest says with the time; "pinned MASK" as often.
cat >"$DIR/in-machine" <<'END'
ROUNDS=$1
LINE="console=ttyS0 panic=-1 quiet tsc_early_khz=50000 cryptomgr.notests script=told"

return=$(printf '\r')
stamp() { while read -r line; do read -r now idle </proc/uptime; echo "$1 $now ${line%"$return"}"; done; }

# Without APICv: Bochs refuses VM entries with KVM's posted-interrupt descriptor.
modprobe kvm_intel enable_apicv=0
mkfifo /tmp/kvm.in /tmp/ours.in
exec 5<>/tmp/kvm.in 6<>/tmp/ours.in
{
	/qemu/qemu-system-x86_64 -machine pc,accel=kvm -cpu host -m 160M -nodefaults -no-user-config -no-reboot \
		-display none -serial stdio -kernel /linux/vmlinuz -initrd /initrd -append "$LINE" <&5 2>&1
	echo "status $?"
} | stamp kvm >/tmp/kvm &
{
	hvctl run --mem 160M --initrd /initrd --cmdline "$LINE" /linux/vmlinuz <&6 2>&1
	echo "status $?"
} | stamp ours >/tmp/ours &

until grep -q ready /tmp/kvm && grep -q ready /tmp/ours; do
	cat /tmp/kvm /tmp/ours | grep status && exit 1
	sleep 0.1
done
echo "$ROUNDS" >&5
echo "$ROUNDS" >&6
until grep -q status /tmp/kvm && grep -q status /tmp/ours; do
	for mask in $MASKS; do
		for pid in $(pidof loader hvctl); do
			taskset -ap "$mask" "$pid"
		done >/dev/null 2>&1
		read -r now idle </proc/uptime
		echo "pinned $now $mask"
		sleep 0.2
	done
done
cat /tmp/kvm /tmp/ours
END

"$TESTBED/../../guests/linux/initrd" --add "$DIR/work" "$DIR/work.cpio"
"$TESTBED/../../guests/linux/initrd" --add "$DIR/told" "$DIR/told.cpio"
cat "$GUEST/initrd.gz" "$DIR/work.cpio" "$DIR/told.cpio" >"$DIR/initrd"

# The same work, done here.
BUSYBOX=$("$TESTBED/fetch" base)/bin/busybox
mkdir "$DIR/bin"
"$BUSYBOX" --install -s "$DIR/bin"

# said WHO [WORD]: what a guest said, behind the time; or the time at which it said a line that begins so.
said() { sed -n "s/^$1 [0-9.]* \(round .*\)/\1/p" "$DIR/out"; }
when() { awk -v who="$1" -v word="$2" '$1 == who && $3 == word { print $2; exit }' "$DIR/out"; }

# time_is_right WHO: its clock and the machine's agree on how long the work took, to a tenth and a half second.
time_is_right()
{
	awk -v who="$1" '
		$1 == who && $3 == "begins" { here = -$2; there = -$4 }
		$1 == who && $3 == "ends" { here += $2; there += $4; done = 1 }
		END { print "# " who ": " there " s of its own, " here " s of the machine"
		      d = here - there; exit !(done && here > 1 && (d < 0 ? -d : d) < 0.5 + here / 10) }' "$DIR/out"
}

# pinned MASK: how often both were at work with that mask.
pinned()
{
	awk -v a="$(when kvm begins)" -v b="$(when ours begins)" -v c="$(when kvm ends)" -v d="$(when ours ends)" -v mask="$1" '
		$1 == "pinned" && $3 == mask && $2 > a && $2 > b && $2 < c && $2 < d { n++ }
		END { print n + 0 }' "$DIR/out"
}

# beside KERNEL CPUS
beside()
{
	local text="Linux $1, $2 CPUs" masks="1" rounds=8 mask
	[ "$2" = 1 ] || masks="1 3 2"

	box -m bochs -k "$1" -c "$2" --mem 1024 --timeout "${LIMIT:-900}" --add "$("$TESTBED/fetch" qemu):/qemu" --add "$GUEST:/linux" \
		--add "$DIR/initrd" --add "$DIR/in-machine" -- env MASKS="$masks" sh /in-machine "$rounds"
	ok "$text: the machine is well" ends 0
	ok "$text: both power off" test "$(grep -cE '^(kvm|ours) [0-9.]* status 0$' "$DIR/out")" = 2
	for who in kvm ours; do
		ok "$text: $who has done its work right" test "$(said $who)" = "$(PATH=$DIR/bin "$BUSYBOX" sh "$DIR/work" "$rounds")"
		ok "$text: $who has the time right" time_is_right $who
	done
	for mask in $masks; do
		ok "$text: both at work on CPUs of mask $mask" test "$(pinned "$mask")" -gt 0
	done
}

for kernel in ${KERNEL:-$KERNELS}; do
	for cpus in ${CPUS:-2 1}; do
		beside "$kernel" "$cpus"
	done
done
finish
