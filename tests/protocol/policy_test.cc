#include "protocol/policy.h"

#include <gtest/gtest.h>

#include <functional>

#include "protocol/practice.h"
#include "tests/support/builders.h"
#include "tests/support/codes.h"
#include "tests/support/keys.h"

namespace godwit::protocol {
namespace {

using base::Bytes;

PublicKeyBytes KeyOf(std::uint8_t byte) {
  PublicKeyBytes key{};
  key.fill(byte);
  return key;
}
// A key for boxes that a roster may hold.
Kems AnyKems(std::uint8_t seed) {
  return {
      {kAlgX25519, crypto::X25519Kem().DeriveKeyPair(support::KeyOf(Bytes(32, seed)))->public_key}};
}
void GiveLog(Policy& p) {
  p.has_log = true;
  p.log_name = "log.example";
  p.log_pk = KeyOf(1);
  p.receipt_pk = KeyOf(2);
}

struct Row {
  const char* name;
  std::function<void(Policy&)> change;
  const char* want;
};
constexpr const char* kInvalid = "E_ROSTER_INVALID";
constexpr const char* kUnsupported = "E_UNSUPPORTED";

TEST(Policy, RefusesEachThingThatNoPolicyMaySay) {
  const Row rows[] = {
      {"odd extension", [](Policy& p) { p.extensions[3] = {}; }, kUnsupported},
      {"budget of an unknown kind", [](Policy& p) { p.budgets[19] = {}; }, kUnsupported},
      {"budget of kind 0", [](Policy& p) { p.budgets[0] = {}; }, kUnsupported},
      {"vault of an unknown kind", [](Policy& p) { p.vaults[19] = {}; }, kUnsupported},
      {"vault of kind case", [](Policy& p) { p.vaults[9] = {}; }, kInvalid},
      {"vault of kind person", [](Policy& p) { p.vaults[7] = {}; }, kInvalid},
      {"vault of kind leg", [](Policy& p) { p.vaults[17] = {}; }, kInvalid},
      {"max_ver 0", [](Policy& p) { p.max_ver = 0; }, kInvalid},
      {"min_suite 0", [](Policy& p) { p.min_suite = 0; }, kInvalid},
      {"flag 16", [](Policy& p) { p.flags |= 16; }, kInvalid},
      {"flag 0x8000", [](Policy& p) { p.flags |= 0x8000; }, kInvalid},
      {"owner threshold 0", [](Policy& p) { p.owner_threshold = 0; }, kInvalid},
      {"grant threshold 0", [](Policy& p) { p.grant_threshold = 0; }, kInvalid},
      {"owner threshold 1 in earnest",
       [](Policy& p) {
         p.flags = 0;
         p.grant_threshold = 2;
         p.identity_window_s = 1;
       },
       kInvalid},
      {"grant threshold 1 in earnest",
       [](Policy& p) {
         p.flags = 0;
         p.owner_threshold = 2;
         p.identity_window_s = 1;
       },
       kInvalid},
      {"no identity window in earnest",
       [](Policy& p) {
         p.flags = 0;
         p.owner_threshold = 2;
         p.grant_threshold = 2;
       },
       kInvalid},
      {"log without a receipt key",
       [](Policy& p) {
         GiveLog(p);
         p.receipt_pk = {};
       },
       kInvalid},
      {"receipt key without a log", [](Policy& p) { p.receipt_pk = KeyOf(1); }, kInvalid},
      {"quorum without a log",
       [](Policy& p) {
         p.quorum = 1;
         p.witnesses["w"] = {1, KeyOf(1)};
       },
       kInvalid},
      {"quorum above the witnesses",
       [](Policy& p) {
         GiveLog(p);
         p.quorum = 1;
       },
       kInvalid},
      {"quorum of an own witness",
       [](Policy& p) {
         GiveLog(p);
         p.quorum = 1;
         p.witnesses["w"] = {0, KeyOf(1)};
       },
       kInvalid},
      {"witness of independence 2",
       [](Policy& p) {
         p.witnesses["w"] = {2, KeyOf(1)};
       },
       kInvalid},
      {"key service purpose 2",
       [](Policy& p) {
         p.service_keys[{2, 1}] = KeyOf(1);
       },
       kInvalid},
      {"key service purpose 0",
       [](Policy& p) {
         p.service_keys[{0, 1}] = KeyOf(1);
       },
       kInvalid},
      {"audit key without a gen", [](Policy& p) { p.audit_kems = AnyKems(1); }, kInvalid},
      {"audit gen without a key", [](Policy& p) { p.audit_gen = 1; }, kInvalid},
      {"audit key of low order",
       [](Policy& p) {
         p.audit_gen = 1;
         p.audit_kems = {{kAlgX25519, Bytes(32)}};
       },
       kInvalid},
      {"peer 2", [](Policy& p) { p.peers[2].kems = AnyKems(1); }, kInvalid},
      {"peer 0", [](Policy& p) { p.peers[0].kems = AnyKems(1); }, kInvalid},
      {"peer without a key", [](Policy& p) { p.peers[1] = {}; }, kInvalid},
      {"practice with more to say", [](Policy& p) { p.extensions[kPracticeExtension] = {1}; },
       kInvalid},
      {"practice in earnest",
       [](Policy& p) {
         p.flags = 0;
         p.owner_threshold = p.grant_threshold = 2;
         p.identity_window_s = 1;
         p.extensions[kPracticeExtension] = {};
       },
       kInvalid},
  };
  const Policy good = support::TestRealm::EvaluationPolicy();
  ASSERT_TRUE(CheckPolicy(good));
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Policy policy = good;
    row.change(policy);
    EXPECT_EQ(support::CodeOf(CheckPolicy(policy)), row.want);
  }
}

TEST(Policy, TakesWhatItMaySay) {
  const std::pair<const char*, std::function<void(Policy&)>> rows[] = {
      {"even extension", [](Policy& p) { p.extensions[2] = {1}; }},
      {"practice", [](Policy& p) { p.extensions[kPracticeExtension] = {}; }},
      {"every flag", [](Policy& p) { p.flags = Policy::kKnownFlags; }},
      {"later max_ver", [](Policy& p) { p.max_ver = 9; }},
      {"budgets of all kinds",
       [](Policy& p) {
         for (std::uint8_t kind = 1; kind <= kLastKind; ++kind) p.budgets[kind] = {1, 2};
       }},
      {"named vaults",
       [](Policy& p) {
         for (const std::uint8_t kind : Bytes{1, 2, 3, 4, 5, 6, 18}) p.vaults[kind] = {};
       }},
      {"two gens of one purpose",
       [](Policy& p) {
         p.service_keys[{1, 1}] = KeyOf(1);
         p.service_keys[{1, 2}] = KeyOf(2);
       }},
      {"log without a quorum", GiveLog},
      {"log with a quorum of its independent witnesses",
       [](Policy& p) {
         GiveLog(p);
         p.quorum = 2;
         p.witnesses = {{"a", {1, KeyOf(1)}}, {"bb", {0, KeyOf(2)}}, {"c", {1, KeyOf(3)}}};
       }},
      {"witnesses without a log",
       [](Policy& p) {
         p.witnesses["a"] = {1, KeyOf(1)};
       }},
      {"audit key",
       [](Policy& p) {
         p.audit_gen = 1;
         p.audit_kems = AnyKems(1);
       }},
      {"the other desk", [](Policy& p) { p.peers[1].kems = AnyKems(1); }},
      {"in earnest",
       [](Policy& p) {
         p.flags = 0;
         p.owner_threshold = 2;
         p.grant_threshold = 2;
         p.identity_window_s = 1;
       }},
  };
  for (const auto& [name, change] : rows) {
    SCOPED_TRACE(name);
    Policy policy = support::TestRealm::EvaluationPolicy();
    change(policy);
    EXPECT_TRUE(CheckPolicy(policy));
  }
}

TEST(Policy, NothingThatGuardsFalls) {
  Policy before = support::TestRealm::EvaluationPolicy();
  before.max_ver = 2;
  before.min_suite = 2;
  before.flags |= Policy::kKeyService;
  before.audit_gen = 2;
  before.audit_kems = AnyKems(1);
  GiveLog(before);
  before.quorum = 1;
  before.witnesses["a"] = {1, KeyOf(1)};
  Policy next = before;
  next.gen = 2;
  ASSERT_TRUE(CheckPolicySuccession(before, next));

  const std::pair<const char*, std::function<void(Policy&)>> refused[] = {
      {"same gen", [](Policy& p) { p.gen = 1; }},
      {"gen skips", [](Policy& p) { p.gen = 3; }},
      {"max_ver", [](Policy& p) { p.max_ver = 1; }},
      {"min_suite", [](Policy& p) { p.min_suite = 1; }},
      {"kdf_ops", [](Policy& p) { --p.kdf_ops; }},
      {"kdf_mem", [](Policy& p) { --p.kdf_mem; }},
      {"key service", [](Policy& p) { p.flags &= static_cast<std::uint16_t>(~4u); }},
      {"evaluation", [](Policy& p) { p.flags &= static_cast<std::uint16_t>(~1u); }},
      {"quorum to 0", [](Policy& p) { p.quorum = 0; }},
      {"log", [](Policy& p) { p.has_log = false; }},
      {"audit gen",
       [](Policy& p) {
         p.audit_gen = 1;
         p.audit_kems = AnyKems(2);
       }},
      {"other audit keys in the same gen", [](Policy& p) { p.audit_kems = AnyKems(2); }},
  };
  for (const auto& [name, change] : refused) {
    SCOPED_TRACE(name);
    Policy after = next;
    change(after);
    EXPECT_EQ(support::CodeOf(CheckPolicySuccession(before, after)), kInvalid);
  }
  const std::pair<const char*, std::function<void(Policy&)>> taken[] = {
      {"all rises",
       [](Policy& p) {
         p.max_ver = 3;
         p.min_suite = 3;
         ++p.kdf_ops;
         ++p.kdf_mem;
         p.quorum = 2;
         p.audit_gen = 9;
         p.audit_kems = AnyKems(3);
       }},
      {"another log", [](Policy& p) { p.log_pk = KeyOf(9); }},
      {"other flags fall", [](Policy& p) { p.flags &= 5; }},
      {"times change",
       [](Policy& p) {
         p.fresh_s = 1;
         p.hold_s = 1;
         p.recovery_delay_s = 1;
       }},
  };
  for (const auto& [name, change] : taken) {
    SCOPED_TRACE(name);
    Policy after = next;
    change(after);
    EXPECT_TRUE(CheckPolicySuccession(before, after));
  }
  // Nobody begins to be one to practise in, or stops.
  Policy practice = next;
  practice.extensions[kPracticeExtension] = {};
  EXPECT_EQ(support::CodeOf(CheckPolicySuccession(before, practice)), kInvalid);
  Policy founded = before;
  founded.extensions[kPracticeExtension] = {};
  EXPECT_EQ(support::CodeOf(CheckPolicySuccession(founded, next)), kInvalid);
  EXPECT_TRUE(CheckPolicySuccession(founded, practice));
  // Nobody becomes an evaluation organisation later.
  Policy earnest = before;
  earnest.flags &= static_cast<std::uint16_t>(~1u);
  EXPECT_FALSE(CheckPolicySuccession(earnest, next));
}

TEST(Policy, NamesTheVaultOfAKind) {
  Policy policy;
  EXPECT_TRUE(policy.VaultOf(Kind::kDirectory).IsZero());
  const base::VaultId vault(std::array<std::uint8_t, 16>{1});
  policy.vaults[1] = vault;
  EXPECT_EQ(policy.VaultOf(Kind::kDirectory), vault);
  EXPECT_TRUE(policy.VaultOf(Kind::kConfig).IsZero());
}

// The order of witnesses is that of their encodings: a shorter name first.
TEST(Policy, WritesWitnessesInTheOrderOfTheirEncodings) {
  Policy policy = support::TestRealm::EvaluationPolicy();
  policy.witnesses = {{"aaa", {1, KeyOf(1)}}, {"z", {1, KeyOf(2)}}, {"mm", {1, KeyOf(3)}}};
  Writer w;
  WritePolicy(w, policy);
  Reader r(w.bytes());
  const Policy read = ReadPolicy(r);
  ASSERT_TRUE(r.Done());
  EXPECT_EQ(read.witnesses.size(), 3U);
}

}  // namespace
}  // namespace godwit::protocol
