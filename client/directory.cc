#include "client/directory.h"

#include <algorithm>
#include <utility>

#include "client/vault_view.h"
#include "client/vault_writer.h"
#include "crypto/random.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using protocol::Kind;

// What everybody at the roster's head may hold in a vault that lists all. A member without a PUK
// yet is listed once there is one.
std::map<base::MemberId, protocol::Perm> Everybody(const Realm& realm, Kind kind) {
  std::map<base::MemberId, protocol::Perm> members;
  const auto& roster = realm.roster();
  const std::uint64_t head = roster.head_seq();
  for (const auto& [member, row] : roster.members()) {
    if (roster.UsablePukAt(member, head) == nullptr) continue;
    const protocol::Perm perm =
        protocol::Lowered(kind, roster.RolesAt(member, head), protocol::kFull);
    if (perm != 0) members[member] = perm;
  }
  return members;
}

}  // namespace

base::Result<Directory> Directory::Read(Realm& realm) {
  Directory directory;
  const base::VaultId named = realm.roster().policy().VaultOf(Kind::kDirectory);
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
    const auto roles =
        realm.roster().RolesAt(version->header.author_member, version->header.roster_seq);
    if ((roles & (protocol::kOwner | protocol::kAdmin)) == 0) continue;
    const auto& entry = record.directory_entry();
    const auto member = base::MemberId::FromBytes(base::AsBytes(entry.member()));
    if (!member || realm.roster().FindMember(*member) == nullptr) continue;
    directory.colleagues_.push_back({*member, entry.handle(), entry.display_name()});
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
        Edit edit;
        edit.record = crypto::RandomId<base::RecordId>();
        auto& entry = *edit.content.mutable_directory_entry();
        entry.set_member(member);
        entry.set_handle(newcomer.handle);
        entry.set_display_name(newcomer.display_name);
        edits.push_back(std::move(edit));
      }
      return edits;
    };
    const auto written = WriteVault(
        realm, vault, names, [&](const protocol::MemberList&) { return Everybody(realm, kind); });
    if (!written) return written.error();
  }
  return {};
}

}  // namespace godwit::client
