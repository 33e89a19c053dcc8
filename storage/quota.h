#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "storage/postgres.h"

namespace godwit::storage {

// Whose acts are counted: the bytes of a member's or a vault's id.
using QuotaSubject = base::FixedBytes<struct QuotaSubjectTag, 16>;

template <class Id>
QuotaSubject SubjectOf(const Id& id) {
  return QuotaSubject(id.bytes());
}

// What an act takes from the quota of its subject and day; `act` is a number that the service gives
// to each kind of act, `day` the days since 1970-01-01 UTC. A charge that would bring the day's
// count above `limit` refuses the act that it belongs to, and counts nothing.
struct QuotaCharge {
  QuotaSubject subject;
  std::uint16_t act = 0;
  std::uint32_t day = 0;
  std::uint64_t amount = 1;
  std::uint64_t limit = 0;
};
// The charges of one act.
using QuotaCharges = std::span<const QuotaCharge>;

// Counts those of `acts` that fit, each after those before it that fit, and says which they are.
// Their counters are locked until the transaction ends. Codes as Transaction::Execute.
base::Result<std::vector<bool>> ChargeQuotas(Transaction& transaction, const base::RealmId& realm,
                                             std::span<const QuotaCharges> acts);
// Takes back what `acts`, which fitted, added in this transaction. Codes as Transaction::Execute.
base::Status RefundQuotas(Transaction& transaction, const base::RealmId& realm,
                          std::span<const QuotaCharges> acts);

// Counts and cleanup outside of acts. Thread-safe.
class QuotaStore {
 public:
  explicit QuotaStore(Database& database) : database_(database) {}

  // The count so far. Codes as Database::Read.
  base::Result<std::uint64_t> Count(const base::RealmId& realm, const QuotaSubject& subject,
                                    std::uint16_t act, std::uint32_t day);
  // Forgets the counts of days before `day`. Codes as Database::Write.
  base::Status DeleteBefore(const base::RealmId& realm, std::uint32_t day);

 private:
  Database& database_;
};

}  // namespace godwit::storage
