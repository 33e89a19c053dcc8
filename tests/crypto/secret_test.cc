#include "crypto/secret.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <ostream>
#include <type_traits>

namespace godwit::crypto {
namespace {

using base::Bytes;
using TestKey = Secret<struct TestTag, 32>;
using OtherKey = Secret<struct OtherTag, 32>;

template <class T>
concept Comparable = requires(const T& a, const T& b) { a == b; };
template <class T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };
template <class T>
concept Ordered = requires(const T& a, const T& b) { a < b; };

// Nothing copies, compares or prints a secret, and none becomes a key with another meaning.
template <class T>
constexpr bool kKeepsToItself =
    !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> && !Comparable<T> &&
    !Ordered<T> && !Streamable<T> && !std::is_convertible_v<T, base::ByteSpan> &&
    !std::is_convertible_v<T, Bytes> && !std::is_convertible_v<T, bool>;
static_assert(kKeepsToItself<TestKey>);
static_assert(kKeepsToItself<SecretBytes>);
static_assert(kKeepsToItself<StackSecret<32>>);
static_assert(!kKeepsToItself<Bytes>);  // the check can fail
static_assert(!Comparable<SecretRef<>> && !Streamable<SecretRef<>> && !Streamable<SecretRef<32>>);
static_assert(!std::is_constructible_v<TestKey, OtherKey> &&
              !std::is_assignable_v<TestKey&, OtherKey>);
static_assert(!std::is_constructible_v<TestKey, std::span<const std::uint8_t, 32>>);
static_assert(!std::is_move_constructible_v<StackSecret<32>>);
static_assert(std::is_nothrow_move_constructible_v<TestKey>);
static_assert(std::is_nothrow_move_constructible_v<SecretBytes>);
// A key of the wrong length is no argument.
static_assert(std::is_convertible_v<const TestKey&, SecretRef<32>>);
static_assert(!std::is_convertible_v<const Secret<struct TestTag, 16>&, SecretRef<32>>);
static_assert(!std::is_convertible_v<const SecretBytes&, SecretRef<32>>);
static_assert(!std::is_convertible_v<SecretRef<>, SecretRef<32>>);

bool IsZero(base::ByteSpan bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

TEST(Secret, RandomKeysDiffer) {
  const auto a = TestKey::Random();
  const auto b = TestKey::Random();
  ASSERT_TRUE(a && b);
  EXPECT_FALSE(IsZero(a->Expose()));
  EXPECT_FALSE(std::ranges::equal(a->Expose(), b->Expose()));
}

TEST(Secret, CopyHoldsTheBytesGiven) {
  const Bytes bytes(32, 0x5a);
  const auto key = TestKey::Copy(base::ByteSpan(bytes).first<32>());
  ASSERT_TRUE(key);
  EXPECT_TRUE(std::ranges::equal(key->Expose(), bytes));
}

TEST(Secret, MovingTakesTheKeyAlongAndNoSecondSlot) {
  const std::size_t before = SlotsInUse();
  {
    TestKey key = *TestKey::Random();
    EXPECT_EQ(SlotsInUse(), before + 1);
    const Bytes bytes = base::ToBytes(key.Expose());
    TestKey moved = std::move(key);
    EXPECT_EQ(SlotsInUse(), before + 1);
    EXPECT_TRUE(std::ranges::equal(moved.Expose(), bytes));

    TestKey other = *TestKey::Random();
    EXPECT_EQ(SlotsInUse(), before + 2);
    other = std::move(moved);
    EXPECT_EQ(SlotsInUse(), before + 1);
    EXPECT_TRUE(std::ranges::equal(other.Expose(), bytes));

    TestKey& self = other;
    other = std::move(self);
    EXPECT_TRUE(std::ranges::equal(other.Expose(), bytes));
  }
  EXPECT_EQ(SlotsInUse(), before);
}

// A slot stays mapped when it is given back: what a key left there can be looked at.
TEST(Secret, IsWipedAtTheEndAndWhenReplaced) {
  const std::uint8_t* ended = nullptr;
  {
    const TestKey key = *TestKey::Random();
    ended = key.Expose().data();
    ASSERT_FALSE(IsZero({ended, 32}));
  }
  EXPECT_TRUE(IsZero({ended, kSlotSize}));

  TestKey key = *TestKey::Random();
  const std::uint8_t* replaced = key.Expose().data();
  key = *TestKey::Random();
  EXPECT_TRUE(IsZero({replaced, kSlotSize}));
}

TEST(StackSecret, IsWipedAtTheEnd) {
  alignas(StackSecret<32>) std::uint8_t place[sizeof(StackSecret<32>)];
  auto* secret = new (place) StackSecret<32>;
  EXPECT_TRUE(IsZero(secret->Expose()));
  FillRandom(secret->Expose());
  EXPECT_FALSE(IsZero(secret->Expose()));
  secret->~StackSecret();
  // Read behind the compiler's back: the object is gone.
  const volatile std::uint8_t* bytes = place;
  for (std::size_t i = 0; i < sizeof place; ++i) EXPECT_EQ(bytes[i], 0);
}

TEST(SecretBytes, StartsWithZeros) {
  const SecretBytes bytes(1000);
  EXPECT_EQ(bytes.size(), 1000U);
  EXPECT_TRUE(IsZero(bytes.Expose()));
  EXPECT_EQ(SecretBytes().size(), 0U);
}

TEST(SecretBytes, MovedFromIsEmpty) {
  auto a = SecretBytes::Copy(Bytes(40, 1));
  const SecretBytes b = std::move(a);
  EXPECT_EQ(a.size(), 0U);  // NOLINT: moved from on purpose
  EXPECT_TRUE(a.Expose().empty());
  EXPECT_EQ(base::ToBytes(b.Expose()), Bytes(40, 1));

  auto c = SecretBytes::Copy(Bytes(7, 2));
  auto d = SecretBytes::Copy(Bytes(9, 3));
  c = std::move(d);
  EXPECT_EQ(d.size(), 0U);  // NOLINT: moved from on purpose
  EXPECT_EQ(base::ToBytes(c.Expose()), Bytes(9, 3));

  SecretBytes& self = c;
  c = std::move(self);
  EXPECT_EQ(base::ToBytes(c.Expose()), Bytes(9, 3));
}

RC_GTEST_PROP(SecretBytes, CopyHoldsTheBytesGiven, (const Bytes& bytes)) {
  RC_ASSERT(base::ToBytes(SecretBytes::Copy(bytes).Expose()) == bytes);
}

TEST(Secret, WipeZeroesAll) {
  Bytes bytes(100, 0xff);
  Wipe(bytes);
  EXPECT_TRUE(IsZero(bytes));
  Wipe({});
}

}  // namespace
}  // namespace godwit::crypto
