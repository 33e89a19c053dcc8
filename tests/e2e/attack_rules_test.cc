// A server that plays with somebody inside, or with whoever holds a device's files: keys, boxes and
// signatures of the wrong form or use, and entries that their authors may not write.
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/clock.h"
#include "client/keystore_file.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "protocol/epoch_keys.h"
#include "tests/e2e/attack_fixture.h"
#include "tests/protocol/low_order.h"

namespace godwit::client {
namespace {

using protocol::Assent;
using protocol::Epoch;
using protocol::Kind;
using protocol::State;
using protocol::Vek;

using Reply = wire::FetchVaultResponse;
using Rewrite = std::function<void(std::uint64_t, Reply&)>;

Rewrite Showing(const Bytes& entry) {
  return [entry](std::uint64_t, Reply& reply) { reply.add_entries(Text(entry)); };
}

Vek CopyOf(const Vek& key) { return Must(Vek::Copy(key.Expose())); }

// The same signature with S + L in the place of S.
Bytes SecondForm(Bytes bytes) {
  constexpr std::uint8_t kOrder[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                       0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                       0,    0,    0,    0,    0,    0,    0,    0,
                                       0,    0,    0,    0,    0,    0,    0,    0x10};
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    std::uint8_t& byte = bytes[bytes.size() - 32 + i];
    carry += byte + kOrder[i];
    byte = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  return bytes;
}

Bytes ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Over the bytes that are there, so that the file stays its owner's alone.
void Overwrite(const std::filesystem::path& path, base::ByteSpan bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << Text(bytes);
}

// A folder of a test's own, for what a device keeps.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "godwit-row.XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST_F(Attack, Row5_NoKeystoreIsUsedOnceAByteOfItIsAnother) {
  const Folder folder;
  const auto path = folder.path() / "keystore";
  const auto passphrase = crypto::SecretBytes::Copy(base::AsBytes("an invented passphrase"));
  Require(CreateKeystoreFile(path, passphrase,
                             {protocol::KdfCost::kFloorOps, protocol::KdfCost::kFloorMem},
                             Of("kc1").keys()));
  const Bytes good = ReadFile(path);
  ASSERT_TRUE(UnlockKeystoreFile(path, passphrase));
  // The last byte of every field of the header, and some of what is sealed.
  std::vector<std::size_t> places;
  std::size_t at = 0;
  for (const std::size_t field : {6, 1, 1, 16, 16, 16, 4, 8, 32}) {
    at += field;
    places.push_back(at - 1);
  }
  for (; at < good.size(); at += (good.size() - at) / 4 + 1) places.push_back(at);
  places.push_back(good.size() - 1);
  for (const std::size_t place : places) {
    SCOPED_TRACE("byte " + std::to_string(place));
    Bytes altered = good;
    altered[place] ^= 1;
    Overwrite(path, altered);
    EXPECT_FALSE(UnlockKeystoreFile(path, passphrase));
  }
  Overwrite(path, good);
  EXPECT_TRUE(UnlockKeystoreFile(path, passphrase));
}

TEST_F(Attack, Row5_NoStoredRosterIsUsedOnceAByteOfItIsAnother) {
  const auto vault = MakeCase();
  const Folder folder;
  const auto path = folder.path() / "store";
  const auto keys = [&]() -> UnlockedRealm {
    const auto& own = Of("kc1").keys();
    return {Must(protocol::DeviceSeed::Copy(own.seed.Expose())), own.info,
            Must(StoreKey::Copy(own.store_key.Expose()))};
  };
  Must(Store::Create(path, keys().store_key, Of("kc1").id()));
  {
    const auto device = Must(Realm::Open(keys(), path));
    EXPECT_OUTCOME(ReadAll(*device, vault), kWell);
  }
  const Bytes good = ReadFile(path);
  const base::Link head = Must(Realm::Open(keys(), path))->roster().head();
  std::size_t lost = 0;
  constexpr std::size_t kPlaces = 64;
  for (std::size_t i = 0; i < kPlaces; ++i) {
    const std::size_t place = i * good.size() / kPlaces + i;
    SCOPED_TRACE("byte " + std::to_string(place) + " of " + std::to_string(good.size()));
    Bytes altered = good;
    altered[place] ^= 0x10;
    Overwrite(path, altered);
    const auto device = Realm::Open(keys(), path);
    if (!device) {
      EXPECT_OUTCOME(device.error().code(), Code::kStateLost);
      ++lost;
      continue;
    }
    // A byte that nobody reads, or one of a vault, which is read later.
    EXPECT_EQ((*device)->roster().head(), head);
    const auto read = ReadAll(**device, vault);
    if (!read) continue;
    EXPECT_OUTCOME(read, Code::kStateLost);
    ++lost;
  }
  EXPECT_GT(lost, kPlaces / 4);
  Overwrite(path, good);
  EXPECT_OUTCOME(ReadAll(*Must(Realm::Open(keys(), path)), vault), kWell);
}

// The directory says who is called what, and never who belongs or by which key.
TEST_F(Attack, Row13_NoDirectoryOfTheServersIsBelieved) {
  Realm& helper = Of("cw02");
  Require(helper.Sync());
  const auto directory = helper.roster().policy().VaultOf(Kind::kDirectory);
  const auto known = FreshDevice("kc1");
  Require(known->Sync());
  Must(VaultView::Fetch(*known, directory));
  Truth truth(helper, directory);
  const auto sealed = Seal(helper, truth.state(), crypto::RandomId<base::RecordId>(), truth.key());
  const Bytes by_helper = NextEntry(helper, truth.state(), sealed.rev);
  const auto fresh = FreshDevice("kc1");
  Require(fresh->Sync());
  liar().RewriteReply([&](const wire::FetchVaultRequest& request, Reply& reply) {
    if (request.vault() == Text(directory.bytes())) reply.add_entries(Text(by_helper));
  });
  for (Realm* device : {fresh.get(), known.get()}) {
    const auto fetched = VaultView::Fetch(*device, directory);
    ASSERT_FALSE(fetched);
    EXPECT_OUTCOME(fetched.error().code(), Code::kEntryInvalid);
    EXPECT_FALSE(Must(device->store().KeptEvidence()).empty());
  }
  liar().BeHonest();
  for (Realm* device : {fresh.get(), known.get()})
    EXPECT_TRUE(VaultView::Fetch(*device, directory));
}

TEST_F(Attack, Row21_NoBoxOfAnotherUseIsServedForAKey) {
  const auto vault = MakeCase();
  const auto other_vault = MakeCase();
  const auto reader = FreshDevice("kc1");
  EXPECT_OUTCOME(ReadAll(*reader, other_vault), kWell);
  const Bytes of_puk = Must(reader->server().FetchPukBoxes(1)).front().box;
  const Bytes of_other_vault = Must(reader->store().Load(other_vault))->boxes.at(1);
  const auto serve = [](const Bytes& box) {
    return [box]() -> Rewrite {
      return [box](std::uint64_t, Reply& reply) {
        for (auto& row : *reply.mutable_boxes()) row.set_box(Text(box));
      };
    };
  };
  ExpectVaultLies(
      vault, {{"a PUK's", serve(of_puk), Code::kKeyMismatch, Code::kKeyMismatch},
              {"another vault's", serve(of_other_vault), Code::kKeyMismatch, Code::kKeyMismatch}});

  // The author lists the very box, of the same number, and commits to the key in it.
  Must(WriteVault(Of("cw01"), other_vault, {}, [](const protocol::MemberList& list) {
    std::map<base::MemberId, protocol::Perm> members;
    for (const auto& [member, row] : list) members[member] = row.perm;
    members[Of("kc2").member()] = protocol::kFull;
    return members;
  }));
  EXPECT_OUTCOME(ReadAll(*reader, other_vault), kWell);
  const auto known = FreshDevice("kc1");
  EXPECT_OUTCOME(ReadAll(*known, vault), kWell);
  Require(Of("cw01").Sync());
  const Vek others_key = CopyOf(Truth(Of("cw01"), other_vault).key());
  const Truth truth(Of("cw01"), vault);
  const std::uint32_t number = truth.state().epoch().number + 1;
  const Bytes same_number = Must(reader->store().Load(other_vault))->boxes.at(number);
  const auto& roster = Of("cw01").roster();
  auto made = Must(
      protocol::MakeEpoch(others_key, vault, number, truth.list(), {}, roster, roster.head_seq()));
  made.payload.list.at(Of("kc1").member()).box_hash = base::Sha256Hash(crypto::Sha256(same_number));
  const Bytes entry = NextEntry(Of("cw01"), truth.state(), made.payload);
  liar().RewriteReply([&](const wire::FetchVaultRequest&, Reply& reply) {
    reply.add_entries(Text(entry));
    auto& row = *reply.add_boxes();
    row.set_epoch(number);
    row.set_box(Text(same_number));
  });
  const auto fresh = FreshDevice("kc1");
  for (Realm* device : {fresh.get(), known.get()}) {
    Require(device->Sync());
    auto view = Must(VaultView::Fetch(*device, vault));
    const auto key = view.KeyOf(number);
    ASSERT_FALSE(key);
    EXPECT_OUTCOME(key.error().code(), Code::kKeyMismatch);
    EXPECT_FALSE(Must(device->store().KeptEvidence()).empty());
  }
}

// What the server sees of a text is the class of its length.
TEST_F(Attack, Row25_TheServerSeesTheClassOfALengthAlone) {
  const auto vault = MakeCase();
  const auto size_of = [&](const std::string& text) {
    liar().ForgetCalls();
    Must(WriteVault(Of("cw01"), vault,
                    [&](VaultView&) { return base::Result<std::vector<Edit>>(Notes({text})); }));
    std::size_t size = 0;
    for (const auto& call : liar().calls()) {
      wire::AppendEntriesRequest request;
      if (call.method != "AppendEntries" || !request.ParseFromString(call.request)) continue;
      size = request.vaults(0).entries(0).ciphertext().size();
    }
    return size;
  };
  std::string random(900, 0);
  std::array<std::uint8_t, 900> bytes;
  crypto::FillRandom(bytes);
  std::ranges::transform(bytes, random.begin(),
                         [](std::uint8_t byte) { return static_cast<char>('a' + byte % 26); });
  // The floor of a record in the cases realm, and what authenticates it.
  EXPECT_EQ(size_of(""), 1024u + 16);
  EXPECT_EQ(size_of("one word"), 1024u + 16);
  EXPECT_EQ(size_of(std::string(900, 'a')), 1024u + 16);
  EXPECT_EQ(size_of(random), 1024u + 16);
  // Above it, one class of many lengths: 2,049 to 2,112 bytes in all.
  const std::size_t above = size_of(std::string(2'050, 'a'));
  EXPECT_EQ(above, size_of(std::string(2'090, 'a')));
  EXPECT_LT(above, size_of(std::string(2'200, 'a')));
}

TEST_F(Attack, Row26_ARecordThatCommitsToAnotherKeyOpensForNobody) {
  const auto vault = MakeCase();
  const auto known = FreshDevice("kc1");
  EXPECT_OUTCOME(ReadAll(*known, vault), kWell);
  Truth truth(Of("cw01"), vault);
  const auto record = crypto::RandomId<base::RecordId>();
  // All of it is as the author signed it, and the cipher alone would open it.
  auto sealed = Seal(Of("cw01"), truth.state(), record, truth.key());
  sealed.rev.commitment[0] ^= 1;
  const Bytes entry = NextEntry(Of("cw01"), truth.state(), sealed.rev);
  liar().RewriteReply([&](const wire::FetchVaultRequest&, Reply& reply) {
    reply.add_entries(Text(entry));
    auto& content = *reply.add_records();
    content.set_record(Text(record.bytes()));
    content.set_rver(1);
    content.set_salt(Text(sealed.salt));
    content.set_ciphertext(Text(sealed.ciphertext));
  });
  const auto fresh = FreshDevice("kc1");
  for (Realm* device : {fresh.get(), known.get()}) {
    EXPECT_OUTCOME(ReadAll(*device, vault), Code::kDecrypt);
    EXPECT_FALSE(Must(device->store().KeptEvidence()).empty());
  }
}

TEST_F(Attack, Row28_AWriterWhoWasNotToldOfARevocationIsNotBelieved) {
  const auto vault = MakeCase();
  const auto under_the_roster_before = [&]() -> Rewrite {
    Realm& owner = Of("founder");
    Require(owner.Sync());
    auto policy = owner.roster().policy();
    ++policy.gen;
    Must(owner.Author(protocol::PolicySet{policy}));
    EXPECT_OUTCOME(WriteNote(Of("cw01"), vault), kWell);
    Truth truth(Of("cw01"), vault);
    const auto sealed =
        Seal(Of("cw01"), truth.state(), crypto::RandomId<base::RecordId>(), truth.key());
    return Showing(
        NextEntry(Of("cw01"), truth.state(), sealed.rev, [](protocol::EntryHeader& header) {
          --header.roster_seq;
          header.roster_head = Of("cw01").roster().LinkAt(header.roster_seq);
        }));
  };
  ExpectVaultLies(vault, {{"an older roster than the last cited", under_the_roster_before,
                           Code::kEntryInvalid, Code::kEntryInvalid}});
}

TEST_F(Attack, Row42_NoSecondFormOfASignatureIsTaken) {
  const auto vault = MakeCase();
  const auto second_entry = [&]() -> Rewrite {
    Truth truth(Of("cw01"), vault);
    const auto sealed =
        Seal(Of("cw01"), truth.state(), crypto::RandomId<base::RecordId>(), truth.key());
    return Showing(SecondForm(NextEntry(Of("cw01"), truth.state(), sealed.rev)));
  };
  ExpectVaultLies(vault, {{"an entry's", second_entry, Code::kSig, Code::kSig}});
  const auto second_statement = [&]() {
    Realm& owner = Of("founder");
    Require(owner.Sync());
    auto policy = owner.roster().policy();
    ++policy.gen;
    const Bytes statement = SecondForm(NextStatement(owner, protocol::PolicySet{policy}));
    return [statement](std::uint64_t, wire::FetchRosterResponse& reply) {
      reply.add_statements(Text(statement));
    };
  };
  ExpectRosterLies({{"a statement's", second_statement, Code::kSig, Code::kSig}});
}

// A colleague who helps the server makes a PUK that everybody knows the secret with.
TEST_F(Attack, Row44_NoPukIsTakenThatGivesZero) {
  std::vector<RosterLie> lies;
  for (const auto& [name, key] : protocol::LowOrderKeys()) {
    lies.push_back({name,
                    [key = key]() -> RosterLie::Rewrite {
                      Realm& helper = Of("sv1");
                      Require(helper.Sync());
                      const auto head = helper.roster().head_seq();
                      protocol::PukRotate rotate;
                      rotate.member = helper.member();
                      rotate.gen = helper.roster().PukAt(helper.member(), head)->gen + 1;
                      rotate.kems = {{protocol::kAlgX25519, key}};
                      rotate.box_hashes[helper.device().id()] = {};
                      const Bytes statement = NextStatement(helper, rotate);
                      return [statement](std::uint64_t, wire::FetchRosterResponse& reply) {
                        reply.add_statements(Text(statement));
                      };
                    },
                    Code::kRosterInvalid, Code::kRosterInvalid});
  }
  ExpectRosterLies(lies);
}

TEST_F(Attack, Row52_AnImportersEpochIsRefusedByServiceAndReader) {
  organisation().Join({{"in1", "Intake 1", protocol::kIntake}});
  Realm& intake = Of("in1");
  for (const char* handle : {"in1", "kc1", "cw01"}) Require(Of(handle).Sync());
  const auto vault = Must(CreateVault(intake, Kind::kCase,
                                      {{intake.member(), protocol::kWrite},
                                       {Of("cw01").member(), protocol::kFull},
                                       {Of("kc1").member(), protocol::kFull}},
                                      [](const base::VaultId& id) {
                                        auto edits = Notes({"imported", "imported too"});
                                        Edit summary;
                                        summary.record = protocol::PinnedRecordOf(id);
                                        summary.content.mutable_summary()->set_code("imported");
                                        edits.push_back(std::move(summary));
                                        return base::Result<std::vector<Edit>>(std::move(edits));
                                      }))
                         .id();
  const auto known = FreshDevice("kc1");
  EXPECT_OUTCOME(ReadAll(*known, vault), kWell);
  const Truth truth(Of("cw01"), vault);
  const auto& roster = intake.roster();
  protocol::MemberList without = truth.list();
  without.erase(intake.member());
  protocol::MemberList reads = truth.list();
  const auto* puk = roster.PukAt(intake.member(), roster.head_seq());
  reads.at(intake.member()) = {protocol::kRead, puk->gen};
  const std::pair<const char*, protocol::MemberList> lists[] = {
      {"that keeps all", truth.list()}, {"that leaves", without}, {"that reads", reads}};
  for (const auto& [name, list] : lists) {
    SCOPED_TRACE(name);
    auto made = Must(
        protocol::MakeEpoch(Must(Vek::Random()), vault, 2, list, {}, roster, roster.head_seq()));
    const Bytes entry = NextEntry(intake, truth.state(), made.payload);
    transport::EntryUpload upload{entry, {}, {}, {}};
    for (auto& [member, box] : made.boxes) upload.boxes.push_back({member, box});
    const auto sent = Must(intake.server().AppendEntries({{{upload}}}));
    EXPECT_OUTCOME(OutcomeOf(sent.front()), Code::kEntryInvalid);
    ExpectRefused(vault, *known, entry, Code::kEntryInvalid);
  }
}

// Sends an entry that is valid, and gives its link.
base::Link Do(Realm& author, const Bytes& entry) {
  const auto sent = Must(author.server().AppendEntries({{{{entry, {}, {}, {}}}}}));
  Require(sent.front());
  return protocol::EntryLink(entry);
}

TEST_F(Attack, Row54_NoOldAssentUnfreezesAVault) {
  enum class Order { kReplaced, kReplacing, kUsedUp };
  for (const Order order : {Order::kReplaced, Order::kReplacing, Order::kUsedUp}) {
    SCOPED_TRACE("order " + std::to_string(static_cast<int>(order)));
    const auto vault = MakeCase();
    const auto known = FreshDevice("kc1");
    EXPECT_OUTCOME(ReadAll(*known, vault), kWell);
    const auto write = [&](const char* author, const protocol::EntryPayload& payload) {
      Require(Of(author).Sync());
      return Do(Of(author), NextEntry(Of(author), Truth(Of("cw01"), vault).state(), payload));
    };
    constexpr State kAsItWas{0, 0, 0};
    constexpr State kFrozen{1, 0, 0};
    constexpr State kHeld{1, 1, 0};
    write("cw01", kFrozen);
    const base::Link first = write("cw01", order == Order::kReplacing ? kHeld : kAsItWas);
    if (order == Order::kReplaced) {
      write("kc1", kHeld);
    } else if (order == Order::kReplacing) {
      write("kc1", kAsItWas);
    } else {
      write("sv1", Assent{first, Assent::kYes});
      write("cw01", kFrozen);
    }
    write("sv1", Assent{first, Assent::kYes});
    // It changes nothing: what a frozen vault refuses, it refuses still.
    Truth truth(Of("cw01"), vault);
    const auto sealed =
        Seal(Of("cw01"), truth.state(), crypto::RandomId<base::RecordId>(), truth.key());
    const Bytes entry = NextEntry(Of("cw01"), truth.state(), sealed.rev);
    transport::EntryUpload upload{entry, {}, sealed.salt, sealed.ciphertext};
    const auto sent = Must(Of("cw01").server().AppendEntries({{{upload}}}));
    EXPECT_OUTCOME(OutcomeOf(sent.front()), Code::kEntryInvalid);
    ExpectRefused(vault, *known, entry, Code::kEntryInvalid);
  }
}

TEST_F(Attack, Row55_OneManagersDeviceAndTheServerEraseAndSealNothing) {
  const auto vault = MakeCase();
  Realm& thief = Of("cw01");
  const auto today = static_cast<std::uint32_t>(base::SystemClock().NowMs() / 86'400'000);
  const base::Link erase =
      Do(thief, NextEntry(thief, Truth(thief, vault).state(), State{0, 0, today + 40}));
  const auto entry = [&](std::function<protocol::EntryPayload(const Truth&)> make) {
    return [&, make]() -> Rewrite {
      const Truth truth(thief, vault);
      return Showing(NextEntry(thief, truth.state(), make(truth)));
    };
  };
  const auto own_assent = [&](const Truth&) -> protocol::EntryPayload {
    return Assent{erase, Assent::kYes};
  };
  const auto seal = [](const Truth& truth) -> protocol::EntryPayload {
    Epoch epoch;
    epoch.epoch = truth.state().epoch().number + 1;
    return epoch;
  };
  const auto alone = [&](const Truth& truth) -> protocol::EntryPayload {
    protocol::MemberList list = truth.list();
    std::erase_if(list, [&](const auto& row) { return row.first != thief.member(); });
    const auto& roster = thief.roster();
    return Must(protocol::MakeEpoch(Must(Vek::Random()), vault, truth.state().epoch().number + 1,
                                    list, {}, roster, roster.head_seq()))
        .payload;
  };
  const Outcome invalid = Code::kEntryInvalid;
  ExpectVaultLies(vault, {{"an ASSENT of the own STATE", entry(own_assent), invalid, invalid},
                          {"a seal", entry(seal), invalid, invalid},
                          {"an EPOCH without the others", entry(alone), invalid, invalid}});
}

}  // namespace
}  // namespace godwit::client
