#include "client/act_alarms.h"

#include <algorithm>

#include "base/clock.h"

namespace godwit::client {
namespace {

constexpr std::string_view kName = "act-alarms";

base::Result<content::v1::ActAlarms> Load(Realm& realm) {
  content::v1::ActAlarms all;
  const auto stored = realm.store().Get(kName);
  if (!stored) return stored.error();
  if (*stored && !all.ParseFromArray((*stored)->data(), static_cast<int>((*stored)->size()))) {
    return base::Error(base::Code::kStateLost, "the alarms of this device are malformed");
  }
  return all;
}

}  // namespace

bool SaysOtherwise(const content::v1::Summary& by_acts,
                   const content::v1::Summary& signed_summary) {
  // Where a summary was written before its acts were, it has no link to them.
  content::v1::Summary left = by_acts;
  content::v1::Summary right = signed_summary;
  for (auto* summary : {&left, &right}) {
    summary->clear_state_link();
    summary->clear_workflow();
    summary->clear_stage_since_day();
  }
  return left.SerializeAsString() != right.SerializeAsString();
}

base::Status KeepActAlarms(Realm& realm, const VaultFile& file, const CaseLife& life,
                           bool summary_differs) {
  if (life.refused.empty() && file.acts().changed.empty() && !summary_differs) return {};
  auto all = Load(realm);
  if (!all) return all.error();
  bool added = false;
  const auto add = [&](content::v1::ActAlarm alarm) {
    alarm.set_vault(base::ToString(file.id().bytes()));
    const bool known = std::ranges::any_of(all->alarms(), [&](const auto& other) {
      return other.vault() == alarm.vault() && other.link() == alarm.link();
    });
    if (known) return;
    alarm.set_seen_ms(base::SystemClock().NowMs());
    *all->add_alarms() = std::move(alarm);
    added = true;
  };
  for (const auto& refused : life.refused) {
    if (refused.act.link.IsZero()) continue;  // waits here, unsigned
    content::v1::ActAlarm alarm;
    alarm.set_link(base::ToString(refused.act.link.bytes()));
    alarm.set_rule(static_cast<std::uint32_t>(refused.rule));
    alarm.set_machine(static_cast<std::uint32_t>(refused.act.act.machine()));
    alarm.set_from(refused.act.act.from());
    alarm.set_to(refused.act.act.to());
    alarm.set_author(base::ToString(refused.act.author.bytes()));
    add(std::move(alarm));
  }
  for (const base::Link& link : file.acts().changed) {
    content::v1::ActAlarm alarm;
    alarm.set_link(base::ToString(link.bytes()));
    alarm.set_rule(static_cast<std::uint32_t>(Rule::kBadRecord));
    add(std::move(alarm));
  }
  if (summary_differs && file.Pinned() != nullptr) {
    content::v1::ActAlarm alarm;
    alarm.set_rule(static_cast<std::uint32_t>(Rule::kBadRecord));
    alarm.set_machine(0);
    alarm.set_author(base::ToString(file.Pinned()->changed_by.bytes()));
    add(std::move(alarm));
  }
  if (!added) return {};
  const std::string bytes = all->SerializeAsString();
  return realm.store().Put(kName, base::AsBytes(bytes));
}

base::Result<std::vector<content::v1::ActAlarm>> ActAlarms(Realm& realm) {
  auto all = Load(realm);
  if (!all) return all.error();
  return std::vector<content::v1::ActAlarm>(all->alarms().begin(), all->alarms().end());
}

}  // namespace godwit::client
