#include "client/trim.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "client/identity_window.h"
#include "client/outbox.h"
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

struct Part {
  Realm* realm;
  base::VaultId vault;
  std::vector<base::RecordId> records;
};

// Every record but the pinned one.
std::vector<base::RecordId> ToDelete(const VaultView& view) {
  auto records = view.LiveRecords();
  std::erase(records, view.state().pinned_record());
  return records;
}

// The part of a kind, where this person reads and manages it.
base::Result<std::optional<Part>> OpenPart(Realm& realm, Kind kind, std::string_view code) {
  using Found = std::optional<Part>;
  const auto vault = FindVault(realm, kind, code, From::kService);
  if (!vault && vault.error().code() == Code::kNotFound) return Found();
  if (!vault) return vault.error();
  const auto waiting = OutboxOf(realm);
  if (!waiting) return waiting.error();
  if (std::ranges::any_of(*waiting, [&](const auto& each) { return each.vault == *vault; })) {
    return Error(Code::kUnavailable,
                 "something of this case waits to be sent, and would come back after: `godwit "
                 "sync`, or give it up (`godwit outbox`)");
  }
  // A TOMB needs an epoch that is fresh: what a roster change asks for is written first.
  auto view = WriteVault(realm, *vault, [](VaultView&) { return std::vector<Edit>(); });
  if (!view && view.error().code() == Code::kPermissionDenied) return Found();
  if (!view) return view.error();
  if ((view->perm() & protocol::kRead) == 0 || (view->perm() & protocol::kManage) == 0) {
    return Found();
  }
  return Found(Part{&realm, *vault, ToDelete(*view)});
}

// Deletes one, and says what is there then.
base::Status Delete(Part& part, const base::RecordId& record) {
  const auto written =
      WriteEntry(*part.realm, part.vault,
                 [&](VaultView& view) -> base::Result<std::optional<protocol::EntryPayload>> {
                   const auto* version = view.Latest(record);
                   if (version == nullptr)
                     return std::optional<protocol::EntryPayload>();  // gone already
                   return std::optional<protocol::EntryPayload>(
                       Tomb{record, version->rev.rver + 1, version->link, kMoved});
                 });
  if (!written) return written.error();
  part.records = ToDelete(*written);
  return {};
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
  // Where identity has a window, its part goes inside and the others outside: deletions side by
  // side would join the two.
  const auto identity = organisation.Get(Compartment::kIdentity);
  const bool windows = identity && (*identity)->roster().policy().identity_window_s != 0;
  const bool open = !windows || IsWindowOpen(**identity);
  Trimmed trimmed;
  std::vector<Part> parts;
  for (const auto& [compartment, kind] : {std::pair(Compartment::kIdentity, Kind::kPerson),
                                          std::pair(Compartment::kCases, Kind::kSensitive),
                                          std::pair(Compartment::kCases, Kind::kScreening)}) {
    const auto realm = organisation.Get(compartment);
    if (!realm) continue;
    const bool now = !windows || (compartment == Compartment::kIdentity) == open;
    trimmed.later = trimmed.later || !now;
    if (!now) continue;
    auto part = OpenPart(**realm, kind, code);
    if (!part) return part.error();
    if (*part) parts.push_back(*std::move(*part));
  }
  if (parts.empty() && !trimmed.later) {
    return Error(Code::kPermissionDenied,
                 "no part of this case is yours to delete: its caseworker deletes the person and "
                 "the sensitive part, a coordinator the screening");
  }
  trimmed.parts = parts.size();
  std::size_t left = 0;
  for (const Part& part : parts) left += part.records.size();
  for (Part& part : parts) {
    while (!part.records.empty()) {
      progress(trimmed.records, trimmed.records + left);
      const std::size_t before = part.records.size();
      if (const auto deleted = Delete(part, part.records.front()); !deleted) return deleted.error();
      ++trimmed.records;
      left += part.records.size();
      left -= before;
    }
  }
  return trimmed;
}

}  // namespace godwit::client
