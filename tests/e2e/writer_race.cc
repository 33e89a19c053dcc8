#include "tests/e2e/writer_race.h"

#include <algorithm>
#include <barrier>
#include <iostream>
#include <set>
#include <thread>

#include "crypto/hash.h"
#include "crypto/random.h"
#include "protocol/epoch_keys.h"
#include "protocol/labels.h"
#include "protocol/leaf.h"
#include "tests/e2e/attack_fixture.h"

namespace godwit::client {
namespace {

using protocol::Compartment;
using protocol::Kind;

// What a day's quotas would end.
realm::EngineConfig Unbounded() {
  realm::EngineConfig config;
  config.quotas.device_add_per_day = 1'000'000;
  config.quotas.epochs_per_vault_day = 1'000'000;
  config.quotas.revokes_of_others_per_day = 1'000'000;
  return config;
}

class Race {
 public:
  Race()
      : servers_{support::RealmServer(Compartment::kIdentity),
                 support::RealmServer(Compartment::kCases, Unbounded()),
                 support::RealmServer(Compartment::kJourneys)},
        organisation_(servers_) {
    organisation_.Join(support::Staff(1, 1, 1, 0, 0));
    for (const char* handle : {"founder", "cw01", "sv1", "kc1"}) Require(Of(handle).Sync());
  }

  void Run(int rounds) {
    written_.clear();
    vault_ = Must(CreateVault(Of("cw01"), Kind::kCase,
                              {{Of("cw01").member(), protocol::kFull},
                               {Of("sv1").member(), protocol::kReadWrite},
                               {Of("kc1").member(), protocol::kFull}},
                              [](const base::VaultId& id) {
                                Edit summary;
                                summary.record = protocol::PinnedRecordOf(id);
                                summary.content.mutable_summary()->set_code("invented");
                                return base::Result<std::vector<Edit>>(std::vector<Edit>{summary});
                              }))
                 .id();
    for (int round = 0; round < rounds && !testing::Test::HasFailure(); ++round) Round(round);
  }

  // Judges what is stored, and returns how many epochs there are.
  std::uint32_t Check() {
    Realm& reader = Of("kc1");
    Require(reader.Sync());
    auto view = Must(VaultView::Fetch(reader, vault_));
    std::multiset<std::string> stored;
    for (const auto& [record, content] : Must(view.ReadAll(content::v1::Record::kComment))) {
      stored.insert(content.comment().text());
    }
    EXPECT_EQ(stored, written_);

    // The roster's head at which the service let each entry in.
    const auto admitted = servers_.cases.database().Sql(
        "SELECT roster_seq FROM leaf WHERE leaf_type = 2 AND chain_tag = '\\x" +
        base::ToHex(protocol::VaultTag(reader.id(), vault_).bytes()) + "' ORDER BY seq");
    const auto entries = Must(reader.store().Load(vault_))->entries;
    EXPECT_EQ(admitted.size(), entries.size());
    protocol::Vault vault;
    std::uint64_t cited = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const auto entry = Must(vault.Judge(entries[i], reader.roster()));
      EXPECT_GE(entry.header.roster_seq, cited);
      cited = entry.header.roster_seq;
      if (std::holds_alternative<protocol::Rev>(entry.payload)) {
        for (const std::uint64_t seq : {cited, std::uint64_t{std::stoull(admitted[i].at(0))}}) {
          EXPECT_TRUE(IsFresh(vault.epoch(), vault.kind(), reader.roster(), seq));
        }
      }
      vault.Take(entry);
    }
    return vault.epoch().number;
  }

 private:
  Realm& Of(const std::string& handle) {
    return organisation_.RealmOf(handle, Compartment::kCases);
  }

  void Round(int round) {
    const base::DeviceId lost = AddDeviceOf(Of("sv1"));
    Require(Of("founder").Sync());
    std::barrier start(4);
    const auto write = [&](const char* handle, const std::string& text) {
      start.arrive_and_wait();
      const auto written = WriteVault(Of(handle), vault_, [&](VaultView&) {
        Edit edit;
        edit.record = crypto::RandomId<base::RecordId>();
        edit.content.mutable_comment()->set_text(text);
        return base::Result<std::vector<Edit>>(std::vector<Edit>{edit});
      });
      EXPECT_TRUE(written) << written.error().message();
    };
    const std::string number = std::to_string(round);
    {
      std::jthread first(write, "cw01", "first " + number);
      std::jthread second(write, "kc1", "second " + number);
      std::jthread other_device([&] {
        start.arrive_and_wait();
        EXPECT_TRUE(Of("sv1").Sync());
      });
      start.arrive_and_wait();
      EXPECT_TRUE(Of("founder").Author(protocol::DeviceRevoke{Of("sv1").member(), lost, 1}));
    }
    written_.insert({"first " + number, "second " + number});
    EXPECT_TRUE(Of("sv1").Sync());
  }

  // One more device of somebody, which nobody uses.
  static base::DeviceId AddDeviceOf(Realm& realm) {
    const auto device = Must(protocol::Device::FromSeed(Must(protocol::DeviceSeed::Random())));
    const auto gen = realm.roster().PukAt(realm.member(), realm.roster().head_seq())->gen;
    const auto boxes = Must(realm.server().FetchPukBoxes(gen));
    const auto puk =
        Must(protocol::OpenPuk(boxes.back().box, realm.id(), realm.member(), gen, realm.device()));
    const Bytes box = Must(
        protocol::SealPuk(puk, realm.id(), realm.member(), gen, device.id(), device.keys().kems));
    protocol::DeviceAdd add;
    add.member = realm.member();
    add.device = device.keys();
    add.pop = device.signing_key().Sign(protocol::labels::kRosterPop,
                                        protocol::PopMessage(realm.id(), add));
    add.puk_gen = gen;
    add.box_hash = base::Sha256Hash(crypto::Sha256(box));
    Must(realm.Author(add, {{device.id(), box}}));
    return device.id();
  }

  support::RealmServers servers_;
  support::TestOrganisation organisation_;
  base::VaultId vault_;
  std::multiset<std::string> written_;
};

}  // namespace

void RaceWriters(int rounds) {
  Race race;
  std::uint32_t epochs = 0;
  std::uint32_t vaults = 0;
  // A vault is read from its beginning each time that it is written.
  constexpr int kRoundsOfAVault = 50;
  for (int done = 0; done < rounds && !testing::Test::HasFailure(); done += kRoundsOfAVault) {
    race.Run(std::min(kRoundsOfAVault, rounds - done));
    epochs += race.Check();
    ++vaults;
  }
  std::cout << "writers against a revoker: " << rounds << " rounds, " << epochs << " epochs\n";
  // The list of one epoch serves as long as the member who loses devices is without a key.
  EXPECT_GE(epochs, 2 * vaults);
}

}  // namespace godwit::client
