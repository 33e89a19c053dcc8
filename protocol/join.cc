#include "protocol/join.h"

#include <algorithm>

#include "crypto/committing.h"
#include "crypto/constant_time.h"
#include "crypto/hash.h"
#include "crypto/hkdf.h"
#include "crypto/hmac.h"
#include "protocol/ce.h"
#include "protocol/labels.h"
#include "protocol/words.h"

namespace godwit::protocol {
namespace {

base::Error Refused() {
  return {base::Code::kDecrypt, "this message does not belong to this invitation"};
}

// jk = HKDF-Extract-SHA512(salt "gw1/join", s)
void JoinKey(const JoinSecret& s, crypto::StackSecret<64>& jk) {
  crypto::HkdfExtractSha512(base::AsBytes("gw1/join"), s, jk.Expose());
}

std::array<std::uint8_t, 32> Mac(const JoinSecret& s, base::ByteSpan message) {
  crypto::StackSecret<64> jk;
  JoinKey(s, jk);
  crypto::StackSecret<32> key;
  crypto::Derive(jk, labels::kJoin, {}, key.Expose());
  return crypto::HmacSha256(key, {message});
}

// Begins a message with its tag, version and invitation.
Writer Begin(const JoinSecret& s, std::string_view tag) {
  Writer w;
  w.Raw(tag).U8(kVersion).Fixed(InviteIdOf(s));
  return w;
}

base::Bytes Finish(const JoinSecret& s, Writer w) {
  const auto mac = Mac(s, w.bytes());
  w.Raw(mac);
  return w.Take();
}

// Checks tag, version, invitation and mac, and returns what stands between.
base::Result<base::ByteSpan> Body(const JoinSecret& s, std::string_view tag, base::ByteSpan bytes) {
  constexpr std::size_t kMac = 32;
  const Writer begin = Begin(s, tag);
  if (bytes.size() < begin.bytes().size() + kMac) return Refused();
  const base::ByteSpan message = bytes.first(bytes.size() - kMac);
  if (!crypto::ConstantTimeEqual(Mac(s, message), bytes.last(kMac))) return Refused();
  if (!std::ranges::equal(message.first(begin.bytes().size()), begin.bytes())) return Refused();
  return message.subspan(begin.bytes().size());
}

base::Result<Nonce32> ReadNonce(const JoinSecret& s, std::string_view tag, base::ByteSpan bytes) {
  const auto body = Body(s, tag, bytes);
  if (!body) return body.error();
  Reader r(*body);
  const Nonce32 nonce = r.Array<32>();
  if (!r.Done()) return Refused();
  return nonce;
}

// The keys of a list are ordered by their encodings: a str begins with its length.
void WriteHosts(Writer& w, const std::map<std::string, base::Sha256Hash>& hosts) {
  std::map<base::Bytes, base::Sha256Hash> encoded;
  for (const auto& [host, pin] : hosts) {
    Writer key;
    key.Str(host);
    encoded[key.Take()] = pin;
  }
  w.U16(static_cast<std::uint16_t>(encoded.size()));
  for (const auto& [host, pin] : encoded) w.Raw(host).Fixed(pin);
}

std::map<std::string, base::Sha256Hash> ReadHosts(Reader& reader) {
  std::map<std::string, base::Sha256Hash> hosts;
  reader.List([&](Reader& r) {
    const std::string host = r.Str();
    r.KeyEnds();
    hosts[host] = r.Take<base::Sha256Hash>();
  });
  return hosts;
}

base::Bytes OfferContext(const base::InviteId& invite) {
  Writer w;
  w.Raw("gw1/of").U8(kVersion).Fixed(invite);
  return w.Take();
}

}  // namespace

base::InviteId InviteIdOf(const JoinSecret& s) {
  const auto hash = crypto::LabeledHash(labels::kInviteId, {s.Expose()});
  return base::InviteId(std::span(hash).first<16>());
}

crypto::SecretBytes WriteInvitation(const Invitation& invitation) {
  Writer w;
  w.Raw("gw1/qr").U8(kVersion);
  WriteHosts(w, invitation.hosts);
  crypto::SecretBytes bytes(w.bytes().size() + JoinSecret::kSize);
  std::ranges::copy(w.bytes(), bytes.Expose().begin());
  std::ranges::copy(invitation.s.Expose(), bytes.Expose().last<JoinSecret::kSize>().begin());
  return bytes;
}

base::Result<Invitation> ReadInvitation(base::ByteSpan bytes) {
  const base::Error malformed(base::Code::kInvalidArgument,
                              "this is no invitation: ask for it again, and take all of it");
  Reader r(bytes);
  const base::ByteSpan tag = r.Raw(6);
  const std::uint8_t ver = r.U8();
  if (!std::ranges::equal(tag, base::AsBytes("gw1/qr")) || ver != kVersion) {
    return malformed;
  }
  auto hosts = ReadHosts(r);
  const base::ByteSpan s = r.Raw(JoinSecret::kSize);
  if (!r.Done() || hosts.empty()) return malformed;
  auto secret = JoinSecret::Copy(s.first<JoinSecret::kSize>());
  if (!secret) return secret.error();
  return Invitation{std::move(hosts), *std::move(secret)};
}

base::Result<base::Bytes> SealOffer(const JoinSecret& s, const Offer& offer) {
  Writer w;
  w.U8(offer.kind).Fixed(offer.fingerprint).U64(offer.seq).Fixed(offer.link);
  WriteHosts(w, offer.hosts);
  w.Fixed(offer.member).U16(offer.roles).Fixed(offer.staff_commit).U8(offer.join);
  w.Fixed(offer.offerer);
  crypto::StackSecret<64> jk;
  JoinKey(s, jk);
  crypto::StackSecret<32> key;
  crypto::Derive(jk, labels::kOfferKey, {}, key.Expose());
  return crypto::SealCommitting(key, labels::kOffer, OfferContext(InviteIdOf(s)), w.bytes());
}

base::Result<Offer> OpenOffer(const JoinSecret& s, base::ByteSpan sealed) {
  crypto::StackSecret<64> jk;
  JoinKey(s, jk);
  crypto::StackSecret<32> key;
  crypto::Derive(jk, labels::kOfferKey, {}, key.Expose());
  const auto text =
      crypto::OpenCommitting(key, labels::kOffer, OfferContext(InviteIdOf(s)), sealed);
  if (!text) return Refused();
  Reader r(text->Expose());
  Offer offer;
  offer.kind = r.U8();
  offer.fingerprint = r.Take<base::Fingerprint>();
  offer.seq = r.U64();
  offer.link = r.Take<base::Link>();
  offer.hosts = ReadHosts(r);
  offer.member = r.Take<base::MemberId>();
  offer.roles = r.U16();
  offer.staff_commit = r.Take<base::Sha256Hash>();
  offer.join = r.U8();
  offer.offerer = r.Take<base::DeviceId>();
  if (!r.Done() || (offer.kind != kOfferMember && offer.kind != kOfferDevice) || offer.join > 1)
    return Refused();
  return offer;
}

Nonce32 JoinCommit(const Nonce32& nonce_d, const base::InviteId& invite) {
  return crypto::LabeledHash(labels::kJoinCommit, {nonce_d, invite.bytes()});
}

base::Bytes WriteJ1(const JoinSecret& s, const JoinRequest& request) {
  Writer w = Begin(s, "gw1/j1");
  WriteDeviceKeys(w, request.device);
  w.Fixed(request.pop).Raw(request.commit);
  return Finish(s, std::move(w));
}

base::Result<JoinRequest> ReadJ1(const JoinSecret& s, base::ByteSpan bytes) {
  const auto body = Body(s, "gw1/j1", bytes);
  if (!body) return body.error();
  Reader r(*body);
  JoinRequest request;
  request.device = ReadDeviceKeys(r);
  request.pop = r.Take<crypto::Signature>();
  request.commit = r.Array<32>();
  if (!r.Done()) return Refused();
  return request;
}

base::Bytes WriteJ2(const JoinSecret& s, const Nonce32& nonce_a) {
  Writer w = Begin(s, "gw1/j2");
  w.Raw(nonce_a);
  return Finish(s, std::move(w));
}

base::Result<Nonce32> ReadJ2(const JoinSecret& s, base::ByteSpan bytes) {
  return ReadNonce(s, "gw1/j2", bytes);
}

base::Bytes WriteJ3(const JoinSecret& s, const Nonce32& nonce_d) {
  Writer w = Begin(s, "gw1/j3");
  w.Raw(nonce_d);
  return Finish(s, std::move(w));
}

base::Result<Nonce32> ReadJ3(const JoinSecret& s, base::ByteSpan bytes,
                             const JoinRequest& request) {
  const auto nonce = ReadNonce(s, "gw1/j3", bytes);
  if (!nonce) return nonce.error();
  if (!crypto::ConstantTimeEqual(JoinCommit(*nonce, InviteIdOf(s)), request.commit)) {
    return Refused();
  }
  return nonce;
}

bool IsJoinMessage(int step, const base::InviteId& invite, base::ByteSpan bytes) {
  constexpr std::array<std::string_view, 3> kTags{"gw1/j1", "gw1/j2", "gw1/j3"};
  constexpr std::size_t kHash = 32;
  if (step < 1 || step > 3) return false;
  const std::string_view tag = kTags[static_cast<std::size_t>(step) - 1];
  Reader r(bytes);
  if (!std::ranges::equal(r.Raw(tag.size()), base::AsBytes(tag)) || r.U8() != kVersion ||
      r.Take<base::InviteId>() != invite) {
    return false;
  }
  if (step == 1) {
    (void)ReadDeviceKeys(r);
    (void)r.Raw(crypto::Signature::kSize);
  }
  (void)r.Raw(kHash);  // a commitment, or a nonce
  (void)r.Raw(kHash);  // the mac
  return r.Done();
}

std::string Sas(base::ByteSpan offer, base::ByteSpan j1, const Nonce32& nonce_a,
                const Nonce32& nonce_d) {
  const auto hash = crypto::LabeledHash(
      labels::kSas, {crypto::Sha256(offer), crypto::Sha256(j1), nonce_a, nonce_d});
  return BitsAsWords(hash, 5);
}

}  // namespace godwit::protocol
