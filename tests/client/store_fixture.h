#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

#include "client/store.h"
#include "tests/client/temporary.h"

namespace godwit::client {

using base::Bytes;
using base::ByteSpan;
using base::Code;
using protocol::Kind;

class FixedClock final : public base::Clock {
 public:
  std::uint64_t NowMs() const override { return now_ms_++; }
  std::chrono::steady_clock::time_point Steady() const override { return {}; }

 private:
  mutable std::uint64_t now_ms_ = 1'700'000'000'000;
};

inline Bytes Text(std::string_view text) { return base::ToBytes(base::AsBytes(text)); }

template <class T>
Code CodeOf(const base::Result<T>& result) {
  EXPECT_FALSE(result.ok());
  return result.ok() ? Code::kInternal : result.error().code();
}

// A new vault with entries 0 to `last`.
inline VaultUpdate SomeVault(std::uint64_t last, Kind kind = Kind::kCase) {
  VaultUpdate update;
  update.vault = crypto::RandomId<base::VaultId>();
  update.memory = {kind, last, crypto::RandomId<base::Link>(), 3, 1, false};
  for (std::uint64_t seq = 0; seq <= last; ++seq) {
    update.entries.push_back(Text("entry " + std::to_string(seq)));
  }
  update.boxes[1] = Text("box of epoch 1");
  return update;
}

// What follows `update` by one entry.
inline VaultUpdate Next(const VaultUpdate& update) {
  VaultUpdate next;
  next.vault = update.vault;
  next.memory = update.memory;
  ++next.memory.seq;
  next.memory.head = crypto::RandomId<base::Link>();
  next.entries = {Text("entry " + std::to_string(next.memory.seq))};
  return next;
}

inline RecordBlob SomeRecord(std::uint64_t rver = 1) {
  return {crypto::RandomId<base::RecordId>(), rver, Bytes(32, 5), Bytes(300, 6)};
}

// Of a vault's first five entries, and one more.
inline EvidenceItem SomeEvidence(Code code, std::string_view text) {
  return {code,
          3,
          5,
          {.claim = protocol::Claim::kEntry,
           .form = protocol::Evidence::Form::kChain,
           .exhibits = {Text(text)}}};
}

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void WriteFile(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  chmod(path.c_str(), 0600);
}

class StoreTest : public testing::Test {
 protected:
  Store Create() {
    auto store = Store::Create(path_, key_, realm_, clock_);
    EXPECT_TRUE(store) << store.error().message();
    return *std::move(store);
  }
  base::Result<Store> Open() const { return Store::Open(path_, key_, realm_, clock_); }
  Store Reopen() const {
    auto store = Open();
    EXPECT_TRUE(store) << store.error().message();
    return *std::move(store);
  }
  // Changes the file behind the store's back. Only while no Store is open.
  void Tamper(const std::string& sql) const {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    const int code = sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
    EXPECT_EQ(code, SQLITE_OK) << sqlite3_errmsg(db);
    EXPECT_GT(sqlite3_total_changes(db) + (sql.find("CREATE") == 0 || sql.find("PRAGMA") == 0), 0)
        << "nothing was changed by " << sql;
    sqlite3_close(db);
  }

  support::TemporaryDir dir_;
  std::filesystem::path path_ = dir_.path() / "cases.db";
  StoreKey key_ = *StoreKey::Random();
  base::RealmId realm_ = crypto::RandomId<base::RealmId>();
  FixedClock clock_;
};

// What a test's store is filled with, and all that it then says.
struct Filled {
  VaultUpdate first = SomeVault(2);
  VaultUpdate second = SomeVault(2);

  Filled() {
    first.records = {SomeRecord(), SomeRecord()};
    second.records = {SomeRecord()};
  }
  void Fill(Store& store) const {
    ASSERT_TRUE(store.AppendRoster(0, {Text("genesis"), Text("rotate"), Text("third")}));
    ASSERT_TRUE(store.Apply({first, second}));
    ASSERT_TRUE(store.PutRows(Kind::kCase, {{first.vault, Text("r1")}, {second.vault, Text("r2")}},
                              Text("cursor")));
    ASSERT_TRUE(store.PutOutbox(Text("waits")));
    ASSERT_TRUE(store.PutOutbox(Text("waits too")));
    ASSERT_TRUE(store.KeepEvidence(SomeEvidence(Code::kFork, "evidence")));
    ASSERT_TRUE(store.Put("name", Text("value")));
  }
};

// All that a store says, as one text; or the first code that it refuses with.
inline base::Result<std::string> Everything(const base::Result<Store>& open, const Filled& filled) {
  if (!open) return open.error();
  const Store& store = *open;
  std::string all;
  const auto add = [&](ByteSpan bytes) { all += base::ToHex(bytes) + ";"; };
  const auto roster = store.Roster();
  if (!roster) return roster.error();
  for (const auto& statement : *roster) add(statement);
  const auto vaults = store.Vaults();
  if (!vaults) return vaults.error();
  all += std::to_string(vaults->size()) + ";";
  for (const auto& id : {filled.first.vault, filled.second.vault}) {
    const auto remembered = store.Remembered(id);
    if (!remembered) return remembered.error();
    const auto vault = store.Load(id);
    if (!vault) return vault.error();
    if (!*vault || !*remembered || **remembered != (*vault)->memory) {
      all += "none;";
      continue;
    }
    const auto& memory = (*vault)->memory;
    all += std::to_string(memory.seq) + "," + std::to_string(memory.roster_seq) + "," +
           std::to_string(memory.epoch) + "," + std::to_string(memory.frozen) + ";";
    add(memory.head.bytes());
    for (const auto& entry : (*vault)->entries) add(entry);
    for (const auto& [epoch, box] : (*vault)->boxes) add(box);
    for (const auto& record : (*vault)->records) {
      add(record.record.bytes());
      add(record.salt);
      add(record.ciphertext);
    }
  }
  const auto rows = store.Rows(Kind::kCase);
  if (!rows) return rows.error();
  for (const auto& [vault, row] : *rows) add(row);
  const auto cursor = store.RowsCursor(Kind::kCase);
  if (!cursor) return cursor.error();
  add(*cursor);
  const auto outbox = store.Outbox();
  if (!outbox) return outbox.error();
  for (const auto& item : *outbox) add(item.content);
  const auto evidence = store.KeptEvidence();
  if (!evidence) return evidence.error();
  for (const auto& one : *evidence) add(protocol::WriteEvidence(one.piece));
  const auto value = store.Get("name");
  if (!value) return value.error();
  all += *value ? "named;" : "unnamed;";
  if (*value) add(**value);
  return all;
}

// MI-12: `samples` changed bytes, spread over the file.
inline void FlipBytes(const std::filesystem::path& path, std::size_t samples, std::uint32_t seed,
                      const std::function<base::Result<std::string>()>& everything) {
  const auto good = ReadFile(path);
  const auto want = everything();
  ASSERT_TRUE(want);
  std::mt19937 random(seed);
  std::size_t refused = 0;
  std::size_t healed = 0;
  for (std::size_t i = 0; i < samples; ++i) {
    // Every byte of SQLite's header once, then anywhere.
    const std::size_t at = i < 100 ? i : random() % good.size();
    std::string changed = good;
    changed[at] = static_cast<char>(changed[at] ^ (1 + random() % 255));
    WriteFile(path, changed);
    std::filesystem::remove(path.string() + "-wal");
    std::filesystem::remove(path.string() + "-shm");
    const auto all = everything();
    if (all) {
      ++healed;
      ASSERT_EQ(*all, *want) << "byte " << at << ", seed " << seed;
    } else {
      ++refused;
      const auto code = all.error().code();
      ASSERT_TRUE(code == Code::kStateLost || code == Code::kIo || code == Code::kUnsupported ||
                  code == Code::kResourceExhausted)
          << "byte " << at << " gives " << base::Name(code) << ", seed " << seed;
    }
  }
  std::cout << samples << " changed bytes of " << good.size() << ": " << refused << " refused, "
            << healed << " without effect, seed " << seed << "\n";
  EXPECT_GT(refused, samples / 20);
  WriteFile(path, good);
  EXPECT_EQ(*everything(), *want);
}

}  // namespace godwit::client
