#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/support/postgres.h"

namespace godwit::bench {

// What one call of the measured service writes, and how large its parts are.
struct CommitShape {
  std::size_t clients = 0;
  std::size_t records = 0;  // a call
  std::size_t calls = 0;    // a client, in one run
  std::size_t entry_bytes = 0;
  std::size_t ciphertext_bytes = 0;
};

// The rows that a commit of records leaves in one realm's database, written by pgbench in one
// statement a transaction: a database of its own with the same schema, in the same cluster.
class Pgbench {
 public:
  explicit Pgbench(const CommitShape& shape);
  Pgbench(const Pgbench&) = delete;
  Pgbench& operator=(const Pgbench&) = delete;
  ~Pgbench();

  // Records a second of one run, connecting left out. Ends the program where pgbench fails.
  double Run() const;
  const support::PostgresDatabase& database() const { return database_; }

 private:
  CommitShape shape_;
  support::PostgresDatabase database_;
  std::string script_;  // a file
};

}  // namespace godwit::bench
