#include "client/asking.h"

#include <algorithm>

#include "client/directory.h"
#include "client/vault_writer.h"
#include "protocol/entry.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using content::v1::Record;
using protocol::Compartment;
using protocol::Kind;

// The person's vault: by its code, or as the sensitive part of the case names it for those who do
// not read the person.
base::Result<base::VaultId> PersonOf(Organisation& organisation, std::string_view code) {
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  const auto own = FindVault(**identity, Kind::kPerson, code, From::kService);
  if (own || own.error().code() != Code::kNotFound) return own;
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  const auto sensitive = OpenCaseFile(**cases, Kind::kSensitive, code, From::kService);
  if (!sensitive) return sensitive.error();
  const auto* pinned = sensitive->Pinned();
  const auto named =
      pinned == nullptr
          ? std::nullopt
          : base::VaultId::FromBytes(base::AsBytes(pinned->content.link1().person_vault()));
  if (!named) return Error(Code::kNotFound, "this case is linked to nobody");
  return *named;
}

base::Result<VaultView> FetchPerson(Organisation& organisation, std::string_view code) {
  const auto person = PersonOf(organisation, code);
  if (!person) return person.error();
  Realm& realm = **organisation.Get(Compartment::kIdentity);
  if (const auto synced = realm.Sync(); !synced) return synced.error();
  return VaultView::Fetch(realm, *person);
}

}  // namespace

base::Result<Written> AskIdentity(Organisation& organisation, std::string_view code,
                                  std::uint16_t hours, std::uint16_t reason) {
  if (hours == 0 || hours > protocol::kMaxAskHours) {
    return Error(Code::kInvalidArgument, "a person is asked for for 1 to 72 hours");
  }
  const auto vault = FetchPerson(organisation, code);
  if (!vault) return vault.error();
  if (vault->perm() != protocol::kManage) {
    return Error(Code::kPermissionDenied,
                 "this is for a supervisor who manages a person without reading them");
  }
  Realm& realm = **organisation.Get(Compartment::kIdentity);
  const auto written = WriteEntry(
      realm, vault->id(), [&](VaultView&) -> base::Result<std::optional<protocol::EntryPayload>> {
        protocol::Ask ask;
        ask.what = protocol::Ask::kToRead;
        ask.hours = hours;
        ask.reason = reason;
        return std::optional<protocol::EntryPayload>(ask);
      });
  if (!written) return written.error();
  return Written{false};
}

base::Result<std::vector<IdentityAsk>> IdentityAsks(Organisation& organisation,
                                                    std::string_view code) {
  const auto vault = FetchPerson(organisation, code);
  if (!vault) return vault.error();
  const auto directory = Directory::Read(**organisation.Get(Compartment::kIdentity));
  if (!directory) return directory.error();
  std::vector<IdentityAsk> asks;
  for (const auto& [member, asked] : vault->asked()) {
    asks.push_back({member, directory->NameOf(member), asked.ask.hours, asked.ask.reason,
                    !asked.assents.empty(), asked.refused});
  }
  return asks;
}

base::Result<std::size_t> AnswerIdentityAsks(Organisation& organisation, std::string_view code,
                                             bool yes) {
  const auto vault = FetchPerson(organisation, code);
  if (!vault) return vault.error();
  Realm& realm = **organisation.Get(Compartment::kIdentity);
  std::size_t answered = 0;
  for (const auto& [member, asked] : vault->asked()) {
    if (member == realm.member() || !asked.assents.empty() || asked.refused) continue;
    const base::Link target = asked.link;
    const auto written =
        WriteEntry(realm, vault->id(),
                   [&](VaultView& view) -> base::Result<std::optional<protocol::EntryPayload>> {
                     // Asked anew meanwhile, it is another question.
                     const auto now = view.asked().find(member);
                     if (now == view.asked().end() || now->second.link != target) {
                       return std::optional<protocol::EntryPayload>();
                     }
                     protocol::Assent assent;
                     assent.target = target;
                     assent.say = yes ? protocol::Assent::kYes : protocol::Assent::kNo;
                     return std::optional<protocol::EntryPayload>(assent);
                   });
    if (!written) return written.error();
    ++answered;
  }
  if (answered == 0) return Error(Code::kNotFound, "nobody asks to read this person");
  return answered;
}

base::Result<PersonFile> ReadAskedIdentity(Organisation& organisation, std::string_view code) {
  auto vault = FetchPerson(organisation, code);
  if (!vault) return vault.error();
  Realm& realm = **organisation.Get(Compartment::kIdentity);
  const auto mine = vault->asked().find(realm.member());
  if (mine == vault->asked().end() || mine->second.assents.empty()) {
    return Error(Code::kPermissionDenied,
                 "you manage this person without reading them: ask first (`godwit person ask`), "
                 "and wait for another's consent");
  }
  std::vector<transport::RecordContent> contents;
  const auto fetched =
      realm.server().FetchVault(vault->id(), 0, [&](transport::VaultPart part) -> Status {
        std::ranges::move(part.records, std::back_inserter(contents));
        return {};
      });
  if (!fetched) return fetched.error();
  if (contents.empty()) {
    return Error(Code::kPermissionDenied,
                 "the time for which you asked is over: ask again if you still need it");
  }
  if (const auto taken = vault->TakeServed(std::move(contents)); !taken) return taken.error();
  const base::VaultId id = vault->id();
  auto file = VaultFile::FromView(realm, *std::move(vault));
  if (!file) return file.error();
  PersonFile person{
      .vault = id, .profile = {}, .case_code = *ReadCaseCode(code), .file = *std::move(file)};
  if (const auto profiles = person.file.Of(Record::kIdentityProfile); !profiles.empty()) {
    person.profile = profiles.front()->content.identity_profile();
  }
  return person;
}

}  // namespace godwit::client
