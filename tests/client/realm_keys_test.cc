#include "client/realm_keys.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "protocol/keystore.h"
#include "tests/client/temporary.h"

namespace godwit::client {
namespace {

using base::Bytes;
using base::Code;

base::Result<UnlockedRealm> Decode(base::ByteSpan state) {
  return DecodeState(*protocol::DeviceSeed::Random(), state);
}

Bytes Encoded(const UnlockedRealm& realm) {
  const auto state = EncodeState(realm.info, realm.store_key);
  EXPECT_TRUE(state);
  return state ? base::ToBytes(state->Expose()) : Bytes();
}

TEST(RealmKeys, AStateHoldsAllOfARealm) {
  auto realm = support::SomeUnlockedRealm();
  const auto state = EncodeState(realm.info, realm.store_key);
  ASSERT_TRUE(state);
  auto seed = protocol::DeviceSeed::Copy(realm.seed.Expose());
  const auto back = DecodeState(*std::move(seed), state->Expose());
  ASSERT_TRUE(back);
  EXPECT_TRUE(support::SameKeys(*back, realm));
}

// One value, one encoding: hosts are in the order of CE, not in that of their letters.
TEST(RealmKeys, HostsOfAnyLengthsComeBack) {
  auto realm = support::SomeUnlockedRealm();
  realm.info.hosts.clear();
  for (const auto& host :
       std::vector<std::string>{"zz:1", "a-long-name.example:1", "b:1", std::string(255, 'a')}) {
    realm.info.hosts[host] = crypto::RandomId<base::Sha256Hash>();
  }
  const auto back = Decode(Encoded(realm));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->info, realm.info);
}

TEST(RealmKeys, RefusesNamesThatNoRealmHas) {
  const auto key = *StoreKey::Random();
  const auto pin = crypto::RandomId<base::Sha256Hash>();
  const struct {
    const char* name;
    void (*spoil)(RealmInfo&);
  } cases[] = {
      {"no fingerprint", [](RealmInfo& i) { i.fingerprint = {}; }},
      {"no member", [](RealmInfo& i) { i.member = {}; }},
      {"no host", [](RealmInfo& i) { i.hosts.clear(); }},
      {"an empty host", [](RealmInfo& i) { i.hosts[""] = {}; }},
      {"a control character in the handle", [](RealmInfo& i) { i.handle = "a\nb"; }},
      {"a handle of 256 bytes", [](RealmInfo& i) { i.handle = std::string(256, 'a'); }},
      {"a host that is no UTF-8", [](RealmInfo& i) { i.hosts["\xff"] = {}; }},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    auto info = support::SomeRealm();
    c.spoil(info);
    const auto state = EncodeState(info, key);
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().code(), Code::kInvalidArgument);
  }
  auto info = support::SomeRealm();
  for (std::size_t i = info.hosts.size(); i < kMaxHosts; ++i) info.hosts[std::to_string(i)] = pin;
  EXPECT_TRUE(EncodeState(info, key));
  info.hosts["one-more:1"] = pin;
  EXPECT_FALSE(EncodeState(info, key));
}

TEST(RealmKeys, RefusesEveryShorterLongerAndLaterState) {
  const Bytes state = Encoded(support::SomeUnlockedRealm());
  for (std::size_t size = 0; size < state.size(); ++size) {
    const auto realm = Decode(base::ByteSpan(state).first(size));
    ASSERT_FALSE(realm) << size;
    ASSERT_EQ(realm.error().code(), Code::kDecrypt) << size;
  }
  Bytes longer = state;
  longer.push_back(0);
  EXPECT_FALSE(Decode(longer));
  Bytes later = state;
  later[6] = 2;
  const auto realm = Decode(later);
  ASSERT_FALSE(realm);
  EXPECT_EQ(realm.error().code(), Code::kUnsupported);
}

// Offsets of the layout in realm_keys.h: tag 6, ver 1, F 32, compartment at 39, member 16,
// handle 2 + 8, evaluation at 66.
TEST(RealmKeys, RefusesACompartmentAndABooleanThatAreNone) {
  const Bytes state = Encoded(support::SomeUnlockedRealm());
  for (const auto& [offset, value] :
       {std::pair<std::size_t, std::uint8_t>{39, 0}, {39, 4}, {66, 2}}) {
    Bytes changed = state;
    changed[offset] = value;
    EXPECT_FALSE(Decode(changed)) << offset;
  }
}

RC_GTEST_PROP(RealmKeys, SurvivesAnyBytesAndReencodesWhatItTakes,
              (Bytes bytes, std::size_t at, std::uint8_t value)) {
  static const Bytes kState = Encoded(support::SomeUnlockedRealm());
  static_cast<void>(Decode(bytes).ok());
  Bytes changed = kState;
  changed[at % changed.size()] = value;
  const auto realm = Decode(changed);
  if (realm) RC_ASSERT(Encoded(*realm) == changed);
}

}  // namespace
}  // namespace godwit::client
