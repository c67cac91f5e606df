#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The module refuses to load where it cannot work, with one line that names the cause and the remedy.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

# refuses TEXT ERRNO-TEXT WORDS VTBOX-OPTION...
refuses()
{
	local text=$1 errno=$2 words=$3
	shift 3
	box -m bochs -k "$K" "$@" -- true
	ok "$text: does not load" says 71 "tinyvmx.ko does not load.*$errno"
	ok "$text: the kernel log says why" grep -qE "tinyvmx: .*$words" "$DIR/err"
	# busybox tries twice (finit_module, init_module): one line each time.
	ok "$text: in one line" test "$(grep 'tinyvmx: ' "$DIR/err" | grep -v 'taint' | sed 's/^\[[^]]*\] //' | sort -u | wc -l)" = 1
}

refuses "no VMX" "No such device" "no VMX.*needs" --cpu ryzen
refuses "locked off by the firmware" "Operation not permitted" "firmware forbids VMX.*firmware setup" --feature-control 1
refuses "locked off, two CPUs" "Operation not permitted" "firmware forbids VMX" --feature-control 1 -c 2
refuses "no EPT" "" "EPT|unrestricted" --cpu core2_penryn_t9600
box -k "$K" --feature-control 0 -- dmesg
ok "left open by the firmware: Linux turns VMX on, the module loads" ends 0
ok "one line says what it found" test "$(grep -c 'tinyvmx: .*VMCS revision' "$DIR/out")" = 1
finish
