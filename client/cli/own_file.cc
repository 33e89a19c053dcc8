#include "client/cli/own_file.h"

#include <filesystem>

#include "client/import/sample.h"
#include "client/private_file.h"

namespace godwit::cli {

using base::Code;
using base::Error;

base::Status SaveOwnFile(const Context& context, const std::string& path,
                         std::string_view content) {
  std::error_code ignored;
  const auto there = std::filesystem::symlink_status(path, ignored);
  if (!std::filesystem::exists(there)) {
    return client::WriteNewFile(path, [&](const client::Write& write) {
      write(content);
      return base::Status();
    });
  }
  if (!std::filesystem::is_regular_file(there)) {
    return Error(Code::kInvalidArgument,
                 "what stands there is no plain file: give the name of a file");
  }
  if (!context.common.yes) {
    return Error(Code::kExists,
                 "there is a file of that name, and it stays as it is: give another name, or --yes "
                 "to write over it");
  }
  return client::ReplacePrivateFile(path, base::AsBytes(content));
}

}  // namespace godwit::cli
