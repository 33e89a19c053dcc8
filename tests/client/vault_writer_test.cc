#include "client/vault_writer.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

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
  base::Status MakeCase() { return MakeBy(caseworker(), Kind::kCase); }

  const TestRealm& realm() const { return realm_; }
  Person& owner() { return realm_.person(0); }
  Person& coordinator() { return realm_.person(3); }
  Person& caseworker() { return realm_.person(4); }
  Person& Stranger() { return realm_.Stranger(); }

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

TEST(VaultWriter, ANewVaultIsOneThatItsOwnVerifierTakes) {
  Organisation organisation(true);
  const Person& owner = organisation.owner();
  const Person& caseworker = organisation.caseworker();
  const Person& stranger = organisation.Stranger();
  using Edits = base::Result<std::vector<Edit>>;
  const auto nothing = [](const base::VaultId&) { return Edits(std::vector<Edit>()); };
  const auto note = [](std::uint8_t flags) {
    return [flags](const base::VaultId& id) {
      Edit edit{protocol::PinnedRecordOf(id), {}, flags};
      edit.content.mutable_summary()->set_code("invented");
      return Edits(std::vector<Edit>{edit});
    };
  };
  using Members = std::map<base::MemberId, protocol::Perm>;
  const Members alone{{caseworker.id, protocol::kFull}};
  const base::Bytes unsigned_create(200, 9);
  const struct {
    const char* name;
    const Person& author;
    Kind kind;
    Members members;
    std::function<Edits(const base::VaultId&)> edit;
    const base::Bytes* create;
    std::string want;
    std::string_view why;
  } rows[] = {
      {"as it should be", caseworker, Kind::kCase, alone, note(0), nullptr, "OK", ""},
      {"for a stranger too", caseworker, Kind::kCase,
       Members{{caseworker.id, protocol::kFull}, {stranger.id, protocol::kRead}}, nothing, nullptr,
       "INVALID_ARGUMENT", "cannot be listed"},
      {"with more rights than a role may have", owner, Kind::kDirectory,
       Members{{owner.id, protocol::kFull}, {caseworker.id, protocol::kFull}}, nothing, nullptr,
       "INVALID_ARGUMENT", "cannot be listed"},
      {"of a kind that is not theirs",
       caseworker,
       Kind::kDirectory,
       {},
       nothing,
       nullptr,
       "E_ENTRY_INVALID",
       "CREATE by a role that may not"},
      {"with a CREATE that is none", caseworker, Kind::kCase, alone, nothing, &unsigned_create,
       "E_SIG", ""},
      {"without a manager", caseworker, Kind::kCase, Members{{caseworker.id, protocol::kReadWrite}},
       nothing, nullptr, "E_ENTRY_INVALID", ""},
      {"with a revision of unknown flags", caseworker, Kind::kCase, alone, note(0x80), nullptr,
       "E_ENTRY_INVALID", "unknown flags"},
      {"that nobody knows what to put into", caseworker, Kind::kCase, alone,
       [](const base::VaultId&) { return Edits(base::Error(base::Code::kExists, "no")); }, nullptr,
       "EXISTS", "no"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const support::OfflineRealm device(organisation.realm(), row.author);
    const auto made = MakeVault(*device, row.kind, row.members, row.edit, row.create);
    EXPECT_EQ(CodeOf(made ? base::Status() : made.error()), row.want);
    if (!made) {
      EXPECT_NE(made.error().message().find(row.why), std::string_view::npos);
    }
  }
}

}  // namespace
}  // namespace godwit::client
