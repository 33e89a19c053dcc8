#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "protocol/session.h"
#include "services/realm/engine.h"
#include "services/realm/uploads.h"
#include "services/server/caller.h"
#include "storage/postgres.h"
#include "tests/support/builders.h"
#include "tests/support/postgres.h"

namespace godwit::realm {

// A clock that a test sets.
class TestClock final : public base::Clock {
 public:
  std::uint64_t NowMs() const override { return now_ms; }
  std::chrono::steady_clock::time_point Steady() const override {
    return std::chrono::steady_clock::now() + std::chrono::milliseconds(steady_ms);
  }
  std::atomic<std::uint64_t> now_ms{1'800'000'000'000};
  std::atomic<std::int64_t> steady_ms{0};  // ahead of the machine's
};

// An engine over a database of its own, without gRPC. `Join` makes a replica.
struct TestEngine {
  explicit TestEngine(protocol::Compartment compartment = protocol::Compartment::kCases,
                      EngineConfig config = {}, support::PostgresDatabase given = {});
  TestEngine(const TestEngine& first, EngineConfig config);

  static const base::Sha256Hash& Spki();

  std::shared_ptr<support::PostgresDatabase> postgres;
  std::shared_ptr<TestClock> clock;
  base::Bytes claim;
  storage::Database database;
  Engine engine;
};

server::Caller CallerOf(const support::Person& person, std::size_t device = 0);

// The statement and its boxes, as its author sends it.
StatementUpload UploadOf(const support::TestRealm& realm, const base::Bytes& statement);
// Sends what `realm` has and the engine has not: GENESIS with the claim, the rest each by its
// author, the root's by the first founder.
void Sync(TestEngine& to, const support::TestRealm& realm);

// An entry of a vault with what goes beside it, as it was made.
EntryUpload UploadOf(const support::TestVault& vault, const base::Bytes& entry);
VaultUpload UploadOf(const support::TestVault& vault, std::size_t from = 0);

// Appends one vault's upload; the answer to it, or the error of the call.
base::Status Append(Engine& engine, const server::Caller& caller, const VaultUpload& upload);
// The whole of a stream of parts.
template <class Part>
base::Result<std::vector<Part>> Drain(base::Result<Source<Part>> source) {
  if (!source) return source.error();
  std::vector<Part> parts;
  for (;;) {
    auto part = (*source)();
    if (!part) return part.error();
    if (!*part) return parts;
    parts.push_back(**std::move(part));
  }
}
base::Result<VaultPart> FetchAll(Engine& engine, const server::Caller& caller,
                                 const base::VaultId& vault, std::uint64_t from_seq = 0);

// An AU for the engine's nonce.
protocol::SessionRequest RequestOf(const support::TestRealm& realm, const support::Person& person,
                                   const storage::Nonce& nonce);

// Everything in the database, as one text: equal before and after a refusal.
std::string Contents(const support::PostgresDatabase& postgres);
std::uint64_t Number(const support::PostgresDatabase& postgres, const std::string& sql);

// "OK", or the name of the code.
std::string CodeOf(const base::Status& status);
template <class T>
std::string CodeOf(const base::Result<T>& result) {
  return result ? "OK" : std::string(base::Name(result.error().code()));
}

}  // namespace godwit::realm
