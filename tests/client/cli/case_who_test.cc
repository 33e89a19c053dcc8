#include "client/cli/case_who.h"

#include <gtest/gtest.h>

#include "client/cli/reconcile.h"

namespace godwit::cli {
namespace {

TEST(CaseWho, EpochsAreShownAsRanges) {
  const struct {
    std::vector<std::uint32_t> epochs;
    const char* want;
  } rows[] = {{{}, "none"},
              {{4}, "4"},
              {{1, 2}, "1, 2"},
              {{1, 2, 3}, "1 to 3"},
              {{1, 3, 4, 5, 9}, "1, 3 to 5, 9"}};
  for (const auto& row : rows) EXPECT_EQ(EpochsText(row.epochs), row.want);
}

TEST(CaseWho, EveryPermHasWords) {
  for (const protocol::Perm perm : std::vector<protocol::Perm>{1, 2, 3, 4, 7})
    EXPECT_FALSE(PermText(perm).empty());
}

}  // namespace
}  // namespace godwit::cli
