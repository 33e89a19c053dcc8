#pragma once

#include "base/result.h"
#include "crypto/secret.h"

namespace godwit::cli {

// An invitation as a line of text that survives being read out, retyped or mangled in its case:
// "gw1-invite:" and Crockford's base 32 of the bytes, most significant bit first, the last digit
// filled up with zeros (https://www.crockford.com/base32.html).
inline constexpr std::string_view kInvitationPrefix = "gw1-invite:";
crypto::SecretBytes InvitationText(crypto::SecretRef<> invitation);

// Finds the invitation in a line: what stands around it, separated by spaces, is passed over.
// INVALID_ARGUMENT: there is none, or it is cut off.
base::Result<crypto::SecretBytes> ReadInvitationText(crypto::SecretRef<> line);

}  // namespace godwit::cli
