# SPDX-License-Identifier: GPL-2.0-only
"""What is in the machine: a small initramfs, and a payload that the agent unpacks from the first disk."""

import io
import lzma
import os
import re
import shlex
import stat
import struct
import subprocess
import tarfile

# Modules of the distribution's kernel to have in the machine; what they depend on comes along.
KERNEL_MODULES = ("kvm", "kvm_intel", "irqbypass", "msr", "cpuid", "tun", "vhost_net", "vhost_vsock", "bridge", "brd")
# What hvctl loads when it is asked for a network: ldd does not tell of it.
LOADED_LIBRARIES = ("libslirp.so.0",)
# For --disk: the controller of the emulated board, and disks.
DISK_MODULES = ("ata_piix", "sd_mod")
SECTOR = 512
MAGIC_OFFSET = 256
TABLE_OFFSET = 0x140
MAGIC = b"TVXPAYLOAD"
ELFCLASS64, PT_DYNAMIC = 2, struct.pack("<I", 2)


class Error(Exception):
    """Something the user can mend; its text says what."""


def cpio(entries):
    """Make a cpio archive ("newc") of (path, mode, data) entries, as the kernel unpacks it."""
    out = io.BytesIO()

    def add(ino, path, mode, data):
        name = path.encode() + b"\0"
        fields = (ino, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        out.write(b"070701" + b"".join(b"%08x" % f for f in fields) + name)
        out.write(b"\0" * (-out.tell() % 4))
        out.write(data)
        out.write(b"\0" * (-out.tell() % 4))

    for ino, (path, mode, data) in enumerate(entries, 1):
        add(ino, path, mode, data)
    add(0, "TRAILER!!!", 0, b"")
    return out.getvalue()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def initramfs(base, here, agent):
    """busybox with a link for each applet, the agent, and process 1."""
    busybox = os.path.join(base, "bin/busybox")
    applets = subprocess.run([busybox, "--list-full"], check=True, capture_output=True, text=True).stdout.split()
    directory, program, link = stat.S_IFDIR | 0o755, stat.S_IFREG | 0o755, stat.S_IFLNK | 0o777
    entries = [(d, directory, b"") for d in
               ("bin", "sbin", "usr", "usr/bin", "usr/sbin", "proc", "sys", "dev", "tmp", "root", "etc")]
    entries += [("bin/busybox", program, read(busybox)),
                ("bin/agent", program, read(agent)),
                ("init", program, read(os.path.join(here, "init"))),
                ("etc/finish", program, read(os.path.join(here, "finish"))),
                ("etc/passwd", stat.S_IFREG | 0o644, b"root::0:0:root:/root:/bin/sh\n"),
                ("etc/group", stat.S_IFREG | 0o644, b"root:x:0:\n")]
    entries += [(a, link, b"/bin/busybox") for a in applets if a not in ("bin/busybox", "sbin/init", "linuxrc")]
    return cpio(entries)


def is_dynamic(path):
    """May it need libraries? A guest's image, say, is ELF, too."""
    with open(path, "rb") as file:
        head = file.read(4096)
    if head[:4] != b"\x7fELF" or len(head) < 64 or head[4] != ELFCLASS64:
        return head[:4] == b"\x7fELF"
    offset, size, count = struct.unpack_from("<32xQ14xHH", head)
    return any(head[at:at + 4] == PT_DYNAMIC for at in range(offset, offset + size * count, size))


def libraries(programs):
    """The shared libraries of programs, by one ldd for all: each takes longer to start than to look."""
    ldd = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False)
    program = programs[0]
    for line in ldd.stdout.splitlines():
        if line.endswith(":"):
            program = line[:-1]
        missing = re.match(r"\s+(\S+) => not found", line)
        if missing:
            raise Error(f"{program} needs {missing[1]}, which is not on this machine")
        found = re.match(r"\s+(?:\S+ => )?(/\S+) \(0x", line)
        if found:
            yield found[1]


def lean(path, kept):
    """
    A program without its debug information, three quarters of it, which each boot would copy. It is in the folder kept, for
    the next time; without strip the program will do as it is.
    """
    copy = os.path.join(kept, path.strip("/").replace("/", ","))
    when = os.stat(path).st_mtime_ns
    if os.path.exists(copy) and os.stat(copy).st_mtime_ns == when:
        return copy
    os.makedirs(kept, exist_ok=True)
    new = f"{copy}.{os.getpid()}"
    try:
        if subprocess.run(["strip", "--strip-debug", "-o", new, path], capture_output=True, check=False).returncode:
            return path
    except FileNotFoundError:
        return path
    os.utime(new, ns=(when, when))
    os.replace(new, copy)
    return copy


def loaded_libraries():
    """The shared libraries that hvctl loads by their names, as far as this machine has them."""
    for name in LOADED_LIBRARIES:
        gcc = subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=False)
        path = os.path.normpath(gcc.stdout.strip())
        if os.path.isabs(path):
            yield path


class Payload:
    """A tar in the making."""

    def __init__(self):
        self.file = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.file, mode="w", format=tarfile.GNU_FORMAT,
                                dereference=True)
        self.have = set()
        self.programs = []      # whose libraries are to come

    def _directories(self, dst):
        parent = os.path.dirname(dst.strip("/"))
        if parent and parent not in self.have:
            self._directories(parent)
            info = tarfile.TarInfo(parent)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            self.tar.addfile(info)
            self.have.add(parent)

    def text(self, dst, data, mode=0o644):
        """A file with the given content."""
        self._directories(dst)
        info = tarfile.TarInfo(dst.strip("/"))
        info.size, info.mode = len(data), mode
        self.tar.addfile(info, io.BytesIO(data))

    def add(self, src, dst):
        """A file or folder of this machine, with the libraries its programs need."""
        dst = dst.strip("/")
        self._directories(dst)
        if os.path.isdir(src):
            for name in sorted(os.listdir(src)):
                self.member(os.path.join(src, name), os.path.join(dst, name))
            if dst and dst not in self.have:
                self._directories(os.path.join(dst, "x"))
            return
        info = self.tar.gettarinfo(src, dst)
        if info is None or not info.isreg():
            return  # a socket, a device: nothing to copy
        info.uid = info.gid = 0
        info.uname = info.gname = "root"
        with open(src, "rb") as file:
            self.tar.addfile(info, file)
        self.have.add("/" + dst)
        if info.mode & 0o111 and is_dynamic(src):
            self.programs.append(src)

    def member(self, src, dst):
        """An entry of a folder: a link stays a link."""
        if os.path.islink(src):
            self._directories(dst)
            info = tarfile.TarInfo(dst.strip("/"))
            info.type, info.linkname, info.mode = tarfile.SYMTYPE, os.readlink(src), 0o777
            self.tar.addfile(info)
        else:
            self.add(src, dst)

    def done(self):
        for lib in libraries(self.programs) if self.programs else ():
            if lib not in self.have:
                self.add(lib, lib)
        self.tar.close()
        return self.file.getvalue()


def module_name(path):
    return os.path.basename(path).split(".ko")[0].replace("-", "_")


def module_image(path):
    data = read(path)
    return lzma.decompress(data) if path.endswith(".xz") else data


def kernel_modules(kernel_dir, release, wanted, extra):
    """Yield (path in the machine, image) of those wanted and what they need, and a modules.dep at the end."""
    top = os.path.join(kernel_dir, "lib/modules", release)
    found = {}
    for directory, _, names in os.walk(top):
        for name in names:
            if ".ko" in name:
                path = os.path.join(directory, name)
                found[module_name(path)] = path
    needs, images, todo = {}, {}, [m for m in wanted if m in found]
    found.update({module_name(path): path for path in extra})
    todo += [module_name(path) for path in extra]
    while todo:
        name = todo.pop()
        if name in images or name not in found:
            continue
        images[name] = module_image(found[name])
        depends = re.search(rb"(?:^|\0)depends=([^\0]*)", images[name])
        needs[name] = [d.replace("-", "_") for d in depends[1].decode().split(",") if d] if depends else []
        todo += needs[name]

    def closure(name):
        """What a module needs, each before what it needs itself: modprobe begins at the end."""
        result = []
        for need in needs[name]:
            more = [need] + closure(need)
            result = [module for module in result if module not in more] + more
        return result

    names = {m: os.path.basename(found[m]).removesuffix(".xz") for m in images}
    for module, image in images.items():
        yield f"lib/modules/{release}/{names[module]}", image
    dep = "".join(f"{names[m]}:{''.join(' ' + names[n] for n in closure(m) if n in names)}\n" for m in images)
    yield f"lib/modules/{release}/modules.dep", dep.encode()


def settings(module, command, get, cwd, size, swap, disks):
    """/etc/testbed: what process 1 has to know, as shell variables; size is the terminal's, if there is one, swap in MiB."""
    values = {"MODULE": module, "COMMAND": shlex.join(command), "GET": shlex.join(g.strip("/") for g in get),
              "DIR": cwd, "SWAP": str(swap or ""), "DISKS": shlex.join("/" + disk.strip("/") for disk in disks)}
    if size:
        values["TTY"] = "-t"
        values["LINES"], values["COLUMNS"] = str(size[1]), str(size[0])
    return "".join(f"{k}={shlex.quote(v)}\n" for k, v in values.items()).encode()


def payload_disk(path, boot, payload, images):
    """
    Write the disk: the boot sector with its table of images to load, the payload, the images.

    Images are (data, address). The size is rounded up to what a BIOS likes.
    """
    head, table, body = bytearray(boot.ljust(SECTOR, b"\0")), b"", [payload]
    text = MAGIC + b"%d" % len(payload)
    head[MAGIC_OFFSET:MAGIC_OFFSET + len(text)] = text
    where = SECTOR + len(payload)
    for data, address in images:
        body.append(b"\0" * (-where % SECTOR))
        where += len(body[-1])
        table += struct.pack("<III", where // SECTOR, -(-len(data) // SECTOR), address)
        body.append(data)
        where += len(data)
    head[TABLE_OFFSET:TABLE_OFFSET + len(table)] = table
    head[510:] = b"\x55\xaa"
    cylinder = 16 * 63 * SECTOR
    with open(path, "wb") as disk:
        disk.write(head)
        for part in body:
            disk.write(part)
        # The BIOS reads a whole chunk even where an image ends in its middle.
        disk.truncate((where + (1 << 16)) // cylinder * cylinder + cylinder)
