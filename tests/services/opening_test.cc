#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "protocol/entry.h"
#include "services/realm/admission.h"
#include "tests/services/fixture.h"

namespace godwit::realm {
namespace {

using protocol::Ask;
using protocol::Assent;
using protocol::Compartment;
using protocol::kFull;
using protocol::Kind;
using protocol::kManage;
using support::Must;
using support::Person;
using support::TestRealm;
using support::TestVault;

constexpr std::uint64_t kMsPerHour = 3'600'000;
constexpr std::uint16_t kHours = 5;

// A person's vault: a caseworker reads it, two supervisors manage it without reading.
class Opening : public testing::Test {
 protected:
  Opening()
      : realm_(Compartment::kIdentity),
        reader_(realm_.Add(protocol::kCaseworker)),
        asker_(realm_.Add(protocol::kSupervisor)),
        other_(realm_.Add(protocol::kSupervisor)),
        to_(Compartment::kIdentity),
        vault_(realm_, Kind::kPerson, reader_,
               {{&reader_, kFull}, {&asker_, kManage}, {&other_, kManage}}) {
    Sync(to_, realm_);
    vault_.WritePinned(reader_, "link");
    record_ = vault_.NewRecord();
    vault_.Write(reader_, record_, "a name");
    EXPECT_EQ(CodeOf(Append(to_.engine, CallerOf(reader_), UploadOf(vault_))), "OK");
  }

  void Do(const Person& author, const protocol::EntryPayload& payload) {
    const std::size_t from = vault_.entries().size();
    vault_.Append(vault_.Sign(author, payload));
    ASSERT_EQ(CodeOf(Append(to_.engine, CallerOf(author), UploadOf(vault_, from))), "OK");
  }
  base::Link AskToRead(const Person& author, std::set<base::RecordId> records = {}) {
    Do(author,
       Ask{.what = Ask::kToRead, .reason = 1, .hours = kHours, .records = std::move(records)});
    return vault_.vault().head();
  }
  // How many records somebody is served.
  std::size_t Served(const Person& person) {
    return Must(FetchAll(to_.engine, CallerOf(person), vault_.vault().id())).records.size();
  }

  TestRealm realm_;
  Person& reader_;
  Person& asker_;
  Person& other_;
  TestEngine to_;
  TestVault vault_;
  base::RecordId record_;
};

TEST_F(Opening, ServesContentFromAnothersAssentUntilTheHoursAreOver) {
  EXPECT_EQ(Served(reader_), 2u);
  EXPECT_EQ(Served(asker_), 0u);
  const base::Link ask = AskToRead(asker_);
  EXPECT_EQ(Served(asker_), 0u) << "nobody assented";
  Do(reader_, Assent{ask, Assent::kYes});
  EXPECT_EQ(Served(asker_), 2u);
  EXPECT_EQ(Served(other_), 0u) << "who did not ask";
  const std::uint64_t assented_ms = to_.clock->now_ms;
  to_.clock->now_ms = assented_ms + kHours * kMsPerHour - 1;
  EXPECT_EQ(Served(asker_), 2u);
  to_.clock->now_ms = assented_ms + kHours * kMsPerHour;
  EXPECT_EQ(Served(asker_), 0u);
  EXPECT_EQ(Served(reader_), 2u);
}

TEST_F(Opening, IsOfTheNewestAskAndOfAYesAlone) {
  const base::Link refused = AskToRead(asker_);
  Do(reader_, Assent{refused, Assent::kNo});
  EXPECT_EQ(Served(asker_), 0u);
  const base::Link first = AskToRead(asker_);
  Do(other_, Assent{first, Assent::kYes});
  EXPECT_EQ(Served(asker_), 2u);
  AskToRead(asker_);
  EXPECT_EQ(Served(asker_), 0u) << "what was asked anew waits again";
}

TEST_F(Opening, IsOfTheRecordsThatWereAskedFor) {
  const base::Link ask = AskToRead(asker_, {record_});
  Do(reader_, Assent{ask, Assent::kYes});
  const auto read = Must(FetchAll(to_.engine, CallerOf(asker_), vault_.vault().id()));
  ASSERT_EQ(read.records.size(), 1u);
  EXPECT_EQ(read.records.front().record, record_);
}

// A second ASSENT does not make it longer.
TEST_F(Opening, BeginsAtTheFirstAssent) {
  const base::Link ask = AskToRead(asker_);
  Do(reader_, Assent{ask, Assent::kYes});
  const std::uint64_t assented_ms = to_.clock->now_ms;
  to_.clock->now_ms = assented_ms + (kHours - 1) * kMsPerHour;
  Do(other_, Assent{ask, Assent::kYes});
  to_.clock->now_ms = assented_ms + kHours * kMsPerHour;
  EXPECT_EQ(Served(asker_), 0u);
}

}  // namespace
}  // namespace godwit::realm
