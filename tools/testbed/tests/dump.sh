#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# hvctl dump: gdb finds in the core of minios with two vCPUs what hvctl shows of it, and in another's FPU registers and the guest's own note; what goes wrong leaves no file.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

cat >"$DIR/inside" <<'END'
# word NAME: of the registers, without leading zeroes
word() { awk -v name="$1" '{ for (i = 1; i < NF; i++) if ($i == name) { sub("^0*", "", $(i + 1)); print "0x" $(i + 1) } }'; }

mkdir /core
hvctl run -d --name mini --cpus 2 --mem 16M /guests/minios/minios.bin
sleep 3
hvctl pause mini
for i in 0 1; do
	rip=$(hvctl regs -c $i mini | word RIP)
	echo "vCPU $i: $rip $(hvctl regs -c $i mini | word RSP) $(hvctl mem -c $i mini "$rip" 8 | cut -c 19-42)"
done
echo "physical: $(hvctl mem -p mini 0x200000 8 | cut -c 19-42)"
hvctl dump mini /core/physical
hvctl dump --paging mini /core/linear
echo "paused: $(hvctl ps | grep -c paused)"
hvctl kill mini

hvctl run -d --name told --mem 16M --machine pc /guests/dumped/dumped.bin
sleep 2
hvctl dump told /core/told
hvctl kill told

hvctl run -d --name mini --mem 64M /guests/minios/minios.bin
sleep 3
mkdir /small
mount -t tmpfs -o size=1M none /small
hvctl dump mini /small/core
echo "full: $? $(ls /small | wc -l)"
echo "goes on: $(hvctl ps | grep -c running)"
hvctl dump mini /tmp/core &
dump=$!
sleep 1
kill -TERM $dump
wait $dump
echo "interrupted: $? $(ls /tmp | grep -c core)"
echo "goes on: $(hvctl ps | grep -c running)"
hvctl dump mini /tmp/core &
dump=$!
sleep 1
hvctl kill mini
wait $dump
echo "ended: $? $(ls /tmp | grep -c core)"
true
END

box -k "$K" -c "${CPUS:-2}" --mem 1024 --add "$DIR/inside:/inside" --get "/core:$DIR/core" -- sh /inside
has() { grep -qE -- "^$1\$" "$DIR/out"; }
ok "the machine is well afterwards" ends 0
ok "it stays paused" has "paused: 1"
ok "a file system that is full: no file is left" has "full: 12 0"
ok "... and it is told" has 'hvctl dump: mini: writing: No space left on device'
ok "SIGTERM: no file is left" has "interrupted: 12 0"
ok "... and the VM goes on, after both" [ "$(grep -c '^goes on: 1$' "$DIR/out")" = 2 ]
ok "one that ends meanwhile: no file is left" has "ended: 12 0"

notes() { LC_ALL=C readelf -n "$DIR/core/$1" | awk '/^  [A-Z]+ +0x/ { print $1 }' | tr '\n' ' '; }
ok "VMCOREINFO: it is told" has '/core/told: 1 vCPU, .*, VMCOREINFO'
ok "... and in the core, as the guest has it" [ "$(notes told)" = "CORE CORE LINUX QEMU VMCOREINFO " ]
ok "... text and all" grep -qa 'OSRELEASE=dumped.1' <(head -c 8192 "$DIR/core/told")
ok "no VMCOREINFO: none" [ "$(notes physical)" = "CORE CORE LINUX CORE CORE LINUX QEMU QEMU " ]

gdb=$("$TESTBED/fetch" gdb)/gdb

# ask CORE COMMAND...: what gdb says
ask()
{
	local core=$1 arguments=() command
	shift
	for command; do
		arguments+=(-ex "$command")
	done
	"$gdb" -nx -batch "${arguments[@]}" -c "$DIR/core/$core" 2>&1
}

# bytes LINE: "f4 eb ..." as gdb prints bytes: "0xf4 0xeb ..."
bytes() { local byte; for byte in $1; do printf '0x%s ' "$byte"; done; }

# shows CORE THREAD ADDRESS BYTES: gdb finds them there
shows()
{
	ask "$1" "thread $2" "x/8xb $3" | tail -n 1 | sed 's/^[^:]*:\s*//' | tr -s '\t ' ' ' >"$DIR/gdb"
	[ "$(<"$DIR/gdb")" = "$(bytes "$4" | sed 's/ $//')" ]
}

for i in 0 1; do
	read -r rip rsp code < <(sed -n "s/^vCPU $i: //p" "$DIR/out")
	for core in physical linear; do
		ask $core "thread $((i + 1))" "info registers" >"$DIR/registers"
		ok "gdb, $core: RIP of vCPU $i" grep -qE "^rip +$rip " "$DIR/registers"
		ok "... RSP" grep -qE "^rsp +$rsp " "$DIR/registers"
	done
	ok "gdb, linear: the code of vCPU $i" shows linear $((i + 1)) "\$rip" "$code"
	ok "... as instructions" grep -qE '^=> ' <(ask linear "thread $((i + 1))" "x/i \$rip")
done
# value EXPRESSION: gdb's, in the core of the guest that has set its FPU registers
value() { ask told "output $1" | tail -n 1; }

ok "gdb: x87 registers" [ "$(value "\$st0") $(value "\$st1")" = "1 3.14159265358979323851" ]
ok "... SSE" [ "$(value "\$xmm7.v2_int64")" = "{4369, 8738}" ]
ok "... AVX" [ "$(value "\$ymm7.v4_int64")" = "{4369, 8738, 13107, 17476}" ]
ok "gdb: two threads" [ "$(ask physical "info threads" | grep -cE '^[* ] [12] +.*LWP [12]')" = 2 ]
physical=$(sed -n 's/^physical: //p' "$DIR/out")
ok "gdb, physical: memory" shows physical 1 0x200000 "$physical"
ok "gdb, linear: physical memory" shows linear 1 0x8000000000200000 "$physical"
finish
