#pragma once

#include <cassert>
#include <string_view>
#include <utility>
#include <variant>

#include "base/code.h"

namespace godwit::base {

// A text that was written into the program: what an Error may say. No value can get into it.
class Literal {
 public:
  template <std::size_t N>
  consteval Literal(const char (&text)[N]) : text_(text, N - 1) {}  // NOLINT: implicit by design

  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

// Why something failed: a code for programs and a sentence for people, always a literal.
class Error {
 public:
  constexpr Error(Code code, Literal message) : code_(code), message_(message) {}

  constexpr Code code() const { return code_; }
  constexpr std::string_view message() const { return message_.text(); }

 private:
  Code code_;
  Literal message_;
};

// A T, or why there is none. `*result` and `result->` need a T to be there.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit
  Result(Error error) : value_(std::in_place_index<1>, error) {}         // NOLINT: implicit

  explicit operator bool() const { return value_.index() == 0; }
  bool ok() const { return value_.index() == 0; }

  const Error& error() const {
    assert(!ok());
    return std::get<1>(value_);
  }

  T& operator*() & {
    assert(ok());
    return std::get<0>(value_);
  }
  const T& operator*() const& {
    assert(ok());
    return std::get<0>(value_);
  }
  T&& operator*() && {
    assert(ok());
    return std::get<0>(std::move(value_));
  }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }

 private:
  std::variant<T, Error> value_;
};

// Success, or why not.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() : error_(Code::kInternal, "no error"), ok_(true) {}
  Result(Error error) : error_(error), ok_(false) {}  // NOLINT: implicit

  static Result Ok() { return {}; }

  explicit operator bool() const { return ok_; }
  bool ok() const { return ok_; }
  const Error& error() const {
    assert(!ok_);
    return error_;
  }

 private:
  Error error_;
  bool ok_;
};

using Status = Result<void>;

}  // namespace godwit::base
