#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"

namespace godwit::protocol {

// The English list of BIP-39: 2048 words, 11 bits each, told apart by their first four letters.
std::span<const std::string_view, 2048> WordList();

// Returns the first 11 * `count` bits of `bytes` as words, joined by spaces.
std::string BitsAsWords(std::span<const std::uint8_t> bytes, std::size_t count);

// A realm's fingerprint as people compare it: 12 words of its first 132 bits, no checksum.
std::string FingerprintWords(const base::Fingerprint& fingerprint);

// 16 bytes as 12 words with BIP-39's checksum of 4 bits, and back. Nothing: not 12 words of the
// list, or the checksum is wrong. Words may be in any case, and any white space between them.
std::string SecretAsWords(std::span<const std::uint8_t, 16> secret);
std::optional<std::array<std::uint8_t, 16>> SecretFromWords(std::string_view words);

}  // namespace godwit::protocol
