#include "base/text_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace godwit::base {
namespace {

TEST(TextFile, IsReadWholeAndNothingElseIs) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("godwit-text." + std::to_string(getpid()));
  ASSERT_TRUE(std::filesystem::create_directory(folder));
  const std::string text("two\r\nlines, and a \0", 19);
  std::ofstream(folder / "text", std::ios::binary) << text;
  std::ofstream(folder / "empty");
  EXPECT_EQ(ReadTextFile(folder / "text"), text);
  EXPECT_EQ(ReadTextFile(folder / "empty"), "");
  EXPECT_FALSE(ReadTextFile(folder));
  EXPECT_FALSE(ReadTextFile(folder / "missing"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace godwit::base
