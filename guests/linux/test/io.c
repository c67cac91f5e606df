// SPDX-License-Identifier: GPL-2.0-only
/*
 * What input and output costs, in ticks of the TSC: io WORK PLACE [WORK PLACE]...
 *
 *	read-4k FILE	one read of 4 KiB, somewhere in its first 64 MiB, past the page cache: the median of many
 *	read-64m FILE	its first 64 MiB, one after the other
 *	ping ADDRESS	an ICMP echo with 64 bytes of data, there and back: the median of many
 *	tcp ADDRESS	16 MiB to who listens at port 7000 there, until he has read all and says so
 *	tree DIRECTORY	1,000 files of 100 bytes in 10 folders: made, listed and read, removed
 *
 * Prints "io WORK TICKS" for each. For a guest and, to compare, for the host itself.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/ip_icmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <x86intrin.h>

#define ROUNDS 201
#define DISK_BYTES (64 << 20)
#define BLOCK 4096
#define CHUNK (1 << 20)
#define TCP_BYTES (16 << 20)
#define TCP_PORT 7000
#define PING_BYTES 64
#define FOLDERS 10
#define FILES 100

static void check(bool good, const char *what, const char *place)
{
	if (good)
		return;
	fprintf(stderr, "io: %s %s: %s\n", what, place, strerror(errno));
	exit(1);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t median(uint64_t *ticks)
{
	qsort(ticks, ROUNDS, sizeof(*ticks), compare);
	return ticks[ROUNDS / 2];
}

/* -------------------------------------------------------------------- disk */

/* A tmpfs of an old kernel has nothing that could be gone past. */
static int open_direct(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECT);

	return fd >= 0 || errno != EINVAL ? fd : open(path, O_RDONLY);
}

static void *aligned(size_t bytes)
{
	void *buffer = aligned_alloc(BLOCK, bytes);

	check(buffer, "memory", "");
	return memset(buffer, 1, bytes);
}

static uint64_t read_blocks(const char *path)
{
	int fd = open_direct(path);
	static uint64_t ticks[ROUNDS];
	void *buffer = aligned(BLOCK);
	uint32_t at = 1;

	check(fd >= 0, "open", path);
	for (int i = 0; i < ROUNDS; i++) {
		off_t offset = (at = at * 1664525 + 1013904223) / BLOCK % (DISK_BYTES / BLOCK) * BLOCK;
		uint64_t begin = __rdtsc();

		check(pread(fd, buffer, BLOCK, offset) == BLOCK, "read", path);
		ticks[i] = __rdtsc() - begin;
	}
	close(fd);
	free(buffer);
	return median(ticks);
}

static uint64_t read_all(const char *path)
{
	int fd = open_direct(path);
	void *buffer = aligned(CHUNK);
	uint64_t begin = __rdtsc();

	check(fd >= 0, "open", path);
	for (size_t done = 0; done < DISK_BYTES; done += CHUNK)
		check(read(fd, buffer, CHUNK) == CHUNK, "read", path);
	begin = __rdtsc() - begin;
	close(fd);
	free(buffer);
	return begin;
}

/* ----------------------------------------------------------------- network */

static struct sockaddr_in peer(const char *address)
{
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(TCP_PORT) };

	check(inet_pton(AF_INET, address, &peer.sin_addr) == 1, "address", address);
	return peer;
}

static uint16_t checksum(const void *data, size_t bytes)
{
	const uint16_t *words = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < bytes / 2; i++)
		sum += words[i];
	sum = (sum >> 16) + (sum & 0xffff);
	return ~(sum + (sum >> 16));
}

/* Of what comes in, IP header first, the answer to @sequence is waited for. */
static bool is_answer(int fd, int sequence)
{
	uint8_t packet[1500];
	ssize_t len = recv(fd, packet, sizeof(packet), 0);
	size_t header = (packet[0] & 15) * 4;
	struct icmphdr icmp;

	check(len > 0, "ping", "answer");
	if (header + sizeof(icmp) > (size_t)len)
		return false;
	memcpy(&icmp, packet + header, sizeof(icmp));
	return icmp.type == ICMP_ECHOREPLY && ntohs(icmp.un.echo.sequence) == sequence;
}

static uint64_t ping(const char *address)
{
	struct sockaddr_in to = peer(address);
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	struct timeval limit = { .tv_sec = 60 };
	static uint64_t ticks[ROUNDS];

	check(fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), "ping", address);
	for (int i = 0; i < ROUNDS; i++) {
		struct {
			struct icmphdr icmp;
			uint8_t data[PING_BYTES];
		} packet = { .icmp = { .type = ICMP_ECHO, .un.echo = { htons(42), htons(i) } } };
		uint64_t begin;

		packet.icmp.checksum = checksum(&packet, sizeof(packet));
		begin = __rdtsc();
		check(sendto(fd, &packet, sizeof(packet), 0, (struct sockaddr *)&to, sizeof(to)) > 0, "ping", address);
		while (!is_answer(fd, i))
			;
		ticks[i] = __rdtsc() - begin;
	}
	close(fd);
	return median(ticks);
}

static uint64_t tcp(const char *address)
{
	struct sockaddr_in to = peer(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char *buffer = aligned(CHUNK), word[16];
	uint64_t begin;

	check(fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to)), "connect", address);
	begin = __rdtsc();
	for (size_t done = 0; done < TCP_BYTES; done += CHUNK)
		check(write(fd, buffer, CHUNK) == CHUNK, "write", address);
	check(!shutdown(fd, SHUT_WR) && read(fd, word, sizeof(word)) > 0, "end of", address);
	begin = __rdtsc() - begin;
	close(fd);
	free(buffer);
	return begin;
}

/* -------------------------------------------------------------------- tree */

static void make_file(const char *path)
{
	static const char text[100];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	check(fd >= 0 && write(fd, text, sizeof(text)) == sizeof(text) && !close(fd), "make", path);
}

static void read_file(const char *path)
{
	char text[200];
	struct stat st;
	int fd = open(path, O_RDONLY);

	check(!stat(path, &st) && fd >= 0 && read(fd, text, sizeof(text)) == st.st_size && !close(fd), "read", path);
}

static void remove_file(const char *path) { check(!unlink(path), "remove", path); }

/* Calls @do_file for all files of @folder, and returns how many. */
static int each_file(const char *folder, void (*do_file)(const char *path))
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int count = 0;

	check(dir, "list", folder);
	while ((entry = readdir(dir))) {
		char path[600];

		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		do_file(path);
		count++;
	}
	closedir(dir);
	return count;
}

static uint64_t tree(const char *dir)
{
	uint64_t begin = __rdtsc();
	char folder[300], path[320];

	for (int i = 0; i < FOLDERS; i++) {
		snprintf(folder, sizeof(folder), "%s/folder%d", dir, i);
		check(!mkdir(folder, 0755), "make", folder);
		for (int j = 0; j < FILES; j++) {
			snprintf(path, sizeof(path), "%s/%d", folder, j);
			make_file(path);
		}
	}
	for (int i = 0; i < FOLDERS; i++) {
		snprintf(folder, sizeof(folder), "%s/folder%d", dir, i);
		errno = 0;
		check(each_file(folder, read_file) == FILES, "count", folder);
		check(each_file(folder, remove_file) == FILES && !rmdir(folder), "remove", folder);
	}
	return __rdtsc() - begin;
}

/* -------------------------------------------------------------------- main */

static const struct work {
	const char *name;
	uint64_t (*run)(const char *place);
} works[] = {
	{ "read-4k", read_blocks }, { "read-64m", read_all }, { "ping", ping }, { "tcp", tcp }, { "tree", tree },
};

int main(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		const struct work *work = works;

		while (work < works + sizeof(works) / sizeof(*works) && strcmp(work->name, argv[i]))
			work++;
		errno = EINVAL;
		check(work < works + sizeof(works) / sizeof(*works), "what is", argv[i]);
		printf("io %s %llu\n", work->name, (unsigned long long)work->run(argv[i + 1]));
		fflush(stdout);
	}
	return 0;
}
