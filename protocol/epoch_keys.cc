#include "protocol/epoch_keys.h"

#include <algorithm>

#include "crypto/box.h"
#include "crypto/committing.h"
#include "crypto/constant_time.h"
#include "crypto/hash.h"
#include "crypto/hkdf.h"
#include "protocol/labels.h"

namespace godwit::protocol {
namespace {

base::Error Mismatch() {
  return {base::Code::kKeyMismatch, "a vault's key is not the one that its epoch names"};
}

std::array<std::uint8_t, 32> CommitmentOf(const Vek& vek, const base::RealmId& realm,
                                          const base::VaultId& vault, std::uint32_t epoch) {
  return crypto::KeyCommitment(vek, labels::kVekCommitment,
                               VekCommitmentContext(realm, vault, epoch));
}

base::Sha256Hash HashOf(base::ByteSpan box) { return base::Sha256Hash(crypto::Sha256(box)); }

// Makes the boxes that an EPOCH's rows ask for, and their hashes in it.
base::Status SealBoxes(const Vek& vek, const base::VaultId& vault, const Roster& roster,
                       std::uint64_t r, NewEpoch& made) {
  Epoch& epoch = made.payload;
  const auto seal = [&](const Kems& kems, const crypto::BoxLabel& label, base::ByteSpan context) {
    return crypto::SealBox(crypto::DefaultHpke(), kems.at(kAlgX25519), label, context, vek);
  };
  for (auto& [member, row] : epoch.list) {
    if (row.puk_gen == 0) continue;
    const Roster::PukGen* puk = roster.PukAt(member, r);
    if (puk == nullptr || puk->gen != row.puk_gen) {
      return base::Error(base::Code::kInvalidArgument, "an epoch's list is older than the roster");
    }
    auto box = seal(puk->kems, labels::kVekBox,
                    VekBoxContext(roster.realm(), vault, epoch.epoch, member, row.puk_gen));
    if (!box) return box.error();
    row.box_hash = HashOf(*box);
    made.boxes[member] = *std::move(box);
  }
  for (auto& [guest, row] : epoch.guests) {
    auto box = seal(row.device.kems, labels::kVekGuestBox,
                    VekGuestBoxContext(roster.realm(), vault, epoch.epoch, guest));
    if (!box) return box.error();
    row.box_hash = HashOf(*box);
    made.guest_boxes[guest] = *std::move(box);
  }
  const std::uint8_t use = epoch.list.empty() ? kRecoverySealed : kRecoveryLive;
  const Roster::Recovery* recovery = roster.RecoveryAt(use, r);
  if (recovery == nullptr) return {};
  epoch.rec_gen = recovery->set.gen;
  auto box =
      seal(recovery->set.kems, labels::kVekRecoveryBox,
           VekRecoveryBoxContext(roster.realm(), vault, epoch.epoch, use, recovery->set.gen));
  if (!box) return box.error();
  epoch.rec_box_hash = HashOf(*box);
  made.rec_box = *std::move(box);
  return {};
}

}  // namespace

base::Result<NewEpoch> MakeEpoch(const Vek& vek, const base::VaultId& vault, std::uint32_t number,
                                 const MemberList& list, const GuestList& guests,
                                 const Roster& roster, std::uint64_t r,
                                 const std::map<std::uint32_t, const Vek*>& older) {
  NewEpoch made;
  made.payload.epoch = number;
  made.payload.commitment = CommitmentOf(vek, roster.realm(), vault, number);
  for (const auto& [member, row] : list) made.payload.list[member] = {row.perm, row.puk_gen, {}};
  for (const auto& [guest, row] : guests) {
    made.payload.guests[guest] = {row.perm, row.expires_hour, row.device, {}};
  }
  if (const auto status = SealBoxes(vek, vault, roster, r, made); !status) return status.error();
  if (!older.empty()) {
    crypto::StackSecret<32> key;
    crypto::Derive(vek, labels::kPreviousKey, {}, key.Expose());
    for (const auto& [older_number, older_vek] : older) {
      const base::Bytes wrap = crypto::SealCommitting(
          key, labels::kVekPrevious,
          VekPreviousContext(roster.realm(), vault, number, older_number), older_vek->Expose());
      std::ranges::copy(wrap, made.payload.wraps[older_number].begin());
    }
  }
  return made;
}

base::Result<Vek> OpenVek(const Epoch& epoch, const base::RealmId& realm,
                          const base::VaultId& vault, const base::MemberId& member,
                          const crypto::KemKeyPair& puk_kem, base::ByteSpan box) {
  const auto row = epoch.list.find(member);
  if (row == epoch.list.end() || HashOf(box) != row->second.box_hash) return Mismatch();
  auto vek = crypto::OpenBox<VekTag>(
      crypto::DefaultHpke(), puk_kem, labels::kVekBox,
      VekBoxContext(realm, vault, epoch.epoch, member, row->second.puk_gen), box);
  if (!vek) return Mismatch();
  if (!crypto::ConstantTimeEqual(CommitmentOf(*vek, realm, vault, epoch.epoch), epoch.commitment)) {
    return Mismatch();
  }
  return vek;
}

base::Result<Vek> UnwrapVek(const Vek& vek, const Epoch& epoch, const Epoch& older,
                            const base::RealmId& realm, const base::VaultId& vault) {
  const auto wrap = epoch.wraps.find(older.epoch);
  if (wrap == epoch.wraps.end()) {
    return base::Error(base::Code::kNotFound, "this epoch does not hand on that older key");
  }
  crypto::StackSecret<32> key;
  crypto::Derive(vek, labels::kPreviousKey, {}, key.Expose());
  const auto opened = crypto::OpenCommitting(
      key, labels::kVekPrevious, VekPreviousContext(realm, vault, epoch.epoch, older.epoch),
      wrap->second);
  if (!opened) return Mismatch();
  static_assert(kWrapSize == crypto::kCommittingOverhead + Vek::kSize);
  auto unwrapped = Vek::Copy(opened->Expose().first<Vek::kSize>());
  if (!unwrapped) return unwrapped.error();
  if (!crypto::ConstantTimeEqual(CommitmentOf(*unwrapped, realm, vault, older.epoch),
                                 older.commitment)) {
    return Mismatch();
  }
  return unwrapped;
}

base::Status CheckBoxes(const Vek& vek, const Epoch& epoch, const base::VaultId& vault,
                        const Roster& roster, std::uint64_t r) {
  NewEpoch again{epoch, {}, {}, {}};
  if (const auto status = SealBoxes(vek, vault, roster, r, again); !status) return status;
  if (again.payload.list != epoch.list || again.payload.guests != epoch.guests ||
      again.payload.rec_box_hash != epoch.rec_box_hash) {
    return Mismatch();
  }
  return {};
}

}  // namespace godwit::protocol
