#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Debian from its disk: by its kernel, by SeaBIOS and by OVMF with GRUB, to a login; over the serial line and over SSH; and what is
# left when hvctl is killed while it writes. With LONG=1 ("make test-debian").

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
TOP=$TESTBED/../..
TEST=$TOP/guests/linux/test
DEBIAN=${BUILD:-$TOP/build}/debian

if [ "${LONG:-0}" = 0 ] || [ ! -e "$DEBIAN/disk.img" ]; then
	skip "Debian from its disk" "it takes minutes: make test-debian"
	finish
	exit
fi
gcc -std=gnu11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -static -I"$TOP/selftests" -I"$TEST" -o "$DIR/screen" "$TESTBED/tests/screen.c" \
	"$TEST/terminal.c" "$TOP/selftests/tap.c" -lutil || { echo "Bail out! screen.c does not compile"; exit 1; }
install -m 755 "$TESTBED/tests/debian-inside" "$DIR/inside"
files=(--add "$DIR/screen" --add "$DIR/inside:/debian/" --add "$(type -P ssh):/bin/"
	--add "$(PATH=$PATH:/usr/sbin:/sbin type -P e2fsck):/bin/")
for file in vmlinuz initrd.img id known_hosts; do
	files+=(--add "$DEBIAN/$file:/debian/")
done

# boots NAME FIRMWARE TEXT: the test of that name, in a machine of its own.
boots()
{
	box --mem 1536 -c 2 -k "$K" --timeout "${LIMIT:-1800}" "${files[@]}" ${2:+--add "$2"} --disk "$DEBIAN/disk.img:/debian/" \
		-- sh /debian/inside "$1"
	ok "$3" prints "$1: passed"
}

boots direct "" "its kernel: a login on the serial line, and over SSH, 64 MiB there and back"
boots killed "" "hvctl is killed: the file system is sound, and all is there that was said to be"
if SEABIOS=$("$TESTBED/fetch" seabios); then
	boots seabios "$SEABIOS/bios-256k.bin:/debian/seabios.bin" "SeaBIOS and GRUB: a login on the serial line, and over SSH"
else
	skip "SeaBIOS" "it cannot be downloaded here"
fi
if FIRMWARE=$("$TESTBED/fetch" firmware); then
	boots ovmf "$FIRMWARE/ovmf-4m.fd:/debian/ovmf.fd" "OVMF and GRUB: a login on the serial line, and over SSH"
else
	skip "OVMF" "it cannot be downloaded here"
fi
finish
