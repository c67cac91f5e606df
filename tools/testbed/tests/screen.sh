#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Guests with screen and keyboard, on hvctl's terminal.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
TOP=$TESTBED/../..
TEST=$TOP/guests/linux/test
LINUX=${BUILD:-$TOP/build}/linux-test/6.1

gcc -std=gnu11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -static -I"$TOP/selftests" -I"$TEST" -o "$DIR/screen" "$TESTBED/tests/screen.c" \
	"$TEST/terminal.c" "$TOP/selftests/tap.c" -lutil || { echo "Bail out! screen.c does not compile"; exit 1; }

# What the terminal can do is in one of these.
for terminfo in /lib/terminfo /usr/share/terminfo /etc/terminfo; do
	[ -e "$terminfo/x/xterm" ] && break
done
if [ ! -e "$terminfo/x/xterm" ]; then
	skip "keys and screen" "this machine has no terminfo of xterm"
	finish
	exit
fi

cat >"$DIR/inside" <<'END'
export TERM=xterm
up=$(printf '\033[A')
/screen polling aB interrupts "$up" "set 2" x -- hvctl run --display text /guests/keyboard/keyboard.bin
echo "keyboard: $?"
/screen Type: "$(printf 'Hi 3\0102U\r')" -- hvctl run --display text /guests/typewriter/typewriter.bin
echo "typewriter: $?"
hvctl run --display text --machine bare /guests/vga/vga.bin
echo "no terminal: $?"
echo "hello: $(hvctl run /guests/bios/hello.bin 2>&1 | grep -c "Hello from")"
quiet="quiet cryptomgr.notests"
/screen "linux#" "$(printf 'echo typed-$((40 + 2))\r')" typed-42 "$(printf 'poweroff\r')" -- \
	hvctl run --display text --initrd /linux/initrd.gz --append "$quiet" /linux/vmlinuz
echo "linux: $?"
hvctl run --initrd /linux/initrd.gz --append "$quiet script=\"echo on-tty0 >/dev/tty0\"" /linux/vmlinuz
echo "tty0: $?"
END

box --mem 1024 -k "$K" --add "$DIR/screen" --add "$DIR/inside:/inside" --add "$terminfo/x/xterm:/lib/terminfo/x/xterm" \
	--add "$LINUX/vmlinuz:/linux/vmlinuz" --add "$LINUX/initrd.gz:/linux/initrd.gz" -- sh /inside
ok "the machine is well" ends 0
has() { tr -d '\r' <"$DIR/out" | grep -qE -- "$1"; }
ok "keys by polling, by interrupt, and in set 2" has "^keyboard: 33$"
ok "a kernel of the books: timer and keys as a BIOS left them" has "^typewriter: 33$"
ok "a boot sector's text is told once" has "^hello: 1$"
ok "Linux: a shell on the screen, by its default command line" has "^linux: 0$"
ok "... and without a display, the screen is told at the end" has "^\| on-tty0$"
ok "without a terminal there is no display" has "^no terminal: 2$"
finish
