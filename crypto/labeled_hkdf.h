#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secret.h"

namespace godwit::crypto {

// LabeledExtract and LabeledExpand of RFC 9180 section 4 with HKDF-SHA256. `suite_id` is "KEM" or
// "HPKE" and the ids after it, of at most 10 bytes.
void LabeledExtract(base::ByteSpan suite_id, base::ByteSpan salt, std::string_view label,
                    base::ByteSpan ikm, std::span<std::uint8_t, 32> prk);
// `info` is the concatenation of its two parts. INVALID_ARGUMENT: `out` is longer than 255 hashes.
base::Status LabeledExpand(base::ByteSpan suite_id, SecretRef<> prk, std::string_view label,
                           base::ByteSpan info1, base::ByteSpan info2, std::span<std::uint8_t> out);

}  // namespace godwit::crypto
