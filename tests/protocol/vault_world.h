#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <span>
#include <sstream>
#include <string>

#include "protocol/vault.h"
#include "tests/support/builders.h"
#include "tests/support/codes.h"

// What the tests of a vault's rules share: a case, and tables of entries with their verdicts.
namespace godwit::protocol {

using base::Bytes;
using support::CodeOf;
using support::Person;
using support::TestRealm;
using support::TestVault;

inline constexpr const char* kOk = "ok";
inline constexpr const char* kInvalid = "E_ENTRY_INVALID";
inline constexpr const char* kSig = "E_SIG";
inline constexpr const char* kFork = "E_FORK";
inline constexpr const char* kUnsupported = "E_UNSUPPORTED";
inline constexpr const char* kDowngrade = "E_DOWNGRADE";
inline constexpr const char* kStaleRoster = "STALE_ROSTER";

// All that a vault holds, in words, so that a test can see that nothing changed.
inline std::string Snapshot(const Vault& vault) {
  std::ostringstream out;
  out << vault.size() << " " << base::ToHex(vault.head().bytes()) << " "
      << base::ToHex(vault.id().bytes()) << " " << Name(vault.kind()) << " "
      << base::ToHex(vault.creator().bytes()) << " " << vault.roster_seq() << " epoch "
      << vault.epoch().number << " " << base::ToHex(vault.epoch().link.bytes()) << " "
      << base::ToHex(vault.epoch().author.bytes()) << " " << vault.epoch().rec_gen << " "
      << vault.epoch().by_writer_only << " pin " << base::ToHex(vault.pin_link().bytes()) << "\n";
  for (const auto& [member, row] : vault.epoch().list) {
    out << base::ToHex(member.bytes()) << " " << int{row.perm} << " " << row.puk_gen << "\n";
  }
  for (const auto& [guest, row] : vault.epoch().guests) {
    out << base::ToHex(guest.bytes()) << " " << int{row.perm} << " " << row.expires_hour << "\n";
  }
  const auto write = [&out](const State& state) {
    out << int{state.frozen} << " " << int{state.hold} << " " << state.erase_day << "\n";
  };
  write(vault.state());
  if (vault.waiting()) {
    out << "waiting " << base::ToHex(vault.waiting()->link.bytes()) << " ";
    write(vault.waiting()->state);
  }
  std::map<base::RecordId, Vault::Record> records(vault.records().begin(), vault.records().end());
  for (const auto& [id, record] : records) {
    out << base::ToHex(id.bytes()) << " " << record.rver << " " << base::ToHex(record.link.bytes())
        << " " << record.dead << " " << base::ToHex(record.creator.bytes()) << "\n";
  }
  return out.str();
}

// A realm of cases, and a case vault with a record, its pinned record and one epoch.
struct World {
  TestRealm realm{Compartment::kCases, {{kOwner, 1}}};
  Person& owner = realm.person(0);
  Person& coordinator = realm.Add(kCoordinator);
  Person& second = realm.Add(kCoordinator);
  Person& caseworker = realm.Add(kCaseworker);
  Person& supervisor = realm.Add(kSupervisor);
  Person& reader = realm.Add(kCaseworker);
  Person& intake = realm.Add(kIntake);
  Person& outsider = realm.Add(kCaseworker);
  TestVault vault{
      realm,
      Kind::kCase,
      coordinator,
      {{&coordinator, 7}, {&second, 7}, {&caseworker, 3}, {&supervisor, 3}, {&reader, 1}}};
  base::RecordId note = vault.NewRecord();

  World() {
    vault.WritePinned(coordinator, "summary");
    vault.Write(caseworker, note, "note");
  }
  Bytes Signed(const Person& author, const EntryPayload& payload,
               const std::function<void(EntryHeader&)>& change) const {
    EntryHeader header = vault.Next(author);
    change(header);
    return SignEntry(header, payload, author.device().signing_key());
  }
  Rev Revision(const Person& author) { return vault.Revision(author, note, "more").rev; }
  Bytes Write(
      const Person& author, const std::function<void(Rev&)>& change = [](Rev&) {}) {
    Rev rev = Revision(author);
    change(rev);
    return vault.Sign(author, rev);
  }
  Bytes Tombed(
      const Person& author, const std::function<void(Tomb&)>& change = [](Tomb&) {}) {
    Tomb tomb = vault.TombOf(note);
    change(tomb);
    return vault.Sign(author, tomb);
  }
  MemberList List() const { return vault.vault().epoch().list; }
  // What the list in force should be at the roster's head.
  MemberList Wanted() const {
    return Want(List(), vault.vault().kind(), realm.roster(), realm.roster().head_seq());
  }
  Bytes Rekeyed(
      const Person& author, const MemberList& list,
      const std::function<void(Epoch&)>& change = [](Epoch&) {}) {
    Epoch epoch = vault.RekeyingOf(list).epoch.payload;
    change(epoch);
    return vault.Sign(author, epoch);
  }
  // An EPOCH for the list in force with `edit` done to it.
  Bytes Edited(const Person& author, const std::function<void(MemberList&)>& edit) {
    MemberList list = Wanted();
    edit(list);
    return Rekeyed(author, list);
  }
  MemberRow RowOf(const Person& person, Perm perm) const {
    return vault.ListOf({{&person, perm}}).at(person.id);
  }
};

// An entry and the verdict on it.
struct Row {
  const char* name;
  std::function<Bytes(World&)> make;
  const char* want;
};

inline void Check(std::span<const Row> rows) {
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    World world;
    const Bytes entry = row.make(world);
    Vault vault = world.vault.vault();
    const std::string before = Snapshot(vault);
    EXPECT_EQ(CodeOf(vault.Append(entry, world.realm.roster())), row.want);
    if (row.want == std::string(kOk)) {
      EXPECT_EQ(vault.head(), EntryLink(entry));
      EXPECT_EQ(vault.size(), world.vault.vault().size() + 1);
    } else {
      EXPECT_EQ(Snapshot(vault), before);
    }
  }
}

}  // namespace godwit::protocol
