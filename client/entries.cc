#include "client/entries.h"

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "client/case_acts.h"
#include "client/casework/assign.h"
#include "client/casework/inert.h"
#include "client/casework/merge.h"
#include "client/directory.h"
#include "client/normalise.h"
#include "client/transitions.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using content::v1::Record;
using protocol::Compartment;
using protocol::Kind;

constexpr std::size_t kShortId = 8;
constexpr std::size_t kMaxCaseComment = 120;
constexpr std::size_t kMaxComment = 2000;

constexpr std::array<EntryKind, 17> kKinds{{
    {"need", Record::kSpecificNeed, Kind::kSensitive, false, false},
    {"assessment", Record::kAssessment, Kind::kSensitive, true, false},
    {"plan", Record::kCasePlan, Kind::kSensitive, true, false},
    {"trafficking", Record::kTraffickingContext, Kind::kSensitive, true, false},
    {"best-interests", Record::kBestInterests, Kind::kSensitive, false, false},
    {"observation", Record::kObservation, Kind::kSensitive, false, false},
    {"narrative", Record::kIncidentNarrative, Kind::kSensitive, false, false},
    {"service", Record::kService, Kind::kCase, false, true},
    {"follow-up", Record::kFollowUp, Kind::kCase, false, true},
    {"incident", Record::kIncident, Kind::kCase, false, true},
    {"authority", Record::kAuthorityProcess, Kind::kCase, false, true},
    {"referral", Record::kTransition, Kind::kCase, false, true,
     content::v1::TRANSITION_KIND_REFERRAL},
    {"transfer", Record::kTransition, Kind::kCase, false, true,
     content::v1::TRANSITION_KIND_TRANSFER},
    {"document", Record::kIdentityDocument, Kind::kPerson, false, false},
    {"kin", Record::kKin, Kind::kPerson, false, false},
    {"contact", Record::kContactChannel, Kind::kPerson, false, false},
    {"tracing", Record::kTracingRequest, Kind::kPerson, false, false},
}};

base::Result<Realm*> RealmOf(Organisation& organisation, Kind vault) {
  return organisation.Get(vault == Kind::kPerson || vault == Kind::kFamily ? Compartment::kIdentity
                                                                           : Compartment::kCases);
}

base::Result<Record> Filled(Record record, const std::vector<Change>& changes) {
  if (const auto set = AssignAll(changes, record); !set) return set.error();
  return record;
}

// The earliest day on which something of a case is due, for its board; 0: nothing is.
std::uint32_t NextDue(const VaultFile& file, const PendingEdit& changed) {
  std::uint32_t next = 0;
  const auto take = [&](const Record& record) {
    if (record.entered_in_error()) return;
    std::uint32_t due = 0;
    if (record.has_follow_up() && record.follow_up().done_day() == 0) {
      due = record.follow_up().due_day();
    }
    if (record.has_task() && !record.task().done()) due = record.task().due_day();
    if (due != 0 && (next == 0 || due < next)) next = due;
  };
  for (const auto body : {Record::kFollowUp, Record::kTask}) {
    for (const auto* entry : file.Of(body)) {
      if (entry->record != changed.record) take(entry->content);
    }
  }
  take(changed.content);
  return next;
}

// Sends one changed record, then what it moves, and the summary where it says when something is
// due.
base::Result<EntryWritten> Send(Realm& realm, const VaultFile& file, PendingEdit edit,
                                std::string_view what, const std::vector<Wish>& wishes = {}) {
  Pending pending;
  pending.vault = file.id();
  pending.what = what;
  const base::RecordId id = edit.record;
  const bool counts = edit.content.has_follow_up() || edit.content.has_task();
  if (file.kind() == Kind::kCase && counts && file.Pinned() != nullptr) {
    Record summary = file.Pinned()->content;
    const std::uint32_t next = NextDue(file, edit);
    if (summary.summary().next_due_day() != next) {
      summary.mutable_summary()->set_next_due_day(next);
      pending.edits.push_back(VaultFile::Change(*file.Pinned(), std::move(summary)));
    }
  }
  pending.edits.push_back(std::move(edit));
  if (!wishes.empty()) {
    if (const auto added = AddActs(realm, file, wishes, pending); !added) return added.error();
  }
  const auto written = Submit(realm, std::move(pending));
  if (!written) return written.error();
  return EntryWritten{id, written->queued};
}

Error NoSuchRecord() {
  return Error(Code::kNotFound, "the case has no such record: list them to see their ids");
}

// What a kind asks of its records beyond their fields; `before`: as it was, or null.
Status Prepare(Organisation& organisation, std::string_view code, const EntryKind& kind,
               const Record* before, Record& record) {
  if (kind.transition == content::v1::TRANSITION_KIND_UNSPECIFIED) return {};
  return PrepareTransition(organisation, code, kind.transition, before, record);
}

// The steps of its case that a change of a record is at the same time.
std::vector<Wish> WishesOf(const Record* before, const Record& after) {
  std::vector<Wish> wishes;
  if (before != nullptr && EndsCase(*before, after)) {
    wishes.push_back({.machine = content::v1::MACHINE_STATUS,
                      .to = content::v1::CASE_STATUS_TRANSFERRED,
                      .subject_is_previous = true});
  }
  if (Overrides(before, after)) {
    wishes.push_back(
        {.machine = content::v1::MACHINE_CONSENT_OVERRIDE, .to = 1, .subject_is_previous = true});
  }
  return wishes;
}

// What coordinators read names nobody.
Status CheckNamesNobody(Organisation& organisation, std::string_view text) {
  const auto names = NamesOwnPerson(organisation, text);
  if (!names) return names.error();
  if (!*names) return {};
  return Error(Code::kPermissionDenied,
               "this names one of your people, and every coordinator would read it: leave the "
               "name, the phone or the place out, or write it to the sensitive part");
}

// The words of a record that coordinators read; a transition looks at its own.
Status CheckWords(Organisation& organisation, const EntryKind& kind,
                  const std::vector<Change>& changes) {
  if (kind.vault != Kind::kCase || kind.body == Record::kTransition) return {};
  Record record;
  MakeBody(kind.body, record);
  // Looked through together, since each look opens every person of this member's.
  std::string words;
  for (const Change& change : changes) {
    const auto field = FieldPath::Find(*BodyOf(record).GetDescriptor(), change.path);
    if (field && field->kind() == ValueKind::kText) words += change.value + "\n";
  }
  return words.empty() ? Status() : CheckNamesNobody(organisation, words);
}

Status CheckMine(const VaultFile& file) {
  if ((file.perm() & protocol::kReadWrite) == protocol::kReadWrite) return {};
  return Error(Code::kPermissionDenied, "this part of the case is not yours to change");
}

// A colleague who reads a vault.
base::Result<std::string> ReaderByHandle(Realm& realm, const VaultFile& file,
                                         std::string_view handle) {
  const Error nobody =
      Error(Code::kInvalidArgument,
            "nobody who reads this part of the case has that handle: `godwit case who`");
  const auto directory = Directory::Read(realm);
  if (!directory) return directory.error();
  const Colleague* colleague = directory->ByHandle(handle);
  if (colleague == nullptr) return nobody;
  if (file.view() != nullptr) {
    const auto& list = file.view()->state().epoch().list;
    const auto row = list.find(colleague->member);
    if (row == list.end() || (row->second.perm & protocol::kRead) == 0) return nobody;
  }
  return base::ToString(colleague->member.bytes());
}

// A remark or task: of a length, and in a case without names.
Status CheckForDesk(Organisation& organisation, Kind vault, std::string_view text) {
  if (text.empty() || !IsUtf8(text)) {
    return Error(Code::kInvalidArgument, "the text is empty, or no UTF-8");
  }
  if (vault != Kind::kCase) {
    if (CodePoints(text) <= kMaxComment) return {};
    return Error(Code::kInvalidArgument, "a text here has at most 2,000 characters");
  }
  if (CodePoints(text) > kMaxCaseComment) {
    return Error(Code::kInvalidArgument,
                 "what coordinators read has at most 120 characters: longer words belong in the "
                 "sensitive part (--in sensitive)");
  }
  return CheckNamesNobody(organisation, text);
}

}  // namespace

std::span<const EntryKind> EntryKinds() { return kKinds; }

const EntryKind* FindEntryKind(std::string_view name) {
  const auto found = std::ranges::find(kKinds, name, &EntryKind::name);
  return found == kKinds.end() ? nullptr : &*found;
}

std::string ShortId(const base::RecordId& record) {
  return base::ToHex(record.bytes()).substr(0, kShortId);
}

base::Result<VaultFile> OpenEntries(Organisation& organisation, std::string_view code,
                                    const EntryKind& kind, From from) {
  const auto realm = RealmOf(organisation, kind.vault);
  if (!realm) return realm.error();
  return OpenCaseFile(**realm, kind.vault, code, from);
}

base::Result<const VaultFile::Entry*> FindEntry(const VaultFile& file, Record::BodyCase body,
                                                std::string_view id) {
  const VaultFile::Entry* found = nullptr;
  for (const auto* entry : file.Of(body, true)) {
    if (id.empty() || !base::ToHex(entry->record.bytes()).starts_with(id)) continue;
    if (found != nullptr) {
      return Error(Code::kInvalidArgument, "several records begin like that: give more of the id");
    }
    found = entry;
  }
  if (found == nullptr) return NoSuchRecord();
  return found;
}

std::vector<const VaultFile::Entry*> EntriesOf(const VaultFile& file, const EntryKind& kind,
                                               bool with_errors) {
  auto entries = file.Of(kind.body, with_errors);
  if (kind.transition != content::v1::TRANSITION_KIND_UNSPECIFIED) {
    std::erase_if(entries, [&](const auto* entry) {
      return entry->content.transition().kind() != kind.transition;
    });
  }
  return entries;
}

namespace {

// Writes one entry as `change` makes it of what it was.
template <class Change>
base::Result<EntryWritten> Rewrite(Organisation& organisation, std::string_view code,
                                   const EntryKind& kind, std::string_view id, Change&& change) {
  const auto realm = RealmOf(organisation, kind.vault);
  if (!realm) return realm.error();
  const auto file = OpenEntries(organisation, code, kind, From::kService);
  if (!file) return file.error();
  if (const auto mine = CheckMine(*file); !mine) return mine.error();
  const auto entry = FindEntry(*file, kind.body, id);
  if (!entry) return entry.error();
  const Record& before = (*entry)->content;
  if (std::ranges::count(EntriesOf(*file, kind, true), *entry) == 0) return NoSuchRecord();
  auto changed = change(before);
  if (!changed) return changed.error();
  const bool answers = changed->transition().state() == content::v1::TRANSITION_STATE_ACCEPTED &&
                       before.transition().state() != content::v1::TRANSITION_STATE_ACCEPTED;
  if (answers && before.transition().consent_overridden()) {
    if (const auto told = CheckOverridden(*file, **entry); !told) return told.error();
  }
  const auto wishes = WishesOf(&before, *changed);
  return Send(**realm, *file, VaultFile::Change(**entry, *std::move(changed)), kind.name, wishes);
}

}  // namespace

base::Result<EntryWritten> AddEntry(Organisation& organisation, std::string_view code,
                                    const EntryKind& kind, const std::vector<Change>& changes) {
  if (changes.empty()) {
    return Error(Code::kInvalidArgument, "say what to write: FIELD=VALUE, or --from FILE");
  }
  Record record;
  MakeBody(kind.body, record);
  if (const auto fits = Filled(record, changes); !fits) return fits.error();
  if (const auto fits = CheckWords(organisation, kind, changes); !fits) return fits.error();
  const auto realm = RealmOf(organisation, kind.vault);
  if (!realm) return realm.error();
  const auto file = OpenEntries(organisation, code, kind, From::kService);
  if (!file) return file.error();
  if (const auto mine = CheckMine(*file); !mine) return mine.error();
  const auto there = EntriesOf(*file, kind);
  const bool anew = !kind.single || there.empty();
  auto filled = Filled(anew ? record : there.front()->content, changes);
  if (!filled) return filled.error();
  if (const auto fits = Prepare(organisation, code, kind, nullptr, *filled); !fits) {
    return fits.error();
  }
  const auto wishes = WishesOf(nullptr, *filled);
  return Send(**realm, *file,
              anew ? VaultFile::Add(*std::move(filled))
                   : VaultFile::Change(*there.front(), *std::move(filled)),
              kind.name, wishes);
}

base::Result<EntryWritten> ChangeEntry(Organisation& organisation, std::string_view code,
                                       const EntryKind& kind, std::string_view id,
                                       const std::vector<Change>& changes) {
  return Rewrite(organisation, code, kind, id, [&](const Record& before) -> base::Result<Record> {
    auto filled = Filled(before, changes);
    if (!filled) return filled;
    if (const auto words = CheckWords(organisation, kind, changes); !words) return words.error();
    const auto fits = Prepare(organisation, code, kind, &before, *filled);
    if (!fits) return fits.error();
    return filled;
  });
}

base::Result<EntryWritten> StrikeEntry(Organisation& organisation, std::string_view code,
                                       const EntryKind& kind, std::string_view id) {
  return Rewrite(organisation, code, kind, id, [](Record record) -> base::Result<Record> {
    record.set_entered_in_error(true);
    return record;
  });
}

base::Result<EntryWritten> AddComment(Organisation& organisation, std::string_view code, Kind vault,
                                      std::string_view to, const std::string& text) {
  const auto realm = RealmOf(organisation, vault);
  if (!realm) return realm.error();
  if (const auto fits = CheckForDesk(organisation, vault, text); !fits) return fits.error();
  const auto file = OpenCaseFile(**realm, vault, code, From::kService);
  if (!file) return file.error();
  Record record;
  auto& comment = *record.mutable_comment();
  comment.set_text(text);
  comment.set_written_ms(base::SystemClock().NowMs());
  if (!to.empty()) {
    const auto reader = ReaderByHandle(**realm, *file, to);
    if (!reader) return reader.error();
    comment.set_to(*reader);
  }
  return Send(**realm, *file, VaultFile::Add(std::move(record)), "case comment");
}

base::Result<std::size_t> ReadComments(Organisation& organisation, std::string_view code) {
  std::size_t read = 0;
  for (const Kind kind : {Kind::kCase, Kind::kSensitive, Kind::kPerson}) {
    const auto realm = RealmOf(organisation, kind);
    if (!realm) continue;
    const auto file = OpenCaseFile(**realm, kind, code, From::kService);
    if (!file && file.error().code() == Code::kNotFound) continue;
    if (!file) return file.error();
    const std::string me = base::ToString((*realm)->member().bytes());
    Pending pending;
    pending.vault = file->id();
    pending.what = "case comment";
    for (const auto* entry : file->Of(Record::kComment)) {
      if (entry->content.comment().to() != me || entry->content.comment().read_ms() != 0) continue;
      Record seen = entry->content;
      seen.mutable_comment()->set_read_ms(base::SystemClock().NowMs());
      pending.edits.push_back(VaultFile::Change(*entry, std::move(seen)));
    }
    if (pending.edits.empty()) continue;
    read += pending.edits.size();
    if (const auto written = Submit(**realm, std::move(pending)); !written) return written.error();
  }
  return read;
}

base::Result<EntryWritten> AddTask(Organisation& organisation, std::string_view code, Kind vault,
                                   const NewTask& task) {
  const auto realm = RealmOf(organisation, vault);
  if (!realm) return realm.error();
  if (vault == Kind::kCase && !task.text.empty()) {
    return Error(Code::kInvalidArgument,
                 "a task in the case has no text, since every coordinator reads it: put it into "
                 "the sensitive part (--in sensitive)");
  }
  if (!task.text.empty()) {
    if (const auto fits = CheckForDesk(organisation, vault, task.text); !fits) return fits.error();
  }
  const auto file = OpenCaseFile(**realm, vault, code, From::kService);
  if (!file) return file.error();
  Record record;
  auto& content = *record.mutable_task();
  content.set_kind(task.kind);
  content.set_due_day(task.due_day);
  content.set_text(task.text);
  content.set_to(base::ToString((*realm)->member().bytes()));
  if (!task.to.empty()) {
    const auto reader = ReaderByHandle(**realm, *file, task.to);
    if (!reader) return reader.error();
    content.set_to(*reader);
  }
  return Send(**realm, *file, VaultFile::Add(std::move(record)), "case task");
}

base::Result<EntryWritten> FinishTask(Organisation& organisation, std::string_view code,
                                      std::string_view id) {
  for (const Kind kind : {Kind::kCase, Kind::kSensitive, Kind::kPerson}) {
    const auto realm = RealmOf(organisation, kind);
    if (!realm) continue;
    const auto file = OpenCaseFile(**realm, kind, code, From::kService);
    if (!file && file.error().code() == Code::kNotFound) continue;
    if (!file) return file.error();
    const auto entry = FindEntry(*file, Record::kTask, id);
    if (!entry && entry.error().code() == Code::kNotFound) continue;
    if (!entry) return entry.error();
    Record done = (*entry)->content;
    done.mutable_task()->set_done(true);
    return Send(**realm, *file, VaultFile::Change(**entry, std::move(done)), "case task");
  }
  return Error(Code::kNotFound, "the case has no such task: see `godwit today`");
}

base::Result<Written> SettleConflict(Organisation& organisation, std::string_view code,
                                     std::string_view id, bool other) {
  for (const Kind kind : {Kind::kCase, Kind::kSensitive, Kind::kScreening, Kind::kPerson}) {
    const auto realm = RealmOf(organisation, kind);
    if (!realm) continue;
    const auto file = OpenCaseFile(**realm, kind, code, From::kService);
    if (!file && file.error().code() == Code::kNotFound) continue;
    if (!file) return file.error();
    const auto entry = FindEntry(*file, Record::kConflict, id);
    if (!entry && entry.error().code() == Code::kNotFound) continue;
    if (!entry) return entry.error();
    Record settled = (*entry)->content;
    const auto& conflict = settled.conflict();
    Pending pending;
    pending.vault = file->id();
    pending.what = "case conflict";
    if (other) {
      const auto of = base::RecordId::FromBytes(base::AsBytes(conflict.record()));
      const auto* about = of ? file->Find(*of) : nullptr;
      Record value;
      if (about == nullptr || !value.ParseFromString(conflict.other())) {
        return Error(Code::kNotFound, "the record that this is about is gone");
      }
      Record chosen = about->content;
      TakeField(conflict.field(), value, chosen);
      pending.edits.push_back(VaultFile::Change(*about, std::move(chosen)));
    }
    settled.mutable_conflict()->set_settled(true);
    pending.edits.push_back(VaultFile::Change(**entry, std::move(settled)));
    return Submit(**realm, std::move(pending));
  }
  return Error(Code::kNotFound, "the case has no such conflict: see `godwit case show`");
}

base::Result<bool> NamesOwnPerson(Organisation& organisation, std::string_view text) {
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return false;
  const auto rows = RowsWithWaiting(**identity, Kind::kPerson);
  if (!rows) return rows.error();
  const std::string folded = Folded(text);
  const auto holds = [&](std::string_view word) {
    const std::string part = Folded(word);
    return CodePoints(part) >= 2 && folded.find(part) != std::string::npos;
  };
  for (const PinnedRow& row : *rows) {
    const auto file = VaultFile::Open(**identity, row.vault, From::kDevice);
    if (!file) continue;  // not on this device yet
    for (const auto* entry : file->Of(Record::kIdentityProfile)) {
      const auto& profile = entry->content.identity_profile();
      for (const auto& name : profile.names()) {
        if (holds(name.full()) || holds(name.given()) || holds(name.family() + name.given()) ||
            holds(name.family() + " " + name.given())) {
          return true;
        }
      }
      if (holds(profile.origin_admin1()) || holds(profile.origin_admin2())) return true;
    }
    for (const auto* entry : file->Of(Record::kContactChannel)) {
      if (holds(entry->content.contact_channel().handle())) return true;
    }
  }
  return false;
}

}  // namespace godwit::client
