#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "client/print/document.h"

namespace godwit::print {

struct Pdf {
  std::string bytes;
  std::size_t pages = 0;
};

// Lays a document out on pages of A4. The file names neither an author nor a machine nor a time:
// with the same fonts, one document is always the same bytes. It is made in memory alone.
// NOT_FOUND: this machine has no font for what is to be printed; the message names the Debian
// package that has one. INVALID_ARGUMENT: a text that is no UTF-8. INTERNAL: the library failed.
base::Result<Pdf> MakePdf(const Document& document);

}  // namespace godwit::print
