#!/usr/bin/env python3
"""Writes what xgettext cannot read: codes and fields of proto/content, remarks of examples.

    content_messages.py TREE OUT

For each proto file writes OUT/<its path>, with a call for xgettext per message: Code("code", ...)
with the short name of each enum's value, as the client shows it, and Field("field", ...) with the
name of each field. A comment says where they stand. The help of commands has examples, of which
client/cli/main.cc translates what stands behind three spaces, and the prose that follows them.
"""

import collections
import pathlib
import re
import sys

FOLDER = pathlib.Path("proto/content/godwit/content/v1")
# Messages that no command shows field by field.
NOT_SHOWN = {"OutboxEntry", "Edit", "Create", "Member", "Assent", "ActAlarm", "ActAlarms",
             "StaffHuman", "Membership", "DirectoryEntry", "LedgerBlock", "Line", "Record",
             "Unanswered", "Link1", "ScreeningLink", "Act", "CaseBegin", "Conflict", "Note",
             "PartialDate", "AgeBand", "Money", "ConsentDocument"}
# Fields that hold ids, sums and times of programs.
NOT_SHOWN_TYPES = {"bytes"}
# Codes that no proto has.
OTHERS = {
    "a role": ["owner", "admin", "auditor", "caseworker", "supervisor", "intake", "coordinator",
               "route"],
    "what `godwit today` lists": [
        "task", "follow_up", "approval_waits", "second_waits", "identity_asked", "comment",
        "conflict", "hand_over", "link", "consent_differs", "refused", "alarm",
        "override", "drafts"],
    "how the person's consent stands to a referral or transfer": [
        "covered", "no_consent", "not_agreed", "withdrawn", "expired", "other_partner", "withheld"],
    "how a case and its person are linked, in `godwit today`": ["mismatch", "one side"],
    "how bad it is, in `godwit org doctor`": ["broken", "warning", "note"],
}
# A C++ string of several parts.
STRING = re.compile(r'"(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*')


def remarks(source):
    """What is said of the examples in the help of commands."""
    for string in STRING.findall(source):
        text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', string))
        text = text.removeprefix(r"Examples:\n")
        if not text.startswith("  godwit"):
            continue
        examples, _, prose = text.partition(r"\n\n")
        for line in examples.split(r"\n"):
            remark = re.match(r" *\S.*?   +(\S.*)", line)
            if remark:
                yield remark[1]
        if prose:
            yield prose.removesuffix(r"\n")


def main():
    tree, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    for proto in sorted((tree / FOLDER).glob("*.proto")):
        text = re.sub(r"//.*", "", proto.read_text())
        codes, fields = collections.defaultdict(list), collections.defaultdict(list)
        for name, body in re.findall(r"enum (\w+) \{(.*?)\}", text, re.S):
            if name == "Compartment":
                continue
            values = re.findall(r"(\w+) = (\d+)", body)
            prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper() + "_"
            for value, number in values:
                if number != "0":
                    codes[value.removeprefix(prefix).lower()].append(name)
        holder = []
        for line in text.splitlines():
            opened = re.match(r"\s*(message|enum|oneof|extend) ([\w.]+) \{", line)
            if opened:
                holder.append(opened[2] if opened[1] == "message" else None)
            field = re.match(r"\s*(?:repeated |optional )?([\w.]+) (\w+) = \d+", line)
            if field and holder and holder[-1] and field[1] not in NOT_SHOWN_TYPES:
                if holder[-1] not in NOT_SHOWN:
                    fields[field[2]].append(holder[-1])
            if re.match(r"\s*\}", line):
                holder.pop()
        lines = []
        if proto.name == "common.proto":
            for what, names in OTHERS.items():
                for name in names:
                    codes[name].append(what)
        for call, limit, messages in (("Code", 24, codes), ("Field", 32, fields)):
            for message, where in messages.items():
                lines.append(f"// TRANSLATORS: {', '.join(dict.fromkeys(where))}; max-length:{limit}")
                lines.append(f'{call}("{call.lower()}", "{message}");')
        written = out / proto.relative_to(tree)
        written.parent.mkdir(parents=True, exist_ok=True)
        written.write_text("\n".join(lines) + "\n")
    written = out / "client/cli/examples"
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text("".join(
        f'Translatable("{remark}");\n'
        for remark in remarks((tree / "client/cli/main.cc").read_text())))


if __name__ == "__main__":
    main()
