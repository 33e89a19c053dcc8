#include "bench/pgbench.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "tests/tools/run.h"

namespace godwit::bench {
namespace {

constexpr char kProgram[] = "/usr/lib/postgresql/15/bin/pgbench";

// The same rows as a REV a record makes: the vault's head, an entry, a leaf of the log, the
// record's head, a ciphertext and a salt each, and what the author used up of a quota. Every byte
// string is sent by the client, as it is to the service; ids and links are made where they cost
// least.
constexpr char kCommit[] = R"(
WITH head AS (
  UPDATE vault SET head_seq = head_seq + :records::int, roster_seq = 1, mark = pg_current_xact_id(),
                   head_link = sha256(uuid_send(gen_random_uuid()))
  WHERE vault_id = decode(lpad(to_hex(:client_id::int), 32, '0'), 'hex') AND realm_id = :realm::bytea
  RETURNING realm_id, vault_id, head_seq
), rev AS (
  SELECT h.realm_id, h.vault_id, h.head_seq - :records::int + u.i AS seq,
         uuid_send(gen_random_uuid()) AS record_id, sha256(uuid_send(gen_random_uuid())) AS link,
         u.entry, u.ciphertext
  FROM head AS h, unnest(ARRAY[@entries@]::bytea[], ARRAY[@ciphertexts@]::bytea[])
    WITH ORDINALITY AS u (entry, ciphertext, i)
), entries AS (
  INSERT INTO entry (realm_id, vault_id, seq, type, link, bytes)
  SELECT realm_id, vault_id, seq, 3, link, entry FROM rev
), leaves AS (
  INSERT INTO leaf (realm_id, chain_tag, seq, link, leaf_type, roster_seq)
  SELECT realm_id, sha256(vault_id), seq, link, 2, 1 FROM rev
), records AS (
  INSERT INTO record (realm_id, vault_id, record_id, rver, seq, dead)
  SELECT realm_id, vault_id, record_id, 1, seq, false FROM rev
), blobs AS (
  INSERT INTO record_blob (realm_id, vault_id, record_id, rver, ciphertext)
  SELECT realm_id, vault_id, record_id, 1, ciphertext FROM rev
), salts AS (
  INSERT INTO record_salt (realm_id, vault_id, record_id, rver, salt)
  SELECT realm_id, vault_id, record_id, 1, link FROM rev
)
INSERT INTO quota (realm_id, subject, act, day, count)
SELECT realm_id, vault_id, 1, 1, 1 FROM head
ON CONFLICT (subject, act, day, realm_id) DO UPDATE SET count = quota.count + excluded.count;
)";

std::string Repeated(const std::string& what, std::size_t times) {
  std::string list;
  for (std::size_t i = 0; i < times; ++i) list += (i == 0 ? "" : ",") + what;
  return list;
}

void Replace(std::string& text, const std::string& mark, const std::string& by) {
  text.replace(text.find(mark), mark.size(), by);
}

std::string Hex(std::size_t bytes) { return "'\\x" + std::string(2 * bytes, '5') + "'"; }

}  // namespace

Pgbench::Pgbench(const CommitShape& shape) : shape_(shape) {
  std::string text = kCommit;
  Replace(text, "@entries@", Repeated(":entry", shape.records));
  Replace(text, "@ciphertexts@", Repeated(":ciphertext", shape.records));
  char name[] = "/tmp/godwit-bench.XXXXXX";
  const int file = ::mkstemp(name);
  if (file < 0) {
    std::cerr << "no temporary file\n";
    std::exit(1);
  }
  ::close(file);
  script_ = name;
  std::ofstream(script_) << text;
  database_.Sql(
      "INSERT INTO vault (realm_id, vault_id, kind, head_seq, head_link, epoch, epoch_link, "
      "roster_seq, mark, erase_day) SELECT decode(repeat('55', 16), 'hex'), "
      "decode(lpad(to_hex(i), 32, '0'), 'hex'), 10, 1, decode(repeat('55', 32), 'hex'), 1, "
      "decode(repeat('55', 32), 'hex'), 1, pg_current_xact_id(), 0 FROM generate_series(0, " +
      std::to_string(shape.clients - 1) + ") AS i");
}

Pgbench::~Pgbench() { ::unlink(script_.c_str()); }

double Pgbench::Run() const {
  const std::string command =
      std::string(kProgram) + " -n -M prepared -c " + std::to_string(shape_.clients) + " -j 2 -t " +
      std::to_string(shape_.calls) + " -f " + script_ +
      " -D records=" + std::to_string(shape_.records) + " -D realm=" + Hex(16) +
      " -D entry=" + Hex(shape_.entry_bytes) + " -D ciphertext=" + Hex(shape_.ciphertext_bytes) +
      " '" + database_.service() + "'";
  const support::Ran ran = support::RunShell(command);
  const auto at = ran.output.find("tps = ");
  if (ran.exit != 0 || at == std::string::npos) {
    std::cerr << "pgbench failed:\n" << ran.output;
    std::exit(1);
  }
  return std::stod(ran.output.substr(at + 6)) * static_cast<double>(shape_.records);
}

}  // namespace godwit::bench
