# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What the project's shell scripts share: messages, progress lines, the cache directory.

# shellcheck disable=SC2034 # used by those who include this
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/tinyvmx
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-$TOP/build}
LOGS=${LOGS:-$BUILD/logs}
ME=${0##*/}
# What "make test" and "make check" try the module on.
KERNELS=$(<"$TOP/tools/testbed/kernels/tested")

die()
{
	echo "$ME: $*" >&2
	exit 1
}

# What is tried here, for records of it.
commit() { git -C "$TOP" rev-parse --short HEAD 2>/dev/null || echo unknown; }

# step TEXT LOG COMMAND...: run COMMAND with its output in LOG (V=1: on the terminal too), tell what takes time.
step()
{
	local text=$1 log=$2 start=$SECONDS rc=0
	shift 2

	mkdir -p "$(dirname "$log")"
	echo "==> $text" >&2
	if [ "${V:-0}" = 1 ]; then
		"$@" 2>&1 </dev/null | tee -a "$log" >&2
		rc=${PIPESTATUS[0]}
	else
		"$@" >>"$log" 2>&1 </dev/null || rc=$?
	fi
	if [ "$rc" -ne 0 ]; then
		tail -n 15 "$log" | sed 's/^/    | /' >&2
		echo "    FAILED after $((SECONDS - start)) s: $text; the whole log: $log" >&2
		return "$rc"
	fi
	echo "    done in $((SECONDS - start)) s: $text" >&2
}
