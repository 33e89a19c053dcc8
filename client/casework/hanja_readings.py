#!/usr/bin/env python3
"""Writes hanja.cc's table: of each Chinese character the Korean reading that Unihan names first.

    hanja_readings.py UNIHAN_READINGS.txt.bz2 OUT.inc

The data is Unicode's (Unihan, field kHangul), as the package unicode-data of Debian has it; the
marks behind a reading's colon say which list it stands in (UAX #38).
"""

import bz2
import sys


def main():
    source, target = sys.argv[1:]
    rows = []
    with bz2.open(source, "rt", encoding="utf-8") as lines:
        for line in lines:
            parts = line.rstrip("\n").split("\t")
            if len(parts) == 3 and parts[1] == "kHangul":
                rows.append((int(parts[0][2:], 16), ord(parts[2].split()[0].split(":")[0])))
    if len(rows) < 8000:
        sys.exit(f"{source}: {len(rows)} readings, and Unihan has more than 8,000")
    rows.sort()
    with open(target, "w", encoding="utf-8") as out:
        for hanja, reading in rows:
            out.write(f"{{0x{hanja:X}, 0x{reading:X}}},\n")


main()
