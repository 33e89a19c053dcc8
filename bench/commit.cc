#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "bench/benches.h"
#include "bench/pgbench.h"
#include "client/vault_view.h"
#include "client/vault_writer.h"
#include "crypto/random.h"
#include "protocol/record.h"
#include "tests/support/builders.h"

namespace godwit::bench {
namespace {

using support::Must;
using support::Require;

// A text that pads to 1 KiB with the length before it.
constexpr std::size_t kTextSize = 1020;

// One client: a member with a connection and a session of their own, and a sensitive vault that
// grows.
class Client {
 public:
  explicit Client(client::Realm& realm) : realm_(realm) {
    Require(realm.Sync());
    auto made = Must(
        client::MakeVault(realm, protocol::Kind::kSensitive,
                          {{realm.member(), protocol::kFull},
                           {MemberWith(realm, protocol::kSupervisor), protocol::kFull}},
                          [](const base::VaultId& id) -> base::Result<std::vector<client::Edit>> {
                            client::Edit edit;
                            edit.record = protocol::PinnedRecordOf(id);
                            edit.content.mutable_link1()->set_case_code("BENCH");
                            return std::vector<client::Edit>{edit};
                          }));
    Require(Must(realm_.server().AppendEntries({made.upload})).front());
    const auto& update = made.update;
    view_ = std::make_unique<client::VaultView>(Must(client::VaultView::FromStored(
        realm, {update.memory, update.entries, update.boxes, update.records})));
    vek_ = Must(view_->KeyOf(1));
    seq_ = view_->state().size();
    head_ = view_->state().head();
  }

  // Seals and signs the calls of the next run.
  void Prepare(std::size_t records, std::size_t calls) {
    calls_.assign(calls, {});
    for (auto& call : calls_) {
      for (std::size_t i = 0; i < records; ++i) call.entries.push_back(NextEntry());
    }
  }

  const std::vector<transport::VaultUpload>& calls() const { return calls_; }

  void Send() {
    for (const auto& call : calls_) {
      const auto answers = Must(realm_.server().AppendEntries({call}));
      Require(answers.front());
    }
  }

 private:
  transport::EntryUpload NextEntry() {
    const auto& state = view_->state();
    protocol::RecordPlace place;
    place.realm = realm_.id();
    place.vault = state.id();
    place.record = crypto::RandomId<base::RecordId>();
    place.author_member = realm_.member();
    place.author_device = realm_.device().id();
    static const base::Bytes text(kTextSize, 'b');
    auto sealed = Must(protocol::SealRecord(
        *vek_, place, text,
        protocol::RecordFloor(protocol::Compartment::kCases, state.kind(), false)));
    protocol::EntryHeader header = realm_.EntryHeaderNow();
    header.vault = state.id();
    header.seq = seq_++;
    header.prev = head_;
    header.epoch_link = state.epoch().link;
    header.pin_link = state.pin_link();
    transport::EntryUpload upload;
    upload.entry = protocol::SignEntry(header, sealed.rev, realm_.device().signing_key());
    upload.salt = std::move(sealed.salt);
    upload.ciphertext = std::move(sealed.ciphertext);
    head_ = protocol::EntryLink(upload.entry);
    return upload;
  }

  client::Realm& realm_;
  std::unique_ptr<client::VaultView> view_;
  const protocol::Vek* vek_ = nullptr;
  std::uint64_t seq_ = 0;
  base::Link head_;
  std::vector<transport::VaultUpload> calls_;
};

// One thread a client.
void ForEach(std::vector<std::unique_ptr<Client>>& clients,
             const std::function<void(Client&)>& work) {
  std::vector<std::jthread> threads;
  for (auto& client : clients) threads.emplace_back([&] { work(*client); });
}

// How many rows each table has that a commit of records writes.
std::map<std::string, std::int64_t> RowCounts(const support::PostgresDatabase& database) {
  std::map<std::string, std::int64_t> counts;
  for (const char* table : {"entry", "leaf", "record", "record_blob", "record_salt"}) {
    counts[table] =
        std::stoll(database.Sql(std::string("SELECT count(*) FROM ") + table).front().front());
  }
  return counts;
}

std::map<std::string, std::int64_t> Added(std::map<std::string, std::int64_t> before,
                                          const support::PostgresDatabase& database) {
  auto added = RowCounts(database);
  for (auto& [table, count] : added) count -= before[table];
  return added;
}

}  // namespace

Comparison MeasureCommit(World& world, const std::string& name, std::size_t records,
                         std::size_t calls) {
  std::vector<std::unique_ptr<Client>> clients;
  for (const auto& realm : world.Clients(kClients)) {
    clients.push_back(std::make_unique<Client>(*realm));
  }
  ForEach(clients, [&](Client& client) { client.Prepare(records, calls); });
  const auto& example = clients.front()->calls().front().entries.front();
  Pgbench pgbench({.clients = kClients,
                   .records = records,
                   .calls = calls,
                   .entry_bytes = example.entry.size(),
                   .ciphertext_bytes = example.ciphertext.size()});

  Comparison comparison{.bench = name, .baseline = "pgbench", .unit = "records/s"};
  comparison.n = kClients * records * calls;
  const auto ours_before = RowCounts(world.cases_database());
  const auto theirs_before = RowCounts(pgbench.database());
  bool prepared = true;
  Interleave(
      comparison,
      [&] {
        if (!prepared) ForEach(clients, [&](Client& client) { client.Prepare(records, calls); });
        prepared = false;
        const double seconds = Seconds([&] { ForEach(clients, [](Client& c) { c.Send(); }); });
        return static_cast<double>(comparison.n) / seconds;
      },
      [&] { return pgbench.Run(); });
  if (Added(ours_before, world.cases_database()) != Added(theirs_before, pgbench.database())) {
    std::cerr << name << ": pgbench and the service wrote different numbers of rows\n";
    std::exit(1);
  }
  return comparison;
}

}  // namespace godwit::bench
