#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fetch: a changed patch makes another Bochs, one that does not apply none at all; kernels that there are not.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

# A copy of the testbed whose first patch fits nothing, on the same cache.
mkdir -p "$DIR/top/tools"
cp -r "$TESTBED" "$DIR/top/tools"
for patch in "$DIR"/top/tools/testbed/bochs/*.patch; do break; done
sed -i 's/^ /& nothing of the kind /' "$patch"
status=0
BOCHS=source "$DIR/top/tools/testbed/fetch" bochs >"$DIR/out" 2>"$DIR/err" || status=$?
if grep -qE 'FAILED .* (download|package lists)' "$DIR/err"; then
	skip "a patch that does not apply is named" "the source of Bochs cannot be had"
else
	ok "a patch that does not apply is named" says 1 "^fetch: tools/testbed/bochs/${patch##*/} does not apply to Bochs"
	ok "... and no other Bochs is taken" test ! -s "$DIR/out"
fi

status=0
"$TESTBED/fetch" kernel 6.12+bogus >"$DIR/out" 2>"$DIR/err" || status=$?
ok "a flavour without a configuration is named" says 1 'there is no kernel 6.12\+bogus: no tools/testbed/kernels/bogus.config'
finish
