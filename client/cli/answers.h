#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace godwit::cli {

// What a script answers to a question about SAS words, on one line of stdin:
//   yes HANDLE REALM    no HANDLE REALM    (whoever invites)
//   yes REALM           no REALM           (whoever joins; the handle is empty)
struct Answer {
  bool yes = false;
  std::string handle;  // may hold spaces
  std::string realm;
};
// INVALID_ARGUMENT: not in this form.
base::Result<Answer> ReadAnswer(std::string_view line);

// Lines of a descriptor, as they come. Not thread-safe.
class AnswerStream {
 public:
  explicit AnswerStream(int fd) : fd_(fd) {}

  // The next answer, or nothing if none came within `timeout`. NOT_FOUND: the stream has ended.
  // INVALID_ARGUMENT: a line that is no answer. IO.
  base::Result<std::optional<Answer>> Next(std::chrono::milliseconds timeout);

 private:
  int fd_;
  std::string pending_;
  bool ended_ = false;
};

}  // namespace godwit::cli
