#include <gtest/gtest.h>

#include "crypto/random.h"
#include "protocol/join.h"
#include "tests/services/fixture.h"

namespace godwit::realm {
namespace {

using protocol::Compartment;
using storage::JoinStep;
using support::Must;
using support::TestRealm;

// A realm with an owner who made an invitation, an admin, and a coordinator.
class Mailbox : public testing::Test {
 protected:
  Mailbox()
      : admin_(realm_.Add(protocol::kAdmin)), coordinator_(realm_.Add(protocol::kCoordinator)) {
    Sync(to_, realm_);
    request_.device = newcomer_.device().keys();
    request_.commit = protocol::JoinCommit(nonce_d_, invite_);
    j1_ = protocol::WriteJ1(s_, request_);
    j2_ = protocol::WriteJ2(s_, nonce_a_);
    j3_ = protocol::WriteJ3(s_, nonce_d_);
  }

  Engine& engine() { return to_.engine; }
  server::Caller owner() const { return CallerOf(realm_.person(0)); }
  std::string Put(JoinStep step, base::ByteSpan message,
                  const std::optional<server::Caller>& caller = std::nullopt) {
    return CodeOf(engine().PutJoinMessage(caller, invite_, step, message));
  }
  std::string RosterByInvitation() {
    return CodeOf(engine().FetchRoster(std::nullopt, invite_, 0));
  }

  TestRealm realm_{Compartment::kCases};
  support::Person& admin_;
  support::Person& coordinator_;
  support::Person& newcomer_ = realm_.Stranger();
  TestEngine to_;
  protocol::JoinSecret s_ = Must(protocol::JoinSecret::Random());
  base::InviteId invite_ = protocol::InviteIdOf(s_);
  protocol::Nonce32 nonce_a_{1};
  protocol::Nonce32 nonce_d_{2};
  protocol::JoinRequest request_;
  base::Bytes offer_ = base::Bytes(300, 7);
  base::Bytes j1_, j2_, j3_;
};

TEST_F(Mailbox, CarriesAnInvitationFromBothSides) {
  ASSERT_TRUE(engine().PutOffer(owner(), invite_, offer_));
  EXPECT_EQ(Put(JoinStep::kJ1, j1_), "OK");
  EXPECT_EQ(Put(JoinStep::kJ2, j2_, owner()), "OK");
  EXPECT_EQ(Put(JoinStep::kJ3, j3_), "OK");
  const auto found = engine().GetJoinMessages(invite_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->offer, offer_);
  EXPECT_EQ(found->j1, j1_);
  EXPECT_EQ(found->j2, j2_);
  EXPECT_EQ(found->j3, j3_);
}

TEST_F(Mailbox, TakesEachMessageOnceAndTheSameBytesAgain) {
  ASSERT_TRUE(engine().PutOffer(owner(), invite_, offer_));
  EXPECT_TRUE(engine().PutOffer(owner(), invite_, offer_));
  EXPECT_EQ(CodeOf(engine().PutOffer(owner(), invite_, base::Bytes(300, 8))), "CONFLICT");
  EXPECT_EQ(CodeOf(engine().PutOffer(CallerOf(admin_), invite_, offer_)), "CONFLICT");
  base::Bytes other = j1_;
  other.back() ^= 1;
  EXPECT_EQ(Put(JoinStep::kJ1, j1_), "OK");
  EXPECT_EQ(Put(JoinStep::kJ1, j1_), "OK");
  const std::string before = Contents(*to_.postgres);
  EXPECT_EQ(Put(JoinStep::kJ1, other), "CONFLICT");
  EXPECT_EQ(Contents(*to_.postgres), before);
}

TEST_F(Mailbox, TakesMessagesInTheirOrder) {
  ASSERT_TRUE(engine().PutOffer(owner(), invite_, offer_));
  const std::string before = Contents(*to_.postgres);
  EXPECT_EQ(Put(JoinStep::kJ2, j2_, owner()), "CONFLICT");
  EXPECT_EQ(Put(JoinStep::kJ3, j3_), "CONFLICT");
  EXPECT_EQ(Contents(*to_.postgres), before);
}

// What an OFFER is for is sealed: every member may make one for a device of their own.
TEST_F(Mailbox, IsOpenedByActiveMembersAlone) {
  const std::string before = Contents(*to_.postgres);
  EXPECT_EQ(CodeOf(engine().PutOffer(CallerOf(newcomer_), invite_, offer_)), "UNAUTHENTICATED");
  EXPECT_EQ(CodeOf(engine().DeleteOffer(CallerOf(newcomer_), invite_)), "UNAUTHENTICATED");
  EXPECT_EQ(Contents(*to_.postgres), before);
  EXPECT_EQ(CodeOf(engine().PutOffer(CallerOf(coordinator_), invite_, offer_)), "OK");
  EXPECT_EQ(Put(JoinStep::kJ1, j1_), "OK");
  EXPECT_EQ(Put(JoinStep::kJ2, j2_, CallerOf(newcomer_)), "UNAUTHENTICATED");
  EXPECT_EQ(Put(JoinStep::kJ2, j2_, CallerOf(coordinator_)), "OK");
  EXPECT_EQ(CodeOf(engine().DeleteOffer(CallerOf(coordinator_), invite_)), "OK");
}

TEST_F(Mailbox, HoldsFewOffersOfAMemberWhoInvitesNobodyElse) {
  const auto put = [&](const support::Person& person) {
    return CodeOf(engine().PutOffer(CallerOf(person), crypto::RandomId<base::InviteId>(), offer_));
  };
  for (std::uint64_t i = 0; i < kMostOpenOffers; ++i) {
    EXPECT_EQ(put(coordinator_), "OK");
    EXPECT_EQ(put(admin_), "OK");
  }
  const std::string before = Contents(*to_.postgres);
  EXPECT_EQ(put(coordinator_), "RATE_LIMITED");
  EXPECT_EQ(Contents(*to_.postgres), before);
  EXPECT_EQ(put(admin_), "OK");
}

TEST_F(Mailbox, SecondMessageAndDeletingAreForWhoeverPutTheOffer) {
  ASSERT_TRUE(engine().PutOffer(owner(), invite_, offer_));
  ASSERT_EQ(Put(JoinStep::kJ1, j1_), "OK");
  const std::string before = Contents(*to_.postgres);
  EXPECT_EQ(Put(JoinStep::kJ2, j2_), "UNAUTHENTICATED");
  EXPECT_EQ(Put(JoinStep::kJ2, j2_, CallerOf(admin_)), "NOT_FOUND");
  EXPECT_EQ(Put(JoinStep::kJ2, j2_, CallerOf(coordinator_)), "NOT_FOUND");
  EXPECT_EQ(CodeOf(engine().DeleteOffer(CallerOf(admin_), invite_)), "NOT_FOUND");
  EXPECT_EQ(Contents(*to_.postgres), before);
  EXPECT_EQ(CodeOf(engine().DeleteOffer(owner(), invite_)), "OK");
  EXPECT_EQ(Put(JoinStep::kJ1, j1_), "NOT_FOUND");
  EXPECT_EQ(CodeOf(engine().GetJoinMessages(invite_)), "NOT_FOUND");
  EXPECT_EQ(RosterByInvitation(), "NOT_FOUND");
}

TEST_F(Mailbox, RefusesWhatIsNoMessageOfTheInvitation) {
  ASSERT_TRUE(engine().PutOffer(owner(), invite_, offer_));
  const auto other_secret = Must(protocol::JoinSecret::Random());
  base::Bytes longer = j1_;
  longer.push_back(0);
  base::Bytes later = j1_;
  later[6] = 2;
  const base::Bytes foreign = protocol::WriteJ1(other_secret, request_);
  const std::string before = Contents(*to_.postgres);
  for (const auto& bytes : {longer, later, foreign, j2_, j3_, offer_}) {
    EXPECT_EQ(Put(JoinStep::kJ1, bytes), "INVALID_ARGUMENT");
  }
  EXPECT_EQ(Put(JoinStep::kJ3, j2_), "INVALID_ARGUMENT");
  EXPECT_EQ(Put(JoinStep::kJ2, j3_, owner()), "INVALID_ARGUMENT");
  EXPECT_EQ(Contents(*to_.postgres), before);
}

TEST_F(Mailbox, IsOverAfterADay) {
  ASSERT_TRUE(engine().PutOffer(owner(), invite_, offer_));
  to_.clock->now_ms += 86'399'000;
  EXPECT_EQ(Put(JoinStep::kJ1, j1_), "OK");
  EXPECT_EQ(RosterByInvitation(), "OK");
  to_.clock->now_ms += 2'000;
  EXPECT_EQ(Put(JoinStep::kJ1, j1_), "NOT_FOUND");
  EXPECT_EQ(CodeOf(engine().GetJoinMessages(invite_)), "NOT_FOUND");
  EXPECT_EQ(RosterByInvitation(), "NOT_FOUND");
  ASSERT_TRUE(engine().CleanUp());
  EXPECT_EQ(Number(*to_.postgres, "SELECT count(*) FROM invitation"), 0u);
}

TEST_F(Mailbox, GivesTheRosterToWhoeverKnowsALiveInvitation) {
  EXPECT_EQ(RosterByInvitation(), "NOT_FOUND");
  EXPECT_EQ(CodeOf(engine().FetchRoster(std::nullopt, std::nullopt, 0)), "UNAUTHENTICATED");
  ASSERT_TRUE(engine().PutOffer(owner(), invite_, offer_));
  const auto parts = Drain(engine().FetchRoster(std::nullopt, invite_, 1));
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 1u);
  EXPECT_EQ(parts->front().size(), realm_.statements().size() - 1);
  EXPECT_EQ(parts->front().front(), realm_.statements()[1]);
}

// The newcomer reads the roster once more, to see itself in it.
TEST_F(Mailbox, OnceUsedTakesNothingMoreAndStillShowsTheRoster) {
  ASSERT_TRUE(engine().PutOffer(owner(), invite_, offer_));
  ASSERT_EQ(Put(JoinStep::kJ1, j1_), "OK");
  protocol::MemberAdd add = realm_.AddOf(newcomer_, protocol::kCoordinator);
  add.invite = invite_;
  realm_.Prove(add, newcomer_.device());
  realm_.Append(realm_.SignByRoot(add));
  Sync(to_, realm_);
  const std::string before = Contents(*to_.postgres);
  EXPECT_EQ(Put(JoinStep::kJ2, j2_, owner()), "CONFLICT");
  EXPECT_EQ(Put(JoinStep::kJ1, j1_), "OK");
  EXPECT_EQ(Contents(*to_.postgres), before);
  EXPECT_EQ(RosterByInvitation(), "OK");
  ASSERT_TRUE(engine().DeleteOffer(owner(), invite_));
  EXPECT_EQ(CodeOf(engine().PutOffer(owner(), invite_, offer_)), "CONFLICT");
}

}  // namespace
}  // namespace godwit::realm
