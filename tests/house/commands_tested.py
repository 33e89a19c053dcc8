#!/usr/bin/env python3
"""Fails where a command of `godwit` is run by no test: commands_tested.py GODWIT TREE.

Walks the help texts down to the commands, and looks for each in the tests of the command line, in the
pages of the guide (which a test runs) and in the story of quickstart. Kinds of entries stand in a table
of one test, which adds, edits, lists and strikes each.
"""

import pathlib
import re
import subprocess
import sys

godwit, tree = sys.argv[1], pathlib.Path(sys.argv[2])
KIND_WORDS = {"add", "edit", "list", "strike"}


def commands(words):
    out = subprocess.run([godwit, *words, "--help"], capture_output=True, text=True,
                         env={"LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}, check=True).stdout
    below = re.search(r"^Subcommands:\n((?:  .*\n?)+)", out, re.M)
    names = re.findall(r"^  (\S+)", below[1], re.M) if below else []
    if not names:
        return [words]
    return [command for name in names for command in commands(words + [name])]


tests = "".join(p.read_text() for p in (tree / "tests/client/cli").glob("*.cc"))
# Both sides of a join, which they run by a script: `member` or `device` as they are asked to.
joining = (tree / "scripts/join_members.py").read_text()
if 'self.group, "join"' in joining:
    tests += '"member", "join" "device", "join"'
tests = re.sub(r"\s+", " ", tests)
typed = (tree / "scripts/quickstart_story.sh").read_text() + "".join(
    line for p in (tree / "docs/guide").glob("*.md") for line in p.read_text().splitlines(True)
    if "$ godwit" in line)
every = commands([])
missing = []
for command in every:
    called = ", ".join(f'"{word}"' for word in command)
    spoken = r"\s+(?:--\S+\s+)?".join(map(re.escape, command))
    in_table = command[-1] in KIND_WORDS and f'{{"{command[0]}", {{' in tests
    if called not in tests and not re.search(rf"\b{spoken}\b", typed) and not in_table:
        missing.append(" ".join(command))
if len(every) < 100:
    sys.exit(f"{godwit} shows {len(every)} commands: its help is not understood")
if missing:
    sys.exit("no test runs: " + ", ".join(missing))
print(f"{len(every)} commands, each in a test")
