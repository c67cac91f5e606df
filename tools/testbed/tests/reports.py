#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""reports.py: where a report begins and ends, and whose it is."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
# pylint: disable=wrong-import-position
import reports

RULER = "=" * 66
RACE = f"""\
{RULER}
BUG: KCSAN: data-race in %s / %s

write to 0xffff888004c3a2c0 of 8 bytes by task 61 on cpu 1:
 %s+0x12/0x40%s
 tvx_vcpu_run+0x8a/0x300 [tinyvmx]

read to 0xffff888004c3a2c0 of 8 bytes by task 60 on cpu 0:
 %s+0x33/0x80%s
 __x64_sys_ioctl+0x1f/0x60

value changed: 0x0000000000000001 -> 0x0000000000000002
{RULER}
"""
LEAK = """\
unreferenced object 0xffff888004c3a2c0 (size 192):
  comm "vm", pid 61, jiffies 4294672021
  backtrace (crc 0):
    __kmalloc_cache_noprof+0x11b/0x1a0
    %s
"""
OOB = f"""\
{RULER}
BUG: KASAN: slab-out-of-bounds in kfree+0x1/0x2
Call Trace:
 <TASK>
 kfree+0x1/0x2
 </TASK>

Allocated by task 61:
 %s
{RULER}
tinyvmx: a line after it that tells of [tinyvmx]
"""
CASES = (
    # what, log, (kind, ours, counts) of each report
    ("nothing", "tinyvmx: loaded\nall is well", []),
    ("a race of ours", RACE % ("tvx_a", "other", "tvx_a", " [tinyvmx]", "other", ""), [("KCSAN", True, True)]),
    ("a race of ours, by a helper", RACE % ("memcpy", "other", "__memcpy", "", "other", ""), [("KCSAN", True, True)]),
    ("a race of others, called by us", RACE % ("other", "third", "other", "", "third", ""), [("KCSAN", False, False)]),
    ("a leak of ours", LEAK % "tvx_vm_create+0x1/0x2 [tinyvmx]", [("kmemleak", True, True)]),
    ("a leak of what is unloaded", LEAK % "0xffffffffa0123456", [("kmemleak", True, True)]),
    ("a leak of others", LEAK % "other+0x1/0x2", [("kmemleak", False, False)]),
    ("two leaks", LEAK % "other+0x1/0x2" + LEAK % "tvx_vm_create+0x1/0x2 [tinyvmx]",
     [("kmemleak", False, False), ("kmemleak", True, True)]),
    ("memory of ours", OOB % "tvx_vm_create+0x1/0x2 [tinyvmx]", [("KASAN", True, True)]),
    ("memory of others: it counts, too", OOB % "other+0x1/0x2", [("KASAN", False, True)]),
    ("locks", "WARNING: possible circular locking dependency detected\n tvx_a+0x1/0x2 [tinyvmx]\n </TASK>",
     [("lockdep", True, True)]),
    ("wait context", "[ BUG: Invalid wait context ]\n other+0x1/0x2\n </TASK>", [("lockdep", False, True)]),
    ("sleeping", "BUG: sleeping function called from invalid context at kernel/locking/mutex.c:1", [("sleeping", False, True)]),
    ("an instrument that is off", "testbed: WARNING: lockdep does not work any more", [("lockdep", False, True)]),
    ("a warning", "WARNING: CPU: 0 PID: 1 at mm/x.c:1 f+0x1/0x2", [("other", False, True)]),
)


def main():
    for number, (what, log, wanted) in enumerate(CASES, 1):
        found = [(r.kind, r.ours(), r.counts()) for r in reports.split(log.splitlines())]
        print(f"{'ok' if found == wanted else 'not ok'} {number} - {what}")
        if found != wanted:
            print(f"# {found} instead of {wanted}")
    print(f"1..{len(CASES)}")


if __name__ == "__main__":
    main()
