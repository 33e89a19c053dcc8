#!/usr/bin/env python3
"""Turns one refusal after the other into a pass, and runs the tests that reach it.

    run.py --scratch SCRATCH [--tests NAME,...] [FILE...]
    run.py --faults

--faults: says which refusals rewrite.py does not know how to turn, and which explained survivors are no
mutants any more, and ends with 1 where there is one. Else it is started by scripts/mutate.sh, which see; needs GODWIT_SHARED and GODWIT_TEST_PG_FILE. All mutants are
compiled into one copy of the tree, SCRATCH, each behind a switch of its own (rewrite.py says what a
refusal is). Every test runs once with all switches off, and tells which refusals came about in it: these
alone can tell the pass from the refusal. Then, for each mutant, they run with its switch on, first the one
that caught it in an earlier run (SCRATCH/catchers.txt), then the quickest, until one fails, crashes, or
takes ten times as long as before. A mutant that no test reaches survives.

Writes SCRATCH/report.txt. Ends with 1 where fewer than 95 in 100 are caught, where a survivor has no
explanation in survivors.txt or an explanation no survivor, and where something was left out unseen.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass

import rewrite

ROOT = pathlib.Path(__file__).resolve().parents[2]
WANTED_RATE = 0.95
# Numbers of a file begin at a thousand of its own, so that a change of one leaves the others' alone.
NUMBERS_A_FILE = 1000

# The client's files that check what a verifier or a server says.
CLIENT = ["approvals", "directory", "invite", "pinned_rows", "realm", "staff", "vault_view",
          "vault_writer"]
# The test binaries that could see a mutant of a layer, those of the layer itself first.
TESTS = {
    "protocol": ["protocol_test", "protocol_gw1_test"],
    "client": ["client_files_test", "client_writer_test", "e2e_attack_test", "e2e_race_test",
               "e2e_people_test", "e2e_casework_test", "e2e_upkeep_test", "e2e_tool_test"],
}
# Each of their tests runs in a process of its own, as ctest runs them: together they use up what a
# member may do in a day.
APART = {"e2e_attack_test", "e2e_casework_test", "e2e_people_test", "e2e_race_test",
         "e2e_tool_test", "e2e_upkeep_test"}
# Too long for every mutant that they come to, and other tests come to all of those.
TOO_LONG = {"WriterRule.HoldsForTwoWritersAndARevoker"}


@dataclass
class Test:
    binary: str
    name: str
    ms: int
    reaches: frozenset


def say(text=""):
    print(text, flush=True)


def targets():
    headers = sorted(p.relative_to(ROOT).as_posix() for p in ROOT.glob("protocol/*.h"))
    sources = sorted(p.relative_to(ROOT).as_posix() for p in ROOT.glob("protocol/*.cc"))
    return headers + sources + [f"client/{name}.cc" for name in CLIENT]


def copy_tree(tree):
    """Makes `tree` what git sees here, and touches nothing that is the same already."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others",
                             "--exclude-standard"], capture_output=True, check=True).stdout
    names = {n for n in listed.decode().split("\0") if n and (ROOT / n).is_file()}
    for top in [p for p in tree.iterdir() if p.name != "build"]:
        for path in [top] if top.is_file() else [p for p in top.rglob("*") if p.is_file()]:
            if path.relative_to(tree).as_posix() not in names:
                path.unlink()
    return names


def write_if_other(path, content):
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def find():
    """The mutants, the lines left out, the faults, and the files with their switches by name."""
    mutants, left, faults, rewritten = [], [], [], {}
    for place, name in enumerate(targets()):
        file = rewrite.File(name, (ROOT / name).read_text(), place * NUMBERS_A_FILE)
        file_left, file_faults = file.find()
        mutants += file.mutants
        left += file_left
        faults += file_faults
        assert len(file.mutants) < NUMBERS_A_FILE
        if file.mutants:
            rewritten[name] = file.rewritten().encode()
    return mutants, left, faults, rewritten


def mutate(tree):
    """Writes the copy with its switches; returns the mutants, the lines left out, and the faults."""
    mutants, left, faults, rewritten = find()
    for name in copy_tree(tree):
        content = rewritten.get(name, (ROOT / name).read_bytes())
        if name == "tests/support/crypto_environment.cc":
            listener = (ROOT / "tests/mutation/reached_listener.cc").read_bytes()
            content += b"\n" + listener
        write_if_other(tree / name, content)
        shutil.copymode(ROOT / name, tree / name)
    return mutants, left, faults


def build(tree, binaries):
    log = tree.parent / "build.log"
    environment = dict(os.environ, CCACHE_BASEDIR=str(tree), CCACHE_NOHASHDIR="1")
    with open(log, "w") as out:
        def run(*command):
            if subprocess.run(command, cwd=tree, env=environment, stdout=out,
                              stderr=subprocess.STDOUT).returncode != 0:
                sys.exit(f"{' '.join(map(str, command))} failed: see {log}")
        if not (tree / "build/build.ninja").is_file():
            run("cmake", "-S", ".", "-B", "build", "-G", "Ninja", "-DCMAKE_C_COMPILER=gcc",
                "-DCMAKE_CXX_COMPILER=g++", "-DCMAKE_CXX_FLAGS=-O0 -D_GLIBCXX_ASSERTIONS")
        run("cmake", "--build", "build", "-j", str(os.cpu_count()), "--target", *binaries)
    found = {}
    for name in binaries:
        found[name] = next((tree / "build/tests").rglob(name))
    return found


def run_tests(binary, names, environment, timeout, *flags):
    """"passed", "failed", "crashed" or "hung", and what the tests printed."""
    command = [str(binary), "--gtest_brief=1", *flags]
    if names is not None:
        command.append("--gtest_filter=" + ":".join(names))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace", start_new_session=True,
                               env={**os.environ, "RC_PARAMS": "seed=1", **environment})
    try:
        out, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        out, _ = process.communicate()
        return "hung", out
    if process.returncode == 1:
        return "failed", out
    if process.returncode != 0:
        return "crashed", out
    ran = re.search(r"\[=+\] (\d+) tests? from", out)
    if names is not None and (ran is None or int(ran.group(1)) != len(names)):
        sys.exit(f"{binary} did not run the {len(names)} tests that it was asked to:\n{out}")
    return "passed", out


def list_tests(binary):
    listed = subprocess.run([binary, "--gtest_list_tests"], capture_output=True, text=True,
                            check=True).stdout
    tests, suite = [], ""
    for line in listed.splitlines():
        word = line.split("#")[0].strip()
        if line.startswith("  "):
            if suite + word not in TOO_LONG:
                tests.append(suite + word)
        elif word.endswith("."):
            suite = word
    return tests


def record(binaries, scratch):
    """Runs every test once; returns them with what they reach."""
    runs = []
    for name, binary in binaries.items():
        each = list_tests(binary) if name in APART else [None]
        runs += [(name, binary, test, scratch / f"reached-{name}-{i}.txt")
                 for i, test in enumerate(each)]

    def one(run):
        name, binary, test, file = run
        file.unlink(missing_ok=True)
        began = time.monotonic()
        outcome, out = run_tests(binary, test and [test], {"GODWIT_MUTANTS_REACHED": str(file)}, 3600)
        if outcome != "passed":
            sys.exit(f"{name} does not pass without any mutant:\n{out[-3000:]}")
        tests = []
        for line in file.read_text().splitlines():
            reached, _, ms, *numbers = line.split()
            if test:  # with what its suite sets up
                ms = 1000 * (time.monotonic() - began)
            tests.append(Test(name, reached, int(ms), frozenset(map(int, numbers))))
        return tests

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [test for tests in pool.map(one, runs) for test in tests]


def judge(mutant, tests, binaries, catcher=None):
    """How the mutant is caught by `tests`: "failed", "crashed" or "hung"; or "survived". And by which
    test, as far as it can be told. The test named `catcher` is tried first."""
    parts = [[t] for t in tests if t.name == catcher]
    for name in binaries:
        own = sorted((t for t in tests if t.binary == name and t.name != catcher), key=lambda t: t.ms)
        parts += [[t] for t in own] if name in APART else [own[:8], own[8:]]
    for part in parts:
        if not part:
            continue
        timeout = 20 + sum(t.ms for t in part) / 100
        outcome, out = run_tests(binaries[part[0].binary], [t.name for t in part],
                                 {"GODWIT_MUTANT": str(mutant.number)}, timeout,
                                 "--gtest_fail_fast")
        if outcome != "passed":
            told = re.search(r"\[  FAILED  \] ([\w./]+)", out)
            return outcome, part[0].name if len(part) == 1 else told and told.group(1)
    return "survived", None


class Catchers:
    """Which test caught which mutant: the latest line of a mutant in a file holds."""

    def __init__(self, path):
        self.of = {}
        if path.is_file():
            for line in path.read_text().splitlines():
                test, *key = line.split("\t")
                self.of[tuple(key)] = test
        self.file = open(path, "a", buffering=1)
        self.lock = threading.Lock()

    def judge(self, mutant, tests, binaries):
        outcome, test = judge(mutant, tests, binaries, self.of.get(mutant.key))
        if test and test != self.of.get(mutant.key):
            with self.lock:
                self.file.write("\t".join([test, *mutant.key]) + "\n")
        return outcome


def reaching(tests, number):
    return [t for t in tests if number in t.reaches]


def control(verdicts, tests, binaries):
    """Without the tests that catch it, a mutant must survive: else no survivor would be found."""
    for mutant, verdict in verdicts:
        if verdict != "failed":
            continue
        on = {"GODWIT_MUTANT": str(mutant.number)}
        reach = reaching(tests, mutant.number)
        catching = {t.name for t in reach
                    if run_tests(binaries[t.binary], [t.name], on, 20 + t.ms / 100)[0] != "passed"}
        first = reach[0].binary
        # All of the binary where that is quick, so that what no refusal reached is tried as well.
        others = [t for t in (reach if first in APART else tests)
                  if t.binary == first and t.name not in catching]
        survives = judge(mutant, others, binaries)[0] == "survived"
        say(f"control: without the {len(catching)} tests that catch it, {mutant.file}:{mutant.line} "
            f"({mutant.text[:50]}) {'survives the other' if survives else 'is caught by the other'} "
            f"{len(others)} of {first}")
        return survives and bool(catching)
    say("control: no mutant to try it on")
    return False


def explanations():
    """(file, function, text) -> why, from survivors.txt."""
    found = {}
    text = (ROOT / "tests/mutation/survivors.txt").read_text()
    text = re.sub(r"^#.*\n", "", text, flags=re.M)
    for block in re.split(r"\n\s*\n", text.strip()):
        if not block:
            continue
        lines = block.splitlines()
        if len(lines) < 3:
            sys.exit(f"survivors.txt: not a place, a text and a reason:\n{block}")
        file, _, function = lines[0].partition(" ")
        found[(file, function, lines[1].strip())] = " ".join(l.strip() for l in lines[2:])
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tests")
    parser.add_argument("--scratch", type=pathlib.Path)
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    if arguments.faults:
        mutants, _, faults, _ = find()
        gone = set(explanations()) - {m.key for m in mutants}
        faults += [f"explained in survivors.txt, and gone: {' '.join(key)}" for key in sorted(gone)]
        sys.exit("\n".join(faults) or 0)
    # A folder stands for its files.
    wanted = [t for f in arguments.files or targets() for t in targets() if t == f or
              t.startswith(f.rstrip("/") + "/")]
    unknown = {f for f in arguments.files if not any(w.startswith(f) for w in wanted)}
    if unknown:
        sys.exit(f"no file with refusals of ours: {', '.join(sorted(unknown))}")
    scratch = arguments.scratch.resolve()
    tree = scratch / "tree"
    tree.mkdir(parents=True, exist_ok=True)
    report = open(scratch / "report.txt", "w")
    began = time.monotonic()

    # All of them are rewritten whatever is wanted, so that the next run finds them built.
    mutants, left, faults = mutate(tree)
    mutants = [m for m in mutants if m.file in wanted]
    left = [l for l in left if l[0] in wanted]
    faults = [f for f in faults if f.partition(":")[0] in wanted]
    report.write("Lines that name an error or return false, and were not turned\n\n")
    for file, line, text, why in left:
        report.write(f"{file}:{line}: {text}\n    {why}\n")
    say(f"{len(mutants)} mutants; {len(left)} lines not turned: " +
        ", ".join(f"{count} {why}" for why, count in Counter(l[3] for l in left).most_common()))
    if faults:
        sys.exit("\n".join(faults))

    layers = [layer for layer in TESTS if any(f.startswith(layer + "/") for f in wanted)]
    names = [name for layer in layers for name in TESTS[layer]]
    if arguments.tests:
        names = arguments.tests.split(",")
    binaries = build(tree, names)
    say(f"built: {time.monotonic() - began:.0f} s")
    tests = record(binaries, scratch)
    say(f"{len(tests)} tests pass without a mutant: {time.monotonic() - began:.0f} s")

    catchers = Catchers(scratch / "catchers.txt")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = pool.map(lambda m: catchers.judge(m, reaching(tests, m.number), binaries), mutants)
        verdicts = list(zip(mutants, outcomes))

    say(f"\n{'file':28} {'mutants':>8} {'caught':>8} {'by a test':>10} {'crash':>6} {'hang':>5} "
        f"{'survive':>8}")
    rows = defaultdict(Counter)
    for mutant, verdict in verdicts:
        for row in (mutant.file, "all"):
            rows[row][verdict] += 1
    for row, count in sorted(rows.items(), key=lambda r: r[0] == "all"):
        all_of_it = sum(count.values())
        caught = all_of_it - count["survived"]
        say(f"{row:28} {all_of_it:8} {caught:8} {count['failed']:10} {count['crashed']:6} "
            f"{count['hung']:5} {count['survived']:8}")
    rate = 1 - rows["all"]["survived"] / max(1, len(mutants))

    known = {k: why for k, why in explanations().items() if k[0] in wanted}
    survivors = [m for m, verdict in verdicts if verdict == "survived"]
    say("\nsurvivors")
    for mutant in survivors:
        unreached = "" if reaching(tests, mutant.number) else " [no test reaches it]"
        say(f"  {mutant.file}:{mutant.line} {mutant.function}: {mutant.text}{unreached}")
        say(f"      {known.get(mutant.key, 'NOT EXPLAINED in tests/mutation/survivors.txt')}")
    stale = set(known) - {m.key for m in survivors}
    for file, function, text in sorted(stale):
        say(f"explained, and yet caught or gone: {file} {function}: {text}")
    report.write("\nMutants\n\n")
    for mutant, verdict in verdicts:
        report.write(f"{mutant.file}:{mutant.line} {mutant.number} {mutant.kind} {mutant.function}: "
                     f"{mutant.text}: {verdict}\n")
    say(f"\n{rate:.1%} of {len(mutants)} mutants are caught; {time.monotonic() - began:.0f} s in all; "
        f"{report.name}")
    holds = control(verdicts, tests, binaries)
    unexplained = [m for m in survivors if m.key not in known]
    if rate < WANTED_RATE or unexplained or stale or not holds:
        sys.exit(1)


if __name__ == "__main__":
    main()
