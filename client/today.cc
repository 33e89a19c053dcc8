#include "client/today.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "client/act_alarms.h"
#include "client/case_acts.h"
#include "client/cases.h"
#include "client/casework/field.h"
#include "client/consents.h"
#include "client/entries.h"
#include "client/handover.h"
#include "client/outbox.h"
#include "client/vault_file.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Status;
using content::v1::Record;
using protocol::Compartment;
using protocol::Kind;
using What = TodayItem::What;

template <class Enum>
std::string NameOf(Enum value) {
  const auto* found = google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(value);
  return found == nullptr || value == 0 ? std::string() : ShortName(*found);
}

class Collector {
 public:
  Collector(Organisation& organisation, std::uint32_t today)
      : organisation_(organisation), today_(today) {}

  Status TakeOutbox(Realm& realm) {
    const auto waiting = OutboxOf(realm);
    if (!waiting) return waiting.error();
    for (const Pending& pending : *waiting) {
      if (!pending.refused) continue;
      items_.push_back({What::kRefused, "", 0, pending.what, std::to_string(pending.id)});
    }
    const auto alarms = ActAlarms(realm);
    if (!alarms) return alarms.error();
    for (const auto& alarm : *alarms) {
      items_.push_back({What::kAlarm, codes_[alarm.vault()], 0,
                        std::string(RuleText(static_cast<Rule>(alarm.rule())).text()), ""});
    }
    return {};
  }

  // What lies in the vaults of a kind that are on this device whole.
  Status TakeVaults(Realm& realm, Kind kind) {
    const auto rows = RowsWithWaiting(realm, kind);
    if (!rows) return rows.error();
    for (const PinnedRow& row : *rows) {
      const std::string& code = CodeOf(row.record);
      codes_[base::ToString(row.vault.bytes())] = code;
      const auto file = VaultFile::Open(realm, row.vault, From::kDevice);
      if (!file) {
        // A board's row whose vault was never opened here: its summary says what it can.
        if (file.error().code() != Code::kNotFound) return file.error();
        if (kind == Kind::kCase) TakeSummary(realm, row.record.summary(), kNoHat);
        continue;
      }
      // What changed since is in the row alone, until the next sync.
      if (file->view() != nullptr && file->view()->state().head_seq() < row.head_seq) {
        if (kind == Kind::kCase) TakeSummary(realm, row.record.summary(), file->hats());
        continue;
      }
      TakeFile(realm, *file, code);
      if (kind == Kind::kCase) {
        const CaseLife life = file->Life();
        content::v1::Summary summary = row.record.summary();
        WriteLife(life, summary);
        TakeSummary(realm, summary, file->hats());
        TakeWaiting(realm, life, file->hats(), code);
        if (const auto taken = TakeCrossings(*file, life, code); !taken) return taken;
      }
    }
    return {};
  }

  std::vector<TodayItem> Take() {
    std::ranges::stable_sort(items_, {}, [](const TodayItem& item) {
      return std::tuple(item.due_day == 0, item.due_day, item.what, item.code);
    });
    return std::move(items_);
  }

 private:
  void TakeFile(const Realm& realm, const VaultFile& file, const std::string& code) {
    const std::string me = base::ToString(realm.member().bytes());
    for (const auto* entry : file.Of(Record::kTask)) {
      const auto& task = entry->content.task();
      if (task.done() || task.to() != me) continue;
      items_.push_back({What::kTask, code, task.due_day(),
                        task.text().empty() ? NameOf(task.kind()) : task.text(),
                        ShortId(entry->record)});
    }
    for (const auto* entry : file.Of(Record::kComment)) {
      const auto& comment = entry->content.comment();
      if (comment.read_ms() != 0 || comment.to() != me) continue;
      items_.push_back({What::kComment, code, 0, comment.text(), ShortId(entry->record)});
    }
    for (const auto* entry : file.Of(Record::kConflict)) {
      const auto& conflict = entry->content.conflict();
      if (conflict.settled()) continue;
      items_.push_back({What::kConflict, code, 0, conflict.field(), ShortId(entry->record)});
    }
    if (file.view() != nullptr && file.kind() == Kind::kPerson) {
      for (const auto& [member, asked] : file.view()->asked()) {
        if (member == realm.member() || !asked.assents.empty() || asked.refused) continue;
        items_.push_back(
            {What::kIdentityAsked, code, 0, std::to_string(asked.ask.hours) + " h", ""});
      }
    }
    if ((file.hats() & kCaseworkerHat) == 0) return;
    for (const auto* entry : file.Of(Record::kFollowUp)) {
      const auto& follow_up = entry->content.follow_up();
      if (follow_up.done_day() != 0 || follow_up.due_day() == 0 || follow_up.due_day() > today_) {
        continue;
      }
      items_.push_back({What::kFollowUp, code, follow_up.due_day(), NameOf(follow_up.type()),
                        ShortId(entry->record)});
    }
  }

  void TakeSummary(const Realm& realm, const content::v1::Summary& summary, Hats hats) {
    const bool supervises = summary.supervisor() == base::ToString(realm.member().bytes());
    const bool coordinates =
        (hats & kCoordinatorHat) != 0 || (realm.roles() & protocol::kCoordinator) != 0;
    const auto add = [&](content::v1::ApprovalState state, bool mine, const char* what) {
      if (state != content::v1::APPROVAL_STATE_PENDING || !mine) return;
      items_.push_back({What::kApprovalWaits, summary.code(), 0, what, ""});
    };
    add(summary.approval_assessment(), supervises, "assessment");
    add(summary.approval_case_plan(), supervises, "plan");
    add(summary.approval_closure(), supervises || coordinates, "closure");
  }

  void TakeWaiting(const Realm& realm, const CaseLife& life, Hats hats, const std::string& code) {
    for (const SignedAct& act : life.waiting) {
      if (act.author == realm.member() || (hats & (kSupervisorHat | kCoordinatorHat)) == 0)
        continue;
      items_.push_back({What::kSecondWaits, code, 0, NameOf(act.act.reason()), ""});
    }
  }

  // What shows where parts of a case lie side by side.
  Status TakeCrossings(const VaultFile& file, const CaseLife& life, const std::string& code) {
    if ((file.hats() & (kCaseworkerHat | kSupervisorHat)) == 0) return {};
    const auto handed = HandOverOf(organisation_, code, true);
    if (!handed) {
      return handed.error().code() == Code::kNotFound ? Status() : Status(handed.error());
    }
    if (handed->half_done()) {
      items_.push_back(
          {What::kHandOver, code, 0,
           handed->case_with + " / " + handed->sensitive_with + " / " + handed->person_with, ""});
    }
    if ((file.hats() & kCaseworkerHat) == 0) return {};
    const auto cases = organisation_.Get(Compartment::kCases);
    const auto identity = organisation_.Get(Compartment::kIdentity);
    if (!cases || !identity) return {};
    const auto sensitive = OpenCaseFile(**cases, Kind::kSensitive, code, From::kDevice);
    if (!sensitive || sensitive->Pinned() == nullptr) return {};
    const auto link = LinkStateOf(organisation_, code,
                                  base::VaultId::FromBytes(base::AsBytes(
                                      sensitive->Pinned()->content.link1().person_vault())),
                                  From::kDevice);
    if (!link) return link.error();
    if (*link != LinkState::kBothSides && *link != LinkState::kNotYours) {
      items_.push_back(
          {What::kLink, code, 0, *link == LinkState::kMismatch ? "mismatch" : "one side", ""});
    }
    const auto person = OpenCaseFile(**identity, Kind::kPerson, code, From::kDevice);
    if (!person) return {};
    if (const auto* entry = CurrentConsent(*person)) {
      const auto& consent = entry->content.consent();
      const bool differs = static_cast<std::uint32_t>(consent.services()) !=
                               life[content::v1::MACHINE_CONSENT_SERVICES] ||
                           static_cast<std::uint32_t>(consent.store_identity()) !=
                               life[content::v1::MACHINE_CONSENT_STORE_IDENTITY];
      if (differs) items_.push_back({What::kConsentDiffers, code, 0, NameOf(consent.state()), ""});
    }
    return {};
  }

  Organisation& organisation_;
  std::uint32_t today_;
  std::vector<TodayItem> items_;
  std::map<std::string, std::string> codes_;  // by vault
};

}  // namespace

base::Result<std::vector<TodayItem>> Today(Organisation& organisation, std::uint32_t today) {
  Collector collector(organisation, today);
  const std::pair<Compartment, std::vector<Kind>> parts[] = {
      {Compartment::kCases, {Kind::kCase, Kind::kSensitive, Kind::kScreening}},
      {Compartment::kIdentity, {Kind::kPerson}}};
  for (const auto& [compartment, kinds] : parts) {
    const auto realm = organisation.Get(compartment);
    if (!realm) continue;
    for (const Kind kind : kinds) {
      if (const auto taken = collector.TakeVaults(**realm, kind); !taken) return taken.error();
    }
    if (const auto taken = collector.TakeOutbox(**realm); !taken) return taken.error();
  }
  return collector.Take();
}

}  // namespace godwit::client
