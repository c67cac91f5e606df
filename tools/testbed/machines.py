# SPDX-License-Identifier: GPL-2.0-only
"""The machines: how to start Bochs and QEMU with a kernel, an initramfs, a payload disk and two serial ports."""

import glob
import os
import platform
import re
import shutil
import struct

from rootfs import Error

DISK_UNIT = 16 * 63 * 512       # a cylinder, by the geometry that a BIOS likes
MAX_DISKS = 3                   # beside the first, on two channels
IPS = 50_000_000                # instructions that make an emulated second
INSTRUMENTED_IPS = 8 * IPS      # where the kernel takes as many more for the same work: no timeout means anything else then
MIB = 1 << 20
BLOCK = 8 * MIB                 # Bochs: the largest piece of RAM that is contiguous
LOW_MEMORY = 3072               # MiB; Bochs: devices follow up to 4 GiB, and the rest of RAM behind them
PACKAGED_HOST_MEMORY = 2048     # MiB; Bochs 2.7: what it holds in memory; it swaps the rest to a file
SETUP_ADDRESS = 0x90000
CMDLINE_OFFSET = 0x9800
HOOK_ADDRESS = 0x9a000
KERNEL_ADDRESS = 0x100000
INITRD_ADDRESS = 0x7000000
BOCHS_MODELS = ("corei7_skylake_x", "broadwell_ult", "corei7_haswell_4770", "corei7_ivy_bridge_3770k",
                "corei7_sandy_bridge_2600k", "core2_penryn_t9600", "ryzen")
# What a machine is made of if nobody says otherwise, by the names of vtbox' options.
DEFAULTS = {"cpu": None, "cpus": 1, "mem": 512, "append": "", "errors": True, "feature_control": None, "reboots": False,
            "instruments": False, "disk": []}
# A feature of ours: a microcode revision that Linux knows no fault of, instead of 0. IA32_BIOS_SIGN_ID, as Bochs' "msrs"
# takes it: number, type, value, bits that must be 0, bits that keep their value.
NEW_MICROCODE = "new_microcode"
MICROCODE_MSR = b"8b 0 02007006 00000000 00000000 00000000 ffffffff ffffffff\n"

# Only what is wrong goes to the serial console, as that is slow: /dev/kmsg brings all of it to the log.
# A CPU that idles in MWAIT misses wake-ups in Bochs until its next tick: HLT does not.
# The kernel's tests of its own cryptography are more than half of all that a boot executes.
CMDLINE = ("console=ttyS0,115200 loglevel=5 nokaslr mitigations=off oops=panic panic=0 idle=halt"
           " cryptomgr.notests")


def command_line(append):
    """The kernel's command line; newer kernels do not take mitigations=off back."""
    fixed = CMDLINE.replace(" mitigations=off", "") if "mitigations=" in append else CMDLINE
    return f"{fixed} {append}"


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def split_kernel(vmlinuz, cmdline, initrd_size, hook=b""):
    """
    A bzImage as the boot protocol wants it in memory: (real-mode part with its header filled in, kernel).

    hook: code that runs at HOOK_ADDRESS, in protected mode, before the kernel's entry.
    """
    with open(vmlinuz, "rb") as file:
        image = file.read()
    if image[0x202:0x206] != b"HdrS":
        raise Error(f"{vmlinuz} is no Linux kernel")
    setup_size = ((image[0x1f1] or 4) + 1) * 512
    setup = bytearray(image[:setup_size].ljust(CMDLINE_OFFSET, b"\0") + cmdline.encode() + b"\0")
    setup[0x210] = 0xff                                                 # type_of_loader: undefined
    setup[0x211] |= 0x80                                                # loadflags: CAN_USE_HEAP
    struct.pack_into("<H", setup, 0x224, CMDLINE_OFFSET - 0x200)        # heap_end_ptr
    struct.pack_into("<II", setup, 0x218, INITRD_ADDRESS, initrd_size)  # ramdisk_image, ramdisk_size
    struct.pack_into("<I", setup, 0x228, SETUP_ADDRESS + CMDLINE_OFFSET)
    if hook:
        setup = setup.ljust(HOOK_ADDRESS - SETUP_ADDRESS, b"\0") + hook
        struct.pack_into("<I", setup, 0x214, HOOK_ADDRESS)              # code32_start
    return bytes(setup), image[setup_size:]


def geometry(disk):
    """What Bochs has to be told of a disk's size."""
    return f"cylinders={os.path.getsize(disk) // DISK_UNIT}, heads=16, spt=63"


def disks(work, opts):
    """The places and images of --disk, by names that no comma can be in."""
    for i, (path, _) in enumerate(opts.disk, 1):
        link = f"{work}/disk{i}"
        os.symlink(os.path.abspath(path), link)
        yield i, link


def bios_image(path, feature_control):
    """
    Bochs' BIOS, edited to write another value to IA32_FEATURE_CONTROL.

    It ORs "locked, VMX on" into the register at two places, for the first CPU and for the others:
    mov ecx, 0x3a; rdmsr; or eax, 5; wrmsr.
    """
    with open(path, "rb") as file:
        image = file.read()
    image, places = re.subn(rb"(\x3a\0\0\0\x0f\x32\x66?\x83\xc8)\x05(\x0f\x30)",
                            lambda m: m[1] + bytes([feature_control]) + m[2], image)
    if not places:
        raise Error(f"--feature-control: the place that sets it is not found in {path}")
    return image


class Bochs:
    """Bochs, with everything put straight into RAM."""

    name = "bochs"

    def __init__(self, opts, bochs, base):
        self.opts, self.bochs, self.base = opts, bochs, base
        self.packaged = not os.path.exists(os.path.join(bochs, "bochs"))
        # The packaged Bochs 2.7 has a skylake_x without working XSAVE.
        default = "broadwell_ult" if self.packaged else "corei7_skylake_x"
        self.cpu = opts.cpu or default
        self.ips = INSTRUMENTED_IPS if opts.instruments else IPS

    def images(self, vmlinuz, initrd):
        """What has to be in RAM, as (data, address)."""
        cmdline = command_line(f"tsc_early_khz={self.ips // 1000} {self.opts.append}")
        setup, kernel = split_kernel(vmlinuz, cmdline, len(initrd))
        return [(setup, SETUP_ADDRESS), (kernel, KERNEL_ADDRESS), (initrd, INITRD_ADDRESS)]

    def from_disk(self):
        """Does the boot sector load the kernel? Bochs 3.0 can put it into RAM, but at power-on only; 2.7 cannot."""
        return self.packaged or self.opts.reboots

    def on_disk(self, vmlinuz, initrd):
        """What the boot sector has to load."""
        return self.images(vmlinuz, initrd) if self.from_disk() else []

    def in_ram(self, work, vmlinuz, initrd):
        """Lines of the configuration that put the images into RAM, cut where Bochs' blocks of it end."""
        lines = []
        for data, address in self.images(vmlinuz, initrd):
            while data:
                size = BLOCK - address % BLOCK
                path = write(f"{work}/image{len(lines) + 1}", data[:size])
                lines.append(f"optramimage{len(lines) + 1}: file={path}, address=0x{address:x}")
                data, address = data[size:], address + size
        if len(lines) > 4:
            raise Error("this kernel is too large for Bochs")
        return lines

    def memory(self):
        """RAM as Bochs counts it, in MiB: up to its last byte, in whole blocks."""
        size = (self.opts.mem * MIB + BLOCK - 1) // BLOCK * (BLOCK // MIB)
        return size if size <= LOW_MEMORY else size + 4096 - LOW_MEMORY

    def command(self, work, logs, vmlinuz, initrd, disk, console_pty):
        opts = self.opts
        memory = self.memory()
        model, *features = self.cpu.split("+")
        msrs = ""
        if NEW_MICROCODE in features:
            features.remove(NEW_MICROCODE)
            msrs = ", msrs=" + write(f"{work}/msrs", MICROCODE_MSR)
        bios = f"{self.base}/usr/share/bochs/BIOS-bochs-latest"
        if opts.feature_control is not None:
            bios = write(f"{work}/bios", bios_image(bios, opts.feature_control))
        lines = [
            f"cpu: model={model}, count={opts.cpus}, ips={self.ips}, reset_on_triple_fault=0, ignore_bad_msrs=1"
            + (f', add_features="{",".join(features)}"' if features else "") + msrs,
            f"memory: guest={memory}, host="
            + (str(min(memory, PACKAGED_HOST_MEMORY)) if self.packaged else f"{memory}, block_size={BLOCK >> 10}"),
            f"romimage: file={bios}",
            f"vgaromimage: file={self.base}/usr/share/vgabios/vgabios.bin",
            f"ata0-master: type=disk, mode=flat, path={disk}, {geometry(disk)}",
            "boot: disk",
            'display_library: rfb, options="timeout=0"' if self.packaged else "display_library: nogui",
            "clock: sync=none, time0=1735689600",
            "port_e9_hack: enabled=1",
            f"com1: enabled=1, mode=file, dev={logs}/console.log",
            f"com2: enabled=1, mode=term, dev={console_pty}",
            f"log: {logs}/bochs.log",
            "panic: action=fatal",
            "error: action=" + ("report" if opts.errors else "ignore"),
            "info: action=ignore",
            "debug: action=ignore",
        ]
        # What is written to them goes to a file of this run's.
        lines += [f"ata{i // 2}-{('master', 'slave')[i % 2]}: type=disk, mode=volatile, path={path},"
                  f" journal={work}/journal{i}, {geometry(path)}" for i, path in disks(work, opts)]
        if not self.from_disk():
            lines += self.in_ram(work, vmlinuz, initrd)
        config = write(f"{work}/bochsrc", "\n".join(lines).encode() + b"\n")
        shutil.copy(config, f"{logs}/bochsrc")
        if not self.packaged:
            return [f"{self.bochs}/bochs", "-q", "-f", config], {}
        # The packaged one has the debugger compiled in, which waits for a command.
        start = write(f"{work}/start", b"c\n")
        lib = f"{self.bochs}/usr/lib"
        plugins = glob.glob(f"{lib}/*/bochs/plugins") + glob.glob(f"{lib}/bochs/plugins")
        path = ":".join(plugins + glob.glob(f"{lib}/*-linux-gnu"))
        env = {"LTDL_LIBRARY_PATH": path, "LD_LIBRARY_PATH": path, "BXSHARE": f"{self.base}/usr/share/bochs"}
        return [f"{self.bochs}/usr/bin/bochs-bin", "-q", "-f", config, "-rc", start], env


def nested_kvm():
    """Does this machine offer VT-x to a guest of QEMU/KVM?"""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    try:
        with open("/sys/module/kvm_intel/parameters/nested", encoding="ascii") as file:
            return file.read(1) in "Y1"
    except OSError:
        return False


class Qemu:
    """QEMU: with KVM where the host offers nested VT-x, else its own translator, which has no VT-x."""

    name = "qemu"
    PROGRAM = "qemu-system-x86_64"

    def __init__(self, opts):
        if not shutil.which(self.PROGRAM):
            raise Error("there is no qemu-system-x86_64 here: apt-get install qemu-system-x86")
        self.opts = opts
        self.kvm = nested_kvm() and platform.machine() == "x86_64"
        self.cpu = opts.cpu or ("host" if self.kvm else "max")

    def on_disk(self, _vmlinuz, _initrd):
        """QEMU loads the kernel itself."""
        return []

    def command(self, work, logs, vmlinuz, initrd, disk, console_pty):
        opts = self.opts
        initrd = write(f"{work}/initrd", initrd)
        return [
            self.PROGRAM, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-machine", "pc,accel=" + ("kvm" if self.kvm else "tcg"), "-cpu", self.cpu,
            "-smp", str(opts.cpus), "-m", f"{opts.mem}M",
            "-kernel", vmlinuz, "-initrd", initrd, "-append", command_line(opts.append),
            "-drive", f"file={disk},format=raw,if=ide,index=0,media=disk,snapshot=on",
            *(word for i, path in disks(work, opts)
              for word in ("-drive", f"file={path},format=raw,if=ide,index={i},media=disk,snapshot=on")),
            "-chardev", "stdio,id=out,signal=off", "-device", "isa-debugcon,iobase=0xe9,chardev=out",
            "-chardev", f"file,id=console,path={logs}/console.log", "-serial", "chardev:console",
            "-chardev", f"serial,id=input,path={console_pty}", "-serial", "chardev:input",
        ], {}
