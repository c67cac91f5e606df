#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# "make install" into a directory of its own: what is there works, and "make uninstall" leaves nothing. The udev rule, by udev.
# And what README.md says for a host, by a user who has sudo.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"

STAGE=$DIR/stage
TOP=$TESTBED/../..
# The example of tinyvmx(4)
sed -n '/^\.Bd -literal/,/^\.Ed/p' "$TOP/module/tinyvmx.4" | sed '1d; $d; s/\\e/\\/g' >"$DIR/example.c"
cat >"$DIR/inside" <<'END'
mkdir -p /run/udev /usr/lib
sed -n 's/^g \([a-z]*\) -$/\1:x:977:/p' /stage/usr/lib/sysusers.d/tinyvmx.conf >>/etc/group
cp -r /stage/usr/lib/udev /usr/lib
udev() { name=$1; shift; /udev/loader --library-path /udev --argv0 "$name" /udev/udevadm "$@"; }
udev udevadm verify --no-summary /usr/lib/udev/rules.d/70-tinyvmx.rules && echo "verified"
udev systemd-udevd >/tmp/udevd.log 2>&1 &
until udev udevadm settle 2>/dev/null; do sleep 0.1; done
. /etc/testbed
rmmod tinyvmx
insmod "$MODULE"
udev udevadm settle
stat -c 'node: %a %u:%G' /dev/tinyvmx
udev udevadm info /dev/tinyvmx | grep -o 'CURRENT_TAGS=.*'
printf '%s\n' "member:x:1000:977::/:/bin/sh" "other:x:1001:1001::/:/bin/sh" >>/etc/passwd
for user in member other root; do
	su $user -c '/stage/usr/bin/hvctl run /stage/usr/share/tinyvmx/skernel.bin'
	echo "$user: $?"
done
/example

chmod 4755 /usr/bin/sudo
mkdir -p /etc/sudoers.d /src/build/hvctl /src/guests/skernel
echo "admin ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/admin
echo "admin:x:1002:1002::/:/bin/sh" >>/etc/passwd
echo "127.0.0.1 $(hostname)" >/etc/hosts
cp "$MODULE" /src/tinyvmx.ko
mv /bin/hvctl /src/build/hvctl
cp /guests/skernel/skernel.bin /src/guests/skernel
rmmod tinyvmx
cd /src
admin()
{
	su admin -c "$1" 2>&1
	echo "$1: $?"
}
while read -r line; do
	admin "$line" </dev/null
done </readme
admin "sudo hvctl run /usr/local/share/tinyvmx/skernel.bin"
rm /usr/local/bin/hvctl
PATH=/stage/usr/bin:$PATH admin "hvctl --version && sudo hvctl --version"
END
# The commands of README.md that take root and are about us
sed -n '/^## On a host/,/^## /{/^sudo \(insmod\|build\)/p}' "$TOP/README.md" >"$DIR/readme"

installs()
{
	env -u MAKEFLAGS -u MAKELEVEL make -C "$TOP" "$@" >"$DIR/out" 2>"$DIR/err"
}

compiles()
{
	local flags

	flags=$(sed "s|/usr|$STAGE/usr|" "$STAGE/usr/share/pkgconfig/tinyvmx.pc" |
		sh -c 'while IFS= read -r line; do case $line in
			*=*) eval "$line" ;; Cflags:*) eval "echo ${line#Cflags:}" ;; esac; done')
	[ "$flags" = "-I$STAGE/usr/include" ] && gcc -Wall -Wextra -Werror "$flags" -o "$DIR/example" "$DIR/example.c" 2>"$DIR/err"
}

ok "make install install-dkms, for a package" installs install install-dkms DESTDIR="$STAGE" prefix=/usr
ok "make install" installs install DESTDIR="$DIR"
version=$("$STAGE/usr/bin/hvctl" --version)
version=${version#hvctl }
ok "hvctl, dkms.conf and tinyvmx.pc have one version" test "$(cat "$STAGE/usr/src/tinyvmx-$version/dkms.conf" \
	"$STAGE/usr/share/pkgconfig/tinyvmx.pc" | sed -n 's/^Version: \|^PACKAGE_VERSION=//p' | tr -d '"' | uniq)" = "$version"
ok "the example of tinyvmx(4) compiles with the header and the flags of tinyvmx.pc" compiles
ok "DKMS gets the module's sources, all of them" diff \
	<(cd "$STAGE/usr/src/tinyvmx-$version" && find . -type f ! -name dkms.conf | sort) \
	<(cd "$TOP" && find ./Kbuild ./uapi ./module -type f -name 'Kbuild' -o -name '*.[chS]' | sort)
ok "manual pages are there" test -s "$STAGE/usr/share/man/man1/hvctl.1" -a -s "$STAGE/usr/share/man/man4/tinyvmx.4"
ok "completion is there" grep -q hvctl "$STAGE/usr/share/bash-completion/completions/hvctl" \
	"$STAGE/usr/share/zsh/site-functions/_hvctl"

# systemd looks for the program, too.
verifies()
{
	sed "s|=/usr/bin/|=$STAGE/usr/bin/|" "$STAGE/usr/lib/systemd/system/tinyvmx@.service" >"$DIR/tinyvmx@.service"
	systemd-analyze verify --man=no "$DIR/tinyvmx@.service" >"$DIR/out" 2>"$DIR/err" && [ ! -s "$DIR/err" ]
}

# From 0, all closed, to 10.
is_hardened()
{
	systemd-analyze security --offline=yes --threshold=30 "$DIR/tinyvmx@.service" >"$DIR/out" 2>"$DIR/err"
}

if command -v systemd-analyze >/dev/null; then
	ok "systemd-analyze verify takes the unit" verifies
	ok "... and finds it exposed to 3.0 at most: $(systemd-analyze security --offline=yes "$DIR/tinyvmx@.service" 2>/dev/null |
		sed -n 's/.*Overall exposure level for [^:]*: //p')" is_hardened
else
	skip "systemd-analyze verify takes the unit" "there is no systemd-analyze here"
fi

udev=$("$TESTBED/fetch" udev)
sudo=$("$TESTBED/fetch" sudo)
box -k "$K" --add "$STAGE:/stage" --add "$udev/lib:/udev" --add "$DIR/usr/local:/usr/local" --add "$sudo/usr:/usr" --add "$sudo/etc:/etc" \
	--add "$DIR/example" --add "$DIR/readme:/readme" --add "$DIR/inside:/inside" -- sh /inside
has() { grep -qxF -- "$1" "$DIR/out"; }
ok "the machine is well afterwards" ends 0
ok "udevadm verify takes the rule" has "verified"
ok "udev gives the node to the group tinyvmx" has "node: 660 0:tinyvmx"
ok "... and to who sits at the machine" has "CURRENT_TAGS=:uaccess:"
ok "a member of the group runs the example guest" has "member: 4"
ok "another user does not" has "other: 2"
ok "root does" has "root: 4"
ok "tinyvmx(4)'s example runs its guest" has "! halted"

ok "README's commands: it has two of them" test "$(wc -l <"$DIR/readme")" = 2
ok "... sudo insmod" has "sudo insmod ./tinyvmx.ko: 0"
ok "... sudo runs the guest" has "sudo build/hvctl/hvctl run guests/skernel/skernel.bin: 4"
ok "sudo finds what make install has put into /usr/local" has "sudo hvctl run /usr/local/share/tinyvmx/skernel.bin: 4"
ok "... and not what is only in the user's PATH" has "hvctl --version && sudo hvctl --version: 1"

ok "make uninstall uninstall-dkms" installs uninstall uninstall-dkms DESTDIR="$STAGE" prefix=/usr
ok "... leaves nothing" test -z "$(find "$STAGE" ! -type d)"
ok "make install into a prefix of its own" installs install PREFIX="$DIR/own"
ok "... says so where others look for it" grep -qx "prefix=$DIR/own" "$DIR/own/share/pkgconfig/tinyvmx.pc"
ok "... and tells how sudo finds it" grep -q "sudo $DIR/own/bin/hvctl" "$DIR/out"
finish
