#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vtbox's own tests: options, exit status, input and output, files, complaints of the kernel, clean ends. LONG=1: some more
# machines, for what each other test would stumble over, too, or nobody needs every day.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

# Without a machine.
box --help
ok "--help" ends 0
usage()
{
	local words=$1
	shift
	box "$@"
	ok "refused: $*" says 2 "$words"
}
usage "unrecognized arguments: --bogus" --bogus -- true
usage "not a number from 1 to 4" -c 9 -- true
usage "not a number from 1 to 4" -c two -- true
usage "not a number from 1 to 4" -c 0 -- true
usage "not a number from 256 to 16384" --mem 255 -- true
usage "not a number from 256 to 16384" --mem 16385 -- true
usage "not a number from 256 to 16384" --mem 1G -- true
usage "not a number from 0 to 1000000" --timeout -1 -- true
usage "not a number from 0 to 127" --feature-control 128 -- true
usage "/dev/null/x: Not a directory" --log-dir /dev/null/x -- true
usage "invalid choice" -m vmware -- true
usage "no kernel version" -k new -- true
usage "none of corei7_skylake_x" -m bochs --cpu 8086 -- true
usage "there is no /nonexistent" --add /nonexistent -- true
usage "no directory /nonexistent" --get /etc/passwd:/nonexistent/x -- true
usage "expected one argument" --timeout
cylinder=$((16 * 63 * 512))
truncate -s $((3 * cylinder)) "$DIR/disk"
truncate -s $((3 * cylinder + 512)) "$DIR/odd"
usage "there is no file /nonexistent" --disk /nonexistent -- true
usage "truncate -s %$cylinder $DIR/odd" --disk "$DIR/odd" -- true
usage "--disk: more than 3" --disk "$DIR/disk" --disk "$DIR/disk" --disk "$DIR/disk" --disk "$DIR/disk" -- true
usage "has no driver" -k 6.12+kasan --disk "$DIR/disk" -- true
MACHINE=abacus box -- true
ok "refused: MACHINE=abacus" says 2 "none of auto, bochs, qemu, host"
box --append "$(printf '%2000s' x)" -- true
ok "refused: --append of 2000 bytes" says 2 "--append: too long for a kernel's command line"
box --append $'a\nb' -- true
ok "refused: --append of two lines" says 2 "--append: .* not printable"
VTBOX_BOOT=soon box -- true
ok "refused: VTBOX_BOOT=soon" says 2 "VTBOX_BOOT: 'soon' is not a number"
VTBOX_KEEP=0 box -- true
ok "refused: VTBOX_KEEP=0" says 2 "VTBOX_KEEP: '0' is not a number"
BOCHS=new box -m bochs -- true
ok "refused: BOCHS=new" says 69 "BOCHS=new is none of source, packaged, profile"

# between LOW HIGH KIB: so many MiB, less what the kernel keeps for itself.
between() { [ "$3" -gt $(($1 * 1024)) ] && [ "$3" -le $(($2 * 1024)) ]; }

# One machine for all that can be looked at from inside.
mkdir -p "$DIR/in/sub"
echo deep >"$DIR/in/sub/file"
ln -s nowhere "$DIR/in/dangling"
head -c 3000000 /dev/urandom >"$DIR/in/big"
echo "a name" >"$DIR/with space"
echo "an image" | dd of="$DIR/disk" conv=notrunc 2>/dev/null
cat >"$DIR/script" <<'END'
echo "to stderr" >&2
cat
cat "/srv/with space" /in/sub/file
readlink /in/dangling
cmp /disk/one /disk/two && echo "two disks of one image"
echo "the machine's own" | dd of=/disk/one conv=notrunc,fsync 2>/dev/null
head -n 1 /disk/two
blockdev --getsize64 /disk/one
nproc
uname -r
sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo
true-dynamic && echo "dynamic program runs"
cp -r /in /tmp/back
exit 3
END
box --no-module -k "$K" -c 2 --mem 513 --disk "$DIR/disk:/disk/one" --disk "$DIR/disk:/disk/two" --add "$DIR/in" \
	--add "$DIR/with space:/srv/" --add "$(type -P true):/bin/true-dynamic" --add "$DIR/script:/script" --get /tmp/back:"$DIR/got" -- sh /script < <(sleep 1; echo "from a pipe")
ok "the command's exit status" ends 3
cat >"$DIR/want" <<END
to stderr
from a pipe
a name
deep
nowhere
two disks of one image
an image
$((3 * cylinder))
2
$(sed -n 10,11p "$DIR/out")
dynamic program runs
END
ok "clean output, in order; files are in" cmp "$DIR/want" "$DIR/out"
ok "the kernel is the one asked for" grep -q "^${K}[.-]" "$DIR/out"
ok "--mem 513: up to a multiple of 8" between 450 520 "$(sed -n 11p "$DIR/out")"
ok "what the machine has written on a disk is lost" grep -qxa "an image" "$DIR/disk"
ok "nothing else is said" test ! -s "$DIR/err"
ok "a folder comes back" diff -r --no-dereference "$DIR/in" "$DIR/got"

# Ends that are not the command's.
box --no-module -k "$K" -- sh -c 'kill -SEGV $$'
ok "ended by a signal: 128+n" ends 139
box --no-module -k "$K" --get /tmp/nothing -- nosuchprogram
ok "a file that is not there" says 72 "there is no /tmp/nothing"
ok "what the command said is passed on" grep -q nosuchprogram "$DIR/out"
box --no-module -k "$K" -- sh -c 'echo "<4>WARNING: CPU: 0 PID: 1 at lib/test.c:1" >/dev/kmsg; echo fine'
ok "a WARNING fails the run" says 70 "lib/test.c"
ok "... and its output is there" grep -q fine "$DIR/out"
box --no-module -k "$K" --timeout 12 -- sh -c 'while :; do :; done'
ok "--timeout" says 124 "not done after 12 s"

if [ -z "${LONG:-}" ]; then
	skip "files, memory behind 4 GiB, panic, machines beside each other" "it takes minutes: make test-long"
	finish
	exit
fi

box --no-module -k "$K" -- md5sum <"$DIR/in/big"
ok "a file on standard input" prints "$(md5sum <"$DIR/in/big")"

# What has no place below the devices is behind 4 GiB.
box --no-module -k "$K" --mem 5400 -- sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo
ok "--mem 5400" between 5150 5400 "$(cat "$DIR/out")"
box --no-module -k "$K" -- sh -c 'echo c >/proc/sysrq-trigger; sleep 1000'
ok "a panic fails the run" says 70 "sysrq triggered crash"

# What the emulator once lost its way in.
compile boundary
box --no-module -k "$K" --timeout 60 --add "$DIR/boundary:/bin/" -- boundary
ok "an instruction across two pages, one of which goes and comes" prints "200 faults"

# Two at once, and an interrupted one beside them.
"$VTBOX" --no-module -k "$K" -- sh -c 'echo one' >"$DIR/one" 2>"$DIR/err" &
first=$!
setsid "$VTBOX" --no-module -k "$K" --log-dir "$DIR/interrupted" -- sleep 1000000000 2>/dev/null &
second=$!
sleep 3
kill -INT "$second"
wait "$second"
ok "interrupted: 128+n" test $? -eq 130
ok "... and nothing keeps running" sh -c "! ps -eo args | grep -F 'vtbox.$second.' | grep -v grep"
ok "... nor a temporary file behind" sh -c "! ls -d ${TMPDIR:-/tmp}/vtbox.$second.* 2>/dev/null"
wait "$first"
ok "the other one is not disturbed" grep -qx one "$DIR/one"
finish
