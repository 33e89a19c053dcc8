#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

#include "base/code.h"
#include "base/result.h"

namespace godwit::server {

// What a line of the log may say: a text of the program, a code, a number, a duration. There is no
// way to give it a message body, a name, a key, an id or an exception's text.
class LogValue {
 public:
  template <std::size_t N>
  consteval LogValue(const char (&text)[N]) : value_(base::Literal(text).text()) {}  // NOLINT
  LogValue(const base::Error& error) : value_(error.message()) {}                    // NOLINT
  LogValue(base::Code code) : value_(base::Name(code)) {}                            // NOLINT
  LogValue(base::Literal text) : value_(text.text()) {}                              // NOLINT
  LogValue(std::uint64_t number) : value_(number) {}                                 // NOLINT
  LogValue(std::chrono::milliseconds duration)                                       // NOLINT
      : value_(static_cast<std::uint64_t>(duration.count())) {}

  const std::variant<std::string_view, std::uint64_t>& value() const { return value_; }

 private:
  std::variant<std::string_view, std::uint64_t> value_;
};

struct LogField {
  base::Literal name;
  LogValue value;
};

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Writes one line of JSON to standard error: time, level, event, fields. kError means a bug that
// someone should look into. Thread-safe.
void Log(LogLevel level, base::Literal event, std::initializer_list<LogField> fields = {});

// The lowest level that is written; kInfo at first.
void SetLogLevel(LogLevel level);

}  // namespace godwit::server
