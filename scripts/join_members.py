#!/usr/bin/env python3
"""Lets several people join an evaluation organisation on one machine, or one of them a device.

    join_members.py --godwit BIN --inviter PROFILE [--approver PROFILE] --people FILE 3<PASSPHRASE
    join_members.py --godwit BIN --inviter PROFILE --device NEW_PROFILE 3<PASSPHRASE

Runs `godwit member invite --file FILE --json` for the profile of an owner, and for each newcomer
`godwit member join --json` in a profile named like their handle; or `godwit device add` and
`godwit device join`, where no event names a handle and the new profile stands for it. Both sides show five words; this
script stands for the two people who compare them: it answers yes where the words are the same, and
no, to both sides, where they are not. Where two must sign a grant, the profile of the approver signs
what waits (`godwit approve all`). The first line of descriptor 3 is the passphrase of every
profile. Invitations and the passphrase go through pipes alone. Ends with 0 if everybody joined.
"""

import argparse
import json
import os
import subprocess
import sys
import threading

PASSPHRASE_FD = 3


class Godwit:
    """One godwit process that speaks JSON lines."""

    def __init__(self, name, command, passphrase, hear, invitations=None):
        self.name = name
        self.hear = hear
        reads = []
        for secret in [passphrase] + ([invitations] if invitations is not None else []):
            read, write = os.pipe()
            os.write(write, secret.encode())  # far below what a pipe holds
            os.close(write)
            reads.append(read)
        fds = ["--passphrase-fd", str(reads[0])]
        if invitations is not None:
            fds += ["--invitation-fd", str(reads[1])]
        self.process = subprocess.Popen(
            command + fds, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=reads, text=True)
        for read in reads:
            os.close(read)
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self):
        for line in self.process.stdout:
            self.hear(self, json.loads(line))

    def say(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended; its exit code says why

    def wait(self, timeout_s=None):
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            code = self.process.wait()
        self.thread.join()
        return code


class Story:
    """Who has shown which words, and what to answer."""

    def __init__(self, options):
        self.options = options
        self.group = "device" if options.device else "member"
        with open(PASSPHRASE_FD, encoding="utf-8") as file:
            self.passphrase = file.readline().rstrip("\n") + "\n"
        self.lock = threading.Lock()
        self.inviter = None
        self.joiners = {}       # handle -> Godwit
        self.invitations = {}   # handle -> lines
        self.shown = {}         # (handle, realm) -> {"inviter": words, "newcomer": words}
        self.refused = False
        self.waits = threading.Event()  # something for the approver to sign
        self.over = False

    def approve(self):
        """Signs what waits, whenever something does, and once more at the end: for the names."""
        while not self.over or self.waits.is_set():
            if not self.waits.wait(0.2):
                continue
            self.waits.clear()
            what = {}

            def hear(_, event):
                if "what" in event:
                    what[event["link"]] = event["what"]
                elif event.get("event") == "approved":
                    still = event["missing"]
                    say(f"{self.options.approver} signs in {event['realm']}: "
                        f"{what.get(event['link'])}" + (f" ({still} more to sign)" if still else ""))
                elif "error" in event:
                    say(f"{self.options.approver} cannot sign: {event['error']['why']}")
            Godwit(self.options.approver,
                   self.command(self.options.approver, "approve", "all", "--yes"),
                   self.passphrase, hear).wait()

    def command(self, profile, *words):
        return [self.options.godwit, *words, "--json", "--profile", profile]

    def hear_inviter(self, _, event):
        kind, realm = event.get("event"), event.get("realm")
        handle = event.get("handle", self.options.device)
        with self.lock:
            if kind == "invitation":
                self.invitations.setdefault(handle, []).append(event["invitation"])
                say(f"{handle}: an invitation to {realm}")
            elif kind == "sas":
                self.compare(handle, realm, "inviter", event["words"])
            elif kind == "waiting":
                self.start_joiners()
            elif kind in ("joined", "listed", "refused", "failed", "withdrawn"):
                say(f"{handle}: {kind} in {realm}")
            elif kind == "waits":
                say(f"{handle}: waits for {event['missing']} more to sign in {realm}")
                self.waits.set()
            elif "error" in event:
                say(f"inviting failed: {event['error']['why']}")

    def hear_newcomer(self, handle):
        def hear(_, event):
            with self.lock:
                if event.get("event") == "sas":
                    self.compare(handle, event["realm"], "newcomer", event["words"])
                elif event.get("event") == "whoami":
                    say(f"{handle}: joined {', '.join(sorted(event['realms']))}")
                elif "error" in event:
                    say(f"{handle}: cannot join: {event['error']['why']}")
        return hear

    def start_joiners(self):
        for handle, lines in self.invitations.items():
            self.joiners[handle] = Godwit(
                handle, self.command(handle, self.group, "join"), self.passphrase,
                self.hear_newcomer(handle), "\n".join(lines) + "\n")

    def compare(self, handle, realm, side, words):
        both = self.shown.setdefault((handle, realm), {})
        both[side] = words
        if len(both) < 2:
            return
        same = both["inviter"] == both["newcomer"]
        say(f"{handle} in {realm}: both read \"{words}\"" if same else
            f"{handle} in {realm}: NOT THE SAME WORDS: {both['inviter']} / {both['newcomer']}")
        self.refused = self.refused or not same
        answer = "yes" if same else "no"
        self.joiners[handle].say(f"{answer} {realm}")
        self.inviter.say(f"{answer} {realm}" if self.options.device else f"{answer} {handle} {realm}")


def say(text):
    print(text, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("godwit", "inviter"):
        parser.add_argument(f"--{name}", required=True)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--people", help="the file that `godwit member invite` takes")
    what.add_argument("--device", help="the profile that the new device gets")
    parser.add_argument("--approver", help="the profile that signs what one may not grant alone")
    options = parser.parse_args()
    story = Story(options)
    approver = threading.Thread(target=story.approve)
    if options.approver:
        approver.start()
    invite = ["device", "add"] if options.device else ["member", "invite", "--file", options.people]
    with story.lock:
        story.inviter = Godwit(
            options.inviter,
            story.command(options.inviter, *invite),
            story.passphrase, story.hear_inviter)
    codes = [story.inviter.wait()]
    with story.lock:
        joiners = list(story.joiners.values())
    # Without the inviter nobody gets further.
    codes += [joiner.wait(timeout_s=60) for joiner in joiners]
    if options.approver:
        story.over = True
        story.waits.set()
        approver.join()
    sys.exit(1 if any(codes) or story.refused or not joiners else 0)


if __name__ == "__main__":
    main()
