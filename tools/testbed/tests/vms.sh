#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Several VMs side by side, and the commands on them: minios and Linux go on, with right answers, while a third is killed
# again and again.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
BUILD=${BUILD:-$TESTBED/../../build}
GUEST=$BUILD/linux-test/6.1
KILLS=20

# Prints a line for each thing tried: its name, and what came of it.
cat >"$DIR/inside" <<'END'
KILLS=$1

# of NAME KEY: what hvctl ps knows of it
of()
{
	hvctl ps --json | awk -v name="\"$1\"," -v key="\"$2\":" '/"name":/ { this = $2 } $1 == key && this == name { print $2 + 0 }'
}

# advances NAME
advances()
{
	before=$(of "$1" exits)
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(of "$1" exits)" -gt "$before" ] && echo yes && return
	done
	echo no
}

# until_said FILE WORDS
until_said()
{
	for _ in $(seq 600); do
		grep -q "$2" "$1" && echo yes && return
		sleep 0.1
	done
	echo no
}

hvctl run -d --name mini /guests/minios/minios.bin
# It ends by the power button: the kernel counts it.
hvctl run -d --name linux --mem 96M --initrd /linux/initrd.gz --initrd /button.gz --append "quiet cryptomgr.notests script=\"insmod /bin/button.ko; echo up; \
until grep -q '^ *[1-9]' /sys/firmware/acpi/interrupts/ff_pwr_btn; do echo tick; sleep 1; done; echo pressed; poweroff -f\"" /linux/vmlinuz
hvctl console linux </dev/null >/tmp/linux 2>&1 &
echo "linux is up: $(until_said /tmp/linux '^up')"
(printf 'usertests\r'; sleep 1000000) | hvctl console mini >/tmp/mini 2>&1 &

for i in $(seq "$KILLS"); do
	hvctl run -d --name victim /guests/spin/spin.bin >/dev/null
	kill -9 "$(of victim pid)"
done
echo "names of the dead can be had again: $(hvctl run -d --name victim /guests/spin/spin.bin)"
hvctl kill vic
echo "killed: $?"
echo "mini advances: $(advances mini)"
echo "linux advances: $(advances linux)"
echo "minios' tests: $(until_said /tmp/mini 'usertests: 29 passed, 0 failed')"
echo "three are listed as two: $(hvctl ps | grep -c running)"

hvctl pause linux
before=$(of linux exits)
sleep 5
echo "paused: $(hvctl ps | grep -c paused) $(($(of linux exits) - before))"
hvctl resume linux
echo "resumed: $(advances linux)"
hvctl nmi linux
echo "nmi: $(until_said /tmp/linux 'NMI received for unknown reason')"
: >/tmp/again
hvctl reset mini
(sleep 1000000) | hvctl console mini >/tmp/again 2>&1 &
echo "reset: $(until_said /tmp/again 'minios shell')"
hvctl stop linux 2>&1
echo "stop: $? $(until_said /tmp/linux '^pressed')"
hvctl stop --timeout 2 mini 2>&1
[ -e /guests/linux/vmlinuz ] || ln -s /linux /guests/linux
echo "up: $(hvctl up /guests/pair.toml | tr '\n' ' ')"
echo "a pair runs: $(hvctl ps | grep -c running)"
echo "again: $(hvctl up /guests/pair.toml 2>&1)"
hvctl kill minios linux
printf '[vm.a]\nimage = "/guests/spin/spin.bin"\n[vm.b]\nimage = "/nothing"\n' >/tmp/half.toml
echo "wrong: $(hvctl up /tmp/half.toml 2>&1)"
# What is not seen before its turn comes. The first has ended by then, and is not the one that has a longer name.
hvctl run -d --name ab /guests/spin/spin.bin >/dev/null
printf '[vm.a]\nimage = "/guests/hello/hello.bin"\n[vm.b]\nimage = "/guests/spin/spin.bin"\nconsole = "file:/nothing/x"\n' >/tmp/half.toml
hvctl up /tmp/half.toml >/dev/null
echo "half: $?"
echo "another: $(hvctl ps | grep -c '^ab ')"
hvctl kill ab
# A look at them: one that goes round, and one that asks a port over and over.
hvctl run -d --name spin /guests/spin/spin.elf >/dev/null
sleep 1
echo "why spin: $(hvctl why spin)"
echo "walk: $(hvctl walk spin rip | tail -n 1)"
echo "ept: $(hvctl walk spin rip | grep -c '^    EPT: PML4\[0\] \[R W X A\].*WB, PAT ignored$')"
echo "mem: $(hvctl mem --disassemble spin rip 1)"
hvctl heat spin | tr '\n' ' ' | sed 's/^/heat: /; s/$/\n/'
hvctl kill spin
hvctl trace --save /tmp/saved -- run /guests/hello/hello.bin >/dev/null 2>&1
echo "trace of a run: $?, $(hvctl trace --read /tmp/saved 2>/dev/null | grep -v vCPU | sed -n '1s/  */ /gp; $s/  */ /gp' | tr '\n' ';')"
hvctl run -d --name poll --machine pc --cpus 2 /guests/deaths/deaths.elf >/dev/null
sleep 1
echo "why poll: $(hvctl why poll | tr '\n' ' ')"
# Its exits, one by one: it polls its serial port, and says nothing at COM2.
hvctl trace --count 30 --port 0x3fd poll >/tmp/trace 2>&1
echo "trace: $(grep -c 'I/O instruction: IN port 0x3fd, 1 byte, DX' /tmp/trace), $(tail -n 1 /tmp/trace)"
timeout -s INT 1 hvctl trace --port 0x2f8-0x2ff poll >/tmp/trace 2>&1
echo "trace of others: $(grep -c 'port 0x' /tmp/trace), $(tail -n 1 /tmp/trace)"
hvctl trace --count 50 --save /tmp/saved poll 2>/dev/null
echo "trace again: $(hvctl trace --read /tmp/saved --reason io 2>/dev/null | grep -c 'IN port 0x3fd')"
hvctl trace --read /tmp/saved --export /tmp/exported 2>/dev/null
echo "trace exported: $(grep -c '"ph":"X","name":"guest"' /tmp/exported), $(tail -n 1 /tmp/exported)"
hvctl pause poll
echo "why paused: $(hvctl why poll)"
hvctl kill poll
echo "nothing runs: $(hvctl ps | wc -l), $(ls /run/hvctl /tmp/hvctl-0 2>/dev/null | grep -c -e sock -e lock)"
END

# Debian has the driver of the power button as a module.
button=$("$TESTBED/fetch" kernel 6.1)/lib/modules
button=$(find "$button" -name 'button.ko')
"$TESTBED/../../guests/linux/initrd" --add "$button" "$DIR/button.gz"
box -k "$K" -c "${CPUS:-2}" --mem 1024 --add "$DIR/inside:/inside" --add "$GUEST:/linux" --add "$DIR/button.gz:/button.gz" \
	-- sh /inside "$KILLS"
ok "the machine is well afterwards" ends 0

has() { grep -qE -- "^$1\$" "$DIR/out"; }

ok "Linux starts without a terminal" has "linux is up: yes"
ok "a name of who was killed can be had again, $KILLS times" has "names of the dead can be had again: victim"
ok "hvctl kill, by a prefix" has "killed: 0"
ok "minios goes on" has "mini advances: yes"
ok "Linux goes on" has "linux advances: yes"
ok "minios' own tests pass meanwhile" has "minios' tests: yes"
ok "hvctl ps" has "three are listed as two: 2"
ok "a paused VM does nothing" has "paused: 1 0"
ok "... and goes on" has "resumed: yes"
ok "an NMI comes to Linux" has "nmi: yes"
ok "a reset minios starts anew" has "reset: yes"
ok "Linux has its power button pressed" has "stop: 0 yes"
ok "... and powers off" has "linux: guest powered off"
ok "minios has none, and is powered off" has "mini: guest ended from outside: no answer to the power button in 2 s"
ok "hvctl up starts a pair" has "up: minios linux "
ok "... which runs" has "a pair runs: 2"
ok "... once" has "again: hvctl up: minios: runs already, in process [0-9]+; 'hvctl stop minios' first"
ok "hvctl up with a VM that is not there" has "wrong: hvctl up: b: /nothing: .*"
ok "hvctl up with a VM that does not start" has "half: 2"
ok "... takes back none but its own" has "another: 1"
ok "hvctl why: one that spins" has "why spin: vCPU 0 spins at 0x[0-9a-f]+, guest_main.*, with interrupts disabled"
ok "... an exit storm, and a CPU that nobody starts" has "why poll: vCPU 0 exit storm: [0-9]+ a second of I/O instruction, port 0x3fd, .* vCPU 1 waits for a start-up IPI: .*"
ok "... one that is paused" has "why paused: poll: paused: .*"
ok "hvctl trace: the port that it writes" has "trace: 30, hvctl trace: [0-9]+ exits, 30 of them told, [0-9]+ missed"
ok "... and no others" has "trace of others: 0, hvctl trace: [1-9][0-9]* exits, 0 of them told, [0-9]+ missed"
ok "... saved, and read again" has "trace again: [1-9][0-9]*"
ok "... exported" has 'trace exported: 50, .*"missed":[0-9]+.*'
ok "... from the first exit of a run to its last" has "trace of a run: 33,  0 0\.000 1 .*; 0 .*OUT port 0xf4, .* handled by hvctl;"
ok "hvctl walk: EPT, for each entry and the page" has "ept: [1-9]"
ok "hvctl walk" has "walk:   backed by RAM, slot 0 .*"
ok "hvctl mem, disassembled, with symbols" has "mem: +0x[0-9a-f]+  ebfe +jmp 0x[0-9a-f]+  ; guest_main.*"
ok "hvctl heat: a guest that goes round uses its code, and page tables" has "heat: +0  [rRwW][.rRwW]+ +800000  [.]+ .*In 1 s it used [0-9.]+ MiB of 128.00 MiB, .*"
ok "nothing is left" has "nothing runs: 1, 0"
finish
