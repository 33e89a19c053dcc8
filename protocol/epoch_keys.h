#pragma once

#include <cstdint>
#include <map>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "crypto/kem.h"
#include "protocol/entry.h"
#include "protocol/keys.h"
#include "protocol/roster.h"
#include "protocol/vault.h"

namespace godwit::protocol {

// The payload of an EPOCH and the boxes that go beside it.
struct NewEpoch {
  Epoch payload;
  std::map<base::MemberId, base::Bytes> boxes;
  std::map<base::GuestId, base::Bytes> guest_boxes;
  base::Bytes rec_box;  // empty where no recovery secret is current
};

// Makes epoch `number` of a vault for `list`, which must be as want() leaves it at roster seq `r`,
// and for `guests`: a box of `vek` for every row with a puk_gen, for every guest and for the
// recovery secret current at `r` (an empty list seals the vault: the secret of use 2), its
// commitment, and a wrap of each of `older`. INVALID_ARGUMENT: a row's gen is not the one of the
// roster.
base::Result<NewEpoch> MakeEpoch(const Vek& vek, const base::VaultId& vault, std::uint32_t number,
                                 const MemberList& list, const GuestList& guests,
                                 const Roster& roster, std::uint64_t r,
                                 const std::map<std::uint32_t, const Vek*>& older = {});

// Opens the box of `member` under an EPOCH that was verified. E_KEY_MISMATCH: the box is not the
// listed one, does not open, or holds another key than the EPOCH commits to; signed evidence
// against the EPOCH's author once its hash is right.
base::Result<Vek> OpenVek(const Epoch& epoch, const base::RealmId& realm,
                          const base::VaultId& vault, const base::MemberId& member,
                          const crypto::KemKeyPair& puk_kem, base::ByteSpan box);

// Unwraps the key of `older` out of `epoch`'s wraps and checks it against that epoch's own
// commitment. NOT_FOUND: the epoch has no such wrap. E_KEY_MISMATCH: as OpenVek.
base::Result<Vek> UnwrapVek(const Vek& vek, const Epoch& epoch, const Epoch& older,
                            const base::RealmId& realm, const base::VaultId& vault);

// Recomputes every box of an EPOCH, as whoever holds its key can. E_KEY_MISMATCH: one of them is
// garbage, so that its member, its guest or a recovery would be locked out.
base::Status CheckBoxes(const Vek& vek, const Epoch& epoch, const base::VaultId& vault,
                        const Roster& roster, std::uint64_t r);

}  // namespace godwit::protocol
