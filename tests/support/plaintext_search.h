#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"

namespace godwit::support {

// Searches a PostgreSQL cluster's whole data directory, write-ahead log included, for texts that
// must not be there: raw, in hexadecimal, base64 in its three phases, UTF-16 of both orders, and
// reversed.
class PlaintextSearch {
 public:
  // `superuser`: libpq conninfo of the cluster's superuser, to flush and to learn where it lies.
  explicit PlaintextSearch(const std::string& superuser);

  // `text` has at least four bytes.
  void Look(const std::string& text);

  // Those of the texts that are found.
  std::vector<std::string> Run() const;

 private:
  std::string superuser_;
  std::vector<std::string> texts_;
};

// The forms of `text` that a search looks for.
std::vector<base::Bytes> FormsOf(const std::string& text);

}  // namespace godwit::support
