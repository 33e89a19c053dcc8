#include "protocol/session.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "protocol/keys.h"
#include "protocol/leaf.h"
#include "tests/protocol/generators.h"
#include "tests/support/codes.h"
#include "tests/support/keys.h"

namespace godwit::protocol {
namespace {

using base::Bytes;
using support::CodeOf;

const Device& Key() {
  static const Device device = *Device::FromSeed(*DeviceSeed::Random());
  return device;
}

SessionRequest AnyRequest() {
  SessionRequest request;
  request.realm = testing::Any<base::RealmId>();
  request.service = SessionService{*rc::gen::inRange<std::uint8_t>(1, 4)};
  request.device = testing::Any<base::DeviceId>();
  request.spki = testing::Any<base::Sha256Hash>();
  request.server_nonce = testing::AnyArray<32>();
  request.client_nonce = testing::AnyArray<32>();
  return request;
}

RC_GTEST_PROP(SessionProperty, ReadsWhatItSigns, ()) {
  const SessionRequest request = AnyRequest();
  const Bytes au = SignSessionRequest(request, Key().signing_key());
  RC_ASSERT(au.size() == 6U + 1 + 16 + 1 + 16 + 32 + 32 + 32 + 64);
  const auto read = ParseSessionRequest(au);
  RC_ASSERT(read.ok());
  RC_ASSERT(read->request.realm == request.realm);
  RC_ASSERT(read->request.service == request.service);
  RC_ASSERT(read->request.device == request.device);
  RC_ASSERT(read->request.spki == request.spki);
  RC_ASSERT(read->request.server_nonce == request.server_nonce);
  RC_ASSERT(read->request.client_nonce == request.client_nonce);
  RC_ASSERT(Verify(*read, Key().keys().sign_pk));
  RC_ASSERT(!Verify(*read, Device::FromSeed(*DeviceSeed::Random())->keys().sign_pk));
}

RC_GTEST_PROP(SessionProperty, ChangedBytesVerifyNowhere, ()) {
  const Bytes au = SignSessionRequest(AnyRequest(), Key().signing_key());
  const Bytes changed = testing::Changed(au);
  if (changed == au) return;
  const auto read = ParseSessionRequest(changed);
  if (read) RC_ASSERT(!Verify(*read, Key().keys().sign_pk));
}

RC_GTEST_PROP(SessionProperty, SurvivesAnyBytes, (const Bytes& bytes)) {
  RC_ASSERT(!ParseSessionRequest(bytes));
}

TEST(Session, RefusesWhatIsNoRequest) {
  const Bytes au = SignSessionRequest({}, Key().signing_key());
  const auto with = [&](std::size_t at, std::uint8_t value) {
    Bytes bytes = au;
    bytes[at] = value;
    return CodeOf(ParseSessionRequest(bytes));
  };
  constexpr std::size_t kService = 6 + 1 + 16;
  EXPECT_EQ(CodeOf(ParseSessionRequest(au)), "ok");
  EXPECT_EQ(with(0, 'G'), "E_SIG");
  EXPECT_EQ(with(6, 0), "E_UNSUPPORTED");
  EXPECT_EQ(with(6, 2), "E_UNSUPPORTED");
  EXPECT_EQ(with(kService, 0), "E_SIG");
  EXPECT_EQ(with(kService, 3), "ok");
  EXPECT_EQ(with(kService, 4), "E_SIG");
  for (std::size_t size = 0; size < au.size(); ++size) {
    EXPECT_EQ(CodeOf(ParseSessionRequest(base::ByteSpan(au).first(size))), "E_SIG");
  }
  Bytes longer = au;
  longer.push_back(0);
  EXPECT_EQ(CodeOf(ParseSessionRequest(longer)), "E_SIG");
}

// A leaf is drawn in section 7; the tag's known answer stands with the formats of gw1.
TEST(Leaf, IsTypeTagSeqAndLinkInThatOrder) {
  const base::RealmId realm(std::array<std::uint8_t, 16>{1});
  const base::VaultId vault(std::array<std::uint8_t, 16>{2});
  const base::Link link(std::array<std::uint8_t, 32>{3});
  const auto tag = VaultTag(realm, vault);
  EXPECT_EQ(RosterTag(realm), VaultTag(realm, {}));
  EXPECT_NE(RosterTag(realm), tag);
  const auto leaf = LeafBytes(LeafType::kVault, tag, 0x0102030405060708, link);
  Writer want;
  want.Raw("gw1/leaf").U8(2).Fixed(tag).U64(0x0102030405060708).Fixed(link);
  EXPECT_EQ(base::ToBytes(leaf), base::ToBytes(want.bytes()));
  EXPECT_EQ(leaf.size(), 81U);
}

}  // namespace
}  // namespace godwit::protocol
