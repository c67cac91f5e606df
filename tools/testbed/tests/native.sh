#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# "make" for this computer: what it says where the headers of the kernel are missing.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

# A kernel that has no headers anywhere.
mkdir "$DIR/bin"
printf '#!/bin/sh\necho 0.0-none\n' >"$DIR/bin/uname"
chmod +x "$DIR/bin/uname"
status=0
env -u MAKEFLAGS -u MAKELEVEL PATH="$DIR/bin:$PATH" make -C "$TESTBED/../.." >"$DIR/out" 2>"$DIR/err" || status=$?
ok "without headers it fails and names the package" says 2 "apt-get install linux-headers-0.0-none"
ok "... when all the rest is built" grep -q "done .*: build the selftests" "$DIR/err"
finish
