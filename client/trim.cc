#include "client/trim.h"

#include <utility>
#include <vector>

#include "client/vault_file.h"
#include "client/vault_writer.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using protocol::Compartment;
using protocol::Kind;
using protocol::Tomb;

// Of the reasons of a TOMB.
constexpr std::uint8_t kMoved = 2;

// What is still there, with the realm and vault that it is in.
struct Part {
  Realm* realm;
  base::VaultId vault;
  std::vector<base::RecordId> records;
};

base::Result<std::vector<Part>> PartsOf(Organisation& organisation, std::string_view code) {
  std::vector<Part> parts;
  for (const auto& [compartment, kind] : {std::pair(Compartment::kIdentity, Kind::kPerson),
                                          std::pair(Compartment::kCases, Kind::kSensitive),
                                          std::pair(Compartment::kCases, Kind::kScreening)}) {
    const auto realm = organisation.Get(compartment);
    if (!realm) continue;
    const auto vault = FindVault(**realm, kind, code, From::kService);
    if (!vault && vault.error().code() == Code::kNotFound) continue;
    if (!vault) return vault.error();
    // A TOMB needs an epoch that is fresh: what a roster change asks for is written first.
    auto view = WriteVault(**realm, *vault, [](VaultView&) { return std::vector<Edit>(); });
    if (!view && view.error().code() == Code::kPermissionDenied) continue;
    if (!view) return view.error();
    if ((view->perm() & protocol::kRead) == 0 || (view->perm() & protocol::kManage) == 0) continue;
    Part part{*realm, *vault, view->LiveRecords()};
    std::erase(part.records, view->state().pinned_record());
    parts.push_back(std::move(part));
  }
  return parts;
}

base::Status Delete(const Part& part, const base::RecordId& record) {
  const auto written =
      WriteEntry(*part.realm, part.vault,
                 [&](VaultView& view) -> base::Result<std::optional<protocol::EntryPayload>> {
                   const auto* version = view.Latest(record);
                   if (version == nullptr)
                     return std::optional<protocol::EntryPayload>();  // gone already
                   return std::optional<protocol::EntryPayload>(
                       Tomb{record, version->rev.rver + 1, version->link, kMoved});
                 });
  return written ? base::Status() : written.error();
}

}  // namespace

base::Result<Trimmed> TrimCase(Organisation& organisation, std::string_view code,
                               const std::function<void(std::size_t, std::size_t)>& progress) {
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  const auto file = OpenCaseFile(**cases, Kind::kCase, code, From::kService);
  if (!file) return file.error();
  if (file->Life().status() != content::v1::CASE_STATUS_TRANSFERRED) {
    return Error(Code::kPermissionDenied,
                 "only what was handed to others is deleted like this, and this case was not: a "
                 "coordinator says that its transfer was accepted (`godwit transfer edit CODE ID "
                 "state=accepted`)");
  }
  const auto parts = PartsOf(organisation, code);
  if (!parts) return parts.error();
  if (parts->empty()) {
    return Error(Code::kPermissionDenied,
                 "no part of this case is yours to delete: its caseworker deletes the person and "
                 "the sensitive part, a coordinator the screening");
  }
  std::size_t all = 0;
  for (const Part& part : *parts) all += part.records.size();
  Trimmed trimmed{parts->size(), 0};
  for (const Part& part : *parts) {
    for (const base::RecordId& record : part.records) {
      progress(trimmed.records, all);
      if (const auto deleted = Delete(part, record); !deleted) return deleted.error();
      ++trimmed.records;
    }
  }
  return trimmed;
}

}  // namespace godwit::client
