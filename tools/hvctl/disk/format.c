// SPDX-License-Identifier: GPL-2.0-only
/* Known by their magic numbers, as their specifications give them. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "lib/util.h"

struct format {
	const char *name;
	unsigned int offset, len;
	const char *magic;
	const char *unpack;	/* the program that does; NULL: qemu-img knows it */
};

#define MAGIC(text) sizeof(text) - 1, (text)

static const struct format formats[] = {
	{ "a qcow2 image", 0, MAGIC("QFI\xfb"), NULL },
	{ "a QED image", 0, MAGIC("QED\0"), NULL },
	{ "a VMDK image", 0, MAGIC("KDMV"), NULL },
	{ "a VMDK image", 0, MAGIC("COWD"), NULL },
	{ "a VMDK image's description", 0, MAGIC("# Disk DescriptorFile"), NULL },
	{ "a VDI image", 0x40, MAGIC("\x7f\x10\xda\xbe"), NULL },
	{ "a VHDX image", 0, MAGIC("vhdxfile"), NULL },
	{ "a VHD image", 0, MAGIC("conectix"), NULL },
	{ "a Parallels image", 0, MAGIC("WithoutFreeSpace"), NULL },
	{ "a Parallels image", 0, MAGIC("WithouFreSpacExt"), NULL },
	{ "a Bochs image", 0, MAGIC("Bochs Virtual HD Image"), NULL },
	{ "compressed by gzip", 0, MAGIC("\x1f\x8b\x08"), "gzip -dk" },
	{ "compressed by xz", 0, MAGIC("\xfd\x37zXZ\0"), "xz -dk" },
	{ "compressed by zstd", 0, MAGIC("\x28\xb5\x2f\xfd"), "zstd -d" },
	{ "compressed by bzip2", 0, MAGIC("BZh"), "bzip2 -dk" },
	{ "compressed by lz4", 0, MAGIC("\x04\x22\x4d\x18"), "lz4 -d" },
	{ "a ZIP archive", 0, MAGIC("PK\3\4"), "unzip" },
};

#define LOOK_AT 512

/* What else can be done with a disk; a CD has no options, and no other way into a guest. */
static int refuse(const struct format *f, const struct hv_disk_config *config, struct hv_error *err)
{
	if (f->unpack)
		return hv_fail(err, EINVAL, "%.150s is %s; unpack it first (%s)%s", config->path,
			       f->name, f->unpack, config->disc ? "" : ", or say format=raw");
	return hv_fail(
		err, EINVAL, "%.150s is %s; convert it (qemu-img convert -O raw OLD NEW)%s",
		config->path, f->name,
		config->disc ?
			"" :
			", or have qemu-storage-daemon serve it (--vhost-user blk:SOCKET), or say format=raw");
}

int hv_disk_check_format(int fd, const struct hv_disk_config *config, struct hv_error *err)
{
	char head[LOOK_AT];
	ssize_t len = pread(fd, head, sizeof(head), 0);

	if (len < 0)
		return hv_fail(err, errno, "%.150s: cannot be read: %s", config->path,
			       strerror(errno));
	for (const struct format *f = formats; f < formats + ARRAY_SIZE(formats); f++)
		if (f->offset + f->len <= (size_t)len &&
		    !memcmp(head + f->offset, f->magic, f->len))
			return refuse(f, config, err);
	return 0;
}
