#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "protocol/ce.h"
#include "protocol/keys.h"
#include "protocol/kinds.h"

namespace godwit::protocol {

using PublicKeyBytes = std::array<std::uint8_t, 32>;

// The policy of a realm, part of GENESIS and POLICY_SET (docs/protocol.md section 4).
struct Policy {
  static constexpr std::uint16_t kEvaluation = 1;
  static constexpr std::uint16_t kDeviceAddNeedsAdmin = 2;
  static constexpr std::uint16_t kKeyService = 4;
  static constexpr std::uint16_t kSmallOrg = 8;
  static constexpr std::uint16_t kKnownFlags = 15;

  struct Budget {
    std::uint32_t soft_day = 0;
    std::uint32_t hard_day = 0;
  };
  struct Witness {
    std::uint8_t independent = 0;
    PublicKeyBytes key{};
  };
  // A public key of the key service: by purpose and generation, since an old one stays beside its
  // successor until all is indexed anew.
  struct ServiceKeyName {
    std::uint8_t purpose = 0;
    std::uint32_t gen = 0;

    friend auto operator<=>(const ServiceKeyName&, const ServiceKeyName&) = default;
  };
  struct Peer {
    Kems kems;
    PublicKeyBytes sign_pk{};
    PublicKeyBytes auth_pk{};
    std::string relay;
    PublicKeyBytes pin{};
  };

  std::uint32_t gen = 1;
  std::uint8_t max_ver = 1;
  std::uint16_t min_suite = kSuite1;
  std::uint16_t flags = 0;
  std::uint8_t owner_threshold = 2;
  std::uint8_t grant_threshold = 2;
  std::uint32_t fresh_s = 86'400;
  std::uint32_t hold_s = 43'200;
  std::uint32_t recovery_delay_s = 86'400;
  std::uint32_t kdf_ops = 3;
  std::uint64_t kdf_mem = 256u << 20;
  std::uint32_t identity_window_s = 86'400;
  std::map<std::uint8_t, Budget> budgets;
  std::set<base::Sha256Hash> pins;  // SHA-256 of the realm CA's SubjectPublicKeyInfo
  PublicKeyBytes receipt_pk{};
  bool has_log = false;
  std::string log_name;
  PublicKeyBytes log_pk{};
  std::uint8_t quorum = 0;
  std::map<std::string, Witness> witnesses;
  std::map<ServiceKeyName, PublicKeyBytes> service_keys;
  std::uint32_t audit_gen = 0;
  Kems audit_kems;
  std::map<std::uint8_t, base::VaultId> vaults;  // the realm's directory, config, ledger, ...
  std::map<std::uint16_t, Peer> peers;
  std::map<std::uint16_t, base::Bytes> extensions;

  bool evaluation() const { return (flags & kEvaluation) != 0; }
  // The vault that the realm names for `kind`, or zero.
  base::VaultId VaultOf(Kind kind) const;
};

void WritePolicy(Writer& writer, const Policy& policy);
Policy ReadPolicy(Reader& reader);  // the form alone

// What a policy must obey by itself, whoever wrote it: values and bits that section 4 lists, keys,
// log and witness fields that fit together. E_ROSTER_INVALID, or E_UNSUPPORTED for an odd extension
// or an unknown vault kind.
base::Status CheckPolicy(const Policy& policy);
// What it must obey as the successor of `before`: gen + 1, and all that never falls.
// E_ROSTER_INVALID.
base::Status CheckPolicySuccession(const Policy& before, const Policy& after);

}  // namespace godwit::protocol
