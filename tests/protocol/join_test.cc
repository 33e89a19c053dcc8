#include "protocol/join.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <sstream>

#include "crypto/committing.h"
#include "crypto/hkdf.h"
#include "crypto/hmac.h"
#include "protocol/labels.h"
#include "tests/protocol/generators.h"
#include "tests/support/builders.h"
#include "tests/support/codes.h"
#include "tests/support/keys.h"

namespace godwit::protocol {
namespace {

using base::Bytes;
using support::CodeOf;
using support::TestRealm;

constexpr const char* kRefused = "E_DECRYPT";

std::map<std::string, base::Sha256Hash> AnyHosts() {
  std::map<std::string, base::Sha256Hash> hosts;
  for (std::size_t i = 1 + testing::AnyCount(2); i > 0; --i) {
    hosts[testing::AnyStr()] = testing::Any<base::Sha256Hash>();
  }
  return hosts;
}
Offer AnyOffer() {
  Offer offer;
  offer.kind = *rc::gen::inRange<std::uint8_t>(1, 3);
  offer.fingerprint = testing::Any<base::Fingerprint>();
  offer.seq = testing::AnyInt<std::uint64_t>();
  offer.link = testing::Any<base::Link>();
  offer.hosts = AnyHosts();
  offer.member = testing::Any<base::MemberId>();
  offer.roles = testing::AnyInt<Roles>();
  offer.staff_commit = testing::Any<base::Sha256Hash>();
  offer.join = *rc::gen::inRange<std::uint8_t>(0, 2);
  offer.offerer = testing::Any<base::DeviceId>();
  return offer;
}
JoinSecret AnySecret() { return *JoinSecret::Copy(testing::AnyArray<16>()); }

RC_GTEST_PROP(JoinProperty, AnInvitationComesBack, ()) {
  const Invitation invitation{AnyHosts(), AnySecret()};
  const auto bytes = WriteInvitation(invitation);
  const auto read = ReadInvitation(bytes.Expose());
  RC_ASSERT(read.ok());
  RC_ASSERT(read->hosts == invitation.hosts);
  RC_ASSERT(std::ranges::equal(read->s.Expose(), invitation.s.Expose()));
  const Bytes changed = testing::Changed(support::Plain(bytes));
  const auto other = ReadInvitation(changed);
  if (other) RC_ASSERT(support::Plain(WriteInvitation(*other)) == changed);
}

RC_GTEST_PROP(JoinProperty, AnOfferOpensForItsInvitationAlone, ()) {
  const auto s = *JoinSecret::Random();
  const Offer offer = AnyOffer();
  const Bytes sealed = *SealOffer(s, offer);
  const auto opened = OpenOffer(s, sealed);
  RC_ASSERT(opened.ok());
  RC_ASSERT(opened->kind == offer.kind);
  RC_ASSERT(opened->fingerprint == offer.fingerprint);
  RC_ASSERT(opened->seq == offer.seq);
  RC_ASSERT(opened->link == offer.link);
  RC_ASSERT(opened->hosts == offer.hosts);
  RC_ASSERT(opened->member == offer.member);
  RC_ASSERT(opened->roles == offer.roles);
  RC_ASSERT(opened->staff_commit == offer.staff_commit);
  RC_ASSERT(opened->join == offer.join);
  RC_ASSERT(opened->offerer == offer.offerer);
  RC_ASSERT(CodeOf(OpenOffer(*JoinSecret::Random(), sealed)) == kRefused);
  const Bytes changed = testing::Changed(sealed);
  if (changed != sealed) RC_ASSERT(CodeOf(OpenOffer(s, changed)) == kRefused);
}

RC_GTEST_PROP(JoinProperty, SurvivesAnyBytes, (const Bytes& bytes)) {
  const auto s = *JoinSecret::Random();
  RC_ASSERT(!OpenOffer(s, bytes));
  RC_ASSERT(!ReadJ1(s, bytes));
  RC_ASSERT(!ReadJ2(s, bytes));
  RC_ASSERT(!ReadJ3(s, bytes, {}));
  RC_ASSERT(!ReadInvitation(bytes));
}

TEST(Join, RefusesWhatIsNoInvitation) {
  Invitation invitation{{{"host.example:443", {}}}, *JoinSecret::Random()};
  const Bytes good = support::Plain(WriteInvitation(invitation));
  const auto code = [](const Bytes& bytes) { return CodeOf(ReadInvitation(bytes)); };
  EXPECT_EQ(code(good), "ok");
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_EQ(code(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))),
              "INVALID_ARGUMENT");
  }
  Bytes bad = good;
  bad.push_back(0);
  EXPECT_EQ(code(bad), "INVALID_ARGUMENT");
  bad = good;
  bad[0] = 'G';
  EXPECT_EQ(code(bad), "INVALID_ARGUMENT");
  bad = good;
  bad[6] = 2;
  EXPECT_EQ(code(bad), "INVALID_ARGUMENT");
  invitation.hosts.clear();
  EXPECT_EQ(code(support::Plain(WriteInvitation(invitation))), "INVALID_ARGUMENT");
}

TEST(Join, RefusesAnOfferThatSaysWhatNoneSays) {
  const auto s = *JoinSecret::Random();
  const auto code = [&](const std::function<void(Offer&)>& change) {
    Offer offer;
    change(offer);
    return CodeOf(OpenOffer(s, *SealOffer(s, offer)));
  };
  EXPECT_EQ(code([](Offer&) {}), "ok");
  EXPECT_EQ(code([](Offer& o) { o.kind = 2; }), "ok");
  EXPECT_EQ(code([](Offer& o) { o.kind = 0; }), kRefused);
  EXPECT_EQ(code([](Offer& o) { o.kind = 3; }), kRefused);
  EXPECT_EQ(code([](Offer& o) { o.join = 1; }), "ok");
  EXPECT_EQ(code([](Offer& o) { o.join = 2; }), kRefused);
  // Well sealed, but longer than an offer.
  crypto::StackSecret<64> jk;
  crypto::HkdfExtractSha512(base::AsBytes("gw1/join"), s, jk.Expose());
  crypto::StackSecret<32> key;
  crypto::Derive(jk, labels::kOfferKey, {}, key.Expose());
  Writer context;
  context.Raw("gw1/of").U8(1).Fixed(InviteIdOf(s));
  Writer text;
  text.U8(1).Fixed(base::Fingerprint()).U64(0).Fixed(base::Link()).U16(0);
  text.Fixed(base::MemberId()).U16(0).Fixed(base::Sha256Hash()).U8(0).Fixed(base::DeviceId());
  const auto seal = [&](const Bytes& bytes) {
    return crypto::SealCommitting(key, labels::kOffer, context.bytes(), bytes);
  };
  Bytes bytes = base::ToBytes(text.bytes());
  EXPECT_EQ(CodeOf(OpenOffer(s, seal(bytes))), "ok");
  bytes.push_back(0);
  EXPECT_EQ(CodeOf(OpenOffer(s, seal(bytes))), kRefused);
}

// A whole exchange, as the two sides see it.
struct Exchange {
  TestRealm realm{Compartment::kCases};
  support::Person& newcomer = realm.Stranger();
  JoinSecret s = *JoinSecret::Random();
  MemberAdd add = realm.AddOf(newcomer, kCaseworker);
  Bytes offer;
  Nonce32 nonce_a{1};
  Nonce32 nonce_d{2};
  Bytes j1;

  Exchange() {
    Offer text;
    text.fingerprint = realm.roster().fingerprint();
    text.seq = realm.roster().head_seq();
    text.link = realm.roster().head();
    text.hosts = {{"cases.example:443", {}}};
    text.member = add.member;
    text.roles = add.roles;
    text.staff_commit = add.staff_commit;
    text.offerer = realm.person(0).device().id();
    offer = *SealOffer(s, text);
    add.invite = InviteIdOf(s);
    realm.Prove(add, newcomer.device());
    j1 = WriteJ1(s, {add.device, add.pop, JoinCommit(nonce_d, InviteIdOf(s))});
  }
};

TEST(Join, AStrangerSeesWhichMessageItIsAndOfWhichInvitation) {
  const Exchange e;
  const base::InviteId invite = InviteIdOf(e.s);
  const Bytes messages[] = {e.j1, WriteJ2(e.s, e.nonce_a), WriteJ3(e.s, e.nonce_d)};
  for (int step = 0; step <= 4; ++step) {
    for (int message = 1; message <= 3; ++message) {
      SCOPED_TRACE(std::to_string(step) + ", " + std::to_string(message));
      const Bytes& bytes = messages[message - 1];
      EXPECT_EQ(IsJoinMessage(step, invite, bytes), step == message);
      EXPECT_FALSE(IsJoinMessage(step, InviteIdOf(*JoinSecret::Random()), bytes));
      EXPECT_FALSE(IsJoinMessage(step, invite, base::ByteSpan(bytes).first(bytes.size() - 1)));
      Bytes longer = bytes;
      longer.push_back(0);
      EXPECT_FALSE(IsJoinMessage(step, invite, longer));
      Bytes later = bytes;
      ++later[6];
      EXPECT_FALSE(IsJoinMessage(step, invite, later));
      EXPECT_FALSE(IsJoinMessage(step, invite, {}));
    }
  }
}

TEST(Join, TheExchangeEndsInAMemberWhoBothSidesCompared) {
  Exchange e;
  const auto opened = *OpenOffer(e.s, e.offer);
  const auto request = *ReadJ1(e.s, e.j1);
  EXPECT_EQ(request.device, e.newcomer.device().keys());
  const auto nonce_a = *ReadJ2(e.s, WriteJ2(e.s, e.nonce_a));
  const auto nonce_d = *ReadJ3(e.s, WriteJ3(e.s, e.nonce_d), request);
  EXPECT_EQ(nonce_a, e.nonce_a);
  EXPECT_EQ(nonce_d, e.nonce_d);
  const std::string sas = Sas(e.offer, e.j1, nonce_a, nonce_d);
  std::istringstream words(sas);
  std::size_t count = 0;
  for (std::string word; words >> word;) ++count;
  EXPECT_EQ(count, 5U);
  EXPECT_EQ(sas, Sas(e.offer, e.j1, e.nonce_a, e.nonce_d));
  // What the inviter signs is what the newcomer proved.
  MemberAdd add{opened.member,   opened.roles,   opened.staff_commit, opened.join,
                InviteIdOf(e.s), request.device, request.pop};
  e.realm.Append(e.realm.Sign(e.realm.person(0), add));
  EXPECT_TRUE(e.realm.roster().IsMemberAt(e.newcomer.id, e.realm.roster().head_seq()));
}

// The invitation leaked: whoever has s can send a J1 of their own, and the words differ.
TEST(Attack, Row37_ASwappedMessageChangesTheWords) {
  Exchange e;
  const std::string honest = Sas(e.offer, e.j1, e.nonce_a, e.nonce_d);
  const auto& thief = e.realm.Stranger();
  const Bytes swapped =
      WriteJ1(e.s, {thief.device().keys(), e.add.pop, JoinCommit(e.nonce_d, InviteIdOf(e.s))});
  ASSERT_TRUE(ReadJ1(e.s, swapped));
  EXPECT_NE(Sas(e.offer, swapped, e.nonce_a, e.nonce_d), honest);
  Bytes other_offer = *SealOffer(e.s, *OpenOffer(e.s, e.offer));
  EXPECT_NE(Sas(other_offer, e.j1, e.nonce_a, e.nonce_d), honest);
  EXPECT_NE(Sas(e.offer, e.j1, Nonce32{9}, e.nonce_d), honest);
  EXPECT_NE(Sas(e.offer, e.j1, e.nonce_a, Nonce32{9}), honest);
  EXPECT_NE(Sas(e.offer, e.j1, e.nonce_d, e.nonce_a), honest);
}

// Who saw nonce_a may not choose nonce_d any more: otherwise 2^55 tries would make the words equal.
TEST(Attack, Row37_ANonceThatWasNotCommittedToIsRefused) {
  Exchange e;
  const auto request = *ReadJ1(e.s, e.j1);
  EXPECT_EQ(CodeOf(ReadJ3(e.s, WriteJ3(e.s, e.nonce_d), request)), "ok");
  EXPECT_EQ(CodeOf(ReadJ3(e.s, WriteJ3(e.s, Nonce32{3}), request)), kRefused);
  // A commitment for another invitation is none for this one.
  auto other = request;
  other.commit = JoinCommit(e.nonce_d, InviteIdOf(*JoinSecret::Random()));
  EXPECT_EQ(CodeOf(ReadJ3(e.s, WriteJ3(e.s, e.nonce_d), other)), kRefused);
}

TEST(Attack, Row37_MessagesOfAnotherInvitationOrStepAreRefused) {
  Exchange e;
  Exchange other;
  const auto request = *ReadJ1(e.s, e.j1);
  const Bytes j2 = WriteJ2(e.s, e.nonce_a);
  const Bytes j3 = WriteJ3(e.s, e.nonce_d);
  EXPECT_EQ(CodeOf(OpenOffer(other.s, e.offer)), kRefused);
  EXPECT_EQ(CodeOf(ReadJ1(other.s, e.j1)), kRefused);
  EXPECT_EQ(CodeOf(ReadJ2(other.s, j2)), kRefused);
  EXPECT_EQ(CodeOf(ReadJ3(other.s, j3, request)), kRefused);
  EXPECT_EQ(CodeOf(ReadJ2(e.s, j3)), kRefused);
  EXPECT_EQ(CodeOf(ReadJ3(e.s, j2, request)), kRefused);
  EXPECT_EQ(CodeOf(ReadJ1(e.s, j2)), kRefused);
  EXPECT_EQ(CodeOf(ReadJ2(e.s, e.j1)), kRefused);
  for (const Bytes* message : std::vector<const Bytes*>{&e.j1, &j2, &j3}) {
    for (std::size_t at = 0; at < message->size(); ++at) {
      Bytes flipped = *message;
      flipped[at] ^= 1;
      EXPECT_FALSE(ReadJ1(e.s, flipped));
      EXPECT_FALSE(ReadJ2(e.s, flipped));
      EXPECT_FALSE(ReadJ3(e.s, flipped, request));
    }
  }
  // With a right mac over another version, another invitation or more bytes.
  crypto::StackSecret<64> jk;
  crypto::HkdfExtractSha512(base::AsBytes("gw1/join"), e.s, jk.Expose());
  crypto::StackSecret<32> key;
  crypto::Derive(jk, labels::kJoin, {}, key.Expose());
  const auto finish = [&](Writer w) {
    const auto mac = crypto::HmacSha256(key, {w.bytes()});
    return w.Raw(mac).Take();
  };
  const auto j2_of = [&](std::uint8_t ver, const base::InviteId& invite, std::size_t more) {
    Writer w;
    w.Raw("gw1/j2").U8(ver).Fixed(invite).Raw(e.nonce_a).Raw(Bytes(more));
    return finish(std::move(w));
  };
  EXPECT_EQ(CodeOf(ReadJ2(e.s, j2_of(1, InviteIdOf(e.s), 0))), "ok");
  EXPECT_EQ(CodeOf(ReadJ2(e.s, j2_of(2, InviteIdOf(e.s), 0))), kRefused);
  EXPECT_EQ(CodeOf(ReadJ2(e.s, j2_of(1, InviteIdOf(other.s), 0))), kRefused);
  EXPECT_EQ(CodeOf(ReadJ2(e.s, j2_of(1, InviteIdOf(e.s), 1))), kRefused);
  Writer longer;
  longer.Raw("gw1/j1").U8(1).Fixed(InviteIdOf(e.s));
  WriteDeviceKeys(longer, e.add.device);
  longer.Fixed(e.add.pop).Raw(Nonce32{}).U8(0);
  EXPECT_EQ(CodeOf(ReadJ1(e.s, finish(std::move(longer)))), kRefused);
}

// An invitation that was used is used up: its id is new once.
TEST(Attack, Row37_AnInvitationIsUsedOnce) {
  Exchange e;
  e.realm.Append(e.realm.Sign(e.realm.person(0), e.add));
  auto& second = e.realm.Stranger();
  MemberAdd again = e.realm.AddOf(second, kCaseworker);
  again.invite = InviteIdOf(e.s);
  e.realm.Prove(again, second.device());
  Roster roster = e.realm.roster();
  EXPECT_EQ(CodeOf(roster.Append(e.realm.Sign(e.realm.person(0), again))), "E_ROSTER_INVALID");
}

}  // namespace
}  // namespace godwit::protocol
