# SPDX-License-Identifier: GPL-2.0-only
"""-m host: run the command right here, with tinyvmx loaded into this computer's own kernel."""

import os
import subprocess
import sys

BUILD_DIRS = ("guests", "selftests", "course")


def dmesg():
    return subprocess.run(["dmesg"], capture_output=True, text=True, check=False).stdout.splitlines()


def as_root(*command):
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    return subprocess.run([*prefix, *command], capture_output=True, text=True, check=False)


def links(build):
    """/guests, /selftests and /course, as the other machines have them; those that were there already are left alone."""
    made = []
    for name in BUILD_DIRS:
        target = os.path.join(build, name)
        if os.path.isdir(target) and not os.path.lexists(f"/{name}") and os.access("/", os.W_OK):
            os.symlink(target, f"/{name}")
            made.append(f"/{name}")
    return made


def run_command(opts, build):
    env = dict(os.environ, PATH=os.path.join(build, "hvctl") + ":" + os.environ["PATH"])
    try:
        process = subprocess.Popen(opts.command, env=env, cwd=opts.dir, stderr=subprocess.STDOUT)
    except FileNotFoundError:
        print(f"{opts.command[0]}: No such file or directory", file=sys.stderr)
        return 127
    try:
        status = process.wait(opts.timeout or None)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return 128 - status if status < 0 else status


def run(opts, logs, build, find_module, complaints):
    """Returns (status, error text); the error text is None when only the command's own status counts."""
    before = dmesg()
    loaded = False
    if not opts.no_module:
        if os.path.isdir("/sys/module/tinyvmx"):
            return 71, "tinyvmx is loaded here already: rmmod tinyvmx"
        result = as_root("insmod", find_module())
        if result.returncode:
            news = "\n".join(dmesg()[len(before):])
            return 71, f"tinyvmx.ko does not load: {result.stderr.strip()}\n{news}"
        loaded = True
    made = links(build)
    try:
        status = run_command(opts, build)
    except subprocess.TimeoutExpired:
        return 124, f"not done after {opts.timeout} s"
    finally:
        for link in made:
            os.unlink(link)
        unloaded = as_root("rmmod", "tinyvmx") if loaded and os.path.isdir("/sys/module/tinyvmx") else None
        news = [line for line in dmesg() if line not in set(before)]
        with open(os.path.join(logs, "kernel.log"), "w", encoding="utf-8") as file:
            file.write("\n".join(news) + "\n")
    if unloaded and unloaded.returncode:
        return 70, f"tinyvmx does not unload: {unloaded.stderr.strip()}"
    bad = [line for line in news if complaints.search(line)]
    if bad:
        return 70, "the kernel complained:\n  " + "\n  ".join(bad[:10]) + f"\nlogs: {logs}"
    return status, None
