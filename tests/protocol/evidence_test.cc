#include "protocol/evidence.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <functional>
#include <ostream>

#include "protocol/ce.h"
#include "protocol/labels.h"
#include "tests/protocol/vault_world.h"

namespace godwit::protocol {
namespace {

using Form = Evidence::Form;

// What a piece comes to, in words that a failed test prints: "server E_FORK", "proved HEX E_SIG".
std::string Print(const base::Result<Judgement>& judged) {
  if (!judged) return CodeOf(judged);
  const auto& author = judged->author;
  return (judged->proved ? "proved " : "") +
         (!author ? "server"
          : author->IsRoot()
              ? "root"
              : base::ToHex(author->member.bytes()) + "/" + base::ToHex(author->device.bytes())) +
         " " + std::string(base::Name(judged->finding.code()));
}
std::string NameOf(const Person& person) {
  return base::ToHex(person.id.bytes()) + "/" + base::ToHex(person.device().id().bytes());
}
std::string Proved(const Person& person, const char* code) {
  return "proved " + NameOf(person) + " " + code;
}
// Nobody is accused.
constexpr const char* kNobody = "INVALID_ARGUMENT";

Evidence OfRoster(const World& world, Claim claim, std::vector<Bytes> exhibits) {
  return {.claim = claim,
          .fingerprint = world.realm.roster().fingerprint(),
          .time_ms = 1'700'000'000'000,
          .statements = world.realm.statements(),
          .exhibits = std::move(exhibits)};
}
Evidence OfVault(const World& world, Claim claim, std::vector<Bytes> exhibits) {
  auto evidence = OfRoster(world, claim, std::move(exhibits));
  evidence.form = Form::kChain;
  evidence.vault = world.vault.vault().id();
  evidence.entries = world.vault.entries();
  return evidence;
}
Evidence OfRow(const World& world, Claim claim, std::vector<Bytes> exhibits, const ColdRow& row) {
  auto evidence = OfVault(world, claim, std::move(exhibits));
  evidence.form = Form::kRow;
  evidence.entries = EntriesOf(row);
  return evidence;
}

// A piece and what it must come to. Files are what is judged. A piece that accuses somebody does
// not with one exhibit more or less, or with more in one that names a place.
struct Piece {
  const char* name;
  std::function<Evidence(World&)> make;
  std::function<std::string(World&)> want;
};
std::function<std::string(World&)> Always(const std::string& text) {
  return [text](World&) { return text; };
}
bool NamesAPlace(Claim claim) { return claim >= Claim::kVekBoxChanged && claim != Claim::kRow; }
void Check(std::span<const Piece> pieces) {
  for (const Piece& piece : pieces) {
    SCOPED_TRACE(piece.name);
    World world;
    const auto read = ReadEvidence(WriteEvidence(piece.make(world)));
    ASSERT_TRUE(read);
    const std::string want = piece.want(world);
    EXPECT_EQ(Print(JudgeEvidence(*read)), want);
    if (want == kNobody || want == kUnsupported) continue;
    Evidence other = *read;
    other.exhibits.push_back(other.exhibits.empty() ? Bytes() : other.exhibits.back());
    EXPECT_EQ(Print(JudgeEvidence(other)), kNobody);
    if (read->exhibits.empty()) continue;
    other.exhibits.resize(read->exhibits.size() - 1);
    EXPECT_EQ(Print(JudgeEvidence(other)), kNobody);
    other = *read;
    other.exhibits[0].push_back(0);
    if (NamesAPlace(read->claim)) {
      EXPECT_EQ(Print(JudgeEvidence(other)), kNobody);
    }
  }
}

Bytes Resigned(const Bytes& statement, const crypto::SigningKey& key) {
  const auto raw = *ReadStatement(statement);
  return support::SignRaw(raw.header, raw.payload, key);
}
Bytes ResignedEntry(const Bytes& entry, const crypto::SigningKey& key) {
  const auto raw = *ReadEntry(entry);
  return support::SignRaw(raw.header, raw.payload, key);
}
// The same of a later version.
Bytes Later(const Bytes& statement, const crypto::SigningKey& key) {
  auto raw = *ReadStatement(statement);
  raw.header.ver = 9;
  return support::SignRaw(raw.header, raw.payload, key);
}
Bytes LaterEntry(const Bytes& entry, const Person& author) {
  auto raw = *ReadEntry(entry);
  raw.header.ver = 9;
  return support::SignRaw(raw.header, raw.payload, author.device().signing_key());
}
Bytes Changed(const World& world, const Person& author, const StatementPayload& payload,
              const std::function<void(StatementHeader&)>& change) {
  auto header = world.realm.Next(author);
  change(header);
  return SignStatement(header, payload, author.device().signing_key());
}
// What a caseworker may not.
RoleSet Promotion(const World& world) { return {world.caseworker.id, kAdmin}; }
PolicySet NextPolicy(const World& world) {
  auto policy = world.realm.roster().policy();
  ++policy.gen;
  return {policy};
}
Bytes BytesOf(const auto& fixed) { return base::ToBytes(fixed.bytes()); }

TEST(Evidence, ConvictsWhoeverSignedARefusedStatement) {
  const Piece pieces[] = {
      {"a caseworker's promotion",
       [](World& w) {
         return OfRoster(w, Claim::kStatement, {w.realm.Sign(w.caseworker, Promotion(w))});
       },
       [](World& w) { return Proved(w.caseworker, "E_ROSTER_INVALID"); }},
      {"in another's name, by the own key",
       [](World& w) {
         return OfRoster(w, Claim::kStatement,
                         {Changed(w, w.caseworker, NextPolicy(w),
                                  [&](auto& h) { h.author_member = w.owner.id; })});
       },
       [](World& w) { return Proved(w.caseworker, "E_ROSTER_INVALID"); }},
      {"another seq",
       [](World& w) {
         return OfRoster(w, Claim::kStatement,
                         {Changed(w, w.owner, NextPolicy(w), [](auto& h) { ++h.seq; })});
       },
       [](World& w) { return Proved(w.owner, "E_ROSTER_INVALID"); }},
      {"a suite below the policy's",
       [](World& w) {
         return OfRoster(w, Claim::kStatement,
                         {Changed(w, w.owner, NextPolicy(w), [](auto& h) { h.suite = 0; })});
       },
       [](World& w) { return Proved(w.owner, "E_DOWNGRADE"); }},
      {"a payload that is none",
       [](World& w) {
         auto header = w.realm.Next(w.owner);
         header.type = 1;
         return OfRoster(w, Claim::kStatement,
                         {support::SignRaw(header, Bytes(5, 9), w.owner.device().signing_key())});
       },
       [](World& w) { return Proved(w.owner, "E_SIG"); }},
      {"by a member who was removed",
       [](World& w) {
         w.realm.Remove(w.caseworker);
         return OfRoster(w, Claim::kStatement,
                         {w.realm.Sign(w.caseworker, w.realm.RotationOf(w.caseworker).payload)});
       },
       [](World& w) { return Proved(w.caseworker, "E_ROSTER_INVALID"); }},
      {"by root",
       [](World& w) { return OfRoster(w, Claim::kStatement, {w.realm.SignByRoot(NextPolicy(w))}); },
       Always("proved root E_ROSTER_INVALID")},
      {"in the place of one that was seen",
       [](World& w) {
         auto evidence = OfRoster(
             w, Claim::kTwoStatements,
             {w.realm.Sign(w.owner, NextPolicy(w)), w.realm.Sign(w.caseworker, Promotion(w))});
         return evidence;
       },
       [](World& w) { return Proved(w.caseworker, "E_ROSTER_INVALID"); }},
  };
  Check(pieces);
}

TEST(Evidence, ConvictsWhoeverSignedARefusedEntry) {
  const Piece pieces[] = {
      {"a REV by an outsider",
       [](World& w) { return OfVault(w, Claim::kEntry, {w.Write(w.outsider)}); },
       [](World& w) { return Proved(w.outsider, kInvalid); }},
      {"in another's name, by the own key",
       [](World& w) {
         return OfVault(w, Claim::kEntry,
                        {w.Signed(w.outsider, w.Revision(w.outsider),
                                  [&](auto& h) { h.author_member = w.caseworker.id; })});
       },
       [](World& w) { return Proved(w.outsider, kInvalid); }},
      {"links that lie",
       [](World& w) {
         return OfVault(w, Claim::kEntry,
                        {w.Signed(w.caseworker, w.Revision(w.caseworker),
                                  [](auto& h) { h.pin_link = h.epoch_link; })});
       },
       [](World& w) { return Proved(w.caseworker, kInvalid); }},
      {"a payload that is none",
       [](World& w) {
         auto header = w.vault.Next(w.caseworker);
         header.type = 3;
         return OfVault(
             w, Claim::kEntry,
             {support::SignRaw(header, Bytes(7, 9), w.caseworker.device().signing_key())});
       },
       [](World& w) { return Proved(w.caseworker, kSig); }},
      {"a suite below the policy's",
       [](World& w) {
         return OfVault(
             w, Claim::kEntry,
             {w.Signed(w.caseworker, w.Revision(w.caseworker), [](auto& h) { h.suite = 0; })});
       },
       [](World& w) { return Proved(w.caseworker, kDowngrade); }},
      {"under an epoch that is not fresh",
       [](World& w) {
         w.realm.RotatePuk(w.supervisor);
         return OfVault(w, Claim::kEntry, {w.Write(w.caseworker)});
       },
       [](World& w) { return Proved(w.caseworker, kInvalid); }},
      {"a CREATE by a role that may not",
       [](World& w) {
         auto header = w.vault.Next(w.intake);
         header.roster_seq = w.realm.roster().head_seq();
         const auto create = SignCreate(header, {{1}, static_cast<std::uint8_t>(Kind::kDispatch)},
                                        w.intake.device().signing_key());
         auto evidence = OfVault(w, Claim::kEntry, {create.entry});
         evidence.vault = create.vault;
         evidence.entries.clear();
         return evidence;
       },
       [](World& w) { return Proved(w.intake, kInvalid); }},
      {"in the place of one that was seen",
       [](World& w) {
         return OfVault(w, Claim::kTwoEntries, {w.Write(w.caseworker), w.Write(w.outsider)});
       },
       [](World& w) { return Proved(w.outsider, kInvalid); }},
  };
  Check(pieces);
}

TEST(Evidence, ConvictsAGuestByTheKeysThatItsVaultLists) {
  TestRealm realm(Compartment::kJourneys);
  Person& route = realm.Add(kRoute);
  Person& second = realm.Add(kRoute);
  const Person& guest = realm.Stranger();
  TestVault leg(realm, Kind::kLeg, route);
  const base::GuestId id(guest.device().id().bytes());
  leg.Rekey(route, leg.ListOf({{&route, 7}, {&second, 7}}),
            {{id, {kReadWrite, 500'000, guest.device().keys()}}});
  EntryHeader header = leg.Next(route);
  header.author_member = base::MemberId(id.bytes());
  header.author_device = guest.device().id();
  header.roster_seq = leg.vault().roster_seq();
  header.roster_head = realm.roster().LinkAt(header.roster_seq);
  const Evidence evidence{
      .claim = Claim::kEntry,
      .fingerprint = realm.roster().fingerprint(),
      .statements = realm.statements(),
      .form = Form::kChain,
      .vault = leg.vault().id(),
      .entries = leg.entries(),
      .exhibits = {SignEntry(header, State{1, 0, 0}, guest.device().signing_key())}};
  const auto hex = base::ToHex(id.bytes());
  EXPECT_EQ(Print(JudgeEvidence(evidence)), "proved " + hex + "/" + hex + " E_ENTRY_INVALID");
}

// Bytes that nobody who is bound by them signed: that the server showed them is the device's word.
TEST(Evidence, ConvictsNobodyByBytesThatBindNobody) {
  const Piece pieces[] = {
      {"a statement by nobody's key",
       [](World& w) {
         return OfRoster(w, Claim::kStatement,
                         {Resigned(w.realm.Sign(w.owner, NextPolicy(w)),
                                   w.realm.Stranger().device().signing_key())});
       },
       Always("server E_SIG")},
      {"a statement after another one than the last",
       [](World& w) {
         return OfRoster(w, Claim::kStatement,
                         {Changed(w, w.caseworker, Promotion(w), [](auto& h) { h.prev = {}; })});
       },
       Always("server E_FORK")},
      {"no statement at all",
       [](World& w) { return OfRoster(w, Claim::kStatement, {Bytes(9, 9)}); },
       Always("server E_SIG")},
      {"no GENESIS",
       [](World& w) {
         auto evidence = OfRoster(w, Claim::kStatement, {w.realm.Sign(w.owner, NextPolicy(w))});
         evidence.statements.clear();
         return evidence;
       },
       Always("server E_SIG")},
      {"no entry at all", [](World& w) { return OfVault(w, Claim::kEntry, {Bytes(9, 9)}); },
       Always("server E_SIG")},
      {"an entry by nobody's key",
       [](World& w) {
         return OfVault(
             w, Claim::kEntry,
             {ResignedEntry(w.Write(w.caseworker), w.realm.Stranger().device().signing_key())});
       },
       Always("server E_SIG")},
      {"an entry after another one than the last",
       [](World& w) {
         return OfVault(
             w, Claim::kEntry,
             {w.Signed(w.outsider, w.Revision(w.outsider), [](auto& h) { h.prev = {}; })});
       },
       Always("server E_FORK")},
      {"an entry that cites another roster",
       [](World& w) {
         return OfVault(w, Claim::kEntry,
                        {w.Signed(w.outsider, w.Revision(w.outsider),
                                  [](auto& h) { h.roster_head = h.prev; })});
       },
       Always("server E_FORK")},
      {"an entry that cites a statement which is not shown",
       [](World& w) {
         return OfVault(
             w, Claim::kEntry,
             {w.Signed(w.outsider, w.Revision(w.outsider), [](auto& h) { h.roster_seq += 9; })});
       },
       Always("server STALE_ROSTER")},
      {"an entry of a device that was not listed yet",
       [](World& w) {
         return OfVault(w, Claim::kEntry,
                        {w.Signed(w.caseworker, w.Revision(w.caseworker), [&](auto& h) {
                          h.roster_seq = 0;
                          h.roster_head = w.realm.roster().LinkAt(0);
                        })});
       },
       Always("server E_SIG")},
  };
  Check(pieces);
}

// Each of two valid ones may be the try that lost a race, or the first of two tries of one device
// whose answer was lost: whoever holds a key can sign for a place that is taken.
TEST(Evidence, TwoInOnePlaceConvictNobody) {
  const auto by = [](Person& a, Person& b) {
    return std::pair(base::ToHex(a.id.bytes()), base::ToHex(b.id.bytes()));
  };
  {
    World w;
    const auto judged = JudgeEvidence(
        OfVault(w, Claim::kTwoEntries, {w.Write(w.caseworker), w.Write(w.coordinator)}));
    ASSERT_EQ(Print(judged), "server E_FORK");
    ASSERT_EQ(judged->signers.size(), 2u);
    EXPECT_EQ(std::pair(base::ToHex(judged->signers[0].member.bytes()),
                        base::ToHex(judged->signers[1].member.bytes())),
              by(w.caseworker, w.coordinator));
    EXPECT_EQ(judged->seq, w.vault.vault().size());
    EXPECT_EQ(judged->vault, w.vault.vault().id());
  }
  {
    World w;
    const auto judged = JudgeEvidence(
        OfRoster(w, Claim::kTwoStatements,
                 {w.realm.Sign(w.owner, NextPolicy(w)),
                  w.realm.Sign(w.caseworker, w.realm.RotationOf(w.caseworker).payload)}));
    ASSERT_EQ(Print(judged), "server E_FORK");
    ASSERT_EQ(judged->signers.size(), 2u);
    EXPECT_EQ(std::pair(base::ToHex(judged->signers[0].member.bytes()),
                        base::ToHex(judged->signers[1].member.bytes())),
              by(w.owner, w.caseworker));
    EXPECT_EQ(judged->seq, w.realm.roster().size());
  }
  const Piece pieces[] = {
      {"both by one device",
       [](World& w) {
         return OfVault(w, Claim::kTwoEntries, {w.Write(w.caseworker), w.Write(w.caseworker)});
       },
       Always("server E_FORK")},
      {"the second signed by nobody",
       [](World& w) {
         return OfVault(
             w, Claim::kTwoEntries,
             {w.Write(w.caseworker),
              ResignedEntry(w.Write(w.caseworker), w.realm.Stranger().device().signing_key())});
       },
       Always("server E_SIG")},
      {"the second in another place",
       [](World& w) {
         return OfVault(w, Claim::kTwoEntries, {w.Write(w.caseworker), w.vault.entries().front()});
       },
       Always("server E_FORK")},
      {"another vault's CREATE in the place of the own",
       [](World& w) {
         const TestVault other(w.realm, Kind::kCase, w.coordinator);
         auto evidence =
             OfVault(w, Claim::kTwoEntries, {w.vault.entries().front(), other.entries().front()});
         evidence.entries.clear();
         return evidence;
       },
       Always("server E_ENTRY_INVALID")},
      {"another GENESIS",
       [](World& w) {
         const TestRealm other(Compartment::kCases, {{kOwner, 1}}, "other");
         auto evidence = OfRoster(w, Claim::kTwoStatements,
                                  {w.realm.statements().front(), other.statements().front()});
         evidence.statements.clear();
         return evidence;
       },
       Always("server E_FORK")},
      {"the same twice",
       [](World& w) {
         const auto entry = w.Write(w.caseworker);
         return OfVault(w, Claim::kTwoEntries, {entry, entry});
       },
       Always(kNobody)},
      {"the same statement twice",
       [](World& w) {
         const auto statement = w.realm.Sign(w.owner, NextPolicy(w));
         return OfRoster(w, Claim::kTwoStatements, {statement, statement});
       },
       Always(kNobody)},
      {"the first is not valid",
       [](World& w) {
         return OfVault(w, Claim::kTwoEntries, {w.Write(w.outsider), w.Write(w.caseworker)});
       },
       Always(kNobody)},
      {"the first statement is not valid",
       [](World& w) {
         return OfRoster(
             w, Claim::kTwoStatements,
             {w.realm.Sign(w.caseworker, Promotion(w)), w.realm.Sign(w.owner, NextPolicy(w))});
       },
       Always(kNobody)},
      {"the first is another realm's GENESIS",
       [](World& w) {
         const TestRealm other(Compartment::kCases, {{kOwner, 1}}, "other");
         auto evidence = OfRoster(w, Claim::kTwoStatements,
                                  {other.statements().front(), w.realm.statements().front()});
         evidence.statements.clear();
         return evidence;
       },
       Always(kNobody)},
      {"entries of a row",
       [](World& w) {
         return OfRow(w, Claim::kTwoEntries, {w.vault.entries()[0], w.vault.entries()[1]},
                      w.vault.Row());
       },
       Always(kNobody)},
      {"the first is another vault's",
       [](World& w) {
         const TestVault other(w.realm, Kind::kCase, w.coordinator);
         auto evidence =
             OfVault(w, Claim::kTwoEntries, {other.entries().front(), w.vault.entries().front()});
         evidence.entries.clear();
         return evidence;
       },
       Always(kNobody)},
  };
  Check(pieces);
}

TEST(Evidence, TakesTheDevicesWordForWhatItWasShown) {
  const auto puk_box = [](World& w, bool changed, Claim claim) {
    Writer which;
    which.Fixed(w.caseworker.id).U32(1).Fixed(w.caseworker.device().id());
    Bytes box = w.realm.PukBoxes(w.caseworker.id, 1).at(w.caseworker.device().id());
    if (changed) box[40] ^= 1;
    return OfRoster(w, claim, {which.Take(), box});
  };
  const auto vek_box = [](World& w, bool changed, Claim claim) {
    Writer which;
    which.U32(1).Fixed(w.reader.id);
    Bytes box = w.vault.box(1, w.reader.id);
    if (changed) box[40] ^= 1;
    return OfVault(w, claim, {which.Take(), box});
  };
  const auto record = [](World& w, bool changed, Claim claim) {
    const auto& link = w.vault.vault().FindRecord(w.note)->link;
    Bytes ciphertext = w.vault.Beside(link).ciphertext;
    if (changed) ciphertext[40] ^= 1;
    return OfVault(w, claim, {BytesOf(link), w.vault.Beside(link).salt, ciphertext});
  };
  const auto wrap = [](World& w, std::uint32_t older) {
    w.vault.Refresh(w.coordinator);
    Writer which;
    which.U32(2).U32(older);
    return OfVault(w, Claim::kWrapClosed, {which.Take()});
  };
  const auto listed = [](World& w, const Person& whose) {
    Writer which;
    which.U32(1).Fixed(whose.id);
    return OfVault(w, Claim::kVekBoxNotOfKey, {which.Take()});
  };
  // The reader is listed without a key.
  const auto keyless = [](World& w) {
    w.realm.RevokeByRoot(w.reader, 0);
    w.vault.Refresh(w.coordinator);
  };
  const auto caseworker = [](World& w) { return NameOf(w.caseworker) + " E_KEY_MISMATCH"; };
  const auto coordinator = [](World& w) { return NameOf(w.coordinator) + " E_KEY_MISMATCH"; };
  const auto other_row = [](World& w, int more, bool same) {
    Writer seen;
    seen.U64(w.vault.vault().head_seq() + static_cast<std::uint64_t>(more))
        .Fixed(same ? w.vault.vault().head() : w.vault.vault().pin_link());
    return OfRow(w, Claim::kOtherRow, {seen.Take()}, w.vault.Row());
  };
  const Piece pieces[] = {
      {"an older roster",
       [](World& w) {
         return OfRoster(w, Claim::kOlderRoster, {BytesOf(w.realm.roster().head())});
       },
       Always("server E_ROLLBACK")},
      {"an older roster than one that is not in the file",
       [](World& w) {
         return OfRoster(w, Claim::kOlderRoster, {BytesOf(w.realm.roster().LinkAt(1))});
       },
       Always(kNobody)},
      {"an older roster than none",
       [](World& w) {
         auto evidence = OfRoster(w, Claim::kOlderRoster, {Bytes(32, 0)});
         evidence.statements.clear();
         return evidence;
       },
       Always(kNobody)},
      {"an older roster with more behind it that is none",
       [](World& w) {
         auto evidence = OfRoster(w, Claim::kOlderRoster, {BytesOf(w.realm.roster().head())});
         evidence.statements.emplace_back(9, 9);
         return evidence;
       },
       Always(kNobody)},
      {"an older vault than none",
       [](World& w) {
         auto evidence = OfVault(w, Claim::kOlderVault, {Bytes(32, 0)});
         evidence.entries.clear();
         return evidence;
       },
       Always(kNobody)},
      {"an older vault",
       [](World& w) { return OfVault(w, Claim::kOlderVault, {BytesOf(w.vault.vault().head())}); },
       Always("server E_ROLLBACK")},
      {"an older vault than one that is not in the file",
       [](World& w) {
         return OfVault(w, Claim::kOlderVault, {BytesOf(w.vault.vault().pin_link())});
       },
       Always(kNobody)},
      {"another realm",
       [](World& w) {
         const TestRealm other(Compartment::kCases, {{kOwner, 1}}, "other");
         auto evidence = OfRoster(w, Claim::kOtherRealm, {other.statements().front()});
         evidence.statements.clear();
         return evidence;
       },
       Always("server E_ROSTER_INVALID")},
      {"another realm that is the same",
       [](World& w) {
         auto evidence = OfRoster(w, Claim::kOtherRealm, {w.realm.statements().front()});
         evidence.statements.clear();
         return evidence;
       },
       Always(kNobody)},
      {"another realm beside the pinned one",
       [](World& w) {
         const TestRealm other(Compartment::kCases, {{kOwner, 1}}, "other");
         return OfRoster(w, Claim::kOtherRealm, {other.statements().front()});
       },
       Always(kNobody)},
      {"another realm of a later version",
       [](World& w) {
         const TestRealm other(Compartment::kCases, {{kOwner, 1}}, "other");
         auto evidence =
             OfRoster(w, Claim::kOtherRealm, {Later(other.statements().front(), other.root())});
         evidence.statements.clear();
         return evidence;
       },
       Always(kUnsupported)},
      {"another realm without a GENESIS",
       [](World& w) {
         auto evidence = OfRoster(w, Claim::kOtherRealm, {w.realm.statements().back()});
         evidence.statements.clear();
         return evidence;
       },
       Always(kNobody)},
      {"another vault",
       [](World& w) {
         auto evidence = OfVault(w, Claim::kOtherVault, {w.vault.entries().front()});
         evidence.vault = {};
         evidence.entries.clear();
         return evidence;
       },
       Always("server E_ENTRY_INVALID")},
      {"another vault beside the one asked for",
       [](World& w) {
         const TestVault other(w.realm, Kind::kCase, w.coordinator);
         return OfVault(w, Claim::kOtherVault, {other.entries().front()});
       },
       Always(kNobody)},
      {"another vault beside a row",
       [](World& w) {
         const TestVault other(w.realm, Kind::kCase, w.coordinator);
         return OfRow(w, Claim::kOtherVault, {other.entries().front()}, w.vault.Row());
       },
       Always(kNobody)},
      {"another vault where none was asked for",
       [](World& w) {
         auto evidence = OfRoster(w, Claim::kOtherVault, {w.vault.entries().front()});
         return evidence;
       },
       Always(kNobody)},
      {"another vault of a later version",
       [](World& w) {
         auto evidence =
             OfVault(w, Claim::kOtherVault, {LaterEntry(w.vault.entries().front(), w.coordinator)});
         evidence.vault = {};
         evidence.entries.clear();
         return evidence;
       },
       Always(kUnsupported)},
      {"another vault that is the same",
       [](World& w) {
         auto evidence = OfVault(w, Claim::kOtherVault, {w.vault.entries().front()});
         evidence.entries.clear();
         return evidence;
       },
       Always(kNobody)},
      {"another vault without a CREATE",
       [](World& w) {
         auto evidence = OfVault(w, Claim::kOtherVault, {w.vault.entries().back()});
         evidence.entries.clear();
         return evidence;
       },
       Always(kNobody)},
      {"a changed record", [=](World& w) { return record(w, true, Claim::kRecordChanged); },
       Always("server E_DECRYPT")},
      {"a changed record that is the listed one",
       [=](World& w) { return record(w, false, Claim::kRecordChanged); }, Always(kNobody)},
      {"a record that does not open",
       [=](World& w) { return record(w, false, Claim::kRecordClosed); },
       [](World& w) { return NameOf(w.caseworker) + " E_DECRYPT"; }},
      {"a record that does not open and is not the listed one",
       [=](World& w) { return record(w, true, Claim::kRecordClosed); }, Always(kNobody)},
      {"a record of another vault",
       [=](World& w) {
         auto evidence = record(w, true, Claim::kRecordChanged);
         evidence.exhibits[0][5] ^= 1;
         return evidence;
       },
       Always(kNobody)},
      {"a record that is an EPOCH",
       [=](World& w) {
         auto evidence = record(w, true, Claim::kRecordChanged);
         evidence.exhibits[0] = BytesOf(w.vault.vault().epoch().link);
         return evidence;
       },
       Always(kNobody)},
      {"a changed box", [=](World& w) { return vek_box(w, true, Claim::kVekBoxChanged); },
       Always("server E_KEY_MISMATCH")},
      {"a changed box that is the listed one",
       [=](World& w) { return vek_box(w, false, Claim::kVekBoxChanged); }, Always(kNobody)},
      {"a box that does not open",
       [=](World& w) { return vek_box(w, false, Claim::kVekBoxClosed); }, coordinator},
      {"a box that does not open and is not the listed one",
       [=](World& w) { return vek_box(w, true, Claim::kVekBoxClosed); }, Always(kNobody)},
      {"a box of somebody who is not listed",
       [=](World& w) {
         auto evidence = vek_box(w, true, Claim::kVekBoxChanged);
         evidence.exhibits[0].back() ^= 1;
         return evidence;
       },
       Always(kNobody)},
      {"a box of no epoch",
       [=](World& w) {
         auto evidence = vek_box(w, true, Claim::kVekBoxChanged);
         evidence.exhibits[0][3] = 9;
         return evidence;
       },
       Always(kNobody)},
      {"a box of somebody who is without a key",
       [=](World& w) {
         keyless(w);
         auto evidence = vek_box(w, true, Claim::kVekBoxChanged);
         evidence.exhibits[0][3] = 2;
         return evidence;
       },
       Always(kNobody)},
      {"a wrap of no epoch",
       [=](World& w) {
         auto evidence = wrap(w, 1);
         evidence.exhibits[0][3] = 9;
         return evidence;
       },
       Always(kNobody)},
      {"a wrap that does not open", [=](World& w) { return wrap(w, 1); }, coordinator},
      {"a wrap that is not there", [=](World& w) { return wrap(w, 7); }, Always(kNobody)},
      {"a listed box that is not of its key", [=](World& w) { return listed(w, w.reader); },
       coordinator},
      {"a listed box of no epoch",
       [=](World& w) {
         auto evidence = listed(w, w.reader);
         evidence.exhibits[0][3] = 9;
         return evidence;
       },
       Always(kNobody)},
      {"a listed box of somebody who is without a key",
       [=](World& w) {
         keyless(w);
         auto evidence = listed(w, w.reader);
         evidence.exhibits[0][3] = 2;
         return evidence;
       },
       Always(kNobody)},
      {"a box that no epoch lists",
       [=](World& w) { return listed(w, w.realm.Add(protocol::kCoordinator)); }, Always(kNobody)},
      {"a changed box of a PUK", [=](World& w) { return puk_box(w, true, Claim::kPukBoxChanged); },
       Always("server E_KEY_MISMATCH")},
      {"a changed box of a PUK that is the listed one",
       [=](World& w) { return puk_box(w, false, Claim::kPukBoxChanged); }, Always(kNobody)},
      {"a box of a PUK that does not open",
       [=](World& w) { return puk_box(w, false, Claim::kPukBoxClosed); }, caseworker},
      {"a box of a PUK that does not open and is not the listed one",
       [=](World& w) { return puk_box(w, true, Claim::kPukBoxClosed); }, Always(kNobody)},
      {"a box of a PUK of another gen",
       [=](World& w) {
         auto evidence = puk_box(w, true, Claim::kPukBoxChanged);
         evidence.exhibits[0][19] = 7;
         return evidence;
       },
       Always(kNobody)},
      {"a box of a PUK of nobody",
       [=](World& w) {
         auto evidence = puk_box(w, true, Claim::kPukBoxChanged);
         evidence.exhibits[0][0] ^= 1;
         return evidence;
       },
       Always(kNobody)},
      {"a box of a PUK for another device",
       [=](World& w) {
         auto evidence = puk_box(w, true, Claim::kPukBoxChanged);
         evidence.exhibits[0].back() ^= 1;
         return evidence;
       },
       Always(kNobody)},
      {"a row that is newer than what was seen", [=](World& w) { return other_row(w, -1, false); },
       Always(kNobody)},
      {"a row that is shown as a chain",
       [=](World& w) {
         auto evidence = other_row(w, 1, true);
         evidence.form = Form::kChain;
         evidence.entries = w.vault.entries();
         return evidence;
       },
       Always(kNobody)},
      {"an older row of which half is there",
       [=](World& w) {
         auto evidence = other_row(w, 1, true);
         evidence.entries.resize(2);
         return evidence;
       },
       Always(kNobody)},
      {"an older row that does not verify",
       [=](World& w) {
         auto evidence = other_row(w, 1, true);
         std::swap(evidence.entries.back(), evidence.entries[2]);
         return evidence;
       },
       Always(kNobody)},
      {"an older row of a later version",
       [=](World& w) {
         auto evidence = other_row(w, 1, true);
         evidence.entries.back() = LaterEntry(evidence.entries.back(), w.caseworker);
         return evidence;
       },
       Always(kUnsupported)},
      {"an older row", [=](World& w) { return other_row(w, 1, true); },
       Always("server E_ROLLBACK")},
      {"another row in the same place", [=](World& w) { return other_row(w, 0, false); },
       Always("server E_FORK")},
      {"the same row", [=](World& w) { return other_row(w, 0, true); }, Always(kNobody)},
      {"a box in a row",
       [=](World& w) {
         auto evidence = vek_box(w, true, Claim::kVekBoxChanged);
         evidence.form = Form::kRow;
         evidence.entries = EntriesOf(w.vault.Row());
         return evidence;
       },
       Always("server E_KEY_MISMATCH")},
  };
  Check(pieces);
}

TEST(Evidence, NamesWhoListedABoxForANewDevice) {
  World w;
  Person& person = w.caseworker;
  const auto device = *Device::FromSeed(*DeviceSeed::Random());
  const auto addition = w.realm.DeviceAddOf(person, device);
  w.realm.Do(person, addition.payload);
  Writer which;
  which.Fixed(person.id).U32(1).Fixed(device.id());
  const auto judged =
      JudgeEvidence(OfRoster(w, Claim::kPukBoxClosed, {which.Take(), addition.box}));
  EXPECT_EQ(Print(judged), NameOf(person) + " E_KEY_MISMATCH");
  EXPECT_EQ(judged->seq, w.realm.roster().head_seq());
}

// Of a row only what no chain can make right convicts.
TEST(Evidence, ConvictsByARowWhereNoChainMakesItRight) {
  const auto with_pinned = [](World& w, const Bytes& entry) {
    ColdRow row = w.vault.Row();
    row.pinned = row.head = entry;
    return OfRow(w, Claim::kRow, {}, row);
  };
  const auto pinned_by = [](World& w, const Person& author,
                            const std::function<void(EntryHeader&)>& change = {}) {
    EntryHeader header = w.vault.Next(author);
    if (change) change(header);
    return SignEntry(header,
                     w.vault.Revision(author, w.vault.vault().pinned_record(), "forged").rev,
                     author.device().signing_key());
  };
  const auto with_head = [](World& w, const Person& author, const EntryPayload& payload) {
    w.vault.WritePinned(w.coordinator, "newer");
    ColdRow row = w.vault.Row();
    row.head = w.vault.Sign(author, payload);
    return OfRow(w, Claim::kRow, {}, row);
  };
  const Piece pieces[] = {
      {"a pinned REV by an outsider",
       [=](World& w) { return with_pinned(w, pinned_by(w, w.outsider)); },
       [](World& w) { return Proved(w.outsider, kInvalid); }},
      {"the same, of which nobody knows what went before",
       [=](World& w) {
         return with_pinned(w, pinned_by(w, w.outsider, [](auto& h) {
                              h.prev = h.pin_link;
                              h.seq += 5;
                            }));
       },
       [](World& w) { return Proved(w.outsider, kInvalid); }},
      {"by nobody's key",
       [=](World& w) {
         return with_pinned(w, ResignedEntry(pinned_by(w, w.coordinator),
                                             w.realm.Stranger().device().signing_key()));
       },
       Always("server E_SIG")},
      {"an EPOCH by an outsider",
       [](World& w) {
         ColdRow row = w.vault.Row();
         row.epochs.push_back(w.Rekeyed(w.outsider, w.Wanted()));
         row.head = row.epochs.back();
         return OfRow(w, Claim::kRow, {}, row);
       },
       [](World& w) { return Proved(w.outsider, kInvalid); }},
      {"an EPOCH that only an erase_day allows",
       [](World& w) {
         ColdRow row = w.vault.Row();
         row.epochs.push_back(
             w.Edited(w.coordinator, [&](MemberList& list) { list.erase(w.second.id); }));
         row.head = row.epochs.back();
         return OfRow(w, Claim::kRow, {}, row);
       },
       Always("server E_ENTRY_INVALID")},
      {"a head that names another EPOCH than the row",
       [](World& w) {
         ColdRow row = w.vault.Row();
         row.head = w.Signed(w.caseworker, w.Revision(w.caseworker), [](auto& h) {
           h.prev = h.epoch_link = base::Link(std::array<std::uint8_t, 32>{7});
         });
         return OfRow(w, Claim::kRow, {}, row);
       },
       Always("server E_ENTRY_INVALID")},
      {"a head that lies about what it follows",
       [](World& w) {
         w.vault.WritePinned(w.coordinator, "newer");
         ColdRow row = w.vault.Row();
         row.head = w.Signed(w.caseworker, w.Revision(w.caseworker),
                             [](auto& h) { h.pin_link = h.epoch_link; });
         return OfRow(w, Claim::kRow, {}, row);
       },
       [](World& w) { return Proved(w.caseworker, kInvalid); }},
      {"a head by a reader",
       [](World& w) {
         ColdRow row = w.vault.Row();
         row.head = w.Write(w.reader);
         return OfRow(w, Claim::kRow, {}, row);
       },
       [](World& w) { return Proved(w.reader, kInvalid); }},
      {"a head by a reader, of each type that a reader does not write",
       [=](World& w) { return with_head(w, w.reader, w.vault.TombOf(w.note)); },
       [](World& w) { return Proved(w.reader, kInvalid); }},
      {"the same, STATE",
       [=](World& w) {
         return with_head(w, w.reader, State{1, 0, 0});
       },
       [](World& w) { return Proved(w.reader, kInvalid); }},
      {"the same, ASSENT",
       [=](World& w) {
         return with_head(w, w.reader, Assent{w.vault.vault().head(), 1});
       },
       [](World& w) { return Proved(w.reader, kInvalid); }},
      {"the same, ASK",
       [=](World& w) {
         return with_head(w, w.reader, Ask{Ask::kToRead, 1, 1, {}});
       },
       [](World& w) { return Proved(w.reader, kInvalid); }},
      {"a second CREATE",
       [=](World& w) {
         return with_head(w, w.caseworker, Create{{1}, static_cast<std::uint8_t>(Kind::kCase)});
       },
       Always("server E_ENTRY_INVALID")},
      {"a head whose payload does not decode",
       [](World& w) {
         ColdRow row = w.vault.Row();
         auto header = w.vault.Next(w.caseworker);
         header.type = TypeOf(EntryPayload(State{}));
         row.head = support::SignRaw(header, Bytes{1}, w.caseworker.device().signing_key());
         return OfRow(w, Claim::kRow, {}, row);
       },
       [](World& w) { return Proved(w.caseworker, "E_SIG"); }},
      {"a head of a suite below the policy's",
       [](World& w) {
         ColdRow row = w.vault.Row();
         row.head = w.Signed(w.caseworker, w.Revision(w.caseworker), [](auto& h) { h.suite = 0; });
         return OfRow(w, Claim::kRow, {}, row);
       },
       [](World& w) { return Proved(w.caseworker, "E_DOWNGRADE"); }},
      {"a head by a reader that leaves a place out",
       [=](World& w) {
         w.vault.WritePinned(w.coordinator, "newer");
         ColdRow row = w.vault.Row();
         row.head = w.Signed(w.reader, w.Revision(w.reader), [](auto& h) { ++h.seq; });
         return OfRow(w, Claim::kRow, {}, row);
       },
       [](World& w) { return Proved(w.reader, kInvalid); }},
      {"a head that cites an older roster than the entry before",
       [=](World& w) {
         w.vault.WritePinned(w.coordinator, "newer");
         ColdRow row = w.vault.Row();
         row.head = w.Signed(w.caseworker, w.Revision(w.caseworker), [&](auto& h) {
           --h.roster_seq;
           h.roster_head = w.realm.roster().LinkAt(h.roster_seq);
         });
         return OfRow(w, Claim::kRow, {}, row);
       },
       [](World& w) { return Proved(w.caseworker, kInvalid); }},
      {"a head of another vault",
       [](World& w) {
         TestVault other(w.realm, Kind::kCase, w.second, {{&w.second, 7}});
         ColdRow row = w.vault.Row();
         row.head = other.entries().back();
         return OfRow(w, Claim::kRow, {}, row);
       },
       Always("server E_ENTRY_INVALID")},
      {"an EPOCH is missing",
       [](World& w) {
         w.vault.Refresh(w.coordinator);
         w.vault.WritePinned(w.coordinator, "newer");
         ColdRow row = w.vault.Row();
         row.epochs.pop_back();
         return OfRow(w, Claim::kRow, {}, row);
       },
       Always("server E_ENTRY_INVALID")},
      {"a CREATE by a role that may not",
       [](World& w) {
         auto header = w.vault.Next(w.intake);
         ColdRow row = w.vault.Row();
         row.create = SignCreate(header, {{1}, static_cast<std::uint8_t>(Kind::kDispatch)},
                                 w.intake.device().signing_key())
                          .entry;
         return OfRow(w, Claim::kRow, {}, row);
       },
       [](World& w) { return Proved(w.intake, kInvalid); }},
      {"the same, with a head that leaves a place out",
       [](World& w) {
         w.vault.Refresh(w.coordinator);
         w.vault.WritePinned(w.coordinator, "newer");
         ColdRow row = w.vault.Row();
         row.epochs.pop_back();
         row.head = w.Signed(w.caseworker, w.Revision(w.caseworker), [](auto& h) { ++h.seq; });
         return OfRow(w, Claim::kRow, {}, row);
       },
       [](World& w) { return Proved(w.caseworker, kInvalid); }},
      {"the same, with a head of a later type",
       [](World& w) {
         w.vault.Refresh(w.coordinator);
         w.vault.WritePinned(w.coordinator, "newer");
         ColdRow row = w.vault.Row();
         row.epochs.pop_back();
         EntryHeader header = w.vault.Next(w.caseworker);
         header.type = 200;
         row.head = support::SignRaw(header, Bytes{1}, w.caseworker.device().signing_key());
         return OfRow(w, Claim::kRow, {}, row);
       },
       Always("server E_ENTRY_INVALID")},
      {"the same, with a head that is no entry",
       [](World& w) {
         w.vault.Refresh(w.coordinator);
         w.vault.WritePinned(w.coordinator, "newer");
         ColdRow row = w.vault.Row();
         row.epochs.pop_back();
         row.head = Bytes(9, 9);
         return OfRow(w, Claim::kRow, {}, row);
       },
       Always("server E_ENTRY_INVALID")},
      {"a head that follows the pinned record and names another EPOCH",
       [](World& w) {
         w.vault.WritePinned(w.coordinator, "newer");
         ColdRow row = w.vault.Row();
         row.head = w.Signed(w.caseworker, w.Revision(w.caseworker),
                             [](auto& h) { h.epoch_link = h.pin_link; });
         return OfRow(w, Claim::kRow, {}, row);
       },
       [](World& w) { return Proved(w.caseworker, kInvalid); }},
      {"a freeze by a device that was revoked",
       [](World& w) {
         w.realm.RevokeByRoot(w.caseworker, 0);
         ColdRow row = w.vault.Row();
         row.head = w.vault.Sign(w.caseworker, State{1, 0, 0});
         return OfRow(w, Claim::kRow, {}, row);
       },
       [](World& w) { return Proved(w.caseworker, kInvalid); }},
      {"the first EPOCH of another vault as the head",
       [](World& w) {
         TestVault other(w.realm, Kind::kCase, w.second, {{&w.second, 7}});
         ColdRow row = w.vault.Row();
         row.head = other.entries()[1];
         return OfRow(w, Claim::kRow, {}, row);
       },
       Always("server E_ENTRY_INVALID")},
      {"a row of a later version",
       [](World& w) {
         ColdRow row = w.vault.Row();
         row.head = LaterEntry(row.head, w.caseworker);
         return OfRow(w, Claim::kRow, {}, row);
       },
       Always(kUnsupported)},
      {"a row that is shown as a chain",
       [=](World& w) {
         auto evidence = with_pinned(w, pinned_by(w, w.outsider));
         evidence.form = Form::kChain;
         return evidence;
       },
       Always(kNobody)},
      {"a row that is right", [](World& w) { return OfRow(w, Claim::kRow, {}, w.vault.Row()); },
       Always(kNobody)},
      {"half a row",
       [](World& w) {
         auto evidence = OfRow(w, Claim::kRow, {}, w.vault.Row());
         evidence.entries.resize(2);
         return evidence;
       },
       Always(kNobody)},
  };
  Check(pieces);
}

TEST(Evidence, AccusesNobodyWithoutChainsThatVerify) {
  const auto good = [](World& w) { return OfVault(w, Claim::kEntry, {w.Write(w.outsider)}); };
  const Piece pieces[] = {
      {"what it accuses is valid",
       [](World& w) { return OfVault(w, Claim::kEntry, {w.Write(w.caseworker)}); },
       Always(kNobody)},
      {"the statement that it accuses is valid",
       [](World& w) {
         return OfRoster(w, Claim::kStatement, {w.realm.Sign(w.owner, NextPolicy(w))});
       },
       Always(kNobody)},
      {"a roster that does not verify",
       [=](World& w) {
         auto evidence = good(w);
         evidence.statements.erase(evidence.statements.begin() + 1);
         return evidence;
       },
       Always(kNobody)},
      {"no roster",
       [=](World& w) {
         auto evidence = good(w);
         evidence.statements.clear();
         return evidence;
       },
       Always(kNobody)},
      {"another F",
       [=](World& w) {
         auto evidence = good(w);
         evidence.fingerprint = {};
         return evidence;
       },
       Always(kNobody)},
      {"a chain that does not verify",
       [=](World& w) {
         auto evidence = good(w);
         evidence.entries.erase(evidence.entries.begin() + 1);
         return evidence;
       },
       Always(kNobody)},
      {"the chain of another vault",
       [=](World& w) {
         auto evidence = good(w);
         evidence.vault = {};
         return evidence;
       },
       Always(kNobody)},
      {"no vault",
       [=](World& w) {
         auto evidence = good(w);
         evidence.form = Form::kNone;
         return evidence;
       },
       Always(kNobody)},
      {"a chain as a row",
       [=](World& w) {
         auto evidence = good(w);
         evidence.form = Form::kRow;
         return evidence;
       },
       Always(kNobody)},
      {"an entry of a row",
       [](World& w) { return OfRow(w, Claim::kEntry, {w.Write(w.outsider)}, w.vault.Row()); },
       Always(kNobody)},
      {"a chain of a later version",
       [=](World& w) {
         auto evidence = good(w);
         evidence.entries.back() = LaterEntry(evidence.entries.back(), w.caseworker);
         return evidence;
       },
       Always(kUnsupported)},
      {"a roster of a later version",
       [=](World& w) {
         auto evidence = good(w);
         evidence.statements.push_back(
             Later(w.realm.Sign(w.owner, NextPolicy(w)), w.owner.device().signing_key()));
         return evidence;
       },
       Always(kUnsupported)},
      {"an exhibit too many",
       [=](World& w) {
         auto evidence = good(w);
         evidence.exhibits.emplace_back();
         return evidence;
       },
       Always(kNobody)},
      {"of a later version",
       [](World& w) {
         return OfVault(w, Claim::kEntry,
                        {w.Signed(w.outsider, w.Revision(w.outsider), [](auto& h) { h.ver = 9; })});
       },
       Always(kUnsupported)},
      {"a statement of a later version",
       [](World& w) {
         return OfRoster(w, Claim::kStatement,
                         {Changed(w, w.owner, NextPolicy(w), [](auto& h) { h.ver = 9; })});
       },
       Always(kUnsupported)},
  };
  Check(pieces);
  // Exhibits of another claim, and none.
  World world;
  for (std::uint8_t claim = 1; claim <= 18; ++claim) {
    SCOPED_TRACE(Name(Claim{claim}));
    const std::vector<Bytes> four(4, Bytes(9, 9));
    for (const auto& evidence :
         {OfRoster(world, Claim{claim}, four), OfVault(world, Claim{claim}, four),
          OfVault(world, Claim{claim}, {{1}, {2}}),
          OfRow(world, Claim{claim}, four, world.vault.Row())}) {
      const auto judged = Print(JudgeEvidence(evidence));
      EXPECT_EQ(judged, kNobody);
    }
  }
}

// Whatever stands before it: what an honest member signed convicts nobody.
TEST(Evidence, NoChoiceOfWhatStandsBeforeConvictsAnHonestAuthor) {
  World w;
  w.vault.Refresh(w.coordinator);
  w.vault.WritePinned(w.coordinator, "newer");
  // Two other futures of the realm, by its owner, of which an honest member saw the first.
  const std::vector<Bytes> past = w.realm.statements();
  const Bytes removal = w.realm.Sign(w.owner, MemberRemove{w.caseworker.id, 1});
  auto strict = NextPolicy(w);
  strict.policy.min_suite = 2;
  const Bytes policy = w.realm.Sign(w.owner, strict);
  w.realm.SetPolicy(NextPolicy(w).policy);
  w.vault.Refresh(w.coordinator);
  w.vault.Write(w.caseworker, w.note, "honest");
  std::vector<std::vector<Bytes>> rosters;
  for (std::size_t n = w.realm.statements().size(); n >= 3; n -= 3) {
    rosters.emplace_back(w.realm.statements().begin(),
                         w.realm.statements().begin() + static_cast<std::ptrdiff_t>(n));
  }
  for (const Bytes& other : {removal, policy}) {
    rosters.push_back(past);
    rosters.back().push_back(other);
  }
  const auto fingerprint = w.realm.roster().fingerprint();
  std::size_t against_the_server = 0;
  for (const auto& roster : rosters) {
    for (const Bytes& statement : w.realm.statements()) {
      const auto judged = JudgeEvidence({.claim = Claim::kStatement,
                                         .fingerprint = fingerprint,
                                         .statements = roster,
                                         .exhibits = {statement}});
      ASSERT_TRUE(!judged || !judged->author) << Print(judged);
      against_the_server += judged ? 1 : 0;
    }
    for (std::size_t n = 0; n <= w.vault.entries().size(); ++n) {
      for (const Bytes& entry : w.vault.entries()) {
        const auto judged =
            JudgeEvidence({.claim = Claim::kEntry,
                           .fingerprint = fingerprint,
                           .statements = roster,
                           .form = Form::kChain,
                           .vault = w.vault.vault().id(),
                           .entries = {w.vault.entries().begin(),
                                       w.vault.entries().begin() + static_cast<std::ptrdiff_t>(n)},
                           .exhibits = {entry}});
        ASSERT_TRUE(!judged || !judged->author) << Print(judged);
        against_the_server += judged ? 1 : 0;
      }
    }
    // Rows of any three entries, as the whole of a future knows them.
    if (roster.size() < past.size()) continue;
    for (const Bytes& epoch : w.vault.entries()) {
      for (const Bytes& pinned : w.vault.entries()) {
        for (const Bytes& head : w.vault.entries()) {
          const auto judged =
              JudgeEvidence({.claim = Claim::kRow,
                             .fingerprint = fingerprint,
                             .statements = roster,
                             .form = Form::kRow,
                             .vault = w.vault.vault().id(),
                             .entries = {w.vault.entries().front(), epoch, pinned, head}});
          ASSERT_TRUE(!judged || !judged->author) << Print(judged);
        }
      }
    }
  }
  EXPECT_GT(against_the_server, 50u);
}

// Proved pieces of each kind.
std::vector<Bytes> ProvedFiles() {
  World w;
  ColdRow row = w.vault.Row();
  row.head = w.Write(w.reader);
  return {
      WriteEvidence(OfRoster(w, Claim::kStatement, {w.realm.Sign(w.caseworker, Promotion(w))})),
      WriteEvidence(OfVault(w, Claim::kEntry, {w.Write(w.outsider)})),
      WriteEvidence(OfVault(w, Claim::kTwoEntries, {w.Write(w.caseworker), w.Write(w.outsider)})),
      WriteEvidence(OfRow(w, Claim::kRow, {}, row))};
}

// The member whom a file convicts, or nothing.
std::string Convicted(const Bytes& file) {
  const auto read = ReadEvidence(file);
  if (!read) return "";
  const auto judged = JudgeEvidence(*read);
  if (!judged || !judged->proved) return "";
  return base::ToHex(judged->author->member.bytes());
}

TEST(Evidence, NoBitOfAProvedFileMovesTheBlame) {
  for (const Bytes& file : ProvedFiles()) {
    const std::string blamed = Convicted(file);
    ASSERT_NE(blamed, "");
    // The last bytes are exhibits or the row; what stands before is sampled.
    constexpr std::size_t kTail = 300;
    for (std::size_t at = 0; at < file.size(); at += at + kTail < file.size() ? 211 : 1) {
      Bytes changed = file;
      changed[at] ^= static_cast<std::uint8_t>(1u << (at % 8));
      const std::string now = Convicted(changed);
      ASSERT_TRUE(now.empty() || now == blamed) << "byte " << at;
    }
  }
}

RC_GTEST_PROP(Evidence, AnyChangeOfAProvedFileMovesNoBlame, ()) {
  static const auto files = ProvedFiles();
  const Bytes file = files[*rc::gen::inRange<std::size_t>(0, files.size())];
  Bytes changed = file;
  for (int i = *rc::gen::inRange(1, 4); i > 0; --i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, file.size());
    changed[at] ^= static_cast<std::uint8_t>(1u << *rc::gen::inRange(0, 8));
  }
  const std::string now = Convicted(changed);
  const bool same_or_none = now.empty() || now == Convicted(file);
  RC_ASSERT(same_or_none);
}

RC_GTEST_PROP(Evidence, JudgesAnyClaimOnAnyBytes, ()) {
  static const World world;
  Evidence evidence;
  evidence.claim = Claim{*rc::gen::inRange<std::uint8_t>(1, 19)};
  evidence.fingerprint = world.realm.roster().fingerprint();
  evidence.vault = world.vault.vault().id();
  evidence.form = Form{*rc::gen::inRange<std::uint8_t>(0, 3)};
  const auto some = [](const std::vector<Bytes>& from) {
    return std::vector<Bytes>(
        from.begin(), from.begin() + static_cast<std::ptrdiff_t>(
                                         *rc::gen::inRange<std::size_t>(0, from.size() + 1)));
  };
  evidence.statements = some(world.realm.statements());
  evidence.entries =
      evidence.form == Form::kRow ? EntriesOf(world.vault.Row()) : some(world.vault.entries());
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        evidence.exhibits.push_back(*rc::gen::elementOf(world.realm.statements()));
        break;
      case 1:
        evidence.exhibits.push_back(*rc::gen::elementOf(world.vault.entries()));
        break;
      default:
        evidence.exhibits.push_back(*rc::gen::arbitrary<Bytes>());
    }
  }
  const auto file = WriteEvidence(evidence);
  const auto read = ReadEvidence(file);
  RC_ASSERT(read.ok());
  const auto judged = JudgeEvidence(*read);
  // Nothing here was signed by anybody but the honest.
  const bool convicts = judged && judged->proved;
  RC_ASSERT(!convicts);
}

TEST(Evidence, ReadsWhatItWroteAndNothingElse) {
  World w;
  const auto evidence = OfVault(w, Claim::kTwoEntries, {w.Write(w.caseworker), {}});
  const Bytes file = WriteEvidence(evidence);
  const auto read = ReadEvidence(file);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, evidence);
  const auto roster_only = OfRoster(w, Claim::kOlderRoster, {{1}});
  EXPECT_EQ(*ReadEvidence(WriteEvidence(roster_only)), roster_only);
  for (std::size_t size = 0; size < file.size(); ++size) {
    ASSERT_EQ(CodeOf(ReadEvidence(base::ByteSpan(file).first(size))), kSig) << size;
  }
  Bytes longer = file;
  longer.push_back(0);
  EXPECT_EQ(CodeOf(ReadEvidence(longer)), kSig);
  const struct {
    std::size_t at;
    std::uint8_t value;
    const char* want;
  } rows[] = {{0, 'x', kSig}, {6, 2, kUnsupported}, {7, 0, kUnsupported}, {7, 19, kUnsupported}};
  for (const auto& row : rows) {
    Bytes changed = file;
    changed[row.at] = row.value;
    EXPECT_EQ(CodeOf(ReadEvidence(changed)), row.want) << row.at;
  }
  Bytes form = WriteEvidence(OfRoster(w, Claim::kOlderRoster, {}));
  form[form.size() - 5] = 3;
  EXPECT_EQ(CodeOf(ReadEvidence(form)), kSig);
  auto as_row = evidence;
  as_row.form = Form::kRow;
  form = WriteEvidence(as_row);
  const auto at = std::ranges::mismatch(form, file).in1;
  ASSERT_EQ(*at, static_cast<std::uint8_t>(Form::kRow));
  *at = 3;
  EXPECT_EQ(CodeOf(ReadEvidence(form)), kSig);
  EXPECT_EQ(CodeOf(ReadEvidence({})), kSig);
}

}  // namespace
}  // namespace godwit::protocol
