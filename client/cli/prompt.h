#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/private_file.h"
#include "crypto/secret.h"

namespace godwit::cli {

// The longest line that is read from a person or a script, in bytes.
inline constexpr std::size_t kMaxLine = 4096;

// Reads up to the next end of line or the end of `fd`, byte by byte, so that what follows stays
// for whoever reads next; the end of line is not part of it. No copy of it is left anywhere.
// NOT_FOUND: nothing but the end. INVALID_ARGUMENT: longer than kMaxLine. CANCELLED: interrupted by
// a signal. IO.
base::Result<crypto::SecretBytes> ReadSecretLine(int fd);
// The same for what is no secret.
base::Result<std::string> ReadLine(int fd);

// What a person is asked. The terminal is the controlling one, whatever stdin and stdout are. Not
// thread-safe.
class Prompt {
 public:
  // `passphrase_fd`: where a script gives the passphrase, on one line. `yes`: questions of Confirm
  // are answered with yes.
  Prompt(std::optional<int> passphrase_fd, bool yes) : passphrase_fd_(passphrase_fd), yes_(yes) {}

  // Whether somebody sits at a terminal.
  bool HasTerminal() const;
  bool HasPassphraseFd() const { return passphrase_fd_.has_value(); }

  // The passphrase: one line of the descriptor, or typed, unseen, after `question`.
  // INVALID_ARGUMENT: there is neither a descriptor nor a terminal, or the line is empty;
  // CANCELLED: Ctrl-C; else as ReadSecretLine.
  base::Result<crypto::SecretBytes> Passphrase(std::string_view question);
  // A new one: typed twice; INVALID_ARGUMENT: not the same, or shorter than 8 bytes.
  base::Result<crypto::SecretBytes> NewPassphrase(std::string_view question);
  // A line that is typed unseen, which may be empty.
  base::Result<crypto::SecretBytes> Hidden(std::string_view question);

  // INVALID_ARGUMENT: there is no terminal to ask at, and no --yes.
  base::Result<bool> Confirm(std::string_view question);
  // The same, but --yes does not answer it: what only a person can see.
  base::Result<bool> ConfirmSeen(std::string_view question);
  // What somebody types; empty if they type nothing.
  base::Result<std::string> Ask(std::string_view question);

 private:
  client::OwnedFd Terminal() const;

  std::optional<int> passphrase_fd_;
  bool yes_;
};

}  // namespace godwit::cli
