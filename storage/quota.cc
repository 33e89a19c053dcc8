#include "storage/quota.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace godwit::storage {
namespace {

using base::ByteSpan;
using base::Status;

// In the order of the key, so that two batches never wait for each other in a circle.
constexpr Statement kAdd = {"quota_add", R"(
INSERT INTO quota (realm_id, subject, act, day, count)
SELECT $1::bytea, * FROM unnest($2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[])
ON CONFLICT (realm_id, subject, act, day) DO UPDATE SET count = quota.count + excluded.count
RETURNING subject, act, day, count)"};

// Rows that kAdd holds.
constexpr Statement kTakeBack = {"quota_take_back", R"(
INSERT INTO quota (realm_id, subject, act, day, count)
SELECT $1::bytea, * FROM unnest($2::bytea[], $3::bigint[], $4::bigint[], $5::bigint[])
ON CONFLICT (realm_id, subject, act, day) DO UPDATE SET count = quota.count - excluded.count)"};

constexpr Statement kCount = {"quota_count", R"(
SELECT count FROM quota
WHERE realm_id = $1::bytea AND subject = $2::bytea AND act = $3::bigint AND day = $4::bigint)"};

constexpr Statement kDeleteBefore = {
    "quota_delete_before", "DELETE FROM quota WHERE realm_id = $1::bytea AND day < $2::bigint"};

using Counter = std::tuple<QuotaSubject, std::uint16_t, std::uint32_t>;

Counter CounterOf(const QuotaCharge& charge) { return {charge.subject, charge.act, charge.day}; }

// What all acts together add to each counter.
using Totals = std::map<Counter, std::uint64_t>;

Totals Total(std::span<const QuotaCharges> acts) {
  Totals total;
  for (const QuotaCharges charges : acts) {
    for (const QuotaCharge& charge : charges) total[CounterOf(charge)] += charge.amount;
  }
  return total;
}

base::Result<Rows> Change(Transaction& transaction, const base::RealmId& realm,
                          const Statement& statement, const Totals& totals) {
  std::vector<ByteSpan> subjects;
  std::vector<std::uint64_t> acts, days, amounts;
  for (const auto& [counter, amount] : totals) {
    subjects.push_back(std::get<QuotaSubject>(counter).bytes());
    acts.push_back(std::get<1>(counter));
    days.push_back(std::get<2>(counter));
    amounts.push_back(amount);
  }
  Parameters parameters;
  parameters.Id(realm).BytesArray(subjects).IntArray(acts).IntArray(days).IntArray(amounts);
  return transaction.Execute(statement, parameters);
}

// Whether no charge is more than its limit by itself: only such are added before they are judged.
bool MayFit(QuotaCharges charges) {
  return std::ranges::all_of(
      charges, [](const QuotaCharge& charge) { return charge.amount <= charge.limit; });
}

}  // namespace

base::Result<std::vector<bool>> ChargeQuotas(Transaction& transaction, const base::RealmId& realm,
                                             std::span<const QuotaCharges> acts) {
  std::vector<bool> fits(acts.size(), true);
  std::vector<QuotaCharges> added;
  for (std::size_t act = 0; act < acts.size(); ++act) {
    fits[act] = MayFit(acts[act]);
    if (fits[act]) added.push_back(acts[act]);
  }
  const Totals totals = Total(added);
  if (totals.empty()) return fits;
  // All at once, as if all fitted, which they nearly always do; what each found follows from that.
  const auto rows = Change(transaction, realm, kAdd, totals);
  if (!rows) return rows.error();
  std::map<Counter, std::uint64_t> counts;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const Counter counter(rows->As<QuotaSubject>(i, 0), static_cast<std::uint16_t>(rows->Int(i, 1)),
                          static_cast<std::uint32_t>(rows->Int(i, 2)));
    counts[counter] = rows->Int(i, 3) - totals.at(counter);
  }
  std::vector<QuotaCharges> refused;
  for (std::size_t act = 0; act < acts.size(); ++act) {
    if (!fits[act]) continue;
    std::size_t taken = 0;
    for (const QuotaCharge& charge : acts[act]) {
      std::uint64_t& count = counts[CounterOf(charge)];
      // In this order nothing overflows.
      if (count > charge.limit - charge.amount) break;
      count += charge.amount;
      ++taken;
    }
    if (taken == acts[act].size()) continue;
    fits[act] = false;
    refused.push_back(acts[act]);
    for (const QuotaCharge& charge : acts[act].first(taken)) {
      counts[CounterOf(charge)] -= charge.amount;
    }
  }
  if (const Status status = RefundQuotas(transaction, realm, refused); !status) {
    return status.error();
  }
  return fits;
}

Status RefundQuotas(Transaction& transaction, const base::RealmId& realm,
                    std::span<const QuotaCharges> acts) {
  const Totals totals = Total(acts);
  if (totals.empty()) return Status::Ok();
  const auto taken = Change(transaction, realm, kTakeBack, totals);
  if (!taken) return taken.error();
  return Status::Ok();
}

base::Result<std::uint64_t> QuotaStore::Count(const base::RealmId& realm,
                                              const QuotaSubject& subject, std::uint16_t act,
                                              std::uint32_t day) {
  const auto rows = database_.Select(kCount, Parameters().Id(realm).Id(subject).Int(act).Int(day));
  if (!rows) return rows.error();
  return rows->empty() ? 0 : rows->Int(0, 0);
}

Status QuotaStore::DeleteBefore(const base::RealmId& realm, std::uint32_t day) {
  return database_.Write([&](Transaction& transaction) -> Status {
    const auto deleted = transaction.Execute(kDeleteBefore, Parameters().Id(realm).Int(day));
    if (!deleted) return deleted.error();
    return Status::Ok();
  });
}

}  // namespace godwit::storage
