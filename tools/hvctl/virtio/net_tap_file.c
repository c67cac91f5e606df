// SPDX-License-Identifier: GPL-2.0-only
/* A tap of the host's. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lib/util.h"
#include "net.h"
#include "net_tap_file.h"

#define TUN "/dev/net/tun"

static int no_tun(int error, struct hv_error *err)
{
	if (error == ENOENT || error == ENODEV || error == ENXIO)
		return hv_fail(err, ENODEV, "no " TUN " on this host; try 'modprobe tun'");
	if (error == EACCES || error == EPERM)
		return hv_fail(err, error,
			       "no permission to open " TUN "; try 'chmod 666 " TUN "' as root");
	return hv_fail(err, error, "cannot open " TUN ": %s", strerror(error));
}

/* EINVAL says of an interface that it is no tap, or has not as many queues. */
static int not_this_one(const char *name, int error, bool several, struct hv_error *err)
{
	switch (error) {
	case EBUSY:
		return hv_fail(err, error,
			       "%s is in use by another program, a VM perhaps; make one for each",
			       name);
	case EPERM:
		return hv_fail(
			err, error,
			"%s is not yours; as root 'ip tuntap del dev %s mode tap', then 'ip tuntap add dev %s mode tap user USER'",
			name, name, name);
	case EINVAL:
		if (several)
			return hv_fail(
				err, error,
				"%s is no tap with several queues; 'ip tuntap add dev NAME mode tap multi_queue' makes one",
				name);
		return hv_fail(err, error, "%s is no tap; 'ip tuntap' lists those there are", name);
	default:
		return hv_fail(err, error, "cannot use %s: %s", name, strerror(error));
	}
}

static int set_interface(int fd, const char *name, short flags)
{
	struct ifreq request = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | flags) };

	memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	return ioctl(fd, TUNSETIFF, &request) < 0 ? -errno : 0;
}

static int set_header(int fd)
{
	int len = HV_NET_HEADER;

	return ioctl(fd, TUNSETVNETHDRSZ, &len) < 0 ? -errno : 0;
}

/* One that can have several queues wants to hear so also from who wants one alone. */
static int open_one(const char *name, bool several, int *fd, struct hv_error *err)
{
	int error;

	*fd = open(TUN, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0)
		return no_tun(errno, err);
	error = set_interface(*fd, name, several ? IFF_MULTI_QUEUE : 0);
	if (error == -EINVAL && !several)
		error = set_interface(*fd, name, (short)IFF_MULTI_QUEUE);
	if (!error)
		error = set_header(*fd);
	return error ? not_this_one(name, -error, several, err) : 0;
}

int hv_tap_open(const char *name, int *fds, unsigned int queues, struct hv_error *err)
{
	int error = 0;

	/* The kernel would make one, for whoever may. */
	if (!if_nametoindex(name))
		return hv_fail(
			err, ENODEV,
			"no interface %s; as root 'ip tuntap add dev %s mode tap user USER' makes it",
			name, name);
	for (unsigned int i = 0; i < queues; i++)
		fds[i] = -1;
	for (unsigned int i = 0; i < queues && !error; i++)
		error = open_one(name, queues > 1, &fds[i], err);
	if (error)
		hv_tap_close(fds, queues);
	return error;
}

void hv_tap_close(int *fds, unsigned int queues)
{
	for (unsigned int i = 0; i < queues; i++) {
		hv_close(fds[i]);
		fds[i] = -1;
	}
}

int hv_tap_state(const char *name, struct hv_tap_state *state)
{
	struct ifreq request = { .ifr_mtu = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;

	if (fd < 0)
		return -errno;
	memcpy(request.ifr_name, name, strnlen(name, IFNAMSIZ - 1));
	if (ioctl(fd, SIOCGIFMTU, &request) < 0)
		error = -errno;
	state->mtu = (unsigned int)request.ifr_mtu;
	if (!error && ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		error = -errno;
	state->is_up = request.ifr_flags & IFF_UP;
	close(fd);
	return error;
}

int hv_tap_attach(int fd, bool attached)
{
	struct ifreq request = { .ifr_flags = attached ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE };

	return ioctl(fd, TUNSETQUEUE, &request) < 0 ? -errno : 0;
}

int hv_tap_set_offloads(int fd, unsigned long long offloads)
{
	static const struct {
		uint64_t feature;
		unsigned int flag;
	} flags[] = {
		{ HV_NET_F(GUEST_TSO4), TUN_F_TSO4 },
		{ HV_NET_F(GUEST_TSO6), TUN_F_TSO6 },
		{ HV_NET_F(GUEST_ECN), TUN_F_TSO_ECN },
	};
	unsigned int wanted = 0;

	/* What is cut up has its checksums left open, too. */
	if (offloads & HV_NET_F(GUEST_CSUM)) {
		wanted = TUN_F_CSUM;
		for (unsigned int i = 0; i < ARRAY_SIZE(flags); i++)
			if (offloads & flags[i].feature)
				wanted |= flags[i].flag;
		/* ECN is a word about the others. */
		if (!(wanted & (TUN_F_TSO4 | TUN_F_TSO6)))
			wanted &= ~TUN_F_TSO_ECN;
	}
	return ioctl(fd, TUNSETOFFLOAD, (unsigned long)wanted) < 0 ? -errno : 0;
}
