#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
course.py [PAGE...]: what the course says happens: its commands, run in one machine, print what its pages show.

A fenced block of a page (docs/course/*.md) whose first line is "$ COMMAND" is checked. Behind a command stands its output,
standard error among it, up to the next command. "> " goes on with a command; "lab> " is a line of its standard input. In
the output a line "..." is any number of lines, "..." inside of a line any text, "~12" a decimal number that varies,
"~0x12" a hexadecimal one. The commands of a page share a shell, and each page begins with the module loaded anew.

Blocks that begin with "host$ " are for the computer at hand, and are not run here.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
BUILD = os.environ.get("BUILD", os.path.join(TOP, "build"))
COURSE = os.path.join(TOP, "docs/course")
LINUX = os.path.join(BUILD, "linux-test/6.1")
LIMIT = int(os.environ.get("LIMIT") or 900) - 20     # seconds
PROMPT, MORE, INPUT, HOST = "$ ", "> ", "lab> ", "host$ "

# run NUMBER COMMAND INPUT: with the status of the one before in $?. page NAME: begin another one.
INSIDE = """\
status=0
run()
{
	printf '%s' "$3" >/tmp/.input
	printf '\\n#### begin %s\\n' "$1"
	(exit $status)
	eval "$2" </tmp/.input 2>&1
	status=$?
	printf '\\n#### end %s\\n' "$1"
}
page()
{
	cd / && rm -rf /root && mkdir /root || exit
	rmmod tinyvmx 2>/dev/null
	insmod "/lib/modules/$(uname -r)/tinyvmx.ko" || exit
}
# What a page has left running is its mistake, and no trouble for the next one.
leave()
{
	printf '\\n#### begin %s\\n' "$1"
	hvctl ps | sed 1d
	printf '\\n#### end %s\\n' "$1"
	for vm in $(hvctl ps | sed 1d | cut -d ' ' -f 1); do
		hvctl kill "$vm"
	done
}
"""


class Command:
    """A command of a page: where it stands, what it reads, and the lines that it shall print, with their numbers."""

    def __init__(self, page, line, text):
        self.page, self.line, self.text = page, line, text
        self.input, self.expected = "", []

    def name(self):
        return f"{self.page}:{self.line}: {self.text.splitlines()[0]}"


def mistake(page, line, text):
    sys.exit(f"course.py: docs/course/{page}:{line}: {text}")


def parse(page, lines):
    """The commands of a page."""
    commands, inside, checked = [], False, False
    for number, line in enumerate(lines, 1):
        if line.startswith("```"):
            inside, checked, first = not inside, False, True
            continue
        if not inside:
            continue
        if first:
            checked, first = line.startswith(PROMPT), False
        if line.startswith(PROMPT) and not checked:
            mistake(page, number, "a command in a block that does not begin with one is not checked")
        if not checked:
            continue
        last = commands[-1] if commands else None
        if line.startswith(PROMPT):
            commands.append(Command(page, number, line.removeprefix(PROMPT)))
        elif line.startswith(MORE) and not last.expected:
            last.text += "\n" + line.removeprefix(MORE)
        elif line.startswith(INPUT):
            last.input += line.removeprefix(INPUT) + "\n"
        else:
            last.expected.append((number, line))
    if inside:
        mistake(page, len(lines), "a block without an end")
    return commands


def pattern(line):
    """A line of a page as a regular expression."""
    parts = re.split(r"(\.\.\.|~0x[0-9a-f]+|~[0-9]+(?:\.[0-9]+)?| +)", line.rstrip())
    loose = "~" in line     # numbers of other lengths move what stands behind them
    result = ""
    for part in parts:
        if part == "...":
            result += ".*"
        elif part.startswith("~0x"):
            result += "0x[0-9a-f]+"
        elif part.startswith("~") and len(part) > 1:
            result += r"[0-9]+(\.[0-9]+)?"
        elif part.startswith(" ") and loose:
            result += " +" if result else " *"
        else:
            result += re.escape(part)
    return re.compile(result)


def compare(expected, seen):
    """None, or where it first goes wrong: (line of the page, what stands there, what was printed instead)."""
    reach = {0}     # how many lines of what was seen can be used up by now
    for number, line in expected:
        if line == "...":
            reach = set(range(min(reach), len(seen) + 1))
            continue
        wanted = pattern(line)
        after = {i + 1 for i in reach if i < len(seen) and wanted.fullmatch(seen[i])}
        if not after:
            where = min(reach)
            return number, line, seen[where] if where < len(seen) else "nothing more"
        reach = after
    if len(seen) in reach:
        return None
    return expected[-1][0] if expected else None, "nothing more", seen[max(reach)]


# What the comparison must say of a page and an output: None, or the line of the page where they part.
CASES = (
    ("the same", ["a", "b"], ["a", "b"], None),
    ("another line", ["a", "b"], ["a", "c"], 2),
    ("a line less", ["a", "b"], ["a"], 2),
    ("a line more", ["a"], ["a", "b"], 1),
    ("nothing, and something", [], ["a"], 0),
    ("lines left out", ["a", "...", "d"], ["a", "b", "c", "d"], None),
    ("lines left out, but not the last", ["a", "...", "d"], ["a", "b", "c"], 3),
    ("what is left out ends at its last occurrence", ["...", "a"], ["a", "b", "a"], None),
    ("words left out", ["a ... d"], ["a b c d"], None),
    ("numbers that vary", ["n ~12, ~0x1f"], ["n   7, 0xabc"], None),
    ("a word for a number", ["n ~12"], ["n x"], 1),
    ("a number that does not vary", ["n 12"], ["n 13"], 1),
)


def linux():
    """vtbox's options for the Linux guest, which "make test" has made, or else this."""
    files = [os.path.join(LINUX, name) for name in ("vmlinuz", "initrd.gz")]
    if not all(os.path.exists(file) for file in files):
        subprocess.run([os.path.join(TOP, "guests/linux/build"), "6.1", LINUX], check=True)
    return [f"--add={file}:/guests/linux/" for file in files]


def run(pages):
    """The output of each command, by its number, as far as it has ended; and how vtbox did."""
    script, number = INSIDE, 0
    for page, commands in pages:
        script += "page\n"
        for command in commands:
            script += f"run {number} {shlex.quote(command.text)} {shlex.quote(command.input)}\n"
            number += 1
        script += f"leave {page}\n"
    logs = ["--log-dir", os.path.join(os.environ["TEST_LOGS"], "run")] if "TEST_LOGS" in os.environ else []
    with tempfile.TemporaryDirectory() as directory:
        inside = os.path.join(directory, "inside")
        with open(inside, "w", encoding="utf-8") as file:
            file.write(script)
        box = subprocess.run([os.path.join(TOP, "tools/testbed/vtbox"), "-c", "2", "-k", os.environ.get("KERNEL") or "6.1",
                              "--timeout", str(LIMIT), *logs, *linux(), f"--add={inside}:/inside", "--", "sh", "/inside"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    text = box.stdout.decode("utf-8", "replace").replace("\r", "")
    found = re.finditer(r"^#### begin (\S+)\n(.*?)\n#### end \1$", text, re.DOTALL | re.MULTILINE)
    return {match[1]: [line.rstrip() for line in match[2].rstrip().splitlines()] for match in found}, box.returncode


def main():
    names = sys.argv[1:] or sorted(n for n in os.listdir(COURSE) if n.endswith(".md"))
    pages = []
    for name in names:
        with open(os.path.join(COURSE, name), encoding="utf-8") as file:
            commands = parse(name, file.read().split("\n"))
        if commands:
            pages.append((name, commands))
        elif name[0].isdigit():
            mistake(name, 1, "a page of the course without a command that is checked")
    outputs, status = run(pages)
    count = number = failed = 0

    def report(name, why=()):
        nonlocal count, failed
        count += 1
        failed += bool(why)
        print(f"{'not ok' if why else 'ok'} {count} - {name}".replace("#", ""))
        for line in why:
            print(f"# {line}")

    for what, page, seen, wanted in CASES:
        wrong = compare(list(enumerate(page, 1)), seen)
        where = wrong and (wrong[0] or 0)
        report(f"the comparison: {what}", [] if where == wanted else [f"{where} instead of {wanted}"])
    with open(os.path.join(COURSE, "tinyvmm.c"), encoding="utf-8") as file:
        lines = len(file.readlines())
    report("tinyvmm.c is as short as the course says", [] if lines <= 200 else [f"it has {lines} lines"])
    for page, commands in pages:
        for command in commands:
            seen = outputs.get(str(number))
            number += 1
            wrong = seen is not None and compare(command.expected, seen)
            if seen is None:
                report(command.name(), ["it has not ended"])
            elif wrong:
                report(command.name(), [f"docs/course/{page}:{wrong[0] or command.line}", f"expected: {wrong[1]}",
                                        f"seen:     {wrong[2]}"])
            else:
                report(command.name())
        left = outputs.get(page)
        report(f"{page} leaves nothing running", [] if left == [] else left or ["the machine has ended before"])
    report("the machine is well afterwards", [] if status == 0 else [f"vtbox ended with status {status}"])
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
