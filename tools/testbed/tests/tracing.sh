#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The lines of docs/tracing.md, as they stand there: each tool shows the exits of a guest that has run.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
TOOLS="perf trace-cmd bpftrace"

# One file for each section about one of them.
mkdir "$DIR/lines"
awk -v dir="$DIR/lines" -v tools="tracefs $TOOLS" '/^## / { tool = index(" " tools " ", " " $2 " ") ? $2 : "" } /^```$/ { on = 0 }
	on && tool { print >(dir "/" tool) } /^```sh$/ { on = 1 }' \
	"$TESTBED/../../docs/tracing.md"

# Each line by itself. The guest's status is 33, which some tools hand on.
cat >"$DIR/inside" <<'END'
for lines in /lines/*; do
	tool=${lines#/lines/}
	[ "$tool" = tracefs ] || [ -x "/usr/bin/$tool" ] || continue
	bad=0
	while read -r line; do
		sh -c "$line" </dev/null >/tmp/said 2>&1
		status=$?
		sed "s/^/$tool| /" /tmp/said | tail -n 300
		case $status in
		0 | 33) ;;
		*) bad=$status && echo "# status $status: $line" ;;
		esac
	done <"$lines"
	echo "$tool: $bad"
done
END

add=()
for tool in $TOOLS; do
	path=$(command -v "$tool") && add+=(--add "$path:/usr/bin/$tool")
done
box -k "${KERNEL:-6.12}" -c "${CPUS:-2}" --mem 1536 --add "$DIR/inside:/inside" --add "$DIR/lines:/lines" "${add[@]}" -- sh /inside
tr -d '\r' <"$DIR/out" >"$DIR/said"
shows() { grep -qE -- "^$1\| .*$2" "$DIR/said"; }

ok "the machine" ends 0
ok "tracefs: all lines work" grep -q '^tracefs: 0$' "$DIR/said"
ok "... exits by name" shows tracefs 'tinyvmx_exit: vcpu 0 reason 0x1e \(IO_INSTRUCTION\) rip 0x[0-9a-f]+ qualification 0x'
ok "... entries" shows tracefs 'tinyvmx_entry: vcpu 0 rip 0x[0-9a-f]+ event 0x'
ok "... a histogram of port accesses" shows tracefs '\{ reason: +30 \} hitcount: +[1-9]'
for tool in $TOOLS; do
	if [ ! -x "$(command -v "$tool")" ]; then
		skip "$tool" "there is none here"
		continue
	fi
	ok "$tool: all lines work" grep -q "^$tool: 0\$" "$DIR/said"
done
if command -v perf >/dev/null; then
	ok "perf stat" shows perf ' [1-9][0-9,]* +tinyvmx:tinyvmx_exit'
	ok "perf trace" shows perf 'tinyvmx:tinyvmx_exit\(.*reason'
	ok "perf script" shows perf 'tinyvmx:tinyvmx_exit: vcpu 0 reason 0x1e \(IO_INSTRUCTION\)'
fi
! command -v trace-cmd >/dev/null ||
	ok "trace-cmd report" shows trace-cmd 'tinyvmx_exit: +vcpu 0 reason 0x1e \(IO_INSTRUCTION\)'
! command -v bpftrace >/dev/null ||
	ok "bpftrace: exits by reason" shows bpftrace '@exits\[30\]: [1-9]'
finish
