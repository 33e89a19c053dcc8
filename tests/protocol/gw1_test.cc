// The chains of vectors/gw1, made by an independent implementation of the protocol: every case must
// get the verdict and the state that its file says.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "protocol/roster.h"
#include "protocol/vault.h"
#include "tests/support/shared.h"

namespace godwit::protocol {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kRosters = 219;
constexpr std::size_t kVaults = 200;

std::string Hex(const auto& fixed) { return base::ToHex(fixed.bytes()); }

std::vector<base::Bytes> Blobs(const Json& list) {
  std::vector<base::Bytes> blobs;
  for (const auto& hex : list) blobs.push_back(*base::FromHex(hex.get<std::string>()));
  return blobs;
}

Json RosterState(const Roster& roster) {
  const std::uint64_t head = roster.head_seq();
  Json members = Json::object();
  for (const auto& [id, member] : roster.members()) {
    Json devices = Json::array();
    for (const auto& device : roster.ActiveDevicesAt(id, head)) devices.push_back(Hex(device));
    const auto* puk = roster.PukAt(id, head);
    members[Hex(id)] = {{"roles", member.roles.back().second},
                        {"removed", member.removed_seq != kNever},
                        {"puk_gen", puk == nullptr ? 0 : puk->gen},
                        {"puk_stale", roster.IsStaleAt(id, head)},
                        {"devices", devices}};
  }
  // Links in ascending order, as std::set keeps them.
  std::set<std::string> pending;
  for (const auto& each : roster.pending()) pending.insert(Hex(each.link));
  std::set<std::string> open;
  for (const auto& each : roster.requests()) {
    if (each.closed_seq == kNever) open.insert(Hex(each.link));
  }
  return {{"realm", Hex(roster.realm())},
          {"F", Hex(roster.fingerprint())},
          {"head", Hex(roster.head())},
          {"root_pk", Hex(roster.root_pk())},
          {"policy_gen", roster.policy().gen},
          {"rec", roster.RecAt(head)},
          {"rec2", roster.Rec2At(head)},
          {"pending", pending},
          {"open_requests", open},
          {"members", members}};
}

Json VaultState(const Vault& vault, const Roster& roster) {
  Json list = Json::array();
  for (const auto& [member, row] : vault.epoch().list) {
    list.push_back({Hex(member), row.perm, row.puk_gen});
  }
  Json records = Json::object();
  for (const auto& [id, record] : vault.records()) {
    records[Hex(id)] = {{"rver", record.rver}, {"link", Hex(record.link)}, {"dead", record.dead}};
  }
  Json guests = Json::array();
  for (const auto& [guest, row] : vault.epoch().guests) guests.push_back(Hex(guest));
  Json waiting = nullptr;
  if (vault.waiting()) waiting = Hex(vault.waiting()->link);
  Json fresh = nullptr;
  if (vault.epoch().number != 0 && !vault.epoch().IsSealed()) {
    fresh = IsFresh(vault.epoch(), vault.kind(), roster, roster.head_seq());
  }
  return {{"vault", Hex(vault.id())},
          {"kind", static_cast<int>(vault.kind())},
          {"head", Hex(vault.head())},
          {"epoch", vault.epoch().number},
          {"list", list},
          {"guests", guests},
          {"rec_gen", vault.epoch().rec_gen},
          {"frozen", vault.state().frozen},
          {"hold", vault.state().hold},
          {"erase_day", vault.state().erase_day},
          {"waiting", waiting},
          {"epoch_link", Hex(vault.epoch().link)},
          {"pin_link", Hex(vault.pin_link())},
          {"fresh_at_head", fresh},
          {"records", records}};
}

struct Verdict {
  std::string code = "ok";
  std::size_t failed_at = 0;
};

void ExpectVerdict(const Json& expect, const std::string& part, const Verdict& got) {
  EXPECT_EQ(expect[part].get<std::string>(), got.code) << part;
  const Json& seq = expect[part + "_fail_seq"];
  if (!seq.is_null()) {
    EXPECT_EQ(seq.get<std::size_t>(), got.failed_at) << part;
  }
}

TEST(Gw1, EveryChainGetsItsVerdict) {
  const auto shared = support::SharedFolder();
  if (!shared) return;
  const auto folder = *shared / "vectors" / "gw1";
  std::size_t rosters = 0;
  std::size_t vaults = 0;
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() == ".json" && file.path().stem() != "kat") {
      files.push_back(file.path());
    }
  }
  std::ranges::sort(files);
  for (const auto& file : files) {
    SCOPED_TRACE(file.stem().string());
    const Json test = Json::parse(std::ifstream(file));
    const RosterVerdict roster = VerifyRoster(Blobs(test["roster"]));
    Verdict got;
    if (!roster.status) got = {std::string(Name(roster.status.error().code())), roster.failed_at};
    ExpectVerdict(test["expect"], "roster", got);
    if (test["vault"].is_null()) {
      ++rosters;
      if (roster.status && test.contains("state")) {
        EXPECT_EQ(test["state"]["roster"], RosterState(roster.roster));
      }
      continue;
    }
    ++vaults;
    ASSERT_TRUE(roster.status);
    Vault vault;
    got = {};
    for (const auto& entry : Blobs(test["vault"])) {
      const auto status = vault.Append(entry, roster.roster);
      if (!status) {
        got.code = std::string(Name(status.error().code()));
        break;
      }
      ++got.failed_at;
    }
    ExpectVerdict(test["expect"], "vault", got);
    if (got.code == "ok" && test.contains("state")) {
      EXPECT_EQ(test["state"]["roster"], RosterState(roster.roster));
      EXPECT_EQ(test["state"]["vault"], VaultState(vault, roster.roster));
    }
  }
  std::cout << "gw1: " << rosters << " rosters and " << vaults << " vaults\n";
  EXPECT_EQ(rosters, kRosters);
  EXPECT_EQ(vaults, kVaults);
}

}  // namespace
}  // namespace godwit::protocol
