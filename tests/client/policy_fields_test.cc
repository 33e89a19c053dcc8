#include "client/policy_fields.h"

#include <gtest/gtest.h>

#include <functional>

namespace godwit::client {
namespace {

using protocol::Policy;

// A policy with something in each of its parts.
Policy Full() {
  Policy policy;
  policy.budgets[1] = {10, 20};
  policy.pins.insert(base::Sha256Hash());
  policy.has_log = true;
  policy.log_name = "log.example";
  policy.witnesses["witness.example"] = {1, {}};
  policy.service_keys[{1, 1}] = {};
  policy.audit_gen = 1;
  policy.audit_kems[protocol::kAlgX25519] = base::Bytes(32, 1);
  policy.vaults[1] = base::VaultId();
  policy.peers[1].kems[protocol::kAlgX25519] = base::Bytes(32, 1);
  policy.extensions[2] = {1};
  return policy;
}

// Nobody signs what was not shown: whatever differs in the bytes differs in the fields.
TEST(PolicyFields, ShowEveryChange) {
  const base::Sha256Hash other_pin(std::array<std::uint8_t, 32>{1});
  const std::function<void(Policy&)> changes[] = {
      [](Policy& p) { ++p.max_ver; },
      [](Policy& p) { ++p.min_suite; },
      [](Policy& p) { p.flags ^= Policy::kEvaluation; },
      [](Policy& p) { p.flags ^= Policy::kDeviceAddNeedsAdmin; },
      [](Policy& p) { p.flags ^= Policy::kKeyService; },
      [](Policy& p) { p.flags ^= Policy::kSmallOrg; },
      [](Policy& p) { p.flags ^= 1 << 9; },
      [](Policy& p) { ++p.owner_threshold; },
      [](Policy& p) { ++p.grant_threshold; },
      [](Policy& p) { ++p.fresh_s; },
      [](Policy& p) { ++p.hold_s; },
      [](Policy& p) { ++p.recovery_delay_s; },
      [](Policy& p) { ++p.kdf_ops; },
      [](Policy& p) { ++p.kdf_mem; },
      [](Policy& p) { ++p.identity_window_s; },
      [](Policy& p) { ++p.budgets[1].soft_day; },
      [](Policy& p) { ++p.budgets[1].hard_day; },
      [](Policy& p) { p.budgets[2] = {}; },
      [](Policy& p) { p.budgets.clear(); },
      [&](Policy& p) { p.pins.insert(other_pin); },
      [&](Policy& p) { p.pins = {other_pin}; },
      [](Policy& p) { ++p.receipt_pk[31]; },
      [](Policy& p) { p.has_log = false; },
      [](Policy& p) { p.log_name += "x"; },
      [](Policy& p) { ++p.log_pk[31]; },
      [](Policy& p) { ++p.quorum; },
      [](Policy& p) { p.witnesses["witness.example"].independent = 0; },
      [](Policy& p) { ++p.witnesses["witness.example"].key[31]; },
      [](Policy& p) { p.witnesses["other.example"] = {}; },
      [](Policy& p) {
        ++p.service_keys[{1, 1}][31];
      },
      [](Policy& p) {
        p.service_keys[{1, 2}] = {};
      },
      [](Policy& p) {
        p.service_keys[{2, 1}] = {};
      },
      [](Policy& p) { ++p.audit_gen; },
      [](Policy& p) { ++p.audit_kems[protocol::kAlgX25519][31]; },
      [](Policy& p) { p.audit_kems.clear(); },
      [](Policy& p) { p.vaults[1] = *base::VaultId::FromBytes(base::Bytes(16, 1)); },
      [](Policy& p) { p.vaults[2] = {}; },
      [](Policy& p) { ++p.peers[1].kems[protocol::kAlgX25519][31]; },
      [](Policy& p) { ++p.peers[1].sign_pk[31]; },
      [](Policy& p) { ++p.peers[1].auth_pk[31]; },
      [](Policy& p) { p.peers[1].relay += "x"; },
      [](Policy& p) { ++p.peers[1].pin[31]; },
      [](Policy& p) { p.peers[2] = {}; },
      [](Policy& p) { p.extensions[2] = {2}; },
      [](Policy& p) { p.extensions[4] = {}; },
  };
  const Policy before = Full();
  EXPECT_TRUE(PolicyChanges(before, before).empty());
  int index = 0;
  for (const auto& change : changes) {
    Policy after = before;
    change(after);
    EXPECT_FALSE(PolicyChanges(before, after).empty()) << index;
    EXPECT_FALSE(PolicyChanges(after, before).empty()) << index;
    ++index;
  }
}

TEST(PolicyFields, AreSetByHand) {
  Policy policy;
  ASSERT_TRUE(SetPolicyField(policy, "grant_threshold", "3"));
  EXPECT_EQ(policy.grant_threshold, 3);
  ASSERT_TRUE(SetPolicyField(policy, "kdf_mem", "1073741824"));
  EXPECT_EQ(policy.kdf_mem, 1u << 30);
  ASSERT_TRUE(SetPolicyField(policy, "small_org", "yes"));
  EXPECT_EQ(policy.flags, Policy::kSmallOrg);
  ASSERT_TRUE(SetPolicyField(policy, "small_org", "no"));
  EXPECT_EQ(policy.flags, 0);
  const Policy before = policy;
  const std::pair<const char*, const char*> refused[] = {
      {"grant_threshold", "256"}, {"grant_threshold", "-1"},
      {"grant_threshold", ""},    {"grant_threshold", "2 "},
      {"small_org", "1"},         {"evaluation", "yes"},
      {"key_service", "yes"},     {"max_ver", "2"},
      {"vault.ledger", "00"},     {"", "1"}};
  for (const auto& [field, text] : refused) {
    const auto set = SetPolicyField(policy, field, text);
    ASSERT_FALSE(set) << field << "=" << text;
    EXPECT_EQ(set.error().code(), base::Code::kInvalidArgument);
    EXPECT_TRUE(PolicyChanges(before, policy).empty()) << field << "=" << text;
  }
}

}  // namespace
}  // namespace godwit::client
