#pragma once

#include <array>
#include <string_view>

#include "crypto/label.h"

namespace godwit::protocol::labels {

// Every label of docs/protocol.md section 1: one key, one purpose. A label of a form is written
// here and nowhere else; two that are the same do not compile.

inline constexpr crypto::SignLabel kRoster{"roster"};
inline constexpr crypto::SignLabel kRosterPop{"roster-pop"};
inline constexpr crypto::SignLabel kRecoveryRequest{"rec-request"};
inline constexpr crypto::SignLabel kVault{"vault"};
inline constexpr crypto::SignLabel kAuth{"auth"};
inline constexpr crypto::SignLabel kAccess{"access"};
inline constexpr crypto::SignLabel kReceipt{"receipt"};
inline constexpr crypto::SignLabel kUnlockEnrol{"unlock-enrol"};
inline constexpr crypto::SignLabel kUnlock{"unlock"};
inline constexpr crypto::SignLabel kUnlockReset{"unlock-reset"};
inline constexpr crypto::SignLabel kShareAck{"share-ack"};
inline constexpr crypto::SignLabel kDeskCert{"desk-cert"};
inline constexpr crypto::SignLabel kDeskMessage{"desk-msg"};
inline constexpr crypto::SignLabel kDeskRead{"desk-read"};
inline constexpr crypto::SignLabel kDeskPut{"desk-put"};
inline constexpr crypto::SignLabel kDeskAllow{"desk-allow"};
// A founder's word for a whole draft (section 11).
inline constexpr crypto::SignLabel kFounding{"founding"};

inline constexpr crypto::DeriveLabel kDeviceSign{"dev-sign"};
inline constexpr crypto::DeriveLabel kDeviceKem{"dev-kem"};
inline constexpr crypto::DeriveLabel kPukKem{"puk-kem"};
inline constexpr crypto::DeriveLabel kPukSymmetric{"puk-sym"};
inline constexpr crypto::DeriveLabel kPreviousKey{"prev-key"};
inline constexpr crypto::DeriveLabel kRecoveryKem{"rec-kem"};
inline constexpr crypto::DeriveLabel kRecoveryPrevious{"rec-prev"};
inline constexpr crypto::DeriveLabel kAuditKem{"aud-kem"};
inline constexpr crypto::DeriveLabel kJoin{"join"};
inline constexpr crypto::DeriveLabel kOfferKey{"offer"};
inline constexpr crypto::DeriveLabel kDuplicate{"dup"};
inline constexpr crypto::DeriveLabel kDeskSignKey{"desk-sign"};
inline constexpr crypto::DeriveLabel kDeskKem{"desk-kem"};
inline constexpr crypto::DeriveLabel kDeskAuth{"desk-auth"};
inline constexpr crypto::DeriveLabel kSystemRecord{"sysrec"};
// The ids of what a device keeps, so that its file does not list them (section 10, local store).
inline constexpr crypto::DeriveLabel kLocalTag{"local-tag"};

inline constexpr crypto::HashLabel kLink{"link"};
inline constexpr crypto::HashLabel kDevice{"device"};
inline constexpr crypto::HashLabel kRealm{"realm"};
inline constexpr crypto::HashLabel kVaultId{"vault"};
inline constexpr crypto::HashLabel kChain{"chain"};
inline constexpr crypto::HashLabel kOrigin{"origin"};
inline constexpr crypto::HashLabel kShare{"share"};
inline constexpr crypto::HashLabel kInviteId{"invite-id"};
inline constexpr crypto::HashLabel kJoinCommit{"join-commit"};
inline constexpr crypto::HashLabel kSas{"sas"};
inline constexpr crypto::HashLabel kStaff{"staff"};
inline constexpr crypto::HashLabel kInbox{"inbox"};
inline constexpr crypto::HashLabel kSummary{"summary"};
// The id of an act of a case, made of what it says (section 6).
inline constexpr crypto::HashLabel kAct{"act"};

inline constexpr crypto::BoxLabel kPukBox{"puk"};
inline constexpr crypto::BoxLabel kVekBox{"vek"};
inline constexpr crypto::BoxLabel kVekGuestBox{"vek-guest"};
inline constexpr crypto::BoxLabel kVekRecoveryBox{"vek-rec"};

inline constexpr crypto::CommittingLabel kPukPrevious{"puk-prev"};
inline constexpr crypto::CommittingLabel kVekPrevious{"prev"};
inline constexpr crypto::CommittingLabel kRecoveryPreviousSecret{"rec-prev"};
inline constexpr crypto::CommittingLabel kRecord{"rec"};
inline constexpr crypto::CommittingLabel kKeystore{"keystore"};
inline constexpr crypto::CommittingLabel kOfflinePack{"pack"};
inline constexpr crypto::CommittingLabel kIndex{"index"};
inline constexpr crypto::CommittingLabel kOffer{"offer"};
// What a device keeps of its own verified state (section 10, local store).
inline constexpr crypto::CommittingLabel kLocal{"local"};

inline constexpr crypto::SealedLabel kDraft{"draft"};
inline constexpr crypto::SealedLabel kAudit{"audit"};
inline constexpr crypto::SealedLabel kShareSealed{"share"};
inline constexpr crypto::SealedLabel kDesk{"desk"};

inline constexpr crypto::KeyCommitmentLabel kVekCommitment{"vek"};

// Listed again by form, for the check below and for tests that try every pair.
inline constexpr std::array kAllSign{
    kRoster,      kRosterPop,   kRecoveryRequest, kVault,       kAuth,     kAccess,
    kReceipt,     kUnlockEnrol, kUnlock,          kUnlockReset, kShareAck, kDeskCert,
    kDeskMessage, kDeskRead,    kDeskPut,         kDeskAllow,   kFounding};
inline constexpr std::array kAllDerive{crypto::kDeriveCommitting,
                                       crypto::kDeriveKeyCommitment,
                                       crypto::kDeriveBoxEphemeral,
                                       kDeviceSign,
                                       kDeviceKem,
                                       kPukKem,
                                       kPukSymmetric,
                                       kPreviousKey,
                                       kRecoveryKem,
                                       kRecoveryPrevious,
                                       kAuditKem,
                                       kJoin,
                                       kOfferKey,
                                       kDuplicate,
                                       kDeskSignKey,
                                       kDeskKem,
                                       kDeskAuth,
                                       kSystemRecord,
                                       kLocalTag};
inline constexpr std::array kAllHash{kLink,   kDevice, kRealm,    kVaultId,    kChain,
                                     kOrigin, kShare,  kInviteId, kJoinCommit, kSas,
                                     kStaff,  kInbox,  kSummary,  kAct};
inline constexpr std::array kAllBox{kPukBox, kVekBox, kVekGuestBox, kVekRecoveryBox};
inline constexpr std::array kAllCommitting{kPukPrevious, kVekPrevious, kRecoveryPreviousSecret,
                                           kRecord,      kKeystore,    kOfflinePack,
                                           kIndex,       kOffer,       kLocal};
inline constexpr std::array kAllSealed{kDraft, kAudit, kShareSealed, kDesk};
inline constexpr std::array kAllKeyCommitment{kVekCommitment};

// Whether no two texts of `first` and `second` together are the same.
template <class First, class Second>
consteval bool Distinct(const First& first, const Second& second) {
  std::array<std::string_view, std::tuple_size_v<First> + std::tuple_size_v<Second>> texts;
  std::size_t n = 0;
  for (const auto& label : first) texts[n++] = label.text();
  for (const auto& label : second) texts[n++] = label.text();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      if (texts[i] == texts[j]) return false;
    }
  }
  return true;
}
inline constexpr std::array<crypto::SignLabel, 0> kNone{};
static_assert(Distinct(kAllSign, kNone));
static_assert(Distinct(kAllDerive, kNone));
static_assert(Distinct(kAllHash, kNone));
static_assert(Distinct(kAllKeyCommitment, kNone));
// Sealed is a Box and a CA under one label, so it shares the space of both.
static_assert(Distinct(kAllBox, kAllSealed));
static_assert(Distinct(kAllCommitting, kAllSealed));

}  // namespace godwit::protocol::labels
