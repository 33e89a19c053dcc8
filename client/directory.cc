#include "client/directory.h"

#include <algorithm>
#include <utility>

#include "client/due_members.h"
#include "client/vault_view.h"
#include "crypto/random.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using protocol::Kind;

// Everybody who is due, and whoever is listed already and keeps their place without a key: no
// manager may drop a guard.
std::map<base::MemberId, protocol::Perm> Everybody(const Realm& realm, Kind kind,
                                                   const protocol::MemberList& list) {
  auto members = DueMembers(realm.roster(), kind);
  for (const auto& [member, row] : list) members.emplace(member, row.perm);
  return members;
}

// Whether whoever wrote an entry was owner or admin when they did.
bool Governs(const protocol::Roster& roster, const protocol::EntryHeader& header) {
  constexpr protocol::Roles kGoverning = protocol::kOwner | protocol::kAdmin;
  return (roster.RolesAt(header.author_member, header.roster_seq) & kGoverning) != 0;
}

}  // namespace

base::Result<Directory> Directory::Read(Realm& realm) {
  Directory directory;
  const base::VaultId named = realm.roster().policy().VaultOf(Kind::kDirectory);
  if (named.IsZero()) return directory;
  auto vault = VaultView::Open(realm, named);
  // A device that has not synced yet asks for it; without a network, people have no names here.
  if (!vault && vault.error().code() == Code::kNotFound) vault = VaultView::Fetch(realm, named);
  if (!vault &&
      (vault.error().code() == Code::kNotFound || vault.error().code() == Code::kUnavailable)) {
    return directory;
  }
  if (!vault) return vault.error();
  const auto records = vault->ReadAll(content::v1::Record::kDirectoryEntry);
  if (!records) return records.error();
  for (const auto& [id, record] : *records) {
    const auto* version = vault->Latest(id);
    if (!Governs(realm.roster(), version->header)) continue;
    const auto& entry = record.directory_entry();
    const auto member = base::MemberId::FromBytes(base::AsBytes(entry.member()));
    if (!member || realm.roster().FindMember(*member) == nullptr) continue;
    Colleague colleague{*member, entry.handle(), entry.display_name()};
    const bool alone = realm.roster().PolicyAt(version->header.roster_seq).grant_threshold == 1;
    const bool assented = std::ranges::any_of(
        version->assents, [&](const auto& header) { return Governs(realm.roster(), header); });
    if (alone || assented) {
      directory.colleagues_.push_back(std::move(colleague));
    } else {
      directory.proposed_.push_back(
          {id, version->link, version->header.author_member, std::move(colleague)});
    }
  }
  // Whoever came back has the handle of before: the member that they are now comes first.
  const auto& roster = realm.roster();
  std::ranges::sort(directory.colleagues_, {}, [&](const Colleague& colleague) {
    return std::pair(colleague.handle, !roster.IsMemberAt(colleague.member, roster.head_seq()));
  });
  return directory;
}

const Colleague* Directory::ByMember(const base::MemberId& member) const {
  const auto found = std::ranges::find(colleagues_, member, &Colleague::member);
  return found == colleagues_.end() ? nullptr : &*found;
}

const Colleague* Directory::ByHandle(std::string_view handle) const {
  const auto found = std::ranges::find(colleagues_, handle, &Colleague::handle);
  return found == colleagues_.end() ? nullptr : &*found;
}

std::string Directory::NameOf(const base::MemberId& member) const {
  if (const Colleague* colleague = ByMember(member)) return colleague->display_name;
  return base::ToHex(member.bytes().first<4>());
}

Edit ColleagueEdit(const Colleague& colleague) {
  Edit edit;
  edit.record = crypto::RandomId<base::RecordId>();
  auto& entry = *edit.content.mutable_directory_entry();
  entry.set_member(base::ToString(colleague.member.bytes()));
  entry.set_handle(colleague.handle);
  entry.set_display_name(colleague.display_name);
  return edit;
}

Status AssentToName(Realm& realm, const ProposedName& name) {
  const base::VaultId vault = realm.roster().policy().VaultOf(Kind::kDirectory);
  const auto written = WriteEntry(
      realm, vault, [&](VaultView& view) -> base::Result<std::optional<protocol::EntryPayload>> {
        const auto* version = view.Latest(name.record);
        if (version == nullptr || version->link != name.link) {
          return std::optional<protocol::EntryPayload>();
        }
        return std::optional<protocol::EntryPayload>(
            protocol::Assent{name.link, protocol::Assent::kYes});
      });
  if (!written) return written.error();
  return {};
}

Status ListEverybody(Realm& realm, const std::vector<Colleague>& newcomers) {
  const auto& policy = realm.roster().policy();
  for (const auto& [number, vault] : policy.vaults) {
    const auto kind = Kind{number};
    if (kind != Kind::kDirectory && kind != Kind::kConfig && kind != Kind::kStaff) continue;
    const auto names = [&](VaultView& view) -> base::Result<std::vector<Edit>> {
      std::vector<Edit> edits;
      if (kind != Kind::kDirectory) return edits;
      const auto known = view.ReadAll(content::v1::Record::kDirectoryEntry);
      if (!known) return known.error();
      for (const Colleague& newcomer : newcomers) {
        const std::string member = base::ToString(newcomer.member.bytes());
        const auto same = std::ranges::find_if(*known, [&](const auto& row) {
          return row.second.directory_entry().member() == member;
        });
        if (same != known->end()) continue;
        edits.push_back(ColleagueEdit(newcomer));
      }
      return edits;
    };
    const auto written = WriteVault(realm, vault, names, [&](const protocol::MemberList& list) {
      return Everybody(realm, kind, list);
    });
    if (!written) return written.error();
  }
  return {};
}

}  // namespace godwit::client
