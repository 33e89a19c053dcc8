#include "client/vault_writer.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "tests/client/offline_realm.h"
#include "tests/support/builders.h"

namespace godwit::client {
namespace {

using protocol::Kind;
using support::Person;
using support::TestRealm;

// A realm with thresholds of two: three owners who are admins too, a coordinator, a caseworker.
class Organisation {
 public:
  explicit Organisation(bool evaluation)
      : realm_(protocol::Compartment::kCases,
               std::vector<support::Founder>(3, {protocol::kOwner | protocol::kAdmin, 1}),
               Policy(evaluation)) {
    for (std::size_t i = 0; i < 3; ++i) realm_.RotatePuk(realm_.person(i));
    for (const protocol::Roles roles : {protocol::kCoordinator, protocol::kCaseworker}) {
      Person& person = realm_.Stranger();
      realm_.AppendApproved(owner(), realm_.AddOf(person, roles), {&realm_.person(1)});
      realm_.RotatePuk(person);
    }
  }

  // A secret of which the second and third owner are the trustees.
  void SetRecovery(std::uint8_t use) {
    realm_.AppendApproved(owner(),
                          realm_.RecoverySetOf(use, 2, {&realm_.person(1), &realm_.person(2)}),
                          {&realm_.person(1)});
  }
  void Spend(std::uint64_t time_ms) {
    const auto request = realm_.RequestOf(protocol::kRecoveryLive, realm_.person(3), {kVault});
    const base::Link link = realm_.Do(owner(), request);
    for (std::uint8_t i = 0; i < 2; ++i) {
      const Person& trustee = realm_.person(i + 1u);
      auto header = realm_.Next(trustee);
      header.time_ms = time_ms;
      realm_.Append(protocol::SignStatement(header, protocol::Approve{link, i, {}},
                                            trustee.device().signing_key()));
    }
  }

  // What becomes of a new vault of `person`'s.
  base::Status MakeBy(const Person& person, Kind kind) {
    const support::OfflineRealm device(realm_, person);
    const auto made =
        MakeVault(*device, kind, {{person.id, protocol::kFull}},
                  [](const base::VaultId&) { return base::Result(std::vector<Edit>()); });
    return made ? base::Status() : made.error();
  }
  base::Status MakeCase() { return MakeBy(realm_.person(4), Kind::kCase); }

  Person& owner() { return realm_.person(0); }

 private:
  static constexpr base::VaultId kVault{};

  static protocol::Policy Policy(bool evaluation) {
    protocol::Policy policy = TestRealm::ThresholdsOfTwo();
    if (!evaluation) {
      policy.flags &= static_cast<std::uint16_t>(~protocol::Policy::kEvaluation);
      policy.identity_window_s = 86'400;
    }
    return policy;
  }

  TestRealm realm_;
};

std::string CodeOf(const base::Status& status) {
  return status ? "OK" : std::string(base::Name(status.error().code()));
}

TEST(VaultWriter, OutsideEvaluationNoContentIsMadeWithoutARecoverySecret) {
  Organisation organisation(false);
  EXPECT_EQ(CodeOf(organisation.MakeCase()), "PERMISSION_DENIED");
  // What an organisation needs before it can set one is no content.
  EXPECT_EQ(CodeOf(organisation.MakeBy(organisation.owner(), Kind::kDirectory)), "OK");
  // Whatever seals what is retained opens no vault in use.
  organisation.SetRecovery(protocol::kRecoverySealed);
  EXPECT_EQ(CodeOf(organisation.MakeCase()), "PERMISSION_DENIED");
  organisation.SetRecovery(protocol::kRecoveryLive);
  EXPECT_EQ(CodeOf(organisation.MakeCase()), "OK");
}

TEST(VaultWriter, ASpentRecoverySecretLetsContentBeMadeForFourteenDaysMore) {
  constexpr std::uint64_t kDay = 86'400'000;
  const std::uint64_t now = base::SystemClock().NowMs();
  for (const auto& [days, want] : {std::pair(13, "OK"), {15, "PERMISSION_DENIED"}}) {
    SCOPED_TRACE(days);
    Organisation organisation(false);
    organisation.SetRecovery(protocol::kRecoveryLive);
    organisation.Spend(now - static_cast<std::uint64_t>(days) * kDay);
    EXPECT_EQ(CodeOf(organisation.MakeCase()), want);
    organisation.SetRecovery(protocol::kRecoveryLive);
    EXPECT_EQ(CodeOf(organisation.MakeCase()), "OK");
  }
}

TEST(VaultWriter, AnEvaluationMakesContentWithoutARecoverySecret) {
  EXPECT_EQ(CodeOf(Organisation(true).MakeCase()), "OK");
}

}  // namespace
}  // namespace godwit::client
