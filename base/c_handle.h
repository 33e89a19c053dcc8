#pragma once

#include <memory>

namespace godwit::base {

// Gives an object of a C library back by its function: CHandle<BIO, BIO_free>.
template <auto kFree>
struct CFree {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
template <class T, auto kFree>
using CHandle = std::unique_ptr<T, CFree<kFree>>;

}  // namespace godwit::base
