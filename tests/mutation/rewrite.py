"""Finds the refusals of C++ files of ours, and puts a switch around each.

A refusal is, in the files that are given:

  if        an `if` whose body ends by refusing: it returns an error, or a Refusal that holds one,
            or in the place of a value nothing (nullptr, std::nullopt, 0, kNever); passes over what
            it looks at (continue); keeps an error for later; or makes a Reader fail. Each operand of
            the condition's outermost || is a mutant of its own: while it is on, that operand is
            false.
  choice    `return C ? A : B` where A or B alone refuses: the other one is returned.
  end       an error that a function returns without a condition, since nothing before it accepted:
            success is returned, and where that takes a value an empty one.
  tail      `return Check(...)` that ends a function with another's Status: success is returned.
  predicate the bool functions of PREDICATES, by what they return: each operand of the outermost && of
            an answer that lets pass is true, each operand of the outermost || of one that refuses is
            false, and a `return` of the constant that refuses is the other one.

`if (!x) return x.error();` counts like any other: where the rest of the function needs the value, its
pass ends the process, and the report tells such from the rest.

It works on our code as clang-format lays it out, not on C++ at large. So that nothing is left out in
silence, find() also gives each line that names an error or returns false and was not turned, with the
reason; a line without one, or a bool function that PREDICATES does not know, is a fault.
"""

import re
from dataclasses import dataclass

# By function: whether true passes or refuses, or why its answer is neither.
PASSES, REFUSES = "passes", "refuses"
PREDICATES = {
    # protocol/
    "AreListed": PASSES,
    "AreValidKems": PASSES,
    "AreValidRoles": PASSES,
    "Ascending": PASSES,
    "Counts": PASSES,
    "Done": PASSES,
    "Has": PASSES,
    "HasActiveDeviceAt": PASSES,
    "HasGuard": PASSES,
    "HasGuests": PASSES,
    "HasKind": PASSES,
    "IsAboveCap": REFUSES,
    "IsActiveAt": PASSES,
    "IsAllowed": PASSES,
    "IsBelowFloor": REFUSES,
    "IsComplete": PASSES,
    "IsEraseDayOfLeg": PASSES,
    "IsFreeze": PASSES,
    "IsFresh": PASSES,
    "IsJoinMessage": PASSES,
    "IsKnownKind": PASSES,
    "IsKnownSuite": PASSES,
    "IsListedAt": PASSES,
    "IsMemberAt": PASSES,
    "IsNamedKind": PASSES,
    "IsNeededTrustee": REFUSES,
    "IsRecordSize": PASSES,
    "IsByRoot": "tells root's signature, which stands for all others",
    "IsRoot": PASSES,
    "IsSealed": REFUSES,
    "IsStaleAt": REFUSES,
    "IsStr": PASSES,
    "IsTrustee": PASSES,
    "IsValidKem": PASSES,
    "IsValidPerm": PASSES,
    "KeepsSealed": PASSES,
    "MayCreate": PASSES,
    "MayTombOthers": PASSES,
    "NeedsGuard": REFUSES,
    "Verify": PASSES,
    "Distinct": "judges labels while compiling",
    "IsByGuest": "tells two kinds of author apart, each with refusals of its own",
    "IsGuard": "an answer that some rules need and that others refuse",
    "IsPractice": "tells a state",
    "IsZero": "tells an absent key from one",
    "Presence": "reads a value; its refusal is an if",
    "empty": "tells a state",
    "evaluation": "tells a state",
    "ok": "tells a state",
    # client/
    "Governs": PASSES,
    "HidesHistory": "tells a state, which the next write goes on from",
    "IsBoxWithheld": REFUSES,
    "IsErased": "tells a state, after which there is nothing to ask for",
    "IsLostAnswer": "tells a failure, which is tried again",
    "IsOfChain": PASSES,
    "IsRace": "tells a race, which is tried again",
    "IsSignedBy": "tells a state, for people",
    "IsSuspended": "tells a state",
    "IsWorthAnotherTry": "tells a failure, which is tried again",
    "ListsNewcomer": "tells whether there is anything to do",
    "Opens": PASSES,
    "Stands": "tells that there is nothing more to write",
    "WantsPuk": "tells a state, which the next statement ends",
}

# Calls whose failures a client passes on and no verifier judges: its own disk, randomness and memory,
# what the transport says, and the realms that somebody works in. In client/ alone.
NO_VERIFIER = re.compile(
    r"\b(store\(\)|store_->|Store::|\w+::Random\(\)|\w+::FromSeed\(|\w+::Copy\(|PukKem\(|Seal\w+\(|"
    r"WrapPreviousPuk\(|NoteOwn\w+\(|MakeEpoch\(|Surprises\(|organisation_?\.Get\(|server\(\)|"
    r"server_?->|server\.)")

# Lines that name an error or return false and stand for no refusal: (file, part of the line): why.
NOT_TURNED = {
    ("client/approvals.cc", "grants are approved by owners and admins"):
        "stands for the staff vault where there is none; what uses it refuses",
    ("client/approvals.cc", "names are approved by owners and admins"):
        "stands for the staff vault where there is none; what uses it refuses",
    ("client/approvals.cc", "HumanOf(*staff, compartment, *grant) : staff.error()"):
        "an error as a value; what uses it refuses",
    ("client/approvals.cc", "refuse(human.error())"): "an error for people, beside what is listed",
    ("client/pinned_rows.cc", "const Refusal unreachable{"): "defines a refusal",
}


@dataclass
class Mutant:
    number: int
    file: str
    line: int
    function: str
    kind: str
    text: str

    @property
    def key(self):
        return (self.file, self.function, self.text)


def scope_kind(file, at):
    """Why the bool function around `at` is no refusal, if PREDICATES says so."""
    kind = file.predicate(file.scope(at))
    return None if kind in (PASSES, REFUSES) else kind


def squeeze(text):
    return re.sub(r"\s+", " ", text).strip()


def mask(text):
    """`text` with the insides of comments and literals as blanks, at the same offsets."""
    out = list(text)
    pattern = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])'", re.S)
    for match in pattern.finditer(text):
        start, end = match.span()
        if text[start] == "/":
            inside = range(start, end)
        else:
            inside = range(start + 1, end - 1)
        for i in inside:
            if text[i] != "\n":
                out[i] = " "
    return "".join(out)


OPEN, CLOSE = "([{", ")]}"


def closing(text, at):
    """The offset of the bracket that closes the one at `at`."""
    depth = 0
    for i in range(at, len(text)):
        if text[i] in OPEN:
            depth += 1
        elif text[i] in CLOSE:
            depth -= 1
            if depth == 0:
                return i
    raise ValueError("unbalanced brackets")


def opening(text, at):
    depth = 0
    for i in range(at, -1, -1):
        if text[i] in CLOSE:
            depth += 1
        elif text[i] in OPEN:
            depth -= 1
            if depth == 0:
                return i
    raise ValueError("unbalanced brackets")


def split(text, start, end, operator):
    """The spans between `operator` outside all brackets of text[start:end]."""
    spans, depth, begin, i = [], 0, start, start
    while i < end:
        if text[i] in OPEN:
            depth += 1
        elif text[i] in CLOSE:
            depth -= 1
        elif depth == 0 and text.startswith(operator, i):
            spans.append((begin, i))
            i += len(operator)
            begin = i
            continue
        i += 1
    spans.append((begin, end))
    return spans


def strip(text, span):
    start, end = span
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def ternary(text, span):
    """(condition, A, B) of `condition ? A : B`, or None."""
    parts = split(text, *span, "?")
    if len(parts) == 1:
        return None
    condition = parts[0]
    rest = (parts[1][0], span[1])
    depth = nested = 0
    for i in range(*rest):
        if text[i] in OPEN:
            depth += 1
        elif text[i] in CLOSE:
            depth -= 1
        elif depth == 0 and text[i] == "?":
            nested += 1
        elif depth == 0 and text[i] == ":" and text[i - 1] != ":" and text[i + 1] != ":":
            if nested == 0:
                return condition, (rest[0], i), (i + 1, rest[1])
            nested -= 1
    return None


@dataclass
class Scope:
    start: int
    end: int
    name: str
    returns: str  # the return type, or "" where a lambda does not name it


class File:
    def __init__(self, name, text, base):
        self.name, self.text, self.base = name, text, base
        self.code = mask(text)
        self.mutants = []
        self.turned = []  # spans of statements that were turned
        self.excused = []  # (span, reason)
        self.passed_on = []  # spans of failures that no verifier judged
        self.inserts = []  # (offset, order, text)
        self.scopes = self._scopes()
        self.error_makers = set(re.findall(r"\bError (\w+)\(\w*(?:::\w+)?(?: \w+)?\) \{", self.code))
        self.error_values = set(
            re.findall(r"\bconst (?:base::)?(?:Error|Refusal)&? (\w+)[({,)]", self.code))

    # Where what is.

    def _scopes(self):
        scopes = []
        for match in re.finditer(r"\{", self.code):
            at = match.start()
            before = self.code[:at].rstrip()
            returns = ""
            arrow = re.search(r"\) -> ([\w:<>*&,\s]+)$", before)
            if arrow:
                returns = squeeze(arrow.group(1))
                before = before[: arrow.start() + 1]
            before = re.sub(r"(\s(const|noexcept|mutable|&&))+$", "", before)
            if before.endswith("]"):  # a lambda without parameters
                scopes.append(Scope(at, closing(self.code, at), "", returns))
                continue
            if not before.endswith(")"):
                continue
            left = opening(before, len(before) - 1)
            head = before[:left].rstrip()
            if head.endswith("]"):
                scopes.append(Scope(at, closing(self.code, at), "", returns))
                continue
            named = re.search(r"(?:^|[;}{:]|\n)\s*((?:[\w:<>,*&\[\]]+\s+)+[*&]?)([\w:~]+)$", head)
            if not named or named.group(2) in ("if", "for", "while", "switch"):
                continue
            returned = re.sub(r"\b(static|inline|constexpr|consteval|friend|explicit|template\s*<.*?>)\s",
                              "", named.group(1))
            scopes.append(Scope(at, closing(self.code, at), named.group(2), squeeze(returned)))
        return scopes

    def scope(self, at):
        inside = [s for s in self.scopes if s.start < at < s.end]
        return min(inside, key=lambda s: s.end - s.start) if inside else None

    def function(self, at):
        named = [s for s in self.scopes if s.start < at < s.end and s.name]
        return min(named, key=lambda s: s.end - s.start).name if named else ""

    def predicate(self, scope):
        if scope is None or not scope.name or scope.returns != "bool":
            return None
        return PREDICATES.get(scope.name.split("::")[-1])

    def line(self, at):
        return self.text.count("\n", 0, at) + 1

    # What refuses.

    def refuses(self, expression, scope, negated=()):
        """Whether `return expression;` refuses. `negated`: names that the condition holds false."""
        e = squeeze(expression)
        if re.match(r"(base::)?Error\(|Refusal\{", e) or re.search(r"(\.|->)error\(\)$", e):
            return True
        call = re.match(r"(\w+)\(", e)
        if call and (call.group(1) in self.error_makers or call.group(1) == "freeze"):
            return True
        if e in self.error_values or e == "*waiting.refusal" or e in negated:
            return True
        if re.match(r"\{base::Code::", e):
            return True
        kind = self.predicate(scope)
        if e == "true":
            return kind == REFUSES
        if e == "false":
            return kind in (None, PASSES)
        return False

    NOTHING = {"nullptr", "std::nullopt", "0", "kNever"}

    def returns_error(self, scope):
        return scope is not None and re.search(r"\bError$", scope.returns)

    # The switches.

    def _number(self, at, kind, text):
        number = self.base + len(self.mutants)
        self.mutants.append(Mutant(number, self.name, self.line(at), self.function(at), kind,
                                   squeeze(text)))
        return number

    def _wrap(self, span, call, kind):
        start, end = strip(self.code, span)
        number = self._number(start, kind, self.text[start:end])
        self.inserts.append((start, 0, f"godwit::mutant::{call}({number}, ("))
        self.inserts.append((end, 0, "))"))

    def _answer(self, span, kind):
        """The answer of a predicate."""
        span = strip(self.code, span)
        choice = ternary(self.code, span)
        if choice:
            self._answer(choice[1], kind)
            self._answer(choice[2], kind)
            return
        if self.code[span[0]:span[1]] in ("true", "false"):
            constant = self.code[span[0]:span[1]]
            if (constant == "false") == (kind == PASSES):
                self._wrap(span, "Pass" if kind == PASSES else "Keep", "predicate")
            return
        operands = [span]
        if kind == REFUSES:
            operands = split(self.code, *span, "||")
        elif len(split(self.code, *span, "||")) == 1:
            operands = split(self.code, *span, "&&")
        for operand in operands:
            self._wrap(operand, "Pass" if kind == PASSES else "Keep", "predicate")

    def _statements(self, start):
        """The statement at `start`: its span, and the last statement in it if it is a block."""
        start = strip(self.code, (start, len(self.code)))[0]
        if self.code[start] != "{":
            depth = 0
            for i in range(start, len(self.code)):
                if self.code[i] in OPEN:
                    depth += 1
                elif self.code[i] in CLOSE:
                    depth -= 1
                elif self.code[i] == ";" and depth == 0:
                    return (start, i + 1), [(start, i + 1)]
        end = closing(self.code, start)
        inside, at = [], start + 1
        while True:
            at = strip(self.code, (at, end))[0]
            if at >= end:
                return (start, end + 1), inside
            depth, i = 0, at
            while True:
                if self.code[i] in OPEN:
                    depth += 1
                elif self.code[i] in CLOSE:
                    depth -= 1
                    if depth == 0 and self.code[i] == "}" and not re.match(
                            r"\s*(;|,|\)|\.|->|else)", self.code[i + 1:]):
                        break
                elif self.code[i] == ";" and depth == 0:
                    break
                i += 1
            inside.append((at, i + 1))
            at = i + 1

    def _if(self, match):
        paren = match.end() - 1
        close = closing(self.code, paren)
        parts = split(self.code, paren + 1, close, ";")
        condition = parts[-1]
        body, statements = self._statements(close + 1)
        if not statements:
            return
        first = squeeze(self.code[condition[0]:condition[1]])
        if len(parts) == 1 and re.match(r"(const )?auto[*&]? ", first):
            return
        scope = self.scope(match.start())
        operands = split(self.code, *condition, "||")
        negated = {squeeze(self.code[s:e])[1:] for s, e in operands
                   if squeeze(self.code[s:e]).startswith("!")}
        last = squeeze(self.code[statements[-1][0]:statements[-1][1]])
        whole = squeeze(self.code[body[0]:body[1]])
        kind = self.predicate(scope)
        refusing = False
        if last.startswith("return"):
            value = last[len("return"):-1].strip()
            refusing = (self.refuses(value, scope, negated) or
                        (value in self.NOTHING and kind is None))
        elif last == "continue;":
            refusing = True
        elif last in ("break;", "return {};"):
            refusing = re.search(r"= \w+\.error\(\);", whole) is not None
        elif re.match(r"[\w.]+ = (base::)?Error\(", last):
            refusing = True
        elif len(statements) == 1:
            refusing = re.match(r"(\w+\.)?Fail\(\);|"
                                r"[\w.]+ = \w+(\.|->)error\(\);|(refuse|keep)\(|if \(first\) first = ",
                                last) is not None
        if not refusing and re.search(r"\bFail\(\);", whole) and last.startswith("return"):
            refusing = True
        if not refusing:
            return
        if self.name.startswith("client/") and len(operands) == 1:
            source = self._source(match, paren, first)
            if source and NO_VERIFIER.search(source):
                self.excused.append(((match.start(), body[1]), "passes on what no verifier judged"))
                self.passed_on.append((match.start(), body[1]))
                return
        self.turned.append((match.start(), body[1]))
        for operand in operands:
            self._wrap(operand, "Keep", "if")

    def _source(self, match, paren, first):
        """What made the x of `if (!x)`: the text of its definition."""
        name = re.match(r"!(\w+)$", first)
        if not name:
            return None
        scope = self.scope(match.start())
        before = self.code[scope.start:self.code.find("{", paren)]
        made = list(re.finditer(rf"\b{name.group(1)} =\s([^;]*)", before))
        return made[-1].group(1) if made else None

    def _return(self, match):
        start = match.start()
        end = self._statements(start)[0][1]
        span = strip(self.code, (match.end(), end - 1))
        value = self.code[span[0]:span[1]]
        scope = self.scope(start)
        if not value or scope is None:
            return
        if self.returns_error(scope):
            self.excused.append(((start, end), "what makes the error, not what returns it"))
            return
        kind = self.predicate(scope)
        if kind in (PASSES, REFUSES) and not any(s <= start < e for s, e in self.turned):
            self._answer(span, kind)
            self.turned.append((start, end))
            return
        if any(s <= start < e for s, e in self.turned + self.passed_on):
            return
        choice = ternary(self.code, span)
        if choice:
            condition, yes, no = (strip(self.code, part) for part in choice)
            sides = [self.code[s:e] for s, e in (yes, no)]
            refusing = [self.refuses(side, scope) or (side in self.NOTHING and kind is None)
                        for side in sides]
            if refusing == [True, True]:
                self.excused.append(((start, end), "an error either way"))
            elif any(refusing):
                if re.search(r"== [\w.>()-]*\b(end|begin)\(\)$",
                             self.code[condition[0]:condition[1]]):
                    self.excused.append(((start, end), "a look-up: there is nothing else to give"))
                    return
                self._wrap(condition, "Keep" if refusing[0] else "Pass", "choice")
                self.turned.append((start, end))
            return
        returns = scope.returns
        status = returns in ("base::Status", "Status")
        if self.refuses(value, scope):
            if returns == "bool" and value == "false":
                self.excused.append(((start, end), f"{scope.name} {kind}"))
                return
            if not status and not re.match(r"(base::)?Result<", returns):
                self.excused.append(((start, end), "a lambda that passes on what it was given"
                                     if not scope.name else "no Status, and no Result"))
                return
            number = self._number(start, "end", self.text[span[0]:span[1]])
            self.inserts.append((start, 1, f"{{ if (godwit::mutant::Keep({number}, true)) "))
            self.inserts.append((end, 0, " return godwit::mutant::Passed(); }"))
            self.turned.append((start, end))
        elif status and self.name.startswith("client/") and NO_VERIFIER.search(value):
            self.excused.append(((start, end), "passes on what no verifier judged"))
        elif status and re.match(r"[\w:.>-]+(<.*?>)?\(", value) and not value.startswith(
                ("Status(", "base::Status(")):
            self._wrap_tail(span)
            self.turned.append((start, end))

    def _wrap_tail(self, span):
        number = self._number(span[0], "tail", self.text[span[0]:span[1]])
        self.inserts.append((span[0], 0, f"godwit::mutant::Tail({number}, "))
        self.inserts.append((span[1], 0, ")"))

    SUSPECT = re.compile(r"\bCode::\w|\bError\(|\breturn false\b|\bInvalid\(|\.error\(\)|->error\(\)")

    def find(self):
        """Fills mutants; returns (lines left out with the reason, faults)."""
        for scope in self.scopes:
            name = scope.name.split("::")[-1]
            if scope.returns == "bool" and name and not name.startswith("operator"):
                if name not in PREDICATES:
                    return [], [f"{self.name}: rewrite.py does not know the predicate {name}"]
        for match in re.finditer(r"\b(if|else if) (?:constexpr )?\(", self.code):
            if "constexpr" not in match.group(0):
                self._if(match)
        for match in re.finditer(r"\breturn\b", self.code):
            self._return(match)
        return self._left_out()

    def _left_out(self):
        left, faults, at = [], [], 0
        for number, raw in enumerate(self.text.split("\n"), 1):
            start, end = at, at + len(raw)
            at = end + 1
            code = self.code[start:end]
            hit = self.SUSPECT.search(code)
            if not hit:
                continue
            spot = start + hit.start()
            if any(s <= spot < e for s, e in self.turned):
                continue
            reason = next((why for (s, e), why in self.excused if s <= spot < e), None)
            statement = self._statement_around(spot)
            if reason is None and scope_kind(self, spot):
                reason = scope_kind(self, spot)
            if reason is None:
                reason = next((why for (file, part), why in NOT_TURNED.items()
                               if file == self.name and part in raw), None)
            if reason is None:
                if re.match(r"(const )?(base::)?Error&? \w+\(|base::Error \w+\(", statement):
                    reason = "defines an error"
                elif re.search(r"\bKeep(Evidence|PukBox)?\(", statement):
                    reason = "keeps evidence of what is refused"
                elif re.search(r"\bclosed_\.emplace\(", statement):
                    reason = "remembers what was refused"
                elif re.search(r"\b(OnTheWord|Refused)\(|\bFault\{", statement):
                    reason = "what the judge of evidence finds"
                elif re.search(r"code\(\) (==|!=) |code (==|!=) |\bCode code\b", statement):
                    reason = "looks at a code"
                elif re.match(r"(using|#include)", statement):
                    reason = "a declaration"
            if reason is None:
                faults.append(f"{self.name}:{number}: not turned, and no reason known: {raw.strip()}")
            else:
                left.append((self.name, number, raw.strip(), reason))
        return left, faults

    def _statement_around(self, spot):
        # A brace at the end of a line is a block's; others stand around values.
        ends = list(re.finditer(r";|[{}](?=\s*\n)|\} (?=else|while)", self.code[:spot]))
        start = ends[-1].end() if ends else 0
        end = self.code.find(";", spot)
        return squeeze(self.code[start:end])

    def rewritten(self):
        """The text with its switches. At one offset, a wrapper that ends comes before one that begins."""
        out, at = [], 0
        for offset, _, text in sorted(self.inserts, key=lambda i: (i[0], -i[1])):
            out += [self.text[at:offset], text]
            at = offset
        out.append(self.text[at:])
        # The words behind `return` begin with a bracket now; includes stay sorted no longer.
        return '#include "tests/mutation/mutant.h"\n' + "".join(out)
