#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Linux mounts folders of the host, one of them read-only, by virtiofs; sockets between host and guest: what is said without vhost_vsock.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
BUILD=${BUILD:-$TESTBED/../../build}
GUEST=$BUILD/linux-test/6.12
for VIRTIOFSD in /usr/libexec/virtiofsd /usr/lib/qemu/virtiofsd; do
	[ ! -x "$VIRTIOFSD" ] || break
done

# virtiofsd makes the folder its root, which cannot be done from the root of an initramfs: it gets another.
cat >"$DIR/inside" <<'END'
mkdir -p /root/new /tmp/data /tmp/more
echo "what the host says" >/tmp/data/file
echo "what stays" >/tmp/more/file
mount --rbind / /root/new
chroot /root/new hvctl run --share /tmp/data --share /tmp/more:ro,ro --initrd /linux/initrd.gz --append "quiet cryptomgr.notests nokaslr \
script=\"mkdir /mnt; mount -t virtiofs data /mnt; cat /mnt/file; echo what the guest says >/mnt/new; umount /mnt; mount -t virtiofs ro /mnt; cat /mnt/file; touch /mnt/new; umount /mnt\"" /linux/vmlinuz
echo "hvctl: $?"
cat /tmp/data/new
ls /tmp/more
ps | grep -c '[v]irtiofsd'
HVCTL_VIRTIOFSD=/nowhere hvctl run --share /tmp/data /linux/vmlinuz
hvctl run --vsock 42 /linux/vmlinuz
true
END

if [ ! -x "$VIRTIOFSD" ]; then
	skip "folders for Linux" "no virtiofsd here"
	finish
	exit
fi
box -k 6.12 --mem 512 --add "$GUEST:/linux" --add "$VIRTIOFSD:$VIRTIOFSD" --add "$DIR/inside:/inside" -- sh /inside
has() { tr -d '\r' <"$DIR/out" | cat - "$DIR/err" | grep -qE -- "$1"; }
ok "the machine" ends 0
ok "the guest reads what the host says" has '^what the host says$'
ok "and the host what the guest says" has '^what the guest says$'
ok "the guest reads of the other folder, too" has '^what stays$'
ok "and cannot write there" has 'touch: /mnt/new: Read-only file system'
ok "the guest has come to its end" has '^hvctl: 0$'
ok "no virtiofsd is left" has '^0$'
ok "no virtiofsd: told in a line" has '/nowhere: No such file or directory; install'
ok "no vhost_vsock: told in a line" has 'no /dev/vhost-vsock on this host; try .modprobe vhost_vsock'
finish
