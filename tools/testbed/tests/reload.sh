#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A machine that is saved, destroyed and made again, 200 times while Linux boots in it: the guest says what it says undisturbed.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
BUILD=${BUILD:-$TESTBED/../../build}
GUEST=$BUILD/linux-test/6.1
COUNT=200

# What the guest has said, one of a kind: without times and other numbers, in no order.
words() { tr -d '\r' <"$1" | grep -v '^hvctl: ' | sed 's/[0-9][0-9a-fx.]*/N/g; s/ \+/ /g; s/(-\?N, -\?N)/(N, N)/g' | sort -u; }

same_words()
{
	diff <(words "$DIR/undisturbed") <(words "$DIR/disturbed") >"$DIR/out"
}

# shellcheck disable=SC2016 # expanded in the machine
box -k "$K" --mem 1024 --add "$GUEST:/linux" -- sh -c 'boot() { hvctl run --initrd /linux/initrd.gz "$@" /linux/vmlinuz; }
	quick="script cryptomgr.notests"
	boot --append "$quick" --test-reload 0 && echo "==== undisturbed so far" && boot --append "$quick" --test-reload "$1"' sh "$COUNT"
sed '/^==== undisturbed so far/,$d' "$DIR/out" >"$DIR/undisturbed"
sed '1,/^==== undisturbed so far/d' "$DIR/out" >"$DIR/disturbed"
ok "it boots, and powers off" ends 0
ok "it was saved, destroyed and restored $COUNT times" grep -q "^hvctl: saved and restored $COUNT times" "$DIR/disturbed"
ok "the guest came to its end" grep -q 'reboot: Power down' "$DIR/disturbed"
ok "and said the same as undisturbed" same_words
finish
