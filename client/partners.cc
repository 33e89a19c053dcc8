#include "client/partners.h"

#include <algorithm>
#include <string>

#include "client/casework/inert.h"
#include "client/day.h"
#include "client/normalise.h"
#include "client/transitions.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using content::v1::Partner;
using content::v1::Record;
using content::v1::SharingAgreement;
using content::v1::Transition;
using protocol::Compartment;
using protocol::Kind;

bool IsNamed(const Partner& partner, std::string_view name) {
  return Folded(Trimmed(partner.name())) == Folded(Trimmed(name));
}

Status CheckPartner(const Partner& partner) {
  if (Trimmed(partner.name()).empty()) {
    return Error(Code::kInvalidArgument, "a partner has a name: name=...");
  }
  for (const SharingAgreement& agreement : partner.agreements()) {
    if (agreement.scope().empty()) {
      return Error(Code::kInvalidArgument,
                   "say what the agreement is on, field by field: "
                   "agreements[0].scope=identity_profile.names,need");
    }
    for (const std::string& path : agreement.scope()) {
      if (const auto field = FindSharedField(path); !field) return field.error();
    }
  }
  return {};
}

// Sends one as it shall be; `before`: what it was, or null for a new one.
base::Result<EntryWritten> Write(Realm& realm, const VaultFile& file,
                                 const VaultFile::Entry* before, Record record) {
  if (const auto fits = CheckPartner(record.partner()); !fits) return fits.error();
  for (const auto* other : file.Of(Record::kPartner)) {
    if (other == before || record.entered_in_error()) continue;
    if (IsNamed(other->content.partner(), record.partner().name())) {
      return Error(Code::kExists, "there is a partner of this name: `godwit partner list`");
    }
  }
  Pending pending;
  pending.vault = file.id();
  pending.what = "partner";
  pending.edits.push_back(before == nullptr ? VaultFile::Add(std::move(record))
                                            : VaultFile::Change(*before, std::move(record)));
  const base::RecordId id = pending.edits.back().record;
  const auto written = Submit(realm, std::move(pending));
  if (!written) return written.error();
  return EntryWritten{id, written->queued};
}

base::Result<VaultFile> OpenToWrite(Organisation& organisation) {
  auto file = OpenPartners(organisation, From::kService);
  if (!file) return file;
  if ((file->perm() & protocol::kWrite) == 0) {
    return Error(Code::kPermissionDenied, "partners are recorded by owners and admins");
  }
  return file;
}

// Writes one as `make` makes it of what it was.
template <class Make>
base::Result<EntryWritten> Rewrite(Organisation& organisation, std::string_view id, Make&& make) {
  const auto file = OpenToWrite(organisation);
  if (!file) return file.error();
  const auto entry = FindEntry(*file, Record::kPartner, id);
  if (!entry) return entry.error();
  Record record = (*entry)->content;
  if (const Status changed = make(record); !changed) return changed.error();
  return Write(**organisation.Get(Compartment::kCases), *file, *entry, std::move(record));
}

bool Covers(const SharingAgreement& agreement, const std::string& path,
            content::v1::ServiceType service, std::uint32_t today) {
  if (agreement.revoked()) return false;
  if (agreement.until_day() != 0 && agreement.until_day() < today) return false;
  if (!agreement.purposes().empty() &&
      std::ranges::count(agreement.purposes(), static_cast<int>(service)) == 0) {
    return false;
  }
  return std::ranges::any_of(agreement.scope(), [&](const std::string& scope) {
    return path == scope || path.starts_with(scope + ".");
  });
}

}  // namespace

base::Result<VaultFile> OpenPartners(Organisation& organisation, From from) {
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  const base::VaultId vault = (*cases)->roster().policy().VaultOf(Kind::kConfig);
  if (vault.IsZero()) {
    return Error(
        Code::kNotFound,
        "the organisation is not furnished yet: its owners end its founding first (`godwit org "
        "doctor`)");
  }
  return VaultFile::Open(**cases, vault, from);
}

base::Result<EntryWritten> AddPartner(Organisation& organisation,
                                      const std::vector<Change>& changes) {
  Record record;
  MakeBody(Record::kPartner, record);
  if (const auto set = AssignAll(changes, record); !set) return set.error();
  const auto file = OpenToWrite(organisation);
  if (!file) return file.error();
  return Write(**organisation.Get(Compartment::kCases), *file, nullptr, std::move(record));
}

base::Result<EntryWritten> ChangePartner(Organisation& organisation, std::string_view id,
                                         const std::vector<Change>& changes) {
  return Rewrite(organisation, id,
                 [&](Record& record) -> Status { return AssignAll(changes, record); });
}

base::Result<EntryWritten> StrikePartner(Organisation& organisation, std::string_view id) {
  return Rewrite(organisation, id, [](Record& record) -> Status {
    record.set_entered_in_error(true);
    return {};
  });
}

Status CheckAgreed(Organisation& organisation, const Transition& transition, From from) {
  const auto file = OpenPartners(organisation, from);
  if (!file && file.error().code() == Code::kNotFound) return {};
  if (!file) return file.error();
  if (file->unreadable() > 0) {
    return Error(Code::kPermissionDenied,
                 "part of the list of partners does not open here, so that what was agreed is not "
                 "known: run `godwit sync` and try again");
  }
  const auto partners = file->Of(Record::kPartner);
  const auto found = std::ranges::find_if(partners, [&](const auto* entry) {
    return IsNamed(entry->content.partner(), transition.to_org());
  });
  if (found == partners.end()) return {};
  const auto& agreements = (*found)->content.partner().agreements();
  const bool all = std::ranges::all_of(transition.shared_fields(), [&](const std::string& path) {
    return std::ranges::any_of(agreements, [&](const SharingAgreement& agreement) {
      return Covers(agreement, path, transition.service(), DayNow());
    });
  });
  if (all) return {};
  return Error(Code::kPermissionDenied,
               "no agreement with this partner covers all of it, for this service and today: see "
               "`godwit partner list`, tell less, or ask an admin");
}

}  // namespace godwit::client
