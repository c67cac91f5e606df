#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A little of "make fuzz": random system calls and guests do no harm, and reach what they should.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
FUZZ=$TESTBED/../fuzz
BUILD=${BUILD:-$TESTBED/../../build}

# times WORD LEAST: a line of the report with that word counts so many at least.
times()
{
	awk -v word="$1" -v least="$2" '
		/^ioctl 0x/ && $2 == word ":" { n = $3 }
		/^RUN: / && $4 == word { n = $2 }
		END { exit !(n >= least) }' "$DIR/out"
}

fuzz()
{
	local corpus=$1
	shift
	box --no-errors -k "$K" -c 2 --add "$BUILD/fuzz/tinyvmx-fuzz:/fuzz" --add "$corpus:/tmp/corpus" -- \
		sh -c '/fuzz "$@" && /guests/run-tests hello >/dev/null' sh "$@"
}

ok "it is built" make -s -C "$FUZZ" BUILD="$BUILD" all
: >"$DIR/programs"
fuzz "$DIR/programs" -i 10000 -g 2000 -p 3 -s 7
ok "10,000 random ioctls by three processes, and 2,000 random guests: nothing is in the kernel's log, and a guest runs afterwards" ends 0
# Not 0x12, TINYVMX_MSI: it takes an APIC that is enabled, which a run as short as this may not have.
for ioctl in 0x1 0x10 0x11 0x13 0x14 0x20 0x21 0x22 0x23 0x24 0x25; do
	ok "ioctl $ioctl succeeds now and then" times "$ioctl" 1
done
for reason in IO MMIO HLT SHUTDOWN INTR ENTRY_FAILED; do
	ok "some RUNs end with $reason" times "$reason" 5
done
echo "1f 8000000000000020 5 123456789abcdef" >"$DIR/programs"
fuzz "$DIR/programs" -r /tmp/corpus
ok "a program is run again by its seeds" prints "1f 8000000000000020 5 123456789abcdef"
finish
