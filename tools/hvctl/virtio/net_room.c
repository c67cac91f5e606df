// SPDX-License-Identifier: GPL-2.0-only
/* Whether a frame may cost a descriptor, and whether there is one. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net_room.h"

/* Who opens a connection says so; all others of TCP belong to one. */
static bool opens_connection(const uint8_t *frame, size_t len, size_t at)
{
	struct tcphdr tcp;

	if (at + sizeof(tcp) > len)
		return false;
	memcpy(&tcp, frame + at, sizeof(tcp));
	return tcp.syn && !tcp.ack;
}

static bool may_open_ipv4(const uint8_t *frame, size_t len)
{
	struct iphdr ip;

	if (sizeof(struct ethhdr) + sizeof(ip) > len)
		return false;
	memcpy(&ip, frame + sizeof(struct ethhdr), sizeof(ip));
	/* Of fragments the first alone has ports; libslirp puts them together. */
	if (ip.protocol != IPPROTO_TCP || ip.frag_off & htons(IP_MF | IP_OFFMASK))
		return true;
	return opens_connection(frame, len, sizeof(struct ethhdr) + ip.ihl * 4u);
}

static bool may_open_ipv6(const uint8_t *frame, size_t len)
{
	struct ip6_hdr ip;

	if (sizeof(struct ethhdr) + sizeof(ip) > len)
		return false;
	memcpy(&ip, frame + sizeof(struct ethhdr), sizeof(ip));
	if (ip.ip6_nxt != IPPROTO_TCP)
		return true;
	return opens_connection(frame, len, sizeof(struct ethhdr) + sizeof(ip));
}

bool hv_net_may_open(const uint8_t *frame, size_t len)
{
	struct ethhdr eth;

	if (sizeof(eth) > len)
		return false;
	memcpy(&eth, frame, sizeof(eth));
	switch (ntohs(eth.h_proto)) {
	case ETH_P_IP:
		return may_open_ipv4(frame, len);
	case ETH_P_IPV6:
		return may_open_ipv6(frame, len);
	default:
		return false;
	}
}

unsigned int hv_net_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur <= HV_NET_DESCRIPTORS_KEPT)
		return 0;
	return limit.rlim_cur > INT_MAX ? INT_MAX :
					  (unsigned int)limit.rlim_cur - HV_NET_DESCRIPTORS_KEPT;
}

/* The lowest number that is free is what the next one gets. */
bool hv_net_has_room(unsigned int limit)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return false;
	close(fd);
	return (unsigned int)fd < limit;
}

bool hv_net_is_listening(int fd)
{
	int listening = 0;
	socklen_t len = sizeof(listening);

	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) && listening;
}
