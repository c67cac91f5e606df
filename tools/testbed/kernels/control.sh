#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The instruments find what they are for: a module that is broken on purpose, by faults.c, on each of the kernels named.

set -u
# shellcheck source-path=SCRIPTDIR source=../tests/tap.sh
. "$(dirname "$0")/../tests/tap.sh"
TOP=$TESTBED/../..

# Locks come first: after a report of KASAN lockdep is silent.
declare -A FINDS=(
	[debug]="inversion=lockdep use-after-free=KASAN shift=UBSAN sleep=sleeping leak=kmemleak"
	[kasan]="use-after-free=KASAN shift=UBSAN sleep=sleeping"
	[kcsan]="race=KCSAN"
	[rt]="inversion=lockdep sleep=sleeping"
)

found() { grep -q "^$1, ours: " "$logs/reports"; }
committed() { [ "$(xargs <"$DIR/out")" = "$1" ]; }

mkdir "$DIR/source"
cp -r "$TOP/Kbuild" "$TOP/module" "$TOP/uapi" "$DIR/source"
cat "$TESTBED/kernels/faults.c" >>"$DIR/source/module/main.c"
export SOURCE=$DIR/source SUFFIX=-faults

for kernel; do
	finds=${FINDS[${kernel#*+}]}
	logs=${TEST_LOGS:-$DIR}/run$((TAP + 1))
	# shellcheck disable=SC2016,SC2086 # expanded in the machine; words
	box -k "$kernel" -c 2 -- sh -c 'for fault; do
		echo "${fault%=*}" >/sys/module/tinyvmx/parameters/fault && echo "$fault"; done' sh $finds
	ok "$kernel: a module that is broken on purpose is so" committed "$finds"
	ok "$kernel: it makes the run fail" says 70 "the machine's kernel complained"
	for fault in $finds; do
		ok "$kernel: ${fault#*=} reports the ${fault%=*}" found "${fault#*=}"
	done
done
finish
