#include "protocol/event.h"

#include <algorithm>

#include "crypto/hash.h"
#include "protocol/ce.h"
#include "protocol/keys.h"
#include "protocol/labels.h"

namespace godwit::protocol {
namespace {

constexpr std::string_view kTag = "gw1/ev";

}  // namespace

base::Bytes WriteEvent(const Event& event) {
  Writer w;
  w.Raw(kTag).U8(kVersion).Fixed(event.realm).U64(event.n).U64(event.time_ms);
  w.U8(static_cast<std::uint8_t>(event.kind)).Var16(event.detail);
  return w.Take();
}

base::Result<Event> ReadEvent(base::ByteSpan bytes) {
  const base::Error malformed(base::Code::kSig, "these bytes are no event of a realm");
  Reader r(bytes);
  const base::ByteSpan tag = r.Raw(kTag.size());
  const std::uint8_t ver = r.U8();
  if (!r.ok() || !std::ranges::equal(tag, base::AsBytes(kTag))) return malformed;
  if (ver != kVersion) {
    return base::Error(base::Code::kUnsupported, "an event of a later version: update Godwit");
  }
  Event event;
  event.realm = r.Take<base::RealmId>();
  event.n = r.U64();
  event.time_ms = r.U64();
  event.kind = EventKind{r.U8()};
  event.detail = base::ToBytes(r.Var16());
  if (!r.Done()) return malformed;
  if (event.kind != EventKind::kErased) {
    return base::Error(base::Code::kUnsupported, "an event of a later kind: update Godwit");
  }
  if (event.detail.size() != base::VaultId::kSize) return malformed;
  return event;
}

base::Link EventLink(base::ByteSpan event) {
  return base::Link(crypto::LabeledHash(labels::kLink, {event}));
}

}  // namespace godwit::protocol
