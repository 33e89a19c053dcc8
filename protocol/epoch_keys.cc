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

base::Result<base::Bytes> SealVek(const Vek& vek, const base::VaultId& vault, std::uint32_t epoch,
                                  const base::MemberId& member, std::uint32_t puk_gen,
                                  const Roster& roster, std::uint64_t r) {
  const Roster::PukGen* puk = roster.PukAt(member, r);
  if (puk == nullptr || puk->gen != puk_gen) {
    return base::Error(base::Code::kInvalidArgument, "an epoch's list is older than the roster");
  }
  return crypto::SealBox(crypto::DefaultHpke(), puk->kems.at(kAlgX25519), labels::kVekBox,
                         VekBoxContext(roster.realm(), vault, epoch, member, puk_gen), vek);
}

}  // namespace

base::Result<NewEpoch> MakeEpoch(const Vek& vek, const base::VaultId& vault, std::uint32_t number,
                                 const MemberList& list, const Roster& roster, std::uint64_t r,
                                 const std::map<std::uint32_t, const Vek*>& older) {
  NewEpoch made;
  made.payload.epoch = number;
  made.payload.commitment = CommitmentOf(vek, roster.realm(), vault, number);
  made.payload.rec_gen = roster.RecAt(r);
  for (const auto& [member, row] : list) {
    EpochRow& out = made.payload.list[member];
    out.perm = row.perm;
    out.puk_gen = row.puk_gen;
    if (row.puk_gen == 0) continue;
    auto box = SealVek(vek, vault, number, member, row.puk_gen, roster, r);
    if (!box) return box.error();
    out.box_hash = base::Sha256Hash(crypto::Sha256(*box));
    made.boxes[member] = *std::move(box);
  }
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
  if (row == epoch.list.end() || row->second.puk_gen == 0 ||
      base::Sha256Hash(crypto::Sha256(box)) != row->second.box_hash) {
    return Mismatch();
  }
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
  if (!opened || opened->size() != Vek::kSize) return Mismatch();
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
  for (const auto& [member, row] : epoch.list) {
    if (row.puk_gen == 0) continue;
    const auto box = SealVek(vek, vault, epoch.epoch, member, row.puk_gen, roster, r);
    if (!box) return box.error();
    if (base::Sha256Hash(crypto::Sha256(*box)) != row.box_hash) return Mismatch();
  }
  return {};
}

}  // namespace godwit::protocol
