#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "protocol/keys.h"
#include "protocol/kinds.h"

namespace godwit::protocol {

// Joining a realm (docs/protocol.md section 11). Both sides know a secret `s` that went from one to
// the other outside the network; the server sees what hides it.
using JoinSecret = crypto::Secret<struct JoinSecretTag, 16>;
using Nonce32 = std::array<std::uint8_t, 32>;

// H("invite-id", s)[0:16]
base::InviteId InviteIdOf(const JoinSecret& s);

// What a newcomer is handed, as a QR code or a line of text:
//   QR = "gw1/qr"|u8 ver|list(str host; pin[32])|s
struct Invitation {
  std::map<std::string, base::Sha256Hash> hosts;  // "host:port" to the pin of the realm's CA
  JoinSecret s;
};
crypto::SecretBytes WriteInvitation(const Invitation& invitation);
// INVALID_ARGUMENT: no invitation, or of another version.
base::Result<Invitation> ReadInvitation(base::ByteSpan bytes);

// What an OFFER leads to: a MEMBER_ADD, or the DEVICE_ADD of another device of its offerer's
// member.
inline constexpr std::uint8_t kOfferMember = 1;
inline constexpr std::uint8_t kOfferDevice = 2;

// The text sealed in an OFFER.
struct Offer {
  std::uint8_t kind = kOfferMember;
  base::Fingerprint fingerprint;
  std::uint64_t seq = 0;  // the roster's head when the offer was made
  base::Link link;
  std::map<std::string, base::Sha256Hash> hosts;
  base::MemberId member;
  Roles roles = 0;
  base::Sha256Hash staff_commit;
  std::uint8_t join = 0;
  base::DeviceId offerer;
};
// OFFER = CA.seal(X(jk, "offer", "", 32), "offer", "gw1/of"|u8 ver|invite_id, text)
base::Result<base::Bytes> SealOffer(const JoinSecret& s, const Offer& offer);
// E_DECRYPT: not an offer of this invitation.
base::Result<Offer> OpenOffer(const JoinSecret& s, base::ByteSpan sealed);

// J1 = "gw1/j1"|u8 ver|invite_id|devkeys|pop|commit[32]|mac, from the newcomer, who commits to
// nonce_d before it sees nonce_a. The pop is that of the statement that the offer leads to.
struct JoinRequest {
  DeviceKeys device;
  crypto::Signature pop;
  Nonce32 commit{};
};
// H("join-commit", nonce_d | invite_id)
Nonce32 JoinCommit(const Nonce32& nonce_d, const base::InviteId& invite);
base::Bytes WriteJ1(const JoinSecret& s, const JoinRequest& request);
// E_DECRYPT: the mac is wrong, the bytes are malformed or of another invitation.
base::Result<JoinRequest> ReadJ1(const JoinSecret& s, base::ByteSpan bytes);

// J2 = "gw1/j2"|u8 ver|invite_id|nonce_a[32]|mac from the inviter;
// J3 = "gw1/j3"|u8 ver|invite_id|nonce_d[32]|mac from the newcomer.
base::Bytes WriteJ2(const JoinSecret& s, const Nonce32& nonce_a);
base::Result<Nonce32> ReadJ2(const JoinSecret& s, base::ByteSpan bytes);
base::Bytes WriteJ3(const JoinSecret& s, const Nonce32& nonce_d);
// Also refuses a nonce that J1 did not commit to.
base::Result<Nonce32> ReadJ3(const JoinSecret& s, base::ByteSpan bytes, const JoinRequest& request);

// Whether `bytes` may be J1, J2 or J3 (`step` 1, 2, 3) of `invite`, as far as somebody sees who
// does not know s: tag, version, invitation and length.
[[nodiscard]] bool IsJoinMessage(int step, const base::InviteId& invite, base::ByteSpan bytes);

// What both sides compare: five words of H("sas", SHA-256(OFFER)|SHA-256(J1)|nonce_a|nonce_d).
std::string Sas(base::ByteSpan offer, base::ByteSpan j1, const Nonce32& nonce_a,
                const Nonce32& nonce_d);

}  // namespace godwit::protocol
