#include "protocol/labels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "crypto/box.h"
#include "crypto/committing.h"
#include "crypto/hash.h"
#include "crypto/hkdf.h"
#include "crypto/sign.h"
#include "protocol/session.h"
#include "protocol/statement.h"
#include "tests/support/builders.h"
#include "tests/support/keys.h"

namespace godwit::protocol {
namespace {

using base::Bytes;

// Section 1 of docs/protocol.md, counted; `local` and `local-tag` are of the client's own store,
// `founding` is of an organisation's draft.
static_assert(labels::kAllSign.size() == 17);
static_assert(labels::kAllDerive.size() == 19);
static_assert(labels::kAllHash.size() == 14);
static_assert(labels::kAllBox.size() == 4);
static_assert(labels::kAllCommitting.size() == 9);
static_assert(labels::kAllSealed.size() == 4);
static_assert(labels::kAllKeyCommitment.size() == 1);

// The check that keeps two labels of a form apart does find two that are the same.
inline constexpr std::array kTwice{crypto::HashLabel("link"), crypto::HashLabel("vault"),
                                   crypto::HashLabel("link")};
static_assert(!labels::Distinct(kTwice, labels::kNone));
static_assert(!labels::Distinct(labels::kAllBox, labels::kAllBox));

std::vector<crypto::CommittingLabel> CommittingLabels() {
  std::vector<crypto::CommittingLabel> all(labels::kAllCommitting.begin(),
                                           labels::kAllCommitting.end());
  for (const auto& sealed : labels::kAllSealed) all.emplace_back(sealed);
  return all;
}
std::vector<crypto::BoxLabel> BoxLabels() {
  std::vector<crypto::BoxLabel> all(labels::kAllBox.begin(), labels::kAllBox.end());
  for (const auto& sealed : labels::kAllSealed) all.emplace_back(sealed);
  return all;
}

TEST(Attack, Row2_NothingSealedUnderOneRegisteredLabelOpensUnderAnother) {
  const auto key = support::RandomKey();
  const auto all = CommittingLabels();
  std::size_t opened = 0;
  for (const auto& under : all) {
    const Bytes sealed = crypto::SealCommitting(key, under, {}, Bytes{1});
    for (const auto& other : all) {
      const bool opens = crypto::OpenCommitting(key, other, {}, sealed).ok();
      EXPECT_EQ(opens, under.text() == other.text()) << under.text() << " " << other.text();
      opened += opens;
    }
  }
  EXPECT_EQ(opened, all.size());
}

TEST(Attack, Row2_NoTwoRegisteredLabelsDeriveOneKeyOrHash) {
  const auto key = support::RandomKey();
  std::set<Bytes> derived;
  for (const auto& label : labels::kAllDerive) {
    Bytes out(32);
    crypto::Derive(key, label, {}, out);
    EXPECT_TRUE(derived.insert(out).second) << label.text();
  }
  std::set<Bytes> hashed;
  for (const auto& label : labels::kAllHash) {
    EXPECT_TRUE(hashed.insert(base::ToBytes(crypto::LabeledHash(label, {}))).second)
        << label.text();
  }
}

TEST(Attack, Row21_NoBoxOfARegisteredLabelOpensUnderAnother) {
  const auto suite = crypto::DefaultHpke();
  const auto pair = *crypto::X25519Kem().FromPrivateKey(support::RandomKey());
  const auto key = support::RandomKey();
  const auto all = BoxLabels();
  std::size_t opened = 0;
  crypto::StackSecret<32> out;
  for (const auto& under : all) {
    const Bytes box = *crypto::SealBox(suite, pair.public_key, under, {}, key);
    for (const auto& other : all) {
      const bool opens = crypto::OpenBoxInto(suite, pair, other, {}, box, out.Expose()).ok();
      EXPECT_EQ(opens, under.text() == other.text()) << under.text() << " " << other.text();
      opened += opens;
    }
  }
  EXPECT_EQ(opened, all.size());
  opened = 0;
  for (const auto& under : labels::kAllSealed) {
    const Bytes sealed = *crypto::SealTo(suite, pair.public_key, under, {}, Bytes{1});
    for (const auto& other : labels::kAllSealed) {
      const bool opens = crypto::OpenSealed(suite, pair, other, {}, sealed).ok();
      EXPECT_EQ(opens, under.text() == other.text());
      opened += opens;
    }
  }
  EXPECT_EQ(opened, labels::kAllSealed.size());
}

// The contexts of section 1's table: a box made for one of them opens in no other, whatever label
// a confused program would name.
TEST(Attack, Row21_NoBoxOpensInTheContextOfAnotherUse) {
  support::TestRealm realm(Compartment::kCases, {{kOwner}});
  const auto& person = realm.person(0);
  const auto realm_id = realm.roster().realm();
  const base::VaultId vault(std::array<std::uint8_t, 16>{7});
  const struct {
    const char* name;
    Bytes context;
  } contexts[] = {
      {"puk", PukBoxContext(realm_id, person.id, 1, person.device().id())},
      {"puk gen 2", PukBoxContext(realm_id, person.id, 2, person.device().id())},
      {"puk-prev", PukPreviousContext(realm_id, person.id, 2, 1)},
      {"vek", VekBoxContext(realm_id, vault, 1, person.id, 1)},
      {"vek epoch 2", VekBoxContext(realm_id, vault, 2, person.id, 1)},
      {"vek gen 2", VekBoxContext(realm_id, vault, 1, person.id, 2)},
      {"commitment", VekCommitmentContext(realm_id, vault, 1)},
      {"prev", VekPreviousContext(realm_id, vault, 2, 1)},
  };
  const auto& pair = person.device().kem();
  const auto key = support::RandomKey();
  crypto::StackSecret<32> out;
  for (const auto& a : contexts) {
    for (const auto& label : {labels::kPukBox, labels::kVekBox}) {
      const Bytes box =
          *crypto::SealBox(crypto::DefaultHpke(), pair.public_key, label, a.context, key);
      for (const auto& b : contexts) {
        for (const auto& other : {labels::kPukBox, labels::kVekBox}) {
          const bool opens =
              crypto::OpenBoxInto(crypto::DefaultHpke(), pair, other, b.context, box, out.Expose())
                  .ok();
          EXPECT_EQ(opens, &a == &b && label.text() == other.text()) << a.name << " " << b.name;
        }
      }
    }
  }
}

TEST(Attack, Row23_ASignatureOfOneRegisteredLabelIsNoneOfAnother) {
  const auto key = *crypto::SigningKey::FromSeed(support::RandomKey());
  const Bytes message{1, 2, 3};
  std::size_t verified = 0;
  for (const auto& under : labels::kAllSign) {
    const auto signature = key.Sign(under, message);
    EXPECT_FALSE(crypto::VerifyBare(key.public_key(), message, signature));
    for (const auto& other : labels::kAllSign) {
      const bool good = crypto::Verify(key.public_key(), other, message, signature);
      EXPECT_EQ(good, under.text() == other.text());
      verified += good;
    }
  }
  EXPECT_EQ(verified, labels::kAllSign.size());
}

// A server that chooses the nonce of a session lets the device sign whatever bytes it likes inside
// an AU: no piece of it is a signed statement.
TEST(Attack, Row23_ASessionRequestSignsNoStatement) {
  support::TestRealm realm(Compartment::kCases, {{kOwner}});
  const auto& owner = realm.person(0);
  const Bytes wanted = realm.Sign(owner, MemberRemove{owner.id, 1});
  const auto raw = *ReadStatement(wanted);
  SessionRequest request;
  request.realm = realm.roster().realm();
  request.device = owner.device().id();
  // All of the body that a nonce can hold, then the next piece, and so on.
  for (std::size_t at = 0; at < raw.body.size(); at += 32) {
    const auto piece = raw.body.subspan(at, std::min<std::size_t>(32, raw.body.size() - at));
    std::ranges::copy(piece, request.server_nonce.begin());
    const Bytes au = SignSessionRequest(request, owner.device().signing_key());
    const auto read = *ParseSessionRequest(au);
    ASSERT_TRUE(Verify(read, owner.device().keys().sign_pk));
    Writer forged;
    forged.Var32(raw.body).Fixed(read.signature);
    const auto status = Roster(realm.roster()).Append(forged.bytes());
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), base::Code::kSig);
    EXPECT_FALSE(crypto::Verify(owner.device().keys().sign_pk, labels::kRoster, read.signed_bytes,
                                read.signature));
  }
  // The other way round: a statement's signature opens no session.
  const auto statement_signature = owner.device().signing_key().Sign(
      labels::kRoster,
      (*ParseSessionRequest(SignSessionRequest(request, owner.device().signing_key())))
          .signed_bytes);
  auto read = *ParseSessionRequest(SignSessionRequest(request, owner.device().signing_key()));
  read.signature = statement_signature;
  EXPECT_FALSE(Verify(read, owner.device().keys().sign_pk));
}

}  // namespace
}  // namespace godwit::protocol
