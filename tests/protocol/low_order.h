#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace godwit::protocol {

// The twelve encodings of X25519 points that give a key known to all, whatever the scalar
// (Bernstein, https://cr.yp.to/ecdh.html#validate), little-endian.
inline std::vector<std::pair<std::string, base::Bytes>> LowOrderKeys() {
  const std::pair<const char*, const char*> canonical[] = {
      {"0", "0000000000000000000000000000000000000000000000000000000000000000"},
      {"1", "0100000000000000000000000000000000000000000000000000000000000000"},
      {"order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"},
      {"order 8, the other", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"},
      {"p - 1", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
      {"p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
      {"p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
      {"p + order 8", "cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880"},
      {"p + the other of order 8",
       "4c9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7"},
      {"2p - 1", "d9ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
      {"2p", "daffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
      {"2p + 1", "dbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
  };
  std::vector<std::pair<std::string, base::Bytes>> keys;
  for (const auto& [name, hex] : canonical) keys.emplace_back(name, *base::FromHex(hex));
  return keys;
}

}  // namespace godwit::protocol
