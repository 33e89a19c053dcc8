// Statements and their payloads, read from any bytes: what is read is written as the same bytes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "protocol/statement.h"

using namespace godwit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const base::ByteSpan input(bytes, size);
  // As a whole statement.
  if (const auto raw = protocol::ReadStatement(input)) {
    if (const auto payload = protocol::ReadStatementPayload(raw->header.type, raw->payload)) {
      if (!std::ranges::equal(protocol::WriteStatementPayload(*payload), raw->payload))
        std::abort();
    }
  }
  // As a payload of the type that the first byte names.
  if (size == 0) return 0;
  const auto payload = protocol::ReadStatementPayload(input[0] % 14, input.subspan(1));
  if (!payload) return 0;
  if (!std::ranges::equal(protocol::WriteStatementPayload(*payload), input.subspan(1))) {
    std::abort();
  }
  if (protocol::TypeOf(*payload) != input[0] % 14) std::abort();
  return 0;
}
