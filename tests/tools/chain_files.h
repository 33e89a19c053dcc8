#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "protocol/ce.h"

namespace godwit::support {

// A test with a folder of its own, for files of chains.
class ChainFiles : public testing::Test {
 protected:
  ChainFiles() {
    std::string name = (std::filesystem::temp_directory_path() / "godwit-chain.XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~ChainFiles() override { std::filesystem::remove_all(folder_); }

  static base::Bytes Framed(const std::vector<base::Bytes>& items) {
    protocol::Writer writer;
    for (const auto& item : items) writer.Var32(item);
    return writer.Take();
  }
  // The items of such bytes.
  static std::vector<base::Bytes> Items(base::ByteSpan framed) {
    protocol::Reader reader(framed);
    std::vector<base::Bytes> items;
    while (!reader.rest().empty() && reader.ok()) items.push_back(base::ToBytes(reader.Var32()));
    EXPECT_TRUE(reader.Done());
    return items;
  }
  // Writes a file of the test's folder.
  std::filesystem::path Write(const std::string& name, base::ByteSpan bytes) const {
    const auto path = folder_ / name;
    std::ofstream(path, std::ios::binary) << base::ToString(bytes);
    return path;
  }
  static base::Bytes Read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  std::filesystem::path folder_;
};

}  // namespace godwit::support
