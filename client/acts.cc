#include "client/acts.h"

#include <algorithm>
#include <array>

#include "crypto/random.h"
#include "protocol/record.h"

namespace godwit::client {
namespace {

using content::v1::Record;

Hats HatsAt(const Realm& realm, const VaultView& vault, const protocol::EntryHeader& header) {
  return HatsOf(realm.roster().RolesAt(header.author_member, header.roster_seq),
                vault.ListedPerm(header.author_member, header.seq));
}

}  // namespace

NewAct MakeAct(content::v1::Act act) {
  std::array<std::uint8_t, 16> nonce{};
  crypto::FillRandom(nonce);
  act.set_nonce(base::ToString(nonce));
  NewAct made;
  *made.content.mutable_act() = std::move(act);
  made.record = protocol::ActRecordId(SerializeRecord(made.content).Expose());
  return made;
}

CaseLife ActsOfCase::Life() const { return LifeAfter(begin ? &*begin : nullptr, acts); }

base::Result<ActsOfCase> ReadActs(VaultView& vault) {
  ActsOfCase all;
  const auto& realm = vault.realm();
  for (const base::RecordId& id : vault.LiveRecords()) {
    const auto text = vault.ReadText(id);
    if (!text) return text.error();
    auto record = ParseRecord(text->Expose());
    if (!record) return record.error();
    const auto* first = vault.First(id);
    if (record->has_case_begin()) {
      // An import's word alone, from its first revision on: nobody else begins a case half way.
      const bool imported =
          first->rev.epoch == 1 &&
          vault.epochs().at(1).list.contains(first->header.author_member) &&
          vault.epochs().at(1).list.at(first->header.author_member).perm == protocol::kWrite;
      if (imported) all.begin = record->case_begin();
      if (!imported) all.changed.push_back(first->link);
      continue;
    }
    if (!record->has_act()) continue;
    if (protocol::ActRecordId(text->Expose()) != id) {
      all.changed.push_back(vault.Latest(id)->link);
      continue;
    }
    SignedAct act{record->act(),
                  first->header.author_member,
                  HatsAt(realm, vault, first->header),
                  first->header.seq,
                  first->link,
                  {}};
    for (const auto& header : first->assents) {
      act.assents.push_back({header.author_member, HatsAt(realm, vault, header), header.seq});
    }
    all.acts.push_back(std::move(act));
  }
  std::ranges::sort(all.acts, {}, &SignedAct::seq);
  return all;
}

Hats HatsNow(const Realm& realm, const VaultView& vault) {
  return HatsOf(realm.roles(), vault.perm());
}

}  // namespace godwit::client
