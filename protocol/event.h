#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"

namespace godwit::protocol {

// What a service did of itself, as its log records it (docs/protocol.md section 7):
//
//   EV = "gw1/ev"|u8 ver|realm|u64 n|u64 time_ms|u8 kind|var16 detail
enum class EventKind : std::uint8_t {
  kErased = 1,  // a vault's salts, boxes and ciphertexts; detail = the vault's id
};

struct Event {
  base::RealmId realm;
  std::uint64_t n = 0;  // from 0, without gaps
  std::uint64_t time_ms = 0;
  EventKind kind = EventKind::kErased;
  base::Bytes detail;

  friend bool operator==(const Event&, const Event&) = default;
};

base::Bytes WriteEvent(const Event& event);
// E_SIG: no EV in CE, or a detail that is not its kind's. E_UNSUPPORTED: another ver or kind.
base::Result<Event> ReadEvent(base::ByteSpan bytes);

// H("link", EV).
base::Link EventLink(base::ByteSpan event);

}  // namespace godwit::protocol
