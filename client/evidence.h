#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "client/store.h"
#include "protocol/evidence.h"

namespace godwit::client {

// The whole of a kept piece, as a file holds it: with what stands before it in the store.
base::Result<protocol::Evidence> EvidenceOf(const Store& store, const EvidenceItem& kept);

// A short name for such a file, by its bytes: 16 hexadecimal digits.
std::string EvidenceName(base::ByteSpan file);

}  // namespace godwit::client
