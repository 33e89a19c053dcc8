#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace godwit::base {
namespace {

// No text that a program makes while it runs can get into an error. Arrays of the run time fail in
// the consteval constructor, which only a compiler can show: Base.ErrorTakesNoTextOfTheRunTime.
static_assert(!std::is_constructible_v<Error, Code, std::string>);
static_assert(!std::is_constructible_v<Error, Code, std::string_view>);
static_assert(!std::is_constructible_v<Error, Code, const char*>);
static_assert(!std::is_constructible_v<Literal, std::string>);
static_assert(!std::is_constructible_v<Literal, const char*>);
// A result is asked, never taken for true in passing.
static_assert(!std::is_convertible_v<Result<int>, bool>);
static_assert(!std::is_convertible_v<Status, bool>);

Result<std::unique_ptr<int>> Half(int value) {
  if (value % 2 != 0) return Error(Code::kInvalidArgument, "an odd number has no half");
  return std::make_unique<int>(value / 2);
}

TEST(Result, HoldsAValueOrAnError) {
  const auto good = Half(8);
  ASSERT_TRUE(good);
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(**good, 4);

  const auto bad = Half(7);
  ASSERT_FALSE(bad);
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code(), Code::kInvalidArgument);
  EXPECT_EQ(bad.error().message(), "an odd number has no half");
}

TEST(Result, GivesItsValueAway) {
  auto result = Half(10);
  const std::unique_ptr<int> value = *std::move(result);
  EXPECT_EQ(*value, 5);
}

TEST(Result, ReachesMembersOfItsValue) {
  Result<std::string> result(std::string("abc"));
  EXPECT_EQ(result->size(), 3U);
  result->push_back('d');
  EXPECT_EQ(*result, "abcd");
}

TEST(Status, IsOkUnlessMadeOfAnError) {
  EXPECT_TRUE(Status());
  EXPECT_TRUE(Status::Ok());
  const Status bad = Error(Code::kIo, "the disk is gone");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code(), Code::kIo);
  EXPECT_EQ(bad.error().message(), "the disk is gone");
}

TEST(ResultDeathTest, TheWrongHalfIsABug) {
  const auto bad = Half(1);
  EXPECT_DEATH(static_cast<void>(*bad), "");
  const auto good = Half(2);
  EXPECT_DEATH(static_cast<void>(good.error()), "");
}

}  // namespace
}  // namespace godwit::base
