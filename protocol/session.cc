#include "protocol/session.h"

#include <algorithm>

#include "protocol/ce.h"
#include "protocol/keys.h"
#include "protocol/labels.h"

namespace godwit::protocol {
namespace {

constexpr std::string_view kTag = "gw1/au";

}  // namespace

base::Bytes SignSessionRequest(const SessionRequest& request,
                               const crypto::SigningKey& device_key) {
  Writer w;
  w.Raw(kTag).U8(kVersion).Fixed(request.realm).U8(static_cast<std::uint8_t>(request.service));
  w.Fixed(request.device).Fixed(request.spki);
  w.Raw(request.server_nonce).Raw(request.client_nonce);
  const crypto::Signature signature = device_key.Sign(labels::kAuth, w.bytes());
  w.Fixed(signature);
  return w.Take();
}

base::Result<ReadSessionRequest> ParseSessionRequest(base::ByteSpan au) {
  const base::Error malformed(base::Code::kSig, "these bytes are no request for a session");
  Reader r(au);
  const base::ByteSpan tag = r.Raw(kTag.size());
  const std::uint8_t ver = r.U8();
  if (!r.ok() || !std::ranges::equal(tag, base::AsBytes(kTag))) return malformed;
  if (ver != kVersion) {
    return base::Error(base::Code::kUnsupported, "a session of a later version: update Godwit");
  }
  ReadSessionRequest read;
  read.request.realm = r.Take<base::RealmId>();
  const std::uint8_t service = r.U8();
  read.request.service = SessionService{service};
  read.request.device = r.Take<base::DeviceId>();
  read.request.spki = r.Take<base::Sha256Hash>();
  read.request.server_nonce = r.Array<32>();
  read.request.client_nonce = r.Array<32>();
  read.signature = r.Take<crypto::Signature>();
  if (!r.Done() || service < 1 || service > 3) return malformed;
  read.signed_bytes = base::ToBytes(au.first(au.size() - crypto::Signature::kSize));
  return read;
}

bool Verify(const ReadSessionRequest& request, const crypto::SigningPublicKey& key) {
  return crypto::Verify(key, labels::kAuth, request.signed_bytes, request.signature);
}

}  // namespace godwit::protocol
