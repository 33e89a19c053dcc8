#include "storage/mailbox_store.h"

#include <gtest/gtest.h>

#include "tests/storage/rows.h"

namespace godwit::storage {
namespace {

using base::Code;

constexpr std::uint64_t kMostOpen = 2;

Invitation NewInvitation() {
  Invitation invitation;
  invitation.invite = Random<base::InviteId>();
  invitation.offerer = Random<base::MemberId>();
  invitation.expires_ms = kNow + 86'400'000;
  invitation.offer = RandomBytes(300);
  return invitation;
}

TEST(Mailbox, AnOfferIsPutOnceAndTheSameBytesAgainAreAnsweredTheSame) {
  Realm realm;
  const Invitation invitation = NewInvitation();
  EXPECT_TRUE(realm.mailbox.PutOffer(realm.id, invitation, kNow, kMostOpen));
  EXPECT_TRUE(realm.mailbox.PutOffer(realm.id, invitation, kNow, kMostOpen));
  Invitation other_bytes = invitation;
  other_bytes.offer[0] ^= 1;
  Invitation other_member = invitation;
  other_member.offerer = Random<base::MemberId>();
  for (const Invitation& other : {other_bytes, other_member}) {
    const auto refused = realm.mailbox.PutOffer(realm.id, other, kNow, kMostOpen);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kConflict);
  }
  const auto expired =
      realm.mailbox.PutOffer(realm.id, invitation, invitation.expires_ms, kMostOpen);
  ASSERT_FALSE(expired);
  EXPECT_EQ(expired.error().code(), Code::kConflict);
  const auto found = realm.mailbox.Find(realm.id, invitation.invite, kNow);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->offer, invitation.offer);
  EXPECT_EQ((*found)->offerer, invitation.offerer);
  EXPECT_TRUE((*found)->j1.empty() && (*found)->j2.empty() && (*found)->j3.empty());
}

TEST(Mailbox, AMemberHasSoManyLiveOffersAndNoMore) {
  Realm realm;
  std::vector<Invitation> invitations;
  for (std::uint64_t i = 0; i <= kMostOpen; ++i) {
    invitations.push_back(NewInvitation());
    invitations.back().offerer = invitations.front().offerer;
  }
  const auto put = [&](const Invitation& invitation, std::uint64_t now_ms = kNow) {
    const auto status = realm.mailbox.PutOffer(realm.id, invitation, now_ms, kMostOpen);
    return status ? std::string("OK") : std::string(base::Name(status.error().code()));
  };
  EXPECT_EQ(put(invitations[0]), "OK");
  EXPECT_EQ(put(invitations[1]), "OK");
  EXPECT_EQ(put(invitations[2]), "RATE_LIMITED");
  EXPECT_EQ(put(invitations[1]), "OK") << "it is there already";
  EXPECT_EQ(put(NewInvitation()), "OK") << "somebody else's";
  ASSERT_TRUE(realm.mailbox.Delete(realm.id, invitations[0].invite, invitations[0].offerer));
  EXPECT_EQ(put(invitations[2]), "OK");
  EXPECT_EQ(put(invitations[0]), "RATE_LIMITED");
  EXPECT_EQ(put(invitations[0], invitations[1].expires_ms), "OK") << "the others have ended";
}

TEST(Mailbox, EachStepIsPutOnce) {
  Realm realm;
  const Invitation invitation = NewInvitation();
  ASSERT_TRUE(realm.mailbox.PutOffer(realm.id, invitation, kNow, kMostOpen));
  std::vector<base::Bytes> messages;
  for (const JoinStep step : {JoinStep::kJ1, JoinStep::kJ2, JoinStep::kJ3}) {
    SCOPED_TRACE(static_cast<int>(step));
    messages.push_back(RandomBytes(200));
    EXPECT_TRUE(realm.mailbox.PutStep(realm.id, invitation.invite, step, messages.back(), kNow));
    EXPECT_TRUE(realm.mailbox.PutStep(realm.id, invitation.invite, step, messages.back(), kNow));
    const auto refused =
        realm.mailbox.PutStep(realm.id, invitation.invite, step, RandomBytes(200), kNow);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kConflict);
  }
  const auto found = realm.mailbox.Find(realm.id, invitation.invite, kNow);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->j1, messages[0]);
  EXPECT_EQ((*found)->j2, messages[1]);
  EXPECT_EQ((*found)->j3, messages[2]);
}

TEST(Mailbox, OnlyALiveInvitationTakesOrGivesAnything) {
  Realm realm;
  const Invitation invitation = NewInvitation();
  ASSERT_TRUE(realm.mailbox.PutOffer(realm.id, invitation, kNow, kMostOpen));
  const auto step = [&](const base::RealmId& id, const base::InviteId& invite, std::uint64_t now) {
    const auto put = realm.mailbox.PutStep(id, invite, JoinStep::kJ1, RandomBytes(10), now);
    return put ? Code::kInternal : put.error().code();
  };
  EXPECT_EQ(step(realm.id, invitation.invite, invitation.expires_ms), Code::kNotFound);
  EXPECT_EQ(step(realm.id, Random<base::InviteId>(), kNow), Code::kNotFound);
  EXPECT_EQ(step(Random<base::RealmId>(), invitation.invite, kNow), Code::kNotFound);
  EXPECT_FALSE(*realm.mailbox.Find(realm.id, invitation.invite, invitation.expires_ms));

  const auto stranger = realm.mailbox.Delete(realm.id, invitation.invite, Random<base::MemberId>());
  ASSERT_FALSE(stranger);
  EXPECT_EQ(stranger.error().code(), Code::kNotFound);
  EXPECT_TRUE(*realm.mailbox.Find(realm.id, invitation.invite, kNow));
  ASSERT_TRUE(realm.mailbox.Delete(realm.id, invitation.invite, invitation.offerer));
  EXPECT_FALSE(*realm.mailbox.Find(realm.id, invitation.invite, kNow));
  EXPECT_EQ(step(realm.id, invitation.invite, kNow), Code::kNotFound);
}

TEST(Mailbox, CleanupDeletesWhatExpired) {
  Realm realm;
  Invitation dead = NewInvitation();
  dead.expires_ms = kNow;
  const Invitation live = NewInvitation();
  ASSERT_TRUE(realm.mailbox.PutOffer(realm.id, dead, kNow - 1, kMostOpen));
  ASSERT_TRUE(realm.mailbox.PutOffer(realm.id, live, kNow, kMostOpen));
  ASSERT_TRUE(realm.mailbox.DeleteExpired(realm.id, kNow));
  EXPECT_EQ(realm.Number("SELECT count(*) FROM invitation"), 1u);
  EXPECT_TRUE(*realm.mailbox.Find(realm.id, live.invite, kNow));
}

TEST(Mailbox, SizesBeyondTheSchemaAreRefused) {
  Realm realm;
  Invitation large = NewInvitation();
  large.offer = RandomBytes(65'537);
  const auto refused = realm.mailbox.PutOffer(realm.id, large, kNow, kMostOpen);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
  const Invitation invitation = NewInvitation();
  ASSERT_TRUE(realm.mailbox.PutOffer(realm.id, invitation, kNow, kMostOpen));
  const auto step =
      realm.mailbox.PutStep(realm.id, invitation.invite, JoinStep::kJ2, RandomBytes(16'385), kNow);
  ASSERT_FALSE(step);
  EXPECT_EQ(step.error().code(), Code::kInvalidArgument);
  EXPECT_EQ(realm.Number("SELECT count(*) FROM invitation"), 1u);
}

}  // namespace
}  // namespace godwit::storage
