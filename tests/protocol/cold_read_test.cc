#include "protocol/cold_read.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/support/builders.h"
#include "tests/support/codes.h"

namespace godwit::protocol {
namespace {

using base::Bytes;
using support::CodeOf;
using support::Person;
using support::TestRealm;
using support::TestVault;

constexpr const char* kInvalid = "E_ENTRY_INVALID";
constexpr const char* kFork = "E_FORK";
constexpr const char* kSig = "E_SIG";

struct World {
  TestRealm realm{Compartment::kCases};
  Person& coordinator = realm.Add(kCoordinator);
  Person& second = realm.Add(kCoordinator);
  Person& caseworker = realm.Add(kCaseworker);
  Person& reader = realm.Add(kCaseworker);
  // Was never in the vault.
  Person& outsider = realm.Add(kCoordinator);
  TestVault vault{realm,
                  Kind::kCase,
                  coordinator,
                  {{&coordinator, 7}, {&second, 7}, {&caseworker, 3}, {&reader, 1}}};
  base::RecordId note = vault.NewRecord();

  std::string Read(const ColdRow& row) const { return CodeOf(ReadCold(row, realm.roster())); }
};

TEST(ColdRead, TakesEveryHonestRow) {
  const std::pair<const char*, std::function<void(World&)>> rows[] = {
      {"head is the pinned record", [](World& w) { w.vault.WritePinned(w.caseworker, "s"); }},
      {"head is a later revision of it",
       [](World& w) {
         w.vault.WritePinned(w.caseworker, "s");
         w.vault.Write(w.caseworker, w.note, "n");
         w.vault.WritePinned(w.coordinator, "s2");
       }},
      {"head is another record",
       [](World& w) {
         w.vault.WritePinned(w.caseworker, "s");
         w.vault.Write(w.caseworker, w.note, "n");
       }},
      {"head is a TOMB by a manager",
       [](World& w) {
         w.vault.WritePinned(w.caseworker, "s");
         w.vault.Write(w.caseworker, w.note, "n");
         w.vault.WriteTomb(w.coordinator, w.note);
       }},
      {"head is a STATE",
       [](World& w) {
         w.vault.WritePinned(w.caseworker, "s");
         w.vault.Append(w.vault.Sign(w.caseworker, State{1, 0, 0}));
       }},
      {"head is an ASSENT",
       [](World& w) {
         w.vault.WritePinned(w.caseworker, "s");
         w.vault.Append(w.vault.Sign(w.coordinator, Assent{w.vault.vault().head(), Assent::kYes}));
       }},
      {"head is a TOMB by its maker",
       [](World& w) {
         w.vault.Write(w.caseworker, w.note, "n");
         w.vault.WritePinned(w.caseworker, "s");
         w.vault.WriteTomb(w.caseworker, w.note);
       }},
      {"head is an epoch",
       [](World& w) {
         w.vault.WritePinned(w.caseworker, "s");
         w.vault.Refresh(w.caseworker);
       }},
      {"pinned under an older epoch, head under the last",
       [](World& w) {
         w.vault.WritePinned(w.caseworker, "s");
         w.vault.Refresh(w.caseworker);
         w.vault.Write(w.caseworker, w.note, "n");
       }},
      {"several epochs",
       [](World& w) {
         w.vault.Refresh(w.caseworker);
         w.vault.Write(w.caseworker, w.note, "n");
         w.vault.Refresh(w.coordinator);
         w.vault.WritePinned(w.caseworker, "s");
         w.vault.Refresh(w.second);
         w.vault.Refresh(w.second);
       }},
      {"its author removed since",
       [](World& w) {
         w.vault.WritePinned(w.caseworker, "s");
         w.realm.Remove(w.caseworker);
         w.vault.Refresh(w.coordinator);
       }},
      {"its author removed since, nobody rekeyed",
       [](World& w) {
         w.vault.WritePinned(w.caseworker, "s");
         w.realm.Remove(w.caseworker);
       }},
      {"after a rotation",
       [](World& w) {
         w.vault.WritePinned(w.caseworker, "s");
         w.realm.RotatePuk(w.caseworker);
         w.vault.Refresh(w.coordinator);
         w.vault.WritePinned(w.caseworker, "s2");
       }},
  };
  for (const auto& [name, write] : rows) {
    SCOPED_TRACE(name);
    World world;
    write(world);
    const auto cold = ReadCold(world.vault.Row(), world.realm.roster());
    ASSERT_EQ(CodeOf(cold), "ok");
    const Vault& vault = world.vault.vault();
    EXPECT_EQ(cold->vault, vault.id());
    EXPECT_EQ(cold->kind, vault.kind());
    EXPECT_EQ(cold->head, vault.head());
    EXPECT_EQ(cold->head_seq, vault.head_seq());
    EXPECT_EQ(cold->epoch.number, vault.epoch().number);
    EXPECT_EQ(cold->epoch.link, vault.epoch().link);
    EXPECT_EQ(cold->epoch.list, vault.epoch().list);
    EXPECT_EQ(cold->epochs.size(), vault.epoch().number);
    EXPECT_EQ(cold->pinned.rver, vault.FindRecord(vault.pinned_record())->rver);
    EXPECT_EQ(EntryLink(world.vault.Row().pinned), vault.pin_link());
  }
}

TEST(ColdRead, TakesAnImportedRow) {
  TestRealm realm(Compartment::kCases);
  auto& coordinator = realm.Add(kCoordinator);
  auto& intake = realm.Add(kIntake);
  TestVault vault(realm, Kind::kCase, intake, {{&intake, 2}, {&coordinator, 7}});
  vault.WritePinned(intake, "s");
  EXPECT_EQ(CodeOf(ReadCold(vault.Row(), realm.roster())), "ok");
  vault.Write(intake, vault.NewRecord(), "n");
  EXPECT_EQ(CodeOf(ReadCold(vault.Row(), realm.roster())), "ok");
  vault.Refresh(coordinator);
  vault.WritePinned(coordinator, "s2");
  EXPECT_EQ(CodeOf(ReadCold(vault.Row(), realm.roster())), "ok");
}

// A server, and perhaps a coordinator who was never in the vault, forge a row. Every entry of it is
// what a warm reader would refuse.
struct Forgery {
  const char* name;
  std::function<void(World&, ColdRow&)> forge;
  const char* want;
};

// A REV of the pinned record that follows the row's, by `author`.
Bytes NextPinned(World& w, const Person& author,
                 const std::function<void(EntryHeader&, Rev&)>& change) {
  EntryHeader header = w.vault.Next(author);
  Rev rev = w.vault.Revision(author, w.vault.vault().pinned_record(), "forged").rev;
  change(header, rev);
  return SignEntry(header, rev, author.device().signing_key());
}
Bytes NextPinned(World& w, const Person& author) {
  return NextPinned(w, author, [](EntryHeader&, Rev&) {});
}
void GiveHead(ColdRow& row, const Bytes& head) { row.pinned = row.head = head; }

TEST(Attack, Row58_NoForgedRowIsReadCold) {
  const base::Link other_link(std::array<std::uint8_t, 32>{1});
  const Forgery rows[] = {
      // REV
      {"pinned by an outsider",
       [](World& w, ColdRow& row) { GiveHead(row, NextPinned(w, w.outsider)); }, kInvalid},
      {"pinned by a reader", [](World& w, ColdRow& row) { GiveHead(row, NextPinned(w, w.reader)); },
       kInvalid},
      {"pinned by nobody the roster lists",
       [](World& w, ColdRow& row) { GiveHead(row, NextPinned(w, w.realm.Stranger())); }, kSig},
      {"pinned by a member's name with another key",
       [](World& w, ColdRow& row) {
         GiveHead(row,
                  SignEntry(
                      w.vault.Next(w.caseworker),
                      w.vault.Revision(w.caseworker, w.vault.vault().pinned_record(), "forged").rev,
                      w.outsider.device().signing_key()));
       },
       kSig},
      {"pinned under another's name",
       [](World& w, ColdRow& row) {
         GiveHead(row, NextPinned(w, w.outsider, [&](EntryHeader& h, Rev&) {
                    h.author_member = w.caseworker.id;
                  }));
       },
       kInvalid},
      {"pinned by a removed member",
       [](World& w, ColdRow& row) {
         w.realm.Remove(w.caseworker);
         GiveHead(row, NextPinned(w, w.caseworker));
       },
       kInvalid},
      {"pinned under an epoch that is not fresh",
       [](World& w, ColdRow& row) {
         w.realm.RotatePuk(w.reader);
         GiveHead(row, NextPinned(w, w.caseworker));
       },
       kInvalid},
      {"pinned with flags by a writer",
       [](World& w, ColdRow& row) {
         GiveHead(row, NextPinned(w, w.caseworker, [](EntryHeader&, Rev& r) { r.flags = 1; }));
       },
       kInvalid},
      {"pinned of a length that padding never makes",
       [](World& w, ColdRow& row) {
         GiveHead(row, NextPinned(w, w.caseworker, [](EntryHeader&, Rev& r) { ++r.ct_len; }));
       },
       kInvalid},
      {"pinned under another epoch's number",
       [](World& w, ColdRow& row) {
         GiveHead(row, NextPinned(w, w.caseworker, [](EntryHeader&, Rev& r) { r.epoch = 1; }));
       },
       kInvalid},
      {"pinned under no epoch",
       [](World& w, ColdRow& row) {
         GiveHead(row, NextPinned(w, w.caseworker, [](EntryHeader&, Rev& r) { r.epoch = 9; }));
       },
       kInvalid},
      {"pinned with another epoch's link",
       [](World& w, ColdRow& row) {
         GiveHead(row, NextPinned(w, w.caseworker, [&](EntryHeader& h, Rev&) {
                    h.epoch_link = EntryLink(row.epochs[0]);
                  }));
       },
       kInvalid},
      {"pinned that follows another than its rprev",
       [&](World& w, ColdRow& row) {
         GiveHead(row,
                  NextPinned(w, w.caseworker, [&](EntryHeader&, Rev& r) { r.rprev = other_link; }));
       },
       kInvalid},
      {"pinned of rver 0",
       [](World& w, ColdRow& row) {
         GiveHead(row, NextPinned(w, w.caseworker, [](EntryHeader& h, Rev& r) {
                    r.rver = 0;
                    r.rprev = {};
                    h.pin_link = {};
                  }));
       },
       kInvalid},
      {"pinned of rver 0 that follows one",
       [](World& w, ColdRow& row) {
         GiveHead(row, NextPinned(w, w.caseworker, [](EntryHeader&, Rev& r) { r.rver = 0; }));
       },
       kInvalid},
      {"pinned of rver 1 that follows one",
       [](World& w, ColdRow& row) {
         GiveHead(row, NextPinned(w, w.caseworker, [](EntryHeader&, Rev& r) { r.rver = 1; }));
       },
       kInvalid},
      {"pinned of rver 2 that follows none",
       [](World& w, ColdRow& row) {
         GiveHead(row, NextPinned(w, w.caseworker, [](EntryHeader& h, Rev& r) {
                    r.rver = 2;
                    r.rprev = {};
                    h.pin_link = {};
                  }));
       },
       kInvalid},
      {"pinned anew though an epoch says there was one",
       [](World& w, ColdRow& row) {
         GiveHead(row, NextPinned(w, w.caseworker, [](EntryHeader& h, Rev& r) {
                    r.rver = 1;
                    r.rprev = {};
                    h.pin_link = {};
                  }));
       },
       kInvalid},
      {"another record in its place",
       [](World& w, ColdRow& row) {
         GiveHead(row,
                  w.vault.Sign(w.caseworker, w.vault.Revision(w.caseworker, w.note, "forged").rev));
       },
       kInvalid},
      {"an epoch in its place", [](World&, ColdRow& row) { row.pinned = row.epochs[0]; }, kInvalid},
      {"the revision before", [](World& w, ColdRow& row) { row.pinned = w.vault.entries()[2]; },
       kInvalid},
      {"a revision of an ex-writer behind the row",
       // Listed once, dropped by epoch 2; citing the roster and the epoch of then.
       [](World& w, ColdRow& row) {
         MemberList list = w.vault.vault().epoch().list;
         list.erase(w.caseworker.id);
         w.vault.Rekey(w.coordinator, list);
         row = w.vault.Row();
         const auto forged = NextPinned(w, w.caseworker, [&](EntryHeader& h, Rev& r) {
           h.epoch_link = EntryLink(row.epochs[1]);
           r.epoch = 2;
         });
         GiveHead(row, forged);
       },
       kInvalid},
      {"before any epoch",
       [](World& w, ColdRow& row) {
         const auto forged = NextPinned(w, w.caseworker, [](EntryHeader& h, Rev&) { h.seq = 0; });
         row.pinned = forged;
       },
       kInvalid},
      {"in an epoch's place",
       [](World& w, ColdRow& row) {
         row.pinned = NextPinned(w, w.caseworker, [&](EntryHeader& h, Rev& r) {
           h.seq = ReadEntry(row.epochs[1])->header.seq;
           h.prev = ReadEntry(row.epochs[1])->header.prev;
           r.epoch = 2;
         });
         row.head = row.epochs[1];
       },
       kInvalid},
      {"another vault's pinned record",
       [](World& w, ColdRow& row) {
         TestVault other(w.realm, Kind::kCase, w.coordinator, {{&w.coordinator, 7}});
         other.WritePinned(w.coordinator, "other");
         row.pinned = other.entries().back();
       },
       kInvalid},
      {"no bytes for pinned", [](World&, ColdRow& row) { row.pinned = {}; }, kSig},
      // EPOCH
      {"no epochs", [](World&, ColdRow& row) { row.epochs.clear(); }, kInvalid},
      {"the first epoch missing",
       [](World&, ColdRow& row) { row.epochs.erase(row.epochs.begin()); }, kInvalid},
      {"the last epoch missing", [](World&, ColdRow& row) { row.epochs.pop_back(); }, kInvalid},
      {"epochs exchanged", [](World&, ColdRow& row) { std::swap(row.epochs[0], row.epochs[1]); },
       kInvalid},
      {"an epoch twice", [](World&, ColdRow& row) { row.epochs.push_back(row.epochs[1]); },
       kInvalid},
      {"a REV among the epochs", [](World&, ColdRow& row) { row.epochs.push_back(row.pinned); },
       kInvalid},
      {"an epoch by an outsider who lists himself",
       [](World& w, ColdRow& row) {
         MemberList list = w.vault.vault().epoch().list;
         list[w.outsider.id] = w.vault.ListOf({{&w.outsider, 7}}).at(w.outsider.id);
         const Bytes epoch = w.vault.Sign(w.outsider, w.vault.RekeyingOf(list).epoch.payload);
         row.epochs.push_back(epoch);
         row.head = epoch;
       },
       kInvalid},
      {"an epoch that drops a guard",
       [](World& w, ColdRow& row) {
         MemberList list = w.vault.vault().epoch().list;
         list.erase(w.second.id);
         row.head = w.vault.Sign(w.coordinator, w.vault.RekeyingOf(list).epoch.payload);
         row.epochs.push_back(row.head);
       },
       kInvalid},
      {"an epoch with a forged signature",
       [](World& w, ColdRow& row) {
         const auto payload = w.vault.RekeyingOf(w.vault.vault().epoch().list).epoch.payload;
         row.head =
             SignEntry(w.vault.Next(w.coordinator), payload, w.outsider.device().signing_key());
         row.epochs.push_back(row.head);
       },
       kSig},
      {"an epoch after another epoch's link",
       [](World& w, ColdRow& row) {
         EntryHeader header = w.vault.Next(w.coordinator);
         header.epoch_link = EntryLink(row.epochs[0]);
         row.head =
             SignEntry(header, w.vault.RekeyingOf(w.vault.vault().epoch().list).epoch.payload,
                       w.coordinator.device().signing_key());
         row.epochs.push_back(row.head);
       },
       kInvalid},
      {"an epoch before the one that it follows",
       [](World& w, ColdRow& row) {
         EntryHeader header = w.vault.Next(w.coordinator);
         header.seq = 2;
         header.prev = EntryLink(row.epochs[0]);
         header.pin_link = {};
         const Bytes epoch =
             SignEntry(header, w.vault.RekeyingOf(w.vault.vault().epoch().list).epoch.payload,
                       w.coordinator.device().signing_key());
         row.epochs.push_back(epoch);
         GiveHead(row, NextPinned(w, w.caseworker, [&](EntryHeader& h, Rev& r) {
                    h.epoch_link = EntryLink(epoch);
                    r.epoch = 3;
                  }));
       },
       kInvalid},
      {"an epoch that hides the pinned record",
       [](World& w, ColdRow& row) {
         EntryHeader header = w.vault.Next(w.coordinator);
         header.pin_link = {};
         row.head =
             SignEntry(header, w.vault.RekeyingOf(w.vault.vault().epoch().list).epoch.payload,
                       w.coordinator.device().signing_key());
         row.epochs.push_back(row.head);
       },
       kInvalid},
      {"an epoch right before the pinned record that follows another one than it does",
       [&](World& w, ColdRow& row) {
         EntryHeader header = ReadEntry(row.epochs[1])->header;
         header.pin_link = other_link;
         row.epochs[1] = SignEntry(header, w.vault.epoch(2), w.coordinator.device().signing_key());
         const EntryHeader pinned = ReadEntry(row.pinned)->header;
         GiveHead(row, NextPinned(w, w.caseworker, [&](EntryHeader& h, Rev& r) {
                    h.seq = pinned.seq;
                    h.prev = h.epoch_link = EntryLink(row.epochs[1]);
                    h.pin_link = r.rprev = pinned.pin_link;
                    r.rver = 2;
                    r.epoch = 2;
                  }));
       },
       kInvalid},
      {"epoch 1 after another CREATE",
       [](World& w, ColdRow& row) {
         EntryHeader header = ReadEntry(row.epochs[0])->header;
         header.prev = EntryLink(row.pinned);
         row.epochs = {SignEntry(header, w.vault.epoch(1), w.coordinator.device().signing_key())};
         GiveHead(row, NextPinned(w, w.caseworker, [&](EntryHeader& h, Rev& r) {
                    h.epoch_link = EntryLink(row.epochs[0]);
                    r.epoch = 1;
                  }));
       },
       kFork},
      // CREATE
      {"CREATE of another vault",
       [](World& w, ColdRow& row) {
         row.create = TestVault(w.realm, Kind::kCase, w.coordinator).entries().front();
       },
       kInvalid},
      {"another entry for CREATE", [](World&, ColdRow& row) { row.create = row.epochs[0]; }, kFork},
      {"no bytes for CREATE", [](World&, ColdRow& row) { row.create = {}; }, kSig},
      // Head
      {"a head by an outsider",
       [](World& w, ColdRow& row) {
         row.head = w.vault.Sign(w.outsider, w.vault.Revision(w.outsider, w.note, "forged").rev);
       },
       kInvalid},
      {"a head by a reader",
       [](World& w, ColdRow& row) {
         row.head = w.vault.Sign(w.reader, w.vault.Revision(w.reader, w.note, "forged").rev);
       },
       kInvalid},
      {"a TOMB by a reader as head",
       [](World& w, ColdRow& row) {
         row.head = w.vault.Sign(w.reader, Tomb{w.note, 2, EntryLink(row.pinned), 1});
       },
       kInvalid},
      {"a TOMB by an outsider as head",
       [](World& w, ColdRow& row) {
         row.head = w.vault.Sign(w.outsider, Tomb{w.note, 2, EntryLink(row.pinned), 1});
       },
       kInvalid},
      {"a TOMB of the pinned record as head",
       [](World& w, ColdRow& row) {
         row.head = w.vault.Sign(w.coordinator, w.vault.TombOf(w.vault.vault().pinned_record()));
       },
       kInvalid},
      {"a head with a forged signature",
       [](World& w, ColdRow& row) {
         row.head = SignEntry(w.vault.Next(w.caseworker),
                              w.vault.Revision(w.caseworker, w.note, "forged").rev,
                              w.outsider.device().signing_key());
       },
       kSig},
      {"a head that links to the pinned record before",
       [](World& w, ColdRow& row) {
         EntryHeader header = w.vault.Next(w.caseworker);
         header.pin_link = EntryLink(w.vault.entries()[2]);
         row.head = SignEntry(header, w.vault.Revision(w.caseworker, w.note, "forged").rev,
                              w.caseworker.device().signing_key());
       },
       kInvalid},
      {"a head that links to the epoch before",
       [](World& w, ColdRow& row) {
         EntryHeader header = w.vault.Next(w.caseworker);
         header.epoch_link = EntryLink(row.epochs[0]);
         row.head = SignEntry(header, w.vault.Revision(w.caseworker, w.note, "forged").rev,
                              w.caseworker.device().signing_key());
       },
       kInvalid},
      {"a head that is an older entry",
       [](World& w, ColdRow& row) { row.head = w.vault.entries()[3]; }, kInvalid},
      {"the pinned record as head, though an epoch came after",
       [](World& w, ColdRow& row) {
         w.vault.Refresh(w.coordinator);
         row = w.vault.Row();
         row.head = row.pinned;
       },
       kInvalid},
      {"CREATE as head", [](World&, ColdRow& row) { row.head = row.create; }, kInvalid},
      {"an epoch that the row withholds as head",
       [](World& w, ColdRow& row) {
         w.vault.Refresh(w.coordinator);
         row.head = w.vault.entries().back();
       },
       kInvalid},
      {"a pinned record that the row withholds as head",
       [](World& w, ColdRow& row) {
         w.vault.WritePinned(w.coordinator, "newer");
         row.head = w.vault.entries().back();
       },
       kInvalid},
      {"a head of another vault",
       [](World& w, ColdRow& row) {
         TestVault other(w.realm, Kind::kCase, w.coordinator, {{&w.coordinator, 7}});
         row.head = other.entries().back();
       },
       kInvalid},
      {"a head of another vault, in this one's place",
       [](World& w, ColdRow& row) {
         EntryHeader header = w.vault.Next(w.caseworker);
         header.vault = base::VaultId(std::array<std::uint8_t, 16>{1});
         row.head = SignEntry(header, w.vault.Revision(w.caseworker, w.note, "forged").rev,
                              w.caseworker.device().signing_key());
       },
       kInvalid},
      {"a head whose payload is none",
       [](World& w, ColdRow& row) {
         EntryHeader header = w.vault.Next(w.caseworker);
         header.type = 3;
         row.head = support::SignRaw(header, Bytes(5), w.caseworker.device().signing_key());
       },
       kSig},
      {"a head after two entries in one place",
       [](World& w, ColdRow& row) {
         row.pinned = NextPinned(w, w.caseworker, [&](EntryHeader& h, Rev&) {
           h.seq = ReadEntry(row.epochs[1])->header.seq;
           h.prev = ReadEntry(row.epochs[1])->header.prev;
         });
         EntryHeader header = w.vault.Next(w.caseworker);
         header.seq = ReadEntry(row.pinned)->header.seq + 1;
         header.prev = EntryLink(row.pinned);
         header.pin_link = EntryLink(row.pinned);
         row.head = SignEntry(header, w.vault.Revision(w.caseworker, w.note, "forged").rev,
                              w.caseworker.device().signing_key());
       },
       kInvalid},
      {"a head of another realm",
       [](World& w, ColdRow& row) {
         EntryHeader header = w.vault.Next(w.caseworker);
         header.realm = base::RealmId(std::array<std::uint8_t, 16>{1});
         row.head = SignEntry(header, w.vault.Revision(w.caseworker, w.note, "forged").rev,
                              w.caseworker.device().signing_key());
       },
       kInvalid},
      {"a head on another prev",
       [&](World& w, ColdRow& row) {
         EntryHeader header = w.vault.Next(w.caseworker);
         header.prev = other_link;
         row.head = SignEntry(header, w.vault.Revision(w.caseworker, w.note, "forged").rev,
                              w.caseworker.device().signing_key());
       },
       kFork},
      {"a head that cites another roster",
       [&](World& w, ColdRow& row) {
         EntryHeader header = w.vault.Next(w.caseworker);
         header.roster_head = other_link;
         row.head = SignEntry(header, w.vault.Revision(w.caseworker, w.note, "forged").rev,
                              w.caseworker.device().signing_key());
       },
       kFork},
      {"a head that cites an older roster than the row",
       [](World& w, ColdRow& row) {
         w.realm.Remove(w.outsider);
         w.vault.Write(w.caseworker, w.note, "n");
         w.vault.WritePinned(w.coordinator, "newer");
         row = w.vault.Row();
         EntryHeader header = w.vault.Next(w.caseworker);
         --header.roster_seq;
         header.roster_head = w.realm.roster().LinkAt(header.roster_seq);
         row.head = SignEntry(header, w.vault.Revision(w.caseworker, w.note, "forged").rev,
                              w.caseworker.device().signing_key());
       },
       kInvalid},
      {"a head that cites a roster to come",
       [](World& w, ColdRow& row) {
         EntryHeader header = w.vault.Next(w.caseworker);
         ++header.roster_seq;
         row.head = SignEntry(header, w.vault.Revision(w.caseworker, w.note, "forged").rev,
                              w.caseworker.device().signing_key());
       },
       "STALE_ROSTER"},
      {"a head of a type not known here",
       [](World& w, ColdRow& row) {
         EntryHeader header = w.vault.Next(w.caseworker);
         header.type = 8;
         row.head = support::SignRaw(header, Bytes(6), w.caseworker.device().signing_key());
       },
       "E_UNSUPPORTED"},
      {"a head that a reader may not write: STATE",
       [](World& w, ColdRow& row) {
         row.head = w.vault.Sign(w.reader, State{1, 0, 0});
       },
       kInvalid},
      {"a head that a reader may not write: ASSENT",
       [](World& w, ColdRow& row) {
         row.head = w.vault.Sign(w.reader, Assent{w.vault.vault().head(), Assent::kYes});
       },
       kInvalid},
      {"a head that a writer may not write: ASK",
       [](World& w, ColdRow& row) {
         row.head = w.vault.Sign(w.caseworker, Ask{Ask::kToRead, 1, 1, {}});
       },
       kInvalid},
      {"a head by a guest of no epoch",
       [](World& w, ColdRow& row) {
         EntryHeader header = w.vault.Next(w.caseworker);
         header.author_member = base::MemberId(w.caseworker.device().id().bytes());
         row.head = SignEntry(header, Assent{w.vault.vault().head(), Assent::kYes},
                              w.caseworker.device().signing_key());
       },
       kSig},
      {"no bytes for head", [](World&, ColdRow& row) { row.head = {}; }, kSig},
  };
  for (const auto& forgery : rows) {
    SCOPED_TRACE(forgery.name);
    World world;
    world.vault.WritePinned(world.caseworker, "first");
    world.vault.Write(world.caseworker, world.note, "n");
    world.vault.Refresh(world.coordinator);
    world.vault.WritePinned(world.caseworker, "second");
    ColdRow row = world.vault.Row();
    ASSERT_EQ(world.Read(row), "ok");
    forgery.forge(world, row);
    EXPECT_EQ(world.Read(row), forgery.want);
  }
}

// An importer's vault: who writes its summary before the rekey is the importer, once.
TEST(Attack, Row58_AnImportersSummaryIsTheImportersFirst) {
  TestRealm realm(Compartment::kCases);
  auto& coordinator = realm.Add(kCoordinator);
  auto& intake = realm.Add(kIntake);
  TestVault vault(realm, Kind::kCase, intake, {{&intake, 2}, {&coordinator, 7}});
  vault.WritePinned(intake, "s");
  for (const Person* author : {&coordinator, &intake}) {
    ColdRow row = vault.Row();
    row.pinned = row.head =
        vault.Sign(*author, vault.Revision(*author, vault.vault().pinned_record(), "forged").rev);
    EXPECT_EQ(CodeOf(ReadCold(row, realm.roster())), kInvalid);
  }
}

// Where both have one size, nothing else tells a newer pinned record from any other.
TEST(Attack, Row58_ANewerPinnedRecordIsNoHead) {
  TestRealm realm(Compartment::kIdentity);
  auto& caseworker = realm.Add(kCaseworker);
  TestVault vault(realm, Kind::kPerson, caseworker, {{&caseworker, 7}});
  vault.WritePinned(caseworker, "first");
  ColdRow row = vault.Row();
  ASSERT_EQ(CodeOf(ReadCold(row, realm.roster())), "ok");
  vault.WritePinned(caseworker, "second");
  row.head = vault.entries().back();
  EXPECT_EQ(CodeOf(ReadCold(row, realm.roster())), kInvalid);
}

// In a vault that has no pinned record yet, another one's first revision looks like its own.
TEST(Attack, Row58_NoOtherRecordStandsForThePinnedOne) {
  World world;
  world.vault.Write(world.caseworker, world.note, "n");
  const auto& entries = world.vault.entries();
  EXPECT_EQ(world.Read({entries[0], {entries[1]}, entries[2], entries[2]}), kInvalid);
}

TEST(Attack, Row58_AGuestsHeadIsARevision) {
  TestRealm realm(Compartment::kJourneys);
  auto& route = realm.Add(kRoute);
  auto& guide = realm.Stranger();
  TestVault vault(realm, Kind::kLeg, route, {{&route, 7}});
  GuestList guests;
  guests[base::GuestId(guide.device().id().bytes())] = {kReadWrite, 500'000, guide.device().keys()};
  vault.Rekey(route, vault.vault().epoch().list, guests);
  vault.WritePinned(route, "summary");
  EntryHeader header = vault.Next(guide);
  header.author_member = base::MemberId(guide.device().id().bytes());
  const auto read = [&](const EntryPayload& payload) {
    ColdRow row = vault.Row();
    row.head = SignEntry(header, payload, guide.device().signing_key());
    return CodeOf(ReadCold(row, realm.roster()));
  };
  Rev signal = vault.Revision(route, vault.NewRecord(), "signal").rev;
  EXPECT_EQ(read(signal), "ok");
  EXPECT_EQ(read(State{1, 0, 0}), kInvalid);
  EXPECT_EQ(read(Assent{vault.vault().head(), Assent::kYes}), kInvalid);
}

// An admin may give a member the id of a guest's device, by which the guest would write as both.
TEST(Attack, Row58_AGuestWithAMembersIdWritesNoEpoch) {
  TestRealm realm(Compartment::kJourneys);
  auto& route = realm.Add(kRoute);
  auto& guide = realm.Stranger();
  auto& twin = realm.Stranger();
  twin.id = base::MemberId(guide.device().id().bytes());
  realm.AppendApproved(realm.person(0), realm.AddOf(twin, kRoute), {});
  realm.RotatePuk(twin);
  TestVault vault(realm, Kind::kLeg, route, {{&route, 7}, {&twin, 7}});
  GuestList guests;
  guests[base::GuestId(guide.device().id().bytes())] = {kReadWrite, 500'000, guide.device().keys()};
  vault.Rekey(route, vault.vault().epoch().list, guests);
  vault.WritePinned(route, "summary");
  EntryHeader header = vault.Next(guide);
  header.author_member = twin.id;
  ColdRow row = vault.Row();
  ASSERT_EQ(CodeOf(ReadCold(row, realm.roster())), "ok");
  const auto list = vault.vault().epoch().list;
  row.head =
      SignEntry(header, vault.RekeyingOf(list, guests).epoch.payload, guide.device().signing_key());
  row.epochs.push_back(row.head);
  EXPECT_EQ(CodeOf(vault.vault().Judge(row.head, realm.roster())), kInvalid);
  EXPECT_EQ(CodeOf(ReadCold(row, realm.roster())), kInvalid);
}

// A suspended member has a device that signs and no box: what they sign is refused cold as warm.
TEST(Attack, Row58_ASuspendedMembersRowIsRefused) {
  World world;
  auto& newcomer = world.realm.AddWithoutPuk(kCaseworker);
  MemberList list = world.vault.vault().epoch().list;
  list[newcomer.id] = {3, 0};
  world.vault.Rekey(world.coordinator, list);
  ColdRow row = world.vault.Row();
  row.pinned = row.head = NextPinned(world, newcomer);
  EXPECT_EQ(world.Read(row), kInvalid);
  EXPECT_EQ(CodeOf(world.vault.vault().Judge(row.head, world.realm.roster())), kInvalid);
}

}  // namespace
}  // namespace godwit::protocol
