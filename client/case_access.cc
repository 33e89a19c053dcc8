#include "client/case_access.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "client/cases.h"
#include "client/directory.h"
#include "client/vault_writer.h"

namespace godwit::client {
namespace {

using base::Code;
using protocol::Compartment;
using protocol::Kind;

using Epochs = std::map<std::uint32_t, protocol::Epoch>;

// The epochs whose keys follow from those that `member` was boxed or made.
std::vector<std::uint32_t> EpochsOf(const VaultView& vault, const base::MemberId& member) {
  std::set<std::uint32_t> reached;
  for (auto at = vault.epochs().rbegin(); at != vault.epochs().rend(); ++at) {
    const auto& [number, epoch] = *at;
    const auto row = epoch.list.find(member);
    const bool boxed = row != epoch.list.end() && row->second.puk_gen != 0;
    const bool made = vault.EpochHeader(number).author_member == member;
    if (boxed || made) reached.insert(number);
    if (!reached.contains(number)) continue;
    for (const auto& [wrapped, wrap] : epoch.wraps) reached.insert(wrapped);
  }
  return {reached.begin(), reached.end()};
}

// The first of the epochs up to the one in force that list `member` without a break.
std::uint32_t SinceEpoch(const Epochs& epochs, const base::MemberId& member) {
  std::uint32_t since = 0;
  for (auto at = epochs.rbegin(); at != epochs.rend() && at->second.list.contains(member); ++at) {
    since = at->first;
  }
  return since;
}

AccessState StateOf(const Realm& realm, const VaultView& vault, const base::MemberId& member,
                    const protocol::MemberRow& row) {
  if (row.perm == protocol::kWrite) return AccessState::kImporter;
  const auto& roster = realm.roster();
  const auto want = protocol::Want({{member, row}}, vault.kind(), roster, roster.head_seq());
  if (want.empty()) return AccessState::kLeaving;
  const bool has_key = want.begin()->second.puk_gen != 0 && row.puk_gen != 0;
  return has_key ? AccessState::kActive : AccessState::kWithoutKey;
}

CasePart PartOf(const Realm& realm, const Directory& directory, const VaultView& vault) {
  CasePart part;
  part.kind = vault.kind();
  part.vault = vault.id();
  part.epoch = vault.state().epoch().number;
  const auto& roster = realm.roster();
  const protocol::MemberList& list = vault.state().epoch().list;
  for (const auto& [member, row] : list) {
    CaseReader reader;
    reader.member = member;
    reader.name = directory.NameOf(member);
    reader.roles = roster.RolesAt(member, roster.head_seq());
    reader.perm = row.perm;
    reader.state = StateOf(realm, vault, member, row);
    reader.since_epoch = SinceEpoch(vault.epochs(), member);
    reader.epochs = EpochsOf(vault, member);
    part.readers.push_back(std::move(reader));
  }
  std::map<base::MemberId, FormerReader> former;
  for (const auto& [number, epoch] : vault.epochs()) {
    if (HidesHistory(epoch)) part.history_hidden_at.push_back(number);
    for (const auto& [member, row] : epoch.list) {
      if (list.contains(member)) continue;
      former[member] = {member, directory.NameOf(member), row.perm, number,
                        EpochsOf(vault, member)};
    }
  }
  for (auto& [member, reader] : former) part.former.push_back(std::move(reader));
  std::map<base::MemberId, CaseWriter> writers;
  for (const protocol::EntryHeader& header : vault.headers()) {
    CaseWriter& writer = writers[header.author_member];
    writer.member = header.author_member;
    ++writer.entries;
    if (header.type == static_cast<std::uint8_t>(protocol::EntryType::kRev)) ++writer.records;
  }
  for (auto& [member, writer] : writers) {
    writer.name = directory.NameOf(member);
    part.writers.push_back(std::move(writer));
  }
  std::ranges::sort(part.readers, {}, &CaseReader::name);
  std::ranges::sort(part.former, {}, &FormerReader::name);
  std::ranges::sort(part.writers, {}, &CaseWriter::name);
  return part;
}

// Takes a part up, or says that it is not this member's.
base::Status Take(Realm& realm, Kind kind, const base::Result<VaultView>& vault,
                  CaseAccess& access) {
  if (!vault && vault.error().code() == Code::kNotFound) {
    access.not_yours.push_back(kind);
    return {};
  }
  if (!vault) return vault.error();
  const auto directory = Directory::Read(realm);
  if (!directory) return directory.error();
  access.parts.push_back(PartOf(realm, *directory, *vault));
  return {};
}

}  // namespace

base::Result<CaseAccess> WhoReads(Organisation& organisation, std::string_view code, bool offline) {
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  const auto case_vault = FindCaseVault(**cases, Kind::kCase, code, offline);
  if (!case_vault) return case_vault.error();
  CaseAccess access;
  access.code = *CanonicalCaseCode(code);
  if (const auto taken = Take(**cases, Kind::kCase, case_vault, access); !taken) {
    return taken.error();
  }

  auto sensitive = FindCaseVault(**cases, Kind::kSensitive, code, offline);
  // Its supervisor manages the person without reading whose case it is: the case's side names it.
  std::optional<base::VaultId> person;
  if (sensitive) {
    const auto link = sensitive->Read(sensitive->state().pinned_record());
    if (!link) return link.error();
    person = base::VaultId::FromBytes(base::AsBytes(link->link1().person_vault()));
  }
  if (const auto taken = Take(**cases, Kind::kSensitive, sensitive, access); !taken) {
    return taken.error();
  }

  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) {
    access.not_yours.push_back(Kind::kPerson);
    return access;
  }
  const auto vault = person ? ViewOfVault(**identity, *person, offline)
                            : FindCaseVault(**identity, Kind::kPerson, code, offline);
  if (const auto taken = Take(**identity, Kind::kPerson, vault, access); !taken) {
    return taken.error();
  }
  return access;
}

}  // namespace godwit::client
