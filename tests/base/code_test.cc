#include "base/code.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace godwit::base {
namespace {

TEST(Code, EveryCodeHasANameOfItsOwn) {
  std::set<std::string_view> names;
  int count = 0;
  for (int i = 0; i <= static_cast<int>(Code::kInternal); ++i, ++count) {
    names.insert(Name(static_cast<Code>(i)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(count));
}

TEST(Code, IsFoundByItsName) {
  for (int i = 0; i <= static_cast<int>(Code::kInternal); ++i) {
    EXPECT_EQ(CodeByName(Name(static_cast<Code>(i))), static_cast<Code>(i));
  }
  EXPECT_EQ(CodeByName("conflict"), std::nullopt);
  EXPECT_EQ(CodeByName(""), std::nullopt);
}

// The names that docs/protocol.md section 8 gives.
TEST(Code, NamesAreThoseOfTheProtocol) {
  EXPECT_EQ(Name(Code::kConflict), "CONFLICT");
  EXPECT_EQ(Name(Code::kRekeyRequired), "REKEY_REQUIRED");
  EXPECT_EQ(Name(Code::kStaleRoster), "STALE_ROSTER");
  EXPECT_EQ(Name(Code::kDecrypt), "E_DECRYPT");
  EXPECT_EQ(Name(Code::kSig), "E_SIG");
  EXPECT_EQ(Name(Code::kEntryInvalid), "E_ENTRY_INVALID");
  EXPECT_EQ(Name(Code::kRosterInvalid), "E_ROSTER_INVALID");
  EXPECT_EQ(Name(Code::kUnsupported), "E_UNSUPPORTED");
  EXPECT_EQ(Name(Code::kRollback), "E_ROLLBACK");
  EXPECT_EQ(Name(Code::kFork), "E_FORK");
}

}  // namespace
}  // namespace godwit::base
