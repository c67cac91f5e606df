# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP for the tests that are shell scripts and run machines.

TESTBED=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VTBOX=$TESTBED/vtbox
TAP=0
FAILED=0
DIR=$(mktemp -d)
trap 'rm -rf "$DIR"' EXIT
# shellcheck disable=SC2034 # used by those who include this
{
	K=${KERNEL:-6.1}
	KERNELS=$(<"$TESTBED/kernels/tested")
}

# ok TEXT COMMAND...: passes if COMMAND succeeds.
ok()
{
	local text=$1
	shift
	TAP=$((TAP + 1))
	if "$@"; then
		echo "ok $TAP - $text"
		return
	fi
	FAILED=$((FAILED + 1))
	echo "not ok $TAP - $text"
	sed 's/^/# /' "$DIR"/out "$DIR"/err 2>/dev/null | tail -n 20
}

skip()
{
	TAP=$((TAP + 1))
	echo "ok $TAP - $1 # SKIP $2"
}

# box ARGUMENT...: run vtbox; its status, output and messages are in $status, $DIR/out, $DIR/err.
box()
{
	status=0
	"$VTBOX" --log-dir "${TEST_LOGS:-$DIR}/run$((TAP + 1))" "$@" >"$DIR/out" 2>"$DIR/err" || status=$?
}

# The last box() ended so, with this output or with such words in its messages.
ends() { [ "$status" -eq "$1" ]; }
prints() { [ "$status" -eq 0 ] && [ "$(cat "$DIR/out")" = "$1" ]; }
says() { [ "$status" -eq "$1" ] && grep -qE -- "$2" "$DIR/err"; }

# compile NAME: the program NAME.c of this folder, for the machine, as $DIR/NAME.
compile()
{
	gcc -O2 -Wall -Wextra -Werror -static -o "$DIR/$1" "$TESTBED/tests/$1.c" || { echo "Bail out! $1.c does not compile"; exit 1; }
}

# The last command of a script: make, too, shall know how it ended.
finish()
{
	echo "1..$TAP"
	[ "$FAILED" -eq 0 ]
}
