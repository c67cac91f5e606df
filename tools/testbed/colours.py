#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""How many pixels of a picture have a colour: colours.py FILE.png RRGGBB... prints a line a colour."""

import collections
import struct
import sys
import zlib


def chunks(data):
    """Those of a PNG file, each with its type."""
    at = 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8:at + 8 + length]
        at += length + 12


def paeth(a, b, c):
    """The one of them that is nearest to a + b - c."""
    return min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]


def rows(data, stride, step):
    """Each line without its filter: step bytes are a pixel."""
    above = bytearray(stride)
    for at in range(0, len(data), stride + 1):
        kind, line = data[at], bytearray(data[at + 1:at + 1 + stride])
        for i in range(stride):
            a, b, c = (line[i - step] if i >= step else 0), above[i], (above[i - step] if i >= step else 0)
            line[i] = (line[i] + (0, a, b, (a + b) // 2, paeth(a, b, c))[kind]) & 255
        yield line
        above = line


def main():
    """See above."""
    with open(sys.argv[1], "rb") as picture:
        parts = list(chunks(picture.read()))
    width, _, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", parts[0][1])
    if depth != 8 or colour not in (2, 6) or interlace:
        sys.exit(f"{sys.argv[1]}: is no picture of 24 or 32 bits a pixel")
    step = 3 if colour == 2 else 4
    data = zlib.decompress(b"".join(part for kind, part in parts if kind == b"IDAT"))
    seen = collections.Counter(bytes(line[i:i + 3]) for line in rows(data, width * step, step)
                               for i in range(0, len(line), step))
    for wanted in sys.argv[2:]:
        print(wanted, seen[bytes.fromhex(wanted)])


main()
