#include "tests/e2e/histories.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "client/cases.h"
#include "client/entries.h"
#include "client/outbox.h"
#include "client/vault_file.h"
#include "tests/support/builders.h"
#include "tests/support/lying_server.h"
#include "tests/support/realm_server.h"
#include "tests/support/test_organisation.h"

namespace godwit::client {
namespace {

using content::v1::Record;
using protocol::Compartment;
using protocol::Kind;
using support::Must;
using support::Require;
using support::TestOrganisation;

// A vault grows with each history: so many share a case.
constexpr int kHistoriesACase = 10;
constexpr int kSteps = 14;
const std::array<std::string, 3> kDevices{"cw01", "cw01-phone", "sv1"};
const std::array<std::string, 3> kFields{"situation", "strengths", "wishes"};

std::string FieldOf(const Record& record, const std::string& field) {
  const auto& assessment = record.assessment();
  if (field == "situation") return assessment.situation();
  return field == "strengths" ? assessment.strengths() : assessment.wishes();
}

// What was written, by whom it could have been seen, and what became of it.
class Checker {
 public:
  // `value` took the place of `seen` in a field, or stands beside others in a list.
  void Wrote(const std::string& field, const std::string& value, const std::string& seen) {
    written_.insert({field, value});
    if (!seen.empty()) replaced_.insert({field, seen});
  }
  void Removed(const std::string& field, const std::string& value) {
    replaced_.insert({field, value});
  }

  // `shown`: every value that a device shows, conflicts' other values too.
  void Judge(const std::set<std::pair<std::string, std::string>>& shown) const {
    for (const auto& value : written_) {
      if (replaced_.contains(value) || shown.contains(value)) continue;
      ADD_FAILURE() << "lost: " << value.second << " in " << value.first;
    }
    for (const auto& value : shown) {
      EXPECT_TRUE(written_.contains(value)) << "nobody wrote " << value.second;
    }
  }

 private:
  std::set<std::pair<std::string, std::string>> written_;
  std::set<std::pair<std::string, std::string>> replaced_;
};

class Histories {
 public:
  explicit Histories(unsigned seed)
      : liar_(servers_.cases),
        organisation_(servers_, {{Compartment::kCases, liar_.address()}}),
        random_(seed) {
    organisation_.Join(support::Staff(1, 1, 1, 0, 0));
    organisation_.AddDevice("cw01", "cw01-phone");
  }

  void Run(int rounds) {
    for (int i = 0; i < rounds && !testing::Test::HasFailure(); ++i) {
      if (i % kHistoriesACase == 0) OpenAnotherCase();
      SCOPED_TRACE("history " + std::to_string(i));
      RunOne();
    }
    EXPECT_GT(deaths_, rounds / 5) << "hardly any process was killed";
  }

 private:
  Realm& RealmOf(const std::string& device) {
    return organisation_.RealmOf(device, Compartment::kCases);
  }
  std::size_t Below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  std::string NewValue() { return "value " + std::to_string(++values_); }

  void OpenAnotherCase() {
    NewCase invented;
    invented.supervisor = "sv1";
    const std::string code = Must(OpenCase(organisation_.Of("cw01"), invented));
    vault_ = Must(FindVault(RealmOf("cw01"), Kind::kSensitive, code, From::kService));
  }

  // What a device has of the history's two records now.
  VaultFile FileOf(const std::string& device, From from) {
    return Must(VaultFile::Open(RealmOf(device), vault_, from));
  }

  void Connect(const std::string& device) {
    liar_.BeHonest();
    // A try whose answer was lost may stand: the second time finds it.
    for (int i = 0; i < 3; ++i) {
      if (Must(SendWaiting(RealmOf(device))) == 0) return;
    }
    for (const Pending& pending : Must(OutboxOf(RealmOf(device)))) {
      ADD_FAILURE() << device << " keeps " << pending.what << ": " << pending.why;
    }
  }

  void Send(const std::string& device, Pending pending, bool online) {
    pending.what = "history";
    if (online && Below(6) == 0) return SendAndDie(device, std::move(pending));
    const bool lost = online && Below(4) == 0;
    if (lost) {
      liar_.LoseReplies("AppendEntries", 1, grpc::StatusCode::DEADLINE_EXCEEDED);
      liar_.RewriteRequest([&](realm::v1::AppendEntriesRequest&) {
        liar_.LoseReplies("FetchRoster", 100, grpc::StatusCode::DEADLINE_EXCEEDED);
      });
    }
    if (online) {
      Must(Submit(RealmOf(device), std::move(pending)));
    } else {
      Must(Queue(RealmOf(device), std::move(pending)));
    }
    if (lost) liar_.BeHonest();
  }

  // The process ends while it waits for an answer, to its reading before it writes or to its write:
  // what it did after that moment, which is to fail, never came to be.
  void SendAndDie(const std::string& device, Pending pending) {
    TestOrganisation::StoreFiles files;
    const auto die = [&] {
      if (files.empty()) files = organisation_.CopyStore(device, Compartment::kCases);
      for (const char* method : {"FetchRoster", "FetchVault", "AppendEntries"}) {
        liar_.LoseReplies(method, 100, grpc::StatusCode::DEADLINE_EXCEEDED);
      }
    };
    if (Below(3) == 0) {
      liar_.RewriteRequest([&](realm::v1::FetchRosterRequest&) { die(); });
    } else {
      liar_.RewriteRequest([&](realm::v1::AppendEntriesRequest&) { die(); });
    }
    pending.what = "history";
    Must(Submit(RealmOf(device), std::move(pending)));
    liar_.BeHonest();
    if (files.empty()) return;
    ++deaths_;
    organisation_.Restart(device, files);
  }

  void EditField(const std::string& device, bool online, Checker& checker) {
    const VaultFile file = FileOf(device, online ? From::kService : From::kDevice);
    const auto* entry = file.Find(assessment_);
    if (entry == nullptr) return;  // never heard of it yet
    const std::string& field = kFields[Below(kFields.size())];
    const std::string value = NewValue();
    Record changed = entry->content;
    checker.Wrote(field, value, FieldOf(changed, field));
    auto& assessment = *changed.mutable_assessment();
    if (field == "situation") assessment.set_situation(value);
    if (field == "strengths") assessment.set_strengths(value);
    if (field == "wishes") assessment.set_wishes(value);
    Pending pending;
    pending.vault = vault_;
    pending.edits.push_back(VaultFile::Change(*entry, std::move(changed)));
    Send(device, std::move(pending), online);
  }

  void EditList(const std::string& device, bool online, Checker& checker) {
    const VaultFile file = FileOf(device, online ? From::kService : From::kDevice);
    const auto* entry = file.Find(plan_);
    if (entry == nullptr) return;
    Record changed = entry->content;
    auto& goals = *changed.mutable_case_plan()->mutable_goals();
    if (!goals.empty() && Below(3) == 0) {
      const int gone = static_cast<int>(Below(static_cast<std::size_t>(goals.size())));
      checker.Removed("goals", goals.Get(gone).goal());
      goals.DeleteSubrange(gone, 1);
    } else {
      const std::string value = NewValue();
      checker.Wrote("goals", value, "");
      changed.mutable_case_plan()->add_goals()->set_goal(value);
    }
    Pending pending;
    pending.vault = vault_;
    pending.edits.push_back(VaultFile::Change(*entry, std::move(changed)));
    Send(device, std::move(pending), online);
  }

  void Begin() {
    Record assessment;
    assessment.mutable_assessment()->set_assessed_day(1);
    Record plan;
    plan.mutable_case_plan()->set_review_day(1);
    Pending pending;
    pending.vault = vault_;
    pending.edits.push_back(VaultFile::Add(std::move(assessment)));
    pending.edits.push_back(VaultFile::Add(std::move(plan)));
    assessment_ = pending.edits[0].record;
    plan_ = pending.edits[1].record;
    Must(Submit(RealmOf("cw01"), std::move(pending)));
    for (const std::string& device : kDevices) FileOf(device, From::kService);
  }

  void RunOne() {
    Begin();
    Checker checker;
    std::map<std::string, bool> online;
    for (const std::string& device : kDevices) online[device] = true;
    for (int step = 0; step < kSteps; ++step) {
      const std::string& device = kDevices[Below(kDevices.size())];
      switch (Below(6)) {
        case 0:
          online[device] = !online[device];
          if (online[device]) Connect(device);
          break;
        case 1:
          // Knows what others did, and sends nothing of its own.
          if (online[device]) FileOf(device, From::kService);
          break;
        case 2:
          EditList(device, online[device], checker);
          break;
        default:
          EditField(device, online[device], checker);
      }
    }
    // All are connected, in any order.
    std::vector<std::string> order(kDevices.begin(), kDevices.end());
    std::ranges::shuffle(order, random_);
    for (const std::string& device : order) Connect(device);

    std::set<std::set<std::pair<std::string, std::string>>> views;
    for (const std::string& device : kDevices) {
      EXPECT_TRUE(Must(OutboxOf(RealmOf(device))).empty());
      views.insert(Shown(FileOf(device, From::kService)));
    }
    ASSERT_EQ(views.size(), 1u) << "the devices show different things";
    checker.Judge(*views.begin());
  }

  std::set<std::pair<std::string, std::string>> Shown(const VaultFile& file) const {
    std::set<std::pair<std::string, std::string>> shown;
    const auto take = [&](const Record& record) {
      for (const std::string& field : kFields) {
        const std::string value = FieldOf(record, field);
        if (!value.empty()) shown.insert({field, value});
      }
    };
    const Record& plan = file.Find(plan_)->content;
    for (const auto& goal : plan.case_plan().goals()) {
      EXPECT_TRUE(shown.insert({"goals", goal.goal()}).second) << "twice: " << goal.goal();
    }
    take(file.Find(assessment_)->content);
    for (const auto* entry : file.Of(Record::kConflict)) {
      const auto& conflict = entry->content.conflict();
      if (conflict.record() != base::ToString(assessment_.bytes())) continue;
      Record other;
      EXPECT_TRUE(other.ParseFromString(conflict.other()));
      take(other);
    }
    return shown;
  }

  support::RealmServers servers_;
  support::LyingServer liar_;
  TestOrganisation organisation_;
  std::mt19937 random_;
  base::VaultId vault_;
  base::RecordId assessment_;
  base::RecordId plan_;
  int values_ = 0;
  int deaths_ = 0;
};

}  // namespace

void RunHistories(int rounds, unsigned seed) { Histories(seed).Run(rounds); }

}  // namespace godwit::client
