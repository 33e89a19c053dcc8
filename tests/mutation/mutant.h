#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <type_traits>
#include <utility>

#include "base/result.h"

// What rewrite.py puts around refusals, in the copy of the tree that scripts/mutate.sh builds and
// nowhere else. The environment variable GODWIT_MUTANT holds the number of the one mutant that is
// on; without it the program is as it was, and only notes which refusals it came to. Thread-safe.
namespace godwit::mutant {

inline constexpr std::size_t kNumbers = 100'000;

inline const long active = [] {
  const char* number = std::getenv("GODWIT_MUTANT");
  return number == nullptr ? -1 : std::strtol(number, nullptr, 10);
}();

// By number: whether the refusal came about, so that a pass would have made a difference.
inline std::atomic<bool> reached[kNumbers];

// Whether a refusal for the reason `reason` stands: not while its mutant is on.
template <class T>
constexpr bool Keep(long number, T&& reason) {
  const bool refuses = static_cast<bool>(reason);
  if (std::is_constant_evaluated()) return refuses;
  if (!refuses) return false;
  reached[number].store(true, std::memory_order_relaxed);
  return active != number;
}

// Whether what is needed is there: always, while the mutant is on.
template <class T>
constexpr bool Pass(long number, T&& needed) {
  return !Keep(number, !static_cast<bool>(needed));
}

// The outcome of the check that a function ends with: success, while the mutant is on.
inline base::Status Tail(long number, base::Status status) {
  return Keep(number, !status) || status ? status : base::Status();
}

// What a function gives in the place of an error. Without such a value the program ends.
struct Passed {
  operator base::Status() const { return {}; }  // NOLINT: implicit by design
  template <class T>
  operator base::Result<T>() const {  // NOLINT: implicit by design
    if constexpr (std::is_default_constructible_v<T>) {
      return T();
    } else {
      std::abort();
    }
  }
};

}  // namespace godwit::mutant
