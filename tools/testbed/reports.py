# SPDX-License-Identifier: GPL-2.0-only
"""What a kernel complains of: the lines that mean that something is wrong, the reports they begin, and whose they are."""

import re

# Lines of a kernel's log that mean something is wrong, whatever the command said.
COMPLAINTS = re.compile(
    r"WARNING: |BUG: |BUG at |Oops|Kernel panic|kernel panic|\[#\d+\]|blocked for more than \d+ seconds|"
    r"possible circular locking|possible recursive locking|inconsistent lock state|suspicious RCU usage|"
    r"unchecked MSR access|soft lockup|hard LOCKUP|self-detected stall|detected stalls|rcu.*stall|"
    r"general protection fault, |unable to handle|scheduling while atomic|sleeping function called|"
    r"bad: scheduling|refcount_t: |list_(add|del) corruption|Bad page state|UBSAN:|KASAN:|ODEBUG: |"
    r"unreferenced object ")

# The instrument that a report is of, by its first line; the first that fits.
KINDS = (("KASAN", r"KASAN:"), ("KCSAN", r"KCSAN:"), ("UBSAN", r"UBSAN:"), ("kmemleak", r"unreferenced object "),
         ("sleeping", r"sleeping function called|scheduling while atomic|bad: scheduling"),
         ("lockdep", r"possible (circular|recursive) locking|inconsistent lock|inversion|Invalid wait context|bad unlock|"
                     r"suspicious RCU|lockdep|held lock|lock held"))
# These alone find, in all of the kernel, what is known there and does no harm: only those about our code count.
TOLD_APART = ("KCSAN", "kmemleak")
# A function of ours; once it is unloaded a bare address, up where modules are.
OURS = re.compile(r"\[tinyvmx\]|\btvx_\w+|^\s*0xffffffff[a-f][0-9a-f]{7}$")
# What a function does its accesses with: not who is to blame for a race.
HELPERS = re.compile(r" *_*(copy_(to|from)_user|mem(cpy|set|move|cmp)|h?list_|find_\w*bit|bitmap_)")
LONGEST = 200


class Report:
    """A complaint with the lines that explain it."""

    def __init__(self, line):
        self.title, self.lines = line.strip(), [line]
        self.kind = next((kind for kind, pattern in KINDS if re.search(pattern, line)), "other")

    def ends_with(self, line):
        """KASAN and KCSAN draw a line below, most others end with a stack, a leak with the next one."""
        if self.kind in ("KASAN", "KCSAN"):
            return line.startswith("=====")
        return "</TASK>" in line or "---[ end trace" in line or len(self.lines) >= LONGEST

    def accesses(self):
        """KCSAN: who did the accesses that race: the first frame of each stack that is no helper."""
        wanted = False
        for line in self.lines:
            if re.match(r"(race at unknown origin|.*(read|write)\b.* (to|at) 0x)", line):
                wanted = True
            elif wanted and re.match(r" \S+\+0x", line) and not HELPERS.match(line):
                wanted = False
                yield line

    def ours(self):
        """For a data race it does not matter from where the accesses were called: many are the scheduler's, in a RUN."""
        lines = self.accesses() if self.kind == "KCSAN" else self.lines
        return any(OURS.search(line) for line in lines)

    def counts(self):
        return self.kind not in TOLD_APART or self.ours()

    def text(self):
        whose = "ours" if self.ours() else "not ours" if self.counts() else "the kernel's own"
        return f"{self.kind}, {whose}: {self.title}"


def split(lines):
    """The reports in a kernel's log."""
    result, current = [], None
    for line in lines:
        if current and current.ends_with(line):
            current.lines.append(line)
            current = None
        elif COMPLAINTS.search(line):
            current = Report(line)
            result.append(current)
        elif current:
            current.lines.append(line)
    return result
