#include "services/server/file_marks.h"

#include <sys/stat.h>

#include <utility>

namespace godwit::server {

FileMarks::FileMarks(std::vector<std::string> files) : files_(std::move(files)), seen_(Look()) {}

bool FileMarks::Changed() {
  auto now = Look();
  if (now == seen_) return false;
  seen_ = std::move(now);
  return true;
}

FileMarks::Mark FileMarks::MarkOf(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  return {static_cast<std::int64_t>(status.st_dev),
          static_cast<std::int64_t>(status.st_ino),
          status.st_size,
          status.st_mtim.tv_sec,
          status.st_mtim.tv_nsec,
          status.st_ctim.tv_sec,
          status.st_ctim.tv_nsec};
}

std::vector<FileMarks::Mark> FileMarks::Look() const {
  std::vector<Mark> marks;
  for (const auto& file : files_) marks.push_back(MarkOf(file));
  return marks;
}

}  // namespace godwit::server
