#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "crypto/sign.h"
#include "protocol/keys.h"
#include "protocol/kinds.h"
#include "protocol/policy.h"

namespace godwit::protocol {

// A statement of the roster (docs/protocol.md section 4):
//
//   Stmt.body = "gw1/st"|u8 ver|u16 suite|realm|u64 seq|prev[32]|u8
//   type|author_member|author_device
//               |u64 time_ms|u64 log_size|log_root[32]|var32 payload
//   Stmt      = var32 body | sig
enum class StatementType : std::uint8_t {
  kGenesis = 0,
  kMemberAdd = 1,
  kDeviceAdd = 2,
  kDeviceRevoke = 3,
  kPukRotate = 4,
  kMemberRemove = 5,
  kRoleSet = 6,
  kPolicySet = 7,
  kRecoverySet = 8,
  kRecoveryRequest = 9,
  kApprove = 10,
  kClose = 11,
  kRootRotate = 12,
};
inline constexpr std::uint8_t kLastStatementType = 12;
inline constexpr std::size_t kMaxStatementBody = 64 * 1024;
inline constexpr std::size_t kMaxActiveDevices = 16;

struct StatementHeader {
  std::uint8_t ver = kVersion;
  std::uint16_t suite = kSuite1;
  base::RealmId realm;
  std::uint64_t seq = 0;
  base::Link prev;
  std::uint8_t type = 0;
  base::MemberId author_member;
  base::DeviceId author_device;
  std::uint64_t time_ms = 0;
  std::uint64_t log_size = 0;
  base::Sha256Hash log_root;
};

// A statement taken apart, its payload still in bytes. The spans look into the bytes it came from.
struct RawStatement {
  StatementHeader header;
  base::ByteSpan body;
  base::ByteSpan payload;
  crypto::Signature signature;
};

// E_SIG: `bytes` are no statement in CE, or not of this tag. E_UNSUPPORTED: another ver.
base::Result<RawStatement> ReadStatement(base::ByteSpan bytes);
// H("link", Stmt)
base::Link StatementLink(base::ByteSpan statement);

struct GenesisMember {
  Roles roles = 0;
  base::Sha256Hash staff_commit;
  // In the order of their encodings, each with its proof of possession.
  std::vector<std::pair<DeviceKeys, crypto::Signature>> devices;
};
struct Genesis {
  std::uint8_t compartment = 0;
  crypto::SigningPublicKey root_pk;
  Policy policy;
  std::map<base::MemberId, GenesisMember> members;
};
struct MemberAdd {
  base::MemberId member;
  Roles roles = 0;
  base::Sha256Hash staff_commit;
  std::uint8_t join = 0;
  base::InviteId invite;
  DeviceKeys device;
  crypto::Signature pop;
};
struct DeviceAdd {
  base::MemberId member;
  DeviceKeys device;
  std::uint32_t puk_gen = 0;
  base::Sha256Hash box_hash;
  crypto::Signature pop;
};
struct DeviceRevoke {
  base::MemberId member;
  base::DeviceId device;
  std::uint8_t reason = 0;
};
inline constexpr std::size_t kPukWrapSize = 112;
struct PukRotate {
  base::MemberId member;
  std::uint32_t gen = 0;
  Kems kems;
  std::uint32_t prev_gen = 0;
  base::Bytes prev_wrap;  // kPukWrapSize bytes; empty if prev_gen is 0
  std::map<base::DeviceId, base::Sha256Hash> box_hashes;
};
struct MemberRemove {
  base::MemberId member;
  std::uint8_t reason = 0;
};
struct RoleSet {
  base::MemberId member;
  Roles roles = 0;
};
struct PolicySet {
  Policy policy;
};
// A share of a recovery secret, and the trustee who holds it. Of a printed share, a spare for an
// offline combine, all but `share_commit` is zero.
struct RecoveryShare {
  base::MemberId member;
  base::Sha256Hash share_commit;
  base::Sha256Hash sealed_hash;
  base::DeviceId device;
  crypto::Signature ack;
};
inline constexpr std::uint8_t kRecoveryLive = 1;
inline constexpr std::uint8_t kRecoverySealed = 2;
inline constexpr std::size_t kRecoveryWrapSize = 112;
inline constexpr std::size_t kMaxShares = 16;
struct RecoverySet {
  std::uint8_t use = 0;  // kRecoveryLive or kRecoverySealed
  std::uint8_t scheme = 0;
  std::uint32_t gen = 0;
  Kems kems;
  std::uint8_t k = 0;
  std::optional<base::Bytes> rec_prev;  // kRecoveryWrapSize bytes
  std::map<std::uint8_t, RecoveryShare> shares;
};
inline constexpr std::size_t kMaxRecoveryVaults = 256;
struct RecoveryRequest {
  std::uint8_t use = 0;
  std::uint32_t rec_gen = 0;
  base::MemberId recipient_member;
  base::DeviceId recipient_device;
  base::Bytes eph_kem_pk;
  base::Sha256Hash reason_hash;
  std::set<base::VaultId> vaults;
  crypto::Signature sig;
};
inline constexpr std::uint8_t kNoShare = 0xff;
struct Approve {
  base::Link target;
  std::uint8_t index = kNoShare;
  base::Sha256Hash sealed_hash;
};
struct Close {
  base::Link target;
  std::uint8_t result = 0;  // 0 cancelled, 1 done, 2 failed
};
struct RootRotate {
  crypto::SigningPublicKey new_root_pk;
  crypto::Signature pop;
};
// In the order of their types.
using StatementPayload =
    std::variant<Genesis, MemberAdd, DeviceAdd, DeviceRevoke, PukRotate, MemberRemove, RoleSet,
                 PolicySet, RecoverySet, RecoveryRequest, Approve, Close, RootRotate>;

// E_SIG: not the CE of that type's payload. E_UNSUPPORTED: a type that this build does not know.
base::Result<StatementPayload> ReadStatementPayload(std::uint8_t type, base::ByteSpan payload);

base::Bytes WriteStatementPayload(const StatementPayload& payload);
std::uint8_t TypeOf(const StatementPayload& payload);

// The message of the proofs of possession inside `payload`: realm | u8 type | payload with its pops
// zero, and in DEVICE_ADD puk_gen and box_hash zero too. In GENESIS `realm` is zero.
base::Bytes PopMessage(const base::RealmId& realm, StatementPayload payload);

// What a trustee signs to say that the share was received, and the recipient of a recovery to ask
// for it: realm | payload with its sig zero.
base::Bytes ShareAckMessage(const base::RealmId& realm, const RecoverySet& set, std::uint8_t index,
                            const base::Sha256Hash& share_commit);
base::Bytes RecoveryRequestMessage(const base::RealmId& realm, RecoveryRequest request);

// Signs a statement. `header.type` is set from the payload.
base::Bytes SignStatement(StatementHeader header, const StatementPayload& payload,
                          const crypto::SigningKey& key);

// Fills in the pop of each device of `genesis` that is one of `devices`; others stay as they are.
void SignPops(Genesis& genesis, const std::vector<const Device*>& devices);
// Signs a GENESIS, whose pops are in place, with the root key.
base::Bytes SignGenesis(const Genesis& genesis, std::uint64_t time_ms,
                        const crypto::SigningKey& root);
// F = H("realm", GENESIS body with realm zero); realm = F[0:16].
base::Fingerprint FingerprintOf(base::ByteSpan genesis_body);
base::Fingerprint FingerprintOf(const Genesis& genesis, std::uint64_t time_ms);
base::RealmId RealmOf(const base::Fingerprint& fingerprint);

}  // namespace godwit::protocol
