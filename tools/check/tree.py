# SPDX-License-Identifier: GPL-2.0-only
"""Where the tree is that is checked, and its hvctl."""

import fcntl
import os
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
BUILD = os.environ.get("BUILD", os.path.join(TOP, "build"))


def hvctl():
    """Build it, one check at a time: they run at once. Return: its path."""
    out = os.path.join(BUILD, "check/gcc")
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(["make", "-s", "-C", os.path.join(TOP, "tools/hvctl"), f"BUILD={out}", "CC=gcc", "all"], check=True)
    return os.path.join(out, "hvctl/hvctl")
