#include "storage/quota.h"

#include <map>
#include <tuple>

namespace godwit::storage {
namespace {

using base::ByteSpan;
using base::Status;

// Locks each row, which may have to be made first. In the order of the key, so that two batches
// never wait for each other in a circle.
constexpr Statement kLock = {"quota_lock", R"(
INSERT INTO quota (realm_id, subject, act, day, count)
SELECT $1::bytea, u.subject, u.act, u.day, 0
FROM unnest($2::bytea[], $3::bigint[], $4::bigint[]) AS u (subject, act, day)
ORDER BY u.subject, u.act, u.day
ON CONFLICT (realm_id, subject, act, day) DO UPDATE SET count = quota.count
RETURNING subject, act, day, count)"};

constexpr Statement kAdd = {"quota_add", R"(
INSERT INTO quota (realm_id, subject, act, day, count)
SELECT $1::bytea, * FROM unnest($2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[])
ON CONFLICT (realm_id, subject, act, day) DO UPDATE SET count = quota.count + excluded.count)"};

constexpr Statement kCount = {"quota_count", R"(
SELECT count FROM quota
WHERE realm_id = $1::bytea AND subject = $2::bytea AND act = $3::bigint AND day = $4::bigint)"};

constexpr Statement kDeleteBefore = {
    "quota_delete_before", "DELETE FROM quota WHERE realm_id = $1::bytea AND day < $2::bigint"};

using Counter = std::tuple<QuotaSubject, std::uint16_t, std::uint32_t>;

Counter CounterOf(const QuotaCharge& charge) { return {charge.subject, charge.act, charge.day}; }

// What all acts together add to each counter.
std::map<Counter, std::uint64_t> Total(std::span<const QuotaCharges> acts) {
  std::map<Counter, std::uint64_t> total;
  for (const QuotaCharges charges : acts) {
    for (const QuotaCharge& charge : charges) total[CounterOf(charge)] += charge.amount;
  }
  return total;
}

struct Columns {
  std::vector<ByteSpan> subjects;
  std::vector<std::uint64_t> acts, days, amounts;

  // The spans look into `total`.
  explicit Columns(const std::map<Counter, std::uint64_t>& total) {
    for (const auto& [counter, amount] : total) {
      subjects.push_back(std::get<QuotaSubject>(counter).bytes());
      acts.push_back(std::get<1>(counter));
      days.push_back(std::get<2>(counter));
      amounts.push_back(amount);
    }
  }
  Parameters Start(const base::RealmId& realm) const {
    Parameters parameters;
    parameters.Id(realm).BytesArray(subjects).IntArray(acts).IntArray(days);
    return parameters;
  }
};

}  // namespace

base::Result<std::vector<bool>> JudgeQuotas(Transaction& transaction, const base::RealmId& realm,
                                            std::span<const QuotaCharges> acts) {
  std::vector<bool> fits(acts.size(), true);
  const auto total = Total(acts);
  if (total.empty()) return fits;
  const Columns columns(total);
  const auto rows = transaction.Execute(kLock, columns.Start(realm));
  if (!rows) return rows.error();
  std::map<Counter, std::uint64_t> counts;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const Counter counter(rows->As<QuotaSubject>(i, 0), static_cast<std::uint16_t>(rows->Int(i, 1)),
                          static_cast<std::uint32_t>(rows->Int(i, 2)));
    counts[counter] = rows->Int(i, 3);
  }
  for (std::size_t act = 0; act < acts.size(); ++act) {
    std::size_t taken = 0;
    for (const QuotaCharge& charge : acts[act]) {
      std::uint64_t& count = counts[CounterOf(charge)];
      // In this order nothing overflows.
      if (charge.amount > charge.limit || count > charge.limit - charge.amount) break;
      count += charge.amount;
      ++taken;
    }
    if (taken == acts[act].size()) continue;
    fits[act] = false;
    for (const QuotaCharge& charge : acts[act].first(taken)) {
      counts[CounterOf(charge)] -= charge.amount;
    }
  }
  return fits;
}

Status CountQuotas(Transaction& transaction, const base::RealmId& realm,
                   std::span<const QuotaCharges> acts) {
  const auto total = Total(acts);
  if (total.empty()) return Status::Ok();
  const Columns columns(total);
  const auto added = transaction.Execute(kAdd, columns.Start(realm).IntArray(columns.amounts));
  if (!added) return added.error();
  return Status::Ok();
}

base::Result<std::uint64_t> QuotaStore::Count(const base::RealmId& realm,
                                              const QuotaSubject& subject, std::uint16_t act,
                                              std::uint32_t day) {
  return ReadAs<std::uint64_t>(
      database_, [&](Transaction& transaction) -> base::Result<std::uint64_t> {
        const auto rows =
            transaction.Execute(kCount, Parameters().Id(realm).Id(subject).Int(act).Int(day));
        if (!rows) return rows.error();
        return rows->empty() ? 0 : rows->Int(0, 0);
      });
}

Status QuotaStore::DeleteBefore(const base::RealmId& realm, std::uint32_t day) {
  return database_.Write([&](Transaction& transaction) -> Status {
    const auto deleted = transaction.Execute(kDeleteBefore, Parameters().Id(realm).Int(day));
    if (!deleted) return deleted.error();
    return Status::Ok();
  });
}

}  // namespace godwit::storage
