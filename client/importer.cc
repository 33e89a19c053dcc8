#include "client/importer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_set>

#include "client/cases.h"
#include "client/directory.h"
#include "client/vault_view.h"
#include "client/vault_writer.h"
#include "crypto/random.h"
#include "protocol/record.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using content::v1::Record;
using protocol::Compartment;
using protocol::Kind;

// Rows that are mixed and held in memory together: 16 blocks drawn at random.
constexpr std::size_t kWindowBlocks = 16;
// Blocks of a plan that one call writes.
constexpr std::size_t kPlanBlocks = 32;
constexpr int kTries = 8;
constexpr std::size_t kSenders = 4;

using VaultSet = std::unordered_set<base::VaultId>;

template <class T>
void Shuffle(std::vector<T>& items) {
  for (std::size_t i = items.size(); i > 1; --i) {
    std::uint64_t random = 0;
    crypto::FillRandom(std::span(reinterpret_cast<std::uint8_t*>(&random), sizeof random));
    std::swap(items[i - 1], items[random % i]);
  }
}

// A row as planned: ids and codes are fixed before anything is made.
struct PlannedRow {
  std::map<Kind, base::Bytes> creates;  // CREATE entries
  std::string code;                     // of a case
};

// The vaults that a row has in a realm.
std::vector<Kind> KindsIn(Compartment compartment) {
  if (compartment == Compartment::kIdentity) return {Kind::kPerson};
  return {Kind::kCase, Kind::kSensitive};
}

base::Result<base::VaultId> VaultOfCreate(base::ByteSpan create) {
  const auto raw = protocol::ReadEntry(create);
  if (!raw) return raw.error();
  return raw->header.vault;
}

// One realm's side of an import: its ledger, who is who there, what stands already.
class Side {
 public:
  static base::Result<Side> Open(Organisation& organisation, Compartment compartment) {
    const auto realm = organisation.Get(compartment);
    if (!realm) return realm.error();
    if (const auto synced = (*realm)->Sync(); !synced) return synced.error();
    if (((*realm)->roles() & protocol::kIntake) == 0) {
      return Error(Code::kPermissionDenied,
                   "imports are made by a member with the role intake: ask an admin");
    }
    Side side(**realm);
    side.ledger_ = (*realm)->roster().policy().VaultOf(Kind::kLedger);
    if (side.ledger_.IsZero()) {
      return Error(Code::kPermissionDenied,
                   "this organisation has no import ledger yet: see `godwit org ledger`");
    }
    const auto fetched =
        VaultView::Fetch(**realm, (*realm)->roster().policy().VaultOf(Kind::kDirectory));
    if (!fetched) return fetched.error();
    auto directory = Directory::Read(**realm);
    if (!directory) return directory.error();
    side.directory_ = *std::move(directory);
    const auto listed = (*realm)->server().ListVaults({}, [&](const transport::VaultHead& head) {
      side.standing_.insert(head.vault);
      return Status();
    });
    if (!listed) return listed.error();
    return side;
  }

  Realm& realm() const { return *realm_; }
  bool of_cases() const { return realm_->compartment() == Compartment::kCases; }
  const Directory& directory() const { return directory_; }
  const base::VaultId& ledger() const { return ledger_; }
  bool Stands(const base::VaultId& vault) const { return standing_.contains(vault); }
  void MarkStanding(const base::VaultId& vault) { standing_.insert(vault); }

  // The member of a handle, if it holds `role` now.
  std::optional<base::MemberId> MemberOf(std::string_view handle, protocol::Roles role) const {
    const Colleague* colleague = directory_.ByHandle(handle);
    if (colleague == nullptr) return std::nullopt;
    const auto& roster = realm_->roster();
    if ((roster.RolesAt(colleague->member, roster.head_seq()) & role) == 0) return std::nullopt;
    return colleague->member;
  }

  base::Bytes PlanCreate(Kind kind) const {
    protocol::Create create;
    create.kind = static_cast<std::uint8_t>(kind);
    crypto::FillRandom(create.nonce);
    return protocol::SignCreate(realm_->EntryHeaderNow(), create, realm_->device().signing_key())
        .entry;
  }

  // Whether a planned CREATE can still be sent, or stands.
  bool IsUsable(base::ByteSpan create) const {
    const auto raw = protocol::ReadEntry(create);
    if (!raw) return false;
    const auto& roster = realm_->roster();
    return Stands(raw->header.vault) ||
           (roster.IsActiveAt(raw->header.author_device, roster.head_seq()) &&
            (roster.RolesAt(raw->header.author_member, roster.head_seq()) & protocol::kIntake));
  }

 private:
  explicit Side(Realm& realm) : realm_(&realm) {}

  Realm* realm_;
  base::VaultId ledger_;
  Directory directory_;
  VaultSet standing_;
};

base::Result<std::vector<Side>> OpenSides(Organisation& organisation, Subject subject) {
  std::vector<Side> sides;
  for (const Compartment compartment : ImportRealms(subject)) {
    auto side = Side::Open(organisation, compartment);
    if (!side) return side.error();
    sides.push_back(*std::move(side));
  }
  return sides;
}

// The ledger's record of a block.
base::Result<base::RecordId> BlockRecord(VaultView& ledger, const CaseFile& file,
                                         std::uint32_t first_row) {
  const auto key = ledger.KeyOf(1);
  if (!key) return key.error();
  std::array<std::uint8_t, 32> cause{};
  // The same file may be imported as people and as cases.
  cause[27] = file.mapper().mapping().subject() == Subject::kPeople ? 1 : 0;
  for (std::size_t i = 0; i < 4; ++i) {
    cause[28 + i] = static_cast<std::uint8_t>(first_row >> (24 - 8 * i));
  }
  return protocol::DerivedRecordId(**key, ledger.id(), protocol::kMachineImport,
                                   std::span(file.sha256()).first<16>(), cause);
}

class Import {
 public:
  Import(CaseFile& file, std::vector<Side> sides, const ImportProgress& progress)
      : file_(file), sides_(std::move(sides)), progress_(progress) {}

  base::Result<ImportReport> Run(bool skip_refused) {
    if (const auto status = ReadThrough(skip_refused); !status) return status.error();
    if (const auto status = Plan(); !status) return status.error();
    for (Side& side : sides_) {
      if (const auto status = WriteRealm(side); !status) return status.error();
    }
    if (const auto status = Close(); !status) return status.error();
    report_.imported = report_.rows - report_.refused;
    report_.made_now = made_rows_;
    return report_;
  }

 private:
  struct Block {
    std::uint32_t first_row = 0;
    std::vector<std::uint32_t> rows;  // that are not refused
    // In whose ledgers it is marked done. That is written only once all vaults stand, so one is
    // enough to leave the rows alone.
    std::set<const Side*> done;
    std::map<std::uint32_t, PlannedRow> plan;

    bool stands() const { return !done.empty(); }
  };

  // Reads the whole file once, so that a line at its end that will be refused is known before the
  // first vault is made.
  Status ReadThrough(bool skip_refused) {
    report_.rows = file_.row_count();
    for (std::uint32_t first = 0; first < file_.row_count(); first += kBlockRows) {
      const auto lines = file_.Rows(first);
      if (!lines) return lines.error();
      Block block;
      block.first_row = first;
      for (const ImportLine& line : *lines) {
        const ImportRow* row = line.ok();
        if (row != nullptr && Knows(*row)) {
          block.rows.push_back(line.row);
          report_.nameless += row->nameless ? 1 : 0;
        } else {
          ++report_.refused;
        }
      }
      blocks_.push_back(std::move(block));
      progress_("reading", first + lines->size(), file_.row_count());
    }
    if (report_.refused > 0 && !skip_refused) {
      return Error(Code::kInvalidArgument,
                   "some lines would be refused, so nothing was imported: `--dry-run` lists them; "
                   "mend the file or the mapping, or leave them out with --skip-refused");
    }
    return {};
  }

  bool Knows(const ImportRow& row) const {
    return std::ranges::all_of(sides_, [&](const Side& side) {
      return side.MemberOf(row.caseworker_handle, protocol::kCaseworker) &&
             side.MemberOf(row.supervisor_handle, protocol::kSupervisor);
    });
  }

  Status Plan() {
    std::atomic<std::uint64_t> done{0};
    for (Side& side : sides_) {
      std::vector<std::size_t> order(blocks_.size());
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
      Shuffle(order);
      for (std::size_t at = 0; at < order.size(); at += kPlanBlocks) {
        const auto group = std::span(order).subspan(at, std::min(kPlanBlocks, order.size() - at));
        const auto written = WriteVault(side.realm(), side.ledger(),
                                        [&](VaultView& ledger) -> base::Result<std::vector<Edit>> {
                                          return PlanGroup(ledger, side, group);
                                        });
        if (!written) return written.error();
        done += group.size();
        progress_(
            "planning",
            done * file_.row_count() / (sides_.size() * std::max<std::size_t>(1, blocks_.size())),
            file_.row_count());
      }
    }
    return {};
  }

  // Takes over what the ledger has of these blocks, and returns what it lacks.
  base::Result<std::vector<Edit>> PlanGroup(VaultView& ledger, Side& side,
                                            std::span<const std::size_t> group) {
    const auto kinds = KindsIn(side.realm().compartment());
    std::vector<Edit> edits;
    for (const std::size_t index : group) {
      Block& block = blocks_[index];
      const auto record = BlockRecord(ledger, file_, block.first_row);
      if (!record) return record.error();
      content::v1::LedgerBlock planned;
      if (ledger.Latest(*record) != nullptr) {
        const auto stored = ledger.Read(*record);
        if (!stored) return stored.error();
        planned = stored->ledger_block();
        if (planned.done()) {
          block.done.insert(&side);
          continue;
        }
      }
      if (block.stands()) continue;
      std::map<std::uint32_t, content::v1::LedgerBlock::Line> lines;
      for (const auto& line : planned.lines()) lines[line.line()] = line;
      bool changed = false;
      for (const std::uint32_t row : block.rows) {
        auto& line = lines[row];
        bool usable = static_cast<std::size_t>(line.creates_size()) == kinds.size();
        for (const std::string& create : line.creates()) {
          usable = usable && side.IsUsable(base::AsBytes(create));
        }
        if (!usable) {
          changed = true;
          line.set_line(row);
          line.clear_creates();
          for (const Kind kind : kinds) line.add_creates(base::ToString(side.PlanCreate(kind)));
          if (side.of_cases() && line.case_code().empty()) line.set_case_code(NewCaseCode());
        }
        PlannedRow& plan = block.plan[row];
        for (std::size_t i = 0; i < kinds.size(); ++i) {
          plan.creates[kinds[i]] = base::ToBytes(base::AsBytes(line.creates(static_cast<int>(i))));
        }
        if (side.of_cases()) plan.code = line.case_code();
      }
      if (!changed) continue;
      Edit edit;
      edit.record = *record;
      auto& out = *edit.content.mutable_ledger_block();
      for (const auto& [row, line] : lines) *out.add_lines() = line;
      edits.push_back(std::move(edit));
    }
    return edits;
  }

  // Blocks of a window, drawn in an order of this realm's own.
  Status WriteRealm(Side& side) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      if (!blocks_[i].stands()) order.push_back(i);
    }
    Shuffle(order);
    std::uint64_t done = 0;
    std::uint64_t all = 0;
    for (const std::size_t index : order) all += blocks_[index].rows.size();
    for (std::size_t at = 0; at < order.size(); at += kWindowBlocks) {
      const auto window = std::span(order).subspan(at, std::min(kWindowBlocks, order.size() - at));
      std::vector<std::pair<ImportRow, const PlannedRow*>> rows;
      for (const std::size_t index : window) {
        Block& block = blocks_[index];
        auto lines = file_.Rows(block.first_row);
        if (!lines) return lines.error();
        for (ImportLine& line : *lines) {
          auto* row = std::get_if<ImportRow>(&line.outcome);
          const auto plan = block.plan.find(line.row);
          if (row != nullptr && plan != block.plan.end()) {
            rows.emplace_back(std::move(*row), &plan->second);
          }
        }
      }
      Shuffle(rows);
      if (const auto status = WriteWindow(side, rows); !status) return status;
      done += rows.size();
      progress_(protocol::Name(side.realm().compartment()), done, all);
    }
    return {};
  }

  // A vault to be made: which row, which kind.
  struct Task {
    const ImportRow* row;
    const PlannedRow* plan;
    Kind kind;
    const base::Bytes* create;
    base::VaultId vault;
  };

  Status WriteWindow(Side& side, const std::vector<std::pair<ImportRow, const PlannedRow*>>& rows) {
    std::vector<Task> tasks;
    for (const auto& [row, plan] : rows) {
      for (const Kind kind : KindsIn(side.realm().compartment())) {
        const base::Bytes& create = plan->creates.at(kind);
        const auto vault = VaultOfCreate(create);
        if (!vault) return vault.error();
        if (!side.Stands(*vault)) tasks.push_back({&row, plan, kind, &create, *vault});
      }
    }
    // A case and its sensitive vault must not stand side by side in the order of arrival either.
    Shuffle(tasks);
    for (int i = 0; !tasks.empty(); ++i) {
      if (i == kTries) {
        return Error(Code::kStaleRoster,
                     "the roster keeps changing: import again when fewer people join or leave");
      }
      if (i > 0) {
        if (const auto synced = side.realm().Sync(); !synced) return synced;
      }
      auto again = SendAll(side, tasks);
      if (!again) return again.error();
      tasks = *std::move(again);
    }
    return {};
  }

  // The vault by which rows that were made are counted.
  Kind CountedKind() const { return sides_.back().of_cases() ? Kind::kCase : Kind::kPerson; }

  // As many as never make more entries than a call may have: of a person CREATE, EPOCH, its pinned
  // record, profile, consent and contacts; of others five at most.
  std::size_t VaultsPerCall() const {
    std::size_t entries = 5;
    for (const auto& field : file_.mapper().mapping().fields()) {
      const auto element = field.target.element();
      if (element && element->first == "contacts") {
        entries = std::max(entries, 6 + static_cast<std::size_t>(element->second));
      }
    }
    return std::min<std::size_t>(32, transport::kMaxEntriesPerCall / entries);
  }

  // Makes and sends the vaults of `tasks`, several calls at a time; returns those that must be made
  // again under a newer roster.
  base::Result<std::vector<Task>> SendAll(Side& side, const std::vector<Task>& tasks) {
    const std::size_t vaults_per_call = VaultsPerCall();
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::vector<Task> again;
    std::vector<base::VaultId> standing;
    Status failed;
    std::vector<std::jthread> senders;
    for (std::size_t s = 0; s < kSenders; ++s) {
      senders.emplace_back([&] {
        for (;;) {
          const std::size_t begin = next.fetch_add(vaults_per_call);
          if (begin >= tasks.size()) return;
          const std::size_t end = std::min(begin + vaults_per_call, tasks.size());
          std::vector<transport::VaultUpload> uploads;
          Status status;
          for (std::size_t i = begin; i < end && status; ++i) {
            auto made = Make(side, tasks[i]);
            if (made) {
              uploads.push_back(std::move(made->upload));
            } else {
              status = made.error();
            }
          }
          std::optional<base::Result<std::vector<transport::VaultOutcome>>> sent;
          if (status) {
            sent.emplace(side.realm().server().AppendEntries(uploads));
            if (!*sent) status = sent->error();
          }
          const std::lock_guard lock(mutex);
          if (!failed) return;
          if (!status) {
            failed = status;
            return;
          }
          for (std::size_t i = begin; i < end; ++i) {
            const Status& outcome = (**sent)[i - begin];
            if (outcome) {
              standing.push_back(tasks[i].vault);
              if (tasks[i].kind == CountedKind()) ++made_rows_;
            } else if (outcome.error().code() == Code::kConflict) {
              // It stands: by an earlier run, or another importer's.
              standing.push_back(tasks[i].vault);
            } else if (outcome.error().code() == Code::kStaleRoster ||
                       outcome.error().code() == Code::kRekeyRequired) {
              again.push_back(tasks[i]);
            } else {
              failed = outcome;
              return;
            }
          }
        }
      });
    }
    senders.clear();
    for (const base::VaultId& vault : standing) side.MarkStanding(vault);
    if (!failed) return failed.error();
    return again;
  }

  base::Result<NewVault> Make(Side& side, const Task& task) const {
    const auto caseworker = side.MemberOf(task.row->caseworker_handle, protocol::kCaseworker);
    const auto supervisor = side.MemberOf(task.row->supervisor_handle, protocol::kSupervisor);
    if (!caseworker || !supervisor) {
      return Error(Code::kStaleRoster, "a caseworker or supervisor left during the import");
    }
    std::map<base::MemberId, protocol::Perm> members{{side.realm().member(), protocol::kWrite},
                                                     {*caseworker, protocol::kFull}};
    const auto& roster = side.realm().roster();
    switch (task.kind) {
      case Kind::kPerson:
        members[*supervisor] = protocol::kManage;
        break;
      case Kind::kSensitive:
        members[*supervisor] = protocol::kFull;
        break;
      default:
        members[*supervisor] = protocol::kReadWrite;
        for (const auto& [member, row] : roster.members()) {
          if ((roster.RolesAt(member, roster.head_seq()) & protocol::kCoordinator) != 0) {
            members[member] = protocol::kFull;
          }
        }
    }
    return MakeVault(
        side.realm(), task.kind, members,
        [&](const base::VaultId& id) -> base::Result<std::vector<Edit>> {
          return Records(task, id, *caseworker, *supervisor);
        },
        task.create);
  }

  // Where the acts of a case go on from, unless it begins as any other does.
  static void AddBegin(const content::v1::Summary& summary, std::vector<Edit>& edits) {
    Record record;
    auto& begin = *record.mutable_case_begin();
    if (summary.stage() != content::v1::CASE_STAGE_CONTACT) begin.set_stage(summary.stage());
    if (summary.has_consent()) *begin.mutable_consent() = summary.consent();
    begin.set_unaccompanied(
        std::ranges::count(summary.flags(),
                           static_cast<int>(content::v1::CASE_FLAG_UNACCOMPANIED)) != 0);
    if (begin.ByteSizeLong() == 0) return;
    begin.set_stage_since_day(summary.stage_since_day());
    edits.push_back({crypto::RandomId<base::RecordId>(), std::move(record), 0});
  }

  static base::Result<std::vector<Edit>> Records(const Task& task, const base::VaultId& id,
                                                 const base::MemberId& caseworker,
                                                 const base::MemberId& supervisor) {
    Record pinned;
    std::vector<Record> others;
    switch (task.kind) {
      case Kind::kPerson:
        pinned.mutable_link1()->set_case_code(task.plan->code);
        *others.emplace_back().mutable_identity_profile() = task.row->identity_profile;
        for (const auto& contact : task.row->contacts) {
          *others.emplace_back().mutable_contact_channel() = contact;
        }
        if (task.row->consent.ByteSizeLong() > 0) {
          *others.emplace_back().mutable_consent() = task.row->consent;
        }
        break;
      case Kind::kSensitive: {
        const auto person = VaultOfCreate(task.plan->creates.at(Kind::kPerson));
        if (!person) return person.error();
        pinned.mutable_link1()->set_case_code(task.plan->code);
        pinned.mutable_link1()->set_person_vault(base::ToString(person->bytes()));
        if (task.row->trafficking_context) {
          *others.emplace_back().mutable_trafficking_context() = *task.row->trafficking_context;
        }
        break;
      }
      default: {
        auto& summary = *pinned.mutable_summary();
        summary = task.row->summary;
        summary.set_code(task.plan->code);
        summary.set_caseworker(base::ToString(caseworker.bytes()));
        summary.set_supervisor(base::ToString(supervisor.bytes()));
        *others.emplace_back().mutable_case_() = task.row->case_facts;
      }
    }
    std::vector<Edit> edits;
    if (pinned.has_summary()) AddBegin(pinned.summary(), edits);
    edits.push_back({protocol::PinnedRecordOf(id), std::move(pinned), 0});
    for (Record& record : others) {
      edits.push_back({crypto::RandomId<base::RecordId>(), std::move(record), 0});
    }
    return edits;
  }

  // All vaults stand: no plan may join the realms any longer.
  Status Close() {
    for (const Side& side : sides_) {
      std::vector<std::size_t> open;
      for (std::size_t i = 0; i < blocks_.size(); ++i) {
        if (!blocks_[i].done.contains(&side)) open.push_back(i);
      }
      Shuffle(open);
      for (std::size_t at = 0; at < open.size(); at += kPlanBlocks) {
        const auto group = std::span(open).subspan(at, std::min(kPlanBlocks, open.size() - at));
        const auto written = WriteVault(
            side.realm(), side.ledger(), [&](VaultView& ledger) -> base::Result<std::vector<Edit>> {
              std::vector<Edit> edits;
              for (const std::size_t index : group) {
                const auto record = BlockRecord(ledger, file_, blocks_[index].first_row);
                if (!record) return record.error();
                Edit edit;
                edit.record = *record;
                edit.content.mutable_ledger_block()->set_done(true);
                edit.flags = protocol::Rev::kForget;
                edits.push_back(std::move(edit));
              }
              return edits;
            });
        if (!written) return written.error();
        progress_("closing", at + group.size(), open.size());
      }
    }
    return {};
  }

  CaseFile& file_;
  std::vector<Side> sides_;  // in the order in which they are written
  const ImportProgress& progress_;
  ImportReport report_;
  std::atomic<std::uint64_t> made_rows_{0};
  std::vector<Block> blocks_;
};

}  // namespace

std::vector<Compartment> ImportRealms(Subject subject) {
  if (subject == Subject::kPeople) return {Compartment::kIdentity};
  return {Compartment::kIdentity, Compartment::kCases};
}

base::Result<Handles> ImportHandles(Organisation& organisation, Subject subject) {
  const auto sides = OpenSides(organisation, subject);
  if (!sides) return sides.error();
  Handles handles;
  for (const Colleague& colleague : sides->back().directory().colleagues()) {
    for (const protocol::Roles role : {protocol::kCaseworker, protocol::kSupervisor}) {
      if (std::ranges::all_of(*sides, [&](const Side& side) {
            return side.MemberOf(colleague.handle, role).has_value();
          })) {
        handles.insert(colleague.handle);
      }
    }
  }
  return handles;
}

base::Result<ImportReport> ImportRows(Organisation& organisation, CaseFile& file, bool skip_refused,
                                      const ImportProgress& progress) {
  auto sides = OpenSides(organisation, file.mapper().mapping().subject());
  if (!sides) return sides.error();
  Import import(file, *std::move(sides), progress);
  return import.Run(skip_refused);
}

}  // namespace godwit::client
