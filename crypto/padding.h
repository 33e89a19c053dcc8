#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secret.h"

namespace godwit::crypto {

// Returns the padded length, in bytes, of a text of `size` bytes: the Padmé rule, which leaks
// O(log log size) bits and adds at most 12 % above `floor` (Nikitin et al., "Reducing Metadata
// Leakage from Encrypted Files and Communication with PURBs", PoPETs 2019, section 4).
std::size_t PaddedSize(std::size_t size, std::size_t floor);

// Returns the length of `text` as four bytes, `text`, then zeros:
// PaddedSize(text.size() + 4, floor) bytes in all.
SecretBytes Pad(base::ByteSpan text, std::size_t floor);

// Returns the text that Pad was given. E_DECRYPT: no text pads to `padded` with this floor.
base::Result<SecretBytes> Unpad(base::ByteSpan padded, std::size_t floor);

}  // namespace godwit::crypto
