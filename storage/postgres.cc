#include "storage/postgres.h"

#include <cassert>
#include <charconv>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <pqxx/pqxx>
#include <thread>
#include <type_traits>
#include <unordered_set>

namespace godwit::storage {
namespace {

using base::Code;
using base::Error;
using base::Status;

constexpr Error kUnknownOutcome(
    Code::kUnavailable,
    "unknown outcome: the database's answer to COMMIT was lost; read before going on");
constexpr Error kUnreachable(Code::kUnavailable, "the database cannot be reached: try again");

// Types of array elements, from pg_type.
constexpr std::uint32_t kByteaOid = 17;
constexpr std::uint32_t kBigintOid = 20;

constexpr int kMaxRetries = 8;

void AppendInt(base::Bytes& out, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

// An array of one dimension, as array_recv reads it:
//
//   i32 dimensions (0: empty) | i32 1 if there are nulls | u32 type
//   | i32 number of elements | i32 index of the first | each: i32 size | bytes
void AppendArrayHeader(base::Bytes& out, std::uint32_t type, std::size_t elements) {
  AppendInt(out, elements == 0 ? 0 : 1, 4);
  AppendInt(out, 0, 4);
  AppendInt(out, type, 4);
  if (elements == 0) return;
  AppendInt(out, elements, 4);
  AppendInt(out, 1, 4);
}

// Why a statement or a connection failed, and what may be done about it.
struct Failure {
  Error error;
  bool lost = false;      // the connection is gone
  bool again = false;     // the same transaction may succeed if it is run again
  bool undoable = false;  // a savepoint undoes it
};

Failure ExplainSqlState(std::string_view state) {
  const std::string_view category = state.substr(0, 2);
  if (state == "40001" || state == "40P01") {
    return {.error = {Code::kUnavailable, "the database is too busy with the same rows: try again"},
            .again = true};
  }
  if (state == "23505") {
    return {.error = {Code::kExists, "a row with this key is there already"}, .undoable = true};
  }
  if (category == "22" || category == "23") {
    return {.error = {Code::kInvalidArgument, "a row breaks a limit of the schema"},
            .undoable = true};
  }
  if (state == "42501") {
    return {.error = {Code::kPermissionDenied, "the database role may not do this"}};
  }
  if (state == "57014") {
    return {.error = {Code::kDeadline, "a statement took longer than the time allowed"}};
  }
  if (state == "55P03") {
    return {.error = {Code::kDeadline, "a lock was not free in the time allowed"}};
  }
  if (category == "53") {
    return {.error = {Code::kResourceExhausted,
                      "the database server is out of disk, memory or connections"}};
  }
  if (category == "57" || category == "08") return {.error = kUnreachable, .lost = true};
  return {.error = {Code::kInternal, "the database refused a statement"}};
}

// libpqxx 6.4 gives some errors a type of their own and drops their SQLSTATE.
std::string SqlStateOf(const std::exception& thrown) {
  const auto is = [&]<class Type>(std::type_identity<Type>) {
    return dynamic_cast<const Type*>(&thrown) != nullptr;
  };
  if (is(std::type_identity<pqxx::serialization_failure>())) return "40001";
  if (is(std::type_identity<pqxx::deadlock_detected>())) return "40P01";
  if (is(std::type_identity<pqxx::broken_connection>())) return "08006";
  if (is(std::type_identity<pqxx::insufficient_privilege>())) return "42501";
  if (is(std::type_identity<pqxx::insufficient_resources>())) return "53000";
  if (is(std::type_identity<pqxx::unique_violation>())) return "23505";
  if (is(std::type_identity<pqxx::integrity_constraint_violation>())) return "23000";
  if (is(std::type_identity<pqxx::data_exception>())) return "22000";
  const auto* sql = dynamic_cast<const pqxx::sql_error*>(&thrown);
  return sql == nullptr ? "" : sql->sqlstate();
}

Failure Explain(const std::exception& thrown, const pqxx::connection_base& connection) {
  if (!connection.is_open()) return {.error = kUnreachable, .lost = true};
  return ExplainSqlState(SqlStateOf(thrown));
}

// Remembers that the server said something beside its answers, and lets nobody print it.
class NoticeFlag final : public pqxx::errorhandler {
 public:
  explicit NoticeFlag(pqxx::connection_base& connection) : errorhandler(connection) {}

  bool operator()(const char[]) noexcept override {
    raised_ = true;
    return false;
  }
  void Reset() { raised_ = false; }
  bool raised() const { return raised_; }

 private:
  bool raised_ = false;
};

struct Connection {
  explicit Connection(const std::string& conninfo) : link(conninfo), notices(link) {}

  pqxx::connection link;
  NoticeFlag notices;
  std::unordered_set<const char*> prepared;
  std::uint64_t generation = 0;
};

std::string SessionSettings(const DatabaseOptions& options) {
  // Every statement of a store has an index to go by; what the planner believes of a table that
  // grew since it was looked at must not make it read the whole. Plans are made once a connection,
  // not once for each array of parameters.
  return "SET statement_timeout = " + std::to_string(options.statement_timeout.count()) +
         "; SET lock_timeout = " + std::to_string(options.lock_timeout.count()) +
         "; SET idle_in_transaction_session_timeout = '60s'"
         "; SET search_path = public; SET bytea_output = hex; SET client_min_messages = warning"
         "; SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; SET jit = off";
}

}  // namespace

Parameters& Parameters::Int(std::uint64_t value) {
  AppendInt(values_.emplace_back(), value, 8);
  return *this;
}

Parameters& Parameters::Bytes(base::ByteSpan value) {
  values_.emplace_back(value.begin(), value.end());
  return *this;
}

Parameters& Parameters::Text(std::string_view value) { return Bytes(base::AsBytes(value)); }

Parameters& Parameters::IntArray(std::span<const std::uint64_t> values) {
  base::Bytes& out = values_.emplace_back();
  out.reserve(20 + 12 * values.size());
  AppendArrayHeader(out, kBigintOid, values.size());
  for (const std::uint64_t value : values) {
    AppendInt(out, 8, 4);
    AppendInt(out, value, 8);
  }
  return *this;
}

Parameters& Parameters::BytesArray(std::span<const base::ByteSpan> values) {
  base::Bytes& out = values_.emplace_back();
  std::size_t size = 20;
  for (const base::ByteSpan value : values) size += 4 + value.size();
  out.reserve(size);
  AppendArrayHeader(out, kByteaOid, values.size());
  for (const base::ByteSpan value : values) {
    AppendInt(out, value.size(), 4);
    base::Append(out, value);
  }
  return *this;
}

struct Rows::Impl {
  pqxx::result result;
};

Rows::Rows() = default;
Rows::Rows(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Rows::Rows(Rows&&) noexcept = default;
Rows& Rows::operator=(Rows&&) noexcept = default;
Rows::~Rows() = default;

std::size_t Rows::size() const { return impl_->result.size(); }
std::uint64_t Rows::affected() const { return impl_->result.affected_rows(); }

bool Rows::IsNull(std::size_t row, std::size_t column) const {
  return impl_
      ->result[static_cast<pqxx::result::size_type>(row)][static_cast<pqxx::row::size_type>(column)]
      .is_null();
}

std::string_view Rows::Text(std::size_t row, std::size_t column) const {
  const pqxx::field field = impl_->result[static_cast<pqxx::result::size_type>(row)]
                                         [static_cast<pqxx::row::size_type>(column)];
  return {field.c_str(), field.size()};
}

std::uint64_t Rows::Int(std::size_t row, std::size_t column) const {
  const std::string_view text = Text(row, column);
  std::uint64_t value = 0;
  [[maybe_unused]] const auto parsed =
      std::from_chars(text.data(), text.data() + text.size(), value);
  assert(parsed.ec == std::errc() && parsed.ptr == text.data() + text.size());
  return value;
}

bool Rows::Bool(std::size_t row, std::size_t column) const { return Text(row, column) == "t"; }

base::Bytes Rows::Bytes(std::size_t row, std::size_t column) const {
  // bytea_output = hex: "\x", then two digits a byte.
  const std::string_view text = Text(row, column);
  assert(text.starts_with("\\x"));
  auto bytes = base::FromHex(text.substr(2));
  assert(bytes);
  return *std::move(bytes);
}

struct Transaction::Impl {
  Connection& connection;
  pqxx::transaction_base& work;
  std::optional<Failure> failure = std::nullopt;
};

base::Result<Rows> Transaction::Execute(const Statement& statement, const Parameters& parameters) {
  if (impl_->failure) return impl_->failure->error;
  try {
    if (impl_->connection.prepared.insert(statement.name).second) {
      impl_->connection.link.prepare(statement.name, statement.sql);
    }
    std::vector<pqxx::binarystring> values;
    values.reserve(parameters.values_.size());
    for (const base::Bytes& value : parameters.values_) {
      values.emplace_back(static_cast<const void*>(value.data()), value.size());
    }
    auto rows = std::make_unique<Rows::Impl>();
    rows->result =
        impl_->work.exec_prepared(statement.name, pqxx::prepare::make_dynamic_params(values));
    return Rows(std::move(rows));
  } catch (const std::exception& thrown) {
    impl_->failure = Explain(thrown, impl_->connection.link);
    return impl_->failure->error;
  }
}

Status Transaction::Script(std::string_view sql) {
  if (impl_->failure) return impl_->failure->error;
  try {
    impl_->work.exec(std::string(sql));
    return Status::Ok();
  } catch (const std::exception& thrown) {
    impl_->failure = Explain(thrown, impl_->connection.link);
    // libpqxx has rolled everything back: no savepoint is left.
    impl_->failure->undoable = false;
    return impl_->failure->error;
  }
}

Status Transaction::Attempt(const std::function<Status(Transaction&)>& work) {
  Status status = Script("SAVEPOINT attempt");
  if (!status) return status;
  status = work(*this);
  if (status) return Script("RELEASE SAVEPOINT attempt");
  if (impl_->failure && !impl_->failure->undoable) return status;
  impl_->failure.reset();
  if (const Status undone = Script("ROLLBACK TO SAVEPOINT attempt"); !undone) return undone;
  if (const Status released = Script("RELEASE SAVEPOINT attempt"); !released) return released;
  return status;
}

struct Database::Impl {
  // A single statement is a transaction without being told so.
  enum class Mode { kRead, kSelect, kWrite };

  explicit Impl(DatabaseOptions given) : options(std::move(given)) {
    // Before the caller's own, which are then stronger.
    options.conninfo =
        "connect_timeout=5 tcp_user_timeout=10000 application_name=godwit " + options.conninfo;
  }

  // A free connection or a new one.
  base::Result<std::unique_ptr<Connection>> Take() {
    std::uint64_t current = 0;
    {
      std::unique_lock lock(mutex);
      if (!given_back.wait_for(lock, options.wait,
                               [&] { return !idle.empty() || open < options.connections; })) {
        return Error(Code::kResourceExhausted,
                     "all connections to the database are in use: try again");
      }
      if (!idle.empty()) {
        auto connection = std::move(idle.back());
        idle.pop_back();
        return connection;
      }
      ++open;
      current = generation;
    }
    try {
      auto connection = std::make_unique<Connection>(options.conninfo);
      connection->generation = current;
      pqxx::nontransaction(connection->link).exec(SessionSettings(options));
      return connection;
    } catch (const std::exception&) {
      Give(nullptr);
      return kUnreachable;
    }
  }

  // Takes a connection back; nullptr for one that is gone.
  void Give(std::unique_ptr<Connection> connection) {
    {
      const std::lock_guard lock(mutex);
      if (connection && connection->generation == generation) {
        idle.push_back(std::move(connection));
      } else {
        --open;
      }
    }
    given_back.notify_one();
    // A connection that is not kept closes here, outside the lock.
  }

  // What killed one connection most likely killed all: none that idles is trusted any more.
  void DropIdle() {
    std::vector<std::unique_ptr<Connection>> dropped;
    {
      const std::lock_guard lock(mutex);
      ++generation;
      open -= idle.size();
      dropped.swap(idle);
    }
    given_back.notify_all();
  }

  struct Outcome {
    Status status;
    bool again = false;
    bool lost = false;  // before COMMIT was sent
  };

  Outcome RunOnce(Connection& connection, Mode mode,
                  const std::function<Status(Transaction&)>& work) {
    bool committing = false;
    try {
      std::unique_ptr<pqxx::transaction_base> pending;
      switch (mode) {
        case Mode::kRead:
          pending = std::make_unique<pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>>(
              connection.link);
          break;
        case Mode::kSelect:
          pending = std::make_unique<pqxx::nontransaction>(connection.link);
          break;
        case Mode::kWrite:
          pending = std::make_unique<pqxx::transaction<pqxx::read_committed>>(connection.link);
          break;
      }
      Transaction::Impl impl{.connection = connection, .work = *pending};
      Transaction transaction(&impl);
      Status status = work(transaction);
      if (impl.failure) {
        return {impl.failure->error, impl.failure->again, impl.failure->lost};
      }
      if (!status) return {status};
      if (mode == Mode::kWrite) {
        // A COMMIT that is cancelled while it waits for a standby has taken place all the same.
        pending->exec("SET LOCAL statement_timeout = 0");
        committing = true;
        connection.notices.Reset();
      }
      pending->commit();
      // The server warns of a commit that may not last, and then calls it a success.
      if (mode == Mode::kWrite && connection.notices.raised()) return {kUnknownOutcome};
      return {Status::Ok()};
    } catch (const pqxx::in_doubt_error&) {
      if (mode != Mode::kWrite) return {.status = kUnreachable, .lost = true};
      return {kUnknownOutcome};
    } catch (const std::exception& thrown) {
      const Failure failure = Explain(thrown, connection.link);
      if (committing && failure.lost) return {kUnknownOutcome};
      return {failure.error, failure.again, failure.lost};
    }
  }

  Status Run(Mode mode, const std::function<Status(Transaction&)>& work) {
    bool reconnected = false;
    for (int retries = 0;; ++retries) {
      auto connection = Take();
      if (!connection) return connection.error();
      const Outcome outcome = RunOnce(**connection, mode, work);
      if (!(*connection)->link.is_open()) {
        connection->reset();
        DropIdle();
      }
      Give(*std::move(connection));
      if (outcome.lost && !reconnected) {
        reconnected = true;
        continue;
      }
      if (!outcome.again || retries == kMaxRetries) return outcome.status;
      std::this_thread::sleep_for(std::chrono::milliseconds(1 << retries));
    }
  }

  DatabaseOptions options;
  std::mutex mutex;
  std::condition_variable given_back;
  std::vector<std::unique_ptr<Connection>> idle;
  std::size_t open = 0;  // idle or in use
  std::uint64_t generation = 0;
};

Database::Database(DatabaseOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Database::~Database() = default;

Status Database::Write(const std::function<Status(Transaction&)>& work) {
  return impl_->Run(Impl::Mode::kWrite, work);
}

Status Database::Read(const std::function<Status(Transaction&)>& work) {
  return impl_->Run(Impl::Mode::kRead, work);
}

base::Result<Rows> Database::Select(const Statement& statement, const Parameters& parameters) {
  Rows rows;
  const Status status = impl_->Run(Impl::Mode::kSelect, [&](Transaction& transaction) -> Status {
    auto selected = transaction.Execute(statement, parameters);
    if (!selected) return selected.error();
    rows = *std::move(selected);
    return Status::Ok();
  });
  if (!status) return status.error();
  return rows;
}

bool IsUnknownOutcome(const Error& error) { return error.message() == kUnknownOutcome.message(); }

}  // namespace godwit::storage
