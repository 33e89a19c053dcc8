#include "tools/admin/dump.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/id.h"
#include "protocol/ce.h"
#include "storage/postgres.h"
#include "storage/roster_store.h"
#include "storage/salt_store.h"
#include "storage/vault_store.h"
#include "tools/admin/new_file.h"

namespace godwit::admin {
namespace {

using base::Code;
using base::Error;
using base::Status;
using storage::ChainHead;

constexpr mode_t kDumpMode = 0600;
// The stores end a page at about 1 MiB, whatever this says.
constexpr std::size_t kPageItems = 1'000;

using Sink = std::function<Status(base::ByteSpan)>;

// Copies a chain up to `head`. `read` gives the rows of a page: those from a seq on.
template <class Read>
Status Copy(const ChainHead& head, const Read& read, const Sink& sink) {
  for (std::uint64_t seq = 0; seq <= head.seq;) {
    const auto page = read(seq);
    if (!page) return page.error();
    if (page->empty()) return Error(Code::kStateLost, "the stored chain ends before its head");
    for (const auto& row : *page) {
      if (seq > head.seq) break;
      if (row.seq != seq) return Error(Code::kStateLost, "the stored chain has a gap");
      if (const Status status = sink(protocol::Writer().Var32(row.bytes).bytes()); !status) {
        return status;
      }
      ++seq;
    }
  }
  return {};
}

// Calls `copy` with where the items shall go, and says how many they were.
template <class CopyTo>
Status WriteOut(const DumpOptions& options, const ChainHead& head, const CopyTo& copy,
                std::ostream& out) {
  if (options.out == "-") {
    const Status status = copy([&](base::ByteSpan bytes) {
      out << base::ToString(bytes);
      return Status::Ok();
    });
    if (!status) return status;
    out.flush();
    if (!out) return Error(Code::kIo, "the standard output takes no more");
    return {};
  }
  auto file = NewFile::Begin(options.out, kDumpMode, NewFile::Existing::kKeep);
  if (!file) return file.error();
  const Status status = copy([&](base::ByteSpan bytes) { return file->Write(bytes); });
  if (!status) return status;
  if (const Status finished = file->Finish(); !finished) return finished;
  out << "items " << head.seq + 1 << "\nhead " << base::ToHex(head.link.bytes()) << "\n";
  return {};
}

storage::DatabaseOptions OptionsOf(const DumpOptions& options) {
  storage::DatabaseOptions database;
  database.conninfo = options.database;
  database.connections = 1;
  return database;
}

base::Result<storage::RealmRow> RealmOf(storage::RosterStore& rosters) {
  const auto realm = rosters.LoadRealm();
  if (!realm) return realm.error();
  if (!*realm) return Error(Code::kNotFound, "there is no realm in this database yet");
  return **realm;
}

}  // namespace

Status DumpRoster(const DumpOptions& options, std::ostream& out) {
  storage::Database database(OptionsOf(options));
  storage::RosterStore rosters(database);
  const auto realm = RealmOf(rosters);
  if (!realm) return realm.error();
  const auto copy = [&](const Sink& sink) {
    return Copy(
        realm->roster,
        [&](std::uint64_t seq) { return rosters.Read(realm->realm, seq, kPageItems); }, sink);
  };
  return WriteOut(options, realm->roster, copy, out);
}

Status DumpVault(const DumpOptions& options, const std::string& vault, std::ostream& out) {
  const auto bytes = base::FromHex(vault);
  const auto id = bytes ? base::VaultId::FromBytes(*bytes) : std::nullopt;
  if (!id) return Error(Code::kInvalidArgument, "a vault's id is 32 hexadecimal digits");
  storage::Database database(OptionsOf(options));
  storage::RosterStore rosters(database);
  const auto realm = RealmOf(rosters);
  if (!realm) return realm.error();
  storage::TableSaltStore salts;
  storage::VaultStore vaults(database, salts);
  const auto row = vaults.Find(realm->realm, *id);
  if (!row) return row.error();
  if (!*row) return Error(Code::kNotFound, "this realm has no vault of that id");
  const auto copy = [&](const Sink& sink) {
    return Copy(
        (*row)->head,
        [&](std::uint64_t seq) { return vaults.ReadEntries(realm->realm, *id, seq, kPageItems); },
        sink);
  };
  return WriteOut(options, (*row)->head, copy, out);
}

}  // namespace godwit::admin
