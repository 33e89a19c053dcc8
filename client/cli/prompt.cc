#include "client/cli/prompt.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "client/cli/language.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;

constexpr std::size_t kShortestPassphrase = 8;
constexpr char kInterrupt = '\x03';  // what Ctrl-C types where it raises no signal

// Reads a line and hands each byte to `take`.
template <class Take>
base::Status ReadLineTo(int fd, const Take& take) {
  for (std::size_t size = 0;; ++size) {
    std::uint8_t byte = 0;
    const ssize_t got = read(fd, &byte, 1);
    if (got < 0 && errno == EINTR) return Error(Code::kCancelled, "interrupted");
    if (got < 0) return Error(Code::kIo, "the descriptor cannot be read");
    if (got == 0 && size == 0) return Error(Code::kNotFound, "there is nothing more to read");
    if (got == 0 || byte == '\n') return {};
    if (size == kMaxLine) return Error(Code::kInvalidArgument, "the line is too long");
    take(size, byte);
  }
}

// Keeps a terminal from showing what is typed; Ctrl-C becomes a character, so that no signal ends
// the process with the terminal still blind.
class Unseen {
 public:
  explicit Unseen(int fd) : fd_(fd) {
    if (tcgetattr(fd, &before_) != 0) return;
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    ok_ = tcsetattr(fd, TCSAFLUSH, &hidden) == 0;
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;
  ~Unseen() {
    if (ok_) tcsetattr(fd_, TCSAFLUSH, &before_);
  }
  bool ok() const { return ok_; }

 private:
  int fd_;
  termios before_{};
  bool ok_ = false;
};

void Write(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = write(fd, text.data(), text.size());
    if (wrote <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

}  // namespace

base::Result<crypto::SecretBytes> ReadSecretLine(int fd) {
  crypto::SecretBytes buffer(kMaxLine);
  std::size_t size = 0;
  const auto status = ReadLineTo(fd, [&](std::size_t at, std::uint8_t byte) {
    buffer.Expose()[at] = byte;
    size = at + 1;
  });
  if (!status) return status.error();
  return crypto::SecretBytes::Copy(buffer.Expose().first(size));
}

base::Result<std::string> ReadLine(int fd) {
  std::string line;
  const auto status = ReadLineTo(
      fd, [&](std::size_t, std::uint8_t byte) { line.push_back(static_cast<char>(byte)); });
  if (!status) return status.error();
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

client::OwnedFd Prompt::Terminal() const {
  return client::OwnedFd(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
}

bool Prompt::HasTerminal() const { return Terminal().ok(); }

base::Result<crypto::SecretBytes> Prompt::Hidden(std::string_view question) {
  const client::OwnedFd terminal = Terminal();
  if (!terminal.ok()) {
    return Error(Code::kInvalidArgument,
                 "there is no terminal to type at: give the passphrase with --passphrase-fd");
  }
  const Unseen unseen(terminal.get());
  if (!unseen.ok()) return Error(Code::kIo, "the terminal cannot be kept from showing it");
  Write(terminal.get(), question);
  auto typed = ReadSecretLine(terminal.get());
  Write(terminal.get(), "\n");
  if (typed) {
    const auto bytes = std::as_const(*typed).Expose();
    if (std::ranges::find(bytes, static_cast<std::uint8_t>(kInterrupt)) != bytes.end()) {
      return Error(Code::kCancelled, "interrupted");
    }
  }
  return typed;
}

base::Result<crypto::SecretBytes> Prompt::Passphrase(std::string_view question) {
  auto line = passphrase_fd_ ? ReadSecretLine(*passphrase_fd_) : Hidden(question);
  if (!line) return line.error();
  if (line->size() == 0) return Error(Code::kInvalidArgument, "the passphrase is empty");
  return line;
}

base::Result<crypto::SecretBytes> Prompt::NewPassphrase(std::string_view question) {
  auto first = Passphrase(question);
  if (!first) return first.error();
  if (first->size() < kShortestPassphrase) {
    return Error(Code::kInvalidArgument,
                 "a passphrase has at least 8 characters; several words are easier to keep");
  }
  if (passphrase_fd_) return first;
  const auto second = Hidden(Translated("The same once more: "));
  if (!second) return second.error();
  if (!std::ranges::equal(std::as_const(*first).Expose(), second->Expose())) {
    return Error(Code::kInvalidArgument, "the two passphrases are not the same");
  }
  return first;
}

base::Result<bool> Prompt::Confirm(std::string_view question) {
  if (yes_) return true;
  if (!HasTerminal()) {
    return Error(Code::kInvalidArgument,
                 "this asks before it acts, and there is no terminal: add --yes");
  }
  return ConfirmSeen(question);
}

base::Result<bool> Prompt::ConfirmSeen(std::string_view question) {
  const auto answer = Ask(std::string(question) + " [y/N] ");
  if (!answer) return answer.error();
  return *answer == "y" || *answer == "Y" || *answer == "yes" || *answer == "Yes";
}

base::Result<std::string> Prompt::Ask(std::string_view question) {
  const client::OwnedFd terminal = Terminal();
  if (!terminal.ok()) {
    return Error(Code::kInvalidArgument, "there is no terminal to ask at: use --json in scripts");
  }
  Write(terminal.get(), question);
  auto answer = ReadLine(terminal.get());
  if (!answer && answer.error().code() == Code::kNotFound) return std::string();
  return answer;
}

}  // namespace godwit::cli
