// A working day over the real services: cases move, colleagues hand over, write at the same time
// and without a network, and whoever does what nobody may is seen.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "client/act_alarms.h"
#include "client/asking.h"
#include "client/case_acts.h"
#include "client/cases.h"
#include "client/consents.h"
#include "client/day.h"
#include "client/entries.h"
#include "client/handover.h"
#include "client/identity_window.h"
#include "client/outbox.h"
#include "client/partners.h"
#include "client/persons.h"
#include "client/pinned_rows.h"
#include "client/today.h"
#include "client/transitions.h"
#include "client/trim.h"
#include "client/vault_writer.h"
#include "client/withdrawal.h"
#include "protocol/entry.h"
#include "tests/support/builders.h"
#include "tests/support/lying_server.h"
#include "tests/support/realm_server.h"
#include "tests/support/test_organisation.h"

namespace godwit::client {
namespace {

using namespace content::v1;  // NOLINT: names of records
using base::Code;
using protocol::Compartment;
using protocol::Kind;
using support::Must;
using support::Require;
using What = TodayItem::What;

class Tool : public testing::Test {
 protected:
  Tool() : organisation_(servers_) { organisation_.Join(support::Staff(2, 2, 2, 0, 0)); }

  Organisation& Of(const std::string& handle) { return organisation_.Of(handle); }
  Realm& CasesOf(const std::string& handle) {
    return organisation_.RealmOf(handle, Compartment::kCases);
  }

  void Down(Compartment compartment) {
    support::ServerOf(servers_, compartment).Stop();
    down_.insert(compartment);
  }
  void GoOffline() {
    for (const auto compartment : {Compartment::kCases, Compartment::kIdentity}) {
      Down(compartment);
    }
  }
  void GoOnline() {
    for (const auto compartment : {Compartment::kCases, Compartment::kIdentity}) {
      if (down_.erase(compartment) != 0) support::ServerOf(servers_, compartment).Start();
    }
    // A channel that failed for a while tries again after a while.
    for (const char* handle : {"cw01", "sv1", "kc1"}) {
      for (const auto& [compartment, realm] : Of(handle).realms()) {
        for (int i = 0; i < 60 && !realm->Sync(); ++i) {
          std::this_thread::sleep_for(std::chrono::milliseconds(500));
        }
      }
    }
  }

  std::string Open(const std::string& name = "홍예시") {
    NewCase made;
    made.supervisor = "sv1";
    made.summary.mutable_consent()->set_store_identity(ANSWER_YES);
    made.summary.mutable_consent()->set_services(ANSWER_YES);
    made.profile.add_names()->set_full(name);
    return Must(OpenCase(Of("cw01"), std::move(made)));
  }
  EntryWritten Add(const std::string& handle, const std::string& code, const char* kind,
                   const std::vector<Change>& changes) {
    return Must(AddEntry(Of(handle), code, *FindEntryKind(kind), changes));
  }
  CaseStage StageOf(const std::string& handle, const std::string& code) {
    return Must(ShowCase(Of(handle), code)).life.stage();
  }
  Code Refused(const base::Result<Written>& written) {
    return written ? Code::kInternal : written.error().code();
  }
  // What `handle` finds on a day, as (what, detail).
  std::vector<std::pair<What, std::string>> DayOf(const std::string& handle) {
    organisation_.Sync(handle);
    for (const auto& [compartment, realm] : Of(handle).realms()) {
      for (const Kind kind : {Kind::kCase, Kind::kSensitive, Kind::kScreening, Kind::kPerson}) {
        if (protocol::HasKind(compartment, kind)) Require(SyncPinnedRows(*realm, kind));
      }
    }
    std::vector<std::pair<What, std::string>> day;
    for (const auto& item : Must(Today(Of(handle), 20'000)))
      day.emplace_back(item.what, item.detail);
    return day;
  }
  static bool Has(const std::vector<std::pair<What, std::string>>& day, What what,
                  const std::string& detail) {
    return std::ranges::count(day, std::pair(what, detail)) == 1;
  }

  // A case whose person was screened, accepted and planned for.
  std::string Ready() {
    const std::string code = Open();
    Must(MoveStage(Of("cw01"), code, CASE_STAGE_SCREENING, {}, {}));
    Must(RecordScreening(Of("kc1"), code, {{"state", "clear"}}));
    Must(MoveStage(Of("kc1"), code, CASE_STAGE_ACCEPTED, {}, {}));
    Add("cw01", code, "assessment", {{"risk", "high"}, {"situation", "hides in a shed"}});
    Must(AskApproval(Of("cw01"), code, Approvable::kAssessment));
    Must(Decide(Of("sv1"), code, Approvable::kAssessment, true));
    Must(MoveStage(Of("cw01"), code, CASE_STAGE_PLANNING, {}, {}));
    Add("cw01", code, "plan", {{"goals[0].goal", "a warm place"}});
    Must(AskApproval(Of("cw01"), code, Approvable::kCasePlan));
    Must(Decide(Of("sv1"), code, Approvable::kCasePlan, true));
    Must(MoveStage(Of("kc2"), code, CASE_STAGE_READY, {}, {}));
    return code;
  }

  support::RealmServers servers_;
  support::TestOrganisation organisation_;
  std::set<Compartment> down_;
};

TEST_F(Tool, ACaseGoesFromContactToClosureByThePeopleOfEachStep) {
  const std::string code = Open();
  // Before its screening nobody accepts it, and no caseworker ever does.
  EXPECT_EQ(Refused(MoveStage(Of("kc1"), code, CASE_STAGE_ACCEPTED, {}, {})),
            Code::kPermissionDenied);
  Must(MoveStage(Of("cw01"), code, CASE_STAGE_SCREENING, {}, {}));
  EXPECT_EQ(Refused(MoveStage(Of("kc1"), code, CASE_STAGE_ACCEPTED, {}, {})),
            Code::kPermissionDenied);
  EXPECT_EQ(Refused(RecordScreening(Of("cw01"), code, {{"state", "clear"}})),
            Code::kPermissionDenied);
  Must(RecordScreening(Of("kc1"), code, {{"state", "doubt"}, {"grounds", "a gap of two years"}}));
  EXPECT_FALSE(Must(ShowCase(Of("kc1"), code)).row.summary.gate_cleared());
  Must(RecordScreening(Of("kc2"), code, {{"doubt_accepted", "yes"}}));
  EXPECT_TRUE(Must(ShowCase(Of("kc1"), code)).row.summary.gate_cleared());
  EXPECT_EQ(Refused(MoveStage(Of("cw01"), code, CASE_STAGE_ACCEPTED, {}, {})),
            Code::kPermissionDenied);
  Must(MoveStage(Of("kc1"), code, CASE_STAGE_ACCEPTED, {}, {}));

  EXPECT_EQ(AskApproval(Of("cw01"), code, Approvable::kAssessment).error().code(), Code::kNotFound);
  Add("cw01", code, "assessment", {{"risk", "high"}});
  EXPECT_EQ(Refused(MoveStage(Of("cw01"), code, CASE_STAGE_PLANNING, {}, {})),
            Code::kPermissionDenied);
  Must(AskApproval(Of("cw01"), code, Approvable::kAssessment));
  EXPECT_TRUE(Has(DayOf("sv1"), What::kApprovalWaits, "assessment"));
  EXPECT_EQ(Refused(Decide(Of("cw01"), code, Approvable::kAssessment, true)),
            Code::kPermissionDenied);
  Must(Decide(Of("sv1"), code, Approvable::kAssessment, false));
  EXPECT_EQ(Must(ShowCase(Of("kc1"), code)).row.summary.approval_assessment(),
            APPROVAL_STATE_REJECTED);
  Add("cw01", code, "assessment", {{"risk", "medium"}});
  Must(AskApproval(Of("cw01"), code, Approvable::kAssessment));
  Must(Decide(Of("sv1"), code, Approvable::kAssessment, true));
  Must(MoveStage(Of("cw01"), code, CASE_STAGE_PLANNING, {}, {}));

  // A closure by two, and a coordinator.
  EXPECT_EQ(CloseCase(Of("kc1"), code, {.reason = CLOSURE_REASON_NO_LONGER_WISHES, .incident = {}})
                .error()
                .code(),
            Code::kPermissionDenied);
  EXPECT_EQ(
      Must(CloseCase(Of("cw01"), code, {.reason = CLOSURE_REASON_NO_LONGER_WISHES, .incident = {}}))
          .how,
      Closed::kAsked);
  EXPECT_TRUE(Has(DayOf("kc2"), What::kApprovalWaits, "closure"));
  EXPECT_EQ(Must(CloseCase(Of("kc2"), code, {})).how, Closed::kClosed);
  const auto closed = Must(ShowCase(Of("cw01"), code));
  EXPECT_EQ(closed.life.status(), CASE_STATUS_CLOSED);
  EXPECT_EQ(closed.row.summary.stage(), CASE_STAGE_CLOSED);
  EXPECT_EQ(closed.row.summary.workflow(), WORKFLOW_CLOSED);
  EXPECT_FALSE(closed.summary_differs);
  EXPECT_TRUE(closed.life.refused.empty());
  EXPECT_FALSE(closed.row.summary.state_link().empty());

  EXPECT_EQ(Refused(ReopenCase(Of("sv1"), code, CLOSURE_REASON_UNREACHABLE)),
            Code::kPermissionDenied);
  Must(ReopenCase(Of("kc1"), code, CLOSURE_REASON_NO_LONGER_WISHES));
  EXPECT_EQ(StageOf("sv1", code), CASE_STAGE_PLANNING);
}

TEST_F(Tool, AnApprovalHoldsForTheContentThatWasApproved) {
  const std::string code = Ready();
  Add("cw01", code, "plan", {{"goals[1].goal", "a doctor"}});
  const auto seen = Must(ShowCase(Of("sv1"), code));
  EXPECT_EQ(ApprovalNow(seen.life, &*seen.sensitive, Approvable::kCasePlan),
            APPROVAL_STATE_PENDING);
  EXPECT_EQ(ApprovalNow(seen.life, &*seen.sensitive, Approvable::kAssessment),
            APPROVAL_STATE_APPROVED);
  // Coordinators, who do not read the plan, are told.
  EXPECT_EQ(Must(ShowCase(Of("kc1"), code)).row.summary.approval_case_plan(),
            APPROVAL_STATE_APPROVED);
  EXPECT_TRUE(Must(RenewApprovals(Of("cw01"), code)));
  EXPECT_FALSE(Must(RenewApprovals(Of("cw01"), code)));
  EXPECT_EQ(Must(ShowCase(Of("kc1"), code)).row.summary.approval_case_plan(),
            APPROVAL_STATE_PENDING);
  // What was changed after it was asked for is not approved unseen.
  Add("cw01", code, "plan", {{"goals[2].goal", "a lawyer"}});
  EXPECT_EQ(Refused(Decide(Of("sv1"), code, Approvable::kCasePlan, true)), Code::kConflict);
}

TEST_F(Tool, ADeathIsClosedByASecondPersonOnAVerifiedIncident) {
  const std::string code = Ready();
  const auto incident = Add("kc1", code, "incident", {{"type", "death"}, {"severity", "4"}});
  Must(CloseCase(Of("cw01"), code, {.reason = CLOSURE_REASON_DECEASED, .incident = {}}));
  EXPECT_EQ(CloseCase(Of("kc1"), code, {}).error().code(), Code::kPermissionDenied);
  EXPECT_EQ(CloseCase(Of("kc1"), code, {.incident = incident.record}).error().code(),
            Code::kPermissionDenied);
  Must(ChangeEntry(Of("kc1"), code, *FindEntryKind("incident"), ShortId(incident.record),
                   {{"verification", "verified"}}));
  EXPECT_EQ(Must(CloseCase(Of("kc1"), code, {.incident = incident.record})).how,
            Closed::kWaitsForSecond);
  EXPECT_EQ(StageOf("cw01", code), CASE_STAGE_READY);
  EXPECT_EQ(Refused(AssentToAct(Of("kc1"), code, MACHINE_STAGE)), Code::kPermissionDenied);
  EXPECT_EQ(Refused(AssentToAct(Of("cw01"), code, MACHINE_STAGE)), Code::kPermissionDenied);
  EXPECT_TRUE(Has(DayOf("kc2"), What::kSecondWaits, "deceased"));
  Must(AssentToAct(Of("kc2"), code, MACHINE_STAGE));
  const auto closed = Must(ShowCase(Of("cw01"), code));
  EXPECT_EQ(closed.life.stage(), CASE_STAGE_CLOSED);
  EXPECT_FALSE(closed.summary_differs);
  EXPECT_EQ(Refused(AssentToAct(Of("kc2"), code, MACHINE_STAGE)), Code::kNotFound);
  // What follows comes after the second person's word, too.
  Must(ReopenCase(Of("kc1"), code, CLOSURE_REASON_OTHER));
  const auto reopened = Must(ShowCase(Of("cw01"), code));
  EXPECT_EQ(reopened.life.stage(), CASE_STAGE_PLANNING);
  EXPECT_FALSE(reopened.summary_differs);
}

// Whoever signs what is not theirs to do: the chain holds it, and it counts for nothing.
TEST_F(Tool, WhatNobodyMayDoCountsForNothingAndIsKeptAsAnAlarm) {
  const std::string code = Open();
  const auto vault = Must(FindVault(CasesOf("sv1"), Kind::kCase, code, From::kService));
  const auto write = [&](const std::string& handle, std::vector<Edit> edits) {
    Must(WriteVault(CasesOf(handle), vault,
                    [&](VaultView&) -> base::Result<std::vector<Edit>> { return edits; }));
  };
  Act act;
  act.set_machine(MACHINE_STAGE);
  act.set_from(CASE_STAGE_CONTACT);
  act.set_to(CASE_STAGE_SCREENING);
  const NewAct stolen = MakeAct(act);
  write("sv1", {{stolen.record, stolen.content, 0}});
  auto seen = Must(ShowCase(Of("cw01"), code));
  EXPECT_EQ(seen.life.stage(), CASE_STAGE_CONTACT);
  ASSERT_EQ(seen.life.refused.size(), 1u);
  EXPECT_EQ(seen.life.refused[0].rule, Rule::kWrongActor);
  EXPECT_EQ(Must(ActAlarms(CasesOf("cw01"))).size(), 1u);
  Must(ShowCase(Of("cw01"), code));
  EXPECT_EQ(Must(ActAlarms(CasesOf("cw01"))).size(), 1u) << "once each";
  const auto day = DayOf("cw01");
  EXPECT_EQ(std::ranges::count(day, What::kAlarm, &std::pair<What, std::string>::first), 1);

  // An act whose record says something else than it did: written anew by somebody who may.
  const NewAct honest = MakeAct(act);
  write("cw01", {{honest.record, honest.content, 0}});
  EXPECT_EQ(StageOf("kc1", code), CASE_STAGE_SCREENING);
  Record changed = honest.content;
  changed.mutable_act()->set_to(CASE_STAGE_THIRD_COUNTRY);
  write("kc1", {{honest.record, changed, 0}});
  seen = Must(ShowCase(Of("kc2"), code));
  EXPECT_EQ(seen.life.stage(), CASE_STAGE_CONTACT);
  EXPECT_EQ(seen.file.acts().changed.size(), 1u);

  // A summary that says otherwise.
  Record summary = seen.file.Pinned()->content;
  summary.mutable_summary()->set_stage(CASE_STAGE_READY);
  summary.mutable_summary()->set_gate_cleared(true);
  write("kc1", {{seen.file.pinned_record(), summary, 0}});
  seen = Must(ShowCase(Of("kc2"), code));
  EXPECT_TRUE(seen.summary_differs);
  EXPECT_EQ(seen.row.summary.stage(), CASE_STAGE_CONTACT);
  EXPECT_FALSE(seen.row.summary.gate_cleared());
}

TEST_F(Tool, AWholeRegistrationWaitsWithoutANetwork) {
  organisation_.Sync("cw01");
  GoOffline();
  const std::string code = Open("가명일");
  Add("cw01", code, "need", {{"code", "sm"}, {"detail", "asthma"}});
  Must(AddNote(Of("cw01"), code, "met at a market"));
  Must(MoveStage(Of("cw01"), code, CASE_STAGE_SCREENING, {}, {}));
  Must(EditCase(Of("cw01"), code, {{"summary.risk", "high"}}));
  Must(RecordConsent(Of("cw01"), code, {{"tracing", "no"}}));
  // All of it shows, though nothing of it was sent.
  auto seen = Must(ShowCase(Of("cw01"), code, true));
  EXPECT_EQ(seen.life.stage(), CASE_STAGE_SCREENING);
  EXPECT_EQ(seen.row.summary.risk(), RISK_LEVEL_HIGH);
  EXPECT_EQ(seen.notes.size(), 1u);
  EXPECT_EQ(seen.link, LinkState::kBothSides);
  EXPECT_EQ(Must(ShowPerson(Of("cw01"), code, true)).profile.names(0).full(), "가명일");
  EXPECT_EQ(Must(ListCases(Of("cw01"))).size(), 1u);
  EXPECT_GE(Must(Outbox(Of("cw01"))).waiting, 8u);

  GoOnline();
  EXPECT_EQ(Must(SendOutbox(Of("cw01"))).waiting, 0u);
  seen = Must(ShowCase(Of("sv1"), code));
  EXPECT_EQ(seen.life.stage(), CASE_STAGE_SCREENING);
  EXPECT_EQ(seen.row.summary.risk(), RISK_LEVEL_HIGH);
  EXPECT_EQ(seen.row.summary.consent().tracing(), ANSWER_NO);
  EXPECT_EQ(seen.sensitive->Of(Record::kSpecificNeed).size(), 1u);
  EXPECT_FALSE(seen.summary_differs);
  EXPECT_EQ(Must(ShowPerson(Of("cw01"), code)).file.Of(Record::kConsent).size(), 2u);
}

TEST_F(Tool, WhatTwoWroteAtOnceIsJoinedAndNothingIsLost) {
  const std::string code = Open();
  const auto need = Add("cw01", code, "need", {{"code", "sm"}, {"detail", "asthma"}});
  Must(ShowCase(Of("sv1"), code));
  const EntryKind& kind = *FindEntryKind("need");
  GoOffline();
  Must(ChangeEntry(Of("cw01"), code, kind, ShortId(need.record),
                   {{"detail", "asthma, no inhaler"}, {"severity", "high"}}));
  Must(ChangeEntry(Of("sv1"), code, kind, ShortId(need.record),
                   {{"detail", "asthma since childhood"}, {"since", "2009"}}));
  GoOnline();
  EXPECT_EQ(Must(SendOutbox(Of("sv1"))).waiting, 0u);
  EXPECT_EQ(Must(SendOutbox(Of("cw01"))).waiting, 0u);
  for (const char* handle : {"cw01", "sv1"}) {
    const auto seen = Must(ShowCase(Of(handle), code));
    const auto& joined = seen.sensitive->Find(need.record)->content.specific_need();
    EXPECT_EQ(joined.severity(), SEVERITY_HIGH);
    EXPECT_EQ(joined.since().year(), 2009);
    EXPECT_EQ(joined.detail(), "asthma since childhood") << "what came first stands";
    const auto conflicts = seen.sensitive->Of(Record::kConflict);
    ASSERT_EQ(conflicts.size(), 1u);
    EXPECT_EQ(conflicts[0]->content.conflict().field(), "detail");
  }
  EXPECT_TRUE(Has(DayOf("sv1"), What::kConflict, "detail"));
  const auto conflict = Must(ShowCase(Of("sv1"), code)).sensitive->Of(Record::kConflict)[0]->record;
  Must(SettleConflict(Of("sv1"), code, ShortId(conflict), true));
  const auto chosen = Must(ShowCase(Of("cw01"), code));
  EXPECT_EQ(chosen.sensitive->Find(need.record)->content.specific_need().detail(),
            "asthma, no inhaler");
  EXPECT_FALSE(Has(DayOf("sv1"), What::kConflict, "detail"));
}

// An act that was legal when it was written and no longer is when it is sent: it waits for its
// person, and what follows on the case waits with it.
TEST_F(Tool, AnActThatCannotFollowAnyMoreIsKeptAndSaysWhy) {
  const std::string code = Open();
  Must(ShowCase(Of("kc1"), code));
  GoOffline();
  Must(MoveStage(Of("cw01"), code, CASE_STAGE_SCREENING, {}, {}));
  GoOnline();
  Must(CloseCase(Of("kc1"), code, {.reason = CLOSURE_REASON_UNREACHABLE, .incident = {}}));
  const auto state = Must(SendOutbox(Of("cw01")));
  EXPECT_EQ(state.waiting, 1u);
  EXPECT_EQ(state.refused, 1u);
  const auto waiting = Must(OutboxOf(CasesOf("cw01")));
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0].what, "case stage");
  EXPECT_NE(waiting[0].why, "");
  EXPECT_TRUE(Has(DayOf("cw01"), What::kRefused, "case stage"));
  Require(Discard(CasesOf("cw01"), waiting[0].id));
  EXPECT_EQ(Must(Outbox(Of("cw01"))).waiting, 0u);
  EXPECT_EQ(Must(ShowCase(Of("cw01"), code)).life.status(), CASE_STATUS_CLOSED);
}

TEST_F(Tool, ACaseIsHandedOverByThoseWhoManageItsPartsAndItShows) {
  const std::string code = Open();
  Must(AddNote(Of("cw01"), code, "likes to sing"));
  EXPECT_EQ(AssignCase(Of("cw01"), code, "cw02").error().code(), Code::kPermissionDenied);
  EXPECT_EQ(AssignCase(Of("kc1"), code, "sv1").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(AssignCase(Of("kc1"), code, "nobody").error().code(), Code::kInvalidArgument);

  const auto by_coordinator = Must(AssignCase(Of("kc1"), code, "cw02"));
  EXPECT_EQ(by_coordinator.done, std::vector<Kind>{Kind::kCase});
  EXPECT_EQ(Must(ShowCase(Of("cw02"), code)).row.caseworker, "Caseworker 02");
  EXPECT_FALSE(Must(ShowCase(Of("cw02"), code)).sensitive_readable());
  auto state = Must(HandOverOf(Of("sv1"), code));
  EXPECT_TRUE(state.half_done());
  EXPECT_EQ(state.case_with, "cw02");
  EXPECT_EQ(state.sensitive_with, "cw01");
  EXPECT_EQ(state.person_with, "cw01");
  const auto day = DayOf("sv1");
  EXPECT_EQ(std::ranges::count(day, What::kHandOver, &std::pair<What, std::string>::first), 1);

  // The supervisor hands over a person that they do not read.
  EXPECT_EQ(ShowPerson(Of("sv1"), code).error().code(), Code::kNotFound);
  const auto by_supervisor = Must(AssignCase(Of("sv1"), code, "cw02"));
  EXPECT_EQ(by_supervisor.done, (std::vector<Kind>{Kind::kSensitive, Kind::kPerson}));
  EXPECT_TRUE(by_supervisor.left.empty());
  state = Must(HandOverOf(Of("sv1"), code));
  EXPECT_FALSE(state.half_done());
  EXPECT_EQ(state.person_with, "cw02");
  EXPECT_EQ(ShowPerson(Of("sv1"), code).error().code(), Code::kNotFound);

  const auto taken = Must(ShowCase(Of("cw02"), code));
  EXPECT_EQ(taken.notes.size(), 1u);
  EXPECT_EQ(taken.link, LinkState::kBothSides);
  EXPECT_EQ(Must(ShowPerson(Of("cw02"), code)).profile.names(0).full(), "홍예시");
  // Whoever gave it away gets nothing that is written from here on.
  Must(AddNote(Of("cw02"), code, "and to cook"));
  EXPECT_EQ(ShowPerson(Of("cw01"), code).error().code(), Code::kNotFound);
  EXPECT_EQ(ShowCase(Of("cw01"), code).error().code(), Code::kNotFound);
}

TEST_F(Tool, EveryKindOfEntryIsWrittenShownChangedAndStruck) {
  const std::string code = Open();
  Must(RecordConsent(Of("cw01"), code, {{"share_partner", "yes"}}));
  const std::vector<Change> told{{"to_org", "Invented Aid"},
                                 {"share_with", "partner"},
                                 {"shared_fields", "identity_profile.names, need"}};
  const std::map<std::string, std::pair<std::vector<Change>, Change>> fields = {
      {"need", {{{"code", "tr"}}, {"severity", "low"}}},
      {"assessment", {{{"situation", "a loft"}}, {"assessed_day", "2031-02-03"}}},
      {"plan", {{{"goals[0].goal", "school"}}, {"review_day", "2031-05-06"}}},
      {"trafficking", {{{"status", "possible"}}, {"forced_labour", "?refused"}}},
      {"best-interests", {{{"kind", "bia"}}, {"outcome", "stays with her aunt"}}},
      {"observation", {{{"text", "asks about others"}}, {"forwarded", "yes"}}},
      {"narrative", {{{"narrative", "it was dark"}}, {"victims", "?not_asked"}}},
      {"service", {{{"type", "cash"}}, {"amount", "120.50 USD"}}},
      {"follow-up", {{{"type", "visit"}}, {"due_day", "2031-01-02"}}},
      {"incident", {{{"type", "medical"}}, {"occurred", "2030"}}},
      {"authority", {{{"step", "reported"}}, {"date", "2030-11"}}},
      {"referral", {told, {"expires_day", "2099-05-06"}}},
      {"transfer", {told, {"service", "legal_assistance"}}},
      {"document", {{{"type", "none"}}, {"held_by", "kin"}}},
      {"kin", {{{"relation", "mother"}}, {"alive", "?unknown"}}},
      {"contact", {{{"kind", "phone"}}, {"handle", "+000 555 0100"}}},
      {"tracing", {{{"sought", "a brother"}}, {"status", "open"}}},
  };
  for (const EntryKind& kind : EntryKinds()) {
    SCOPED_TRACE(kind.name);
    ASSERT_TRUE(fields.contains(std::string(kind.name)));
    const auto& [first, second] = fields.at(std::string(kind.name));
    const auto added = Add("cw01", code, kind.name.data(), first);
    EXPECT_FALSE(AddEntry(Of("cw01"), code, kind, {{"no_such_field", "x"}}));
    EXPECT_FALSE(AddEntry(Of("cw01"), code, kind, {}));
    EXPECT_FALSE(ChangeEntry(Of("cw01"), code, kind, "ffffffff", {second}));
    Must(ChangeEntry(Of("cw01"), code, kind, ShortId(added.record), {second}));
    auto file = Must(OpenEntries(Of("cw01"), code, kind, From::kService));
    ASSERT_EQ(EntriesOf(file, kind).size(), 1u);
    EXPECT_FALSE(EntriesOf(file, kind)[0]->waits);
    const std::string before = EntriesOf(file, kind)[0]->content.SerializeAsString();
    Must(StrikeEntry(Of("cw01"), code, kind, ShortId(added.record)));
    file = Must(OpenEntries(Of("cw01"), code, kind, From::kService));
    EXPECT_TRUE(EntriesOf(file, kind).empty());
    ASSERT_EQ(EntriesOf(file, kind, true).size(), 1u);
    Record struck = EntriesOf(file, kind, true)[0]->content;
    struck.clear_entered_in_error();
    EXPECT_EQ(struck.SerializeAsString(), before) << "nothing of it is lost";
    // Nobody else's to change.
    EXPECT_FALSE(AddEntry(Of("cw02"), code, kind, first));
  }
  // The board knows when the next thing is due.
  Add("cw01", code, "follow-up", {{"type", "visit"}, {"due_day", "2031-01-09"}});
  const auto second =
      Add("cw01", code, "follow-up", {{"type", "review"}, {"due_day", "2031-01-05"}});
  const auto due = [&] { return Must(ShowCase(Of("kc1"), code)).row.summary.next_due_day(); };
  EXPECT_EQ(due(), 22284u);
  Must(ChangeEntry(Of("cw01"), code, *FindEntryKind("follow-up"), ShortId(second.record),
                   {{"done_day", "2031-01-04"}}));
  EXPECT_EQ(due(), 22288u);
}

TEST_F(Tool, WhatCoordinatorsReadNamesNobody) {
  const std::string code = Open("리보기");
  Add("cw01", code, "contact", {{"kind", "phone"}, {"handle", "+000 555 0199"}});
  const auto comment = [&](Kind vault, const std::string& text) {
    return AddComment(Of("cw01"), code, vault, "", text);
  };
  for (const char* text : {"please ask 리보기", "call +000 555 0199", "ＲＥＡＣＨ 리보기 today"}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(comment(Kind::kCase, text).error().code(), Code::kPermissionDenied);
    EXPECT_TRUE(comment(Kind::kSensitive, text));
  }
  EXPECT_TRUE(comment(Kind::kCase, "needs a doctor soon"));
  EXPECT_EQ(comment(Kind::kCase, std::string(121, 'x')).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(AddTask(Of("cw01"), code, Kind::kCase, {.to = {}, .text = "call"}).error().code(),
            Code::kInvalidArgument);
}

TEST_F(Tool, QuestionsAndTasksReachTheOneTheyAreFor) {
  const std::string code = Open();
  EXPECT_EQ(AddComment(Of("cw01"), code, Kind::kSensitive, "kc1", "for a stranger").error().code(),
            Code::kInvalidArgument);
  Must(AddComment(Of("cw01"), code, Kind::kSensitive, "sv1", "may we pay for the bus?"));
  EXPECT_TRUE(Has(DayOf("sv1"), What::kComment, "may we pay for the bus?"));
  EXPECT_FALSE(Has(DayOf("cw01"), What::kComment, "may we pay for the bus?"));
  EXPECT_EQ(Must(ReadComments(Of("sv1"), code)), 1u);
  EXPECT_EQ(Must(ReadComments(Of("sv1"), code)), 0u);
  EXPECT_FALSE(Has(DayOf("sv1"), What::kComment, "may we pay for the bus?"));

  Must(AddTask(
      Of("sv1"), code, Kind::kSensitive,
      {.kind = TASK_KIND_REVIEW, .due_day = 19'990, .to = "cw01", .text = "read the plan"}));
  EXPECT_TRUE(Has(DayOf("cw01"), What::kTask, "read the plan"));
  std::string id;
  for (const auto& item : Must(Today(Of("cw01"), 20'000))) {
    if (item.what == What::kTask) id = item.id;
  }
  Must(FinishTask(Of("cw01"), code, id));
  EXPECT_FALSE(Has(DayOf("cw01"), What::kTask, "read the plan"));
}

TEST_F(Tool, ConsentIsTheirsToGiveAndTakeBack) {
  const std::string code = Open();
  EXPECT_EQ(RecordConsent(Of("sv1"), code, {{"services", "no"}}).error().code(), Code::kNotFound);
  Must(RecordConsent(Of("cw01"), code,
                     {{"share_unhcr", "yes"}, {"tracing", "?refused"}, {"from", "individual"}}));
  auto seen = Must(ShowCase(Of("kc1"), code)).row.summary.consent();
  EXPECT_EQ(seen.share_unhcr(), ANSWER_YES);
  EXPECT_EQ(seen.tracing(), ANSWER_REFUSED);
  EXPECT_EQ(seen.services(), ANSWER_YES) << "what nobody asked about again stays";
  Must(WithdrawConsent(Of("cw01"), code));
  seen = Must(ShowCase(Of("kc1"), code)).row.summary.consent();
  EXPECT_EQ(seen.share_unhcr(), ANSWER_NO);
  EXPECT_EQ(seen.services(), ANSWER_NO);
  EXPECT_EQ(seen.tracing(), ANSWER_REFUSED);
  const auto file = Must(ShowPerson(Of("cw01"), code)).file.Of(Record::kConsent).size();
  EXPECT_EQ(file, 3u) << "each as it was given";
  const auto state = [&] {
    const auto person = Must(ShowPerson(Of("cw01"), code));
    return CurrentConsent(person.file)->content.consent().state();
  };
  EXPECT_EQ(state(), CONSENT_STATE_WITHDRAWN);
  EXPECT_EQ(Refused(MoveStage(Of("cw01"), code, CASE_STAGE_SCREENING, {}, {})),
            Code::kPermissionDenied);
  // Given again, on the same day: what was taken back before differs from nothing.
  Must(RecordConsent(Of("cw01"), code, {{"services", "yes"}, {"store_identity", "yes"}}));
  EXPECT_EQ(state(), CONSENT_STATE_GIVEN);
  for (const auto& [what, detail] : DayOf("cw01")) EXPECT_NE(what, What::kConsentDiffers);
}

TEST(SharingRules, SayWhyAConsentDoesNotCoverWhatIsTold) {
  constexpr std::uint32_t kToday = 20'000;
  struct {
    const char* want;
    std::function<void(Consent&)> change;
    ShareWith whom = SHARE_WITH_PARTNER;
  } const rows[] = {
      {"covered", [](Consent&) {}},
      {"covered", [](Consent& c) { c.set_expires_day(kToday); }},
      {"covered", [](Consent& c) { c.set_share_partner_org(" Invented Aid "); }},
      {"expired", [](Consent& c) { c.set_expires_day(kToday - 1); }},
      {"other_partner", [](Consent& c) { c.set_share_partner_org("Another Aid"); }},
      {"withheld", [](Consent& c) { c.set_withheld_from("Invented Aid"); }},
      {"covered", [](Consent& c) { c.set_withheld_from("Another Aid"); }},
      {"withdrawn", [](Consent& c) { c.set_state(CONSENT_STATE_WITHDRAWN); }},
      {"no_consent", [](Consent& c) { c.set_state(CONSENT_STATE_ASKED); }},
      {"no_consent", [](Consent& c) { c.set_state(CONSENT_STATE_SUPERSEDED); }},
      {"not_agreed", [](Consent& c) { c.set_share_partner(ANSWER_NO); }},
      {"not_agreed", [](Consent& c) { c.set_share_partner(ANSWER_NOT_ASKED); }},
      {"not_agreed", [](Consent&) {}, SHARE_WITH_UNHCR},
      {"not_agreed", [](Consent&) {}, SHARE_WITH_AUTHORITY},
      {"not_agreed", [](Consent&) {}, SHARE_WITH_UNSPECIFIED},
      {"covered", [](Consent& c) { c.set_share_unhcr(ANSWER_YES); }, SHARE_WITH_UNHCR},
      {"covered", [](Consent& c) { c.set_share_authority(ANSWER_YES); }, SHARE_WITH_AUTHORITY},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.want);
    Consent consent;
    consent.set_state(CONSENT_STATE_GIVEN);
    consent.set_share_partner(ANSWER_YES);
    row.change(consent);
    Transition transition;
    transition.set_to_org("Invented Aid");
    transition.set_share_with(row.whom);
    EXPECT_EQ(NameOf(SharingOf(&consent, transition, kToday)), row.want);
  }
  EXPECT_EQ(NameOf(SharingOf(nullptr, {}, kToday)), "no_consent");
}

TEST_F(Tool, WhatCoordinatorsReadOfAServiceNamesNobody) {
  const std::string code = Open("홍예시");
  const auto& kind = *FindEntryKind("service");
  for (const char* field : {"provider_agency", "budget_line"}) {
    EXPECT_EQ(
        AddEntry(Of("cw01"), code, kind, {{"type", "cash"}, {field, "for 홍예시"}}).error().code(),
        Code::kPermissionDenied)
        << field;
  }
  const auto service = Add("cw01", code, "service", {{"provider_agency", "Invented Clinic"}});
  EXPECT_EQ(
      ChangeEntry(Of("cw01"), code, kind, ShortId(service.record), {{"budget_line", "홍예시"}})
          .error()
          .code(),
      Code::kPermissionDenied);
}

TEST(OpeningACase, NeedsACoordinatorInTheOrganisation) {
  support::RealmServers servers;
  support::TestOrganisation organisation(servers);
  organisation.Join(support::Staff(1, 1, 0, 0, 0));
  NewCase made;
  made.supervisor = "sv1";
  EXPECT_EQ(OpenCase(organisation.Of("cw01"), std::move(made)).error().code(), Code::kNotFound);
}

// What is told of a case, and by which consent.
class Sharing : public Tool {
 protected:
  // What a referral to this receiver is refused with; kInternal: it was written.
  Code AddTo(const std::string& to, const std::string& whom,
             const std::string& told = "identity_profile.names") {
    const auto added = AddEntry(Of("cw01"), code_, kReferral,
                                {{"to_org", to}, {"share_with", whom}, {"shared_fields", told}});
    return added ? Code::kInternal : added.error().code();
  }
  EntryWritten Added(const EntryKind& kind) {
    return Must(AddEntry(Of("cw01"), code_, kind,
                         {{"to_org", "Invented Aid"},
                          {"share_with", "partner"},
                          {"service", "legal_assistance"},
                          {"shared_fields", "identity_profile.names, need.detail, summary.sex"}}));
  }
  Code Set(const char* who, const EntryKind& kind, const EntryWritten& of, const char* field,
           const char* value) {
    const auto changed = ChangeEntry(Of(who), code_, kind, ShortId(of.record), {{field, value}});
    return changed ? Code::kInternal : changed.error().code();
  }
  Code Told(const EntryWritten& of) {
    const auto shared = OpenShared(Of("cw01"), code_, ShortId(of.record), From::kService);
    return shared ? Code::kInternal : shared.error().code();
  }

  static constexpr Code kWritten = Code::kInternal;
  const EntryKind& kReferral = *FindEntryKind("referral");
  const EntryKind& kTransfer = *FindEntryKind("transfer");
  const std::string code_ = Open();
};

TEST_F(Sharing, NothingIsToldThatTheConsentDoesNotCover) {
  EXPECT_EQ(AddTo("Invented Aid", "partner"), Code::kPermissionDenied) << "nobody asked";
  Must(RecordConsent(Of("cw01"), code_,
                     {{"share_partner", "yes"}, {"share_partner_org", "Invented Aid"}}));
  EXPECT_EQ(AddTo("Invented Aid", "unhcr"), Code::kPermissionDenied) << "asked about others";
  EXPECT_EQ(AddTo("Another Aid", "partner"), Code::kPermissionDenied);
  EXPECT_EQ(AddTo("Invented Aid", "partner"), kWritten);
  Must(RecordConsent(Of("cw01"), code_, {{"withheld_from", "Invented Aid"}}));
  EXPECT_EQ(AddTo("Invented Aid", "partner"), Code::kPermissionDenied);
  Must(RecordConsent(Of("cw01"), code_, {{"withheld_from", ""}, {"expires_day", "2001-02-03"}}));
  EXPECT_EQ(AddTo("Invented Aid", "partner"), Code::kPermissionDenied);

  // Nor what is not this person's, or is no field; nor to nobody, nor to one of one's own people.
  Must(RecordConsent(Of("cw01"), code_, {{"expires_day", ""}}));
  for (const char* field : {"kin", "observation", "identity_profile", "summary.caseworker",
                            "summary.flags", "need.no_such", "need.", "note", ""}) {
    EXPECT_EQ(AddTo("Invented Aid", "partner", field), Code::kInvalidArgument) << field;
  }
  EXPECT_EQ(AddTo(" ", "partner"), Code::kInvalidArgument);
  EXPECT_EQ(AddTo("Invented Aid", ""), Code::kInvalidArgument);
  Must(RecordConsent(Of("cw01"), code_, {{"share_partner_org", ""}}));
  EXPECT_EQ(AddTo("the 홍예시 fund", "partner"), Code::kPermissionDenied);
  EXPECT_EQ(AddTo("Another Aid", "partner"), kWritten) << "any partner";
}

TEST_F(Sharing, AReferralIsAnsweredOnceAndStaysAsItWasTold) {
  Must(RecordConsent(Of("cw01"), code_, {{"share_partner", "yes"}}));
  const auto referral = Added(kReferral);
  const auto now = [&] {
    return EntriesOf(Must(OpenEntries(Of("kc1"), code_, kReferral, From::kService)), kReferral)
        .front()
        ->content.transition();
  };
  EXPECT_EQ(now().state(), TRANSITION_STATE_IN_PROGRESS);
  EXPECT_EQ(now().kind(), TRANSITION_KIND_REFERRAL);
  EXPECT_EQ(now().consent().size(), 16u) << "by which consent";
  EXPECT_EQ(Set("cw01", kReferral, referral, "state", "done"), Code::kInvalidArgument);
  EXPECT_EQ(Set("cw01", kReferral, referral, "kind", "transfer"), Code::kInvalidArgument);
  EXPECT_EQ(Set("cw01", kReferral, referral, "consent_overridden", "yes"), Code::kInvalidArgument);
  EXPECT_EQ(Set("cw01", kTransfer, referral, "state", "accepted"), Code::kNotFound) << "is none";
  // Nothing is shared any more after its last day, until there is a later one.
  EXPECT_EQ(Set("cw01", kReferral, referral, "expires_day", "2001-02-03"), kWritten);
  EXPECT_EQ(Told(referral), Code::kPermissionDenied);
  EXPECT_EQ(Set("cw01", kReferral, referral, "state", "accepted"), Code::kInvalidArgument);
  EXPECT_EQ(Set("cw01", kReferral, referral, "expires_day", "2099-02-03"), kWritten);
  EXPECT_EQ(Told(referral), kWritten);

  EXPECT_EQ(Set("cw01", kReferral, referral, "state", "accepted"), kWritten);
  EXPECT_EQ(Set("cw01", kReferral, referral, "shared_fields", "need"), Code::kInvalidArgument);
  EXPECT_EQ(Told(referral), kWritten);
  EXPECT_EQ(Set("cw01", kReferral, referral, "state", "done"), kWritten);
  EXPECT_EQ(Told(referral), Code::kPermissionDenied);
  EXPECT_EQ(Set("cw01", kReferral, referral, "state", "revoked"), Code::kInvalidArgument);
  EXPECT_EQ(Must(ShowCase(Of("kc1"), code_)).life.status(), CASE_STATUS_OPEN) << "the case stays";
}

TEST_F(Sharing, ATransferThatIsAcceptedEndsTheCaseByACoordinator) {
  Must(RecordConsent(Of("cw01"), code_, {{"share_partner", "yes"}}));
  const auto transfer = Added(kTransfer);
  EXPECT_EQ(Set("cw01", kTransfer, transfer, "state", "accepted"), Code::kPermissionDenied);
  EXPECT_EQ(Set("kc1", kTransfer, transfer, "state", "accepted"), kWritten);
  const auto shown = Must(ShowCase(Of("cw01"), code_));
  EXPECT_EQ(shown.life.status(), CASE_STATUS_TRANSFERRED);
  EXPECT_TRUE(shown.life.refused.empty());
  EXPECT_EQ(shown.row.summary.status(), CASE_STATUS_TRANSFERRED);
  EXPECT_EQ(Set("kc1", kTransfer, transfer, "state", "revoked"), Code::kInvalidArgument);
}

TEST_F(Sharing, WhoHandedACaseOverKeepsItsStatusAlone) {
  const auto trim = [&](const char* who) {
    const auto trimmed = TrimCase(Of(who), code_, [](std::size_t, std::size_t) {});
    return trimmed ? std::pair(trimmed->parts, trimmed->records)
                   : std::pair(std::size_t{0}, static_cast<std::size_t>(trimmed.error().code()));
  };
  const auto denied = std::pair(std::size_t{0}, static_cast<std::size_t>(Code::kPermissionDenied));
  Add("cw01", code_, "need", {{"code", "sm"}, {"detail", "asthma"}});
  Must(RecordScreening(Of("kc1"), code_, {{"state", "clear"}}));
  Must(RecordConsent(Of("cw01"), code_, {{"share_partner", "yes"}}));
  const auto transfer = Added(kTransfer);
  EXPECT_EQ(trim("cw01"), denied) << "it was not handed over";
  EXPECT_EQ(Set("kc1", kTransfer, transfer, "state", "accepted"), kWritten);
  EXPECT_EQ(trim("cw02"), std::pair(std::size_t{0}, static_cast<std::size_t>(Code::kNotFound)));

  const auto person = Must(ShowPerson(Of("cw01"), code_)).vault;
  const auto held = [&](const char* who, Compartment compartment, const base::VaultId& vault) {
    Realm& realm = organisation_.RealmOf(who, compartment);
    Require(realm.Sync());
    Must(VaultView::Fetch(realm, vault));
    return Must(realm.store().Load(vault))->records.size();
  };
  EXPECT_GT(held("cw01", Compartment::kIdentity, person), 2u);
  const auto name = Store::SearchedName(Store::SearchedShard(person));
  auto& store = organisation_.RealmOf("cw01", Compartment::kIdentity).store();
  Require(store.Put(name, base::Bytes{1}));
  const auto [parts, records] = trim("cw01");
  EXPECT_EQ(parts, 2u);
  EXPECT_GE(records, 3u) << "profile, consents, a need";
  EXPECT_EQ(held("cw01", Compartment::kIdentity, person), 1u) << "which case it was";
  EXPECT_FALSE(Must(store.Get(name))) << "what a search read of it";
  EXPECT_EQ(trim("cw01"), std::pair(std::size_t{2}, std::size_t{0}));
  // The supervisor's device forgets with its next sync, and what is left is nothing.
  const auto sensitive = Must(FindVault(CasesOf("sv1"), Kind::kSensitive, code_, From::kService));
  EXPECT_EQ(held("sv1", Compartment::kCases, sensitive), 1u);
  EXPECT_EQ(trim("sv1"), std::pair(std::size_t{1}, std::size_t{0}));
  EXPECT_EQ(trim("kc1"), std::pair(std::size_t{1}, std::size_t{1})) << "the screening";
  EXPECT_EQ(Must(ShowCase(Of("kc2"), code_)).life.status(), CASE_STATUS_TRANSFERRED);
}

TEST_F(Sharing, WhatIsToldIsWhatWasChosenAndEndsWithTheConsent) {
  Must(RecordConsent(Of("cw01"), code_, {{"share_partner", "yes"}, {"share_unhcr", "yes"}}));
  Add("cw01", code_, "need", {{"code", "sm"}, {"detail", "asthma"}});
  Add("cw01", code_, "observation", {{"text", "asks about others"}});
  const auto referral = Added(kReferral);
  const auto shared = Must(OpenShared(Of("cw01"), code_, ShortId(referral.record), From::kService));
  ASSERT_EQ(shared.parts.size(), 3u);
  EXPECT_EQ(shared.parts[0].records.front().identity_profile().names(0).full(), "홍예시");
  EXPECT_EQ(shared.parts[1].field.field, "detail");
  EXPECT_EQ(shared.parts[1].records.front().specific_need().detail(), "asthma");
  // Who does not read the person tells nothing of them.
  for (const char* other : {"sv1", "kc1", "cw02"}) {
    EXPECT_FALSE(OpenShared(Of(other), code_, ShortId(referral.record), From::kService)) << other;
  }
  EXPECT_EQ(OpenShared(Of("cw01"), code_, "ffffffff", From::kService).error().code(),
            Code::kNotFound);

  const auto tasks = [&] {
    std::size_t open = 0;
    for (const auto& [what, detail] : DayOf("cw01")) open += what == What::kTask ? 1 : 0;
    return open;
  };
  const std::size_t before = tasks();
  Must(RecordConsent(Of("cw01"), code_, {{"share_unhcr", "no"}}));
  EXPECT_EQ(tasks(), before) << "it was told by another consent";
  EXPECT_EQ(Told(referral), kWritten);
  Must(WithdrawConsent(Of("cw01"), code_));
  EXPECT_EQ(Told(referral), Code::kPermissionDenied);
  EXPECT_EQ(tasks(), before + 1) << "the receiver is to be told";
  EXPECT_EQ(Set("cw01", kReferral, referral, "service", "cash"), Code::kPermissionDenied);
  const auto entries = [&] {
    return Must(OpenCaseFile(organisation_.RealmOf("cw01", Compartment::kIdentity), Kind::kPerson,
                             code_, From::kService))
        .view()
        ->state()
        .size();
  };
  const auto written = entries();
  Must(WithdrawConsent(Of("cw01"), code_));
  EXPECT_EQ(entries(), written) << "told twice, it was taken back on the first day";
  EXPECT_EQ(tasks(), before + 1) << "once";
  EXPECT_EQ(RecordConsent(Of("cw01"), code_, {{"state", "withdrawn"}}).error().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(Set("cw01", kReferral, referral, "state", "revoked"), kWritten);
}

// What two organisations agreed bounds what one tells the other, beside what the person agreed to.
TEST_F(Sharing, WhatIsToldToAPartnerIsAgreedWithIt) {
  Must(RecordConsent(Of("cw01"), code_, {{"share_partner", "yes"}, {"share_unhcr", "yes"}}));
  const auto refused = [](const auto& written) {
    return written ? Code::kInternal : written.error().code();
  };
  EXPECT_EQ(refused(AddPartner(Of("cw01"), {{"name", "Invented Aid"}})), Code::kPermissionDenied);
  EXPECT_EQ(refused(AddPartner(Of("founder"), {{"reach", "the front desk"}})),
            Code::kInvalidArgument)
      << "no name";
  EXPECT_EQ(refused(AddPartner(Of("founder"), {{"name", "A"}, {"agreements[0].revoked", "no"}})),
            Code::kInvalidArgument)
      << "an agreement on nothing";
  EXPECT_EQ(refused(AddPartner(Of("founder"), {{"name", "A"}, {"agreements[0].scope", "kin"}})),
            Code::kInvalidArgument)
      << "what is told to nobody";
  EXPECT_EQ(AddTo("Invented Aid", "partner"), kWritten) << "nobody recorded it";
  const auto partner =
      Must(AddPartner(Of("founder"), {{"name", "Invented Aid"},
                                      {"agreements[0].scope", "need,identity_profile.names"},
                                      {"agreements[0].purposes", "legal_assistance"},
                                      {"agreements[1].scope", "summary.sex"}}));
  EXPECT_EQ(refused(AddPartner(Of("founder"), {{"name", " invented aid"}})), Code::kExists);
  EXPECT_EQ(Must(OpenPartners(Of("kc1"), From::kService)).Of(content::v1::Record::kPartner).size(),
            1u);

  EXPECT_EQ(AddTo("Invented aid", "partner"), Code::kPermissionDenied) << "for no service";
  EXPECT_EQ(AddTo("Invented Aid", "partner", "summary.sex"), kWritten) << "for any";
  EXPECT_EQ(AddTo("Invented Aid", "partner", "summary.risk"), Code::kPermissionDenied);
  EXPECT_EQ(AddTo("Invented Aid", "unhcr"), Code::kPermissionDenied) << "by whatever name of it";
  EXPECT_EQ(AddTo("Another Aid", "partner"), kWritten);
  const auto referral = Added(kReferral);  // for legal assistance: names, need.detail, sex
  EXPECT_EQ(Told(referral), kWritten);
  const auto set = [&](const char* field, const char* value) {
    return refused(ChangePartner(Of("founder"), ShortId(partner.record), {{field, value}}));
  };
  EXPECT_EQ(set("agreements[0].until_day", "2001-02-03"), kWritten);
  EXPECT_EQ(Told(referral), Code::kPermissionDenied) << "over";
  EXPECT_EQ(set("agreements[0].until_day", ""), kWritten);
  EXPECT_EQ(set("agreements[1].revoked", "yes"), kWritten);
  EXPECT_EQ(Told(referral), Code::kPermissionDenied) << "one field of it is revoked";
  EXPECT_EQ(set("name", ""), Code::kInvalidArgument);
  Must(StrikePartner(Of("founder"), ShortId(partner.record)));
  EXPECT_EQ(Told(referral), kWritten);
}

// Somebody's life depends on it, and they did not agree, or cannot be asked.
TEST_F(Sharing, ConsentIsOverriddenByTwoForDaysAndReviewed) {
  const auto day = [](int from_now) {
    const std::chrono::year_month_day date(
        std::chrono::sys_days(std::chrono::days(static_cast<int>(DayNow()) + from_now)));
    const auto two = [](unsigned n) { return (n < 10 ? "-0" : "-") + std::to_string(n); };
    return std::to_string(static_cast<int>(date.year())) +
           two(static_cast<unsigned>(date.month())) + two(static_cast<unsigned>(date.day()));
  };
  const auto add = [&](const std::string& until) {
    return AddEntry(Of("cw01"), code_, kReferral,
                    {{"to_org", "Invented Hospital"},
                     {"share_with", "partner"},
                     {"shared_fields", "need"},
                     {"consent_overridden", "yes"},
                     {"expires_day", until}});
  };
  EXPECT_EQ(add(day(15)).error().code(), Code::kInvalidArgument) << "too long";
  EXPECT_EQ(add(day(-1)).error().code(), Code::kInvalidArgument);
  const auto referral = Must(add(""));  // as long as may be
  EXPECT_EQ(Told(referral), Code::kPermissionDenied) << "alone";
  const auto assent = [&](const char* who) {
    const auto written = AssentToAct(Of(who), code_, MACHINE_CONSENT_OVERRIDE);
    return written ? Code::kInternal : written.error().code();
  };
  EXPECT_EQ(assent("cw01"), Code::kPermissionDenied) << "one's own";
  EXPECT_EQ(AssentToAct(Of("sv1"), code_, MACHINE_STAGE).error().code(), Code::kNotFound);
  EXPECT_TRUE(Has(DayOf("sv1"), What::kSecondWaits, "consent_override"));
  // Nobody answers what nobody may be told, and nobody agrees to another revision than they saw.
  EXPECT_EQ(Set("cw01", kReferral, referral, "state", "accepted"), Code::kPermissionDenied);
  EXPECT_EQ(AssentToAct(Of("sv1"), code_, MACHINE_CONSENT_OVERRIDE, base::Link()).error().code(),
            Code::kNotFound);
  const auto second = Must(add(day(3)));
  EXPECT_EQ(assent("sv1"), kWritten) << "the newest";
  // The first one began where the case no longer stands.
  EXPECT_EQ(assent("sv1"), Code::kPermissionDenied);
  EXPECT_EQ(Told(second), kWritten);
  EXPECT_EQ(Told(referral), Code::kPermissionDenied);
  EXPECT_EQ(Set("cw01", kReferral, referral, "expires_day", day(13).c_str()), kWritten);
  EXPECT_EQ(assent("sv1"), kWritten) << "written anew";
  const auto shared = Must(OpenShared(Of("cw01"), code_, ShortId(referral.record), From::kService));
  EXPECT_TRUE(shared.overridden);
  EXPECT_TRUE(shared.transition.consent().empty());
  EXPECT_TRUE(Has(DayOf("sv1"), What::kOverride, ""));
  EXPECT_FALSE(Has(DayOf("cw01"), What::kOverride, ""));

  // For what two saw, and nothing else.
  EXPECT_EQ(Set("cw01", kReferral, referral, "shared_fields", "need,identity_profile.names"),
            kWritten);
  EXPECT_EQ(Told(referral), Code::kPermissionDenied);
  EXPECT_EQ(assent("kc1"), kWritten);
  EXPECT_EQ(Told(referral), kWritten);
  EXPECT_EQ(Refused(ReviewOverride(Of("kc1"), code_)), Code::kPermissionDenied);
  Must(ReviewOverride(Of("sv1"), code_));
  EXPECT_EQ(Told(referral), Code::kPermissionDenied);
  EXPECT_EQ(Refused(ReviewOverride(Of("sv1"), code_)), Code::kPermissionDenied) << "there is none";
  const auto shown = Must(ShowCase(Of("kc1"), code_));
  EXPECT_TRUE(shown.life.refused.empty());
  EXPECT_FALSE(shown.summary_differs);

  // Whoever agreed needs none.
  Must(RecordConsent(Of("cw01"), code_, {{"share_partner", "yes"}}));
  EXPECT_EQ(add(day(3)).error().code(), Code::kInvalidArgument);
}

TEST_F(Sharing, WhoeverTookTheirConsentBackIsToldOfAllThatWasSharedByThen) {
  const auto refused = [&](const char* who) {
    const auto withdrawal = OpenWithdrawal(Of(who), code_, From::kService);
    return withdrawal ? Code::kInternal : withdrawal.error().code();
  };
  EXPECT_EQ(refused("cw01"), Code::kNotFound) << "nobody was asked";
  Must(RecordConsent(Of("cw01"), code_, {{"share_partner", "yes"}}));
  EXPECT_EQ(refused("cw01"), Code::kNotFound) << "nothing was taken back";
  Must(WithdrawConsent(Of("cw01"), code_));
  const auto nothing = Must(OpenWithdrawal(Of("cw01"), code_, From::kService));
  EXPECT_TRUE(nothing.shared.empty());
  EXPECT_EQ(nothing.code, code_);
  EXPECT_EQ(nothing.day, base::SystemClock().NowMs() / 86'400'000);
  Must(RecordConsent(Of("cw01"), code_, {{"share_partner", "yes"}}));
  EXPECT_EQ(refused("cw01"), Code::kNotFound) << "agreed anew";

  // One of each state, in the order in which they were written, and one that counts for nothing.
  const auto waits = Added(kReferral);
  const auto accepted = Added(kReferral);
  EXPECT_EQ(Set("cw01", kReferral, accepted, "state", "accepted"), kWritten);
  const auto rejected = Added(kReferral);
  EXPECT_EQ(Set("cw01", kReferral, rejected, "state", "rejected"), kWritten);
  const auto struck = Added(kReferral);
  Must(StrikeEntry(Of("cw01"), code_, kReferral, ShortId(struck.record)));
  const auto done = Added(kReferral);
  EXPECT_EQ(Set("cw01", kReferral, done, "state", "accepted"), kWritten);
  EXPECT_EQ(Set("cw01", kReferral, done, "state", "done"), kWritten);
  const auto expired = Added(kReferral);
  EXPECT_EQ(Set("cw01", kReferral, expired, "expires_day", "2001-02-03"), kWritten);
  Added(kTransfer);
  const auto changed = Added(kReferral);
  EXPECT_EQ(Set("cw01", kReferral, changed, "expires_day", "2099-02-03"), kWritten);
  Must(WithdrawConsent(Of("cw01"), code_));

  using Receiver = Withdrawal::Receiver;
  using Seen = std::tuple<TransitionKind, TransitionState, bool, Receiver>;
  constexpr auto kRef = TRANSITION_KIND_REFERRAL;
  const auto seen = [&](From from) {
    std::vector<Seen> all;
    for (const auto& each : Must(OpenWithdrawal(Of("cw01"), code_, from)).shared) {
      EXPECT_EQ(each.transition.to_org(), "Invented Aid");
      EXPECT_EQ(each.transition.shared_fields_size(), 3);
      all.emplace_back(each.transition.kind(), each.transition.state(), each.expired,
                       each.receiver);
    }
    return all;
  };
  std::vector<Seen> want{
      {kRef, TRANSITION_STATE_IN_PROGRESS, false, Receiver::kToBeTold},
      {kRef, TRANSITION_STATE_ACCEPTED, false, Receiver::kToBeTold},
      {kRef, TRANSITION_STATE_REJECTED, false, Receiver::kNotAsked},
      {kRef, TRANSITION_STATE_DONE, false, Receiver::kNotAsked},
      {kRef, TRANSITION_STATE_IN_PROGRESS, true, Receiver::kNotAsked},
      {TRANSITION_KIND_TRANSFER, TRANSITION_STATE_IN_PROGRESS, false, Receiver::kToBeTold},
      {kRef, TRANSITION_STATE_IN_PROGRESS, false, Receiver::kToBeTold}};
  EXPECT_EQ(seen(From::kService), want);
  EXPECT_EQ(seen(From::kDevice), want);

  // What the receivers are told is done one by one: by revoking it, or by the task alone.
  EXPECT_EQ(Set("cw01", kReferral, accepted, "state", "revoked"), kWritten);
  want[1] = {kRef, TRANSITION_STATE_REVOKED, false, Receiver::kTold};
  EXPECT_EQ(seen(From::kService), want);
  const auto file = Must(OpenCaseFile(CasesOf("cw01"), Kind::kCase, code_, From::kService));
  const auto link = base::ToString(file.Find(waits.record)->link.bytes());
  for (const auto* entry : file.Of(Record::kTask)) {
    if (entry->content.task().cause() != link) continue;
    Must(FinishTask(Of("cw01"), code_, ShortId(entry->record)));
  }
  std::get<Receiver>(want[0]) = Receiver::kTold;
  EXPECT_EQ(seen(From::kService), want);
  // Answered after they were told, it is the same that they were told of.
  EXPECT_EQ(Set("cw01", kReferral, waits, "state", "accepted"), kWritten);
  std::get<TransitionState>(want[0]) = TRANSITION_STATE_ACCEPTED;
  EXPECT_EQ(seen(From::kService), want);
  // Whose task names a revision between the first and the last is not forgotten.
  EXPECT_EQ(Set("cw01", kReferral, changed, "state", "accepted"), kWritten);
  std::get<TransitionState>(want[6]) = TRANSITION_STATE_ACCEPTED;
  EXPECT_EQ(seen(From::kService), want);

  // Told without consent, where their life depended on it: once two have agreed, not before.
  Must(AddEntry(Of("cw01"), code_, kReferral,
                {{"to_org", "Invented Aid"},
                 {"share_with", "partner"},
                 {"shared_fields", "need, summary.sex, summary.risk"},
                 {"consent_overridden", "yes"}}));
  EXPECT_EQ(seen(From::kService), want);
  Must(AssentToAct(Of("sv1"), code_, MACHINE_CONSENT_OVERRIDE));
  want.emplace_back(kRef, TRANSITION_STATE_IN_PROGRESS, false, Receiver::kToBeTold);
  EXPECT_EQ(seen(From::kService), want);

  for (const char* other : {"sv1", "kc1", "cw02"}) EXPECT_NE(refused(other), kWritten) << other;
}

TEST_F(Tool, APersonIsLinkedUnlinkedAndTheWrongOneIsPutRight) {
  EXPECT_EQ(AddPerson(Of("cw01"), {"sv1", {{"names[0].full", "혼자"}}, false}).error().code(),
            Code::kInvalidArgument)
      << "no consent";
  EXPECT_EQ(AddPerson(Of("cw01"), {"cw02", {}, true}).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(AddPerson(Of("sv1"), {"sv2", {}, true}).error().code(), Code::kPermissionDenied);
  const auto right = Must(AddPerson(Of("cw01"), {"sv1", {{"names[0].full", "옳은이"}}, true}));
  const auto wrong = Must(AddPerson(Of("cw01"), {"sv1", {{"names[0].full", "다른이"}}, true}));
  EXPECT_EQ(Must(FindPerson(Of("cw01"), ShortId(right.vault))), right.vault);
  EXPECT_EQ(FindPerson(Of("cw01"), "").error().code(), Code::kNotFound);

  NewCase nameless;
  nameless.supervisor = "sv1";
  const std::string code = Must(OpenCase(Of("cw01"), nameless));
  const auto stub = Must(ShowPerson(Of("cw01"), code)).vault;
  Must(LinkPerson(Of("cw01"), code, wrong.vault));
  EXPECT_EQ(Must(ShowPerson(Of("cw01"), code)).profile.names(0).full(), "다른이");
  EXPECT_EQ(Must(ShowCase(Of("cw01"), code)).link, LinkState::kBothSides);
  // Linked to one case at a time.
  const std::string other = Must(OpenCase(Of("cw01"), nameless));
  EXPECT_EQ(LinkPerson(Of("cw01"), other, wrong.vault).error().code(), Code::kExists);

  // What the last sync listed is older than what was linked since.
  organisation_.Sync("cw01");
  Must(LinkPerson(Of("cw01"), code, right.vault));
  EXPECT_EQ(Must(ShowPerson(Of("cw01"), code)).vault, right.vault);
  EXPECT_EQ(Must(ShowCase(Of("cw01"), code)).link, LinkState::kBothSides);
  Must(LinkPerson(Of("cw01"), other, wrong.vault));
  for (const auto& person : Must(ListPeople(Of("cw01")))) {
    const std::string want = person.vault == right.vault   ? code
                             : person.vault == wrong.vault ? other
                                                           : "";
    if (person.vault == stub || !want.empty()) {
      EXPECT_EQ(person.code, want);
    }
  }
  Must(UnlinkPerson(Of("cw01"), code));
  EXPECT_EQ(Must(ShowCase(Of("cw01"), code)).link, LinkState::kNone);
  EXPECT_EQ(ShowPerson(Of("cw01"), code).error().code(), Code::kNotFound);
  EXPECT_EQ(UnlinkPerson(Of("cw01"), code).error().code(), Code::kNotFound);
  // A colleague's people are nobody else's to find.
  EXPECT_TRUE(Must(ListPeople(Of("cw02"))).empty());
}

TEST_F(Tool, AHalfDoneLinkShowsAndIsGoneOnWith) {
  const auto person = Must(AddPerson(Of("cw01"), {"sv1", {{"names[0].full", "반쪽"}}, true}));
  NewCase nameless;
  nameless.supervisor = "sv1";
  const std::string code = Must(OpenCase(Of("cw01"), nameless));
  Must(ShowCase(Of("cw01"), code));
  Down(Compartment::kCases);
  EXPECT_TRUE(Must(LinkPerson(Of("cw01"), code, person.vault)).queued);
  // The person's side stands, the case's waits.
  EXPECT_EQ(Must(ShowCase(Of("cw01"), code, true)).link, LinkState::kBothSides);
  Require(Discard(CasesOf("cw01"), Must(OutboxOf(CasesOf("cw01"))).front().id));
  GoOnline();
  const auto day = DayOf("cw01");
  EXPECT_EQ(std::ranges::count(day, What::kLink, &std::pair<What, std::string>::first), 1);
  Must(LinkPerson(Of("cw01"), code, person.vault));
  EXPECT_EQ(Must(ShowCase(Of("cw01"), code)).link, LinkState::kBothSides);
  const auto after = DayOf("cw01");
  EXPECT_EQ(std::ranges::count(after, What::kLink, &std::pair<What, std::string>::first), 0);
}

TEST_F(Tool, ASupervisorReadsAPersonWithAnothersAssentForSomeHours) {
  const std::string code = Open();
  EXPECT_EQ(AskIdentity(Of("sv1"), code, 73, 1).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(AskIdentity(Of("cw01"), code, 5, 1).error().code(), Code::kPermissionDenied);
  EXPECT_EQ(AskIdentity(Of("sv2"), code, 5, 1).error().code(), Code::kNotFound);
  EXPECT_EQ(ReadAskedIdentity(Of("sv1"), code).error().code(), Code::kPermissionDenied);
  Must(AskIdentity(Of("sv1"), code, 5, 1));
  EXPECT_EQ(ReadAskedIdentity(Of("sv1"), code).error().code(), Code::kPermissionDenied);
  // Nobody assents to their own, and a refusal ends it.
  EXPECT_EQ(AnswerIdentityAsks(Of("sv1"), code, true).error().code(), Code::kNotFound);
  EXPECT_TRUE(Has(DayOf("cw01"), What::kIdentityAsked, "5 h"));
  EXPECT_EQ(Must(AnswerIdentityAsks(Of("cw01"), code, false)), 1u);
  EXPECT_EQ(ReadAskedIdentity(Of("sv1"), code).error().code(), Code::kPermissionDenied);
  EXPECT_EQ(AnswerIdentityAsks(Of("cw01"), code, true).error().code(), Code::kNotFound);

  Must(AskIdentity(Of("sv1"), code, 5, 1));
  // An ASSENT of anything else opens nothing.
  Must(WriteEntry(organisation_.RealmOf("sv1", Compartment::kIdentity),
                  Must(ShowPerson(Of("cw01"), code)).vault,
                  [](VaultView& view) -> base::Result<std::optional<protocol::EntryPayload>> {
                    const auto* pinned = view.Latest(view.state().pinned_record());
                    return std::optional<protocol::EntryPayload>(
                        protocol::Assent{pinned->link, protocol::Assent::kYes});
                  }));
  EXPECT_EQ(ReadAskedIdentity(Of("sv1"), code).error().code(), Code::kPermissionDenied);
  EXPECT_EQ(Must(AnswerIdentityAsks(Of("cw01"), code, true)), 1u);
  EXPECT_EQ(Must(ReadAskedIdentity(Of("sv1"), code)).profile.names(0).full(), "홍예시");
  // Nothing of it is kept on the device, and a later ASK that waits closes it again.
  EXPECT_EQ(ShowPerson(Of("sv1"), code).error().code(), Code::kNotFound);
  Must(AskIdentity(Of("sv1"), code, 1, 1));
  EXPECT_EQ(ReadAskedIdentity(Of("sv1"), code).error().code(), Code::kPermissionDenied);
}

TEST(AskedPerson, AServiceThatChangesWhatASupervisorIsServedIsFoundOut) {
  support::RealmServers servers;
  support::LyingServer liar(servers.identity);
  support::TestOrganisation people(servers, {{Compartment::kIdentity, liar.address()}});
  people.Join(support::Staff(1, 1, 1, 0, 0));
  NewCase made;
  made.supervisor = "sv1";
  made.summary.mutable_consent()->set_store_identity(ANSWER_YES);
  made.profile.add_names()->set_full("홍예시");
  const std::string code = Must(OpenCase(people.Of("cw01"), std::move(made)));
  Must(AskIdentity(people.Of("sv1"), code, 5, 1));
  EXPECT_EQ(Must(AnswerIdentityAsks(people.Of("cw01"), code, true)), 1u);
  const auto read = [&] { return ReadAskedIdentity(people.Of("sv1"), code); };
  const auto lie = [&](const std::function<void(realm::v1::RecordContent&)>& change) {
    liar.RewriteReply(
        [=](const realm::v1::FetchVaultRequest&, realm::v1::FetchVaultResponse& reply) {
          for (auto& record : *reply.mutable_records()) change(record);
        });
  };
  EXPECT_EQ(Must(read()).profile.names(0).full(), "홍예시");
  auto& device = people.RealmOf("sv1", Compartment::kIdentity);
  EXPECT_TRUE(Must(device.store().KeptEvidence()).empty());

  // Of another revision, or of no record: it is not what was signed last.
  lie([](auto& record) { record.set_rver(record.rver() + 1); });
  EXPECT_EQ(Must(read()).profile.names_size(), 0);
  liar.BeHonest();
  lie([](auto& record) { record.mutable_record()->back() ^= 1; });
  EXPECT_EQ(Must(read()).profile.names_size(), 0);
  liar.BeHonest();
  EXPECT_TRUE(Must(device.store().KeptEvidence()).empty());

  lie([](auto& record) { record.mutable_ciphertext()->back() ^= 1; });
  EXPECT_EQ(read().error().code(), Code::kDecrypt);
  const auto evidence = Must(device.store().KeptEvidence());
  ASSERT_EQ(evidence.size(), 1u);
  EXPECT_EQ(evidence[0].piece.claim, protocol::Claim::kRecordChanged) << "not the author";
  liar.BeHonest();
  EXPECT_EQ(Must(read()).profile.names(0).full(), "홍예시");
}

TEST(WithdrawnConsent, AServiceThatWithholdsAReferralGetsNoLetterWrittenWithoutIt) {
  support::RealmServers servers;
  support::LyingServer liar(servers.cases);
  support::TestOrganisation people(servers, {{Compartment::kCases, liar.address()}});
  people.Join(support::Staff(1, 1, 1, 0, 0));
  NewCase made;
  made.supervisor = "sv1";
  made.summary.mutable_consent()->set_store_identity(ANSWER_YES);
  const std::string code = Must(OpenCase(people.Of("cw01"), std::move(made)));
  Must(RecordConsent(people.Of("cw01"), code, {{"share_partner", "yes"}}));
  const EntryKind& kind = *FindEntryKind("referral");
  const auto referral = Must(AddEntry(
      people.Of("cw01"), code, kind,
      {{"to_org", "Invented Aid"}, {"share_with", "partner"}, {"shared_fields", "summary.sex"}}));
  Must(WithdrawConsent(people.Of("cw01"), code));
  Must(
      ChangeEntry(people.Of("kc1"), code, kind, ShortId(referral.record), {{"state", "accepted"}}));
  liar.RewriteReply([](const realm::v1::FetchVaultRequest&, realm::v1::FetchVaultResponse& reply) {
    reply.clear_records();
  });
  EXPECT_EQ(OpenWithdrawal(people.Of("cw01"), code, From::kService).error().code(),
            Code::kPermissionDenied);
}

TEST_F(Tool, AFamilySplitsAndReunites) {
  const auto mother = Must(AddPerson(Of("cw01"), {"sv1", {{"names[0].full", "엄마"}}, true}));
  const auto child = Must(AddPerson(Of("cw01"), {"sv1", {}, true}));
  EXPECT_EQ(MakeFamily(Of("cw01"), "sv1", {}).error().code(), Code::kInvalidArgument);
  const auto family = Must(
      MakeFamily(Of("cw01"), "sv1", {{mother.vault, FAMILY_ROLE_PRINCIPAL_APPLICANT, ANSWER_YES}}));
  PartialDate since;
  since.set_precision(PartialDate::PRECISION_YEAR);
  since.set_year(2030);
  Must(SetFamilyMember(Of("cw01"), family.vault,
                       {child.vault, FAMILY_ROLE_CHILD, ANSWER_NO, since}));
  organisation_.Sync("cw01");
  auto families = Must(ListFamilies(Of("cw01")));
  ASSERT_EQ(families.size(), 1u);
  ASSERT_EQ(families[0].family.members_size(), 2);
  EXPECT_EQ(families[0].family.members(1).separated_since().year(), 2030);
  Must(SetFamilyMember(Of("cw01"), family.vault, {child.vault, FAMILY_ROLE_CHILD, ANSWER_YES}));
  Must(RemoveFamilyMember(Of("cw01"), family.vault, mother.vault));
  organisation_.Sync("cw01");
  families = Must(ListFamilies(Of("cw01")));
  ASSERT_EQ(families[0].family.members_size(), 1);
  EXPECT_EQ(families[0].family.members(0).together(), ANSWER_YES);
  EXPECT_FALSE(families[0].family.members(0).has_separated_since());
  EXPECT_TRUE(Must(ListFamilies(Of("cw02"))).empty());
}

TEST_F(Tool, ADuplicateIsClosedAsWhatItIsAndFinal) {
  const std::string first = Open();
  const std::string second = Open("다른이름");
  EXPECT_EQ(Refused(MergeCase(Of("kc1"), first, first)), Code::kInvalidArgument);
  EXPECT_EQ(Refused(MergeCase(Of("cw01"), second, first)), Code::kPermissionDenied);
  Must(MergeCase(Of("kc1"), second, first));
  const auto merged = Must(ShowCase(Of("cw01"), second));
  EXPECT_EQ(merged.life.status(), CASE_STATUS_DUPLICATE);
  EXPECT_EQ(merged.life.stage(), CASE_STAGE_CLOSED);
  EXPECT_EQ(Refused(MergeCase(Of("kc1"), first, second)), Code::kInvalidArgument);
  EXPECT_EQ(Refused(ReopenCase(Of("kc1"), second, CLOSURE_REASON_OTHER)), Code::kPermissionDenied);
}

struct FixedClock : base::Clock {
  std::uint64_t now_ms = 0;
  std::uint64_t NowMs() const override { return now_ms; }
  std::chrono::steady_clock::time_point Steady() const override {
    return std::chrono::steady_clock::now();
  }
};

TEST(IdentityWindow, IsATwentyFourthOfEachPeriodAtTheSameTimeForAll) {
  std::array<std::uint8_t, 32> bytes{};
  bytes[7] = 100;  // begins 100 ms later
  const base::Fingerprint fingerprint(bytes);
  constexpr std::uint64_t kDayMs = 86'400'000;
  for (const std::uint64_t day : {std::uint64_t{0}, std::uint64_t{20'000}}) {
    const std::uint64_t begin = day * kDayMs + 100;
    EXPECT_TRUE(IsWindowOpen(86'400, fingerprint, begin));
    EXPECT_TRUE(IsWindowOpen(86'400, fingerprint, begin + kDayMs / 24 - 1));
    EXPECT_FALSE(IsWindowOpen(86'400, fingerprint, begin + kDayMs / 24));
    EXPECT_FALSE(IsWindowOpen(86'400, fingerprint, begin - 1));
  }
  EXPECT_TRUE(IsWindowOpen(0, fingerprint, 12'345'678));
}

// No identity request outside the window, by the caseworker who registers people all day.
TEST(IdentityWindow, NothingIsAskedOfIdentityOutsideIt) {
  support::RealmServers servers;
  support::LyingServer between(servers.identity);
  support::TestOrganisation organisation(servers, {{Compartment::kIdentity, between.address()}});
  organisation.Join(support::Staff(1, 1, 1, 0, 0));
  Realm& founder = organisation.RealmOf("founder", Compartment::kIdentity);
  Require(founder.Sync());
  protocol::Policy policy = founder.roster().policy();
  ++policy.gen;
  policy.identity_window_s = 86'400;
  Must(founder.Author(protocol::PolicySet{policy}));
  organisation.Sync("cw01");
  Realm& identity = organisation.RealmOf("cw01", Compartment::kIdentity);
  FixedClock clock;
  identity.set_clock(clock);
  while (IsWindowOpen(identity)) clock.now_ms += 3'600'000;

  const std::size_t before = between.calls().size();
  std::vector<std::string> codes;
  for (int i = 0; i < 8; ++i) {
    NewCase made;
    made.supervisor = "sv1";
    made.summary.mutable_consent()->set_store_identity(ANSWER_YES);
    made.profile.add_names()->set_full("이름" + std::to_string(i));
    codes.push_back(Must(OpenCase(organisation.Of("cw01"), std::move(made))));
    Must(AddEntry(organisation.Of("cw01"), codes.back(), *FindEntryKind("kin"),
                  {{"relation", "mother"}}));
    EXPECT_EQ(Must(ShowPerson(organisation.Of("cw01"), codes.back())).profile.names_size(), 1);
  }
  Require(organisation.Of("cw01").Sync());
  EXPECT_GE(Must(SendOutbox(organisation.Of("cw01"))).waiting, 16u);
  EXPECT_EQ(between.calls().size(), before) << "a request outside the window";
  // The cases themselves stand.
  EXPECT_EQ(Must(ShowCase(organisation.Of("kc1"), codes[0])).life.stage(), CASE_STAGE_CONTACT);

  // Inside it all goes, and not in the order in which people came.
  std::vector<base::VaultId> came;
  for (const auto& pending : Must(OutboxOf(identity))) {
    if (pending.create) came.push_back(pending.vault);
  }
  while (!IsWindowOpen(identity)) clock.now_ms += 600'000;
  std::vector<base::VaultId> arrived;
  between.RewriteRequest([&](godwit::realm::v1::AppendEntriesRequest& request) {
    for (const auto& upload : request.vaults()) {
      const std::string& last = upload.entries(upload.entries_size() - 1).entry();
      const base::VaultId vault = Must(protocol::ReadEntry(base::AsBytes(last))).header.vault;
      if (std::ranges::count(arrived, vault) == 0) arrived.push_back(vault);
    }
  });
  EXPECT_EQ(Must(SendOutbox(organisation.Of("cw01"))).waiting, 0u);
  EXPECT_EQ(arrived.size(), came.size());
  EXPECT_NE(arrived, came) << "8 people in their own order: 1 in 40,320";
}

}  // namespace
}  // namespace godwit::client
