#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/secret.h"

namespace godwit::client {

// The longest passphrase, in bytes of UTF-8.
inline constexpr std::size_t kMaxPassphraseSize = 1024;

// Returns `text` in Unicode's Normalization Form C (UAX #15): letters that look alike because they
// are the same compare equal afterwards. INVALID_ARGUMENT: `text` is no well-formed UTF-8.
base::Result<std::string> Nfc(std::string_view text);

// Returns `text` as it is compared: compatibility forms and case do not count (Unicode's
// NFKC_Casefold, UAX #31). What is no well-formed UTF-8 is returned as it is.
std::string Folded(std::string_view text);

// The same as Nfc for a passphrase, in memory that is wiped: whatever keyboard it was typed on, it
// unlocks. INVALID_ARGUMENT: empty, longer than kMaxPassphraseSize, or no well-formed UTF-8.
base::Result<crypto::SecretBytes> NormalisedPassphrase(crypto::SecretRef<> passphrase);

}  // namespace godwit::client
