#include "crypto/label.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

namespace godwit::crypto {
namespace {

// A label of one form is none of another, and a text of the run time is no label.
static_assert(!std::is_constructible_v<SignLabel, HashLabel>);
static_assert(!std::is_constructible_v<BoxLabel, CommittingLabel>);
static_assert(!std::is_constructible_v<CommittingLabel, BoxLabel>);
static_assert(!std::is_constructible_v<SealedLabel, BoxLabel>);
static_assert(!std::is_constructible_v<KeyCommitmentLabel, SealedLabel>);
static_assert(!std::is_constructible_v<DeriveLabel, std::string>);
static_assert(!std::is_constructible_v<DeriveLabel, std::string_view>);
static_assert(!std::is_constructible_v<DeriveLabel, const char*>);
static_assert(!std::is_convertible_v<const char (&)[4], DeriveLabel>);
// A Sealed is a box and a committing text of one label, and says so.
static_assert(std::is_constructible_v<BoxLabel, SealedLabel>);
static_assert(std::is_constructible_v<CommittingLabel, SealedLabel>);
static_assert(!std::is_convertible_v<SealedLabel, BoxLabel>);
static_assert(!std::is_convertible_v<SealedLabel, CommittingLabel>);

TEST(Label, KeepsItsText) {
  EXPECT_EQ(SignLabel("roster").text(), "roster");
  EXPECT_EQ(BoxLabel(SealedLabel("share")).text(), "share");
  EXPECT_EQ(CommittingLabel(SealedLabel("share")).text(), "share");
}

}  // namespace
}  // namespace godwit::crypto
