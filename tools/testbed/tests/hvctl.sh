#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# hvctl among other processes: killed at any time, two at once, without permission, without the module.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

# Prints a line for each thing tried: its name, and what came of it.
cat >"$DIR/inside" <<'END'
. /etc/testbed

# start FILE: a guest that only the host can end; waits until it runs.
start()
{
	: >"$1"
	hvctl run /guests/spin/spin.bin >"$1" 2>&1 </dev/null &
	pid=$!
	while ! grep -q spinning "$1"; do sleep 0.1; done
}

# refused NAME COMMAND...: its status and its only line
refused()
{
	name=$1
	shift
	why=$("$@" 2>&1 </dev/null)
	echo "$name: $? $(echo "$why" | wc -l) $why"
}

# In the foreground: a shell has its background jobs ignore SIGINT and SIGQUIT.
for signal in INT TERM HUP QUIT KILL; do
	timeout -s $signal 3 hvctl run /guests/spin/spin.bin >/tmp/spin 2>&1 </dev/null
	echo "$signal: $?"
done 2>/dev/null

start /tmp/one
one=$pid
start /tmp/two
hvctl run /guests/hello/hello.bin >/tmp/hello 2>&1 </dev/null
echo "beside two others: $?"
refused "module in use" rmmod tinyvmx | cut -c1-16
kill "$one"
wait "$one"
echo "one of two ended: $?, the other runs: $(kill -0 "$pid" && echo yes)"
kill -9 "$pid"
wait "$pid"
rmmod tinyvmx && echo "unloaded"
refused "without the module" hvctl run /guests/hello/hello.bin
insmod "$MODULE"

echo "user:x:1000:1000::/:/bin/sh" >>/etc/passwd
chmod 600 /dev/tinyvmx
cp /guests/hello/hello.bin /tmp/secret
chmod 600 /tmp/secret
chmod 755 /tmp
refused "no runtime directory" su user -c 'hvctl run --name x /guests/hello/hello.bin'
chmod 1777 /tmp
refused "no permission" su user -c 'hvctl run /guests/hello/hello.bin'
refused "unreadable image" su user -c 'hvctl run /tmp/secret'
refused "unreadable module" su user -c 'hvctl run --boot multiboot --initrd /tmp/secret /guests/minios/minios.bin'
refused "COM1 into /" su user -c 'hvctl run --serial COM1:file:/com1 /guests/hello/hello.bin'
chmod 666 /dev/tinyvmx
su user -c 'HVCTL_RUNTIME_DIR=/nowhere/x hvctl run /guests/hello/hello.bin' >/dev/null 2>/tmp/err
echo "no channel: $? $(cat /tmp/err)"
su user -c 'hvctl run /guests/hello/hello.bin' >/dev/null 2>&1
echo "permitted: $?"
hvctl run --serial COM1:file:/tmp/com1 /guests/hello/hello.bin
echo "into a file: $? $(grep -c 'PASS hello' /tmp/com1)"
cat /guests/hello/hello.bin | hvctl run - >/tmp/pipe
echo "from a pipe: $? $(grep -c 'PASS hello' /tmp/pipe)"
hvctl run /guests/hello/hello.bin >&-
echo "no standard output: $?"
hvctl run /guests/hello/hello.bin | true
hvctl run /guests/hello/hello.bin 2>/tmp/full >/dev/full
echo "full disk: $? $(cat /tmp/full)"
# However much there is, no more is promised than there is.
echo 2 >/proc/sys/vm/overcommit_memory
refused "strict overcommit" hvctl run --mem 48G /guests/hello/hello.bin
hvctl run --mem 8M /guests/hello/hello.bin >/dev/null 2>&1
echo "strict overcommit, small: $?"
echo 0 >/proc/sys/vm/overcommit_memory
refused "bench, no SVG" hvctl bench --backend tinyvmx --case cpuid --svg /nowhere/x.svg
refused "bench, no baseline" hvctl bench --backend tinyvmx --case cpuid --baseline /nowhere/x.json
refused "bench, not JSON" hvctl bench --backend tinyvmx --case cpuid --with /inside
END

box -k "$K" -c 2 --add "$DIR/inside:/inside" -- sh /inside
ok "the machine is well afterwards" ends 0

has() { grep -qE -- "^$1\$" "$DIR/out"; }

for end in "INT: 130" "TERM: 143" "HUP: 129" "QUIT: 131" "KILL: 137"; do
	ok "a signal ends it by that signal: $end" has "$end"
done
ok "a guest beside two others" has "beside two others: 33"
ok "the module stays as long as there are guests" has "module in use: 1"
ok "they end one by one" has "one of two ended: 143, the other runs: yes"
ok "after kill -9 the module can be unloaded" has "unloaded"
ok "without the module: one line" has "without the module: 2 1 hvctl run: /dev/tinyvmx: is not there; .*"
ok "a name without a directory for it: one line" has "no runtime directory: 2 1 hvctl run: /tmp/hvctl-1000: cannot be made: .*; .*"
ok "without a name it runs all the same, and says so" has "no channel: 33 hvctl run: /nowhere/x: cannot be made: .*; .* will not show this VM"
ok "without permission: one line" has "no permission: 2 1 hvctl run: /dev/tinyvmx: .*; .*"
ok "an image that cannot be read" has "unreadable image: 2 1 hvctl run: /tmp/secret: no permission to read it; .*"
ok "a module that cannot be read" has "unreadable module: 2 1 hvctl run: /tmp/secret: no permission to read it; .*"
ok "with permission" has "permitted: 33"
ok "COM1 into a file" has "into a file: 33 1"
ok "an image from a pipe" has "from a pipe: 33 1"
ok "standard output is closed" has "no standard output: 12"
ok "standard output is full" has "full disk: 12 hvctl run: error: .*; .*"
ok "strict overcommit: one line" has "strict overcommit: 2 1 hvctl run: --mem: no address space for 49152 MiB of guest RAM .*; .*"
ok "... and what there is can be had" has "strict overcommit, small: 33"
ok "bench refuses before it measures: an SVG that cannot be written" has "bench, no SVG: 2 1 hvctl bench: --svg /nowhere/x.svg: No such file or directory; .*"
ok "... a baseline that is not there" has "bench, no baseline: 2 1 hvctl bench: /nowhere/x.json: No such file or directory; .*"
ok "... a file that is no JSON" has "bench, not JSON: 2 1 hvctl bench: /inside: .*line 1.*; .*"
finish
