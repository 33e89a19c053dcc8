#!/usr/bin/env python3
"""Checks what scripts/bench.sh prints: every bench once, every field, and ratio = ours / theirs.

    bench_lines.py COMMAND ARGUMENT...

Runs the command and reads its standard output. No figure is judged: how fast a machine is that also
does other work is no matter of right or wrong.
"""

import json
import subprocess
import sys

FIELDS = {
    "bench": str, "ours": float, "baseline": str, "theirs": float, "ratio": float, "unit": str,
    "n": int, "spread": float,
}
BENCHES = ["commit_single", "commit_batch", "board_cold", "import"]


def faults_of(output):
    benches = []
    for number, text in enumerate(output.splitlines(), 1):
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            yield f"line {number} is no JSON: {text}"
            continue
        if not isinstance(line, dict) or list(line) != list(FIELDS):
            yield f"line {number} has not the fields {', '.join(FIELDS)}: {text}"
            continue
        wrong = [name for name, kind in FIELDS.items() if type(line[name]) is not kind]
        if wrong:
            yield f"line {number}: {', '.join(wrong)} of another type: {text}"
            continue
        benches.append(line["bench"])
        if min(line["ours"], line["theirs"], line["n"]) <= 0 or line["spread"] < 0:
            yield f"line {number} measured nothing: {text}"
        elif abs(line["ratio"] * line["theirs"] / line["ours"] - 1) > 1e-9:
            yield f"line {number}: the ratio is not ours / theirs: {text}"
    if benches != BENCHES:
        yield f"the benches are {benches}, not {BENCHES}"


def check_myself():
    """That each fault is found: a judge that finds nothing would pass anything."""
    def lines(**change):
        good = {"bench": "", "ours": 3.0, "baseline": "b", "theirs": 2.0, "ratio": 1.5, "unit": "s",
                "n": 1, "spread": 0.0}
        return "\n".join(json.dumps(good | {"bench": name} | change) for name in BENCHES)
    assert not list(faults_of(lines()))
    for bad in (lines(ratio=1.4), lines(n=0), lines(ours="3"), lines(more=1), "no JSON",
                lines().split("\n", 1)[1]):
        assert list(faults_of(bad)), bad


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    check_myself()
    ran = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True, check=False)
    faults = list(faults_of(ran.stdout))
    if ran.returncode != 0:
        faults.append(f"{sys.argv[1]} ended with {ran.returncode}")
    print(ran.stdout, end="")
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
