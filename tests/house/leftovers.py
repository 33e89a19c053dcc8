#!/usr/bin/env python3
"""Fails on marks of unfinished work in the tree, and on tests that are switched off.

    leftovers.py TREE
"""

import pathlib
import re
import sys

# Written so that this file does not find itself.
MARKS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|\bDISABLED" r"_|not (yet )?impl" r"emented")
SUFFIXES = {".cc", ".h", ".py", ".sh", ".cmake", ".proto", ".sql", ".md", ".toml", ".txt", ".yaml",
            ".json", ".cfg"}
SKIP = {"build", ".git", "node_modules"}


def files_of(tree):
    for path in sorted(tree.iterdir()):
        if path.is_dir() and path.name not in SKIP:
            yield from files_of(path)
        elif path.is_file() and (path.suffix in SUFFIXES or path.suffix == ""):
            yield path


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tree = pathlib.Path(sys.argv[1]).resolve()
    found = read = 0
    for file in files_of(tree):
        read += 1
        text = file.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            if MARKS.search(line):
                found += 1
                print(f"{file.relative_to(tree)}:{number}: {line.strip()}")
    print(f"{read} files read, {found} leftovers")
    sys.exit(1 if found or read == 0 else 0)


if __name__ == "__main__":
    main()
