#include "client/cli/answers.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "client/cli/prompt.h"

namespace godwit::cli {

using base::Code;
using base::Error;

base::Result<Answer> ReadAnswer(std::string_view line) {
  const Error malformed =
      Error(Code::kInvalidArgument,
            "an answer is a line `yes HANDLE REALM` or `no HANDLE REALM`; whoever "
            "joins leaves the handle out");
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos) return malformed;
  Answer answer;
  if (line.substr(0, first) == "yes") {
    answer.yes = true;
  } else if (line.substr(0, first) != "no") {
    return malformed;
  }
  const std::string_view rest = line.substr(first + 1);
  const std::size_t last = rest.rfind(' ');
  if (last == std::string_view::npos) {
    answer.realm = rest;
  } else {
    answer.handle = rest.substr(0, last);
    answer.realm = rest.substr(last + 1);
  }
  if (answer.realm.empty()) return malformed;
  return answer;
}

base::Result<std::optional<Answer>> AnswerStream::Next(std::chrono::milliseconds timeout) {
  for (;;) {
    const std::size_t end = pending_.find('\n');
    if (end != std::string::npos) {
      const std::string line = pending_.substr(0, end);
      pending_.erase(0, end + 1);
      if (line.empty()) continue;
      auto answer = ReadAnswer(line);
      if (!answer) return answer.error();
      return std::optional(*std::move(answer));
    }
    if (ended_) return Error(Code::kNotFound, "there are no more answers");
    if (pending_.size() > kMaxLine) {
      return Error(Code::kInvalidArgument, "the line is too long");
    }
    pollfd ready{fd_, POLLIN, 0};
    const int count = poll(&ready, 1, static_cast<int>(timeout.count()));
    if (count < 0 && errno != EINTR) return Error(Code::kIo, "the answers cannot be read");
    if (count <= 0) return std::optional<Answer>();
    std::array<char, 1024> buffer{};
    const ssize_t got = read(fd_, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) return std::optional<Answer>();
    if (got < 0) return Error(Code::kIo, "the answers cannot be read");
    if (got == 0) ended_ = true;
    pending_.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace godwit::cli
