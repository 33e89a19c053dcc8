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

  // Reads which vaults of a kind belong to which case: once, since every case is looked up.
  Status Index(Realm& realm, Kind kind) {
    auto index = CodeIndex::Read(realm, kind);
    if (!index) return index.error();
    indexes_.emplace(kind, *std::move(index));
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
        TakeOverride(*file, life, code);
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
      const bool closes = act.act.machine() == content::v1::MACHINE_STAGE;
      items_.push_back({What::kSecondWaits, code, 0,
                        closes ? NameOf(act.act.reason()) : NameOf(act.act.machine()), ""});
    }
  }

  void TakeOverride(const VaultFile& file, const CaseLife& life, const std::string& code) {
    constexpr auto kMachine = content::v1::MACHINE_CONSENT_OVERRIDE;
    if (life[kMachine] == 0 || (file.hats() & kSupervisorHat) == 0) return;
    TodayItem item{What::kOverride, code, 0, "", ""};
    for (const auto* entry : file.Of(Record::kTransition)) {
      if (entry->link != life.since[kMachine].subject) continue;
      item.due_day = entry->content.transition().expires_day();
      item.id = ShortId(entry->record);
    }
    items_.push_back(std::move(item));
  }

  // A vault as this device has it; nothing: it has none, or it is not this person's.
  base::Result<std::optional<VaultFile>> OpenHere(Compartment compartment,
                                                  const base::VaultId& vault) {
    using Found = std::optional<VaultFile>;
    const auto realm = organisation_.Get(compartment);
    if (!realm) return Found();
    auto file = VaultFile::Open(**realm, vault, From::kDevice);
    if (file) return Found(*std::move(file));
    if (file.error().code() == Code::kNotFound) return Found();
    return file.error();
  }
  base::Result<std::optional<VaultFile>> OpenPart(Kind kind, const std::string& code) {
    const auto index = indexes_.find(kind);
    const auto vault = index == indexes_.end() ? std::nullopt : index->second.VaultOf(code);
    if (!vault) return std::optional<VaultFile>();
    return OpenHere(kind == Kind::kPerson ? Compartment::kIdentity : Compartment::kCases, *vault);
  }

  // What shows where parts of a case lie side by side.
  Status TakeCrossings(const VaultFile& file, const CaseLife& life, const std::string& code) {
    if ((file.hats() & (kCaseworkerHat | kSupervisorHat)) == 0) return {};
    const auto sensitive = OpenPart(Kind::kSensitive, code);
    if (!sensitive) return sensitive.error();
    const auto linked = *sensitive && (*sensitive)->Pinned() != nullptr
                            ? base::VaultId::FromBytes(base::AsBytes(
                                  (*sensitive)->Pinned()->content.link1().person_vault()))
                            : std::nullopt;
    const auto person =
        linked ? OpenHere(Compartment::kIdentity, *linked) : OpenPart(Kind::kPerson, code);
    if (!person) return person.error();
    const VaultFile* person_part = *person ? &**person : nullptr;
    const auto handed =
        HandOverOf(organisation_, file, *sensitive ? &**sensitive : nullptr, person_part);
    if (!handed) return handed.error();
    if (handed->half_done()) {
      items_.push_back(
          {What::kHandOver, code, 0,
           handed->case_with + " / " + handed->sensitive_with + " / " + handed->person_with, ""});
    }
    if ((file.hats() & kCaseworkerHat) == 0 || !linked || !indexes_.contains(Kind::kPerson)) {
      return {};
    }
    const LinkState link = LinkStateIn(indexes_.at(Kind::kPerson), code, *linked);
    if (link != LinkState::kBothSides && link != LinkState::kNotYours) {
      items_.push_back(
          {What::kLink, code, 0, link == LinkState::kMismatch ? "mismatch" : "one side", ""});
    }
    if (person_part == nullptr) return {};
    if (const auto* entry = CurrentConsent(*person_part)) {
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
  std::map<Kind, CodeIndex> indexes_;         // of the parts that this person has
};

}  // namespace

base::Result<std::vector<TodayItem>> Today(Organisation& organisation, std::uint32_t today) {
  Collector collector(organisation, today);
  const std::pair<Compartment, std::vector<Kind>> parts[] = {
      {Compartment::kCases, {Kind::kCase, Kind::kSensitive, Kind::kScreening}},
      {Compartment::kIdentity, {Kind::kPerson}}};
  for (const auto& [compartment, kind] : {std::pair(Compartment::kCases, Kind::kSensitive),
                                          std::pair(Compartment::kIdentity, Kind::kPerson)}) {
    const auto realm = organisation.Get(compartment);
    if (!realm) continue;
    if (const auto read = collector.Index(**realm, kind); !read) return read.error();
  }
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
