#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Firmware of others: SeaBIOS starts a Linux kernel that it finds in fw_cfg. With LONG=1 ("make test-images") the others, too:
# OVMF, qboot, U-Boot, each to its prompt and, but for U-Boot, with that kernel; and a CD of GRUB's, by SeaBIOS and by OVMF.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
BUILD=${BUILD:-$TESTBED/../../build}
GUEST=$BUILD/linux-test/6.1
SEABIOS=$BUILD/guests/seabios/bios-256k.bin
LIMIT=${LIMIT:-540}

# The tables that it has found, and where it has found power management.
WORDS='quiet cryptomgr.notests tsc_early_khz=50000 script="cat /proc/ioports; dmesg"'

# boots IMAGE MIB: hvctl with this firmware and the kernel, to its power-off.
boots()
{
	box --mem 1024 -k "$K" --timeout "$LIMIT" --add "$GUEST/vmlinuz:/linux/vmlinuz" --add "$GUEST/initrd.gz:/linux/initrd.gz" \
		--add "$1:/firmware" -- hvctl run -m "$2" --no-reboot --firmware /firmware --initrd /linux/initrd.gz \
		--append "$WORDS" /linux/vmlinuz
}

# prompts IMAGE MIB REGEXP [KEYS]: hvctl with this firmware alone, until it says that. It would wait for keys for ever; KEYS, by
# printf, are typed each second.
prompts()
{
	# shellcheck disable=SC2016 # for the shell in the machine
	box --mem 1024 -k "$K" --timeout "$LIMIT" --add "$1:/firmware" -- sh -c '
		mkfifo /tmp/keys && exec 5<>/tmp/keys
		hvctl run -m "$1" --no-reboot --firmware /firmware <&5 >/tmp/out 2>&1 &
		until grep -aqE "$2" /tmp/out; do sleep 1; kill -0 $! 2>/dev/null || break; printf "$3" >&5; done
		kill $! 2>/dev/null
		cat /tmp/out
		grep -aqE "$2" /tmp/out' sh "$2" "$3" "${4:-}"
}

# starts_cd NAME IMAGE MIB: GRUB from a CD says what is in a file there, and turns the machine off.
starts_cd()
{
	box --mem 1024 -k "$K" --timeout "$LIMIT" --add "$2:/firmware" --add "$DIR/grub.iso:/grub.iso" -- \
		hvctl run -m "$3" --no-reboot --cdrom /grub.iso --firmware /firmware
	ok "$1: GRUB starts from a CD, and turns the machine off" ends 0
	ok "$1: it has read a file there" grep -q 'This text is in a file on the CD' "$DIR/out"
}

# For a BIOS and for EFI.
make_cd()
{
	mkdir -p "$DIR/cd/boot/grub"
	echo "This text is in a file on the CD" >"$DIR/cd/text"
	cat >"$DIR/cd/boot/grub/grub.cfg" <<-'END'
		serial --unit=0
		terminal_output serial
		cat /text
		halt
	END
	grub-mkrescue -o "$DIR/grub.iso" "$DIR/cd" >"$DIR/out" 2>"$DIR/err"
}

# A disk that shrinks to nothing while SeaBIOS looks for what to boot; said once, whatever it tries.
shrinks()
{
	# shellcheck disable=SC2016 # for the shell in the machine
	box -k "$K" --timeout "$LIMIT" --add "$SEABIOS:/firmware" -- sh -c '
		truncate -s 1M /tmp/disk
		hvctl run -m 64 --no-reboot --firmware /firmware --disk /tmp/disk,if=ide </dev/null >/tmp/out 2>/tmp/err &
		until [ -s /tmp/out ]; do sleep 0.05; done
		truncate -s 0 /tmp/disk
		until grep -q "No bootable device" /tmp/out; do sleep 0.1; kill -0 $! || break; done
		kill $!
		cat /tmp/err'
	ok "a disk that fails: the user is told, once" prints 'hvctl run: /tmp/disk: Input/output error; the guest was told of an I/O error'
}

# What each must have told the kernel.
linux_is_right()
{
	ok "$1: Linux boots by fw_cfg, and powers off by ACPI" ends 0
	ok "$1: its script has run" grep -q 'script ended with status 0' "$DIR/out"
	ok "$1: it finds the tables" grep -q 'ACPI: FACP 0x' "$DIR/out"
	ok "$1: and power management in them, where it is" grep -qiE '^ *(0600|b000|e400)-[0-9a-f]*3 : ACPI PM1a_EVT_BLK' "$DIR/out"
}

if [ ! -e "$SEABIOS" ] || [ ! -e "$GUEST/vmlinuz" ]; then
	skip "SeaBIOS boots Linux" "SeaBIOS or the kernel cannot be downloaded here"
else
	boots "$SEABIOS" 256
	linux_is_right SeaBIOS
	shrinks
fi

if [ "${LONG:-0}" != 0 ]; then
	if ! IMAGES=$("$TESTBED/fetch" firmware); then
		skip "OVMF, qboot, U-Boot" "they cannot be downloaded here"
		finish
		exit
	fi
	LIMIT=3000
	boots "$IMAGES/qboot.rom" 256
	linux_is_right qboot
	for size in 2m 4m; do
		prompts "$IMAGES/ovmf-$size.fd" 256 'Shell>'
		ok "OVMF $size: its shell" ends 0
	done
	boots "$IMAGES/ovmf-4m.fd" 512
	linux_is_right OVMF
	# A key stops its countdown, behind which it would look for something to boot, by network, too.
	for bits in 32 64; do
		prompts "$IMAGES/u-boot-$bits.rom" 256 '^=> ' '\n'
		ok "U-Boot, $bits bits: its prompt" ends 0
	done
	ok "grub-mkrescue makes a CD" make_cd
	starts_cd SeaBIOS "$SEABIOS" 64
	starts_cd OVMF "$IMAGES/ovmf-4m.fd" 256
fi
finish
