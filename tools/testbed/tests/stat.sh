#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# hvctl stat on guests that run: the bill, and its page as a browser shows it.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

cat >"$DIR/inside" <<'END'
hvctl run -d --name poll --machine pc --cpus 2 /guests/deaths/deaths.elf >/dev/null
hvctl stat --seconds 2
hvctl stat --seconds 2 --html /page.html poll
echo "page: $?"
hvctl trace --save /exits -- run /guests/hello/hello.bin >/dev/null 2>&1
hvctl stat --read /exits
echo "cells: $(hvctl stat --read /exits --json | grep -c '"what": "I/O')"
hvctl kill poll
hvctl stat
echo "nobody: $?"
END
box -k "$K" -c "${CPUS:-2}" --add "$DIR/inside:/inside" --get /page.html:"$DIR/page.html" -- sh /inside
has() { grep -qE -- "$1" "$DIR/out"; }
ok "the machine is well afterwards" ends 0
ok "hvctl stat: the one that runs" has "^poll: [0-9.k]+ exits in [0-9.]+ s, "
ok "... the port that it polls, what the module and hvctl have of it" \
	has "^ *[0-9.k]+ +[0-9.k]+ +[0-9.]+% +[0-9.k]+ +[0-9.k]+ +[0-9]+% +[0-9]+% +[1-9][0-9]*% I/O instruction, port 0x3fd$"
ok "... and what would save most" has "^the dearest, I/O instruction, port 0x3fd: a serial port exits for each byte: "
ok "of a trace that was saved, whole" has "^hello-[0-9]+: [0-9]+ exits in 0\.0 s, "
ok "... with a row for each port" has "^cells: ([4-9]|1[0-9])$"
ok "nobody runs: an error" has "^nobody: 2$"
ok "a page" has "^page: 0$"

# What a browser makes of it: the colour of the first band and of the bars, and the lines behind the plot.
look() { # PAGE
	rm -f "$DIR/page.png"
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1100,800 --screenshot="$DIR/page.png" \
		"file://$1" >"$DIR/err" 2>&1
	"$TESTBED/colours.py" "$DIR/page.png" 33658a cccccc f26419 >"$DIR/out" 2>>"$DIR/err"
}
if ! command -v chromium >/dev/null; then
	skip "the page in a browser" "no chromium here"
else
	look "$DIR/page.html"
	ok "the page in a browser: exits over time" has "^33658a [1-9][0-9]{3,}$"
	ok "... with lines behind" has "^cccccc [1-9][0-9]{3,}$"
	ok "... and what hvctl has of them" has "^f26419 [1-9][0-9]{2,}$"
	sed '/<polygon/d' "$DIR/page.html" >"$DIR/without.html"
	look "$DIR/without.html"
	ok "... which the test misses where it is not" has "^33658a [0-9]{1,3}$"
fi
finish
