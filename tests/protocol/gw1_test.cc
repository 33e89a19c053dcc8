// The chains of vectors/gw1, made by an independent implementation of the protocol: every case must
// get the verdict and the state that its file says.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "protocol/roster.h"
#include "protocol/vault.h"
#include "tests/support/shared.h"
#include "tools/verify/state.h"

namespace godwit::protocol {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kRosters = 219;
constexpr std::size_t kVaults = 200;

std::vector<base::Bytes> Blobs(const Json& list) {
  std::vector<base::Bytes> blobs;
  for (const auto& hex : list) blobs.push_back(*base::FromHex(hex.get<std::string>()));
  return blobs;
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
        EXPECT_EQ(test["state"]["roster"], verify::RosterState(roster.roster));
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
      EXPECT_EQ(test["state"]["roster"], verify::RosterState(roster.roster));
      EXPECT_EQ(test["state"]["vault"], verify::VaultState(vault, roster.roster));
    }
  }
  std::cout << "gw1: " << rosters << " rosters and " << vaults << " vaults\n";
  EXPECT_EQ(rosters, kRosters);
  EXPECT_EQ(vaults, kVaults);
}

}  // namespace
}  // namespace godwit::protocol
