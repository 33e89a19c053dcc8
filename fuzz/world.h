#pragma once

#include "crypto/init.h"
#include "tests/support/builders.h"

namespace godwit::fuzz {

// What every input of a fuzzer meets: made once, and never changed.
template <class World>
const World& TheOnly() {
  static const World* const world = [] {
    support::Require(crypto::Init());
    return new World;
  }();
  return *world;
}

}  // namespace godwit::fuzz
