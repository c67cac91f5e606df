#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Many idle VMs on one host: what each costs, and whether the last starts as fast as the first. LONG=1: two hundred.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
COUNT=${LONG:+200}
COUNT=${COUNT:-10}

cat >"$DIR/inside" <<'END'
crowd "$1" 16 hvctl run -d --mem 16M /guests/minios/minios.bin >/tmp/out
status=$?
grep -E '_|^vms' /tmp/out
for i in $(seq 0 $(($1 - 1))); do hvctl kill "v$i" 2>/dev/null; done
rmmod tinyvmx && echo unloaded
exit $status
END

compile crowd
box -k "${KERNEL:-6.12}" -c 2 --mem 4096 --timeout 1700 --add "$DIR/crowd:/bin/" --add "$DIR/inside:/inside" -- sh /inside "$COUNT"
of() { sed -n "s/^$1 //p" "$DIR/out"; }
at_most() { [ -n "$1" ] && awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b) }'; }

ok "$COUNT idle minios at once" grep -qx "vms $COUNT" "$DIR/out"
grep -E '_|^vms' "$DIR/out" | sed 's/^/# /'
ok "the start of the last takes as long as that of the first: $(of last_start) and $(of first_start) ticks" \
	at_most "$(of last_start)" $(($(of first_start) * 110 / 100))
ok "a VM has $(of user_kib) KiB of its user's memory beyond guest RAM" at_most "$(of user_kib)" 3072
# minios has a tick, a hundred times a second.
ok "one that is idle wakes up $(of idle_wakeups_s) times a second, for $(of idle_us_s) us" at_most "$(of idle_wakeups_s)" 200
ok "all end, and the module can go" grep -qx unloaded "$DIR/out"
ok "the machine is well afterwards" ends 0
finish
