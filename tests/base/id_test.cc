#include "base/id.h"

#include <gtest/gtest.h>

#include <tuple>
#include <type_traits>
#include <unordered_set>

namespace godwit::base {
namespace {

// Passing the wrong id does not compile: no type of them makes, takes or equals another.
template <class A, class B>
concept Comparable = requires(const A& a, const B& b) { a == b; };
template <class A, class B>
concept Apart = !std::is_constructible_v<A, B> && !std::is_assignable_v<A&, B> &&
                !std::is_convertible_v<A, B> && !Comparable<A, B>;

template <class A, class... Others>
constexpr bool kApartFrom = ((std::is_same_v<A, Others> || Apart<A, Others>)&&...);

template <class Tuple>
constexpr bool kAllApart = false;
template <class... Ids>
constexpr bool kAllApart<std::tuple<Ids...>> = (kApartFrom<Ids, Ids...> && ...);

using Ids = std::tuple<RealmId, MemberId, DeviceId, GuestId, InviteId, VaultId, RecordId,
                       AttachmentId, HumanId, Link, Sha256Hash, Fingerprint>;
static_assert(kAllApart<Ids>);
static_assert(Comparable<MemberId, MemberId>);
// The check can fail.
static_assert(!kAllApart<std::tuple<int, long>>);

// Raw bytes become an id where somebody writes its name, and only there.
static_assert(!std::is_convertible_v<std::array<std::uint8_t, 16>, MemberId>);
static_assert(!std::is_convertible_v<std::span<const std::uint8_t, 16>, MemberId>);
static_assert(!std::is_constructible_v<MemberId, std::span<const std::uint8_t, 32>>);

TEST(FixedBytes, TakesItsOwnLengthAlone) {
  const Bytes bytes{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const auto id = MemberId::FromBytes(bytes);
  ASSERT_TRUE(id);
  EXPECT_EQ(ToBytes(id->bytes()), bytes);
  for (const std::size_t size : {0, 15, 17, 32}) {
    SCOPED_TRACE(size);
    EXPECT_FALSE(MemberId::FromBytes(Bytes(size)));
  }
}

TEST(FixedBytes, IsZeroUntilItIsGivenSomething) {
  EXPECT_TRUE(VaultId().IsZero());
  for (std::size_t i = 0; i < 16; ++i) {
    std::array<std::uint8_t, 16> bytes{};
    bytes[i] = 1;
    EXPECT_FALSE(VaultId(bytes).IsZero()) << i;
  }
}

TEST(FixedBytes, IsOrderedByItsBytesWithoutSign) {
  const VaultId low(std::array<std::uint8_t, 16>{0x7f});
  const VaultId high(std::array<std::uint8_t, 16>{0x80});
  EXPECT_LT(low, high);
  EXPECT_LT(VaultId(), low);
  EXPECT_EQ(low, VaultId(std::array<std::uint8_t, 16>{0x7f}));
  EXPECT_NE(low, high);
}

TEST(FixedBytes, IsAKeyOfAHashTable) {
  const VaultId a(std::array<std::uint8_t, 16>{1});
  const VaultId b(std::array<std::uint8_t, 16>{2});
  const std::unordered_set<VaultId> ids{a, b, a};
  EXPECT_EQ(ids.size(), 2U);
  EXPECT_TRUE(ids.contains(b));
}

}  // namespace
}  // namespace godwit::base
