#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# gdb as Debian has it on guests: minios with two CPUs from its first instruction on, and a Linux that runs.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
BUILD=${BUILD:-$TESTBED/../../build}
GUEST=$BUILD/linux-test/6.1

# What gdb is told; what it finds it prints as "NAME: 1".
cat >"$DIR/first.gdb" <<'END'
set confirm off
set pagination off
set remotetimeout 60
target remote | hvctl gdb --pipe mini
break *kernel_main
continue
printf "breakpoint: %d\n", $rip == (unsigned long)&kernel_main
printf "long mode: %d\n", ($efer & 0x500) == 0x500 && ($cr0 & 0x80000001) == 0x80000001
printf "it is hidden: %d\n", *(unsigned char *)&kernel_main != 0xcc
watch tsc_khz
continue
printf "watchpoint: %d\n", tsc_khz != 0
delete
break *console_putc
continue
delete
set $n = 0
while *(unsigned char *)$rip != 0xee && $n < 300
  stepi
  set $n = $n + 1
end
set $at = $rip
stepi
printf "step through OUT: %d\n", $rip == $at + 1
shell touch /tmp/running
continue
info threads
break *task_tick
continue
thread 2
set $two = $rip
thread 1
printf "breakpoint at a tick: %d\n", $rip == (unsigned long)&task_tick
set $rax = 0x1122334455667788
printf "register: %d\n", $rax == 0x1122334455667788
set scheduler-locking on
stepi
stepi
printf "one steps: %d\n", $rip != (unsigned long)&task_tick
thread 2
printf "one stands: %d\n", $rip == $two
thread 1
monitor walk rip
monitor exits
monitor vmcs
monitor nonsense
x/2i 0xffffffff00000000
detach
END

cat >"$DIR/linux.gdb" <<'END'
set confirm off
set pagination off
set remotetimeout 60
target remote | hvctl gdb --pipe linux
hbreak *WRITE
continue
printf "linux hbreak: %d\n", $rip == WRITE
stepi
stepi
printf "linux step: %d\n", $rip != WRITE
delete
break *WRITE
continue
continue
printf "linux break: %d\n", $rip == WRITE
delete
watch *(unsigned long *)JIFFIES
continue
continue
info threads
delete
detach
END

# The guest debugs itself, and looks whether somebody else does.
cat >"$DIR/own.gdb" <<'END'
set confirm off
set pagination off
set remotetimeout 60
target remote | hvctl gdb --pipe own
tbreak check_at
continue
stepi 300
printf "own: stepped\n"
break skip_guest
# Two of the CPU's registers, of which the guest uses each.
hbreak *0x10
hbreak *0x20
continue
END

# The guest reads its code by all means, while breakpoints lie in it: in a page that is hidden, and in one that cannot stay so.
cat >"$DIR/unseen.gdb" <<'END'
set confirm off
set pagination off
set remotetimeout 60
target remote | hvctl gdb --pipe unseen
break *unseen_code
break *shown_code
set $n = 0
while $rip != (unsigned long)&shown_code && $n < 20
  continue
  set $n = $n + 1
  if $n == 2
    monitor walk rip
    stepi
    stepi
  end
end
printf "unseen: %d times\n", $n
continue
printf "shown: %d\n", $rip == (unsigned long)&shown_code
detach
END

# A boot sector, at its first instruction.
cat >"$DIR/real.gdb" <<'END'
set confirm off
set pagination off
set remotetimeout 60
target remote | hvctl gdb --pipe real
show architecture
printf "real mode: %d\n", ($cr0 & 1) == 0
printf "boot sector: %d\n", $cs_base + $eip == 0x7c00
stepi
set $at = $cs_base + $eip
printf "real step: %d\n", $at > 0x7c00 && $at < 0x7e00
monitor regs
kill
END

# By a socket: TARGET is where.
cat >"$DIR/socket.gdb" <<'END'
set confirm off
set pagination off
set remotetimeout 60
target remote TARGET
break *task_tick
continue
printf "TARGET: breakpoint: %d\n", $rip == (unsigned long)&task_tick
shell gdb -q -nx -batch -ex 'set remotetimeout 60' -ex 'target remote TARGET' 2>&1 | sed 's,^,TARGET: second: ,'
stepi
printf "TARGET: step: %d\n", $rip != (unsigned long)&task_tick
delete
detach
END

cat >"$DIR/inside" <<'END'
PATH=/gdb:$PATH

# of NAME KEY: what hvctl ps knows of it
of()
{
	hvctl ps --json | awk -v name="\"$1\"," -v key="\"$2\":" '/"name":/ { this = $2 } $1 == key && this == name { print $2 + 0 }'
}

advances()
{
	before=$(of "$1" exits)
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(of "$1" exits)" -gt "$before" ] && echo yes && return
		sleep 0.5
	done
	echo no
}

until_said()
{
	for _ in $(seq 600); do
		grep -q "$2" "$1" && echo yes && return
		sleep 0.1
	done
	echo no
}

hvctl run -S -d --name mini --cpus 2 /guests/minios/minios.elf
hvctl console mini </dev/null >/tmp/mini 2>&1 &
echo "it waits: $(hvctl ps | grep -c paused) $(of mini exits)"
gdb -q -nx -batch -x /first.gdb /guests/minios/minios.elf >/tmp/first 2>&1 &
gdb=$!
until [ -e /tmp/running ] || ! kill -0 $gdb; do sleep 0.2; done
echo "another: $(hvctl gdb --pipe mini 2>&1)"
echo "pause: $(hvctl pause mini 2>&1)"
echo "minios is up: $(until_said /tmp/mini 'minios shell')"
kill -INT $gdb
wait $gdb
echo "first session: $?"
cat /tmp/first
echo "it goes on: $(advances mini)"
hvctl gdb --pipe mini </dev/null
echo "one that leaves at once: $(advances mini)"
sleep 1000 | hvctl gdb --pipe mini >/dev/null &
pipe=$!
until [ "$(of mini debugger)" ]; do sleep 0.2; done
kill -9 $pipe
sleep 0.5
echo "one that is killed: $(advances mini)"
hvctl gdb mini -- -nx -batch -ex "set confirm off" -ex "info registers rip" -ex "info symbol \$rip" -ex kill /guests/minios/minios.elf 2>&1
echo "killed: $(hvctl ps | grep -c mini)"
echo "none: $(hvctl gdb mini 2>&1)"
# at NAME TARGET: a session there, then one that connects anew and kills it
at()
{
	sed "s,TARGET,$2,g" /socket.gdb >/tmp/socket.gdb
	gdb -q -nx -batch -x /tmp/socket.gdb /guests/minios/minios.elf 2>&1
	echo "$2: goes on: $(advances "$1")"
	gdb -q -nx -batch -ex 'set remotetimeout 60' -ex "target remote $2" -ex kill 2>&1
	echo "$2: killed: $(hvctl ps | grep -c "^$1")"
}

ip link set lo up
echo "hosts: files" >>/etc/nsswitch.conf
hvctl run -S -d --gdb unix:/tmp/of-run --name socket /guests/minios/minios.elf
echo "mode: $(stat -c %a /tmp/of-run)"
at socket /tmp/of-run
echo "left: $(ls /tmp/of-run 2>&1)"
hvctl run -S -d --gdb 1234 --name port /guests/minios/minios.elf 2>&1
at port 127.0.0.1:1234
hvctl run -S -d --name socket /guests/minios/minios.elf
hvctl gdb --listen unix:/tmp/of-gdb socket >/tmp/listen 2>&1 &
listen=$!
echo "listens: $(until_said /tmp/listen 'target remote')"
at socket /tmp/of-gdb
wait $listen
echo "listened: $? $(tail -n 1 /tmp/listen)"
echo "left: $(ls /tmp/of-gdb 2>&1)"
hvctl run -S -d --name port /guests/minios/minios.elf
hvctl gdb --listen 1235 port >/tmp/listen 2>&1 &
echo "listens: $(until_said /tmp/listen 'every user of this host')"
echo "port is there: $(hvctl run -S -d --gdb 1235 --name other /guests/minios/minios.elf 2>&1)"
at port 127.0.0.1:1235
for guest in debug step; do
	hvctl run -S -d --name own /guests/$guest/$guest.elf
	gdb -q -nx -batch -x /own.gdb /guests/$guest/$guest.elf 2>&1 | sed "s/^/$guest: /"
done
hvctl run -S -d --name unseen --console file:/tmp/unseen /guests/unseen/unseen.bin
gdb -q -nx -batch -x /unseen.gdb /guests/unseen/unseen.elf 2>&1 | sed "s/^/unseen: /"
echo "unseen: $(until_said /tmp/unseen 'PASS unseen')"
hvctl run -S -d --name real /guests/bios/hello.bin
gdb -q -nx -batch -x /real.gdb 2>&1

hvctl run -d --name linux --cpus 2 --mem 96M --initrd /linux/initrd.gz --append "nokaslr quiet cryptomgr.notests \
script=\"grep -E ' (ksys_write|jiffies)\$' /proc/kallsyms; echo up; while :; do echo tick; sleep 0.3; done\"" /linux/vmlinuz
hvctl console linux </dev/null >/tmp/linux 2>&1 &
echo "linux is up: $(until_said /tmp/linux '^up')"
write=$(tr -d '\r' </tmp/linux | awk '$3 == "ksys_write" { print "0x" $1 }')
jiffies=$(tr -d '\r' </tmp/linux | awk '$3 == "jiffies" { print "0x" $1; exit }')
sed -i "s/WRITE/$write/; s/JIFFIES/$jiffies/" /linux.gdb
gdb -q -nx -batch -x /linux.gdb 2>&1
echo "linux session: $?"
: >/tmp/linux
echo "linux goes on: $(until_said /tmp/linux '^tick')"
hvctl kill linux
END

box -k "$K" -c "${CPUS:-2}" --mem 1024 --add "$DIR/inside:/inside" --add "$DIR/first.gdb:/first.gdb" --add "$DIR/linux.gdb:/linux.gdb" \
	--add "$DIR/socket.gdb:/socket.gdb" --add "$DIR/own.gdb:/own.gdb" --add "$DIR/unseen.gdb:/unseen.gdb" --add "$DIR/real.gdb:/real.gdb" \
	--add "$("$TESTBED/fetch" gdb):/gdb" --add "$GUEST/vmlinuz:/linux/vmlinuz" --add "$GUEST/initrd.gz:/linux/initrd.gz" -- sh /inside
ok "the machine is well afterwards" ends 0

has() { grep -qE -- "^$1\$" "$DIR/out"; }

ok "hvctl run -S waits for its debugger" has "it waits: 1 0"
ok "a breakpoint at a symbol, from the guest's first instruction on" has "breakpoint: 1"
ok "... where the description's registers tell of long mode" has "long mode: 1"
ok "... and gdb does not see what was planted" has "it is hidden: 1"
ok "a watchpoint" has "watchpoint: 1"
ok "... by the CPU" has "Hardware watchpoint 2: tsc_khz"
ok "a step through an exit" has "step through OUT: 1"
ok "a second debugger is told of the first" has "another: hvctl gdb: mini: process [0-9]+ debugs it; end that first"
ok "hvctl pause leaves it to the debugger" has "pause: hvctl pause: mini: a debugger has it; .*"
ok "minios starts under it" has "minios is up: yes"
ok "an interrupt" has "Thread . received signal SIGINT, Interrupt."
ok "two vCPUs, two threads" has "  2 +Thread 2 \\(vCPU 1, .*\\).*"
ok "a breakpoint in an interrupt's handler" has "breakpoint at a tick: 1"
ok "a register is written" has "register: 1"
ok "one vCPU steps" has "one steps: 1"
ok "... while the other stands" has "one stands: 1"
ok "monitor walk" has "  backed by RAM, slot 0 .*"
ok "monitor exits" has " +[0-9]+  exits: 30 I/O instruction"
ok "monitor vmcs" has ".*GUEST_RIP.*|.*guest RIP.*|.*Guest RIP.*"
ok "monitor nonsense" has "No such command; 'monitor help' lists them."
ok "memory that is none" has ".*Cannot access memory at address 0xffffffff00000000"
ok "the guest goes on when gdb has detached" has "it goes on: yes"
ok "... when it has left at once" has "one that leaves at once: yes"
ok "... when it was killed" has "one that is killed: yes"
ok "it connects once more, by hvctl gdb" has ".* in section \\.text.*"
ok "... and kills it" has "killed: 0"
ok "a VM that is none" has "none: hvctl gdb: mini: no such VM; .*"
for target in /tmp/of-run 127.0.0.1:1234 /tmp/of-gdb 127.0.0.1:1235; do
	ok "a breakpoint by $target" has "$target: breakpoint: 1"
	ok "... a second debugger is told of the first" has \
		"$target: second: warning: Remote failure reply: E\\.(process [0-9]+|who is at port [0-9]+) debugs it; end that first"
	ok "... which goes on" has "$target: step: 1"
	ok "... and the guest does when it has left" has "$target: goes on: yes"
	ok "... until the next one kills it" has "$target: killed: 0"
done
ok "a socket's mode" has "mode: 600"
ok "... it goes with the VM, both that of run ..." has "left: ls: /tmp/of-run: No such file or directory"
ok "... and that of gdb --listen, ..." has "left: ls: /tmp/of-gdb: No such file or directory"
ok "... which tells how the VM has ended" has "listened: 16 socket: .*"
ok "run says who may come to a port" has "hvctl run: port 1234: every user of this host can connect, .*"
ok "... and so does gdb --listen, before it is used" has "listens: yes"
ok "a port that somebody has" has "port is there: hvctl run: --gdb: somebody else has port 1235; give it another"
ok "a guest that uses debug registers finds none of the debugger's, and has its own" has "debug: own: stepped"
ok "... and ends well, which gdb is told" has "debug: \\[Inferior 1 .*exited with code 041\\]"
ok "one that steps itself is stepped" has "step: own: stepped"
ok "... and ends well" has "step: \\[Inferior 1 .*exited with code 041\\]"
ok "a guest that reads its code is stopped there, each time" has "unseen: unseen: 9 times"
ok "... as the page can only be executed" has "unseen:     EPT: .* \\[X A\\]: 4 KiB, WB, PAT ignored"
ok "... and finds no INT3 in it" has "unseen: yes"
ok "a page that cannot be hidden is shown, which gdb is told" has "unseen: The guest uses pages with breakpoints as data, too: .*"
ok "... and the breakpoint stays" has "unseen: shown: 1"
ok "real mode is i8086" has '.*"auto" \(currently "i8086"\)\.'
ok "... as it is" has "real mode: 1"
ok "... at the boot sector" has "boot sector: 1"
ok "... and a step" has "real step: 1"
ok "a Linux is up" has "linux is up: yes"
ok "... stops at a hardware breakpoint" has "linux hbreak: 1"
ok "... steps" has "linux step: 1"
ok "... stops at one in memory, twice" has "linux break: 1"
ok "... stops at a watchpoint" has "Hardware watchpoint .*"
ok "... and goes on" has "linux goes on: yes"
finish
