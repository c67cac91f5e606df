#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Guests with screen and keyboard, on hvctl's terminal.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
TOP=$TESTBED/../..
TEST=$TOP/guests/linux/test

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
END

box -k "$K" --add "$DIR/screen" --add "$DIR/inside:/inside" --add "$terminfo/x/xterm:/lib/terminfo/x/xterm" -- sh /inside
ok "the machine is well" ends 0
has() { tr -d '\r' <"$DIR/out" | grep -qE -- "$1"; }
ok "keys by polling, by interrupt, and in set 2" has "^keyboard: 33$"
ok "a kernel of the books: timer and keys as a BIOS left them" has "^typewriter: 33$"
ok "without a terminal there is no display" has "^no terminal: 2$"
finish
