#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The module is unloaded right after the last VM was closed, and loaded again; processes are killed at random instants: each
# time all is gone. LONG=1: a thousand times.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
TIMES=${LONG:+1000}
TIMES=${TIMES:-30}

cat >"$DIR/inside" <<'END'
. /etc/testbed
# In KiB: what the kernel keeps for itself.
kept() { awk '/^(SUnreclaim|PageTables|KernelStack|Percpu|VmallocUsed):/ { sum += $2 } END { print sum }' /proc/meminfo; }
# Whoever runs a guest has its exit status, and is gone, before rmmod begins.
round()
{
	hvctl run /guests/hello/hello.bin >/dev/null 2>&1 </dev/null
	[ $? -eq 33 ] && rmmod tinyvmx && insmod "$MODULE"
}
for _ in 1 2 3; do round || exit 1; done
before=$(kept)
done=0
for _ in $(seq "$1"); do round && done=$((done + 1)); done
echo "rounds $done"
echo "kept $((($(kept) - before)))"
/selftests/kill "$1" >/tmp/kill || cat /tmp/kill
echo "kill $?"
END

box -k "${KERNEL:-6.12}" -c 2 --timeout 1700 --add "$DIR/inside:/inside" -- sh /inside "$TIMES"
of() { sed -n "s/^$1 //p" "$DIR/out"; }
ok "the module is unloaded $TIMES times right after the last close" test "$(of rounds)" = "$TIMES"
# A page each time would be more.
ok "... and leaves nothing: $(of kept) KiB" test "$(of kept)" -lt $((TIMES * 4 > 400 ? TIMES * 2 : 400))
ok "$TIMES processes are killed at random instants, and nothing is left of them" test "$(of kill)" = 0
ok "the machine is well afterwards" ends 0
# Ten machines: one that goes wrong does so early, and each has a log of its own. More than an hour in all.
if [ -n "${LONG:-}" ]; then
	for part in 1 2 3 4 5 6 7 8 9 10; do
		box -k "${KERNEL:-6.12}" -c 2 --timeout 2400 -- /selftests/wake_ups 100000
		ok "a million wake-ups, part $part: none is lost" ends 0
	done
fi
finish
