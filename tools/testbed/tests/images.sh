#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Kernels and files of others, as the distribution packages them: they start, or are told what they are. The rows are in
# images.list; with LONG=1 ("make test-images") all of them.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

if ! IMAGES=$("$TESTBED/fetch" images); then
	skip "images as the distribution packages them" "they cannot be downloaded here"
	finish
	exit
fi
files=(--add "$TESTBED/tests/images.list:/images/tests.list")
for file in "$IMAGES"/*; do
	files+=(--add "$file:/images/${file##*/}")
done
only='/^# long$/q'
if [ "${LONG:-0}" != 0 ]; then
	only=
	LIMIT=${LIMIT:-5000}
	! I386=$("$TESTBED/fetch" linux-i386) || files+=(--add "$I386/linux-i386:/images/linux-i386")
fi
read -ra rows < <(sed -n "$only; s/^\([a-z][^|]*\)|.*/\1/p" "$TESTBED/tests/images.list" | tr '\n' ' ')
box --mem 1024 -k "$K" --timeout "${LIMIT:-800}" "${files[@]}" -- env GUESTS=/images /guests/run-tests "${rows[@]}"
# It is TAP already, with a plan of its own.
cat "$DIR/out"
if [ "$status" -gt 1 ]; then
	tail -n 20 "$DIR/err" | sed 's/^/# /'
	echo "Bail out! the machine ended with status $status"
fi
exit "$status"
