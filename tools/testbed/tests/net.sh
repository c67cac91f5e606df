#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Networks between VMs: two Linux guests at interfaces of a bridge, one with the kernel's vhost-net, one without, talk to each other
# and to the host; a guest and its host talk by vsock.

set -u
# shellcheck source-path=SCRIPTDIR source=tap.sh
. "$(dirname "$0")/tap.sh"
TOP=$TESTBED/../..
BUILD=${BUILD:-$TOP/build}
GUEST=$BUILD/linux-test/6.12
if [ ! -e "$GUEST/vmlinuz" ]; then
	skip "two guests at a bridge" "no Linux 6.12 here"
	finish
	exit
fi
gcc -std=gnu11 -O2 -D_GNU_SOURCE -Wall -Wextra -Werror -static -s -o "$DIR/vsock" "$TOP/guests/linux/test/vsock.c" ||
	{ echo "Bail out! vsock.c does not compile"; exit 1; }
"$TOP/guests/linux/initrd" --add "$DIR/vsock" "$DIR/vsock.cpio"
cat "$GUEST/initrd.gz" "$GUEST/virtio.cpio" "$DIR/vsock.cpio" >"$DIR/initrd"

cat >"$DIR/inside" <<'END'
DRIVERS="for m in virtio_pci virtio_net vmw_vsock_virtio_transport; do modprobe \$m; done"

# guest NAME ADDRESS NET COMMANDS [OPTION...]
guest()
{
	name=$1 address=$2 net=$3 commands=$4
	shift 4
	hvctl run --name "$name" --mem 128M --net "$net" "$@" --initrd /initrd --append "quiet cryptomgr.notests script=\"$DRIVERS; \
ip addr add $address/24 dev eth0; ip link set eth0 up; $commands\"" /linux/vmlinuz </dev/null >"/tmp/$name" 2>&1
}

modprobe tun && modprobe bridge && modprobe vhost_net && modprobe vhost_vsock || echo "no modules"
ip link add br0 type bridge
ip addr add 10.9.0.1/24 dev br0
for n in 0 1; do
	tunctl -t tap$n >/dev/null
	ip link set tap$n master br0
	ip link set tap$n up
done
ip link set br0 up
seq 300000 >/tmp/numbers

# One waits for what the other sends, and for the host.
guest kernel 10.9.0.2 tap:tap0,vhost=on "nc -l -p 7 >/tmp/got; md5sum /tmp/got; vsock 5 >/tmp/heard </tmp/got; md5sum /tmp/heard" --vsock 42 &
first=$!
guest hvctl 10.9.0.3 tap:tap1,vhost=off "ping -c 3 -w 20 10.9.0.1; ping -c 3 -w 200 10.9.0.2; seq 300000 >/tmp/numbers; sleep 3; \
nc 10.9.0.2 7 </tmp/numbers; echo sent \$?" &
second=$!
until grep -q '/tmp/got' /tmp/kernel || ! kill -0 $first 2>/dev/null; do sleep 0.2; done
ls -l /proc/[0-9]*/fd 2>/dev/null | grep -o '/dev/vhost.*' | sort >/tmp/vhost
tries=0
until vsock 42 5 </tmp/numbers >/tmp/back 2>/tmp/vsock; do
	tries=$((tries + 1))
	[ $tries -lt 100 ] || break
	sleep 0.2
done
wait $first $second
for name in kernel hvctl vsock; do
	tr -d '\r' </tmp/$name | sed "s/^/$name: /"
done
echo "vhost:" $(cat /tmp/vhost)
echo "back by vsock: $(md5sum </tmp/back)"
echo "sent: $(md5sum </tmp/numbers)"
END

box -c "${CPUS:-2}" -k "$K" --mem 768 --timeout 500 --add "$GUEST/vmlinuz:/linux/" --add "$DIR/initrd:/" --add "$DIR/vsock:/bin/" \
	--add "$DIR/inside:/inside" -- sh /inside
SUM=$(seq 300000 | md5sum | cut -d' ' -f1)
has() { grep -qE -- "$1" "$DIR/out"; }
ok "the machine" ends 0
ok "a guest reaches the host" has '^hvctl: .*bytes from 10.9.0.1'
ok "a guest reaches the other" has '^hvctl: .*bytes from 10.9.0.2'
ok "what it sends by TCP comes there whole" has "^kernel: $SUM  /tmp/got"
ok "by the host's kernel" has '^vhost: /dev/vhost-net /dev/vhost-vsock'
ok "a guest hears by vsock what the host says" has "^kernel: $SUM  /tmp/heard"
ok "and the host what the guest says" has "^back by vsock: $SUM"
finish
